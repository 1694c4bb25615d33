"""Tables of answers, lists and comparisons as Excel files, and the parse report as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Annotated, Any

from fastapi import FastAPI
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from assistant.accounts import AccountCache, report_csv
from assistant.readiness import Asker
from assistant.spreadsheets import clean_lines, put
from assistant.wordlist import Noted

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MOST_LINKS = 30_000  # of a sheet, and each may stand in two; Excel takes all links out of one with more than 65,530
LINK_LIMIT = 2_000  # characters; Excel takes 2,083
QUOTED = ("項目", "列", "出典", "引用文", "原文")


class SheetOfCells(BaseModel):
    """What the page sends: the table as it stands on the screen."""

    model_config = ConfigDict(extra="forbid")

    columns: list[str] = Field(max_length=100)
    rows: list[Annotated[list[str | int | float | None], Field(max_length=100)]] = Field(max_length=20_000)


def add_export(app: FastAPI) -> None:
    """Adds ``POST /export/table.xlsx``."""

    @app.post("/export/table.xlsx", include_in_schema=False)
    def table(body: SheetOfCells) -> Response:
        return Response(workbook(body), media_type=EXCEL)


def add_report(app: FastAPI, assistant: Asker) -> None:
    """Adds ``GET /status/report.csv``: what became of every file and sheet when the index was made."""
    accounts = AccountCache(assistant)

    @app.get("/status/report.csv", include_in_schema=False)
    def report() -> Response:
        name = 'attachment; filename="hyoka-report.csv"'
        return Response(report_csv(accounts.get()), media_type=CSV, headers={"Content-Disposition": name})


def workbook(table: SheetOfCells, title: str = "回答", notes: Sequence[Noted] = ()) -> bytes:
    """An Excel file with one sheet of that title; text stays text, so that a cell of a document can never become a formula.

    A cell with notes leads to the place of the first; where notes have quotes, a second sheet 引用 lists them all.
    """
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet = book.active
    sheet.title = title
    lines: list[list[str | int | float | None]] = [list(table.columns), *table.rows]
    for at, row in enumerate(lines, 1):
        for across, value in enumerate(row, 1):
            cell = sheet.cell(at, across)
            put(cell, clean_lines(value).strip() if isinstance(value, str) else value)
            if cell.data_type == "n" and cell.value is not None and abs(cell.value) >= 10_000:
                cell.number_format = "#,##0"  # a year keeps its four digits without a comma
            if at == 1:
                cell.font = Font(bold=True)
    for across, name in enumerate(table.columns, 1):
        longest = max([len(name), *(len(str(row[across - 1])) for row in table.rows[:200] if across <= len(row))])
        sheet.column_dimensions[get_column_letter(across)].width = min(60, longest * 2 + 2)
    sheet.freeze_panes = "A2"
    for note in reversed(notes[:MOST_LINKS]):
        _lead(sheet.cell(note.row + 2, note.column + 1), note.link)
    if any(note.quote for note in notes):
        _quoted(book.create_sheet("引用"), table, notes)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _quoted(sheet: Any, table: SheetOfCells, notes: Sequence[Noted]) -> None:
    from openpyxl.styles import Alignment, Font

    for across, (name, width) in enumerate(zip(QUOTED, (24, 28, 32, 80, 12), strict=True), 1):
        put(sheet.cell(1, across), name)
        sheet.cell(1, across).font = Font(bold=True)
        sheet.column_dimensions["ABCDE"[across - 1]].width = width
    for at, note in enumerate(notes, 2):
        named = " ".join(str(one) for one in table.rows[note.row][1:3] if isinstance(one, str) and one)
        linked = bool(note.link) and at <= MOST_LINKS
        values = (named, table.columns[note.column], note.place, note.quote, "原文を開く" if linked else note.link)
        for across, value in enumerate(values, 1):
            put(sheet.cell(at, across), value)
            sheet.cell(at, across).alignment = Alignment(vertical="top", wrap_text=True)
        if linked:
            _lead(sheet.cell(at, len(QUOTED)), note.link)
    sheet.freeze_panes = "A2"


def _lead(cell: Any, address: str) -> None:
    """Makes a link of a cell that says something, and leaves what it says."""
    from openpyxl.styles import Font

    if not address or len(address) > LINK_LIMIT or cell.value is None:
        return
    value, kind = cell.value, cell.data_type
    cell.hyperlink = address
    cell.value, cell.data_type = value, kind
    cell.font = Font(color="FF0B5394", underline="single")
