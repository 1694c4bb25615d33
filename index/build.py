"""Readings of documents to a new snapshot, written beside the old one; ``CURRENT`` moves when all of it is on disk."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from corpus.errors import IndexFolderError, NothingToIndex
from index.cosines import CosineScales
from index.encoder import small_encoder
from index.manifest import CURRENT, FORMAT, MANIFEST, SNAPSHOTS, Manifest
from index.prepared import Prepared, Preparer, Reading
from index.snapshot import Snapshot
from index.snapshotwriter import SnapshotWriter
from index.spool import FOLDER as BUILDING
from index.spool import Spool
from index.spread import Here, Spread, in_order
from index.types import Encoder
from index.windows import Windows

logger = logging.getLogger(__name__)

# (what is done, how far, of how many or 0 when not known), for a progress bar.
Progress = Callable[[str, int, int], None]

_Begun = bytes | Prepared
_MEANING = "意味の索引"
_KEPT = 2  # the live snapshot, and the one before it for those who still have it open


def build(
    readings: Iterable[Reading | Prepared],
    encoder: Encoder,
    folder: Path,
    progress: Progress | None = None,
    refused: Callable[[], Iterable[tuple[str, str]]] = tuple,
    sources: Sequence[str] = (),
    spread: Spread = Here,
    spool: Spool | None = None,
) -> Snapshot:
    """Indexes ``readings`` into ``folder`` and returns the new live snapshot, opened; see :func:`write_snapshot`."""
    write_snapshot(readings, encoder, folder, progress, refused, sources, spread, spool)
    return Snapshot.open(folder, encoder)


def write_snapshot(
    readings: Iterable[Reading | Prepared],
    encoder: Encoder,
    folder: Path,
    progress: Progress | None = None,
    refused: Callable[[], Iterable[tuple[str, str]]] = tuple,
    sources: Sequence[str] = (),
    spread: Spread = Here,
    spool: Spool | None = None,
) -> str:
    """Indexes ``readings`` into ``folder``, makes the new snapshot live and returns its name.

    ``readings`` may be a generator: documents are taken one by one, prepared by ``spread`` (the same index comes of it,
    wherever that is) and written in their order, so memory does not grow with them. What is :class:`Prepared` already
    is taken as it is. What was indexed before is replaced; to keep a part of it, chain it in from
    :meth:`Snapshot.readings`. A file given twice is taken once, the later one is left out. Raises NothingToIndex, with
    the old snapshot untouched, if there is not one section.
    ``refused`` is asked for the files that could not be read (file, why) when the readings are through; ``sources`` is
    written down as where the readings come from. ``spool`` keeps what is prepared until the index is live, so that the
    same call after a kill goes on from there.
    """
    tell = progress or (lambda what, done, total: None)
    spool = spool or spool_of(folder)
    with _lock(folder):
        work = folder / SNAPSHOTS / f".building-{os.getpid()}"
        scratch = folder / SNAPSHOTS / f".scratch-{os.getpid()}"
        for place in (work, scratch):
            shutil.rmtree(place, ignore_errors=True)
        try:
            for place in (work, scratch):
                place.mkdir(parents=True)
            counts, cosines = _write(work, scratch, readings, encoder, tell, refused, spread, spool)
            name = _publish(folder, work, encoder, counts, cosines, tuple(sources))
        except OSError as error:
            message = (
                f"{folder} に索引を書き込めません（{error.strerror}）。空き容量と書き込みの権限を確かめてください。"
            )
            raise IndexFolderError(message) from error
        finally:
            for place in (work, scratch):
                shutil.rmtree(place, ignore_errors=True)
        spool.remove()
        _sweep(folder, name)
        return name


def spool_of(folder: Path) -> Spool:
    """Where the builds of an index folder keep what they have prepared."""
    return Spool(folder / BUILDING)


def preparer_of(encoder: Encoder) -> Preparer:
    """What prepares readings for an index of this encoder: with its vectors, or with texts for it and the vectors of
    the bundled one beside a large model."""
    small = small_encoder(encoder)
    return Preparer(small) if small is encoder else Preparer(small, texts=True)


def _write(
    work: Path,
    scratch: Path,
    readings: Iterable[Reading | Prepared],
    encoder: Encoder,
    tell: Progress,
    refused: Callable[[], Iterable[tuple[str, str]]],
    spread: Spread,
    spool: Spool,
) -> tuple[dict[str, int], CosineScales | None]:
    """Writes all files of a snapshot but the manifest; returns the counts and how to read the encoder's cosines."""
    preparer = preparer_of(encoder)
    windows = None
    if preparer.texts:
        windows = Windows(encoder, scratch / "own.npy", spool, lambda done: tell(_MEANING, done, 0))
    files: set[str] = set()
    with SnapshotWriter(work, scratch, preparer.encoder.dim, windows) as writer:
        counts = writer.counts
        for one in _prepared(_once(readings, files), preparer, spread, spool):
            writer.add(one)
            tell("読み込み", counts["documents"], 0)
        spool.flush()
        if not counts["chunks"]:
            raise NothingToIndex(
                "読み取れる評価シートがありませんでした。資料のフォルダーとファイルの種類を確かめてください。"
            )
        tell("単語の索引", 0, 0)
        writer.finish(refused(), files)
        cosines = writer.vectors(encoder, preparer.encoder)
        tell(_MEANING, counts["chunks"], counts["chunks"])
        return counts, cosines


def _once(readings: Iterable[Reading | Prepared], files: set[str]) -> Iterator[Reading | Prepared]:
    """The readings without those of a file that was there before; ``files`` are those that were there."""
    for one in readings:
        file = one.file if isinstance(one, Prepared) else one[0].file
        if file not in files:
            files.add(file)
            yield one


def _prepared(
    readings: Iterator[Reading | Prepared], preparer: Preparer, spread: Spread, spool: Spool
) -> Iterator[Prepared]:
    """The readings prepared, in order; what a build that was stopped has prepared is taken from the ``spool``."""
    with spread(preparer) as hands:

        def begin(task: Reading | Prepared) -> Future[_Begun]:
            done: Future[_Begun] = Future()
            if isinstance(task, Prepared):
                done.set_result(task)
                return done
            kept = spool.get(preparer.key_of(task))
            if kept is None:
                return hands.submit(task)
            done.set_result(kept)
            return done

        for task, future in in_order(begin, readings, hands.ahead):
            if isinstance(task, Prepared):
                yield task
                continue
            try:
                data = future.result()
            except Exception:
                # A process that ran out of memory or was stopped costs time and no document; a fault of ours is met again.
                logger.exception("preparing %s elsewhere failed", task[0].file)
                data = preparer(task)
            assert isinstance(data, bytes)
            spool.put(preparer.key_of(task), data)
            yield Prepared.loads(data)


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
    _write_synced(folder / f"{CURRENT}.new", name + "\n")
    (folder / f"{CURRENT}.new").replace(folder / CURRENT)
    _sync_folder(folder)
    return name


def _sweep(folder: Path, live: str) -> None:
    """Removes what older builds left, names being in order of time."""
    names = sorted((d.name for d in (folder / SNAPSHOTS).iterdir() if d.is_dir()), reverse=True)
    kept = {live, *[n for n in names if not n.startswith(".") and n < live][: _KEPT - 1]}
    for name in names:
        if name not in kept:
            shutil.rmtree(folder / SNAPSHOTS / name, ignore_errors=True)


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
