"""Every event of the screens answers from one index, also while a new one takes over, and shows no character that acts."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from assistant.live import held
from ui.text import tame


def hold_events(screens: Any) -> Any:
    """The same ``gr.Blocks``, each of its functions holding the index that it meets first until it is done, and each page
    it gives with its hidden controls made visible (:func:`ui.text.tame`).

    Done once, here: an event that looks at the index twice, or shows what a sheet says, would otherwise have to think of it.
    """
    for event in screens.fns.values():
        if event.fn is not None:
            event.fn = held(tamed(event.fn))
    return screens


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
        if (
            "role" in value
        ):  # a message of the conversation, tamed when it was made: there are many, and they come with every step
            return value
        return {key: _tame(one) for key, one in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_tame, value))
    return value
