"""The whole list of a search as CSV and Excel: a row a passage, sheet by sheet in the order of the screen."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace

from fastapi import FastAPI, Request
from fastapi.responses import Response

from assistant.audit import shown
from assistant.payload import Sources, visible
from assistant.readiness import Asker
from assistant.refusals import clean_question
from assistant.spreadsheets import CELL_LIMIT, csv_cell
from index.types import Index, Passage, SheetHit
from ui.export import CSV, EXCEL, SheetOfCells, workbook
from ui.hits import MOST_ROWS
from ui.render import sheet_url
from ui.searches import Search, read_search

COLUMNS = (
    "自治体", "年度", "事業名", "部課", "欄", "本文", "評価", "決算額（円）", "予算額（円）", "ファイル", "場所", "リンク",
)  # fmt: skip
_BATCH = 200  # sheets read at a time
_NAME = "hyoka-search"

Row = list[str | int | float | None]


def add_search_files(app: FastAPI, assistant: Asker) -> None:
    """Adds ``GET /export/search.csv`` and ``/export/search.xlsx``, which take the address of a search."""

    @app.get("/export/search.csv", include_in_schema=False)
    def as_csv(request: Request) -> Response:
        table = search_table(assistant.index, _asked(request), str(request.base_url))
        return Response(csv_bytes(table), media_type=CSV, headers=_attachment("csv"))

    @app.get("/export/search.xlsx", include_in_schema=False)
    def as_excel(request: Request) -> Response:
        table = search_table(assistant.index, _asked(request), str(request.base_url))
        return Response(workbook(table, "検索結果"), media_type=EXCEL, headers=_attachment("xlsx"))


def _asked(request: Request) -> Search:
    search = read_search(request.query_params)
    return replace(search, words=clean_question(search.words))


def _attachment(ending: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{_NAME}.{ending}"'}


def search_table(index: Index, search: Search, root: str) -> SheetOfCells:
    """The first ``MOST_ROWS`` passages; ``root`` is the address the links begin with. Names of persons are left out."""
    sources = Sources(index)
    rows: list[Row] = []
    for hit in _sheets(index, search):
        shown([hit.best.sheet.sheet_id])
        for passage in visible((hit.best, *hit.others)):
            rows.append(_row(hit, passage, sources, root))
            if len(rows) == MOST_ROWS:
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
