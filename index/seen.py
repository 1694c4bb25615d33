"""What somebody may see of an opened snapshot: the same files and memory, with the hidden sheets gone from every answer.

A hidden sheet is treated as one that an update removed (:mod:`index.removed`): its rows stay where they are and count no
more. What is new in memory is a byte a sheet and a byte a section, and what is derived from them when it is asked for.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import lru_cache
from typing import overload

import numpy as np
from numpy.typing import NDArray

from corpus.documents import Document, Sheet, SheetReading, Span
from index.records import Records
from index.tables import SheetList, Tables
from index.types import SheetEvent, SheetFact, SheetSection
from index.visibility import Visibility

Flags = NDArray[np.bool_]

_KEPT_DOCUMENTS = 16
_HIDDEN = "　"  # as wide as what it stands for


def seen_tables(tables: Tables, visibility: Visibility) -> Tables:
    """The tables with every sheet gone that may not be seen, beside those that are gone already."""
    towns = np.array([visibility.sees_municipality(name) for name in tables.municipalities], dtype=bool)
    seen = towns[tables.municipality] if len(towns) else np.zeros(len(tables.document), dtype=bool)
    if visibility.folders is not None:
        seen &= np.array([visibility.sees_file(file) for file in tables.files], dtype=bool)[tables.document]
    other = copy(tables)
    other.gone = ~seen if tables.gone is None else ~seen | tables.gone
    other.gone_sections = other.gone[tables.section_sheet]
    other.hides = True
    return other


class SeenSheets(SheetList):
    """The sheets of an origin, of which some are gone; each is kept in memory once."""

    def __init__(self, tables: Tables, origin: SheetList) -> None:
        super().__init__(tables)
        self._origin = origin

    @overload
    def __getitem__(self, number: int) -> Sheet: ...

    @overload
    def __getitem__(self, number: slice) -> list[Sheet]: ...

    def __getitem__(self, number: int | slice) -> Sheet | list[Sheet]:
        return self._origin[number]

    def whole(self) -> list[Sheet]:
        """See :meth:`SheetList.whole`."""
        return self._origin.whole()


class SeenRecords(Records):
    """The records of an origin as somebody sees them. They are open as long as the origin is, and share what it keeps."""

    def __init__(self, origin: Records, visibility: Visibility) -> None:
        self.__dict__.update(origin.__dict__)
        self._origin, self._visibility = origin, visibility
        self.tables = seen_tables(origin.tables, visibility)
        self.sheets = SeenSheets(self.tables, origin.sheets)
        self._hidden = self._documents(origin.tables)
        self._kept_documents = lru_cache(maxsize=_KEPT_DOCUMENTS)(self._read_document)

    def _documents(self, before: Tables) -> frozenset[int]:
        """Finds which documents are gone as well; the numbers of those of which only some sheets are."""
        t = self.tables
        assert t.gone is not None
        count = len(t.files)
        seen = np.bincount(t.document[~t.gone], minlength=count) > 0
        there = np.ones(len(t.gone), dtype=bool) if before.gone is None else ~before.gone
        hidden = np.bincount(t.document[there & t.gone], minlength=count) > 0
        out = ~seen & hidden
        if self._visibility.municipalities is not None:
            out = ~seen  # nobody knows whose a file without a sheet is
        elif self._visibility.folders is not None:
            out |= ~np.array([self._visibility.sees_file(file) for file in t.files], dtype=bool)
        self._gone = self._origin._gone | frozenset(np.flatnonzero(out).tolist())
        return frozenset(np.flatnonzero(seen & hidden).tolist())

    def close(self) -> None:
        """Closes those of the origin."""
        self._origin.close()

    def lent(self) -> None:
        """See :meth:`Records.lent`."""
        self._origin.lent()

    def given_back(self) -> bool:
        """See :meth:`Records.given_back`."""
        return self._origin.given_back()

    def counts(self) -> dict[str, int]:
        """What a manifest counts, of what is seen."""
        t = self.tables
        assert t.gone is not None and t.gone_sections is not None
        return {
            "documents": len(self.files()),
            "sheets": int(np.count_nonzero(~t.gone)),
            "sections": int(np.count_nonzero(~t.gone_sections)),
            "chunks": int(np.count_nonzero(~t.gone_sections[self.chunk_section])),
            "facts": self._counted("facts"),
            "events": self._counted("events"),
        }

    def _counted(self, table: str) -> int:
        # As _living takes them: the sheet in the second column.
        return sum(r[0] for r in self._living(self._rows(f"SELECT count(*), sheet FROM {table} GROUP BY sheet")))

    def partly(self, file: str) -> bool:
        """See :meth:`Records.partly`."""
        return self.number(file) in self._hidden or self._origin.partly(file)

    def _read_document(self, file: str) -> Document:
        """A document of which some sheets are hidden shows the text of the others alone, at its places."""
        number = self.number(file)
        document = self._origin.document(file)
        return self._covered(document, number) if number in self._hidden else document

    def _covered(self, document: Document, number: int) -> Document:
        sheets = np.flatnonzero(self.tables.document == number).tolist()
        shown = _joined(
            [
                *(span for sheet in self._seen(sheets) for span in self.sheets[sheet].spans),
                *(row.section.span for row in self.sections(sheets)),
                *(span for fact in self.facts(sheets) for span in (fact.fact.span, fact.fact.quote)),
                *(span for event in self.events(sheets) for span in (event.event.span, event.event.quote)),
            ]
        )
        pieces, at = [], 0
        for start, end in shown:
            pieces += [_blank(document.text[at:start]), document.text[start:end]]
            at = end
        pieces.append(_blank(document.text[at:]))
        starts, ends = [start for start, _ in shown], [end for _, end in shown]
        # The name of a cell begins with that of its work sheet, and that may be a programme's.
        places = tuple(
            place for place in document.places if bisect_left(starts, place.end) > bisect_left(ends, place.start + 1)
        )
        # Nor where in the rest a name stood.
        masked = tuple(
            span for span in document.masked if bisect_left(starts, span.end) > bisect_left(ends, span.start + 1)
        )
        return replace(document, text="".join(pieces), places=places, warnings=(), masked=masked)

    def refused(self) -> list[tuple[str, str]]:
        """See :meth:`Records.refused`: nobody knows which municipality a file is of that cannot be read."""
        if self._visibility.municipalities is not None:
            return []
        return [(file, why) for file, why in self._origin.refused() if self._visibility.sees_file(file)]

    def section(self, number: int) -> SheetSection:
        """See :meth:`Records.section`; KeyError for one that is hidden."""
        if not self._seen([int(self.section_sheet[number])]):
            raise KeyError(number)
        return super().section(number)

    def sections(self, sheets: Sequence[int] | None = None, fields: Sequence[str] | None = None) -> list[SheetSection]:
        """See :meth:`Records.sections`."""
        return super().sections(None if sheets is None else self._seen(sheets), fields)

    def facts(self, sheets: Sequence[int] | None = None, fields: Sequence[str] | None = None) -> list[SheetFact]:
        """See :meth:`Records.facts`."""
        return super().facts(None if sheets is None else self._seen(sheets), fields)

    def events(self, sheets: Sequence[int] | None = None) -> list[SheetEvent]:
        """See :meth:`Records.events`."""
        return super().events(None if sheets is None else self._seen(sheets))

    def text(self, sheet: int, span: Span) -> str:
        """See :meth:`Records.text`; nothing of a sheet that is hidden."""
        return super().text(sheet, span) if self._seen([sheet]) else ""

    def reading_of(self, number: int) -> tuple[Document, list[SheetReading]]:
        """See :meth:`Records.reading_of`; of what is seen."""
        document, sheets = self._origin.reading_of(number)
        seen = {
            self.sheets[one].sheet_id for one in self._seen(np.flatnonzero(self.tables.document == number).tolist())
        }
        return self.document(document.file), [one for one in sheets if one.sheet.sheet_id in seen]

    def _seen(self, sheets: Sequence[int]) -> list[int]:
        gone = self.tables.gone
        assert gone is not None
        return [number for number in sheets if not gone[number]]


def _joined(spans: Iterable[Span]) -> list[tuple[int, int]]:
    """Where some spans stand, in order and without overlaps.

    >>> _joined([Span(5, 9), Span(0, 3), Span(8, 12)])
    [(0, 3), (5, 12)]
    """
    found: list[tuple[int, int]] = []
    for start, end in sorted((span.start, span.end) for span in spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        elif start < end:
            found.append((start, end))
    return found


def _blank(text: str) -> str:
    """As many characters, of which nothing can be read; the lines stay.

    >>> _blank("人事\\n名簿")
    '　　\\n　　'
    """
    return "\n".join(_HIDDEN * len(line) for line in text.split("\n"))


def known_counts(records: Records, counts: Mapping[str, int]) -> dict[str, int]:
    """``counts`` of a manifest, or those of what is seen of it."""
    return records.counts() if isinstance(records, SeenRecords) else dict(counts)
