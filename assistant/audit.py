"""The audit trail: who asked what, when, and which sheets were shown. Off unless it is switched on.

Lines are only ever added; they go when their days are over, and in no other way (the history of a person may be deleted,
the trail of it may not). What cannot be written down is not answered: whoever reads the trail has to be able to rely on
its being whole, so a full disk stops the answers and not the trail.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from assistant.access.caller import caller
from assistant.surroundings import put
from corpus.errors import DatabaseError
from index.database import SQLITE, Database, SQLiteDatabase

SCHEMA = """
create table if not exists audit (
    id {number},
    at {text} not null,
    who {text} not null,
    address {text} not null,
    what {text} not null,
    question {text} not null,
    sheets {text} not null,
    index_version {text} not null,
    outcome {text} not null
);
create index if not exists audit_at on audit (at)
"""
COLUMNS = ("at", "who", "address", "what", "question", "sheets", "index_version", "outcome")
UNWRITTEN = (
    "監査の記録を書き込めないため、お答えできません。管理者に、保存先の空き容量と権限を確かめてもらってください。"
)
_BATCH = 1_000
_SWEPT = timedelta(hours=1)  # how often a running server looks for lines whose days are over


@dataclass(frozen=True, slots=True)
class Auditing:
    """Whether a trail is kept, and for how many days."""

    on: bool = False
    days: int = 365


OFF = Auditing()


@dataclass(frozen=True, slots=True)
class Recorded:
    """A line of the trail. ``at`` is the time in UTC (ISO 8601); ``who`` the name of a login or key, else the key of a
    browser, empty for neither; ``what`` ask, search, sheet, list, compare, export, login …; ``sheets`` the ids shown."""

    at: str
    who: str
    address: str
    what: str
    question: str
    sheets: tuple[str, ...]
    index_version: str
    outcome: str

    def cells(self) -> list[str]:
        """The line for a table of :data:`COLUMNS`."""
        return [self.at, self.who, self.address, self.what, self.question, " ".join(self.sheets), self.index_version, self.outcome]  # fmt: skip

    def json(self) -> str:
        """The line as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)


@dataclass(slots=True)
class Note:
    """What is known so far of one request; whoever works on it adds to it, and it is written down before the first byte
    of the answer goes out."""

    what: str
    question: str = ""
    sheets: dict[str, None] = field(default_factory=dict)
    index_version: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from: its address, and the key of the browser where nobody has logged in."""

    address: str = ""
    owner: str = ""


_NOTE: ContextVar[Note | None] = ContextVar("hyoka_audit_note", default=None)
_NOWHERE = Origin()
_ORIGIN: ContextVar[Origin] = ContextVar("hyoka_audit_origin", default=_NOWHERE)


def _now() -> datetime:
    return datetime.now(UTC)


class AuditTrail:
    """The trail in a database.

    >>> trail = AuditTrail(SQLiteDatabase(), Auditing(on=True))
    >>> trail.record("ask", "決算額は？", ["a-1"], "v1", "answered")
    >>> next(trail.lines()).question
    '決算額は？'
    """

    def __init__(self, db: Database, auditing: Auditing = OFF, clock: Callable[[], datetime] = _now) -> None:
        self._db, self._clock = db, clock
        self.auditing = auditing
        self.own = False
        """Whether the database is the trail's alone, to be closed with it."""
        self._sweep = clock() + _SWEPT
        db.create(SCHEMA)

    @property
    def on(self) -> bool:
        """Whether anything is written down."""
        return self.auditing.on

    def record(
        self,
        what: str,
        question: str = "",
        sheets: Sequence[str] = (),
        index_version: str = "",
        outcome: str = "",
        who: str | None = None,
        address: str | None = None,
    ) -> None:
        """Adds a line, for the caller of now unless ``who`` and ``address`` say otherwise; nothing where it is off.

        Raises DatabaseError where that fails: then nothing may be shown.
        """
        if not self.on:
            return
        origin, now = _ORIGIN.get(), self._clock()
        known = caller().name or origin.owner if who is None else who
        values = (
            now.isoformat(timespec="milliseconds"), known, origin.address if address is None else address, what, question,
            json.dumps(list(dict.fromkeys(sheets)), ensure_ascii=False), index_version, outcome,
        )  # fmt: skip
        try:
            with self._db.transaction() as begun:
                if self._db.dialect is not SQLITE:  # a SQLite file waits for the disk by itself (trail_in)
                    begun.execute("set local synchronous_commit = on")
                begun.execute(f"insert into audit ({', '.join(COLUMNS)}) values (?, ?, ?, ?, ?, ?, ?, ?)", values)
            if now >= self._sweep:
                self._sweep = now + _SWEPT
                self.purge()
        except DatabaseError as problem:
            raise DatabaseError(UNWRITTEN) from problem

    def tell(self, what: str, question: str, sheets: Sequence[str], index_version: str, outcome: str) -> None:
        """Adds to what is known of the request that is being worked on, or a line of its own where there is none."""
        note = _NOTE.get()
        if note is None:
            self.record(what, question, sheets, index_version, outcome)
            return
        note.question = question or note.question
        note.sheets |= dict.fromkeys(sheets)
        note.index_version, note.outcome = index_version or note.index_version, outcome or note.outcome

    def lines(self, since: date | None = None, until: date | None = None) -> Iterator[Recorded]:
        """The lines in the order they were written, from the day ``since`` to the day ``until``, both included (UTC)."""
        after = 0
        first = since.isoformat() if since is not None else ""
        last = (until + timedelta(days=1)).isoformat() if until is not None else "~"
        while rows := self._db.rows(
            f"select id, {', '.join(COLUMNS)} from audit where id > ? and at >= ? and at < ? order by id limit ?",
            (after, first, last, _BATCH),
        ):
            for number, at, who, address, what, question, sheets, version, outcome in rows:
                yield Recorded(at, who, address, what, question, tuple(json.loads(sheets)), version, outcome)
                after = number

    def count(self) -> int:
        """How many lines there are."""
        return int(self._db.rows("select count(*) from audit")[0][0])

    def close(self) -> None:
        """Closes the connection, where the trail has one of its own."""
        if self.own:
            self._db.close()

    def purge(self) -> int:
        """Deletes for good the lines whose days are over; returns how many.

        Called by the server, whose settings say for how long they are kept, also where the trail is off by now.
        """
        oldest = (self._clock() - timedelta(days=self.auditing.days)).isoformat(timespec="milliseconds")
        if not self._db.rows("select 1 from audit where at < ? limit 1", (oldest,)):
            return 0
        with self._db.transaction() as begun:
            gone = begun.execute("delete from audit where at < ?", (oldest,)).count
        try:
            self._db.erase()
        except DatabaseError:
            pass  # the write-ahead log is written anew soon; the next purge empties it
        return gone


def trail_in(place: Database, auditing: Auditing) -> AuditTrail:
    """The trail in the database of a store. One that is kept has a connection of its own, which waits for the disk."""
    if auditing.on and isinstance(place, SQLiteDatabase) and Path(place.path).is_file():
        trail = AuditTrail(SQLiteDatabase(place.path, durable=True), auditing)
        trail.own = True
        return trail
    return AuditTrail(place, auditing)


_IN_FORCE: list[AuditTrail] = []


def use_trail(trail: AuditTrail) -> None:
    """From now on :func:`record` writes to this one."""
    _IN_FORCE[:] = [trail]


def shown(sheets: Sequence[str]) -> None:
    """Adds sheets to what is known of the request that is being worked on."""
    note = _NOTE.get()
    if note is not None:
        note.sheets |= dict.fromkeys(sheets)


def record(what: str, who: str = "", address: str = "", outcome: str = "", question: str = "") -> None:
    """Adds a line of what is no question: ``record("login", name, address, "refused")``. Nothing where no trail is kept.

    Raises DatabaseError where it cannot be written; then what it tells of must not happen.
    """
    for trail in _IN_FORCE:
        trail.record(what, question, outcome=outcome, who=who, address=address)


def coming_from(origin: Origin) -> AbstractContextManager[None]:
    """Inside, lines name this origin."""
    return put(_ORIGIN, origin)


def noting(note: Note) -> AbstractContextManager[None]:
    """Inside, :meth:`AuditTrail.tell` adds to ``note``, also in threads that take over the context."""
    return put(_NOTE, note)
