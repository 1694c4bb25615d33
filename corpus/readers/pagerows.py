"""One page as rows: ruled tables cell by cell, everything else line by line, in the order they are read."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise

from corpus.normalize import variants
from corpus.readers.extract import Box, Piece
from corpus.readers.flow import Block, Row, in_order
from corpus.readers.glyphs import (
    Glyph,
    Line,
    box_of,
    cell_text,
    confidence_of,
    deduped,
    em_of,
    line_text,
    lines_of,
    turned,
    turned_box,
)
from corpus.readers.grid import Grid, Rule, find_grids

_NO_GAP = 0.04  # ems between letters set one after the other
_DIGITS = frozenset("0123456789０１２３４５６７８９")
_FIGURES = re.compile(r"[▲△\-−－]?\s?[0-9０-９][0-9０-９,，.．]*\s?[%％円千人件回]{0,2}|[-－―ー]")


def page_rows(
    glyphs: Sequence[Glyph],
    horizontal: Sequence[Rule],
    vertical: Sequence[Rule],
    size: tuple[float, float],
    page: int,
) -> list[Row]:
    """The rows of a page of ``size`` (width and height); a line of text is a row with one piece."""
    glyphs = deduped(glyphs)
    quarters = _direction(glyphs)
    if not quarters:
        rows = _rows(glyphs, find_grids(horizontal, vertical), size, page)
    else:  # the page is printed sideways: it is read turned, and its boxes are turned back
        glyphs = [turned(glyph, quarters, *size) for glyph in glyphs]
        level, upright = _turned(horizontal, vertical, quarters, size)
        across = size if quarters == 2 else (size[1], size[0])
        rows = [
            [piece if piece.box is None else replace(piece, box=_back(piece.box, quarters, across)) for piece in row]
            for row in _rows(glyphs, find_grids(level, upright), across, page)
        ]
    table = radicals()
    return [[replace(piece, text=piece.text.translate(table)) for piece in row] for row in rows]


@cache
def radicals() -> dict[int, str]:
    """Radicals to the characters they look like: fonts give 火 and ⽕ (U+2F55) one shape, and a PDF may name the wrong one.

    Left alone, a copied quote would not be found again; the mapping is one to one, so offsets stay. The brackets of
    text that runs downwards become those of a line for the same reason.
    """
    supplement = {ord(char): plain for char, plain in variants().items() if "\u2e80" <= char <= "\u2eff"}
    kangxi = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0x2F00, 0x2FD6)}
    downwards = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0xFE35, 0xFE45)}
    return {**kangxi, **supplement, **downwards}


def _direction(glyphs: Sequence[Glyph]) -> int:
    """The quarters most letters are turned by; labels at the side do not turn a page."""
    if not glyphs:
        return 0
    angle, count = Counter(glyph.angle for glyph in glyphs if not glyph.text.isspace()).most_common(1)[0]
    return angle if 2 * count > len(glyphs) else 0


def _turned(
    horizontal: Sequence[Rule], vertical: Sequence[Rule], quarters: int, size: tuple[float, float]
) -> tuple[list[Rule], list[Rule]]:
    level = [turned_box((start, at, end, at), quarters, *size) for at, start, end in horizontal]
    upright = [turned_box((at, start, at, end), quarters, *size) for at, start, end in vertical]
    if quarters != 2:
        level, upright = upright, level
    return [Rule(top, x0, x1) for x0, top, x1, _ in level], [Rule(x0, top, bottom) for x0, top, _, bottom in upright]


def _back(box: Box, quarters: int, size: tuple[float, float]) -> Box:
    return _rounded(turned_box(box, 4 - quarters, *size))


def _rounded(box: Box) -> Box:
    return (round(box[0], 1), round(box[1], 1), round(box[2], 1), round(box[3], 1))


def _rows(glyphs: Sequence[Glyph], grids: list[Grid], size: tuple[float, float], page: int) -> list[Row]:
    grids = sorted((grid for grid in grids if not _frame(grid, grids, size)), key=_area)
    cells: dict[tuple[int, int], list[Glyph]] = {}
    rest: list[Glyph] = []
    for glyph in glyphs:
        x, y = (glyph.x0 + glyph.x1) / 2, (glyph.top + glyph.bottom) / 2
        for n, grid in enumerate(grids):  # the smallest first: a table inside a cell of another keeps its own text
            cell = grid.cell_at(x, y)
            if cell >= 0:
                cells.setdefault((n, cell), []).append(glyph)
                break
        else:
            rest.append(glyph)
    blocks = []
    nested = {n: found for n in range(len(grids)) if (found := _holder(n, grids)) is not None}
    for n in range(len(grids)):
        if n not in nested:
            x0, top, x1, bottom = grids[n].box
            rows = _table(n, grids, cells, nested, page)
            if rows:
                tops = tuple(at for at, _ in rows)
                blocks.append(Block(top, bottom, x0, x1, tuple(row for _, row in rows), tops))
    blocks += _sideways([glyph for glyph in rest if glyph.angle], page)
    return in_order([glyph for glyph in rest if not glyph.angle], blocks, page)


def _area(grid: Grid) -> float:
    x0, top, x1, bottom = grid.box
    return (x1 - x0) * (bottom - top)


def _frame(grid: Grid, grids: list[Grid], size: tuple[float, float]) -> bool:
    """Whether a single cell is decoration: around most of the page, or around tables."""
    if len(grid.cells) > 1:
        return False
    return _area(grid) >= 0.5 * size[0] * size[1] or any(
        other is not grid and grid.cell_at(*_middle(other.box)) == 0 and _area(other) < _area(grid) for other in grids
    )


def _middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _holder(n: int, grids: list[Grid]) -> tuple[int, int] | None:
    """The table and cell that hold the whole of table ``n``, the smallest first."""
    x0, top, x1, bottom = grids[n].box
    for m in range(n + 1, len(grids)):
        cell = grids[m].cell_at(*_middle(grids[n].box))
        if cell >= 0:
            a, b, c, d = grids[m].cells[cell]
            if a - 1 <= x0 and b - 1 <= top and x1 <= c + 1 and bottom <= d + 1:
                return m, cell
    return None


def _table(
    n: int,
    grids: list[Grid],
    cells: dict[tuple[int, int], list[Glyph]],
    nested: dict[int, tuple[int, int]],
    page: int,
) -> list[tuple[float, Row]]:
    """The rows of a table and where each begins; a table inside one of its cells follows the row of that cell."""
    grid = grids[n]
    rows: list[tuple[float, Row]] = []
    for line in grid.rows:
        held = _overflowed([cells.get((n, cell), []) if cell is not None else [] for cell in line])
        boxes = [_rounded(grid.cells[cell]) if cell is not None else None for cell in line]
        pieces = _stacked(held, page) or [
            [
                Piece(cell_text(glyphs), page, box, confidence=confidence_of(glyphs))
                for glyphs, box in zip(held, boxes, strict=True)
            ]
        ]
        top = next(box[1] for box in boxes if box is not None)
        rows += [(top, row) for row in pieces if any(piece.text for piece in row)]
        for inner, holder in nested.items():
            if holder[0] == n and holder[1] in line:
                rows += _table(inner, grids, cells, nested, page)
    return rows


def _overflowed(cells: list[list[Glyph]]) -> list[list[Glyph]]:
    """Cells of a row with a text too long for its cell put together: it runs on over the rule, as spreadsheets print it.

    Only what is a single line and goes on without any gap; two texts that end and begin at a rule keep a little apart.
    """
    cells = list(cells)
    filled = [n for n, glyphs in enumerate(cells) if any(not glyph.text.isspace() for glyph in glyphs)]
    for left, right in reversed(list(pairwise(filled))):
        if min(glyph.x0 for glyph in cells[right]) - max(glyph.x1 for glyph in cells[left]) > 1:
            continue
        ends, begins = lines_of(cells[left]), lines_of(cells[right])
        if len(ends) != 1 or len(begins) != 1 or any(glyph.angle for glyph in (*ends[0], *begins[0])):
            continue
        before, after = ends[0][-1], begins[0][0]
        same_line = abs((before.top + before.bottom) - (after.top + after.bottom)) < 0.1 * (after.bottom - after.top)
        if same_line and before.confidence is None and abs(after.x0 - before.x1) < _NO_GAP * em_of(ends[0]):
            cells[left], cells[right] = [*cells[left], *cells[right]], []
    return cells


def _stacked(cells: list[list[Glyph]], page: int) -> list[Row] | None:
    """One ruled row as the several rows printed in it: two or more cells hold figures at the same heights, one per line.

    None where it is one row: what wraps in a cell is no row of its own.
    """
    if sum(any(not _DIGITS.isdisjoint(glyph.text) for glyph in glyphs) and _tall(glyphs) for glyphs in cells) < 2:
        return None
    lines = [lines_of(glyph for glyph in glyphs if not glyph.angle) for glyphs in cells]
    figures = [own for own in lines if len(own) > 1 and all(_FIGURES.fullmatch(line_text(line)) for line in own)]
    if len(figures) < 2:
        return None
    heights = [_height(line) for line in figures[0]]
    slack = 0.4 * em_of(figures[0][0])
    rows: list[Row] = [[Piece("")] * len(cells) for _ in heights]
    for column, own in enumerate(lines):
        if any(glyph.angle for glyph in cells[column]):
            return None
        if len(own) not in (0, 1, len(heights)):
            return None
        for place, line in enumerate(own):
            if len(own) > 1 and abs(_height(line) - heights[place]) > slack:
                return None
            if len(own) == 1:
                place = min(range(len(heights)), key=lambda n: abs(heights[n] - _height(own[0])))
            rows[place][column] = Piece(line_text(line), page, box_of(line), confidence=confidence_of(line))
    return rows


def _tall(glyphs: Sequence[Glyph]) -> bool:
    """Whether there is room for two lines."""
    first = glyphs[0]
    return max(glyph.top for glyph in glyphs) - min(glyph.top for glyph in glyphs) > 0.5 * (first.bottom - first.top)


def _height(line: Line) -> float:
    return sum(glyph.top + glyph.bottom for glyph in line) / (2 * len(line))


def _sideways(glyphs: list[Glyph], page: int) -> list[Block]:
    """Turned text outside tables: each of its lines on its own."""
    blocks = []
    for angle in sorted({glyph.angle for glyph in glyphs}):
        for line in lines_of(turned(glyph, angle, 0, 0) for glyph in glyphs if glyph.angle == angle):
            own = box_of([turned(glyph, 4 - angle, 0, 0) for glyph in line])
            piece = Piece(line_text(line), page, own, confidence=confidence_of(line))
            blocks.append(Block(own[1], own[3], own[0], own[2], ([piece],), (own[1],)))
    return blocks
