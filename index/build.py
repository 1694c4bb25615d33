"""Readings of documents to a new snapshot, written beside the old one; ``CURRENT`` moves when all of it is on disk."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from corpus.errors import IndexFolderError, NothingToIndex
from index.cosines import CosineScales
from index.encoder import small_encoder
from index.firststage import Engine, Progress
from index.manifest import CURRENT, FORMAT, MANIFEST, SNAPSHOTS, Manifest, Part, current
from index.prepared import Prepared, Preparer, Reading, packed, preparing_version
from index.recordsserver import publish_records, withdraw_records
from index.snapshot import Snapshot
from index.snapshotwriter import SnapshotWriter
from index.spool import FOLDER as BUILDING
from index.spool import Spool
from index.spread import Here, Spread, in_order
from index.types import Encoder
from index.windows import Windows

logger = logging.getLogger(__name__)

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
    engine: Engine | None = None,
) -> Snapshot:
    """Indexes ``readings`` into ``folder`` and returns the new live snapshot, opened; see :func:`write_snapshot`."""
    write_snapshot(readings, encoder, folder, progress, refused, sources, spread, spool, engine)
    return Snapshot.open(folder, encoder, engine=engine)


def write_snapshot(
    readings: Iterable[Reading | Prepared],
    encoder: Encoder,
    folder: Path,
    progress: Progress | None = None,
    refused: Callable[[], Iterable[tuple[str, str]]] = tuple,
    sources: Sequence[str] = (),
    spread: Spread = Here,
    spool: Spool | None = None,
    engine: Engine | None = None,
) -> str:
    """Indexes ``readings`` into ``folder``, makes the new snapshot live and returns its name.

    ``readings`` may be a generator: documents are taken one by one, prepared by ``spread`` (the same index comes of it,
    wherever that is) and written in their order, so memory does not grow with them. What is :class:`Prepared` already
    is taken as it is. What was indexed before is replaced; to keep a part of it, chain it in from
    :meth:`Snapshot.readings`. A file given twice is taken once, the later one is left out. Raises NothingToIndex, with
    the old snapshot untouched, if there is not one section.
    ``refused`` is asked for the files that could not be read (file, why) when the readings are through; ``sources`` is
    written down as where the readings come from. ``spool`` keeps what is prepared until the index is live, so that the
    same call after a kill goes on from there. An ``engine`` is given the snapshot before it is live; where that fails with
    an EngineError, the old one stays live and the new one waits beside it for :func:`finish`.
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
            _go_live(folder, name, engine, tell)
        except OSError as error:
            message = (
                f"{folder} に索引を書き込めません（{error.strerror}）。空き容量と書き込みの権限を確かめてください。"
            )
            raise IndexFolderError(message) from error
        finally:
            for place in (work, scratch):
                shutil.rmtree(place, ignore_errors=True)
        spool.remove()
        _sweep(folder, name, engine)
        return name


def finish(folder: Path, engine: Engine, progress: Progress | None = None) -> str:
    """Sends the newest finished snapshot of an index folder to the engine and makes it live; returns its name.

    That is the live one where the engine has lost it or never had it, or a newer one whose sending broke off; sending goes on
    where it stopped. Raises IndexMissing where there is no snapshot, EngineError where the engine does not take it.
    """
    with _lock(folder):
        finished = [one.parent.name for one in (folder / SNAPSHOTS).glob(f"*/{MANIFEST}") if one.parent.name[0] != "."]
        name = max(finished, default="") or current(folder)
        _go_live(folder, name, engine, progress or (lambda what, done, total: None))
        _sweep(folder, name, engine)
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

        def begin(task: Prepared | _Packed) -> Future[Prepared | bytes]:
            done: Future[Prepared | bytes] = Future()
            kept = task if isinstance(task, Prepared) else spool.get(task.key)
            if kept is None:
                assert isinstance(task, _Packed)
                return hands.submit(task.reading)
            done.set_result(kept)
            return done

        tasks = (one if isinstance(one, Prepared) else _Packed.of(one, preparer) for one in readings)
        for task, future in in_order(begin, tasks, hands.ahead):
            if isinstance(task, Prepared):
                yield task
                continue
            try:
                data = future.result()
            except Exception:
                # A process that ran out of memory or was stopped costs time and no document; a fault of ours is met again.
                logger.exception("preparing %s elsewhere failed", task.file)
                data = preparer(task.reading)
            assert isinstance(data, bytes)
            spool.put(task.key, data)
            yield Prepared.loads(data)


@dataclass(frozen=True, slots=True)
class _Packed:
    """A reading as it is sent, and what its prepared form is kept under."""

    file: str
    reading: bytes
    key: bytes

    @classmethod
    def of(cls, reading: Reading, preparer: Preparer) -> _Packed:
        data = packed(reading)
        return cls(reading[0].file, data, preparer.key_of(data))


def _publish(
    folder: Path,
    work: Path,
    encoder: Encoder,
    counts: dict[str, int],
    cosines: CosineScales | None,
    sources: tuple[str, ...],
    parts: tuple[Part, ...] = (),
    removed: int = 0,
    known: Mapping[str, str] | None = None,
) -> str:
    """Syncs the written files and names the snapshot.

    ``known`` are the checksums of files that another snapshot has already: they are on disk. For ``parts`` and
    ``removed`` see :class:`Manifest`.
    """
    files = dict(known or {})
    for file in sorted(f for f in work.rglob("*") if f.is_file()):
        name = file.relative_to(work).as_posix()
        if name in files:
            continue
        with file.open("rb") as stream:
            files[name] = hashlib.file_digest(stream, "sha256").hexdigest()
            os.fsync(stream.fileno())
    created = datetime.now(UTC)
    content = hashlib.sha256("".join(files.values()).encode()).hexdigest()[:8]
    name = f"{created:%Y%m%dT%H%M%S%f}-{content}"
    manifest = Manifest(
        FORMAT, name, created, encoder.name, encoder.digest, encoder.dim, counts, files, cosines, sources, parts, removed,
        preparing_version(),
    )  # fmt: skip
    _write_synced(work / MANIFEST, manifest.dumps())
    for inner in [work, *(d for d in work.rglob("*") if d.is_dir())]:
        _sync_folder(inner)
    work.rename(folder / SNAPSHOTS / name)
    _sync_folder(folder / SNAPSHOTS)
    publish_records(folder / SNAPSHOTS / name, manifest)
    return name


def _go_live(folder: Path, name: str, engine: Engine | None, tell: Progress) -> None:
    """Moves ``CURRENT`` to a finished snapshot, when its engine has all of it."""
    if engine is not None:
        engine.publish(folder, name, tell)
    _write_synced(folder / f"{CURRENT}.new", name + "\n")
    (folder / f"{CURRENT}.new").replace(folder / CURRENT)
    _sync_folder(folder)


def _sweep(folder: Path, live: str, engine: Engine | None = None) -> None:
    """Removes what older builds left, names being in order of time, here and in the engine."""
    names = sorted((d.name for d in (folder / SNAPSHOTS).iterdir() if d.is_dir()), reverse=True)
    kept = {live, *[n for n in names if not n.startswith(".") and n < live][: _KEPT - 1]}
    dropped = [name for name in names if name not in kept]
    for name in dropped:
        shutil.rmtree(folder / SNAPSHOTS / name, ignore_errors=True)
    withdraw_records(name for name in dropped if not name.startswith("."))
    if engine is not None:
        engine.sweep(folder, kept)


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
