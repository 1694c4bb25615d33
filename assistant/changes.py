"""What differs between the sources on disk and an index, so that only that is read and written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from corpus.readers import READERS
from corpus.sources import SourceFile, digest
from corpus.version import reading_version
from index.manifest import Manifest
from index.stored import StoredReadings
from index.types import Encoder

# Of the documents. Past it a whole build costs little more, and what it writes needs no compaction.
MOST_CHANGED = 0.1


@dataclass(frozen=True, slots=True)
class Changes:
    """What an update has to look at: ``files`` to read (or to say why not), ``removed`` ones, and how many are as they were.

    ``manifest`` is that of the snapshot they were compared with.
    """

    manifest: Manifest
    files: list[SourceFile]
    removed: tuple[str, ...]
    unchanged: int


def changes_since(
    stored: StoredReadings,
    encoder: Encoder,
    files: list[SourceFile],
    max_bytes: int,
    adding: bool,
    sum_of: Callable[[SourceFile, int], str] = digest,
) -> Changes | None:
    """What has changed since the index was made, by the SHA-256 of every file; None where it has to be built whole.

    ``sum_of`` gives a file's SHA-256. ``adding``: what is in the index and not among the ``files`` stays. Of bytes that stand in the index under another
    name the intake tells a copy.
    """
    from index.update import can_update

    manifest = stored.manifest
    if manifest is None or stored.damaged or not can_update(manifest, encoder):
        return None
    held = stored.files()
    most = MOST_CHANGED * len(held)
    names = {file.name for file in files if not file.skipped}
    removed = () if adding else tuple(name for name in held if name not in names)
    known = {(sha256, _kind(name)) for name, sha256 in held.items() if name not in removed}
    refused = stored.refused()
    version = reading_version()
    changed = len(removed)
    looked_at: list[SourceFile] = []
    for file in files:
        if changed > most:
            return None
        sha256 = "" if file.skipped else sum_of(file, max_bytes)
        if sha256 and stored.unchanged(file.name, sha256, version):
            continue
        looked_at.append(file)
        copy = (sha256, READERS.get(file.suffix)) in known and file.name not in held
        if not (file.skipped or copy or file.name in refused):
            changed += 1
    if changed > most or not stored.whole():  # an update links the files of before, damaged ones too
        return None
    return Changes(manifest, looked_at, removed, len(files) - len(looked_at))


def _kind(name: str) -> object:
    return READERS.get(PurePosixPath(name).suffix.lower())
