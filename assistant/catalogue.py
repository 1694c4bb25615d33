"""What the index holds, prepared for matching questions: names, departments, municipalities, years.

Meaning comes from here and never from a list of particular sheets: the same code knows any city's systems as soon as
they are indexed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property, lru_cache

from assistant.names import NameMatch, Names
from corpus.documents import Sheet
from corpus.normalize import occurrences, squeeze
from index.synonyms import load_synonyms
from index.types import Filters, Index

_MUNICIPALITY = re.compile(r"(?<=.{2})[都道府県市区町村]$")
_KEPT_SCOPES = 16  # lists of sheets by filters and towns
_COMPONENT = re.compile(r".{1,60}?(?:事務局|公室|部|局|センター|課|室|係|館|所|院|署|園|本部)")
# A town stands at the head of a question or of a list, and a particle follows it.
_STRANGER = re.compile(r"(?:^|[、,・]|と)([一-龥々ヶァ-ヴー]{1,6}[市区町村])(?=[のとでにはが、,・]|では)")
_NO_TOWN = re.compile(
    r"(?:.{0,3}(?:他|本|当|同|両|各|全|近隣|周辺|隣接|都|地|学|政令|中核|特別|自治|行政|貴|市|区|町)|類似.*)[市区町村]+$"
)
# 「…対策課題」 is no 対策課.
_OFFICE_ENDS = re.compile(r"(?![題税程金長]|ごと|別)")
# A stem inside a longer word (中央 in 中央図書館) names no town: what follows must end the word.
_TOWN_ENDS = re.compile(r"(?=$|[のでにとをはがもや、,・:?()]|では|から|[^一-龥])")


def _parts(department: str) -> list[str]:
    """How people call a department: in full, by its 課, or by the 部, 局 or センター it belongs to."""
    whole = squeeze(department)
    parts = [part for words in department.split() for part in _COMPONENT.findall(squeeze(words))]
    # What stands behind a 部 is a name of its own: 情報システム課 in 管理部情報システム課.
    return [whole, *(part for part in parts if len(part) >= 3 and part != whole)]


class Catalogue:
    """Names, departments and municipalities of one index version."""

    def __init__(self, index: Index) -> None:
        self.sheets = index.sheets()
        self._valued = lru_cache(maxsize=32)(
            lambda rating, budget: frozenset(s.sheet_id for s in index.sheets(Filters(rating=rating, budget=budget)))
        )
        self.by_id = {sheet.sheet_id: sheet for sheet in self.sheets}
        self.programmes = [sheet for sheet in self.sheets if sheet.kind == "programme"]
        self.documents = [sheet for sheet in self.sheets if sheet.kind == "document"]
        self.municipalities = sorted({s.municipality for s in self.sheets if s.municipality})
        self.departments = sorted({s.department for s in self.sheets if s.department})
        self.years = frozenset(s.fiscal_year for s in self.programmes)
        self.latest_year = max((s.fiscal_year for s in self.sheets if s.fiscal_year), default=None)
        self.within = lru_cache(maxsize=_KEPT_SCOPES)(self._within)
        self._names = Names(self.programmes)
        self._parts = lru_cache(maxsize=1 << 16)(_parts)
        self._towns = [(name, full := squeeze(name), _MUNICIPALITY.sub("", full)) for name in self.municipalities]
        spelt = self._names.spelt
        self._rewrites = sorted(
            {
                (a, b)
                for term, other in load_synonyms().rewrites()
                if len(a := squeeze(term)) >= 2 and len(b := squeeze(other)) > len(a) and b in spelt and a not in spelt
            },
            key=lambda pair: (-len(pair[0]), pair),
        )

    def _within(self, filters: Filters, municipalities: Sequence[str] = ()) -> list[Sheet]:
        """The sheets that pass the filters and are of one of the municipalities, if any are given; not to be changed."""
        chosen = (filters.municipality, filters.fiscal_year, filters.department, filters.rating, filters.budget)
        if not any(chosen) and not municipalities:
            return self.sheets
        return self.passing(self.sheets, filters, municipalities)

    def passing(self, sheets: Sequence[Sheet], filters: Filters, municipalities: Sequence[str] = ()) -> list[Sheet]:
        """The same of some sheets."""
        return [
            sheet
            for sheet in sheets
            if (not filters.municipality or sheet.municipality in filters.municipality)
            and (not municipalities or sheet.municipality in municipalities)
            and (not filters.fiscal_year or sheet.fiscal_year in filters.fiscal_year)
            and (not filters.department or sheet.department in filters.department)
            and self.passes(sheet, filters)
        ]

    def of_name(self, key: str) -> list[Sheet]:
        """The programmes' sheets of one squeezed name, in order."""
        return self._names.of(key)

    def of_file(self, file: str) -> list[Sheet]:
        """The sheets of a file, in order."""
        return self._by_file.get(file, [])

    @cached_property
    def _by_file(self) -> dict[str, list[Sheet]]:
        found: dict[str, list[Sheet]] = {}
        for sheet in self.sheets:
            found.setdefault(sheet.file, []).append(sheet)
        return found

    def passes(self, sheet: Sheet, filters: Filters) -> bool:
        """Whether a sheet has one of the ratings and one of the sizes of budget that filters ask for, if they do."""
        if not filters.rating and not filters.budget:
            return True
        return sheet.sheet_id in self._valued(filters.rating, filters.budget)

    def spelt_out(self, key: str) -> tuple[str, list[int]]:
        """A squeezed question with abbreviations as the names of this index spell them (全庁NW, スマホ), and the way back.

        The second value gives for each character of the first its place in ``key``, with one more entry for the end.
        """
        chars, places = list(key), list(range(len(key)))
        for term, other in self._rewrites:
            text = "".join(chars)
            at = text.find(term)
            if at >= 0 and other not in text:
                chars[at : at + len(term)] = other
                places[at : at + len(term)] = [places[at] + min(i, len(term) - 1) for i in range(len(other))]
        return "".join(chars), [*places, len(key)]

    def weight(self, pair: str) -> float:
        """How much a character pair tells one name from another; 0 for a pair in no name."""
        return self._names.weights.get(pair, 0.0)

    def find_municipalities(self, key: str) -> list[tuple[str, int, int]]:
        """Municipalities named in a squeezed question, by full name or by the name without 市区町村."""
        found: list[tuple[str, int, int]] = []
        for name, full, stem in self._towns:
            at = key.find(full)
            if at >= 0:
                found.append((name, at, at + len(full)))
            elif stem != full and len(stem) >= 2:
                ends = (at for at in occurrences(stem, key) if _TOWN_ENDS.match(key, at + len(stem)))
                if (at := next(ends, -1)) >= 0:
                    found.append((name, at, at + len(stem)))
        return sorted(found, key=lambda hit: hit[1])

    def find_strangers(self, key: str) -> list[str]:
        """Municipalities a squeezed question names that the index does not hold (西浜市の…)."""
        known = [full for _, full, _ in self._towns]
        return [
            name
            for found in _STRANGER.finditer(key)
            if not _NO_TOWN.match(name := found[1]) and not any(name in k or k in name for k in known)
        ]

    def find_departments(self, key: str, scope: list[Sheet]) -> list[tuple[str, int, int]]:
        """Departments of ``scope`` named in a squeezed question, wholly or by a part that ends in 課, 局, センター …"""
        found: list[tuple[str, int, int]] = []
        for department in (
            self.departments if scope is self.sheets else sorted({s.department for s in scope if s.department})
        ):
            hits = [
                (department, at, at + len(part))
                for part in self._parts(department)
                for at in occurrences(part, key)
                if _OFFICE_ENDS.match(key, at + len(part))
            ]
            if hits:
                found.append(max(hits, key=lambda hit: hit[2] - hit[1]))
        # 課 of one department inside the longer name of another (情報政策課 in 情報政策課分室) gives way to the longer.
        return [
            hit
            for hit in found
            if not any(
                o is not hit and o[1] <= hit[1] and hit[2] <= o[2] and o[2] - o[1] > hit[2] - hit[1] for o in found
            )
        ]

    def find_names(self, key: str, kana: str, scope: Sequence[Sheet]) -> list[NameMatch]:
        """Sheets of ``scope`` named in a question, best first; see :meth:`assistant.names.Names.find`."""
        if scope is self.sheets or scope is self.programmes:
            return self._names.find(key, kana, self.programmes)
        return self._names.find(key, kana, [sheet for sheet in scope if sheet.kind == "programme"])
