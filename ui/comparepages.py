"""``/compare``: sheets or municipalities side by side at an address that can be mailed and kept, and the same as a file.

The page is plain HTML without a script, as the page of one sheet is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import FastAPI, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from assistant.access.places import root_of
from assistant.payload import Sources
from assistant.readiness import Asker
from assistant.refusals import clean_text
from assistant.wordlist import word_list
from corpus.documents import Sheet
from index.types import Index
from ui.citypage import render_cities, render_city_form
from ui.comparefile import Notes, cities_table, csv_bytes, sheets_table
from ui.comparelinks import LEAST, MOST, compare_url
from ui.comparison import compare
from ui.export import CSV, EXCEL, WORD, workbook
from ui.finding import find_sheets
from ui.municipalities import City, CityYear
from ui.render import breadcrumb
from ui.sheet import render_page
from ui.sidebyside import render_comparison, render_picker

Many = Annotated[list[str] | None, Query()]
FOUND = 30
PROPOSED = 8
HEAD = (
    '<header class="hy-head"><h1>比較</h1></header><p class="hy-small">'
    f"シートを{LEAST}〜{MOST}件、または自治体を{LEAST}〜{MOST}件選んで並べます。このページのアドレスは保存や共有ができます。</p>"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for, as far as the index has it; ``lost`` counts sheets and municipalities it has not."""

    sheets: tuple[Sheet, ...]
    cities: tuple[str, ...]
    year: int | None
    lost: int
    cut: int


def asked_of(index: Index, sheet: Sequence[str], municipality: Sequence[str], year: str) -> Asked:
    """Reads an address; an address is typed by people, so anything may stand there."""
    everything = index.sheets()
    known = {one.sheet_id: one for one in everything}
    places = {one.municipality for one in everything if one.municipality}
    ids, names = list(dict.fromkeys(sheet)), list(dict.fromkeys(municipality))
    sheets = [known[one] for one in ids if one in known]
    cities = [one for one in names if one in places]
    lost = len(ids) - len(sheets) + len(names) - len(cities)
    cut = max(0, len(sheets) - MOST) + max(0, len(cities) - MOST)
    wanted = int(year) if year.isascii() and year.isdecimal() and len(year) == 4 else None
    return Asked(tuple(sheets[:MOST]), tuple(cities[:MOST]), wanted, lost, cut)


def render_compared(index: Index, asked: Asked, root: str = "", fixed: bool = False) -> str:
    """What is asked for side by side, with the ways to files; empty where fewer than two are chosen.

    ``fixed`` leaves out what changes the choice.
    """
    if len(asked.sheets) >= LEAST:
        links = _files([one.sheet_id for one in asked.sheets], (), None, root)
        return f"{links}{render_comparison(compare(index, asked.sheets), root, fixed)}"
    if len(asked.cities) >= LEAST:
        cities, over_years = cities_of(index, asked)
        return f"{_files((), asked.cities, asked.year, root)}{render_cities(cities, over_years, root)}"
    return ""


def cities_of(index: Index, asked: Asked) -> tuple[list[CityYear], list[dict[int, CityYear]]]:
    """The municipalities asked for, each in the year asked for or its latest, and in every year."""
    cities = [City(index, name) for name in asked.cities]
    chosen = [city.of_year(city.latest if asked.year is None else asked.year) for city in cities]
    return chosen, [city.over_years() for city in cities]


def _files(sheets: Sequence[str], cities: Sequence[str], year: int | None, root: str) -> str:
    links = "".join(
        f'<a class="hy-button" href="{escape(compare_url(sheets, cities, year, root, ending))}" download>{name}で保存</a>'
        for ending, name in ((".docx", "Word"), (".xlsx", "Excel"), (".csv", "CSV"))
    )
    own = escape(compare_url(sheets, cities, year, root))
    return f'<p class="hy-tools">{links}<a class="hy-button" href="{own}" target="_blank" rel="noopener">この比較のアドレス</a></p>'


def compare_page(index: Index, asked: Asked, words: str, root: str = "") -> str:
    """The body of the page: the comparison, and the ways to choose what is compared."""
    notes = []
    if asked.lost:
        notes.append(
            f"索引にないシートか自治体が{asked.lost}件ありました。索引が作り直されたときは、選び直してください。"
        )
    if asked.cut:
        notes.append(f"一度に比べられるのは{MOST}件までです。{asked.cut}件を省きました。")
    told = "".join(f'<p class="hy-none" role="status">{note}</p>' for note in notes)
    shown = render_compared(index, asked, root)
    near: list[Sheet] = []
    if asked.sheets:
        first = asked.sheets[0]
        years = [one for one in index.timeline(first.sheet_id) if one.sheet_id != first.sheet_id]
        near = [*years, *(one.sheet for one in index.similar(first.sheet_id, PROPOSED))][:PROPOSED]
    found = find_sheets(index.sheets(), words)[:FOUND] if words else []
    picker = render_picker(asked.sheets, found, near, words, root)
    places = list(dict.fromkeys(one.municipality for one in index.sheets() if one.municipality))
    years_held = sorted({one.fiscal_year for one in index.sheets() if one.fiscal_year is not None}, reverse=True)
    cities = (
        '<section id="cities"><h2>自治体を比べる</h2>'
        f"{render_city_form(places, asked.cities, years_held, asked.year, root)}</section>"
    )
    chosen = _chosen(asked) if asked.sheets and not shown else ""
    order = (
        [cities, shown]
        if asked.cities and not asked.sheets
        else [chosen, shown, picker, "" if asked.sheets else cities]
    )
    return f'<article class="hy-box hy-sheet hy-wide hy-comparison">{HEAD}{told}{"".join(order)}</article>'


def _chosen(asked: Asked) -> str:
    items = "".join(
        f'<li><span class="hy-title">{escape(one.name)}</span><span class="hy-where">{breadcrumb(one)}</span></li>'
        for one in asked.sheets
    )
    return f'<section><h2>選んだシート</h2><ol class="hy-compared">{items}</ol></section>'


def add_comparison(app: FastAPI, assistant: Asker) -> None:
    """Adds ``GET /compare`` and the same as ``/compare.xlsx``, ``/compare.docx`` and ``/compare.csv``."""

    @app.get("/compare", include_in_schema=False)
    def page(
        request: Request,
        sheet: Many = None,
        municipality: Many = None,
        year: str = "",
        q: str = "",
    ) -> HTMLResponse:
        root = root_of(request.scope)
        asked = asked_of(assistant.index, sheet or (), municipality or (), year)
        body = compare_page(assistant.index, asked, clean_text(q)[:100].strip(), root)
        return HTMLResponse(render_page(_title(asked), body, root))

    @app.get("/compare.{ending}", include_in_schema=False)
    def file(
        request: Request,
        ending: Literal["xlsx", "docx", "csv"],
        sheet: Many = None,
        municipality: Many = None,
        year: str = "",
    ) -> Response:
        index = assistant.index
        asked = asked_of(index, sheet or (), municipality or (), year)
        sources = Sources(index)
        notes = Notes(sources, str(request.base_url))
        if len(asked.sheets) >= LEAST:
            table, held = sheets_table(compare(index, asked.sheets), sources, notes), 3 + len(asked.sheets)
        elif len(asked.cities) >= LEAST:
            table, held = cities_table(*cities_of(index, asked), sources, notes), 2 + len(asked.cities)
        else:
            return RedirectResponse(f"{root_of(request.scope)}/compare")
        if ending == "docx":  # places stand in the footnotes, what is computed in the Excel file
            rows = [row[:held] for row in table.rows]
            content, media = (
                word_list(_title(asked), "", table.columns[:held], rows, notes.found, datetime.now(UTC)),
                WORD,
            )
        elif ending == "xlsx":
            content, media = workbook(table, "比較", notes.found), EXCEL
        else:
            content, media = csv_bytes(table), CSV
        name = f"attachment; filename=\"hyoka-compare.{ending}\"; filename*=UTF-8''{quote('比較')}.{ending}"
        return Response(content, media_type=media, headers={"Content-Disposition": name})


def _title(asked: Asked) -> str:
    names = [one.name for one in asked.sheets] or list(asked.cities)
    return f"比較｜{'・'.join(names)}" if names else "比較"
