"""Where a quote stands in its file: the places it touches, and the words that lead a reader there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.payload import Sources
from corpus.documents import Document, Place, Span
from corpus.places import Cell, column_letters, in_words, page_of, places_of


def document(places: tuple[Place, ...], text: str = "あ" * 40, media: str = "pdf", **more) -> Document:
    return Document("a", text, "0" * 64, media, places, **more)  # type: ignore[arg-type]


@st.composite
def laid_out(draw) -> Document:
    """A document whose places stand one after the other with gaps of any width."""
    places, at = [], 0
    for gap, length in draw(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4)), max_size=30)):
        start = at + gap
        places.append(Place(start, start + length, page=1 + len(places) // 4))
        at = start + length
    return document(tuple(places), "あ" * (at + 3))


@given(laid_out(), st.integers(0, 250), st.integers(0, 250))
def test_halving_finds_the_places_that_looking_at_each_finds(laid, one, other):
    span = Span(min(one, other), max(one, other))
    touched = [place for place in laid.places if place.start < span.end and span.start < place.end]
    assert list(places_of(laid, span)) == touched


@given(laid_out(), st.integers(0, 250))
def test_the_page_of_white_space_is_that_of_the_place_before_it(laid, at):
    before = [place.page for place in laid.places if place.start <= at]
    assert page_of(laid, at) == (before[-1] if before else None)


def test_a_place_is_found_among_many_by_a_few_comparisons():
    looked_at = []

    class Watched(Place):
        """A place that counts how often it is asked for its edges."""

        def __getattribute__(self, name):
            if name in ("start", "end"):
                looked_at.append(name)
            return super().__getattribute__(name)

    many = document(tuple(Watched(3 * n, 3 * n + 2, page=1 + n // 50) for n in range(100_000)), "")
    assert [place.page for place in places_of(many, Span(150_000, 150_002))] == [1001]
    assert len(looked_at) <= 2 * 18 + 4  # 2 ** 17 places are halved to one by 17 looks, for either edge


@given(st.integers(1, 20_000))
def test_column_letters_are_read_back(number):
    cell = Cell("様式1", 7, number)
    assert Cell.parsed(f"様式1!{column_letters(number)}7") == cell and cell.address == f"{column_letters(number)}7"


def test_cells_are_addressed_as_the_book_does():
    assert [column_letters(n) for n in (1, 26, 27, 52, 53, 702, 703)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]
    assert Cell.parsed("何!か!C12") == Cell("何!か", 12, 3) and Cell.parsed("C12") == Cell("", 12, 3)
    assert Cell.parsed("集計!") is None and Cell.parsed("集計!c12") is None


BOOK = document(
    (
        Place(0, 3, page=1, cell="集計!B3"),
        Place(4, 7, page=1, cell="集計!D3"),
        Place(8, 11, page=1, cell="集計!A12"),
        Place(12, 15, page=2, cell="内訳!C1"),
    ),
    media="excel",
)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (Span(0, 3), "シート「集計」のB3"),
        (Span(1, 6), "シート「集計」のB3:D3"),
        (Span(4, 9), "シート「集計」のA3:D12"),
        (Span(8, 13), "シート「集計」のA12、シート「内訳」のC1"),
        (Span(20, 25), ""),
    ],
)
def test_cells_are_said_as_a_range(span, words):
    assert in_words(BOOK, span) == words


PAGES = document((Place(0, 9, page=3, box=(10, 20, 90, 30)), Place(12, 20, page=4, box=(10, 20, 90, 30))))


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (Span(0, 3), "3ページ"),
        (Span(9, 12), "3ページ"),  # the line end after the last line of the page
        (Span(8, 13), "3〜4ページ"),
    ],
)
def test_pages_are_said(span, words):
    assert in_words(PAGES, span) == words


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_of_a_text_file_are_counted_from_one(end):
    text = end.join(["一行目", "二行目", "", "四行目"])
    written = document((), text, "text")
    for number, line in ((1, "一行目"), (2, "二行目"), (4, "四行目")):
        start = text.index(line)
        assert in_words(written, Span(start, start + 3)) == f"{number}行目"
    # White space at the edges of a quote is no line of its own.
    assert in_words(written, Span(text.index("二行目"), text.index("四行目"))) == "2行目"
    assert in_words(written, Span(3, len(text))) == "2〜4行目"


def test_nothing_is_said_of_files_that_show_neither_pages_nor_lines():
    assert in_words(document((), "あ\nい", "html"), Span(2, 3)) == ""
    assert in_words(document((), "あ\nい", "word"), Span(0, 1)) == ""


class Shelf:
    """An index that holds one document and counts how often it is fetched."""

    def __init__(self, held: Document) -> None:
        self.held, self.fetched = held, 0

    def document(self, file: str) -> Document:
        self.fetched += 1
        return self.held


def test_json_gives_every_box_and_cell_a_quote_touches():
    sources = Sources(Shelf(PAGES))  # type: ignore[arg-type]
    found = sources.source("a", Span(5, 14)).model_dump()
    assert found["page"] == 3 and found["cells"] == []
    assert found["boxes"] == [
        {"page": 3, "x0": 10, "top": 20, "x1": 90, "bottom": 30},
        {"page": 4, "x0": 10, "top": 20, "x1": 90, "bottom": 30},
    ]
    in_book = Sources(Shelf(BOOK)).source("a", Span(1, 9)).model_dump()  # type: ignore[arg-type]
    assert in_book["cells"] == ["集計!B3", "集計!D3", "集計!A12"] and in_book["boxes"] == []


SCAN = document((Place(0, 3, page=1, confidence=0.914), Place(4, 7, page=1, confidence=0.866), Place(8, 11, page=2)))


def test_what_ocr_read_says_so_with_its_lowest_certainty():
    assert in_words(SCAN, Span(0, 7)) == "1ページ・OCR（信頼度 87%）"
    assert in_words(SCAN, Span(0, 2)) == "1ページ・OCR（信頼度 91%）"
    assert in_words(SCAN, Span(8, 9)) == "2ページ"
    sources = Sources(Shelf(SCAN))  # type: ignore[arg-type]
    assert sources.source("a", Span(0, 7)).ocr_confidence == 0.866
    assert sources.source("a", Span(8, 9)).ocr_confidence is None


def test_a_document_is_fetched_once_for_all_its_quotes():
    shelf = Shelf(BOOK)
    sources = Sources(shelf)  # type: ignore[arg-type]
    for at in range(12):
        sources.source("a", Span(at, at + 1))
    assert shelf.fetched == 1 and sources.named("a", Span(0, 1)) == "a シート「集計」のB3"
