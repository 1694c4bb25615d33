"""The records files of a snapshot as one database: the base's tables with the rows of its additions after them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

# Tables whose rows are numbered on from part to part.
_NUMBERED = ("documents", "sheets", "sections", "chunks", "facts", "events")
_MAPPED = 1 << 31  # bytes; SQLite maps no more


def connect(files: Sequence[Path]) -> sqlite3.Connection:
    """The base's file and those of its additions, oldest first, opened read-only under the names of one file's tables.

    Rows of removed documents are among them (:mod:`index.removed`), so numbers are without gaps. The files that could
    not be read are those of the newest.
    """
    # immutable: a snapshot never changes, so SQLite needs neither locks nor journals beside it.
    db = sqlite3.connect(_uri(files[0]), uri=True, check_same_thread=False)
    db.execute(f"PRAGMA mmap_size = {_MAPPED}")  # pages of the file are not copied
    if len(files) == 1:
        return db
    db.execute("PRAGMA temp_store = MEMORY")
    parts = schemas(len(files))
    for part, file in zip(parts[1:], files[1:], strict=True):
        db.execute(f"ATTACH DATABASE ? AS {part}", (_uri(file),))
    for table in _NUMBERED:
        rows = " UNION ALL ".join(f"SELECT * FROM {part}.{table}" for part in parts)
        db.execute(f"CREATE TEMP VIEW {table} AS {rows}")
    db.execute(f"CREATE TEMP VIEW refused AS SELECT rowid AS rowid, file, message FROM {parts[-1]}.refused")
    return db


def schemas(count: int) -> list[str]:
    """The names under which the files of :func:`connect` stand."""
    return ["main", *(f"part{number}" for number in range(1, count))]


def _uri(file: Path) -> str:
    return f"{file.resolve().as_uri()}?mode=ro&immutable=1"
