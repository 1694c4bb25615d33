"""How often each question is asked, and how often it found an answer: counts alone, nothing of who asked or when."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime

from index.database import Database

SCHEMA = """
create table if not exists asked (
    question {text} primary key,
    times integer not null,
    answered integer not null,
    last {text} not null
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
    """The counts in the store's database.

    >>> from index.database import SQLiteDatabase
    >>> asked = AskedQuestions(SQLiteDatabase())
    >>> asked.count("決算額は？", True); asked.count("決算額は?", False)
    >>> asked.most()[0].times
    2
    """

    def __init__(self, db: Database) -> None:
        self.counting = True
        self._db = db
        db.create(SCHEMA)

    def count(self, question: str, answered: bool) -> None:
        """Counts one question; nothing is kept where ``counting`` is off."""
        text = folded(question)
        if not self.counting or not text:
            return
        today = datetime.now(UTC).date().isoformat()
        with self._db.transaction() as begun:
            begun.execute(
                "insert into asked (question, times, answered, last) values (?, 1, ?, ?)"
                " on conflict (question) do update set times = asked.times + 1,"
                " answered = asked.answered + excluded.answered, last = excluded.last",
                (text, int(answered), today),
            )
            if begun.execute("select count(*) from asked").rows[0][0] >= KEPT + _SWEPT:
                begun.execute(
                    "delete from asked where question in (select question from asked where question <> ?"
                    " order by times, last, question limit ?)",
                    (text, _SWEPT),
                )

    def most(self, limit: int = 50) -> list[Asked]:
        """The questions asked most often first; of those asked as often, the latest."""
        rows = self._db.rows(
            "select question, times, answered, last from asked order by times desc, last desc, question limit ?",
            (limit,),
        )
        return [Asked(*row) for row in rows]

    def clear(self) -> None:
        """Forgets every count."""
        with self._db.transaction() as begun:
            begun.execute("delete from asked")
