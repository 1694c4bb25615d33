"""An assistant and a snapshot whose answering and searching is done by other processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

from assistant.pool import Pool
from assistant.poolworker import Opening, Work
from assistant.readiness import NO_FILTERS
from assistant.types import NO_CHOICES, Answer, Choices, Turn
from index.snapshot import Snapshot
from index.synonyms import Synonyms
from index.types import Filters, Order, SearchResult, SheetsFound
from index.visibility import EVERYTHING, Visibility


class SharedSnapshot(Snapshot):
    """A snapshot that is open here and in every process of a pool; here it is read, there it is searched."""

    def __init__(self, local: Snapshot, pool: Pool, number: int, visibility: Visibility = EVERYTHING) -> None:
        """``visibility`` is what is seen of the opening of that number, here and there."""
        self.__dict__.update(local.__dict__)
        self._local, self._pool, self._number, self._visibility = local, pool, number, visibility

    def seen_by(self, visibility: Visibility) -> SharedSnapshot:
        """See :meth:`index.snapshot.Snapshot.seen_by`; each process has views of its own, made when they are needed."""
        if self._visibility != EVERYTHING:
            raise ValueError("a view of a view is not shared")
        return SharedSnapshot(self._local.seen_by(visibility), self._pool, self._number, visibility)

    def _run(self, work: Work, *given: Any) -> Any:
        return self._pool.run(self._number, work, *given, visibility=self._visibility)

    def unready(self) -> str:
        """Why it cannot be searched now, for people; empty where it can."""
        return self._pool.unready()

    def answer(self, question: str, history: Sequence[Turn], filters: Filters, choices: Choices) -> Answer:
        """See :meth:`assistant.session.Assistant.ask`."""
        answer: Answer = self._run("ask", question, tuple(history), filters, choices)
        return answer

    def search(
        self, query: str, k: int, filters: Filters = NO_FILTERS, offset: int = 0, order: Order = "relevance"
    ) -> SearchResult:
        """See :class:`index.types.Index`."""
        result: SearchResult = self._run("search", query, k, filters, offset, order)
        return result

    def search_sheets(
        self,
        query: str,
        k: int,
        filters: Filters = NO_FILTERS,
        offset: int = 0,
        order: Order = "relevance",
        others: int = 0,
    ) -> SheetsFound:
        """See :class:`index.types.Index`."""
        found: SheetsFound = self._run("search_sheets", query, k, filters, offset, order, others)
        return found

    def with_synonyms(self, synonyms: Synonyms) -> Snapshot:
        """The same files with other synonyms, searched here: for a trial, or to be shared in its turn."""
        return self._local.with_synonyms(synonyms)

    def close(self) -> None:
        """Closes it here and, soon, in the processes; a view leaves the processes what they have."""
        if self._visibility == EVERYTHING:
            self._pool.drop(self._number)
        self._local.close()


class PooledAssistant:
    """Answers from a shared snapshot, in whichever process is free."""

    def __init__(self, index: SharedSnapshot) -> None:
        self._index = index

    @property
    def index(self) -> SharedSnapshot:
        """The snapshot."""
        return self._index

    def seen_by(self, visibility: Visibility) -> PooledAssistant:
        """The assistant of those who may see only some of the sheets."""
        return PooledAssistant(self._index.seen_by(visibility))

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        filters: Filters = NO_FILTERS,
        choices: Choices = NO_CHOICES,
    ) -> Answer:
        """See :meth:`assistant.session.Assistant.ask`; ``took_ms`` counts the way there and back too."""
        began = perf_counter()
        answer = self._index.answer(question, history, filters, choices)
        return replace(answer, took_ms=round((perf_counter() - began) * 1000, 2))


def pooled(snapshot: Snapshot, pool: Pool, wait: bool = True) -> PooledAssistant:
    """The assistant over a snapshot opened here, which every process of the pool opens too, before this returns if ``wait``."""
    opening = Opening(0, snapshot.path, snapshot.manifest, snapshot.synonyms, snapshot.weights)
    return PooledAssistant(SharedSnapshot(snapshot, pool, pool.open(opening, wait)))
