"""Reading and preparing spread over a Ray cluster (the extra ``ray``): every node needs the same hyoka, and no shared folder."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from assistant.workers import WorkerDied
from corpus.errors import SettingsError

if TYPE_CHECKING:
    from assistant.settings import Settings
    from index.spread import Spread

_REACH = 5.0  # seconds within which the head of a cluster answers
_AHEAD = 2  # tasks a core of the cluster may be ahead of the one that is waited for
_RETRIES = 1  # of a task whose process or node is gone: once for a node that was switched off
_SETTING = "HYOKA_RAY_ADDRESS"


def spread_of(settings: Settings) -> Spread | None:
    """The Ray cluster of the settings, connected; None where they name none. Raises SettingsError."""
    if settings.ray_address is None:
        return None
    connect(settings.ray_address)
    return partial(RayHands, seconds=settings.max_file_seconds)


def connect(address: str) -> None:
    """Connects this process to a running cluster; raises SettingsError where it cannot. Nothing is sent to anyone else."""
    # Read by Ray when it is imported: no usage report leaves this machine.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else it warns of what it will do one day
    try:
        import ray
    except ImportError as error:
        raise SettingsError(
            f"設定 ray_address（{_SETTING}）を使うには Ray が要ります。pip install 'hyoka[ray]' で入れるか、設定を外してください。"
        ) from error
    if ray.is_initialized():
        return
    _reach(address)
    # What was told on the command line or stands in a setting has to be the same for the processes of the cluster.
    own = {name: value for name, value in os.environ.items() if name.startswith(("HYOKA_", "_HYOKA_"))}
    paths = os.pathsep.join(path for path in sys.path if path)
    try:
        ray.init(
            address=address,
            logging_level="ERROR",
            log_to_driver=False,
            runtime_env={"env_vars": {**own, "PYTHONPATH": paths, "RAY_USAGE_STATS_ENABLED": "0"}},
        )
        found = ray.get(ray.remote(_version).remote(), timeout=120)
    except Exception as error:
        ray.shutdown()
        raise SettingsError(
            f"Rayクラスター「{address}」を使えません（{_first_line(error)}）。ray status で動いているか、"
            "Ray と Python の版が同じか確かめてください。"
        ) from error
    if found != _version():
        ray.shutdown()
        raise SettingsError(
            f"Rayクラスター「{address}」の hyoka は版が違います。すべてのマシンに同じ版の hyoka と、同じ様式のファイルを入れてください。"
        )


def _reach(address: str) -> None:
    """A cluster that is not there is told in seconds; Ray itself waits for half a minute."""
    if address in ("auto", "local"):
        return
    parts = urlsplit(address if "//" in address else f"//{address}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port:
        raise SettingsError(
            f"設定 ray_address（{_SETTING}）の値「{address}」は使えません。「10.0.0.5:6379」のように、アドレスとポートを書いてください。"
        )
    try:
        socket.create_connection((host, port), _REACH).close()
    except OSError as error:
        raise SettingsError(
            f"Rayクラスター「{address}」につながりません（{error.strerror or error}）。アドレスを確かめるか、"
            "ray start --head で起動してください。"
        ) from error


class RayHands:
    """A work done by the processes of the connected cluster, each task at most ``seconds`` long; a context manager."""

    def __init__(self, work: Callable[[Any], Any], seconds: float) -> None:
        import ray

        self._ray: Any = ray
        self._work = ray.put(work)  # sent to each node once
        self._seconds = seconds
        self._task: Any = ray.remote(_run).options(max_retries=_RETRIES)
        self.ahead = max(2, _AHEAD * int(ray.cluster_resources().get("CPU", 1)))

    def __enter__(self) -> RayHands:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._work = None

    def submit(self, task: Any) -> Future[Any]:
        """The result to come; asking for it raises WorkerDied where its process was lost or its time was over."""
        reference = self._task.remote(self._work, task, self._seconds)
        done: Future[Any] = Future()
        reference.future().add_done_callback(partial(self._told, done))
        return done

    def _told(self, done: Future[Any], found: Future[Any]) -> None:
        errors = self._ray.exceptions
        try:
            done.set_result(found.result())
        except errors.RayTaskError as error:  # raised by the work itself
            cause = error.cause
            done.set_exception(cause if isinstance(cause, Exception) else error)
        except Exception as error:
            gone = WorkerDied()
            gone.__cause__ = error
            done.set_exception(gone)


def _run(work: Callable[[Any], Any], task: Any, seconds: float) -> Any:
    """Runs in the cluster. Time over is the end of the process: a C library that hangs hears nothing else."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return work(task)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _version() -> str:
    from index.prepared import preparing_version

    return preparing_version()


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
