"""A table with one programme a row, written as one form a row.

A list tells of each programme what a sheet of its own would: its heads are the labels, its cells the values. Heads of two
rows (事業費 above 令和4年度決算, 令和5年度決算) become a small table of their own under each programme.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from corpus.forms.loader import canonical
from corpus.readers.extract import Piece

Cells = dict[int, Piece]

_NAME = "事務事業名"
_LEAST_ROWS, _LEAST_HEADS, _LEAST_KNOWN = 3, 5, 3
_MOST_ROWS = 3_000
_YEARS = re.compile(r"年度|(?:令和|平成|[RHＲＨ])[ ]?[0-9０-９元]|(?:19|20)\d\d")
_RATED = re.compile(r"評価|判定")


@dataclass(frozen=True, slots=True)
class _Group:
    """Columns under one head: the head, and for each column its own head below it (None where it has none)."""

    head: Piece
    columns: tuple[tuple[int, Piece | None], ...]


def is_form(rows: Sequence[Cells]) -> bool:
    """Whether a label for a programme's name has its value beside it: then the worksheet is a sheet itself."""
    for cells in rows:
        told = [cells[column] for column in sorted(cells)]
        for label, value in zip(told, told[1:], strict=False):
            if canonical(label.text) == _NAME and canonical(value.text) is None:
                return True
    return False


def as_forms(rows: Sequence[Cells]) -> list[list[Piece]] | None:
    """The rows of a worksheet (column to cell) with the list in it as one form a programme; None where there is no list.

    What stands above and below the list comes first. An empty row stands between programmes.
    """
    for at, cells in enumerate(rows):
        if _is_head(cells):
            below = _sub_heads(rows[at + 1] if at + 1 < len(rows) else {}, cells)
            first = at + 2 if below else at + 1
            name = next(column for column, cell in cells.items() if canonical(cell.text) == _NAME)
            own = [row for row in rows[first:] if name in row]
            if not _is_list(own, name):
                return None
            rest = [row for row in rows[first:] if name not in row]
            groups = _groups(cells, below, {column for row in own for column in row})
            aside = [[row[column] for column in sorted(row)] for row in (*rows[:at], *rest)]
            return [*aside, *(line for row in own for line in ([], *_form(row, name, cells[name], groups)))]
    return None


def _is_head(cells: Cells) -> bool:
    known = [canonical(cell.text) for cell in cells.values()]
    return known.count(_NAME) == 1 and len(cells) >= _LEAST_HEADS and sum(k is not None for k in known) >= _LEAST_KNOWN


def _sub_heads(cells: Cells, above: Cells) -> Cells:
    """The second row of heads: nothing under the head of the name, and words, years or labels under others."""
    name = next(column for column, cell in above.items() if canonical(cell.text) == _NAME)
    figures = sum(re.fullmatch(r"[▲△\-－,.\d%％]+", cell.text) is not None for cell in cells.values())
    return {} if name in cells or len(cells) < 2 or figures else cells


def _is_list(own: Sequence[Cells], name: int) -> bool:
    names = [row[name].text for row in own]
    return (
        _LEAST_ROWS <= len(own) <= _MOST_ROWS
        and len(set(names)) == len(names)
        and all(canonical(text) is None and len(text) <= 80 for text in names)
        and sum(len(row) >= _LEAST_KNOWN for row in own) == len(own)
    )


def _groups(heads: Cells, below: Cells, used: set[int]) -> list[_Group]:
    """The heads from left to right; a merged one reaches over the columns to its right that have only a head below it."""
    groups: list[_Group] = []
    for column in sorted({*heads, *below, *used}):
        if column in heads:
            groups.append(_Group(heads[column], ((column, below.get(column)),)))
        elif column in below and groups:
            last = groups[-1]
            groups[-1] = _Group(last.head, (*last.columns, (column, below[column])))
    return groups


def _form(row: Cells, name: int, head: Piece, groups: Sequence[_Group]) -> list[list[Piece]]:
    """The lines of one programme: its name, what stands in columns of their own, then the groups of columns."""
    lines = [[head, row[name]]]
    for group in groups:
        told = [(sub, row[column]) for column, sub in group.columns if column in row and column != name]
        if not told:
            continue
        if len(group.columns) == 1 and group.columns[0][1] is None:
            lines.append([group.head, told[0][1]])
        elif any(sub is not None and canonical(sub.text) == "指標" for _, sub in group.columns):
            lines += [[sub or Piece("") for sub, _ in told], [cell for _, cell in told]]
        elif all(sub is not None and _YEARS.search(sub.text) for _, sub in group.columns):
            lines += [[Piece(""), *(sub or Piece("") for sub, _ in told)], [group.head, *(cell for _, cell in told)]]
        else:
            lines += [[_label(group.head, sub), cell] for sub, cell in told]
    return lines


def _label(head: Piece, sub: Piece | None) -> Piece:
    """「評価」 above 「総合」 is 総合評価."""
    if sub is None:
        return head
    if canonical(sub.text) is None and _RATED.search(head.text) and not _RATED.search(sub.text):
        return Piece(f"{sub.text}{head.text}", sub.page, sub.box, sub.cell)
    return sub
