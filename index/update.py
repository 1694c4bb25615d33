"""Files added to, changed in and taken out of a finished index, at the cost of these files and not of the index.

An update writes a new snapshot like a build, and ``CURRENT`` moves last; but the files of the snapshot before are linked
into it, and only an addition is written (docs/updating.md).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from corpus.errors import IndexFolderError, NothingToIndex
from index.additionwriter import AdditionWriter
from index.build import build
from index.firststage import Engine, Progress
from index.held import Held
from index.lexical import link_or_copy
from index.manifest import (
    FORMAT,
    LEXICAL,
    SNAPSHOTS,
    Manifest,
    Part,
    check,
    current,
    mark_verified,
    read_manifest,
    verified,
)
from index.parcels import Reading
from index.prepared import Prepared, preparing_version
from index.preparing import once, prepared, preparer_of, spool_of
from index.publishing import clear_killed, go_live, lock, publish, sweep, writing
from index.removed import REMOVED
from index.snapshot import Snapshot
from index.spread import Here, Spread
from index.types import Encoder
from index.windows import Windows

FOLDED = 2_000  # chunks: newest additions of no more than these in all are written again into the next one
# From here on a search and an opening pay for what a compaction would mend.
MOST_PARTS, MOST_ADDED, MOST_REMOVED = 4, 0.10, 0.20
WORTH = 2_000  # chunks: of fewer no share is large
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
    written = (manifest.format, manifest.encoder_digest, manifest.made_with)
    return written == (FORMAT, encoder.digest, preparing_version()) and _kept(manifest) < MOST_OPEN


def needs_compaction(manifest: Manifest) -> bool:
    """Whether there are so many additions, or so much was taken out, that a base should be written anew."""
    chunks = manifest.counts["chunks"] + manifest.removed
    added = sum(part.chunks for part in manifest.parts)
    much = added > MOST_ADDED * chunks and added > WORTH
    much |= manifest.removed > MOST_REMOVED * chunks and manifest.removed > WORTH
    return len(manifest.parts) > MOST_PARTS or much


def _kept(manifest: Manifest) -> int:
    """How many additions stay as they are: the newest small ones are written again together with what is new."""
    kept, chunks = len(manifest.parts), 0
    while kept and (chunks := chunks + manifest.parts[kept - 1].chunks) <= FOLDED:
        kept -= 1
    return kept


def update(
    folder: Path,
    encoder: Encoder,
    readings: Iterable[Reading | Prepared],
    removed: Iterable[str] = (),
    *,
    progress: Progress | None = None,
    refused: Callable[[], Iterable[tuple[str, str]]] | None = None,
    sources: Sequence[str] | None = None,
    expected: str | None = None,
    spread: Spread = Here,
    engine: Engine | None = None,
) -> Update:
    """Adds ``readings`` to the live snapshot of ``folder``, in place of what it has of the same files, and takes out the
    files of ``removed``, which is asked when the readings are through.

    ``refused`` is asked then for all files that could not be read; None: as before, and so with ``sources``. Where all is
    as it was, nothing is written. ``expected`` is the snapshot that the caller looked at. Raises IndexFolderError where
    another build runs or ran meanwhile, or the snapshot is none that can be updated (:func:`can_update`); NothingToIndex
    where no section would be left. The old snapshot stays live until all is on disk. For ``spread`` and ``engine`` see
    :func:`index.build.write_snapshot`.
    """
    tell = progress or (lambda what, done, total: None)
    with lock(folder), ExitStack() as stack:
        manifest = read_manifest(folder, current(folder))
        if not can_update(manifest, encoder) or expected not in (None, manifest.id):
            raise IndexFolderError(f"索引 {folder} は作りかえられています。hyoka index をもう一度実行してください。")
        work = folder / SNAPSHOTS / f".updating-{os.getpid()}"
        scratch = folder / SNAPSHOTS / f".scratch-{os.getpid()}"
        for place in (work, scratch):
            stack.callback(shutil.rmtree, place, ignore_errors=True)
        with writing(folder):
            clear_killed(folder)
            for place in (work, scratch):
                place.mkdir(parents=True)
            made = _write(folder, manifest, work, scratch, readings, removed, encoder, tell, refused, sources, spread)
            if made is None:
                sweep(folder, manifest.id, engine)  # a run that was killed as it swept
                return Update(manifest, 0, 0, 0)
            sound = verified(folder / SNAPSHOTS / manifest.id, manifest)
            name = publish(
                folder, work, encoder, made.counts, manifest.cosines, made.sources, made.parts, made.removed, made.known
            )
            go_live(folder, name, engine, tell)
        new = read_manifest(folder, name)
        if sound:  # what was linked has been read, what was written has just been summed
            mark_verified(folder / SNAPSHOTS / name, new)
        sweep(folder, name, engine)
        return Update(new, *made.files)


@dataclass(frozen=True, slots=True)
class _Made:
    """What an update wrote; ``known`` are the checksums of files that were only linked, ``files`` how many were added,
    changed and removed."""

    counts: dict[str, int]
    sources: tuple[str, ...]
    parts: tuple[Part, ...]
    removed: int
    known: dict[str, str]
    files: tuple[int, int, int]


def _write(
    folder: Path,
    manifest: Manifest,
    work: Path,
    scratch: Path,
    readings: Iterable[Reading | Prepared],
    removed: Iterable[str],
    encoder: Encoder,
    tell: Progress,
    refused: Callable[[], Iterable[tuple[str, str]]] | None,
    sources: Sequence[str] | None,
    spread: Spread,
) -> _Made | None:
    """Writes all files of the new snapshot but the manifest; None where there is nothing to write."""
    preparer, spool = preparer_of(encoder), spool_of(folder)
    windows = Windows(encoder, scratch / "own.npy", spool, lambda done: None) if preparer.texts else None
    # Under a large model the few documents of before would be encoded anew.
    kept = len(manifest.parts) if preparer.texts and len(manifest.parts) < MOST_OPEN else _kept(manifest)
    check(folder, folder / SNAPSHOTS / manifest.id, manifest, manifest.records(kept))  # they are written again
    held = Held(folder, manifest, kept)
    files: set[str] = set()
    added = changed = gone = 0
    try:
        with AdditionWriter(held, work, scratch, preparer, windows) as writer:
            for one in prepared(once(readings, files), preparer, spread, spool):
                if writer.take_out(one.file):
                    changed += 1
                else:
                    added += 1
                writer.add(one)
                tell("読み込み", added + changed, 0)
            gone = sum(writer.take_out(file) for file in removed if file not in files)
            unreadable = held.records.refused() if refused is None else list(refused())
            made_of = manifest.sources if sources is None else tuple(sources)
            same = not (added or changed or gone) and made_of == manifest.sources
            if same and not writer.news(unreadable):
                writer.give_up()
                return None
            for reading in held.folded():
                if writer.take_out(reading[0].file):
                    writer.add(Prepared.loads(preparer(reading)))
            counts = writer.whole_counts()
            if not counts["chunks"]:
                raise NothingToIndex(
                    "読み取れる評価シートがありませんでした。資料のフォルダーとファイルの種類を確かめてください。"
                )
            tell("単語の索引", 0, 0)
            writer.finish(((file, why) for file, why in unreadable if not writer.stands(file)), files)
            writer.vectors(encoder, preparer.encoder)
            writer.removed().write(work)
        spool.remove()
        parts = (*manifest.parts[:kept], Part(writer.folder, writer.counts["chunks"]))
        known = _linked(held, work)
        return _Made(counts, made_of, parts, writer.removed().chunks, known, (added, changed, gone))
    finally:
        held.records.close()


def _linked(held: Held, work: Path) -> dict[str, str]:
    """Links the files of the base and of the additions that stay, and says their checksums."""
    dropped = tuple(f"{part.folder}/" for part in held.manifest.parts[held.kept :])
    known = {}
    for name, checksum in held.manifest.files.items():
        place = work / name
        if name.startswith(f"{LEXICAL}/"):
            # What tantivy left of them; where the file system knows no links they are read again.
            if place.exists() and place.samefile(held.path / name):
                known[name] = checksum
        elif name != REMOVED and not name.startswith(dropped):
            place.parent.mkdir(parents=True, exist_ok=True)
            link_or_copy(held.path / name, place)
            known[name] = checksum
    return known


def document_parts(folder: Path, manifest: Manifest) -> int:
    """How many of a snapshot's sheets are no sheet of a programme, without opening the rest of it."""
    held = Held(folder, manifest, len(manifest.parts))
    try:
        tables = held.records.tables
        others = np.array([kind == "document" for kind in tables.kinds], dtype=bool)[tables.kind]
        return int(np.count_nonzero(others if tables.gone is None else others & ~tables.gone))
    finally:
        held.records.close()


def compact(folder: Path, encoder: Encoder, progress: Progress | None = None, engine: Engine | None = None) -> Snapshot:
    """Writes the live snapshot anew as one base, from the readings it holds; no source file is read.

    Readers use the old one meanwhile. Raises IndexFolderError where another build runs or ran meanwhile.
    """
    manifest = read_manifest(folder, current(folder))
    check(folder, folder / SNAPSHOTS / manifest.id, manifest, manifest.records())
    held = Held(folder, manifest, len(manifest.parts))

    def readings() -> Iterator[Reading]:
        if current(folder) != manifest.id:  # asked when the folder is locked
            raise IndexFolderError(f"索引 {folder} は作りかえられています。もう一度実行してください。")
        yield from held.records.readings()

    try:
        return build(readings(), encoder, folder, progress, held.records.refused, manifest.sources, engine=engine)
    finally:
        held.records.close()
