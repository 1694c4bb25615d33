"""Where a stretch of a document's text stands in the file: its pages and boxes, its cells, or its line.

``Document.places`` are in the order of the text and never overlap, so a place is found by halving.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from corpus.documents import Document, Place, Span

Box = tuple[float, float, float, float]
_ADDRESS = re.compile(r"([A-Z]+)([0-9]+)")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a book: ``row`` and ``column`` count from 1, ``worksheet`` is its title.

    >>> Cell.parsed("集計!AB12")
    Cell(worksheet='集計', row=12, column=28)
    >>> Cell("集計", 12, 28).address
    'AB12'
    """

    worksheet: str
    row: int
    column: int

    @classmethod
    def parsed(cls, written: str) -> Cell | None:
        """``集計!B3`` as a cell, None for anything else."""
        worksheet, _, address = written.rpartition("!")
        found = _ADDRESS.fullmatch(address)
        if found is None:
            return None
        column = 0
        for letter in found[1]:
            column = 26 * column + ord(letter) - ord("A") + 1
        return cls(worksheet, int(found[2]), column)

    @property
    def address(self) -> str:
        """The address within the worksheet."""
        return f"{column_letters(self.column)}{self.row}"


def column_letters(number: int) -> str:
    """A column's letters: 1 -> A, 28 -> AB."""
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def places_of(document: Document, span: Span) -> tuple[Place, ...]:
    """Every place that holds at least one character of the span, in order; empty where nothing is known.

    >>> document = Document("a.pdf", "予算\\t決算", "", "pdf", (Place(0, 2, 1), Place(3, 5, 1)))
    >>> [place.start for place in places_of(document, Span(1, 3))]
    [0]
    """
    places = document.places
    first = bisect_right(places, span.start, key=lambda place: place.end)
    last = bisect_left(places, span.end, first, key=lambda place: place.start)
    return places[first:last]


def confidence_at(document: Document, span: Span) -> float | None:
    """The lowest confidence (0 to 1) of the stretches read by OCR that ``span`` touches; None where nothing was.

    >>> places = (Place(0, 3, page=1), Place(4, 9, page=2, confidence=0.9), Place(10, 14, page=2, confidence=0.6))
    >>> scan = Document("s.pdf", "事業名\\n火葬場運営\\n1200", "", "pdf", places)
    >>> confidence_at(scan, Span(0, 3)), confidence_at(scan, Span(5, 7)), confidence_at(scan, Span(0, 14))
    (None, 0.9, 0.6)
    """
    read = [place.confidence for place in places_of(document, span) if place.confidence is not None]
    return min(read, default=None)


def page_of(document: Document, start: int) -> int | None:
    """The page (Excel: the worksheet's number) that holds character ``start``, None where the file has no pages.

    White space between two places counts to the one before it.
    """
    at = bisect_right(document.places, start, key=lambda place: place.start) - 1
    return document.places[at].page if at >= 0 else None


def places_on(document: Document, page: int) -> tuple[Place, ...]:
    """Every place of one page with a box."""
    return tuple(place for place in document.places if place.page == page and place.box is not None)


def cells_of(places: Sequence[Place]) -> list[Cell]:
    """The cells of places that are cells."""
    return [cell for place in places if place.cell is not None and (cell := Cell.parsed(place.cell)) is not None]


def in_words(document: Document, span: Span) -> str:
    """The place as a reader looks for it: 「3ページ」「3〜4ページ」「シート「集計」のB3:D3」「12行目」; empty where none is known.

    Lines are counted in text files only: elsewhere the extracted text has lines the file does not show. What OCR read
    says so: 「3ページ・OCR（信頼度 87%）」.
    """
    ocr = ocr_in_words(document, span)
    return "・".join(part for part in (_found_at(document, span), ocr) if part)


def ocr_in_words(document: Document, span: Span) -> str:
    """「OCR（信頼度 87%）」 where OCR read at least a part of the span, with the lowest certainty; else empty."""
    confidence = confidence_at(document, span)
    return "" if confidence is None else f"OCR（信頼度 {confidence * 100:.0f}%）"


def _found_at(document: Document, span: Span) -> str:
    places = places_of(document, span)
    if document.media == "text":
        return _lines(document.text, span)
    cells = cells_of(places)
    if cells:
        return "、".join(_range(cells, title) for title in dict.fromkeys(cell.worksheet for cell in cells))
    if document.media == "excel":
        return ""
    pages = [page for place in places if (page := place.page) is not None]
    first = pages[0] if pages else page_of(document, span.start)
    if first is None:
        return ""
    last = pages[-1] if pages else first
    return f"{first}ページ" if first == last else f"{first}〜{last}ページ"


def _range(cells: Sequence[Cell], worksheet: str) -> str:
    """The smallest rectangle around the cells of one worksheet."""
    rows = [cell.row for cell in cells if cell.worksheet == worksheet]
    columns = [cell.column for cell in cells if cell.worksheet == worksheet]
    first = Cell(worksheet, min(rows), min(columns)).address
    last = Cell(worksheet, max(rows), max(columns)).address
    return f"シート「{worksheet}」の{first}" if first == last else f"シート「{worksheet}」の{first}:{last}"


def _lines(text: str, span: Span) -> str:
    inner = text[span.start : span.end].strip()
    start = text.find(inner, span.start) if inner else span.start
    first, last = _line(text, start), _line(text, start + max(0, len(inner) - 1))
    return f"{first}行目" if first == last else f"{first}〜{last}行目"


def _line(text: str, at: int) -> int:
    """The number of the line of a character; a file ends its lines with LF, CR LF or (old ones) CR."""
    return 1 + max(text.count("\n", 0, at), text.count("\r", 0, at))
