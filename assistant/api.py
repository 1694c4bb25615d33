"""The HTTP interface: FastAPI routers around an assistant, and a documentation page that loads nothing from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from anyio import from_thread
from fastapi import APIRouter, FastAPI, HTTPException, Query, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel
from starlette.routing import Match, Route

from assistant.access.caller import caller
from assistant.access.me import me_routes
from assistant.access.places import root_of
from assistant.audit import AuditTrail, use_trail
from assistant.auditing import AuditRequests
from assistant.completions import completion_routes
from assistant.discretion import document_for
from assistant.line import Line, apart
from assistant.mcpserver import PATH, McpDoor
from assistant.metrics import Metrics, MetricsMiddleware
from assistant.payload import answer_json, search_json, sheet_detail_json, sheet_json
from assistant.prefix import AtRoot
from assistant.readiness import NO_FILTERS, Asker, Readiness
from assistant.recorder import Recorder
from assistant.refusals import MESSAGES, BodyLimit, add_error_handlers, clean_question, clean_text
from assistant.requests import AskJson, FeedbackJson
from assistant.schemas import (
    AnswerJson,
    ErrorJson,
    FeedbackStoredJson,
    SearchJson,
    SheetDetailJson,
    SheetListJson,
)
from assistant.stages import stage
from assistant.store import FeedbackStore
from assistant.types import Answer
from assistant.writer import NO_WRITER, Writer
from corpus.documents import Sheet
from index.types import Filters, Index, Order


def create_api(
    assistant: Asker,
    store: FeedbackStore,
    line: Line | None = None,
    own_machine_only: bool = False,
    writer: Writer = NO_WRITER,
) -> FastAPI:
    """The application with every route of the HTTP contract; the screens are added by :func:`ui.app.create_app`.

    Questions and searches wait their turn in ``line``; without one in a line of the usual length. ``own_machine_only``: no
    other machine is to reach it. ``writer`` is the language model beside the answers, if there is one.
    """
    metrics = Metrics()
    line = Line() if line is None else line
    metrics.watch_line(line)
    metrics.watch_index(lambda: assistant.index)
    readiness = Readiness(assistant, store.unwritable)
    recorder = Recorder(assistant, store, metrics)
    mcp = McpDoor(recorder, line, own_machine_only, store.audit)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with mcp.running():
            readiness.start()
            yield

    app = FastAPI(
        title="hyoka 事務事業評価シート API",
        description="評価シートへの質問（引用つき）、検索、シートの読み出し。回答は評価シートからの引用だけで組み立てます。",
        version="1",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.readiness = readiness
    app.state.recorder = recorder
    app.state.line = line
    app.state.writer = writer
    use_trail(store.audit)
    if (forget := getattr(assistant, "forget", None)) is not None:
        store.forgetting.caches.append(forget)
    app.add_middleware(AuditRequests, trail=store.audit)
    app.add_middleware(BodyLimit)
    app.add_middleware(MetricsMiddleware, metrics=metrics)
    add_error_handlers(app)
    app.include_router(_questions(recorder, line, store.audit, writer))
    app.include_router(_sheets(assistant))
    app.include_router(_feedback(store, metrics))
    app.include_router(_operations(readiness, assistant, metrics))
    app.include_router(me_routes())
    app.include_router(completion_routes(recorder, line))
    app.router.routes += [Route(path, mcp, include_in_schema=False) for path in (PATH, PATH + "/")]
    _add_docs(app)
    app.include_router(_unknown())
    return app


ERRORS: dict[int | str, dict[str, object]] = {
    status: {"model": ErrorJson, "description": MESSAGES[status][1]} for status in (400, 404, 422)
}

# Of a route that answers with plain text: its refusals are JSON all the same.
PLAIN_ERRORS: dict[int | str, dict[str, object]] = {
    status: {**told, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorJson"}}}}
    for status, told in ERRORS.items()
}

BUSY: dict[int | str, dict[str, object]] = {
    503: {
        "model": ErrorJson,
        "description": "混み合っています。Retry-After の秒数だけ待ってからもう一度お試しください。",
    }
}

Text = Annotated[list[str] | None, Query(max_length=200)]
Years = Annotated[list[int] | None, Query(max_length=200)]
Rating = Annotated[list[str] | None, Query(max_length=200, description="評価（総合評価：A、または A だけ）")]
Budget = Annotated[list[str] | None, Query(max_length=200, description="予算規模（1,000万〜1億円 など）")]


def _filters(
    municipality: Text = None,
    fiscal_year: Years = None,
    department: Text = None,
    section: Text = None,
    rating: Text = None,
    budget: Text = None,
) -> Filters:
    """The filters of a query string: ``?municipality=A&municipality=B&fiscal_year=2021``."""
    return Filters(
        municipality=tuple(clean_text(value) for value in municipality or ()),
        fiscal_year=tuple(min(max(year, 0), 9999) for year in fiscal_year or ()),
        department=tuple(clean_text(value) for value in department or ()),
        section=tuple(clean_text(value) for value in section or ()),
        rating=tuple(clean_text(value) for value in rating or ()),
        budget=tuple(clean_text(value) for value in budget or ()),
    )


def _questions(assistant: Recorder, line: Line, audit: AuditTrail, writer: Writer) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["質問と検索"], responses=ERRORS | BUSY)

    @router.post("/ask", summary="質問する", response_model=AnswerJson)
    async def ask(body: AskJson) -> Response:
        """引用つきの回答を一つ返します。答えがシートにないときは `abstained` が true になります。"""
        question = clean_question(body.question)  # before the line: what cannot be answered need not wait
        filters = NO_FILTERS if body.filters is None else body.filters.filters()

        history = [turn.turn() for turn in body.history or ()]

        def answered() -> Answer | Response:
            answer = assistant.ask(question, history, filters, body.choices())
            return answer if writer.on else rendered(answer)

        def rendered(answer: Answer) -> Response:
            with stage("render"):
                return _json(answer_json(answer, assistant.index))

        def again(plain: str) -> Answer:
            """Asked in its turn, but not counted: nobody put it so."""
            return from_thread.run(line.run, "ask", lambda: assistant.again(question, plain, history, filters))

        found = await line.run("ask", answered)
        if isinstance(found, Response):
            return found
        # Outside the line: whoever waits for a language model needs no processor.
        return await apart(lambda: rendered(writer.finish(question, found, assistant.index, filters, again)))

    @router.get("/search", summary="検索する", response_model=SearchJson)
    async def search(
        q: Annotated[str, Query(description="検索語または質問文")],
        k: Annotated[int, Query(ge=1, le=200)] = 10,
        offset: Annotated[int, Query(ge=0, le=100_000)] = 0,
        municipality: Text = None,
        fiscal_year: Years = None,
        department: Text = None,
        section: Text = None,
        rating: Rating = None,
        budget: Budget = None,
        sort: Annotated[
            Order, Query(description="relevance: 関連、year: 年度の新しい順、amount: 決算額の大きい順、name: 事業名順")
        ] = "relevance",
    ) -> Response:
        """意味と言葉の両方で近い順（または `sort` の順）に、シートの欄を返します。"""
        filters = _filters(municipality, fiscal_year, department, section, rating, budget)
        words = clean_question(q)

        def searched() -> Response:
            with stage("search"):
                result = assistant.index.search(words, k, filters, offset, sort)
            with stage("render"):
                found = search_json(result, assistant.index)
                audit.tell("search", words, [hit.sheet_id for hit in found.hits], assistant.index.version, "shown")
                return _json(found)

        return await line.run("search", searched)

    return router


def _json(body: BaseModel) -> Response:
    """Written in the thread of the work: FastAPI would do it where every other request waits for it."""
    return Response(body.model_dump_json(), media_type="application/json")


def _sheets(assistant: Asker) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["シート"], responses=ERRORS)

    @router.get("/sheets", summary="シートの一覧")
    def sheets(
        limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
        offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
        municipality: Text = None,
        fiscal_year: Years = None,
        department: Text = None,
        section: Text = None,
        rating: Rating = None,
        budget: Budget = None,
    ) -> SheetListJson:
        """索引にあるシートを文書の順に返します。"""
        found = assistant.index.sheets(_filters(municipality, fiscal_year, department, section, rating, budget))
        return SheetListJson(total=len(found), sheets=[sheet_json(one) for one in found[offset : offset + limit]])

    @router.get("/sheets/{sheet_id}", summary="シート")
    def sheet(sheet_id: str) -> SheetDetailJson:
        """シートの欄、数値（金額は円）、評価を返します。"""
        return sheet_detail_json(find_sheet(assistant.index, sheet_id), assistant.index)

    @router.get("/sheets/{sheet_id}/source", summary="原文", response_class=PlainTextResponse, responses=PLAIN_ERRORS)
    def source(sheet_id: str) -> PlainTextResponse:
        """シートのある文書から取り出したテキスト全体。引用の `start` と `end` はこの文字の位置です。

        担当者などの氏名は、設定により同じ字数の「＊」で伏せます（そのとき Hyoka-Masked: true）。
        """
        index = assistant.index
        document = document_for(index, find_sheet(index, sheet_id).file)
        return PlainTextResponse(document.text, headers={"Hyoka-Masked": "true" if document.masked else "false"})

    return router


def find_sheet(index: Index, sheet_id: str) -> Sheet:
    """The sheet of that id; a 404 where there is none."""
    for sheet in index.sheets():
        if sheet.sheet_id == sheet_id:
            return sheet
    raise HTTPException(404, "そのシートはありません。一覧（/api/v1/sheets）で sheet_id を確かめてください。")


def _feedback(store: FeedbackStore, metrics: Metrics) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["評価"], responses=ERRORS)

    @router.post("/feedback", status_code=201, summary="回答を評価する")
    def feedback(body: FeedbackJson) -> FeedbackStoredJson:
        """回答が役に立ったかどうか（up / down）と、根拠が違うときはその引用の番号を残します。"""
        number = store.add(
            body.rating,
            clean_text(body.question),
            clean_text(body.answer),
            clean_text(body.comment),
            clean_text(body.index_version),
            body.reason,
            body.citations,
        )
        metrics.feedback.labels(body.rating).inc()
        return FeedbackStoredJson(id=number)

    return router


def _operations(readiness: Readiness, assistant: Asker, metrics: Metrics) -> APIRouter:
    router = APIRouter(tags=["運用"])

    @router.get("/healthz", summary="動いているか")
    async def healthz() -> dict[str, str]:
        """プロセスが動いていれば 200。"""
        return {"status": "ok"}

    @router.get("/readyz", summary="答えられるか", responses={503: {"model": ErrorJson}})
    async def readyz() -> dict[str, str | int | list[str]]:
        """索引を読み、質問に答えられる状態なら 200、そうでなければ（起動中と停止処理中も）503。

        答えられるが、評価や履歴を保存できないときや、新しい索引を開けないときは、200 で status が degraded になり、problems に理由があります。
        """
        state = await apart(readiness.check)
        if state.problem is not None:
            raise HTTPException(503, state.problem)
        if not caller().may("read"):
            return {"status": "degraded" if state.degraded else "ready"}
        told: dict[str, str | int | list[str]] = {
            "status": "degraded" if state.degraded else "ready",
            "index_version": assistant.index.version,
            "sheets": state.sheets,
        }
        return told | {"problems": list(state.degraded)} if state.degraded else told

    @router.get("/metrics", summary="計測値（Prometheus 形式）", response_class=PlainTextResponse)
    async def metrics_text() -> Response:
        """リクエスト数、応答時間、段階ごとの時間、順番待ち、断った数、質問と評価の数、索引の版と古さ、メモリー。"""
        return Response(await apart(metrics.text), media_type="text/plain; version=0.0.4; charset=utf-8")

    return router


def _unknown() -> APIRouter:
    """Unknown addresses under /api and /v1 answer as JSON instead of falling through to the screens."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/v1", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    @router.api_route("/v1/{rest:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    @router.api_route("/api/{rest:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def unknown(request: Request, rest: str = "") -> None:
        partial = any(route.matches(request.scope)[0] is Match.PARTIAL for route in request.app.routes)
        raise HTTPException(405 if partial else 404)

    return router


def _add_docs(app: FastAPI) -> None:
    """Serves the documentation page from the installed package: FastAPI's own page would load it from a CDN."""
    spec = find_spec("fastapi_offline")
    if spec is None or spec.origin is None:
        return
    static = StaticFiles(directory=Path(spec.origin).parent / "static")
    app.mount("/docs-assets", AtRoot(static, "/docs-assets"), name="docs-assets")

    @app.get("/docs", include_in_schema=False)
    def docs(request: Request) -> HTMLResponse:
        root = root_of(request.scope)
        return get_swagger_ui_html(
            openapi_url=f"{root}{app.openapi_url}",
            title=app.title,
            swagger_js_url=f"{root}/docs-assets/swagger-ui-bundle.js",
            swagger_css_url=f"{root}/docs-assets/swagger-ui.css",
            swagger_favicon_url=f"{root}/docs-assets/favicon.png",
            # Without this the page asks an outside service to validate the document.
            swagger_ui_parameters={"validatorUrl": None},
        )
