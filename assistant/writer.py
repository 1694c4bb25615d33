"""A language model beside the answers: it may read a question that the rules cannot, and sum up what an answer quotes.

An answer never depends on it: whatever goes wrong, what there was before stays, within the seconds of the settings.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from time import monotonic, perf_counter
from typing import TYPE_CHECKING

from assistant import rereading, summary
from assistant.llm import ChatModel, open_model
from assistant.payload import answer_json
from assistant.schemas import AnswerJson
from assistant.support.check import Encode
from assistant.support.evidence import sources_of
from assistant.types import Answer, Generated
from corpus.errors import ModelUnavailable
from index.encoder import WordVectors, load_encoder
from index.namepolicy import masks_names
from index.types import Filters, Index

if TYPE_CHECKING:
    from assistant.settings import Settings

logger = logging.getLogger(__name__)

_KEPT = 200  # summaries of answers given before
_RESERVED = 0.1  # seconds
_READING = 0.5  # of the seconds: the summary of the answer that was found then needs its share


class Writer:
    """``model`` None: there is none, and nothing is ever asked. ``seconds`` is all the time that one question may take."""

    def __init__(self, model: ChatModel | None = None, seconds: float = 10.0) -> None:
        self.model, self.seconds = model, seconds
        self._kept: OrderedDict[str, Generated | None] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def on(self) -> bool:
        """Whether there is a model."""
        return self.model is not None

    def finish(
        self, question: str, answer: Answer, index: Index, filters: Filters, ask: Callable[[str], Answer]
    ) -> Answer:
        """The answer, read anew where the rules were unsure, with its summary; at the latest after ``seconds``.

        Where the settings show the names of staff to everybody, nothing is sent: quotes may hold them then.
        """
        if self.model is None or not masks_names():  # names of staff go to no model
            return answer
        # What the answer itself took, and what writing it will take, come off the seconds.
        own = min(answer.took_ms / 1000 + _RESERVED, self.seconds / 2)
        end = monotonic() + self.seconds - own
        try:
            answer = self._reread(question, answer, index, filters, ask, end)
            return self._with_summary(question, answer, index, end)
        except ModelUnavailable as problem:
            logger.info("no text from the language model: %s", problem.message)
        except Exception:  # an answer is worth more than what is written about it
            logger.exception("the language model's part failed")
        return answer

    def _reread(
        self,
        question: str,
        answer: Answer,
        index: Index,
        filters: Filters,
        ask: Callable[[str], Answer],
        end: float,
    ) -> Answer:
        body = answer_json(answer, index)
        if self.model is None or not rereading.unsure(body):
            return answer
        known = rereading.known_of(index, question, filters)
        seconds = min(end - monotonic(), self.seconds * _READING)
        try:
            text = self.model.write(rereading.messages(question, known), seconds)
        except ModelUnavailable as problem:
            logger.info("no reading from the language model: %s", problem.message)
            return answer
        plain = rereading.reading(text, known, index, filters, body)
        if plain is None:
            return answer
        other = ask(plain)
        if other.state != "根拠あり":
            return answer
        read = other.interpretation
        text = f"{read.text}（言語モデルによる読み取り：「{plain}」）"
        return replace(other, interpretation=replace(read, text=text, told_by="llm", sure=None))

    def _with_summary(self, question: str, answer: Answer, index: Index, end: float) -> Answer:
        if answer.abstained or not answer.citations or answer.state != "根拠あり":
            return answer
        body = answer_json(answer, index)
        return replace(answer, generated=self.summary(question, body, index, end - monotonic()))

    def summary(self, question: str, answer: AnswerJson, index: Index, seconds: float) -> Generated | None:
        """The checked summary of an answer; None where nothing of it holds. Raises ModelUnavailable."""
        if self.model is None:
            return None
        began = perf_counter()
        sources = sources_of(answer, index)
        shown = summary.passages(answer, sources)
        key = repr((question, shown))
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        text = self.model.write(summary.messages(question, answer, sources), seconds)
        took = round((perf_counter() - began) * 1000, 2)
        found = summary.checked(text, sources, word_vectors(), self.model.name, took, len(shown))
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found


NO_WRITER = Writer()


@cache
def word_vectors() -> Encode:
    """Vectors of words by the bundled encoder: the check was measured with it, whatever the index is made with."""
    encoder = load_encoder()
    assert isinstance(encoder, WordVectors)
    return encoder.word_vectors


def open_writer(settings: Settings) -> Writer:
    """The writer that the settings ask for."""
    return Writer(open_model(settings), settings.llm_seconds)
