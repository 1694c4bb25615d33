"""The words of every chunk as numbers, so that the second stage can look at them one by one without reading text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from index.texts import Texts, mapped, write_texts
from index.types import Vectors

Ids = NDArray[np.int32]
_LISTS = ("body", "head")
_SECTION_COUNTS = "section_counts.npy"
_VECTORS = "vectors-{}.npy"
_BATCH = 8192
_KEPT_WORDS = 1 << 15


@dataclass(frozen=True, slots=True)
class WordCounts:
    """In how many of the ``sections`` each word stands; words of none are left out."""

    sections: int
    counts: Mapping[str, int]


@runtime_checkable
class CountsWords(Protocol):
    """An index that knows from its build how many sections hold a word, so that nobody reads them all to count."""

    def word_counts(self) -> WordCounts | None:
        """The counts; None where the build did not keep them."""
        ...


class WordListsWriter:
    """Collects words chunk by chunk (``body``) and section by section (``head``: name, department, label; ``section``)."""

    def __init__(self) -> None:
        self._vocabulary: dict[str, int] = {}
        self._ids: dict[str, list[int]] = {kind: [] for kind in _LISTS}
        self._starts: dict[str, list[int]] = {kind: [0] for kind in _LISTS}
        self._sections: Counter[int] = Counter()

    def _add(self, kind: str, words: Iterable[str]) -> None:
        numbers = (self._vocabulary.setdefault(w, len(self._vocabulary)) for w in words)
        self._ids[kind].extend(dict.fromkeys(numbers))
        self._starts[kind].append(len(self._ids[kind]))

    def body(self, words: Iterable[str]) -> None:
        """The words of the next chunk."""
        self._add("body", words)

    def head(self, words: Iterable[str]) -> None:
        """The words over the next section."""
        self._add("head", words)

    def section(self, words: Iterable[str]) -> None:
        """The words of the next section's text as a whole; cut into chunks it may be read a little differently."""
        self._sections.update({self._vocabulary.setdefault(w, len(self._vocabulary)) for w in words})

    def write(self, folder: Path) -> None:
        """Writes the lists into the new ``folder``."""
        folder.mkdir(parents=True)
        write_texts(folder / "vocabulary", list(self._vocabulary), sought=True)
        counts = np.zeros(len(self._vocabulary), dtype=np.int32)
        counts[list(self._sections)] = list(self._sections.values())
        np.save(folder / _SECTION_COUNTS, counts)
        for kind in _LISTS:
            ids = np.array(self._ids[kind], dtype=np.int32)
            np.save(folder / f"{kind}.npy", ids)
            np.save(folder / f"{kind}_starts.npy", np.array(self._starts[kind], dtype=np.int64))
            # In how many chunks, and under how many headings, a word stands: each list names a word once.
            np.save(folder / f"{kind}_counts.npy", np.bincount(ids, minlength=len(counts)).astype(np.int32))


def write_word_vectors(folder: Path, digest: str, encode: Callable[[list[str]], Vectors]) -> None:
    """Writes a row for each word of the lists in ``folder``, for the encoder with that ``digest``."""
    vocabulary = Texts(folder / "vocabulary")
    file = folder / _VECTORS.format(digest[:16])
    rows: Vectors | None = None
    for at in range(0, len(vocabulary), _BATCH):
        some = encode(vocabulary[at : at + _BATCH])
        if rows is None:
            rows = np.lib.format.open_memmap(file, "w+", np.float32, (len(vocabulary), some.shape[1]))
        rows[at : at + len(some)] = some


class WordLists:
    """The lists of a snapshot, memory-mapped."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._texts = Texts(folder / "vocabulary", kept=0)
        self.number: Callable[[str], int] = lru_cache(maxsize=_KEPT_WORDS)(self._texts.number)
        """A word's number, -1 for a word that stands nowhere."""
        self._ids: dict[str, Ids] = {k: mapped(folder / f"{k}.npy") for k in _LISTS}
        self._starts: dict[str, NDArray[np.int64]] = {k: mapped(folder / f"{k}_starts.npy") for k in _LISTS}
        self.size = len(self._texts)
        self.chunks = len(self._starts["body"]) - 1
        self.sections = len(self._starts["head"]) - 1
        self.body_counts: Ids = mapped(folder / "body_counts.npy")
        self.head_counts: Ids = mapped(folder / "head_counts.npy")
        self._section_counts: Ids | None = mapped(folder / _SECTION_COUNTS)

    @cached_property
    def vocabulary(self) -> list[str]:
        """All words by their numbers, read when they are first wanted: a search needs a few of them."""
        return list(self._texts)

    def vectors(self, digest: str) -> Vectors | None:
        """The row of each word under the encoder with that digest, where the build wrote them."""
        file = self._folder / _VECTORS.format(digest[:16])
        return mapped(file) if file.exists() else None

    def word_counts(self) -> WordCounts | None:
        """See :class:`CountsWords`."""
        return None if self._section_counts is None else WordCounts(self.sections, _Counts(self, self._section_counts))

    def gather(self, kind: str, rows: Sequence[int] | NDArray[np.int64]) -> tuple[Ids, NDArray[np.int64]]:
        """The concatenated words of some rows of a list, and where each row starts (with the end)."""
        starts = self._starts[kind]
        at = np.asarray(rows, dtype=np.int64)
        lengths = starts[at + 1] - starts[at]
        begins = np.concatenate([[0], np.cumsum(lengths)])
        positions = np.arange(begins[-1]) - np.repeat(begins[:-1], lengths) + np.repeat(starts[at], lengths)
        return self._ids[kind][positions], begins


class _Counts(Mapping[str, int]):
    """The counts of the words that stand in some section, each looked up when it is asked for."""

    def __init__(self, lists: WordLists, counts: Ids) -> None:
        self._lists, self._counts = lists, counts

    def __getitem__(self, word: str) -> int:
        number = self._lists.number(word)
        if number < 0 or not self._counts[number]:
            raise KeyError(word)
        return int(self._counts[number])

    def __iter__(self) -> Iterator[str]:
        return (word for word, count in zip(self._lists.vocabulary, self._counts.tolist(), strict=True) if count)

    def __len__(self) -> int:
        return int(np.count_nonzero(self._counts))
