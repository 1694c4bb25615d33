"""How sure the reading of a sheet is: a share between 0 and 1, with the reasons it is made of.

The certainty says how much of what a reader expects of an evaluation sheet was found in a way that seldom errs. It is no
probability that a value is right. A sheet under :data:`THRESHOLD` should be looked at by a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from corpus.covering import covering, joined
from corpus.documents import Certainty, Document, Reason, Section, SheetReading, Span
from corpus.forms.loader import OTHER, form_named, kind_of
from corpus.layout import rows, views
from corpus.newlabels import NUMERIC, labels_known
from corpus.origins import SAID, How, Origin, origins

THRESHOLD = 0.7

# How often a value told this way was right, as a rule of thumb: a rule or a label names it, a line only holds it.
_TRUST: dict[How, float] = {
    "form": 1.0, "label": 1.0, "title": 0.9, "line": 0.7, "columns": 0.7, "folder": 0.6, "neighbours": 0.6, "none": 0.0,
}  # fmt: skip
_WEIGHTS = {"名称": 0.2, "年度": 0.1, "自治体": 0.1, "担当課": 0.1, "数値": 0.2, "欄": 0.1, "ラベル": 0.2}
# Well-read forms keep codes, telephone numbers and headings outside of facts and known fields: these shares are full.
_ENOUGH_FIGURES = 0.8
_ENOUGH_TEXT = 0.6
_ENOUGH_LABELS = 0.8
_FEW = 3  # so few figures say nothing of the reading

_FIGURE = re.compile(r"(?:約|▲|△|-|\+)?\s*\d[\d,]*(?:\.\d+)?\s*(?:[^\d\s。、年月日号]{0,4})")
_TOKEN = re.compile(r"(?<![^\s|])(?:▲|△|-)?\d[\d,]*(?:\.\d+)?(?:%|円|千円|人|件|回|台|名|時間)?(?![^\s|])")


def certainty(document: Document, reading: SheetReading) -> Certainty | None:
    """How sure a sheet's reading is, with the reasons; None for a part that belongs to no programme."""
    sheet = reading.sheet
    if sheet.kind != "programme":
        return None
    head = origins(document, sheet)
    reasons = [
        _of_head("名称", head.name),
        _of_head("年度", head.year),
        _of_head("自治体", head.municipality),
        _of_head("担当課", head.department),
    ]
    figures = table_figures(document, reading)
    if len(figures) >= _FEW:
        taken = covering([fact.span for fact in reading.facts if fact.field != OTHER])
        read = sum(taken(span) for span in figures)
        share = min(1.0, read / len(figures) / _ENOUGH_FIGURES)
        reasons.append(Reason("数値", share, f"表の数値{len(figures)}個のうち{read}個を読み取り"))
    known, total = _text_read(document, reading)
    if total:
        share = min(1.0, known / total / _ENOUGH_TEXT)
        reasons.append(Reason("欄", share, f"文字の{known / total:.0%}が知られた欄の中"))
    form = form_named(sheet.form)
    if form is None or form.strategy != "patterns":
        described, seen = labels_known(document, reading, form)
        if seen:
            share = min(1.0, described / seen / _ENOUGH_LABELS)
            reasons.append(Reason("ラベル", share, f"値の前のラベル{seen}個のうち{described}個が語彙にある"))
    weights = sum(_WEIGHTS[reason.what] for reason in reasons)
    score = sum(_WEIGHTS[reason.what] * reason.share for reason in reasons) / weights
    return Certainty(round(score, 3), tuple(reasons))


def _of_head(what: str, origin: Origin) -> Reason:
    share = _TRUST[origin.how]
    return Reason(what, share, f"{what}: {SAID[origin.how]}")


def table_figures(document: Document, reading: SheetReading) -> list[Span]:
    """The figures in the tables of a sheet, but those in fields that hold no figures (codes, dates, texts)."""
    settled = covering([s.span for s in reading.sections if s.field != OTHER and kind_of(s.field) not in NUMERIC])
    numeric = covering([s.span for s in reading.sections if kind_of(s.field) in NUMERIC])
    found: list[Span] = []
    for of in views(document, reading.sheet):
        for row in rows(of):
            if row.tabbed:
                spans = [c.span for c in row.cells if not c.empty and _FIGURE.fullmatch(c.text) and c.text != "0"]
            else:
                raw = of.raw[row.span.start - of.offset : row.span.end - of.offset]
                spans = [Span(row.span.start + m.start(), row.span.start + m.end()) for m in _TOKEN.finditer(raw)]
                # One figure in a line is a number in a text, unless the line is that figure.
                spans = spans if len(spans) > 1 and "。" not in raw else []
            found += [span for span in spans if numeric(span) or not settled(span)]
    return found


def _text_read(document: Document, reading: SheetReading) -> tuple[int, int]:
    """(characters in known fields and facts, characters on the sheet), white space not counted."""
    known = [s.span for s in _known(reading.sections)] + [f.quote for f in reading.facts]
    return _letters(document, joined(known)), _letters(document, reading.sheet.spans)


def _known(sections: Sequence[Section]) -> list[Section]:
    return [section for section in sections if section.field != OTHER]


def _letters(document: Document, spans: Iterable[Span]) -> int:
    return sum(len("".join(document.text[span.start : span.end].split())) for span in spans)
