"""The columns of a snapshot's records, memory-mapped: which sheet a section belongs to, what a sheet is called, and so on.

Everything is there by number, and nothing is read before it is asked for. Texts that many rows share (a municipality, a
label) are numbers too, in the order in which they first come.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from corpus.documents import Sheet, Span
from index.arrays import mapped
from index.texts import Texts
from index.types import SheetValues

Codes = NDArray[np.int32]

NO_YEAR = -(2**31)
_KEPT_SHEETS = 4096
_MANY = 2000  # ids looked up at once from which on all of them are read


class Tables:
    """What :func:`index.tablewriter.write_tables` wrote."""

    parts: Sequence[Tables] = ()
    gone: NDArray[np.bool_] | None = None
    """Of every sheet whether it is not there: removed by an update, or hidden from who asks (:mod:`index.seen`). None
    where all are there. Its row stays where it was."""
    gone_sections: NDArray[np.bool_] | None = None
    hides = False
    """Whether some of it is gone for who asks only, and may stand in an index beside these tables."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.section_sheet: Codes = self._column("section_sheet")
        self.section_field: Codes = self._column("section_field")
        self.section_label: Codes = self._column("section_label")
        self.chunk_section: Codes = self._column("chunk_section")
        self.fields, self.labels = Texts(folder / "fields"), Texts(folder / "labels")
        self.document: Codes = self._column("sheet_document")
        self.kind: Codes = self._column("sheet_kind")
        self.name: Codes = self._column("sheet_name")
        self.municipality: Codes = self._column("sheet_municipality")
        self.year: Codes = self._column("sheet_year")
        self.department: Codes = self._column("sheet_department")
        self.form: Codes = self._column("sheet_form")
        self.kinds, self.names = Texts(folder / "kinds"), Texts(folder / "names")
        self.municipalities, self.departments = Texts(folder / "municipalities"), Texts(folder / "departments")
        self.forms, self.files = Texts(folder / "forms"), Texts(folder / "files")
        self.ids = Texts(folder / "sheet_ids", kept=64)
        self._spans: NDArray[np.int64] = self._column("sheet_spans")
        self._span_starts: NDArray[np.int64] = self._column("sheet_span_starts")
        self.settled: NDArray[np.float64] = self._column("sheet_settled")
        self.planned: NDArray[np.float64] = self._column("sheet_planned")
        self.ratings = Texts(folder / "ratings")
        self.rated: Codes = self._column("sheet_ratings")
        self.rating_starts: Codes = self._column("sheet_rating_starts")
        self.timeline: Codes = self._column("sheet_timeline")
        self._timeline_sheets: Codes = self._column("timeline_sheets")
        self._timeline_starts: Codes = self._column("timeline_starts")

    def _column(self, name: str) -> NDArray[Any]:
        return mapped(self._folder / f"{name}.npy")

    def sheet(self, number: int) -> Sheet:
        """One sheet."""
        year = int(self.year[number])
        begin, end = int(self._span_starts[number]), int(self._span_starts[number + 1])
        return Sheet(
            self.ids[number],
            self.files[int(self.document[number])],
            self.kinds[int(self.kind[number])],  # type: ignore[arg-type]
            self.names[int(self.name[number])],
            self.municipalities[int(self.municipality[number])],
            None if year == NO_YEAR else year,
            self.departments[int(self.department[number])],
            tuple(Span(a, b) for a, b in self._spans[begin:end].tolist()),
            self.forms[int(self.form[number])],
        )

    def sheets(self) -> list[Sheet]:
        """All of them, made anew; those that share a text share the object."""
        shared = [
            [texts[code] for code in column.tolist()]
            for texts, column in (
                (list(self.files), self.document),
                (list(self.kinds), self.kind),
                (list(self.names), self.name),
                (list(self.municipalities), self.municipality),
                (list(self.departments), self.department),
                (list(self.forms), self.form),
            )
        ]
        spans = [Span(a, b) for a, b in self._spans.tolist()]
        starts = self._span_starts.tolist()
        rows = zip(self.ids, *shared[:4], self.year.tolist(), *shared[4:], starts, starts[1:], strict=False)
        return [
            Sheet(
                sheet_id,
                file,
                kind,
                name,
                municipality,
                None if year == NO_YEAR else year,
                department,
                tuple(spans[begin:end]),
                form,
            )
            for sheet_id, file, kind, name, municipality, year, department, form, begin, end in rows
        ]

    def values(self, number: int) -> SheetValues:
        """The ratings and amounts of a sheet."""
        settled, planned = float(self.settled[number]), float(self.planned[number])
        rated = self.rated[int(self.rating_starts[number]) : int(self.rating_starts[number + 1])].tolist()
        return SheetValues(
            tuple(self.ratings[code] for code in rated),
            None if np.isnan(settled) else settled,
            None if np.isnan(planned) else planned,
        )

    def one_programme(self, number: int) -> list[int]:
        """The sheets of a sheet's timeline, itself among them, in the order of the documents."""
        timeline = int(self.timeline[number])
        if timeline < 0:
            return [number]
        found = self._timeline_sheets[self._timeline_starts[timeline] : self._timeline_starts[timeline + 1]]
        if self.gone is not None:
            found = found[~self.gone[found]]
        return [int(one) for one in found]


class SheetList(Sequence[Sheet]):
    """The sheets of some tables: one is made when it is asked for; once all were wanted, they are kept (350 bytes each)."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._lock = threading.Lock()
        self._all: list[Sheet] | None = None
        self._one = lru_cache(maxsize=_KEPT_SHEETS)(tables.sheet)

    def __len__(self) -> int:
        return len(self._tables.document)

    @overload
    def __getitem__(self, number: int) -> Sheet: ...

    @overload
    def __getitem__(self, number: slice) -> list[Sheet]: ...

    def __getitem__(self, number: int | slice) -> Sheet | list[Sheet]:
        if self._all is not None:
            return self._all[number]
        if isinstance(number, slice):
            return self.whole()[number]
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        return self._one(number % len(self))

    def __iter__(self) -> Iterator[Sheet]:
        return iter(self.whole())

    def whole(self) -> list[Sheet]:
        """All of them; the list is kept and must not be changed."""
        with self._lock:
            if self._all is None:
                self._all = self._tables.sheets()
            return self._all

    def get(self, sheet_id: str) -> int | None:
        """The number of a sheet by its id, None for an unknown one."""
        if self._all is not None:
            return self._numbers.get(sheet_id)
        number = self._tables.ids.number(sheet_id)
        gone = self._tables.gone
        return None if number < 0 or (gone is not None and gone[number]) else number

    def numbers(self, sheet_ids: Sequence[str]) -> list[int]:
        """The numbers of some sheets by their ids, without those that are unknown."""
        if self._all is None and len(sheet_ids) < _MANY:
            return [number for one in sheet_ids if (number := self.get(one)) is not None]
        known = self._numbers
        return [known[one] for one in sheet_ids if one in known]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        gone = self._tables.gone  # whose ids may be another's by now
        every = enumerate(self.whole())
        return {sheet.sheet_id: number for number, sheet in every if gone is None or not gone[number]}
