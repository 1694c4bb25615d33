"""The live snapshot as an update looks at it: only the rows that it touches are read, whatever the size of the index."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from corpus.documents import Document, Section, Sheet, SheetReading, Span
from corpus.normalize import squeeze
from corpus.timelines import CODE_FIELD, FORMER_FIELD, Head, head_of
from index.manifest import RECORDS, SNAPSHOTS, WORDS, Manifest
from index.records import read_reading
from index.recordsfiles import connect, schemas
from index.removed import Extent, Removed
from index.wordlists import WordLists

_NUMBERED = ("document", "sheet", "section", "chunk", "fact", "event")


class Held:
    """What stands in a snapshot, by the numbers of its rows. ``removed`` is what earlier updates took out."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.manifest = manifest
        self.path = folder / SNAPSHOTS / manifest.id
        self.removed = Removed.read(self.path)
        self._parts = schemas(1 + len(manifest.parts))
        self._db = connect(manifest.places(self.path, RECORDS))
        self._ends = [self._next_numbers(count) for count in range(1, len(self._parts) + 1)]

    def close(self) -> None:
        """Closes the records."""
        self._db.close()

    def words(self) -> WordLists:
        """The word lists of the snapshot."""
        base, *additions = self.manifest.places(self.path, WORDS)
        return WordLists(base, additions, self.removed)

    def _rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self._db.execute(sql, values).fetchall()

    def _next_numbers(self, parts: int) -> dict[str, int]:
        """The first number of each kind that the first so many files do not use."""
        found = {}
        for what in _NUMBERED:
            last = [self._rows(f"SELECT max({what}) FROM {part}.{what}s")[0][0] for part in self._parts[:parts]]
            found[what] = max((number + 1 for number in last if number is not None), default=0)
        return found

    def starts(self, additions: int) -> dict[str, int]:
        """The numbers with which the rows go on after the base and its first so many additions."""
        return self._ends[additions]

    def _part(self, what: str, number: int) -> str:
        """The file that holds a row."""
        return next(part for part, ends in zip(self._parts, self._ends, strict=True) if number < ends[what])

    def number(self, file: str) -> int | None:
        """The number of the document read from ``file``."""
        for part in reversed(self._parts):
            for (number,) in self._rows(f"SELECT document FROM {part}.documents WHERE file = ?", (file,)):
                if number not in self.removed.documents:
                    return int(number)
        return None

    def documents(self, additions: int) -> list[int]:
        """The numbers of the documents that stand in the additions after the first so many."""
        first, end = self._ends[additions]["document"], self._ends[-1]["document"]
        return [number for number in range(first, end) if number not in self.removed.documents]

    def reading(self, number: int) -> tuple[Document, list[SheetReading]]:
        """A document with its sheets."""
        return read_reading(self._db, number)

    def extent(self, number: int) -> Extent:
        """The numbers of a document's sheets, sections and chunks, which follow each other."""
        part = self._part("document", number)
        sheets = self._range(
            f"SELECT min(sheet), max(sheet) + 1, count(*) FROM {part}.sheets WHERE document = ?", number
        )
        sections = self._range(
            f"SELECT min(section), max(section) + 1, count(*) FROM {part}.sections WHERE sheet >= ? AND sheet < ?",
            *sheets,
        )
        chunks = (self._first_chunk(part, sections[0]), self._first_chunk(part, sections[1]))
        return Extent(number, sheets, sections, chunks if sections[0] < sections[1] else (0, 0))

    def _range(self, sql: str, *values: int) -> tuple[int, int]:
        first, end, count = self._rows(sql, values)[0]
        if count and end - first != count:
            raise ValueError(f"rows of one document do not follow each other: {sql} {values}")
        return (first, end) if count else (0, 0)

    def _first_chunk(self, part: str, section: int) -> int:
        """The first chunk of a section or a later one. Chunks stand in the order of their sections; there is no index
        by section, since only updates would use it."""
        at = self._parts.index(part)
        low, high = (self._ends[at - 1]["chunk"] if at else 0), self._ends[at]["chunk"]
        while low < high:
            middle = (low + high) // 2
            (found,) = self._rows(f"SELECT section FROM {part}.chunks WHERE chunk = ?", (middle,))[0]
            low, high = (middle + 1, high) if found < section else (low, middle)
        return low

    def has_sheet(self, sheet_id: str, gone: Collection[int]) -> bool:
        """Whether a sheet of this id stands in a document that is not ``gone``."""
        for part in self._parts:
            for (number,) in self._rows(f"SELECT document FROM {part}.sheets WHERE sheet_id = ?", (sheet_id,)):
                if number not in self.removed.documents and number not in gone:
                    return True
        return False

    def heads(self, towns: Iterable[str], gone: Collection[int]) -> tuple[dict[int, Head], list[int]]:
        """The heads, by number, of the sheets of some municipalities (squeezed names), less those of documents that are
        ``gone``; and the numbers of all sheets of these municipalities."""
        wanted = set(towns)
        heads: dict[int, Head] = {}
        every: list[int] = []
        for part in self._parts:
            names = [row[0] for row in self._rows(f"SELECT DISTINCT municipality FROM {part}.sheets")]
            names = [name for name in names if squeeze(name) in wanted]
            rows = self._rows(
                "SELECT sheet, document, sheet_id, kind, name, municipality, fiscal_year, department"
                f" FROM {part}.sheets WHERE municipality IN (SELECT value FROM json_each(?)) ORDER BY sheet",
                (json.dumps(names),),
            )
            every += [row[0] for row in rows]
            rows = [row for row in rows if row[1] not in gone and row[1] not in self.removed.documents]
            told = self._told(part, [row[0] for row in rows])
            files: dict[int, str] = {}
            texts: dict[int, str] = {}
            for sheet, document, sheet_id, kind, name, town, year, department in rows:
                if document not in files:
                    sql = f"SELECT file FROM {part}.documents WHERE document = ?"
                    files[document] = self._rows(sql, (document,))[0][0]
                if sheet in told and document not in texts:
                    sql = f"SELECT text FROM {part}.documents WHERE document = ?"
                    texts = {document: self._rows(sql, (document,))[0][0]}
                sections = tuple(
                    Section(label, field, Span(start, end), texts[document][start:end])
                    for label, field, start, end in told.get(sheet, ())
                )
                one = Sheet(sheet_id, files[document], kind, name, town, year, department, (), "")
                if (head := head_of(SheetReading(one, sections, ()))) is not None:
                    heads[sheet] = head
        return heads, every

    def _told(self, part: str, sheets: Sequence[int]) -> dict[int, list[tuple[str, str, int, int]]]:
        """The sections that say what a programme was called before, or its code, by sheet."""
        found: dict[int, list[tuple[str, str, int, int]]] = {}
        # The plus keeps SQLite from looking through all sections of these fields.
        rows = self._rows(
            f"SELECT sheet, label, field, start, end FROM {part}.sections WHERE sheet IN (SELECT value FROM json_each(?))"
            " AND +field IN (?, ?) ORDER BY section",
            (json.dumps(list(sheets)), CODE_FIELD, FORMER_FIELD),
        )
        for sheet, *section in rows:
            found.setdefault(sheet, []).append((section[0], section[1], section[2], section[3]))
        return found

    def refused(self) -> list[tuple[str, str]]:
        """(file, why) of every file that could not be read."""
        return [
            (row[0], row[1])
            for row in self._rows(f"SELECT file, message FROM {self._parts[-1]}.refused ORDER BY rowid")
        ]

    def document_parts(self) -> int:
        """How many sheets are no sheet of a programme."""
        rows = [
            row
            for part in self._parts
            for row in self._rows(f"SELECT document FROM {part}.sheets WHERE kind = 'document'")
        ]
        return sum(row[0] not in self.removed.documents for row in rows)

    def relinked(self) -> tuple[list[int], list[tuple[int, int]], int]:
        """The sheets that updates have linked anew, the (sheet, timeline) of theirs, and the first free number of a timeline."""
        if len(self._parts) == 1:
            sheets: list[int] = []
            lines: list[tuple[int, int]] = []
        else:
            newest = self._parts[-1]
            sheets = [row[0] for row in self._rows(f"SELECT sheet FROM {newest}.relinked")]
            lines = [(row[0], row[1]) for row in self._rows(f"SELECT sheet, timeline FROM {newest}.timelines")]
        last = [self._rows(f"SELECT max(timeline) FROM {part}.timelines")[0][0] for part in self._parts]
        return sheets, lines, max((number + 1 for number in last if number is not None), default=0)
