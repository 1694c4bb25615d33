"""Cuts a block of columns, whose cells follow each other in the text, back into its cells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from corpus.documents import Document, Span
from corpus.forms.loader import compiled
from corpus.layout import View, rows, trim, view

_FIRST = re.compile(r"(?:(?<=\s)|^)\(1\)")
_ITEM = re.compile(r"(?:(?<=\s)|^)\((\d{1,2})\)")
# A line break inside a cell stands right after the last letter; at a cell's end extraction leaves a blank before it.
_PARAGRAPH_END = re.compile(r"[ \u3000]+\n\s*")


@dataclass(frozen=True, slots=True)
class Column:
    """One cell of a block of columns, with the label and field its form gives the column."""

    label: str
    field: str
    span: Span


def split_columns(document: Document, block: Span, spec: Mapping[str, Any]) -> list[Column]:
    """The cells of a block, one for each of ``spec["labels"]``; empty when they cannot be told apart for certain."""
    of = view(document, block)
    head = compiled(spec["head"]).match(of.text)
    if head is None:
        return []
    count = len(spec["labels"])
    cells = (
        _by_tabs(of, head.end(), count) or _by_numbers(of, head.end(), count) or _by_paragraphs(of, head.end(), count)
    )
    if len(cells) != count or any(c.start >= c.end for c in cells):
        return []
    return [
        Column(label, field, cell) for label, field, cell in zip(spec["labels"], spec["fields"], cells, strict=True)
    ]


def _by_tabs(of: View, at: int, count: int) -> list[Span]:
    begin = of.offset + (of.norm.raw(at, len(of.text))[0] if at < len(of.text) else len(of.raw))
    for row in rows(of):
        told = [cell.span for cell in row.cells if cell.text and cell.span.start >= begin]
        if row.tabbed and len(told) == count:
            return told
    return []


def _by_numbers(of: View, at: int, count: int) -> list[Span]:
    starts = [m.start() for m in _FIRST.finditer(of.text, at)]
    if len(starts) != count or of.text[at : starts[0]].strip():
        return []
    stops = [*starts[1:], len(of.text)]
    return [of.span(a, b) for a, b in zip(starts, stops, strict=True)]


def _by_paragraphs(of: View, at: int, count: int) -> list[Span]:
    if _ITEM.search(of.text, at):
        return []
    begin = of.norm.raw(at, len(of.text))[0] if at < len(of.text) else len(of.raw)
    spans: list[Span] = []
    place = begin
    for gap in [*_PARAGRAPH_END.finditer(of.raw, begin), None]:
        stop = gap.start() if gap is not None else len(of.raw)
        piece = trim(of.raw, Span(place, stop), of.offset)
        if piece.start < piece.end:
            spans.append(piece)
        place = gap.end() if gap is not None else stop
    if len(spans) == count:
        return spans
    words: list[Span] = []
    for span in spans:
        raw = of.raw[span.start - of.offset : span.end - of.offset]
        words += [Span(span.start + m.start(), span.start + m.end()) for m in re.finditer(r"[^ \u3000]+", raw)]
    return words if len(words) == count else []


def split_items(document: Document, cell: Span) -> list[Span]:
    """The items (1), (2), … of a cell without their numbers; the whole cell when it has none."""
    of = view(document, cell)
    marks = [(m.start(), m.end(), int(m[1])) for m in _ITEM.finditer(of.text)]
    marks = [m for i, m in enumerate(marks) if m[2] == i + 1]
    if not marks:
        return [cell]
    stops = [*(m[0] for m in marks[1:]), len(of.text)]
    return [of.span(m[1], stop) for m, stop in zip(marks, stops, strict=True)]
