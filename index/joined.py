"""Arrays that stand one after the other on disk, read as one array without being copied together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Joined:
    """Rows of several arrays numbered through. It knows what the readers of a snapshot ask: rows, and a product."""

    def __init__(self, parts: Sequence[NDArray[Any]]) -> None:
        self._parts = list(parts)
        self._starts = np.cumsum([0, *(len(part) for part in parts)])
        self.dtype = self._parts[0].dtype
        self.shape = (int(self._starts[-1]), *self._parts[0].shape[1:])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, rows: Any) -> Any:
        """A row by its number, or the rows of a slice or of an array of numbers, copied out."""
        if isinstance(rows, int | np.integer):
            at = int(np.searchsorted(self._starts, rows, side="right")) - 1
            return self._parts[at][rows - self._starts[at]]
        numbers = np.arange(*rows.indices(len(self))) if isinstance(rows, slice) else np.asarray(rows, dtype=np.int64)
        out = np.empty((len(numbers), *self.shape[1:]), dtype=self.dtype)
        for part, start in zip(self._parts, self._starts, strict=False):
            here = (numbers >= start) & (numbers < start + len(part))
            out[here] = part[numbers[here] - start]
        return out

    def __matmul__(self, other: Any) -> Any:
        return np.concatenate([part @ other for part in self._parts])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.concatenate(self._parts).astype(dtype or self.dtype, copy=False)


def joined(parts: Sequence[NDArray[Any]]) -> Any:
    """Some arrays as one: the array itself where there is only one."""
    return parts[0] if len(parts) == 1 else Joined(parts)
