"""Between the stages of a search: words to BM25 terms, a ranking to one hit a section, hits to facets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from index.fusion import Candidates, Ranking
from index.reranker import Reordering
from index.synonyms import QueryWords


def terms(looked_for: QueryWords) -> list[tuple[str, float]]:
    """Words for BM25 with their weights: the question's own, its parts, and the words of synonyms, each once."""
    terms = dict.fromkeys(looked_for.words, 1.0)
    for part in looked_for.parts:
        terms.setdefault(part, 0.3)
    for a in looked_for.alternatives:
        for word in a.words:
            terms[word] = max(terms.get(word, 0.0), 0.5 * a.weight / len(a.words) ** 0.5)
    return list(terms.items())


def best_of_each_section(candidates: Candidates, ranking: Ranking) -> list[int]:
    """Positions of the shown candidates, best first, one a section; equal scores keep the documents' order."""
    order = np.lexsort((candidates.chunks, -ranking.score))
    order = order[ranking.evidence[order]]
    firsts = np.unique(candidates.sections[order], return_index=True)[1]
    best: list[int] = order[np.sort(firsts)].tolist()
    return best


def reordered(best: list[int], ranking: Ranking, reordering: Reordering) -> tuple[list[int], Ranking]:
    """The head in its new order. Its scores are dealt out anew, the highest to the new first: they stay in order and
    calibrated, and whether there is an answer at all is judged by the same best score as before."""
    head = [best[i] for i in reordering.order]
    score, chance = ranking.score.copy(), ranking.chance.copy()
    score[head], chance[head] = ranking.score[best[: len(head)]], ranking.chance[best[: len(head)]]
    return [*head, *best[len(head) :]], replace(ranking, score=score, chance=chance)


def facet_counts(sheets: Mapping[str, dict[str, int]], section: dict[str, int]) -> dict[str, dict[str, int]]:
    """The counts by facet, those of the sections among those of the sheets."""
    counted = dict(sheets)
    first = {name: counted.pop(name) for name in ("municipality", "fiscal_year", "department")}
    return {**first, "section": section, **counted}
