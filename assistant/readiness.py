"""Whether questions can be answered now."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from assistant.access.caller import ANYBODY, calling
from assistant.types import NO_CHOICES, Answer, Choices, Turn
from corpus.errors import HyokaError
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


class Readiness:
    """Whether questions can be answered now. The first question loads the encoder, so a probe asks it at the start."""

    def __init__(self, assistant: Asker) -> None:
        self.assistant = assistant
        self.problem: str | None = "準備中です。検索の準備が終わるまで数秒お待ちください。"
        self._done = threading.Event()

    def start(self) -> None:
        """Runs the probe in the background: the port opens at once and ``/readyz`` says 503 until it is done."""
        threading.Thread(target=self._probe, name="hyoka-warm-up", daemon=True).start()

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

    def check(self) -> tuple[str | None, int]:
        """(problem or None, number of sheets that the caller may see), as of now."""
        if self.problem is not None:
            return self.problem, 0
        try:
            index = self.assistant.index
            unready: Callable[[], str] | None = getattr(index, "unready", None)
            if unready is not None and (problem := unready()):
                return problem, 0
            sheets = len(index.sheets())
            with calling(ANYBODY):  # who may see nothing yet hears that there is something
                there = sheets or len(self.assistant.index.sheets())
        except HyokaError as problem:
            return problem.message, 0
        except Exception:
            logger.exception("the index does not answer")
            return "索引を読めません。hyoka index で作り直してください。", 0
        if there == 0:
            return "索引にシートがありません。hyoka index でシートを取り込んでください。", 0
        return None, sheets
