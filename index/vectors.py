"""Vectors to chunks with FAISS: exact inner product, memory-mapped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from index.types import Vectors

_faiss: Any = faiss  # its type stubs describe the C++ signatures, not the Python ones

# With torch in the same process a second FAISS thread makes a query six times slower (measured: 31 ms, not 5 ms).
faiss.omp_set_num_threads(1)


def write_vectors(file: Path, vectors: Vectors) -> None:
    """Writes unit rows as a flat index; row i is chunk i."""
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors))
    faiss.write_index(index, str(file))


class VectorIndex:
    """A flat index on disk, opened for reading (its pages are shared by all processes that read it)."""

    def __init__(self, file: Path) -> None:
        self._index = faiss.read_index(str(file), faiss.IO_FLAG_MMAP_IFC)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(self, query: Vectors, limit: int, allowed: NDArray[np.bool_] | None = None) -> list[tuple[int, float]]:
        """(chunk, cosine) for one query row, best first; ``allowed`` says for every chunk whether it may come."""
        params = None
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")
            params = _faiss.SearchParameters(sel=_faiss.IDSelectorBitmap(bits))
        scores, ids = self._index.search(query.reshape(1, -1), max(1, min(limit, len(self))), params=params)
        return [(int(i), float(s)) for i, s in zip(ids[0], scores[0], strict=True) if i >= 0]

    def scores(self, query: Vectors, chunks: NDArray[np.int64]) -> Vectors:
        """The cosine of one query row with each of some chunks."""
        rows = self._index.reconstruct_batch(np.ascontiguousarray(chunks))
        cosines: Vectors = rows @ query.reshape(-1)
        return cosines
