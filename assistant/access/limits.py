"""How often somebody may ask, and how often somebody may try a password."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

TRIES, TRY_SECONDS = 10, 300  # wrong passwords for one name, or from one address, and the seconds they count for


class Limits:
    """Moving windows in memory; each server process that takes requests counts for itself, and there is one."""

    def __init__(self, per_minute: int) -> None:
        """``per_minute`` requests of one caller; 0 for as many as they like."""
        self._requests = RateLimitItemPerMinute(per_minute) if per_minute else None
        self._tries = RateLimitItemPerSecond(TRIES, TRY_SECONDS)
        self._windows = MovingWindowRateLimiter(MemoryStorage())

    def asked(self, who: str) -> int:
        """Counts one request; 0 where it is within the limit, else the seconds after which to try again."""
        if self._requests is None or self._windows.hit(self._requests, "asked", who):
            return 0
        return self._left(self._requests, "asked", who)

    def barred(self, *whom: str) -> int:
        """The seconds that one of these names or addresses still has to wait before the next password; 0 for none."""
        return max((self._left(self._tries, "tried", one) for one in whom if not self._open(one)), default=0)

    def failed(self, *whom: str) -> None:
        """Counts a wrong password for each."""
        for one in whom:
            self._windows.hit(self._tries, "tried", one)

    def _open(self, who: str) -> bool:
        return self._windows.test(self._tries, "tried", who)

    def _left(self, item: RateLimitItem, kind: str, who: str) -> int:
        return max(1, math.ceil(self._windows.get_window_stats(item, kind, who).reset_time - time.time()))
