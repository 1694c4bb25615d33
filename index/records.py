"""One SQLite file with everything that is read back as it was: documents, sheets, sections, chunks, facts, events.

Sections, facts and events keep offsets only; their texts are slices of the stored document.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
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
from index.recordsfiles import connect, schemas
from index.removed import Removed
from index.sheetrows import SheetRows
from index.types import Judgement, SheetEvent, SheetFact, SheetSection

_KEPT_TEXTS = 64  # documents whose text stays in memory
_KEPT_ROWS = 50_000  # sections, and as many facts and events, that stay in memory; a row takes about 1 kB

# Columns in the order that _sheet and _document take them.
_SHEET = "sheet_id, kind, name, municipality, fiscal_year, department, spans, form"
_DOCUMENT = "sha256, media, places, warnings, reader, pages"


class Records:
    """A finished records file with its additions, opened read-only. One connection, one query at a time.

    Numbers are without gaps: rows of what an update ``removed`` keep theirs, and no method tells them.
    """

    def __init__(self, file: Path, additions: Sequence[Path] = (), removed: Removed | None = None) -> None:
        self._db = connect([file, *additions])
        self._newest = schemas(1 + len(additions))[-1]
        self._lock = threading.Lock()
        self._readers = 1
        self._texts: OrderedDict[int, str] = OrderedDict()
        self._kept_documents = lru_cache(maxsize=_KEPT_TEXTS)(self._read_document)
        self._kept_sections = SheetRows(self._read_sections, _KEPT_ROWS)
        self._kept_facts = SheetRows(self._read_facts, _KEPT_ROWS)
        self._kept_events = SheetRows(self._read_events, _KEPT_ROWS)
        files = [r[0] for r in self._rows("SELECT file FROM documents ORDER BY document")]
        rows = self._rows(f"SELECT {_SHEET}, document FROM sheets ORDER BY sheet")
        self.sheets: list[Sheet] = [_sheet(files[r[8]], r) for r in rows]
        self._documents = [int(r[8]) for r in rows]
        self.section_sheet = self._column("SELECT sheet FROM sections ORDER BY section")
        self._gone = removed or Removed.of(())
        self.gone_sheets = self._gone.sheet_flags(len(self.sheets)) if self._gone else None
        self.gone_sections = self._gone.section_flags(len(self.section_sheet)) if self._gone else None
        # The id of a removed sheet may be another's by now.
        self.sheet_numbers = {self.sheets[i].sheet_id: i for i in self.living(range(len(self.sheets)))}
        fields: dict[str, int] = {}
        named = self._rows("SELECT field FROM sections ORDER BY section")
        self._section_field = np.array([fields.setdefault(r[0], len(fields)) for r in named], dtype=np.int32)
        self._fields = list(fields)
        self._timeline = dict(self._rows("SELECT sheet, timeline FROM timelines"))
        self._timelines: dict[int, list[int]] = {}
        for sheet, timeline in self._timeline.items():
            self._timelines.setdefault(timeline, []).append(sheet)
        self.chunk_section = self._column("SELECT section FROM chunks ORDER BY chunk")

    def living(self, sheets: Iterable[int]) -> list[int]:
        """Some sheets' numbers without those that are removed."""
        gone = self.gone_sheets
        return list(sheets) if gone is None else [number for number in sheets if not gone[number]]

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

    def _column(self, sql: str) -> NDArray[np.int64]:
        return np.array([r[0] for r in self._rows(sql)], dtype=np.int64)

    def _text(self, document: int) -> str:
        with self._lock:
            if document not in self._texts:
                row = self._db.execute("SELECT text FROM documents WHERE document = ?", (document,)).fetchone()
                self._texts[document] = row[0]
                if len(self._texts) > _KEPT_TEXTS:
                    self._texts.popitem(last=False)
            self._texts.move_to_end(document)
            return self._texts[document]

    def document(self, file: str) -> Document:
        """The document read from ``file``; KeyError if there is none."""
        return self._kept_documents(file)

    def _read_document(self, file: str) -> Document:
        number = self._document_number(file)
        row = self._rows(f"SELECT {_DOCUMENT} FROM documents WHERE document = ?", (number,))[0]
        return _document(file, self._text(number), row)

    def _document_number(self, file: str) -> int:
        """The number of the document read from ``file``; KeyError if there is none."""
        rows = self._rows("SELECT document FROM documents WHERE file = ?", (file,))
        found = [int(row[0]) for row in rows if row[0] not in self._gone.documents]
        if not found:
            raise KeyError(file)
        return found[0]

    def files(self) -> list[str]:
        """Every document's file, in order."""
        rows = self._rows("SELECT document, file FROM documents ORDER BY document")
        return [file for number, file in rows if number not in self._gone.documents]

    def warnings(self) -> dict[str, tuple[str, ...]]:
        """The warnings of every document and of its sheets, by file; files without any are left out."""
        found: dict[str, tuple[str, ...]] = {}
        for number, file, own in self._rows("SELECT document, file, warnings FROM documents ORDER BY document"):
            if number not in self._gone.documents:
                found[file] = tuple(json.loads(own))
        rows = dict(self._rows("SELECT sheet, warnings FROM sheets ORDER BY sheet"))
        for number in self.living(rows):
            found[self.sheets[number].file] += tuple(json.loads(rows[number]))
        return {file: texts for file, texts in found.items() if texts}

    def timeline(self, sheet: int) -> list[Sheet]:
        """The sheets of one programme over the years, oldest first, for the number of any of them."""
        numbers = self._timelines[self._timeline[sheet]] if sheet in self._timeline else [sheet]
        return sorted(
            (self.sheets[n] for n in numbers), key=lambda s: (s.fiscal_year or 0, self.sheet_numbers[s.sheet_id])
        )

    def refused(self) -> list[tuple[str, str]]:
        """(file, why) of every file that could not be read when the index was made."""
        return [(r[0], r[1]) for r in self._rows(f"SELECT file, message FROM {self._newest}.refused ORDER BY rowid")]

    def judgements(self, file: str) -> dict[str, Judgement]:
        """The warnings and the certainty of every sheet of a file, by the sheet's id."""
        try:
            number = self._document_number(file)
        except KeyError:
            return {}
        rows = self._rows(
            "SELECT sheet_id, warnings, certainty FROM sheets WHERE document = ? ORDER BY sheet", [number]
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
        for number, sheet, label, field, start, end in self._of_living(rows, 1):
            text = self._text(self._documents[sheet])[start:end]
            out.append(SheetSection(number, self.sheets[sheet], Section(label, field, Span(start, end), text)))
        return out

    def section_numbers(self, names: Sequence[str]) -> NDArray[np.int64]:
        """The numbers of the sections whose canonical field or printed label is one of ``names``."""
        marks = ",".join("?" * len(names))
        found = self._column_of(
            f"SELECT section FROM sections WHERE field IN ({marks}) OR label IN ({marks})", [*names, *names]
        )
        return found if self.gone_sections is None else found[~self.gone_sections[found]]

    def _column_of(self, sql: str, values: Sequence[object]) -> NDArray[np.int64]:
        return np.array([r[0] for r in self._rows(sql, values)], dtype=np.int64)

    def field_numbers(self, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int32], list[str]]:
        """The canonical field of each of some sections as a number, and the names of all numbers."""
        return self._section_field[numbers], self._fields

    def section_fields(self, numbers: Sequence[int]) -> list[str]:
        """The canonical field of each of some sections."""
        return [self._fields[i] for i in self._section_field[np.asarray(numbers, dtype=np.int64)].tolist()]

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
        return self._text(self._documents[sheet])[span.start : span.end]

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
        return [(r[1], SheetFact(self.sheets[r[1]], _fact(r[2:]))) for r in self._of_living(rows, 1)]

    def cells(self, fields: Sequence[str]) -> list[tuple[int, str, float | None, str, str | None, str | None]]:
        """Of every fact of some fields: sheet, field, value, text, the first day of its period, plan or actual."""
        where, values = _where(None, fields)
        sql = f"SELECT sheet, field, value, text, period_start, kind FROM facts {where} ORDER BY fact"
        return self._of_living(self._rows(sql, values), 0)

    def events(self, sheets: Sequence[int] | None = None) -> list[SheetEvent]:
        """Events in document order; None means all."""
        if sheets is None:
            return [row for _, row in self._events(*_where(None, None))]
        return self._kept_events.of(sheets)

    def _read_events(self, sheets: Sequence[int]) -> list[tuple[int, SheetEvent]]:
        return self._events(*_where(sheets, None))

    def _events(self, where: str, values: Sequence[object]) -> list[tuple[int, SheetEvent]]:
        rows = self._rows(f"SELECT * FROM events {where} ORDER BY event", values)
        return [(r[1], SheetEvent(self.sheets[r[1]], _event(r[2:]))) for r in self._of_living(rows, 1)]

    def _of_living(self, rows: list[tuple[Any, ...]], column: int) -> list[tuple[Any, ...]]:
        """The rows whose sheet, in ``column``, is not removed."""
        gone = self.gone_sheets
        return rows if gone is None else [row for row in rows if not gone[row[column]]]

    def reading(self, file: str) -> tuple[Document, list[SheetReading]]:
        """One document with its sheets as it was given to the build; KeyError if there is none."""
        number = self._document_number(file)
        with self._lock:
            return read_reading(self._db, number)

    def readings(self) -> Iterator[tuple[Document, list[SheetReading]]]:
        """Everything as it was given to the build, document by document."""
        return (self.reading(file) for file in self.files())


def read_reading(db: sqlite3.Connection, number: int) -> tuple[Document, list[SheetReading]]:
    """A document by its number, with its sheets, as it was given to the build."""
    row = db.execute(f"SELECT file, text, {_DOCUMENT} FROM documents WHERE document = ?", (number,)).fetchone()
    document = _document(row[0], row[1], row[2:])
    sheets = db.execute(
        f"SELECT {_SHEET}, sheet, warnings, certainty FROM sheets WHERE document = ? ORDER BY sheet", (number,)
    ).fetchall()
    found = []
    for one in sheets:
        of = (one[8],)
        labels = db.execute("SELECT label, field, start, end FROM sections WHERE sheet = ? ORDER BY section", of)
        sections = tuple(Section(x[0], x[1], Span(x[2], x[3]), document.text[x[2] : x[3]]) for x in labels.fetchall())
        rows = db.execute("SELECT * FROM facts WHERE sheet = ? ORDER BY fact", of).fetchall()
        facts = tuple(_fact(x[2:]) for x in rows)
        rows = db.execute("SELECT * FROM events WHERE sheet = ? ORDER BY event", of).fetchall()
        events = tuple(_event(x[2:]) for x in rows)
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


def _spans(text: str) -> tuple[Span, ...]:
    return tuple(Span(a, b) for a, b in json.loads(text))


@lru_cache(maxsize=1 << 12)
def _period(start: str, end: str, label: str, kind: Any) -> Period:
    """The same few periods stand in all facts."""
    return Period(date.fromisoformat(start), date.fromisoformat(end), label, kind)


def _sheet(file: str, row: Sequence[Any]) -> Sheet:
    sheet_id, kind, name, municipality, year, department, spans, form = row[:8]
    return Sheet(sheet_id, file, kind, name, municipality, year, department, _spans(spans), form)


def _event(row: Sequence[Any]) -> Event:
    return Event(_period(*row[:4]), Span(row[4], row[5]), Span(row[6], row[7]), row[8])


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
