"""The line in front of the work that needs a processor: so many at once, so many waiting, nobody longer than a deadline."""

from __future__ import annotations

import asyncio
import math
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from time import perf_counter
from typing import Literal, Protocol, TypeVar

from anyio import CapacityLimiter, to_thread

from corpus.errors import Busy

Work = Literal["ask", "search", "search-screen"]
Refusal = Literal["full", "late"]
Result = TypeVar("Result")

WAITING, WAIT_SECONDS = 64, 10.0
_LONGEST = 60  # seconds that anybody is sent away for
_FULL = "いま質問や検索が集中しているため、お受けできませんでした。{seconds}秒ほど待ってから、もう一度お試しください。"
_LATE = "質問や検索が集中しているため、順番が来ませんでした。{seconds}秒ほど待ってから、もう一度お試しください。"


def processors() -> int:
    """The processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Clerk(Protocol):
    """Who writes down what happens in a line; :class:`assistant.metrics.Metrics` is one."""

    def waited(self, work: Work, seconds: float) -> None:
        """Somebody's turn came after so many seconds."""
        ...

    def refused(self, work: Work, why: Refusal) -> None:
        """Somebody was sent away."""
        ...

    def measured(self, work: Work, do: Callable[[], Result]) -> Result:
        """Does the work and measures it."""
        ...


async def apart(do: Callable[[], Result]) -> Result:
    """Does it in a thread that nobody else can have taken: the usual forty may all be busy."""
    return await to_thread.run_sync(do, limiter=CapacityLimiter(1))


async def _to_its_end(do: Callable[[], Result]) -> Result:
    """Does it in a thread; a caller that is cancelled waits all the same, since what it holds for the thread is in use."""
    task = asyncio.ensure_future(apart(do))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        task.cancelled() or task.exception()  # nobody else will ask for it
        raise


class Line:
    """Work in at most ``at_once`` threads of its own; at most ``waiting`` more stand in line, none longer than ``seconds``.

    Who waits holds no thread, so whatever else the server does goes on. First come, first served. ``at_once`` is by
    default the number of processors, at least two: one slow question alone must not stop the others.
    """

    def __init__(
        self,
        at_once: int | None = None,
        waiting: int = WAITING,
        seconds: float = WAIT_SECONDS,
        clerk: Clerk | None = None,
    ) -> None:
        self.at_once = at_once or max(2, processors())
        self.most_waiting, self.seconds, self.clerk = waiting, seconds, clerk
        self._lock = threading.Lock()
        self._running = 0
        self._waiting: deque[Future[None]] = deque()
        self._usual = 0.02  # seconds that a work takes, by those that were done

    @property
    def running(self) -> int:
        """How many works are being done."""
        return self._running

    @property
    def waiting(self) -> int:
        """How many stand in line."""
        return len(self._waiting)

    async def run(self, work: Work, do: Callable[[], Result]) -> Result:
        """What ``do`` returns or raises, in a thread, when its turn comes; raises Busy where the line is full or too slow.

        The context variables of the caller hold in the thread. A caller that is cancelled leaves the line; where its
        work has begun already, that is done to its end first.
        """
        await self._turn(work)
        began = perf_counter()
        try:
            clerk = self.clerk
            return await _to_its_end(do if clerk is None else partial(clerk.measured, work, do))
        finally:
            self._leave(perf_counter() - began)

    async def _turn(self, work: Work) -> None:
        began = perf_counter()
        turn = self._enter(work)
        if turn is not None:
            try:
                await asyncio.wait_for(asyncio.wrap_future(turn), self.seconds)
            except TimeoutError:
                if self._give_up(turn):
                    raise self._busy(work, "late") from None
            except asyncio.CancelledError:
                if not self._give_up(turn):
                    self._leave()  # its turn came in the same moment
                raise
        if self.clerk is not None:
            self.clerk.waited(work, perf_counter() - began)

    def _enter(self, work: Work) -> Future[None] | None:
        """None where there is nothing to wait for."""
        with self._lock:
            if self._running < self.at_once:
                self._running += 1
                return None
            if len(self._waiting) < self.most_waiting:
                turn: Future[None] = Future()
                self._waiting.append(turn)
                return turn
        raise self._busy(work, "full")

    def _give_up(self, turn: Future[None]) -> bool:
        """Leaves the line; False where the turn has come already."""
        with self._lock:
            if turn not in self._waiting:
                return False
            self._waiting.remove(turn)
            return True

    def _leave(self, took: float | None = None) -> None:
        """Makes room for the next in line."""
        with self._lock:
            if took is not None:
                self._usual += 0.1 * (took - self._usual)
            turn = self._waiting.popleft() if self._waiting else None
            if turn is None:
                self._running -= 1
                return
        if turn.set_running_or_notify_cancel():
            turn.set_result(None)
        # Else the waiting side gives up in this moment, finds itself out of the line and passes its turn on.

    def _busy(self, work: Work, why: Refusal) -> Busy:
        if self.clerk is not None:
            self.clerk.refused(work, why)
        ahead = (len(self._waiting) + self._running) * self._usual / self.at_once
        seconds = min(_LONGEST, max(1, math.ceil(ahead)))
        return Busy((_FULL if why == "full" else _LATE).format(seconds=seconds), seconds)
