"""How often each question is asked, and how often it found an answer: counts alone, nothing of who asked or when."""

from __future__ import annotations

import sqlite3
import threading
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime

SCHEMA = """
create table if not exists asked (
    question text primary key,
    times integer not null,
    answered integer not null,
    last text not null
)
"""
KEPT = 5_000  # different questions; beyond them the rarest go, of these the ones asked longest ago
_SWEPT = 100  # at a time, so that a full table does not cost every question a search for the rarest


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, how often it was asked, how often it found an answer, and the last day (UTC, ISO 8601)."""

    question: str
    times: int
    answered: int
    last: str


def folded(question: str) -> str:
    """The text under which a question is counted: one form of characters (NFKC), single blanks.

    >>> folded("　Ｒ５の　決算額は？ ")
    'R5の 決算額は?'
    """
    return " ".join(unicodedata.normalize("NFKC", question).split())


class AskedQuestions:
    """The counts in one SQLite file; ``lock`` guards the connection, which it shares with the feedback.

    >>> asked = AskedQuestions(sqlite3.connect(":memory:"), threading.Lock())
    >>> asked.count("決算額は？", True); asked.count("決算額は?", False)
    >>> asked.most()[0].times
    2
    """

    def __init__(self, db: sqlite3.Connection, lock: threading.Lock) -> None:
        self.counting = True
        self._db, self._lock = db, lock
        with self._lock, self._db:
            self._db.executescript(SCHEMA)

    def count(self, question: str, answered: bool) -> None:
        """Counts one question; nothing is kept where ``counting`` is off."""
        text = folded(question)
        if not self.counting or not text:
            return
        today = datetime.now(UTC).date().isoformat()
        with self._lock, self._db:
            self._db.execute(
                "insert into asked values (?, 1, ?, ?) on conflict (question) do update set"
                " times = times + 1, answered = answered + excluded.answered, last = excluded.last",
                (text, int(answered), today),
            )
            if self._db.execute("select count(*) from asked").fetchone()[0] >= KEPT + _SWEPT:
                self._db.execute(
                    "delete from asked where question in (select question from asked where question <> ?"
                    " order by times, last, question limit ?)",
                    (text, _SWEPT),
                )

    def most(self, limit: int = 50) -> list[Asked]:
        """The questions asked most often first; of those asked as often, the latest."""
        with self._lock:
            rows = self._db.execute(
                "select question, times, answered, last from asked order by times desc, last desc, question limit ?",
                (limit,),
            ).fetchall()
        return [Asked(*row) for row in rows]

    def clear(self) -> None:
        """Forgets every count."""
        with self._lock, self._db:
            self._db.execute("delete from asked")
