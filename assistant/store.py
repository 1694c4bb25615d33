"""What people said about answers: one SQLite file or a PostgreSQL server, written by the screens and by ``POST /api/v1/feedback``."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from assistant.asked import AskedQuestions
from assistant.audit import OFF, Auditing, trail_in
from assistant.casebook import CaseBook
from assistant.conversations import KEEPING, Keeping, open_book
from assistant.forgetting import Forgetting
from corpus.errors import DatabaseError
from index.database import MEMORY, Database, SQLiteDatabase

logger = logging.getLogger(__name__)

Rating = Literal["up", "down"]
Reason = Literal["", "evidence"]
"""Why an answer was judged poor: ``evidence`` says that its citations do not bear it out (根拠が違う)."""

SCHEMA = """
create table if not exists feedback (
    id {number},
    at {text} not null,
    rating {text} not null check (rating in ('up', 'down')),
    question {text} not null,
    answer {text} not null,
    comment {text} not null,
    index_version {text} not null,
    reason {text} not null default '',
    citations {text} not null default ''
);
create table if not exists unanswered (
    id {number},
    at {text} not null,
    question {text} not null,
    index_version {text} not null
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

    The conversations of each person stand in ``talks``, the audit trail in ``audit``.

    ``place`` is a file, ``:memory:`` or a database. Every method raises DatabaseError where that fails.

    >>> store = FeedbackStore(":memory:")
    >>> store.add("up", "決算額は？", "12,155,000円です。")
    1
    """

    def __init__(
        self, place: Path | str | Database = MEMORY, keeping: Keeping = KEEPING, auditing: Auditing = OFF
    ) -> None:
        self.makeshift = False
        """Whether it is in memory because its own place cannot be written."""
        self.folder: Path | None = default_path().parent
        """Where files that belong to the store go; None where it is in memory."""
        if isinstance(place, Path | str):
            self.folder = None if str(place) == MEMORY else Path(place).parent
            if self.folder is not None:
                self.folder.mkdir(parents=True, exist_ok=True)
            place = SQLiteDatabase(place)
        self._db = place
        place.create(SCHEMA)
        there = place.columns("feedback")
        for column in ADDED:
            if column not in there:
                with place.transaction() as begun:
                    begun.execute(f"alter table feedback add column {column} {place.dialect.text} not null default ''")
        self.cases = CaseBook(place)
        self.talks = open_book(place, keeping)
        self.asked = AskedQuestions(place)
        # Without a history no question is kept anywhere, but for what somebody sends as an opinion.
        self.asked.counting = self.noting = keeping.on
        self.audit = trail_in(place, auditing)
        self.forgetting = Forgetting(place, self.cases)
        self.talks.forget = self.forgetting

    @property
    def database(self) -> Database:
        """Where everything stands, for what is kept beside the opinions."""
        return self._db

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
        with self._db.transaction() as begun:
            added = begun.execute(
                "insert into feedback (at, rating, question, answer, comment, index_version, reason, citations)"
                " values (?, ?, ?, ?, ?, ?, ?, ?) returning id",
                (at, rating, question, answer, comment, index_version, reason, json.dumps(list(citations))),
            )
        if rating == "down":
            self._draft(question, answer, told(comment, reason, citations), index_version)
        return int(added.rows[0][0])

    def revise(
        self, number: int, rating: Rating, comment: str = "", reason: Reason = "", citations: Sequence[int] = ()
    ) -> None:
        """Replaces what somebody said about an answer by what they say now; nothing happens where there is no such opinion."""
        with self._db.transaction() as begun:
            rows = begun.execute(
                f"select question, answer, index_version, rating from feedback where id = ?{self._db.dialect.lock}",
                (number,),
            ).rows
            begun.execute(
                "update feedback set rating = ?, comment = ?, reason = ?, citations = ? where id = ?",
                (rating, comment, reason, json.dumps(list(citations)), number),
            )
        if not rows or rating != "down":
            return
        question, answer, index_version, before = rows[0]
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
        where, values = ("", ()) if rating is None else (" where rating = ?", (rating,))
        rows = self._db.rows(
            "select id, at, rating, question, answer, comment, index_version, reason, citations from feedback"
            f"{where} order by id desc limit ?",
            (*values, limit),
        )
        return [Feedback(*(*row[:-1], tuple(json.loads(row[-1] or "[]")))) for row in rows]

    def count(self, rating: Rating) -> int:
        """How many opinions of that rating there are."""
        return int(self._db.rows("select count(*) from feedback where rating = ?", (rating,))[0][0])

    def add_unanswered(self, question: str, index_version: str = "", history: Sequence[str] = ()) -> None:
        """Notes a question that the sheets do not answer, also as a draft; nothing of who asked. Nothing without a history."""
        if not self.noting:
            return
        at = datetime.now(UTC).isoformat(timespec="seconds")
        with self._db.transaction() as begun:
            begun.execute(
                "insert into unanswered (at, question, index_version) values (?, ?, ?)", (at, question, index_version)
            )
            begun.execute("delete from unanswered where id <= (select max(id) from unanswered) - ?", (KEPT_UNANSWERED,))
        self.cases.note("unanswered", question, history, index_version=index_version)

    def unanswered(self, limit: int = 50) -> list[Unanswered]:
        """The questions without an answer, the most frequent first."""
        rows = self._db.rows(
            "select question, count(*), max(at) from unanswered group by question"
            " order by count(*) desc, max(id) desc limit ?",
            (limit,),
        )
        return [Unanswered(*row) for row in rows]

    def unwritable(self) -> str:
        """Why nothing can be kept now, for people; empty where it can."""
        if self.makeshift:
            return f"評価と履歴を保存できず、停止すると失われます。{_NEXT}"
        try:
            with self._db.transaction():
                pass  # takes the lock for writing, and writes nothing
        except DatabaseError:
            return f"評価と履歴を保存できません。{_NEXT}"
        if isinstance(self._db, SQLiteDatabase) and self._db.path != MEMORY and not _writable(Path(self._db.path)):
            return f"評価と履歴を保存できません。{_NEXT}"
        return ""

    def close(self) -> None:
        """Closes the file or the connections."""
        self.audit.close()
        self._db.close()


_NEXT = "保存先の場所、権限、空き容量を確かめてください。"
_LEAST_FREE = 4 << 20  # bytes; a disk that is fuller than this is about to refuse


def _writable(file: Path) -> bool:
    """Whether a file is there, may be written, and has room to grow."""
    try:
        room = os.statvfs(file)
    except OSError:
        return False
    return os.access(file, os.W_OK) and room.f_bavail * room.f_frsize >= _LEAST_FREE


def default_path() -> Path:
    """``HYOKA_FEEDBACK_FILE``, or ``hyoka/feedback.sqlite`` in the user's state folder."""
    named = os.environ.get("HYOKA_FEEDBACK_FILE")
    if named:
        return Path(named)
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "hyoka" / "feedback.sqlite"


def open_store(
    path: Path | str | None = None, keeping: Keeping = KEEPING, url: str | None = None, auditing: Auditing = OFF
) -> FeedbackStore:
    """The store at ``path`` or at the default place; in memory, with a warning, where that cannot be written.

    With the ``url`` of a PostgreSQL server there and nowhere else: several servers are meant to share it, so what stands
    in its way is raised (SettingsError, DatabaseError). So it is where an audit trail is to be kept.
    """
    if url is not None:
        from index.postgres import PostgresDatabase

        return FeedbackStore(PostgresDatabase(url), keeping, auditing)
    target = default_path() if path is None else path
    try:
        return FeedbackStore(target, keeping, auditing)
    except (OSError, DatabaseError) as problem:
        if auditing.on:
            raise DatabaseError(
                f"監査の記録の保存先 {target} を開けません。場所と権限を確かめるか、HYOKA_FEEDBACK_FILE で別の場所を指定してください。"
            ) from problem
        logger.warning("評価の保存先 %s を開けないため、終了まで記憶だけに残します: %s", target, problem)
        store = FeedbackStore(":memory:", keeping)
        store.makeshift = True
        return store
