"""One SQLite file with everything that is read back as it was: documents, sheets, sections, chunks, facts, events.

Sections, facts and events keep offsets only; their texts are slices of the stored document.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.documents import (
    Certainty,
    Document,
    Event,
    Fact,
    PageSize,
    Place,
    Reason,
    Section,
    Sheet,
    SheetReading,
    Span,
)
from corpus.periods import Period
from index.sheetrows import SheetRows
from index.tables import SheetList, Tables
from index.types import Judgement, SheetEvent, SheetFact, SheetSection

_KEPT_TEXTS = 64  # documents whose text stays in memory
_MAPPED = 1 << 31  # bytes; SQLite maps no more
_KEPT_ROWS = 50_000  # sections, and as many facts and events, that stay in memory; a row takes about 1 kB


class Records:
    """A finished records file, opened read-only. One connection, one query at a time."""

    def __init__(self, file: Path, tables: Path) -> None:
        """``tables`` is the folder with the columns of the same records (:mod:`index.tables`)."""
        # immutable: a snapshot never changes, so SQLite needs neither locks nor journals beside it.
        self._db = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
        self._db.execute(f"PRAGMA mmap_size = {_MAPPED}")  # pages of the file are not copied
        self._lock = threading.Lock()
        self._readers = 1
        self._texts: OrderedDict[int, str] = OrderedDict()
        self._kept_documents = lru_cache(maxsize=_KEPT_TEXTS)(self._read_document)
        self._kept_sections = SheetRows(self._read_sections, _KEPT_ROWS)
        self._kept_facts = SheetRows(self._read_facts, _KEPT_ROWS)
        self._kept_events = SheetRows(self._read_events, _KEPT_ROWS)
        self.tables = Tables(tables)
        self.sheets = SheetList(self.tables)
        self.section_sheet = self.tables.section_sheet
        self.chunk_section = self.tables.chunk_section

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def lent(self) -> None:
        """One more snapshot reads from here."""
        with self._lock:
            self._readers += 1

    def given_back(self) -> bool:
        """One snapshot less reads from here; whether it was the last."""
        with self._lock:
            self._readers -= 1
            return self._readers <= 0

    def _rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def _text(self, document: int) -> str:
        with self._lock:
            if document not in self._texts:
                row = self._db.execute("SELECT text FROM documents WHERE document = ?", (document,)).fetchone()
                self._texts[document] = row[0]
                if len(self._texts) > _KEPT_TEXTS:
                    self._texts.popitem(last=False)
            self._texts.move_to_end(document)
            return self._texts[document]

    def counts(self) -> dict[str, int]:
        """Rows of each table."""
        tables = ("documents", "sheets", "sections", "chunks", "facts", "events")
        return {t: self._rows(f"SELECT count(*) FROM {t}")[0][0] for t in tables}

    def document(self, file: str) -> Document:
        """The document read from ``file``; KeyError if there is none."""
        return self._kept_documents(file)

    def _read_document(self, file: str) -> Document:
        rows = self._rows(
            "SELECT document, sha256, media, places, warnings, reader, pages FROM documents WHERE file = ?", (file,)
        )
        if not rows:
            raise KeyError(file)
        return _document(file, self._text(rows[0][0]), rows[0][1:])

    def files(self) -> list[str]:
        """Every document's file, in order."""
        return [r[0] for r in self._rows("SELECT file FROM documents ORDER BY document")]

    def warnings(self) -> dict[str, tuple[str, ...]]:
        """The warnings of every document and of its sheets, by file; files without any are left out."""
        found: dict[str, tuple[str, ...]] = {}
        for file, own in self._rows("SELECT file, warnings FROM documents ORDER BY document"):
            found[file] = tuple(json.loads(own))
        for file, own in self._rows(
            "SELECT d.file, s.warnings FROM sheets s JOIN documents d USING (document)"
            " WHERE s.warnings != '[]' ORDER BY s.sheet"
        ):
            found[file] += tuple(json.loads(own))
        return {file: texts for file, texts in found.items() if texts}

    def timeline(self, sheet: int) -> list[Sheet]:
        """The sheets of one programme over the years, oldest first, for the number of any of them."""
        numbers = self.tables.one_programme(sheet)  # in the order of the documents, which stays among equal years
        return sorted((self.sheets[n] for n in numbers), key=lambda s: s.fiscal_year or 0)

    def refused(self) -> list[tuple[str, str]]:
        """(file, why) of every file that could not be read when the index was made."""
        return [(file, message) for file, message in self._rows("SELECT file, message FROM refused ORDER BY rowid")]

    def judgements(self, file: str) -> dict[str, Judgement]:
        """The warnings and the certainty of every sheet of a file, by the sheet's id."""
        rows = self._rows(
            "SELECT s.sheet_id, s.warnings, s.certainty FROM sheets s JOIN documents d USING (document)"
            " WHERE d.file = ? ORDER BY s.sheet",
            (file,),
        )
        return {r[0]: Judgement(tuple(json.loads(r[1])), _certainty(r[2])) for r in rows}

    def section(self, number: int) -> SheetSection:
        """One section by its number."""
        rows = self._kept_sections.of([int(self.section_sheet[number])])
        return rows[number - rows[0].section_id]  # the sections of a sheet are numbered one after the other

    def sections(self, sheets: Sequence[int] | None = None, fields: Sequence[str] | None = None) -> list[SheetSection]:
        """Sections in document order, of some sheets and with some canonical fields; None means all."""
        if sheets is None:
            return self._sections(*_where(None, fields))
        found = self._kept_sections.of(sheets)
        return found if fields is None else [row for row in found if row.section.field in fields]

    def _read_sections(self, sheets: Sequence[int]) -> list[tuple[int, SheetSection]]:
        found = self._sections(*_where(sheets, None))
        return [(int(self.section_sheet[row.section_id]), row) for row in found]

    def _sections(self, where: str, values: Sequence[object]) -> list[SheetSection]:
        rows = self._rows(
            f"SELECT section, sheet, label, field, start, end FROM sections {where} ORDER BY section", values
        )
        out = []
        for number, sheet, label, field, start, end in rows:
            text = self._text(int(self.tables.document[sheet]))[start:end]
            out.append(SheetSection(number, self.sheets[sheet], Section(label, field, Span(start, end), text)))
        return out

    def named_sections(self, names: Sequence[str]) -> NDArray[np.bool_]:
        """For every section whether its canonical field or its printed label is one of ``names``."""
        found = np.zeros(len(self.section_sheet), dtype=bool)
        for texts, column in (
            (self.tables.fields, self.tables.section_field),
            (self.tables.labels, self.tables.section_label),
        ):
            for number in {texts.number(name) for name in names} - {-1}:
                found |= column == number
        return found

    def field_numbers(self, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int32], Sequence[str]]:
        """The canonical field of each of some sections as a number, and the names of all numbers."""
        return self.tables.section_field[numbers], self.tables.fields

    def section_fields(self, numbers: NDArray[np.int64]) -> list[str]:
        """The canonical field of each of some sections."""
        fields = self.tables.fields
        return [fields[i] for i in self.tables.section_field[numbers].tolist()]

    def chunks(self, numbers: Sequence[int]) -> list[tuple[int, Span]]:
        """The section number and the span of each of some chunks."""
        rows = self._rows(
            "SELECT chunk, section, start, end FROM chunks WHERE chunk IN (SELECT value FROM json_each(?))",
            [json.dumps(list(numbers))],
        )
        found = {chunk: (section, Span(start, end)) for chunk, section, start, end in rows}
        return [found[number] for number in numbers]

    def text(self, sheet: int, span: Span) -> str:
        """The document's text at ``span``, for a sheet's number."""
        return self._text(int(self.tables.document[sheet]))[span.start : span.end]

    def facts(self, sheets: Sequence[int] | None = None, fields: Sequence[str] | None = None) -> list[SheetFact]:
        """Facts in document order; None means all."""
        if sheets is None:
            return [row for _, row in self._facts(*_where(None, fields))]
        found = self._kept_facts.of(sheets)
        return found if fields is None else [row for row in found if row.fact.field in fields]

    def _read_facts(self, sheets: Sequence[int]) -> list[tuple[int, SheetFact]]:
        return self._facts(*_where(sheets, None))

    def _facts(self, where: str, values: Sequence[object]) -> list[tuple[int, SheetFact]]:
        rows = self._rows(f"SELECT * FROM facts {where} ORDER BY fact", values)
        return [(r[1], SheetFact(self.sheets[r[1]], _fact(r[2:]))) for r in rows]

    def events(self, sheets: Sequence[int] | None = None) -> list[SheetEvent]:
        """Events in document order; None means all."""
        if sheets is None:
            return [row for _, row in self._events(*_where(None, None))]
        return self._kept_events.of(sheets)

    def _read_events(self, sheets: Sequence[int]) -> list[tuple[int, SheetEvent]]:
        return self._events(*_where(sheets, None))

    def _events(self, where: str, values: Sequence[object]) -> list[tuple[int, SheetEvent]]:
        rows = self._rows(f"SELECT * FROM events {where} ORDER BY event", values)
        return [
            (r[1], SheetEvent(self.sheets[r[1]], Event(_period(*r[2:6]), Span(r[6], r[7]), Span(r[8], r[9]), r[10])))
            for r in rows
        ]

    def read_with(self) -> dict[str, tuple[str, str]]:
        """The SHA-256 of every file and the state of the reading code it was read with, by file."""
        return {r[0]: (r[1], r[2]) for r in self._rows("SELECT file, sha256, reader FROM documents ORDER BY document")}

    def reading(self, file: str) -> tuple[Document, list[SheetReading]]:
        """One document with its sheets as it was given to the build; KeyError if there is none."""
        document, judged = self.document(file), self.judgements(file)
        found = []
        for (n,) in self._rows(
            "SELECT sheet FROM sheets JOIN documents USING (document) WHERE file = ? ORDER BY sheet", (file,)
        ):
            sections = tuple(s.section for s in self.sections([n]))
            facts = tuple(f.fact for f in self.facts([n]))
            events = tuple(e.event for e in self.events([n]))
            own = judged[self.sheets[n].sheet_id]
            found.append(SheetReading(self.sheets[n], sections, facts, events, own.warnings, own.certainty))
        return document, found

    def readings(self) -> Iterator[tuple[Document, list[SheetReading]]]:
        """Everything as it was given to the build, document by document."""
        return (self.reading(file) for file in self.files())


def _where(sheets: Sequence[int] | None, fields: Sequence[str] | None) -> tuple[str, list[object]]:
    """Lists go in as JSON, since SQLite bounds the number of ``?`` in a statement."""
    parts: list[str] = []
    values: list[object] = []
    for column, wanted in (("sheet", sheets), ("field", fields)):
        if wanted is not None:
            parts.append(f"{column} IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(list(wanted)))
    return ("WHERE " + " AND ".join(parts) if parts else ""), values


def _certainty(text: str | None) -> Certainty | None:
    if text is None:
        return None
    score, *reasons = json.loads(text)
    return Certainty(score, tuple(Reason(*reason) for reason in reasons))


@lru_cache(maxsize=1 << 12)
def _period(start: str, end: str, label: str, kind: Any) -> Period:
    """The same few periods stand in all facts."""
    return Period(date.fromisoformat(start), date.fromisoformat(end), label, kind)


def _fact(row: Sequence[Any]) -> Fact:
    field, label, value, text, unit = row[:5]
    period = None if row[5] is None else _period(*row[5:9])
    return Fact(
        field, label, value, text, unit, period, row[9], Span(row[10], row[11]), Span(row[12], row[13]), bool(row[14])
    )


def _document(file: str, text: str, row: Sequence[Any]) -> Document:
    sha256, media, places, warnings, reader, pages = row
    found = tuple(_place(*place) for place in json.loads(places))
    sizes = tuple(PageSize(*measures) for measures in json.loads(pages))
    return Document(file, text, sha256, media, found, tuple(json.loads(warnings)), sizes, reader)


def _place(
    start: int,
    end: int,
    page: int | None,
    box: Sequence[float] | None,
    cell: str | None,
    confidence: float | None = None,
) -> Place:
    """The confidence stands in the row only where OCR read the stretch."""
    return Place(start, end, page, (box[0], box[1], box[2], box[3]) if box else None, cell, confidence)
