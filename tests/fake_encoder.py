"""An encoder a person can compute: one axis per concept, words of one concept share it."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from index.tokens import words
from index.types import Vectors

CONCEPTS = ({"火葬", "斎場"}, {"更改", "リプレース", "入れ替える"}, {"サーバ", "機器"}, {"住民", "市民"})
_SPARE = 60  # every other word falls on one of these axes


class FakeEncoder:
    """A text is the sum of its words' axes."""

    def __init__(self, name: str = "fake") -> None:
        self.name = name
        self.digest = f"digest of {name}"
        self.dim = len(CONCEPTS) + _SPARE

    def _axis(self, word: str) -> int:
        for i, concept in enumerate(CONCEPTS):
            if word in concept:
                return i
        return len(CONCEPTS) + sum(map(ord, word)) % _SPARE

    def encode(self, texts: list[str], kind: Literal["query", "passage"]) -> Vectors:
        out = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in zip(out, texts, strict=True):
            for word in words(text):
                row[self._axis(word)] += 1
        return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9).astype(np.float32)

    def word_vectors(self, vocabulary: list[str]) -> Vectors:
        out = np.zeros((len(vocabulary), self.dim), dtype=np.float32)
        for row, word in zip(out, vocabulary, strict=True):
            row[self._axis(word)] = 1
        return out

    def word_weights(self, vocabulary: list[str]) -> NDArray[np.float32]:
        return np.ones(len(vocabulary), dtype=np.float32)
