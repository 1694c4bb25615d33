"""Who asks: known from the door of the server to the retrieval, without being handed from function to function."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from assistant.surroundings import EachStep, put, surrounded
from index.visibility import EVERYTHING, Visibility

Role = Literal["利用者", "管理者"]
Scope = Literal["ask", "read", "feedback", "metrics", "admin"]
SCOPES: tuple[Scope, ...] = ("ask", "read", "feedback", "metrics", "admin")

CALLER = "hyoka.caller"
"""The key of the ASGI scope under which the caller of a request stands."""

OWNER = "hyoka.owner"
"""The key of the ASGI scope under which stands whose history it is: a person who logged in, else a browser."""


@dataclass(frozen=True, slots=True)
class Caller:
    """One person, program or, where nobody logs in, anybody. ``name`` is empty for anybody."""

    name: str = ""
    role: Role = "利用者"
    scopes: frozenset[Scope] = frozenset(SCOPES) - {"admin"}
    visibility: Visibility = EVERYTHING

    @property
    def owner(self) -> str:
        """Under what name its history is kept; empty for anybody."""
        return f"user:{self.name}" if self.name else ""

    @property
    def sees_all(self) -> bool:
        """Whether no sheet is hidden from the caller. What others asked and were answered is for such callers only: it
        may come from any sheet."""
        return self.visibility == EVERYTHING

    def may(self, scope: Scope) -> bool:
        """Whether the caller may do something; a 管理者 may do everything its key allows."""
        return scope in self.scopes


ANYBODY = Caller()
NOBODY = Caller(scopes=frozenset(), visibility=Visibility((), ()))
"""Who has not said who it is, where that is needed: it sees nothing."""
_CALLER: ContextVar[Caller] = ContextVar("hyoka_caller", default=ANYBODY)


def caller() -> Caller:
    """Who asks in this request; anybody outside one."""
    return _CALLER.get()


def caller_of(request: Any) -> Caller:
    """Who sent a request, of FastAPI or of Gradio."""
    found = getattr(getattr(request, "request", request), "scope", {}).get(CALLER)
    return found if isinstance(found, Caller) else ANYBODY


def calling(who: Caller) -> AbstractContextManager[None]:
    """Inside, this one asks."""
    return put(_CALLER, who)


def called_by(work: Callable[..., Any], who: Callable[[], Caller]) -> Callable[..., Any]:
    """A function of any kind that does its work for the caller whom ``who`` names when it begins."""
    return surrounded(work, lambda: EachStep(partial(calling, who())))
