"""The words of every chunk as numbers, so that the second stage can look at them one by one without reading text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
_LISTS = ("body", "head")
_SECTION_COUNTS = "section_counts.npy"


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
        (folder / "vocabulary.txt").write_text(
            "".join(f"{w}\n" for w in self._vocabulary), encoding="utf-8", newline="\n"
        )
        counts = np.zeros(len(self._vocabulary), dtype=np.int32)
        counts[list(self._sections)] = list(self._sections.values())
        np.save(folder / _SECTION_COUNTS, counts)
        for kind in _LISTS:
            np.save(folder / f"{kind}.npy", np.array(self._ids[kind], dtype=np.int32))
            np.save(folder / f"{kind}_starts.npy", np.array(self._starts[kind], dtype=np.int64))


class WordLists:
    """The lists of a snapshot, memory-mapped."""

    def __init__(self, folder: Path) -> None:
        self.vocabulary: list[str] = (folder / "vocabulary.txt").read_text("utf-8").split("\n")[:-1]
        self._numbers = {w: i for i, w in enumerate(self.vocabulary)}
        self._ids: dict[str, Ids] = {k: np.load(folder / f"{k}.npy", mmap_mode="r") for k in _LISTS}
        self._starts: dict[str, NDArray[np.int64]] = {k: np.load(folder / f"{k}_starts.npy") for k in _LISTS}
        self.chunks = len(self._starts["body"]) - 1
        # In how many chunks, and under how many headings, a word stands: each list names a word once.
        self.body_counts = np.bincount(self._ids["body"], minlength=len(self.vocabulary))
        self.head_counts = np.bincount(self._ids["head"], minlength=len(self.vocabulary))
        self.sections = len(self._starts["head"]) - 1
        counts = folder / _SECTION_COUNTS  # not in snapshots of older builds
        self._section_counts = np.load(counts) if counts.exists() else None

    def number(self, word: str) -> int:
        """A word's number, -1 for a word that stands nowhere."""
        return self._numbers.get(word, -1)

    def word_counts(self) -> WordCounts | None:
        """See :class:`CountsWords`."""
        if self._section_counts is None:
            return None
        counted = zip(self.vocabulary, self._section_counts.tolist(), strict=True)
        return WordCounts(self.sections, {word: n for word, n in counted if n})

    def gather(self, kind: str, rows: Sequence[int] | NDArray[np.int64]) -> tuple[Ids, NDArray[np.int64]]:
        """The concatenated words of some rows of a list, and where each row starts (with the end)."""
        starts = self._starts[kind]
        at = np.asarray(rows, dtype=np.int64)
        lengths = starts[at + 1] - starts[at]
        begins = np.concatenate([[0], np.cumsum(lengths)])
        positions = np.arange(begins[-1]) - np.repeat(begins[:-1], lengths) + np.repeat(starts[at], lengths)
        return self._ids[kind][positions], begins
