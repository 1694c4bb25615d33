"""What the events of the screens give is shown without characters that act (:func:`ui.text.tame`)."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from ui.text import tame


def tamed(work: Callable[..., Any]) -> Callable[..., Any]:
    """The same function or generator function, also an asynchronous one, with the pages among its values tamed."""
    if inspect.isasyncgenfunction(work):

        @functools.wraps(work)
        async def flowed(*values: Any, **named: Any) -> AsyncIterator[Any]:
            steps = work(*values, **named)
            try:
                async for step in steps:
                    yield _tame(step)
            finally:
                await steps.aclose()

        return flowed
    if inspect.iscoroutinefunction(work):

        @functools.wraps(work)
        async def awaited(*values: Any, **named: Any) -> Any:
            return _tame(await work(*values, **named))

        return awaited
    if inspect.isgeneratorfunction(work):

        @functools.wraps(work)
        def stepped(*values: Any, **named: Any) -> Iterator[Any]:
            for step in work(*values, **named):
                yield _tame(step)

        return stepped

    @functools.wraps(work)
    def called(*values: Any, **named: Any) -> Any:
        return _tame(work(*values, **named))

    return called


def _tame(value: Any) -> Any:
    """Pages wherever they stand in what an event gives. Other texts stay: a filter has to find its municipality again."""
    if isinstance(value, str):
        return tame(value) if value.startswith("<") else value
    if type(value) is dict:
        # A message of the conversation was tamed when it was made: there are many, and they come with every step.
        if "role" in value:
            return value
        return {key: _tame(one) for key, one in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_tame, value))
    return value
