"""The records of snapshots on a PostgreSQL server, so that many servers read one copy: each in a schema of its own.

The file of the snapshot stays where it is and what it is; the schema holds the same tables with the same rows.
"""

from __future__ import annotations

import json
import logging
import re
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from corpus.errors import DatabaseError, SettingsError
from index.database import Row
from index.manifest import RECORDS, Manifest
from index.postgres import PostgresDatabase, stored
from index.postgresurl import connect, named
from index.recordscopy import RecordsPart, copy_records, drop_records, schema_of
from index.recordsource import RecordsFile, RecordSource

logger = logging.getLogger(__name__)

_LIST = re.compile(r"IN \(SELECT value FROM json_each\(\?\)\)")
_END = re.compile(r'(?<![\w"])end(?![\w"])')

_url: str | None = None


def use_records_server(url: str | None) -> None:
    """From now on snapshots are read from this server, and new ones are copied to it; None: from their files."""
    global _url
    _url = url


def check_records_server() -> None:
    """Says now, and not after hours of building, what stands in the way of the server in use (DatabaseError)."""
    if _url is not None:
        connect(_url).close()


def publish_records(path: Path, manifest: Manifest) -> None:
    """Copies the records of the snapshot folder ``path`` to the server in use, if there is one; DatabaseError if it fails."""
    if _url is not None:
        copy_records(_url, parts_of(path, manifest), manifest.id)


def parts_of(path: Path, manifest: Manifest) -> list[RecordsPart]:
    """The records files of the snapshot folder ``path``, the oldest first."""
    files = manifest.places(path, RECORDS)
    return [RecordsPart(file, manifest.files[file.relative_to(path).as_posix()]) for file in files]


def records_source(path: Path, manifest: Manifest) -> RecordSource | None:
    """Where the rows of a snapshot are read, if not from its file: the server in use.

    A snapshot that is not there yet, since it was made before the server was used, is copied first.
    """
    if _url is None:
        return None
    copy_records(_url, parts_of(path, manifest), manifest.id)
    return RecordsServer(_url, manifest.id, lambda: RecordsFile(manifest.places(path, RECORDS)))


def withdraw_records(snapshots: Iterable[str]) -> None:
    """Removes snapshots from the server in use; what somebody is reading at this moment stays, with a warning."""
    if _url is None:
        return
    for snapshot in snapshots:
        try:
            drop_records(_url, snapshot)
        except (DatabaseError, SettingsError) as problem:  # the new index stands; an old one too many costs only room
            logger.warning("%s から古い索引 %s を消せませんでした: %s", named(_url), snapshot, problem)


class RecordsServer:
    """The records of one snapshot on a server, as :class:`index.recordsource.RecordSource`; a connection a query.

    While the server does not answer, the same rows are read from the ``spare`` source, where there is one.
    """

    def __init__(self, url: str, snapshot: str, spare: Callable[[], RecordSource] | None = None) -> None:
        self._database = PostgresDatabase(url, schema_of(snapshot), make=False)
        self._lock = threading.Lock()
        self._open_spare = spare
        self._spare: RecordSource | None = None
        self._closed = False

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """See :class:`index.recordsource.RecordSource`."""
        written, lists = translated(sql)
        there = [_listed(value) if at in lists else value for at, value in enumerate(values)]
        try:
            return self._database.rows(written, there)
        except DatabaseError as problem:
            spare = self._opened_spare(problem)
        return spare.rows(sql, values)

    def _opened_spare(self, problem: DatabaseError) -> RecordSource:
        with self._lock:
            if self._closed or self._open_spare is None:
                raise problem
            if self._spare is None:
                try:
                    self._spare = self._open_spare()
                except (OSError, sqlite3.Error):
                    raise problem from None
                logger.warning("%s のため、索引のフォルダーの記録を読みます。", problem)
            return self._spare

    def close(self) -> None:
        """See :class:`index.recordsource.RecordSource`."""
        self._database.close()
        with self._lock:
            self._closed = True
            if self._spare is not None:
                self._spare.close()


@lru_cache(maxsize=500)
def translated(sql: str) -> tuple[str, frozenset[int]]:
    """A statement for SQLite in PostgreSQL's words, and the places of those values that are lists (as JSON).

    >>> translated("SELECT start, end FROM chunks WHERE section > ? AND chunk IN (SELECT value FROM json_each(?))")
    ('SELECT start, "end" FROM chunks WHERE section > ? AND chunk = ANY(?)', frozenset({1}))
    """
    lists = frozenset(sql.count("?", 0, found.end()) - 1 for found in _LIST.finditer(sql))
    return _END.sub('"end"', _LIST.sub("= ANY(?)", sql)), lists


def _listed(value: object) -> list[object]:
    return [stored(one) for one in json.loads(str(value))]
