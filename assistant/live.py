"""An assistant that takes a new index without a restart: opened beside the old one, changed over at once, the old one
closed when the last request that uses it is done."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from assistant.collector import changed
from assistant.logs import fields
from assistant.readiness import NO_FILTERS, Asker, warm
from assistant.surroundings import put, surrounded
from assistant.types import NO_CHOICES, Answer, Choices, Turn
from assistant.views import Views
from corpus.errors import HyokaError
from index.types import Filters, Index

logger = logging.getLogger(__name__)

RETRY_SECONDS = 60.0  # a snapshot that did not open is tried again, though not every two seconds


class _Generation:
    """One opened assistant, as each caller may see it, and how many requests use it."""

    def __init__(self, asker: Asker) -> None:
        self.asker = Views(asker)
        self.users = 0
        self.retired = False


class _Hold:
    """What one request uses: the generation that it met first. Ended holds, which a task may inherit, hold nothing."""

    def __init__(self) -> None:
        self.open = True
        self._lock = threading.Lock()
        self._taken: dict[Live, _Generation] = {}

    def of(self, live: Live) -> _Generation | None:
        with self._lock:
            if not self.open:
                return None
            if live not in self._taken:
                self._taken[live] = live._take()
            return self._taken[live]

    def step(self) -> AbstractContextManager[None]:
        return put(_HOLD, self)

    def end(self) -> None:
        with self._lock:
            self.open = False
            taken, self._taken = self._taken, {}
        for live, generation in taken.items():
            live._give(generation)


_HOLD: ContextVar[_Hold | None] = ContextVar("hyoka_hold", default=None)


@contextmanager
def holding() -> Iterator[None]:
    """Inside, every :class:`Live` stays what it was when it was first asked, whatever is opened meanwhile."""
    hold = _Hold()
    try:
        with hold.step():
            yield
    finally:
        hold.end()


def held(work: Callable[..., Any]) -> Callable[..., Any]:
    """A function of any kind, each call of which is one request (see :func:`holding`)."""
    return surrounded(work, _Hold)


class HoldRequests:
    """A middleware: one HTTP request answers from one index, from its first look at it to its last byte."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Costs nothing for requests that do not look at an index."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with holding():
            await self.app(scope, receive, send)


class Live:
    """The assistant of the newest index, for each caller from the sheets that he may see. ``stamp`` says, cheaply, what there is to open; ``reopen(old)`` opens it.

    ``check`` compares the stamp with that of the assistant that answers now, and changes over where it differs;
    ``start`` does so every ``seconds`` in the background. What cannot be opened is told in ``problem``, and the old one
    goes on. Outside a request (see :func:`holding`) ``index`` is good for one call only.
    """

    def __init__(
        self,
        first: Asker,
        stamp: Callable[[], str],
        reopen: Callable[[Asker], Asker],
        seconds: float = 2.0,
        opened: str | None = None,
    ) -> None:
        """``opened`` is the stamp of ``first``, where it is not the stamp of this moment."""
        self.problem = ""
        self.since = datetime.now(UTC)
        self._stamp, self._reopen, self._seconds = stamp, reopen, seconds
        self._generation = _Generation(first)
        self._lock = threading.Lock()
        self._checking = threading.Lock()
        self._stop = threading.Event()
        self._opened = _told(stamp) if opened is None else opened
        self._failed, self._again = "", 0.0

    @property
    def index(self) -> Index:
        """What questions are answered from: in a request always the same, else the newest."""
        hold = _HOLD.get()
        generation = hold.of(self) if hold is not None else None
        return (generation or self._generation).asker.index

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        filters: Filters = NO_FILTERS,
        choices: Choices = NO_CHOICES,
    ) -> Answer:
        """One answer, from one index whatever happens meanwhile."""
        hold = _HOLD.get()
        generation = hold.of(self) if hold is not None else None
        if generation is not None:
            return generation.asker.ask(question, history, filters, choices)
        generation = self._take()
        try:
            return generation.asker.ask(question, history, filters, choices)
        finally:
            self._give(generation)

    def warm(self) -> None:
        """Warms the assistant that answers now."""
        generation = self._take()
        try:
            warm(generation.asker)
        finally:
            self._give(generation)

    def forget(self) -> None:
        """Empties the cache of the assistant that answers now, where it has one."""
        forget = getattr(self._generation.asker, "forget", None)
        if forget is not None:
            forget()

    def start(self) -> None:
        """Watches from now on; does nothing where ``seconds`` is 0."""
        if self._seconds:
            threading.Thread(target=self._watch, name="hyoka-watch-index", daemon=True).start()

    def stop(self) -> None:
        """Watches no more."""
        self._stop.set()

    def check(self, now: bool = False) -> bool:
        """Changes over if there is something new; returns whether it did. ``now``: even what has just failed is tried.

        Never raises: the reason why something new cannot be used is in ``problem``.
        """
        with self._checking:
            stamp = _told(self._stamp)
            if stamp == self._opened:
                self.problem = ""
                return False
            # What has failed is not tried again at once, unless it changed.
            waiting = stamp == self._failed and monotonic() < self._again
            if waiting and not now:
                return False
            try:
                opened = self._reopen(self._generation.asker.whole)
            except HyokaError as problem:
                self._fail(stamp, problem.message)
                return False
            except Exception:
                logger.exception("the new index does not open")
                self._fail(stamp, "新しい索引を開けませんでした。サーバーの記録（ログ）を確かめてください。")
                return False
            gone = self._change(opened, stamp)
        changed(gone)  # an index is full of cycles, and its memory should not wait for chance
        return True

    def _change(self, opened: Asker, stamp: str) -> bool:
        """Whether nobody used the old one in that moment."""
        with self._lock:
            old, self._generation = self._generation, _Generation(opened)
            old.retired = True
            idle = old.users == 0
        self._opened, self._failed, self.problem = stamp, "", ""
        self.since = datetime.now(UTC)
        new, before = opened.index.version, old.asker.whole.index.version
        logger.warning(
            "索引 %s に切り替えました（前: %s）。", new, before, extra=fields("index", index=new, before=before)
        )
        if idle:
            _close(old)
        return idle

    def _fail(self, stamp: str, message: str) -> None:
        if message != self.problem:
            logger.error("新しい索引は使えません。前の索引で続けます: %s", message, extra=fields("index"))
        self.problem, self._failed, self._again = message, stamp, monotonic() + RETRY_SECONDS

    def _watch(self) -> None:
        while not self._stop.wait(self._seconds):
            self.check()

    def _take(self) -> _Generation:
        with self._lock:
            self._generation.users += 1
            return self._generation

    def _give(self, generation: _Generation) -> None:
        with self._lock:
            generation.users -= 1
            done = generation.retired and generation.users == 0
        if done:
            _close(generation)


def _told(stamp: Callable[[], str]) -> str:
    """The stamp, or what stands in its way: that is news too."""
    try:
        return stamp()
    except HyokaError as problem:
        return problem.message


def _close(generation: _Generation) -> None:
    generation.asker.close()
