"""Where the words of a question stand in a passage."""

from __future__ import annotations

import sys
from array import array
from functools import lru_cache

from index.synonyms import QueryWords
from index.tokens import tokenize


@lru_cache(maxsize=4096)
def _tokens(text: str) -> tuple[tuple[str, ...], array[int], array[int]]:
    """The words of a passage, their starts and ends: they come up again and again while a person refines a question."""
    tokens = tokenize(text, parts=True)
    norms = tuple(sys.intern(t.norm) for t in tokens)
    return norms, array("i", [t.start for t in tokens]), array("i", [t.end for t in tokens])


def highlights(text: str, looked_for: QueryWords) -> tuple[tuple[int, int], ...]:
    """(start, end) in ``text`` of the question's words and of synonyms that stand there whole; touching ones joined."""
    norms, starts, ends = _tokens(text)
    present = set(norms)
    wanted = set(looked_for.words) | set(looked_for.parts)
    for a in looked_for.alternatives:
        if present.issuperset(a.words):
            wanted.update(a.words)
    spans: list[tuple[int, int]] = []
    found = sorted((a, b) for norm, a, b in zip(norms, starts, ends, strict=True) if norm in wanted)
    for start, end in found:
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return tuple(spans)
