"""What the index holds, prepared for matching questions: names, departments, municipalities, years.

Meaning comes from here and never from a list of particular sheets: the same code knows any city's systems as soon as
they are indexed.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

from corpus.documents import Sheet
from corpus.normalize import occurrences, squeeze
from index.readings import reading
from index.synonyms import load_synonyms
from index.tokens import words
from index.types import Filters, Index

_MUNICIPALITY = re.compile(r"(?<=.{2})[都道府県市区町村]$")
# One slip (two in a name of eight characters or more) is a mistyped name; shorter cores are too easily hit by chance.
_CORE, _SLIP = 4, 1.01
# The stretch must be worth this share of the name: システム alone names nothing.
_TELLING = 0.2
# A kanji after the stretch makes it part of another word: スマートフォン in スマートフォン講習会 is no programme's name.
_GOES_ON = re.compile(r"[一-龥々]")
_BRACKETS = re.compile(r"\(([^()]+)\)")
_COMPONENT = re.compile(r".+?(?:事務局|公室|部|局|センター|課|室|係|館|所|院|署|園|本部)")
# A town stands at the head of a question or of a list, and a particle follows it.
_STRANGER = re.compile(r"(?:^|[、,・]|と)([一-龥々ヶァ-ヴー]{1,6}[市区町村])(?=[のとでにはが、,・]|では)")
_NO_TOWN = re.compile(
    r"(?:.{0,3}(?:他|本|当|同|両|各|全|近隣|周辺|隣接|都|地|学|政令|中核|特別|自治|行政|貴|市|区|町)|類似.*)[市区町村]+$"
)
# 「…対策課題」 is no 対策課.
_OFFICE_ENDS = re.compile(r"(?![題税程金長]|ごと|別)")
# A stem inside a longer word (中央 in 中央図書館) names no town: what follows must end the word.
_TOWN_ENDS = re.compile(r"(?=$|[のでにとをはがもや、,・:?()]|では|から|[^一-龥])")


@dataclass(frozen=True, slots=True)
class Name:
    """A sheet's name as matching sees it: squeezed, without its common ending (``core``), its reading, its pairs."""

    sheet: Sheet
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


def _parts(department: str) -> list[str]:
    """How people call a department: in full, by its 課, or by the 部, 局 or センター it belongs to."""
    whole = squeeze(department)
    parts = [part for words in department.split() for part in _COMPONENT.findall(squeeze(words))]
    # What stands behind a 部 is a name of its own: 情報システム課 in 管理部情報システム課.
    return [whole, *(part for part in parts if len(part) >= 3 and part != whole)]


def common_endings(names: set[str]) -> list[str]:
    """Endings of two to eight characters that many names share (システム, 事業, 管理システム), longest first."""
    counts = Counter(name[-n:] for name in names for n in range(2, 9) if len(name) > n)
    least = max(3, len(names) // 12)
    return sorted((ending for ending, n in counts.items() if n >= least), key=len, reverse=True)


class Catalogue:
    """Names, departments and municipalities of one index version."""

    def __init__(self, index: Index) -> None:
        self.sheets = index.sheets()
        self._valued = lru_cache(maxsize=32)(
            lambda rating, budget: frozenset(s.sheet_id for s in index.sheets(Filters(rating=rating, budget=budget)))
        )
        self.by_id = {sheet.sheet_id: sheet for sheet in self.sheets}
        self.programmes = [sheet for sheet in self.sheets if sheet.kind == "programme"]
        self.municipalities = sorted({s.municipality for s in self.sheets if s.municipality})
        self.departments = sorted({s.department for s in self.sheets if s.department})
        self.latest_year = max((s.fiscal_year for s in self.sheets if s.fiscal_year), default=None)
        self._endings = common_endings({squeeze(sheet.name) for sheet in self.programmes})
        self.names = [self._name(sheet) for sheet in self.programmes]
        spelt = "\0".join(name.key for name in self.names)
        self._rewrites = sorted(
            {
                (a, b)
                for term, other in load_synonyms().rewrites()
                if len(a := squeeze(term)) >= 2 and len(b := squeeze(other)) > len(a) and b in spelt and a not in spelt
            },
            key=lambda pair: (-len(pair[0]), pair),
        )
        counts = Counter(pair for name in {n.key for n in self.names} for pair in pairs(name))
        total = max(1, len({n.key for n in self.names}))
        self._weight = {pair: math.log(1 + total / n) for pair, n in counts.items()}

    def passes(self, sheet: Sheet, filters: Filters) -> bool:
        """Whether a sheet has one of the ratings and one of the sizes of budget that filters ask for, if they do."""
        if not filters.rating and not filters.budget:
            return True
        return sheet.sheet_id in self._valued(filters.rating, filters.budget)

    def _name(self, sheet: Sheet) -> Name:
        key = squeeze(sheet.name)
        ending = next((e for e in self._endings if key.endswith(e) and len(key) - len(e) >= 2), "")
        core = key[: len(key) - len(ending)]
        aliases = tuple(alias for found in _BRACKETS.finditer(key) if len(alias := found[1]) >= _CORE)
        return Name(sheet, key, core, aliases, reading(sheet.name), frozenset(pairs(key)))

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
        return self._weight.get(pair, 0.0)

    def find_municipalities(self, key: str) -> list[tuple[str, int, int]]:
        """Municipalities named in a squeezed question, by full name or by the name without 市区町村."""
        found: list[tuple[str, int, int]] = []
        for name in self.municipalities:
            full = squeeze(name)
            stem = _MUNICIPALITY.sub("", full)
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
        known = [squeeze(name) for name in self.municipalities]
        return [
            name
            for found in _STRANGER.finditer(key)
            if not _NO_TOWN.match(name := found[1]) and not any(name in k or k in name for k in known)
        ]

    def find_departments(self, key: str, scope: list[Sheet]) -> list[tuple[str, int, int]]:
        """Departments of ``scope`` named in a squeezed question, wholly or by a part that ends in 課, 局, センター …"""
        found: list[tuple[str, int, int]] = []
        for department in sorted({s.department for s in scope if s.department}):
            hits = [
                (department, at, at + len(part))
                for part in _parts(department)
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

    def find_names(self, key: str, kana: str, scope: list[Sheet]) -> list[NameMatch]:
        """Sheets of ``scope`` named in a question, best first.

        A name counts by the share of its telling character pairs that the question holds and by its longest unbroken
        stretch; a slip of the keyboard (シテスム) keeps most pairs, a wrong conversion (公務支援 for 校務支援) keeps the
        reading. A name that lies inside a better one's stretch gives way.
        """
        ids = {sheet.sheet_id for sheet in scope}
        narrow = len(ids) < len(self.programmes)
        asked = pairs(key)
        matches = []
        for name in self.names:
            if name.sheet.sheet_id not in ids:
                continue
            total = sum(self._weight[p] for p in name.pairs)
            shared = sum(self._weight[p] for p in name.pairs & asked)
            cover = shared / total if total else 0.0
            if cover < 0.25:
                if not (len(name.reading) >= 6 and name.reading in kana):
                    continue
                cover = 0.0
            scored = [
                self._scored(name, run, key, kana, cover, total, narrow)
                for run in set(runs(name.key, key, self._weight))
            ]
            score, at, length, exact = max(scored)
            matches.append(NameMatch(name.sheet, score, at, at + length, exact))
        matches.sort(key=lambda m: (-m.score, -(m.end - m.start)))
        kept: list[NameMatch] = []
        for match in matches:
            inside = any(
                o.start <= match.start
                and match.end <= o.end
                and o.score > match.score + 1e-9
                and (o.exact or o.sheet.municipality == match.sheet.municipality)
                for o in kept
            )
            longer = any(
                o.exact
                and match.exact
                and o.start <= match.start
                and match.end <= o.end
                and o.end - o.start > match.end - match.start
                for o in matches
            )
            if not inside and not longer:
                kept.append(match)
        return kept

    def _scored(
        self, name: Name, run: Run, key: str, kana: str, cover: float, total: float, narrow: bool
    ) -> tuple[float, int, int, bool]:
        """How well a stretch of a name names it: the score, where the stretch is and how long, whether it is the name."""
        length, start, at = run
        text = name.key[start : start + length]
        telling = sum(self._weight.get(p, 0.0) for p in pairs(text)) / total if total and length >= 2 else 0.0
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
