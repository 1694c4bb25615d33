"""Tables set with blanks: lines cut into their cells, broken labels joined, and cells written one a line put together."""

from __future__ import annotations

import re
import unicodedata

from corpus.amounts import UNITS
from corpus.documents import Span
from corpus.folding import fold
from corpus.forms.loader import canonical
from corpus.layout import Cell, Row, View, rows
from corpus.normalize import normalize

# A figure after its minus sign and a year set with blanks (令和 5 年度決算) are one word.
_TOKEN = re.compile(r"▲\s*[\d,.]+[^\s\d]{0,3}|(?:令和|平成)[ \u3000](?:元|\d{1,2})[ \u3000]年度\S*|\S+")
# Cells of a table set with blanks stand two blanks apart or more.
_WIDE = re.compile(r"\S+(?:[ \u3000]\S+)*")
_SECOND_TOKEN = re.compile(
    r"^(?:当初|補正後|最終)?(?:予算|決算|実績|計画|目標|見込)(?:額|値)?$|^(?:執行率|達成率|増減)$"
)
_UNIT_HEADS = ("単位", "区分", "項目", "年度")
FIGURE_TOKEN = re.compile(r"^(?:▲\s*)?-?[\d,]+(?:\.\d+)?(?:%|円|千円|万円|百万円|億円|人|件|回|台|名|時間)?$|^[-/*]$")
_YEAR_TOKEN = re.compile(
    r"^(?:(?:令和|平成|[RH])?\s?(?:元|\d{1,4})\s?年度?|前々年度|前年度|[本当今]年度|[次翌来]年度|[RH]\d{1,2})(?:当初|補正後|最終)?(?:(?:予算|決算|実績|計画|目標|予定)(?:現)?(?:見込み?)?|見込み?)?(?:額|値|数値)?(?:\(.*\))?$"
)


def table_rows(of: View) -> list[Row]:
    """Every line of a view; tables set with blanks are cut into their cells, those written a cell a line put together."""
    return fold(_joined_labels([row if row.tabbed else _set_with_blanks(of, row) or row for row in rows(of)]))


def _joined_labels(lines: list[Row]) -> list[Row]:
    """「概算人件 / 費 2,466 6,302」: a label broken over two lines with its figures after the second piece."""
    joined: list[Row] = []
    for row in lines:
        last = joined[-1] if joined else None
        first = row.cells[0]
        if (
            row.visual
            and last is not None
            and not last.tabbed
            and len(last.text) <= 10
            and canonical(first.text) is None
        ):
            text = last.text + first.text
            if canonical(text) is not None and canonical(last.text) is None:
                cell = Cell(text, 0, Span(last.span.start, first.span.end))
                joined[-1] = Row(
                    (cell, *row.cells[1:]), Span(last.span.start, row.span.end), last.after_gap, visual=True
                )
                continue
        joined.append(row)
    return joined


def _set_with_blanks(of: View, row: Row) -> Row | None:
    """A line of years, of a label with figures, or of labels with values in wide gaps; None for running text."""
    if len(row.text) > 200:
        return None
    raw = of.raw[row.span.start - of.offset : row.span.end - of.offset]
    wide = [piece for m in _WIDE.finditer(raw) for piece in _at_label(raw, m.start(), m.end())]
    texts = [normalize(raw[a:b]).text.strip() for a, b in wide]
    if len(wide) >= 2 and (_is_header(texts) or _has_figures(texts) or _is_pairs(texts)):
        return _cut(of, row, raw, wide)
    tokens = [(m.start(), m.end()) for m in _TOKEN.finditer(raw)]
    words = [normalize(raw[a:b]).text.strip() for a, b in tokens]
    tail = len(words)
    while tail > 0 and (FIGURE_TOKEN.match(words[tail - 1]) or _YEAR_TOKEN.match(words[tail - 1])):
        tail -= 1
    years = [bool(_YEAR_TOKEN.match(word)) for word in words[tail:]]
    if tail == len(words) and len(words) >= 2 and all(w in _UNIT_HEADS or canonical(w) is not None for w in words):
        return _cut(of, row, raw, tokens)  # 年度 予算額 決算額: heads alone
    # A year before figures is a row of its own kind: 令和5年度 100 90.
    led = len(years) >= 2 and years[0] and not any(years[1:]) and tail == 0
    mixed = any(years) and not all(years) and not led
    if len(words) - tail < 2 or tail > 4 or mixed or not (any(years) or re.search(r"\d", row.text)):
        return None
    return _cut(of, row, raw, [*_lead(tokens[:tail], words[:tail]), *tokens[tail:]])


def _lead(tokens: list[tuple[int, int]], words: list[str]) -> list[tuple[int, int]]:
    """The cells before the figures: heads and 目標 or 実績 stand alone, a unit before those too, the rest is one label."""
    if not words:
        return []
    if len(words) > 1 and all(word in _UNIT_HEADS or canonical(word) is not None for word in words):
        return tokens
    last = len(words)
    if last > 1 and canonical(words[-1]) in ("目標値", "実績値"):
        last -= 1
    unit = last - 1 if last > 1 and words[last - 1] in UNITS else last
    pieces = [(tokens[0][0], tokens[unit - 1][1])]
    return [*pieces, *tokens[unit:last], *tokens[last:]]


def _at_label(raw: str, start: int, end: int) -> list[tuple[int, int]]:
    """「箇所　目標」: one blank parts a unit from the label of the row's figures."""
    gap = re.compile(r"[ \u3000]").search(raw, start, end)
    if gap is not None and canonical(raw[gap.end() : end]) in ("目標値", "実績値"):
        return [(start, gap.start()), (gap.end(), end)]
    return [(start, end)]


def _is_header(texts: list[str]) -> bool:
    """区分 | 令和4年度 | 令和5年度, or 予算 | 決算 | 予算."""
    years = sum(bool(_YEAR_TOKEN.match(re.sub(r"\s", "", t))) for t in texts)
    seconds = sum(bool(_SECOND_TOKEN.match(t)) for t in texts)
    return years >= 2 or (seconds >= 2 and seconds == len(texts))


def _has_figures(texts: list[str]) -> bool:
    figures = [bool(FIGURE_TOKEN.match(t)) for t in texts]
    return sum(figures) >= 2 and not figures[0] and len(texts[0]) <= 24 and "。" not in "".join(texts)


def _is_pairs(texts: list[str]) -> bool:
    """事務事業名 | 道路維持事業 | 所管課 | 道路課: labels where labels stand, each with something after it."""
    return (
        canonical(texts[0]) is not None and any(canonical(t) is None for t in texts[1:]) and max(map(len, texts)) <= 60
    )


def _cut(of: View, row: Row, raw: str, pieces: list[tuple[int, int]]) -> Row:
    """The row's cells at ``pieces``; a cell's column is its place on the line in half-width letters."""
    line_start = of.raw.rfind("\n", 0, row.span.start - of.offset) + 1
    before = _width(of.raw[line_start : row.span.start - of.offset])
    cells = [
        Cell(normalize(raw[a:b]).text.strip(), before + _width(raw[:a]), Span(row.span.start + a, row.span.start + b))
        for a, b in pieces
    ]
    return Row(tuple(cells), row.span, row.after_gap, visual=True)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WFA" else 1 for char in text)
