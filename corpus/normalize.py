"""Normalised forms of a text, with the way back to the characters they came from.

Stored text is never changed. Matching happens on a normalised copy (NFKC, radicals and old forms folded), and every
character of the copy knows which stretch of the original it stands for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

# NFKC leaves these alone although sheets mix them freely: dashes and wave dashes of several code points.
_FOLDS = {
    "〜": "~", "～": "~", "∼": "~", "−": "-", "‐": "-", "‑": "-", "–": "-", "—": "-", "―": "-", "─": "-", "－": "-",
    "\u00a0": " ", "\u200b": "", "\ufeff": "", "△": "▲",
}  # fmt: skip


# Footnote marks after a label, a year or a figure: 「事業費※1」「R5(注2)」「1,200*」.
FOOTNOTE = re.compile(r"(?:(?<!\s)\s++)?(?:[※*]\s?\d{0,2}|\(?注\s?\d{1,2}\)?)$")

# A line break with the blanks around it; it begins where a blank begins, so that each is looked at once.
LINE_BREAK = re.compile(r"(?<!\s)[^\S\n]*+\n\s*+")


@cache
def variants() -> dict[str, str]:
    """Single characters to the form used for matching (CJK radicals supplement, 髙 -> 高), from ``variants.txt``."""
    table: dict[str, str] = dict(_FOLDS)
    for line in resources.files("corpus").joinpath("variants.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            source, target = line.split()
            table[source] = target
    return table


# Labels, names and cells are squeezed again and again; up to this length the result is kept.
_SHORT = 200


@dataclass(frozen=True, slots=True)
class Normalized:
    """``text`` and, for each of its characters, the (start, end) it came from; ``starts`` has one more entry, the end."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def raw(self, start: int, end: int) -> tuple[int, int]:
        """The original's (start, end) for ``text[start:end]``; an empty stretch maps to an empty one."""
        if start >= end:
            at = self.starts[start] if start < len(self.starts) else (self.ends[-1] if self.ends else 0)
            return at, at
        return self.starts[start], self.ends[end - 1]


def _is_mark(char: str) -> bool:
    # Half-width voiced marks combine under NFKC (ﾊﾞ -> バ); variation selectors say nothing to a reader of text.
    return char in "ﾞﾟ" or unicodedata.combining(char) != 0 or 0xFE00 <= ord(char) <= 0xFE0F or ord(char) >= 0xE0100


def normalize(text: str, squeeze: bool = False) -> Normalized:
    """NFKC, folded variants, and the offsets back; ``squeeze`` also drops all white space.

    >>> normalize("ｼｽﾃﾑ ①").text
    'システム 1'
    >>> normalize("デ\\n\\nータ", squeeze=True).text
    'データ'
    """
    folds = variants()
    out: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    i, n = 0, len(text)
    while i < n:
        j = i + 1
        while j < n and _is_mark(text[j]):
            j += 1
        char = text[i]
        if j == i + 1 and "!" <= char <= "~":
            piece = char
        else:
            piece = unicodedata.normalize("NFKC", folds.get(char, char) + text[i + 1 : j])
        for c in piece:
            if 0xFE00 <= ord(c) <= 0xFE0F or ord(c) >= 0xE0100 or (squeeze and c.isspace()):
                continue
            out.append(folds.get(c, c))
            starts.append(i)
            ends.append(j)
        i = j
    joined = "".join(out)
    if len(joined) != len(out):  # a fold to the empty string
        keep = [k for k, c in enumerate(out) if c]
        starts, ends = [starts[k] for k in keep], [ends[k] for k in keep]
    return Normalized(joined, tuple(starts), tuple(ends))


class _HasMark(Exception):
    """The text holds a character that joins with the one before it."""


class _Folded(dict[int, str]):
    """What each character becomes when white space goes too; filled as characters come up."""

    def __missing__(self, code: int) -> str:
        if _is_mark(chr(code)):
            raise _HasMark
        self[code] = folded = normalize(chr(code), squeeze=True).text
        return folded


_FOLDED = _Folded()


def squeeze(text: str) -> str:
    """The text for comparing: NFKC, folded, no white space, lower case.

    >>> squeeze("ＩＣＴ－ＢＣＰ ")
    'ict-bcp'
    """
    return _squeeze_short(text) if len(text) <= _SHORT else _squeeze(text)


@lru_cache(maxsize=1 << 16)
def _squeeze_short(text: str) -> str:
    return _squeeze(text)


def _squeeze(text: str) -> str:
    # Character by character the two agree as long as none joins with its neighbour (half-width ﾊﾞ).
    try:
        return text.translate(_FOLDED).lower()
    except _HasMark:
        return normalize(text, squeeze=True).text.lower()


def occurrences(part: str, text: str) -> Iterator[int]:
    """Where ``part`` (not empty) begins in ``text``, without overlaps, as ``re.finditer`` finds it.

    >>> list(occurrences("ああ", "ああああい"))
    [0, 2]
    """
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + len(part))
