"""A port and the server on it."""

from __future__ import annotations

import logging
import os
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EACCES, EADDRINUSE
from importlib.metadata import PackageNotFoundError, version
from ipaddress import ip_address
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from assistant.console import tell_instead
from assistant.ending import Ending
from assistant.logs import fields, set_up
from assistant.notify import notify, watchdog_seconds
from assistant.prefix import Prefix
from assistant.protocol import refusing
from corpus.errors import HyokaError, SettingsError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from assistant.readiness import Readiness
    from assistant.settings import Settings
    from assistant.upkeep import Upkeep

logger = logging.getLogger(__name__)

# After the time for what is under way: for closing the index, the store and the answering processes.
_LAST_SECONDS = 10.0
_START_SECONDS = 600.0  # a very large index is opened in minutes at most
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


@dataclass(frozen=True, slots=True)
class Running:
    """What a server does beside answering. ``reload`` looks for a new index; ``ready`` waits until questions can be
    answered, and tells what stands in the way (empty: nothing)."""

    reload: Callable[[], object] = lambda: None
    ready: Callable[[], str] = lambda: ""
    stopping: Callable[[], object] = lambda: None


@contextmanager
def logging_as(settings: Settings) -> Iterator[None]:
    """The log of a server while it lasts, its start and its end written down; in JSON, what is said to people stands there too."""
    set_up(settings.log_format, settings.log_level, settings.secrets)
    if settings.log_format == "json":
        tell_instead(_say)
    began = monotonic()
    logger.info("起動します。", extra=fields("start", version=_version(), pid=os.getpid(), workers=settings.workers))
    try:
        yield
    except HyokaError as problem:
        logger.info("起動できません。", extra=fields("stop", reason=problem.code))
        raise
    else:
        logger.info("停止しました。", extra=fields("stop", seconds=round(monotonic() - began, 1)))


def _say(text: str) -> None:
    """Whatever the level: it is said once, and somebody waits for it."""
    logging.getLogger().handle(logging.LogRecord("assistant.console", logging.INFO, __file__, 0, "%s", (text,), None))


def _version() -> str:
    try:
        return version("hyoka")
    except PackageNotFoundError:
        return ""


def running_of(application: FastAPI, upkeep: Upkeep) -> Running:
    """What the server of an application does beside answering."""
    readiness: Readiness = application.state.readiness

    def ready() -> str:
        readiness.wait(_START_SECONDS)
        return readiness.check().problem or ""

    return Running(lambda: upkeep.live.check(now=True), ready, readiness.stop)


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


def run(
    application: FastAPI,
    opened: socket.socket,
    settings: Settings,
    beside: Running | None = None,
    tls: Tls | None = None,
) -> None:
    """Serves until it is stopped, and returns when what was under way is answered, though after ``stop_seconds`` of the
    settings at the latest.

    SIGTERM and Ctrl+C stop it, a second one ends the process at once; SIGHUP looks for a new index.
    """
    import uvicorn

    from assistant.requestlog import RequestLog

    ending = Ending(application)
    settled = uvicorn.Config(
        Prefix(RequestLog(ending), settings.root_path),
        log_config=None,  # see assistant.logs
        access_log=False,
        timeout_graceful_shutdown=1,  # what was under way has been waited for, or it would not have come to this
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        proxy_headers=False,  # the application has to know whom it believes (assistant/access/door.py)
        server_header=False,
        ssl_certfile=None if tls is None else tls.cert,
        ssl_keyfile=None if tls is None else tls.key,
        http=refusing(),
        ws="none",
    )
    try:
        settled.load()
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"証明書か秘密鍵を使えません（{error}）。PEM形式か、組になっているか、権限を確かめてください。"
        ) from error
    _server_class()(settled, ending, settings.stop_seconds, beside or Running()).run(sockets=[opened])


def _server_class() -> Any:
    """uvicorn's server with our own end; made here, because importing uvicorn takes a while."""
    import uvicorn

    class Server(uvicorn.Server):
        def __init__(self, config: uvicorn.Config, ending: Ending, stop_seconds: float, beside: Running) -> None:
            super().__init__(config)
            self._ending, self._stop_seconds, self._beside = ending, stop_seconds, beside
            self._asked: int | None = None  # the signal that asked for the end
            self._until = 0.0
            self._reload = False
            self._watchdog, self._told = watchdog_seconds(), 0.0

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            threading.Thread(target=self._announce, name="hyoka-announce", daemon=True).start()

        def _announce(self) -> None:
            problem = self._beside.ready()
            notify("READY=1", f"STATUS={problem or 'ready'}")
            if problem:
                logger.error("質問にまだ答えられません: %s", problem, extra=fields("unready"))
            else:
                logger.info("質問に答えられるようになりました。", extra=fields("ready"))

        async def on_tick(self, counter: int) -> bool:
            if self._watchdog and monotonic() - self._told >= self._watchdog:
                self._told = monotonic()
                notify("WATCHDOG=1")  # from the event loop: a loop that hangs says nothing
            if self._reload:
                self._reload = False
                logger.info("新しい索引があるか確かめます。", extra=fields("reload"))
                threading.Thread(target=self._beside.reload, name="hyoka-reload", daemon=True).start()
            if self._asked is not None:
                self._leave()
            return await super().on_tick(counter)

        def _leave(self) -> None:
            """Closes the ending, and goes when nobody is inside or the time is up."""
            if not self._ending.closed:
                self._ending.close()
                self._beside.stopping()
                self._until = monotonic() + self._stop_seconds
                logger.info("停止します。処理中の応答は %d 件です。", self._ending.inside, extra=fields("stopping"))
                notify("STOPPING=1")
                # A thread that never comes back would hold up the end of the interpreter.
                end = threading.Timer(self._stop_seconds + _LAST_SECONDS, os._exit, (0,))
                end.daemon = True
                end.start()
            if self._ending.inside and monotonic() < self._until:
                return
            if left := self._ending.clear():
                logger.warning("%d 件の応答を待ちきれずに打ち切りました。", left, extra=fields("cut", count=left))
            self.should_exit = True

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            if threading.current_thread() is not threading.main_thread():
                yield
                return
            handlers: dict[int, Callable[[int, object], None]] = {
                signal.SIGTERM: self._signalled,
                signal.SIGINT: self._signalled,
            }
            # At a terminal it says that the window was closed.
            if hasattr(signal, "SIGHUP") and not (sys.stdin is not None and sys.stdin.isatty()):
                handlers[signal.SIGHUP] = self._hung_up
            before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
            try:
                yield
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

        # Nothing is written here: the signal may have come in the middle of a line.
        def _signalled(self, number: int, _: object) -> None:
            if self._asked is not None:
                os._exit(128 + number)
            self._asked = number

        def _hung_up(self, number: int, _: object) -> None:
            self._reload = True

    return Server
