"""The sheets of an index as columns: which pass some filters, in what order they come, and how many have which value."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from corpus.normalize import squeeze
from index.facets import department_words, rating_words
from index.readings import reading, readings
from index.sheetvalues import wanted
from index.tables import NO_YEAR, Tables
from index.types import Filters, Order, SheetValues

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]

FACETS = ("municipality", "fiscal_year", "department", "rating", "budget")
"""The facets of a whole sheet; the section (欄) is one of a passage."""

_LEAST_SOUND = 3  # kana; shorter words sound like parts of everything
_LIKE, _LIKE_LETTERS = 90.0, 80.0  # of 100
_AS_GOOD = 2.0
_MOST_NAMES = 3
_KEPT_FILTERS = 32  # a byte a sheet each
_KEPT_SOUNDS = 1 << 15
_MOST_NAMED = 200  # municipalities in one query


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

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.passing = lru_cache(maxsize=_KEPT_FILTERS)(self._passing)
        self._sound = lru_cache(maxsize=_KEPT_SOUNDS)(lambda name: dictionary_key(readings([tables.names[name]])[0]))

    @cached_property
    def seen(self) -> tuple[str, ...] | None:
        """The municipalities of all sheets that are there, where others are hidden and these are few enough to name."""
        t = self._tables
        if not t.hides or t.gone is None:
            return None
        codes = np.unique(t.municipality[~t.gone])
        return tuple(t.municipalities[code] for code in codes.tolist()) if 0 < len(codes) <= _MOST_NAMED else None

    def values(self, number: int) -> SheetValues:
        """The ratings and amounts of a sheet."""
        return self._tables.values(number)

    def _passing(self, filters: Filters) -> Flags | None:
        """For every sheet whether it passes; None when nothing is filtered. The section is not looked at."""
        t = self._tables
        found: list[Flags] = []
        if filters.municipality:
            found.append(_having(self._municipality_words, filters.municipality)[t.municipality])
        if filters.fiscal_year:
            found.append(np.isin(t.year, filters.fiscal_year))
        if filters.department:
            found.append(_having(self._department_words, filters.department)[t.department])
        if filters.rating:
            rated = np.zeros(len(t.year), dtype=bool)
            places = np.flatnonzero(_having(self._rating_words, filters.rating)[t.rated])
            rated[np.searchsorted(t.rating_starts, places, side="right") - 1] = True
            found.append(rated)
        if filters.budget:
            classes = [frozenset([squeeze(name)]) for name in self._class_names]
            found.append(_having(classes, filters.budget)[self._classes])
        if found and t.gone is not None:
            found.append(~t.gone)
        passing: Flags | None = np.logical_and.reduce(found) if found else None
        return passing

    def ordered(self, numbers: Numbers, order: Order) -> Numbers:
        """Positions that bring sheets, given best first, into an order; equals stay best first."""
        if order == "year":
            years = self._tables.year[numbers].astype(np.int64)
            return np.argsort(-np.where(years == NO_YEAR, 0, years), kind="stable")
        if order == "amount":
            amounts = self._amounts(numbers)
            return np.argsort(-np.where(np.isnan(amounts), -np.inf, amounts), kind="stable")
        if order == "name":
            names, of = np.unique(self._tables.name[numbers], return_inverse=True)
            sounds = [self._sound(name) for name in names.tolist()]
            rank = {sound: at for at, sound in enumerate(sorted(set(sounds)))}
            return np.argsort(np.array([rank[sound] for sound in sounds], dtype=np.int64)[of], kind="stable")
        return np.arange(len(numbers))

    def counts(self, facet: str, numbers: Numbers, times: Numbers | None = None) -> dict[str, int]:
        """How many of some sheets have each value of a facet, the most frequent first; amounts and ratings as listed.

        ``times`` says how often each of them counts.
        """
        t = self._tables
        if facet == "rating":
            starts = t.rating_starts[numbers].astype(np.int64)
            lengths = t.rating_starts[numbers + 1] - starts
            at = np.arange(lengths.sum()) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
            rated = counted_codes(t.rated[at], None if times is None else np.repeat(times, lengths))
            place = {field: at for at, field in enumerate(wanted().ratings)}
            found = [(t.ratings[code], count) for code, count in rated]
            found.sort(key=lambda item: (place[item[0].split("：", 1)[0]], item[0]))  # A before B
            return dict(found)
        if facet == "budget":
            counted = dict(counted_codes(self._classes[numbers], times))
            return {name: counted[code] for code, name in enumerate(self._class_names[:-1]) if code in counted}
        if facet == "fiscal_year":
            return {str(year): count for year, count in counted_codes(t.year[numbers], times) if year != NO_YEAR}
        texts, column = (t.municipalities, t.municipality) if facet == "municipality" else (t.departments, t.department)
        return {texts[code]: count for code, count in counted_codes(column[numbers], times) if texts[code]}

    def _amounts(self, numbers: Numbers | slice) -> NDArray[np.float64]:
        """What was spent, or what was planned where nothing is printed as spent; NaN where neither is."""
        settled = self._tables.settled[numbers]
        return np.where(np.isnan(settled), self._tables.planned[numbers], settled)

    @cached_property
    def _class_names(self) -> list[str]:
        """The classes of amounts as they are listed, and the empty name of no amount."""
        return [*(one.name for one in wanted().classes), ""]

    @cached_property
    def _classes(self) -> NDArray[np.int8]:
        """The class of every sheet's amount, as a place in the list of names."""
        amounts = self._amounts(slice(None))
        classes = np.full(len(amounts), len(self._class_names) - 1, dtype=np.int8)
        open_ = ~np.isnan(amounts)
        for at, one in enumerate(wanted().classes):
            fits = open_ if one.below is None else open_ & (amounts < one.below)
            classes[fits] = at
            open_ &= ~fits
        return classes

    @cached_property
    def _municipality_words(self) -> list[frozenset[str]]:
        return [frozenset([squeeze(name)]) for name in self._tables.municipalities]

    @cached_property
    def _department_words(self) -> list[frozenset[str]]:
        return [department_words(name) for name in self._tables.departments]

    @cached_property
    def _rating_words(self) -> list[frozenset[str]]:
        return [rating_words(name) for name in self._tables.ratings]

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
        t = self._tables
        names: Iterable[str] = t.names
        all_departments: Iterable[str] = t.departments
        if t.gone is not None:
            names = [t.names[code] for code in np.unique(t.name[~t.gone]).tolist()]
            all_departments = [t.departments[code] for code in np.unique(t.department[~t.gone]).tolist()]
        departments = (part for name in all_departments for part in (name, *name.split()) if part)
        return list(dict.fromkeys((*names, *departments)))

    @cached_property
    def _keys(self) -> list[str]:
        return [squeeze(name) for name in self._named]

    @cached_property
    def _sounding(self) -> list[str]:
        return readings(self._named)


def _having(words: Sequence[frozenset[str]], chosen: Iterable[object]) -> Flags:
    """For each of some values whether one of its words is chosen."""
    keys = {squeeze(str(one)) for one in chosen}
    return np.array([not keys.isdisjoint(own) for own in words], dtype=bool)


def counted_codes(codes: NDArray[np.integer[Any]], times: Numbers | None = None) -> list[tuple[int, int]]:
    """How often each code stands there, the most frequent first; of equally frequent ones the one that came first.

    ``times`` says how often each place counts.
    """
    return Counter((codes if times is None else np.repeat(codes, times)).tolist()).most_common()
