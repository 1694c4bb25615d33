"""Who is logged in: a random token in a cookie, and of each token its SHA-256 in the store."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from index.database import Database

_ASKED_AGAIN = 30.0  # seconds after which the store is asked again: another server may have ended a login

SCHEMA = """
create table if not exists sessions (
    token {text} primary key,
    name {text} not null,
    mark {text} not null,
    until {text} not null
)
"""


@dataclass(frozen=True, slots=True)
class Session:
    """One login: whose it is (empty for a shared password), ``mark`` of the password that was right, and its end."""

    name: str
    mark: str
    until: datetime


def mark(password_hash: str) -> str:
    """What tells a password from its successor: a session does not outlive the password it began with."""
    return hashlib.sha256(password_hash.encode()).hexdigest()[:32]


class Sessions:
    """The logins, in a table that outlives a restart; ``hours`` after it began each of them ends."""

    def __init__(self, database: Database, hours: float) -> None:
        self._db, self.hours = database, hours
        self._lock = threading.Lock()
        self._known: dict[str, tuple[Session, float]] = {}
        database.create(SCHEMA)

    def begin(self, name: str, password_hash: str, now: datetime | None = None) -> str:
        """The token of a new login, for its cookie. Those that have ended go."""
        now = now or datetime.now(UTC)
        token = secrets.token_urlsafe(32)
        session = Session(name, mark(password_hash), now + timedelta(hours=self.hours))
        with self._db.transaction() as begun:
            begun.execute("delete from sessions where until < ?", (now.isoformat(),))
            begun.execute(
                "insert into sessions (token, name, mark, until) values (?, ?, ?, ?)",
                (_digest(token), name, session.mark, session.until.isoformat()),
            )
        with self._lock:
            self._known = {key: one for key, one in self._known.items() if one[0].until >= now}
            self._known[_digest(token)] = session, time.monotonic()
        return token

    def recent(self, token: str, now: datetime | None = None) -> Session | None:
        """The login of a token as far as it is known without asking the store."""
        with self._lock:
            session, asked = self._known.get(_digest(token), (None, 0.0))
        if session is None or time.monotonic() - asked > _ASKED_AGAIN:
            return None
        return session if session.until >= (now or datetime.now(UTC)) else None

    def find(self, token: str, now: datetime | None = None) -> Session | None:
        """The login of a token, unless it has ended."""
        digest = _digest(token)
        rows = self._db.rows("select name, mark, until from sessions where token = ?", (digest,))
        if not rows:
            with self._lock:
                self._known.pop(digest, None)
            return None
        session = Session(rows[0][0], rows[0][1], datetime.fromisoformat(rows[0][2]))
        with self._lock:
            self._known[digest] = session, time.monotonic()
        return session if session.until >= (now or datetime.now(UTC)) else None

    def end(self, token: str) -> None:
        """Logs a token out."""
        with self._lock:
            self._known.pop(_digest(token), None)
        with self._db.transaction() as begun:
            begun.execute("delete from sessions where token = ?", (_digest(token),))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
