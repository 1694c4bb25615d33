"""Texts encoded by a large model, some thousand at a time: in bounded memory, and kept for a build started again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from index.arrays import mapped
from index.npywriter import NpyWriter
from index.spool import Spool
from index.types import Encoder, Vectors

_BATCH = 64  # a large model takes seconds for them, and the bar must move
_TEXTS = 2_048  # encoded together, so that texts of like length can go together


class Windows:
    """Takes texts in order and writes their vectors to ``file``; ``told`` is called with how many are encoded."""

    def __init__(self, encoder: Encoder, file: Path, spool: Spool, told: Callable[[int], None]) -> None:
        self._encoder, self._file, self._spool, self._told = encoder, file, spool, told
        self._waiting: list[str] = []
        self._stream = file.open("w+b")
        self._rows = NpyWriter(self._stream, np.float32, (encoder.dim,))

    def add(self, texts: Sequence[str]) -> None:
        """The next texts."""
        self._waiting += texts
        while len(self._waiting) >= _TEXTS:
            self._encode(self._waiting[:_TEXTS])
            del self._waiting[:_TEXTS]

    def finish(self) -> Vectors:
        """The rows of all texts, mapped from the file."""
        if self._waiting:
            self._encode(self._waiting)
            self._waiting = []
        self._rows.finish()
        self._stream.close()
        return mapped(self._file)

    def _encode(self, texts: list[str]) -> None:
        """One row a text. Texts of like length go together, since a batch is filled up to its longest."""
        key = hashlib.sha256(
            b"\0".join([self._encoder.digest.encode(), *(hashlib.sha256(t.encode()).digest() for t in texts)])
        ).digest()
        kept = self._spool.get(key)
        if kept is not None:
            rows = np.frombuffer(kept, dtype=np.float32).reshape(len(texts), self._encoder.dim)
        else:
            rows = np.zeros((len(texts), self._encoder.dim), dtype=np.float32)
            order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
            for at in range(0, len(texts), _BATCH):
                batch = order[at : at + _BATCH]
                rows[batch] = self._encoder.encode([texts[i] for i in batch], "passage")
                self._told(self._rows.rows + min(at + _BATCH, len(texts)))
            self._spool.put(key, rows.tobytes())
        self._rows.append(rows)
