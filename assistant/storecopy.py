"""A store in a file, copied into an empty one on a PostgreSQL server, and one on a server, copied into a new file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from assistant.store import FeedbackStore
from corpus.errors import DatabaseError, SettingsError
from index.postgres import PostgresDatabase

# What each table is called on the screens; a table that refers to another comes after it.
TABLES = {
    "feedback": "評価",
    "unanswered": "答えのなかった質問",
    "drafts": "質問の案",
    "asked": "数えた質問",
    "talks": "会話",
    "talk_entries": "会話の質問と回答",
    "audit": "監査の記録",
}
_NUMBERED = (
    "feedback",
    "unanswered",
    "drafts",
    "talk_entries",
    "audit",
)  # new rows go on counting where the file stopped
_AT_ONCE = 500


def copy_store(file: Path, url: str) -> dict[str, int]:
    """Copies all of it or nothing; returns how many rows of what.

    Raises SettingsError where there is no store in ``file`` or the target has something in it, DatabaseError where one
    of the two fails. The file stays as it is, and is best not in use meanwhile.
    """
    if not file.is_file():
        raise SettingsError(
            f"{file} がありません。--from か HYOKA_FEEDBACK_FILE に、評価を残してきたファイルを指定してください。"
        )
    target = PostgresDatabase(url)
    try:
        FeedbackStore(target)
        return _copy(file, target)
    except DatabaseError as problem:
        raise DatabaseError(
            f"{target.name} に写せませんでした（{problem}）。何も書き込んでいません。内容を確かめて、もう一度試してください。"
        ) from problem
    except sqlite3.Error as error:
        raise DatabaseError(
            f"{file} を読めません（{error}）。hyoka の評価のファイルかどうか、権限とあわせて確かめてください。"
        ) from error
    finally:
        target.close()


def keep_store(url: str, file: Path) -> dict[str, int]:
    """Copies one moment of a server's store, whoever writes to it meanwhile, into a new file; returns how many rows of what.

    Raises DatabaseError where one of the two fails.
    """
    source = PostgresDatabase(url, make=False)
    counts = {}
    try:
        FeedbackStore(file).close()
        with closing(sqlite3.connect(file)) as target, source.transaction() as begun:
            begun.execute("set transaction isolation level repeatable read, read only")
            for table, name in TABLES.items():
                there = [row[1] for row in target.execute(f"pragma table_info({table})")]
                columns = [one for one in there if one in source.columns(table)]
                counts[name] = 0
                if not columns:
                    continue  # nothing was ever kept there
                # Rows of a file without a number stand in the order in which they came.
                arrival = source.dialect.arrival
                came = [arrival] if arrival in source.columns(table) else []
                order = ", ".join([*came, *columns])  # of all columns: pages of rows with ties would overlap
                insert = f"insert into {table} ({', '.join(columns)}) values ({', '.join('?' * len(columns))})"
                read = f"select {', '.join(columns)} from {table} order by {order} limit {_AT_ONCE} offset ?"
                while rows := begun.execute(read, (counts[name],)).rows:
                    target.executemany(insert, rows)
                    counts[name] += len(rows)
            target.commit()
    except sqlite3.Error as error:
        raise DatabaseError(f"{file} に書けません（{error}）。空き容量と権限を確かめてください。") from error
    finally:
        source.close()
    return counts


def count_store(url: str) -> dict[str, int]:
    """How many rows of what a server's store holds; 0 where it was never used. Raises DatabaseError."""
    source = PostgresDatabase(url, make=False)
    try:
        return {
            name: int(str(source.rows(f"select count(*) from {table}")[0][0])) if source.columns(table) else 0
            for table, name in TABLES.items()
        }
    finally:
        source.close()


def _copy(file: Path, target: PostgresDatabase) -> dict[str, int]:
    source = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)
    counts = {}
    try:
        source.execute("begin")  # one moment of the file, whoever writes to it meanwhile
        known = {row[0] for row in source.execute("select name from sqlite_master where type = 'table'")}
        if not known & TABLES.keys():
            raise SettingsError(f"{file} は hyoka の評価のファイルではありません。--from を確かめてください。")
        with target.transaction() as begun:
            begun.execute("set local synchronous_commit = on")
            for table in TABLES:
                begun.execute(f"lock table {table} in exclusive mode")  # nobody adds to it between look and copy
            for table, name in TABLES.items():
                if begun.execute(f"select 1 from {table} limit 1").rows:
                    raise SettingsError(
                        f"{target.name} にはすでに{name}があります。上書きしません。"
                        "空のデータベースを HYOKA_DATABASE_URL に指定してください。"
                    )
            for table, name in TABLES.items():
                counts[name] = 0
                if table not in known:
                    continue
                # A file of an earlier version lacks columns; the rest of the row is what the schema says.
                columns = [row[1] for row in source.execute(f"pragma table_info({table})")]
                marks = f"({', '.join('?' for _ in columns)})"
                rows = source.execute(f"select {', '.join(columns)} from {table} order by rowid")
                while some := rows.fetchmany(_AT_ONCE):
                    begun.execute(
                        f"insert into {table} ({', '.join(columns)}) values {', '.join([marks] * len(some))}",
                        [value for row in some for value in row],
                    )
                    counts[name] += len(some)
                if table in _NUMBERED:
                    begun.execute(
                        f"select setval(pg_get_serial_sequence('{table}', 'id'),"
                        f" (select coalesce(max(id), 0) + 1 from {table}), false)"
                    )
    finally:
        source.close()
    return counts
