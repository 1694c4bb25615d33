"""Where a character stands for a person who has the file open: page and line, or the cell of a book."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from corpus.documents import Document


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """``page`` and ``line`` count from 1; the line within its page, or within the text where there are no pages."""

    page: int | None
    line: int
    cell: str | None

    def __str__(self) -> str:
        """2ページ 14行目, 14行目, or 集計!B3."""
        if self.cell is not None:
            return self.cell
        return f"{self.page}ページ {self.line}行目" if self.page is not None else f"{self.line}行目"


class Locator:
    """Finds the whereabouts of many offsets of one document; its lines and places are listed once."""

    def __init__(self, document: Document) -> None:
        self._places = document.places
        self._starts = [place.start for place in document.places]
        self._breaks = [i for i, char in enumerate(document.text) if char == "\n"]
        self._first: dict[int, int] = {}
        for place in document.places:
            if place.page is not None:
                self._first.setdefault(place.page, place.start)

    def at(self, offset: int) -> Whereabouts:
        """Where the character at ``offset`` stands.

        >>> str(Locator(Document("a.txt", "一\\n二\\n三", "", "text")).at(4))
        '3行目'
        """
        found = bisect_right(self._starts, offset) - 1
        place = self._places[found] if found >= 0 else None
        page = place.page if place is not None else None
        first = self._first.get(page, 0) if page is not None else 0
        line = bisect_left(self._breaks, offset) - bisect_left(self._breaks, first) + 1
        return Whereabouts(page, max(1, line), place.cell if place is not None else None)
