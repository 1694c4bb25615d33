"""Rows as labels and texts: which stretches of a line or of a table's row are printed labels of forms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from corpus.documents import Span
from corpus.forms.loader import HEAD_KINDS, canonical, kind_of
from corpus.layout import Cell, Row
from corpus.periods import find_periods

ORGANISATION = re.compile(
    r"(?:部|課|室|局|官房|係|庁|署|所|館|院|校|園|班|センター|グループ|委員会|担当|公社|チーム|本部|推進本部|会計|議会|支部|事務所)"
    r"(?:[ ・/、及び]*[^\s。]{1,12}(?:部|課|室|局|係|班|グループ|担当))?$"
)
CODE = re.compile(r"^[0-9A-Za-z]{1,6}(?:[-‐][0-9A-Za-z]{1,6})*$")
_MAX_LABEL = 24
# 【label】value, several on a line.
BRACKETED = re.compile(r"[【\[](?P<label>[^【】\[\]]{1,24})[】\]][ \u3000]*(?P<value>[^【\[]*)")
_COLON = re.compile(r"(?P<label>[^\s::、。]{1,24})[ \u3000]*[::][ \u3000]*")
# A full stop ends a sentence unless a bracket closes after it: 「食品表示(加工品等を除く。)の適正化」.
_SENTENCE = re.compile(r"。(?![)）」』])")
# What a form says about filling it in is no name.
_INSTRUCTION = re.compile(r"(?:の名称|を記入|を記載|を選択)")


@dataclass(frozen=True, slots=True)
class Word:
    """One stretch of a row: a label (with its field) or a text."""

    text: str
    column: int
    field: str | None


def label_field(text: str) -> str | None:
    """The canonical field of a stretch that is a label and nothing else."""
    return canonical(text) if text and len(text) <= _MAX_LABEL else None


def fits(field: str, value: str) -> bool:
    """Whether a text can be the value of a head field; strict where the field has a shape (an organisation, a year)."""
    kind = kind_of(field)
    if kind == "department":
        return len(value) <= 40 and ORGANISATION.search(value) is not None
    if kind == "year":
        return len(value) <= 40 and bool(find_periods(value))
    if kind == "name":
        return (
            2 <= len(value) <= 100
            and not _SENTENCE.search(value)
            and not _INSTRUCTION.search(value)
            and not CODE.match(value)
        )
    return len(value) <= 60


def is_label(line: Row, row: list[Word]) -> bool:
    """A label alone on its line; a heading over other labels (基本情報) is none."""
    return not line.tabbed and len(row) == 1 and row[0].field is not None and kind_of(row[0].field) != "group"


def is_text(line: Row, row: list[Word]) -> bool:
    """A plain line that is no label."""
    return not line.tabbed and len(row) == 1 and row[0].field is None


def words_of(row: Row) -> list[Word]:
    """The labels and texts of a line or of a table's row, in order."""
    if row.tabbed:
        return [word for cell in row.cells if cell.text for word in _of_cell(cell)]
    return list(_of_line(row.text))


def _of_cell(cell: Cell) -> Iterator[Word]:
    field = label_field(cell.text)
    if field is None and (split := _split(cell.text)) is not None:
        label, value = split
        yield Word(label, cell.column, canonical(label))
        if value:
            yield Word(value, cell.column, None)
        return
    yield Word(cell.text, cell.column, field)


def _split(text: str) -> tuple[str, str] | None:
    """「所管課：総務課」「【所管課】総務課」「所管課 総務課」 in one cell."""
    colon = _COLON.match(text)
    if colon is not None and label_field(colon["label"]) is not None:
        return colon["label"], text[colon.end() :].strip()
    bracket = BRACKETED.match(text)
    if bracket is not None and bracket.end() == len(text) and label_field(bracket["label"]) is not None:
        return bracket["label"], bracket["value"].strip()
    label, _, value = text.partition(" ")
    if value and kind_of(label_field(label) or "") in HEAD_KINDS:
        return label, value.strip()
    return None


def _of_line(text: str) -> Iterator[Word]:
    """The words of a plain line: 【label】value, label：value, label value label value, a label alone, or a text."""
    if label_field(text) is not None:
        yield Word(text, 0, canonical(text))
        return
    brackets = list(BRACKETED.finditer(text))
    if brackets and brackets[0].start() == 0 and all(label_field(m["label"]) is not None for m in brackets):
        for m in brackets:
            yield Word(m["label"], 0, canonical(m["label"]))
            if m["value"].strip():
                yield Word(m["value"].strip(), 0, None)
        return
    yield from _of_tokens(text)


def _of_tokens(text: str) -> Iterator[Word]:
    """Known labels at the line's start and after blanks; what stands between two labels is the first one's value."""
    marks: list[tuple[int, int, str, str]] = []  # start, where the value begins, label, field
    for token in re.finditer(r"[^\s\u3000]+", text):
        colon = _COLON.match(text, token.start())
        label = colon["label"] if colon is not None else token.group()
        field = label_field(label)
        # In the middle of a line only labels of the head part one value from the next: 「事業」 alone is a word.
        if field is None or (marks or token.start()) and kind_of(field) not in HEAD_KINDS and colon is None:
            if not marks:
                break
            continue
        marks.append((token.start(), colon.end() if colon is not None else token.end(), label, field))
    if not marks:
        yield Word(text, 0, None)
        return
    for n, (_, begin, label, field) in enumerate(marks):
        yield Word(label, n, field)
        stop = marks[n + 1][0] if n + 1 < len(marks) else len(text)
        value = text[begin:stop].strip(" \u3000")
        if value:
            yield Word(value, n, None)


def without_breaks(lines: list[Row]) -> list[Row]:
    """「事務事業 / 名 火葬場運営 担当課 市民課」: a label that a narrow cell has broken, put together with its line."""
    joined: list[Row] = []
    for row in lines:
        last = joined[-1] if joined else None
        head, _, rest = row.text.partition(" ")
        if (
            last is not None
            and rest
            and not last.tabbed
            and not row.tabbed
            and len(last.text) <= 10
            and len(head) <= 8
            and label_field(head) is None
            and label_field(last.text + head) is not None
        ):
            span = Span(last.span.start, row.span.end)
            joined[-1] = Row((Cell(last.text + row.text, 0, span),), span, last.after_gap)
            continue
        joined.append(row)
    return joined
