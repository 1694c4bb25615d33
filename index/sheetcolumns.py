"""The sheets of an index as columns: which pass some filters, in what order they come, and how many have which value."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from itertools import repeat

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from corpus.documents import Sheet
from corpus.normalize import squeeze
from index.readings import reading, readings
from index.sheetvalues import amount_class, wanted
from index.types import Filters, Order, SheetValues

Numbers = NDArray[np.int64]

FACETS = ("municipality", "fiscal_year", "department", "rating", "budget")
"""The facets of a whole sheet; the section (欄) is one of a passage."""

_LEAST_SOUND = 3  # kana; shorter words sound like parts of everything
_LIKE, _LIKE_LETTERS = 90.0, 80.0  # of 100
_AS_GOOD = 2.0
_MOST_NAMES = 3


_SMALL = str.maketrans("ァィゥェォッャュョヮ", "アイウエオツヤユヨワ")


def dictionary_key(sound: str) -> tuple[str, str]:
    """Katakana as a dictionary orders them: voiced and small kana like the plain ones, and after them.

    >>> sorted(["トショカン", "ドウロ", "トウロク"], key=dictionary_key)
    ['ドウロ', 'トウロク', 'トショカン']
    """
    plain = "".join(one for one in unicodedata.normalize("NFD", sound) if not unicodedata.combining(one))
    return plain.translate(_SMALL), sound


class SheetColumns:
    """What is known of every sheet without reading it, by the sheets' numbers."""

    def __init__(
        self, sheets: Sequence[Sheet], values: Sequence[SheetValues], gone: NDArray[np.bool_] | None = None
    ) -> None:
        """``gone`` says of every sheet whether an update removed it."""
        self.values = values
        self._sheets = sheets
        self._gone = gone
        self._classes = [amount_class(one.amount) for one in values]
        self.passing = lru_cache(maxsize=64)(self._passing)

    def _passing(self, filters: Filters) -> Numbers | None:
        """Numbers of the sheets that pass, in order; None when nothing is filtered. The section is not looked at."""
        if not any(getattr(filters, name) for name in FACETS):
            return None
        cities = {squeeze(m) for m in filters.municipality}
        departments = {squeeze(d) for d in filters.department}
        ratings = {squeeze(r) for r in filters.rating}
        classes = {squeeze(c) for c in filters.budget}
        years = set(filters.fiscal_year)
        passing = [
            i
            for i, s in enumerate(self._sheets)
            if (not cities or squeeze(s.municipality) in cities)
            and (not years or s.fiscal_year in years)
            and (
                not departments or not departments.isdisjoint(squeeze(d) for d in (s.department, *s.department.split()))
            )
            and (not ratings or self._rated(i, ratings))
            and (not classes or squeeze(self._classes[i]) in classes)
        ]
        found = np.array(passing, dtype=np.int64)
        return found if self._gone is None else found[~self._gone[found]]

    def _rated(self, number: int, wanted_ratings: set[str]) -> bool:
        """Whether a sheet has one of some ratings: 総合評価：A, or A in whatever field."""
        for rating in self.values[number].ratings:
            key = squeeze(rating)
            if key in wanted_ratings or key.split(":", 1)[1] in wanted_ratings:
                return True
        return False

    def ordered(self, numbers: Numbers, order: Order) -> Numbers:
        """Positions that bring sheets, given best first, into an order; equals stay best first."""
        if order == "year":
            return np.argsort(-self._years[numbers], kind="stable")
        if order == "amount":
            return np.argsort(-self._amounts[numbers], kind="stable")
        if order == "name":
            return np.argsort(self._names[numbers], kind="stable")
        return np.arange(len(numbers))

    def counts(self, facet: str, numbers: Iterable[int], times: Iterable[int] = repeat(1)) -> dict[str, int]:
        """How many of some sheets have each value of a facet, the most frequent first; amounts and ratings as listed.

        ``times`` says how often each of them counts.
        """
        counted: Counter[str] = Counter()
        for number, n in zip(numbers, times, strict=False):
            sheet = self._sheets[number]
            if facet == "rating":
                for rating in self.values[number].ratings:
                    counted[rating] += n
            elif facet == "budget":
                counted[self._classes[number]] += n
            elif facet == "fiscal_year":
                counted["" if sheet.fiscal_year is None else str(sheet.fiscal_year)] += n
            else:
                counted[sheet.municipality if facet == "municipality" else sheet.department] += n
        del counted[""]
        if facet == "budget":
            return {one.name: counted[one.name] for one in wanted().classes if one.name in counted}
        found = counted.most_common()
        if facet == "rating":
            place = {field: at for at, field in enumerate(wanted().ratings)}
            found.sort(key=lambda item: (place[item[0].split("：", 1)[0]], item[0]))  # A before B
        return dict(found)

    def names_like(self, words: str) -> list[str]:
        """The names of sheets and departments that are written or sound like some words, the likest first.

        A wrong conversion of the keyboard keeps the sound, and kana have no other. A name that holds the words as they
        are is no news.
        """
        key, sound = squeeze(words), reading(words)
        if len(sound) < _LEAST_SOUND:
            return []
        likeness = process.cdist([sound], self._sounding, scorer=fuzz.partial_ratio, score_cutoff=_LIKE)[0]
        letters = process.cdist([key], self._keys, scorer=fuzz.partial_ratio, score_cutoff=_LIKE_LETTERS)[0]
        for at, other in enumerate(self._keys):
            # A short name is part of many words; a name that holds the words as they are is no news.
            short = len(self._sounding[at]) < len(sound)
            likeness[at] = 0 if short or key in other else max(likeness[at], letters[at] if len(key) > 4 else 0)
        best = float(likeness.max(initial=0.0))
        order = np.argsort(-likeness, kind="stable")[:_MOST_NAMES].tolist()
        return [self._named[at] for at in order if likeness[at] > 0 and likeness[at] >= best - _AS_GOOD]

    @cached_property
    def _named(self) -> list[str]:
        gone = self._gone
        sheets = self._sheets if gone is None else [s for i, s in enumerate(self._sheets) if not gone[i]]
        departments = (part for s in sheets for part in (s.department, *s.department.split()) if part)
        return list(dict.fromkeys((*(s.name for s in sheets), *departments)))

    @cached_property
    def _keys(self) -> list[str]:
        return [squeeze(name) for name in self._named]

    @cached_property
    def _sounding(self) -> list[str]:
        return readings(self._named)

    @cached_property
    def _years(self) -> Numbers:
        return np.array([s.fiscal_year or 0 for s in self._sheets], dtype=np.int64)

    @cached_property
    def _amounts(self) -> NDArray[np.float64]:
        return np.array([-np.inf if v.amount is None else v.amount for v in self.values], dtype=np.float64)

    @cached_property
    def _names(self) -> Numbers:
        """The rank of each sheet's name by its sound; names that sound alike share one."""
        sounds = readings([s.name for s in self._sheets])
        ranks = {sound: rank for rank, sound in enumerate(sorted(set(sounds), key=dictionary_key))}
        return np.array([ranks[sound] for sound in sounds], dtype=np.int64)
