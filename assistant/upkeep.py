"""What the 管理 screen keeps up: the index that is served, its rebuilding, and the city's own synonyms."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from assistant.access.caller import caller
from assistant.answercache import cached
from assistant.live import Live
from assistant.pool import Pool
from assistant.pooled import SharedSnapshot, pooled
from assistant.readiness import Asker, warm
from assistant.rebuild import Rebuild
from assistant.settings import Settings
from corpus.errors import IndexFolderError, SettingsError
from index.manifest import current, read_manifest
from index.snapshot import Snapshot
from index.synonyms import use_synonyms
from index.tuning.store import TUNING
from index.update import needs_compaction

logger = logging.getLogger(__name__)

_TIDY_SECONDS = 1.0  # after an index was opened: what asks for it then is busy


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Everything of a server that can be kept up; ``synonyms`` is the city's own file, which may not be there yet;
    ``pool`` the processes that answer, where they are others than this one."""

    folder: Path
    live: Live
    rebuild: Rebuild
    synonyms: Path
    pool: Pool | None = None


@dataclass(frozen=True, slots=True)
class Inventory:
    """What is served and where it comes from; ``size`` in bytes, ``snapshots`` as (id, size) with the newest first."""

    version: str
    created: datetime
    encoder: str
    dim: int
    counts: dict[str, int]
    sources: tuple[str, ...]
    size: int
    snapshots: tuple[tuple[str, int], ...]


def inventory(index: object) -> Inventory | None:
    """The account of a local index, of what the caller may see of it; None for one that is not in a folder."""
    if not isinstance(index, Snapshot):
        return None
    manifest = index.manifest
    if not caller().sees_all:  # folders and sizes tell of what is hidden
        return Inventory(manifest.id, manifest.created, manifest.encoder, manifest.dim, index.counts(), (), 0, ())
    kept = sorted((one for one in index.path.parent.iterdir() if not one.name.startswith(".")), reverse=True)
    sizes = tuple((one.name, _size(one)) for one in kept if one.is_dir())
    return Inventory(
        manifest.id,
        manifest.created,
        manifest.encoder,
        manifest.dim,
        manifest.counts,
        manifest.sources,
        dict(sizes).get(manifest.id, 0),
        sizes,
    )


def _size(folder: Path) -> int:
    """The bytes of the files in a folder, as far as they are still there: a build may be sweeping it."""
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except OSError:
            continue
    return total


def open_upkeep(settings: Settings, first: Snapshot, pool: Pool | None = None, tidying: bool = True) -> Upkeep:
    """The upkeep of a server that has opened ``first`` with these settings; nothing is started yet, but where updates have
    piled up, their compaction in a moment.

    The processes of ``pool`` answer, where there is one; else this one. Without ``tidying`` the index is only read.
    """
    from assistant.session import Assistant

    folder, own = settings.index_dir, settings.synonyms_file

    def stamp(version: str = "") -> str:
        return "\n".join([version or current(folder), _stamp(folder / TUNING), _stamp(own)])

    # Not ``first`` itself: what reopens would keep the first index open, with its files, for as long as the server runs.
    encoder, word_encoder, reranker, engine = first.encoder, first.word_encoder, first.reranker, first.engine
    begun = stamp(first.version)  # a build may have moved CURRENT since
    opened = {"files": _stamp_of_files(begun)}

    def answering(index: Snapshot, wait: bool = True) -> Asker:
        return cached(
            Assistant(index) if pool is None else pooled(index, pool, wait),
            settings.answer_cache,
        )

    def reopen(old: Asker) -> Asker:
        now = stamp()
        synonyms = use_synonyms(own)
        before = old.index
        if isinstance(before, Snapshot) and opened["files"] == _stamp_of_files(now):
            asker = answering(before.with_synonyms(synonyms))  # only the synonyms changed: no file is read again
            warm(asker)
            return asker
        snapshot = Snapshot.open(
            folder,
            encoder,
            synonyms,
            word_encoder=word_encoder,
            reranker=reranker,
            engine=engine,
        )
        opening: Snapshot | SharedSnapshot = snapshot
        try:
            snapshot.search("準備", 1)
            asker = answering(snapshot)
            opening = asker.index if isinstance(asker.index, SharedSnapshot) else snapshot
            warm(asker)  # while the old one goes on answering
        except BaseException:
            opening.close()
            raise
        opened["files"] = _stamp_of_files(now)
        if tidying:
            tidy_later()
        return asker

    live = Live(answering(first, wait=False), stamp, reopen, settings.watch_seconds, begun)

    def sources() -> Sequence[str]:
        if settings.sources:
            return [str(source.resolve()) for source in settings.sources]
        try:
            return read_manifest(folder, current(folder)).sources
        except IndexFolderError:
            return ()

    rebuild = Rebuild(folder, sources, lambda: live.check(now=True))

    def tidy() -> None:
        """Has an index written anew to which many updates were added, while it goes on answering. What fails is not
        tried again before the index changes."""
        index = live.index
        if not isinstance(index, Snapshot) or not needs_compaction(index.manifest):
            return
        try:
            if not rebuild.compact():
                tidy_later()  # another build is under way
        except SettingsError as problem:
            logger.error("%s", problem.message)

    def tidy_later() -> None:
        timer = threading.Timer(_TIDY_SECONDS, tidy)
        timer.daemon = True
        timer.start()

    if tidying and needs_compaction(first.manifest):
        tidy_later()
    return Upkeep(folder, live, rebuild, own, pool)


def _stamp_of_files(stamp: str) -> str:
    """The part of a stamp that says which files are to be opened."""
    return stamp.rpartition("\n")[0]


def _stamp(file: Path) -> str:
    """A sign that changes with a file."""
    try:
        told = file.stat()
    except OSError:
        return "-"
    return f"{told.st_mtime_ns}-{told.st_size}-{told.st_ino}"
