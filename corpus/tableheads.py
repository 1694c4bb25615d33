"""The heads of tables: what the reader of tables remembers while it goes down the rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from corpus.documents import Span
from corpus.forms.loader import canonical, clean_label, kind_of
from corpus.headers import (
    Column,
    Header,
    anchored,
    in_sequence,
    kind_header,
    under_kinds,
    with_name_column,
    with_second_row,
)
from corpus.layout import Cell, Row
from corpus.tabletypes import Block, Pair, Series

FIGURE = re.compile(r"^(?:約|▲|△|-|\+)?\s*[\d,]+(?:\.\d+)?\s*+(?:[^\d\s。、]{0,8})(?:\s*[※*]\s?\d{0,2})?$")
_NAMED_ABOVE = re.compile(
    r"^[■◆◇●○・(]*(?P<label>[^\s::()\d]{2,10}?)\s*+[(]?\d{0,2}[)]?\s*+[::]\s*(?P<name>[^。::]{2,60}?)"
    r"\s*(?:\((?:単位\s*[::]\s*)?(?P<unit>[^()\s]{1,6})\))?$"
)


class TableHeads:
    """The header in force, the heads over columns and the labels that wait for a value."""

    def __init__(self, year: int | None, labels: Mapping[str, str]) -> None:
        self.year = year
        self.labels = labels
        self.pairs: list[Pair] = []
        self.series: list[Series] = []
        self.blocks: list[Block] = []
        self.loose: list[Cell] = []
        self.header: Header | None = None
        self.beside: list[Header] = []  # the headers of tables printed side by side, from left to right
        self.above: tuple[Cell, ...] = ()  # a row of 計画 | 実績 that years may follow
        self.went_down = False
        self.down: dict[int, Cell] = {}  # heads over rows that begin with a year
        self.pending: dict[int, Cell] = {}
        self.heads: dict[int, Cell] = {}
        self.indicator: tuple[str, Cell | None] = ("", None)
        self.unit = ""
        self.unit_above = ""  # said by the line that names the indicator above its table
        self.fresh = False
        self.waiting: list[int] = []  # series without a unit yet: it may stand in the row below

    def forget(self) -> None:
        """A table has ended, and with it what its heads said."""
        self.header, self.beside, self.above = None, [], ()
        self.pending, self.heads, self.down = {}, {}, {}

    def line(self, row: Row) -> None:
        """「成果指標1：利用者数（単位：人）」 above a table names what the table's figures are of."""
        self.unit, self.unit_above, self.waiting = "", "", []
        found = _NAMED_ABOVE.match(row.text)
        if found is None or kind_of(canonical(found["label"]) or "") != "indicator":
            return
        name = found["name"].strip()
        at = row.text.find(name)
        cell = row.cells[0]
        # Offsets agree where normalising has changed no length before the name.
        span = (
            Span(cell.span.start + at, cell.span.start + at + len(name))
            if cell.span.end - cell.span.start == len(cell.text)
            else cell.span
        )
        self.indicator = (name, Cell(name, 0, span))
        self.unit = self.unit_above = (found["unit"] or "").strip()

    def field_of(self, cell: Cell) -> str | None:
        """The canonical field of a cell that is a label, by the form's own words or by everybody's."""
        if not cell.text or len(cell.text) > 40:
            return None
        own = self.labels.get(clean_label(cell.text))
        return own if own is not None else canonical(cell.text)

    def parts(self, row: Row) -> list[tuple[Header, tuple[Cell, ...]]]:
        """The row cut where the tables side by side begin, each part with its header."""
        if len(self.beside) < 2 or row.visual:
            return []
        edges = [0, *(h.at for h in self.beside[1:]), 1 << 30]
        parts = [
            (header, tuple(c for c in row.cells if low <= c.column < high))
            for header, low, high in zip(self.beside, edges, edges[1:], strict=False)
        ]
        return [(header, part) for header, part in parts if part]

    def kind_header(self, row: Row) -> bool:
        """「指標名 | 単位 | 目標値 | 実績値」 without a year: the figures below are of the year the sheet reports on."""
        header = kind_header(row, self.year)
        if header is None or any(self.field_of(c) in ("評価", "年度") for c in row.cells if c.column < header.at):
            return False
        self.header, self.beside, self.fresh = header, [], False
        self.pending, self.heads = {}, {}
        self.down = {c.column: c for c in row.cells if c.text}
        self.indicator, self.unit, self.waiting = (("", None) if "指標名" in header.heads else self.indicator), "", []
        title = next((c for c in row.cells if c.text), None)
        if title is not None:
            self.blocks.append(Block(title.text, header.span))
        return True

    def second_header(self, row: Row) -> bool:
        """予算 | 決算 right under the years: takes the row into the header."""
        header, self.fresh = (self.header if self.fresh else None), False
        told = [c for c in row.cells if c.text]
        under = with_second_row(header, told, 6 if row.visual else 0) if header is not None else None
        if under is None:
            return False
        self.header = replace(under, span=Span(under.span.start, max(under.span.end, row.span.end)))
        self.beside = [self.header]
        return True

    def plain_header(self, row: Row, runs: dict[int, int]) -> bool:
        """部等名 | 課等名 | 係等名: a row of labels only, whose values stand in the row below."""
        filled = [c for c in row.cells if c.text]
        if runs or len(filled) < 2:
            return False
        known = [self.field_of(c) for c in filled]
        for name, cell in zip(known, filled, strict=True):
            if name is None and not re.fullmatch(r"[一-龥々]{1,3}", cell.text):
                return False
        if any(kind_of(k or "") == "group" and c is not filled[0] for k, c in zip(known, filled, strict=True)):
            return False
        return sum(k is not None for k in known) >= 2

    def start_header(self, row: Row, owner: Cell | None, run: tuple[Cell, ...], columns: list[Column]) -> None:
        """A run of years begins a table: its label, its columns, and the heads beside them are kept."""
        first = run[0].column
        before = [c for c in row.cells if c.column < first and c.text and not c.empty]
        years = {cell.column for cell in run}
        heads = {clean_label(c.text): c.column for c in row.cells if c.text and c.column not in years}
        heads = with_name_column(heads, first)
        own = before[-1] if before and before[-1].column >= first - 2 else owner
        group = next((c for c in before if kind_of(self.field_of(c) or "") in ("indicator", "amount")), own)
        label_cell = group if group is not None and "指標名" in heads else own
        columns = under_kinds(columns, self.above) if self.above else columns
        columns, irregular = in_sequence(anchored(columns, self.year))
        start = label_cell.span.start if label_cell is not None else run[0].span.start
        self.header = Header(
            label_cell.text if label_cell is not None else "",
            own.column if own is not None else first - 1,
            tuple(columns),
            heads,
            Span(start, run[-1].span.end),
            irregular,
            label_cell,
        )
        self.beside.append(self.header)
        self.above = ()
        self.pending = {}
        self.fresh = True
        if "指標名" in heads:
            self.indicator = ("", None)
        self.unit = self.unit_above
        self.waiting = []
        # 「要する経費全体 | 事業実施コスト | H28年度決算 …」: the block is called by the first of the labels in a row.
        leading: list[Cell] = before[-1:] if own is not None else []
        for cell in reversed(before[:-1]):
            if not leading or self.field_of(cell) is None or cell.column != leading[0].column - 1:
                break
            leading.insert(0, cell)
        title = label_cell if group is not None and "指標名" in heads else (leading[0] if leading else label_cell)
        self.blocks.append(
            Block(
                title.text if title is not None else "",
                Span(min(start, title.span.start) if title else start, run[-1].span.end),
            )
        )

    def head_above(self, cell: Cell) -> Cell | None:
        """「改善目標 | H29年度 | H30年度」 over two texts: they are what the label before the years names."""
        header = self.header
        if header is None or FIGURE.match(cell.text) or not any(c.cell.column == cell.column for c in header.columns):
            return None
        return header.label_cell
