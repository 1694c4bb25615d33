"""The figures of one programme over the years, from all of its sheets: for each year the sheet printed last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from corpus.documents import Fact, FactKind, Sheet
from corpus.forms.loader import clean_label
from corpus.normalize import squeeze

Printed = tuple[Sheet, Fact]
RowKey = tuple[str, str, FactKind | None, str]


@dataclass(frozen=True, slots=True)
class YearFigure:
    """A year's figure as the latest sheet prints it; ``before`` are earlier sheets that print another value, latest first."""

    sheet: Sheet
    fact: Fact
    before: tuple[Printed, ...] = ()


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One row (決算額, an indicator's target) over the fiscal years; ``label`` is as the latest sheet prints it."""

    field: str
    label: str
    kind: FactKind | None
    unit: str
    years: dict[int, YearFigure]


def row_key(fact: Fact) -> RowKey | None:
    """What makes figures of several sheets one row; None for what is no figure of a fiscal year.

    Labels must agree but for numbering and white space: 当初予算額 and 予算現額 are two rows.
    """
    if fact.value is None or fact.period is None or fact.period.kind != "fiscal_year":
        return None
    return fact.field, squeeze(clean_label(fact.label)), fact.kind, fact.unit


def history(printed: Iterable[Printed]) -> list[HistoryRow]:
    """The rows of a programme's sheets, in the order the latest sheet prints them, then those of earlier sheets."""
    rows: dict[RowKey, dict[int, list[Printed]]] = {}
    by_year = sorted(printed, key=lambda one: -(one[0].fiscal_year or 0))  # stable: each sheet's own order stays
    for sheet, fact in by_year:
        key = row_key(fact)
        if key is not None and fact.period is not None:
            found = rows.setdefault(key, {}).setdefault(fact.period.fiscal_year, [])
            if all(other.sheet_id != sheet.sheet_id for other, _ in found):  # a sheet speaks once, as it does alone
                found.append((sheet, fact))
    return [_row(key, rows[key]) for key in rows]


def _row(key: RowKey, years: dict[int, list[Printed]]) -> HistoryRow:
    figures = {}
    for year in sorted(years):
        (sheet, fact), *earlier = years[year]
        figures[year] = YearFigure(sheet, fact, tuple(one for one in earlier if one[1].value != fact.value))
    label = next(iter(years.values()))[0][1].label
    return HistoryRow(key[0], label, key[2], key[3], figures)


def completed(sheet: Sheet, printed: Sequence[Printed]) -> list[tuple[str, Sheet, Fact]]:
    """A sheet's own figures completed by the programme's other sheets: (the sheet's own label, where it is printed, fact).

    Each of its rows holds every year that any sheet prints, from the latest one; what is no figure of a fiscal year stays
    as it is.
    """
    own = [fact for one, fact in printed if one.sheet_id == sheet.sheet_id and fact.value is not None]
    rows = {key: row for row in history(printed) if (key := row_key(next(iter(row.years.values())).fact)) is not None}
    found: list[tuple[str, Sheet, Fact]] = []
    done: set[RowKey] = set()
    for fact in own:
        key = row_key(fact)
        if key is None:
            found.append((fact.label, sheet, fact))
        elif key not in done:
            done.add(key)
            found += [(fact.label, figure.sheet, figure.fact) for figure in rows[key].years.values()]
    return found
