"""The first stage of a search on a Milvus server: words as sparse vectors, meaning as dense ones, filters with both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.engines.bm25 import Statistics, question_vector
from index.engines.milvusschema import VECTOR, WORDS, expression, place_of, search_params
from index.engines.milvusserver import MilvusServer
from index.engines.milvusstate import Sent
from index.firststage import Allowed, FirstStage, Hits
from index.types import Vectors

MOST = 16_384  # what Milvus gives at most
_MORE = 4


class MilvusFirstStage:
    """See :class:`index.firststage.FirstStage`; on what was ``sent`` of a snapshot."""

    def __init__(self, server: MilvusServer, sent: Sent, statistics: Statistics | None, local: FirstStage) -> None:
        """Without ``statistics`` the words are looked for in the files of the snapshot (``local``).

        Cosines of given chunks are always read there: the mapped file gives 2,000 of them in less time than a question to
        a server takes.
        """
        self._server, self._sent = server, sent
        self._first = {piece.serial: piece.first for piece in sent.pieces}
        self._statistics, self._local = statistics, local

    def by_words(self, terms: Iterable[tuple[str, float]], limit: int, allowed: Allowed) -> Hits:
        """See :class:`index.firststage.FirstStage`."""
        if self._statistics is None:
            return self._local.by_words(terms, limit, allowed)
        vector = question_vector(terms, self._statistics)
        return self._nearest(WORDS, vector, limit, allowed) if vector else []

    def by_meaning(self, vector: Vectors, limit: int, allowed: Allowed) -> Hits:
        """See :class:`index.firststage.FirstStage`."""
        share = float(np.count_nonzero(allowed.chunks)) / max(len(allowed.chunks), 1)
        params = search_params(self._sent.made_for, share)
        found = self._nearest(VECTOR, vector.reshape(-1), limit, allowed, params)
        if params and len(found) < min(limit, int(np.count_nonzero(allowed.chunks))):
            found = self._nearest(VECTOR, vector.reshape(-1), limit, allowed, search_params(self._sent.made_for, 0.0))
        return found

    def cosines(self, vector: Vectors, chunks: NDArray[np.int64]) -> Vectors:
        """See :class:`index.firststage.FirstStage`."""
        return self._local.cosines(vector, chunks)

    def _nearest(
        self, field: str, vector: Any, limit: int, allowed: Allowed, params: dict[str, Any] | None = None
    ) -> Hits:
        """The best allowed chunks. Where others come as well, more are fetched until enough are allowed."""
        wanted = min(limit, int(np.count_nonzero(allowed.chunks)))
        if not wanted:
            return []
        fetched, where = min(limit, MOST), expression(allowed, self._sent.serials)
        while True:
            found = self._server.search(self._sent.collection, field, vector, fetched, where, params or {})
            hits = [(chunk, score) for chunk, score in self._chunks(found) if allowed.chunks[chunk]]
            if len(hits) >= wanted or len(found) < fetched or fetched == MOST:
                return sorted(hits, key=lambda hit: (-hit[1], hit[0]))[:limit]
            fetched = min(fetched * _MORE, MOST)

    def _chunks(self, found: Hits) -> Iterator[tuple[int, float]]:
        """The chunks of this snapshot that some rows stand for."""
        for number, score in found:
            piece, place = place_of(number)
            yield self._first[piece] + place, score
