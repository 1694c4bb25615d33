"""Where the time of a search goes: wall and CPU milliseconds by stage."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class StageClock:
    """Adds up the time spent in watched functions, by stage.

    What a watched function spends in another one counts for the inner one alone, so that stages add up to no more than
    the whole. For one thread.
    """

    def __init__(self) -> None:
        self._spent: dict[str, tuple[float, float]] = {}
        self._inner: list[tuple[float, float]] = []

    def timed(self, stage: str, function: Callable[P, R]) -> Callable[P, R]:
        """The function, its time counted for the stage."""

        @wraps(function)
        def counted(*args: P.args, **kwargs: P.kwargs) -> R:
            self._inner.append((0.0, 0.0))
            wall, cpu = time.perf_counter(), time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                whole = time.perf_counter() - wall, time.process_time() - cpu
                inside = self._inner.pop()
                before = self._spent.get(stage, (0.0, 0.0))
                self._spent[stage] = (before[0] + whole[0] - inside[0], before[1] + whole[1] - inside[1])
                if self._inner:
                    outer = self._inner[-1]
                    self._inner[-1] = (outer[0] + whole[0], outer[1] + whole[1])

        return counted

    def watch(self, owner: Any, name: str, stage: str) -> None:
        """Puts the clock around a function of a module, a method of a class or of one object."""
        setattr(owner, name, self.timed(stage, getattr(owner, name)))

    def take(self) -> dict[str, tuple[float, float]]:
        """Milliseconds (wall, CPU) by stage since it was last asked."""
        spent, self._spent = self._spent, {}
        return {stage: (1000 * wall, 1000 * cpu) for stage, (wall, cpu) in spent.items()}
