"""The 検索 screen: a box that searches while typing pauses, facets with counts, and cards that open the sheet.

The page holds the frame; ``assets/search.js`` asks :mod:`ui.results` for what stands in it and keeps the address of the
page, so that an older answer never overwrites a newer one and a link shows the same again.
"""

from __future__ import annotations

from typing import Any

import gradio as gr  # 2 s: this module is imported when the screens are built, not before

from ui.render import render_notice
from ui.results import HELP

BOX = (
    '<div class="hy-search-box" role="search"><label for="hy-words">検索</label>'
    '<input id="hy-words" type="text" maxlength="2000" autocomplete="off" spellcheck="false" enterkeyhint="search"'
    ' placeholder="例：システムの更改　窓口の待ち時間">'
    '<button type="button" class="hy-button hy-search-now">検索する</button></div>'
)


def build_search(shared: list[Any]) -> None:
    """Adds the screen to the current Blocks; ``shared`` are the inputs for municipality, year and department."""
    gr.HTML(BOX, elem_id="hy-search", apply_default_css=False)
    with gr.Row(elem_classes="hy-search-row"):
        with (
            gr.Column(scale=1, min_width=220, elem_classes="hy-side"),
            gr.Accordion("結果を絞り込む", open=True, elem_id="hy-facets"),
        ):
            gr.HTML('<div id="hy-facet-list"></div>', apply_default_css=False)
        with gr.Column(scale=3, min_width=280):
            gr.HTML(f'<div id="hy-found">{render_notice(HELP)}</div>', elem_id="hy-results", apply_default_css=False)
    # The script puts a municipality, a year or a department chosen here into the inputs that all screens share.
    share = gr.Button("絞り込みを共有", elem_id="hy-share", elem_classes="hy-share")
    share.click(None, None, shared, js="() => window.hyokaSearch.scope()", api_visibility="private")
