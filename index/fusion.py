"""The second stage: which candidates answer the question's words, one by one, by writing or by meaning.

For each word of the question the best match in a passage is taken (itself 1, a synonym less, a word of near meaning
by its cosine, late interaction after ColBERT with one static vector a word), weighted by how telling the word is in
this corpus. That coverage is added to BM25 and to the cosine of the whole texts, each brought to 0..1 first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.encoder import WordVectors
from index.synonyms import QueryWords
from index.types import Encoder
from index.wordlists import WordLists

Floats = NDArray[np.float32]
Lists = tuple[NDArray[np.int32], NDArray[np.int64]]

_ITSELF = np.float32(2)  # in a table of cosines: the very word, told from others of the same vector
_BEST = 3


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares of the three kinds of evidence; they sum to 1."""

    coverage: float
    lexical: float
    dense: float


@dataclass(frozen=True, slots=True)
class Weights:
    """How the evidence is added.

    A question that some passage answers word for word is ranked by its words; one that shares only stray words with
    every passage is ranked by meaning, since there BM25 orders noise. ``low`` and ``high`` are the shares of the
    question's words found in the best passage between which the one mix passes into the other. In the mix by meaning
    the coverage takes each word's nearest word however far it is: with no close word, a faint likeness still orders.
    A whole text pasted as a question is ranked by BM25 and the cosine alone (``by_length``, passed into between
    ``long_from`` and ``long_to`` different words): among that many words each passage has something near every one.
    What they reach stands in docs/retrieval.md; they lie on a plateau, learned mixes of the same evidence were no better.
    """

    by_words: Mix = Mix(0.45, 0.20, 0.35)
    by_meaning: Mix = Mix(0.50, 0.0, 0.50)
    by_length: Mix = Mix(0.0, 0.4, 0.6)
    low: float = 0.40
    high: float = 0.60
    long_from: float = 14.0
    long_to: float = 28.0
    word_floor: float = 0.2  # cosine of two words below which they have nothing to do with each other
    word_cap: float = 0.9  # a word of the same meaning is worth a little less than the word itself
    head: float = 0.9  # a word found in the sheet's name or the label rather than in the text
    sheet: float = 0.3  # share of a word found in another section of the same sheet
    sheet_dense: float = 0.15  # share of the whole sheet's cosine
    sheet_best: float = (
        0.3  # share of the mean of the sheet's three best passages: the right sheet answers more than once
    )
    unseen: float = 0.9  # importance of a word that stands nowhere in the corpus, as a share of the rarest word's
    dense_floor: float = 0.10  # cosine of two texts that counts as none
    least_share: float = 0.3  # a passage with less than this share of the best one's score is no hit
    least_score: float = 0.18  # score from which a passage may be shown without one word of the question
    slope: float = 8.0  # of the chance that a passage answers, over its score (python -m evals.retrieval --calibrate)
    offset: float = -4.3


@dataclass(frozen=True, slots=True)
class Candidates:
    """Chunks to rank with their sections and sheets, BM25 scores (0 where the words do not meet) and cosines.

    ``dense`` is the chunk's own cosine, ``whole`` that of all its sheet says; ``parts`` is how many chunks that might
    have been found the sheet has.
    """

    chunks: NDArray[np.int64]
    sections: NDArray[np.int64]
    sheets: NDArray[np.int64]
    lexical: Floats
    dense: Floats
    whole: Floats
    parts: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ranking:
    """For each candidate the fused score and its parts in 0..1; ``evidence`` says whether it may be shown at all.

    ``chance`` is the score as the share of right ones among first hits of that score: Platt's sigmoid, fitted on
    questions with and without an answer in ten collections (``evals.retrieval``), so that it means the same in all.
    """

    score: Floats
    chance: Floats
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
        self._vectors: Floats | None = None
        if self._encoder is not None:
            written = lists.vectors(encoder.digest)
            self._vectors = self._encoder.word_vectors(lists.vocabulary) if written is None else written

    def among(self, lists: WordLists) -> WordMatcher:
        """The same over lists of the same words, of which other chunks are counted."""
        other = copy(self)
        other._lists = lists
        return other

    def importance(self, words: Sequence[str]) -> Floats:
        """How telling each word is: its inverse document frequency here, less for a word never seen here."""
        n = self._lists.chunks + 1
        every = self._lists.counts("body")
        counts = np.array([every[i] if (i := self._lists.number(w)) >= 0 else 0 for w in words])
        idf = np.log(1 + (n - counts + 0.5) / (counts + 0.5))
        rarest = np.log(1 + (n - 0.5) / 1.5)
        idf = np.where(counts == 0, rarest * self._weights.unseen, np.minimum(idf, rarest))
        if self._encoder is not None:
            # A word may be rare here and yet say little (置く, 大きい); general text knows.
            idf *= np.sqrt(self._encoder.word_weights(list(words)))
        return idf.astype(np.float32)

    def cosines(self, words: Sequence[str], others: NDArray[np.int64]) -> Floats:
        """(words, others): ``_ITSELF`` for the word itself, the cosine in 0..1 for other words by their numbers."""
        out = np.zeros((len(words), len(others)), dtype=np.float32)
        if self._encoder is not None and self._vectors is not None and len(words):
            out = np.clip(self._encoder.word_vectors(list(words)) @ self._vectors[others].T, 0, 1)
        for i, word in enumerate(words):
            if (place := _place(self._lists.number(word), others)) >= 0:
                out[i, place] = _ITSELF
        return out

    def match(self, query: QueryWords, candidates: Candidates) -> tuple[Floats, Floats, Callable[[], Floats]]:
        """Coverage of the question by each candidate, in 0..1.

        With words of clearly near meaning, with its words and synonyms alone, and (to be called for, since a question that
        is answered word for word needs it not) with whatever is nearest to a word.
        """
        w = self._weights
        # Only the words of the candidates are looked at, a few thousand of however many there are.
        held = (self._lists.gather("body", candidates.chunks), self._lists.gather("head", candidates.sections))
        there, lists = _renumbered(self._lists.size, held)
        table = self.cosines(query.words, there)
        body, head = (_best(table, one) for one in lists)
        stands = self._standing(query, there, lists)
        nowhere = np.zeros(len(candidates.chunks), dtype=bool)
        written = np.array([stands.get(w, nowhere) for w in query.words], dtype=np.float32)
        for alternative in query.alternatives:
            found = np.logical_and.reduce([stands.get(w, nowhere) for w in alternative.words])
            rows = slice(alternative.first, alternative.last)
            written[rows] = np.maximum(written[rows], found * np.float32(alternative.weight))
        importance = self.importance(query.words)
        importance /= float(importance.sum()) or 1.0

        def covered(floor: float, cap: float) -> Floats:
            at = np.maximum(_gated(body, floor, cap), _gated(head, floor, cap) * np.float32(w.head))
            best = np.maximum(at, written * np.float32(w.head))
            whole = w.sheet * _best_of_group(best, candidates.sheets)
            return np.asarray(importance @ ((1 - w.sheet) * best + whole), dtype=np.float32)

        return covered(w.word_floor, w.word_cap), importance @ written, lambda: covered(0.0, 1.0)

    def _standing(
        self, query: QueryWords, there: NDArray[np.int64], lists: Sequence[Lists]
    ) -> dict[str, NDArray[np.bool_]]:
        """For each word of the query and its synonyms that some candidate has: which candidates have it."""
        words = dict.fromkeys([*query.words, *(w for a in query.alternatives for w in a.words)])
        numbers = {w: n for w in words if (n := _place(self._lists.number(w), there)) >= 0}
        row_of = np.full(len(there), -1)
        row_of[list(numbers.values())] = range(len(numbers))
        out = np.zeros((len(numbers), len(lists[0][1]) - 1), dtype=bool)
        for ids, begins in lists:
            at = np.flatnonzero(row_of[ids] >= 0)
            out[row_of[ids[at]], np.searchsorted(begins, at, side="right") - 1] = True
        return dict(zip(numbers, out, strict=True))


def _place(number: int, among: NDArray[np.int64]) -> int:
    """Where a number stands in an ordered array, -1 where it does not."""
    at = int(np.searchsorted(among, number))
    return at if at < len(among) and among[at] == number else -1


def _renumbered(size: int, held: Sequence[Lists]) -> tuple[NDArray[np.int64], list[Lists]]:
    """The numbers of words that stand in some lists, in order, and the lists with the places of their words in it."""
    marked = np.zeros(size, dtype=bool)
    for ids, _ in held:
        marked[ids] = True
    there = np.flatnonzero(marked)
    place = np.empty(size, dtype=np.int32)
    place[there] = np.arange(len(there), dtype=np.int32)
    return there, [(place[ids], begins) for ids, begins in held]


def _mean_of_best(score: Floats, sheets: NDArray[np.int64], parts: NDArray[np.int64]) -> Floats:
    """For each candidate the mean of its sheet's best three; one not found counts 0 unless the sheet is that short."""
    order = np.lexsort((-score, sheets))
    of = sheets[order]
    starts = np.flatnonzero(np.diff(of, prepend=-1))
    place = np.arange(len(of)) - np.repeat(starts, np.diff(np.append(starts, len(of))))
    top = order[place < _BEST]
    sums = np.bincount(sheets[top], weights=score[top], minlength=int(sheets.max(initial=0)) + 1)
    return (sums[sheets] / np.clip(parts, 1, _BEST)).astype(np.float32)


def _gated(best: Floats, floor: float, cap: float) -> Floats:
    """Cosines above ``floor`` stretched to 0..``cap``, and 1 for the word itself."""
    near = np.clip((best - floor) / (1 - floor), 0, 1) * np.float32(cap)
    return np.where(best == _ITSELF, np.float32(1), near)


def _best_of_group(best: Floats, groups: NDArray[np.int64]) -> Floats:
    """Each column's maximum over all columns of its group."""
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    if not len(starts):
        return best
    tops = np.maximum.reduceat(best[:, order], starts, axis=1)
    out = np.empty_like(best)
    out[:, order] = np.repeat(tops, np.diff(np.append(starts, len(order))), axis=1)
    return out


def _best(table: Floats, lists: Lists) -> Floats:
    """The maximum of each line of ``table`` over the words of each list; an empty list gives 0."""
    ids, begins = lists
    out = np.zeros((table.shape[0], len(begins) - 1), dtype=np.float32)
    filled = np.flatnonzero(begins[1:] > begins[:-1])
    if len(filled) and table.shape[0]:
        out[:, filled] = np.maximum.reduceat(np.take(table, ids, axis=1), begins[:-1][filled], axis=1)
    return out


def rank(query: QueryWords, candidates: Candidates, matcher: WordMatcher, weights: Weights) -> Ranking:
    """Fuses the three kinds of evidence for every candidate."""
    if not query.words:
        none = np.zeros(len(candidates.chunks), dtype=np.float32)
        return Ranking(none, none, none, none, none, none > 0)
    coverage, written, nearest = matcher.match(query, candidates)
    lexical = candidates.lexical / np.float32(float(candidates.lexical.max(initial=0.0)) or 1.0)
    cosine = (1 - weights.sheet_dense) * candidates.dense + weights.sheet_dense * candidates.whole
    dense = np.clip((cosine - weights.dense_floor) / (1 - weights.dense_floor), 0, 1).astype(np.float32)
    by_words = float(np.clip((written.max(initial=0.0) - weights.low) / (weights.high - weights.low), 0, 1))
    score = by_words * _mixed(weights.by_words, coverage, lexical, dense)
    if by_words < 1:
        score += (1 - by_words) * _mixed(weights.by_meaning, nearest(), lexical, dense)
    long = (len(query.words) - weights.long_from) / (weights.long_to - weights.long_from)
    if long > 0:
        pasted = weights.by_length
        whole = pasted.coverage * coverage + pasted.lexical * lexical + pasted.dense * dense
        score += min(long, 1.0) * (whole - score)
    best = _mean_of_best(score, candidates.sheets, candidates.parts)
    score = (1 - weights.sheet_best) * score + weights.sheet_best * best
    evidence = (written > 0) | ((score >= weights.least_score) & (dense > 0))
    evidence &= score >= weights.least_share * score.max(initial=0.0)
    score = np.clip(score, 0, 1).astype(np.float32)
    chance = (1 / (1 + np.exp(-(weights.slope * score + weights.offset)))).astype(np.float32)
    return Ranking(score, chance, coverage, lexical, dense, evidence)


def _mixed(mix: Mix, coverage: Floats, lexical: Floats, dense: Floats) -> Floats:
    # BM25 counts in so far as the question is covered: a rare word found many times is not yet an answer.
    mixed: Floats = mix.coverage * coverage + mix.lexical * lexical * np.sqrt(coverage) + mix.dense * dense
    return mixed
