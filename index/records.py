"""One SQLite file with everything that is read back as it was: documents, sheets, sections, chunks, facts, events.

Sections, facts and events keep offsets only; their texts are slices of the stored document.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
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
from corpus.staffnames import PERSON_FIELD, masked
from index.joinedtables import open_tables
from index.namepolicy import masks_names
from index.recordsfiles import schemas
from index.recordsource import RecordsFile, RecordSource
from index.removed import Removed
from index.sheetrows import SheetRows
from index.tables import SheetList
from index.types import Judgement, SheetEvent, SheetFact, SheetSection

_KEPT_TEXTS = 64  # documents whose text stays in memory
_KEPT_ROWS = 50_000  # sections, and as many facts and events, that stay in memory; a row takes about 1 kB

# Columns in the order that _sheet and _document take them.
_SHEET = "sheet_id, kind, name, municipality, fiscal_year, department, spans, form"
_DOCUMENT = "sha256, media, places, warnings, reader, pages, names"


class Records:
    """Finished records files, opened read-only, a base and its additions; or another ``source`` of the same rows.

    Numbers are without gaps: rows of what an update ``removed`` keep theirs, and no method tells them.
    """

    def __init__(
        self,
        files: Sequence[Path],
        tables: Sequence[Path],
        removed: Removed | None = None,
        source: RecordSource | None = None,
    ) -> None:
        """``tables`` are the folders with the columns of the same records (:mod:`index.tables`)."""
        removed = removed or Removed.of(())
        self._masking = masks_names()
        self._source = source or RecordsFile(files)
        self._gone = removed.documents
        self._lock = threading.Lock()  # of what is kept in memory
        self._readers = 1
        self._texts: OrderedDict[int, str] = OrderedDict()
        self._kept_documents = lru_cache(maxsize=_KEPT_TEXTS)(self._read_document)
        self._kept_sections = SheetRows(self._read_sections, _KEPT_ROWS)
        self._kept_facts = SheetRows(self._read_facts, _KEPT_ROWS)
        self._kept_events = SheetRows(self._read_events, _KEPT_ROWS)
        self.tables = open_tables(tables, removed)
        self.sheets = SheetList(self.tables)
        self.section_sheet = self.tables.section_sheet
        self.chunk_section = self.tables.chunk_section

    def close(self) -> None:
        """Closes the file, or what it reads from instead."""
        self._source.close()

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
        return self._source.rows(sql, values)

    def _text(self, document: int) -> str:
        with self._lock:
            if document in self._texts:
                self._texts.move_to_end(document)
                return self._texts[document]
        told, names = self._rows("SELECT text, names FROM documents WHERE document = ?", (document,))[0]
        text = masked(str(told), _spans(names)) if self._masking else str(told)
        with self._lock:
            self._texts[document] = text
            if len(self._texts) > _KEPT_TEXTS:
                self._texts.popitem(last=False)
        return text

    def document(self, file: str) -> Document:
        """The document read from ``file``; KeyError if there is none."""
        return self._kept_documents(file)

    def _read_document(self, file: str) -> Document:
        number = self.number(file)
        row = self._rows(f"SELECT {_DOCUMENT} FROM documents WHERE document = ?", (number,))[0]
        found = _document(file, self._text(number), row)
        return replace(found, masked=_spans(row[-1])) if self._masking else found

    def published(self, file: str) -> Document:
        """The same with the names of staff, whatever the policy."""
        number = self.number(file)
        row = self._rows(f"SELECT text, {_DOCUMENT} FROM documents WHERE document = ?", (number,))[0]
        return _document(file, row[0], row[1:])

    def number(self, file: str) -> int:
        """The number of the document read from ``file``; KeyError if there is none."""
        rows = self._rows("SELECT document FROM documents WHERE file = ?", (file,))
        found = [int(row[0]) for row in rows if row[0] not in self._gone]
        if not found:
            raise KeyError(file)
        return found[0]

    def files(self) -> list[str]:
        """Every document's file, in order."""
        return [file for number, file in enumerate(self.tables.files) if number not in self._gone]

    def partly(self, file: str) -> bool:
        """Whether only some of a document's sheets may be seen by who asks."""
        return False

    def warnings(self) -> dict[str, tuple[str, ...]]:
        """The warnings of every document and of its sheets, by file; files without any are left out."""
        found: dict[str, tuple[str, ...]] = {}
        for number, file, own in self._rows("SELECT document, file, warnings FROM documents ORDER BY document"):
            if number not in self._gone:
                found[file] = () if self.partly(file) else tuple(json.loads(own))
        rows = self._rows("SELECT document, sheet, warnings FROM sheets WHERE warnings != '[]' ORDER BY sheet")
        for number, _, own in self._living(rows):
            if number not in self._gone:
                found[self.tables.files[number]] += tuple(json.loads(own))
        return {file: texts for file, texts in found.items() if texts}

    def timeline(self, sheet: int) -> list[Sheet]:
        """The sheets of one programme over the years, oldest first, for the number of any of them."""
        numbers = self.tables.one_programme(sheet)  # in the order of the documents, which stays among equal years
        return sorted((self.sheets[n] for n in numbers), key=lambda s: s.fiscal_year or 0)

    def refused(self) -> list[tuple[str, str]]:
        """(file, why) of every file that could not be read when the index was made."""
        return [(r[0], r[1]) for r in self._rows("SELECT file, message FROM refused ORDER BY rowid")]

    def judgements(self, file: str) -> dict[str, Judgement]:
        """The warnings and the certainty of every sheet of a file, by the sheet's id."""
        try:
            number = self.number(file)
        except KeyError:
            return {}
        rows = self._rows(
            "SELECT sheet_id, sheet, warnings, certainty FROM sheets WHERE document = ? ORDER BY sheet", [number]
        )
        return {r[0]: Judgement(tuple(json.loads(r[2])), _certainty(r[3])) for r in self._living(rows)}

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
        for number, sheet, label, field, start, end in self._living(rows):
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
        shown = [r for r in self._living(rows) if not (self._masking and r[2] == PERSON_FIELD)]
        return [(r[1], SheetFact(self.sheets[r[1]], _fact(r[2:]))) for r in shown]

    def events(self, sheets: Sequence[int] | None = None) -> list[SheetEvent]:
        """Events in document order; None means all."""
        if sheets is None:
            return [row for _, row in self._events(*_where(None, None))]
        return self._kept_events.of(sheets)

    def _read_events(self, sheets: Sequence[int]) -> list[tuple[int, SheetEvent]]:
        return self._events(*_where(sheets, None))

    def _events(self, where: str, values: Sequence[object]) -> list[tuple[int, SheetEvent]]:
        rows = self._rows(f"SELECT * FROM events {where} ORDER BY event", values)
        return [(r[1], SheetEvent(self.sheets[r[1]], _event(r[2:]))) for r in self._living(rows)]

    def _living(self, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """The rows whose sheet, in the second column, is not removed."""
        gone = self.tables.gone
        return rows if gone is None else [row for row in rows if not gone[row[1]]]

    def reading(self, file: str) -> tuple[Document, list[SheetReading]]:
        """One document with its sheets as it was given to the build; KeyError if there is none."""
        return self.reading_of(self.number(file))

    def reading_of(self, number: int) -> tuple[Document, list[SheetReading]]:
        """A document by its number, removed or not, with its sheets."""
        return read_reading(self._rows, number)

    def last(self, table: str, part: int) -> int | None:
        """The highest number of a fact or event in a file, by its place among them; None where it has none."""
        name = schemas(part + 1)[part]
        found: int | None = self._rows(f"SELECT max({table}) FROM {name}.{table}s")[0][0]
        return found

    def readings(self) -> Iterator[tuple[Document, list[SheetReading]]]:
        """Everything as it was given to the build, document by document."""
        return (self.reading(file) for file in self.files())


def read_reading(
    rows: Callable[[str, Sequence[object]], list[tuple[Any, ...]]], number: int
) -> tuple[Document, list[SheetReading]]:
    """A document by its number, with its sheets, as it was given to the build; ``rows`` gives those of a statement."""
    (row,) = rows(f"SELECT file, text, {_DOCUMENT} FROM documents WHERE document = ?", (number,))
    document = _document(row[0], row[1], row[2:])
    sheets = rows(
        f"SELECT {_SHEET}, sheet, warnings, certainty FROM sheets WHERE document = ? ORDER BY sheet", (number,)
    )
    found = []
    for one in sheets:
        of = (one[8],)
        labels = rows("SELECT label, field, start, end FROM sections WHERE sheet = ? ORDER BY section", of)
        sections = tuple(Section(x[0], x[1], Span(x[2], x[3]), document.text[x[2] : x[3]]) for x in labels)
        facts = tuple(_fact(x[2:]) for x in rows("SELECT * FROM facts WHERE sheet = ? ORDER BY fact", of))
        events = tuple(_event(x[2:]) for x in rows("SELECT * FROM events WHERE sheet = ? ORDER BY event", of))
        sheet = _sheet(document.file, one)
        found.append(SheetReading(sheet, sections, facts, events, tuple(json.loads(one[9])), _certainty(one[10])))
    return document, found


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


def _sheet(file: str, row: Sequence[Any]) -> Sheet:
    sheet_id, kind, name, municipality, year, department, spans, form = row[:8]
    where = tuple(Span(a, b) for a, b in json.loads(spans))
    return Sheet(sheet_id, file, kind, name, municipality, year, department, where, form)


def _event(row: Sequence[Any]) -> Event:
    return Event(_period(*row[:4]), Span(row[4], row[5]), Span(row[6], row[7]), row[8])


def _fact(row: Sequence[Any]) -> Fact:
    field, label, value, text, unit = row[:5]
    period = None if row[5] is None else _period(*row[5:9])
    return Fact(
        field, label, value, text, unit, period, row[9], Span(row[10], row[11]), Span(row[12], row[13]), bool(row[14])
    )


def _document(file: str, text: str, row: Sequence[Any]) -> Document:
    sha256, media, places, warnings, reader, pages, _ = row
    found = tuple(_place(*place) for place in json.loads(places))
    sizes = tuple(PageSize(*measures) for measures in json.loads(pages))
    return Document(file, text, sha256, media, found, tuple(json.loads(warnings)), sizes, reader)


def _spans(text: str) -> tuple[Span, ...]:
    return tuple(Span(start, end) for start, end in json.loads(text))


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
