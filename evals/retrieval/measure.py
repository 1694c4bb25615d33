"""nDCG and recall of every engine on every set, and on the questions of a file by type."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import log2
from pathlib import Path
from tempfile import TemporaryDirectory

from corpus.normalize import squeeze
from evals.baselines import Search
from evals.cases import Case
from evals.metrics import is_gold
from evals.ranking import ranked_sheets
from evals.retrieval.engines import engines
from evals.retrieval.sets import shelf
from index.build import build
from index.training.rows import HeldOut
from index.types import Encoder, Index

DEPTH = 10
_HITS = 60  # pieces asked for, so that ten different sections or sheets are among them


@dataclass(frozen=True, slots=True)
class Score:
    """Means over ``queries``: nDCG@10 and recall@1, @5, @10 (share of the right ones among the first)."""

    queries: int
    ndcg10: float
    recall1: float
    recall5: float
    recall10: float


def score(rankings: Sequence[tuple[Sequence[str], frozenset[str]]]) -> Score:
    """(keys best first, right keys) of every query to the means; gains are 1 (Järvelin and Kekäläinen 2002)."""

    def ndcg(keys: Sequence[str], right: frozenset[str]) -> float:
        gain = sum(1 / log2(rank + 2) for rank, key in enumerate(keys[:DEPTH]) if key in right)
        return gain / sum(1 / log2(rank + 2) for rank in range(min(len(right), DEPTH)))

    def recall(depth: int) -> float:
        return sum(len(right.intersection(keys[:depth])) / len(right) for keys, right in rankings) / n

    n = len(rankings)
    if not n:
        return Score(0, 0.0, 0.0, 0.0, 0.0)
    return Score(n, sum(ndcg(keys, right) for keys, right in rankings) / n, recall(1), recall(5), recall(10))


def on_set(test: HeldOut, encoder: Encoder, names: Sequence[str]) -> dict[str, Score]:
    """Each engine on one set, over a real index of its passages."""
    with TemporaryDirectory(prefix="hyoka-retrieval-", ignore_cleanup_errors=True) as folder:
        index = build(shelf(test.passages), encoder, Path(folder))
        try:
            with engines(index, encoder, names) as searches:
                return {
                    name: score(
                        [
                            (_once(hit.sheet.sheet_id for hit in search(query, _HITS)), frozenset([str(gold)]))
                            for query, gold in zip(test.queries, test.gold, strict=True)
                        ]
                    )
                    for name, search in searches.items()
                }
        finally:
            index.close()


def on_questions(cases: Sequence[Case], index: Index, searches: Mapping[str, Search]) -> dict[str, dict[str, Score]]:
    """``{engine: {"sheet all": Score, "section semantic": Score, …}}`` over the answerable questions without a history.

    A sheet is right as in ``hyoka eval``; a section is right when it holds one of the question's evidence strings.
    """
    usable = [case for case in cases if case.sheets and not case.unanswerable and not case.history]
    gold = {case.id: _gold_sections(case, index) for case in usable}
    out: dict[str, dict[str, Score]] = {}
    for name, search in searches.items():
        groups: dict[str, list[tuple[Sequence[str], frozenset[str]]]] = defaultdict(list)
        for case in usable:
            hits = search(case.question, _HITS)
            sheets = (ranked_sheets(case, hits), frozenset(case.sheets))
            for kind in ("all", case.type):
                groups[f"sheet {kind}"].append(sheets)
                if gold[case.id]:
                    groups[f"section {kind}"].append((_once(str(hit.section_id) for hit in hits), gold[case.id]))
        out[name] = {group: score(rankings) for group, rankings in groups.items()}
    return out


def _gold_sections(case: Case, index: Index) -> frozenset[str]:
    evidence = [squeeze(text) for text in case.evidence]
    found: set[str] = set()
    for section in index.sections():
        cited = {
            "sheet": section.sheet.name,
            "department": section.sheet.department,
            "municipality": section.sheet.municipality,
        }
        if any(is_gold(sheet, cited) for sheet in case.sheets):
            text = squeeze(section.section.text)
            if any(piece in text for piece in evidence):
                found.add(str(section.section_id))
    return frozenset(found)


def _once(keys: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(keys))


def payload(scores: Mapping[str, Mapping[str, Score]]) -> dict[str, dict[str, dict[str, float]]]:
    """For JSON, rounded."""
    return {
        group: {name: {k: round(v, 4) for k, v in asdict(one).items()} for name, one in by_engine.items()}
        for group, by_engine in scores.items()
    }


def table(title: str, scores: Mapping[str, Mapping[str, Score]]) -> str:
    """Markdown: a line a group, nDCG@10 / recall@1 / recall@5 of each engine."""
    names = list(dict.fromkeys(name for by_engine in scores.values() for name in by_engine))
    lines = [f"| {title} | queries | {' | '.join(names)} |", "|---|---|" + "---|" * len(names)]
    for group, by_engine in scores.items():
        cells = [f"{s.ndcg10:.3f} / {s.recall1:.3f} / {s.recall5:.3f}" for s in by_engine.values()]
        queries = next(iter(by_engine.values())).queries
        lines.append(f"| {group} | {queries} | {' | '.join(cells)} |")
    return "\n".join(lines)
