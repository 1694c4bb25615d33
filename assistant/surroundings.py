"""Work done inside something that holds for its whole length, also where it is done in steps by different threads."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol


class Surrounding(Protocol):
    """What surrounds one call: put in place for every step of it, ended after the last."""

    def step(self) -> AbstractContextManager[None]:
        """In place inside."""
        ...

    def end(self) -> None:
        """The call is over, however it ended."""
        ...


def surrounded(work: Callable[..., Any], begin: Callable[[], Surrounding]) -> Callable[..., Any]:
    """A function, a generator function or an asynchronous one of either, each call inside what ``begin`` gives for it.

    Each step of a generator may run in another thread with another context, so it is put in place step by step.
    """
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
                    yield step
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
                    return await work(*values, **named)
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
                    yield step
            finally:
                steps.close()
                around.end()

        return stepped

    @functools.wraps(work)
    def called(*values: Any, **named: Any) -> Any:
        around = begin()
        try:
            with around.step():
                return work(*values, **named)
        finally:
            around.end()

    return called
