"""Headers that keep a page from loading anything from another host, whatever a document contains."""

from __future__ import annotations

import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.access.places import own_path

SHEET_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'self'; base-uri 'none'"
)
NONCE = "hyoka.nonce"
"""The key of the ASGI scope under which stands what the scripts of a page have to bear (ui/dress.py)."""
# Gradio's assets carry a hash in their name and never change; ours keep their names, so a browser has to ask.
KEEP = {"/assets/": "public, max-age=31536000, immutable", "/hyoka-assets/": "no-cache"}


def screen_policy(nonce: str, evaluating: bool = True) -> str:
    """For pages with scripts: of those in the page only the ones that bear the nonce run, so that none that came with a
    text does, nor an ``onclick`` of one. ``evaluating``: Gradio makes functions of its templates and handlers.

    Styles stand in attributes everywhere in Gradio's page, and cannot be told apart.
    """
    return (
        f"default-src 'self'; script-src 'self' 'nonce-{nonce}'{' ' + _EVAL if evaluating else ''};"
        " style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:;"
        " connect-src 'self' blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self';"
        " frame-ancestors 'self'"
    )


_EVAL = "'unsafe-eval'"
_PERMISSIONS = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"


class Guard:
    """Adds the headers to every answer; a route's own header stays."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Leaves bodies alone, so that streamed answers stream."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = own_path(scope)  # now: a mounted application writes its own prefix into the scope
        nonce = scope[NONCE] = secrets.token_urlsafe(18)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "same-origin")
                headers.setdefault("X-Frame-Options", "SAMEORIGIN")
                plain = path.startswith(("/sheet/", "/compare", "/login"))
                docs = path.startswith("/docs")
                headers.setdefault(
                    "Content-Security-Policy", SHEET_POLICY if plain else screen_policy(nonce, evaluating=not docs)
                )
                headers.setdefault("Permissions-Policy", _PERMISSIONS)
                headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
                if scope.get("scheme") == "https":
                    # Over plain http a browser leaves it out and complains.
                    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
                keep = next((rule for part, rule in KEEP.items() if path.startswith(part)), "")
                # What one person was shown, no proxy keeps for the next one.
                headers.setdefault("Cache-Control", keep if keep and message["status"] == 200 else "private, no-cache")
            await send(message)

        await self.app(scope, receive, guarded)
