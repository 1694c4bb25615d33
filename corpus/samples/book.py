"""The Excel books: one worksheet a sheet, laid out on a narrow grid with merged cells (神エクセル)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.worksheet.worksheet import Worksheet

from corpus.samples.content import FUNDS, Programme, era

COLUMNS = 40
FUND_NAMES = dict(zip(FUNDS, ("国庫支出金", "県支出金", "地方債", "その他", "一般財源"), strict=True))
RATING_NAMES = ("必要性", "有効性", "効率性")
THIN = Side(style="thin")
BOX = Border(left=THIN, right=THIN, top=THIN, bottom=THIN)
LABEL = PatternFill("solid", fgColor="E8EEF4")
# What 神エクセル is made of: labels spaced out by hand.
SPACED = {"事業名": "事　業　名", "担当課": "担　当　課", "作成者": "作　成　者"}


class Grid:
    """Writes merged blocks of cells on one worksheet, from left to right and top to bottom."""

    def __init__(self, sheet: Worksheet) -> None:
        self.sheet = sheet
        self.row = 1
        for column in range(1, COLUMNS + 1):
            sheet.column_dimensions[sheet.cell(1, column).column_letter].width = 2.6

    def put(
        self,
        left: int,
        width: int,
        value: str | float | datetime,
        *,
        height: int = 1,
        label: bool = False,
        fmt: str = "",
    ) -> None:
        """One block from column ``left``, ``width`` columns wide, in the current row."""
        cell = self.sheet.cell(self.row, left)
        cell.value = value
        cell.alignment = Alignment(wrap_text=True, vertical="center")
        if fmt:
            cell.number_format = fmt
        if label:
            cell.fill = LABEL
        for row in range(self.row, self.row + height):
            for column in range(left, left + width):
                self.sheet.cell(row, column).border = BOX
        if width > 1 or height > 1:
            last = (self.row + height - 1, left + width - 1)
            self.sheet.merge_cells(start_row=self.row, start_column=left, end_row=last[0], end_column=last[1])

    def text_row(self, label: str, text: str) -> None:
        """A label with a text as wide as the page."""
        self.put(1, 7, label, label=True)
        self.put(8, COLUMNS - 7, text)
        self.sheet.row_dimensions[self.row].height = 15 * (1 + len(text) // 42)
        self.row += 1

    def heading(self, text: str) -> None:
        """A bold line between two tables, with an empty row above it."""
        self.row += 1
        cell = self.sheet.cell(self.row, 1)
        cell.value = text
        cell.font = Font(bold=True)
        self.row += 1


def _head(grid: Grid, sheet: Programme, year: int) -> None:
    title = grid.sheet.cell(1, 1)
    title.value = f"{era(year)}　{sheet.municipality}事務事業評価調書"
    title.font = Font(bold=True, size=14)
    grid.row = 3
    grid.put(1, 7, SPACED["事業名"], label=True)
    grid.put(8, 19, sheet.name(year))
    grid.put(27, 5, "整理番号", label=True)
    grid.put(32, 9, sheet.number)
    grid.row += 1
    grid.put(1, 7, SPACED["担当課"], label=True)
    grid.put(8, 19, sheet.department)
    grid.put(27, 5, "担当係", label=True)
    grid.put(32, 9, sheet.unit)
    grid.row += 1
    grid.put(1, 7, SPACED["作成者"], label=True)
    grid.put(8, 19, sheet.person)
    grid.put(27, 5, "作成日", label=True)
    grid.put(32, 9, datetime(year + 1, 6, 14), fmt="yyyy/m/d")
    grid.row += 1
    grid.put(1, 7, "開始年度", label=True)
    grid.put(8, 19, sheet.since)
    grid.put(27, 5, "実施方法", label=True)
    grid.put(32, 9, sheet.method)
    grid.row += 1
    grid.text_row("根拠法令等", sheet.law)
    grid.text_row("総合計画上の位置付け", sheet.policy)


def _indicators(grid: Grid, sheet: Programme, year: int) -> None:
    years = (year - 1, year, year + 1)
    grid.put(1, 4, "区分", label=True)
    grid.put(5, 13, "指標名", label=True)
    grid.put(18, 4, "単位", label=True)
    grid.put(22, 4, "", label=True)
    for place, one in enumerate(years):
        grid.put(26 + place * 5, 5, era(one), label=True)
    grid.row += 1
    for kind, indicators in (("活動", sheet.activities), ("成果", sheet.outcomes)):
        for one_indicator in indicators:
            grid.put(1, 4, kind, height=2, label=True)
            grid.put(5, 13, one_indicator.name, height=2)
            grid.put(18, 4, one_indicator.unit, height=2)
            for name in ("目標値", "実績値"):
                grid.put(22, 4, name, label=True)
                for place, one in enumerate(years):
                    printed = one_indicator.goal(one) if name == "目標値" else one_indicator.result(one)
                    if name == "実績値" and one > year:
                        printed = ""
                    grid.put(26 + place * 5, 5, *_cell(printed))
                grid.row += 1


def _cell(printed: str) -> tuple[str | float]:
    """A number as a number, anything else as text, as a clerk's keyboard leaves it."""
    try:
        return (float(printed.replace(",", "")),)
    except ValueError:
        return (printed,)


def _costs(grid: Grid, sheet: Programme, year: int) -> None:
    columns = [
        (year - 1, "plan"),
        (year - 1, "actual"),
        (year, "plan"),
        (year, "actual"),
        (year + 1, "plan"),
    ]
    costs = [sheet.costs(one, "plan" if kind == "plan" else "actual") for one, kind in columns]
    left, width = 16, 5
    grid.put(1, 15, "（単位：千円）", height=2, label=True)
    grid.put(left, width * 2, era(year - 1), label=True)
    grid.put(left + width * 2, width * 2, era(year), label=True)
    grid.put(left + width * 4, width, era(year + 1), label=True)
    grid.row += 1
    for place, (_, kind) in enumerate(columns):
        grid.put(left + place * width, width, "予算" if kind == "plan" else "決算", label=True)
    grid.row += 1
    # Past budgets print only the amount: funds and staff stand in the settled columns and the coming budget.
    full = [place for place, (one, kind) in enumerate(columns) if kind == "actual" or one > year]

    def row(name: str, values: list[int | float], shown: list[int], fmt: str = "#,##0") -> None:
        grid.put(4, 12, name, label=True)
        for place in range(len(columns)):
            grid.put(left + place * width, width, values[place] if place in shown else "", fmt=fmt)
        grid.row += 1

    grid.put(1, 3, "", label=True)
    row("事業費", [one.amount for one in costs], list(range(len(columns))))
    grid.put(1, 3, "財源内訳", height=len(FUNDS), label=True)
    for number, fund in enumerate(FUNDS):
        row(FUND_NAMES[fund], [one.funds[number] for one in costs], full)
    grid.put(1, 3, "人件費", height=2, label=True)
    row("職員数（人）", [one.staff for one in costs], full, fmt="0.0")
    row("人件費", [one.staff_cost for one in costs], full)
    grid.put(1, 3, "", label=True)
    row("総事業費", [one.total for one in costs], full)


def write_book(path: Path, programmes: tuple[Programme, ...], year: int) -> None:
    """One worksheet a programme, for those of this form that report on ``year``."""
    book = Workbook()
    book.remove(book.active)
    for sheet in programmes:
        if year not in sheet.reports or sheet.form:
            continue
        report = sheet.reports[year]
        grid = Grid(book.create_sheet(f"{sheet.number} {sheet.name(year)}"[:31]))
        _head(grid, sheet, year)
        grid.heading("１　事業の概要")
        grid.text_row("事業目的", sheet.purpose)
        grid.text_row("事業の対象", sheet.target)
        grid.text_row("事業概要", sheet.content)
        grid.text_row("実施状況", report.did)
        grid.heading("２　指標の推移")
        _indicators(grid, sheet, year)
        grid.heading("３　事業費の推移")
        _costs(grid, sheet, year)
        grid.heading("４　評価（５〜１の５段階、総合評価はＡ〜Ｄ）")
        for place, (name, value) in enumerate(zip(RATING_NAMES, report.ratings[:3], strict=True)):
            grid.put(1 + place * 10, 6, name, label=True)
            grid.put(7 + place * 10, 4, int(value))
        grid.put(31, 6, "総合評価", label=True)
        grid.put(37, 4, report.ratings[3])
        grid.row += 1
        grid.text_row("評価の説明", report.reason)
        if report.missed:
            grid.text_row("未達成の要因", report.missed)
        grid.heading("５　課題と今後の方向")
        grid.text_row("問題点・課題", report.issue)
        grid.text_row("今後の方向", report.direction)
        grid.text_row("次年度以降の取組", report.plan)
    book.properties.creator = "hyoka samples (invented)"
    book.properties.title = f"{programmes[0].municipality}事務事業評価調書 {era(year)}"
    book.save(path)
