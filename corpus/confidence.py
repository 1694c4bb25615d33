"""How sure OCR was of a stretch of a document."""

from __future__ import annotations

from bisect import bisect_right

from corpus.documents import Document, Span


def confidence_at(document: Document, span: Span) -> float | None:
    """The lowest confidence (0 to 1) of the stretches read by OCR that ``span`` touches; None where nothing was.

    >>> from corpus.documents import Document, Place, Span
    >>> places = (Place(0, 3, page=1), Place(4, 9, page=2, confidence=0.9), Place(10, 14, page=2, confidence=0.6))
    >>> scan = Document("s.pdf", "事業名\\n火葬場運営\\n1200", "", "pdf", places)
    >>> confidence_at(scan, Span(0, 3)), confidence_at(scan, Span(5, 7)), confidence_at(scan, Span(0, 14))
    (None, 0.9, 0.6)
    """
    places = document.places
    lowest: float | None = None
    # Readers write places in the order of the text, and none overlaps the next.
    for n in range(bisect_right(places, span.start, key=lambda place: place.end), len(places)):
        place = places[n]
        if place.start >= span.end:
            break
        if place.confidence is not None and (lowest is None or place.confidence < lowest):
            lowest = place.confidence
    return lowest
