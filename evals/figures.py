"""Figures over many scored answers: shares, abstention, latency, causes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean

from evals.cases import CASE_TYPES, Case
from evals.intervals import right_interval
from evals.metrics import Score


@dataclass(frozen=True, slots=True)
class Abstention:
    """``precision``: share of the abstentions that were due; ``recall``: share of the unanswerable that abstained;
    ``false``: share of the answerable that abstained all the same."""

    precision: float
    recall: float
    false: float
    abstained: int
    unanswerable: int


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of one ``ask``, without the replay of its history."""

    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class Figures:
    """``n`` and ``right`` are counts, the rest shares between 0 and 1.

    A share over nothing (the citation recall of unanswerable questions) is 1: none of nothing is missing.
    ``right_interval`` is the 95 % bootstrap interval of the share of right answers.
    ``citation_recall`` and ``citation_precision`` are means over cases (precision over those that cite),
    ``quote_fidelity`` is over all quotes.
    """

    n: int
    right: int
    right_share: float
    right_interval: tuple[float, float]
    answer_exact: float
    citation_recall: float
    citation_precision: float
    quote_fidelity: float
    section_hit: float
    evidence_quoted: float
    abstention: Abstention
    latency_ms: Latency
    causes: dict[str, int]


@dataclass(frozen=True, slots=True)
class Scored:
    """A case, its score and how long its answer took."""

    case: Case
    score: Score
    milliseconds: float


def figures(results: Sequence[Scored]) -> Figures:
    """Sum up; an empty sequence gives n = 0."""
    scores = [result.score for result in results]
    right = sum(score.right for score in scores)
    causes = Counter(str(score.causes[0]) for score in scores if score.causes)
    return Figures(
        n=len(scores),
        right=right,
        right_share=_share([score.right for score in scores]),
        right_interval=right_interval(right, len(scores)),
        answer_exact=_share([score.exact for score in scores]),
        citation_recall=_share([score.recall for score in scores]),
        citation_precision=_share([score.precision for score in scores]),
        quote_fidelity=_ratio(sum(score.faithful for score in scores), sum(score.quotes for score in scores)),
        section_hit=_share([score.section_hit for score in scores]),
        evidence_quoted=_share([score.evidence for score in scores]),
        abstention=_abstention(results),
        latency_ms=latency([result.milliseconds for result in results]),
        causes=dict(causes.most_common()),
    )


def by_type(results: Sequence[Scored]) -> dict[str, Figures]:
    """The figures of each type that occurs, in the order of the types."""
    groups = {name: [result for result in results if result.case.type == name] for name in CASE_TYPES}
    return {name: figures(group) for name, group in groups.items() if group}


def latency(milliseconds: Sequence[float]) -> Latency:
    """Median and 95th percentile by the nearest rank: of 20 values the p95 is the 19th."""
    ranked = sorted(milliseconds)
    if not ranked:
        return Latency(0.0, 0.0)
    middle = len(ranked) // 2
    p50 = ranked[middle] if len(ranked) % 2 else (ranked[middle - 1] + ranked[middle]) / 2
    rank = -(-len(ranked) * 95 // 100)
    return Latency(round(p50, 3), round(ranked[rank - 1], 3))


def as_payload(figures: Figures) -> dict[str, object]:
    """Plain JSON values, shares cut to four digits."""
    plain = asdict(figures)
    plain["abstention"] = {key: _cut(value) for key, value in plain["abstention"].items()}
    return {key: _cut(value) for key, value in plain.items()}


def _abstention(results: Sequence[Scored]) -> Abstention:
    abstained = [result for result in results if result.score.abstained]
    unanswerable = [result for result in results if result.case.unanswerable]
    due = sum(result.case.unanswerable for result in abstained)
    answerable = len(results) - len(unanswerable)
    return Abstention(
        precision=_ratio(due, len(abstained)),
        recall=_ratio(due, len(unanswerable)),
        false=(len(abstained) - due) / answerable if answerable else 0.0,
        abstained=len(abstained),
        unanswerable=len(unanswerable),
    )


def _share(values: Sequence[float | bool | None]) -> float:
    known = [float(value) for value in values if value is not None]
    return fmean(known) if known else 1.0


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _cut(value: object) -> object:
    if isinstance(value, tuple):
        return [_cut(part) for part in value]
    return round(value, 4) if isinstance(value, float) else value
