"""Several processes that answer: a task goes to a free one, a lost one is replaced, and all have the same openings."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any

from assistant.poolprocess import AnsweringProcess, Loss, ProcessLost
from assistant.poolworker import Opening, Order, Outcome, Task, Work
from assistant.stages import running
from corpus.errors import Busy, HyokaError
from index.visibility import EVERYTHING, Visibility

if TYPE_CHECKING:
    from assistant.settings import Settings

logger = logging.getLogger(__name__)

_START_SECONDS = 120.0  # how long a first question waits for the first process
_LOOK_SECONDS = 0.5  # how often somebody looks whether all processes are still there
_LONGEST_PAUSE = 30.0  # between two attempts to start one that does not start
_ENDING_SECONDS = 3.0
_LOST = "回答の処理が途中で止まったため、お答えできませんでした。少し待ってから、もう一度お試しください。"
_STILLBORN = "回答プロセスが始まりません。サーバーの記録（ログ）とメモリーの空きを確かめてください。"
_NONE = "回答の処理を準備しています。数秒待ってから、もう一度お試しください。"


class BrokeElsewhere(Exception):
    """An unforeseen error in an answering process; its traceback is the message, written by :func:`assistant.logs.told`."""

    plain = True  # for that function: it may be written down as it is


@dataclass(frozen=True, slots=True)
class PoolState:
    """How the processes are: how many there should be and how many are ready, what was lost and why, what they use."""

    wanted: int
    ready: int
    lost: dict[Loss, int]
    seconds: float
    resident: float
    own: float


class Pool:
    """``count`` processes that answer from the same openings, each one task at a time and none longer than ``seconds``.

    A process that dies or does not come to an end costs the task nothing but time: another does it, once. Starting and
    replacing happens in the background.
    """

    def __init__(self, settings: Settings, count: int, seconds: float) -> None:
        self._settings, self._count, self._seconds = settings, count, seconds
        self._change = threading.Condition()
        self._processes: list[AnsweringProcess | None] = [None] * count  # only those that are ready
        self._idle: list[AnsweringProcess] = []
        self._openings: dict[int, Opening] = {}
        self._number = 0
        self._lost: Counter[Loss] = Counter()
        self._past_seconds = 0.0  # processor time of processes that have ended
        self._problem: HyokaError | None = None
        self._once_ready = False
        self._closing = threading.Event()
        self._dropped: SimpleQueue[int] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Starts the processes; returns at once, before they are ready."""
        for place in range(self._count):
            self._bring(place, AnsweringProcess(self._settings))
        self._aside(self._keep, "hyoka-keep-processes")

    def close(self) -> None:
        """Ends them all, and waits until they have ended."""
        self._closing.set()
        with self._change:
            self._change.notify_all()
            there = [process for process in self._processes if process is not None]
            self._processes, self._idle = [None] * self._count, []
        for process in there:
            process.leave()
        for process in there:
            process.stop(_ENDING_SECONDS)
        for thread in self._threads:
            thread.join(_ENDING_SECONDS)

    def open(self, opening: Opening, wait: bool = True) -> int:
        """Opens in every process, in one after the other; the number that the opening has from now on.

        Where one cannot open it, none keeps it, and the error is raised. Without ``wait`` they do so when they are there.
        """
        with self._change:
            self._number += 1
            opening = replace(opening, number=self._number)
            self._openings[opening.number] = opening
            there = [process for process in self._processes if process is not None] if wait else []
            self._change.notify_all()
        for process in there:
            try:
                process.tell(Order(opening, ahead=True))
            except ProcessLost as lost:
                self._lose(process, lost.why)
            except HyokaError:
                self.drop(opening.number)
                raise
            with self._change:
                self._change.notify_all()
        return opening.number

    def drop(self, number: int) -> None:
        """Closes an opening everywhere, soon; nobody may use it any more."""
        with self._change:
            self._openings.pop(number, None)
        self._dropped.put(number)

    def run(self, number: int, work: Work, *given: Any, visibility: Visibility = EVERYTHING) -> Any:
        """The result of one task for somebody who may see so much; raises its HyokaError, or Busy where no process came to its end.

        What its stages took is booked where the caller's time is measured.
        """
        task = Task(number, work, given, visibility)
        for _ in range(2):
            process = self._take(number)
            try:
                outcome = process.call(task, self._seconds)
            except ProcessLost as lost:
                self._lose(process, lost.why)
                continue
            except BaseException:
                self._lose(process, "died")  # whether it still has a result to give is not known
                raise
            self._give(process)
            return _result(outcome)
        raise Busy(_LOST)

    def unready(self) -> str:
        """Why nothing can be answered now, for people; empty where it can."""
        with self._change:
            return "" if any(self._processes) else _NONE

    def state(self) -> PoolState:
        """How things are in this moment."""
        with self._change:
            there = [process for process in self._processes if process is not None]
            lost: dict[Loss, int] = {"died": self._lost["died"], "late": self._lost["late"]}
            past = self._past_seconds
        used = [process.used() for process in there]
        seconds, resident, own = (sum(one.get(what, 0.0) for one in used) for what in ("seconds", "resident", "own"))
        return PoolState(self._count, len(there), lost, past + seconds, resident, own)

    def pids(self) -> list[int]:
        """The numbers of the processes that are ready."""
        with self._change:
            return [process.pid for process in self._processes if process is not None]

    def _take(self, number: int) -> AnsweringProcess:
        patience = self._seconds if self._once_ready else _START_SECONDS
        end = monotonic() + patience
        with self._change:
            while not self._closing.is_set():
                for process in self._idle:
                    if number in process.opened:
                        self._idle.remove(process)
                        return process
                left = end - monotonic()
                if left <= 0 or not self._change.wait(left):
                    break
            problem = None if any(self._processes) else self._problem
        raise problem or Busy(_NONE, 5)

    def _give(self, process: AnsweringProcess) -> None:
        with self._change:
            if process in self._processes:
                self._idle.append(process)
                self._change.notify_all()

    def _lose(self, process: AnsweringProcess, why: Loss) -> None:
        """Counts and replaces a process, whoever finds out first."""
        used = process.used().get("seconds", 0.0)
        with self._change:
            if process not in self._processes:
                return
            place = self._processes.index(process)
            self._processes[place] = None
            if process in self._idle:
                self._idle.remove(process)
            self._lost[why] += 1
            self._past_seconds += used
        logger.error("回答プロセス %d を失いました（%s）。新しく始めます。", process.pid, why)
        process.stop()
        if not self._closing.is_set():
            self._bring(place)

    def _bring(self, place: int, started: AnsweringProcess | None = None) -> None:
        self._aside(lambda: self._raise_up(place, started), "hyoka-start-process")

    def _raise_up(self, place: int, process: AnsweringProcess | None) -> None:
        """Makes a process ready for a place, however often that takes."""
        pause = 0.5
        while not self._closing.is_set():
            process = process or AnsweringProcess(self._settings)
            try:
                if self._made_ready(process, place):
                    return
            except ProcessLost:
                self._problem = Busy(_STILLBORN, 60)
                logger.error(_STILLBORN)
            except HyokaError as problem:
                self._problem = problem
                logger.error("回答プロセスを準備できません: %s", problem.message)
            process.leave()
            process.stop(0.0 if not self._closing.is_set() else _ENDING_SECONDS)
            process = None
            with self._change:
                self._change.notify_all()
            self._closing.wait(pause)
            pause = min(_LONGEST_PAUSE, 2 * pause)

    def _made_ready(self, process: AnsweringProcess, place: int) -> bool:
        """Whether it has all openings and has taken its place; False where the pool is closed meanwhile."""
        while True:
            with self._change:
                while not self._openings and not self._closing.is_set():
                    self._change.wait()
                missing = [one for number, one in self._openings.items() if number not in process.opened]
                if self._closing.is_set():
                    return False
                if not missing:
                    self._processes[place] = process
                    self._idle.append(process)
                    self._once_ready, self._problem = True, None
                    self._change.notify_all()
                    return True
            for opening in missing:
                process.tell(Order(opening))

    def _keep(self) -> None:
        """Closes what was dropped, and finds processes that end while nobody asks them anything."""
        while not self._closing.is_set():
            try:
                number = self._dropped.get(timeout=_LOOK_SECONDS)
            except Empty:
                number = 0
            with self._change:
                there = [process for process in self._processes if process is not None]
            for process in there:
                if not process.alive:
                    self._lose(process, "died")
                elif number in process.opened:
                    process.opened.discard(number)
                    try:
                        process.tell(Order(closing=number))
                    except (ProcessLost, HyokaError):
                        logger.exception("an opening could not be closed")

    def _aside(self, do: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=do, name=name, daemon=True)
        self._threads = [one for one in self._threads if one.is_alive()] + [thread]
        thread.start()


def _result(outcome: Outcome) -> Any:
    watch = running()
    if watch is not None:
        watch.measured_elsewhere(outcome.seconds)
    if outcome.problem is not None:
        raise outcome.problem
    if outcome.broke:
        raise BrokeElsewhere(outcome.broke)
    return outcome.result


@contextmanager
def answering(settings: Settings) -> Iterator[Pool | None]:
    """The processes that the settings ask for, ended on leaving; None for one worker, which is this process itself."""
    if settings.workers < 2:
        yield None
        return
    pool = Pool(settings, settings.workers, settings.worker_seconds)
    try:
        pool.start()
        yield pool
    finally:
        pool.close()
