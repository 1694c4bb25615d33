"""The whole list of a search as CSV, Excel and Word: a row a passage, sheet by sheet in the order of the screen."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from fastapi import FastAPI, Request
from fastapi.responses import Response

from assistant.audit import shown
from assistant.payload import Sources, visible
from assistant.readiness import Asker
from assistant.refusals import clean_question
from assistant.spreadsheets import CELL_LIMIT, csv_cell
from assistant.wordlist import Noted, word_list
from index.types import Index, Passage, SheetHit
from ui.export import CSV, EXCEL, WORD, SheetOfCells, workbook
from ui.hits import MOST_ROWS
from ui.render import sheet_url
from ui.searches import Search, read_search

COLUMNS = (
    "自治体", "年度", "事業名", "部課", "欄", "本文", "評価", "決算額（円）", "予算額（円）", "ファイル", "場所", "リンク",
)  # fmt: skip
_BATCH = 200  # sheets read at a time
_NAME = "hyoka-search"
WORD_ROWS = 500
"""So many passages go into a Word file: each has a footnote, and a paper of hundreds of pages is read by nobody."""
_IN_WORD = tuple(map(COLUMNS.index, ("自治体", "年度", "事業名", "欄", "本文")))
_FILE, _PLACE, _LINK = map(COLUMNS.index, ("ファイル", "場所", "リンク"))

Row = list[str | int | float | None]


def add_search_files(app: FastAPI, assistant: Asker) -> None:
    """Adds ``GET /export/search.csv``, ``.xlsx`` and ``.docx``, which take the address of a search."""

    @app.get("/export/search.csv", include_in_schema=False)
    def as_csv(request: Request) -> Response:
        table = search_table(assistant.index, _asked(request), str(request.base_url))
        return Response(csv_bytes(table), media_type=CSV, headers=_attachment("csv"))

    @app.get("/export/search.xlsx", include_in_schema=False)
    def as_excel(request: Request) -> Response:
        table = search_table(assistant.index, _asked(request), str(request.base_url))
        leading = [Noted(at, _LINK, "", "", str(row[_LINK])) for at, row in enumerate(table.rows)]
        return Response(workbook(table, "検索結果", leading), media_type=EXCEL, headers=_attachment("xlsx"))

    @app.get("/export/search.docx", include_in_schema=False)
    def as_word(request: Request) -> Response:
        search = _asked(request)
        table = search_table(assistant.index, search, str(request.base_url), WORD_ROWS + 1)
        return Response(word_of(table, search.words), media_type=WORD, headers=_attachment("docx"))


def _asked(request: Request) -> Search:
    search = read_search(request.query_params)
    return replace(search, words=clean_question(search.words))


def _attachment(ending: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{_NAME}.{ending}"'}


def word_of(table: SheetOfCells, words: str) -> bytes:
    """The list as a Word file, the first ``WORD_ROWS`` of it: what was found, and in footnotes where it stands."""
    rows = table.rows[:WORD_ROWS]
    cut = len(table.rows) > WORD_ROWS
    about = f"「{words}」に近い記載を、検索の画面の順に並べています" + (f"（はじめの{WORD_ROWS}件）。" if cut else "。")
    notes = [
        Noted(at, len(_IN_WORD) - 1, f"{row[_FILE]} {row[_PLACE]}".strip(), "", str(row[_LINK]))
        for at, row in enumerate(rows)
    ]
    kept = [[row[at] for at in _IN_WORD] for row in rows]
    return word_list("評価シートの検索結果", about, [COLUMNS[at] for at in _IN_WORD], kept, notes, datetime.now(UTC))


def search_table(index: Index, search: Search, root: str, most: int | None = None) -> SheetOfCells:
    """The first ``most`` passages (by default ``MOST_ROWS``); ``root`` is the address the links begin with. Names of persons are left out."""
    sources, most = Sources(index), MOST_ROWS if most is None else most
    rows: list[Row] = []
    for hit in _sheets(index, search):
        shown([hit.best.sheet.sheet_id])
        for passage in visible((hit.best, *hit.others)):
            rows.append(_row(hit, passage, sources, root))
            if len(rows) == most:
                return SheetOfCells(columns=list(COLUMNS), rows=rows)
    return SheetOfCells(columns=list(COLUMNS), rows=rows)


def _sheets(index: Index, search: Search) -> Iterator[SheetHit]:
    offset = 0
    while True:
        found = index.search_sheets(search.words, _BATCH, search.filters, offset, search.order, MOST_ROWS)
        yield from found.hits
        offset += _BATCH
        if offset >= found.total:
            return


def _row(hit: SheetHit, passage: Passage, sources: Sources, root: str) -> Row:
    sheet = passage.sheet
    return [
        sheet.municipality,
        sheet.fiscal_year,
        sheet.name,
        sheet.department,
        passage.section.label or passage.section.field,
        passage.text[:CELL_LIMIT],
        "、".join(hit.values.ratings),
        _yen(hit.values.settled),
        _yen(hit.values.planned),
        sheet.file,
        sources.words(sheet.file, passage.span),
        f"{root.rstrip('/')}{sheet_url(sheet.sheet_id, passage.span)}",
    ]


def _yen(amount: float | None) -> int | float | None:
    return int(amount) if amount is not None and float(amount).is_integer() else amount


def csv_bytes(table: SheetOfCells) -> bytes:
    """CSV with a byte order mark, so that Excel reads it; a text that looks like a formula gets an apostrophe."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    lines: list[Row] = [list(table.columns), *table.rows]
    for row in lines:
        writer.writerow([csv_cell(value) for value in row])
    return out.getvalue().encode("utf-8-sig")
