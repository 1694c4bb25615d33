"""What the HTTP interface refuses and how it says so: ``{"error": {"code", "message"}}``, always in Japanese."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from http import HTTPStatus

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.access.places import own_path
from assistant.characters import clean_text as clean_text
from assistant.completionerrors import CompletionRefused, completion_error, refusal_at
from corpus.errors import Busy, DatabaseError, EngineUnavailable, HyokaError, IndexFolderError, QuestionError

logger = logging.getLogger(__name__)

QUESTION_LIMIT = 2_000
BODY_LIMIT = 4_000_000
SCREEN_LIMIT = 32_000_000
"""What a page may send: the whole conversation with every question, and a table of 20,000 rows to save."""
BODY_SECONDS = 30.0
"""How long a body may stand still before the connection is given back."""

MESSAGES = {
    400: ("bad_request", "リクエストを読めませんでした。JSON（UTF-8）の書き方を確かめてください。"),
    401: ("unauthorized", "ログインが必要です。"),
    403: ("forbidden", "この操作は許可されていません。"),
    404: ("not_found", "見つかりません。アドレスを確かめてください。"),
    405: (
        "method_not_allowed",
        "このアドレスではその操作（HTTPメソッド）を使えません。/docs で使い方を確かめてください。",
    ),
    408: ("timeout", "送信が途中で止まりました。通信の状態を確かめて、もう一度送ってください。"),
    413: ("too_large", "送られた内容が大きすぎます。履歴や質問を短くしてください。"),
    421: ("misdirected", "この名前では開けません。http://127.0.0.1 か http://localhost で開いてください。"),
    429: ("too_many_requests", "短い時間に要求が多すぎます。少し待ってからもう一度お試しください。"),
    422: ("invalid_request", "リクエストの内容に誤りがあります。/docs で使い方を確かめてください。"),
    431: ("header_too_large", "アドレスかヘッダーが長すぎます。短くして、もう一度送ってください。"),
    503: ("not_ready", "準備中です。しばらく待ってからもう一度お試しください。"),
}
INTERNAL = ("internal", "処理中に問題が起きました。もう一度試し、続くときは管理者に時刻を伝えてください。")


def clean_question(text: str) -> str:
    """The question without control characters; raises QuestionError when it is empty or too long."""
    question = clean_text(text)
    if not question:
        raise QuestionError("質問が空です。知りたいことを文や単語で入力してください。")
    if len(question) > QUESTION_LIMIT:
        raise QuestionError(f"質問が長すぎます（{len(question):,}字）。{QUESTION_LIMIT:,}字以内に短くしてください。")
    return question


def error_response(status: int, code: str, message: str) -> JSONResponse:
    """``{"error": {"code", "message"}}`` with that status."""
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)


def busy_response(problem: Busy | EngineUnavailable, **more: object) -> JSONResponse:
    """A 503 that says when to ask again; ``more`` stands beside the error."""
    error = {"code": problem.code, "message": problem.message}
    return JSONResponse({"error": error, **more}, status_code=503, headers={"Retry-After": str(problem.seconds)})


def add_error_handlers(app: FastAPI) -> None:
    """Translates our errors, FastAPI's and any other into the one shape; nothing of the inside is shown."""

    def hyoka_error(_: Request, problem: Exception) -> JSONResponse:
        assert isinstance(problem, HyokaError)
        if isinstance(problem, CompletionRefused):
            return completion_error(problem.status, problem.code, problem.message, problem.param)
        if isinstance(problem, Busy | EngineUnavailable):
            return busy_response(problem)
        unavailable = isinstance(problem, IndexFolderError | DatabaseError)
        status = 422 if isinstance(problem, QuestionError) else 503 if unavailable else 500
        return error_response(status, problem.code, problem.message)

    def http_error(_: Request, problem: Exception) -> JSONResponse:
        assert isinstance(problem, StarletteHTTPException)
        code, message = MESSAGES.get(problem.status_code, INTERNAL)
        # Starlette fills in the English phrase of the status where nobody wrote a sentence.
        phrase = HTTPStatus(problem.status_code).phrase
        own = problem.detail if problem.detail != phrase and not problem.detail.isascii() else message
        response = error_response(problem.status_code, code, own)
        response.headers.update(problem.headers or {})
        return response

    def invalid(_: Request, problem: Exception) -> JSONResponse:
        assert isinstance(problem, RequestValidationError)
        return error_response(422, "invalid_request", invalid_message(problem))

    def unexpected(_: Request, problem: Exception) -> JSONResponse:
        logger.error("unexpected problem", exc_info=problem)
        return error_response(500, *INTERNAL)

    handlers: dict[type[Exception], Callable[[Request, Exception], JSONResponse]] = {
        HyokaError: hyoka_error,
        StarletteHTTPException: http_error,
        RequestValidationError: invalid,
        Exception: unexpected,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, _at_its_address(handler))


def _at_its_address(handler: Callable[[Request, Exception], JSONResponse]) -> Callable[[Request, Exception], Response]:
    """The handler, its answers in the shape that belongs to the address (OpenAI's under ``/v1``)."""

    def told(request: Request, problem: Exception) -> Response:
        answered = handler(request, problem)
        if isinstance(problem, CompletionRefused):
            return answered
        param = _place(problem) if isinstance(problem, RequestValidationError) else ""
        return refusal_at(own_path(request.scope), answered, param or None)

    return told


REASONS = {
    "missing": "必要な項目です",
    "string_type": "文字列で指定してください",
    "string_too_long": "長すぎます",
    "string_too_short": "空です",
    "too_long": "数が多すぎます",
    "int_type": "整数で指定してください",
    "int_parsing": "整数で指定してください",
    "list_type": "リストで指定してください",
    "literal_error": "使えない値です",
    "extra_forbidden": "知らない項目です",
    "greater_than_equal": "小さすぎます",
    "less_than_equal": "大きすぎます",
    "json_invalid": "JSON として読めません",
}


def invalid_message(problem: RequestValidationError) -> str:
    """The first problem in Japanese: ``question: 必要な項目です。`` with a pointer to the documentation."""
    first = problem.errors()[0]
    if first["type"] == "json_invalid":
        return "リクエストを JSON（UTF-8）として読めません。書き方を確かめてください。"
    reason = REASONS.get(first["type"], "値の形が違います")
    return f"{_place(problem) or 'リクエスト'}: {reason}。使い方は /docs を見てください。"


def invalid_argument(problem: ValidationError) -> str:
    """The first problem with the arguments of a tool: ``fiscal_year.0: 整数で指定してください。``"""
    first = problem.errors()[0]
    place = clean_text(".".join(str(part) for part in first["loc"]))[:100]
    reason = REASONS.get(first["type"], "値の形が違います")
    return f"{place or '引数'}: {reason}。ツールの説明にある形で呼び直してください。"


def _place(problem: RequestValidationError) -> str:
    """Where the first problem is: filters.fiscal_year.0; empty for the whole body."""
    first = problem.errors()[0]
    if first["type"] == "json_invalid":
        return ""
    return clean_text(".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path")))[:100]


_PROGRAMS = ("/api/", "/v1/", "/mcp")


class BodyLimit:
    """Refuses a request body over ``BODY_LIMIT`` bytes (of the screens ``SCREEN_LIMIT``) before it fills the memory, and one
    that stops on its way after ``seconds``."""

    def __init__(self, app: ASGIApp, seconds: float = BODY_SECONDS) -> None:
        self.app, self.seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Looks at the announced length first, then counts what comes."""
        headers = dict(scope["headers"]) if scope["type"] == "http" else {}
        if b"content-length" not in headers and b"transfer-encoding" not in headers:  # no body
            await self.app(scope, receive, send)
            return
        path = own_path(scope)
        limit = BODY_LIMIT if path.startswith(_PROGRAMS) else SCREEN_LIMIT
        announced = headers.get(b"content-length", b"0")
        if announced.isdigit() and (len(announced) > 12 or int(announced) > limit):
            await refusal_at(path, error_response(413, *MESSAGES[413]))(scope, receive, send)
            return
        seen, more = 0, True

        async def counted() -> Message:
            nonlocal seen, more
            try:
                # Once the body is there, what comes next is the end of the connection, and that may take its time.
                message = await (asyncio.wait_for(receive(), self.seconds) if more else receive())
            except TimeoutError:
                raise HTTPException(408, headers={"Connection": "close"}) from None
            seen += len(message.get("body", b""))
            more = bool(message.get("more_body", False))
            if seen > limit:
                raise HTTPException(413, headers={"Connection": "close"})
            return message

        await self.app(scope, counted, send)
