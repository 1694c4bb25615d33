"""Reads plain lines: labels at the start of a line with what follows them, and rows of figures set with spaces."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from corpus.documents import Span
from corpus.forms.loader import OTHER, canonical, clean_label, compiled, kind_of
from corpus.layout import Cell, Row, View
from corpus.normalize import normalize

_LABEL_LINE = re.compile(
    r"^[ \u3000]*(?P<label>(?:[■□◆◇●○▼▽★☆#*]+[ ]*|[(\[]?\d{1,2}[)\].:][ ]*|\d{1,2}[-.]\d{1,2}[ ]*|[(\[【<《「][ ]*)*"
    r"[^\s::。、|]{1,24}?[)\]】>》」]*)"
    r"(?:[ \u3000]*(?P<colon>[::])[ \u3000]*|(?P<gap>[ \u3000]+)|[ \u3000]*$)(?P<rest>.*)$"
)
_TOKEN = re.compile(r"▲\s*[\d,.]+[^\s\d]{0,3}|\S+")
_FIGURE_TOKEN = re.compile(r"^(?:▲\s*)?-?[\d,]+(?:\.\d+)?(?:%|円|千円|人|件|回|台|名|時間)?$|^[-/*]$")
_YEAR_TOKEN = re.compile(r"^(?:令和|平成|[RH])?(?:元|\d{1,4})年度?(?:当初|補正後|最終)?(?:予算|決算|見込|見込み|実績|計画|目標|予定)?(?:額|値)?(?:\(.*\))?$")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A label with its value: the label's own span and the value's (which may be empty)."""

    label: str
    field: str
    label_span: Span
    span: Span


def by_form(of: View, labels: list[Mapping[str, Any]]) -> list[Labelled]:
    """Values after a form's labels, which stand at line starts in a fixed order; a label may be broken over lines."""
    found: list[tuple[int, int, Mapping[str, Any]]] = []
    at = 0
    for spec in labels:
        if "regex" in spec:
            pattern = compiled(r"^[ \t\f\u3000]*(?:" + spec["regex"] + r")(?=\s|$)")
        else:
            letters = r"\s*".join(re.escape(c) for c in re.sub(r"\s+", "", spec["text"]))
            pattern = compiled(r"^[ \t\f\u3000]*" + letters + r"(?=[\s::]|$)")
        hit = pattern.search(of.text, at)
        if hit is not None:
            found.append((hit.start(), hit.end(), spec))
            at = hit.end()
    values: list[Labelled] = []
    for i, (start, end, spec) in enumerate(found):
        stop = found[i + 1][0] if i + 1 < len(found) else len(of.text)
        label_span = of.span(start, end)
        printed = re.sub(r"\s+", "", of.raw[label_span.start - of.offset : label_span.end - of.offset])
        begin = start if spec.get("keep") else end
        label = spec.get("text", "") if spec.get("keep") else _bare(printed)
        values.append(Labelled(label, spec["field"], label_span, of.span(begin, stop)))
    return values


def _bare(printed: str) -> str:
    """A label as printed without the brackets around all of it: 「＜課の所見＞」 -> 「課の所見」."""
    return re.sub(r"^[<＜【〔\[]+|[>＞】〕\]]+$", "", printed)


def by_lines(of: View, lines: list[Row]) -> list[Labelled]:
    """Values after labels any form may print: 「目的：…」, 「目的　…」, or a line with the label alone above its text.

    A known label may stand anywhere at a line's start; an unknown one is taken only before a colon. ``lines`` are the
    untabbed rows to look at, in order; a value ends where the next label or a table begins.
    """
    marks: list[tuple[int, int, str, str]] = []  # start of label, start of value, label, field (offsets in the document)
    skip = -1
    for i, row in enumerate(lines):
        if row.span.start < skip:
            continue
        raw = of.raw[row.span.start - of.offset : row.span.end - of.offset]
        found = list(_labels_of(raw))
        if found:
            marks += [(row.span.start + a, row.span.start + b, label, field) for a, b, label, field in found]
            continue
        joined = _broken_label(of, row, lines[i + 1] if i + 1 < len(lines) else None)
        if joined is not None:
            label, field, end = joined
            marks.append((row.span.start, end, label, field))
            skip = end
    ends = [row.span for row in lines]
    values: list[Labelled] = []
    for i, (start, begin, label, field) in enumerate(marks):
        stop = marks[i + 1][0] if i + 1 < len(marks) else ends[-1].end
        stop = min(stop, _end_of_run(lines, begin, stop))
        span = _trimmed(of, begin, stop)
        values.append(Labelled(label, field, _trimmed(of, start, begin), span))
    return values


def _labels_of(raw: str) -> list[tuple[int, int, str, str]]:
    """(label start, value start, label, field) for each label in one line: 「事業名　○○　担当課　○○」 has two."""
    norm = normalize(raw)
    hit = _LABEL_LINE.match(norm.text)
    if hit is None:
        return []
    label = hit["label"].strip()
    field = canonical(label)
    colon, rest = hit["colon"], hit["rest"].strip()
    if field is None:
        plain = clean_label(label)
        if not (colon and rest and 2 <= len(plain) <= 12 and not re.search(r"[\d,は。]", plain)):
            return []
        field = OTHER
    elif not colon and rest and kind_of(field) in ("text", "rating", "group") and hit["gap"] == " " and len(rest) > 60 and label == clean_label(label):
        # 「課題 …」 opening a sentence of running text is rather rare, but 「効果 …」 in prose is not: want a bracket or a colon.
        return []
    start, end = norm.raw(hit.start("label"), hit.end("label"))
    value = norm.raw(hit.start("rest"), hit.end("rest"))[0] if rest else len(raw)
    found = [(start, value, re.sub(r"\s+", "", raw[start:end]), field)]
    # Further labels on the same line stand after a wide gap or have their own colon.
    for more in re.finditer(r"(?:[ ]{2,}|[ ]|\t)(?P<label>[^\s::]{2,12})(?P<sep>[ ]*[::]|[ ]+)(?=\S)", norm.text[hit.start("rest") :]):
        other = canonical(more["label"])
        if other is None or kind_of(other) not in ("name", "department", "unit", "person", "year", "code"):
            continue
        a, b = norm.raw(hit.start("rest") + more.start("label"), hit.start("rest") + more.end("label"))
        v = norm.raw(hit.start("rest") + more.end("sep"), hit.start("rest") + more.end("sep") + 1)[0]
        found.append((a, v, re.sub(r"\s+", "", raw[a:b]), other))
    return found


def _broken_label(of: View, row: Row, below: Row | None) -> tuple[str, str, int] | None:
    """「業務システムの / 課題」: a label broken over two lines, with the value after it or below."""
    if below is None or row.tabbed or below.tabbed or len(row.text) > 12:
        return None
    head, _, rest = below.text.partition(" ")
    for piece in (head, below.text):
        if len(piece) <= 10 and canonical(row.text) is None and canonical(row.text + piece) is not None:
            raw = of.raw[below.span.start - of.offset : below.span.end - of.offset]
            end = below.span.start + (len(piece) if raw.startswith(piece) else len(raw.split()[0]))
            return row.text + piece, canonical(row.text + piece) or OTHER, end
    return None


def _end_of_run(lines: list[Row], begin: int, stop: int) -> int:
    """A value ends before the first table row after it (tables have their own reader)."""
    table = next((r.span.start for r in lines if r.tabbed and begin <= r.span.start < stop), stop)
    return table


def _trimmed(of: View, start: int, end: int) -> Span:
    raw = of.raw[start - of.offset : end - of.offset]
    lead = len(raw) - len(raw.lstrip())
    return Span(start + lead, start + len(raw.rstrip())) if raw.strip() else Span(start, start)


def spaced_row(of: View, row: Row) -> Row | None:
    """A line of years or of a label with figures, set with spaces, as a row of cells; None for running text."""
    raw = of.raw[row.span.start - of.offset : row.span.end - of.offset]
    if row.tabbed or not re.search(r"\d", row.text) or len(row.text) > 160:
        return None
    tokens = [(m.start(), m.end()) for m in _TOKEN.finditer(raw)]
    texts = [normalize(raw[a:b]).text.strip() for a, b in tokens]
    years = [bool(_YEAR_TOKEN.match(t)) for t in texts]
    figures = [bool(_FIGURE_TOKEN.match(t)) for t in texts]
    tail = len(texts)
    while tail > 0 and (figures[tail - 1] or years[tail - 1]):
        tail -= 1
    run = len(texts) - tail
    if run < 2 or tail > 4 or (any(years[tail:]) and not all(years[tail:])):
        return None
    label = [(tokens[0][0], tokens[tail - 1][1])] if tail else []
    cells = [
        Cell(normalize(raw[a:b]).text.strip(), i, Span(row.span.start + a, row.span.start + b))
        for i, (a, b) in enumerate([*label, *tokens[tail:]])
    ]
    return Row(tuple(cells), row.span)
