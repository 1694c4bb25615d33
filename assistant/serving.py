"""A port and the server on it."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EACCES, EADDRINUSE
from typing import TYPE_CHECKING

from assistant.refusals import MESSAGES
from corpus.errors import SettingsError

if TYPE_CHECKING:
    from fastapi import FastAPI

# uvicorn's five seconds are about what a person reads for: a request sent as the connection is being closed is lost.
# Longer than the sixty of common proxies, so that they and not this side end an idle one.
KEEP_ALIVE_SECONDS = 75


@contextmanager
def listen(host: str, port: int) -> Iterator[socket.socket]:
    """The port, bound; raises SettingsError with the next step where it cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, or asyncio does not see that this is TCP and leaves Nagle's algorithm on: the second half of
    # each answer then waits 40 ms for the browser to acknowledge the first.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
    except OSError as error:
        opened.close()
        if error.errno == EADDRINUSE:
            message = f"ポート {port} はほかのプログラムが使っています。--port で別の番号を指定してください。"
        elif error.errno == EACCES:
            message = f"ポート {port} を開く権限がありません。--port に1024以上の番号を指定してください。"
        else:
            message = f"{host} では待ち受けられません（{error.strerror or error}）。--host を確かめてください。"
        raise SettingsError(message) from error
    try:
        yield opened
    finally:
        opened.close()


def refusing() -> type[asyncio.Protocol]:
    """uvicorn's protocol, which says in the one shape of all errors, and in Japanese, that what came is no HTTP."""
    import h11
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Refusing(H11Protocol):
        def send_400_response(self, msg: str) -> None:
            if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):  # the answer is under way, or given
                self.transport.close()
                return
            code, words = MESSAGES[400]
            body = json.dumps({"error": {"code": code, "message": words}}, ensure_ascii=False).encode()
            headers = [
                ("content-type", "application/json"),
                ("content-length", str(len(body))),
                ("connection", "close"),
            ]
            for event in (h11.Response(status_code=400, headers=headers), h11.Data(body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
            self.transport.close()

    return Refusing


def run(application: FastAPI, opened: socket.socket) -> None:
    """Serves until it is stopped (Ctrl+C or SIGTERM)."""
    import uvicorn

    logging.getLogger().setLevel(logging.WARNING)
    settled = uvicorn.Config(
        application,
        log_level="warning",
        timeout_graceful_shutdown=5,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        http=refusing(),
        ws="none",
    )
    server = uvicorn.Server(settled)
    try:
        server.run(sockets=[opened])
    except KeyboardInterrupt:
        pass  # uvicorn has shut down in order and hands the signal on; here it is the ordinary end
