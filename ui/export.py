"""Tables of answers as Excel files (their CSV is made in the browser), and the parse report as CSV."""

from __future__ import annotations

from io import BytesIO
from typing import Annotated

from fastapi import FastAPI
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from assistant.accounts import AccountCache, report_csv
from assistant.readiness import Asker
from assistant.spreadsheets import clean_lines, put

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"


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


def workbook(table: SheetOfCells, title: str = "回答") -> bytes:
    """An Excel file with one sheet of that title; text stays text, so that a cell of a document can never become a formula."""
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
    out = BytesIO()
    book.save(out)
    return out.getvalue()
