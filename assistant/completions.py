"""``/v1``: hyoka as a model that programs made for OpenAI's chat completions can talk to."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from assistant.completionerrors import CompletionRefused
from assistant.completionschemas import (
    MODEL,
    AnnotationJson,
    CompletionAskJson,
    CompletionChoiceJson,
    CompletionErrorJson,
    CompletionJson,
    CompletionMessageJson,
    ModelJson,
    ModelListJson,
    UrlCitationJson,
    UsageJson,
)
from assistant.footnotes import Footnoted, citation_title, footnoted
from assistant.line import Line
from assistant.papers import sheet_link
from assistant.payload import answer_json
from assistant.readiness import NO_FILTERS, Asker
from assistant.refusals import clean_question
from assistant.schemas import AnswerJson
from assistant.stages import stage
from assistant.types import NO_CHOICES
from corpus.errors import QuestionError

Result = TypeVar("Result")

_GONE = 499  # nobody is there to read it; what proxies call a client that closed the connection
ERRORS: dict[int | str, dict[str, object]] = {
    400: {"model": CompletionErrorJson, "description": "リクエストを読めません。"},
    404: {"model": CompletionErrorJson, "description": "その名前のモデルはありません。"},
    422: {"model": CompletionErrorJson, "description": "リクエストの内容に誤りがあるか、hyoka にはできないことです。"},
    503: {"model": CompletionErrorJson, "description": "混み合っています。Retry-After の秒数だけ待ってください。"},
}


STREAMED: dict[int | str, dict[str, object]] = {200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}}


@dataclass(frozen=True, slots=True)
class _Composed:
    """An answer with its Markdown, ready to be sent whole or in pieces."""

    id: str
    created: int
    written: Footnoted
    annotations: list[AnnotationJson]
    usage: UsageJson
    answer: AnswerJson

    def whole(self) -> CompletionJson:
        message = CompletionMessageJson(content=self.written.text, annotations=self.annotations)
        return CompletionJson(
            id=self.id,
            created=self.created,
            system_fingerprint=self.answer.index_version,
            choices=[CompletionChoiceJson(message=message)],
            usage=self.usage,
            hyoka=self.answer,
        )


def completion_routes(assistant: Asker, line: Line) -> APIRouter:
    """The routes under ``/v1``; questions wait their turn in ``line``."""
    router = APIRouter(prefix="/v1", tags=["OpenAI 互換"])
    started = int(time.time())

    @router.post(
        "/chat/completions",
        summary="チャットの形で質問する（OpenAI 互換）",
        response_model=CompletionJson,
        responses=ERRORS | STREAMED,
    )
    async def complete(request: Request, body: CompletionAskJson) -> Response:
        """最後の `user` の文が質問です。回答は脚注つきの Markdown で、引用は `annotations` と `hyoka` にも入ります。"""
        _check(body)
        at = body.at
        if at is None:
            raise CompletionRefused("質問がありません。messages に role が user の文を入れてください。", "messages")
        question = _question(body, at)
        history, extra = body.history(at), body.hyoka
        filters = NO_FILTERS if extra is None or extra.filters is None else extra.filters.filters()
        choices = NO_CHOICES if extra is None else extra.choices()
        base, asked = str(request.base_url), sum(len(one.text) for one in body.messages)

        def composed() -> _Composed:
            answer = assistant.ask(question, history, filters, choices)
            with stage("render"):
                return _composed(answer_json(answer, assistant.index), base, asked)

        found = await while_there(request, line.run("ask", composed))
        if found is None:
            return Response(status_code=_GONE)
        if body.stream:
            counted = body.stream_options is not None and bool(body.stream_options.include_usage)
            headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
            return StreamingResponse(_events(found, counted), media_type="text/event-stream", headers=headers)
        return Response(found.whole().model_dump_json(), media_type="application/json")

    @router.get("/models", summary="モデルの一覧（OpenAI 互換）")
    async def models() -> ModelListJson:
        """hyoka の一つだけです。"""
        return ModelListJson(data=[ModelJson(created=started)])

    @router.get("/models/{model_id}", summary="モデル（OpenAI 互換）", responses=ERRORS)
    async def model(model_id: str) -> ModelJson:
        """`hyoka` のほかは 404 です。"""
        _known(model_id)
        return ModelJson(created=started)

    return router


def _known(model: str) -> None:
    if model != MODEL:
        raise CompletionRefused(
            f"その名前のモデルはありません。モデルの名前には {MODEL} を指定してください。",
            "model",
            404,
            "model_not_found",
        )


def _check(body: CompletionAskJson) -> None:
    """Refuses what would make the answer something else than was asked for."""
    _known(body.model)
    if body.n not in (None, 1):
        raise CompletionRefused("回答は一つだけです。n には 1 を指定するか、n を外してください。", "n")
    for name, chosen in (("tool_choice", body.tool_choice), ("function_call", body.function_call)):
        if chosen not in (None, "auto", "none"):
            raise CompletionRefused(f"hyoka は道具（tools）を呼びません。{name} を外してください。", name)
    if body.response_format is not None and body.response_format.get("type", "text") != "text":
        raise CompletionRefused(
            "回答は Markdown の文章だけです。response_format を外し、構造のあるデータが要るときは "
            "POST /api/v1/ask か、応答の hyoka を使ってください。",
            "response_format",
        )
    if body.logprobs:
        raise CompletionRefused("回答は確率を持ちません。logprobs を外してください。", "logprobs")
    if body.modalities is not None and body.modalities != ["text"]:
        raise CompletionRefused("回答は文章だけです。modalities を外してください。", "modalities")


def _question(body: CompletionAskJson, at: int) -> str:
    """The question; earlier pictures are let be, since they would stay in the way of every later question."""
    message, param = body.messages[at], f"messages.{at}.content"
    if message.others:
        raise CompletionRefused(
            "画像、音声、ファイルは読めません。それらを外し、質問を文章で書いてください。",
            param,
            code="unsupported_content",
        )
    try:
        return clean_question(message.text)
    except QuestionError as problem:
        raise CompletionRefused(problem.message, param, code=problem.code) from problem


def _composed(answer: AnswerJson, base: str, asked: int) -> _Composed:
    written = footnoted(answer, base)
    cited = {one.n: one for one in answer.citations}
    annotations = [
        AnnotationJson(
            url_citation=UrlCitationJson(
                start_index=mark.start,
                end_index=mark.end,
                title=citation_title(cited[mark.n]),
                url=sheet_link(base, cited[mark.n]),
            )
        )
        for mark in written.marks
    ]
    said = len(written.text)
    usage = UsageJson(prompt_tokens=asked, completion_tokens=said, total_tokens=asked + said)
    return _Composed(f"chatcmpl-{uuid4().hex}", int(time.time()), written, annotations, usage, answer)


async def _events(found: _Composed, counted: bool) -> AsyncIterator[str]:
    """The answer as server-sent events: who speaks, the text piece by piece, what proves it, and with ``counted`` the usage."""

    def event(choices: list[dict[str, Any]], **more: Any) -> str:
        chunk = {
            "id": found.id,
            "object": "chat.completion.chunk",
            "created": found.created,
            "model": MODEL,
            "system_fingerprint": found.answer.index_version,
            "choices": choices,
            **({"usage": None} if counted else {}),
            **more,
        }
        return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"

    def delta(finish: str | None = None, **said: Any) -> list[dict[str, Any]]:
        return [{"index": 0, "delta": said, "logprobs": None, "finish_reason": finish}]

    yield event(delta(role="assistant", content=""))
    for piece in found.written.pieces:
        yield event(delta(content=piece))
    annotations = [one.model_dump() for one in found.annotations]
    yield event(delta("stop", annotations=annotations), hyoka=found.answer.model_dump(mode="json"))
    if counted:
        yield event([], usage=found.usage.model_dump())
    yield "data: [DONE]\n\n"


async def while_there(request: Request, work: Coroutine[Any, Any, Result]) -> Result | None:
    """What the work returns or raises; None where the client closed the connection before, and then its place in line is free."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        for one in (task, gone):
            one.cancel()
        await asyncio.wait({task, gone})  # work that has begun is done to its end
        task.cancelled() or task.exception()  # nobody else will ask for it


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
