"""Search sheet by sheet: what the words find in the whole index, then filters, an order and counts over all of it.

The filters come after the ranking, so that a facet that says 12 gives 12 when it is chosen. Only where the words meet
more passages than are ranked are the filters applied before: then a chosen town is searched to its end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from index.fusion import Candidates, Ranking
from index.records import Records
from index.sheetcolumns import FACETS, SheetColumns
from index.synonyms import QueryWords
from index.types import Filters, Order, Passage, SheetHit, SheetsFound

Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Found:
    """All hits of a query: positions of ``candidates``, ``best`` first, one a section.

    ``complete`` says that every passage in which a word of the query stands was ranked.
    """

    looked_for: QueryWords
    candidates: Candidates
    ranking: Ranking
    best: Positions
    complete: bool = True
    scored: int = 0
    note: str = ""


class SheetSearch:
    """Groups, filters, orders and counts the hits of a query by their sheets."""

    def __init__(
        self,
        records: Records,
        columns: SheetColumns,
        find: Callable[[str, Filters], Found],
        passages: Callable[[Found, Sequence[int]], list[Passage]],
    ) -> None:
        """``find`` ranks a query under filters, ``passages`` reads hits by their positions."""
        self._records = records
        self._columns = columns
        self._find = find
        self._passages = passages

    def search(self, query: str, k: int, filters: Filters, offset: int, order: Order, others: int) -> SheetsFound:
        """See :class:`index.types.Index`."""
        found, hits = self._under(query, filters)
        sheets = found.candidates.sheets[hits]
        firsts = np.sort(np.unique(sheets, return_index=True)[1])  # the best hit of each sheet, best first
        numbers = sheets[firsts]
        shown = numbers[self._columns.ordered(numbers, order)][offset : offset + k]
        groups = [hits[sheets == number] for number in shown.tolist()]
        passages = iter(self._passages(found, [i for group in groups for i in group[: others + 1].tolist()]))
        cards = []
        for number, group in zip(shown.tolist(), groups, strict=True):
            own = [next(passages) for _ in group[: others + 1]]
            cards.append(SheetHit(own[0], tuple(own[1:]), len(group), self._columns.values(number)))
        facets = {name: self._counts(query, filters, name) for name in (*FACETS[:3], "section", *FACETS[3:])}
        return SheetsFound(len(numbers), len(hits), tuple(cards), facets, found.note)

    def _under(self, query: str, filters: Filters) -> tuple[Found, Positions]:
        """The ranking of a query, and the positions of the hits that pass the filters, best first."""
        found = self._find(query, Filters())
        if not found.complete and filters != Filters():
            found = self._find(query, filters)
            return found, found.best
        hits = found.best
        passing = self._columns.passing(replace(filters, section=()))
        if passing is not None:
            hits = hits[passing[found.candidates.sheets[hits]]]
        if filters.section:
            hits = hits[self._records.named_sections(filters.section)[found.candidates.sections[hits]]]
        return found, hits

    def _counts(self, query: str, filters: Filters, name: str) -> dict[str, int]:
        """The sheets of each value of a facet, as if nothing of that facet were chosen."""
        found, hits = self._under(query, replace(filters, **{name: ()}))
        sheets = found.candidates.sheets[hits]
        if name != "section":
            return self._columns.counts(name, np.unique(sheets))
        fields, names = self._records.field_numbers(found.candidates.sections[hits])
        pairs = np.unique(sheets * len(names) + fields)  # a sheet counts once for each of its fields
        numbers, times = np.unique(pairs % max(len(names), 1), return_counts=True)
        counted = sorted(zip(times.tolist(), numbers.tolist(), strict=True), key=lambda pair: (-pair[0], pair[1]))
        return {name: count for count, number in counted if (name := names[number])}
