"""A written snapshot made the live one, and what older ones left removed; one writer in an index folder at a time."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
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
