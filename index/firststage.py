"""The first stages of a search: which chunks hold words of a question, and which lie near it in meaning.

This is where another engine stands in: it has to find and to compare chunks; all that is read of them comes from the
records, and the ranking after it is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.facets import chosen_words
from index.lexical import LexicalIndex
from index.types import Filters, Vectors
from index.vectors import JoinedVectors, VectorIndex

Hits = list[tuple[int, float]]
"""Chunks with their scores, best first."""


_MORE = 4  # times as many chunks are fetched where too many of them are hidden


# (what is done, how far, of how many or 0 when not known), for a progress bar.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may be found: the ``filters`` themselves, the sheets that pass them (None: all), and a yes or no a chunk.

    ``chunks`` says more than ``sheets``: it leaves out sections that are not asked for and those that name staff.
    ``seen`` are the chunks that who asks may see (None: all); how many others hold a word must show in nothing.
    """

    filters: Filters
    sheets: NDArray[np.int64] | None
    chunks: NDArray[np.bool_]
    seen: NDArray[np.bool_] | None = None


class FirstStage(Protocol):
    """Finds candidates among the chunks of a snapshot, which are numbered from 0."""

    def by_words(self, terms: Iterable[tuple[str, float]], limit: int, allowed: Allowed) -> Hits:
        """At most ``limit`` chunks in which one of the weighted words stands, with their BM25 scores.

        Chunks that only ``allowed.chunks`` leaves out may be among them, but none that is not ``allowed.seen``.
        """
        ...

    def by_meaning(self, vector: Vectors, limit: int, allowed: Allowed) -> Hits:
        """At most ``limit`` chunks nearest to a query row of shape (1, dim), with their cosines."""
        ...

    def cosines(self, vector: Vectors, chunks: NDArray[np.int64]) -> Vectors:
        """The cosine of a query row with each of some chunks."""
        ...


class LocalFirstStage:
    """tantivy and FAISS, on the files of a snapshot."""

    def __init__(self, lexical: LexicalIndex, vectors: VectorIndex | JoinedVectors) -> None:
        self.lexical, self.vectors = lexical, vectors

    def by_words(self, terms: Iterable[tuple[str, float]], limit: int, allowed: Allowed) -> Hits:
        """See :class:`FirstStage`."""
        chosen, seen = chosen_words(allowed.filters), allowed.seen
        if seen is None:
            return self.lexical.search(terms, limit, chosen)
        if not seen.any():
            return []
        terms, fetched = list(terms), limit
        while True:
            found = self.lexical.search(terms, fetched, chosen)
            hits = [hit for hit in found if seen[hit[0]]]
            if len(hits) >= limit or len(found) < fetched:
                return hits[:limit]
            fetched *= _MORE

    def by_meaning(self, vector: Vectors, limit: int, allowed: Allowed) -> Hits:
        """See :class:`FirstStage`."""
        return self.vectors.search(vector, limit, allowed.chunks)

    def cosines(self, vector: Vectors, chunks: NDArray[np.int64]) -> Vectors:
        """See :class:`FirstStage`."""
        return self.vectors.scores(vector, chunks)


class Engine(Protocol):
    """Something beside the files of an index that finds candidates among their chunks."""

    def publish(self, folder: Path, name: str, tell: Progress) -> None:
        """Takes over the chunks of a finished snapshot of an index folder, before it is live.

        Raises EngineError; calling it again goes on where it stopped.
        """
        ...

    def open(self, path: Path, chunks: int, local: FirstStage) -> FirstStage:
        """Answers from what it took over of the snapshot in ``path``; raises IndexNotSent where that is not all there."""
        ...

    def sweep(self, folder: Path, kept: Collection[str]) -> None:
        """Forgets every snapshot of an index folder but those ``kept``."""
        ...
