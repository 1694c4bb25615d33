"""Questions become typed queries, and evidence becomes cited answers (:mod:`assistant.session`).

``from assistant import Assistant`` is the door for programs in Python (:mod:`assistant.library`). Importing this package
alone loads nothing: every command starts with it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.library import Assistant as Assistant
    from assistant.types import Turn as Turn
    from index.types import Filters as Filters

_WHERE = {"Assistant": "assistant.library", "Filters": "index.types", "Turn": "assistant.types"}
__all__ = ["Assistant", "Filters", "Turn"]


def __getattr__(name: str) -> Any:
    """What the package gives by name, loaded when it is first asked for."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
