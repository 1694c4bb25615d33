"""The シート screen: every sheet of the index as a list, and the chosen one beside it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby
from typing import Any

import gradio as gr  # 2 s: this module is imported when the screens are built, not before

from assistant.readiness import Asker
from assistant.refusals import clean_text
from corpus.documents import Sheet
from ui.render import render_notice, sheet_url, year_label
from ui.scope import scope

SHOWN = 200


def render_catalogue(sheets: Sequence[Sheet], words: str = "") -> str:
    """The sheets whose name, department or municipality holds every word, grouped by municipality and year."""
    wanted = words.lower().split()
    found = [
        sheet
        for sheet in sheets
        if all(word in f"{sheet.name} {sheet.department} {sheet.municipality}".lower() for word in wanted)
    ]
    if not found:
        return render_notice("当てはまるシートがありません。言葉や絞り込みを変えてみてください。")
    parts = []
    for (place, year), group in groupby(found[:SHOWN], key=lambda sheet: (sheet.municipality, sheet.fiscal_year)):
        items = "".join(
            f'<li><a href="{escape(sheet_url(sheet.sheet_id))}" target="_blank" rel="noopener">'
            f"{escape(sheet.name)}<small>{escape(_under(sheet))}</small></a></li>"
            for sheet in group
        )
        parts.append(f"<h3>{escape(place or '自治体の記載なし')}・{year_label(year)}</h3><ul>{items}</ul>")
    more = f"<p>ほか{len(found) - SHOWN:,}件。言葉や絞り込みで減らしてください。</p>" if len(found) > SHOWN else ""
    programmes = sum(sheet.kind == "programme" for sheet in found)
    rest = f"、文書の一部{len(found) - programmes:,}件" if len(found) > programmes else ""
    return (
        f'<div class="hy-box hy-catalogue"><p class="hy-count" role="status">{programmes:,}シート{rest}</p>'
        f"{''.join(parts)}{more}</div>"
    )


def _under(sheet: Sheet) -> str:
    return sheet.department if sheet.kind == "programme" else f"文書の一部（前文・一覧など）：{sheet.file}"


def build_catalogue(assistant: Asker, shared: list[Any]) -> tuple[Any, list[Any], Any]:
    """Adds the screen to the current Blocks; returns the function, its inputs and its output, to fill the list at the start."""
    words = gr.Textbox(
        label="シートを探す", placeholder="事業名・課名の一部", lines=1, max_lines=1, elem_id="hy-sheets"
    )
    with gr.Row(elem_classes="hy-sheet-row"):
        with gr.Column(scale=2, min_width=260):
            shown = gr.HTML("", elem_id="hy-catalogue", apply_default_css=False)
        with gr.Column(scale=3, min_width=280, elem_classes="hy-pane-column"):
            gr.HTML(
                '<iframe class="hy-pane" title="選んだシート" hidden></iframe>'
                '<p class="hy-pane-hint">左の一覧からシートを選ぶと、ここに表示します。</p>',
                elem_id="hy-pane",
                apply_default_css=False,
            )

    def fill(text: str, *chosen: Any) -> str:
        return render_catalogue(assistant.index.sheets(scope(*chosen)), clean_text(text or ""))

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    for trigger in (words.change, *(one.change for one in shared)):
        trigger(fill, [words, *shared], shown, trigger_mode="always_last", **quiet)
    return fill, [words, *shared], shown
