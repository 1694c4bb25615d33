"""Every event of the screens answers from one index, also while a new one takes over."""

from __future__ import annotations

from typing import Any

from assistant.live import held


def hold_events(screens: Any) -> Any:
    """The same ``gr.Blocks``, each of its functions holding the index that it meets first until it is done.

    Done once, here: an event that looks at the index twice would otherwise have to think of it.
    """
    for event in screens.fns.values():
        if event.fn is not None:
            event.fn = held(event.fn)
    return screens
