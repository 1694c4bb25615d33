"""One line in the log for every request, and an id that proxy, log and answer share."""

from __future__ import annotations

import logging
import re
import secrets
from time import perf_counter

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.access.caller import CALLER, Caller
from assistant.logs import REQUEST, Current, fields
from assistant.metrics import METHODS

logger = logging.getLogger(__name__)

HEADER = "X-Request-ID"
_USABLE = re.compile(r"[A-Za-z0-9._-]{8,64}")
# Asked every few seconds by machines: written down only where something is wrong.
_PROBES = ("/healthz", "/readyz", "/metrics")
# The files of the screens, a dozen for every page, and the connection that stays while a page is open.
_FILES = ("/assets/", "/static/", "/hyoka-assets/", "/docs-assets/", "/svelte/", "/theme.css", "/gradio_api/heartbeat/")


def request_id(sent: str | None) -> str:
    """The id a proxy has sent, where it is short and plain; else a new one."""
    return sent if sent is not None and _USABLE.fullmatch(sent) else secrets.token_hex(8)


class RequestLog:
    """The outermost layer of the application but for the prefix. Of an address only the route's template is written down: what was asked
    may stand in the rest of it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Measures from the first byte in to the last byte out, and adds the id to the answer's headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        one = request_id(Headers(scope=scope).get(HEADER))
        current = Current(one)
        token = REQUEST.set(current)
        path = str(scope["path"])  # a mount takes it apart, in the same scope
        began, status, sent, whole = perf_counter(), 500, 0, False

        async def watched(message: Message) -> None:
            nonlocal status, sent, whole
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = one
            elif message["type"] == "http.response.body":
                sent += len(message.get("body", b""))
                whole = not message.get("more_body", False)
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:
            # The error handler of the application has written it down and answered. Only where the answer broke off
            # does uvicorn have to hear of it: it closes the connection.
            if not whole:
                logger.error("応答が途中で切れました。", exc_info=error, extra=fields("error"))
                raise
        finally:
            _write(scope, path, status, perf_counter() - began, sent)
            REQUEST.reset(token)
            current.id = ""


def _write(scope: Scope, path: str, status: int, seconds: float, sent: int) -> None:
    route = _route(scope, path)
    level = logging.WARNING if status >= 500 else logging.INFO
    if status < 400 and route.startswith((*_PROBES, *_FILES)):
        level = logging.DEBUG
    if not logger.isEnabledFor(level):
        return
    who = scope.get(CALLER)
    method = scope["method"] if scope["method"] in METHODS else "OTHER"
    logger.log(
        level,
        "%s %s %s",
        method,
        route,
        status,
        extra=fields(
            "refused" if status in (401, 403, 413, 429, 503) else "request",
            method=method,
            route=route,
            status=status,
            ms=round(1000 * seconds, 1),
            bytes=sent,
            caller=who.name if isinstance(who, Caller) else "",
        ),
    )


def _route(scope: Scope, path: str) -> str:
    """The template of the route, never the address itself."""
    template = getattr(scope.get("route"), "path", None)
    if isinstance(template, str) and template:
        return template
    # Mounted folders have no template, and what is refused at the door has none yet.
    return next((part for part in (*_PROBES, *_FILES) if path.startswith(part)), "(screens)")
