"""Where work is done that can be done apart: here, in other processes, on other machines. The results come in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any, Protocol, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


class Hands(Protocol):
    """What does the work, while it is open; ``ahead`` says how many tasks are worth beginning before they are needed."""

    ahead: int

    def submit(self, task: Any) -> Future[Any]:
        """The result to come; asking for it raises what went wrong."""
        ...


Spread = Callable[[Callable[[Any], Any]], AbstractContextManager[Hands]]
"""Opens hands for a work: a function of a module, which can be sent elsewhere with what it is given."""


class Here:
    """The plain case: the work is done at once, in this process."""

    ahead = 1

    def __init__(self, work: Callable[[Any], Any]) -> None:
        self._work = work

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, task: Any) -> Future[Any]:
        """See :class:`Hands`."""
        future: Future[Any] = Future()
        future.set_result(self._work(task))
        return future


def in_order(
    submit: Callable[[Task], Future[Result]], tasks: Iterator[Task], ahead: int
) -> Iterator[tuple[Task, Future[Result]]]:
    """Tasks with their results to come, in order, at most ``ahead`` of them begun before they are asked for."""
    waiting: deque[tuple[Task, Future[Result]]] = deque()
    while True:
        waiting.extend((task, submit(task)) for task in islice(tasks, ahead - len(waiting)))
        if not waiting:
            return
        yield waiting.popleft()
