"""An index as the makers of questions look at it: programmes, their figures, and how a question names them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from functools import cache, cached_property
from random import Random
from typing import Any

from corpus.documents import Sheet, Span
from evals.wording import year_words
from index.types import Index, SheetFact, SheetSection

AMOUNTS = ("決算額", "予算額", "総事業費", "人件費", "事業費")
_PERSON_LABEL = re.compile(r"担当者|作成者|氏名|記入者|責任者|課長|部長|係長|電話|連絡先")
_WORD = re.compile(r"(?!.{0,3}年度)(?:[一-龠々]{2,8}|[ァ-ヶー]{3,})")

Key = tuple[str, str, str]  # municipality, name, department
Figures = dict[tuple[Key, str, int, str], SheetFact]


class Shelf:
    """An index as the makers look at it: programmes only, figures by sheet, year and kind."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.sheets = [sheet for sheet in index.sheets() if sheet.kind == "programme" and sheet.name]
        self._wanted = {sheet.sheet_id for sheet in self.sheets}
        self._keys: dict[str, set[Key]] = defaultdict(set)
        for sheet in self.sheets:
            self._keys[sheet.name].add(key(sheet))
        self._years = Counter(key(sheet) for sheet in self.sheets)

    @cached_property
    def facts(self) -> list[SheetFact]:
        """The facts of programmes, without those about persons."""
        return [
            found
            for found in self.index.facts()
            if found.sheet.sheet_id in self._wanted and not _PERSON_LABEL.search(found.fact.label + found.fact.field)
        ]

    @cached_property
    def sections(self) -> list[SheetSection]:
        """The sections of programmes, without those about persons."""
        return [
            found
            for found in self.index.sections()
            if found.sheet.sheet_id in self._wanted
            and not _PERSON_LABEL.search(found.section.label + found.section.field)
        ]

    @cached_property
    def _frequency(self) -> Counter[str]:
        """In how many sections each word stands."""
        return Counter(word for found in self.sections for word in set(_WORD.findall(found.section.text)))

    def gold(self, sheet: Sheet) -> str:
        """The printed name, with the department or the municipality where two programmes share it."""
        shared = self._keys[sheet.name]
        if len({municipality for municipality, _, _ in shared}) > 1:
            return f"{sheet.name}@{sheet.municipality}"
        return f"{sheet.name}@{sheet.department}" if len(shared) > 1 and sheet.department else sheet.name

    def spoken(self, sheet: Sheet, random: Random) -> str:
        """How a question names a sheet: with its place where the name alone would not do, and at times anyway."""
        shared = self._keys[sheet.name]
        name = " ".join(sheet.name.split())
        if len(shared) > 1 and len({municipality for municipality, _, _ in shared}) == 1:
            return f"{sheet.department}の{name}" if sheet.department else name
        if sheet.municipality and (len(shared) > 1 or random.random() < 0.3):
            return f"{sheet.municipality}の{name}"
        return name

    def dated(self, sheet: Sheet, random: Random) -> str:
        """The same, with the year where the sheets of several years tell of the programme."""
        name = self.spoken(sheet, random)
        if sheet.fiscal_year and self._years[key(sheet)] > 1:
            return f"{year_words(sheet.fiscal_year, random)}の{name}"
        return name

    @cached_property
    def figures(self) -> Figures:
        """Figures that all sheets print alike, by sheet, label, fiscal year and kind; read beside their label, not 0."""
        values: dict[tuple[Key, str, int, str], dict[float, SheetFact]] = defaultdict(dict)
        doubtful = set()
        for found in self.facts:
            fact = found.fact
            if fact.value is None or fact.period is None or fact.kind is None or fact.period.kind != "fiscal_year":
                continue
            label = fact.field if fact.field in AMOUNTS else fact.label
            place = (key(found.sheet), label, fact.period.fiscal_year, fact.kind)
            values[place].setdefault(fact.value, found)
            if fact.inferred:
                doubtful.add(place)
        return {
            place: next(iter(found.values()))
            for place, found in values.items()
            if len(found) == 1 and place not in doubtful and next(iter(found)) != 0
        }

    def by_department(self) -> dict[tuple[str, str, int], dict[str, Sheet]]:
        """Sheets by municipality, the last part of their department, and year; by their gold names."""
        groups: dict[tuple[str, str, int], dict[str, Sheet]] = defaultdict(dict)
        for sheet in self.sheets:
            if sheet.department and sheet.fiscal_year and sheet.municipality:
                department = sheet.department.split()[-1]
                groups[sheet.municipality, department, sheet.fiscal_year].setdefault(self.gold(sheet), sheet)
        return groups

    def spending(self) -> dict[tuple[str, str, int], list[SheetFact]]:
        """What was spent, by municipality, label and year."""
        groups: dict[tuple[str, str, int], list[SheetFact]] = defaultdict(list)
        for (_, label, year, kind), found in self.figures.items():
            if label in ("決算額", "総事業費") and kind == "actual" and found.sheet.municipality:
                groups[found.sheet.municipality, label, year].append(found)
        return groups

    def terms(self, found: SheetSection) -> list[str]:
        """Up to two words that only this section of the index holds, the longest first; none where nothing sets it apart.

        A word that the sheet's name or the section's label holds would be met by any answer that repeats the question.
        """
        given = found.sheet.name + found.section.label + found.sheet.department
        words = dict.fromkeys(_WORD.findall(found.section.text))
        rare = [word for word in words if self._frequency[word] <= 2 and word not in given and not names_a_person(word)]
        return sorted(rare, key=lambda word: -len(word))[:2]

    def text(self, sheet: Sheet) -> str:
        """All that a sheet prints."""
        whole = self.index.document(sheet.file).text
        return "\n".join(whole[span.start : span.end] for span in sheet.spans)

    def quote(self, sheet: Sheet, span: Span) -> str:
        """A stretch of the sheet's document."""
        return self.index.document(sheet.file).text[span.start : span.end].strip()


def key(sheet: Sheet) -> Key:
    """What is the same programme in the sheets of two years."""
    return sheet.municipality, sheet.name, sheet.department


def names_a_person(text: str) -> bool:
    """Whether the dictionary takes a word of the text for a person's name; better one question too few."""
    return any(word.feature.pos3 == "人名" for word in _tagger()(unicodedata.normalize("NFKC", text)))


@cache
def _tagger() -> Any:
    import fugashi

    return fugashi.Tagger()
