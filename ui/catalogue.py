"""The シート screen: every sheet of the index as a list to search, order and leaf through; the chosen one opens beside it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import gradio as gr  # 2 s: this module is imported when the screens are built, not before

from assistant.access.caller import caller
from assistant.readiness import Asker
from assistant.refusals import clean_text
from corpus.documents import Fact
from index.visibility import Visibility
from ui.scope import scope
from ui.sheetlist import ORDERS, PAGE, SPENT, list_page, settled_amounts

PANE = (
    '<div class="hy-box hy-pane-bar"><button type="button" class="hy-button hy-close-pane">閉じて一覧に戻る</button></div>'
    '<iframe class="hy-pane" title="選んだシート" hidden></iframe>'
    '<p class="hy-pane-hint">一覧からシートを選ぶと、ここに表示します。</p>'
)
# Filled by sheet.js; without it the boxes stay unticked and the sheet pages still lead to the comparison.
BASKET = (
    '<div class="hy-box hy-basket" hidden><span role="status"></span><a class="hy-button" target="_blank" rel="noopener">並べて比較</a>'
    '<button type="button" class="hy-button">選択をすべて外す</button></div>'
)


def build_catalogue(assistant: Asker, shared: list[Any]) -> tuple[Any, list[Any], list[Any]]:
    """Adds the screen to the current Blocks; returns the function, its inputs and its outputs, to fill the list at the start."""
    amounts = AmountCache(assistant)
    page = gr.State(0)
    with gr.Row(elem_classes="hy-sheets-asked"):
        words = gr.Textbox(
            label="シートを探す",
            placeholder="事業名・課名・年度の一部（空白で区切ると、すべてを含むもの）",
            lines=1,
            max_lines=1,
            scale=3,
            min_width=240,
            elem_id="hy-sheets",
        )
        order = gr.Dropdown(
            [(title, name) for name, title in ORDERS.items()],
            value="file",
            label="並べ順",
            filterable=False,
            scale=1,
            min_width=160,
            elem_id="hy-sheets-order",
        )
    gr.HTML(BASKET, elem_id="hy-basket", apply_default_css=False)
    with gr.Row(elem_classes="hy-sheet-row"):
        with gr.Column(scale=2, min_width=260):
            shown = gr.HTML("", elem_id="hy-catalogue", apply_default_css=False)
            with gr.Row():
                back = gr.Button(f"前の{PAGE}件", size="sm", visible=False)
                more = gr.Button(f"次の{PAGE}件", size="sm", visible=False)
        with gr.Column(scale=3, min_width=280, elem_classes="hy-pane-column"):
            gr.HTML(PANE, elem_id="hy-pane", apply_default_css=False)

    def fill(text: str, by: str, at: int, *chosen: Any) -> list[Any]:
        sheets = assistant.index.sheets(scope(*chosen))
        found = list_page(sheets, amounts.get(), clean_text(text or ""), by if by in ORDERS else "file", at)
        return [found.html, found.at, gr.update(visible=found.before), gr.update(visible=found.after)]

    def first(text: str, by: str, *chosen: Any) -> list[Any]:
        return fill(text, by, 0, *chosen)

    def following(text: str, by: str, at: int, *chosen: Any) -> list[Any]:
        return fill(text, by, at + 1, *chosen)

    def preceding(text: str, by: str, at: int, *chosen: Any) -> list[Any]:
        return fill(text, by, at - 1, *chosen)

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    asked, outputs = [words, order, *shared], [shown, page, back, more]
    for trigger in (words.change, order.change, *(one.change for one in shared)):
        trigger(first, asked, outputs, trigger_mode="always_last", **quiet)
    for button, turn in ((more, following), (back, preceding)):
        button.click(turn, [words, order, page, *shared], outputs, js=TO_TOP, **quiet)
    return first, asked, outputs


TO_TOP = "(...values) => { document.getElementById('hy-catalogue')?.scrollTo(0, 0); return values; }"


class AmountCache:
    """The amount that stands for each sheet of the current index that the caller may see, read once and kept until the
    index changes."""

    def __init__(self, assistant: Asker) -> None:
        self.assistant = assistant
        self._read = functools.lru_cache(maxsize=4)(self._amounts)

    def get(self) -> Mapping[str, Fact]:
        """The amounts by the sheets' ids."""
        return self._read(self.assistant.index.version, caller().visibility)

    def _amounts(self, version: str, seen: Visibility) -> Mapping[str, Fact]:
        return settled_amounts(self.assistant.index.facts(fields=list(SPENT)))
