"""Lines and cells of a stretch of a document, normalised for matching, with the way back to the raw offsets."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import lru_cache

from corpus.documents import Document, Sheet, Span
from corpus.normalize import Normalized, normalize

_MARKUP = re.compile(r"</?(?:ul|ol|li|br|p|div|span)\b[^>]*>", re.I)
_PIPED = re.compile(r"^\s*\|.*\|\s*$")
_BREAK = re.compile(r"(?<![ \t\u3000])[ \t\u3000]*+\n\s*+")
_DASHED_NUMBER = re.compile(r"^[-－―–]\s*\d{1,4}\s*[-－―–]$")
_NUMBER_LINE = re.compile(r"\s*\d{1,4}\s*\n")
_PAGE_NUMBER = re.compile(r"^[-\s]*\d{1,4}[-\s]*$")
# A line of more cells is no row of a form: it is read as a text.
MOST_CELLS = 1_000
# What stands in a cell that was left empty.
EMPTY = re.compile(r"^[\s\-/*ー_・.,|なし]*$|^(?:該当)?(?:なし|無し|無)$")


@lru_cache(maxsize=16)
def normalized(text: str) -> Normalized:
    """The normalised form of a whole document's text (kept for the steps that follow each other on one file)."""
    return normalize(text)


@dataclass(frozen=True, slots=True)
class View:
    """A stretch of a document: ``text`` is normalised, ``raw`` the document's; offsets lead back to the document."""

    raw: str
    offset: int
    norm: Normalized

    @property
    def text(self) -> str:
        """The normalised text."""
        return self.norm.text

    def span(self, start: int, end: int) -> Span:
        """The document's span for ``text[start:end]``, without white space at its ends."""
        a, b = self.norm.raw(start, end)
        return trim(self.raw, Span(a, b), self.offset)


def view(document: Document, span: Span) -> View:
    """The view of one stretch of a document."""
    raw = document.text[span.start : span.end]
    whole = normalized(document.text)
    first, last = bisect_left(whole.starts, span.start), bisect_right(whole.ends, span.end)
    shift = span.start
    norm = Normalized(
        whole.text[first:last],
        tuple(start - shift for start in whole.starts[first:last]),
        tuple(end - shift for end in whole.ends[first:last]),
    )
    return View(raw, shift, norm)


def views(document: Document, sheet: Sheet) -> list[View]:
    """One view for each stretch of a sheet."""
    return [view(document, span) for span in sheet.spans]


def one_line(text: str) -> str:
    """A printed text without its line breaks and the blanks around them: 「デー\\n タ」 -> 「データ」."""
    return _BREAK.sub("", text).strip()


def trim(raw: str, span: Span, offset: int = 0) -> Span:
    """``span`` (relative to ``raw``) without outer white space and list mark-up, shifted by ``offset``."""
    start, end = span.start, span.end
    while True:
        while start < end and raw[start].isspace():
            start += 1
        while end > start and raw[end - 1].isspace():
            end -= 1
        lead = _MARKUP.match(raw, start, end)
        if lead is not None:
            start = lead.end()
            continue
        tail = next((m for m in _MARKUP.finditer(raw, max(start, end - 80), end) if m.end() == end), None)
        if tail is None:
            break
        end = tail.start()
    return Span(offset + start, offset + end)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: normalised ``text`` without outer white space, its column, and its raw span in the document."""

    text: str
    column: int
    span: Span

    @property
    def empty(self) -> bool:
        """Whether nothing is said in it (blank, a dash, a slash)."""
        return EMPTY.match(self.text) is not None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a view; ``cells`` has one entry unless the line holds tab characters.

    ``after_gap`` says that a blank line stands before it, ``visual`` that its columns are places on the line (a table set
    with blanks), which agree only roughly from row to row.
    """

    cells: tuple[Cell, ...]
    span: Span
    after_gap: bool = False
    visual: bool = False

    @property
    def tabbed(self) -> bool:
        """Whether the line is a row of a table."""
        return len(self.cells) > 1

    @property
    def text(self) -> str:
        """The cells joined by single spaces."""
        return " ".join(c.text for c in self.cells if c.text)


def rows(of: View) -> list[Row]:
    """Every line of a view that is not blank, cut into cells at tab characters."""
    found: list[Row] = []
    at = 0
    gap = False
    for line in of.raw.splitlines(keepends=True):
        body = line.rstrip("\r\n\f")
        if body.strip():
            cells = []
            piped = _PIPED.match(body) is not None
            if piped and not re.search(r"[^|\s:\-]", body):  # the rule under a Markdown table's head
                at += len(line)
                continue
            column_at = at
            mark = "|" if piped else "\t"
            parts = body.split(mark) if body.count(mark) < MOST_CELLS else [body]
            for column, part in enumerate(parts):
                span = trim(of.raw, Span(column_at, column_at + len(part)), of.offset)
                text = normalize(of.raw[span.start - of.offset : span.end - of.offset]).text
                cells.append(Cell(text, column, span))
                column_at += len(part) + 1
            found.append(Row(tuple(cells), trim(of.raw, Span(at, at + len(body)), of.offset), gap))
        gap = not body.strip()
        at += len(line)
    return found


@lru_cache(maxsize=16)
def running_heads(text: str) -> frozenset[str]:
    """Lines (squeezed) at the head or foot of many pages: the same words three times or more beside a page number."""
    lines = [re.sub(r"\s+", "", line) for line in text.splitlines()]
    lines = [line for line in lines if line]
    pages: dict[str, list[int]] = {}
    for i, line in enumerate(lines):
        if _PAGE_NUMBER.match(line):
            number = int(re.sub(r"\D", "", line))
            for j in (i - 1, i + 1):
                if 0 <= j < len(lines) and 4 <= len(lines[j]) <= 60 and not _PAGE_NUMBER.match(lines[j]):
                    pages.setdefault(lines[j], []).append(number)
    # Page numbers grow; a figure that stands beside the same label on every sheet of a scrambled form does not.
    return frozenset(
        line
        for line, seen in pages.items()
        if len(seen) >= 3 and all(a < b for a, b in zip(seen, seen[1:], strict=False))
    )


def without_heads(text: str, span: Span) -> Span:
    """``span`` without running heads and page numbers at its two ends."""
    heads = running_heads(text)
    start, end = span.start, span.end
    changed = True
    while changed:
        changed = False
        span = trim(text, Span(start, end))
        start, end = span.start, span.end
        first_end = text.find("\n", start, end)
        first_end = end if first_end < 0 else first_end
        last_start = text.rfind("\n", start, end) + 1 or start
        first = re.sub(r"\s+", "", text[start:first_end])
        last = re.sub(r"\s+", "", text[last_start:end])
        if first in heads:
            start, changed = first_end, True
            number = _NUMBER_LINE.match(text, start, end)
            start = number.end() if number else start
        elif (
            start < end
            and _DASHED_NUMBER.match(last)
            or start < end
            and (last in heads or (_PAGE_NUMBER.match(last) and _head_before(text, last_start, heads)))
        ):
            end, changed = last_start, True
    return Span(start, max(start, end))


def _head_before(text: str, at: int, heads: frozenset[str]) -> bool:
    before = text[:at].rstrip()
    return re.sub(r"\s+", "", before[before.rfind("\n") + 1 :]) in heads
