"""Where the rows of a snapshot's records are read: its SQLite file, or a PostgreSQL server (:mod:`index.recordsserver`)."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from index.database import Row

_MAPPED = 1 << 31  # bytes; SQLite maps no more


class RecordSource(Protocol):
    """Rows of finished records; statements are written in SQLite's words. Any thread may ask at any time."""

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """The rows of a statement."""
        ...

    def close(self) -> None:
        """Lets go of the file or the connections."""
        ...


class RecordsFile:
    """A finished records file, opened read-only. One connection, one query at a time."""

    def __init__(self, file: Path) -> None:
        # immutable: a snapshot never changes, so SQLite needs neither locks nor journals beside it.
        self._db = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
        self._db.execute(f"PRAGMA mmap_size = {_MAPPED}")  # pages of the file are not copied
        self._lock = threading.Lock()

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """See :class:`RecordSource`."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def close(self) -> None:
        """See :class:`RecordSource`."""
        self._db.close()
