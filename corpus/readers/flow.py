"""The lines outside ruled tables, in reading order: columns of prose one after the other, figures in their columns."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from corpus.readers.extract import Piece
from corpus.readers.glyphs import SPACE, Glyph, Line, em_of, lines_of, pieces_of

Row = list[Piece]

_NARROW = 1.2  # ems: a gap so wide parts columns where lines above and below have it at the same place
_FIGURE = re.compile(r"[▲△\-−－+＋]?[0-9０-９][0-9０-９,，.．]*(?:[^\s0-9０-９]{0,3})|[-－―ー]")


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that stay together, and where they stand; ``tops`` says where each row begins."""

    top: float
    bottom: float
    x0: float
    x1: float
    rows: tuple[Row, ...]
    tops: tuple[float, ...]


def in_order(glyphs: Sequence[Glyph], blocks: Sequence[Block], page: int) -> list[Row]:
    """The rows of a page: ``glyphs`` are the upright letters outside the tables, ``blocks`` the tables."""
    lines = lines_of(glyphs)
    gutter = _gutter(lines, blocks)
    if gutter is None:
        return _downwards(lines, blocks, page)
    x, top, bottom = gutter
    parts: dict[int, tuple[list[Line], list[Block]]] = {n: ([], []) for n in range(4)}  # above, left, right, below
    for line in lines:
        if line[0].top < top:
            parts[0][0].append(line)
        elif line[0].top > bottom:
            parts[3][0].append(line)
        else:
            for side, half in ((1, [g for g in line if g.x1 <= x]), (2, [g for g in line if g.x1 > x])):
                if not all(glyph.text.isspace() for glyph in half):
                    parts[side][0].append(half)
    for block in blocks:
        place = 0 if block.bottom <= top else 3 if block.top > bottom else 1 if block.x1 <= x else 2
        parts[place][1].append(block)
    return [row for own, tables in parts.values() for row in _downwards(own, tables, page)]


def _downwards(lines: list[Line], blocks: Sequence[Block], page: int) -> list[Row]:
    """From top to bottom; what begins at one height goes from left to right."""
    loose = _aligned(lines, page)
    things = list(blocks)
    for line in loose:
        around = next((n for n, block in enumerate(things) if _within(line, block)), None)
        if around is None:
            things.append(line)
        else:
            things[around] = _with(things[around], line)
    things.sort(key=lambda thing: thing.top)
    rows: list[Row] = []
    while things:
        first = things[0].top
        level = [thing for thing in things if thing.top - first <= 4]
        things = things[len(level) :]
        for thing in sorted(level, key=lambda thing: thing.x0):
            rows.extend(thing.rows)
    return rows


def _within(line: Block, block: Block) -> bool:
    """Whether a line stands in the notch of a table, between its rows but in none of its cells."""
    x, y = (line.x0 + line.x1) / 2, (line.top + line.bottom) / 2
    return len(block.rows) > 1 and block.x0 < x < block.x1 and block.top < y < block.bottom


def _with(block: Block, line: Block) -> Block:
    """The table with a line after the rows that begin above it."""
    place = bisect_right(block.tops, line.top)
    rows, tops = list(block.rows), list(block.tops)
    rows[place:place], tops[place:place] = line.rows, line.tops
    return replace(block, rows=tuple(rows), tops=tuple(tops))


def _gutter(lines: list[Line], blocks: Sequence[Block]) -> tuple[float, float, float] | None:
    """Where the page is set in two columns of prose: (x, top, bottom), or None.

    A form also has a blank strip between labels and values; prose fills its lines to the strip.
    """
    gaps: list[tuple[float, float]] = []
    spans: list[tuple[float, float, float]] = []  # of each line's stretches: top, x0, x1
    for line in lines:
        letters = [glyph for glyph in line if not glyph.text.isspace()]
        em = em_of(letters)
        start = letters[0]
        for before, after in zip(letters, letters[1:], strict=False):
            if after.x0 - before.x1 > _NARROW * em:
                gaps.append((before.x1, after.x0))
                spans.append((line[0].top, start.x0, before.x1))
                start = after
        spans.append((line[0].top, start.x0, letters[-1].x1))
    if len(gaps) < 4:
        return None
    left, right = min(x0 for _, x0, _ in spans), max(x1 for _, _, x1 in spans)
    middles = [(a + b) / 2 for a, b in gaps if 0.3 < ((a + b) / 2 - left) / (right - left or 1) < 0.7]
    if not middles:
        return None
    x = max(middles, key=lambda middle: sum(a < middle < b for a, b in gaps))
    walls = [top for top, x0, x1 in spans if x0 < x < x1] + [b.top for b in blocks if b.x0 < x < b.x1]
    best: list[tuple[float, float, float]] = []
    band: list[tuple[float, float, float]] = []
    marks = sorted([(top, False, 0.0, 0.0) for top in walls] + [(top, True, x0, x1) for top, x0, x1 in spans])
    for top, free, x0, x1 in [*marks, (float("inf"), False, 0.0, 0.0)]:
        if free and not x0 < x < x1:
            band.append((top, x0, x1))
        elif not free:
            best, band = max(best, band, key=len), []
    return _prose(best, x)


def _prose(band: list[tuple[float, float, float]], x: float) -> tuple[float, float, float] | None:
    ones, others = [span for span in band if span[2] <= x], [span for span in band if span[1] >= x]
    if min(len(ones), len(others)) < 4:
        return None
    for side in (ones, others):
        start, end = min(x0 for _, x0, _ in side), max(x1 for _, _, x1 in side)
        width = end - start
        if sum(x1 - x0 > 0.8 * width for _, x0, x1 in side) < 0.5 * len(side) or width < 100:
            return None
    tops = [top for top, _, _ in band]
    return x, min(tops), max(tops)


def _aligned(lines: list[Line], page: int) -> list[Block]:
    """Lines as blocks; lines in columns that follow each other are set to the same columns."""
    found: list[Block] = []
    narrow = _figure_rows(lines, page)
    rows = [(line, narrow.get(n) or pieces_of(line, page)) for n, line in enumerate(lines)]
    for parted, group in groupby(rows, key=lambda row: len(row[1]) > 1):
        taken = list(group)
        pieces = [row for _, row in taken]
        if parted:
            pieces = [row for run in _near([line for line, _ in taken], pieces) for row in _in_columns(run)]
        for (line, _), row in zip(taken, pieces, strict=True):
            if row:
                top, bottom = min(glyph.top for glyph in line), max(glyph.bottom for glyph in line)
                found.append(Block(top, bottom, line[0].x0, line[-1].x1, (row,), (top,)))
    return found


def _near(lines: list[Line], rows: list[Row]) -> list[list[Row]]:
    """Rows in runs that no wide blank strip parts."""
    runs: list[list[Row]] = []
    for n, row in enumerate(rows):
        if n and lines[n][0].top - lines[n - 1][0].bottom <= 2 * (lines[n][0].bottom - lines[n][0].top):
            runs[-1].append(row)
        else:
            runs.append([row])
    return runs


def _figure_rows(lines: list[Line], page: int) -> dict[int, Row]:
    """Lines of a table without rules whose columns lie close: three or more lines with figures at the same places."""
    rows = [pieces_of(line, page, _NARROW) for line in lines]
    found: dict[int, Row] = {}
    start = 0
    while start < len(rows):
        stop = start + 1
        while stop < len(rows) and len(rows[stop]) == len(rows[start]) > 1:
            stop += 1
        run = rows[start:stop]
        beside = [piece.text for row in run for piece in row[1:]]
        if len(run) > 2 and sum(bool(_FIGURE.fullmatch(text)) for text in beside) >= 0.6 * len(beside):
            columns = _columns(run)
            if columns is not None and len(columns) == len(run[0]):
                found.update(enumerate(run, start=start))
        start = stop
    return found


def _in_columns(rows: list[Row]) -> list[Row]:
    """Rows with an empty piece wherever a row has nothing in a column that others have."""
    columns = _columns(rows) if len(rows) > 1 else None
    if columns is None or len(columns) > max(len(row) for row in rows) + 2:
        return rows
    placed = []
    for row in rows:
        cells = {_column_of(piece, columns): piece for piece in row}
        placed.append([cells.get(n, Piece("")) for n in range(max(cells) + 1)])
    return placed


def _columns(rows: list[Row]) -> list[tuple[float, float]] | None:
    """The stretches of the page's width that pieces stand in; None where a row has two pieces in one."""
    columns: list[tuple[float, float]] = []
    for piece in sorted((piece for row in rows for piece in row), key=lambda piece: piece.box or ()):
        assert piece.box is not None
        x0, _, x1, _ = piece.box
        if columns and x0 < columns[-1][1] - SPACE:
            columns[-1] = (columns[-1][0], max(columns[-1][1], x1))
        else:
            columns.append((x0, x1))
    for row in rows:
        if len({_column_of(piece, columns) for piece in row}) < len(row):
            return None
    return columns


def _column_of(piece: Piece, columns: list[tuple[float, float]]) -> int:
    assert piece.box is not None
    middle = (piece.box[0] + piece.box[2]) / 2
    return next((n for n, (x0, x1) in enumerate(columns) if x0 <= middle <= x1), len(columns) - 1)
