"""What people said about answers: one SQLite file, written by the screens and by ``POST /api/v1/feedback``."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from assistant.asked import AskedQuestions
from assistant.casebook import CaseBook
from assistant.conversations import KEEPING, Keeping, open_book

logger = logging.getLogger(__name__)

Rating = Literal["up", "down"]
Reason = Literal["", "evidence"]
"""Why an answer was judged poor: ``evidence`` says that its citations do not bear it out (根拠が違う)."""

SCHEMA = """
create table if not exists feedback (
    id integer primary key,
    at text not null,
    rating text not null check (rating in ('up', 'down')),
    question text not null,
    answer text not null,
    comment text not null,
    index_version text not null,
    reason text not null default '',
    citations text not null default ''
);
create table if not exists unanswered (
    id integer primary key,
    at text not null,
    question text not null,
    index_version text not null
)
"""
ADDED = ("reason", "citations")  # columns that a file written before them lacks
KEPT_UNANSWERED = 10_000  # older ones are dropped: the list is for improving the sheets, not a log of persons


@dataclass(frozen=True, slots=True)
class Feedback:
    """One opinion on one answer; ``at`` is the time in UTC (ISO 8601).

    ``citations`` are the numbers of the citations that somebody held to be wrong.
    """

    id: int
    at: str
    rating: Rating
    question: str
    answer: str
    comment: str
    index_version: str
    reason: Reason = ""
    citations: tuple[int, ...] = ()

    @property
    def told(self) -> str:
        """The reason and the comment in one line."""
        return told(self.comment, self.reason, self.citations)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question without an answer in the sheets, how often it was asked and when last (UTC)."""

    question: str
    times: int
    last: str


def told(comment: str, reason: Reason = "", citations: Sequence[int] = ()) -> str:
    """What somebody said about an answer in one line, for people.

    >>> told("年度が違う", "evidence", [2])
    '根拠が違う（引用 [2]）：年度が違う'
    """
    which = f"（引用 {''.join(f'[{n}]' for n in citations)}）" if citations else ""
    parts = [f"根拠が違う{which}" if reason == "evidence" else "", " ".join(comment.split())]
    return "：".join(part for part in parts if part)


class FeedbackStore:
    """An append-only list of :class:`Feedback`, and the draft questions that come of it in ``cases``; ``asked`` counts questions.

    The conversations of each person stand in ``talks``.

    ``path`` is a file, or ``:memory:``.

    >>> store = FeedbackStore(":memory:")
    >>> store.add("up", "決算額は？", "12,155,000円です。")
    1
    """

    def __init__(self, path: Path | str = ":memory:", keeping: Keeping = KEEPING) -> None:
        if str(path) != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self.path = str(path)
        # One connection behind a lock: opinions are rare, and SQLite connections are not shared between threads safely.
        self._lock = threading.Lock()
        self._db = sqlite3.connect(self.path, check_same_thread=False)
        with self._lock, self._db:
            self._db.execute("pragma journal_mode=wal")
            # Every question is counted, and a disk takes milliseconds to confirm: a power cut may cost the last lines,
            # though never the file.
            self._db.execute("pragma synchronous=normal")
            self._db.executescript(SCHEMA)
            there = {row[1] for row in self._db.execute("pragma table_info(feedback)")}
            for column in ADDED:
                if column not in there:
                    self._db.execute(f"alter table feedback add column {column} text not null default ''")
        self.cases = CaseBook(self._db, self._lock)
        self.talks = open_book(self._db, self._lock, keeping)
        self.asked = AskedQuestions(self._db, self._lock)

    def add(
        self,
        rating: Rating,
        question: str,
        answer: str = "",
        comment: str = "",
        index_version: str = "",
        reason: Reason = "",
        citations: Sequence[int] = (),
    ) -> int:
        """Stores one opinion and returns its number; a poor answer becomes a draft of a question with its gold."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        with self._lock, self._db:
            cursor = self._db.execute(
                "insert into feedback (at, rating, question, answer, comment, index_version, reason, citations)"
                " values (?, ?, ?, ?, ?, ?, ?, ?)",
                (at, rating, question, answer, comment, index_version, reason, json.dumps(list(citations))),
            )
        if rating == "down":
            self._draft(question, answer, told(comment, reason, citations), index_version)
        return int(cursor.lastrowid or 0)

    def revise(
        self, number: int, rating: Rating, comment: str = "", reason: Reason = "", citations: Sequence[int] = ()
    ) -> None:
        """Replaces what somebody said about an answer by what they say now; nothing happens where there is no such opinion."""
        with self._lock, self._db:
            row = self._db.execute(
                "select question, answer, index_version, rating from feedback where id = ?", (number,)
            ).fetchone()
            self._db.execute(
                "update feedback set rating = ?, comment = ?, reason = ?, citations = ? where id = ?",
                (rating, comment, reason, json.dumps(list(citations)), number),
            )
        if row is None or rating != "down":
            return
        question, answer, index_version, before = row
        said = told(comment, reason, citations)
        if before == "down":
            self.cases.comment(question, self.cases.recall(question, answer).history, said)
        else:
            self._draft(question, answer, said, index_version)

    def _draft(self, question: str, answer: str, said: str, index_version: str) -> None:
        rested = self.cases.recall(question, answer)
        self.cases.note("down", question, rested.history, rested.cited, answer, said, index_version)

    def latest(self, limit: int = 100, rating: Rating | None = None) -> list[Feedback]:
        """The newest opinions first, of one rating or of both."""
        with self._lock:
            rows = self._db.execute(
                "select id, at, rating, question, answer, comment, index_version, reason, citations from feedback"
                " where ? is null or rating = ? order by id desc limit ?",
                (rating, rating, limit),
            ).fetchall()
        return [Feedback(*(*row[:-1], tuple(json.loads(row[-1] or "[]")))) for row in rows]

    def count(self, rating: Rating) -> int:
        """How many opinions of that rating there are."""
        with self._lock:
            row = self._db.execute("select count(*) from feedback where rating = ?", (rating,)).fetchone()
        return int(row[0])

    def add_unanswered(self, question: str, index_version: str = "", history: Sequence[str] = ()) -> None:
        """Notes a question that the sheets do not answer, also as a draft; nothing of who asked."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        with self._lock, self._db:
            self._db.execute(
                "insert into unanswered (at, question, index_version) values (?, ?, ?)", (at, question, index_version)
            )
            self._db.execute(
                "delete from unanswered where id <= (select max(id) from unanswered) - ?", (KEPT_UNANSWERED,)
            )
        self.cases.note("unanswered", question, history, index_version=index_version)

    def unanswered(self, limit: int = 50) -> list[Unanswered]:
        """The questions without an answer, the most frequent first."""
        with self._lock:
            rows = self._db.execute(
                "select question, count(*), max(at) from unanswered group by question"
                " order by count(*) desc, max(id) desc limit ?",
                (limit,),
            ).fetchall()
        return [Unanswered(*row) for row in rows]

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._db.close()


def default_path() -> Path:
    """``HYOKA_FEEDBACK_FILE``, or ``hyoka/feedback.sqlite`` in the user's state folder."""
    named = os.environ.get("HYOKA_FEEDBACK_FILE")
    if named:
        return Path(named)
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "hyoka" / "feedback.sqlite"


def open_store(path: Path | str | None = None, keeping: Keeping = KEEPING) -> FeedbackStore:
    """The store at ``path`` or at the default place; in memory, with a warning, where that cannot be written."""
    target = default_path() if path is None else path
    try:
        return FeedbackStore(target, keeping)
    except (OSError, sqlite3.Error) as problem:
        logger.warning("評価の保存先 %s を開けないため、終了まで記憶だけに残します: %s", target, problem)
        return FeedbackStore(":memory:", keeping)
