"""Answers, hits, sheets and facts as tables of pandas, with numbers as numbers and days as days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assistant.papers import is_year, quantity, table_of
from assistant.schemas import AnswerJson, SearchJson, SheetJson
from index.types import SheetFact

if TYPE_CHECKING:
    from pandas import DataFrame, Series

# pandas is imported inside: it takes half a second, and the command line has no use for it.


def citations_frame(answer: AnswerJson) -> DataFrame:
    """The citations of an answer, a row each, numbered as its [1] marks."""
    found = answer.citations
    return _frame(
        n=("Int64", [one.n for one in found]),
        municipality=("string", [one.municipality for one in found]),
        fiscal_year=("Int64", [one.fiscal_year for one in found]),
        sheet=("string", [one.sheet for one in found]),
        department=("string", [one.department for one in found]),
        section=("string", [one.section for one in found]),
        quote=("string", [one.quote for one in found]),
        file=("string", [one.source.file for one in found]),
        where=("string", [one.where for one in found]),
        page=("Int64", [one.source.page for one in found]),
        start=("Int64", [one.source.start for one in found]),
        end=("Int64", [one.source.end for one in found]),
        sheet_id=("string", [one.sheet_id for one in found]),
    )


def table_frame(answer: AnswerJson) -> DataFrame:
    """The table of an answer (or the figures of its chart); without rows where it has none.

    A column whose cells are all numbers of one unit is numeric, with the unit in its name, 決算額（円）, and in
    ``frame.attrs["units"]``. The numbers of the citations behind a row stand in the column ``citations``.
    """
    import pandas

    table = table_of(answer)
    if table is None:
        return pandas.DataFrame()
    columns: dict[str, Series[Any]] = {}
    units: dict[str, str] = {}
    for at, name in enumerate(table.columns):
        cells = [row[at] if at < len(row) else None for row in table.rows]
        values, unit = _numbers(cells, is_year(name))
        title = f"{name}（{unit}）" if unit and f"（{unit}）" not in name else name
        while title in columns:
            title += "'"
        columns[title] = values
        if unit:
            units[title] = unit
    if any(table.citations):
        columns["citations"] = pandas.Series([tuple(numbers) for numbers in table.citations], dtype="object")
    made = pandas.DataFrame(columns)
    made.attrs["units"] = units
    return made


def hits_frame(found: SearchJson) -> DataFrame:
    """The passages of a search, best first."""
    hits = found.hits
    return _frame(
        municipality=("string", [one.municipality for one in hits]),
        fiscal_year=("Int64", [one.fiscal_year for one in hits]),
        sheet=("string", [one.sheet for one in hits]),
        department=("string", [one.department for one in hits]),
        section=("string", [one.section for one in hits]),
        text=("string", [one.text for one in hits]),
        score=("float64", [one.score for one in hits]),
        chance=("float64", [one.chance for one in hits]),
        file=("string", [one.source.file for one in hits]),
        page=("Int64", [one.source.page for one in hits]),
        sheet_id=("string", [one.sheet_id for one in hits]),
    )


def sheets_frame(sheets: Sequence[SheetJson]) -> DataFrame:
    """Sheets, a row each."""
    return _frame(
        municipality=("string", [one.municipality for one in sheets]),
        fiscal_year=("Int64", [one.fiscal_year for one in sheets]),
        sheet=("string", [one.sheet for one in sheets]),
        department=("string", [one.department for one in sheets]),
        kind=("category", [one.kind for one in sheets]),
        file=("string", [one.file for one in sheets]),
        sheet_id=("string", [one.sheet_id for one in sheets]),
    )


def facts_frame(facts: Sequence[SheetFact]) -> DataFrame:
    """Figures and ratings, a row each. ``start`` and ``end`` are the days of the period, the end not in it; ``interval`` is
    the same as one value. ``fiscal_year`` is the year the sheet reports on, ``kind`` plan or actual."""
    import pandas

    periods = [one.fact.period for one in facts]
    made = _frame(
        municipality=("string", [one.sheet.municipality for one in facts]),
        fiscal_year=("Int64", [one.sheet.fiscal_year for one in facts]),
        sheet=("string", [one.sheet.name for one in facts]),
        department=("string", [one.sheet.department for one in facts]),
        field=("string", [one.fact.field for one in facts]),
        label=("string", [one.fact.label for one in facts]),
        period=("string", [None if one is None else one.label for one in periods]),
        start=("datetime64[s]", [None if one is None else str(one.start) for one in periods]),
        end=("datetime64[s]", [None if one is None else str(one.end) for one in periods]),
        kind=("category", [one.fact.kind for one in facts]),
        value=("Float64", [one.fact.value for one in facts]),
        unit=("string", [one.fact.unit for one in facts]),
        text=("string", [one.fact.text for one in facts]),
        file=("string", [one.sheet.file for one in facts]),
        sheet_id=("string", [one.sheet.sheet_id for one in facts]),
    )
    days = pandas.arrays.IntervalArray.from_arrays(made["start"], made["end"], closed="left")
    made.insert(9, "interval", pandas.Series(days, index=made.index))
    return made


def _frame(**columns: tuple[str, list[Any]]) -> DataFrame:
    import pandas

    return pandas.DataFrame({name: pandas.Series(values, dtype=kind) for name, (kind, values) in columns.items()})


def _numbers(cells: list[str | int | float | None], years: bool) -> tuple[Series[Any], str]:
    """A column as numbers with their unit, or as text where it is not all numbers of one unit."""
    import pandas

    given = [cell for cell in cells if cell is not None and cell != ""]
    found = [quantity(cell) for cell in given]
    units = {one.unit for one in found if one is not None}
    if not given or None in found or len(units) != 1:
        if all(isinstance(cell, str) for cell in given):
            return pandas.Series(cells, dtype="string"), ""
        return pandas.Series(cells, dtype="object"), ""
    held = [None if cell is None or cell == "" else quantity(cell) for cell in cells]
    whole = years or all(one is None or isinstance(one.value, int) for one in held)
    values = [None if one is None else one.value for one in held]
    return pandas.Series(values, dtype="Int64" if whole else "Float64"), units.pop()
