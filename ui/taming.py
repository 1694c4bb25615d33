"""What the events of the screens give is shown without characters that act (:func:`ui.text.tame`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from assistant.surroundings import changed
from ui.text import tame


def tamed(work: Callable[..., Any]) -> Callable[..., Any]:
    """The same function of any kind, with the pages among its values tamed."""
    return changed(work, _tame)


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
