"""The same figure printed differently in two places: one programme, row, year and kind, two values."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.context import Context
from corpus.documents import Fact, Sheet
from corpus.histories import row_key
from index.types import SheetFact

# A printed figure may be rounded to the thousand or to one decimal; what differs by less says the same.
_ROUNDED_MONEY, _ROUNDED = 1000.0, 0.1


def otherwise(context: Context, sheet: Sheet, facts: Sequence[Fact]) -> dict[Fact, list[SheetFact]]:
    """For each figure shown of a sheet the places (this sheet, its programme's other years) that print another value."""
    sheets = [one.sheet_id for one in context.index.timeline(sheet.sheet_id)] or [sheet.sheet_id]
    places: dict[object, list[SheetFact]] = {}
    for found in context.index.facts(sheets):
        if not found.fact.inferred:
            places.setdefault(_cell(found.fact), []).append(found)
    told: dict[Fact, list[SheetFact]] = {}
    for fact in facts:
        others = [one for one in places.get(_cell(fact), ()) if _differs(fact, one.fact)] if not fact.inferred else []
        if others:
            told[fact] = list({(one.sheet.sheet_id, one.fact.value): one for one in others}.values())
    return told


def _cell(fact: Fact) -> object:
    key = row_key(fact)
    return None if key is None or fact.period is None else (key, fact.period.fiscal_year)


def _differs(first: Fact, second: Fact) -> bool:
    if _cell(first) is None or first.value is None or second.value is None:
        return False
    return abs(first.value - second.value) >= (_ROUNDED_MONEY if first.unit == "円" else _ROUNDED)
