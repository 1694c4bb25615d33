"""The words of every chunk as numbers, so that the second stage can look at them one by one without reading text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from index.npywriter import NpyWriter

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
    """Takes words chunk by chunk (``body``) and section by section (``head``: name, department, label; ``section``).

    With a ``folder`` (a new one) the lists go to their files at once, and only the vocabulary is kept in memory; without
    one they are kept until :meth:`write` says where.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._vocabulary: dict[str, int] = {}
        self._sections = np.zeros(0, dtype=np.int32)
        self._folder = folder
        if folder is not None:
            folder.mkdir(parents=True)
        self._streams = {file: self._stream(file) for kind in _LISTS for file in (kind, f"{kind}_starts")}
        self._ids = {kind: NpyWriter(self._streams[kind], np.int32) for kind in _LISTS}
        self._starts = {kind: NpyWriter(self._streams[f"{kind}_starts"], np.int64) for kind in _LISTS}
        for starts in self._starts.values():
            starts.append(np.zeros(1, dtype=np.int64))

    def _stream(self, file: str) -> IO[bytes]:
        return BytesIO() if self._folder is None else (self._folder / f"{file}.npy").open("w+b")

    def numbers(self, words: Iterable[str]) -> Ids:
        """The numbers of words, new ones in the order in which they come."""
        known = self._vocabulary
        return np.array([known.setdefault(w, len(known)) for w in words], dtype=np.int32)

    def extend(self, kind: str, ids: Ids, lengths: NDArray[np.int64]) -> None:
        """The next lists of a kind, which hold a word once: all ids, and how many there are of each list."""
        ends = self._ids[kind].rows + np.cumsum(lengths)
        self._ids[kind].append(ids)
        self._starts[kind].append(ends)

    def count(self, ids: Ids, sections: Ids) -> None:
        """In how many more sections each of some words stands; a word comes once."""
        if len(self._sections) < len(self._vocabulary):
            more = np.zeros(max(1024, 2 * len(self._vocabulary)), dtype=np.int32)
            more[: len(self._sections)] = self._sections
            self._sections = more
        self._sections[ids] += sections

    def _add(self, kind: str, words: Iterable[str]) -> None:
        ids = self.numbers(dict.fromkeys(words))
        self.extend(kind, ids, np.array([len(ids)]))

    def body(self, words: Iterable[str]) -> None:
        """The words of the next chunk."""
        self._add("body", words)

    def head(self, words: Iterable[str]) -> None:
        """The words over the next section."""
        self._add("head", words)

    def section(self, words: Iterable[str]) -> None:
        """The words of the next section's text as a whole; cut into chunks it may be read a little differently."""
        ids = self.numbers(dict.fromkeys(words))
        self.count(ids, np.ones(len(ids), dtype=np.int32))

    def write(self, folder: Path) -> None:
        """Writes what is not yet written into ``folder``, the new one or the one it was made with, and ends."""
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "vocabulary.txt").open("w", encoding="utf-8", newline="\n") as out:
            out.writelines(f"{w}\n" for w in self._vocabulary)
        self.count(np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int32))  # room for the words that came last
        np.save(folder / _SECTION_COUNTS, self._sections[: len(self._vocabulary)])
        for column in (*self._ids.values(), *self._starts.values()):
            column.finish()
        for file, stream in self._streams.items():
            if isinstance(stream, BytesIO):
                (folder / f"{file}.npy").write_bytes(stream.getbuffer())
        self.close()

    def close(self) -> None:
        """Closes the files, whole or not."""
        for stream in self._streams.values():
            stream.close()


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
