"""Work done inside something that holds for its whole length, also where it is done in steps by different threads."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar

Value = TypeVar("Value")


@contextmanager
def put(variable: ContextVar[Value], value: Value) -> Iterator[None]:
    """Inside, the variable has the value; context variables follow into the threads of the work."""
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


class Surrounding(Protocol):
    """What surrounds one call: put in place for every step of it, ended after the last."""

    def step(self) -> AbstractContextManager[None]:
        """In place inside."""
        ...

    def end(self) -> None:
        """The call is over, however it ended."""
        ...


class EachStep:
    """The surrounding that ``enter`` opens anew for every step, and that leaves nothing to end."""

    def __init__(self, enter: Callable[[], AbstractContextManager[None]]) -> None:
        self.step = enter

    def end(self) -> None:
        """Nothing is left."""


def surrounded(work: Callable[..., Any], begin: Callable[[], Surrounding]) -> Callable[..., Any]:
    """A function, a generator function or an asynchronous one of either, each call inside what ``begin`` gives for it.

    Each step of a generator may run in another thread with another context, so it is put in place step by step.
    """
    return _every_kind(work, begin, lambda value: value)


def changed(work: Callable[..., Any], change: Callable[[Any], Any]) -> Callable[..., Any]:
    """A function of any of these kinds, with each value that it gives changed."""
    return _every_kind(work, lambda: EachStep(nullcontext), change)


def _every_kind(
    work: Callable[..., Any], begin: Callable[[], Surrounding], change: Callable[[Any], Any]
) -> Callable[..., Any]:
    if inspect.isasyncgenfunction(work):

        @functools.wraps(work)
        async def flowed(*values: Any, **named: Any) -> AsyncIterator[Any]:
            around = begin()
            steps = work(*values, **named)
            try:
                while True:
                    with around.step():
                        try:
                            step = await anext(steps)
                        except StopAsyncIteration:
                            return
                    yield change(step)
            finally:
                await steps.aclose()
                around.end()

        return flowed
    if inspect.iscoroutinefunction(work):

        @functools.wraps(work)
        async def awaited(*values: Any, **named: Any) -> Any:
            around = begin()
            try:
                with around.step():
                    return change(await work(*values, **named))
            finally:
                around.end()

        return awaited
    if inspect.isgeneratorfunction(work):

        @functools.wraps(work)
        def stepped(*values: Any, **named: Any) -> Iterator[Any]:
            around = begin()
            steps = work(*values, **named)
            try:
                while True:
                    with around.step():
                        try:
                            step = next(steps)
                        except StopIteration:
                            return
                    yield change(step)
            finally:
                steps.close()
                around.end()

        return stepped

    @functools.wraps(work)
    def called(*values: Any, **named: Any) -> Any:
        around = begin()
        try:
            with around.step():
                return change(work(*values, **named))
        finally:
            around.end()

    return called
