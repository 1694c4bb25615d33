"""What is needed where: the one table that the door looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assistant.access.caller import Scope


@dataclass(frozen=True, slots=True)
class Place:
    """Addresses that begin with ``path``; ``scope`` is what a caller needs there, None for nothing but being known.

    ``everybody``: who is not known may come in too. ``program``: a key opens it, which screens do not take.
    ``counted``: it counts for the limit of requests, unless ``method`` is another one.
    """

    path: str
    scope: Scope | None
    everybody: bool = False
    program: bool = False
    counted: bool = False


LOGIN, LOGOUT = "/login", "/logout"

# The longest path that fits counts. Whatever is not named here belongs to the screens.
PLACES = (
    Place(LOGIN, None, everybody=True),
    Place(LOGOUT, None, everybody=True),
    Place("/healthz", None, everybody=True, program=True),
    Place("/readyz", None, everybody=True, program=True),
    Place("/hyoka-assets/login.css", None, everybody=True),
    Place("/hyoka-assets/favicon.svg", None, everybody=True),
    Place("/metrics", "metrics", program=True),
    Place("/docs", None, program=True),
    Place("/docs-assets", None, program=True),
    Place("/openapi.json", None, program=True),
    Place("/api/v1/me", None, program=True),
    Place("/api/v1/ask", "ask", program=True, counted=True),
    Place("/api/v1/search", "ask", program=True, counted=True),
    Place("/api/v1/sheets", "read", program=True, counted=True),
    Place("/api/v1/feedback", "feedback", program=True, counted=True),
    Place("/api/", "read", program=True, counted=True),
    Place("/v1", "ask", program=True, counted=True),
    Place("/mcp", None, program=True, counted=True),  # each of its tools needs its own scope (assistant/tools.py)
    Place("/gradio_api/queue/join", "ask", counted=True),
    Place("/gradio_api/run", "ask", counted=True),
    Place("/gradio_api/call", "ask", counted=True),
    Place("/status", "admin"),
    Place("/evaluation", "admin"),
    Place("/", "ask"),
)
_BY_LENGTH = sorted(PLACES, key=lambda place: -len(place.path))


def place_of(path: str) -> Place:
    """The place of an address.

    >>> place_of("/api/v1/sheets/abc/source").scope, place_of("/healthz").everybody, place_of("/healthzz").everybody
    ('read', True, False)
    """
    # A whole address in the first line of a request, or *, leads nowhere: it is guarded as the pages are.
    path = path if path.startswith("/") else "/"
    return next(place for place in _BY_LENGTH if _within(path, place.path))


def _within(path: str, start: str) -> bool:
    return path.startswith(start) and (start.endswith("/") or path[len(start) :][:1] in ("", "/"))


def own_path(scope: Mapping[str, object]) -> str:
    """The path of a request without the prefix under which a proxy shows this server."""
    path, root = str(scope["path"]), root_of(scope)
    return path[len(root) :] or "/" if root and f"{path}/".startswith(f"{root}/") else path


def root_of(scope: Mapping[str, object]) -> str:
    """That prefix: empty where there is none, else it begins with a slash and ends without one."""
    return str(scope.get("root_path", "") or "")
