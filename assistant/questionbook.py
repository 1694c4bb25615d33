"""Question lists as Excel files: the book comes back as it was, with the answers beside the questions and a sheet of all
citations."""

from __future__ import annotations

import zipfile
from copy import copy
from pathlib import Path
from typing import Any

from assistant.filledrow import CITED_COLUMNS, Filled
from assistant.papers import clean
from assistant.questionlist import ADDED, CITED_SHEET, MOST_CITED, Layout, Question, layout_of, questions_of
from assistant.spreadsheets import put
from corpus.errors import SettingsError

MOST_UNPACKED = 500 * 1024 * 1024
MOST_ROWS, MOST_COLUMNS = 100_000, 200  # looked at; a sheet that was formatted to its end has a million empty ones
MOST_LINKS = 60_000  # Excel mends, that is breaks, a sheet with more than 65,530
LINK_LIMIT = 2_000  # and an address at 2,083 characters
WIDTHS = (64, 44, 56, 14)
CITED_WIDTHS = (6, 32, 6, 12, 11, 26, 20, 18, 14, 60, 24, 14)


class QuestionBook:
    """A question list in an Excel file: the first sheet with a heading over questions, else the first with text."""

    def __init__(self, path: Path) -> None:
        """Reads the file; raises SettingsError where it holds no list of questions."""
        title, rows = _read(path)
        self._book = _opened(path, keep_vba=path.suffix.lower() == ".xlsm")
        self._sheet: Any = self._book[title]
        found = layout_of(rows, _right_edge(self._sheet))
        assert found is not None  # or _read had found none
        self.layout: Layout = found
        self.questions: list[Question] = questions_of(rows, found)
        self._cited = self._book.create_sheet(CITED_SHEET)
        self._rows, self._links, self.left_out = 1, 0, 0
        self._head()
        self.place = f"シート「{title}」の{_letter(found.question)}列"

    def fill(self, question: Question, row: Filled) -> None:
        """Writes the answer beside its question, and its citations into their sheet."""
        first = self._rows + 1
        asked = self._sheet.cell(question.row + 1, self.layout.question + 1)
        for at, value, width in zip(self.layout.added, row.cells, WIDTHS, strict=True):
            cell = self._write(question.row + 1, at + 1, value, asked)
            self._heighten(question.row + 1, value, self._sheet.column_dimensions[_letter(at)].width or width)
            if at == self.layout.added[1] and row.cited and first <= MOST_CITED:
                _link(cell, location=f"'{self._cited.title}'!A{first}")
        for one in row.cited:
            if self._rows > MOST_CITED:
                self.left_out += 1
                continue
            self._rows += 1
            values: tuple[str | int, ...] = (
                question.row + 1,
                question.text,
                *one.cells,
                "原文を開く" if one.link else "",
            )
            for column, said in enumerate(values, 1):
                _plain(self._cited.cell(self._rows, column), said)
            if one.link:
                self._links += 1
                last = self._cited.cell(self._rows, len(CITED_COLUMNS))
                if self._links > MOST_LINKS or len(one.link) > LINK_LIMIT:
                    put(last, one.link)
                else:
                    _link(last, target=one.link)

    def beside(self, out: Path) -> tuple[Path, ...]:
        """No other files are written."""
        return ()

    def save(self, files: tuple[Path, ...]) -> None:
        """Writes the book."""
        self._cited.auto_filter.ref = f"A1:{_letter(len(CITED_COLUMNS) - 1)}{self._rows}"
        self._book.save(files[0])

    def _head(self) -> None:
        from openpyxl.styles import Font, PatternFill

        layout = self.layout
        if layout.head >= 0:
            pattern = self._sheet.cell(layout.head + 1, layout.question + 1)
            for at, name in zip(layout.added, ADDED, strict=True):
                if not self._sheet.cell(layout.head + 1, at + 1).value:
                    self._write(layout.head + 1, at + 1, name, pattern, wrap=False)
        for at, width in zip(layout.added, WIDTHS, strict=True):
            dimension = self._sheet.column_dimensions[_letter(at)]
            if not dimension.customWidth:
                dimension.width = width
        for column, name in enumerate(CITED_COLUMNS, 1):
            cell = self._cited.cell(1, column)
            _plain(cell, name)
            cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="EDEFF2")
            self._cited.column_dimensions[_letter(column - 1)].width = CITED_WIDTHS[column - 1]
        self._cited.freeze_panes = "A2"

    def _write(self, row: int, column: int, value: str, pattern: Any, wrap: bool = True) -> Any:
        """A cell that looks like the question's: its font, its lines and its colour."""
        from openpyxl.styles import Alignment

        cell = self._sheet.cell(row, column)
        for merged in [one for one in self._sheet.merged_cells.ranges if cell.coordinate in one]:
            if (merged.min_row, merged.min_col) != (row, column):  # only the first cell of such a range holds a value
                self._sheet.unmerge_cells(str(merged))
                cell = self._sheet.cell(row, column)
        put(cell, clean(value))
        cell.font, cell.border, cell.fill = copy(pattern.font), copy(pattern.border), copy(pattern.fill)
        cell.alignment = Alignment(vertical="top", wrap_text=True) if wrap else copy(pattern.alignment)
        return cell

    def _heighten(self, row: int, value: str, width: float) -> None:
        """A row whose height somebody set hides what does not fit; one without grows by itself in Excel alone."""
        lines = sum(max(1, -(-_wide(line) // max(1, int(width) - 1))) for line in value.split("\n"))
        dimension = self._sheet.row_dimensions[row]
        dimension.height = max(dimension.height or 15.0, min(400.0, 16.0 * lines))  # points; Excel refuses 410


def _read(path: Path) -> tuple[str, list[list[str]]]:
    """The title and the rows of the sheet that asks, with values in place of formulas."""
    try:
        with zipfile.ZipFile(path) as parts:
            size = sum(one.file_size for one in parts.infolist())
    except (zipfile.BadZipFile, OSError) as error:
        raise SettingsError(
            f"Excelとして開けません: {path.name}。パスワードがあれば外し、.xlsx で保存し直してください。"
        ) from error
    if size > MOST_UNPACKED:
        raise SettingsError(f"{path.name} は大きすぎます。質問のシートだけを別のファイルに保存してください。")
    book = _opened(path, read_only=True, data_only=True)
    texts: tuple[str, list[list[str]]] | None = None
    try:
        for sheet in book.worksheets:
            rows = _rows(sheet)
            found = layout_of(rows)
            if found is not None and found.named:
                return sheet.title, rows
            if found is not None and texts is None:
                texts = sheet.title, rows
    finally:
        book.close()
    if texts is None:
        raise SettingsError(f"{path.name} に質問の列が見つかりません。見出しを「質問」にしてください。")
    return texts


def _rows(sheet: Any) -> list[list[str]]:
    sheet.reset_dimensions()  # what some programs write there is not so
    rows: list[list[str]] = []
    for at, values in enumerate(sheet.iter_rows(max_row=MOST_ROWS, max_col=MOST_COLUMNS, values_only=True)):
        cells = ["" if value is None else _said(value) for value in values]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            rows += [[] for _ in range(at - len(rows))]
            rows.append(cells)
    return rows


def _said(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _opened(path: Path, **how: bool) -> Any:
    import openpyxl

    try:
        return openpyxl.load_workbook(path, **how)
    except Exception as error:  # whatever zipfile, the XML parser and openpyxl raise
        raise SettingsError(f"Excelとして開けません: {path.name}。.xlsx で保存し直してください。（{error}）") from error


def _right_edge(sheet: Any) -> int:
    """The first column that is free in the whole sheet; a title merged across it takes its columns."""
    used = int(sheet.max_column)
    return max([used if used <= MOST_COLUMNS else 0, *(int(one.max_col) for one in sheet.merged_cells.ranges)])


def _letter(column: int) -> str:
    from openpyxl.utils import get_column_letter

    return str(get_column_letter(column + 1))


def _plain(cell: Any, value: str | int) -> None:
    from openpyxl.styles import Alignment

    put(cell, clean(value) if isinstance(value, str) else value)
    cell.alignment = Alignment(vertical="top", wrap_text=isinstance(value, str))


def _link(cell: Any, target: str = "", location: str = "") -> None:
    from openpyxl.worksheet.hyperlink import Hyperlink

    text, kind = cell.value, cell.data_type
    font = copy(cell.font)
    cell.hyperlink = Hyperlink(ref=cell.coordinate, target=target or None, location=location or None)
    cell.value, cell.data_type = text, kind
    font.color, font.underline = "FF0B5394", "single"
    cell.font = font


def _wide(line: str) -> int:
    return sum(1 if one.isascii() else 2 for one in line)
