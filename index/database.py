"""One SQL database behind a few methods: a SQLite file here, a PostgreSQL server in :mod:`index.postgres`.

Statements are written once, for both: values stand as ``?``, and where the two differ the words of :class:`Dialect` do.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from corpus.errors import DatabaseError, Duplicate

Row = tuple[Any, ...]
MEMORY = ":memory:"
TAKEN = "同じものがすでにあります。内容を確かめてください。"


@dataclass(frozen=True, slots=True)
class Dialect:
    """The words in which the two kinds of SQL differ; a schema names them in braces."""

    number: str
    """A primary key that counts by itself."""
    text: str
    """A text that is compared and ordered by its characters, whatever language the server is set to."""
    arrival: str
    """A column that orders rows as they were inserted, and ``arrives`` its definition."""
    arrives: str
    find: str
    """The function that finds a text (second) in another (first): its place from 1, or 0."""
    lock: str
    """What a select inside a transaction ends with, so that nobody else changes those rows before its end."""

    def written(self, schema: str) -> str:
        """A schema in these words."""
        return schema.format_map(asdict(self))


SQLITE = Dialect("integer primary key", "text", "rowid", "", "instr", "")


@dataclass(frozen=True, slots=True)
class Result:
    """The rows of a statement, if it gives any, and how many rows it gave or changed."""

    rows: list[Row]
    count: int


class Transaction(Protocol):
    """Statements that take effect together or not at all."""

    def execute(self, sql: str, values: Sequence[object] = ()) -> Result:
        """Runs one statement; Duplicate where a key is taken, DatabaseError for anything else."""
        ...


class Database(Protocol):
    """What is needed of a database; any thread may call it at any time. Every failure is a DatabaseError."""

    @property
    def dialect(self) -> Dialect:
        """Its words."""
        ...

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """The rows of one statement that changes nothing."""
        ...

    def transaction(self) -> AbstractContextManager[Transaction]:
        """A transaction, committed at the end of the block and undone where the block raises."""
        ...

    def create(self, schema: str) -> None:
        """Creates what a schema (``create … if not exists``, in words of :class:`Dialect`) names and is not there yet.

        Several processes may do so at the same time.
        """
        ...

    def columns(self, table: str) -> set[str]:
        """The names of a table's columns; none where there is no such table."""
        ...

    def erase(self, whole: bool = False) -> None:
        """Called after something was deleted for good: clears away what the database itself still keeps of it.

        ``whole``: every page is written anew, which takes time with the size of the database.
        """
        ...

    def close(self) -> None:
        """Lets go of files and connections; every call after it fails."""
        ...


class SQLiteDatabase:
    """A SQLite file, or one in memory: one connection behind a lock, since connections are not shared safely.

    >>> database = SQLiteDatabase()
    >>> database.rows("select 1 + ?", (1,))
    [(2,)]
    """

    dialect = SQLITE

    def __init__(self, path: Path | str = MEMORY, durable: bool = False) -> None:
        """``durable``: a transaction ends when it is on the disk."""
        self.path = str(path)
        self._lock = threading.Lock()
        with self._told():
            # Transactions begin and end where they are written below, not where Python guesses.
            self._db = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        with self._lock, self._told():
            self._db.execute("pragma journal_mode=wal").fetchall()
            # Every question is counted, and a disk takes milliseconds to confirm: a power cut may cost the last lines,
            # though never the file.
            self._db.execute(f"pragma synchronous={'full' if durable else 'normal'}")
            # What is deleted is overwritten with zeros; without this SQLite only marks its place as free.
            self._db.execute("pragma secure_delete=on").fetchall()

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """See :class:`Database`."""
        with self._lock, self._told():
            return self._db.execute(sql, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """See :class:`Database`."""
        with self._lock, self._told():
            self._db.execute("begin immediate")  # so that what is read in it is still true when it writes
            try:
                yield self
                self._db.execute("commit")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("rollback")
                raise

    def execute(self, sql: str, values: Sequence[object] = ()) -> Result:
        """For :meth:`transaction`, which holds the lock."""
        cursor = self._db.execute(sql, values)
        rows = cursor.fetchall()
        return Result(rows, len(rows) if rows else cursor.rowcount)

    def create(self, schema: str) -> None:
        """See :class:`Database`."""
        with self._lock, self._told():
            self._db.executescript(self.dialect.written(schema))

    def columns(self, table: str) -> set[str]:
        """See :class:`Database`."""
        return {row[0] for row in self.rows("select name from pragma_table_info(?)", (table,))}

    def erase(self, whole: bool = False) -> None:
        """The write-ahead log still holds the pages as they were; DatabaseError where another one is reading it."""
        with self._lock, self._told():
            if whole:
                self._db.execute("vacuum")  # pages that were split or joined keep stale bytes between their rows
            busy, *_ = self._db.execute("pragma wal_checkpoint(truncate)").fetchone()
        if busy:
            raise DatabaseError(
                "削除した内容が、ほかの処理が終わるまで保存先の記録（-wal）に残ります。あとで消えます。", self.path
            )

    def close(self) -> None:
        """See :class:`Database`."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError as error:
            raise Duplicate(TAKEN, f"{self.path}: {error}") from error
        except sqlite3.Error as error:
            raise DatabaseError(
                "保存先のファイルに読み書きできません。もう一度試し、続くときは管理者に伝えてください。",
                f"{self.path}: {error}",
            ) from error
