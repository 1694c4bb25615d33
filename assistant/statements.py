"""Statements of sheets, ranked for a question: the sentences, list items and cells an answer may quote.

A statement is scored word by word: each word of the question that carries meaning looks for itself, its synonyms
(``index/synonyms.toml``) or its nearest word by the encoder in the statement, weighted by how rare it is in this index
(late interaction, as in ColBERT's MaxSim). The label of the section and the wanted kind of answer (a figure, a date)
add to it.
"""

from __future__ import annotations

import math
import re
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from corpus.documents import Sheet, Span
from corpus.normalize import squeeze
from corpus.sentences import split_sentences
from index.synonyms import QueryWords, load_synonyms
from index.tokens import words
from index.types import Index, SheetSection

# Below this cosine two words are strangers; from the other on they say the same for our purpose.
_STRANGERS, _SAME = 0.45, 0.85
# What the cosine of whole texts adds to the share of the words found.
_DENSE = 0.6
# A statement shorter than this (a cell) says little by itself.
_SHORT = 8
_CACHED_SHEETS = 2048

_FIGURE = re.compile(r"\d")
_MONEY = re.compile(r"\d[\d,.]*(?:億|百?万|千)?円")
_DATE = re.compile(r"(?:令和|平成|昭和|20\d\d|[rh]\d|\d{1,2})(?:元|\d{1,2})?年|\d{1,2}月|年度")
_COMPANY = re.compile(r"\(株\)|株式会社|有限会社|\(有\)|法人")


@dataclass(frozen=True, slots=True)
class Statement:
    """A stretch of a section: ``span`` in the document, ``text`` as it stands there, ``key`` squeezed."""

    sheet: Sheet
    label: str
    field: str
    span: Span
    text: str
    key: str
    words: frozenset[str]
    label_words: frozenset[str]
    order: int
    label_key: str = ""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A statement with its score.

    ``cover`` is the weighted share of the question's words it answers (0..1), ``dense`` the cosine of the two as wholes.
    """

    statement: Statement
    score: float
    cover: float
    dense: float = 0.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the ranking looks for: the question's words and what kind of answer is expected."""

    text: str
    query: QueryWords
    expects: frozenset[str] = frozenset()
    labels: tuple[str, ...] = ()


class Statements:
    """The statements of one index version, read sheet by sheet and kept for the sheets asked about lately."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._sheets: OrderedDict[str, list[Statement]] = OrderedDict()
        self._vectors: dict[str, np.ndarray[tuple[int], np.dtype[np.float32]]] = {}
        self._passages: dict[str, np.ndarray[tuple[int], np.dtype[np.float32]]] = {}
        self._synonyms = load_synonyms()
        counts: Counter[str] = Counter()
        self._total = 0
        for found in index.sections():
            counts.update(set(words(found.section.text, parts=True)))
            self._total += 1
        self._counts = counts

    def wanted(self, text: str, expects: frozenset[str] = frozenset(), labels: Sequence[str] = ()) -> Wanted:
        """A question prepared for :meth:`rank`; ``labels`` are the printed labels to prefer."""
        return Wanted(text, self._synonyms.expand(text), expects, tuple(squeeze(label) for label in labels))

    def weight(self, word: str) -> float:
        """Inverse document frequency over sections: ln(1 + N / (1 + df))."""
        return math.log(1 + self._total / (1 + self._counts.get(word, 0)))

    def known(self, word: str) -> bool:
        """Whether any section holds the word."""
        return word in self._counts

    def of(self, sheets: Iterable[Sheet]) -> list[Statement]:
        """All statements of some sheets, in their order."""
        wanted = list(sheets)
        missing = [s.sheet_id for s in wanted if s.sheet_id not in self._sheets]
        if missing:
            grouped: dict[str, list[SheetSection]] = {sheet_id: [] for sheet_id in missing}
            for found in self._index.sections(missing):
                grouped[found.sheet.sheet_id].append(found)
            for sheet_id, sections in grouped.items():
                self._sheets[sheet_id] = _statements(sections)
        result: list[Statement] = []
        for sheet in wanted:
            self._sheets.move_to_end(sheet.sheet_id)
            result.extend(self._sheets[sheet.sheet_id])
        while len(self._sheets) > _CACHED_SHEETS:
            self._sheets.popitem(last=False)
        return result

    def rank(self, wanted: Wanted, statements: Sequence[Statement]) -> list[Ranked]:
        """Statements with their scores, best first; those that answer no word at all score by label and kind only."""
        weights = [self.weight(word) for word in wanted.query.words]
        total = sum(weights) or 1.0
        near = self._near(wanted.query.words, statements)
        dense = self._dense(wanted.text, statements)
        ranked = []
        for row, statement in enumerate(statements):
            found = [self._match(word, statement) for word in wanted.query.words]
            for alternative in wanted.query.alternatives:
                if all(self._match(word, statement) >= 0.9 for word in alternative.words):
                    for i in range(alternative.first, alternative.last):
                        found[i] = max(found[i], alternative.weight)
            for i in range(len(found)):
                found[i] = max(found[i], float(near[row, i]))
            cover = sum(w * f for w, f in zip(weights, found, strict=True)) / total
            score = cover + _DENSE * max(0.0, dense[row]) + self._bonus(wanted, statement)
            ranked.append(Ranked(statement, score, cover, dense[row]))
        return sorted(ranked, key=lambda r: (-r.score, r.statement.order))

    def _match(self, word: str, statement: Statement) -> float:
        if word in statement.words:
            return 1.0
        if len(word) >= 2 and word.lower() in statement.key:
            return 0.9
        return 0.5 if word in statement.label_words else 0.0

    def _bonus(self, wanted: Wanted, statement: Statement) -> float:
        bonus = 0.0 if len(statement.key) >= _SHORT else -0.1
        if wanted.labels and any(asked in statement.label_key for asked in wanted.labels):
            bonus += 0.30
        if "amount" in wanted.expects:
            bonus += 0.15 if _MONEY.search(statement.key) else 0.0
        if "number" in wanted.expects:
            bonus += 0.12 if _FIGURE.search(statement.key) else 0.0
        if "date" in wanted.expects:
            bonus += 0.15 if _DATE.search(statement.key) else 0.0
        if "organisation" in wanted.expects:
            bonus += 0.15 if _COMPANY.search(statement.key) else 0.0
        return bonus

    def _dense(self, text: str, statements: Sequence[Statement]) -> list[float]:
        """Cosine of the question and each statement, both as wholes."""
        if not statements:
            return []
        missing = [s.key for s in statements if s.key not in self._passages]
        if missing:
            texts = [s.text for s in statements if s.key not in self._passages]
            for key, vector in zip(missing, self._index.encode(texts, "passage"), strict=True):
                self._passages[key] = vector
        asked = self._index.encode([text], "query")[0]
        return [float(x) for x in np.stack([self._passages[s.key] for s in statements]) @ asked]

    def _near(
        self, asked: Sequence[str], statements: Sequence[Statement]
    ) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        """For each statement and word the encoder's nearest word in the statement, scaled to 0..0.8."""
        near = np.zeros((len(statements), len(asked)), dtype=np.float32)
        if not asked or not statements:
            return near
        vocabulary = sorted({word for s in statements for word in s.words})
        if not vocabulary:
            return near
        similar = self._rows(vocabulary) @ self._rows(asked).T
        scaled = np.clip((similar - _STRANGERS) / (_SAME - _STRANGERS), 0.0, 1.0) * 0.8
        place = {word: i for i, word in enumerate(vocabulary)}
        for row, statement in enumerate(statements):
            at = [place[word] for word in statement.words]
            if at:
                near[row] = scaled[at].max(axis=0)
        return near

    def _rows(self, vocabulary: Sequence[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        missing = [word for word in vocabulary if word not in self._vectors]
        if missing:
            for word, vector in zip(missing, self._index.encode(missing), strict=True):
                self._vectors[word] = vector
        return np.stack([self._vectors[word] for word in vocabulary])


def _statements(sections: Sequence[SheetSection]) -> list[Statement]:
    statements: list[Statement] = []
    for found in sections:
        section = found.section
        label_words = frozenset(words(section.label))
        for span in split_sentences(section.text):
            text = section.text[span.start : span.end]
            statements.append(
                Statement(
                    sheet=found.sheet,
                    label=section.label,
                    field=section.field,
                    span=Span(section.span.start + span.start, section.span.start + span.end),
                    text=text,
                    key=squeeze(text),
                    words=frozenset(words(text)),
                    label_words=label_words,
                    order=len(statements),
                    label_key=squeeze(section.label + section.field),
                )
            )
    return statements
