"""How fast a build goes, and how long it will yet take, in words."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from assistant.datewords import length

_ENOUGH = 3.0  # seconds after which a rate says something


class Pace:
    """Follows how far the work is. ``done`` of ``total`` are files, ``sections`` those found in them so far.

    >>> clock = iter([0.0, 10.0, 20.0]).__next__
    >>> pace = Pace(clock)
    >>> pace(0, 4, 0), pace(1, 4, 15_000), pace(2, 4, 30_000)
    ('', '毎秒1,500欄・残り約30秒', '毎秒1,500欄・残り約20秒')
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._since: float | None = None
        self._before = 0

    def __call__(self, done: int, total: int, sections: int) -> str:
        """The rate and the time left in Japanese; empty while nothing can be said."""
        now = self._clock()
        if self._since is None:
            self._since, self._before = now, done
        spent, files = now - self._since, done - self._before
        if spent < _ENOUGH or not sections or files <= 0:
            return ""
        left = f"・残り約{length(max(1, spent / files * (total - done)))}" if total > done else ""
        return f"毎秒{sections / spent:,.0f}欄{left}"
