"""Whether questions can be answered now."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Protocol

from assistant.access.caller import ANYBODY, calling
from assistant.types import NO_CHOICES, Answer, Choices, Turn
from corpus.errors import HyokaError
from index.manifest import SNAPSHOTS, Manifest, current
from index.types import Filters, Index

logger = logging.getLogger(__name__)

NO_FILTERS = Filters()


class Asker(Protocol):
    """What the interface needs of an assistant; :class:`assistant.session.Assistant` is the real one."""

    @property
    def index(self) -> Index:
        """What it answers from."""
        ...

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        filters: Filters = NO_FILTERS,
        choices: Choices = NO_CHOICES,
    ) -> Answer:
        """One answer with citations."""
        ...


def warm(assistant: object) -> None:
    """Warms an assistant that knows how to; what goes wrong is logged and left to the questions."""
    warms: Callable[[], None] | None = getattr(assistant, "warm", None)
    if warms is None:
        return
    try:
        warms()
    except Exception:
        logger.exception("reading ahead failed")


STARTING = "準備中です。検索の準備が終わるまで数秒お待ちください。"
STOPPING = "停止処理中です。起動し直すまでお待ちください。"
GONE = "索引のファイルがなくなったか、変わっています。索引のフォルダーがつながっているか確かめ、なければ hyoka index で作り直してください。"
OLD = "新しい索引を開けないため、前の索引で答えています。サーバーの記録（ログ）か管理画面を確かめてください。"
_STORE_SECONDS = 5.0  # looking at the store takes its lock


@dataclass(frozen=True, slots=True)
class State:
    """Whether questions can be answered: ``problem`` says why not, ``degraded`` what is wrong beside it."""

    problem: str | None
    sheets: int = 0
    degraded: tuple[str, ...] = ()


class Readiness:
    """Whether questions can be answered now. The first question loads the encoder, so a probe asks it at the start.

    ``store`` says what stands in the way of keeping opinions (see :meth:`assistant.store.FeedbackStore.unwritable`).
    """

    def __init__(self, assistant: Asker, store: Callable[[], str] = lambda: "") -> None:
        self.assistant = assistant
        self.problem: str | None = STARTING
        self.stopping = False
        self._done = threading.Event()
        self._files = _Files()
        self._store, self._store_told, self._store_asked = store, "", -_STORE_SECONDS

    def start(self) -> None:
        """Runs the probe in the background: the port opens at once and ``/readyz`` says 503 until it is done."""
        threading.Thread(target=self._probe, name="hyoka-warm-up", daemon=True).start()

    def stop(self) -> None:
        """From now on nothing new is to be sent here."""
        self.stopping = True

    def wait(self, seconds: float) -> bool:
        """Waits for the probe to end, well or badly."""
        return self._done.wait(seconds)

    def _probe(self) -> None:
        try:
            self.assistant.index.encode(["準備"])
            self.assistant.index.search("準備", 1)
            self.problem = None
        except HyokaError as problem:
            self.problem = problem.message
        except Exception:
            logger.exception("warm-up failed")
            self.problem = "検索の準備に失敗しました。サーバーの記録（ログ）を確かめてください。"
        finally:
            self._done.set()
        warm(self.assistant)  # not part of being ready

    def check(self) -> State:
        """As of now; the sheets are those that the caller may see."""
        if self.stopping or self.problem is not None:
            return State(STOPPING if self.stopping else self.problem)
        try:
            index = self.assistant.index
            unready: Callable[[], str] | None = getattr(index, "unready", None)
            if unready is not None and (problem := unready()):
                return State(problem)
            if not self._files.there(index):
                return State(GONE)
            sheets = len(index.sheets())
            with calling(ANYBODY):  # who may see nothing yet hears that there is something
                there = sheets or len(self.assistant.index.sheets())
        except HyokaError as problem:
            return State(problem.message)
        except Exception:
            logger.exception("the index does not answer")
            return State("索引を読めません。hyoka index で作り直してください。")
        if there == 0:
            return State("索引にシートがありません。hyoka index でシートを取り込んでください。")
        new = OLD if getattr(self.assistant, "problem", "") else ""
        return State(None, sheets, tuple(one for one in (new, self._store_problem()) if one))

    def _store_problem(self) -> str:
        if monotonic() - self._store_asked >= _STORE_SECONDS:
            self._store_asked = monotonic()
            self._store_told = self._store()
        return self._store_told


class _Files:
    """The files of a snapshot as they were when it was first looked at.

    They are mapped: an index goes on answering for a while from files that were deleted, and stops at no certain moment.
    """

    def __init__(self) -> None:
        self._known: tuple[Path, dict[Path, tuple[int, int]]] | None = None

    def there(self, index: object) -> bool:
        """Whether all are as they were, or another snapshot is about to take over; True for an index without files."""
        path, manifest = getattr(index, "path", None), getattr(index, "manifest", None)
        if not isinstance(path, Path) or not isinstance(manifest, Manifest):
            return True
        try:
            if self._known is None or self._known[0] != path:
                self._known = path, {one: _sign(one) for one in (path / name for name in manifest.files)}
            return all(_sign(one) == sign for one, sign in self._known[1].items())
        except OSError:
            return self._replaced(path)

    def _replaced(self, path: Path) -> bool:
        """Builds sweep away old snapshots; the server takes the new one in a moment."""
        folder = path.parent.parent
        try:
            name = current(folder)
        except HyokaError:
            return False
        return name != path.name and (folder / SNAPSHOTS / name).is_dir()


def _sign(file: Path) -> tuple[int, int]:
    told = file.stat()
    return told.st_size, told.st_ino
