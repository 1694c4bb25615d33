"""Questions with their candidates, found once and cut down to what can matter, so that many weights can be tried on them.

Of all candidates those of the sheets that any kind of evidence puts among the best are kept, whole sheets at a time.
Ranking goes through :func:`index.fusion.rank` as in a search; only the words that it looks at are fewer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import InitVar, dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from index.encoder import WordVectors
from index.fusion import Candidates, Ranking, Weights, WordMatcher, rank
from index.snapshot import Snapshot
from index.synonyms import QueryWords
from index.tuning.questions import TuningQuestion
from index.types import Encoder, Vectors
from index.wordlists import Ids, WordLists

Floats = NDArray[np.float64]
_SHEETS = 12  # kept by the fused score; of each single kind of evidence half as many
_DEPTH = 10


@dataclass(frozen=True, slots=True)
class Problem:
    """One question ready to be ranked; ``sheets`` and ``sections`` say which candidates are right."""

    question: TuningQuestion
    words: QueryWords
    candidates: Candidates
    lists: WordLists
    encoder: Encoder
    sheets: NDArray[np.bool_]
    sections: NDArray[np.bool_]

    def judged(self, weights: Weights) -> tuple[float, float]:
        """What the ranking with these weights is worth, in 0..1, and the best score in it.

        Worth is nDCG@10 of the first right sheet; where the right sections are known too, two thirds of that and one
        third of the reciprocal rank of the first right section (among the first ten).
        """
        ranking = rank(self.words, self.candidates, WordMatcher(self.lists, self.encoder, weights), weights)
        order = np.lexsort((self.candidates.chunks, -ranking.score))
        order = order[ranking.evidence[order]]
        if not len(order):
            return 0.0, 0.0
        place = _first(self.candidates.sheets[order], self.sheets[order])
        gain = 1 / np.log2(1 + place) if 0 < place <= _DEPTH else 0.0
        if self.question.sections:
            place = _first(self.candidates.sections[order], self.sections[order])
            gain = (2 * gain + (1 / place if 0 < place <= _DEPTH else 0.0)) / 3
        return float(gain), float(ranking.score[order[0]])


def _first(groups: NDArray[np.int64], right: NDArray[np.bool_]) -> int:
    """The place, from 1, of the first right group in order of first standing; 0 where none is right."""
    if not right.any():
        return 0
    return len(np.unique(groups[: int(np.argmax(right)) + 1]))


class Bench:
    """Problems, and what the weights tried so far are worth on them; ``deadline`` (monotonic time) ends a search."""

    def __init__(self, problems: Sequence[Problem], deadline: float | None = None) -> None:
        self.problems = list(problems)
        self.deadline = deadline
        self._known: dict[Weights, tuple[Floats, float]] = {}

    def values(self, weights: Weights) -> Floats:
        """What the weights are worth on each problem."""
        return self._judged(weights)[0]

    def level(self, weights: Weights) -> float:
        """The mean of the best scores: what thresholds on scores rest on."""
        return self._judged(weights)[1]

    def late(self) -> bool:
        """Whether the time is up."""
        return self.deadline is not None and time.monotonic() > self.deadline

    def _judged(self, weights: Weights) -> tuple[Floats, float]:
        if weights not in self._known:
            rows = np.array([p.judged(weights) for p in self.problems], dtype=np.float64).reshape(-1, 2)
            self._known[weights] = rows[:, 0].copy(), float(rows[:, 1].mean()) if len(rows) else 0.0
        return self._known[weights]


def prepare(
    index: Snapshot,
    questions: Sequence[TuningQuestion],
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> list[Problem]:
    """The problems of some questions; those for which the first stages find nothing are left out."""
    matcher = WordMatcher(index.words, index.word_encoder, Weights())
    numbers = {sheet.sheet_id: number for number, sheet in enumerate(index.sheets())}
    encoder = index.word_encoder
    rows = encoder.word_vectors(index.words.vocabulary) if isinstance(encoder, WordVectors) else None
    problems = []
    for done, question in enumerate(questions, start=1):
        looked_for, candidates = index.matching(question.text)
        if len(candidates.chunks) and looked_for.words:
            right = np.isin(candidates.sheets, [numbers[s] for s in question.sheets if s in numbers])
            ranking = rank(looked_for, candidates, matcher, Weights())
            kept = np.flatnonzero(np.isin(candidates.sheets, list(_kept(candidates, ranking, right))))
            problems.append(_cut(index, question, looked_for, candidates, right, kept, rows))
        tell(done, len(questions))
    return problems


def _kept(candidates: Candidates, ranking: Ranking, right: NDArray[np.bool_]) -> set[int]:
    """The sheets that matter: the right ones, and those at the head of any order."""
    kept = set(candidates.sheets[right].tolist())
    orders = ((ranking.score, _SHEETS), (ranking.coverage, _SHEETS // 2), (candidates.lexical, _SHEETS // 2))
    for scores, count in (*orders, (candidates.dense, _SHEETS // 2), (candidates.whole, _SHEETS // 2)):
        kept.update(list(dict.fromkeys(candidates.sheets[np.argsort(-scores, kind="stable")].tolist()))[:count])
    return kept


def _cut(
    index: Snapshot,
    question: TuningQuestion,
    looked_for: QueryWords,
    candidates: Candidates,
    right: NDArray[np.bool_],
    kept: NDArray[np.int64],
    rows: Vectors | None,
) -> Problem:
    sections, of = np.unique(candidates.sections[kept], return_inverse=True)
    lists = ListsExtract(index.words, looked_for, candidates.chunks[kept], sections)
    cut = Candidates(
        chunks=np.arange(len(kept), dtype=np.int64),
        sections=of.astype(np.int64),
        sheets=np.unique(candidates.sheets[kept], return_inverse=True)[1].astype(np.int64),
        lexical=candidates.lexical[kept],
        dense=candidates.dense[kept],
        whole=candidates.whole[kept],
        parts=candidates.parts[kept],
    )
    encoder = index.word_encoder
    if rows is not None and isinstance(encoder, WordVectors):
        encoder = SeenFromQuestion(index.word_encoder, encoder, looked_for, lists.vocabulary, rows[lists.used])
    right_sections = np.isin(candidates.sections[kept], question.sections)
    return Problem(question, looked_for, cut, lists, encoder, right[kept], right_sections)


class ListsExtract(WordLists):
    """The word lists of some chunks and sections, renumbered from 0 in the order given; counts are of the whole index."""

    def __init__(
        self, whole: WordLists, looked_for: QueryWords, chunks: NDArray[np.int64], sections: NDArray[np.int64]
    ) -> None:
        gathered = {"body": whole.gather("body", chunks), "head": whole.gather("head", sections)}
        asked = [*looked_for.words, *looked_for.parts, *(w for a in looked_for.alternatives for w in a.words)]
        numbers = [n for n in (whole.number(w) for w in asked) if n >= 0]
        used = np.unique(np.concatenate([np.array(numbers, dtype=np.int64), *(ids for ids, _ in gathered.values())]))
        self.used: NDArray[np.int64] = used
        self.vocabulary = [whole.vocabulary[n] for n in used]
        self.size = len(used)
        numbered = {word: number for number, word in enumerate(self.vocabulary)}
        self.number = lambda word: numbered.get(word, -1)
        self._ids: dict[str, Ids] = {k: np.searchsorted(used, ids).astype(np.int32) for k, (ids, _) in gathered.items()}
        self._starts = {k: begins.astype(np.int64) for k, (_, begins) in gathered.items()}
        self.chunks, self.sections = whole.chunks, whole.sections
        self.body_counts, self.head_counts = whole.body_counts[used], whole.head_counts[used]
        self._section_counts = None

    def vectors(self, digest: str) -> Vectors | None:
        """None are written for an extract."""
        return None


@dataclass
class SeenFromQuestion:
    """An encoder's word vectors in the coordinates of one question's words: a word's row holds its cosines with them.

    The second stage needs nothing else of them, and they are a thirtieth of the numbers.
    """

    whole: Encoder
    by_words: WordVectors
    looked_for: QueryWords
    vocabulary: list[str]
    rows: InitVar[Vectors]
    name: str = field(init=False)
    digest: str = field(init=False)
    dim: int = field(init=False)
    _cosines: Vectors = field(init=False)
    _places: dict[str, int] = field(init=False)
    _weights: dict[str, np.float32] = field(init=False)

    def __post_init__(self, rows: Vectors) -> None:
        asked = list(dict.fromkeys([*self.looked_for.words, *self.looked_for.parts]))
        self.name, self.digest, self.dim = self.whole.name, self.whole.digest, len(asked)
        self._cosines = np.ascontiguousarray(rows @ self.by_words.word_vectors(asked).T)
        self._places = {word: place for place, word in enumerate(asked)}
        self._weights = dict(zip(asked, self.by_words.word_weights(asked), strict=True))

    def encode(self, texts: list[str], kind: Literal["query", "passage"]) -> Vectors:
        """As the encoder itself."""
        return self.whole.encode(texts, kind)

    def word_vectors(self, vocabulary: list[str]) -> Vectors:
        """The rows of the whole vocabulary, or one axis for each of the question's words; KeyError for other words."""
        if vocabulary is self.vocabulary:
            return self._cosines
        out = np.zeros((len(vocabulary), self.dim), dtype=np.float32)
        out[range(len(vocabulary)), [self._places[word] for word in vocabulary]] = 1
        return out

    def word_weights(self, vocabulary: list[str]) -> NDArray[np.float32]:
        """As the encoder itself, for the question's words; for others it is asked."""
        known = [self._weights.get(word) for word in vocabulary]
        if any(weight is None for weight in known):
            return self.by_words.word_weights(vocabulary)
        return np.array(known, dtype=np.float32)
