"""Readings of documents to a new snapshot, written beside the old one; ``CURRENT`` moves when all of it is on disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from corpus.errors import NothingToIndex
from index.cosines import CosineScales
from index.firststage import Engine, Progress
from index.manifest import MANIFEST, SNAPSHOTS, current
from index.parcels import Reading
from index.prepared import Prepared
from index.preparing import once, prepared, preparer_of, spool_of
from index.publishing import clear_killed, go_live, lock, publish, sweep, writing
from index.snapshot import Snapshot
from index.snapshotwriter import SnapshotWriter
from index.spool import Spool
from index.spread import Here, Spread
from index.types import Encoder
from index.windows import Windows

_MEANING = "意味の索引"


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
    with lock(folder):
        work = folder / SNAPSHOTS / f".building-{os.getpid()}"
        scratch = folder / SNAPSHOTS / f".scratch-{os.getpid()}"
        try:
            with writing(folder):
                clear_killed(folder)
                for place in (work, scratch):
                    place.mkdir(parents=True)
                counts, cosines = _write(work, scratch, readings, encoder, tell, refused, spread, spool)
                name = publish(folder, work, encoder, counts, cosines, tuple(sources))
                go_live(folder, name, engine, tell)
        finally:
            for place in (work, scratch):
                shutil.rmtree(place, ignore_errors=True)
        spool.remove()
        sweep(folder, name, engine)
        return name


def finish(folder: Path, engine: Engine, progress: Progress | None = None) -> str:
    """Sends the newest finished snapshot of an index folder to the engine and makes it live; returns its name.

    That is the live one where the engine has lost it or never had it, or a newer one whose sending broke off; sending goes on
    where it stopped. Raises IndexMissing where there is no snapshot, EngineError where the engine does not take it.
    """
    with lock(folder):
        finished = [one.parent.name for one in (folder / SNAPSHOTS).glob(f"*/{MANIFEST}") if one.parent.name[0] != "."]
        name = max(finished, default="") or current(folder)
        go_live(folder, name, engine, progress or (lambda what, done, total: None))
        sweep(folder, name, engine)
    return name


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
        for one in prepared(once(readings, files), preparer, spread, spool):
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
