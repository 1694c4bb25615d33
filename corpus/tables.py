"""Reads tab-separated tables: labels with the cells that belong to them, and rows of figures under years.

Forms print several small tables side by side and extraction shifts columns, so nothing rests on a column's number
alone: a label owns the cells up to the next label, and figures are laid under their years by column, by distance from
the label, or in order, whichever fits without a remainder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice

from corpus.documents import Span
from corpus.forms.loader import HEAD_KINDS, NUMERIC_KINDS, OTHER, canonical, clean_label, kind_of
from corpus.headers import (
    Column,
    Header,
    bare_years,
    is_kind,
    lay,
    settled_columns,
    year_column,
    year_runs,
)
from corpus.layout import Cell, Row
from corpus.normalize import squeeze
from corpus.tableheads import FIGURE, TableHeads
from corpus.tabletypes import Block, Pair, Series, Tables

# Heads of columns beside the years that hold no year's figure.
_NO_YEAR = re.compile(r"比|率|増減|累計|合計|平均|備考|説明|^計$|差額?$")
_TOTAL = re.compile(r"^(?:合計|総?計|小計|累計|平均)$")
# Rows of these are never figures under years, whatever digits stand in them.
_NO_FIGURES = (*HEAD_KINDS, "row")


class _Reader(TableHeads):
    """Goes down the rows once; the heads in force are its only memory."""

    def row(self, row: Row) -> None:
        cells = row.cells
        years = [year_column(c, self.year) for c in cells]
        if not any(years) and any(later := bare_years(cells)):
            years = later
        runs = year_runs(years, cells)
        if not runs and self.second_header(row):
            return
        if not runs and (self._year_down(row, years) or self._year_beside(row, years)):
            return
        self.above = cells if not runs and sum(is_kind(c) for c in cells if c.text) >= 2 else self.above
        if not runs and self.kind_header(row):
            return
        self.down = {} if not row.visual or len(cells) > 1 else self.down
        parts = self.parts(row) if not runs else []
        if len(parts) > 1:
            for header, part in parts:
                self.header = header
                self._cells(Row(part, row.span, row.after_gap, row.visual), runs, years[: len(part)])
            return
        self._cells(row, runs, years)

    def _cells(self, row: Row, runs: dict[int, int], years: list[Column | None]) -> None:
        """One row, or the part of it that belongs to one of several tables side by side."""
        cells = row.cells
        head_row = self.plain_header(row, runs)
        if head_row:
            self.heads = {c.column: c for c in cells if c.text}
            self.down = self.heads
            self.pending = {}
            return
        used_heads = self._under_heads(row) if self.heads and not runs else False
        self.heads = {}
        if used_heads:
            return
        at = 0
        owner: Cell | None = None
        owned: list[Cell] = []
        was_pending, self.pending = self.pending, {}
        if runs:
            self.beside = []
        while at < len(cells):
            cell = cells[at]
            run = runs.get(at)
            if run is not None:
                self._close(owner, owned, row, was_pending)
                self.start_header(row, owner, cells[at:run], [c for c in years[at:run] if c])
                owner, owned, at = None, [], run
                continue
            if self.field_of(cell) is not None and not self._is_value(cell, owner, owned):
                self._close(owner, owned, row, was_pending)
                owner, owned = cell, []
                if self._takes_row(cell, cells):
                    owned = [c for c in cells[at + 1 :] if c.text]
                    break
            elif cell.text or owner is not None or self.header is not None:
                if owner is None and cell.text and cell.column in was_pending:
                    self._pair(was_pending.pop(cell.column), [cell])
                else:
                    if owner is not None and cell.text and self._answered(owned, cell):
                        self._close(owner, owned, row, was_pending)
                        owner, owned = None, []
                    owned.append(cell)
            at += 1
        self._close(owner, owned, row, was_pending)

    def _year_down(self, row: Row, years: list[Column | None]) -> bool:
        """「年度 | 予算額 | 決算額」 over 「令和5年度 | 100 | 90」: each figure has its kind above and its year at the left."""
        told = [(c, y) for c, y in zip(row.cells, years, strict=True) if c.text]
        if self.down and self.went_down and told and _TOTAL.match(re.sub(r"\s", "", told[0][0].text)):
            return True  # the years' total is no year's figure
        if not self.down or not told or told[0][1] is None or len(told) < 2:
            self.went_down = False
            return False
        self.went_down = True
        year = told[0][1]
        heads = [head for column, head in sorted(self.down.items()) if column > told[0][0].column]
        figures = [c for c, _ in told[1:]]
        for i, cell in enumerate(figures):
            head = self.down.get(cell.column)
            if row.visual:
                # Columns agree only roughly there: as many figures as heads, or it is not known which is which.
                head = heads[i] if len(figures) == len(heads) else None
            if head is None or cell.empty or not FIGURE.match(cell.text) or head.column <= told[0][0].column:
                continue
            column = replace(year, cell=cell, kind=year.kind)
            header = Header("", told[0][0].column, (column,), {}, row.span)
            if self.field_of(head) in ("目標値", "実績値"):
                self._down_indicator(head, header, column, cell, row)
            elif kind_of(self.field_of(head) or "") in ("amount", "staff", "hours"):
                self.series.append(
                    Series(head.text, head, header, ((column, cell),), row.span, "", None, self.unit, quote=row.span)
                )
        return True

    def _down_indicator(self, head: Cell, header: Header, column: Column, cell: Cell, row: Row) -> None:
        name, name_cell = self.indicator
        if name:
            values = ((column, cell),)
            self.series.append(
                Series(head.text, head, header, values, row.span, name, name_cell, self.unit, quote=row.span)
            )

    def _year_beside(self, row: Row, years: list[Column | None]) -> bool:
        """「事業費 | 令和6年度 | 100千円 | 令和7年度 | 200千円」: each figure belongs to the year at its left."""
        told = [(c, y) for c, y in zip(row.cells, years, strict=True) if c.text]
        label = told[0][0] if told and told[0][1] is None else None
        rest = told[1:] if label is not None else []
        pairs = list(zip(rest[::2], rest[1::2], strict=False))
        if label is None or len(pairs) < 2 or len(rest) % 2 or any(y is None for (_, y), _ in pairs):
            return False
        if not all(FIGURE.match(c.text) or c.empty for _, (c, _) in pairs):
            return False
        values = tuple((y, c) for (_, y), (c, _) in pairs if y is not None and not c.empty)
        columns = tuple(y for y, _ in values)
        if values and kind_of(self.field_of(label) or "") in ("amount", "staff", "hours"):
            header = Header("", label.column, columns, {}, row.span)
            self.series.append(Series(label.text, label, header, values, row.span, quote=row.span))
        return True

    def _is_value(self, cell: Cell, owner: Cell | None, owned: list[Cell]) -> bool:
        """「費用対効果 | 効果あり」: a cell that reads like a label but stands where a choice's value is awaited."""
        if owner is None or any(c.text for c in owned):
            return False
        if clean_label(owner.text) == "指標種別":
            return True
        kind, other = kind_of(self.field_of(owner) or ""), kind_of(self.field_of(cell) or "")
        return (
            kind == "choice"
            and other in ("group", "text")
            and squeeze(owner.text) != squeeze(cell.text)
            and len(cell.text) <= 4
        )

    @staticmethod
    def _answered(owned: list[Cell], cell: Cell) -> bool:
        """「市長公約 | - | 長い文」: the dash was the answer, what follows belongs to another label."""
        if cell.empty or FIGURE.match(cell.text):
            return False
        # From the last one back: a row of many texts is not looked through for each of them.
        return all(c.empty for c in reversed(owned)) and any(c.text for c in owned)

    def _takes_row(self, cell: Cell, cells: tuple[Cell, ...]) -> bool:
        return kind_of(self.field_of(cell) or "") == "row" and not any(c.text for c in islice(cells, cell.column))

    def _under_heads(self, row: Row) -> bool:
        filled = [c for c in row.cells if c.text]
        if (
            not filled
            or any(self.field_of(c) is not None for c in filled)
            or any(c.column not in self.heads for c in filled)
        ):
            for head in self.heads.values():
                if kind_of(self.field_of(head) or "") not in ("group", "row", "rating"):
                    self.pending[head.column] = head
            return False
        for cell in filled:
            head = self.heads[cell.column]
            self._pair(head, [cell])
        return True

    def _close(self, owner: Cell | None, owned: list[Cell], row: Row, was_pending: dict[int, Cell]) -> None:
        filled = [c for c in owned if c.text]
        name = self.field_of(owner) if owner is not None else None
        figures = [c for c in filled if FIGURE.match(c.text) or c.empty]
        if self.header is not None and filled and self._is_series(owner, name, owned, figures):
            self._series(owner, owned, row)
            return
        if owner is None:
            if len(filled) >= 2 and self._reads_like_label(filled[0], filled[1:]):
                self._pair(filled[0], filled[1:])
                return
            for cell in filled:
                head = was_pending.get(cell.column) or self.head_above(cell)
                if head is not None and not cell.empty:
                    self._pair(head, [cell])
                elif not cell.empty:
                    self.loose.append(cell)
            return
        if filled:
            years = {c.cell.column for c in self.header.columns} if self.header is not None else set()
            if len(filled) > 1 and all(c.column in years for c in filled):
                for cell in filled:
                    self._pair(owner, [cell])
            else:
                self._pair(owner, filled)
        elif kind_of(name or "") not in ("group", "row"):
            self.pending[owner.column] = owner

    def _reads_like_label(self, cell: Cell, values: list[Cell]) -> bool:
        """A short first cell before a text is a label even when no form has shown it to us."""
        if self.header is not None and "指標名" in self.header.heads:
            return False
        if not 2 <= len(cell.text) <= 16 or re.search(r"[\d。、:/]", cell.text) or cell.empty:
            return False
        return (
            not any(FIGURE.match(v.text) for v in values)
            and (self.header is None or len(values) == 1)
            and not values[0].empty
        )

    def _is_series(self, owner: Cell | None, name: str | None, owned: list[Cell], figures: list[Cell]) -> bool:
        """Whether the cells are figures to be laid under the header's years."""
        assert self.header is not None
        real = [c for c in figures if not c.empty]
        if not real and (owner is None or kind_of(name or "") not in NUMERIC_KINDS):
            return False
        columns = {c.cell.column for c in self.header.columns}
        known = {c.column for c in figures} | set(self.header.heads.values())
        texts = [c for c in owned if c.text and c.column not in known]
        if name is not None and kind_of(name) in _NO_FIGURES:
            return False
        if (
            name is not None
            and kind_of(name) not in (*NUMERIC_KINDS, "group")
            and not (real and columns >= {c.column for c in real})
        ):
            return False
        return len(texts) <= 1 + ("指標名" in self.header.heads) * 2 and (len(real) >= 1 or bool(figures))

    def _series(self, owner: Cell | None, owned: list[Cell], row: Row) -> None:
        header = self.header
        assert header is not None
        lead = _lead(row, header)
        unit_cell = lead.get("単位")
        texts = [c for c in owned if c.text and not FIGURE.match(c.text) and not c.empty and c is not unit_cell]
        label_cell = owner
        if owner is not None and texts and kind_of(self.field_of(owner) or "") in ("staff", "group", "hours"):
            label_cell = texts[0] if kind_of(self.field_of(owner) or "") == "group" else owner
        elif owner is None and texts:
            label_cell = texts[-1]
        if "指標名" in header.heads:
            named = lead.get("指標名")
            if named is not None and self.field_of(named) is None:
                self.indicator = (named.text, named)
                self.unit = ""
            elif named is None and any(self.field_of(c) is None for c in texts):
                self.indicator, self.unit = ("", None), ""  # something is named here, but not where names stand
        if unit_cell is not None:
            self.unit = unit_cell.text
            for i in self.waiting:
                self.series[i] = replace(self.series[i], unit=self.unit)
            self.waiting = []
        start = owner.column + 1 if owner is not None else owned[0].column if owned else 0
        values = [c for c in owned if (FIGURE.match(c.text) or c.empty) and c is not unit_cell]
        at = label_cell.column if label_cell is not None else start - 1
        years = {c.cell.column for c in header.columns}
        others = {column for name, column in header.heads.items() if column not in years and _NO_YEAR.search(name)}
        # 前年度比 and 備考 beside the years are no year's figures.
        values = [c for c in values if c.column > at and (row.visual or c.column not in others)]
        settled = label_cell is not None and self.field_of(label_cell) == "実績値"
        told_apart = {c.cell.span.start for c in settled_columns(list(header.columns))}
        laid, guessed = lay(header, values, label_cell, at, self.year if settled else None, row.visual)
        what = self.field_of(label_cell) if label_cell is not None else None
        named_row = what in ("目標値", "実績値", "達成率", "指標") or label_cell is None or "指標名" in header.heads
        name, name_cell = self.indicator if named_row else ("", None)
        self.series.append(
            Series(
                label_cell.text if label_cell is not None else "",
                label_cell,
                header,
                tuple(
                    (column, cell) for column, cell in laid if not cell.empty and column.cell.span.start in told_apart
                ),
                row.span,
                name,
                name_cell,
                self.unit,
                guessed or header.irregular,
            )
        )
        if not self.unit:
            self.waiting.append(len(self.series) - 1)
        if self.blocks and laid:
            last = self.blocks[-1]
            self.blocks[-1] = Block(last.label, Span(last.span.start, max(last.span.end, row.span.end)), last.rows + 1)

    def _pair(self, label: Cell, values: list[Cell]) -> None:
        field_name = self.field_of(label) or OTHER
        if clean_label(label.text) == "指標名" and values:
            self.indicator = ("", None) if values[0].empty else (values[0].text, values[0])
        if field_name in ("目標値", "実績値") and not FIGURE.match(values[0].text):
            field_name = OTHER  # 総合計画の「目標 6.市民協働」 is no indicator
        years = {c.cell.column for c in self.header.columns} if self.header is not None else set()
        self.pairs.append(Pair(label.text, field_name, label, tuple(values), any(v.column in years for v in values)))


def _lead(row: Row, header: Header) -> dict[str, Cell]:
    """The cells under 指標名 and 単位: by their columns, in a table set with blanks by their order before the figures."""
    names = {column: name for name, column in header.heads.items() if name in ("指標名", "単位")}
    if not row.visual:
        found = {names[c.column]: c for c in row.cells if c.text and c.column in names and not FIGURE.match(c.text)}
        return found
    first = min((c.cell.column for c in header.columns), default=0)
    heads = sorted(column for column in set(header.heads.values()) if column < first)
    texts: list[Cell] = []
    for cell in row.cells:
        if FIGURE.match(cell.text) or cell.empty:
            break
        texts.append(cell)
    # 目標 and 実績 may stand under a head of their own (区分) or without one.
    if texts and canonical(texts[-1].text) in ("目標値", "実績値") and (not heads or heads[-1] in names):
        texts = texts[:-1]
    if len(texts) > len(heads) or (len(texts) < len(heads) and texts and heads[-1] in names):
        return {}
    return {names[h]: c for h, c in zip(heads[-len(texts) :] if texts else [], texts, strict=True) if h in names}


def read_tables(lines: list[Row], year: int | None, labels: Mapping[str, str] | None = None) -> Tables:
    """Labels with their cells and rows of figures of the tabbed rows among ``lines``.

    ``year`` is the fiscal year the sheet reports on (for a bare 30年度); ``labels`` are the form's own ones, by
    cleaned label.
    """
    reader = _Reader(year, labels or {})
    for row in lines:
        if row.tabbed:
            if row.after_gap and not row.visual:  # a blank line ends a table, and with it its years
                reader.forget()
            reader.row(row)
        else:
            reader.forget()
            reader.line(row)
    blocks = [b for b in reader.blocks if b.label and b.rows]
    loose = [c for c in reader.loose if not any(b.span.start <= c.span.start < b.span.end for b in blocks)]
    return Tables(tuple(reader.pairs), tuple(reader.series), tuple(blocks), tuple(loose))
