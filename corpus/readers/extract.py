"""What a reader hands back, and the writer that keeps text and places in step."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from corpus.documents import PageSize, Place

Media = Literal["text", "pdf", "excel", "word", "html", "image"]
Box = tuple[float, float, float, float]

# A line that opens like this starts an item of a list, so the break before it was meant by the author.
_ITEM = re.compile(
    r"[・‧•･●○◎◆◇■□▲△※➢*◦\-‐–]|[①-⑳㉑-㊿]|[(（]?[0-9０-９ア-ンA-Za-zⅠ-Ⅻ一二三四五六七八九十]{1,2}[.．)）、]"
)
# A figure that a narrow cell has broken inside its last group of thousands: 「8,808,100,00」 / 「0」.
_CUT_FIGURE = re.compile(r"\d[,，](\d{0,2})$")
_REST = re.compile(r"\d{1,3}(?!\d)")
_WORD = re.compile(r"[0-9A-Za-z]")


@dataclass(frozen=True, slots=True)
class Extract:
    """The text of one file, where its stretches stand, and what a reader should be told about it."""

    text: str
    media: Media
    places: tuple[Place, ...] = ()
    warnings: tuple[str, ...] = ()
    pages: tuple[PageSize, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """One stretch of text (a line or a table cell) with its place in the file; ``confidence`` as in Place."""

    text: str
    page: int | None = None
    box: Box | None = None
    cell: str | None = None
    confidence: float | None = None


class TextWriter:
    """Collects lines and table rows and remembers at which offset each piece landed.

    >>> writer = TextWriter()
    >>> writer.row([Piece("事務事業名", cell="集計!A1"), Piece("火葬場運営", cell="集計!B1")])
    >>> writer.text
    '事務事業名\\t火葬場運営\\n'
    >>> writer.places[1].start, writer.places[1].end, writer.places[1].cell
    (6, 11, '集計!B1')
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self.places: list[Place] = []

    @property
    def text(self) -> str:
        """Everything written so far."""
        return "".join(self._parts)

    def write(self, text: str) -> None:
        """Adds ``text`` as it is, without a place."""
        self._parts.append(text)
        self._length += len(text)

    def piece(self, piece: Piece) -> None:
        """Adds one piece and its place; an empty piece leaves no place."""
        start = self._length
        self.write(piece.text)
        if piece.text and (piece.page is not None or piece.cell is not None):
            self.places.append(Place(start, self._length, piece.page, piece.box, piece.cell, piece.confidence))

    def line(self, piece: Piece) -> None:
        """Adds one line."""
        self.piece(piece)
        self.write("\n")

    def row(self, cells: Sequence[Piece]) -> None:
        """Adds one table row: cells between tab characters, nothing after the last cell with text."""
        last = max((n for n, cell in enumerate(cells) if cell.text), default=-1)
        for n, cell in enumerate(cells[: last + 1]):
            if n:
                self.write("\t")
            self.piece(cell)
        self.write("\n")


def one_line(text: str) -> str:
    """A cell's text on one line, so that a table row stays a row.

    Japanese broken over lines is joined without a space, words and numbers with one; a break before an item of a list
    becomes a space.

    >>> one_line("市民の利便\\n性の向上\\n・窓口の改善")
    '市民の利便性の向上 ・窓口の改善'
    >>> one_line("8,808,100,00\\n0")
    '8,808,100,000'
    """
    joined = ""
    for line in re.split(r"[\r\n\v\f\u2028\u2029]+|_x000D_", text.replace("\t", " ")):
        line = line.strip()
        if not line:
            continue
        if not joined:
            joined = line
        elif goes_on(joined, line):
            joined += line
        elif _ITEM.match(line) or (_WORD.match(joined[-1]) and _WORD.match(line[0])):
            joined += " " + line
        else:
            joined += line
    return joined


def goes_on(before: str, after: str) -> bool:
    """Whether a figure broken between two lines is one figure: its last group comes to three digits."""
    cut, rest = _CUT_FIGURE.search(before), _REST.match(after)
    return cut is not None and rest is not None and len(cut[1]) + len(rest[0]) == 3
