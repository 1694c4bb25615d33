"""Questions made from the sheets of an index, each with the sheets and sections that answer it.

They are made, not asked, so they stand for real ones only as a mixture: by name, by label and figure, in the sheet's own
words, and (the largest part) in everyday words that the sheet shares few of, or none. :data:`MIX` fixes the proportions.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from random import Random
from typing import TypeVar

from corpus.documents import Sheet
from corpus.forms.loader import clean_label, fields, kind_of
from corpus.normalize import squeeze
from corpus.periods import era_name
from index.snapshot import Snapshot
from index.tokens import words
from index.tuning.everyday import Everyday, slipped
from index.tuning.material import Material, Right, content, says_something

#: The share of each kind. ``own`` are a city's own questions, which are added to these.
MIX = {"name": 0.12, "label": 0.10, "figure": 0.08, "date": 0.05, "phrase": 0.25, "everyday": 0.15, "other-words": 0.25}
OWN = "own"
_SHARING = {"everyday": 0.25, "other-words": 0.0}
_SLIPS = 0.08  # share of the questions in words that are mistyped
_CLAUSES_TRIED = 4  # clauses whose neighbours are looked up, for one question wanted
_LABEL_LENGTH = 8
T = TypeVar("T")
_BRACKETS = re.compile(r"[（(【\[].{0,100}?[）)】\]]")
_DATE_FIRST = re.compile(r"^(?:に(?:は)?|から|より|までに|の|、)*(?P<what>[^、。\t\n]{6,50})")


@dataclass(frozen=True, slots=True)
class TuningQuestion:
    """A question with the ids of the sheets that answer it (one is enough) and of the sections where they do, if known.

    ``quote`` is the stretch of a right sheet that it was made from, as printed (the name, for a question by name).
    """

    kind: str
    text: str
    sheets: tuple[str, ...]
    sections: tuple[int, ...] = ()
    quote: str = ""


def generate_questions(index: Snapshot, seed: int, count: int) -> list[TuningQuestion]:
    """At most ``count`` questions in the proportions of :data:`MIX`, less where a kind finds no material.

    The same index, seed and count give the same questions. One that too many programmes would answer is left out.
    """
    maker = _Maker(index, Random(seed), count)
    found: dict[str, TuningQuestion] = {}
    for kind, share in MIX.items():
        wanted = max(1, round(count * share))
        sheets: Counter[str] = Counter()
        for question in maker.of(kind):
            # One sheet with much text must not speak for the whole index.
            if question.text in found or sheets[question.sheets[0]] > 2 + 2 * wanted // max(len(maker.sheets), 1):
                continue
            sheets[question.sheets[0]] += 1
            found[question.text] = question
            if sheets.total() == wanted:
                break
    return list(found.values())[:count]


class _Maker:
    """Makes the questions of each kind from one index, in an order drawn by ``random``."""

    def __init__(self, index: Snapshot, random: Random, count: int) -> None:
        self._random = random
        self._index = index
        self._material = Material(index)
        self.sheets = self._material.sheets
        clauses = self._shuffled(self._material.clauses)
        self._clauses = clauses
        words_needed = [c.text for c in clauses[: _CLAUSES_TRIED * count]]
        vocabulary = [word for text in words_needed for word in words(text)]
        self._everyday = Everyday(index.word_encoder, index.synonyms, vocabulary)
        self._tried = clauses[: _CLAUSES_TRIED * count]
        self._makers: dict[str, Callable[[], Iterator[TuningQuestion]]] = {
            "name": self._names,
            "label": self._labels,
            "figure": self._figures,
            "date": self._dates,
            "phrase": self._phrases,
            "everyday": lambda: self._everyday_words("everyday"),
            "other-words": lambda: self._everyday_words("other-words"),
        }

    def of(self, kind: str) -> Iterator[TuningQuestion]:
        """The questions of a kind, as many as the index gives."""
        return self._makers[kind]()

    def _names(self) -> Iterator[TuningQuestion]:
        rewrites = self._index.synonyms.rewrites()
        for sheet in self._shuffled(self.sheets):
            name = _one_line(sheet.name)
            written = self._random.choice((name, shortened(name), *_abbreviated(name, rewrites)[:3]))
            # What stands in place of a longer word may be in the name of another sheet.
            right = self._material.right_for_name(squeeze(written)) if written in name else None
            if written not in name and self._material.right_for_name(squeeze(written)) is None:
                right = self._material.right_for_sheet(sheet)
            if right is not None and len(written) >= 2:
                yield self._question("name", sheet, right, sheet.name, name=written)

    def _labels(self) -> Iterator[TuningQuestion]:
        for found in self._shuffled(self._material.prose):
            right = self._material.right_for_label(found.sheet, found.section.field)
            if right is None or not right.sections:
                continue
            label = self._random.choice((clean_label(found.section.label), *spoken_labels(found.section.field)))
            name = self._written_name(found.sheet)
            yield self._question("label", found.sheet, right, found.section.text, name=name, label=label)

    def _figures(self) -> Iterator[TuningQuestion]:
        for found in self._shuffled(self._index.facts()):
            sheet, fact = found.sheet, found.fact
            if sheet.sheet_id not in self._material.by_id or kind_of(fact.field) == "person" or fact.inferred:
                continue
            right = self._material.right_for_sheet(sheet)
            label = clean_label(fact.label or fact.field)
            if right is None or not label or fact.period is None:
                continue
            year = f"{era_name(fact.period.fiscal_year)}年度"
            quote = self._index.document(sheet.file).text[fact.span.start : fact.span.end]
            name = self._written_name(sheet)
            yield self._question("figure", sheet, right, quote, name=name, label=label, year=year)

    def _dates(self) -> Iterator[TuningQuestion]:
        for found in self._shuffled(self._index.events()):
            sheet, event = found.sheet, found.event
            if sheet.sheet_id not in self._material.by_id:
                continue
            text = self._index.document(sheet.file).text
            told = _DATE_FIRST.match(text[event.span.end : event.quote.end])
            sections = self._material.section_at(sheet.sheet_id, event.quote.start)
            if told is None or not says_something(told["what"]) or not sections:
                continue
            sheets = tuple(s.sheet_id for s in self._material.programme(sheet))
            yield self._question("date", sheet, Right(sheets, sections), told["what"], phrase=_one_line(told["what"]))

    def _phrases(self) -> Iterator[TuningQuestion]:
        for clause in self._clauses:
            right = self._material.right_for_clause(clause)
            if right is None:
                continue
            phrase = _one_line(clause.text)
            if self._random.random() < 0.5:  # the way staff search: some of the words, spaces between
                kept = content(phrase)
                size = min(len(kept), self._random.randint(2, 4))
                at = self._random.randint(0, len(kept) - size)
                phrase = " ".join(kept[at : at + size])
            if self._random.random() < _SLIPS:
                phrase = slipped(phrase, self._random)
            yield self._question("phrase", clause.found.sheet, right, clause.text, phrase=phrase)

    def _everyday_words(self, kind: str) -> Iterator[TuningQuestion]:
        for clause in self._shuffled(self._tried):
            right = self._material.right_for_clause(clause)
            if right is None:
                continue
            avoid = self._material.words_of(right.sheets)
            phrase = self._everyday.said(clause.text, avoid, _SHARING[kind], self._random)
            if phrase and self._random.random() < _SLIPS and kind == "everyday":
                phrase = slipped(phrase, self._random)
            if phrase and (kind == "everyday" or avoid.isdisjoint(words(phrase, parts=True))):
                yield self._question(kind, clause.found.sheet, right, clause.text, phrase=phrase)

    def _written_name(self, sheet: Sheet) -> str:
        """The name, or at times without its ending where no other name begins so."""
        name = _one_line(sheet.name)
        short = shortened(name)
        right = self._material.right_for_name(squeeze(short)) if self._random.random() < 0.4 else None
        of_name = self._material.right_for_sheet(sheet)
        return short if right is not None and of_name is not None and right.sheets == of_name.sheets else name

    def _question(self, kind: str, sheet: Sheet, right: Right, quote: str, **slots: str) -> TuningQuestion:
        frame = self._random.choice(_wordings()["everyday" if kind == "other-words" else kind])
        text = frame.format(town=sheet.municipality, **slots).strip()
        return TuningQuestion(kind, text, right.sheets, right.sections, quote)

    def _shuffled(self, items: Sequence[T]) -> list[T]:
        return self._random.sample(items, len(items))


def shortened(name: str) -> str:
    """A name as people say it: without what stands in brackets, and without an ending that says nothing.

    >>> shortened("一時預かり保育事業（公立分）")
    '一時預かり保育'
    """
    bare = _BRACKETS.sub("", name).strip() or name
    for ending in _wordings()["name_endings"]:
        if bare.endswith(ending) and len(bare) - len(ending) >= 3:
            return bare[: -len(ending)]
    return bare


def spoken_labels(field: str) -> list[str]:
    """Other names of a field, short enough to be said."""
    known = fields().get(field)
    names = (known.name, *known.labels) if known is not None else ()
    return [name for name in names if len(name) <= _LABEL_LENGTH and not _BRACKETS.search(name)]


def _abbreviated(name: str, rewrites: Sequence[tuple[str, str]]) -> list[str]:
    return [name.replace(term, other) for term, other in rewrites if len(term) > 1 and term in name and len(other) > 1]


def _one_line(text: str) -> str:
    return "".join(text.split())


@cache
def _wordings() -> dict[str, list[str]]:
    text = resources.files(__package__).joinpath("wordings.toml").read_text("utf-8")
    return dict(tomllib.loads(text))
