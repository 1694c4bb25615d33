"""Writes one addition into the folder of a snapshot to be, and keeps account of what it replaces."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from corpus.normalize import squeeze
from corpus.timelines import link
from index.held import Held
from index.joinedtables import LINES, RELINKED
from index.joinedwords import AddedWordsWriter
from index.lexical import LexicalWriter
from index.manifest import LEXICAL, PARTS, RECORDS, TABLES, WORDS
from index.prepared import Prepared, Preparer
from index.recordswriter import RecordsWriter
from index.removed import Extent, Removed
from index.snapshotwriter import COUNTED, SnapshotWriter
from index.windows import Windows


class AdditionWriter(SnapshotWriter):
    """Writes documents as :class:`SnapshotWriter` does, with numbers that go on after those of what stays of ``held``."""

    def __init__(self, held: Held, work: Path, scratch: Path, preparer: Preparer, windows: Windows | None) -> None:
        number = 1 + max((int(Path(part.folder).name) for part in held.manifest.parts[: held.kept]), default=0)
        self.folder = f"{PARTS}/{number:04}"
        self._held, self._preparer = held, preparer
        self._out: dict[
            int, Extent
        ] = {}  # documents that stand in the snapshot of before, and not there in the new one
        self._lost = dict.fromkeys(COUNTED, 0)
        self._towns: set[str] = set()
        # Of the words that stay; what is taken out is subtracted when all of it is known.
        self._word_counts = {kind: held.words.counts(kind).astype(np.int64) for kind in ("body", "head", "section")}
        place = work / self.folder
        place.mkdir(parents=True)
        super().__init__(
            place,
            scratch,
            preparer.encoder.dim,
            windows,
            RecordsWriter(place / RECORDS, held.starts),
            AddedWordsWriter(place / WORDS, held.words, held.known, self._word_counts),
            LexicalWriter(work / LEXICAL, held.path / LEXICAL),
        )
        # Before anything is added: the numbers of what is written again are given anew.
        self._lexical.remove(range(held.starts["sheet"], len(held.tables.document)))

    def add(self, one: Prepared) -> None:
        """Writes the next document; what the index has of its file must have been taken out."""
        super().add(one)
        self._towns.update(squeeze(row[3]) for row in one.sheets)

    def take_out(self, file: str) -> bool:
        """From here on what the index has of a file counts no more; whether it had something."""
        held = self._held
        try:
            number = held.records.number(file)
        except KeyError:
            return False
        if number in self._out:
            return False
        self._out[number] = extent = held.extent(number)
        one = Prepared.loads(self._preparer(held.records.reading_of(number)))
        found = (
            1,
            len(one.sheets),
            len(one.sections),
            extent.chunks[1] - extent.chunks[0],
            len(one.facts),
            len(one.events),
        )
        for name, count in zip(COUNTED, found, strict=True):
            self._lost[name] += count
        self._towns.update(squeeze(row[3]) for row in one.sheets)
        for kind, (first, end) in (("body", extent.chunks), ("head", extent.sections)):
            ids, _ = held.words.gather(kind, np.arange(first, end))
            np.subtract.at(self._word_counts[kind], ids, 1)
        numbers = np.array([held.words.number(word) for word in one.vocabulary], dtype=np.int64)
        known = numbers >= 0
        self._word_counts["section"][numbers[known]] -= one.section_counts[known]
        return True

    def stands(self, file: str) -> bool:
        """Whether a file of the snapshot before stays."""
        try:
            return self._held.records.number(file) not in self._out
        except KeyError:
            return False

    def news(self, refused: Iterable[tuple[str, str]]) -> bool:
        """Whether other files could not be read than before, or for other reasons."""
        told = {file: why for file, why in refused if not self.stands(file)}
        return told != dict(self._held.records.refused())

    def whole_counts(self) -> dict[str, int]:
        """The counts of the whole index."""
        before = self._held.manifest.counts
        return {name: before[name] - self._lost[name] + self.counts[name] for name in COUNTED}

    def give_up(self) -> None:
        """Closes the records, where nothing is to be written."""
        self._records.__exit__(None, None, None)

    def removed(self) -> Removed:
        """All that is taken out of the base and the additions that stay."""
        first = self._held.starts["document"]
        before = self._held.removed.rows
        now = Removed.of(extent for number, extent in sorted(self._out.items()) if number < first)
        return Removed(np.concatenate([before[before[:, 0] < first], now.rows]))

    def finish(self, refused: Iterable[tuple[str, str]], files: set[str]) -> None:
        """Also removes from the lexical index, and says of all sheets of the municipalities that are touched which are
        one programme over the years: they are linked anew."""
        held, first = self._held, self._held.starts["sheet"]
        out = sorted(sheet for extent in self._out.values() for sheet in range(*extent.sheets))
        self._lexical.remove([sheet for sheet in out if sheet < first])
        standing, touched = held.heads(self._towns, self._out)
        heads = {**standing, **dict(self._heads)}
        self._heads.clear()
        super().finish(refused, files)
        numbers = {head.sheet_id: sheet for sheet, head in heads.items()}
        before, lines, free = held.relinked()
        again = {*touched, *out}
        lines = [(sheet, line) for sheet, line in lines if sheet < first and sheet not in again]
        for line, timeline in enumerate(link(heads.values()), free):
            lines += [(numbers[sheet_id], line) for sheet_id in timeline]
        tables = self._work / TABLES
        np.save(tables / RELINKED, np.array(sorted(s for s in {*before, *again} if s < first), dtype=np.int64))
        np.save(tables / LINES, np.array(sorted(lines), dtype=np.int64).reshape(-1, 2))

    def _taken(self, sheet_id: str) -> bool:
        number = self._held.records.sheets.get(sheet_id)
        stands = number is not None and int(self._held.tables.document[number]) not in self._out
        return stands or super()._taken(sheet_id)
