"""Prepared documents to the files of a snapshot, one after the other: what grows with them goes to disk at once."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np

from corpus.timelines import Head, link
from index.arrays import mapped
from index.cosines import CosineScales, cosine_scale
from index.encoder import WordVectors
from index.lexical import LexicalWriter
from index.manifest import LEXICAL, RECORDS, SHEETS, TABLES, VECTORS, WORDS
from index.npywriter import NpyWriter
from index.prepared import Prepared, Ragged
from index.recordswriter import RecordsWriter
from index.tablewriter import write_tables
from index.types import Encoder, Vectors
from index.vectors import write_vectors
from index.windows import Windows
from index.wordlists import WordListsWriter, write_word_vectors

COUNTED = ("documents", "sheets", "sections", "chunks", "facts", "events")
_LENT = 1 << 16  # rows looked at together


class SnapshotWriter:
    """Writes all files of a snapshot but the manifest into ``work``; used as a context manager.

    ``scratch`` is for files that are needed until the end, as big as the vectors. ``windows`` encode what documents
    carry as texts, for an encoder that is not run where documents are prepared. In memory stay the vocabulary and, of
    each sheet, its id and what timelines are linked by.
    """

    def __init__(
        self,
        work: Path,
        scratch: Path,
        dim: int,
        windows: Windows | None = None,
        records: RecordsWriter | None = None,
        lists: WordListsWriter | None = None,
        lexical: LexicalWriter | None = None,
    ) -> None:
        self.counts = dict.fromkeys(COUNTED, 0)
        self._work, self._scratch = work, scratch
        self._ids: set[str] = set()
        self._heads: list[tuple[int, Head]] = []
        self._files: list[BinaryIO] = []
        self._rows = self._column("rows.npy", np.float32, (dim,))
        self._sheets = self._column("sheets.npy", np.float32, (dim,))
        self._windows = windows
        self._chunk_sheets = self._column("chunk_sheets.npy", np.int64)
        self._lengths = self._column("lengths.npy", np.float32)
        self._records = records or RecordsWriter(work / RECORDS)
        self._lists = lists or WordListsWriter(work / WORDS)
        self._lexical = lexical or LexicalWriter(work / LEXICAL)

    def _column(self, name: str, dtype: type[np.generic], row: tuple[int, ...] = ()) -> NpyWriter:
        self._files.append((self._scratch / name).open("w+b"))
        return NpyWriter(self._files[-1], dtype, row)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files:
            file.close()
        self._lists.close()
        if kind is not None:
            self._lexical.__exit__(kind, error, trace)
            self._records.__exit__(kind, error, trace)

    def add(self, one: Prepared) -> None:
        """Writes the next document; one file must not come twice."""
        for row in one.sheets:
            row[0] = self._unique(row[0])
        sheet, chunk = self._records.add(
            one.document, one.sheets, one.sections, one.chunks.tolist(), one.facts, one.events
        )
        for number, head in one.heads:
            self._heads.append((sheet + number, _light(head, one.sheets[number][0])))
        self._words(one, sheet, chunk)
        owners = np.array([row[0] for row in one.sections], dtype=np.int64)[one.chunks[:, 0]]
        self._rows.append(one.vectors)
        self._sheets.append(one.sheet_vectors)
        if self._windows is not None:
            self._windows.add(one.texts)
            self._chunk_sheets.append(owners + sheet - self._records.starts["sheet"])
            self._lengths.append(np.array([len(text) for text in one.texts]))
        found = (1, len(one.sheets), len(one.sections), len(one.chunks), len(one.facts), len(one.events))
        for name, more in zip(COUNTED, found, strict=True):
            self.counts[name] += more

    def _words(self, one: Prepared, sheet: int, chunk: int) -> None:
        numbers = self._lists.numbers(one.vocabulary)
        self._lists.count(numbers, one.section_counts)
        self._lists.extend("head", numbers[one.head.ids], np.diff(one.head.starts))
        before = np.concatenate([[0], np.cumsum(one.first)])  # how many words of a chunk's first places come before
        self._lists.extend("body", numbers[one.body.ids[one.first]], np.diff(before[one.body.starts]))
        said = one.vocabulary
        names, departments = _joined(one.name, said), _joined(one.department, said)
        labels, bodies = _joined(one.label, said), _joined(one.body, said)
        for at, section in enumerate(one.chunks[:, 0].tolist()):
            own = one.sections[section][0]
            self._lexical.add(
                chunk + at, sheet + own, names[own], departments[own], labels[section], bodies[at], one.facets[own]
            )

    def _unique(self, sheet_id: str) -> str:
        """The sheet's id, or another one if the same file is there twice under two names."""
        own, n = sheet_id, 2
        while self._taken(own):
            own, n = f"{sheet_id}-{n}", n + 1
        self._ids.add(own)
        return own

    def _taken(self, sheet_id: str) -> bool:
        return sheet_id in self._ids

    def finish(self, refused: Iterable[tuple[str, str]], files: set[str]) -> None:
        """Links the timelines, stores which files were ``refused`` (file, why; but none of ``files``), and closes the
        records and the lists of words; then the columns of the records are written."""
        self._link()
        for file, message in refused:
            if file not in files:
                self._records.refused(file, message)
        self._records.__exit__(None, None, None)
        self._lexical.__exit__(None, None, None)
        self._lists.write(self._work / WORDS)
        write_tables(self._work / RECORDS, self._work / TABLES)

    def _link(self) -> None:
        numbers = {head.sheet_id: sheet for sheet, head in self._heads}
        linked = link(head for _, head in self._heads)
        self._heads.clear()
        self._records.timelines([numbers[sheet_id] for sheet_id in timeline] for timeline in linked)

    def vectors(self, encoder: Encoder, yardstick: Encoder) -> CosineScales | None:
        """Writes the index of vectors, those of the sheets and of the words; returns how to read the encoder's cosines.

        ``yardstick`` is the encoder that documents are prepared with: it has a vector a word.
        """
        if isinstance(yardstick, WordVectors):
            write_word_vectors(self._work / WORDS, yardstick.digest, yardstick.word_vectors)
        for column in (self._rows, self._sheets, self._chunk_sheets, self._lengths):
            column.finish()
        rows, sheets = self._mapped("rows.npy"), self._mapped("sheets.npy")
        if self._windows is None:
            write_vectors(self._work / VECTORS, rows)
            (self._scratch / "sheets.npy").rename(self._work / SHEETS)
            return None
        own = self._windows.finish()
        write_vectors(self._work / VECTORS, own)
        own_sheets = self._sheet_vectors(own)
        np.save(self._work / SHEETS, own_sheets)
        return self._scales(encoder, yardstick, (own, own_sheets), (rows, sheets))

    def _scales(
        self, encoder: Encoder, yardstick: Encoder, own: tuple[Vectors, Vectors], theirs: tuple[Vectors, Vectors]
    ) -> CosineScales | None:
        """How to read the encoder's cosines, of chunks and of sheets."""
        chunks, sheets = (cosine_scale(encoder, yardstick, *rows) for rows in zip(own, theirs, strict=True))
        return CosineScales(chunks, sheets)

    def _mapped(self, name: str) -> Vectors:
        return mapped(self._scratch / name)

    def _sheet_vectors(self, rows: Vectors) -> Vectors:
        """One unit row a sheet: what all its chunks say together, each in proportion to its length."""
        owners, lengths = self._mapped("chunk_sheets.npy"), self._mapped("lengths.npy")
        out = np.zeros((self.counts["sheets"], rows.shape[1]), dtype=np.float32)
        for at in range(0, len(rows), _LENT):
            some = slice(at, at + _LENT)
            np.add.at(out, owners[some], rows[some] * lengths[some, None])  # type: ignore[arg-type]
        out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), np.float32(1e-9))
        return out


def _joined(lists: Ragged, words: list[str]) -> list[str]:
    """The words of each list between spaces."""
    said = [words[number] for number in lists.ids.tolist()]
    starts = lists.starts.tolist()
    return [" ".join(said[a:b]) for a, b in zip(starts, starts[1:], strict=False)]


def _light(head: Head, sheet_id: str) -> Head:
    """The head with one copy of what many heads share."""
    return replace(
        head,
        sheet_id=sheet_id,
        file=sys.intern(head.file),
        municipality=sys.intern(head.municipality),
        department=sys.intern(head.department),
        name=sys.intern(head.name),
    )
