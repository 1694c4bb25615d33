"""Letters with their boxes become lines, pieces and the text of a cell: told by where the letters stand, nothing else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from statistics import fmean, median
from typing import NamedTuple

from corpus.readers.extract import Box, Piece, one_line

# Gaps between letters, in ems: above the first a space is shown, above the second a column begins (above the third
# where the file itself has blanks in the gap).
SPACE, COLUMN, BLANK_COLUMN = 0.6, 3.0, 4.0
LATIN_SPACE = 0.2  # between Latin words, whose blanks are narrow
SPACE_OF_OCR = 1.3  # tesseract parts Japanese words that no blank parts
# Gaps of a word spread over its cell may differ by this much of an em.
_EVEN = 0.35
_BLANKS = re.compile(r"\s+")


class Glyph(NamedTuple):
    """A letter, or a word of OCR, with its box in points from the page's top left (a tuple: there are thousands a page).

    ``angle`` is how far it is turned counter-clockwise, in quarters; ``confidence`` as in Place.
    """

    text: str
    x0: float
    top: float
    x1: float
    bottom: float
    angle: int = 0
    confidence: float | None = None


Line = list[Glyph]


def deduped(glyphs: Iterable[Glyph]) -> list[Glyph]:
    """Without the copies that bold and shadows are printed with: the same letter at almost the same place."""
    seen: dict[tuple[str, int, int], list[Glyph]] = {}
    kept = []
    for glyph in glyphs:
        if glyph.text.isspace():
            kept.append(glyph)
            continue
        column, row = int(glyph.x0 // 4), int(glyph.top // 4)
        # Less than the letter is wide, or the second l of "will" would go.
        near = min(0.2 * (glyph.bottom - glyph.top), 0.35 * (glyph.x1 - glyph.x0))
        if any(
            abs(other.x0 - glyph.x0) <= near and abs(other.top - glyph.top) <= near
            for x in (column - 1, column, column + 1)
            for y in (row - 1, row, row + 1)
            for other in seen.get((glyph.text, x, y), ())
        ):
            continue
        seen.setdefault((glyph.text, column, row), []).append(glyph)
        kept.append(glyph)
    return kept


def turned(glyph: Glyph, quarters: int, width: float, height: float) -> Glyph:
    """The glyph on a page of ``width`` and ``height`` that is turned clockwise by ``quarters``."""
    x0, top, x1, bottom = turned_box((glyph.x0, glyph.top, glyph.x1, glyph.bottom), quarters, width, height)
    return Glyph(glyph.text, x0, top, x1, bottom, (glyph.angle - quarters) % 4, glyph.confidence)


def turned_box(box: Box, quarters: int, width: float, height: float) -> Box:
    """A box on a page of ``width`` and ``height`` that is turned clockwise by ``quarters``."""
    x0, top, x1, bottom = box
    if quarters == 1:
        return height - bottom, x0, height - top, x1
    if quarters == 2:
        return width - x1, height - bottom, width - x0, height - top
    if quarters == 3:
        return top, width - x1, bottom, width - x0
    return box


def lines_of(glyphs: Iterable[Glyph]) -> list[Line]:
    """Upright glyphs as lines from top to bottom, each from left to right."""
    lines: list[Line] = []
    top = bottom = 0.0
    for glyph in sorted(glyphs, key=lambda glyph: glyph.top + glyph.bottom):
        height = glyph.bottom - glyph.top
        shared = min(bottom, glyph.bottom) - max(top, glyph.top)
        if lines and shared > 0.5 * min(height, bottom - top):
            lines[-1].append(glyph)
            if height > bottom - top:  # the line is where its tallest letter is; a raised small one must not lead
                top, bottom = glyph.top, glyph.bottom
        else:
            lines.append([glyph])
            top, bottom = glyph.top, glyph.bottom
    for line in lines:
        line.sort(key=lambda glyph: glyph.x0)
    return [line for line in lines if not all(glyph.text.isspace() for glyph in line)]


def em_of(line: Sequence[Glyph]) -> float:
    """The size of a line's letters: the width of its full-width ones, else most of its height."""
    wide = [
        glyph.x1 - glyph.x0 for glyph in line if len(glyph.text) == 1 and glyph.confidence is None and _wide(glyph.text)
    ]
    if wide:
        return max(median(wide), 1.0)
    if line[0].confidence is not None:  # the box of a word of OCR ends where its ink ends
        return max(1.1 * median(glyph.bottom - glyph.top for glyph in line), 1.0)
    return max(0.85 * median(glyph.bottom - glyph.top for glyph in line), 1.0)


@lru_cache(maxsize=1 << 14)
def _wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF" and not char.isspace()


@lru_cache(maxsize=1 << 14)
def _letter(text: str) -> bool:
    """Whether ``text`` is one kanji or kana: a word spread over its cell is made of these, a row of figures is not."""
    return len(text) == 1 and unicodedata.category(text) in ("Lo", "Lm")


def words_of(line: Sequence[Glyph], em: float, column: float = COLUMN) -> list[list[tuple[str, Line]]]:
    """The words of a line in columns: each word with the blank before it (``""`` where it opens its column).

    ``column`` is the gap in ems that starts a new column.
    """
    columns: list[list[tuple[str, Line]]] = []
    blank, end = "", float("-inf")
    for glyph in line:
        if glyph.text.isspace():
            blank += glyph.text
            continue
        gap = (glyph.x0 - end) / em
        if not columns or gap > (max(column, BLANK_COLUMN) if blank else column):
            columns.append([("", [glyph])])
        elif blank and gap > 0.1:  # a blank under a letter drawn back over it separates nothing
            columns[-1].append((blank.replace("\t", " "), [glyph]))
        elif gap > _least_space(columns[-1][-1][1][-1], glyph):
            columns[-1].append((" ", [glyph]))
        else:
            columns[-1][-1][1].append(glyph)
        blank, end = "", max(end, glyph.x1)
    return columns


def _least_space(before: Glyph, glyph: Glyph) -> float:
    """The gap in ems above which a space stands between two neighbours."""
    first, second = before.text[-1], glyph.text[0]
    if first.isascii() and second.isascii() and (first.isalpha() or second.isalpha()):
        return LATIN_SPACE
    return SPACE if glyph.confidence is None or not _wide(second) else SPACE_OF_OCR


def joined(words: Sequence[tuple[str, Line]], em: float) -> str:
    """The words of one column as text; letters spread evenly over their place (事 業 名) are one word again."""
    spread = _spread(words, em)
    text = ""
    for place, (blank, word) in enumerate(words):
        text += ("" if place in spread else blank) + "".join(glyph.text for glyph in word)
    return text.strip()


def _spread(words: Sequence[tuple[str, Line]], em: float) -> set[int]:
    """The places of the words that continue a spread one: lone letters with even gaps, three or nothing but two."""
    lone = [len(word) == 1 and _letter(word[0].text) for _, word in words]
    found: set[int] = set()
    start = 0
    while start < len(words):
        stop = start
        gaps: list[float] = []
        while stop + 1 < len(words) and lone[stop] and lone[stop + 1]:
            gap = words[stop + 1][1][0].x0 - words[stop][1][0].x1
            if gaps and max(*gaps, gap) - min(*gaps, gap) > _EVEN * em:
                break
            gaps.append(gap)
            stop += 1
        if len(gaps) >= 2 or (gaps and len(words) == 2):
            found.update(range(start + 1, stop + 1))
        start = max(stop, start + 1)
    return found


def pieces_of(line: Sequence[Glyph], page: int, column: float = COLUMN) -> list[Piece]:
    """A line as pieces: a wide gap starts a new one."""
    em = em_of(line)
    found = []
    for words in words_of(line, em, column):
        text = joined(words, em)
        if text:
            glyphs = [glyph for _, word in words for glyph in word]
            found.append(Piece(text, page, box_of(glyphs), confidence=confidence_of(glyphs)))
    return found


def line_text(line: Sequence[Glyph]) -> str:
    """A line inside a cell, where no gap starts a column."""
    em = em_of(line)
    return " ".join(joined(words, em) for words in words_of(line, em, float("inf")))


def cell_text(glyphs: Sequence[Glyph]) -> str:
    """Everything in one cell on one line; text that runs downwards or is turned is read the way it runs."""
    parts = []
    for angle in sorted({glyph.angle for glyph in glyphs}):
        turned_so = [turned(glyph, angle, 0, 0) for glyph in glyphs if glyph.angle == angle]
        parts.append(_upright(turned_so))
    return one_line("\n".join(part for part in parts if part))


def _upright(glyphs: Sequence[Glyph]) -> str:
    lines = lines_of(glyphs)
    downwards = _downwards(lines)
    if downwards is not None:
        return "".join(_BLANKS.sub("", glyph.text) for column in downwards for glyph in column)
    return one_line("\n".join(line_text(line) for line in lines))


def _downwards(lines: Sequence[Line]) -> list[Line] | None:
    """The columns from right to left if letters are stacked (指 over 標 over 名), else None.

    Stacked letters stand one under the other and wider apart sideways than downwards; a spread word over two lines
    (事 業 over 番 号) does so as well, but is wider than high.
    """
    letters = [[glyph for glyph in line if not glyph.text.isspace()] for line in lines]
    if len(letters) < 2 or any(len(glyph.text) > 1 for line in letters for glyph in line):
        return None
    everything = [glyph for line in letters for glyph in line]
    if not any(_letter(glyph.text) for glyph in everything):
        return None
    box = box_of(everything)
    em = em_of(everything)
    columns: list[Line] = []
    for glyph in sorted(everything, key=lambda glyph: -(glyph.x0 + glyph.x1)):
        middle = (glyph.x0 + glyph.x1) / 2
        if columns and abs(middle - fmean((columns[-1][0].x0, columns[-1][0].x1))) < 0.6 * em:
            columns[-1].append(glyph)
        else:
            columns.append([glyph])
    if len(columns) == 1:
        return [sorted(columns[0], key=lambda glyph: glyph.top)] if max(map(len, letters)) == 1 else None
    if box[3] - box[1] <= box[2] - box[0] or any(len(column) < 2 for column in columns[:-1]):
        return None
    for column in columns:
        column.sort(key=lambda glyph: glyph.top)
    down = median(b.top - a.top for column in columns for a, b in zip(column, column[1:], strict=False))
    aside = median(columns[n][0].x0 - columns[n + 1][0].x0 for n in range(len(columns) - 1))
    return columns if aside > 1.15 * em > down else None


def box_of(glyphs: Sequence[Glyph]) -> Box:
    """The box around some glyphs."""
    return (
        round(min(glyph.x0 for glyph in glyphs), 1),
        round(min(glyph.top for glyph in glyphs), 1),
        round(max(glyph.x1 for glyph in glyphs), 1),
        round(max(glyph.bottom for glyph in glyphs), 1),
    )


def confidence_of(glyphs: Sequence[Glyph]) -> float | None:
    """The mean confidence of what OCR read, letter by letter; None where the characters stand in the file."""
    read = [(glyph.confidence, len(glyph.text)) for glyph in glyphs if glyph.confidence is not None]
    if not read:
        return None
    return round(sum(sure * count for sure, count in read) / sum(count for _, count in read), 3)
