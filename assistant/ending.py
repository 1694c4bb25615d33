"""The end of a server: what is under way goes on to its end, who comes now is told to come again."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.completionerrors import refusal_at

STOPPING = "サーバーを停止しています。しばらく待ってから、もう一度お試しください。"
RETRY_SECONDS = 10
# Asked by machines: they are to see the end coming, not a closed port.
_OPEN = ("/healthz", "/readyz", "/metrics")
# The answers to questions that were taken on before: Gradio asks for the stream after it has handed in the question.
_ANSWERS = "/gradio_api/queue/data"
# As long as a page is open, so no sign of work.
_ENDLESS = "/gradio_api/heartbeat/"


class Ending:
    """The layer of an application that knows who is inside. Used from the event loop only."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.closed = self._clearing = False
        self._working: set[asyncio.Task[Any]] = set()
        self._endless: set[asyncio.Task[Any]] = set()

    @property
    def inside(self) -> int:
        """How many requests are being answered, those that never end left out."""
        return len(self._working)

    def close(self) -> None:
        """From now on new requests are refused."""
        self.closed = True

    def clear(self) -> int:
        """Ends every request that is still inside, its answer broken off in order; how many there were with work left."""
        self._clearing = True
        left = len(self._working)
        for task in [*self._working, *self._endless]:
            task.cancel()
        return left

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuses with 503, ``Retry-After`` and a closed connection once it is closed."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = str(scope["path"])
        endless = path.startswith(_ENDLESS)
        if self.closed and (endless or not path.startswith((*_OPEN, _ANSWERS))):
            await refusal_at(path, _refusal())(scope, receive, send)
            return
        begun = ended = False

        async def watched(message: Message) -> None:
            nonlocal begun, ended
            if message["type"] == "http.response.start":
                begun = True
                if self.closed:
                    message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            elif message["type"] == "http.response.body":
                ended = not message.get("more_body", False)
            await send(message)

        task = asyncio.current_task()
        assert task is not None  # the event loop calls this
        group = self._endless if endless else self._working
        group.add(task)
        try:
            await self.app(scope, receive, watched)
        except asyncio.CancelledError:
            if not self._clearing:
                raise
            task.uncancel()
            if not begun:
                await _refusal()(scope, receive, send)
            elif not ended:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            group.discard(task)


def _refusal() -> JSONResponse:
    return JSONResponse(
        {"error": {"code": "stopping", "message": STOPPING}},
        status_code=503,
        headers={"Retry-After": str(RETRY_SECONDS), "Connection": "close"},
    )
