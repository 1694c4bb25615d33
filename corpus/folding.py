"""Puts tables together again whose cells came out one a line.

Extraction often writes a table cell by cell: the heads, the years, then every label with its figures below it. Such lines are
folded back into rows only where they come out even: each label followed by as many figures as there are years. A row with a
blank cell does not, and is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from corpus.documents import Span
from corpus.forms.loader import canonical, clean_label, kind_of
from corpus.headers import is_kind, year_column
from corpus.layout import Cell, Row
from corpus.periods import find_periods

FIGURE = re.compile(r"^(?:約|▲|-|\+)?\s*[\d,]+(?:\.\d+)?[^\d\s。、.．]{0,6}$")
# Only to see that a line is a year; which one is decided where the sheet's own year is known.
_ANY_YEAR = 2020
_MAX_TEXT = 60
_HEADS = ("指標名", "単位", "区分", "項目", "年度", "")


def fold(lines: list[Row]) -> list[Row]:
    """``lines`` with runs of single cells that make up a table replaced by the table's rows."""
    folded: list[Row] = []
    at = 0
    while at < len(lines):
        for read in (_years_across, _years_down, _runs):
            rows, end = read(lines, at)
            if rows:
                folded += rows
                at = end
                break
        else:
            folded.append(lines[at])
            at += 1
    return folded


def _single(lines: list[Row], at: int) -> Cell | None:
    """The one cell of a plain line, None for a row of a table, a long line or the end."""
    if at >= len(lines) or lines[at].tabbed or len(lines[at].cells[0].text) > _MAX_TEXT:
        return None
    return lines[at].cells[0]


def _take(lines: list[Row], at: int, wanted: Callable[[Cell], bool], most: int = 60) -> list[Cell]:
    """The cells of the lines from ``at`` on for as long as they are ``wanted``."""
    found: list[Cell] = []
    while len(found) < most and (cell := _single(lines, at + len(found))) is not None and wanted(cell):
        found.append(cell)
    return found


def _is_year(cell: Cell) -> bool:
    return _says_year(cell.text)


@lru_cache(maxsize=1 << 14)
def _says_year(text: str) -> bool:
    # Kept, for a line is looked at from each of the sixty lines before it.
    return year_column(Cell(text, 0, Span(0, 0)), _ANY_YEAR) is not None


def _is_figure(cell: Cell) -> bool:
    return cell.empty or (FIGURE.match(cell.text) is not None and not _is_year(cell))


def _is_text(cell: Cell) -> bool:
    return not _is_figure(cell) and not _is_year(cell) and not is_kind(cell) and len(cell.text) <= _MAX_TEXT


def _row(cells: list[tuple[int, Cell]]) -> Row:
    placed = tuple(Cell(cell.text, column, cell.span) for column, cell in cells)
    filled = _filled(placed)
    return Row(filled, Span(placed[0].span.start, placed[-1].span.end))


def _filled(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """Blank cells between the told ones, so that a cell's place in the row is its column."""
    by_column = {cell.column: cell for cell in cells}
    start = cells[0].span.start
    return tuple(
        by_column.get(column, Cell("", column, Span(start, start))) for column in range(max(max(by_column) + 1, 2))
    )


def _years_across(lines: list[Row], at: int) -> tuple[list[Row], int]:
    """Heads, years, perhaps kinds under them, then labels with their figures."""
    heads = _take(lines, at, lambda c: _is_head(c), 4)
    if at and not heads and _single(lines, at - 1) is not None and _is_head(lines[at - 1].cells[0]):
        return [], at  # the heads before it did not lead to years: this is the middle of something else
    first = at + len(heads)
    years = _take(lines, first, _is_year)
    if len(years) < 2:
        return [], at
    kinds = _take(lines, first + len(years), is_kind)
    each, over = divmod(len(kinds), len(years))
    if over or not each:
        kinds, each = [], 0  # 予算額 and 決算額 after the years may be the labels of rows
    lead = max(1, len(heads))
    width = len(years) * max(1, each)
    rows = [_row([*enumerate(heads), *((lead + i * max(1, each), year) for i, year in enumerate(years))])]
    end = first + len(years) + len(kinds)
    if kinds:
        rows.append(_row([(lead + i, kind) for i, kind in enumerate(kinds)]))
    found = 0
    while (step := _labelled_figures(lines, end, lead, width)) is not None:
        row, end, told = step
        found += told
        if told:
            rows.append(row)
    return (rows, end) if found else ([], at)


def _is_head(cell: Cell) -> bool:
    """区分, 指標名, 単位, 事業費(千円): what may stand over the labels, left of the years."""
    if _is_year(cell):
        return False  # 「R3決算額」 is a column of its own
    field = canonical(cell.text)
    kind = kind_of(field or "") if field else ""
    return clean_label(cell.text) in _HEADS or kind in ("group", "amount", "indicator") and not is_kind(cell)


def _labelled_figures(lines: list[Row], at: int, lead: int, width: int) -> tuple[Row, int, bool] | None:
    """One label (or name, unit and label) with the figures below it; False where the figures do not come out even."""
    texts = _take(lines, at, lambda c: _is_text(c) or is_kind(c), lead)
    figures = _take(lines, at + len(texts), _is_figure, width + 1)
    if not texts or not figures:
        return None
    end = at + len(texts) + len(figures)
    if len(figures) != width:
        return lines[at], end, False
    shift = lead - len(texts)
    cells = [*((shift + i, text) for i, text in enumerate(texts)), *((lead + i, f) for i, f in enumerate(figures))]
    return _row(cells), end, True


def _years_down(lines: list[Row], at: int) -> tuple[list[Row], int]:
    """年度, 予算額, 決算額 as heads, then each year with a figure for every head."""
    first = _single(lines, at)
    if first is None or clean_label(first.text) not in ("年度", "区分"):
        return [], at
    heads = _take(lines, at + 1, lambda c: kind_of(canonical(c.text) or "") in ("amount", "indicator", "rate"), 6)
    rows: list[Row] = []
    end = at + 1 + len(heads)
    while heads and (year := _single(lines, end)) is not None and _is_year(year):
        figures = _take(lines, end + 1, _is_figure, len(heads) + 1)
        if len(figures) != len(heads):
            break
        rows.append(_row([(0, year), *((i + 1, f) for i, f in enumerate(figures))]))
        end += 1 + len(figures)
    if not rows:
        return [], at
    return [_row([(0, first), *((i + 1, head) for i, head in enumerate(heads))]), *rows], end


def _is_cost(cell: Cell) -> bool:
    return kind_of(canonical(cell.text) or "") in ("amount", "staff")


def _runs(lines: list[Row], at: int) -> tuple[list[Row], int]:
    """All labels of a small cost table, then as many figures in the same order."""
    labels = _take(lines, at, _is_cost, 12)
    before = _single(lines, at - 1) if at else None
    mixed = len({bool(find_periods(label.text, _ANY_YEAR)) for label in labels}) > 1
    if len(labels) < 2 or mixed or (before is not None and _is_cost(before)):
        return [], at
    figures = _take(lines, at + len(labels), _is_figure, len(labels) + 1)
    if len(figures) != len(labels):
        return [], at
    rows = [_row([(0, label), (1, figure)]) for label, figure in zip(labels, figures, strict=True)]
    return rows, at + len(labels) + len(figures)
