"""Addresses in pages, where the application stands under a path of its own (see :mod:`assistant.prefix`)."""

from __future__ import annotations

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.access.places import root_of

# An address of ours in the pages and, as JSON within a stream, in what the screens are sent. In a text of a document the
# quotation mark would be &quot;, so none of these is the document's. // begins an address of another host.
_LINK = re.compile(rb'(?P<before>\b(?:href|src|action)=\\?")(?=/(?!/))')

_RESULTS = "/search/results"  # the list of the 検索 screen: HTML within JSON


class Links:
    """Puts the prefix before every address of ours in pages and in the streams of the screens; files and the API stay as
    they are, byte for byte."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A page comes whole (see :class:`ui.dress.Dress`), a stream message by message."""
        root = root_of(scope) if scope["type"] == "http" else ""
        if not root:
            await self.app(scope, receive, send)
            return
        start: Message | None = None
        body = bytearray()
        kind = ""

        async def rewritten(message: Message) -> None:
            nonlocal start, kind
            if message["type"] == "http.response.start":
                kind = Headers(raw=message["headers"]).get("content-type", "").partition(";")[0]
                if kind == "text/html" or (kind == "application/json" and scope["path"] == _RESULTS):
                    start = message  # its length changes
                    return
            elif message["type"] == "http.response.body" and kind == "text/event-stream":
                message = {**message, "body": prefixed(message.get("body", b""), root)}
            elif message["type"] == "http.response.body" and start is not None:
                body.extend(message.get("body", b""))
                if message.get("more_body", False):
                    return
                page = prefixed(bytes(body), root)
                headers = MutableHeaders(raw=start["headers"])
                if page:
                    headers["content-length"] = str(len(page))
                await send({**start, "headers": headers.raw})
                await send({"type": "http.response.body", "body": page})
                return
            await send(message)

        await self.app(scope, receive, rewritten)


def prefixed(text: bytes, root: str) -> bytes:
    """The text with the prefix before every address of ours that has none yet.

    >>> prefixed(b'<a href="/sheet/a"><a href="/hyoka/"><a href="//other/">', "/hyoka")
    b'<a href="/hyoka/sheet/a"><a href="/hyoka/"><a href="//other/">'
    """
    own = root.encode()

    def put(found: re.Match[bytes]) -> bytes:
        there = text.startswith((own + b"/", own + b'"', own + b"\\", own + b"?", own + b"#"), found.end())
        return found["before"] if there else found["before"] + own

    return _LINK.sub(put, text)
