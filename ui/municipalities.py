"""Municipalities side by side as values: how many sheets, what they spent, how they were rated. No HTML."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from corpus.documents import Fact, Sheet
from corpus.normalize import normalize
from index.types import Filters, Index, SheetFact
from ui.facts import AMOUNT_FIELDS, amount_of

BIGGEST = 5
# Fields that judge; 実施方法, 種別 … are choices, but no rating.
_RATING = re.compile(
    r"評価|達成|必要性|妥当性|適切性|有効性|効率性|公平性|効果|方針|方向性|余地|削減|見直し|指標の実績"
)
SPENT = tuple(name for name in AMOUNT_FIELDS if name != "予算額")


@dataclass(frozen=True, slots=True)
class Sum:
    """The actual amounts of one field: the ``figures`` that were counted, one a sheet, largest first."""

    figures: tuple[SheetFact, ...]

    @property
    def total(self) -> float:
        """Their sum in 円."""
        return sum(one.fact.value or 0.0 for one in self.figures)


@dataclass(frozen=True, slots=True)
class CityYear:
    """A municipality in a fiscal year. ``sums`` are by field, ``ratings`` by field and mark, each with its facts."""

    municipality: str
    year: int | None
    sheets: tuple[Sheet, ...]
    sums: Mapping[str, Sum]
    ratings: Mapping[str, Mapping[str, tuple[SheetFact, ...]]]

    @property
    def spent(self) -> str:
        """The field with the most figures, the first of equals: by it the biggest programmes are told; "" without any."""
        return max(self.sums, key=lambda name: len(self.sums[name].figures), default="")

    @property
    def biggest(self) -> tuple[SheetFact, ...]:
        """The programmes that spent most."""
        return self.sums[self.spent].figures[:BIGGEST] if self.spent else ()


class City:
    """The programmes of a municipality and their facts, read once for any number of years."""

    def __init__(self, index: Index, municipality: str) -> None:
        self.municipality = municipality
        self._sheets = [one for one in index.sheets(Filters(municipality=(municipality,))) if one.kind == "programme"]
        self._facts = index.facts([one.sheet_id for one in self._sheets])
        self._spent = [one for one in self._facts if _spent(one.fact)]
        self._programme = {
            one.sheet_id: min((other.sheet_id for other in index.timeline(one.sheet_id)), default=one.sheet_id)
            for one in self._sheets
        }

    @property
    def latest(self) -> int | None:
        """See :func:`latest_year`."""
        return latest_year(self._sheets, self._spent)

    @property
    def years(self) -> list[int]:
        """The years of which an actual amount is printed, in order."""
        return sorted({year for one in self._spent if (year := _year(one.fact)) is not None})

    def of_year(self, year: int | None) -> CityYear:
        """What stands in the index for a year."""
        found = self._sums(year)
        ids = {one.sheet_id for one in found.sheets}
        return replace(found, ratings=ratings((one for one in self._facts if one.sheet.sheet_id in ids), year))

    def over_years(self) -> dict[int, CityYear]:
        """Every year of which an actual amount is printed, without the ratings."""
        return {year: self._sums(year) for year in self.years}

    def _sums(self, year: int | None) -> CityYear:
        counted = sheets_of_year(self._sheets, self._spent, self._programme, year)
        ids = {one.sheet_id for one in counted}
        own = [one for one in self._spent if one.sheet.sheet_id in ids]
        sums = {name: found for name in SPENT if (found := amounts(own, name, year)).figures}
        return CityYear(self.municipality, year, tuple(counted), sums, {})


def city_year(index: Index, municipality: str, year: int | None = None) -> CityYear:
    """A municipality in a year; without one in its latest year with settled amounts."""
    city = City(index, municipality)
    return city.of_year(city.latest if year is None else year)


def _spent(fact: Fact) -> bool:
    return fact.field in SPENT and fact.kind == "actual"


def latest_year(sheets: Sequence[Sheet], spent: Sequence[SheetFact]) -> int | None:
    """The latest year of which at least half as many sheets print an actual amount as of the best year."""
    printing: dict[int, set[str]] = defaultdict(set)
    for one in spent:
        if (year := _year(one.fact)) is not None:
            printing[year].add(one.sheet.sheet_id)
    if not printing:
        return max((one.fiscal_year for one in sheets if one.fiscal_year is not None), default=None)
    most = max(len(ids) for ids in printing.values())
    return max(year for year, ids in printing.items() if 2 * len(ids) >= most)


def sheets_of_year(
    sheets: Sequence[Sheet], spent: Sequence[SheetFact], programme: Mapping[str, str], year: int | None
) -> list[Sheet]:
    """The sheets that report on a year, and of other programmes the latest sheet that prints an actual amount of it.

    ``programme`` tells which sheets are of one programme, by their ids.
    """
    reporting = [one for one in sheets if one.fiscal_year == year]
    known = {programme[one.sheet_id] for one in reporting}
    printing = {one.sheet.sheet_id for one in spent if _year(one.fact) == year}
    rest = []
    for one in sorted(sheets, key=lambda sheet: -(sheet.fiscal_year or 0)):
        if one.sheet_id in printing and programme[one.sheet_id] not in known:
            rest.append(one)
            known.add(programme[one.sheet_id])
    return [*reporting, *rest]


def amounts(facts: Iterable[SheetFact], name: str, year: int | None) -> Sum:
    """One actual amount a sheet of the field and year. A sheet that prints several under other names is not counted:
    which of them is the whole cannot be told."""
    found: dict[str, list[SheetFact]] = defaultdict(list)
    for one in facts:
        fact = one.fact
        whole = (
            amount_of(fact.field, fact.label) == name
            and fact.kind == "actual"
            and fact.unit == "円"
            and fact.value is not None
        )
        if whole and _year(fact) == year:
            found[one.sheet.sheet_id].append(one)
    figures = []
    for printed in found.values():
        named = [one for one in printed if one.fact.label == name]
        if named or len({one.fact.label for one in printed}) == 1:
            figures.append((named or printed)[0])
    return Sum(tuple(sorted(figures, key=lambda one: -(one.fact.value or 0.0))))


def ratings(facts: Iterable[SheetFact], year: int | None) -> dict[str, dict[str, tuple[SheetFact, ...]]]:
    """The marks of every rating of the year (or of none), by field, most frequent first; ways of writing a letter are one."""
    found: dict[str, dict[str, list[SheetFact]]] = defaultdict(lambda: defaultdict(list))
    for one in facts:
        fact = one.fact
        if (
            fact.value is None
            and _RATING.search(fact.field)
            and not fact.field.endswith("年度")
            and (fact.period is None or _year(fact) == year)
        ):
            found[fact.field][normalize(fact.text, squeeze=True).text].append(one)
    return {
        name: {mark: tuple(marks[mark]) for mark in sorted(marks, key=lambda mark: (-len(marks[mark]), mark))}
        for name, marks in found.items()
    }


def _year(fact: Fact) -> int | None:
    period = fact.period
    return period.fiscal_year if period is not None and period.kind == "fiscal_year" else None
