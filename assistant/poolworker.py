"""What one answering process runs: it opens the indexes it is told to open, and answers and searches from them."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from assistant.collector import settle
from assistant.logs import set_up, told
from assistant.stages import Stage, stage, stopwatch
from corpus.errors import HyokaError, IndexDamaged
from index.visibility import EVERYTHING, Visibility

if TYPE_CHECKING:
    from assistant.settings import Settings
    from assistant.views import Views
    from index.fusion import Weights
    from index.manifest import Manifest
    from index.snapshot import Snapshot
    from index.synonyms import Synonyms
    from index.types import Encoder

logger = logging.getLogger(__name__)

Work = Literal["ask", "search", "search_sheets"]
_FIRST_QUESTION = "今後の計画は？"  # asked of nobody: patterns are compiled and pages are read by it


@dataclass(frozen=True, slots=True)
class Opening:
    """A snapshot as the server has opened and checked it: its files, synonyms and weights, under a number of its own."""

    number: int
    path: Path
    manifest: Manifest
    synonyms: Synonyms
    weights: Weights


@dataclass(frozen=True, slots=True)
class Task:
    """One call: what is to be done, from which opening, with which arguments, and what of it may be seen."""

    opening: int
    work: Work
    given: tuple[Any, ...]
    visibility: Visibility = EVERYTHING


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a task: the result, or an error for the person who asked, or a traceback for the log; seconds by stage."""

    result: Any = None
    problem: HyokaError | None = None
    broke: str = ""
    seconds: dict[Stage, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order:
    """Open (``opening``; ``ahead``: and read ahead before it counts as open) or close the opening of a number."""

    opening: Opening | None = None
    ahead: bool = False
    closing: int = -1


class _Desk:
    """The openings of this process, each with its assistant; the models are loaded once for all of them."""

    def __init__(self, settings: Settings) -> None:
        from assistant.opening import encoder_of, engine_of, use_server
        from index.encoder import small_encoder
        from index.namepolicy import use_staff_names
        from index.reranker import load_reranker

        use_staff_names(settings.staff_names)
        use_server(settings)  # each process has connections of its own
        self._engine = engine_of(settings)
        self._encoder: Encoder = encoder_of(settings)
        self._word_encoder = small_encoder(self._encoder)
        self._reranker = load_reranker(settings.reranker, settings.reranker_ms)
        self._open: dict[int, Views] = {}
        self._files: dict[int, tuple[Path, Weights, Snapshot]] = {}

    def do(self, task: Task) -> Outcome:
        """Never raises: what goes wrong is told."""
        with stopwatch() as watch:
            try:
                result = self._work(task)()
                problem, broke = None, ""
            except HyokaError as known:
                result, problem, broke = None, known, ""
            except Exception as error:
                result, problem, broke = None, None, told(error)
        return Outcome(result, problem, broke, watch.seconds)

    def _work(self, task: Task) -> Callable[[], Any]:
        assistant = self._open[task.opening].of(task.visibility)
        if task.work == "ask":
            return lambda: assistant.ask(*task.given)
        search = assistant.index.search if task.work == "search" else assistant.index.search_sheets

        def searched() -> Any:
            with stage("search"):
                return search(*task.given)

        return searched

    def obey(self, order: Order) -> HyokaError | None:
        """Opens or closes; what stands in the way, or None."""
        try:
            if order.opening is not None:
                self._take_in(order.opening, order.ahead)
            else:
                self._let_go(order.closing)
        except HyokaError as problem:
            return problem
        except Exception as problem:
            logger.exception("an answering process cannot open the index")
            return IndexDamaged(f"索引を開けません（{problem}）。hyoka index で索引を作り直してください。")
        return None

    def _take_in(self, opening: Opening, ahead: bool) -> None:
        from assistant.session import Assistant
        from assistant.views import Views
        from index.snapshot import Snapshot
        from index.synonyms import put_in_force

        put_in_force(opening.synonyms)
        same = [s for path, weights, s in self._files.values() if (path, weights) == (opening.path, opening.weights)]
        if same:  # only the synonyms changed: no file is read again
            snapshot = same[0].with_synonyms(opening.synonyms)
        else:
            snapshot = Snapshot(
                opening.path,
                opening.manifest,
                self._encoder,
                opening.synonyms,
                opening.weights,
                self._word_encoder,
                self._reranker,
                self._engine,
            )
        try:
            assistant = Assistant(snapshot)
            assistant.ask(_FIRST_QUESTION)
            snapshot.search_sheets(_FIRST_QUESTION, 1)
            if ahead:
                assistant.warm()
        except BaseException:
            snapshot.close()
            raise
        self._files[opening.number] = (opening.path, opening.weights, snapshot)
        self._open[opening.number] = Views(assistant)
        settle()
        if not ahead:
            threading.Thread(target=assistant.warm, name="hyoka-read-ahead", daemon=True).start()

    def _let_go(self, number: int) -> None:
        views = self._open.pop(number, None)
        if views is not None:
            del self._files[number]
            views.close()
            del views
            settle()


def serve(work_handle: int, order_handle: int) -> None:
    """What a process runs: settings first, then orders on the one pipe and tasks on the other until the server is gone."""
    # Ctrl+C and SIGTERM reach the whole group: the server ends in order, and this process with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    work: Connection[Any, Any] = Connection(work_handle)
    orders: Connection[Any, Any] = Connection(order_handle)
    try:
        settings: Settings = orders.recv()
        set_up(settings.log_format, settings.log_level, settings.secrets)
        desk = _Desk(settings)
        threading.Thread(target=_obeying, args=(desk, orders), name="hyoka-orders", daemon=True).start()
        while True:
            outcome = desk.do(work.recv())
            try:
                work.send(outcome)
            except (TypeError, AttributeError, ValueError) as error:  # a result that cannot be sent
                work.send(Outcome(broke=type(error).__name__, seconds=outcome.seconds))
    except (EOFError, OSError):
        _gone()


def _obeying(desk: _Desk, orders: Connection[Any, Any]) -> None:
    """Listens all the time, so that the end of the server is noticed even while an answer does not come to its end."""
    say = threading.Lock()

    def obey(order: Order) -> None:
        problem = desk.obey(order)
        with say:
            try:
                orders.send(problem)
            except OSError:
                _gone()

    try:
        while True:
            threading.Thread(target=obey, args=(orders.recv(),), name="hyoka-order", daemon=True).start()
    except (EOFError, OSError):
        _gone()


def _gone() -> None:
    """The server has ended, however it did: nothing here is worth keeping."""
    os._exit(0)
