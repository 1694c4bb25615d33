"""What a stretch of a sheet stands under: ≪施設予約システム≫ at the head of its line, or of a line not far above."""

from __future__ import annotations

import re

from corpus.documents import Sheet, Span
from index.types import Index

# 「≪施設予約システム≫ 平成13年12月 運用開始」: the caption is the subject of all that follows it, up to the next one.
_CAPTION = re.compile(
    r"^[ \t　・●○■◆]{0,6}(?P<caption>[≪《【〈＜]{1,2}[^≪《【〈＜≫》】〉＞\n]{2,30}[≫》】〉＞]{1,2})", re.MULTILINE
)
_REACH = 240  # characters above


def caption_span(text: str, since: int, at: int) -> Span | None:
    """The last caption of a text between two places, with its brackets; None where there is none near the second.

    >>> caption_span("≪施設予約≫ 平成13年12月 運用開始", 0, 7)
    Span(start=0, end=6)
    """
    found = None
    for hit in _CAPTION.finditer(text, max(since, at - _REACH), at):
        found = Span(*hit.span("caption"))
    return found


class Captions:
    """The captions of the sheets of one index; each sheet's sections are read once."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._sections: dict[str, list[Span]] = {}

    def of(self, sheet: Sheet, span: Span) -> Span | None:
        """The caption under which a stretch of a sheet stands in its section."""
        if sheet.sheet_id not in self._sections:
            found = self._index.sections([sheet.sheet_id])
            self._sections[sheet.sheet_id] = [one.section.span for one in found]
        sections = self._sections[sheet.sheet_id]
        since = next((one.start for one in sections if one.start <= span.start and span.end <= one.end), None)
        return None if since is None else caption_span(self._index.document(sheet.file).text, since, span.start)
