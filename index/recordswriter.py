"""Writes the SQLite file of a snapshot; :mod:`index.records` reads it back as it was."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from corpus.documents import Certainty, Document, Fact, Place, Section, SheetReading, Span
from corpus.periods import Period

_SCHEMA = """
CREATE TABLE documents (document INTEGER PRIMARY KEY, file TEXT NOT NULL UNIQUE, text TEXT NOT NULL,
  sha256 TEXT NOT NULL, media TEXT NOT NULL, places TEXT NOT NULL, warnings TEXT NOT NULL, reader TEXT NOT NULL,
  pages TEXT NOT NULL, names TEXT NOT NULL);
CREATE TABLE sheets (sheet INTEGER PRIMARY KEY, sheet_id TEXT NOT NULL UNIQUE, document INTEGER NOT NULL,
  kind TEXT NOT NULL, name TEXT NOT NULL, municipality TEXT NOT NULL, fiscal_year INTEGER, department TEXT NOT NULL,
  spans TEXT NOT NULL, form TEXT NOT NULL, warnings TEXT NOT NULL, certainty TEXT);
CREATE TABLE sections (section INTEGER PRIMARY KEY, sheet INTEGER NOT NULL, label TEXT NOT NULL, field TEXT NOT NULL,
  start INTEGER NOT NULL, end INTEGER NOT NULL);
CREATE TABLE chunks (chunk INTEGER PRIMARY KEY, section INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL);
CREATE TABLE facts (fact INTEGER PRIMARY KEY, sheet INTEGER NOT NULL, field TEXT NOT NULL, label TEXT NOT NULL,
  value REAL, text TEXT NOT NULL, unit TEXT NOT NULL, period_start TEXT, period_end TEXT, period_label TEXT,
  period_kind TEXT, kind TEXT, start INTEGER NOT NULL, end INTEGER NOT NULL, quote_start INTEGER NOT NULL,
  quote_end INTEGER NOT NULL, inferred INTEGER NOT NULL);
CREATE TABLE events (event INTEGER PRIMARY KEY, sheet INTEGER NOT NULL, period_start TEXT NOT NULL,
  period_end TEXT NOT NULL, period_label TEXT NOT NULL, period_kind TEXT NOT NULL, start INTEGER NOT NULL,
  end INTEGER NOT NULL, quote_start INTEGER NOT NULL, quote_end INTEGER NOT NULL, what TEXT NOT NULL);
CREATE TABLE timelines (sheet INTEGER PRIMARY KEY, timeline INTEGER NOT NULL);
CREATE TABLE refused (file TEXT PRIMARY KEY, message TEXT NOT NULL);
"""
# Made when all rows are in: sorted once, not a page here and there for every row.
_INDEXES = """
CREATE INDEX documents_read ON documents (file, sha256, reader);
CREATE INDEX sheets_document ON sheets (document);
CREATE INDEX sections_sheet ON sections (sheet);
CREATE INDEX sections_field ON sections (field);
CREATE INDEX facts_sheet ON facts (sheet);
CREATE INDEX facts_field ON facts (field);
CREATE INDEX events_sheet ON events (sheet);
"""


_FROM_THE_FIRST = {"document": 0, "sheet": 0, "section": 0, "chunk": 0, "fact": 1, "event": 1}


class RecordsWriter:
    """Writes a new records file, one document after the other; used as a context manager.

    ``starts`` are the first numbers of an addition to other records.
    """

    def __init__(self, file: Path, starts: Mapping[str, int] = _FROM_THE_FIRST) -> None:
        self._db = sqlite3.connect(file)
        # What a build that was killed leaves is thrown away, so nothing has to survive it here; the finished file is
        # brought to disk before it is named in CURRENT.
        self._db.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_SCHEMA}")
        self.starts = dict(starts)
        self._closed = False
        self._next = dict(starts)

    def __enter__(self) -> RecordsWriter:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self._closed:  # what went wrong did so later
            return
        self._closed = True
        self._db.commit()
        if kind is None:
            self._db.executescript(_INDEXES)
        self._db.close()

    def _insert(self, table: str, rows: Iterable[Sequence[object]]) -> int:
        whole = list(rows)
        if whole:
            self._db.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(whole[0]))})", whole)
        return len(whole)

    def _number(self, what: str) -> int:
        self._next[what] += 1
        return self._next[what] - 1

    def document(self, d: Document) -> int:
        """Stores a document and returns its number."""
        number = self._number("document")
        self._insert("documents", [(number, *document_row(d))])
        return number

    def sheet(self, document: int, reading: SheetReading) -> int:
        """Stores a sheet with its facts and events and returns its number."""
        number = self._number("sheet")
        sheet_id, *rest = sheet_row(reading)
        self._insert("sheets", [(number, sheet_id, document, *rest)])
        self._insert("facts", ((self._number("fact"), number, *row) for row in fact_rows(reading)))
        self._insert("events", ((self._number("event"), number, *row) for row in event_rows(reading)))
        return number

    def add(
        self,
        document: Sequence[object],
        sheets: Sequence[Sequence[object]],
        sections: Iterable[Sequence[Any]],
        chunks: Iterable[Sequence[Any]],
        facts: Iterable[Sequence[Any]],
        events: Iterable[Sequence[Any]],
    ) -> tuple[int, int]:
        """Stores the rows of one document, as :mod:`index.prepared` has them; returns its first sheet and first chunk.

        Sections, facts and events begin with the number of their sheet, chunks with that of their section, counted from
        0 within the document.
        """
        number = self._number("document")
        self._insert("documents", [(number, *document)])
        first, at, chunk = self._next["sheet"], self._next["section"], self._next["chunk"]
        rows = [(first + i, row[0], number, *row[1:]) for i, row in enumerate(sheets)]
        self._next["sheet"] += self._insert("sheets", rows)
        rows = [(at + i, first + row[0], *row[1:]) for i, row in enumerate(sections)]
        self._next["section"] += self._insert("sections", rows)
        rows = [(chunk + i, at + row[0], *row[1:]) for i, row in enumerate(chunks)]
        self._next["chunk"] += self._insert("chunks", rows)
        for kind, found in (("fact", facts), ("event", events)):
            self._insert(f"{kind}s", [(self._number(kind), first + row[0], *row[1:]) for row in found])
        return first, chunk

    def refused(self, file: str, message: str) -> None:
        """Stores a file that could not be read, with the reason; the first of two reasons counts."""
        self._db.execute("INSERT OR IGNORE INTO refused VALUES (?, ?)", (file, message))

    def section(self, sheet: int, section: Section) -> int:
        """Stores a section and returns its number."""
        number = self._number("section")
        self._insert("sections", [(number, sheet, section.label, section.field, *_offsets(section.span))])
        return number

    def chunk(self, section: int, span: Span) -> int:
        """Stores a chunk of a section (offsets in the document) and returns its number."""
        number = self._number("chunk")
        self._insert("chunks", [(number, section, *_offsets(span))])
        return number

    def timelines(self, found: Iterable[Sequence[int]]) -> None:
        """Stores which sheets (by number) are one programme over the years; a sheet alone in its year is in none."""
        self._insert("timelines", ((sheet, number) for number, sheets in enumerate(found) for sheet in sheets))


DOCUMENT_COLUMNS = ("file", "text", "sha256", "media", "places", "warnings", "reader", "pages", "names")
SHEET_COLUMNS = (
    "sheet_id", "kind", "name", "municipality", "fiscal_year", "department", "spans", "form", "warnings", "certainty",
)  # fmt: skip


def document_row(d: Document, names: Sequence[Span] = ()) -> list[Any]:
    """A document as its row: the columns of :data:`DOCUMENT_COLUMNS`; ``names`` are the stretches that name staff."""
    places = json.dumps([_place_row(p) for p in d.places])
    warnings = json.dumps(d.warnings, ensure_ascii=False)
    return [
        d.file, d.text, d.sha256, d.media, places, warnings, d.reader, json.dumps([(p.width, p.height) for p in d.pages]),
        json.dumps([_offsets(span) for span in names]),
    ]  # fmt: skip


def sheet_row(reading: SheetReading) -> list[Any]:
    """A sheet as its row: the columns of :data:`SHEET_COLUMNS`."""
    s = reading.sheet
    spans = json.dumps([(x.start, x.end) for x in s.spans])
    warnings = json.dumps(reading.warnings, ensure_ascii=False)
    certainty = _certainty_text(reading.certainty)
    return [
        s.sheet_id, s.kind, s.name, s.municipality, s.fiscal_year, s.department, spans, s.form, warnings, certainty,
    ]  # fmt: skip


def fact_rows(reading: SheetReading) -> Iterator[tuple[object, ...]]:
    """A sheet's facts as rows, without their numbers and the sheet's."""
    return (_fact_row(f) for f in reading.facts)


def event_rows(reading: SheetReading) -> Iterator[tuple[object, ...]]:
    """A sheet's events as rows, without their numbers and the sheet's."""
    return ((*_period_row(e.period), *_offsets(e.span), *_offsets(e.quote), e.what) for e in reading.events)


def _certainty_text(certainty: Certainty | None) -> str | None:
    if certainty is None:
        return None
    return json.dumps([certainty.score, *((r.what, r.share, r.text) for r in certainty.reasons)], ensure_ascii=False)


def _offsets(span: Span) -> tuple[int, int]:
    return span.start, span.end


def _period_row(period: Period | None) -> tuple[str | None, ...]:
    if period is None:
        return None, None, None, None
    return period.start.isoformat(), period.end.isoformat(), period.label, period.kind


def _fact_row(f: Fact) -> tuple[object, ...]:
    head = (f.field, f.label, f.value, f.text, f.unit, *_period_row(f.period), f.kind)
    return (*head, *_offsets(f.span), *_offsets(f.quote), int(f.inferred))


def _place_row(p: Place) -> tuple[object, ...]:
    row = (p.start, p.end, p.page, p.box, p.cell)
    return row if p.confidence is None else (*row, p.confidence)
