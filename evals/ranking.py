"""How well search alone ranks the gold sheets: recall@k, MRR and nDCG by ir-measures (extra ``eval``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec

from evals.cases import Case
from evals.metrics import is_gold
from index.types import Passage

DEPTH = 50


def available() -> bool:
    """Whether ir-measures is installed."""
    return find_spec("ir_measures") is not None


def ranking(cases: Sequence[Case], search: Callable[[str, int], Sequence[Passage]]) -> dict[str, float]:
    """Figures by name (``R@5``, ``RR@10``, ``nDCG@10``) over the cases that search alone can serve.

    Left out are unanswerable questions and those with a history, whose words make no query. Sheets are ranked by their
    best passage.
    """
    import ir_measures
    from ir_measures import RR, R, nDCG

    judged, ranked = [], []
    for case in cases:
        if case.unanswerable or case.history or not case.sheets:
            continue
        judged += [ir_measures.Qrel(case.id, gold, 1) for gold in case.sheets]
        names = ranked_sheets(case, search(case.question, DEPTH))
        # Ranks instead of scores: trec_eval breaks ties by name.
        ranked += [ir_measures.ScoredDoc(case.id, name, -float(rank)) for rank, name in enumerate(names)]
    if not judged:
        return {}
    wanted = [R @ 1, R @ 5, R @ 10, RR @ 10, nDCG @ 10]
    if not ranked:
        return {str(measure): 0.0 for measure in wanted}
    found = ir_measures.calc_aggregate(wanted, judged, ranked)
    return {str(measure): round(float(found[measure]), 4) for measure in wanted}


def ranked_sheets(case: Case, hits: Sequence[Passage]) -> list[str]:
    """Each sheet once, best first: the gold's own way of writing it, or the sheet's id."""
    names: list[str] = []
    for hit in hits:
        cited = {"sheet": hit.sheet.name, "department": hit.sheet.department, "municipality": hit.sheet.municipality}
        fits = [gold for gold in case.sheets if is_gold(gold, cited)]
        name = fits[0] if fits else hit.sheet.sheet_id
        if name not in names:
            names.append(name)
    return names
