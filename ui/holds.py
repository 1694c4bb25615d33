"""Every event of the screens answers from one index, also while a new one takes over, for the one who asks, and only whom
it is meant for."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from html import escape
from typing import Any

import gradio as gr  # 2 s: this module is imported when the application is built, not before
from gradio.context import LocalContext

from assistant.access.caller import ANYBODY, Caller, called_by, caller, caller_of
from assistant.audit import Origin, coming_from
from assistant.auditing import origin_of
from assistant.live import held
from assistant.refusals import INTERNAL
from assistant.surroundings import EachStep, surrounded
from corpus.errors import HyokaError
from ui.taming import tamed

logger = logging.getLogger(__name__)

_REFUSED = "この操作は、管理者だけができます。管理者でログインし直してください。"


class Restricted:
    """The events of the parts that only a 管理者 may use, where people log in."""

    def __init__(self) -> None:
        self._events: set[int] = set()

    @contextmanager
    def part(self, screens: Any) -> Iterator[None]:
        """Every event that is added to the Blocks inside is one of them."""
        before = set(screens.fns)
        yield
        self._events |= set(screens.fns) - before

    def __contains__(self, event: int) -> bool:
        return event in self._events


def hold_events(screens: Any, restricted: Restricted | None = None) -> Any:
    """The same ``gr.Blocks``, each of its functions holding the index that it meets first until it is done.

    Done once, here: an event that looks at the index twice, or forgets who asks, would otherwise have to think of it.
    """
    for number, event in screens.fns.items():
        if event.fn is not None:
            work = held(tamed(event.fn))
            if restricted is not None and number in restricted:
                work = surrounded(work, _checked)
            event.fn = surrounded(surrounded(called_by(work, _asking), _coming), lambda: EachStep(_told))
    return screens


def _asking() -> Caller:
    """Who sent the event that runs: Gradio runs it in a task of its own, which knows no request but through this."""
    request = LocalContext.request.get(None)
    return ANYBODY if request is None else caller_of(request)


@contextmanager
def _told() -> Iterator[None]:
    """What nobody foresaw is logged as everywhere else: Gradio would print its message, which may quote the question."""
    try:
        yield
    except gr.Error:
        raise
    except HyokaError as problem:
        raise gr.Error(escape(problem.message), print_exception=False) from None
    except Exception:
        logger.exception("an event of the screens broke")
        raise gr.Error(INTERNAL[1], print_exception=False) from None


def _coming() -> EachStep:
    """Where the event that runs comes from, for the audit trail."""
    request = LocalContext.request.get(None)
    origin = Origin() if request is None else origin_of(getattr(request, "request", request).scope)
    return EachStep(partial(coming_from, origin))


def _checked() -> EachStep:
    if not caller().may("admin"):
        raise gr.Error(_REFUSED, print_exception=False)
    return EachStep(nullcontext)
