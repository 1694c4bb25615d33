"""Where the words of a question stand in a passage."""

from __future__ import annotations

from functools import lru_cache

from index.synonyms import QueryWords
from index.tokens import Token, tokenize


@lru_cache(maxsize=1024)
def _tokens(text: str) -> tuple[Token, ...]:
    """Passages come up again and again while a person refines a question."""
    return tuple(tokenize(text, parts=True))


def highlights(text: str, looked_for: QueryWords) -> tuple[tuple[int, int], ...]:
    """(start, end) in ``text`` of the question's words and of synonyms that stand there whole; touching ones joined."""
    tokens = _tokens(text)
    present = {t.norm for t in tokens}
    wanted = set(looked_for.words) | set(looked_for.parts)
    for a in looked_for.alternatives:
        if present.issuperset(a.words):
            wanted.update(a.words)
    spans: list[tuple[int, int]] = []
    for start, end in sorted((t.start, t.end) for t in tokens if t.norm in wanted):
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return tuple(spans)
