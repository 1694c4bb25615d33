"""Conversations kept for the person who had them: in the store's database, found again by their words, deleted for good.

An owner is any string that names one person and that nobody else can give: today the key of a browser, later the name
of a login. Every method asks for it first, and a conversation of another owner is one that does not exist.
"""

from __future__ import annotations

import json
import logging
import secrets
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError

from assistant.access.caller import caller
from assistant.clock import SteadyClock
from assistant.schemas import AnswerJson
from corpus.errors import DatabaseError
from index.database import Database, Row, SQLiteDatabase
from index.types import Filters
from index.visibility import EVERYTHING, Visibility

logger = logging.getLogger(__name__)

SCHEMA = """
create table if not exists talks (
    {arrives}
    id {text} primary key,
    owner {text} not null,
    title {text} not null,
    began {text} not null,
    last {text} not null
);
create table if not exists talk_entries (
    id {number},
    talk {text} not null,
    at {text} not null,
    question {text} not null,
    answer {text} not null,
    words {text} not null,
    filters {text} not null,
    payload {text} not null,
    index_version {text} not null,
    seen {text} not null default ''
);
create index if not exists talks_owner on talks (owner, last);
create index if not exists talks_last on talks (last);
create index if not exists talk_entries_talk on talk_entries (talk, id)
"""
TITLE_LENGTH = 100
WITHHELD = "この回答は、いま見られるシートの範囲より広い範囲から作られたため、表示しません。もう一度質問してください。"
MOST_WORDS = 8  # of a search; more only cost time


@dataclass(frozen=True, slots=True)
class Keeping:
    """What is kept: nothing in any file where it is not ``on``; else ``most`` conversations an owner, the newest ones,
    each for ``days`` days after its last question."""

    on: bool = True
    days: int = 90
    most: int = 200


KEEPING = Keeping()
# Without a history the papers of a conversation on the screen still have to be made: it stays in memory for a day.
UNKEPT = Keeping(on=False, days=1, most=5)


@dataclass(frozen=True, slots=True)
class Entry:
    """A question and its answer at a time (UTC). ``text`` is the answer as Markdown, ``answer`` the whole of it with
    citations and table; None where another version of hyoka wrote it and it cannot be read any more, or where it came
    from more sheets than its owner may see today."""

    question: str
    text: str
    at: datetime
    filters: Filters
    index_version: str
    answer: AnswerJson | None


@dataclass(frozen=True, slots=True)
class Conversation:
    """Entries in the order they were asked; ``title`` is the first question."""

    id: str
    title: str
    began: datetime
    last: datetime
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of the history: ``count`` questions, the last one at ``last`` (UTC)."""

    id: str
    title: str
    last: datetime
    count: int


class ConversationBook:
    """The conversations in the store's database.

    >>> book = ConversationBook(SQLiteDatabase())
    >>> book.listing("somebody")
    []
    """

    def __init__(
        self,
        db: Database,
        keeping: Keeping = KEEPING,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self._db, self._clock = db, clock or SteadyClock()
        self.keeping = keeping
        self.forget: Callable[[Sequence[tuple[str, str]]], None] | None = None
        """Called with the questions and answers that somebody has deleted: what else quotes them goes too."""
        db.create(SCHEMA)
        if "seen" not in db.columns("talk_entries"):
            with db.transaction() as begun:
                begun.execute(f"alter table talk_entries add column seen {db.dialect.text} not null default ''")
        self._prune()

    def add(self, owner: str, talk: str, question: str, answer: AnswerJson, filters: Filters) -> str:
        """Appends to the conversation ``talk`` and returns its id; a new one begins where the owner has none of that id.

        Without an owner nothing is kept, and the id is empty.
        """
        if not owner:
            return ""
        at = _written(self._clock())
        with self._db.transaction() as begun:
            # The first statement also holds the conversation, so that nobody deletes it before its entry stands.
            if not begun.execute("update talks set last = ? where id = ? and owner = ?", (at, talk, owner)).count:
                talk = secrets.token_urlsafe(16)
                begun.execute(
                    "insert into talks (id, owner, title, began, last) values (?, ?, ?, ?, ?)",
                    (talk, owner, question[:TITLE_LENGTH], at, at),
                )
            begun.execute(
                "insert into talk_entries (talk, at, question, answer, words, filters, payload, index_version, seen)"
                " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    talk, at, question, answer.answer, folded(f"{question}\n{answer.answer}"),
                    json.dumps(asdict(filters), ensure_ascii=False, default=str), answer.model_dump_json(), answer.index_version, _seen_now(),
                ),
            )  # fmt: skip
        self._prune(owner)
        return talk

    def amend(self, owner: str, talk: str, number: int, answer: AnswerJson) -> bool:
        """Puts another answer in the place of the one to the question ``number`` (from 1); False where there is none."""
        with self._db.transaction() as begun:
            rows = begun.execute(
                "select e.id, e.question from talk_entries e join talks t on t.id = e.talk"
                " where t.id = ? and t.owner = ? order by e.id limit 1 offset ?",
                (talk, owner, max(0, number - 1)),
            ).rows
            for key, question in rows:
                begun.execute(
                    "update talk_entries set answer = ?, words = ?, payload = ?, index_version = ?, seen = ?"
                    " where id = ?",
                    (
                        answer.answer, folded(f"{question}\n{answer.answer}"), answer.model_dump_json(),
                        answer.index_version, _seen_now(), key,
                    ),
                )  # fmt: skip
        return bool(rows)

    def count(self, owner: str) -> int:
        """How many conversations the owner has."""
        return int(self._db.rows("select count(*) from talks where owner = ?", (owner,))[0][0])

    def length(self, owner: str, talk: str) -> int:
        """How many questions that conversation has; 0 where the owner has none of that id."""
        rows = self._db.rows(
            "select count(*) from talk_entries e join talks t on t.id = e.talk where t.id = ? and t.owner = ?",
            (talk, owner),
        )
        return int(rows[0][0])

    def listing(self, owner: str, words: str = "", limit: int = 200) -> list[Listed]:
        """The owner's conversations, the newest first; with ``words``, those whose questions and answers hold them all.

        Width and case of letters do not matter: ＡＩ finds ai. An answer is searched as far as :meth:`find` shows it.
        """
        self._prune()
        wanted = folded(words).split()[:MOST_WORDS]
        words_of = self._db.dialect
        # The words of an answer made from other sheets than the caller's own of today tell what stands there.
        seen = () if caller().sees_all else (_seen_now(),)
        held = "case when e.seen = ? then e.words else '' end" if seen else "e.words"
        holds = f"exists (select 1 from talk_entries e where e.talk = t.id and {words_of.find}({held}, ?) > 0)"
        values = [value for one in wanted for value in (*seen, one)]
        rows = self._db.rows(
            "select id, title, last, (select count(*) from talk_entries e where e.talk = t.id) from talks t"
            f" where owner = ?{f' and {holds}' * len(wanted)} order by last desc, {words_of.arrival} desc limit ?",
            (owner, *values, limit),
        )
        return [Listed(row[0], row[1], datetime.fromisoformat(row[2]), row[3]) for row in rows]

    def find(self, owner: str, talk: str) -> Conversation | None:
        """The owner's conversation of that id. An answer that came from sheets the caller may see no more is withheld."""
        rows = self._db.rows(
            "select t.title, t.began, t.last, e.question, e.answer, e.at, e.filters, e.index_version, e.payload, e.seen"
            " from talks t join talk_entries e on e.talk = t.id where t.id = ? and t.owner = ? order by e.id",
            (talk, owner),
        )
        if not rows:
            return None
        title, began, last = rows[0][:3]
        entries = tuple(_entry(row[3:]) for row in rows)
        return Conversation(talk, title, datetime.fromisoformat(began), datetime.fromisoformat(last), entries)

    def delete(self, owner: str, talk: str) -> bool:
        """Deletes one conversation of the owner for good; False where there is none of that id."""
        return self._forgotten("id = ? and owner = ?", talk, owner) > 0

    def delete_all(self, owner: str) -> int:
        """Deletes everything of the owner for good; returns how many conversations there were."""
        return self._forgotten("owner = ?", owner)

    def delete_everything(self) -> int:
        """Deletes the conversations of everybody for good, with what else quotes them; returns how many there were."""
        return self._forgotten("true")

    def owners(self) -> list[tuple[str, int]]:
        """Everybody who has conversations, and how many."""
        rows = self._db.rows("select owner, count(*) from talks group by owner order by owner")
        return [(row[0], int(row[1])) for row in rows]

    def _forgotten(self, where: str, *values: object) -> int:
        """Deletes with all that quotes it: that first, so that what was broken off half-way can be done again."""
        told = self._db.rows(
            "select question, answer from talk_entries where talk in"
            f" (select id from talks where {where}) order by id", values,
        )  # fmt: skip
        if told and self.forget is not None:
            self.forget([(row[0], row[1]) for row in told])
        return self._remove(where, *values, whole=True)

    def clear(self) -> None:
        """Deletes the conversations of everybody: the history has been switched off."""
        self._remove("true")

    def _prune(self, owner: str = "") -> None:
        """Deletes what is older than the days say, and the oldest of an owner with too many."""
        oldest = _written(self._clock() - timedelta(days=self.keeping.days))
        self._remove("last < ?", oldest)
        if owner:
            self._remove(
                "owner = ? and id not in"
                f" (select id from talks where owner = ? order by last desc, {self._db.dialect.arrival} desc limit ?)",
                owner, owner, self.keeping.most,
            )  # fmt: skip

    def _remove(self, where: str, *values: object, whole: bool = False) -> int:
        if not self._db.rows(f"select 1 from talks where {where} limit 1", values):
            return 0
        with self._db.transaction() as begun:
            # In one order, so that two servers that clear away do not wait for each other.
            chosen = f"select id from talks where {where} order by id{self._db.dialect.lock}"
            gone = [row[0] for row in begun.execute(chosen, values).rows]
            for talk in gone:
                begun.execute("delete from talk_entries where talk = ?", (talk,))
                begun.execute("delete from talks where id = ?", (talk,))
        try:
            self._db.erase(whole)
        except DatabaseError as problem:
            logger.warning("%s", problem)
        return len(gone)


def folded(text: str) -> str:
    """The form in which words are compared: NFKC, letters without case.

    >>> folded("ＡＩ-OCR　ｼｽﾃﾑ")
    'ai-ocr システム'
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def open_book(db: Database, keeping: Keeping) -> ConversationBook:
    """The book in the store's database; where nothing may be kept, what was kept before goes, and the book is in memory."""
    book = ConversationBook(db, keeping)
    if keeping.on:
        return book
    book.clear()
    return ConversationBook(SQLiteDatabase(), UNKEPT)


def _written(at: datetime) -> str:
    """A time in UTC, always of the same length, so that texts order as times do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _seen_now() -> str:
    """What the caller may see, as it is written beside an answer: empty for everything."""
    seen = caller().visibility
    return "" if seen == EVERYTHING else json.dumps([seen.municipalities, seen.folders], ensure_ascii=False)


def _shown(written: str) -> bool:
    """Whether an answer made from so much may be shown to the caller."""
    now = caller().visibility
    if now == EVERYTHING:
        return True
    return bool(written) and now.includes(
        Visibility(*(None if one is None else tuple(one) for one in json.loads(written)))
    )


def _entry(row: Row) -> Entry:
    question, text, at, filters, version, payload, seen = row
    answer: AnswerJson | None = None
    if not _shown(seen):
        text = WITHHELD
    else:
        try:
            answer = AnswerJson.model_validate_json(payload)
        except ValidationError:
            pass
    kept = {name: tuple(values) for name, values in json.loads(filters).items() if name in Filters.__dataclass_fields__}
    return Entry(question, text, datetime.fromisoformat(at), Filters(**kept), version, answer)
