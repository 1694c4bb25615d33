"""A place where a store is kept, for tests that hold for a file and for a server alike."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from assistant.conversations import KEEPING, Keeping
from assistant.store import FeedbackStore
from corpus.errors import DatabaseError
from index.database import Database, Row, SQLiteDatabase


class Place:
    """A SQLite file, or the address of a PostgreSQL database; opened as often as a test likes, closed at its end."""

    def __init__(self, at: Path | str) -> None:
        self.at = at
        self._opened: list[Database] = []

    @property
    def opened(self) -> Database | None:
        """What was opened first, if anything was."""
        return self._opened[0] if self._opened else None

    def database(self) -> Database:
        """The place, opened once more."""
        if isinstance(self.at, Path):
            self.at.parent.mkdir(exist_ok=True)
            opened: Database = SQLiteDatabase(self.at)
        else:
            from index.postgres import PostgresDatabase

            opened = PostgresDatabase(self.at, connections=4)
        self._opened.append(opened)
        return opened

    def store(self, keeping: Keeping = KEEPING) -> FeedbackStore:
        """The store at the place, opened once more."""
        return FeedbackStore(self.database(), keeping)

    def change(self, statement: str) -> None:
        """Runs one statement past the store."""
        with self.database().transaction() as begun:
            begun.execute(statement)

    def everything(self) -> list[Row]:
        """All rows of all tables of a store."""
        database = self.database()
        tables = ("feedback", "unanswered", "drafts", "talks", "talk_entries", "asked")
        return [row for table in tables for row in database.rows(f"select * from {table}")]

    def close(self) -> None:
        """Closes whatever was opened."""
        for one in self._opened:
            with suppress(DatabaseError):
                one.close()
