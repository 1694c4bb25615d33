"""Files added to, changed in and taken out of a finished index, at the cost of these files and not of the index.

An update writes a new snapshot like a build, and ``CURRENT`` moves last; but the files of the snapshot before are linked
into it, and only an addition is written (docs/updating.md).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from corpus.documents import Document, Sheet, SheetReading
from corpus.errors import IndexFolderError, NothingToIndex
from corpus.normalize import squeeze
from corpus.timelines import Head, head_of, link
from index.build import Progress, _chunks, _encode, _lock, _publish, _sheet_vectors, _sweep, _whose, build
from index.chunks import passage_text
from index.held import Held
from index.lexical import LexicalDocument, link_or_copy, update_lexical
from index.making import making_version
from index.manifest import (
    FORMAT,
    LEXICAL,
    PARTS,
    RECORDS,
    SHEETS,
    SNAPSHOTS,
    VECTORS,
    WORDS,
    Manifest,
    Part,
    current,
    read_manifest,
)
from index.records import Records
from index.recordswriter import RecordsWriter
from index.removed import REMOVED, Extent, Removed
from index.snapshot import Snapshot
from index.tokens import words
from index.types import Encoder, Vectors
from index.vectors import VectorIndex, write_vectors
from index.wordlists import WordListsWriter

Reading = tuple[Document, Sequence[SheetReading]]
Refused = Callable[[], Iterable[tuple[str, str]]]

FOLDED = 2_000  # chunks: newest additions of no more than these in all are written again into the next one
# From here on a search and an opening pay for what a compaction would mend.
MOST_PARTS, MOST_ADDED, MOST_REMOVED = 4, 0.10, 0.20
MOST_OPEN = 8  # additions that can be opened: SQLite takes ten files


@dataclass(frozen=True, slots=True)
class Update:
    """The snapshot that an update made, and how many files it added, changed and took out."""

    manifest: Manifest
    added: int
    changed: int
    removed: int


def can_update(manifest: Manifest, encoder: Encoder) -> bool:
    """Whether what this program writes now fits beside what the snapshot holds."""
    fits = (manifest.format, manifest.encoder_digest, manifest.made_with) == (FORMAT, encoder.digest, making_version())
    return fits and (len(manifest.parts) < MOST_OPEN or _folded(manifest) < len(manifest.parts))


def needs_compaction(manifest: Manifest) -> bool:
    """Whether there are so many additions, or so much was taken out, that a base should be written anew."""
    chunks = manifest.counts["chunks"] + manifest.removed
    added = sum(part.chunks for part in manifest.parts)
    return (
        len(manifest.parts) > MOST_PARTS or added > MOST_ADDED * chunks or manifest.removed > MOST_REMOVED * chunks
    )  # fmt: skip


def update(
    folder: Path,
    encoder: Encoder,
    readings: Iterable[Reading],
    removed: Iterable[str] = (),
    *,
    progress: Progress | None = None,
    refused: Refused | None = None,
    sources: Sequence[str] | None = None,
    expected: str | None = None,
) -> Update:
    """Adds ``readings`` to the live snapshot of ``folder``, in place of what it has of the same files, and takes out the
    files of ``removed``.

    ``refused`` is asked, when the readings are through, for all files that could not be read; None: as before, and so
    with ``sources``. Where all is as it was, nothing is written. ``expected`` is the snapshot that the caller looked at. Raises IndexFolderError where another
    build runs or ran meanwhile, or the snapshot is none that can be updated (:func:`can_update`); NothingToIndex where
    no section would be left. The old snapshot stays live until all is on disk.
    """
    tell = progress or (lambda what, done, total: None)
    with _lock(folder):
        manifest = read_manifest(folder, current(folder))
        if not can_update(manifest, encoder) or expected not in (None, manifest.id):
            raise IndexFolderError(f"索引 {folder} は作りかえられています。hyoka index をもう一度実行してください。")
        work = folder / SNAPSHOTS / f".updating-{manifest.id}"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        held = Held(folder, manifest)
        try:
            addition = _Addition(held, work, encoder, tell)
            for document, found in readings:
                addition.put(document, found)
            for file in removed:
                addition.take_out(file)
            unreadable = held.refused() if refused is None else list(refused())
            made_of = manifest.sources if sources is None else tuple(sources)
            if not addition.changes(unreadable) and made_of == manifest.sources:
                return Update(manifest, 0, 0, 0)
            addition.fold()
            made = addition.finish(unreadable)
            name = _publish(
                folder, work, encoder, made.counts, manifest.cosines, made_of,
                made.parts, made.removed, made.known,
            )  # fmt: skip
        except OSError as error:
            message = (
                f"{folder} に索引を書き込めません（{error.strerror}）。空き容量と書き込みの権限を確かめてください。"
            )
            raise IndexFolderError(message) from error
        finally:
            held.close()
            shutil.rmtree(work, ignore_errors=True)
        _sweep(folder, name)
        return Update(read_manifest(folder, name), addition.added, addition.changed, addition.gone)


def document_parts(folder: Path, manifest: Manifest) -> int:
    """How many of a snapshot's sheets are no sheet of a programme, without opening the rest of it."""
    held = Held(folder, manifest)
    try:
        return held.document_parts()
    finally:
        held.close()


def compact(folder: Path, encoder: Encoder, progress: Progress | None = None) -> Snapshot:
    """Writes the live snapshot anew as one base, from the readings it holds; no source file is read.

    Readers use the old one meanwhile. Raises IndexFolderError where another build runs or ran meanwhile.
    """
    manifest = read_manifest(folder, current(folder))
    base, *additions = manifest.places(folder / SNAPSHOTS / manifest.id, RECORDS)
    records = Records(base, additions, Removed.read(folder / SNAPSHOTS / manifest.id))

    def readings() -> Iterator[Reading]:
        if current(folder) != manifest.id:  # asked when the folder is locked
            raise IndexFolderError(f"索引 {folder} は作りかえられています。もう一度実行してください。")
        yield from records.readings()

    try:
        return build(readings(), encoder, folder, progress, records.refused, manifest.sources)
    finally:
        records.close()


def _folded(manifest: Manifest) -> int:
    """How many additions stay as they are: the newest small ones are written again together with what is new."""
    kept, chunks = len(manifest.parts), 0
    while kept and (chunks := chunks + manifest.parts[kept - 1].chunks) <= FOLDED:
        kept -= 1
    return kept


@dataclass(frozen=True, slots=True)
class _Made:
    """What an update wrote, for the manifest; ``known`` are the checksums of files that were only linked."""

    counts: dict[str, int]
    parts: tuple[Part, ...]
    removed: int
    known: dict[str, str]


class _Addition:
    """Writes one addition into the folder of a snapshot to be, and keeps account of what it replaces."""

    def __init__(self, held: Held, work: Path, encoder: Encoder, tell: Progress) -> None:
        self.added = self.changed = self.gone = 0
        self._held, self._work, self._encoder, self._tell = held, work, encoder, tell
        self._kept = _folded(held.manifest)
        parts = held.manifest.parts
        number = 1 + max((int(Path(part.folder).name) for part in parts[: self._kept]), default=0)
        self._folder = f"{PARTS}/{number:04}"
        self._starts = held.starts(self._kept)
        self._lists = held.words()
        self._known = {word: at for at, word in enumerate(self._lists.vocabulary[: self._words_kept()])}
        section_counts = self._lists.section_counts()
        assert section_counts is not None  # every build of this format keeps them
        self._word_counts = {
            "body": self._lists.body_counts.copy(),
            "head": self._lists.head_counts.copy(),
            "section": section_counts.astype(np.int64),
        }
        self._counts = dict(held.manifest.counts)
        self._out: dict[int, Extent] = {}  # documents that stand in the snapshot of before, and not here
        self._towns: set[str] = set()
        self._heads: dict[int, Head] = {}
        self._ids: set[str] = set()
        self._files: set[str] = set()
        self._lexical: list[LexicalDocument] = []
        self._texts: list[str] = []
        self._rows: list[tuple[int, Vectors]] = []  # vectors that are there already, with the text they begin at
        (work / self._folder).mkdir(parents=True)
        self._records = RecordsWriter(work / self._folder / RECORDS, self._starts)
        # The counts go in when all that is taken out is known.
        self._writer = WordListsWriter(self._known, self._word_counts)

    def _words_kept(self) -> int:
        """How many words the base and the additions that stay know."""
        places = self._held.manifest.places(self._held.path, WORDS)[: 1 + self._kept]
        return sum((place / "vocabulary.txt").read_bytes().count(b"\n") for place in places)

    def put(self, document: Document, found: Sequence[SheetReading]) -> None:
        """Adds a document, in place of the one of its file; the first of two readings of a file counts."""
        if document.file in self._files:
            return
        number = self._held.number(document.file)
        if number is None:
            self.added += 1
        else:
            self.changed += 1
            self._leave_out(number)
        self._write(document, found)
        self._tell("読み込み", self.added + self.changed, 0)

    def take_out(self, file: str) -> None:
        """Takes a file out; nothing happens where the index does not have it, or it has just been put in."""
        number = None if file in self._files else self._held.number(file)
        if number is not None and number not in self._out:
            self.gone += 1
            self._leave_out(number)

    def fold(self) -> None:
        """Writes what is left of the newest small additions again, with the vectors that it has."""
        held = self._held
        if self._kept == len(held.manifest.parts):
            return
        files = held.manifest.places(held.path, VECTORS)[1 + self._kept :]
        parts = [VectorIndex(file) for file in files]
        rows = np.concatenate([part.rows(np.arange(len(part))) for part in parts if len(part)] or [self._no_rows()])
        for number in held.documents(self._kept):
            if number in self._out:
                continue
            document, found = held.reading(number)
            extent = self._leave_out(number)
            at = len(self._texts)
            self._write(document, found)
            own = rows[extent.chunks[0] - self._starts["chunk"] : extent.chunks[1] - self._starts["chunk"]]
            if len(own) == len(self._texts) - at and all(part.exact for part in parts):
                self._rows.append((at, own))

    def _no_rows(self) -> Vectors:
        return np.zeros((0, self._encoder.dim), dtype=np.float32)

    def _leave_out(self, number: int) -> Extent:
        """From here on a document of the snapshot of before counts no more."""
        extent = self._held.extent(number)
        self._out[number] = extent
        _, found = self._held.reading(number)
        self._count([reading for reading in found], extent.chunks[1] - extent.chunks[0], -1)
        self._towns.update(squeeze(reading.sheet.municipality) for reading in found)
        for kind, (first, end) in (("body", extent.chunks), ("head", extent.sections)):
            ids, _ = self._lists.gather(kind, np.arange(first, end))
            np.subtract.at(self._word_counts[kind], ids, 1)
        for reading in found:
            for section in reading.sections:
                own = {self._lists.number(word) for word in words(section.text, parts=True)}
                self._word_counts["section"][list(own - {-1})] -= 1
        return extent

    def _count(self, found: Sequence[SheetReading], chunks: int, sign: int) -> None:
        told = {
            "documents": 1,
            "sheets": len(found),
            "sections": sum(len(reading.sections) for reading in found),
            "chunks": chunks,
            "facts": sum(len(reading.facts) for reading in found),
            "events": sum(len(reading.events) for reading in found),
        }
        for what, count in told.items():
            self._counts[what] += sign * count

    def _write(self, document: Document, found: Sequence[SheetReading]) -> None:
        """As a build writes it; see there."""
        self._files.add(document.file)
        number = self._records.document(document)
        begun = len(self._texts)
        for reading in found:
            reading = replace(reading, sheet=self._unique(reading.sheet))
            sheet = self._records.sheet(number, reading)
            self._towns.add(squeeze(reading.sheet.municipality))
            if (head := head_of(reading)) is not None:
                self._heads[sheet] = head
            name = words(reading.sheet.name, parts=True)
            department = words(_whose(reading.sheet), parts=True)
            for section in reading.sections:
                label = words(section.label, parts=True)
                at = self._records.section(sheet, section)
                self._writer.head([*name, *department, *label])
                self._writer.section(words(section.text, parts=True))
                for span in _chunks(document, section):
                    text = document.text[span.start : span.end]
                    body = words(text, parts=True)
                    self._writer.body(body)
                    chunk = self._records.chunk(at, span)
                    self._lexical.append(LexicalDocument(chunk, sheet, name, department, label, body))
                    self._texts.append(passage_text(reading.sheet, section, text))
        self._count(found, len(self._texts) - begun, 1)

    def _unique(self, sheet: Sheet) -> Sheet:
        """The sheet, under another id if a sheet of another file has its own."""
        sheet_id, n = sheet.sheet_id, 2
        while sheet_id in self._ids or self._held.has_sheet(sheet_id, self._out):
            sheet_id, n = f"{sheet.sheet_id}-{n}", n + 1
        self._ids.add(sheet_id)
        return sheet if sheet_id == sheet.sheet_id else replace(sheet, sheet_id=sheet_id)

    def changes(self, refused: Iterable[tuple[str, str]]) -> bool:
        """Whether anything is to be written; ``refused`` are all files that could not be read."""
        told = {file: message for file, message in refused if self._stays(file)}
        return bool(self._files or self._out) or told != dict(self._held.refused())

    def finish(self, refused: Iterable[tuple[str, str]]) -> _Made:
        """Writes what can be written only at the end, and links what stays of the snapshot of before."""
        if not self._counts["chunks"]:
            raise NothingToIndex(
                "読み取れる評価シートがありませんでした。資料のフォルダーとファイルの種類を確かめてください。"
            )
        self._link_years()
        for file, message in refused:
            if file not in self._files and self._stays(file):
                self._records.refused(file, message)
        self._records.close()
        place = self._work / self._folder
        self._writer.write(place / WORDS)
        rows = self._encoded()
        write_vectors(place / VECTORS, rows)
        first = self._starts["sheet"]
        count = self._records.starts["sheet"] - first
        of = [one.sheet - first for one in self._lexical]
        whole = _sheet_vectors(rows, self._texts, of, count) if of else np.zeros((count, rows.shape[1]), np.float32)
        np.save(place / SHEETS, whole)
        self._tell("単語の索引", 0, 0)
        before = self._held.path / LEXICAL
        out = sorted(sheet for extent in self._out.values() for sheet in range(*extent.sheets))
        update_lexical(self._work / LEXICAL, before, out, self._lexical)
        removed = self._removed()
        removed.write(self._work)
        parts = (*self._held.manifest.parts[: self._kept], Part(self._folder, len(self._texts)))
        return _Made(self._counts, parts, removed.chunks, self._linked())

    def _stays(self, file: str) -> bool:
        """Whether a file is not in the index to be."""
        number = self._held.number(file)
        return number is None or number in self._out

    def _encoded(self) -> Vectors:
        """The vectors of all texts: those that are there already, and the others made now."""
        rows = np.zeros((len(self._texts), self._encoder.dim), dtype=np.float32)
        new = np.ones(len(self._texts), dtype=bool)
        for at, own in self._rows:
            rows[at : at + len(own)] = own
            new[at : at + len(own)] = False
        missing = np.flatnonzero(new)
        if len(missing):
            rows[missing] = _encode([self._texts[at] for at in missing.tolist()], self._encoder, self._tell)
        return rows

    def _removed(self) -> Removed:
        """All that is taken out of the base and the additions that stay."""
        first = self._starts["document"]
        before = self._held.removed.rows
        now = Removed.of(extent for number, extent in sorted(self._out.items()) if number < first)
        return Removed(np.concatenate([before[before[:, 0] < first], now.rows]))

    def _link_years(self) -> None:
        """Links the programmes of every municipality that this update touches over the years, all of them anew."""
        first = self._starts["sheet"]
        standing, touched = self._held.heads(self._towns, self._out)
        heads = {**standing, **self._heads}
        numbers = {head.sheet_id: sheet for sheet, head in heads.items()}
        before, lines, free = self._held.relinked()
        again = {*touched, *(sheet for extent in self._out.values() for sheet in range(*extent.sheets))}
        self._records.relinked(sorted(sheet for sheet in {*before, *again} if sheet < first))
        self._records.keep_timelines((sheet, line) for sheet, line in lines if sheet < first and sheet not in again)
        found = link(heads.values())
        self._records.timelines(([numbers[sheet_id] for sheet_id in timeline] for timeline in found), free)

    def _linked(self) -> dict[str, str]:
        """Links the files of the base and of the additions that stay, and says their checksums."""
        manifest, path = self._held.manifest, self._held.path
        folders = [f"{part.folder}/" for part in manifest.parts]
        dropped = tuple(folders[self._kept :])
        known = {}
        for name, checksum in manifest.files.items():
            place = self._work / name
            if name.startswith(f"{LEXICAL}/"):
                # What tantivy left of them; where the file system knows no links they are read again.
                if place.exists() and place.samefile(path / name):
                    known[name] = checksum
            elif name != REMOVED and not name.startswith(dropped):
                place.parent.mkdir(parents=True, exist_ok=True)
                link_or_copy(path / name, place)
                known[name] = checksum
        return known
