"""Whose history it is: a random key in a cookie of the browser, until a login names a person."""

from __future__ import annotations

import hashlib
import re
import secrets

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.access.caller import OWNER
from assistant.access.places import own_path
from ui.cookies import set_cookie

COOKIE = "hyoka_visitor"

BROWSER = "browser:"
"""What the owner of a history begins with where it is a browser and not a person."""
_KEY = re.compile(r"[A-Za-z0-9_-]{43}")  # what secrets.token_urlsafe(32) makes


class Visitors:
    """Where nobody has logged in (then the history follows the person), gives every browser that opens the screens a key nobody can guess, and tells the routes behind it who asks.

    ``days`` is how long the browser keeps the key after its last visit; 0 until it is closed.
    """

    def __init__(self, app: ASGIApp, days: int) -> None:
        self.app, self.days = app, days

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Only the page itself sets the cookie: what a page fetches would race for it."""
        if scope["type"] not in ("http", "websocket") or scope.get(OWNER):
            await self.app(scope, receive, send)
            return
        sent = HTTPConnection(scope).cookies.get(COOKIE, "")
        key = sent if _KEY.fullmatch(sent) else ""
        opens = scope.get("method") == "GET" and own_path(scope) == "/"
        if opens and not key:
            key = secrets.token_urlsafe(32)
        if key:
            scope[OWNER] = owner_name(key)

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.append("Set-Cookie", set_cookie(scope, COOKIE, key, self.days * 86_400 or None))
            await send(message)

        await self.app(scope, receive, with_cookie if opens else send)


def owner_name(key: str) -> str:
    """What stands in the store for a key: its SHA-256, so that who reads the store cannot pass for the browser."""
    return f"{BROWSER}{hashlib.sha256(key.encode()).hexdigest()}"


def owner_of(request: HTTPConnection | None) -> str:
    """The owner a request speaks for; empty for a browser that takes no cookies: nothing is kept for it."""
    return "" if request is None else str(request.scope.get(OWNER, ""))
