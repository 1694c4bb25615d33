"""Writes the SQLite file of a snapshot; :mod:`index.records` reads it back as it was."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from corpus.documents import Certainty, Document, Fact, Place, Section, SheetReading, Span
from corpus.periods import Period

_SCHEMA = """
CREATE TABLE documents (document INTEGER PRIMARY KEY, file TEXT NOT NULL UNIQUE, text TEXT NOT NULL,
  sha256 TEXT NOT NULL, media TEXT NOT NULL, places TEXT NOT NULL, warnings TEXT NOT NULL, reader TEXT NOT NULL,
  pages TEXT NOT NULL);
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
CREATE TABLE relinked (sheet INTEGER PRIMARY KEY);
CREATE TABLE refused (file TEXT PRIMARY KEY, message TEXT NOT NULL);
CREATE INDEX documents_read ON documents (file, sha256, reader);
CREATE INDEX sheets_municipality ON sheets (municipality);
CREATE INDEX sheets_document ON sheets (document);
CREATE INDEX sections_sheet ON sections (sheet);
CREATE INDEX sections_field ON sections (field);
CREATE INDEX facts_sheet ON facts (sheet);
CREATE INDEX facts_field ON facts (field);
CREATE INDEX events_sheet ON events (sheet);
"""


_FROM_THE_FIRST = dict.fromkeys(("document", "sheet", "section", "chunk", "fact", "event"), 0)


class RecordsWriter:
    """Writes a new records file, one document after the other; used as a context manager.

    ``starts`` are the first numbers of an addition to other records (document, sheet, section, chunk, fact, event).
    """

    def __init__(self, file: Path, starts: Mapping[str, int] = _FROM_THE_FIRST) -> None:
        self._db = sqlite3.connect(file)
        self._db.executescript(_SCHEMA)
        self._next = dict(starts)

    def __enter__(self) -> RecordsWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Finishes the file."""
        self._db.commit()
        self._db.close()

    def _insert(self, table: str, rows: Iterable[Sequence[object]]) -> None:
        for row in rows:
            self._db.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(row))})", row)

    def _number(self, what: str) -> int:
        self._next[what] += 1
        return self._next[what] - 1

    def document(self, d: Document) -> int:
        """Stores a document and returns its number."""
        number = self._number("document")
        places = [_place_row(p) for p in d.places]
        row = (
            number,
            d.file,
            d.text,
            d.sha256,
            d.media,
            json.dumps(places),
            json.dumps(d.warnings, ensure_ascii=False),
            d.reader,
            json.dumps([(p.width, p.height) for p in d.pages]),
        )
        self._insert("documents", [row])
        return number

    def sheet(self, document: int, reading: SheetReading) -> int:
        """Stores a sheet with its facts and events and returns its number."""
        number, s = self._number("sheet"), reading.sheet
        spans = json.dumps([(x.start, x.end) for x in s.spans])
        warnings = json.dumps(reading.warnings, ensure_ascii=False)
        row = (number, s.sheet_id, document, s.kind, s.name, s.municipality, s.fiscal_year, s.department, spans, s.form)
        self._insert("sheets", [(*row, warnings, _certainty_text(reading.certainty))])
        self._insert("facts", ((self._number("fact"), number, *_fact_row(f)) for f in reading.facts))
        rows = (
            (self._number("event"), number, *_period_row(e.period), *_offsets(e.span), *_offsets(e.quote), e.what)
            for e in reading.events
        )
        self._insert("events", rows)
        return number

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

    def timelines(self, found: Iterable[Sequence[int]], first: int = 0) -> None:
        """Stores which sheets (by number) are one programme over the years; a sheet alone in its year is in none."""
        self._insert("timelines", ((sheet, number) for number, sheets in enumerate(found, first) for sheet in sheets))

    def keep_timelines(self, rows: Iterable[tuple[int, int]]) -> None:
        """Stores the numbers of timelines as they are: (sheet, timeline)."""
        self._insert("timelines", rows)

    def relinked(self, sheets: Iterable[int]) -> None:
        """Stores the sheets, by number, of which what this file says of timelines counts, and not what the base says."""
        self._insert("relinked", ((sheet,) for sheet in sheets))

    @property
    def starts(self) -> dict[str, int]:
        """The numbers that the next rows get."""
        return dict(self._next)


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
