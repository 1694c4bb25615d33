"""Readings of documents to a new snapshot, written beside the old one; ``CURRENT`` moves when all of it is on disk."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from corpus.documents import Document, Section, Sheet, SheetReading, Span
from corpus.errors import IndexFolderError, NothingToIndex
from corpus.timelines import Head, head_of, link
from index.chunks import passage_text, split
from index.cosines import CosineScales, cosine_scale
from index.encoder import WordVectors, small_encoder
from index.facets import facet_words
from index.lexical import LexicalDocument, write_lexical
from index.manifest import (
    CURRENT,
    FORMAT,
    LEXICAL,
    MANIFEST,
    RECORDS,
    SHEETS,
    SNAPSHOTS,
    TABLES,
    VECTORS,
    WORDS,
    Manifest,
)
from index.recordsserver import publish_records, withdraw_records
from index.recordswriter import RecordsWriter
from index.sheetvalues import values_of_facts
from index.snapshot import Snapshot
from index.tablewriter import write_tables
from index.tokens import words
from index.types import Encoder, Vectors
from index.vectors import write_vectors
from index.wordlists import WordListsWriter, write_word_vectors

# (what is done, how far, of how many or 0 when not known), for a progress bar.
Progress = Callable[[str, int, int], None]

_BATCH = 64  # a large model takes seconds for them, and the bar must move
_KEPT = 2  # the live snapshot, and the one before it for those who still have it open


def build(
    readings: Iterable[tuple[Document, Sequence[SheetReading]]],
    encoder: Encoder,
    folder: Path,
    progress: Progress | None = None,
    refused: Callable[[], Iterable[tuple[str, str]]] = tuple,
    sources: Sequence[str] = (),
) -> Snapshot:
    """Indexes ``readings`` into ``folder`` and returns the new live snapshot, opened.

    ``readings`` may be a generator: documents are taken one by one, so reading and writing overlap and only words and
    vectors stay in memory. What was indexed before is replaced; to keep a part of it, chain it in from
    :meth:`Snapshot.readings`. A file given twice is taken once, the later one is left out. Raises NothingToIndex, with
    the old snapshot untouched, if there is not one section. ``Snapshot.report()`` has the counts and warnings.
    ``refused`` is asked for the files that could not be read (file, why) when the readings are through; ``sources`` is
    written down as where the readings come from.
    """
    tell = progress or (lambda what, done, total: None)
    with _lock(folder):
        work = folder / SNAPSHOTS / f".building-{os.getpid()}"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        try:
            counts, cosines = _write(work, readings, encoder, tell, refused)
            name = _publish(folder, work, encoder, counts, cosines, tuple(sources))
        except OSError as error:
            message = (
                f"{folder} に索引を書き込めません（{error.strerror}）。空き容量と書き込みの権限を確かめてください。"
            )
            raise IndexFolderError(message) from error
        finally:
            shutil.rmtree(work, ignore_errors=True)
        _sweep(folder, name)
        return Snapshot.open(folder, encoder)


def _write(
    work: Path,
    readings: Iterable[tuple[Document, Sequence[SheetReading]]],
    encoder: Encoder,
    tell: Progress,
    refused: Callable[[], Iterable[tuple[str, str]]],
) -> tuple[dict[str, int], CosineScales | None]:
    """Writes all files of a snapshot but the manifest; returns the counts and how to read the encoder's cosines."""
    counts = dict.fromkeys(("documents", "sheets", "sections", "chunks", "facts", "events"), 0)
    lists = WordListsWriter()
    lexical: list[LexicalDocument] = []
    texts: list[str] = []
    files: set[str] = set()
    ids: set[str] = set()
    heads: list[tuple[int, Head]] = []
    with RecordsWriter(work / RECORDS) as records:
        for document, found in readings:
            if document.file in files:
                continue
            files.add(document.file)
            number = records.document(document)
            counts["documents"] += 1
            for reading in found:
                reading = replace(reading, sheet=_unique(reading.sheet, ids))
                sheet = records.sheet(number, reading)
                if (head := head_of(reading)) is not None:
                    heads.append((sheet, head))
                counts["sheets"] += 1
                counts["facts"] += len(reading.facts)
                counts["events"] += len(reading.events)
                name = words(reading.sheet.name, parts=True)
                department = words(_whose(reading.sheet), parts=True)
                facets = facet_words(reading.sheet, values_of_facts(reading.sheet, reading.facts))
                for section in reading.sections:
                    label = words(section.label, parts=True)
                    at = records.section(sheet, section)
                    lists.head([*name, *department, *label])
                    counts["sections"] += 1
                    lists.section(words(section.text, parts=True))
                    for span in _chunks(document, section):
                        body = words(document.text[span.start : span.end], parts=True)
                        lists.body(body)
                        chunk = records.chunk(at, span)
                        lexical.append(LexicalDocument(chunk, sheet, name, department, label, body, facets))
                        texts.append(passage_text(reading.sheet, section, document.text[span.start : span.end]))
            tell("読み込み", counts["documents"], 0)
        numbers = {head.sheet_id: sheet for sheet, head in heads}
        linked = link(head for _, head in heads)
        records.timelines([numbers[sheet_id] for sheet_id in timeline] for timeline in linked)
        for file, message in refused():
            if file not in files:
                records.refused(file, message)
    counts["chunks"] = len(texts)
    if not texts:
        raise NothingToIndex(
            "読み取れる評価シートがありませんでした。資料のフォルダーとファイルの種類を確かめてください。"
        )
    tell("単語の索引", 0, 0)
    write_lexical(work / LEXICAL, lexical)
    lists.write(work / WORDS)
    write_tables(work / RECORDS, work / TABLES)
    rows = _encode(texts, encoder, tell)
    write_vectors(work / VECTORS, rows)
    sheets = _sheet_vectors(rows, texts, [d.sheet for d in lexical], counts["sheets"])
    np.save(work / SHEETS, sheets)
    yardstick = small_encoder(encoder)
    if isinstance(yardstick, WordVectors):
        write_word_vectors(work / WORDS, yardstick.digest, yardstick.word_vectors)
    if yardstick is encoder:
        return counts, None
    other = _encode(texts, yardstick, lambda what, done, total: None)  # takes no time beside the model's own
    other_sheets = _sheet_vectors(other, texts, [d.sheet for d in lexical], counts["sheets"])
    passages = cosine_scale(encoder, yardstick, rows, other)
    return counts, CosineScales(passages, cosine_scale(encoder, yardstick, sheets, other_sheets))


def _whose(sheet: Sheet) -> str:
    """Municipality, year and department, so that a question that names one of them prefers its sheets."""
    year = f"{sheet.fiscal_year}年度" if sheet.fiscal_year is not None else ""
    return f"{sheet.municipality} {year} {sheet.department}"


def _chunks(document: Document, section: Section) -> Iterator[Span]:
    start = section.span.start
    for piece in split(document.text[start : section.span.end]):
        yield Span(start + piece.start, start + piece.end)


def _unique(sheet: Sheet, taken: set[str]) -> Sheet:
    """The sheet, under another id if the same file is there twice under two names."""
    sheet_id, n = sheet.sheet_id, 2
    while sheet_id in taken:
        sheet_id, n = f"{sheet.sheet_id}-{n}", n + 1
    taken.add(sheet_id)
    return sheet if sheet_id == sheet.sheet_id else replace(sheet, sheet_id=sheet_id)


def _encode(texts: list[str], encoder: Encoder, tell: Progress) -> Vectors:
    """One row a text. Texts of like length go together, since a batch is filled up to its longest; the long ones come
    first, so that the bar does not promise too much."""
    rows = np.zeros((len(texts), encoder.dim), dtype=np.float32)
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    for at in range(0, len(texts), _BATCH):
        batch = order[at : at + _BATCH]
        rows[batch] = encoder.encode([texts[i] for i in batch], "passage")
        tell("意味の索引", min(at + _BATCH, len(texts)), len(texts))
    return rows


def _sheet_vectors(rows: Vectors, texts: list[str], sheets: list[int], count: int) -> Vectors:
    """One unit row a sheet: what all its chunks say together, each in proportion to its length."""
    out = np.zeros((count, rows.shape[1]), dtype=np.float32)
    np.add.at(out, sheets, rows * np.array([[len(t)] for t in texts], dtype=np.float32))
    unit: Vectors = out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), np.float32(1e-9))
    return unit


def _publish(
    folder: Path,
    work: Path,
    encoder: Encoder,
    counts: dict[str, int],
    cosines: CosineScales | None,
    sources: tuple[str, ...],
) -> str:
    """Syncs the written files, names the snapshot, and moves ``CURRENT`` to it last."""
    files: dict[str, str] = {}
    for file in sorted(f for f in work.rglob("*") if f.is_file()):
        with file.open("rb") as stream:
            files[file.relative_to(work).as_posix()] = hashlib.file_digest(stream, "sha256").hexdigest()
            os.fsync(stream.fileno())
    created = datetime.now(UTC)
    content = hashlib.sha256("".join(files.values()).encode()).hexdigest()[:8]
    name = f"{created:%Y%m%dT%H%M%S%f}-{content}"
    manifest = Manifest(
        FORMAT, name, created, encoder.name, encoder.digest, encoder.dim, counts, files, cosines, sources
    )
    _write_synced(work / MANIFEST, manifest.dumps())
    for inner in [work, *(d for d in work.rglob("*") if d.is_dir())]:
        _sync_folder(inner)
    work.rename(folder / SNAPSHOTS / name)
    _sync_folder(folder / SNAPSHOTS)
    publish_records(folder / SNAPSHOTS / name, manifest)
    _write_synced(folder / f"{CURRENT}.new", name + "\n")
    (folder / f"{CURRENT}.new").replace(folder / CURRENT)
    _sync_folder(folder)
    return name


def _sweep(folder: Path, live: str) -> None:
    """Removes what older builds left, names being in order of time."""
    names = sorted((d.name for d in (folder / SNAPSHOTS).iterdir() if d.is_dir()), reverse=True)
    kept = {live, *[n for n in names if not n.startswith(".") and n < live][: _KEPT - 1]}
    dropped = [name for name in names if name not in kept]
    for name in dropped:
        shutil.rmtree(folder / SNAPSHOTS / name, ignore_errors=True)
    withdraw_records(name for name in dropped if not name.startswith("."))


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """One build at a time in a folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder / ".lock").open("w")
    except OSError as error:
        raise IndexFolderError(
            f"{folder} に索引を作れません（{error.strerror}）。書き込めるフォルダーを指定してください。"
        ) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise IndexFolderError(
                f"{folder} では別の索引作成が進行中です。終わってからやり直してください。"
            ) from error
        yield


def _write_synced(file: Path, text: str) -> None:
    with file.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
