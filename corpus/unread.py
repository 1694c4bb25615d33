"""What a reading left over: figures in tables that became no fact, with the reason, and lines outside of known fields."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from corpus.certainty import table_figures
from corpus.covering import covering
from corpus.documents import Document, Sheet, SheetReading, Span
from corpus.forms.loader import OTHER, Form, canonical, form_named, kind_of
from corpus.layout import Cell, Row, View, one_line, rows, views
from corpus.newlabels import NUMERIC
from corpus.sections import tables_of
from corpus.tabletypes import Pair, Series, Tables

_WORDS = re.compile(r"[ぁ-んァ-ヶ一-龥A-Za-z]{2}")


@dataclass(frozen=True, slots=True)
class Unread:
    """A figure that became no fact, and why (a Japanese sentence)."""

    text: str
    span: Span
    reason: str


def unread_figures(document: Document, reading: SheetReading) -> list[Unread]:
    """The figures in a sheet's tables that no fact was made of, in the order printed."""
    taken = covering([fact.span for fact in reading.facts if fact.field != OTHER])
    left = [span for span in table_figures(document, reading) if not taken(span)]
    if not left:
        return []
    form = form_named(reading.sheet.form)
    found: list[Unread] = []
    for of in views(document, reading.sheet):
        own = [span for span in left if of.offset <= span.start < of.offset + len(of.raw)]
        reasons = _Reasons(of, reading.sheet, form) if own else None
        for span in own:
            assert reasons is not None
            found.append(Unread(document.text[span.start : span.end], span, reasons.of(span)))
    return found


class _Reasons:
    """Why the figures of one stretch were left out: looked up in what the tables were read as."""

    def __init__(self, of: View, sheet: Sheet, form: Form | None) -> None:
        self.sheet = sheet
        self.by_patterns = form is not None and form.strategy == "patterns"
        self.rows = rows(of)
        tables = Tables((), (), (), ()) if self.by_patterns else tables_of(of, sheet.fiscal_year, form)
        self.laid: dict[int, Series] = {c.span.start: s for s in tables.series for _, c in s.values}
        self.pairs: dict[int, Pair] = {c.span.start: p for p in tables.pairs for c in p.values}
        self.loose = {cell.span.start for cell in tables.loose}
        self.series = tables.series
        self._named: dict[int, Cell | None] = {}

    def of(self, span: Span) -> str:
        """The reason for one figure."""
        if self.by_patterns:
            return "様式のパターンに合いません。様式のファイルに [[fact]] を足すと読めます。"
        if (series := self.laid.get(span.start)) is not None:
            return self._of_series(series)
        if (pair := self.pairs.get(span.start)) is not None:
            return self._of_pair(pair)
        if any(s.row.start <= span.start < s.row.end for s in self.series):
            return "どの年度の値か決められません（見出しの年度と列が合いません）。"
        label = self._label(span)
        if label and canonical(label) is None:
            return f"ラベル「{label}」が語彙にありません。"
        if span.start in self.loose or not label:
            return "ラベルがありません。"
        return f"「{label}」の年度の見出しがありません。"

    def _of_series(self, series: Series) -> str:
        field = canonical(series.label) if series.label else None
        if series.label and field is None:
            return f"行のラベル「{series.label}」が語彙にありません。"
        if field in ("目標値", "実績値") or not series.label:
            return "何の指標の値か分かりません（指標名がありません）。"
        return "数や単位として読めないか、報告年度より後の実績です。"

    def _of_pair(self, pair: Pair) -> str:
        label = one_line(pair.label)
        if pair.field == OTHER:
            return f"ラベル「{label}」が語彙にありません。"
        if kind_of(pair.field) not in NUMERIC:
            return f"「{label}」（{pair.field}）は数値の欄ではありません。"
        if self.sheet.fiscal_year is None:
            return f"「{label}」の年度が分かりません。"
        return f"「{label}」の単位か年度が書かれていません。"

    def _label(self, span: Span) -> str:
        """The text that stands before a figure in its row."""
        row = next((row for row in self.rows if row.span.start <= span.start < row.span.end), None)
        if row is None:
            return ""
        # Once a row: a row of a thousand figures has a thousand places to ask for.
        if row.span.start not in self._named:
            self._named[row.span.start] = next((c for c in row.cells if c.text and _WORDS.search(c.text)), None)
        named = self._named[row.span.start]
        if named is None or named.span.start >= span.start:
            return ""
        return re.split(r"\s", named.text, maxsplit=1)[0][:24]


def stray_lines(document: Document, reading: SheetReading) -> list[Row]:
    """The lines of a sheet that stand in no known field and no fact, labels and headings alone not counted."""
    known = [s.span for s in reading.sections if s.field != OTHER] + [f.quote for f in reading.facts]
    return list(_stray(document, reading.sheet, known))


def _stray(document: Document, sheet: Sheet, known: list[Span]) -> Iterator[Row]:
    inside = covering(known)
    starts = sorted(span.start for span in known)
    for of in views(document, sheet):
        for row in rows(of):
            told = [cell for cell in row.cells if not cell.empty]
            if inside(row.span) or any(row.span.start <= start < row.span.end for start in starts):
                continue
            if all(canonical(cell.text) is not None for cell in told) or not re.search(r"\w{2}", row.text):
                continue
            yield row
