"""The original PDFs beside an index, kept only where that is asked for: a page can then be shown as it was published.

They stand in ``originals/`` of the index folder under the SHA-256 of their bytes, apart from the snapshots: a file that
several snapshots hold is kept once, and what the live one does not hold is removed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from corpus.errors import DocumentError, IndexFolderError

FOLDER = "originals"
ENDING = ".pdf"


def keeps_originals(folder: Path) -> bool:
    """Whether an index folder was told to keep the originals."""
    return (folder / FOLDER).is_dir()


def original_of(folder: Path, sha256: str) -> Path | None:
    """The kept file of these bytes, None where there is none. Whoever reads it compares the bytes with their SHA-256."""
    path = folder / FOLDER / f"{sha256}{ENDING}"
    return path if path.is_file() else None


def keep_originals(folder: Path, wanted: Mapping[str, Callable[[], bytes]]) -> int:
    """Keeps the files of ``wanted`` (what gives the bytes, by their SHA-256), and removes all others; returns how many it has.

    A file that is gone or has changed since it was read is left out: what is kept is what was indexed.
    """
    place = folder / FOLDER
    try:
        place.mkdir(parents=True, exist_ok=True)
        for sha256, read in wanted.items():
            path = place / f"{sha256}{ENDING}"
            if path.exists():
                continue
            try:
                data = read()
            except (DocumentError, OSError):
                continue
            if hashlib.sha256(data).hexdigest() == sha256:
                new = place / f".new-{os.getpid()}"
                with new.open("wb") as stream:
                    stream.write(data)
                    stream.flush()
                    os.fsync(stream.fileno())  # a name that is there is taken for the whole file
                new.replace(path)
        for path in place.iterdir():
            if path.name.removesuffix(ENDING) not in wanted:
                path.unlink()
        return sum(1 for _ in place.iterdir())
    except OSError as error:
        message = f"{place} に元のPDFを保存できません（{error.strerror}）。空き容量と書き込みの権限を確かめてください。"
        raise IndexFolderError(message) from error


def drop_originals(folder: Path) -> None:
    """Removes the kept files."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
