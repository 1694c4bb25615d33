"""Processes that read files: a file that kills or hangs its process costs that file, and the others go on."""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

# A file that needs more than this is refused before the machine runs out of memory.
MEMORY_BYTES = 4 * 1024**3
# The libraries for PDF and Office keep some memory of every file; a fresh process starts without it.
_FILES_EACH = 500
# Not multiprocessing's own start: that one runs the caller's main script again, which not every script bears.
# How many tasks each process may be ahead of the one that is waited for: results wait in memory.
_AHEAD = 2
_START = "import json, sys; sys.path[:] = json.loads(sys.argv[2]); from assistant.workers import serve; serve(int(sys.argv[1]))"


class WorkerDied(Exception):  # noqa: N818 (a thing that happened to a task, like a refusal)
    """The process ended without a result: a fault in a C library, or the system has stopped it."""


class TimeExceeded(Exception):  # noqa: N818 (see above)
    """There was no result in the given time, and the process was stopped."""


class Workers(Generic[Task, Result]):
    """``jobs`` processes that run ``work`` on tasks, each at most ``seconds`` long; started when first needed.

    ``work`` must be a function of a module (not of the script that is run), and it must not raise. Use as a context manager: on leaving it, the
    processes are stopped whatever they are doing.
    """

    def __init__(self, work: Callable[[Task], Result], jobs: int, seconds: float) -> None:
        self.ahead = max(1, _AHEAD * jobs)
        self._threads = ThreadPoolExecutor(jobs, thread_name_prefix="reading")
        self._workers = [_Worker(work, seconds) for _ in range(jobs)]
        self._idle: SimpleQueue[_Worker[Task, Result]] = SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)

    def __enter__(self) -> Workers[Task, Result]:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.close()
        self._threads.shutdown(cancel_futures=True)

    def submit(self, task: Task) -> Future[Result]:
        """The result to come; asking for it raises WorkerDied or TimeExceeded where there is none."""
        return self._threads.submit(self._run, task)

    def _run(self, task: Task) -> Result:
        worker = self._idle.get()
        try:
            return worker.run(task)
        finally:
            self._idle.put(worker)


class _Worker(Generic[Task, Result]):
    """One process, replaced by a fresh one whenever a task has ended it."""

    def __init__(self, work: Callable[[Task], Result], seconds: float) -> None:
        self._work = work
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection[Any, Any] | None = None
        self._done = 0
        self._closed = False

    def run(self, task: Task) -> Result:
        if self._closed:
            raise WorkerDied
        try:
            pipe = self._pipe or self._start()
            pipe.send(task)
            if not pipe.poll(self._seconds):
                self._stop()
                raise TimeExceeded
            result: Result = pipe.recv()
        except (EOFError, OSError) as error:
            self._stop()
            raise WorkerDied from error
        self._done += 1
        if self._done >= _FILES_EACH:
            self._stop()
        return result

    def close(self) -> None:
        """Stops the process for good; a task that is running ends with WorkerDied."""
        self._closed = True
        process = self._process
        if process is not None:
            process.kill()
            process.wait()

    def _start(self) -> Connection[Any, Any]:
        ours, theirs = Pipe()
        # What a C library prints must not get between the lines of --json.
        told = None if "HYOKA_DEBUG" in os.environ else subprocess.DEVNULL
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, str(theirs.fileno()), json.dumps(sys.path)],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=told,
        )
        theirs.close()  # so that the end of the process is the end of the pipe
        self._pipe, self._done = ours, 0
        if self._closed:  # closed while it was starting
            self._process.kill()
        ours.send(self._work)
        ours.recv()  # it has started: from here on the time counts
        return ours

    def _stop(self) -> None:
        process, pipe = self._process, self._pipe
        self._process = self._pipe = None
        if process is not None:
            process.kill()
            process.wait()
        if pipe is not None:
            pipe.close()


def serve(handle: int) -> None:
    """What a process runs: first the work, then a task, a result, and so on until the other side is gone."""
    # Ctrl+C is answered by the parent, and what goes wrong in a file becomes its refusal.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.disable(logging.CRITICAL)
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    least = MEMORY_BYTES if most == resource.RLIM_INFINITY else min(MEMORY_BYTES, most)
    resource.setrlimit(resource.RLIMIT_AS, (least, most))
    pipe: Connection[Any, Any] = Connection(handle)
    try:
        work = pipe.recv()
        pipe.send(None)
        while True:
            pipe.send(work(pipe.recv()))
    except (EOFError, OSError):
        return
