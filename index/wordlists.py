"""The words of every chunk as numbers, so that the second stage can look at them one by one without reading text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from index.joined import joined
from index.removed import Removed

Ids = NDArray[np.int32]
Counts = NDArray[np.int64]
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
    """Collects words chunk by chunk (``body``) and section by section (``head``: name, department, label; ``section``).

    For an addition, ``known`` are the numbers of the words before it, and are added to; ``kept`` are the counts of what
    stays of those words, without this addition.
    """

    def __init__(self, known: dict[str, int] | None = None, kept: Mapping[str, Counts] | None = None) -> None:
        self._vocabulary: dict[str, int] = {} if known is None else known
        self._known = len(self._vocabulary)
        self._kept = kept
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
            "".join(f"{w}\n" for w in islice(self._vocabulary, self._known, None)), encoding="utf-8", newline="\n"
        )
        counts = np.zeros(len(self._vocabulary), dtype=np.int32)
        counts[list(self._sections)] = list(self._sections.values())
        if self._kept is not None:
            counts[: self._known] += self._kept["section"][: self._known]
        np.save(folder / _SECTION_COUNTS, counts)
        for kind in _LISTS:
            ids = np.array(self._ids[kind], dtype=np.int32)
            if self._kept is not None:  # of a base they are counted when it is opened
                counted = np.bincount(ids, minlength=len(self._vocabulary))
                counted[: self._known] += self._kept[kind][: self._known]
                np.save(folder / f"{kind}_counts.npy", counted.astype(np.int32))
            np.save(folder / f"{kind}.npy", ids)
            np.save(folder / f"{kind}_starts.npy", np.array(self._starts[kind], dtype=np.int64))


class WordLists:
    """The lists of a snapshot, memory-mapped."""

    def __init__(self, folder: Path, additions: Sequence[Path] = (), removed: Removed | None = None) -> None:
        folders = [folder, *additions]
        self.vocabulary: list[str] = [word for one in folders for word in _vocabulary(one)]
        self._numbers = {w: i for i, w in enumerate(self.vocabulary)}
        self._ids: dict[str, Any] = {
            k: joined([np.load(one / f"{k}.npy", mmap_mode="r") for one in folders]) for k in _LISTS
        }
        self._starts = {k: _starts([np.load(one / f"{k}_starts.npy") for one in folders]) for k in _LISTS}
        removed = removed or Removed.of(())
        self.chunks = len(self._starts["body"]) - 1 - removed.chunks
        self.sections = len(self._starts["head"]) - 1 - removed.sections
        # In how many chunks, and under how many headings, a word stands: each list names a word once.
        self.body_counts = self._counted("body", additions)
        self.head_counts = self._counted("head", additions)
        counts = folders[-1] / _SECTION_COUNTS  # not in snapshots of older builds
        self._section_counts = np.load(counts) if counts.exists() else None

    def _counted(self, kind: str, additions: Sequence[Path]) -> NDArray[np.int64]:
        """The counts of all words; the newest addition says them, less what was removed."""
        if additions:
            counts: NDArray[np.int64] = np.load(additions[-1] / f"{kind}_counts.npy").astype(np.int64)
            return counts
        return np.bincount(self._ids[kind], minlength=len(self.vocabulary))

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
        ids: Ids = self._ids[kind][positions]
        return ids, begins

    def section_counts(self) -> Ids | None:
        """In how many sections each word stands, by its number; None where the build did not keep it."""
        return self._section_counts


def _vocabulary(folder: Path) -> list[str]:
    return (folder / "vocabulary.txt").read_text("utf-8").split("\n")[:-1]


def _starts(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Where the rows of each part start among the ids of all of them."""
    starts = parts[0]
    for part in parts[1:]:
        starts = np.concatenate([starts, part[1:] + starts[-1]])
    return starts
