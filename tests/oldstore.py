"""A store of opinions as an earlier version wrote it: without reasons and citations."""

from __future__ import annotations

import sqlite3
from pathlib import Path


def write_old_store(file: Path, number: int) -> None:
    """Writes one with a single opinion of that number."""
    with sqlite3.connect(file) as old:
        old.execute(
            "create table feedback (id integer primary key, at text not null, rating text not null, question text not null,"
            " answer text not null, comment text not null, index_version text not null)"
        )
        old.execute("insert into feedback values (?, '2026-01-01', 'down', '質問', '答え', '違う', 'v1')", (number,))
