"""Lists of programmes: tables with one programme a row and its department, amounts and marks in columns."""

from __future__ import annotations

import re
from dataclasses import dataclass

from corpus.amounts import find_amounts, in_yen
from corpus.documents import Document, Fact, FactKind, Span
from corpus.forms.loader import FIGURE_KINDS, canonical, kind_of
from corpus.layout import Cell, Row, View, one_line
from corpus.normalize import normalize
from corpus.periods import Period, find_periods, fiscal_year

_MONEY = re.compile(r"\((?:単位[::]?)?(千円|百万円|万円|円)\)")
_FACTS = (*FIGURE_KINDS, "rating", "choice")


@dataclass(frozen=True, slots=True)
class Entry:
    """One programme of a list: its name, and the cells under each head."""

    name: str
    row: Row
    cells: tuple[tuple[Cell, Cell], ...]


def entries_of(lines: list[Row]) -> list[Entry]:
    """The rows under a head that has a column for the programme's name and two more known columns."""
    entries: list[Entry] = []
    heads: dict[int, Cell] = {}
    name_at = -1
    for row in lines:
        if not row.tabbed:
            heads = {}
            continue
        told = {cell.column: cell for cell in row.cells if cell.text}
        named = [c for c, cell in told.items() if canonical(cell.text) == "事務事業名"]
        if len(named) == 1 and sum(canonical(cell.text) is not None for cell in told.values()) >= 3 and len(told) >= 3:
            after = sorted(c for c in told if c > named[0])
            # A form's row 「事務事業名 | ○○ | 所管課 | ○○」 has a value after the name's label; a list's head has a label.
            if after and canonical(told[after[0]].text) is not None:
                heads, name_at = told, named[0]
                continue
        if heads and name_at in told and canonical(told[name_at].text) is None:
            cells = tuple((heads[c], cell) for c, cell in told.items() if c in heads and c != name_at)
            entries.append(Entry(one_line(told[name_at].text), row, cells))
    return entries if len(entries) >= 2 else []


def facts_of_list(document: Document, of: View, entries: list[Entry], year: int | None) -> list[Fact]:
    """The amounts and marks of a list; ``label`` is the programme's name as the list prints it."""
    money = {m[1] for m in _MONEY.finditer(of.text)}
    facts: list[Fact] = []
    for entry in entries:
        for head, cell in entry.cells:
            field = canonical(head.text)
            if field is None or kind_of(field) not in _FACTS or cell.empty:
                continue
            years = find_periods(head.text, year)
            period = years[0].period if years else (fiscal_year(year) if year is not None else None)
            fact = _fact(document, entry, field, head, cell, period, money)
            if fact is not None:
                facts.append(fact)
    return facts


def _fact(
    document: Document, entry: Entry, field: str, head: Cell, cell: Cell, period: Period | None, money: set[str]
) -> Fact | None:
    printed, kind = document.text[cell.span.start : cell.span.end], kind_of(field)
    quote = Span(entry.row.span.start, entry.row.span.end)
    if kind in ("rating", "choice"):
        short = len(cell.text) <= 40 and "。" not in cell.text
        return Fact(field, entry.name, None, printed, "", period, None, cell.span, quote) if short else None
    amounts = find_amounts(cell.text)
    if len(amounts) != 1 or period is None:
        return None
    value, unit = amounts[0].value, amounts[0].unit
    if kind == "amount" and unit != "円":
        said = _MONEY.search(normalize(head.text).text)
        unit = said[1] if said else next(iter(money)) if len(money) == 1 else ""
        value, unit = in_yen(value, unit)
    unit = unit or {"staff": "人", "rate": "%", "hours": "時間"}.get(kind, "")
    what: FactKind | None = "plan" if "予算" in head.text else "actual" if re.search("決算|実績", head.text) else None
    return Fact(field, entry.name, value, printed, unit, period, what, cell.span, quote)
