"""The time of day as far as it can be believed: what is deleted by its age must not go because a clock jumped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

JUMP = timedelta(days=1)
BELIEVED = 86_400.0  # seconds after which a clock that has jumped, and has gone on evenly since, is taken to be right


class SteadyClock:
    """A clock for ages. Where the machine's clock jumps by more than :data:`JUMP`, it goes on evenly from before; a jump
    that lasts is believed after :data:`BELIEVED` seconds, since the clock may have been wrong before it.

    >>> abs(SteadyClock()() - datetime.now(UTC)) < timedelta(seconds=1)
    True
    """

    def __init__(
        self,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall, self._elapsed = wall, elapsed
        self._lock = threading.Lock()
        self._base = (wall(), elapsed())
        self._other: tuple[datetime, float] | None = None

    def __call__(self) -> datetime:
        """The time in UTC."""
        with self._lock:
            here, seconds = self._wall(), self._elapsed()
            expected = _after(self._base, seconds)
            if abs(here - expected) <= JUMP:
                self._base, self._other = (here, seconds), None  # so that small corrections add up to no jump
                return here
            if self._other is None or abs(here - _after(self._other, seconds)) > JUMP:
                self._other = (here, seconds)
            elif seconds - self._other[1] >= BELIEVED:
                self._base, self._other = (here, seconds), None
                return here
            return expected


def _after(base: tuple[datetime, float], seconds: float) -> datetime:
    return base[0] + timedelta(seconds=seconds - base[1])
