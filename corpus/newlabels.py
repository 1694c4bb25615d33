"""Labels that stand on a document's sheets and in no vocabulary: candidates for ``fields.toml``, each with a proposal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from corpus.covering import covering
from corpus.documents import Document, SheetReading, Span
from corpus.forms.loader import NUMERIC_KINDS, OTHER, Form, canonical, clean_label, forms, kind_of, vocabulary_labels
from corpus.heads import TITLE
from corpus.layout import Cell, Row, rows, views
from corpus.periods import find_periods

NUMERIC = (*NUMERIC_KINDS, "group")
"""The kinds of fields whose values are figures."""

LIKELY = 0.5
"""From this similarity on a proposal is worth a look."""
_UNLIKE = 0.35
_LONGEST = 20
_FIGURE = re.compile(r"[▲△約\-+]?\s*\d[\d,.]*\s*\S{0,4}")
_WORDS = re.compile(r"[ぁ-んァ-ヶ一-龥A-Za-z]{2}")
_COLON = re.compile(r"^(?P<label>[^\s:：。、]{2,20})\s*[:：]\s*(?P<value>\S.*)$")
_BLANK = re.compile(r"^(?P<label>[^\s:：。、]{2,20})[ \u3000]+(?P<value>\S.*)$")
_MARKED = re.compile(r"^(?:[■□◆◇●○▼▽★]|[(（]\d{1,2}[)）]|\d{1,2}[.．]|[【<＜《\[])\s*\S")


@dataclass(frozen=True, slots=True)
class NewLabel:
    """A label nobody has described: how often it stands before a value, one such value, and where it stands first.

    ``field`` is the canonical field whose labels it resembles most, with the ``similarity`` (0 to 1); "" for none.
    """

    label: str
    count: int
    example: str
    span: Span
    field: str
    similarity: float


def new_labels(document: Document, readings: Sequence[SheetReading]) -> list[NewLabel]:
    """The unknown labels of a document's sheets, the most frequent first; equal ones in the order printed.

    Where no programme's sheet was found the whole document is looked through.
    """
    sheets = [reading for reading in readings if reading.sheet.kind == "programme"] or list(readings)
    named = {reading.sheet.form for reading in sheets}
    own = {label for form in forms() if form.name in named for label in _of_form(form)}
    names = {
        clean_label(text) for r in sheets for text in (r.sheet.name, r.sheet.municipality, *r.sheet.department.split())
    }
    seen: dict[str, list[_Seen]] = {}
    for reading in sheets:
        inside = covering([s.span for s in reading.sections if s.field != OTHER and kind_of(s.field) not in NUMERIC])
        for cell, value, sure in (hit for of in views(document, reading.sheet) for hit in _before_values(rows(of))):
            label = clean_label(cell.text)
            if _is_label(cell.text, label) and label not in own and label not in names:
                seen.setdefault(label, []).append(_Seen(cell.span, value, sure, inside(cell.span)))
    found = []
    for label, places in seen.items():
        first = places[0]
        field, similarity = nearest_field(label, first.value)
        # What stands in the text of a known field is a label only if the other sheets have it too.
        often = len(places) > 1 and (2 * len(places) >= len(sheets) or not all(place.inside for place in places))
        if often or similarity >= LIKELY or any(place.sure for place in places):
            printed = re.sub(r"\s+", "", document.text[first.span.start : first.span.end])
            example = " ".join(first.value.split())[:60]
            shown = field if similarity >= _UNLIKE else ""
            example = "" if kind_of(shown) == "person" else example
            found.append(NewLabel(printed, len(places), example, first.span, shown, similarity))
    return sorted(found, key=lambda one: (-one.count, one.span.start))


def labels_known(document: Document, reading: SheetReading, form: Form | None) -> tuple[int, int]:
    """(labels of the vocabulary or the form, all labels) that stand before values on one sheet."""
    own = set(_of_form(form)) if form is not None else set()
    names = {clean_label(text) for text in (reading.sheet.name, reading.sheet.municipality)}
    known = unknown = 0
    for of in views(document, reading.sheet):
        for cell, _, _ in _before_values(rows(of)):
            label = clean_label(cell.text)
            if label in own or canonical(cell.text) is not None:
                known += 1
            elif _is_label(cell.text, label) and label not in names:
                unknown += 1
    return known, known + unknown


@dataclass(frozen=True, slots=True)
class _Seen:
    """One place of a label: ``sure`` by its print, ``inside`` the text of a known field."""

    span: Span
    value: str
    sure: bool
    inside: bool


def _of_form(form: Form) -> Iterator[str]:
    """The labels a form file describes itself."""
    yield from form.labels
    for key, name in (("label", "text"), ("section", "label"), ("columns", "section")):
        yield from (clean_label(entry[name]) for entry in form.data.get(key, []) if name in entry)


def _before_values(lines: list[Row]) -> Iterator[tuple[Cell, str, bool]]:
    """(label's cell, value, whether its print says that it is a label) of all that stands where labels stand."""
    for number, row in enumerate(lines):
        if TITLE.search(row.text):
            continue
        if row.tabbed:
            told = [cell for cell in row.cells if cell.text]
            expected = True  # a label may stand first, and after the value of another label
            for at, cell in enumerate(told[:-1]):
                if expected and canonical(told[at + 1].text) is None:
                    yield cell, told[at + 1].text, False
                expected = not expected
            continue
        below = lines[number + 1] if number + 1 < len(lines) else None
        found = _COLON.match(row.text) or _BLANK.match(row.text)
        marked = _MARKED.match(row.text) is not None
        if found is not None:
            yield _part(row, found["label"]), found["value"], marked or ":" in row.text[: found.start("value")]
        elif below is not None and not below.tabbed and len(row.text) <= _LONGEST < len(below.text):
            yield row.cells[0], below.text, marked


def _part(row: Row, label: str) -> Cell:
    cell = row.cells[0]
    return Cell(label, cell.column, Span(cell.span.start, min(cell.span.end, cell.span.start + len(label))))


def _is_label(text: str, label: str) -> bool:
    return (
        2 <= len(label) <= _LONGEST
        and _WORDS.search(label) is not None
        and not re.search(r"[。、○●☑✓]|^[・A-ES][:\s]?(?!\w{3})|^・", text)
        and text.count("(") + text.count("（") == text.count(")") + text.count("）")
        and not re.search(r"(?:ます|です|した|する|ある|ない|いる|など|は)$", label)
        and _FIGURE.fullmatch(label) is None
        and canonical(text) is None
        and not find_periods(label)
    )


def nearest_field(label: str, example: str = "") -> tuple[str, float]:
    """The canonical field whose labels share most with an unknown one, and how much (0 to 1).

    A label that ends in a known one is of its kind (「市民サービスの課題」 is a 課題); a figure beside it speaks for the
    fields of figures, a long text for those of texts.

    >>> nearest_field("対象システム")[0], nearest_field("翌年度以降の予定", "現行のまま続ける。")[0]
    ('事務事業名', '今後の方向性')
    """
    figure, long = _FIGURE.fullmatch(example) is not None, len(example) > 30
    best, most = "", 0.0
    for known, field, kind in vocabulary_labels():
        share = fuzz.ratio(label, known) / 100
        if kind == "group":
            continue
        if len(known) >= 2:
            if label.endswith(known):
                share = max(share, 0.5 + 0.5 * len(known) / len(label))
            elif known in label:
                share = max(share, 0.3 + 0.5 * len(known) / len(label))
        if example and (figure != (kind in NUMERIC) or (long and kind not in ("text", "rating"))):
            share *= 0.8
        if share > most:
            best, most = field, share
    return best, round(most, 2)
