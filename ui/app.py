"""The whole application: HTTP API, sheet pages and the screens at ``/``."""

from __future__ import annotations

import functools
import logging
import os
import threading
from html import escape
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from assistant.api import create_api, find_sheet
from assistant.readiness import Asker
from assistant.store import FeedbackStore, open_store
from ui.examples import Examples, examples
from ui.export import add_export
from ui.guard import Guard
from ui.render import catalogue_line, render_held, year_label
from ui.sheet import render_missing, render_page, render_sheet, sheet_view

logger = logging.getLogger(__name__)

ASSETS = Path(__file__).parent / "assets"
TITLE = "hyoka 評価シート検索"
LEAD = "自治体の事務事業評価シートに、ふだんの言葉で質問できます。答えには必ず原文の引用が付きます。"
# Plain names only: a font fetched from outside would be a request to outside.
FONTS = ["Hiragino Sans", "Yu Gothic UI", "Meiryo", "Noto Sans CJK JP", "Noto Sans JP", "sans-serif"]


def create_app(assistant: Asker, store: FeedbackStore | None = None) -> FastAPI:
    """Everything behind one port. ``store`` keeps opinions; without one they go to the default file.

    The API's routes come first, the sheet pages next, and the screens take every other address.
    """
    kept = open_store() if store is None else store
    app = create_api(assistant, kept)
    app.mount("/hyoka-assets", StaticFiles(directory=ASSETS), name="hyoka-assets")
    _add_sheet_pages(app, assistant)
    add_export(app)
    app.add_middleware(Guard)
    return _mount_screens(app, assistant, kept)


def _add_sheet_pages(app: FastAPI, assistant: Asker) -> None:
    @app.get("/sheet/{sheet_id}", include_in_schema=False)
    def page(
        request: Request,
        sheet_id: str,
        start: Annotated[str, Query()] = "",
        end: Annotated[str, Query()] = "",
        whole: Annotated[str, Query()] = "",
    ) -> HTMLResponse:
        root = str(request.scope.get("root_path", ""))
        try:
            sheet = find_sheet(assistant.index, sheet_id)
        except HTTPException:
            body = render_missing("アドレスを確かめるか、「シート」の一覧から選んでください。")
            return HTMLResponse(render_page("シートがありません", body, root), status_code=404)
        view = sheet_view(sheet, assistant.index, _offset(start), _offset(end))
        title = f"{sheet.name}｜{sheet.municipality} {year_label(sheet.fiscal_year)}"
        return HTMLResponse(render_page(title, render_sheet(view, whole == "1"), root))


def _offset(text: str) -> int | None:
    """An offset from an address; anything else is no offset, because an address is typed by people."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _mount_screens(app: FastAPI, assistant: Asker, store: FeedbackStore) -> FastAPI:
    # Before the import: Gradio reads these once.
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import gradio as gr

    theme = gr.themes.Default(
        primary_hue=gr.themes.colors.sky,
        secondary_hue=gr.themes.colors.sky,
        neutral_hue=gr.themes.colors.slate,
        font=FONTS,
        font_mono=["Noto Sans Mono CJK JP", "MS Gothic", "monospace"],
        radius_size=gr.themes.sizes.radius_sm,
        text_size=gr.themes.sizes.text_md,
    )
    head = '<link rel="stylesheet" href="/hyoka-assets/hyoka.css"><script src="/hyoka-assets/hyoka.js" defer></script>'
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        _screens(assistant, store),
        path="/",
        theme=theme,
        head=head,
        favicon_path=str(ASSETS / "favicon.svg"),
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
    )
    return mounted


def _screens(assistant: Asker, store: FeedbackStore) -> Any:
    import gradio as gr

    from ui.catalogue import build_catalogue
    from ui.chat import build_chat, example_updates
    from ui.scope import scope, scope_choices
    from ui.search import build_search

    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=False) as screens:
        header = gr.HTML(_header(""), elem_id="hy-header", apply_default_css=False)
        with gr.Accordion("絞り込み（自治体・年度・部課）", open=False, elem_id="hy-scope"), gr.Row():
            shared = [
                gr.Dropdown([], label=label, multiselect=True, value=[], min_width=200, elem_id=f"hy-scope-{name}")
                for name, label in (("municipality", "自治体"), ("fiscal_year", "年度"), ("department", "部課"))
            ]
        with gr.Tabs(elem_id="hy-tabs"):
            with gr.Tab("質問", id="ask"):
                to_fill, held = build_chat(assistant, store, scope, shared)
            with gr.Tab("検索", id="search"):
                build_search(assistant, shared)
            with gr.Tab("シート", id="sheets"):
                fill_catalogue, (catalogue_inputs, catalogue_output) = build_catalogue(assistant, shared)

        tried = ExampleCache(assistant)

        def start() -> list[Any]:
            sheets = assistant.index.sheets()
            choices = scope_choices(sheets)
            return [
                _header(catalogue_line(sheets)),
                render_held(sheets),
                *(gr.update(choices=values) for values in choices.values()),
            ]

        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        screens.load(start, None, [header, held, *shared], **quiet)
        screens.load(lambda: example_updates(tried.get()), None, to_fill, **quiet)
        screens.load(fill_catalogue, catalogue_inputs, catalogue_output, **quiet)
    # One slow question must not make the next person wait.
    screens.queue(default_concurrency_limit=8)
    return screens


class ExampleCache:
    """The example questions of the current index, tried once and kept until the index changes."""

    def __init__(self, assistant: Asker) -> None:
        self.assistant = assistant
        self._lock = threading.Lock()
        self._find = functools.lru_cache(maxsize=2)(self._try)

    def get(self) -> Examples:
        """The examples; none, with a line in the log, where they cannot be made."""
        with self._lock:
            return self._find(self.assistant.index.version)

    def _try(self, version: str) -> Examples:
        try:
            return examples(self.assistant)
        except Exception:
            logger.exception("no examples for index %s", version)
            return {}


def _header(indexed: str) -> str:
    held = f'<p class="hy-indexed">索引: {escape(indexed)}</p>' if indexed else '<p class="hy-indexed">　</p>'
    return f'<header class="hy-top"><h1>評価シートに聞く</h1><p class="hy-what">{escape(LEAD)}</p>{held}</header>'
