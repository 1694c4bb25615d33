"""An answering process as the server sees it: started, given tasks and orders, stopped, measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from assistant.poolworker import Order, Outcome, Task

if TYPE_CHECKING:
    from assistant.settings import Settings

Loss = Literal["died", "late"]
ORDER_SECONDS = 600.0  # a very large index is opened and read ahead in minutes at most

# Not multiprocessing's own start: that one runs the caller's main script again, which not every script bears.
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[3]); "
    "from assistant.poolworker import serve; serve(int(sys.argv[1]), int(sys.argv[2]))"
)
# One thread each: there are as many processes as processors, and threads of one would wait for those of another.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")


class ProcessLost(Exception):
    """The process ended, or gave no result in its time; ``why`` says which."""

    def __init__(self, why: Loss) -> None:
        super().__init__(why)
        self.why = why


class AnsweringProcess:
    """One process. It takes one task at a time, and orders beside them; ``opened`` are the openings it has.

    It ends when this side is gone, however that came about: its pipes end then.
    """

    def __init__(self, settings: Settings) -> None:
        self.opened: set[int] = set()
        self._ordering = threading.Lock()
        work, their_work = Pipe()
        orders, their_orders = Pipe()
        handles = [their_work.fileno(), their_orders.fileno()]
        self._popen = subprocess.Popen(
            [sys.executable, "-c", _START, *map(str, handles), json.dumps(sys.path)],
            pass_fds=handles,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={**os.environ, **dict.fromkeys(_THREADS, "1"), "TOKENIZERS_PARALLELISM": "false"},
        )
        their_work.close()  # so that the end of the process is the end of the pipe
        their_orders.close()
        self._work: Connection[Any, Any] = work
        self._orders: Connection[Any, Any] = orders
        try:
            self._orders.send(settings)
        except OSError:
            pass  # it has ended already; the first order finds out

    @property
    def pid(self) -> int:
        """Its number in the system."""
        return self._popen.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._popen.poll() is None

    def call(self, task: Task, seconds: float) -> Outcome:
        """What came of the task; raises ProcessLost. One caller at a time."""
        outcome: Outcome = self._asked(self._work, task, seconds)
        return outcome

    def tell(self, order: Order) -> None:
        """Opens or closes; raises the HyokaError that stands in the way, or ProcessLost."""
        with self._ordering:
            problem = self._asked(self._orders, order, ORDER_SECONDS)
        if problem is not None:
            raise problem
        if order.opening is not None:
            self.opened.add(order.opening.number)

    def _asked(self, pipe: Connection[Any, Any], message: object, seconds: float) -> Any:
        try:
            pipe.send(message)
            if not pipe.poll(seconds):
                raise ProcessLost("late")
            return pipe.recv()
        except (EOFError, OSError) as error:
            raise ProcessLost("died") from error

    def leave(self) -> None:
        """Lets it end by itself: it is told nothing more."""
        for pipe in (self._work, self._orders):
            pipe.close()

    def stop(self, patience: float = 0.0) -> None:
        """Ends it for good, by force after ``patience`` seconds; whoever waits for its result gets ProcessLost."""
        try:
            self._popen.wait(patience)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()

    def used(self) -> Mapping[str, float]:
        """``seconds`` of processor time, ``resident`` bytes and ``own`` bytes, shared with nobody (Linux; elsewhere none)."""
        folder = Path(f"/proc/{self.pid}")
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            _, resident, shared, *_ = map(int, (folder / "statm").read_text().split())
        except (OSError, ValueError):
            return {}
        page = os.sysconf("SC_PAGE_SIZE")
        ticks = int(fields[11]) + int(fields[12])
        return {
            "seconds": ticks / os.sysconf("SC_CLK_TCK"),
            "resident": float(resident * page),
            "own": float((resident - shared) * page),
        }
