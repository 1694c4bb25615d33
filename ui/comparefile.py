"""A comparison as a table for Excel, CSV and Word: a row a field, a figure or a count, with the place of each in its file."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from assistant.payload import Sources
from assistant.spreadsheets import CELL_LIMIT, csv_cell
from assistant.wordlist import Noted
from corpus.documents import Sheet, Span
from ui.comparison import Comparison, against
from ui.export import SheetOfCells
from ui.municipalities import SPENT, CityYear
from ui.render import sheet_url, year_label
from ui.sidebyside import NUMBERS, figure_title, place_of, sheet_label

Value = str | int | float | None
NONE = "記載なし"


class Notes:
    """The places of the values of a comparison, gathered while its table is made; ``root`` begins the links."""

    def __init__(self, sources: Sources, root: str) -> None:
        self.found: list[Noted] = []
        self._sources, self._root = sources, root.rstrip("/")

    def add(self, row: int, column: int, sheet: Sheet, span: Span) -> None:
        """The value at a row and a column stands there in a sheet."""
        quote = self._sources.text(sheet.file, span)
        link = f"{self._root}{sheet_url(sheet.sheet_id, span)}" if self._root else ""
        where = "／".join(one for one in (sheet.municipality, sheet.name, self._sources.named(sheet.file, span)) if one)
        self.found.append(Noted(row, column, where, quote[:CELL_LIMIT], link))


def sheets_table(comparison: Comparison, sources: Sources, notes: Notes | None = None) -> SheetOfCells:
    """The comparison of sheets: what each says or prints, what is computed of it (marked so), and where it stands."""
    columns, noted = comparison.columns, notes or Notes(sources, "")
    many = range(len(columns))
    rows: list[list[Value]] = []
    blank: list[Value] = [None] * (2 * max(0, len(columns) - 1))

    def add(
        kind: str, name: str, year: str, values: Sequence[Value], places: Sequence[Value], computed: Sequence[Value]
    ) -> None:
        rows.append([kind, name, year, *values, *(computed or blank), *places])

    for name, values in (
        ("自治体", [one.sheet.municipality for one in columns]),
        ("年度", [year_label(one.sheet.fiscal_year) for one in columns]),
        ("担当", [one.sheet.department for one in columns]),
    ):
        add("シート", name, "", values, [one.sheet.file for one in columns], [])
    for row in (*comparison.fields, *comparison.others):
        texts = ["\n".join(part.text.strip() for part in cell)[:CELL_LIMIT] or NONE for cell in row.cells]
        places = [
            "、".join(dict.fromkeys(place_of(one.document, one.sheet, part) for part in cell))
            for one, cell in zip(columns, row.cells, strict=True)
        ]
        add("記載内容", row.field, "", texts, places, [])
        for at, cell in enumerate(row.cells):
            for part in cell:
                noted.add(len(rows) - 1, 3 + at, columns[at].sheet, part.span)
    for rating in comparison.ratings:
        texts = ["、".join(fact.text for fact in cell) or NONE for cell in rating.cells]
        places = [
            "、".join(dict.fromkeys(place_of(one.document, one.sheet, fact) for fact in cell))
            for one, cell in zip(columns, rating.cells, strict=True)
        ]
        add("評価・区分", rating.field, "", texts, places, [])
        for at, marks in enumerate(rating.cells):
            for fact in marks:
                noted.add(len(rows) - 1, 3 + at, columns[at].sheet, fact.quote)
    for figures in comparison.figures:
        for year in figures.years:
            found = [cell.get(year) for cell in figures.cells]
            numbers = [None if one is None else one.fact.value for one in found]
            held = [against(numbers[0], number) for number in numbers[1:]]
            gaps: list[Value] = [None if one is None else one.difference for one in held]
            shares: list[Value] = [
                None if one is None or one.share is None else round(one.share * 100, 1) for one in held
            ]
            add(
                "金額と指標",
                figure_title(figures),
                year_label(year),
                [NONE if number is None else number for number in numbers],
                ["" if one is None else sources.named(one.sheet.file, one.fact.quote) for one in found],
                [*gaps, *shares],
            )
            for at, figure in enumerate(found):
                if figure is not None:
                    noted.add(len(rows) - 1, 3 + at, figure.sheet, figure.fact.quote)
    head = [
        "区分", "項目", "年度",
        *(sheet_label(columns, at) for at in many),
        *(f"{NUMBERS[at]}−①（計算）" for at in many[1:]),
        *(f"{NUMBERS[at]}÷①％（計算）" for at in many[1:]),
        *(f"{NUMBERS[at]}の出典" for at in many),
    ]  # fmt: skip
    return SheetOfCells(columns=head, rows=rows)


def cities_table(
    cities: Sequence[CityYear],
    over_years: Sequence[Mapping[int, CityYear]],
    sources: Sources,
    notes: Notes | None = None,
) -> SheetOfCells:
    """The comparison of municipalities: counts and sums (computed), the sums ``over_years``, then every figure that was counted with its place."""
    noted = notes or Notes(sources, "")
    rows: list[list[Value]] = []

    def add(kind: str, name: str, values: Sequence[Value], places: Sequence[Value] = ()) -> None:
        rows.append([kind, name, *values, *(places or [None] * len(cities))])

    add("自治体", "年度", [year_label(city.year) for city in cities])
    add("件数（計算）", "シート数", [len(city.sheets) or NONE for city in cities])
    for name in SPENT:
        if any(name in city.sums for city in cities):
            found = [city.sums.get(name) for city in cities]
            add("合計（計算）", f"{_settled(name)}の合計（円）", [NONE if one is None else one.total for one in found])
            add("件数（計算）", f"{name}を数えたシート数", [0 if one is None else len(one.figures) for one in found])
    for name in SPENT:
        years = sorted({year for one in over_years for year, city in one.items() if name in city.sums})
        for year in years if len(years) > 1 else ():
            sums = [one[year].sums.get(name) if year in one else None for one in over_years]
            title = f"{_settled(name)}の合計（円）{year_label(year)}"
            add("年度別の合計（計算）", title, [NONE if one is None else one.total for one in sums])
            add(
                "年度別の件数（計算）",
                f"{title}に数えたシート数",
                [0 if one is None else len(one.figures) for one in sums],
            )
    for name in dict.fromkeys(name for city in cities for name in city.ratings):
        for mark in dict.fromkeys(mark for city in cities for mark in city.ratings.get(name, {})):
            # No such mark under a rating that is printed is zero; a rating that is not printed is not.
            counts: list[Value] = [
                len(city.ratings[name].get(mark, ())) if name in city.ratings else NONE for city in cities
            ]
            add("評価の件数（計算）", f"{name}：{mark}", counts)
    for at, city in enumerate(cities):
        for name, amount in city.sums.items():
            for one in amount.figures:
                values: list[Value] = [None] * len(cities)
                places: list[Value] = [None] * len(cities)
                values[at], places[at] = one.fact.value, sources.named(one.sheet.file, one.fact.quote)
                add("内訳", f"{_settled(name)}（円）：{one.sheet.name}", values, places)
                noted.add(len(rows) - 1, 2 + at, one.sheet, one.fact.quote)
    head = ["区分", "項目", *(city.municipality for city in cities), *(f"{city.municipality}の出典" for city in cities)]
    return SheetOfCells(columns=head, rows=rows)


def _settled(name: str) -> str:
    return name if "決算" in name else f"{name}・決算"


def csv_bytes(table: SheetOfCells) -> bytes:
    """CSV with a byte order mark, so that Excel reads it; a text that starts like a formula gets an apostrophe."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    lines: list[list[Value]] = [list(table.columns), *table.rows]
    for row in lines:
        writer.writerow([csv_cell(value) for value in row])
    return out.getvalue().encode("utf-8-sig")
