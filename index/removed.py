"""What an update took out of an index: documents whose rows still stand in the files of a snapshot, and count no more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.arrays import loaded

REMOVED = "removed.npy"
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Extent:
    """The numbers of one document: of its sheets, sections and chunks each the first and the one after the last."""

    document: int
    sheets: tuple[int, int]
    sections: tuple[int, int]
    chunks: tuple[int, int]

    def numbers(self) -> tuple[int, ...]:
        """As a row of the file."""
        return (self.document, *self.sheets, *self.sections, *self.chunks)


class Removed:
    """The removed documents of a snapshot; ``rows`` has one row each (see :class:`Extent`)."""

    def __init__(self, rows: NDArray[np.int64]) -> None:
        self.rows = rows
        self.documents = frozenset(rows[:, 0].tolist())

    @classmethod
    def of(cls, extents: Iterable[Extent]) -> Removed:
        """Of some documents."""
        return cls(np.array([one.numbers() for one in extents], dtype=np.int64).reshape(-1, 7))

    @classmethod
    def read(cls, folder: Path) -> Removed:
        """Of a snapshot's folder; nothing where no file says so."""
        file = folder / REMOVED
        return cls(loaded(file)) if file.exists() else cls.of(())

    def write(self, folder: Path) -> None:
        """Into a snapshot's folder."""
        np.save(folder / REMOVED, self.rows)

    def __bool__(self) -> bool:
        return len(self.rows) > 0

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def chunks(self) -> int:
        """How many chunks they have."""
        return int((self.rows[:, 6] - self.rows[:, 5]).sum())

    @property
    def sections(self) -> int:
        """How many sections they have."""
        return int((self.rows[:, 4] - self.rows[:, 3]).sum())

    def sheet_flags(self, size: int) -> Flags:
        """Of ``size`` sheets, which are gone."""
        return self._flags(1, size)

    def section_flags(self, size: int) -> Flags:
        """Of ``size`` sections, which are gone."""
        return self._flags(3, size)

    def _flags(self, column: int, size: int) -> Flags:
        steps = np.zeros(size + 1, dtype=np.int32)
        np.add.at(steps, self.rows[:, column], 1)
        np.add.at(steps, self.rows[:, column + 1], -1)
        return np.cumsum(steps[:-1]) > 0
