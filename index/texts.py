"""Many short texts in one file, mapped into memory: a text is read where it stands, and found without reading the others."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from index.arrays import mapped

_KEPT = 1 << 14


def write_texts(stem: Path, texts: Sequence[str], sought: bool = False) -> None:
    """Writes ``texts`` to files that begin with ``stem``; with ``sought``, so that :meth:`Texts.number` finds them."""
    starts = np.zeros(len(texts) + 1, dtype=np.int64)
    with stem.with_name(f"{stem.name}.txt").open("wb") as stream:
        for at, text in enumerate(texts):
            starts[at + 1] = starts[at] + stream.write(f"{text}\n".encode())
    np.save(stem.with_name(f"{stem.name}_starts.npy"), starts)
    if sought:
        encoded = [text.encode() for text in texts]
        order = np.array(sorted(range(len(texts)), key=encoded.__getitem__), dtype=np.int32)
        np.save(stem.with_name(f"{stem.name}_order.npy"), order)


class Texts(Sequence[str]):
    """What :func:`write_texts` wrote, by number (from 0 on, not from the end)."""

    def __init__(self, stem: Path, kept: int = _KEPT) -> None:
        """``kept`` texts that were read stay in memory."""
        self._starts: NDArray[np.int64] = mapped(stem.with_name(f"{stem.name}_starts.npy"))
        with stem.with_name(f"{stem.name}.txt").open("rb") as stream:
            empty = len(self._starts) == 1
            self._bytes: mmap.mmap | bytes = b"" if empty else mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        order = stem.with_name(f"{stem.name}_order.npy")
        self._order: NDArray[np.int32] | None = mapped(order) if order.exists() else None
        self._at = lru_cache(maxsize=kept)(self._read)

    def __len__(self) -> int:
        return len(self._starts) - 1

    @overload
    def __getitem__(self, number: int) -> str: ...

    @overload
    def __getitem__(self, number: slice) -> list[str]: ...

    def __getitem__(self, number: int | slice) -> str | list[str]:
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(len(self)))]
        return self._at(number)

    def __iter__(self) -> Iterator[str]:
        """All of them in order, none of which is kept."""
        starts = self._starts.tolist()
        whole = bytes(self._bytes)
        return (whole[a : b - 1].decode() for a, b in zip(starts, starts[1:], strict=False))

    def number(self, text: str) -> int:
        """The number of a text that stands there once, -1 where it does not. For texts written to be ``sought``."""
        assert self._order is not None
        wanted = text.encode()
        low, high = 0, len(self._order)
        while low < high:
            middle = (low + high) // 2
            number = int(self._order[middle])
            found = self._bytes_at(number)
            if found == wanted:
                return number
            low, high = (middle + 1, high) if found < wanted else (low, middle)
        return -1

    def _bytes_at(self, number: int) -> bytes:
        return self._bytes[int(self._starts[number]) : int(self._starts[number + 1]) - 1]

    def _read(self, number: int) -> str:
        if not 0 <= number < len(self):
            raise IndexError(number)
        return self._bytes_at(number).decode()


class Codes:
    """Texts as numbers, in the order in which they first come."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def of(self, text: str) -> int:
        """The number of a text, a new one where it has none yet."""
        return self._numbers.setdefault(text, len(self._numbers))

    def all(self, texts: Iterable[str]) -> list[int]:
        """The numbers of some texts."""
        return [self.of(text) for text in texts]

    def texts(self) -> list[str]:
        """The texts by their numbers."""
        return list(self._numbers)
