"""Stretches of a document laid together, and the question whether something begins inside of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable

from corpus.documents import Span


def joined(spans: Iterable[Span]) -> list[Span]:
    """The spans in order, those that overlap or touch as one."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda s: s.start):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found


def covering(spans: Iterable[Span]) -> Callable[[Span], bool]:
    """A function that tells whether a span begins inside one of ``spans``."""
    laid = joined(spans)
    starts = [span.start for span in laid]

    def covers(span: Span) -> bool:
        at = bisect_right(starts, span.start) - 1
        return at >= 0 and span.start < laid[at].end

    return covers
