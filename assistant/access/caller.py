"""Who asks: known from the door of the server to the retrieval, without being handed from function to function."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal

from index.visibility import EVERYTHING, Visibility

Role = Literal["利用者", "管理者"]
Scope = Literal["ask", "read", "feedback", "metrics", "admin"]
SCOPES: tuple[Scope, ...] = ("ask", "read", "feedback", "metrics", "admin")

CALLER = "hyoka.caller"
"""The key of the ASGI scope under which the caller of a request stands."""


@dataclass(frozen=True, slots=True)
class Caller:
    """One person, program or, where nobody logs in, anybody. ``name`` is empty for anybody."""

    name: str = ""
    role: Role = "利用者"
    scopes: frozenset[Scope] = frozenset(SCOPES) - {"admin"}
    visibility: Visibility = EVERYTHING

    def may(self, scope: Scope) -> bool:
        """Whether the caller may do something; a 管理者 may do everything its key allows."""
        return scope in self.scopes


ANYBODY = Caller()
_CALLER: ContextVar[Caller] = ContextVar("hyoka_caller", default=ANYBODY)


def caller() -> Caller:
    """Who asks in this request; anybody outside one."""
    return _CALLER.get()


def caller_of(request: Any) -> Caller:
    """Who sent a request, of FastAPI or of Gradio."""
    found = getattr(getattr(request, "request", request), "scope", {}).get(CALLER)
    return found if isinstance(found, Caller) else ANYBODY


@contextmanager
def calling(who: Caller) -> Iterator[None]:
    """Inside, this one asks; context variables follow into the threads of the work."""
    token = _CALLER.set(who)
    try:
        yield
    finally:
        _CALLER.reset(token)
