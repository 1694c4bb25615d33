"""Where one statement of a section ends and the next begins.

Text taken from PDFs breaks lines anywhere, so a line break alone ends nothing: a statement ends at 。, before a list
mark (・ ● ○ ◆ ① (1)), at a table cell, at an HTML tag, or at a blank line that follows a complete clause.
"""

from __future__ import annotations

import re

from corpus.documents import Span

_MARK = r"(?:[・●○◎◆■□▪⚫≪※★]|[①-⑳]|[(（][0-9０-９]{1,2}[)）]|[0-9０-９]{1,2}[.．)）](?=\D))"
_NUMBERED = re.compile(r"[(（][0-9０-９]{1,2}[)）]")
_BOUNDARY = re.compile(
    r"(?P<stop>。[」』）)]?\s*)"
    r"|(?P<cell>\t+)"
    r"|(?P<tag>(?:</?[a-zA-Z][^<>]{0,80}>\s*)+)"
    rf"|(?P<mark>(?<=\s)(?={_MARK}))"
    r"|(?P<gap>(?:(?<![ \u3000])[ \u3000]*+\n){3,})"
)


def split_sentences(text: str) -> list[Span]:
    """Spans of the statements in ``text``, trimmed of white space, in order; empty ones are left out.

    >>> [("A。B\\tC"[s.start : s.end]) for s in split_sentences("A。B\\tC")]
    ['A。', 'B', 'C']
    """
    spans: list[Span] = []
    at = 0
    depth_end = _quote_ends(text)
    for found in _BOUNDARY.finditer(text):
        if found.start() < at:
            continue
        if found.lastgroup == "stop":
            if depth_end.get(found.start(), False):
                continue  # a full stop inside 「…」 does not end the sentence around it
            _add(spans, text, at, found.end())
        else:
            _add(spans, text, at, found.start())
        at = found.end()
    _add(spans, text, at, len(text))
    return _with_asides(spans, text)


def _with_asides(spans: list[Span], text: str) -> list[Span]:
    """A whole statement in brackets explains the one before it and stays with it: 「…を行う。（・税務・選挙）」."""
    joined: list[Span] = []
    for span in spans:
        aside = text[span.start] in "(（※" and not _NUMBERED.match(text, span.start)
        if joined and aside and "\t" not in text[joined[-1].end : span.start]:
            joined[-1] = Span(joined[-1].start, span.end)
        else:
            joined.append(span)
    return joined


def _quote_ends(text: str) -> dict[int, bool]:
    """For each 。 whether it stands inside 「…」 that is closed within the same 200 characters."""
    inside: dict[int, bool] = {}
    open_at: int | None = None
    stops: list[int] = []
    for i, char in enumerate(text):
        if char == "「":
            open_at, stops = i, []
        elif char == "」" and open_at is not None:
            if i - open_at <= 200:
                inside.update(dict.fromkeys(stops, True))
            open_at = None
        elif char == "。" and open_at is not None:
            stops.append(i)
    return inside


def _add(spans: list[Span], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        spans.append(Span(start, end))
