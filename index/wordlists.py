"""The words of every chunk as numbers, so that the second stage can look at them one by one without reading text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from index.arrays import mapped
from index.npywriter import NpyWriter
from index.texts import Texts, write_texts
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
    """Takes words chunk by chunk (``body``) and section by section (``head``: name, department, label; ``section``).

    With a ``folder`` (a new one) the lists go to their files at once, and only the vocabulary is kept in memory; without
    one they are kept until :meth:`write` says where.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._vocabulary: dict[str, int] = {}
        self._sections = _Tally()
        # In how many chunks, and under how many headings, a word stands: each list names a word once.
        self._counts = {kind: _Tally() for kind in _LISTS}
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
        self._counts[kind].add(ids)
        self._starts[kind].append(ends)

    def count(self, ids: Ids, sections: Ids) -> None:
        """In how many more sections each of some words stands; a word comes once."""
        self._sections.add(ids, sections)

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
        write_texts(folder / "vocabulary", list(self._vocabulary), sought=True)
        self._write_counts(folder, len(self._vocabulary))
        for column in (*self._ids.values(), *self._starts.values()):
            column.finish()
        for file, stream in self._streams.items():
            if isinstance(stream, BytesIO):
                (folder / f"{file}.npy").write_bytes(stream.getbuffer())
        self.close()

    def _write_counts(self, folder: Path, size: int) -> None:
        for kind, counts in (*self._counts.items(), ("section", self._sections)):
            np.save(folder / f"{kind}_counts.npy", counts.first(size))

    def close(self) -> None:
        """Closes the files, whole or not."""
        for stream in self._streams.values():
            stream.close()


class _Tally:
    """How often each word was counted, by its number; it grows with the vocabulary."""

    def __init__(self) -> None:
        self._counts: Ids = np.zeros(1024, dtype=np.int32)

    def add(self, ids: Ids, times: Ids | int = 1) -> None:
        """Counts words, one of which may come several times only where ``times`` is 1."""
        if len(ids) and int(ids.max()) >= len(self._counts):
            self._counts = self.first(2 * int(ids.max()))
        if isinstance(times, int):
            np.add.at(self._counts, ids, times)
        else:
            self._counts[ids] += times

    def first(self, size: int) -> Ids:
        """The counts of the first ``size`` words."""
        out = np.zeros(size, dtype=np.int32)
        out[: len(self._counts)] = self._counts[:size]
        return out


def write_word_vectors(folder: Path, digest: str, encode: Callable[[list[str]], Vectors]) -> None:
    """Writes a row for each word of the lists in ``folder``, for the encoder with that ``digest``."""
    vocabulary = Texts(folder / "vocabulary")
    file = folder / _VECTORS.format(digest[:16])
    rows: NpyWriter | None = None
    # Not through a mapped file: on a full disk that kills the process (SIGBUS), where a write that fails is an error.
    with file.open("w+b") as stream:
        for at in range(0, len(vocabulary), _BATCH):
            some = encode(vocabulary[at : at + _BATCH])
            rows = rows or NpyWriter(stream, np.float32, (some.shape[1],))
            rows.append(some)
        if rows is not None:
            rows.finish()


class WordLists:
    """The lists of a snapshot, memory-mapped."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._texts: Any = Texts(folder / "vocabulary", kept=0)
        self.number: Callable[[str], int] = lru_cache(maxsize=_KEPT_WORDS)(self._texts.number)
        """A word's number, -1 for a word that stands nowhere."""
        self._ids: dict[str, Any] = {k: mapped(folder / f"{k}.npy") for k in _LISTS}
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
        return None if self._section_counts is None else WordCounts(self.sections, _Counts(self))

    def gather(self, kind: str, rows: Sequence[int] | NDArray[np.int64]) -> tuple[Ids, NDArray[np.int64]]:
        """The concatenated words of some rows of a list, and where each row starts (with the end)."""
        starts = self._starts[kind]
        at = np.asarray(rows, dtype=np.int64)
        lengths = starts[at + 1] - starts[at]
        begins = np.concatenate([[0], np.cumsum(lengths)])
        positions = np.arange(begins[-1]) + np.repeat(starts[at] - begins[:-1], lengths)
        ids: Ids = self._ids[kind][positions]
        return ids, begins

    def counts(self, kind: str) -> Ids:
        """In how many ``body`` or ``head`` lists, or ``section`` texts, each word stands, by its number."""
        of = {"body": self.body_counts, "head": self.head_counts, "section": self._section_counts}[kind]
        assert of is not None
        return of


class _Counts(Mapping[str, int]):
    """The counts of the words that stand in some section, each looked up when it is asked for."""

    def __init__(self, lists: WordLists) -> None:
        self._lists = lists

    @property
    def _counts(self) -> Ids:
        return self._lists.counts("section")

    def __getitem__(self, word: str) -> int:
        number = self._lists.number(word)
        if number < 0 or not self._counts[number]:
            raise KeyError(word)
        return int(self._counts[number])

    def __iter__(self) -> Iterator[str]:
        return (word for word, count in zip(self._lists.vocabulary, self._counts.tolist(), strict=True) if count)

    def __len__(self) -> int:
        return int(np.count_nonzero(self._counts))
