"""Questions on their way into the question set: drafts out of use, and what a person made of them.

A 👎 and a question without an answer become a draft by themselves; a person gives the gold and accepts or rejects it.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, get_args

from assistant.asked import folded

State = Literal["draft", "accepted", "rejected"]
Origin = Literal["down", "unanswered", "proposed", "written"]
STATES: tuple[State, ...] = get_args(State)

SCHEMA = """
create table if not exists drafts (
    id integer primary key,
    at text not null,
    state text not null check (state in ('draft', 'accepted', 'rejected')),
    origin text not null check (origin in ('down', 'unanswered', 'proposed', 'written')),
    question text not null,
    history text not null,
    type text not null,
    must text not null,
    must_not text not null,
    sheets text not null,
    unanswerable integer not null,
    note text not null,
    comment text not null,
    cited text not null,
    answer text not null,
    times integer not null,
    index_version text not null
);
create unique index if not exists drafts_question on drafts (question, history);
create index if not exists drafts_state on drafts (state, id)
"""
KEPT_DRAFTS = 2_000  # older ones that nobody looked at are dropped
REMEMBERED = 500  # answers for which a 👎 still finds out what was cited
_COLUMNS = (
    "id, at, state, origin, question, history, type, must, must_not, sheets, unanswerable, note, comment, cited, answer,"
    " times, index_version"
)


@dataclass(frozen=True, slots=True)
class DraftCase:
    """A question with the gold so far. ``must`` holds lists of forms, as in the question files; ``at`` is UTC.

    ``comment``, ``cited`` (sheet and section, as printed) and ``answer`` tell of the answer that made it a draft;
    ``times`` is how often that happened.
    """

    id: int
    at: str
    state: State
    origin: Origin
    question: str
    history: tuple[str, ...] = ()
    type: str = ""
    must: tuple[tuple[str, ...], ...] = ()
    must_not: tuple[str, ...] = ()
    sheets: tuple[str, ...] = ()
    unanswerable: bool = False
    note: str = ""
    comment: str = ""
    cited: tuple[str, ...] = ()
    answer: str = ""
    times: int = 1
    index_version: str = ""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What an answer rested on: the user's earlier questions and the cited sheets."""

    history: tuple[str, ...]
    cited: tuple[str, ...]


class CaseBook:
    """The drafts in one SQLite file; ``lock`` guards the connection, which it shares with the feedback.

    >>> book = CaseBook(sqlite3.connect(":memory:"), threading.Lock())
    >>> book.note("down", "決算額は？", cited=["給食運営 / 決算額"], comment="年度が違う")
    1
    >>> book.find(1).comment
    '年度が違う'
    """

    def __init__(self, db: sqlite3.Connection, lock: threading.Lock) -> None:
        self._db, self._lock = db, lock
        self._recent: OrderedDict[tuple[str, str], Remembered] = OrderedDict()
        with self._lock, self._db:
            self._db.executescript(SCHEMA)

    def remember(self, question: str, answer: str, history: Sequence[str], cited: Sequence[str]) -> None:
        """Keeps what an answer rested on for a while, in memory: an opinion on it comes without that."""
        with self._lock:
            self._recent[question, answer] = Remembered(tuple(history), tuple(cited))
            self._recent.move_to_end((question, answer))
            while len(self._recent) > REMEMBERED:
                self._recent.popitem(last=False)

    def recall(self, question: str, answer: str) -> Remembered:
        """What that answer rested on; nothing where it was too long ago."""
        with self._lock:
            return self._recent.get((question, answer), Remembered((), ()))

    def note(
        self,
        origin: Origin,
        question: str,
        history: Sequence[str] = (),
        cited: Sequence[str] = (),
        answer: str = "",
        comment: str = "",
        index_version: str = "",
    ) -> int:
        """A question that deserves a look; returns the number of its draft.

        Asked again it is counted, not repeated, and what a person decided about it stays.
        """
        known = self._same(question, history)
        if known is None:
            return self.add(
                DraftCase(
                    0,
                    "",
                    "draft",
                    origin,
                    question,
                    tuple(history),
                    "follow-up" if history else "",
                    comment=comment,
                    cited=tuple(cited),
                    answer=answer,
                    index_version=index_version,
                )  # fmt: skip
            )
        self.save(
            replace(
                known,
                origin="down" if origin == "down" else known.origin,
                comment=_joined(known.comment, comment),
                cited=tuple(cited) or known.cited,
                answer=answer or known.answer,
                times=known.times + 1,
                index_version=index_version or known.index_version,
            )
        )
        return known.id

    def comment(self, question: str, history: Sequence[str], comment: str) -> None:
        """Adds what somebody wrote about an answer to the draft that came of it."""
        known = self._same(question, history)
        if known is not None:
            self.save(replace(known, comment=_joined(known.comment, comment)))

    def add(self, case: DraftCase) -> int:
        """Stores a new draft whatever its ``id`` and ``at`` are; returns its number, 0 where the question is there."""
        row = _row(replace(case, at=datetime.now(UTC).isoformat(timespec="seconds")))[1:]
        marks = ", ".join("?" for _ in row)
        with self._lock, self._db:
            cursor = self._db.execute(
                f"insert or ignore into drafts ({_COLUMNS.removeprefix('id, ')}) values ({marks})", row
            )
            self._db.execute(
                "delete from drafts where state = 'draft' and id not in"
                " (select id from drafts where state = 'draft' order by id desc limit ?)",
                (KEPT_DRAFTS,),
            )
        return int(cursor.lastrowid or 0) if cursor.rowcount else 0

    def save(self, case: DraftCase) -> bool:
        """Writes a changed draft back; False where its question is taken by another one or it is gone."""
        pairs = ", ".join(f"{name} = ?" for name in _COLUMNS.split(", ")[1:])
        try:
            with self._lock, self._db:
                return (
                    self._db.execute(f"update drafts set {pairs} where id = ?", (*_row(case)[1:], case.id)).rowcount > 0
                )
        except sqlite3.IntegrityError:
            return False

    def find(self, number: int) -> DraftCase | None:
        """The draft of that number."""
        return self._one("id = ?", number)

    def cases(self, state: State, limit: int = 1_000) -> list[DraftCase]:
        """The drafts in one state: those without a verdict the most frequent first, the others in the order of their number."""
        order = "times desc, id desc" if state == "draft" else "id"
        with (
            self._lock,
            closing(
                self._db.execute(
                    f"select {_COLUMNS} from drafts where state = ? order by {order} limit ?", (state, limit)
                )
            ) as rows,
        ):
            return [_case(row) for row in rows]

    def counts(self) -> dict[State, int]:
        """How many drafts there are in each state."""
        with self._lock:
            found = dict(self._db.execute("select state, count(*) from drafts group by state").fetchall())
        return {state: int(found.get(state, 0)) for state in STATES}

    def asked(self, question: str) -> DraftCase | None:
        """The draft of a question that began a conversation, as it was typed or as questions are counted."""
        wanted = folded(question)
        with self._lock:
            rows = self._db.execute("select id, question from drafts where history = '[]' order by id desc").fetchall()
        found = next((number for number, text in rows if text == question or folded(text) == wanted), None)
        return None if found is None else self.find(found)

    def _same(self, question: str, history: Sequence[str]) -> DraftCase | None:
        return self._one("question = ? and history = ?", question, _json(history))

    def _one(self, where: str, *values: object) -> DraftCase | None:
        with self._lock:
            row = self._db.execute(f"select {_COLUMNS} from drafts where {where}", values).fetchone()
        return None if row is None else _case(row)


def _joined(comments: str, comment: str) -> str:
    """One more comment, each on its own line and once."""
    return "\n".join(dict.fromkeys(part for part in (*comments.split("\n"), " ".join(comment.split())) if part))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _row(case: DraftCase) -> tuple[object, ...]:
    return (
        case.id, case.at, case.state, case.origin, case.question, _json(case.history), case.type, _json(case.must),
        _json(case.must_not), _json(case.sheets), int(case.unanswerable), case.note, case.comment, _json(case.cited),
        case.answer, case.times, case.index_version,
    )  # fmt: skip


def _case(row: tuple[object, ...]) -> DraftCase:
    values = dict(zip(_COLUMNS.split(", "), row, strict=True))
    for name in ("history", "must_not", "sheets", "cited"):
        values[name] = tuple(json.loads(str(values[name])))
    values["must"] = tuple(tuple(forms) for forms in json.loads(str(values["must"])))
    values["unanswerable"] = bool(values["unanswerable"])
    return DraftCase(**values)  # type: ignore[arg-type]  # the columns are the fields
