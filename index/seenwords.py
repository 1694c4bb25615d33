"""The word lists of a snapshot of which some chunks are hidden: words that stand nowhere else are words of no text."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from index.tables import Tables
from index.types import Vectors
from index.wordlists import Ids, WordLists

_BATCH = 1 << 13  # chunks counted at a time, so that counting a million takes no memory to speak of


class SeenWordLists(WordLists):
    """The lists of an ``origin``, counted over the chunks and sections of ``tables`` that are not gone.

    Counted when a count is first asked for: 0.1 s or so for a hundred thousand chunks. The words of a section are taken to
    be those of its chunks; read as a whole, a word that a cut between two chunks divides would count as well.
    """

    def __init__(self, origin: WordLists, tables: Tables) -> None:
        self.__dict__.update(origin.__dict__)
        self.__dict__.pop("vocabulary", None)
        self._origin, self._tables = origin, tables
        gone = tables.gone_sections
        seen = np.ones(self.sections, dtype=bool) if gone is None else ~gone
        self._shown = {"body": seen[tables.chunk_section], "head": seen}
        self.chunks, self.sections = (int(np.count_nonzero(self._shown[kind])) for kind in ("body", "head"))

    @cached_property
    def vocabulary(self) -> list[str]:
        """See :attr:`WordLists.vocabulary`: also words of hidden texts, which count 0."""
        return self._origin.vocabulary

    def vectors(self, digest: str) -> Vectors | None:
        """See :meth:`WordLists.vectors`."""
        return self._origin.vectors(digest)

    def counts(self, kind: str) -> Ids:
        """See :meth:`WordLists.counts`."""
        return self._sections_counted if kind == "section" else self._counted[kind]

    @cached_property
    def _counted(self) -> dict[str, Ids]:
        return {kind: self._tally(kind) for kind in ("body", "head")}

    @cached_property
    def _sections_counted(self) -> Ids:
        counted: Ids = self._counted["body"] - self._again()
        return counted

    def _tally(self, kind: str) -> Ids:
        """In how many of the lists that are seen each word stands; a list names a word once."""
        found = np.zeros(self.size, dtype=np.int64)
        for ids, _ in self._batches(kind, np.flatnonzero(self._shown[kind])):
            found += np.bincount(ids, minlength=self.size)
        return found.astype(np.int32)

    def _again(self) -> Ids:
        """How often each word stands in another chunk of a section that it stands in already."""
        of = self._tables.chunk_section
        shown = np.flatnonzero(self._shown["body"])
        sizes = np.bincount(of[shown], minlength=len(self._shown["head"]))
        found = np.zeros(self.size, dtype=np.int64)
        cut = shown[sizes[of[shown]] > 1]
        for ids, chunks in self._batches("body", cut):
            pairs = np.unique(of[chunks].astype(np.int64) * self.size + ids)
            found += np.bincount(ids, minlength=self.size) - np.bincount(pairs % self.size, minlength=self.size)
        return found.astype(np.int32)

    def _batches(self, kind: str, rows: NDArray[np.int64]) -> Iterator[tuple[Ids, NDArray[np.int64]]]:
        """The words of some rows of a list, each with its row; the chunks of one section stay together."""
        at = 0
        while at < len(rows):
            end = min(at + _BATCH, len(rows))
            if kind == "body":
                of = self._tables.chunk_section
                while end < len(rows) and of[rows[end]] == of[rows[end - 1]]:
                    end += 1
            ids, begins = self.gather(kind, rows[at:end])
            yield ids, np.repeat(rows[at:end], np.diff(begins))
            at = end
