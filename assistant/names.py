"""The names of an index's sheets, and which of them a question means.

Sheets of many towns and years share a name: each name is looked at once, and what it scores is every such sheet's.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from corpus.documents import Sheet
from corpus.normalize import squeeze
from index.readings import readings
from index.tokens import words

# One slip (two in a name of eight characters or more) is a mistyped name; shorter cores are too easily hit by chance.
_CORE, _SLIP = 4, 1.01
# The stretch must be worth this share of the name: システム alone names nothing.
_TELLING = 0.2
# A question must hold this share of a name's telling pairs, or else the sound of the whole.
_COVER = 0.25
_LEAST_SOUND = 6
# A kanji after the stretch makes it part of another word: スマートフォン in スマートフォン講習会 is no programme's name.
_GOES_ON = re.compile(r"[一-龥々]")
# Where a name's word of katakana ends and the question's goes on, it is another one: of 情報セキュリティ監査 the
# 情報セキュリティクラウド holds the most, but means something else.
_ANOTHER_WORD = re.compile(r"(?<=[ァ-ヺー])[ァ-ヺー]")
_HINT = 0.6
_BRACKETS = re.compile(r"[(「『]([^()「」『』]+)[)」』]")


@dataclass(frozen=True, slots=True)
class Name:
    """A name as matching sees it: squeezed, without its common ending (``core``), its reading, its pairs."""

    key: str
    core: str
    aliases: tuple[str, ...]
    reading: str
    pairs: frozenset[str]


@dataclass(frozen=True, slots=True)
class NameMatch:
    """A sheet named in a question; ``start:end`` is the longest stretch of the squeezed question that did it."""

    sheet: Sheet
    score: float
    start: int
    end: int
    exact: bool


def pairs(text: str) -> set[str]:
    """Character bigrams: ``システム`` -> シス, ステ, テム; a single character stands for itself."""
    return {text[i : i + 2] for i in range(len(text) - 1)} or ({text} if text else set())


def _begins(name: str, at: int) -> bool:
    """Whether a word of the name begins there: at its head or where the script changes (モミジ|電子申請)."""
    return at == 0 or _script(name[at - 1]) != _script(name[at])


def _script(char: str) -> str:
    if "ァ" <= char <= "ヺ" or char == "ー":
        return "katakana"
    if "ぁ" <= char <= "ゖ":
        return "hiragana"
    return "latin" if char.isascii() and char.isalnum() else "kanji" if char.isalnum() else "mark"


Run = tuple[int, int, int]  # length, start in the name, start in the question


def runs(name: str, question: str, weights: Mapping[str, float]) -> tuple[Run, Run]:
    """The longest stretch of a name found in a question, and the most telling one by the weights of its pairs.

    Of 住民情報系システム運用 in 「住民情報系と内部情報系のシステム運用」 the longest is システム運用, which other names share; it
    is 住民情報系 that tells which is meant.

    >>> runs("abcdef", "abxdefx", {"ab": 3.0, "de": 1.0, "ef": 1.0})
    ((3, 3, 3), (2, 0, 0))
    """
    longest = telling = (0, 0, 0)
    most = 0.0
    row = [0] * (len(question) + 1)
    sums = [0.0] * (len(question) + 1)
    for i, a in enumerate(name):
        pair = weights.get(name[i - 1 : i + 1], 0.0) if i else 0.0
        length, worth = 0, 0.0
        for j, b in enumerate(question):
            kept = row[j + 1], sums[j + 1]
            row[j + 1] = length + 1 if a == b else 0
            sums[j + 1] = worth + pair if length and a == b else 0.0
            if row[j + 1] > longest[0]:
                longest = (row[j + 1], i - row[j + 1] + 1, j - row[j + 1] + 1)
            if sums[j + 1] > most:
                most = sums[j + 1]
                telling = (row[j + 1], i - row[j + 1] + 1, j - row[j + 1] + 1)
            length, worth = kept
    return longest, telling


def common_endings(names: set[str]) -> list[str]:
    """Endings of two to eight characters that many names share (システム, 事業, 管理システム), longest first."""
    counts = Counter(name[-n:] for name in names for n in range(2, 9) if len(name) > n)
    least = max(3, len(names) // 12)
    return sorted((ending for ending, n in counts.items() if n >= least), key=len, reverse=True)


class Names:
    """The names of some programmes, in their order."""

    def __init__(self, programmes: Sequence[Sheet]) -> None:
        self._programmes = programmes
        sheets: dict[str, list[int]] = defaultdict(list)
        for place, sheet in enumerate(programmes):
            sheets[squeeze(sheet.name)].append(place)
        self._places = list(sheets.values())
        self._numbers = {key: number for number, key in enumerate(sheets)}
        endings = common_endings(set(sheets))
        sounds = readings(sheets)  # white space has no sound
        self._names = [_name(key, sound, endings) for key, sound in zip(sheets, sounds, strict=True)]
        counts = Counter(pair for name in self._names for pair in name.pairs)
        total = max(1, len(self._names))
        self.weights = {pair: math.log(1 + total / n) for pair, n in counts.items()}
        self._sums = np.array([sum(map(self.weights.__getitem__, name.pairs)) for name in self._names])
        holding: dict[str, list[int]] = defaultdict(list)
        by_sound: dict[str, list[int]] = defaultdict(list)
        for number, name in enumerate(self._names):
            for pair in name.pairs:
                holding[pair].append(number)
            if len(name.reading) >= _LEAST_SOUND:
                by_sound[name.reading].append(number)
        self._holding: dict[str, NDArray[np.int32]] = {p: np.array(of, dtype=np.int32) for p, of in holding.items()}
        self._by_sound = dict(by_sound)
        self._by_alias: dict[str, list[int]] = {}
        for number, name in enumerate(self._names):
            for alias in name.aliases:  # 「しおかぜ号」 is called so; (クラウド) behind a name only describes
                if f"「{alias}」" in name.key or f"『{alias}』" in name.key:
                    self._by_alias.setdefault(alias, []).append(number)
        self._lengths = sorted({len(sound) for sound in by_sound})

    @cached_property
    def spelt(self) -> str:
        """All names as one text."""
        return "\0".join(name.key for name in self._names)

    def of(self, key: str) -> list[Sheet]:
        """The programmes' sheets of one squeezed name, in order."""
        number = self._numbers.get(key)
        return [] if number is None else [self._programmes[place] for place in self._places[number]]

    def find(self, key: str, kana: str, scope: Sequence[Sheet]) -> list[NameMatch]:
        """Sheets of ``scope`` named in a question, best first.

        A name counts by the share of its telling character pairs that the question holds and by its longest unbroken
        stretch; a slip of the keyboard (シテスム) keeps most pairs, a wrong conversion (公務支援 for 校務支援) keeps the
        reading. A name that lies inside a better one's stretch gives way.
        """
        ids = None if scope is self._programmes else {sheet.sheet_id for sheet in scope}
        narrow = ids is not None and len(ids) < len(self._programmes)
        only = None if ids is None else {self._numbers[squeeze(sheet.name)] for sheet in scope}
        asked = pairs(key)
        placed: list[tuple[int, NameMatch]] = []
        by_alias = {n for alias, numbers in self._by_alias.items() if alias in key for n in numbers}
        for number in sorted(by_alias | self._likely(asked, kana)):
            if only is not None and number not in only:
                continue
            name = self._names[number]
            total = sum(self.weights[p] for p in name.pairs)
            shared = sum(self.weights[p] for p in name.pairs & asked)
            cover = shared / total if total else 0.0
            if cover < _COVER:
                if not (len(name.reading) >= _LEAST_SOUND and name.reading in kana) and number not in by_alias:
                    continue
                cover = 0.0
            scored = [
                self._scored(name, run, key, kana, cover, total, narrow)
                for run in set(runs(name.key, key, self.weights))
            ]
            score, at, length, exact = max(scored)
            for place in self._places[number]:
                sheet = self._programmes[place]
                if ids is None or sheet.sheet_id in ids:
                    placed.append((place, NameMatch(sheet, score, at, at + length, exact)))
        placed.sort(key=lambda one: (-one[1].score, -(one[1].end - one[1].start), one[0]))
        return _without_lesser([match for _, match in placed])

    def _likely(self, asked: set[str], kana: str) -> set[int]:
        """The names of which a question holds enough pairs or the sound; a few of how many there are."""
        shared = np.zeros(len(self._names))
        for pair in asked:
            if pair in self._holding:
                shared[self._holding[pair]] += self.weights[pair]
        likely = set(np.flatnonzero(shared >= (_COVER - 1e-9) * self._sums).tolist())
        for length in self._lengths:
            for at in range(len(kana) - length + 1):
                likely.update(self._by_sound.get(kana[at : at + length], ()))
        return likely

    def _scored(
        self, name: Name, run: Run, key: str, kana: str, cover: float, total: float, narrow: bool
    ) -> tuple[float, int, int, bool]:
        """How well a stretch of a name names it: the score, where the stretch is and how long, whether it is the name."""
        length, start, at = run
        text = name.key[start : start + length]
        telling = sum(self.weights.get(p, 0.0) for p in pairs(text)) / total if total and length >= 2 else 0.0
        exact = length == len(name.key)
        score = 1.0 if exact else 0.5 * cover + 0.5 * telling
        if exact:
            return score, at, length, exact
        if len(name.reading) >= 6 and name.reading in kana:
            score = max(score, 0.9)
        begin, size = at, length
        if len(name.core) >= _CORE:
            near = fuzz.partial_ratio_alignment(name.core, key)
            if near is not None and near.score >= 100 * (1 - _SLIP / len(name.core)):
                score = max(score, 0.5 * cover + 0.5 * near.score / 100)
                if near.dest_end - near.dest_start > length:
                    begin, size = near.dest_start, near.dest_end - near.dest_start
        name_goes_on = _ANOTHER_WORD.match(name.key, start + length) is not None
        if begin == at and _ANOTHER_WORD.match(key, at + length) and not name_goes_on:
            return min(score, _HINT), begin, size, exact
        word_ends = not _GOES_ON.match(key, begin + size)
        least = 0.25 if narrow else 0.3
        if _begins(name.key, start) and telling >= _TELLING and size >= _CORE and word_ends and cover >= least:
            # People shorten a name by dropping its tail; one everyday word (スマートフォン) only hints at it.
            one_word = len({_script(c) for c in text}) == 1 and _script(text[0]) != "kanji" or len(words(text)) == 1
            score = max(score, 0.5 if one_word else 0.7)
        for alias in name.aliases:
            if alias in key:
                score, begin, size = max(score, 0.9), key.find(alias), len(alias)
        return score, begin, size, exact


def _name(key: str, sound: str, endings: Sequence[str]) -> Name:
    ending = next((e for e in endings if key.endswith(e) and len(key) - len(e) >= 2), "")
    core = key[: len(key) - len(ending)]
    aliases = tuple(alias for found in _BRACKETS.finditer(key) if len(alias := found[1]) >= _CORE)
    return Name(key, core, aliases, sound, frozenset(pairs(key)))


_Stretch = tuple[float, int, int]


def _without_lesser(matches: Sequence[NameMatch]) -> list[NameMatch]:
    """The matches, best first, without those inside the stretch of a better one and exact names inside a longer one."""
    whole = {(match.start, match.end) for match in matches if match.exact}
    exact: set[_Stretch] = set()
    of_town: dict[str, set[_Stretch]] = defaultdict(set)
    known: dict[tuple[_Stretch, bool, str], bool] = {}  # sheets of one name have one stretch
    kept: list[NameMatch] = []
    for match in matches:
        stretch, town = (match.score, match.start, match.end), match.sheet.municipality
        gives_way = known.get((stretch, match.exact, town))
        if gives_way is None:
            better = (*exact, *of_town[town])
            inside = any(
                start <= match.start and match.end <= end and score > match.score + 1e-9 for score, start, end in better
            )
            longer = match.exact and any(
                start <= match.start and match.end <= end and end - start > match.end - match.start
                for start, end in whole
            )
            gives_way = known[stretch, match.exact, town] = inside or longer
        if not gives_way:
            kept.append(match)
            of_town[town].add(stretch)
            if match.exact:
                exact.add(stretch)
    return kept
