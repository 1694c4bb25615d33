"""Other programmes about the like of a sheet, each with words that both say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from index.records import Records
from index.similar import SheetNeighbours, shared_words, word_runs
from index.types import PERSON_FIELD, SimilarSheet, Vectors

_YEARS_OF_ONE = 5
# Sections that say whose a programme is, not what it is about.
_WHOSE = frozenset([PERSON_FIELD, "担当課", "担当係"])


class SimilarSheets:
    """Looks for them among the sheets of a snapshot, by the rows of ``vectors`` and by their words as ``encode`` knows them."""

    def __init__(self, records: Records, vectors: Vectors, encode: Callable[[list[str]], Vectors]) -> None:
        self._records = records
        self._encode = encode
        tables = self._records.tables
        forms = np.unique(tables.municipality.astype(np.int64) * len(tables.forms) + tables.form, return_inverse=True)[
            1
        ]
        programmes = np.array([kind == "programme" for kind in tables.kinds], dtype=bool)[tables.kind]
        self._neighbours = SheetNeighbours(vectors, forms, programmes, tables.gone)

    def of(self, number: int, k: int) -> list[SimilarSheet]:
        """At most ``k`` for a sheet's number, nearest first, one sheet a programme."""
        near = self._neighbours
        own = self._records.tables.one_programme(number)
        wanted: list[tuple[int, float]] = []
        passed: set[int] = set()
        # Room for the years of one programme, of which only the nearest is told.
        for other, score in near.nearest(number, k + _YEARS_OF_ONE * k, own):
            if other not in passed and len(wanted) < k:
                wanted.append((other, score))
                passed |= set(self._records.tables.one_programme(other))
        words = word_runs(self._told(number)) if wanted else []
        return [
            SimilarSheet(
                self._records.sheets[other],
                score,
                shared_words(words, self._told(other), near.direction(number) + near.direction(other), self._encode),
            )
            for other, score in wanted
        ]

    def _told(self, number: int) -> str:
        """A sheet's name and its sections, without those that name staff or the office."""
        parts = [row.section.text for row in self._records.sections([number]) if row.section.field not in _WHOSE]
        return "。".join([self._records.sheets[number].name, *parts])
