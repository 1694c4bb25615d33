"""Questions on their way into the question set: drafts out of use, and what a person made of them.

A 👎 and a question without an answer become a draft by themselves; a person gives the gold and accepts or rejects it.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, get_args

from assistant.asked import folded
from corpus.errors import Duplicate
from index.database import Database, Transaction

State = Literal["draft", "accepted", "rejected"]
Origin = Literal["down", "unanswered", "proposed", "written"]
STATES: tuple[State, ...] = get_args(State)

SCHEMA = """
create table if not exists drafts (
    id {number},
    at {text} not null,
    state {text} not null check (state in ('draft', 'accepted', 'rejected')),
    origin {text} not null check (origin in ('down', 'unanswered', 'proposed', 'written')),
    question {text} not null,
    history {text} not null,
    type {text} not null,
    must {text} not null,
    must_not {text} not null,
    sheets {text} not null,
    unanswerable integer not null,
    note {text} not null,
    comment {text} not null,
    cited {text} not null,
    answer {text} not null,
    times integer not null,
    index_version {text} not null
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
    """The drafts in the store's database.

    >>> from index.database import SQLiteDatabase
    >>> book = CaseBook(SQLiteDatabase())
    >>> book.note("down", "決算額は？", cited=["給食運営 / 決算額"], comment="年度が違う")
    1
    >>> book.find(1).comment
    '年度が違う'
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._recent: OrderedDict[tuple[str, str], Remembered] = OrderedDict()
        self._lock = threading.Lock()  # of what is remembered
        db.create(SCHEMA)

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

    def forget(self) -> None:
        """Forgets what answers rested on."""
        with self._lock:
            self._recent.clear()

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
        new = DraftCase(
            0, "", "draft", origin, question, tuple(history), "follow-up" if history else "",
            comment=comment, cited=tuple(cited), answer=answer, index_version=index_version,
        )  # fmt: skip
        with self._db.transaction() as begun:
            # Another server may add the question between the first look and the insert: then the second look finds it.
            known = self._held(begun, question, history)
            if known is None and (number := _insert(begun, new)):
                return number
            known = known or self._held(begun, question, history)
            if known is None:
                return 0
            changed = replace(
                known,
                origin="down" if origin == "down" else known.origin,
                comment=_joined(known.comment, comment),
                cited=tuple(cited) or known.cited,
                answer=answer or known.answer,
                times=known.times + 1,
                index_version=index_version or known.index_version,
            )
            _update(begun, changed)
        return known.id

    def comment(self, question: str, history: Sequence[str], comment: str) -> None:
        """Adds what somebody wrote about an answer to the draft that came of it."""
        with self._db.transaction() as begun:
            known = self._held(begun, question, history)
            if known is not None:
                _update(begun, replace(known, comment=_joined(known.comment, comment)))

    def add(self, case: DraftCase) -> int:
        """Stores a new draft whatever its ``id`` and ``at`` are; returns its number, 0 where the question is there."""
        with self._db.transaction() as begun:
            return _insert(begun, case)

    def save(self, case: DraftCase) -> bool:
        """Writes a changed draft back; False where its question is taken by another one or it is gone."""
        try:
            with self._db.transaction() as begun:
                return _update(begun, case)
        except Duplicate:
            return False

    def find(self, number: int) -> DraftCase | None:
        """The draft of that number."""
        rows = self._db.rows(f"select {_COLUMNS} from drafts where id = ?", (number,))
        return _case(rows[0]) if rows else None

    def cases(self, state: State, limit: int = 1_000) -> list[DraftCase]:
        """The drafts in one state: those without a verdict the most frequent first, the others in the order of their number."""
        order = "times desc, id desc" if state == "draft" else "id"
        rows = self._db.rows(f"select {_COLUMNS} from drafts where state = ? order by {order} limit ?", (state, limit))
        return [_case(row) for row in rows]

    def counts(self) -> dict[State, int]:
        """How many drafts there are in each state."""
        found = {state: count for state, count in self._db.rows("select state, count(*) from drafts group by state")}
        return {state: int(found.get(state, 0)) for state in STATES}

    def asked(self, question: str) -> DraftCase | None:
        """The draft of a question that began a conversation, as it was typed or as questions are counted."""
        wanted = folded(question)
        rows = self._db.rows("select id, question from drafts where history = '[]' order by id desc")
        found = next((number for number, text in rows if text == question or folded(text) == wanted), None)
        return None if found is None else self.find(found)

    def _held(self, begun: Transaction, question: str, history: Sequence[str]) -> DraftCase | None:
        """The draft of a question, which nobody else changes before the end of the transaction."""
        rows = begun.execute(
            f"select {_COLUMNS} from drafts where question = ? and history = ?{self._db.dialect.lock}",
            (question, _json(history)),
        ).rows
        return _case(rows[0]) if rows else None


def _insert(begun: Transaction, case: DraftCase) -> int:
    row = _row(replace(case, at=datetime.now(UTC).isoformat(timespec="seconds")))[1:]
    marks = ", ".join("?" for _ in row)
    added = begun.execute(
        f"insert into drafts ({_COLUMNS.removeprefix('id, ')}) values ({marks}) on conflict do nothing returning id",
        row,
    ).rows
    begun.execute(
        "delete from drafts where state = 'draft' and id not in"
        " (select id from drafts where state = 'draft' order by id desc limit ?)",
        (KEPT_DRAFTS,),
    )
    return int(added[0][0]) if added else 0


def _update(begun: Transaction, case: DraftCase) -> bool:
    pairs = ", ".join(f"{name} = ?" for name in _COLUMNS.split(", ")[1:])
    return begun.execute(f"update drafts set {pairs} where id = ?", (*_row(case)[1:], case.id)).count > 0


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
