"""Long sections cut at the ends of statements into pieces that one vector can stand for."""

from __future__ import annotations

from corpus.documents import Section, Sheet, Span
from corpus.sentences import split_sentences

LIMIT = 250


def split(text: str, limit: int = LIMIT) -> list[Span]:
    """The pieces of ``text``, in order, none longer than ``limit``: as many whole statements as fit.

    >>> split("一つ目の文。二つ目の文。", limit=8)
    [Span(start=0, end=6), Span(start=6, end=12)]
    """
    pieces: list[Span] = []
    for statement in split_sentences(text):
        if pieces and statement.end - pieces[-1].start <= limit:
            pieces[-1] = Span(pieces[-1].start, statement.end)
            continue
        start = statement.start
        while statement.end - start > limit:  # a statement without an end, such as a long table row
            pieces.append(Span(start, start + limit))
            start += limit
        pieces.append(Span(start, statement.end))
    return pieces


def passage_text(sheet: Sheet, section: Section, text: str) -> str:
    """What is encoded for a chunk: its text under the sheet's name and the label, since a text seldom repeats them."""
    return f"{sheet.name}\n{section.label}\n{text}"


def whose(sheet: Sheet) -> str:
    """Municipality, year and department, so that a question that names one of them prefers its sheets."""
    year = f"{sheet.fiscal_year}年度" if sheet.fiscal_year is not None else ""
    return f"{sheet.municipality} {year} {sheet.department}"
