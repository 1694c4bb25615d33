"""The word lists of a base with its additions: written and read as :mod:`index.wordlists` does it for one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.arrays import mapped
from index.joined import joined
from index.joinedtables import JoinedTexts
from index.removed import Removed
from index.types import Vectors
from index.wordlists import Ids, WordLists, WordListsWriter

_KINDS = ("body", "head", "section")


class AddedWordsWriter(WordListsWriter):
    """Writes the lists of an addition. Words that are ``known``, of which only the first ``size`` numbers count, keep
    theirs; in its vocabulary are the others. Its counts are those of the whole index: ``kept`` and its own."""

    def __init__(self, folder: Path, known: WordLists, size: int, kept: Mapping[str, NDArray[np.int64]]) -> None:
        super().__init__(folder)
        self._known, self._size, self._kept = known, size, kept

    def numbers(self, words: Iterable[str]) -> Ids:
        """The numbers of words, new ones in the order in which they come after those that are known."""
        found = []
        for word in words:
            number = self._known.number(word)
            if not 0 <= number < self._size:
                number = self._size + self._vocabulary.setdefault(word, len(self._vocabulary))
            found.append(number)
        return np.array(found, dtype=np.int32)

    def _write_counts(self, folder: Path, size: int) -> None:
        for kind, counts in (*self._counts.items(), ("section", self._sections)):
            every = counts.first(self._size + size)
            every[: self._size] += self._kept[kind][: self._size].astype(np.int32)
            np.save(folder / f"{kind}_counts.npy", every)


class JoinedWordLists(WordLists):
    """The lists of a base and of its additions, numbered through."""

    def __init__(self, folders: Sequence[Path], removed: Removed) -> None:
        parts = [WordLists(folder) for folder in folders]
        self._parts = parts
        self._texts = JoinedTexts(parts[0]._texts, [word for part in parts[1:] for word in part._texts])
        self.number = lru_cache(maxsize=1 << 15)(self._texts.number)
        self._ids = {kind: joined([part._ids[kind] for part in parts]) for kind in parts[0]._ids}
        self._starts = {kind: _starts([part._starts[kind] for part in parts]) for kind in parts[0]._starts}
        self.size = len(self._texts)
        self.chunks = len(self._starts["body"]) - 1 - removed.chunks
        self.sections = len(self._starts["head"]) - 1 - removed.sections
        # The newest says them of the whole index.
        self.body_counts, self.head_counts, self._section_counts = (
            mapped(folders[-1] / f"{kind}_counts.npy") for kind in _KINDS
        )

    def vectors(self, digest: str) -> Vectors | None:
        """See :meth:`WordLists.vectors`."""
        base = self._parts[0].vectors(digest)
        if base is None:
            return None
        # An addition without a new word has no file.
        more = [part.vectors(digest) if part.size else base[:0] for part in self._parts[1:]]
        found: Vectors | None = None if any(one is None for one in more) else joined([base, *more])  # type: ignore[list-item]
        return found


def open_words(folders: Sequence[Path], removed: Removed) -> WordLists:
    """The word lists of a snapshot: the base's folder first, then those of its additions."""
    return WordLists(folders[0]) if len(folders) == 1 else JoinedWordLists(folders, removed)


def _starts(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Where the rows of each part start among the ids of all of them."""
    starts = parts[0]
    for part in parts[1:]:
        starts = np.concatenate([starts, part[1:] + starts[-1]])
    return starts
