"""One tuning of an index: questions, problems, fit, and the report of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from index.fusion import Weights
from index.snapshot import Snapshot
from index.tuning.bounds import flat
from index.tuning.fit import Comparison, Fit, fit
from index.tuning.problems import Bench, prepare
from index.tuning.questions import OWN, TuningQuestion, generate_questions
from index.tuning.store import Tuning

# (what is done, how far, of how many or 0 when not known), for a progress bar.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a tuning; ``tuning`` is None where the defaults stay, and ``fit.refused`` says why."""

    fit: Fit
    questions: tuple[TuningQuestion, ...]
    left_out: int
    seconds: float
    tuning: Tuning | None
    report: dict[str, Any]


def tune(
    index: Snapshot,
    count: int,
    seed: int,
    own: Sequence[TuningQuestion] = (),
    seconds: float | None = None,
    tell: Progress = lambda what, done, total: None,
) -> Outcome:
    """Fits the weights to questions made from the index and to a city's ``own``; stores nothing.

    ``seconds`` bounds the search (making the questions comes on top): what was found by then is measured as it is.
    """
    started = time.monotonic()
    tell("質問を作る", 0, 0)
    made = [*own, *generate_questions(index, seed, count)]
    problems = prepare(index, made, lambda done, total: tell("候補を集める", done, total))
    bench = Bench(problems, None if seconds is None else time.monotonic() + seconds)
    found = fit(bench, tell=lambda done, total: tell("重みを探し、確かめる", done, total))
    took = time.monotonic() - started
    used = Counter(problem.question.kind for problem in problems)
    report = _report(found, used, len(made) - len(problems), seed, took)
    tuning = None
    if not found.refused:
        created = datetime.now(UTC)
        tuning = Tuning(found.weights, index.encoder.digest, index.version, created, report)
    return Outcome(found, tuple(made), len(made) - len(problems), took, tuning, report)


def _report(found: Fit, used: Counter[str], left_out: int, seed: int, took: float) -> dict[str, Any]:
    defaults, fitted = flat(Weights()), flat(found.weights)
    return {
        "accepted": not found.refused,
        "reason": found.refused,
        "measure": "nDCG@10",
        "seed": seed,
        "questions": dict(used),
        "own_questions": used[OWN],
        "left_out": left_out,
        "sheets": found.sheets,
        "overall": _figures(found.overall),
        "by_kind": {kind: _figures(figures) for kind, figures in found.by_kind.items()},
        "level": {"before": round(found.level_before, 4), "after": round(found.level_after, 4)},
        "changed": {
            path: [round(defaults[path], 4), round(value, 4)]
            for path, value in fitted.items()
            if abs(value - defaults[path]) > 1e-9
        },
        "cut_short": found.cut_short,
        "seconds": round(took, 1),
    }


def _figures(figures: Comparison) -> dict[str, Any]:
    return {
        "n": figures.n,
        "before": round(figures.before, 4),
        "after": round(figures.after, 4),
        "gain": round(figures.gain, 4),
        "interval": [round(figures.low, 4), round(figures.high, 4)],
    }
