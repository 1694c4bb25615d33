"""The whole application: HTTP API, sheet pages and the screens at ``/``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Query, Request
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from assistant.access.door import Door, Peer
from assistant.access.places import root_of
from assistant.access.policy import OPEN, Policy
from assistant.api import create_api, find_sheet
from assistant.line import Line
from assistant.live import HoldRequests
from assistant.prefix import AtRoot
from assistant.readiness import Asker
from assistant.store import FeedbackStore, open_store
from assistant.upkeep import Upkeep
from assistant.writer import NO_WRITER, Writer
from evals.desk import Desk, open_desk
from ui.auditfiles import add_audit_files
from ui.casefiles import add_case_files
from ui.comparepages import add_comparison
from ui.doors import Doors
from ui.dress import Dress
from ui.export import add_export, add_report
from ui.gradiostart import log_errors, without_stubs
from ui.guard import Guard
from ui.login import add_login
from ui.papers import add_papers
from ui.pictures import add_pictures
from ui.prefix import Links
from ui.render import year_label
from ui.results import add_results
from ui.searchfiles import add_search_files
from ui.sheet import Shown, render_missing, render_page, render_sheet, sheet_view
from ui.usage import add_usage
from ui.visitors import Visitors

ASSETS = Path(__file__).parent / "assets"
# Plain names only: a font fetched from outside would be a request to outside.
FONTS = ["Hiragino Sans", "Yu Gothic UI", "Meiryo", "Noto Sans CJK JP", "Noto Sans JP", "sans-serif"]


def create_app(
    assistant: Asker,
    store: FeedbackStore | None = None,
    upkeep: Upkeep | None = None,
    line: Line | None = None,
    policy: Policy = OPEN,
    writer: Writer = NO_WRITER,
) -> FastAPI:
    """Everything behind one port. ``store`` keeps opinions; without one they go to the default file. ``upkeep`` is what
    the 管理 screen may change; without it that screen only shows. ``policy`` says who is let in: by default everybody. ``writer`` is the
    language model beside the answers, if there is one.

    Questions and searches wait their turn in ``line``. The API's routes come first, the sheet pages next, and the screens take every other address.
    """
    kept = open_store() if store is None else store
    app = create_api(assistant, kept, line, policy.own_machine_only, writer)
    if upkeep is not None and upkeep.pool is not None:
        app.state.recorder.metrics.watch_pool(upkeep.pool)
    app.mount("/hyoka-assets", AtRoot(StaticFiles(directory=ASSETS), "/hyoka-assets"), name="hyoka-assets")
    _add_sheet_pages(app, assistant)
    add_comparison(app, assistant)
    add_export(app)
    add_pictures(app, assistant)
    add_report(app, assistant)
    add_usage(app, kept)
    add_audit_files(app, kept.audit)
    desk = open_desk(app.state.recorder, kept)
    add_case_files(app, desk)
    add_papers(app, kept.talks)
    add_results(app, assistant, app.state.line, kept.audit)
    add_search_files(app, assistant)
    app.add_middleware(Visitors, days=kept.talks.keeping.days if kept.talks.keeping.on else 0)
    app.add_middleware(Dress, head=_head())
    app.add_middleware(Links)
    add_login(app, policy)
    app.add_middleware(Door, policy=policy)
    app.add_middleware(Guard)
    app.add_middleware(GZipMiddleware, minimum_size=1_000)  # streamed answers (text/event-stream) pass uncompressed
    app.add_middleware(HoldRequests)
    if policy.proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=[str(one) for one in policy.proxies])
    app.add_middleware(Peer)
    return _mount_screens(app, app.state.recorder, kept, desk, upkeep, app.state.line, policy, writer)


def _add_sheet_pages(app: FastAPI, assistant: Asker) -> None:
    @app.get("/sheet/{sheet_id}", include_in_schema=False)
    def page(
        request: Request,
        sheet_id: str,
        start: Annotated[str, Query()] = "",
        end: Annotated[str, Query()] = "",
        whole: Annotated[str, Query()] = "",
        paper: Annotated[str, Query(alias="print")] = "",
        source: Annotated[str, Query()] = "",
    ) -> HTMLResponse:
        root = root_of(request.scope)
        try:
            sheet = find_sheet(assistant.index, sheet_id)
        except HTTPException:
            body = render_missing("アドレスを確かめるか、「シート」の一覧から選んでください。")
            return HTMLResponse(render_page("シートがありません", body, root), status_code=404)
        view = sheet_view(sheet, assistant.index, _offset(start), _offset(end))
        shown = Shown(whole == "1", paper == "1", paper != "1" or source != "0")
        title = f"{sheet.name}｜{sheet.municipality} {year_label(sheet.fiscal_year)}"
        return HTMLResponse(render_page(title, render_sheet(view, shown), root))


def _offset(text: str) -> int | None:
    """An offset from an address; anything else is no offset, because an address is typed by people."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _head() -> str:
    """Links to the icon and to every style sheet and script of the assets folder, for the screens' page."""
    styles = [
        f'<link rel="stylesheet" href="/hyoka-assets/{file.name}">'
        for file in sorted(ASSETS.glob("*.css"))
        if file.name != "login.css"
    ]
    scripts = [f'<script src="/hyoka-assets/{file.name}" defer></script>' for file in sorted(ASSETS.glob("*.js"))]
    # Without it a browser asks its host for /favicon.ico, which under a path prefix is not ours.
    icon = '<link rel="icon" href="/hyoka-assets/favicon.svg">'
    return "".join([icon, *styles, *scripts])


def _mount_screens(
    app: FastAPI,
    assistant: Asker,
    store: FeedbackStore,
    desk: Desk,
    upkeep: Upkeep | None,
    line: Line,
    policy: Policy,
    writer: Writer,
) -> FastAPI:
    # Before the import: Gradio reads these once.
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    with without_stubs():
        import gradio as gr
    log_errors()

    from ui.screens import build_screens

    theme = gr.themes.Default(
        primary_hue=gr.themes.colors.sky,
        secondary_hue=gr.themes.colors.sky,
        neutral_hue=gr.themes.colors.slate,
        font=FONTS,
        font_mono=["Noto Sans Mono CJK JP", "MS Gothic", "monospace"],
        radius_size=gr.themes.sizes.radius_sm,
        text_size=gr.themes.sizes.text_md,
    )
    screens = build_screens(assistant, store, desk, upkeep, line, policy.on, policy.by_password, writer)
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        screens,
        path="/",
        theme=theme,
        favicon_path=str(ASSETS / "favicon.svg"),
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
    )
    last = mounted.router.routes[-1]
    assert isinstance(last, Mount)
    last.app = Doors(last.app, screens.fns)
    return mounted
