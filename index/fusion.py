"""The second stage: which candidates answer the question's words, one by one, by writing or by meaning.

For each word of the question the best match in a passage is taken (itself 1, a synonym less, a word of near meaning
by its cosine, late interaction after ColBERT with one static vector a word), weighted by how telling the word is in
this corpus. That coverage is added to BM25 and to the cosine of the whole texts, each brought to 0..1 first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.encoder import WordVectors
from index.synonyms import QueryWords
from index.types import Encoder
from index.wordlists import WordLists

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Weights:
    """How the parts are added (they sum to 1), and where nearness of meaning begins to count.

    Measured on the real corpus and on pairs of questions and passages that share no word, not chosen for either.
    """

    coverage: float = 0.55
    lexical: float = 0.20
    dense: float = 0.25
    word_floor: float = 0.35  # cosine of two words below which they have nothing to do with each other
    word_cap: float = 0.9  # a word of the same meaning is worth a little less than the word itself
    dense_floor: float = 0.10
    head: float = 0.9  # a word found in the sheet's name or the label rather than in the text
    unseen: float = 0.7  # weight of a word that stands nowhere in the corpus, of the rarest word's
    least: float = 0.18  # a passage below this score is no hit


@dataclass(frozen=True, slots=True)
class Candidates:
    """Chunks to rank with their sections, BM25 scores (0 where the words do not meet) and cosines."""

    chunks: NDArray[np.int64]
    sections: NDArray[np.int64]
    lexical: Floats
    dense: Floats


@dataclass(frozen=True, slots=True)
class Ranking:
    """For each candidate the fused score and its parts in 0..1; ``evidence`` says whether it may be shown at all."""

    score: Floats
    coverage: Floats
    lexical: Floats
    dense: Floats
    evidence: NDArray[np.bool_]


class WordMatcher:
    """Compares the words of a question with the words of chunks."""

    def __init__(self, lists: WordLists, encoder: Encoder, weights: Weights) -> None:
        self._lists = lists
        self._encoder = encoder if isinstance(encoder, WordVectors) else None
        self._weights = weights
        self._vectors = None if self._encoder is None else self._encoder.word_vectors(lists.vocabulary)

    def importance(self, words: Sequence[str]) -> Floats:
        """How telling each word is: its inverse document frequency here, less for a word never seen here."""
        n = self._lists.chunks + 1
        counts = np.array([self._lists.body_counts[i] if (i := self._lists.number(w)) >= 0 else 0 for w in words])
        idf = np.log(1 + (n - counts + 0.5) / (counts + 0.5))
        rarest = np.log(1 + (n - 0.5) / 1.5)
        idf = np.where(counts == 0, rarest * self._weights.unseen, np.minimum(idf, rarest))
        return idf.astype(np.float32)

    def similarities(self, words: Sequence[str]) -> Floats:
        """(words, vocabulary) in 0..1: 1 for the word itself, the gated cosine for others."""
        w = self._weights
        out = np.zeros((len(words), len(self._lists.vocabulary)), dtype=np.float32)
        if self._encoder is not None and self._vectors is not None and len(words):
            cosines = self._encoder.word_vectors(list(words)) @ self._vectors.T
            out = np.clip((cosines - w.word_floor) / (1 - w.word_floor), 0, 1) * np.float32(w.word_cap)
        for i, word in enumerate(words):
            if (number := self._lists.number(word)) >= 0:
                out[i, number] = 1.0
        return out

    def match(self, query: QueryWords, candidates: Candidates) -> tuple[Floats, NDArray[np.bool_]]:
        """Coverage of the question by each candidate, and whether a word or synonym of it stands there."""
        table = self.similarities(query.words)
        exact = np.zeros_like(table, dtype=bool)
        for i, word in enumerate(query.words):
            if (number := self._lists.number(word)) >= 0:
                exact[i, number] = True
        body = self._best(table, "body", candidates.chunks)
        head = self._best(table, "head", candidates.sections) * self._weights.head
        best = np.maximum(body, head)
        shared = np.maximum(
            self._best(exact, "body", candidates.chunks), self._best(exact, "head", candidates.sections)
        ).any(axis=0)
        for alternative in query.alternatives:
            numbers = [self._lists.number(w) for w in alternative.words]
            if min(numbers) < 0:
                continue
            stands = np.zeros((len(numbers), table.shape[1]), dtype=bool)
            stands[np.arange(len(numbers)), numbers] = True
            found = (
                self._best(stands, "body", candidates.chunks) | self._best(stands, "head", candidates.sections)
            ).all(axis=0)
            shared |= found
            rows = slice(alternative.first, alternative.last)
            best[rows] = np.maximum(best[rows], found * np.float32(alternative.weight))
        importance = self.importance(query.words)
        total = float(importance.sum()) or 1.0
        return (importance @ best) / np.float32(total), shared

    def _best(self, table: NDArray, kind: str, rows: NDArray[np.int64]) -> NDArray:  # type: ignore[type-arg]
        """The maximum of each line of ``table`` over the words of each row of a list; an empty row gives 0."""
        ids, begins = self._lists.gather(kind, rows)
        out = np.zeros((table.shape[0], len(rows)), dtype=table.dtype)
        filled = np.flatnonzero(begins[1:] > begins[:-1])
        if len(filled) and table.shape[0]:
            out[:, filled] = np.maximum.reduceat(table[:, ids], begins[:-1][filled], axis=1)
        return out


def rank(query: QueryWords, candidates: Candidates, matcher: WordMatcher, weights: Weights) -> Ranking:
    """Fuses the three kinds of evidence for every candidate."""
    coverage, shared = matcher.match(query, candidates)
    top = float(candidates.lexical.max(initial=0.0)) or 1.0
    lexical = candidates.lexical / np.float32(top)
    dense = np.clip((candidates.dense - weights.dense_floor) / (1 - weights.dense_floor), 0, 1).astype(np.float32)
    score = weights.coverage * coverage + weights.lexical * lexical * np.sqrt(coverage) + weights.dense * dense
    evidence = (shared | (dense > 0.25)) & (score >= weights.least)
    return Ranking(np.clip(score, 0, 1).astype(np.float32), coverage, lexical, dense, evidence)
