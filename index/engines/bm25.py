"""BM25 as an inner product: a sparse vector a chunk, one a question, and the counts that the question's is made with.

What tantivy reckons for a word in a field is taken apart. What hangs on the chunk alone (how often the word stands in
it, how long the field is) is stored with it; what hangs on the whole index (how many chunks have the word) and on the
field's weight goes into the question's vector. So chunks may come and go, and no stored vector has to be written again;
only the mean lengths of the fields stay what they were when the first chunks were counted.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.arrays import loaded_all
from index.lexical import FIELDS

Sparse = dict[int, float]
"""A sparse vector: weights by dimension, which is a number of 32 bits."""

K1, B = 1.2, 0.75
NO_WORDS = 2**32 - 2
"""The dimension, the highest that Milvus Lite knows, that is no word's: a vector must not be empty."""

_EXACT = 24  # lengths below it are kept as they are


def kept_length(length: int) -> int:
    """A field's length as tantivy keeps it, in one byte: what is longer than 40 words is rounded down to three bits
    after the first.

    >>> [kept_length(n) for n in (7, 40, 41, 63, 1000)]
    [7, 40, 40, 60, 984]
    """
    if length < _EXACT:
        return length
    rest = length - _EXACT
    shift = max(rest.bit_length() - 4, 0)
    return _EXACT + (rest >> shift << shift)


@lru_cache(maxsize=1 << 16)
def dimension(field: str, word: str) -> int:
    """The dimension of a word in a field: a hash, so that no list of words has to be kept and no number ever moves.

    With a million words in an index, one word in four thousand shares its dimension with another one.
    """
    digest = hashlib.blake2b(f"{field}\0{word}".encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return int.from_bytes(digest, "little") % NO_WORDS


class Counts:
    """What is counted over chunks: how many there are, the words of each field, and the chunks of each dimension."""

    def __init__(self) -> None:
        self.chunks = 0
        self.lengths = dict.fromkeys(FIELDS, 0)
        self.having: Counter[int] = Counter()

    def add(self, words: Mapping[str, Sequence[str]]) -> None:
        """Counts one more chunk, with its words by field."""
        self.chunks += 1
        for field in FIELDS:
            self.lengths[field] += len(words[field])
            self.having.update({dimension(field, word) for word in words[field]})

    def means(self) -> dict[str, float]:
        """The mean length of each field."""
        return {field: length / max(self.chunks, 1) for field, length in self.lengths.items()}

    def statistics(self, means: Mapping[str, float] | None = None) -> Statistics:
        """The statistics of what was counted; ``means`` are those of the chunks that this adds to."""
        keys = np.array(sorted(self.having), dtype=np.uint32)
        counts = np.array([self.having[int(key)] for key in keys], dtype=np.int32)
        return Statistics(self.chunks, means or self.means(), keys, counts)


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """What BM25 has to know of an index: its ``chunks``, the mean length of each field, and in how many chunks each
    dimension of ``keys`` (in order) stands."""

    chunks: int
    means: Mapping[str, float]
    keys: NDArray[np.uint32]
    counts: NDArray[np.int32]

    def having(self, key: int) -> int:
        """How many chunks have a word of that dimension."""
        at = int(np.searchsorted(self.keys, key))
        return int(self.counts[at]) if at < len(self.keys) and int(self.keys[at]) == key else 0

    @classmethod
    def joined(cls, parts: Sequence[Statistics]) -> Statistics:
        """Those of several sets of chunks together, with the mean lengths of the first."""
        if len(parts) == 1:
            return parts[0]
        keys, at = np.unique(np.concatenate([part.keys for part in parts]), return_inverse=True)
        counts = np.zeros(len(keys), dtype=np.int32)
        np.add.at(counts, at, np.concatenate([part.counts for part in parts]))
        return cls(sum(part.chunks for part in parts), parts[0].means, keys, counts)

    def write(self, file: Path) -> None:
        """Writes them; :meth:`read` brings them back as they were."""
        means = np.array([self.means[field] for field in FIELDS])
        with file.open("wb") as stream:
            np.savez(stream, chunks=np.array(self.chunks), means=means, keys=self.keys, counts=self.counts)

    @classmethod
    def read(cls, file: Path) -> Statistics:
        """Reads what :meth:`write` wrote; OSError, ValueError or KeyError for anything else."""
        stored = loaded_all(file)
        means = dict(zip(FIELDS, stored["means"].tolist(), strict=True))
        return cls(int(stored["chunks"]), means, stored["keys"], stored["counts"])


def chunk_vector(words: Mapping[str, Sequence[str]], means: Mapping[str, float]) -> Sparse:
    """The stored half of the BM25 score of each word of a chunk, by the words of its fields: how often it stands there,
    damped and set against the field's length."""
    found: Sparse = {}
    for field in FIELDS:
        length = kept_length(len(words[field]))
        norm = K1 * (1 - B + B * length / means[field]) if means[field] else K1
        for word, count in Counter(words[field]).items():
            key = dimension(field, word)
            found[key] = found.get(key, 0.0) + count / (count + norm)
    return found or {NO_WORDS: 1.0}


def question_vector(terms: Iterable[tuple[str, float]], statistics: Statistics) -> Sparse:
    """The other half, for the weighted words of a question: how rare each is, times its weight and its field's.

    Words that stand in no chunk are left out. The inner product with :func:`chunk_vector` is the BM25 score.
    """
    found: Sparse = {}
    for word, weight in terms:
        for field, boost in FIELDS.items():
            key = dimension(field, word)
            if having := statistics.having(key):
                rarity = float(np.log1p((statistics.chunks - having + 0.5) / (having + 0.5)))
                found[key] = found.get(key, 0.0) + weight * boost * (K1 + 1) * rarity
    return {key: value for key, value in found.items() if value > 0}
