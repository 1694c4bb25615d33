"""An answer in the making: lines of Markdown with their numbered quotes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from assistant.types import Cell, Chart, Citation, Table
from corpus.documents import Sheet, Span
from corpus.normalize import normalize
from corpus.places import in_words
from index.types import Index

# Everything but a list or an aggregate stays under this: a sheet poured out is no answer.
MAX_CHARS = 560

_BREAK = re.compile(r"(?<![ \t\u3000])[ \t\u3000]*+\n\s*+")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,80}>")
_MARK = re.compile(r"\[(\d+)\]")


def readable(quote: str) -> str:
    """A quote as people read it: the line breaks of the page joined, cells set apart by a space, tags taken out.

    >>> readable("システ\\n\\nム更新\\tＡ")
    'システム更新 Ａ'
    """
    text = _TAG.sub(" ", quote)

    def join(found: re.Match[str]) -> str:
        before, after = text[: found.start()], text[found.end() :]
        ascii_sides = before[-1:].isascii() and after[:1].isascii() and before[-1:].isalnum() and after[:1].isalnum()
        return " " if ascii_sides else ""

    text = _BREAK.sub(join, text)
    return re.sub(r"[ \t\u3000]+", " ", text).strip()


@dataclass(slots=True)
class Draft:
    """Lines, rows and citations; ``cite`` numbers each new stretch of a document once."""

    index: Index
    lines: list[str] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    rows: list[tuple[Cell, ...]] = field(default_factory=list)
    row_citations: list[tuple[int, ...]] = field(default_factory=list)
    chart: Chart | None = None
    confidence: float = 1.0
    how: str = ""
    near_only: bool = False

    def cite(self, sheet: Sheet, section: str, span: Span) -> int:
        """The number of the quote for a stretch of the sheet's document."""
        for known in self.citations:
            if known.sheet.file == sheet.file and known.sheet.sheet_id == sheet.sheet_id and known.span == span:
                return known.n
        document = self.index.document(sheet.file)
        section = section or self._section_at(sheet, span)
        n = len(self.citations) + 1
        quote = document.text[span.start : span.end]
        self.citations.append(Citation(n, sheet, section, quote, span, in_words(document, span)))
        return n

    def _section_at(self, sheet: Sheet, span: Span) -> str:
        """The printed label of the section a stretch stands in; empty for one between sections."""
        for found in self.index.sections([sheet.sheet_id]):
            if found.section.span.start <= span.start and span.end <= found.section.span.end:
                return plain(found.section.label)
        return ""

    def add(self, line: str) -> None:
        """One more line of the answer."""
        self.lines.append(line)

    def item(self, sheet: Sheet, note: str, citations: Sequence[int]) -> None:
        """A line of a list: the sheet, a short note and the quotes' numbers; the table holds what does not fit."""
        marks = "".join(f"[{n}]" for n in dict.fromkeys(citations))
        line = f"- {title(sheet)}{f' {note}' if note else ''} {marks}"
        if len(self.text) + len(line) <= MAX_CHARS:
            self.add(line)
        elif not self.lines[-1].startswith("- ほか"):
            self.add("- ほかは表のとおりです。")

    def row(self, cells: Sequence[Cell], citations: Sequence[int]) -> None:
        """One more row of the table with the numbers that prove it."""
        self.rows.append(tuple(cells))
        self.row_citations.append(tuple(dict.fromkeys(citations)))

    def merge(self, other: Draft) -> None:
        """Append another draft, its quotes renumbered after this one's."""
        numbers = {c.n: self.cite(c.sheet, c.section, c.span) for c in other.citations}
        self.lines += [_MARK.sub(lambda m: f"[{numbers[int(m[1])]}]", line) for line in other.lines]
        if other.rows and (not self.columns or self.columns == other.columns):
            self.columns = other.columns
            self.rows += other.rows
            self.row_citations += [tuple(numbers[n] for n in row) for row in other.row_citations]

    @property
    def table(self) -> Table | None:
        """The rows so far, or None."""
        return Table(self.columns, tuple(self.rows), tuple(self.row_citations)) if self.rows else None

    @property
    def text(self) -> str:
        """The answer's Markdown."""
        return "\n".join(self.lines)


def title(sheet: Sheet, several_years: bool = False) -> str:
    """A sheet as an answer names it: 「戸籍システム」(市民課), with the municipality before it and the year where needed."""
    name = readable(sheet.name)
    where = " ".join(part for part in (sheet.municipality, sheet.department) if part)
    year = f" {sheet.fiscal_year}年度" if several_years and sheet.fiscal_year else ""
    return f"**{name}**（{where}{year}）"


def shorten(text: str, limit: int) -> str:
    """At most ``limit`` characters, cut at a sentence end or comma where there is one, marked with …"""
    if len(text) <= limit:
        return text
    cut = max(text.rfind(mark, 0, limit) for mark in "。、 ")
    return text[: cut + 1 if cut > limit // 2 else limit] + "…"


def plain(text: str) -> str:
    """NFKC of a label, for answers."""
    return re.sub(r"\s+", "", normalize(text).text)
