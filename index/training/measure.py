"""Retrieval by words, by pooled vectors, by late interaction and by the last two together, on the held-out rows.

``python -m index.training.measure ../shared/data [--model index/model]`` prints the table of the model card.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.training.model import WordVectors, load
from index.training.rows import HeldOut, held_out
from index.training.segments import segment

Scores = NDArray[np.float32]  # (queries, passages)
MODEL = Path(__file__).parents[1] / "model"
LONGEST_PASSAGE = 256  # words of a passage that late interaction reads


@dataclass(frozen=True, slots=True)
class Result:
    """How one way of ranking did on one test."""

    test: str
    way: str
    ndcg10: float
    recall1: float
    recall5: float


def bm25(queries: list[list[str]], passages: list[list[str]], k1: float = 1.2, b: float = 0.75) -> Scores:
    """Plain BM25 (Lucene's idf)."""
    counts = [Counter(passage) for passage in passages]
    lengths = np.array([len(passage) for passage in passages], np.float32)
    length_part = k1 * (1 - b + b * lengths / max(float(lengths.mean()), 1.0))
    postings: dict[str, list[tuple[int, int]]] = {}
    for number, count in enumerate(counts):
        for word, times in count.items():
            postings.setdefault(word, []).append((number, times))
    scores = np.zeros((len(queries), len(passages)), np.float32)
    for number, query in enumerate(queries):
        for word in query:
            found = postings.get(word, [])
            rarity = np.log(1 + (len(passages) - len(found) + 0.5) / (len(found) + 0.5))
            for place, times in found:
                scores[number, place] += rarity * times * (k1 + 1) / (times + length_part[place])
    return scores


def pooled(vectors: WordVectors, queries: list[list[str]], passages: list[list[str]]) -> Scores:
    """Cosine of the two pooled vectors."""
    left = np.stack([vectors.pooled(query) for query in queries])
    right = np.stack([vectors.pooled(passage) for passage in passages])
    return np.asarray(left @ right.T, np.float32)


def maxsim(vectors: WordVectors, queries: list[list[str]], passages: list[list[str]]) -> Scores:
    """For each word of the query the word of the passage nearest in meaning, averaged with the words' IDF."""
    meaning = vectors.matrix[:, : vectors.meaning or None]
    unit = meaning / np.maximum(np.linalg.norm(meaning, axis=1, keepdims=True), 1e-9)
    ids = [vectors.token_ids(passage)[:LONGEST_PASSAGE] for passage in passages]
    ids = [i if len(i) else np.zeros(1, np.int32) for i in ids]
    used, flat = np.unique(np.concatenate(ids), return_inverse=True)
    starts = np.cumsum([0] + [len(i) for i in ids[:-1]])
    known = unit[used]
    scores = np.zeros((len(queries), len(passages)), np.float32)
    for number, query in enumerate(queries):
        words = vectors.token_ids(query)
        if len(words):
            nearest = np.maximum.reduceat((unit[words] @ known.T)[:, flat], starts, axis=1)
            scores[number] = vectors.idf[words] @ nearest / vectors.idf[words].sum()
    return scores


def together(by_text: Scores, by_word: Scores) -> Scores:
    """The two dense views summed, each measured in its own spread over the passages, late interaction at half weight."""

    def spread(scores: Scores) -> Scores:
        centred = scores - scores.mean(axis=1, keepdims=True)
        return np.asarray(centred / np.maximum(scores.std(axis=1, keepdims=True), 1e-9), np.float32)

    return np.asarray(spread(by_text) + spread(by_word) / 2, np.float32)


def judge(test: str, way: str, scores: Scores, gold: list[int]) -> Result:
    """Rank of the one right passage (ties count against it) -> nDCG@10 and recall."""
    right = scores[np.arange(len(gold)), gold][:, None]
    rank = (scores >= right).sum(axis=1)
    gain = np.where(rank <= 10, 1 / np.log2(rank + 1), 0)
    return Result(test, way, float(gain.mean()), float((rank <= 1).mean()), float((rank <= 5).mean()))


def measure(vectors: WordVectors, tests: list[HeldOut], cache: Path, with_bm25: bool = True) -> list[Result]:
    """Every way on every test."""
    texts = segment([text for test in tests for text in test.queries + test.passages], cache)
    results: list[Result] = []
    for test in tests:
        queries = [texts[query] for query in test.queries]
        passages = [texts[passage] for passage in test.passages]
        scores = {"BM25": bm25(queries, passages)} if with_bm25 else {}
        scores["pooled"] = pooled(vectors, queries, passages)
        scores["MaxSim-IDF"] = maxsim(vectors, queries, passages)
        scores["both"] = together(scores["pooled"], scores["MaxSim-IDF"])
        results += [judge(test.name, way, found, test.gold) for way, found in scores.items()]
    return results


def table(results: list[Result], tests: list[HeldOut]) -> str:
    """The results as Markdown: one line a test, nDCG@10 / recall@1 / recall@5 for each way."""
    ways = list(dict.fromkeys(result.way for result in results))
    lines = [f"| test | queries / passages | {' | '.join(ways)} |", "|---|---|" + "---|" * len(ways)]
    for test in tests:
        cells = [
            f"{r.ndcg10:.3f} / {r.recall1:.3f} / {r.recall5:.3f}"
            for way in ways
            for r in results
            if r.test == test.name and r.way == way
        ]
        lines.append(f"| {test.name} | {len(test.queries)} / {len(test.passages)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--cache", type=Path, default=Path("var/training"))
    arguments = parser.parse_args()
    tests = held_out(arguments.data)
    print(table(measure(load(arguments.model), tests, arguments.cache), tests))


if __name__ == "__main__":
    main()
