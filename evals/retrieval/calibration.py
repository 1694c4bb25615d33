"""What a score is worth: the share of right ones among first hits, fitted by Platt's sigmoid (Platt 1999).

Every collection is asked its own questions and the questions of the others, which it cannot answer; the sigmoid for a
collection's figures is fitted on the other collections alone.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from evals.retrieval.sets import SEED, shelf
from index.build import build
from index.training.rows import HeldOut
from index.types import Encoder

STRANGERS = 15  # questions of each other collection
BINS = 8
Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FirstHits:
    """The score of the first hit of every question, and whether it was right."""

    scores: Doubles
    right: Doubles


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """chance = 1 / (1 + exp(-(slope * score + offset)))."""

    slope: float
    offset: float

    def __call__(self, scores: Doubles) -> Doubles:
        """The chances of some scores."""
        return np.asarray(1 / (1 + np.exp(-(self.slope * scores + self.offset))), np.float64)


def first_hits(test: HeldOut, others: Sequence[HeldOut], encoder: Encoder) -> FirstHits:
    """Searches the collection for its own questions and for some of each of ``others``."""
    rng = random.Random(SEED)
    asked = list(zip(test.queries, map(str, test.gold), strict=True))
    for other in others:
        asked += [(query, "") for query in rng.sample(other.queries, min(STRANGERS, len(other.queries)))]
    scores, right = [], []
    with TemporaryDirectory(prefix="hyoka-calibration-", ignore_cleanup_errors=True) as folder:
        index = build(shelf(test.passages), encoder, Path(folder))
        for query, gold in asked:
            hits = index.search(query, 1).hits
            if hits:
                scores.append(hits[0].score)
                right.append(hits[0].sheet.sheet_id == gold)
        index.close()
    return FirstHits(np.array(scores), np.array(right, np.float64))


def platt(collections: Sequence[FirstHits]) -> Sigmoid:
    """The sigmoid of greatest likelihood by Newton's method, every collection counting the same."""
    scores = np.concatenate([c.scores for c in collections])
    right = np.concatenate([c.right for c in collections])
    weight = np.concatenate([np.full(len(c.scores), 1 / len(c.scores)) for c in collections])
    columns = np.stack([scores, np.ones_like(scores)], axis=1)
    at = np.zeros(2)
    for _ in range(50):
        chance = 1 / (1 + np.exp(-(columns @ at)))
        gradient = columns.T @ (weight * (right - chance)) - 1e-6 * at
        curve = (columns * (weight * chance * (1 - chance))[:, None]).T @ columns + 1e-6 * np.eye(2)
        step = np.linalg.solve(curve, gradient)
        at = at + step
        if float(np.abs(step).max()) < 1e-9:
            break
    return Sigmoid(float(at[0]), float(at[1]))


def calibration_error(chance: Doubles, right: Doubles) -> float:
    """Expected calibration error: |mean chance - share right| over equally filled bins (Naeini et al. 2015)."""
    parts = np.array_split(np.argsort(chance, kind="stable"), BINS)
    return float(sum(abs(chance[p].mean() - right[p].mean()) * len(p) for p in parts if len(p)) / len(chance))


def related(name: str, other: str) -> bool:
    """Whether two sets share their source (sheetqa and sheetqa-lay)."""
    return name.split("-")[0] == other.split("-")[0]


def calibrate(collections: Mapping[str, FirstHits]) -> tuple[Sigmoid, dict[str, dict[str, float]]]:
    """The sigmoid over all, and for each set what one fitted without it says of it."""
    told: dict[str, dict[str, float]] = {}
    for name, own in collections.items():
        fitted = platt([c for other, c in collections.items() if not related(name, other)])
        chance = fitted(own.scores)
        told[name] = {
            "questions": float(len(own.scores)),
            "right": round(float(own.right.mean()), 3),
            "chance": round(float(chance.mean()), 3),
            "error": round(calibration_error(chance, own.right), 3),
        }
    return platt(list(collections.values())), told
