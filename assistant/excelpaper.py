"""A paper as an Excel file: the questions, one sheet a table or chart with real numbers, and one row a source."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from typing import Any

from assistant.datewords import day_words, in_japan, moment_words
from assistant.papers import (
    GENERATED,
    GENERATED_NOTE,
    HEADING,
    SHEET_COLUMNS,
    Asked,
    Paper,
    Quantity,
    chart_table,
    clean,
    flat,
    is_year,
    one_line,
    origin,
    quantity,
    sheet_link,
    source_cells,
)
from assistant.schemas import ChartJson, TableJson
from assistant.spreadsheets import put

LINK_LIMIT = 2_000  # and addresses of more than 2,083
FONT = "游ゴシック"
Value = str | int | float | None
LISTED = ("番号", "質問", "回答", "状態", "引用の数", "表", "質問した日時", "索引の版")
SOURCES = ("質問", "引用", *SHEET_COLUMNS, "引用文", "ファイル", "原文")


def excel_paper(paper: Paper) -> bytes:
    """The bytes of an .xlsx file. Text is typed as text, so that nothing a sheet or a person wrote becomes a formula."""
    from openpyxl import Workbook

    book = Workbook()
    book.properties.creator, book.properties.title = "hyoka", one_line(paper.title)[:200]
    listed = book.active
    listed.title = "質問一覧"
    tables = {
        number: f"質問{number}の表"
        for number, asked in enumerate(paper.asked, 1)
        if asked.answer is not None and asked.answer.table is not None and asked.answer.table.rows
    }
    _listed(listed, paper, tables)
    for number, asked in enumerate(paper.asked, 1):
        if asked.answer is not None and asked.answer.table is not None and number in tables:
            _table(book.create_sheet(tables[number]), asked.answer.table)
        if asked.answer is not None and asked.answer.chart is not None:
            _chart(book.create_sheet(f"質問{number}のグラフ"), asked.answer.chart)
    _sources(book.create_sheet("出典"), paper)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _listed(sheet: Any, paper: Paper, tables: dict[int, str]) -> None:
    from openpyxl.worksheet.hyperlink import Hyperlink

    _put(sheet, 1, 1, HEADING, bold=True, size=14)
    _put(sheet, 2, 1, f"{day_words(in_japan(paper.made).date())}作成")
    _put(sheet, 3, 1, origin(paper))
    summed = any(asked.answer is not None and asked.answer.generated is not None for asked in paper.asked)
    _head(sheet, 5, (*LISTED, f"{GENERATED}の要約（{GENERATED_NOTE.rstrip('。')}）") if summed else LISTED)
    for row, (number, asked) in enumerate(enumerate(paper.asked, 1), 6):
        table = tables.get(number, "")
        values: tuple[Value, ...] = (
            number, clean(asked.question), clean(asked.text.replace("**", "")), _state(asked),
            len(asked.answer.citations) if asked.answer is not None else None, table,
            _moment(asked.at), asked.index_version,
        )  # fmt: skip
        if asked.answer is not None and asked.answer.generated is not None:
            values = (*values, clean(asked.answer.generated.text))
        for column, value in enumerate(values, 1):
            _put(sheet, row, column, value)
        if table:
            sheet.cell(row, 6).hyperlink = Hyperlink(ref=f"F{row}", location=f"'{table}'!A1")
            _as_link(sheet.cell(row, 6))
    widths = (6, 32, 64, 16, 10, 14, 20, 16)
    _shape(sheet, (*widths, 64) if summed else widths, "A6", 5)


def _moment(at: datetime | None) -> str:
    return "" if at is None else moment_words(at)


def _state(asked: Asked) -> str:
    return "" if asked.answer is None else asked.answer.state


def _table(sheet: Any, table: TableJson) -> None:
    linked = any(table.citations)
    found = [[quantity(value) for value in row] for row in table.rows]
    units = [_unit([row[at] for row in found if at < len(row)]) for at in range(len(table.columns))]
    names = [
        f"{name}（{unit}）" if unit and f"（{unit}）" not in name else name
        for name, unit in zip(table.columns, units, strict=True)
    ]
    _head(sheet, 1, [*names, "引用"] if linked else names)
    for row, values in enumerate(table.rows):
        for at, value in enumerate(values[: len(names)]):
            number = found[row][at]
            if number is None:
                _put(sheet, row + 2, at + 1, flat(value) if isinstance(value, str) else value)
            else:
                cell = _put(sheet, row + 2, at + 1, number.value)
                cell.number_format = _format(number, units[at], is_year(table.columns[at]))
        if linked and row < len(table.citations):
            _put(sheet, row + 2, len(names) + 1, " ".join(f"[{n}]" for n in table.citations[row]))
    widths = [
        min(60, max(2 * len(name) + 4, *(2 * len(str(row[at] or "")) + 2 for row in table.rows[:200] if at < len(row))))
        for at, name in enumerate(names)
    ]
    _shape(sheet, [*widths, 12] if linked else widths, "A2", 1)


def _chart(sheet: Any, chart: ChartJson) -> None:
    """The figures of a chart, and the chart itself below them, to be changed in Excel as one likes."""
    from openpyxl.chart import BarChart, LineChart, Reference

    _table(sheet, chart_table(chart))
    drawn = LineChart() if chart.kind == "line" else BarChart()
    rows = len(chart.x) + 1
    drawn.add_data(
        Reference(sheet, min_col=2, max_col=len(chart.series) + 1, min_row=1, max_row=rows), titles_from_data=True
    )
    drawn.set_categories(Reference(sheet, min_col=1, min_row=2, max_row=rows))
    drawn.y_axis.title = chart.unit or None
    drawn.y_axis.number_format = "#,##0"
    # openpyxl leaves the axes out otherwise, and Excel then shows none.
    drawn.x_axis.delete = drawn.y_axis.delete = False
    drawn.width, drawn.height = 22, 11  # centimetres
    for line in drawn.series:
        line.smooth = False  # a curve between two years would show figures nobody printed
    sheet.add_chart(drawn, f"A{rows + 2}")


def _unit(found: list[Quantity | None]) -> str:
    """The unit of a column: the one all of its numbers have, empty where they differ. A rank keeps its 位 beside it."""
    units = {number.unit for number in found if number is not None}
    unit = units.pop() if len(units) == 1 else ""
    return "" if unit == "位" else unit


def _format(number: Quantity, column_unit: str, year: bool) -> str:
    """How Excel shows a number; a unit the head of the column does not name stands beside it, and it stays a number."""
    if year and not number.decimals:
        return "0"
    shown = "#,##0" + ("." + "0" * number.decimals if number.decimals else "")
    unit = "" if number.unit == column_unit else clean(number.unit).replace('"', "").strip()
    return f'{shown}"{unit}"' if unit else shown


def _sources(sheet: Any, paper: Paper) -> None:
    _head(sheet, 1, SOURCES)
    row = 2
    for number, asked in enumerate(paper.asked, 1):
        for citation in asked.answer.citations if asked.answer is not None else ():
            address = sheet_link(paper.base, citation)
            values: tuple[Value, ...] = (
                number, citation.n, *source_cells(citation), flat(citation.quote), citation.source.file,
                "原文を開く" if address else "",
            )  # fmt: skip
            for column, value in enumerate(values, 1):
                _put(sheet, row, column, value)
            if address and len(address) < LINK_LIMIT:
                cell = sheet.cell(row, len(SOURCES))
                cell.hyperlink = address
                _as_link(cell)
            row += 1
    _shape(sheet, (6, 6, 12, 11, 26, 20, 18, 14, 60, 20, 12), "A2", 1)


def _head(sheet: Any, row: int, names: Any) -> None:
    from openpyxl.styles import PatternFill

    for column, name in enumerate(names, 1):
        _put(sheet, row, column, name, bold=True).fill = PatternFill("solid", fgColor="EDEFF2")


def _put(sheet: Any, row: int, column: int, value: Value, bold: bool = False, size: float = 10.5) -> Any:
    from openpyxl.styles import Alignment, Font

    cell = sheet.cell(row, column)
    put(cell, clean(value) if isinstance(value, str) else value)
    cell.font = Font(name=FONT, size=size, bold=bold)
    cell.alignment = Alignment(vertical="top", wrap_text=row > 3 and isinstance(value, str))
    return cell


def _as_link(cell: Any) -> None:
    from openpyxl.styles import Font

    cell.data_type = "s"
    cell.font = Font(name=FONT, size=10.5, color="0B5394", underline="single")


def _lines(value: Value, width: int) -> int:
    """How many lines a cell needs in a column of so many half-width characters."""
    if not isinstance(value, str):
        return 1
    sizes = [sum(1 if one.isascii() else 2 for one in line) for line in value.split("\n")]
    return sum(max(1, -(-size // max(1, width - 1))) for size in sizes)


def _shape(sheet: Any, widths: Any, frozen: str, head: int) -> None:
    """Column widths, the head that stays in sight, and how it prints: A4 across, as wide as the page, head repeated."""
    from openpyxl.utils import get_column_letter

    for column, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    for row in sheet.iter_rows(min_row=head + 1):
        lines = max((_lines(cell.value, width) for cell, width in zip(row, widths, strict=False)), default=1)
        sheet.row_dimensions[row[0].row].height = min(400, 16 * lines)  # points; Excel refuses more than 409
    sheet.freeze_panes = frozen
    sheet.page_setup.paperSize, sheet.page_setup.orientation = sheet.PAPERSIZE_A4, "landscape"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = f"{head}:{head}"
    sheet.oddFooter.center.text = "&P / &N"
