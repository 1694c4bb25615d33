"""The chunks of a snapshot as rows for Milvus, read back from its files: whatever was indexed can be sent at any time."""

from __future__ import annotations

import hashlib
import pickle
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from corpus.documents import Sheet
from index.chunks import whose
from index.engines.bm25 import Counts, chunk_vector
from index.engines.milvusschema import Row
from index.engines.milvusstate import Piece
from index.lexical import FIELDS
from index.manifest import RECORDS, TABLES, VECTORS, WORDS, read_manifest
from index.records import Records
from index.removed import Removed
from index.tokens import words
from index.types import PERSON_FIELD
from index.vectors import JoinedVectors, VectorIndex, open_vectors

BATCH = 1000  # rows that are sent at a time: 1.3 MB of vectors and as much of words

_LAYOUT = "1"  # of a row: one of another layout is another row

WordsOfFields = dict[str, list[str]]


class SnapshotRows:
    """The chunks of a snapshot with their words, in the pieces that it is made of.

    The words are read from the text anew, since a snapshot keeps no counts of them, and wait in a temporary file for the
    mean lengths that their weights need. Names of staff are counted, as they are in the local index, but never sent.
    """

    def __init__(
        self, records: Records, vectors: VectorIndex | JoinedVectors, extents: Sequence[tuple[str, int]]
    ) -> None:
        """``extents`` has the key and the number of chunks of every addition, oldest first, after the base's own key; the
        base has all other chunks."""
        self._records, self._vectors = records, vectors
        self.chunks = len(records.chunk_section)
        self._sent = ~records.named_sections([PERSON_FIELD])[records.chunk_section]
        (base, _), *additions = extents
        sizes = [(base, self.chunks - sum(size for _, size in additions)), *additions]
        starts = np.cumsum([0, *(size for _, size in sizes)]).tolist()
        self.pieces = [
            Piece(key, 0, start, size, int(np.count_nonzero(self._sent[start : start + size])))
            for (key, size), start in zip(sizes, starts, strict=False)
        ]

    @classmethod
    @contextmanager
    def of(cls, path: Path) -> Iterator[SnapshotRows]:
        """The rows of a snapshot folder, whose records are open as long as they are needed."""
        manifest = read_manifest(path.parent.parent, path.name)
        additions = [(_key(manifest.files, f"{part.folder}/"), part.chunks) for part in manifest.parts]
        removed = Removed.read(path)
        records = Records(manifest.places(path, RECORDS), manifest.places(path, TABLES), removed)
        try:
            vectors = open_vectors(manifest.places(path, VECTORS))
            yield cls(records, vectors, [(_key(manifest.files, ""), 0), *additions])
        finally:
            records.close()

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._vectors.dim

    @property
    def municipalities(self) -> int:
        """How many municipalities the sheets are of."""
        return len(self._records.tables.municipalities)

    def counted(self, piece: Piece, spool: IO[bytes]) -> Counts:
        """Counts the words of all chunks of a piece and leaves them in ``spool``, batch by batch."""
        counts = Counts()
        for numbers in _batches(piece):
            found = list(self._words(numbers))
            for one in found:
                counts.add(one)
            pickle.dump(found, spool)
        return counts

    def batches(
        self, piece: Piece, spool: IO[bytes], means: Mapping[str, float] | None, start: int = 0
    ) -> Iterator[tuple[int, list[Row]]]:
        """(number after the last chunk, rows to send) by batches; with ``means``, with the words of ``spool``.

        Batches that end before chunk ``start`` are passed over.
        """
        spool.seek(0)
        for numbers in _batches(piece):
            found = pickle.load(spool) if means is not None else [None] * len(numbers)  # our own, of a moment ago
            if numbers[-1] < start:
                continue
            vectors = self._vectors.rows(np.array(numbers, dtype=np.int64))
            rows = []
            for chunk, (section, _), vector, own in zip(
                numbers, self._records.chunks(numbers), vectors, found, strict=True
            ):
                if self._sent[chunk]:
                    held = self._records.section(section)
                    values = self._records.tables.values(int(self._records.section_sheet[section]))
                    sparse = None if means is None else chunk_vector(own, means)
                    rows.append(Row(chunk - piece.first, held.sheet, values, held.section, vector, sparse))
            yield numbers[-1] + 1, rows

    def _words(self, numbers: list[int]) -> Iterator[WordsOfFields]:
        """The words of some chunks by field, as the build gave them to the local index."""
        last: tuple[Sheet | None, list[str], list[str]] = (None, [], [])
        for section, span in self._records.chunks(numbers):
            found = self._records.section(section)
            if found.sheet is not last[0]:
                last = (found.sheet, words(found.sheet.name, parts=True), words(whose(found.sheet), parts=True))
            start = found.section.span.start
            text = found.section.text[span.start - start : span.end - start]
            label = words(found.section.label, parts=True)
            parts = (last[1], last[2], label, words(text, parts=True))
            yield dict(zip(FIELDS, parts, strict=True))


def _key(files: Mapping[str, str], folder: str) -> str:
    """What the rows of a piece are made from: its records, their columns, its words, and the vectors of the encoder."""
    parts = tuple(f"{folder}{name}" for name in (RECORDS, TABLES, VECTORS, WORDS))
    told = [f"{name.removeprefix(folder)} {files[name]}" for name in sorted(files) if name.startswith(parts)]
    return hashlib.sha256("\n".join([_LAYOUT, *told]).encode()).hexdigest()


def _batches(piece: Piece) -> Iterator[list[int]]:
    for at in range(piece.first, piece.first + piece.chunks, BATCH):
        yield list(range(at, min(at + BATCH, piece.first + piece.chunks)))


@contextmanager
def spooled() -> Iterator[IO[bytes]]:
    """A temporary file for words; it takes about as much room as the texts."""
    with tempfile.TemporaryFile(prefix="hyoka-words-") as spool:
        yield spool
