"""Statements of sheets, ranked for a question: the sentences, list items and cells an answer may quote.

A statement is scored word by word: each word of the question that carries meaning looks for itself, its synonyms
(``index/synonyms.toml``) or its nearest word by the encoder in the statement, weighted by how rare it is in this index
(late interaction, as in ColBERT's MaxSim). The label of the section and the wanted kind of answer (a figure, a date)
add to it.
"""

from __future__ import annotations

import math
import re
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corpus.documents import Sheet, Span
from corpus.normalize import squeeze
from corpus.sentences import split_sentences
from index.columns import Floats, JoinedKeys, Places, TextColumns, WordColumns, best_of_each, holders
from index.synonyms import QueryWords, load_synonyms
from index.tokens import words
from index.types import Index, SheetSection
from index.wordlists import CountsWords, WordCounts

# What the cosine of whole texts adds to the share of the words found.
_DENSE = 0.6
# A word that stands inside another one (住基 in 住基ネット), and one that only the label has.
_INSIDE, _IN_LABEL = 0.9, 0.5
# A statement shorter than this (a cell) says little by itself.
_SHORT = 8
# Scores that differ behind these digits are equal.
_DIGITS = 6
# Beyond so many statements in memory (about 3 kB each) all are forgotten and read anew as they are asked for.
_MOST_KEPT = 60_000
# Read ahead so many sheets at a time, with so many seconds between.
_WARMED, _BREATH = 5, 0.002

Doubles = NDArray[np.float64]

# What a statement of the expected kind gets on top.
_KINDS = (
    ("amount", 0.15, re.compile(r"\d[\d,.]{0,40}(?:億|百?万|千)?円")),
    ("number", 0.12, re.compile(r"\d")),
    ("date", 0.15, re.compile(r"(?:令和|平成|昭和|20\d\d|[rh]\d|\d{1,2})(?:元|\d{1,2})?年|\d{1,2}月|年度")),
    ("organisation", 0.15, re.compile(r"\(株\)|株式会社|有限会社|\(有\)|法人")),
)
_OF_LABEL = 0.30
_TOO_SHORT = -0.1


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


class Ranked(NamedTuple):
    """A statement with its score; a tuple, since a list by topic ranks every statement there is.

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
    """The statements of one index version, read sheet by sheet as they are asked for; safe to share between threads."""

    def __init__(self, index: Index, most_kept: int = _MOST_KEPT) -> None:
        self._index = index
        self._most_kept = most_kept
        self._synonyms = load_synonyms()
        self._lock = threading.RLock()
        self._asked_vector = lru_cache(maxsize=256)(self._vector)
        self._forget()
        told = index.word_counts() if isinstance(index, CountsWords) else None
        self._counted = told or _count(index)

    def _forget(self) -> None:
        self._sheets: dict[str, list[Statement]] = {}
        self._kept = 0
        self._table = _Table(self._index)

    def wanted(self, text: str, expects: frozenset[str] = frozenset(), labels: Sequence[str] = ()) -> Wanted:
        """A question prepared for :meth:`rank`; ``labels`` are the printed labels to prefer."""
        return Wanted(text, self._synonyms.expand(text), expects, tuple(squeeze(label) for label in labels))

    def weight(self, word: str) -> float:
        """Inverse document frequency over sections: ln(1 + N / (1 + df))."""
        return math.log(1 + self._counted.sections / (1 + self._counted.counts.get(word, 0)))

    def known(self, word: str) -> bool:
        """Whether any section holds the word."""
        return word in self._counted.counts

    def of(self, sheets: Iterable[Sheet]) -> list[Statement]:
        """All statements of some sheets, in their order."""
        wanted = list(sheets)
        with self._lock:
            if self._kept + len(self._table) > self._most_kept:
                self._forget()
            missing = list(dict.fromkeys(s.sheet_id for s in wanted if s.sheet_id not in self._sheets))
            grouped: dict[str, list[SheetSection]] = {sheet_id: [] for sheet_id in missing}
            for found in self._index.sections(missing) if missing else ():
                grouped[found.sheet.sheet_id].append(found)
            for sheet_id, sections in grouped.items():
                self._sheets[sheet_id] = statements = _statements(sections)
                self._kept += len(statements)
                self._table.keep(statements)
            return [statement for sheet in wanted for statement in self._sheets[sheet.sheet_id]]

    def warm(self, sheets: Sequence[Sheet]) -> None:
        """Reads and encodes ahead what a list question would wait for: half of what is kept at most, a few sheets at a
        time, so that a question that comes meanwhile gets its turn."""
        wanted = self.wanted("課題")
        for start in range(0, len(sheets), _WARMED):
            if self._kept >= self._most_kept // 2:
                return
            self.rank(wanted, self.of(sheets[start : start + _WARMED]))
            time.sleep(_BREATH)

    def rank(self, wanted: Wanted, statements: Sequence[Statement]) -> list[Ranked]:
        """Statements with their scores, best first; those that answer no word at all score by label and kind only."""
        if not statements:
            return []
        weights = [self.weight(word) for word in wanted.query.words]
        with self._lock:
            if len(self._table) > self._most_kept:
                self._forget()
            compared = self._table.compare(wanted, statements, self._asked_vector(wanted.text))
        cover = np.zeros(len(statements))
        for weight, found in zip(weights, compared.found, strict=True):
            cover += weight * found
        cover /= sum(weights) or 1.0
        score = cover + _DENSE * np.maximum(0.0, compared.dense) + compared.bonus
        # Cosines differ in the last bit with what else is compared; that must not order what is equally good.
        best = np.lexsort((np.array([s.order for s in statements]), -np.round(score, _DIGITS)))
        rows = zip(best, score[best].tolist(), cover[best].tolist(), compared.dense[best].tolist(), strict=True)
        return [Ranked(statements[i], s, c, d) for i, s, c, d in rows]

    def _vector(self, text: str) -> Floats:
        vector: Floats = self._index.encode([text], "query")[0]
        return vector


class _Compared(NamedTuple):
    """A question beside some statements: how far each of its words is found, the cosine, and what the kind adds."""

    found: Doubles
    dense: Doubles
    bonus: Doubles


_Key = tuple[str, str, frozenset[str]]
_LabelKey = tuple[frozenset[str], str]


class _Table:
    """Statements as columns. Cells repeat (Ａ, 現状維持): each text and each label is looked at once."""

    def __init__(self, index: Index) -> None:
        self._words = WordColumns(index.encode)
        self._texts = TextColumns(lambda texts: index.encode(texts, "passage"), self._words)
        self._rows: dict[_Key, int] = {}
        self._labels: dict[_LabelKey, int] = {}
        self._keys: list[str] = []
        self._places: dict[int, tuple[int, int]] = {}  # of the statements kept, by id()

    def __len__(self) -> int:
        return len(self._rows)

    def keep(self, statements: Sequence[Statement]) -> None:
        """Takes in statements that live as long as this table."""
        self._places.update(zip(map(id, statements), map(self._place, statements), strict=True))

    def _place(self, s: Statement) -> tuple[int, int]:
        """The number of a statement's text and of its label; a new one is added."""
        text = (s.key, s.text, s.words)
        row = self._rows.get(text)
        if row is None:
            row = self._rows[text] = len(self._rows)
            self._keys.append(s.key)
            self._texts.append(s.text, s.words)
        label = (s.label_words, s.label_key)
        return row, self._labels.setdefault(label, len(self._labels))

    def compare(self, wanted: Wanted, statements: Sequence[Statement], asked: Floats) -> _Compared:
        """The question beside each of the statements; ``asked`` is its vector."""
        known = self._places
        places = np.array([known.get(id(s)) or self._place(s) for s in statements])
        rows, of_row = np.unique(places[:, 0], return_inverse=True)
        labels, of_label = np.unique(places[:, 1], return_inverse=True)
        keys = [self._keys[row] for row in rows]
        found = self._found(wanted.query, rows, keys)[:, of_row]
        named = list(self._labels)
        for line, word in zip(found, wanted.query.words, strict=True):
            holds = np.array([word in named[label][0] for label in labels])[of_label]
            np.maximum(line, _IN_LABEL, out=line, where=holds)
        dense = self._texts.cosines(asked, rows)[of_row].astype(np.float64)
        bonus = np.array([0.0 if len(key) >= _SHORT else _TOO_SHORT for key in keys])[of_row]
        if wanted.labels:
            fits = [any(part in named[label][1] for part in wanted.labels) for label in labels]
            bonus += np.where(fits, _OF_LABEL, 0.0)[of_label]
        for kind, worth, pattern in _KINDS:
            if kind in wanted.expects:
                bonus += np.array([worth if pattern.search(key) else 0.0 for key in keys])[of_row]
        return _Compared(found, dense, bonus)

    def _found(self, query: QueryWords, rows: Places, keys: Sequence[str]) -> Doubles:
        """How far each word of the question stands in each text, by itself, another way to say it or a near word."""
        ids, begins = self._texts.words(rows)
        found = best_of_each(self._words.near(query.words), ids, begins).astype(np.float64)
        joined = JoinedKeys(keys)
        looked_for = list(dict.fromkeys([*query.words, *(w for a in query.alternatives for w in a.words)]))
        numbers = [self._words.number(word) for word in looked_for]
        stands = dict(zip(looked_for, holders(numbers, len(self._words), ids, begins), strict=True))
        for word, holds in stands.items():
            if len(word) >= 2:
                holds |= joined.holding(word.lower())
        for line, word in zip(found, query.words, strict=True):
            np.maximum(line, _INSIDE, out=line, where=stands[word])
        for other in query.alternatives:
            holds = np.logical_and.reduce([stands[word] for word in other.words])
            lines = found[other.first : other.last]
            np.maximum(lines, other.weight, out=lines, where=holds)
        return found


def _count(index: Index) -> WordCounts:
    counts: Counter[str] = Counter()
    sections = index.sections()
    for found in sections:
        counts.update(set(words(found.section.text, parts=True)))
    return WordCounts(len(sections), counts)


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
