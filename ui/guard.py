"""Headers that keep a page from loading anything from another host, whatever a document contains."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SHEET_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'self'; base-uri 'none'"
)
# Gradio and Swagger write styles and scripts into their pages; only their own host may serve more.
SCREEN_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' blob:; worker-src 'self' blob:;"
    " frame-ancestors 'self'"
)
# Gradio's assets carry a hash in their name and never change; ours keep their names, so a browser has to ask.
KEEP = {"/assets/": "public, max-age=31536000, immutable", "/hyoka-assets/": "no-cache"}


class Guard:
    """Adds the headers to every answer; a route's own header stays."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Leaves bodies alone, so that streamed answers stream."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "same-origin")
                headers.setdefault("X-Frame-Options", "SAMEORIGIN")
                path = scope["path"].removeprefix(scope.get("root_path", ""))  # some servers leave the prefix in it
                plain = path.startswith(("/sheet/", "/compare", "/login"))
                headers.setdefault("Content-Security-Policy", SHEET_POLICY if plain else SCREEN_POLICY)
                keep = next((rule for part, rule in KEEP.items() if scope["path"].startswith(part)), "")
                if keep and message["status"] == 200:
                    headers.setdefault("Cache-Control", keep)
            await send(message)

        await self.app(scope, receive, guarded)
