"""The live snapshot as an update looks at it: only the rows that it touches are read, whatever the size of the index."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.documents import SheetReading
from corpus.normalize import squeeze
from corpus.timelines import CODE_FIELD, FORMER_FIELD, Head, head_of
from index.arrays import loaded, mapped
from index.joinedtables import LINES, RELINKED
from index.joinedwords import open_words
from index.manifest import RECORDS, SNAPSHOTS, TABLES, WORDS, Manifest
from index.parcels import Reading
from index.records import Records
from index.removed import Extent, Removed
from index.tables import Tables

_PAIRS = tuple[int, int]


class Held:
    """What stands in a snapshot, of which the base and the first ``kept`` additions stay as they are."""

    def __init__(self, folder: Path, manifest: Manifest, kept: int) -> None:
        self.manifest, self.kept = manifest, kept
        self.path = folder / SNAPSHOTS / manifest.id
        self.removed = Removed.read(self.path)
        self.records = Records(manifest.places(self.path, RECORDS), manifest.places(self.path, TABLES), self.removed)
        self.words = open_words(manifest.places(self.path, WORDS), self.removed)
        tables = self.records.tables
        staying = (tables.parts or [tables])[: 1 + kept]
        self.known = sum(_vocabulary(place) for place in manifest.places(self.path, WORDS)[: 1 + kept])
        self.starts = {
            "document": sum(len(part.files) for part in staying),
            "sheet": sum(len(part.document) for part in staying),
            "section": sum(len(part.section_sheet) for part in staying),
            "chunk": sum(len(part.chunk_section) for part in staying),
        }
        for kind in ("fact", "event"):
            last = [self.records.last(kind, at) for at in range(1 + kept)]
            self.starts[kind] = max((number + 1 for number in last if number is not None), default=1)

    @property
    def tables(self) -> Tables:
        """The columns of the whole snapshot."""
        return self.records.tables

    def folded(self) -> Iterator[Reading]:
        """What stands in the additions that do not stay."""
        for number in range(self.starts["document"], len(self.tables.files)):
            if number not in self.removed.documents:
                yield self.records.reading_of(number)

    def extent(self, number: int) -> Extent:
        """The numbers of a document's sheets, sections and chunks, which follow each other."""
        t = self.tables
        sheets = _range(t.document, (number, number + 1))
        sections = _range(t.section_sheet, sheets)
        return Extent(number, sheets, sections, _range(t.chunk_section, sections))

    def heads(self, towns: Iterable[str], gone: Collection[int]) -> tuple[dict[int, Head], list[int]]:
        """The heads, by number, of the sheets of some municipalities (squeezed names), less those of documents that are
        ``gone``; and the numbers of all sheets of these municipalities."""
        t, wanted = self.tables, set(towns)
        codes = [code for code, name in enumerate(t.municipalities) if squeeze(name) in wanted]
        every = np.flatnonzero(np.isin(t.municipality, codes))
        out = np.array(sorted({*gone, *self.removed.documents}), dtype=np.int64)
        here = every[~np.isin(t.document[every], out)]
        told = np.zeros(len(t.document), dtype=bool)
        fields = [t.fields.number(field) for field in (CODE_FIELD, FORMER_FIELD)]
        sections = np.flatnonzero(np.isin(t.section_field, [field for field in fields if field >= 0]))
        told[t.section_sheet[sections]] = True
        heads = {}
        for number in here.tolist():
            own = tuple(row.section for row in self.records.sections([number])) if told[number] else ()
            head = head_of(SheetReading(self.records.sheets[number], own, ()))
            if head is not None:
                heads[number] = head
        return heads, every.tolist()

    def relinked(self) -> tuple[list[int], list[_PAIRS], int]:
        """The sheets that updates have linked anew, the (sheet, timeline) of theirs, and the first free number of a
        timeline."""
        free = int(self.tables.timeline.max(initial=-1)) + 1
        if not self.manifest.parts:
            return [], [], free
        newest = self.path / self.manifest.parts[-1].folder / TABLES
        lines = [(int(sheet), int(line)) for sheet, line in loaded(newest / LINES).tolist()]
        return loaded(newest / RELINKED).tolist(), lines, free


def _range(column: NDArray[np.int32], numbers: tuple[int, int]) -> tuple[int, int]:
    """Where the rows of some numbers, one after the other, stand in a column that never falls."""
    # Of the column's own type: for another one NumPy would copy the column.
    first, end = np.searchsorted(column, np.array(numbers, dtype=column.dtype)).tolist()
    return (int(first), int(end)) if first < end else (0, 0)


def _vocabulary(folder: Path) -> int:
    return len(mapped(folder / "vocabulary_starts.npy")) - 1
