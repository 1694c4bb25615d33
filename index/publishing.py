"""A written snapshot made the live one, and what older ones left removed; one writer in an index folder at a time."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from errno import EACCES, EDQUOT, EIO, ENOSPC, EPERM, EROFS
from pathlib import Path

from corpus.errors import IndexFolderError
from index.cosines import CosineScales
from index.firststage import Engine, Progress
from index.manifest import CURRENT, FORMAT, MANIFEST, SNAPSHOTS, Manifest, Part
from index.prepared import preparing_version
from index.recordsserver import publish_records, withdraw_records
from index.types import Encoder

_KEPT = 2  # the live snapshot, and the one before it for those who still have it open


def publish(
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
    name = f"{_after(folder, created):%Y%m%dT%H%M%S%f}-{content}"
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


def _after(folder: Path, now: datetime) -> datetime:
    """The time that a new snapshot is named after: names are in the order in which snapshots were made, and a clock that
    was set back in the meantime must not make the newest look older than the one before."""
    stamps = [now]
    for one in (folder / SNAPSHOTS).iterdir():
        with suppress(ValueError, OverflowError):
            made = datetime.strptime(one.name.partition("-")[0], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
            stamps.append(made + timedelta(microseconds=1))
    return max(stamps)


def go_live(folder: Path, name: str, engine: Engine | None, tell: Progress) -> None:
    """Moves ``CURRENT`` to a finished snapshot, when its engine has all of it."""
    if engine is not None:
        engine.publish(folder, name, tell)
    _write_synced(folder / f"{CURRENT}.new", name + "\n")
    (folder / f"{CURRENT}.new").replace(folder / CURRENT)
    _sync_folder(folder)


def sweep(folder: Path, live: str, engine: Engine | None = None) -> None:
    """Removes what older builds left, names being in order of time, here and in the engine."""
    names = sorted((d.name for d in (folder / SNAPSHOTS).iterdir() if d.is_dir()), reverse=True)
    kept = {live, *[n for n in names if not n.startswith(".") and n < live][: _KEPT - 1]}
    dropped = [name for name in names if name not in kept]
    for name in dropped:
        shutil.rmtree(folder / SNAPSHOTS / name, ignore_errors=True)
    withdraw_records(name for name in dropped if not name.startswith("."))
    if engine is not None:
        engine.sweep(folder, kept)


def clear_killed(folder: Path) -> None:
    """Removes what runs that were killed have left half written; for the one who holds the lock.

    At the beginning of a run and not only at its end: on a full disk it is the room that is missing.
    """
    for half in (folder / SNAPSHOTS).glob(".*"):
        shutil.rmtree(half, ignore_errors=True)
    with suppress(OSError):
        (folder / f"{CURRENT}.new").unlink()


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """What stands in the way of writing an index, whichever library met it, is told with the next step."""
    try:
        yield
    except (OSError, sqlite3.Error, RuntimeError, ValueError) as error:
        why = _why(error, folder)
        if not why:
            raise
        kept = "これまでの索引はそのまま使えます。" if (folder / CURRENT).exists() else ""
        raise IndexFolderError(
            f"{folder} に索引を書き込めません（{why}）。{kept}空き容量と書き込みの権限を確かめてください。"
        ) from error


# What SQLite, FAISS and tantivy say of the disk, in errors of kinds of their own.
_SIGNS = {
    "No space left": ENOSPC, "disk is full": ENOSPC, "os error 28": ENOSPC, "Read-only": EROFS, "readonly": EROFS,
    "os error 30": EROFS, "Permission denied": EACCES, "disk I/O error": EIO,
}  # fmt: skip
_TOLD = {
    ENOSPC: "ディスクの空きがありません", EDQUOT: "ディスクの割り当てを使い切りました", EROFS: "読み取り専用のディスクです",
    EACCES: "書き込む権限がありません", EPERM: "書き込む権限がありません", EIO: "ディスクに読み書きできません",
}  # fmt: skip


def _why(error: Exception, folder: Path) -> str:
    """Why something could not be written, in Japanese where that is known; empty where it has nothing to do with the disk."""
    number = error.errno if isinstance(error, OSError) else None
    if number is None:
        number = next((number for sign, number in _SIGNS.items() if sign in str(error)), None)
    if number is None and shutil.disk_usage(folder).free < _LEAST:
        number = ENOSPC
    told = (error.strerror or str(error)) if isinstance(error, OSError) else ""
    return told if number is None else _TOLD.get(number, told or os.strerror(number))


_LEAST = 1 << 20  # bytes: with less, nothing of an index can be written


@contextmanager
def lock(folder: Path) -> Iterator[None]:
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
