"""Ruled tables: from the rules on a page, drawn in whatever pieces, to rows of cells."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from corpus.readers.extract import Box

# Points. Rules nearer than the first are one rule (double rules, both edges of a drawn rectangle); pieces of a rule may
# lie apart by the first, dots and dashes (pieces no longer than the second) by the third.
_SNAP, _DASH, _DASH_GAP = 3.0, 12.0, 6.0
_SHORTEST = 4.0  # nothing shorter is a rule
_COVER = 0.6  # the share of a cell's side that has to be drawn
# Hatchings, maps and graphs have more rules than any table.
_MOST_RULES, _MOST_CELLS = 4_000, 60_000


class Rule(NamedTuple):
    """A stroke along one axis: ``at`` on the other axis, from ``start`` to ``end`` (points from the top left)."""

    at: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Grid:
    """One table. ``xs`` and ``ys`` are its rules, ``cells`` its cells in reading order, each with its place.

    ``owner[row][column]`` is the number of the cell that covers the square between neighbouring rules, -1 for none.
    ``rows`` are the cells' numbers by row and column, None where a cell is covered by a merged one.
    """

    box: Box
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    cells: tuple[Box, ...]
    owner: tuple[tuple[int, ...], ...]
    rows: tuple[tuple[int | None, ...], ...]

    def cell_at(self, x: float, y: float) -> int:
        """The number of the cell at a point, -1 for none."""
        if not (self.box[0] <= x < self.box[2] and self.box[1] <= y < self.box[3]):
            return -1
        return self.owner[bisect_right(self.ys, y) - 1][bisect_right(self.xs, x) - 1]


def find_grids(horizontal: Iterable[Rule], vertical: Iterable[Rule]) -> list[Grid]:
    """The tables that rules make up, from top to bottom. Lone rules (underlines, separators) are none."""
    level, upright = _whole(horizontal), _whole(vertical)
    if not level or not upright or len(level) + len(upright) > _MOST_RULES:
        return []
    found = []
    for across, down in _connected(level, upright):
        grid = _grid(across, down)
        if grid is not None:
            found.append(grid)
    return sorted(found, key=lambda grid: (grid.box[1], grid.box[0]))


def _whole(rules: Iterable[Rule]) -> list[Rule]:
    """Rules without their breaks: pieces on one line are joined, and near lines are one."""
    pieces = sorted(rules)
    joined: list[Rule] = []
    first = 0
    while first < len(pieces):
        last = first
        while last + 1 < len(pieces) and pieces[last + 1].at - pieces[first].at <= _SNAP:
            last += 1
        group = pieces[first : last + 1]
        # Long rules say where the line is, not the dots that happen to lie near it.
        weight = sum(piece.end - piece.start for piece in group)
        at = sum(piece.at * (piece.end - piece.start) for piece in group) / weight if weight > 0 else group[0].at
        joined += [Rule(at, start, end) for start, end in _joined(group) if end - start >= _SHORTEST]
        first = last + 1
    return joined


def _joined(pieces: Sequence[Rule]) -> list[tuple[float, float]]:
    runs: list[tuple[float, float]] = []
    length = 0.0  # of the piece before
    for _, start, end in sorted(pieces, key=lambda piece: piece.start):
        short = max(length, end - start) <= _DASH
        if runs and start - runs[-1][1] <= (_DASH_GAP if short else _SNAP):
            runs[-1] = (runs[-1][0], max(runs[-1][1], end))
        else:
            runs.append((start, end))
        length = end - start
    return runs


def _connected(level: list[Rule], upright: list[Rule]) -> list[tuple[list[Rule], list[Rule]]]:
    """Groups of rules that touch each other."""
    parent = list(range(len(level) + len(upright)))

    def root(n: int) -> int:
        while parent[n] != n:
            parent[n] = parent[parent[n]]
            n = parent[n]
        return n

    for v, (x, top, bottom) in enumerate(upright, start=len(level)):
        for h, (y, x0, x1) in enumerate(level):  # sorted by y
            if y > bottom + _SNAP:
                break
            if y >= top - _SNAP and x0 - _SNAP <= x <= x1 + _SNAP:
                parent[root(h)] = root(v)
    groups: dict[int, tuple[list[Rule], list[Rule]]] = {}
    for n, rule in enumerate((*level, *upright)):
        groups.setdefault(root(n), ([], []))[0 if n < len(level) else 1].append(rule)
    return [group for group in groups.values() if group[0] and group[1]]


def _grid(level: list[Rule], upright: list[Rule]) -> Grid | None:
    xs, open_left, open_right = _lines(upright, level)
    ys, open_top, open_bottom = _lines(level, upright)
    columns, rows = len(xs) - 1, len(ys) - 1
    if columns < 1 or rows < 1 or columns * rows > _MOST_CELLS:
        return None
    # above[r][c]: whether a rule is drawn on top of square (r, c); before[r][c]: at its left.
    above = [[False] * columns for _ in ys]
    for y, start, end in level:
        _mark(above[_nearest(ys, y)], xs, start, end)
    sides = [[False] * rows for _ in xs]
    for x, start, end in upright:
        _mark(sides[_nearest(xs, x)], ys, start, end)
    if open_left:
        sides[0] = [True] * rows
    if open_right:
        sides[-1] = [True] * rows
    if open_top:
        above[0] = [True] * columns
    if open_bottom:
        above[-1] = [True] * columns
    owner = [[-1] * columns for _ in range(rows)]
    cells: list[tuple[int, int, int, int]] = []
    for row in range(rows):
        for column in range(columns):
            if owner[row][column] == -1:
                cells += _regions(row, column, above, sides, owner, len(cells))
    return _finished(cells, xs, ys, owner)


def _lines(rules: list[Rule], crossing: list[Rule]) -> tuple[list[float], bool, bool]:
    """Where the rules of one direction lie, and whether a side is open.

    A side is open where two or more of the rules that cross run on past the last one to the same end: many tables have
    no rule at their left and right.
    """
    at = sorted({rule.at for rule in rules})
    starts, ends = min(rule.start for rule in crossing), max(rule.end for rule in crossing)
    before = starts < at[0] - 2 * _SNAP and sum(rule.start < starts + _SNAP for rule in crossing) > 1
    after = ends > at[-1] + 2 * _SNAP and sum(rule.end > ends - _SNAP for rule in crossing) > 1
    return [starts] * before + at + [ends] * after, before, after


def _nearest(values: Sequence[float], value: float) -> int:
    place = bisect_right(values, value)
    if place and (place == len(values) or value - values[place - 1] <= values[place] - value):
        place -= 1
    return place


def _mark(sides: list[bool], lines: Sequence[float], start: float, end: float) -> None:
    """Marks the squares of one line of a grid that a rule from ``start`` to ``end`` covers."""
    for n in range(max(bisect_right(lines, start) - 1, 0), len(sides)):
        low, high = lines[n], lines[n + 1]
        if low >= end:
            break
        if min(high, end) - max(low, start) >= _COVER * (high - low):
            sides[n] = True


def _regions(
    row: int,
    column: int,
    above: list[list[bool]],
    sides: list[list[bool]],
    owner: list[list[int]],
    number: int,
) -> list[tuple[int, int, int, int]]:
    """The cells (row, column, row after, column after) of the squares that no rule parts from this one.

    Where a rule ends half-way the squares make no rectangle: it is cut into rectangles, as the rule would if it went on.
    What is open to the outside is no cell.
    """
    rows, columns = len(owner), len(owner[0])
    squares = {(row, column)}
    waiting = [(row, column)]
    while waiting:
        r, c = waiting.pop()
        for other, free in (
            ((r - 1, c), r > 0 and not above[r][c]),
            ((r + 1, c), r + 1 < rows and not above[r + 1][c]),
            ((r, c - 1), c > 0 and not sides[c][r]),
            ((r, c + 1), c + 1 < columns and not sides[c + 1][r]),
        ):
            if free and other not in squares:
                squares.add(other)
                waiting.append(other)
    found: list[tuple[int, int, int, int]] = []
    for r0, c0, r1, c1 in _rectangles(squares):
        within = [(r, c) for r in range(r0, r1) for c in range(c0, c1)]
        closed = (
            _share([above[r0][c] or (r0 - 1, c) in squares for c in range(c0, c1)])
            and _share([above[r1][c] or (r1, c) in squares for c in range(c0, c1)])
            and _share([sides[c0][r] or (r, c0 - 1) in squares for r in range(r0, r1)])
            and _share([sides[c1][r] or (r, c1) in squares for r in range(r0, r1)])
        )
        for r, c in within:
            owner[r][c] = number + len(found) if closed else -2
        if closed:
            found.append((r0, c0, r1, c1))
    return found


def _rectangles(squares: set[tuple[int, int]]) -> list[tuple[int, int, int, int]]:
    """Squares as rectangles: runs of one row, grown downwards while the next row has the same run."""
    runs: dict[tuple[int, int], list[int]] = {}  # (column, column after) -> rows
    by_row: dict[int, list[int]] = {}
    for r, c in squares:
        by_row.setdefault(r, []).append(c)
    for r, found in by_row.items():
        found.sort()
        start = found[0]
        for here, following in (*pairwise(found), (found[-1], -1)):
            if following != here + 1:
                runs.setdefault((start, here + 1), []).append(r)
                start = following
    rectangles = []
    for (c0, c1), rows in runs.items():
        rows.sort()
        top = rows[0]
        for here, following in (*pairwise(rows), (rows[-1], -1)):
            if following != here + 1:
                rectangles.append((top, c0, here + 1, c1))
                top = following
    return rectangles


def _share(drawn: list[bool]) -> bool:
    return sum(drawn) >= _COVER * len(drawn)


def _finished(
    places: list[tuple[int, int, int, int]], xs: Sequence[float], ys: Sequence[float], owner: list[list[int]]
) -> Grid | None:
    if not places:
        return None
    cells: list[Box] = [(xs[c0], ys[r0], xs[c1], ys[r1]) for r0, c0, r1, c1 in places]
    rows = sorted({r0 for r0, *_ in places})
    columns = sorted({c0 for _, c0, *_ in places})
    table: list[list[int | None]] = [[None] * len(columns) for _ in rows]
    row_at, column_at = {r: n for n, r in enumerate(rows)}, {c: n for n, c in enumerate(columns)}
    for number, (r0, c0, *_) in enumerate(places):
        table[row_at[r0]][column_at[c0]] = number
    box = (
        min(cell[0] for cell in cells),
        min(cell[1] for cell in cells),
        max(cell[2] for cell in cells),
        max(cell[3] for cell in cells),
    )
    return Grid(box, tuple(xs), tuple(ys), tuple(cells), tuple(map(tuple, owner)), tuple(map(tuple, table)))
