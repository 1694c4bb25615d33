"""Answers given before, for whoever asks the very same again: of one index, as long as that is the one served."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import replace
from time import perf_counter

from assistant.readiness import NO_FILTERS, Asker, warm
from assistant.stages import running
from assistant.types import NO_CHOICES, Answer, Choices, Turn
from assistant.views import restricted
from index.types import Filters, Index
from index.visibility import Visibility


class AnswerCache:
    """Answers like the assistant inside it and keeps the last ``most`` different answers.

    It lives and dies with that assistant, which answers from one index with one set of weights and synonyms: a change of
    any of them makes another assistant (:class:`assistant.live.Live`), so that no answer outlives what it was made from.
    Question, history, filters and choices have to be the same, each of them whole. ``took_ms`` is what this time took.
    """

    def __init__(self, assistant: Asker, most: int) -> None:
        self._assistant, self._most = assistant, most
        self._answers: OrderedDict[Hashable, Answer] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def index(self) -> Index:
        """The index of the assistant."""
        return self._assistant.index

    def warm(self) -> None:
        """Warms the assistant; answers come with questions only."""
        warm(self._assistant)

    def forget(self) -> None:
        """Forgets every answer."""
        with self._lock:
            self._answers.clear()

    def seen_by(self, visibility: Visibility) -> AnswerCache:
        """The assistant of those who may see only some of the sheets, with answers of its own."""
        return AnswerCache(restricted(self._assistant, visibility), self._most)

    def __len__(self) -> int:
        return len(self._answers)

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        filters: Filters = NO_FILTERS,
        choices: Choices = NO_CHOICES,
    ) -> Answer:
        """The assistant's answer; a question that cannot be answered (QuestionError) is tried anew each time."""
        began = perf_counter()
        key = (question, tuple(history), filters, choices)
        with self._lock:
            known = self._answers.get(key)
            if known is not None:
                self._answers.move_to_end(key)
        watch = running()
        if watch is not None:
            watch.remembered = known is not None
        if known is not None:
            return replace(known, took_ms=round((perf_counter() - began) * 1000, 2))
        answer = self._assistant.ask(question, history, filters, choices)
        with self._lock:
            self._answers[key] = answer
            while len(self._answers) > self._most:
                self._answers.popitem(last=False)
        return answer


def cached(assistant: Asker, most: int) -> Asker:
    """The assistant with a cache of that many answers; without one for 0.

    Neither with a reranking model: what that says depends on how much time there was, and an answer made in a hurry
    should not be given again.
    """
    if not most or getattr(assistant.index, "reranker", None) is not None:
        return assistant
    return AnswerCache(assistant, most)
