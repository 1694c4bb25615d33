"""What stands in folders at a moment, as far as an index would read it: sizes and times, no contents."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from corpus.archives import ENDING
from corpus.readers import READERS
from corpus.sources import left_out

Stamp = tuple[int, int]
Listing = dict[Path, dict[str, Stamp]]
"""For each folder the files below it with their size in bytes and the time of their last change in nanoseconds."""

# Where the machine is not told what another one writes.
_FAR = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "vboxsf", "prl_fs", "drvfs", "ncpfs"}
_GOING_ON = (errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR)


def listing(folders: Sequence[Path]) -> Listing:
    """The files that would be read. Raises OSError where a folder is gone, or the way to it broken: that is not the same as
    a folder that has become empty."""
    found: Listing = {}
    for folder in folders:
        files: dict[str, Stamp] = {}
        waiting = [folder]
        while waiting:
            here = waiting.pop()
            try:
                with os.scandir(here) as entries:
                    for entry in entries:
                        if left_out(entry.name):
                            continue
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(Path(entry.path))
                        elif is_read(entry.name):
                            _note(files, entry)
            except OSError as error:
                # A folder one may not open is told by the index; one that went meanwhile is gone.
                if here == folder or error.errno not in _GOING_ON:
                    raise
        found[folder] = files
    return found


def is_read(name: str) -> bool:
    """Whether a file of that name is read at all.

    >>> [is_read(name) for name in ("集計.xlsx", "まとめ.ZIP", "~$集計.xlsx", "集計.tmp", "Thumbs.db")]
    [True, True, False, False, False]
    """
    suffix = PurePosixPath(name).suffix.lower()
    return not left_out(name) and (suffix in READERS or suffix == ENDING)


def changes(before: Listing, after: Listing) -> tuple[int, int, int]:
    """How many files were added, changed and removed."""
    old = {(folder, name): stamp for folder, files in before.items() for name, stamp in files.items()}
    new = {(folder, name): stamp for folder, files in after.items() for name, stamp in files.items()}
    changed = sum(one in old and old[one] != stamp for one, stamp in new.items())
    return len(new.keys() - old.keys()), changed, len(old.keys() - new.keys())


def emptied(before: Listing, after: Listing) -> list[Path]:
    """Folders in which there were files and now there are none at all: a share that is not mounted looks so."""
    return [folder for folder, files in after.items() if not files and before.get(folder)]


def is_far(folder: Path, mounts: str = "/proc/self/mounts") -> bool:
    """Whether a folder lies on another machine, so that its changes have to be looked for."""
    try:
        lines = Path(mounts).read_text("utf-8", "replace").splitlines()
    except OSError:
        return False
    nearest, kind = -1, ""
    for line in lines:
        parts = line.split(" ")
        if len(parts) < 3:
            continue
        point = Path(parts[1].replace("\\040", " "))
        if folder.is_relative_to(point) and len(point.parts) >= nearest:
            nearest, kind = len(point.parts), parts[2]
    return kind in _FAR or (kind.startswith("fuse.") and kind != "fuse.overlayfs") or kind == "fuseblk"


def _note(files: dict[str, Stamp], entry: os.DirEntry[str]) -> None:
    try:
        told = entry.stat()
    except OSError as error:
        if error.errno not in _GOING_ON:
            raise
        return
    files[entry.path] = told.st_size, told.st_mtime_ns
