"""Weights fitted to problems, and whether they are to be trusted.

The search goes from weight to weight and keeps what raises the mean worth; a prior holds the weights near where they
start, the more the fewer problems there are. Whether it helps is measured on sheets that the search has not seen:
the problems are cut into folds by sheet, each fold is ranked with weights fitted to the others, and the gain must be
larger than its noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.fusion import Weights
from index.tuning.bounds import distance, movable, moved
from index.tuning.problems import Bench, Floats
from index.tuning.questions import OWN

FOLDS = 4
FEWEST = 40  # problems below which nothing can be told
#: A weight moved by the whole width of its bounds must gain as much as this many problems put right.
PRIOR = 30.0
#: The best scores may rise or fall by this share on average: thresholds on scores must keep their meaning.
LEVEL = 0.03
#: A smaller gain on held-out questions is not worth leaving the defaults, which were chosen on questions people wrote.
LEAST_GAIN = 0.005
_STEPS = (0.2, 0.08)  # shares of the width of a weight's bounds
_PASSES = 1
_ROUNDS = 4000
_SEED = 20260401

DEFAULTS = Weights()

Rows = NDArray[np.int64]
Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The mean worth on held-out problems before and after, and the gain with its 99 % interval."""

    n: int
    before: float
    after: float
    low: float
    high: float

    @property
    def gain(self) -> float:
        """After less before."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Fit:
    """Fitted weights and the held-out figures of the way they were fitted.

    ``refused`` says in Japanese why the weights are not to be used; it is empty where they are. ``cut_short`` says that
    the time did not suffice for the whole search.
    """

    weights: Weights
    overall: Comparison
    by_kind: dict[str, Comparison]
    sheets: int
    level_before: float
    level_after: float
    refused: str
    cut_short: bool


def fit(bench: Bench, start: Weights = DEFAULTS, prior: float = PRIOR, tell: Told = lambda done, total: None) -> Fit:
    """Searches from ``start`` on all problems, and measures the same search on held-out sheets."""
    groups = grouped([problem.question.sheets for problem in bench.problems])
    parts = folds(groups, FOLDS)
    everything = np.arange(len(groups))
    before = bench.values(start)
    tell(0, len(parts) + 1)
    weights = search(bench, everything, start, prior)
    after = before.copy()
    for done, part in enumerate(parts, start=1):
        tell(done, len(parts) + 1)
        if len(part) < len(groups):
            others = np.setdiff1d(everything, part)
            after[part] = bench.values(search(bench, others, start, prior))[part]
    tell(len(parts) + 1, len(parts) + 1)
    kinds = np.array([problem.question.kind for problem in bench.problems])
    by_kind = {
        str(kind): compared(before[kinds == kind], after[kinds == kind], groups[kinds == kind])
        for kind in dict.fromkeys(kinds.tolist())
    }
    overall = compared(before, after, groups)
    sheets = len({sheet for problem in bench.problems for sheet in problem.question.sheets})
    refused = _refused(weights, start, overall, by_kind, len(parts))
    return Fit(
        weights, overall, by_kind, sheets, bench.level(start), bench.level(weights), refused, cut_short=bench.late()
    )


def search(bench: Bench, rows: Rows, start: Weights, prior: float = PRIOR) -> Weights:
    """The best weights found from ``start`` for some of the problems, one weight moved at a time."""
    level = bench.level(start)

    def worth(weights: Weights) -> float:
        if abs(bench.level(weights) - level) > LEVEL * level:
            return -np.inf
        return float(bench.values(weights)[rows].mean()) - prior * distance(weights, start) / len(rows)

    best, best_worth = start, worth(start)
    for step in _STEPS:
        for _ in range(_PASSES):
            improved = False
            for path in movable(start):
                for by in (step, -step):
                    if bench.late():
                        return best
                    candidate = moved(best, path, by)
                    if candidate is not None and (found := worth(candidate)) > best_worth + 1e-9:
                        best, best_worth, improved = candidate, found, True
                        break
            if not improved:
                break
    return best


def grouped(sheets: Sequence[Sequence[str]]) -> Rows:
    """A number for each problem, the same for problems that share a right sheet, directly or through others.

    >>> grouped([("a",), ("b",), ("b", "c"), ("c",)]).tolist()
    [0, 1, 1, 1]
    """
    parent: dict[str, str] = {}

    def root(sheet: str) -> str:
        while parent.setdefault(sheet, sheet) != sheet:
            sheet = parent[sheet]
        return sheet

    for right in sheets:
        for sheet in right[1:]:
            parent[root(sheet)] = root(right[0])
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(root(right[0]), len(numbers)) for right in sheets], dtype=np.int64)


def folds(groups: Rows, count: int) -> list[Rows]:
    """The problems in at most ``count`` parts of about one size, no group in two of them: the largest groups first."""
    parts: list[list[int]] = [[] for _ in range(count)]
    names, sizes = np.unique(groups, return_counts=True)
    for name in names[np.argsort(-sizes, kind="stable")]:
        min(parts, key=len).extend(np.flatnonzero(groups == name).tolist())
    return [np.array(sorted(part), dtype=np.int64) for part in parts if part]


def compared(before: Floats, after: Floats, groups: Rows) -> Comparison:
    """Means and the gain's interval by bootstrap over the groups: the problems of one sheet are no independent proof."""
    gains = after - before
    names, of = np.unique(groups, return_inverse=True)
    sums, sizes = np.bincount(of, weights=gains), np.bincount(of)
    drawn = np.random.default_rng(_SEED).integers(0, len(names), (_ROUNDS, len(names)))
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.005, 0.995])
    return Comparison(len(gains), float(before.mean()), float(after.mean()), float(low), float(high))


def _refused(weights: Weights, start: Weights, overall: Comparison, by_kind: dict[str, Comparison], parts: int) -> str:
    if overall.n < FEWEST or parts < 2:
        return f"質問を{overall.n}問しか作れず、確かめるには足りません（{FEWEST}問以上、2つ以上のシートが必要です）"
    if weights == start:
        return "標準の重みより良い重みが見つかりませんでした"
    if overall.low <= 0:
        return "学習に使っていない質問での改善が、偶然の範囲を超えませんでした"
    if overall.gain < LEAST_GAIN:
        return f"学習に使っていない質問での改善が {LEAST_GAIN} に届きませんでした"
    for kind, figures in by_kind.items():
        if figures.high < 0 or (kind == OWN and figures.gain < 0):
            return f"「{KINDS.get(kind, kind)}」の質問で悪くなりました"
    return ""


#: What the kinds of questions are called on the screen.
KINDS = {
    "name": "名前",
    "label": "欄",
    "figure": "数値",
    "date": "時期",
    "phrase": "シートの言葉",
    "everyday": "ふだんの言葉",
    "other-words": "別の言葉",
    OWN: "持ち込んだ質問",
}
