"""A cross-encoder reads the question and a passage together; it reorders the head of a ranking within a time budget.

It never makes a search fail: what is too slow or breaks leaves the order as it was, and a note says so.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from corpus.errors import SettingsError
from index.modelencoder import check_weights, first_line, keep_tokenizer, token_limit
from index.modelfolder import find_model
from index.runtime import sentence_transformers

logger = logging.getLogger(__name__)

HEAD = 50  # passages that are reordered at most
BUDGET_MS = 300
_BATCH = 8
_KEPT = 256  # orders kept, so that the pages of one result follow each other
_FAILURES = 3  # in a row, after which the model is left alone
_SETTING = "HYOKA_RERANKER"
_ENDS = 16  # the work on a pair beside its characters
_LEARNING = 0.3  # weight of the last batch in the measured time a unit of work
_FORGETTING = 0.9  # after a skipped question, so that one slow moment does not switch the model off for good
_WARM_QUERY = "来年度の予算はいくらですか"
_WARM_TEXT = "施設の管理\n今後の計画\n" + "利用する人の声を聞き、点検の結果をもとに、修繕の順番を毎年見直す。" * 4


class Reranker(Protocol):
    """Scores passages for a question; the numbers only have to be comparable within one question."""

    name: str

    def scores(self, query: str, texts: list[str]) -> NDArray[np.float32]:
        """One number a text, higher for a better answer."""
        ...


class CrossEncoderReranker:
    """A cross-encoder by folder or cached name, in sentence-transformers' or transformers' format."""

    def __init__(self, source: str) -> None:
        folder = find_model(source, _SETTING)
        if not folder.classifies:
            message = f"モデル「{source}」は並べ替え用のモデル（クロスエンコーダー）ではありません。文を埋め込むモデルなら HYOKA_ENCODER に指定してください（{_SETTING}）。"
            raise SettingsError(message)
        library = sentence_transformers()
        from torch.nn import Identity

        # The plain output: after a sigmoid in float32 the best passages are all 1.0.
        self._identity = Identity()
        try:
            self._model = library.CrossEncoder(
                str(folder.path),
                device="cpu",
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"dtype": "float32"},
            )
            check_weights(self._model.model, folder)
            keep_tokenizer(self._model, folder)
            self._model.max_seq_length = token_limit(folder.config)
            labels = int(self._model.num_labels)
        except Exception as error:
            message = f"並べ替えのモデル「{source}」を読み込めません（{first_line(error)}）。{_SETTING} のモデルの種類とファイルを確かめてください。"
            raise SettingsError(message) from error
        if labels != 1:
            message = f"モデル「{source}」は点数を一つではなく{labels}個出します。並べ替え用のモデルを {_SETTING} に指定してください。"
            raise SettingsError(message)
        self.name = folder.name

    def scores(self, query: str, texts: list[str]) -> NDArray[np.float32]:
        """See :class:`Reranker`; a pair longer than the model takes is cut."""
        pairs = [(query, text) for text in texts]
        found = self._model.predict(
            pairs, batch_size=_BATCH, activation_fn=self._identity, show_progress_bar=False, convert_to_numpy=True
        )
        return np.asarray(found, dtype=np.float32).reshape(-1)


def work(query: str, texts: Sequence[str]) -> int:
    """What a batch costs, in characters: every pair of it is filled up to the longest.

    >>> work("更改", ["戸籍", "図書館電算"])
    46
    """
    return len(texts) * (len(query) + max(map(len, texts)) + _ENDS)


@dataclass(frozen=True, slots=True)
class Reordering:
    """The new order of a head as places in the old one, how many were scored, and a Japanese note if none were."""

    order: tuple[int, ...]
    scored: int
    note: str = ""


class TimedReranker:
    """A reranker with a budget: as many of the first passages as fit it by the measured rate, in small batches.

    ``clock`` gives seconds. The first calls, outside any question, load what is loaded late and measure the rate.
    """

    def __init__(
        self, model: Reranker, budget_ms: float = BUDGET_MS, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.name = model.name
        self._model = model
        self._budget = budget_ms / 1000
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, tuple[str, ...]], Reordering] = OrderedDict()
        self._failures = 0
        self._seconds = self._warm()

    def order(self, query: str, texts: Sequence[str]) -> Reordering:
        """``texts`` (best first) reordered for the question: the scored ones among themselves, the rest stay."""
        began = self._clock()
        key = (query, tuple(texts))
        if (known := self._known.get(key)) is not None:
            return known
        if self._failures >= _FAILURES:
            return self._as_it_was(texts, f"並べ替えのモデル {self.name} は続けて失敗したため使っていません")
        if not self._lock.acquire(timeout=self._budget):  # one question at a time: two would both be late
            return self._as_it_was(
                texts, f"並べ替えのモデル {self.name} がほかの質問で使用中のため、並べ替えていません"
            )
        try:
            scores = self._scores(query, texts[:HEAD], began)
            self._failures = 0
        except Exception as error:  # an optional help must not cost the answer
            self._failures += 1
            logger.warning("reranker %s failed: %s", self.name, first_line(error))
            note = f"並べ替えのモデル {self.name} が失敗したため、並べ替えていません（{first_line(error)}）"
            return self._as_it_was(texts, note)
        finally:
            self._lock.release()
        if len(scores) < 2:
            if len(texts) < 2:
                return self._as_it_was(texts, "")
            milliseconds = round(self._budget * 1000)
            note = f"並べ替えのモデル {self.name} は {milliseconds}ミリ秒に間に合わないため、並べ替えていません"
            logger.warning("reranker %s is too slow for its budget of %d ms", self.name, milliseconds)
            return self._as_it_was(texts, note)
        order = list(range(len(texts)))
        places = sorted(scores)
        for place, one in zip(places, sorted(places, key=lambda i: -scores[i]), strict=True):
            order[place] = one
        found = Reordering(tuple(order), len(scores))
        self._known[key] = found
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return found

    def _warm(self) -> float:
        """Seconds a unit of work, the best of three batches; SettingsError where the model cannot score at all."""
        taken = []
        texts = [_WARM_TEXT] * _BATCH
        for _ in range(3):
            began = self._clock()
            try:
                self._batch(_WARM_QUERY, texts)
            except Exception as error:
                message = f"並べ替えのモデル「{self.name}」を試したところ失敗しました（{first_line(error)}）。{_SETTING} のモデルを確かめてください。"
                raise SettingsError(message) from error
            taken.append((self._clock() - began) / work(_WARM_QUERY, texts))
        return min(taken)

    def _scores(self, query: str, texts: Sequence[str], began: float) -> dict[int, float]:
        """Scores by place in ``texts``: of the first ones that fit the budget, the short ones first."""
        scores: dict[int, float] = {}
        planned = self._planned(query, texts)
        for places in planned:
            batch = [texts[i] for i in places]
            start = self._clock()
            if start - began + self._seconds * work(query, batch) > self._budget:
                break
            scores |= zip(places, self._batch(query, batch), strict=True)
            taken = (self._clock() - start) / work(query, batch)
            self._seconds += _LEARNING * (taken - self._seconds)
        if not planned:
            self._seconds *= _FORGETTING
        return scores

    def _planned(self, query: str, texts: Sequence[str]) -> list[list[int]]:
        """The first texts, as many as fit the budget, in batches of like length: a batch costs what its longest costs."""
        for count in range(len(texts), min(2, len(texts)) - 1, -1):
            places = sorted(range(count), key=lambda i: len(texts[i]))
            batches = [places[at : at + _BATCH] for at in range(0, count, _BATCH)]
            if self._seconds * sum(work(query, [texts[i] for i in batch]) for batch in batches) <= self._budget:
                return batches
        return []

    def _batch(self, query: str, texts: list[str]) -> list[float]:
        found = self._model.scores(query, texts)
        if found.shape != (len(texts),) or not np.isfinite(found).all():
            raise ValueError("点数が数になりません")
        return [float(score) for score in found]

    def _as_it_was(self, texts: Sequence[str], note: str) -> Reordering:
        return Reordering(tuple(range(len(texts))), 0, note)


def load_reranker(source: str | None, budget_ms: float = BUDGET_MS) -> TimedReranker | None:
    """The reranker a setting names, warmed up; None where none is named. SettingsError for one that cannot be used."""
    return None if source is None else TimedReranker(CrossEncoderReranker(source), budget_ms)
