"""Scans: what is read by OCR, and how sure it is."""

from __future__ import annotations

import doctest

import corpus.confidence
from corpus.confidence import confidence_at
from corpus.documents import Document, Place, Span

PLACES = (
    Place(0, 3, page=1),
    Place(4, 9, page=2, confidence=0.9),
    Place(10, 14, page=2, confidence=0.6),
    Place(15, 20, page=3),
)
MIXED = Document("s.pdf", "事業名\n火葬場運営\n1200\n戸籍の事務", "", "pdf", PLACES)


def test_the_confidence_of_a_quote_is_that_of_its_least_sure_stretch() -> None:
    assert doctest.testmod(corpus.confidence).failed == 0
    assert confidence_at(MIXED, Span(0, 3)) is None
    assert confidence_at(MIXED, Span(3, 4)) is None  # the line break between two stretches
    assert confidence_at(MIXED, Span(8, 9)) == 0.9
    assert confidence_at(MIXED, Span(4, 14)) == 0.6
    assert confidence_at(MIXED, Span(14, 20)) is None
    assert confidence_at(MIXED, Span(13, 16)) == 0.6
    assert confidence_at(Document("a.txt", "火葬場", "", "text"), Span(0, 3)) is None
