"""A snapshot's records file, copied into a schema of its own on a PostgreSQL server: the same tables, rows and indexes."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
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


def schema_of(snapshot: str) -> str:
    """The schema of a snapshot.

    >>> schema_of("20260401T093000000001-0a1b2c3d")
    'hyoka_records_20260401t093000000001_0a1b2c3d'
    """
    return f"hyoka_records_{re.sub(r'[^0-9a-z]', '_', snapshot.lower())}"


def copy_records(url: str, file: Path, snapshot: str) -> bool:
    """Copies a records file into the snapshot's schema, all of it or nothing; False where it is there already.

    Several processes may do so at the same time: one copies, the others wait for it. Raises DatabaseError, or OSError
    where the file cannot be read.
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
                with closing(_open(file)) as source:
                    _copy(source, connection, schema, snapshot)
        except psycopg.Error as error:
            raise DatabaseError(
                f"{named(url)} に索引の記録を写せません（{first_line(error)}）。"
                "スキーマを作る権限と空き容量を確かめ、もう一度試してください。"
            ) from error
    return True


def drop_schema(url: str, schema: str) -> None:
    """Removes a schema with all that is in it; DatabaseError where somebody reads from it for too long."""
    with connect(url) as connection:
        import psycopg

        try:
            connection.execute(f"set lock_timeout = '{_LOCK_SECONDS}s'".encode())
            connection.execute(f'drop schema if exists "{schema}" cascade'.encode())
        except psycopg.Error as error:
            raise DatabaseError(
                f"{named(url)} のスキーマ {schema} を消せません（{first_line(error)}）。"
                f"使われなくなったら drop schema {schema} cascade で消してください。"
            ) from error


def _open(file: Path) -> sqlite3.Connection:
    if not file.is_file():  # SQLite would say no more than that it cannot
        raise FileNotFoundError(2, "ファイルがありません", str(file))
    return sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True)


def _is_ready(connection: Connection, schema: str) -> bool:
    found = connection.execute("select to_regclass(%s) is not null", (f'"{schema}".{READY}',)).fetchone()
    return bool(found and found[0])


def _copy(source: sqlite3.Connection, connection: Connection, schema: str, snapshot: str) -> None:
    for statement in (
        f'drop schema if exists "{schema}" cascade',
        f'create schema "{schema}"',
        f'set local search_path to "{schema}"',
        # A snapshot can be copied again from its file, so the disk need not confirm it at once.
        "set local synchronous_commit = off",
    ):
        connection.execute(statement.encode())
    made = source.execute(
        "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name"
    )
    counts = {table: _copy_table(source, connection, table) for (table,) in made.fetchall()}
    indexes = source.execute("select name, tbl_name from sqlite_master where type = 'index' and sql is not null")
    for index, table in indexes.fetchall():
        columns = [row[2] for row in source.execute(f"pragma index_info({index})")]
        _run(connection, f"create index on {table} ({_listed(columns)})")
    for table in counts:
        _run(connection, f"analyze {table}")  # without it the first questions are planned for empty tables
    _run(connection, f"create table {READY} (snapshot text not null, at text not null, counts text not null)")
    at = datetime.now(UTC).isoformat(timespec="seconds")
    connection.execute(f"insert into {READY} values (%s, %s, %s)".encode(), (snapshot, at, json.dumps(counts)))


def _copy_table(source: sqlite3.Connection, connection: Connection, table: str) -> int:
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
    count = 0
    with connection.cursor().copy(f"copy {table} ({_listed(wanted)}) from stdin".encode()) as copy:
        for row in source.execute(f"select {_listed(wanted)} from {table}"):
            copy.write_row([stored(value) for value in row])
            count += 1
    if keys:
        _run(connection, f"alter table {table} add primary key ({_listed([name for _, name, _ in sorted(keys)])})")
    return count


def _listed(columns: list[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _run(connection: Connection, statement: str) -> None:
    connection.execute(statement.encode())
