"""The screens as one page: 質問, 検索, シート, 比較, 管理, with the filters they share above them."""

from __future__ import annotations

import functools
import logging
import threading
from html import escape
from typing import Any

import gradio as gr  # 2 s: this module is imported when the application is built, not before

from assistant.access.caller import caller
from assistant.access.places import LOGOUT, root_of
from assistant.line import Line
from assistant.readiness import Asker
from assistant.store import FeedbackStore
from assistant.upkeep import Upkeep
from assistant.writer import NO_WRITER, Writer
from evals.desk import Desk
from index.visibility import Visibility
from ui.catalogue import build_catalogue
from ui.chat import build_chat, example_updates
from ui.comparing import build_comparing
from ui.examples import Examples, examples
from ui.holds import Restricted, hold_events
from ui.render import catalogue_line, render_held
from ui.scope import scope, scope_choices, scope_label
from ui.search import build_search
from ui.status import build_status

logger = logging.getLogger(__name__)

TITLE = "hyoka 評価シート検索"
LEAD = "自治体の事務事業評価シートに、ふだんの言葉で質問できます。答えには必ず原文の引用が付きます。"
SHARED = {"municipality": "自治体", "fiscal_year": "年度", "department": "部課"}
TABS = ("ask", "search", "sheets", "compare", "status")

# The address follows the filters, so that it can be kept as a bookmark or sent to a colleague.
KEEP_ADDRESS = """(...chosen) => {
  const address = new URL(window.location);
  ["municipality", "fiscal_year", "department"].forEach((name, at) => {
    address.searchParams.delete(name);
    for (const value of chosen[at] ?? []) address.searchParams.append(name, value);
  });
  window.history.replaceState(null, "", address);
  window.hyokaSearch?.scoped(chosen);
  return chosen;
}"""


def build_screens(
    assistant: Asker,
    store: FeedbackStore,
    desk: Desk,
    upkeep: Upkeep | None = None,
    line: Line | None = None,
    login: bool = False,
    by_password: bool = False,
    writer: Writer = NO_WRITER,
) -> gr.Blocks:
    """The page, ready to be mounted; where there is a ``login``, 管理 is for a 管理者 alone. An address may carry filters, a search and a tab:
    ``/?municipality=A&fiscal_year=2021&tab=search&q=更改``."""
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    line = Line() if line is None else line
    restricted = Restricted()
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=False) as screens:
        top = gr.HTML(header(""), elem_id="hy-header", apply_default_css=False)
        with gr.Accordion(scope_label(scope()), open=False, elem_id="hy-scope") as fold, gr.Row():
            shared = [
                gr.Dropdown([], label=label, multiselect=True, value=[], min_width=200, elem_id=f"hy-scope-{name}")
                for name, label in SHARED.items()
            ]
        with gr.Tabs(elem_id="hy-tabs") as tabs:
            with gr.Tab("質問", id="ask"):
                to_fill, held = build_chat(assistant, store, scope, shared, line, writer)
            with gr.Tab("検索", id="search"):
                build_search(shared)
            with gr.Tab("シート", id="sheets"):
                fill_catalogue, catalogue_inputs, catalogue_outputs = build_catalogue(assistant, shared)
            with gr.Tab("比較", id="compare"):
                fill_comparing, comparing_inputs, comparing_outputs = build_comparing(assistant, shared)

            with gr.Tab("管理", id="status", visible=not login) as status_tab, restricted.part(screens):
                build_status(assistant, store, desk, status_tab, upkeep)

        # Trying the examples is nobody's question: it goes past the recorder.
        tried = ExampleCache(getattr(assistant, "assistant", assistant))

        def start(request: gr.Request) -> list[Any]:
            sheets = assistant.index.sheets()
            asked = address_values(request)
            dropdowns = []
            for name, choices in scope_choices(sheets).items():
                known = {str(value): value for _, value in choices}
                chosen = [known[value] for value in asked.get(name, []) if value in known]
                # An empty value would wipe out what a quick hand has chosen before the list is in place.
                dropdowns.append(gr.update(choices=choices, value=chosen) if chosen else gr.update(choices=choices))
            tab = asked.get("tab", [""])[0]
            admitted = not login or caller().may("admin")
            me = (caller().name, root_of(request.request.scope)) if by_password else ()
            return [
                header(catalogue_line(sheets), *me),
                render_held(sheets),
                *dropdowns,
                gr.Tabs(selected=tab) if tab in TABS and (admitted or tab != "status") else gr.skip(),
                gr.Tab(visible=True) if login and admitted else gr.skip(),
            ]

        screens.load(start, None, [top, held, *shared, tabs, status_tab], **quiet)
        screens.load(lambda: example_updates(tried.get()), None, to_fill, **quiet)
        screens.load(fill_catalogue, catalogue_inputs, catalogue_outputs, **quiet)
        screens.load(fill_comparing, comparing_inputs, comparing_outputs, **quiet)
        for one in shared:
            one.change(
                lambda *chosen: gr.update(label=scope_label(scope(*chosen))), shared, fold, js=KEEP_ADDRESS, **quiet
            )
    # Questions wait in their line and not in Gradio's, which has neither an end nor a deadline: it must hold them all,
    # beside forty other events (its own default). Of those, one slow one must not make the next person wait.
    screens.max_threads = 40 + line.at_once + line.most_waiting
    screens.queue(default_concurrency_limit=8)
    return hold_events(screens, restricted if login else None)


def address_values(request: gr.Request) -> dict[str, list[str]]:
    """The values behind each name of the page's address; an address is typed by people, so anything may stand there."""
    found: dict[str, list[str]] = {}
    for name, value in getattr(request.query_params, "multi_items", request.query_params.items)():
        found.setdefault(name, []).append(str(value))
    return found


class ExampleCache:
    """The example questions of the current index as the caller may see it, tried once and kept until the index changes."""

    def __init__(self, assistant: Asker) -> None:
        self.assistant = assistant
        self._lock = threading.Lock()
        self._find = functools.lru_cache(maxsize=16)(self._try)

    def get(self) -> Examples:
        """The examples; none, with a line in the log, where they cannot be made."""
        with self._lock:
            return self._find(self.assistant.index.version, caller().visibility)

    def _try(self, version: str, seen: Visibility) -> Examples:
        try:
            return examples(self.assistant)
        except Exception:
            logger.exception("no examples for index %s", version)
            return {}


def header(indexed: str, who: str | None = None, root: str = "") -> str:
    """What this is, in one sentence, and what is indexed; where somebody has logged in, ``who`` (perhaps without a name)
    and the way out."""
    held = f'<p class="hy-indexed">索引: {escape(indexed)}</p>' if indexed else '<p class="hy-indexed">　</p>'
    return (
        '<a class="hy-skip" href="#hy-tabs">本文へ移動</a>'
        f'<header class="hy-top"><h1>評価シートに聞く</h1>{text_sizes()}{_me(who, root)}'
        f'<p class="hy-what">{escape(LEAD)}</p>{held}</header>'
    )


def _me(who: str | None, root: str) -> str:
    if who is None:
        return ""
    name = f"<span>{escape(who)}</span>" if who else ""
    action = escape(f"{root}{LOGOUT}", quote=True)
    return f'<form class="hy-me" method="post" action="{action}">{name}<button>ログアウト</button></form>'


def text_sizes() -> str:
    """The choice of a text size; hyoka.js keeps it in a cookie, and every page follows it (ui/dress.py)."""
    choices = "".join(
        f'<button type="button" class="hy-size-{at}" aria-pressed="{"true" if at == 1 else "false"}">{name}</button>'
        for at, name in enumerate(("標準", "大", "特大"), 1)
    )
    return f'<div class="hy-size" role="group" aria-label="文字の大きさ"><span aria-hidden="true">文字の大きさ</span>{choices}</div>'
