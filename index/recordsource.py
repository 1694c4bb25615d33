"""Where the rows of a snapshot's records are read: its SQLite file, or a PostgreSQL server (:mod:`index.recordsserver`)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from index.database import Row
from index.recordsfiles import connect


class RecordSource(Protocol):
    """Rows of finished records; statements are written in SQLite's words. Any thread may ask at any time."""

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """The rows of a statement."""
        ...

    def close(self) -> None:
        """Lets go of the file or the connections."""
        ...


class RecordsFile:
    """Finished records files, a base and its additions, opened read-only. One connection, one query at a time."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._db = connect(files)
        self._lock = threading.Lock()

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """See :class:`RecordSource`."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def close(self) -> None:
        """See :class:`RecordSource`."""
        self._db.close()
