"""A snapshot's records files on a PostgreSQL server: each file in a schema of its own, the snapshot in one of views of them.

A file's schema is named after its checksum, so what two snapshots have in common is copied and kept once.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.errors import DatabaseError
from index.postgres import first_line, lock_schema, stored
from index.postgresurl import connect, named

if TYPE_CHECKING:
    from psycopg import Connection

READY = "ready"  # the table that is written last: without it a schema is not there
_TYPES = {"INTEGER": "bigint", "REAL": "double precision", "TEXT": 'text collate "C"'}
_ROWID = "rowid"  # SQLite has it in every table; here it stands in those whose key is no number
_LOCK_SECONDS = 10

# Tables whose rows are numbered on from file to file; the others are those of the newest file.
_NUMBERED = ("documents", "sheets", "sections", "chunks", "facts", "events")


@dataclass(frozen=True, slots=True)
class RecordsPart:
    """One records file of a snapshot and its SHA-256."""

    file: Path
    digest: str

    @property
    def schema(self) -> str:
        """The schema that holds its tables."""
        return f"hyoka_records_{self.digest[:32]}"


def schema_of(snapshot: str) -> str:
    """The schema of a snapshot.

    >>> schema_of("20260401T093000000001-0a1b2c3d")
    'hyoka_snapshot_20260401t093000000001_0a1b2c3d'
    """
    return f"hyoka_snapshot_{re.sub(r'[^0-9a-z]', '_', snapshot.lower())}"


def copy_records(url: str, parts: Sequence[RecordsPart], snapshot: str) -> bool:
    """Makes a snapshot readable on the server, all of it or nothing; False where it is there already.

    Several processes may do so at the same time: one copies, the others wait for it. Raises DatabaseError, or OSError
    where a file cannot be read.
    """
    schema = schema_of(snapshot)
    with connect(url) as connection:
        import psycopg

        try:
            if _is_ready(connection, schema):
                return False
            with connection.transaction():
                lock_schema(connection, schema)
                if _is_ready(connection, schema):
                    return False
                # A snapshot can be copied again from its files, so the disk need not confirm it at once.
                _run(connection, "set local synchronous_commit = off")
                for part in parts:
                    lock_schema(connection, part.schema)
                    if not _is_ready(connection, part.schema):
                        _copy(connection, part)
                _view(connection, schema, snapshot, [part.schema for part in parts])
        except psycopg.Error as error:
            raise DatabaseError(
                f"{named(url)} に索引の記録を写せません（{first_line(error)}）。"
                "スキーマを作る権限と空き容量を確かめ、もう一度試してください。"
            ) from error
    return True


def drop_records(url: str, snapshot: str) -> None:
    """Removes a snapshot, and of its files those that no other snapshot needs.

    Raises DatabaseError where somebody reads from it for too long.
    """
    schema = schema_of(snapshot)
    with connect(url) as connection:
        import psycopg

        try:
            _run(connection, f"set lock_timeout = '{_LOCK_SECONDS}s'")
            if not _is_ready(connection, schema):
                return
            with connection.transaction():
                row = connection.execute(f'select parts from "{schema}".{READY}'.encode()).fetchone()
                _run(connection, f'drop schema "{schema}" cascade')
                for part in json.loads(row[0]) if row else ():
                    _drop_part(connection, part)
        except psycopg.Error as error:
            raise DatabaseError(
                f"{named(url)} のスキーマ {schema} を消せません（{first_line(error)}）。"
                f"使われなくなったら drop schema {schema} cascade で消してください。"
            ) from error


def _drop_part(connection: Connection, schema: str) -> None:
    import psycopg

    try:
        with connection.transaction():
            lock_schema(connection, schema)  # of whoever is just about to build views on it
            for table in _tables(connection, schema):
                _run(connection, f'drop table "{schema}"."{table}" restrict')
            _run(connection, f'drop schema if exists "{schema}"')
    except psycopg.errors.DependentObjectsStillExist:
        pass  # the views of another snapshot need it


def _open(file: Path) -> sqlite3.Connection:
    if not file.is_file():  # SQLite would say no more than that it cannot
        raise FileNotFoundError(2, "ファイルがありません", str(file))
    return sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True)


def _is_ready(connection: Connection, schema: str) -> bool:
    # A table is asked, not to_regclass: that answers from the session's cache, where after waiting for a lock a schema
    # that another one has made meanwhile is still missing, and its views would be made a second time under its readers.
    return READY in _tables(connection, schema)


def _tables(connection: Connection, schema: str) -> list[str]:
    found = connection.execute("select tablename from pg_tables where schemaname = %s", (schema,)).fetchall()
    return [row[0] for row in found]


def _begin(connection: Connection, schema: str) -> None:
    _run(connection, f'drop schema if exists "{schema}" cascade')
    _run(connection, f'create schema "{schema}"')
    _run(connection, f'set local search_path to "{schema}"')


def _end(connection: Connection, what: str, parts: Sequence[str]) -> None:
    _run(connection, f"create table {READY} (what text not null, at text not null, parts text not null)")
    at = datetime.now(UTC).isoformat(timespec="seconds")
    connection.execute(f"insert into {READY} values (%s, %s, %s)".encode(), (what, at, json.dumps(parts)))


def _copy(connection: Connection, part: RecordsPart) -> None:
    _begin(connection, part.schema)
    with closing(_open(part.file)) as source:
        tables = source.execute("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'")
        for (table,) in tables.fetchall():
            _copy_table(source, connection, table)
        indexes = source.execute("select name, tbl_name from sqlite_master where type = 'index' and sql is not null")
        for index, table in indexes.fetchall():
            columns = [row[2] for row in source.execute(f"pragma index_info({index})")]
            _run(connection, f"create index on {table} ({_listed(columns)})")
    for table in _tables(connection, part.schema):
        _run(connection, f"analyze {table}")  # without it the first questions are planned for empty tables
    _end(connection, part.file.name, [])


def _view(connection: Connection, schema: str, snapshot: str, parts: Sequence[str]) -> None:
    """The tables of a snapshot: the rows of all its files, or of the newest."""
    _begin(connection, schema)
    for table in _tables(connection, parts[-1]):
        if table != READY:
            _run(connection, f"create view {table} as {_rows_of(table, parts)}")
    _end(connection, snapshot, parts)


def _rows_of(table: str, parts: Sequence[str]) -> str:
    of = parts if table in _NUMBERED else parts[-1:]
    return " union all ".join(f'select * from "{part}".{table}' for part in of)


def _copy_table(source: sqlite3.Connection, connection: Connection, table: str) -> None:
    columns, keys, definitions = [], [], []
    for _, name, kind, required, _, key in source.execute(f"pragma table_info({table})"):
        columns.append(name)
        definitions.append(f'"{name}" {_TYPES[kind]}{" not null" if required else ""}')
        if key:
            keys.append((key, name, kind))
    # SQLite counts the rows of a table without a number for its key, and that order is asked for.
    wanted = list(columns)
    if [kind for _, _, kind in keys] != ["INTEGER"]:
        wanted.append(_ROWID)
        definitions.append(f"{_ROWID} bigint not null")
    _run(connection, f"create table {table} ({', '.join(definitions)})")
    with connection.cursor().copy(f"copy {table} ({_listed(wanted)}) from stdin".encode()) as copy:
        for row in source.execute(f"select {_listed(wanted)} from {table}"):
            copy.write_row([stored(value) for value in row])
    if keys:
        _run(connection, f"alter table {table} add primary key ({_listed([name for _, name, _ in sorted(keys)])})")


def _listed(columns: list[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _run(connection: Connection, statement: str) -> None:
    connection.execute(statement.encode())
