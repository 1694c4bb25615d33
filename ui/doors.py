"""Which of Gradio's own addresses are open, what their bodies may be, and how their refusals read.

Gradio brings some seventy addresses; its pages call a dozen of them. The others (uploads, proxies, code editing,
recordings, the files of the disk) are closed here, so that a new release opens nothing by itself.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Container
from typing import Any

from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.access.places import own_path
from assistant.refusals import INTERNAL, MESSAGES

logger = logging.getLogger(__name__)

READ = ("GET", "HEAD")
_SESSION = r"[A-Za-z0-9_-]{1,64}"
DOORS: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = (
    (READ, re.compile(r"/?")),
    (READ, re.compile(r"/(?:assets|static)/[A-Za-z0-9_.@+/-]{1,200}")),
    (READ, re.compile(r"/(?:theme\.css|favicon\.ico|robots\.txt|manifest\.json|config)")),
    (READ, re.compile(r"/gradio_api/(?:theme\.css|app_id|info|startup-events)")),
    (READ, re.compile(rf"/gradio_api/heartbeat/{_SESSION}")),
    (READ, re.compile(r"/gradio_api/queue/data")),
    (("POST",), re.compile(r"/gradio_api/(?:queue/join|cancel|reset)")),
)
CLOSED = ("/gradio_api/file", "/gradio_api/upload", "/gradio_api/proxy", "/gradio_api/stream")
JOIN = "/gradio_api/queue/join"


class Doors:
    """Stands before Gradio's application; ``functions`` are the numbers of the events its pages may call."""

    def __init__(self, app: ASGIApp, functions: Container[int]) -> None:
        self.app, self.functions = app, functions

    @property
    def routes(self) -> list[BaseRoute]:
        """All that Gradio has, open or not."""
        return list(getattr(self.app, "routes", []))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets in what is open; raises HTTPException for what is not, which the application puts into words."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = own_path(scope)
        method = scope["method"]
        open_for = next((methods for methods, pattern in DOORS if pattern.fullmatch(path)), None)
        if open_for is None:
            raise HTTPException(403 if path.startswith(CLOSED) else 404)
        if method not in open_for:
            raise HTTPException(405, headers={"Allow": ", ".join(open_for)})
        if path == "/gradio_api/queue/data":
            session = Request(scope).query_params.get("session_hash", "")
            if not re.fullmatch(_SESSION, session):
                raise HTTPException(422, "session_hash: 値の形が違います。画面を開き直してください。")
        elif (
            path != JOIN
        ):  # Gradio reads names of its own there (page, deep_link); ours are read from the page's address
            scope = {**scope, "query_string": b""}
        if method == "POST":
            receive = await self._checked(Request(scope, receive), path)
            # What it reads is what was checked, whatever the sender calls it.
            kept = [one for one in scope["headers"] if one[0] not in (b"content-type", b"content-length")]
            scope = {**scope, "headers": [*kept, (b"content-type", b"application/json")]}
        await self.app(scope, receive, reworded(send))

    async def _checked(self, request: Request, path: str) -> Receive:
        """The body, looked at before Gradio does; raises HTTPException where its pages would never send it."""
        data = await request.body()
        try:
            body = json.loads(data)
            plain = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()  # no half characters, no NaN
        except (ValueError, RecursionError):
            raise HTTPException(400) from None
        if not isinstance(body, dict) or (path == JOIN and not self._callable(body)):
            raise HTTPException(422, "画面から送られる形ではありません。画面を開き直してください。")
        told: list[Message] = [{"type": "http.request", "body": plain, "more_body": False}]

        async def again() -> Message:
            return told.pop() if told else await request.receive()

        return again

    def _callable(self, body: dict[str, Any]) -> bool:
        number, session = body.get("fn_index"), body.get("session_hash")
        return (
            isinstance(number, int)
            and not isinstance(number, bool)
            and number in self.functions
            and isinstance(session, str)
            and re.fullmatch(_SESSION, session) is not None
            and isinstance(body.get("data"), list)
        )


def reworded(send: Send) -> Send:
    """The same, but an answer of 400 and more has the one shape of all errors; what Gradio wrote stays in the log.

    ``detail`` stands beside it because the pages of Gradio read their messages there.
    """
    held = False

    async def sending(message: Message) -> None:
        nonlocal held
        if message["type"] == "http.response.start" and message["status"] >= 400:
            held = True
            status = message["status"]
            code, words = MESSAGES.get(status, INTERNAL)
            if status >= 500:
                logger.error("Gradio answered with %d", status)
            body = {"error": {"code": code, "message": words}, "detail": words}
            response = JSONResponse(body, status, headers={"Retry-After": "2"} if status == 503 else None)
            await send({"type": "http.response.start", "status": status, "headers": response.raw_headers})
            await send({"type": "http.response.body", "body": response.body})
        elif not held:
            await send(message)

    return sending
