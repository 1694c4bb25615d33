"""What a question looks for: its words with their weights and other ways to say them (``synonyms.toml``)."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from index.synonymfile import FILE, SynonymTable, joined, read_synonyms
from index.tokens import Token, clean, clean_with_offsets, tokenize, words

_log = logging.getLogger(__name__)

_OTHER_FORM = 0.95  # the noun of a verb, and the word itself as MeCab reads it in another place
_MOST_WORDS = 64  # a pasted page is searched by its beginning; every word costs a row over the vocabulary
# MeCab cuts a word by what stands beside it: 公会計 alone is 公 and 会計, before に it is 公会 and 計.
_PLACES = ("{}", "の{}を", "{}に", "は{}に")

_TELLING = re.compile(r"[一-鿿㐀-䶿々ァ-ヺｦ-ﾝA-Za-z0-9Ａ-Ｚａ-ｚ０-９]")

Term = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alternative:
    """Other words for the query words ``first:last``; found all together they count ``weight`` of the original."""

    first: int
    last: int
    words: Term
    weight: float


@dataclass(frozen=True, slots=True)
class QueryWords:
    """The words of a query that carry meaning, their overlapping parts, and what else to look for."""

    words: Term
    parts: Term
    alternatives: tuple[Alternative, ...]


def written(text: str) -> str:
    """A term as it is looked up in a question: one form of characters, no blanks, no case."""
    return "".join(clean(text).lower().split())


@lru_cache(maxsize=1 << 14)
def forms(term: str) -> tuple[Term, ...]:
    """The words of a term as they may stand in a text, the likeliest first.

    >>> forms("公会計")
    (('公', '会計'), ('公会', '計'), ('公会計',))
    """
    found: dict[Term, None] = {}
    whole: dict[Term, None] = {}
    for place in _PLACES:
        start = place.index("{")
        tokens = [
            t for t in tokenize(place.format(term), parts=True) if start <= t.start and t.end <= start + len(term)
        ]
        found[tuple(t.norm for t in tokens if not t.part)] = None
        whole |= {(t.norm,): None for t in tokens if t.part and t.end - t.start == len(term)}
    found.pop((), None)
    return tuple(dict.fromkeys(tuple(dict.fromkeys(form)) for form in (*found, *whole)))


@lru_cache(maxsize=1 << 14)
def _read_whole(term: str) -> bool:
    """Whether MeCab takes every kanji, katakana and letter of a term for a word of its own or a part of one."""
    left = list(term)
    for token in tokenize(term):
        left[token.start : token.end] = " " * (token.end - token.start)
    return not _TELLING.search("".join(left))


def _useful(ways: Mapping[Term, float]) -> dict[Term, float]:
    """The ways without those that a shorter way, worth as much, finds anyway (新公会計 beside 公会計)."""
    kept: dict[Term, float] = {}
    for form in sorted(ways, key=lambda form: (-ways[form], len(form))):
        if not any(set(form).issuperset(other) for other in kept):
            kept[form] = ways[form]
    return kept


class Synonyms:
    """Which terms are found by which, looked up by their writing or by their words."""

    def __init__(
        self,
        groups: Iterable[tuple[Sequence[str], float]],
        furniture: Iterable[str] = (),
        one_way: Iterable[tuple[Sequence[str], float]] = (),
    ) -> None:
        """``groups`` are terms that find each other; of a ``one_way`` group the first term also finds the others."""
        phrases = list(furniture)
        self.furniture = frozenset(
            [*phrases, *(w for phrase in phrases if len(words(phrase)) == 1 for w in words(phrase))]
        )
        self._framing = [run for phrase in phrases if len(run := tuple(words(phrase))) > 1]
        self._others: dict[str, dict[str, float]] = {}
        self._longest = 1
        self._expanded = lru_cache(maxsize=512)(self._expand)
        for group, weight in groups:
            for term in group:
                self._add(term, group, weight)
        for (term, *others), weight in one_way:
            self._add(term, others, weight)
        # 住基 and ＪＵＵＫＩ are looked up as written, サーバー室 for サーバ室 and 取り組み for 取組 by their words.
        self._by_writing: dict[str, list[str]] = {}
        self._by_words: dict[Term, list[str]] = {}
        for term in self._others:
            key = tuple(words(term))
            self._by_writing.setdefault(written(term), []).append(term)
            if key:
                self._by_words.setdefault(key, []).append(term)
            self._longest = max(self._longest, len(key))
        lengths: dict[str, set[int]] = {}
        for writing in self._by_writing:
            lengths.setdefault(writing[:1], set()).add(len(writing))
        self._lengths = {first: sorted(known, reverse=True) for first, known in lengths.items()}

    def __getstate__(self) -> dict[str, Any]:
        """All but what is kept of earlier questions, so that it can be sent to another process."""
        return {name: value for name, value in self.__dict__.items() if name != "_expanded"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._expanded = lru_cache(maxsize=512)(self._expand)

    def _add(self, term: str, others: Iterable[str], weight: float) -> None:
        known = self._others.setdefault(term, {})
        for other in others:
            if other != term:
                known[other] = max(weight, known.get(other, 0.0))

    def rewrites(self) -> list[tuple[str, str]]:
        """Every (term, other way to say it) as text, for names that people shorten (スマホ, NW)."""
        return [(written(term), written(other)) for term, others in self._others.items() for other in others]

    def expand(self, query: str) -> QueryWords:
        """The words of ``query`` without question furniture, and the groups they belong to.

        The longest run of words that stands in a group is taken, so 住民基本台帳 is not read as 住民 and 台帳.
        """
        return self._expanded(query)

    def _expand(self, query: str) -> QueryWords:
        tokens = tokenize(query, parts=True)
        main = [t for t in tokens if not t.part]
        # A word asked for twice is looked for once.
        once = {t.norm: t for t in reversed(main)}
        unique = [t for t in main if once[t.norm] is t]
        framing = self._framed(main)
        telling = [t for t in unique if t.norm not in self.furniture and t.start not in framing]
        chosen = (telling or unique)[:_MOST_WORDS]
        kept = [t.norm for t in chosen]
        places = {(t.start, t.end): i for i, t in enumerate(chosen)}
        alternatives: dict[tuple[int, int, Term], float] = {
            (i, i + 1, (t.norm,)): _OTHER_FORM
            for t in tokens
            if t.part and (i := places.get((t.start, t.end))) is not None
        }
        for run, terms in self._runs(query, main[: 2 * _MOST_WORDS]):
            numbers = [i for t in run if (i := places.get((t.start, t.end))) is not None]
            if not numbers:
                continue
            at = (numbers[0], numbers[-1] + 1)
            itself = tuple(kept[slice(*at)])
            ways: dict[Term, float] = {itself: 1.0}
            for term in terms:
                for form in forms(term):
                    ways.setdefault(form, _OTHER_FORM)
                for other, weight in self._others[term].items():
                    for form in forms(other):
                        ways[form] = max(weight, ways.get(form, 0.0))
            for form, weight in _useful(ways).items():
                if form != itself:
                    alternatives[*at, form] = max(weight, alternatives.get((*at, form), 0.0))
        left_out = {i for t in main if (t.start, t.end) not in places for i in range(t.start, t.end)}
        parts = dict.fromkeys(t.norm for t in tokens if t.part and t.start not in left_out)
        return QueryWords(
            tuple(kept), tuple(parts), tuple(Alternative(*place, weight) for place, weight in alternatives.items())
        )

    def _framed(self, main: list[Token]) -> set[int]:
        """Where words of a phrase such as 評価シート start; 評価 alone is something to look for."""
        norms = [t.norm for t in main]
        return {
            t.start
            for run in self._framing
            for at in range(len(main) - len(run) + 1)
            if tuple(norms[at : at + len(run)]) == run
            for t in main[at : at + len(run)]
        }

    def _runs(self, query: str, main: list[Token]) -> Iterator[tuple[list[Token], list[str]]]:
        """The runs of ``main`` that stand in a group with the terms found, from the left, at each place the longest."""
        starts = {t.start: i for i, t in enumerate(main)}
        # Between the ends of a word no term starts or ends; what MeCab drops (物 of 成果物) belongs to no word.
        inside = {i for t in main for i in range(t.start + 1, t.end)}
        letters = [
            (c, start, end)
            for text, begins, ends in [clean_with_offsets(query)]
            for c, start, end in zip(text.lower(), begins, ends, strict=False)
            if not c.isspace()
        ]
        flat = "".join(c for c, _, _ in letters)
        over = 0
        for at, (_, start, _) in enumerate(letters):
            if start < over or start in inside:
                continue
            end, terms = start, list[str]()
            for length in self._lengths.get(flat[at], ()):
                stop = letters[at + length - 1][2] if at + length <= len(letters) else 0
                if stop and stop not in inside and (found := self._by_writing.get(flat[at : at + length])):
                    end, terms = stop, found
                    break
            if (first := starts.get(start)) is not None:
                for last in range(min(first + self._longest, len(main)), first, -1):
                    if (stop := main[last - 1].end) < end:
                        break
                    known = self._by_words.get(tuple(t.norm for t in main[first:last]), ())
                    if found := [term for term in known if _read_whole(term)]:
                        terms = list(dict.fromkeys([*(terms if stop == end else ()), *found]))
                        end = stop
                        break
            if terms:
                over = end
                yield [t for t in main if start <= t.start and t.end <= end], terms


def synonyms_of(table: SynonymTable) -> Synonyms:
    """The synonyms of a file that was read."""
    return Synonyms(table.groups, table.furniture, table.one_way)


@lru_cache(maxsize=4)
def _read(file: Path) -> Synonyms:
    table = read_synonyms(file)
    for warning in table.warnings:
        _log.warning("%s", warning)
    return synonyms_of(table)


# The bundled groups and those of the city's own file, where :func:`use_synonyms` has read one.
_in_force: Synonyms | None = None


def use_synonyms(own: Path | None) -> Synonyms:
    """Takes a city's own file beside the bundled one from now on, and returns the two as one; None for the bundled alone.

    A file that is not there adds nothing. A mistake in it raises SettingsError with the line, and what was in force
    stays in force: an index that is open goes on with the synonyms it was opened with.
    """
    global _in_force
    if own is None or not own.exists():
        _in_force = None
        return load_synonyms()
    table = read_synonyms(own)
    for warning in table.warnings:
        _log.warning("%s", warning)
    _in_force = synonyms_of(joined(read_synonyms(), table))
    return _in_force


def put_in_force(synonyms: Synonyms) -> None:
    """Takes synonyms that another process has read, with the city's own or without."""
    global _in_force
    _in_force = synonyms


def load_synonyms(file: Path = FILE) -> Synonyms:
    """The synonyms in force (see :func:`use_synonyms`), or those of another file; a mistake in it raises SettingsError."""
    return _in_force if _in_force is not None and file == FILE else _read(file)
