"""Reads plain lines: labels at the start of a line with what follows them, and rows of figures set with spaces."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from corpus.blanks import FIGURE_TOKEN
from corpus.documents import Span
from corpus.forms.loader import FIGURE_KINDS, HEAD_KINDS, OTHER, canonical, clean_label, compiled, kind_of
from corpus.layout import Row, View
from corpus.linevalues import line_values
from corpus.normalize import normalize
from corpus.rowwords import BRACKETED, words_of

# What says the unit of a table is no label.
_UNIT_LINE = re.compile(r"^[ \u3000]*+[((]?\s*+(?:金額の)?単位\s*+[::]")
_LABEL_LINE = re.compile(
    r"^[ \u3000]*(?:[-*][ \u3000]+)?(?P<label>"
    # Atomic: 「11.11.」 could be cut in two ways at every number, 2^n ways in a line of n.
    r"(?>[■□◆◇●○▼▽★☆#*][ ]*|[(\[]?\d{1,2}[)\].:][ ]*|\d{1,2}[-.]\d{1,2}[ ]*|[(\[【<《「][ ]*)*"
    r"(?:[^\s::。、|()]|\([^()\n]{0,24}\)){1,24}?[)\]】>》」]*)"
    r"(?:[ \u3000]*(?P<colon>[::])[ \u3000]*|(?P<gap>[ \u3000]+)|[ \u3000]*$)(?P<rest>.*)$"
)
# A whole period or figure, not the beginning of a label: 平成12年度, R5, 1,200千円, but not 令和5 or R5当初.
_COMPLETE = re.compile(r"年度?$|月$|日$|^[RHSＲＨＳ]\d{1,2}$|^[\d,.]+\D{0,3}$")
_NUMBERED = re.compile(r"^(?:[IVX]{1,4}|第?\d{1,2}章?|[一二三四五六七八九])[ .、]+")
_SAYS_UNIT = re.compile(r"\(単位[^()]*\)$")


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
    return printed.lstrip("<＜【〔[").rstrip(">＞】〕]")


def by_lines(of: View, lines: list[Row]) -> list[Labelled]:
    """Values after labels any form may print: 「目的：…」, 「目的　…」, or a line with the label alone above its text.

    A known label may stand anywhere at a line's start; an unknown one is taken only before a colon. ``lines`` are the
    untabbed rows to look at, in order; a value ends where the next label or a table begins.
    """
    # Where the mark's line begins, start of label, start of value, label, field (offsets in the document).
    marks: list[tuple[int, int, int, str, str]] = []
    skip = -1
    for i, row in enumerate(lines):
        if row.span.start < skip or row.tabbed:
            continue
        raw = of.raw[row.span.start - of.offset : row.span.end - of.offset]
        found = list(_labels_of(raw, after_label=not marks or marks[-1][0] == lines[i - 1].span.start))
        if found:
            for k, (a, b, label, field) in enumerate(found):
                marks.append((row.span.start + (a if k else 0), row.span.start + a, row.span.start + b, label, field))
            continue
        joined = _broken_label(of, row, lines[i + 1] if i + 1 < len(lines) else None)
        if joined is not None:
            label, field, end = joined
            marks.append((row.span.start, row.span.start, end, label, field))
            skip = end
    ends = [row.span for row in lines]
    apart = line_values(lines, [words_of(row) for row in lines])
    placed = {lines[i].span.start: Span(lines[a].span.start, lines[b].span.end) for i, (a, b) in apart.items()}
    # A value ends before a table, which has a reader of its own, and before a line that is another label's value.
    ends_at = sorted([row.span.start for row in lines if row.tabbed] + [span.start for span in placed.values()])
    values: list[Labelled] = []
    for i, (line, start, begin, label, field) in enumerate(marks):
        if line in placed:
            values.append(Labelled(label, field, _trimmed(of, start, begin), placed[line]))
            continue
        stop = marks[i + 1][0] if i + 1 < len(marks) else ends[-1].end
        after = bisect_left(ends_at, begin)
        stop = min(stop, ends_at[after]) if after < len(ends_at) else stop
        span = _trimmed(of, begin, stop)
        if kind_of(field) in FIGURE_KINDS:
            before = marks[i - 1] if i else None
            if (
                before is not None
                and kind_of(before[4]) in FIGURE_KINDS
                and not of.raw[before[2] - of.offset : start - of.offset].strip()
            ):
                span = Span(begin, begin)  # all labels stand first: whose figure comes next cannot be told
            span = _first_figure(of, span)
        else:
            span = _without_heading(of, span)
        values.append(Labelled(label, field, _trimmed(of, start, begin), span))
    return values


def _labels_of(raw: str, after_label: bool = True) -> list[tuple[int, int, str, str]]:
    """(label start, value start, label, field) for each label in one line: 「事業名　○○　担当課　○○」 has two.

    An unknown word before a colon is a label only ``after_label``: in the middle of a text it belongs to the text.
    """
    norm = normalize(raw)
    brackets = list(BRACKETED.finditer(norm.text))
    if len(brackets) >= 1 and not norm.text[: brackets[0].start()].strip() and brackets[0]["value"].strip():
        known = [(m, field) for m in brackets if (field := canonical(m["label"])) is not None]
        return [
            (norm.raw(*m.span())[0], norm.raw(m.start("value"), m.end())[0], re.sub(r"\s+", "", m["label"]), field)
            for m, field in known
        ]
    hit = _LABEL_LINE.match(norm.text)
    if hit is None or _UNIT_LINE.match(norm.text):
        return []
    label = hit["label"].strip()
    field = canonical(label)
    colon, rest = hit["colon"], hit["rest"].strip()
    if field is None:
        plain = clean_label(label)
        if not (after_label and colon and rest and 2 <= len(plain) <= 12 and not re.search(r"[\d,は。]", plain)):
            return []
        field = OTHER
    start, end = norm.raw(hit.start("label"), hit.end("label"))
    value = norm.raw(hit.start("rest"), hit.end("rest"))[0] if rest else len(raw)
    found = [(start, value, re.sub(r"^[#*]+", "", re.sub(r"\s+", "", raw[start:end])), field)]
    # Further labels on the same line stand after a wide gap or have their own colon.
    for more in re.finditer(
        r"(?:(?<! )[ ]++|\t)(?P<label>[^\s::]{2,12})(?P<sep>[ ]*[::]|[ ]+)(?=\S)", norm.text[hit.start("rest") :]
    ):
        other = canonical(more["label"])
        if other is None or kind_of(other) not in HEAD_KINDS:
            continue
        a, b = norm.raw(hit.start("rest") + more.start("label"), hit.start("rest") + more.end("label"))
        v = norm.raw(hit.start("rest") + more.end("sep"), hit.start("rest") + more.end("sep") + 1)[0]
        found.append((a, v, re.sub(r"\s+", "", raw[a:b]), other))
    return found


def _broken_label(of: View, row: Row, below: Row | None) -> tuple[str, str, int] | None:
    """「業務システムの / 課題」: a label broken over two lines, with the value after it or below."""
    if below is None or row.tabbed or below.tabbed or len(row.text) > 12:
        return None
    head = below.text.partition(" ")[0]
    for piece in (head, below.text):
        if _COMPLETE.search(row.text) and not (row.text.endswith("年") and piece.startswith("度")):
            continue  # 「平成12年度 / 事業の目的」: the line above is another label's value
        if len(piece) <= 10 and canonical(row.text) is None and canonical(row.text + piece) is not None:
            raw = of.raw[below.span.start - of.offset : below.span.end - of.offset]
            end = below.span.start + (len(piece) if raw.startswith(piece) else len(raw.split()[0]))
            return row.text + piece, canonical(row.text + piece) or OTHER, end
    return None


def _without_heading(of: View, span: Span) -> Span:
    """A text's span without the headings of the blocks that follow it: 「Ⅱ 事業費(単位:千円)」, 「■評価」."""
    while True:
        raw = of.raw[span.start - of.offset : span.end - of.offset]
        at = raw.rfind("\n")
        if at < 0:
            return span
        line = _NUMBERED.sub("", _SAYS_UNIT.sub("", normalize(raw[at + 1 :]).text.strip()))
        if line and (len(line) > 24 or canonical(line) is None):
            return span
        span = _trimmed(of, span.start, span.start + at)


def _first_figure(of: View, span: Span) -> Span:
    """A figure's value is its line; a heading that follows it belongs to what comes next."""
    raw = of.raw[span.start - of.offset : span.end - of.offset]
    line = raw.partition("\n")[0].rstrip()
    return Span(span.start, span.start + len(line)) if FIGURE_TOKEN.match(normalize(line).text.strip()) else span


def _trimmed(of: View, start: int, end: int) -> Span:
    raw = of.raw[start - of.offset : end - of.offset]
    lead = len(raw) - len(raw.lstrip())
    return Span(start + lead, start + len(raw.rstrip())) if raw.strip() else Span(start, start)
