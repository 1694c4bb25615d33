"""What a snapshot holds, as it was read: documents, sheets, sections, facts, and what became of the files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from corpus.documents import Document, Sheet, SheetReading
from index.manifest import Manifest
from index.originals import original_of
from index.records import Records
from index.seen import known_counts
from index.sheetcolumns import SheetColumns
from index.types import Filters, Judgement, SheetEvent, SheetFact, SheetSection, SheetValues

_ALL = Filters()
_MANY = 2000  # sheets from which on all are read at once


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What an index holds, for the end of ``hyoka index``; ``warnings`` are Japanese sentences by file."""

    documents: int
    sheets: int
    sections: int
    facts: int
    warnings: dict[str, tuple[str, ...]]


class Contents:
    """The half of :class:`index.types.Index` that searches nothing."""

    def __init__(self, path: Path, manifest: Manifest, records: Records) -> None:
        self.path = path
        self.manifest = manifest
        self.version = manifest.id
        self._records = records
        self._columns = SheetColumns(records.tables)

    def report(self) -> BuildReport:
        """Counts and warnings of what was indexed."""
        c = self.counts()
        return BuildReport(c["documents"], c["sheets"], c["sections"], c["facts"], self._records.warnings())

    def counts(self) -> dict[str, int]:
        """How many documents, sheets, sections and facts there are; for somebody who sees some of them, of those."""
        return known_counts(self._records, self.manifest.counts)

    def files(self) -> list[str]:
        """The indexed documents' files, in order."""
        return self._records.files()

    def refused(self) -> list[tuple[str, str]]:
        """(file, why) of every file that could not be read when the index was made."""
        return self._records.refused()

    def judgements(self, file: str) -> dict[str, Judgement]:
        """The warnings and the certainty of every sheet of a file, by the sheet's id; empty for an unknown file."""
        return self._records.judgements(file)

    def readings(self) -> Iterator[tuple[Document, list[SheetReading]]]:
        """Everything as the build was given it, so that a build can carry over what has not changed."""
        return self._records.readings()

    def document(self, file: str) -> Document:
        """See :class:`index.types.Index`."""
        return self._records.document(file)

    def published(self, file: str) -> Document:
        """The document as it was read, with the names of staff; for whoever may see them."""
        return self._records.published(file)

    def original(self, file: str) -> Path | None:
        """See :class:`index.types.Index`; None too where its pages show sheets that are hidden from who asks."""
        if self._records.partly(file):
            return None
        return original_of(self.path.parent.parent, self.document(file).sha256)

    def sheets(self, filters: Filters = _ALL) -> list[Sheet]:
        """See :class:`index.types.Index`; with a section filter, the sheets that have such a section."""
        found = self._records.sheets
        passing = self._columns.passing(filters)
        if filters.section:
            having = np.zeros(len(found), dtype=bool)
            having[self._records.section_sheet[self._records.named_sections(filters.section)]] = True
            passing = having if passing is None else passing & having
        if (gone := self._records.tables.gone) is not None:
            passing = ~gone if passing is None else passing & ~gone
        if passing is None:
            return list(found.whole())
        numbers = np.flatnonzero(passing).tolist()
        if len(numbers) > _MANY:
            whole = found.whole()
            return [whole[number] for number in numbers]
        return [found[number] for number in numbers]

    def sections(self, sheet_ids: list[str] | None = None, fields: list[str] | None = None) -> list[SheetSection]:
        """See :class:`index.types.Index`."""
        return self._records.sections(self._numbers(sheet_ids), fields)

    def facts(self, sheet_ids: list[str] | None = None, fields: list[str] | None = None) -> list[SheetFact]:
        """See :class:`index.types.Index`."""
        return self._records.facts(self._numbers(sheet_ids), fields)

    def events(self, sheet_ids: list[str] | None = None) -> list[SheetEvent]:
        """See :class:`index.types.Index`."""
        return self._records.events(self._numbers(sheet_ids))

    def timeline(self, sheet_id: str) -> list[Sheet]:
        """See :class:`index.types.Index`."""
        number = self._records.sheets.get(sheet_id)
        return [] if number is None else self._records.timeline(number)

    def values(self, sheet_id: str) -> SheetValues:
        """See :class:`index.types.Index`."""
        number = self._records.sheets.get(sheet_id)
        return SheetValues() if number is None else self._columns.values(number)

    def _numbers(self, sheet_ids: list[str] | None) -> list[int] | None:
        return None if sheet_ids is None else self._records.sheets.numbers(sheet_ids)
