"""A port and the server on it."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EACCES, EADDRINUSE
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.withheld import withhold
from corpus.errors import SettingsError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from assistant.settings import Settings

# uvicorn's five seconds are about what a person reads for: a request sent as the connection is being closed is lost.
# Longer than the sixty of common proxies, so that they and not this side end an idle one.
KEEP_ALIVE_SECONDS = 75


@dataclass(frozen=True, slots=True)
class Tls:
    """A certificate and its private key, as PEM files."""

    cert: Path
    key: Path


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


def check_open(settings: Settings) -> None:
    """Raises SettingsError for a server that would let in from other machines whoever likes, unless that was said."""
    if settings.auth == "off" and not settings.without_login and not loopback(settings.host):
        raise SettingsError(
            f"{settings.host} で待ち受けると、ほかのパソコンからだれでも使えます。--auth password などでログインを求めるか"
            "（docs/access.md）、それでよければ --without-login も付けてください。"
        )
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise SettingsError("証明書（--tls-cert）と秘密鍵（--tls-key）は、両方を指定してください。")


def loopback(host: str) -> bool:
    """Whether an address to listen at is reached from this machine alone.

    >>> loopback("127.0.0.1"), loopback("::1"), loopback("localhost"), loopback("0.0.0.0"), loopback("10.1.2.3")
    (True, True, True, False, False)
    """
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def run(application: FastAPI, opened: socket.socket, tls: Tls | None = None) -> None:
    """Serves until it is stopped (Ctrl+C or SIGTERM), encrypted where there is a certificate."""
    import uvicorn

    withhold()
    logging.getLogger().setLevel(logging.WARNING)
    settled = uvicorn.Config(
        application,
        log_level="warning",
        timeout_graceful_shutdown=5,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        proxy_headers=False,  # the application has to know whom it believes (assistant/access/door.py)
        server_header=False,
        ssl_certfile=None if tls is None else tls.cert,
        ssl_keyfile=None if tls is None else tls.key,
    )
    try:
        settled.load()
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"証明書か秘密鍵を使えません（{error}）。PEM形式か、組になっているか、権限を確かめてください。"
        ) from error
    server = uvicorn.Server(settled)
    try:
        server.run(sockets=[opened])
    except KeyboardInterrupt:
        pass  # uvicorn has shut down in order and hands the signal on; here it is the ordinary end
