"""What is read from tables: pairs of a label and its cells, rows of figures under years, and the blocks they stand in."""

from __future__ import annotations

from dataclasses import dataclass

from corpus.documents import Span
from corpus.headers import Column, Header
from corpus.layout import Cell


@dataclass(frozen=True, slots=True)
class Pair:
    """A label and the cells that belong to it; ``under_year`` says that they stand in a year's column of a table."""

    label: str
    field: str
    label_cell: Cell
    values: tuple[Cell, ...]
    under_year: bool = False

    @property
    def span(self) -> Span:
        """From the first to the last value."""
        return Span(self.values[0].span.start, self.values[-1].span.end)


@dataclass(frozen=True, slots=True)
class Series:
    """A row of figures under years. ``group`` is the header's label, ``name`` the indicator's where one is printed."""

    label: str
    label_cell: Cell | None
    header: Header
    values: tuple[tuple[Column, Cell], ...]
    row: Span
    name: str = ""
    name_cell: Cell | None = None
    unit: str = ""
    inferred: bool = False
    quote: Span | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A header with the rows under it, printed together: from the header's label to the last row's end."""

    label: str
    span: Span
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Tables:
    """What the tables of one stretch say. ``loose`` are cells that belong to no label."""

    pairs: tuple[Pair, ...]
    series: tuple[Series, ...]
    blocks: tuple[Block, ...]
    loose: tuple[Cell, ...]
