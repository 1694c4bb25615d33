"""Vectors to chunks with FAISS: inner product, memory-mapped; exact for a city, lists of 8-bit codes past that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from index.types import Vectors

_faiss: Any = faiss  # its type stubs describe the C++ signatures, not the Python ones

# With torch in the same process a second FAISS thread makes a query six times slower (measured: 31 ms, not 5 ms).
faiss.omp_set_num_threads(1)

_SEED = 7
_SAMPLE = 64  # rows a list that the centres are learned from
# Rows that the ranges of the codes are learned from, and by how much the ranges are widened at both ends: what lies
# outside is cut off there, and with 16,384 rows and no margin a cosine in a thousand was wrong by 0.01.
_RANGES, _MARGIN = 100_000, 0.05
_SLICE = 1 << 16  # rows added at a time, so that rows mapped from a file need not be in memory all at once
# Where one row in so many is allowed, or fewer, they are looked at one by one: that is faster (0.6 µs a row) than going
# through every list for them (0.2 ms with 50,000 rows, 2.5 ms with a million).
FEW = 256


@dataclass(frozen=True, slots=True)
class Kind:
    """How the rows are kept where there are ``at_least`` so many.

    0 lists: as they are (1,280 bytes a row of 320), and every search looks at all. Else in so many lists of rows that
    lie near each other, in 8 bits a number (about 340), and a search looks at the nearest ``probes`` lists.
    """

    at_least: int
    lists: int = 0
    probes: int = 0


# Measured on 2026-11-21 (evals/benchmarks/results/vectors.json): an exact search takes 2 ms of CPU with 50,000 rows and
# 39 ms with a million; lists take 0.5 and 1.8 ms and find 0.98 of the nearest 300. How many lists are looked at was
# chosen for that recall. Nothing was measured past a million rows. HNSW was faster still, but under a filter it loses
# most of what is allowed, and nothing can be taken out of it (docs/scaling.md).
KINDS = (
    Kind(0),
    Kind(50_000, lists=256, probes=96),
    Kind(200_000, lists=1024, probes=128),
    Kind(800_000, lists=2048, probes=128),
)


def kind_for(rows: int) -> Kind:
    """The kind for a number of rows."""
    return [kind for kind in KINDS if kind.at_least <= rows][-1]


def write_vectors(file: Path, vectors: Vectors, kind: Kind | None = None) -> None:
    """Writes unit rows in the kind for their number, or in the one given; row i is chunk i.

    The same rows give the same file. The file says itself what it is, so :class:`VectorIndex` needs to be told nothing.
    """
    kind = kind or kind_for(len(vectors))
    index: Any = _lists(vectors, kind) if kind.lists else faiss.IndexFlatIP(vectors.shape[1])
    for at in range(0, len(vectors), _SLICE):
        index.add(np.ascontiguousarray(vectors[at : at + _SLICE]))
    if kind.lists:
        index.set_direct_map_type(_faiss.DirectMap.Array)  # where each row went, for the cosines of given rows
    faiss.write_index(index, str(file))


def _lists(vectors: Vectors, kind: Kind) -> Any:
    """An empty index of lists whose centres and ranges are learned from a sample of the rows."""
    dim, lists = vectors.shape[1], min(kind.lists, len(vectors))
    bits, product = _faiss.ScalarQuantizer.QT_8bit, _faiss.METRIC_INNER_PRODUCT
    index = _faiss.IndexIVFScalarQuantizer(_faiss.IndexFlatIP(dim), dim, lists, bits, product)
    index.cp.seed = _SEED
    index.cp.min_points_per_centroid = 1  # no warning on stderr
    index.cp.max_points_per_centroid = _SAMPLE
    index.sq.rangestat_arg = _MARGIN
    some = np.random.default_rng(_SEED).permutation(len(vectors))[: max(_SAMPLE * lists, _RANGES)]
    index.train(np.ascontiguousarray(vectors[np.sort(some)]))
    index.nprobe = min(kind.probes, lists)  # is written with the index
    return index


class VectorIndex:
    """An index on disk, opened for reading (its pages are shared by all processes that read it)."""

    def __init__(self, file: Path) -> None:
        self._index: Any = faiss.read_index(str(file), faiss.IO_FLAG_MMAP_IFC)
        self._listed = isinstance(self._index, _faiss.IndexIVF)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    @property
    def exact(self) -> bool:
        """Whether a search looks at every row as it was written."""
        return not self._listed

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(self, query: Vectors, limit: int, allowed: NDArray[np.bool_] | None = None) -> list[tuple[int, float]]:
        """(chunk, cosine) for one query row, best first; ``allowed`` says for every chunk whether it may come.

        ``limit`` of them, or all that are allowed. Where the index is not :attr:`exact`, one in thirty or so of the
        nearest is passed over, and cosines are right to about 0.002; of few allowed chunks none is passed over.
        """
        count = len(self) if allowed is None else int(np.count_nonzero(allowed))
        limit = min(max(1, limit), count)
        if not limit:
            return []
        if allowed is not None and self._listed and count * FEW <= len(self):
            return self._best(query, np.flatnonzero(allowed), limit)
        selector = None
        if allowed is not None and count < len(self):  # asking for each row costs a third of an exact search
            selector = _faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
        if not self._listed:
            return self._ask(query, limit, _faiss.SearchParameters(sel=selector))
        # The fewer are allowed, the farther apart the nearest of them lie.
        probes = min(self._index.nlist, ceil(self._index.nprobe * sqrt(len(self) / count)))
        found = self._ask(query, limit, _faiss.SearchParametersIVF(sel=selector, nprobe=probes))
        if len(found) < limit:
            found = self._ask(query, limit, _faiss.SearchParametersIVF(sel=selector, nprobe=self._index.nlist))
        return found

    def scores(self, query: Vectors, chunks: NDArray[np.int64]) -> Vectors:
        """The cosine of one query row with each of some chunks, as right as those of :meth:`search`."""
        cosines: Vectors = self.rows(chunks) @ query.reshape(-1)
        return cosines

    def rows(self, chunks: NDArray[np.int64]) -> Vectors:
        """The rows of some chunks, as exact as the kind keeps them."""
        found: Vectors = self._index.reconstruct_batch(np.ascontiguousarray(chunks))
        return found

    def _ask(self, query: Vectors, limit: int, params: Any) -> list[tuple[int, float]]:
        scores, ids = self._index.search(query.reshape(1, -1), limit, params=params)
        return [(int(i), float(s)) for i, s in zip(ids[0], scores[0], strict=True) if i >= 0]

    def _best(self, query: Vectors, chunks: NDArray[np.int64], limit: int) -> list[tuple[int, float]]:
        cosines = self.scores(query, chunks)
        best = np.argsort(-cosines, kind="stable")[:limit]
        return [(int(chunks[i]), float(cosines[i])) for i in best]


class JoinedVectors:
    """The index of a base and those of its additions, with the chunks numbered through; as :class:`VectorIndex`."""

    def __init__(self, parts: Sequence[VectorIndex]) -> None:
        self._parts = parts
        self._starts = np.cumsum([0, *(len(part) for part in parts)]).tolist()

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._parts[0].dim

    @property
    def exact(self) -> bool:
        """Whether a search looks at every row as it was written."""
        return all(part.exact for part in self._parts)

    def __len__(self) -> int:
        return int(self._starts[-1])

    def search(self, query: Vectors, limit: int, allowed: NDArray[np.bool_] | None = None) -> list[tuple[int, float]]:
        """The best of all parts; see :meth:`VectorIndex.search`."""
        found: list[tuple[int, float]] = []
        for part, start in zip(self._parts, self._starts, strict=False):
            own = None if allowed is None else allowed[start : start + len(part)]
            found += [(start + chunk, score) for chunk, score in part.search(query, limit, own)]
        return sorted(found, key=lambda one: (-one[1], one[0]))[: max(1, limit)]

    def rows(self, chunks: NDArray[np.int64]) -> Vectors:
        """See :meth:`VectorIndex.rows`."""
        out = np.zeros((len(chunks), self.dim), dtype=np.float32)
        for part, start in zip(self._parts, self._starts, strict=False):
            here = (chunks >= start) & (chunks < start + len(part))
            if here.any():
                out[here] = part.rows(chunks[here] - start)
        return out

    def scores(self, query: Vectors, chunks: NDArray[np.int64]) -> Vectors:
        """See :meth:`VectorIndex.scores`."""
        out = np.zeros(len(chunks), dtype=np.float32)
        for part, start in zip(self._parts, self._starts, strict=False):
            here = (chunks >= start) & (chunks < start + len(part))
            if here.any():
                out[here] = part.scores(query, chunks[here] - start)
        return out


def open_vectors(files: Sequence[Path]) -> VectorIndex | JoinedVectors:
    """The index of a snapshot: the base's file, and those of its additions after it."""
    parts = [VectorIndex(file) for file in files]
    return parts[0] if len(parts) == 1 else JoinedVectors(parts)
