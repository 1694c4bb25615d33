"""The ways to rank that are compared: the parts of hyoka's search, the whole of it, and others' engines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from evals.baselines import Chunk, Search, chunks, dense, fused, lexical
from index.encoder import WordVectors
from index.tokens import words
from index.types import Encoder, Index, Passage

Floats = NDArray[np.float32]
#: A query to one score for each piece.
Scores = Callable[[str], Floats]

ABOUT = {
    "bm25": "tantivy's BM25 over hyoka's words, the words of the query alone",
    "bm25s": "the library bm25s (Lucene's formula) over the same words",
    "static": "plain static vectors: the mean of chiVe's word vectors, untrained (ja-ginza)",
    "dense": "the cosine of the encoder's vectors",
    "late": "late interaction: each word of the query with its nearest in the passage",
    "encoder": "dense and late, each standardised over the passages, added",
    "fused": "hyoka's search: words, synonyms and meaning",
}


@contextmanager
def engines(index: Index, encoder: Encoder, names: Sequence[str] = tuple(ABOUT)) -> Iterator[dict[str, Search]]:
    """The searches by name over the pieces of an index; one whose library is missing is left out."""
    pieces = chunks(index)
    with TemporaryDirectory(prefix="hyoka-retrieval-", ignore_cleanup_errors=True) as folder:
        makers: dict[str, Callable[[], Search | None]] = {
            "bm25": lambda: lexical(pieces, Path(folder) / "lexical"),
            "bm25s": lambda: _bm25s(pieces),
            "static": lambda: _static(pieces),
            "dense": lambda: dense(pieces, encoder),
            "late": lambda: _late(pieces, encoder),
            "encoder": lambda: _both(pieces, encoder),
            "fused": lambda: fused(index),
        }
        made = ((name, makers[name]()) for name in names)
        yield {name: search for name, search in made if search is not None}


def _bm25s(pieces: Sequence[Chunk]) -> Search | None:
    if find_spec("bm25s") is None:
        return None
    import bm25s

    engine = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    engine.index([words(piece.headed, parts=True) for piece in pieces], show_progress=False)

    def search(question: str, k: int) -> list[Passage]:
        asked = list(dict.fromkeys(words(question, parts=True)))
        if not asked:
            return []
        numbers, scores = engine.retrieve([asked], k=min(k, len(pieces)), show_progress=False)
        found = zip(numbers[0].tolist(), scores[0].tolist(), strict=True)
        return [pieces[n].passage(score) for n, score in found if score > 0]

    return search


def _static(pieces: Sequence[Chunk]) -> Search | None:
    if find_spec("ja_ginza") is None or find_spec("spacy") is None or find_spec("sudachipy") is None:
        return None
    from index.training.vectors import load_chive, lookup, sudachi_normal_form

    rows, vectors = load_chive()
    find = cache(partial(lookup, rows=rows, normal_form=sudachi_normal_form()))  # words repeat

    def encode(text: str) -> Floats:
        known = [row for word in words(text) if (row := find(word)) is not None]
        mean = vectors[known].sum(axis=0) if known else np.zeros(vectors.shape[1], np.float32)
        return np.asarray(mean / (float(np.linalg.norm(mean)) or 1.0), np.float32)

    matrix = np.stack([encode(piece.headed) for piece in pieces])
    return _best_of(pieces, lambda question: matrix @ encode(question))


def _late(pieces: Sequence[Chunk], encoder: Encoder) -> Search | None:
    scores = _late_scores(pieces, encoder)
    return None if scores is None else _best_of(pieces, scores)


def _late_scores(pieces: Sequence[Chunk], encoder: Encoder) -> Scores | None:
    """MaxSim (ColBERT's sum of maxima) over static word vectors, each word as telling as the encoder holds it."""
    if not isinstance(encoder, WordVectors):
        return None
    lists = [list(dict.fromkeys(words(piece.headed))) or ["。"] for piece in pieces]
    vocabulary = list(dict.fromkeys(word for row in lists for word in row))
    numbers = {word: number for number, word in enumerate(vocabulary)}
    vectors = encoder.word_vectors(vocabulary)
    flat = np.array([numbers[word] for row in lists for word in row])
    starts = np.cumsum([0, *(len(row) for row in lists[:-1])])

    def scores(question: str) -> Floats:
        asked = words(question)
        if not asked:
            return np.zeros(len(lists), np.float32)
        weights = encoder.word_weights(asked)
        table = encoder.word_vectors(asked) @ vectors.T
        nearest = np.maximum.reduceat(np.take(table, flat, axis=1), starts, axis=1)
        return np.asarray(weights @ nearest / (float(weights.sum()) or 1.0), np.float32)

    return scores


def _both(pieces: Sequence[Chunk], encoder: Encoder) -> Search | None:
    late = _late_scores(pieces, encoder)
    if late is None:
        return None
    vectors = encoder.encode([piece.headed for piece in pieces], "passage")

    def scores(question: str) -> Floats:
        return _standard(vectors @ encoder.encode([question], "query")[0]) + _standard(late(question))

    return _best_of(pieces, scores)


def _standard(scores: Floats) -> Floats:
    return np.asarray((scores - scores.mean()) / (float(scores.std()) or 1.0), np.float32)


def _best_of(pieces: Sequence[Chunk], scores: Scores) -> Search:
    def search(question: str, k: int) -> list[Passage]:
        found = scores(question)
        return [pieces[n].passage(float(found[n])) for n in np.argsort(-found, kind="stable")[:k]]

    return search
