"""The printed rows of sheets as figures over the periods, completed from the sheets of other years where that is asked."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.context import Context
from corpus.documents import Fact, Sheet
from corpus.histories import completed

Rows = dict[tuple[str, str], list[Fact]]  # (sheet id, label) -> its figures


def printed_rows(context: Context, sheets: Sequence[Sheet], over_years: bool) -> tuple[Rows, dict[Fact, Sheet]]:
    """The rows of some sheets, and for figures that another year's sheet prints that sheet.

    ``over_years`` completes each row with what the programme's other sheets print of it; a later sheet's figure stands
    for an earlier one's. Years that the filters leave out stay out.
    """
    rows: Rows = {}
    origin: dict[Fact, Sheet] = {}
    for found in context.index.facts([sheet.sheet_id for sheet in sheets]):
        if found.fact.value is not None:
            rows.setdefault((found.sheet.sheet_id, found.fact.label), []).append(found.fact)
    years = context.query.filters.fiscal_year
    for sheet in sheets if over_years else ():
        timeline = [one for one in context.index.timeline(sheet.sheet_id) if not years or one.fiscal_year in years]
        if len(timeline) < 2:
            continue
        printed = [(one.sheet, one.fact) for one in context.index.facts([one.sheet_id for one in timeline])]
        longer: Rows = {}
        for label, source, fact in completed(sheet, printed):
            longer.setdefault((sheet.sheet_id, label), []).append(fact)
            origin[fact] = source
        rows.update(longer)
    return rows, origin
