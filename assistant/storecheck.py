"""Whether the store of opinions and conversations is whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.findings import WELL, WRONG, Finding, size
from assistant.storecopy import TABLES, count_store
from corpus.errors import HyokaError

if TYPE_CHECKING:
    from assistant.settings import Settings

AREA = "保存先"
_MEND = "hyoka restore で控えから戻すか、ファイルを別の場所に移してください（新しいファイルから始まります）。"


def check_store(settings: Settings) -> Iterator[Finding]:
    """The file's integrity and what it holds; of a PostgreSQL server, that it answers and what it holds."""
    from assistant.store import default_path

    if settings.database is not None:
        yield from _server(settings.database)
        return
    file = settings.feedback_file or default_path()
    if not file.exists():
        yield Finding(AREA, "ファイル", WELL, f"まだありません（{file}、初めて使うときに作られます）")
        return
    problem = integrity(file)
    if problem:
        yield Finding(AREA, "ファイル", WRONG, f"{file} が壊れています（{problem}）", _MEND)
        return
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as db:
        known = {row[0] for row in db.execute("select name from sqlite_master where type = 'table'")}
        counts = [
            f"{name} {db.execute(f'select count(*) from {table}').fetchone()[0]}"
            for table, name in TABLES.items()
            if table in known
        ]
    yield Finding(AREA, "ファイル", WELL, f"{file}（{size(file.stat().st_size)}、{'、'.join(counts)}）")


def integrity(file: Path) -> str:
    """What is wrong with a SQLite file; empty where nothing is."""
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as db:
            told = [str(row[0]) for row in db.execute("pragma integrity_check(3)")]
            return "" if told == ["ok"] else "; ".join(told)
    except sqlite3.Error as error:
        return str(error)


def _server(url: str) -> Iterator[Finding]:
    from index.postgresurl import named

    try:
        counts = "、".join(f"{name} {count}" for name, count in count_store(url).items())
        yield Finding(AREA, named(url), WELL, f"応答します（{counts}）")
    except HyokaError as problem:
        yield Finding(AREA, "PostgreSQL", WRONG, problem.message, "サーバーとアドレスを確かめてください。")
