"""The drawing of a quote's place: what is marked is the quote's and nothing else."""

from __future__ import annotations

import re
from html import unescape

import pytest

from corpus.documents import Document, PageSize, Place, Span
from ui.location import MAX_COLUMNS, MAX_ROWS, render_location


def page_of_lines(lines: int, sizes: tuple[PageSize, ...]) -> Document:
    """Every page holds ``lines`` lines of ten characters, ten points high and 20 apart."""
    places = [
        Place(11 * n, 11 * n + 10, 1 + n // lines, (50.0, 20.0 * (n % lines), 150.0, 20.0 * (n % lines) + 10))
        for n in range(lines * len(sizes))
    ]
    return Document("a.pdf", "\n".join(["あ" * 10] * len(places)), "0" * 64, "pdf", tuple(places), (), sizes)


UPRIGHT, WIDE = PageSize(500.0, 800.0), PageSize(800.0, 500.0)
TALL = page_of_lines(5, (UPRIGHT, UPRIGHT, WIDE, UPRIGHT, UPRIGHT))
RECT = re.compile(r'<rect class="([^"]+)" x="([\d.-]+)" y="([\d.-]+)" width="([\d.-]+)" height="([\d.-]+)">')


def test_the_page_is_drawn_in_its_proportion_with_the_quote_marked_and_the_rest_faint():
    html = render_location(TALL, Span(11 * 7, 11 * 7 + 3))  # the third line of the second page
    drawn = RECT.findall(html)
    assert drawn[0] == ("hy-map-page", "0", "0", "500", "800")
    assert [one for one in drawn if one[0] == "hy-map-here"] == [("hy-map-here", "50.0", "40.0", "100.0", "10.0")]
    assert [one[0] for one in drawn].count("hy-map-box") == 4
    assert "2ページ（全5ページ）" in html
    # 40 to 50 of 800 points, 50 to 150 of 500
    assert 'aria-label="2ページの図。引用された箇所は上から5〜6%、左から10〜30%の位置にあります。"' in html


def test_a_quote_over_many_pages_shows_the_first_ones_and_says_so():
    html = render_location(TALL, Span(0, len(TALL.text)))
    assert html.count("<svg") == 3 and "ほか2ページに続きます。" in html
    assert html.count("hy-map-here") == 15 and html.count("hy-map-wide") == 1


@pytest.mark.parametrize("sizes", [(), (UPRIGHT,), (UPRIGHT, PageSize(0.0, 0.0))])
def test_a_page_of_unknown_size_is_not_drawn(sizes):
    document = Document("a.pdf", "ああ", "0" * 64, "pdf", (Place(0, 2, 2, (0.0, 0.0, 9.0, 9.0)),), (), sizes)
    assert render_location(document, Span(0, 2)) == ""


def test_nothing_is_drawn_of_a_text_file():
    assert render_location(Document("a.txt", "ああ", "0" * 64, "text"), Span(0, 2)) == ""


def book(rows: list[dict[str, str]], title: str = "様式") -> Document:
    """A worksheet with a text in each of the given cells."""
    text, places = "", []
    for cells in rows:
        for address, value in cells.items():
            places.append(Place(len(text), len(text) + len(value), 1, None, f"{title}!{address}"))
            text += value + "\t"
        text += "\n"
    return Document("a.xlsx", text, "0" * 64, "excel", tuple(places))


def cells_shown(html: str) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", html)
    return [[unescape(re.sub(r"<[^>]+>", "", cell)) for cell in re.findall(r"<t[dh].*?</t[dh]>", row)] for row in rows]


FORM = book(
    [
        {"A1": "調書"},
        {"A3": "事業名", "F3": "移動図書館"},
        {"A4": "区分", "F4": "令和5年度", "K4": "令和6年度"},
        {"A5": "決算額", "F5": "1,200", "K5": "1,500"},
        {"A6": "人件費", "F6": "700", "K6": "<b>"},
        {"A8": "評価", "F8": "A"},
        {"A9": "所見"},
    ]
)


def test_the_cells_around_a_quote_stand_under_the_headings_of_the_book():
    start = FORM.text.index("決算額")
    html = render_location(FORM, Span(start, start + len("決算額\t1,200")))
    assert cells_shown(html) == [
        ["", "A", "F", "K"],
        ["3", "事業名", "移動図書館", ""],
        ["4", "区分", "令和5年度", "令和6年度"],
        ["5", "決算額", "1,200", "1,500"],
        ["6", "人件費", "700", "<b>"],
        ["8", "評価", "A", ""],
    ]
    assert re.findall(r"<mark>(.*?)</mark>", html) == ["決算額", "1,200"]
    assert "シート「様式」のまわりのセル" in html and "&lt;b&gt;" in html


def test_a_large_quote_is_cut_and_the_cut_is_counted():
    wide = book([{f"{chr(65 + column)}{row}": f"{row}の{column}" for column in range(20)} for row in range(1, 31)])
    html = render_location(wide, Span(0, len(wide.text)))
    shown = cells_shown(html)
    assert len(shown) == 1 + MAX_ROWS and {len(row) for row in shown} == {1 + MAX_COLUMNS}
    assert f"（引用のほか{20 * 30 - MAX_ROWS * MAX_COLUMNS}セルは省略）" in html


def test_the_neighbouring_worksheet_is_not_mixed_in():
    first, second = book([{"A1": "甲", "A2": "乙"}], "一"), book([{"A3": "丙"}], "二")
    places = tuple(Place(p.start + len(first.text), p.end + len(first.text), 2, None, p.cell) for p in second.places)
    both = Document("a.xlsx", first.text + second.text, "0" * 64, "excel", (*first.places, *places))
    start = both.text.index("丙")
    assert cells_shown(render_location(both, Span(start, start + 1))) == [["", "A"], ["3", "丙"]]


def test_names_of_persons_beside_the_quote_are_not_drawn() -> None:
    at = FORM.text.index("決算額")
    beside = FORM.text.index("1,200")
    quote, person = Span(at, at + 3), Span(beside, beside + 5)
    html = render_location(FORM, quote, [person])
    assert "1,200" not in html and "（氏名）" in html and "<mark>決算額</mark>" in html
