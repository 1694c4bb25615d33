"""What every page of ours says in its first bytes: its language, the reader's text size, and our own styles and scripts.

Gradio's page calls itself English and adds a ``head`` only once its own scripts run: until then the page would stand
there unstyled, in the wrong size, and Enter would send in the middle of a conversion.
"""

from __future__ import annotations

import re
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.access.places import own_path
from ui.guard import NONCE

SIZE_COOKIE = "hyoka-text"  # written by hyoka.js
SIZES = {"large": "hy-large", "largest": "hy-largest"}
OPENING = re.compile(r"<html\b[^>]{0,500}>", re.IGNORECASE)
_SCRIPT = re.compile(r"<script(?=[\s>/]).*?</script", re.IGNORECASE | re.DOTALL)
LANGUAGE = re.compile(r"\slang\s*=\s*([\"'])[^\"']*\1", re.IGNORECASE)
# Cards for link previews: they name Gradio and pictures on other hosts.
PREVIEW = re.compile(r"<meta\s+(?:property|name)=\"(?:og|twitter):[^>]*>\s*", re.IGNORECASE)


def dressed(html: str, size: str = "", head: str = "") -> str:
    """The page in Japanese, in the reader's text size, with ``head`` at the end of its head.

    >>> dressed('<html lang="en"><head></head>', "large", "<link>")
    '<html class="hy-large" lang="ja"><head><link></head>'
    """
    opening = OPENING.search(html)
    if opening is None:
        return html
    name = f' class="{SIZES[size]}"' if size in SIZES else ""
    tag = f'<html{name} lang="ja"{LANGUAGE.sub("", opening.group())[len("<html") :]}'
    top, found, rest = html[opening.end() :].partition("</head>")
    if head:
        top = PREVIEW.sub("", top) + head
    return html[: opening.start()] + tag + top + found + rest


def signed(html: str, nonce: str) -> str:
    """The page whose scripts all bear the nonce.

    What stands inside a script is left alone, up to its end as a browser sees it.

    >>> signed('<script>let a = "<script>"</script><script src="b.js"></script>', "x")
    '<script nonce="x">let a = "<script>"</script><script nonce="x" src="b.js"></script>'
    """
    parts, at = [], 0
    for found in _SCRIPT.finditer(html):
        parts += [
            html[at : found.start()],
            f'<script nonce="{nonce}"',
            html[found.start() + len("<script") : found.end()],
        ]
        at = found.end()
    return "".join([*parts, html[at:]])


def text_size(headers: Headers) -> str:
    """The size a reader has chosen; empty for the usual one, or where the cookie says anything else."""
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(SIZE_COOKIE)
    except CookieError:
        return ""
    return cookie.value if cookie is not None and cookie.value in SIZES else ""


class Dress:
    """Dresses the screens' page (``/``, with ``head``) and every page of ours beside it (``class="hy-page"``)."""

    def __init__(self, app: ASGIApp, head: str) -> None:
        self.app = app
        self.head = head

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Holds the page back until it is whole; other answers stream."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = own_path(scope)
        screens, scripted = path == "/", path in ("/", "/docs", "/evaluation/report.html")
        start: Message | None = None
        body = bytearray()

        async def held(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                kind = Headers(raw=message["headers"]).get("content-type", "")
                if kind.startswith("text/html"):
                    start = message
                    return
            if start is None or message["type"] != "http.response.body":
                await send(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body", False):
                return
            page = bytes(body)
            headers = MutableHeaders(raw=start["headers"])
            ours = screens or b'class="hy-page' in page
            if page and (ours or scripted):  # HEAD has no body
                html = page.decode("utf-8")
                if ours:
                    html = dressed(html, text_size(Headers(scope=scope)), self.head if screens else "")
                if scripted:
                    html = signed(html, str(scope.get(NONCE, "")))
                page = html.encode("utf-8")
                headers["content-length"] = str(len(page))
                headers.add_vary_header("Cookie")
            await send({**start, "headers": headers.raw})
            await send({"type": "http.response.body", "body": page})

        await self.app(scope, receive, held)
