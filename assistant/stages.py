"""Where the time of a question goes: stages that a stopwatch tells apart, however deep they stand in one another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter
from typing import Literal

Stage = Literal["understand", "search", "compose", "explain", "render", "other"]
"""Reading the question; searching the index; writing the answer; saying how it came about and what to ask next; JSON or
HTML of it; and what none of these is."""


class Stopwatch:
    """Seconds by stage of one piece of work. Only one stage runs at a time: a search within composing is searching.

    ``remembered`` says whether the answer was one given before; None where nobody looked.
    """

    def __init__(self) -> None:
        self.seconds: dict[Stage, float] = {}
        self.remembered: bool | None = None
        self._running: list[Stage] = ["other"]
        self._since = perf_counter()

    @property
    def total(self) -> float:
        """The seconds of all stages together."""
        return sum(self.seconds.values())

    def begin(self, stage: Stage) -> None:
        """The stage runs from now on, and the one around it stands still."""
        self._book()
        self._running.append(stage)

    def end(self) -> None:
        """The stage that was begun last is over, and the one around it goes on."""
        self._book()
        self._running.pop()

    def measured_elsewhere(self, seconds: Mapping[Stage, float]) -> None:
        """Books stages that another process has measured, out of the time that was spent waiting for it here."""
        self._book()
        here = self._running[-1]
        for name, spent in seconds.items():
            self.seconds[name] = self.seconds.get(name, 0.0) + spent
            self.seconds[here] = self.seconds.get(here, 0.0) - spent

    def stop(self) -> None:
        """Everything is over."""
        self._book()

    def _book(self) -> None:
        now = perf_counter()
        stage = self._running[-1]
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._since
        self._since = now


_WATCH: ContextVar[Stopwatch | None] = ContextVar("hyoka_stopwatch", default=None)


@contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    """What runs inside is measured; :func:`stage` names its parts."""
    watch = Stopwatch()
    token = _WATCH.set(watch)
    try:
        yield watch
    finally:
        _WATCH.reset(token)
        watch.stop()


@contextmanager
def stage(name: Stage) -> Iterator[None]:
    """One stage of what is measured; where nothing is, it costs nothing worth saying."""
    watch = _WATCH.get()
    if watch is None:
        yield
        return
    watch.begin(name)
    try:
        yield
    finally:
        watch.end()


def running() -> Stopwatch | None:
    """The stopwatch of the work that is being done here, if any."""
    return _WATCH.get()
