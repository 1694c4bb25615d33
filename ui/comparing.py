"""The 比較 screen: sheets or municipalities are picked above and stand side by side below."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import gradio as gr  # 2 s: this module is imported when the screens are built, not before

from assistant.readiness import Asker
from assistant.refusals import INTERNAL
from corpus.documents import Sheet
from corpus.errors import HyokaError
from ui.comparelinks import LEAST, MOST
from ui.comparepages import asked_of, render_compared
from ui.render import render_notice, year_label
from ui.scope import Choice, scope

logger = logging.getLogger(__name__)

SHEETS, CITIES = "シート（事業）", "自治体"
CHOICES = 2_000  # a list in a browser gets slow beyond; the filters above make it shorter
LATEST = ("それぞれの最も新しい年度", "")
HINT_SHEETS = f"比べるシートを{LEAST}〜{MOST}件選んでください。欄に事業名の一部を入力すると候補が絞られます（上の絞り込みも使えます）。記載内容・評価・金額・指標を同じ欄ごとに並べます。「シート」や各シートのページからも選べます。"
HINT_CITIES = f"比べる自治体を{LEAST}〜{MOST}件選んでください。シート数・決算額の合計・評価の内訳を並べます。"


def sheet_choices(sheets: Sequence[Sheet], chosen: Sequence[str], known: dict[str, Sheet]) -> list[Choice]:
    """The programmes as choices, at most :data:`CHOICES`; what is chosen stays even where a filter hides it."""
    shown = {one.sheet_id: one for one in sheets if one.kind == "programme"}
    listed = dict(list(shown.items())[:CHOICES])
    listed |= {one: known[one] for one in chosen if one in known}
    return [(choice_label(one), sheet_id) for sheet_id, one in listed.items()]


def choice_label(sheet: Sheet) -> str:
    """図書館運営（みなと野市・令和5年度・図書館課）."""
    about = "・".join(part for part in (sheet.municipality, year_label(sheet.fiscal_year), sheet.department) if part)
    return f"{sheet.name}（{about}）"


def build_comparing(assistant: Asker, shared: list[Any]) -> tuple[Any, list[Any], list[Any]]:
    """Adds the screen to the current Blocks; returns the function, its inputs and its outputs, to fill the lists at the start."""
    what = gr.Radio([SHEETS, CITIES], value=SHEETS, label="比べるもの", elem_id="hy-compare-what")
    sheets = gr.Dropdown(
        [],
        value=[],
        multiselect=True,
        max_choices=MOST,
        label=f"比べるシート（{LEAST}〜{MOST}件）",
        elem_id="hy-compare-sheets",
    )
    with gr.Row(visible=False) as city_row:
        cities = gr.Dropdown(
            [], value=[], multiselect=True, max_choices=MOST, label=f"比べる自治体（{LEAST}〜{MOST}件）", scale=2,
            elem_id="hy-compare-cities",
        )  # fmt: skip
        year = gr.Dropdown([LATEST], value="", label="年度", scale=1, min_width=220, elem_id="hy-compare-year")
    shown = gr.HTML(render_notice(HINT_SHEETS), elem_id="hy-compared", apply_default_css=False)

    def fill(chosen: list[str] | None, *filters: Any) -> list[Any]:
        everything = assistant.index.sheets()
        known = {one.sheet_id: one for one in everything}
        picked = [one for one in chosen or () if one in known]
        names = list(dict.fromkeys(one.municipality for one in everything if one.municipality))
        years = sorted({one.fiscal_year for one in everything if one.fiscal_year is not None}, reverse=True)
        # Values stay out of it: one picked while this runs would be wiped out.
        return [
            gr.update(choices=sheet_choices(assistant.index.sheets(scope(*filters)), picked, known)),
            gr.update(choices=names),
            gr.update(choices=[LATEST, *((year_label(one), str(one)) for one in years)]),
        ]

    def compared(kind: str, chosen: list[str] | None, places: list[str] | None, when: str | None) -> str:
        of_cities = kind == CITIES
        try:
            asked = asked_of(
                assistant.index, () if of_cities else chosen or (), places or () if of_cities else (), when or ""
            )
            html = render_compared(assistant.index, asked, root=".", fixed=True)
        except HyokaError as problem:
            return render_notice(problem.message)
        except Exception:
            logger.exception("a comparison broke")
            return render_notice(INTERNAL[1])
        hint = HINT_CITIES if of_cities else HINT_SHEETS
        return f'<div class="hy-box hy-comparison">{html}</div>' if html else render_notice(hint)

    def turned(kind: str) -> list[Any]:
        return [gr.update(visible=kind == SHEETS), gr.update(visible=kind == CITIES)]

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    asked_for = [what, sheets, cities, year]
    what.change(turned, what, [sheets, city_row], trigger_mode="always_last", **quiet)
    for one in asked_for:
        one.change(compared, asked_for, shown, trigger_mode="always_last", **quiet)
    lists = [sheets, cities, year]
    for one in shared:
        one.change(fill, [sheets, *shared], lists, trigger_mode="always_last", **quiet)
    return fill, [sheets, *shared], lists
