"""The cookies this server sets: for its own pages, out of the reach of scripts, and of other sites' requests."""

from __future__ import annotations

from http.cookies import SimpleCookie

from starlette.types import Scope

from assistant.access.places import root_of


def set_cookie(scope: Scope, name: str, value: str, seconds: int | None) -> str:
    """The ``Set-Cookie`` header for the answer to a request.

    The browser keeps it for so many seconds, 0 takes it away, None is until it is closed. Over TLS it never goes out
    without.
    """
    kept = SimpleCookie({name: value})[name]
    kept["path"], kept["httponly"], kept["samesite"] = root_of(scope) or "/", True, "Lax"
    if seconds is not None:
        kept["max-age"] = seconds
    if scope.get("scheme") == "https":
        kept["secure"] = True
    return kept.OutputString()
