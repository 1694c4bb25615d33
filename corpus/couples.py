"""Labels of a form's head with their values, on whichever side of the label a form prints them.

Forms put a value to the right of its label, below it, behind a colon or after 【label】; extraction also leaves values above
their labels, or all labels of a block before all of its values. Each reading is taken only where it comes out even and
what stands there can be a value of that label.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations

from corpus.forms.loader import HEAD_KINDS, kind_of
from corpus.layout import Row
from corpus.linevalues import line_values
from corpus.periods import find_periods
from corpus.rowwords import CODE, ORGANISATION, Word, fits, is_text, without_breaks, words_of

# A row of more labels is no form's head: what stands under them is not looked for.
MOST_LABELS = 100
_LEADING_CODE = re.compile(r"^(?:\d{1,4}(?:-\d{1,4})*[ \u3000]+)")


@dataclass(frozen=True, slots=True)
class Couple:
    """A label with its value (both normalised) and the raw offset where the first of the two lines begins."""

    field: str
    label: str
    value: str
    start: int


def couples(lines: list[Row]) -> list[Couple]:
    """The labels of names, organisations, years, codes and persons among ``lines`` with their values, in order."""
    lines = without_breaks(lines)
    words = [words_of(row) for row in lines]
    apart = line_values(lines, words)
    found: list[Couple] = []
    for i, row in enumerate(words):
        for j, word in enumerate(row):
            if word.field is None or kind_of(word.field) not in HEAD_KINDS:
                continue
            value, at = _value(lines, words, i, j, apart)
            if value:
                found.append(Couple(word.field, word.text, value, lines[min(i, at)].span.start))
    return found


def _value(
    lines: list[Row], words: list[list[Word]], i: int, j: int, apart: dict[int, tuple[int, int]]
) -> tuple[str, int]:
    """The value of the label ``words[i][j]`` and the row it stands in; "" when there is none to trust."""
    row, word = words[i], words[i][j]
    assert word.field is not None
    right = _right(row, j, word.field)
    if right:
        return right, i
    if j + 1 < len(row) and row[j + 1].field is None:
        return "", i  # something stands there that cannot be a value: 「事務事業名 ※記入例」
    if lines[i].tabbed or len(row) > 1:
        return _below(lines, words, i, j), i
    return _of_lines(lines, words, i, word.field, apart)


def _right(row: list[Word], j: int, field: str) -> str:
    after: list[str] = []
    for at in range(j + 1, len(row)):
        word = row[at]
        if word.field is not None:
            break
        after.append(word.text)
    kind = kind_of(field)
    if kind == "name":
        told = [text for text in after if not CODE.match(text)]
        return _bare_name(told[0]) if told else ""
    if kind == "department" and len(after) > 1:
        units = [text for text in after if ORGANISATION.search(text)]
        return " ".join(units[:2]) or after[0]
    return after[0] if after else ""


def _bare_name(text: str) -> str:
    bare = _LEADING_CODE.sub("", text).strip()
    return bare if fits("事務事業名", bare) else ""


def _below(lines: list[Row], words: list[list[Word]], i: int, j: int) -> str:
    """The cell under a label in a row of labels; nothing where the rows below are a list of many programmes."""
    word, row = words[i][j], words[i]
    if len(row) > MOST_LABELS or any(other.field is None for other in row) or i + 1 >= len(words):
        return ""
    under = words[i + 1]
    if len(under) > MOST_LABELS or any(other.field is not None for other in under):
        return ""
    value = _in_column(lines[i + 1], under, word, row, j)
    if value is None or not fits(word.field or "", value.text):
        return ""
    if i + 2 < len(words) and len(words[i + 2]) == len(under) > 1 and all(w.field is None for w in words[i + 2]):
        return ""
    return _bare_name(value.text) if kind_of(word.field or "") == "name" else value.text


def _in_column(line: Row, under: list[Word], word: Word, row: list[Word], j: int) -> Word | None:
    if line.tabbed and not line.visual:
        return next((other for other in under if other.column == word.column), None)
    if line.tabbed:
        near = min(under, key=lambda other: abs(other.column - word.column))
        return near if abs(near.column - word.column) <= 4 else None
    # Blanks alone part the values: as many as there are labels, or it is not known which belongs to which.
    told = _dealt(line.text.split(), row)
    return Word(told[j], j, None) if told else None


def _dealt(told: list[str], row: list[Word]) -> list[str]:
    """The words of a line dealt out to as many labels; empty when not, or when more than one way would do."""
    if len(told) == len(row):
        return told
    if not len(row) < len(told) <= 8:
        return []
    ways = []
    for cuts in combinations(range(1, len(told)), len(row) - 1):
        edges = [0, *cuts, len(told)]
        parts = [" ".join(told[a:b]) for a, b in zip(edges, edges[1:], strict=False)]
        if all(_shaped(word.field or "", part) for word, part in zip(row, parts, strict=True)):
            ways.append(parts)
    return ways[0] if len(ways) == 1 else []


def _shaped(field: str, value: str) -> bool:
    """Whether a value has the one shape its label's values have; a name is one word that is nothing else."""
    kind = kind_of(field)
    if kind == "code":
        return CODE.match(value) is not None
    if kind == "name":
        return " " not in value and fits(field, value) and not ORGANISATION.search(value)
    if kind == "person":
        return (
            len(value) <= 20 and not re.search(r"\d", value) and not any(ORGANISATION.search(v) for v in value.split())
        )
    if kind == "year":
        periods = find_periods(value)
        return len(periods) == 1 and (periods[0].start, periods[0].end) == (0, len(value))
    return kind == "department" and fits(field, value)


def _of_lines(
    lines: list[Row], words: list[list[Word]], i: int, field: str, apart: dict[int, tuple[int, int]]
) -> tuple[str, int]:
    """The value of a label that has its line to itself, and the line it stands in."""
    if i in apart:
        first = apart[i][0]
        return (lines[first].text if fits(field, lines[first].text) else ""), first
    told = lines[i + 1].text if i + 1 < len(lines) and is_text(lines[i + 1], words[i + 1]) else ""
    return (_bare_name(told) if kind_of(field) == "name" else told if fits(field, told) else ""), i
