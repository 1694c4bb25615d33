"""Labels of a form's head with their values, on whichever side of the label a form prints them.

Forms put a value to the right of its label, below it, behind a colon or after 【label】; extraction also leaves values above
their labels, or all labels of a block before all of its values. Each reading is taken only where it comes out even and
what stands there can be a value of that label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from corpus.documents import Span
from corpus.forms.loader import canonical, kind_of
from corpus.layout import Cell, Row
from corpus.periods import find_periods

_HEAD_KINDS = ("name", "department", "unit", "person", "year", "code")
_MAX_LABEL = 24
_ORGANISATION = re.compile(
    r"(?:部|課|室|局|官房|係|署|所|館|院|校|園|班|センター|グループ|委員会|担当|公社|チーム|本部|推進本部|会計|議会|支部|事務所)"
    r"(?:[ ・/、及び]*[^\s。]{1,12}(?:部|課|室|局|係|班|グループ|担当))?$"
)
_CODE = re.compile(r"^[0-9A-Za-z]{1,6}(?:[-‐][0-9A-Za-z]{1,6})*$")
_LEADING_CODE = re.compile(r"^(?:\d{1,4}(?:-\d{1,4})*[ \u3000]+)")
_BRACKETED = re.compile(r"[【\[](?P<label>[^【】\[\]]{1,24})[】\]][ \u3000]*(?P<value>[^【\[]*)")
_COLON = re.compile(r"(?P<label>[^\s::、。]{1,24})[ \u3000]*[::][ \u3000]*")
# A full stop ends a sentence unless a bracket closes after it: 「食品表示(加工品等を除く。)の適正化」.
_SENTENCE = re.compile(r"。(?![)）」』])")
# What a form says about filling it in is no name.
_INSTRUCTION = re.compile(r"(?:の名称|を記入|を記載|を選択)")


@dataclass(frozen=True, slots=True)
class Couple:
    """A label with its value (both normalised) and the raw offset where the first of the two lines begins."""

    field: str
    label: str
    value: str
    start: int


@dataclass(frozen=True, slots=True)
class _Word:
    """One stretch of a row: a label (with its field) or a text."""

    text: str
    column: int
    field: str | None


def label_field(text: str) -> str | None:
    """The canonical field of a stretch that is a label and nothing else."""
    return canonical(text) if text and len(text) <= _MAX_LABEL else None


def couples(lines: list[Row]) -> list[Couple]:
    """The labels of names, organisations, years, codes and persons among ``lines`` with their values, in order."""
    lines = _joined(lines)
    words = [_words(row) for row in lines]
    above = _stands_above(words)
    found: list[Couple] = []
    done: set[tuple[int, int]] = set()
    for i, row in enumerate(words):
        for j, word in enumerate(row):
            if kind_of(word.field or "") not in _HEAD_KINDS or word.field is None or (i, j) in done:
                continue
            value, at = _value(lines, words, i, j, above)
            if value:
                found.append(Couple(word.field, word.text, value, lines[min(i, at)].span.start))
    return found


def _joined(lines: list[Row]) -> list[Row]:
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


def fits(field: str, value: str) -> bool:
    """Whether a text can be the value of a head field; strict where the field has a shape (an organisation, a year)."""
    kind = kind_of(field)
    if kind == "department":
        return len(value) <= 40 and _ORGANISATION.search(value) is not None
    if kind == "year":
        return len(value) <= 40 and bool(find_periods(value))
    if kind == "name":
        return (
            2 <= len(value) <= 100 and "。" not in value and not _INSTRUCTION.search(value) and not _CODE.match(value)
        )
    return len(value) <= 60


# ---- rows as labels and texts ---------------------------------------------------------------------------------------


def _words(row: Row) -> list[_Word]:
    if row.tabbed:
        return [word for cell in row.cells if cell.text for word in _of_cell(cell)]
    return list(_of_line(row.text))


def _of_cell(cell: Cell) -> Iterator[_Word]:
    field = label_field(cell.text)
    if field is None and (split := _split(cell.text)) is not None:
        label, value = split
        yield _Word(label, cell.column, canonical(label))
        if value:
            yield _Word(value, cell.column, None)
        return
    yield _Word(cell.text, cell.column, field)


def _split(text: str) -> tuple[str, str] | None:
    """「所管課：総務課」「【所管課】総務課」「所管課 総務課」 in one cell."""
    colon = _COLON.match(text)
    if colon is not None and label_field(colon["label"]) is not None:
        return colon["label"], text[colon.end() :].strip()
    bracket = _BRACKETED.match(text)
    if bracket is not None and bracket.end() == len(text) and label_field(bracket["label"]) is not None:
        return bracket["label"], bracket["value"].strip()
    label, _, value = text.partition(" ")
    if value and kind_of(label_field(label) or "") in _HEAD_KINDS:
        return label, value.strip()
    return None


def _of_line(text: str) -> Iterator[_Word]:
    """The words of a plain line: 【label】value, label：value, label value label value, a label alone, or a text."""
    if label_field(text) is not None:
        yield _Word(text, 0, canonical(text))
        return
    brackets = list(_BRACKETED.finditer(text))
    if brackets and brackets[0].start() == 0 and all(label_field(m["label"]) is not None for m in brackets):
        for m in brackets:
            yield _Word(m["label"], 0, canonical(m["label"]))
            if m["value"].strip():
                yield _Word(m["value"].strip(), 0, None)
        return
    yield from _of_tokens(text)


def _of_tokens(text: str) -> Iterator[_Word]:
    """Known labels at the line's start and after blanks; what stands between two labels is the first one's value."""
    marks: list[tuple[int, int, str, str]] = []  # start, where the value begins, label, field
    for token in re.finditer(r"[^\s\u3000]+", text):
        colon = _COLON.match(text, token.start())
        label = colon["label"] if colon is not None else token.group()
        field = label_field(label)
        # In the middle of a line only labels of the head part one value from the next: 「事業」 alone is a word.
        if field is None or (marks or token.start()) and kind_of(field) not in _HEAD_KINDS and colon is None:
            if not marks:
                break
            continue
        marks.append((token.start(), colon.end() if colon is not None else token.end(), label, field))
    if not marks:
        yield _Word(text, 0, None)
        return
    for n, (_, begin, label, field) in enumerate(marks):
        yield _Word(label, n, field)
        stop = marks[n + 1][0] if n + 1 < len(marks) else len(text)
        value = text[begin:stop].strip(" \u3000")
        if value:
            yield _Word(value, n, None)


# ---- values ---------------------------------------------------------------------------------------------------------


def _value(lines: list[Row], words: list[list[_Word]], i: int, j: int, above: bool) -> tuple[str, int]:
    """The value of the label ``words[i][j]`` and the row it stands in; "" when there is none to trust."""
    row, word = words[i], words[i][j]
    assert word.field is not None
    right = _right(row, j, word.field)
    if right:
        return right, i
    if j + 1 < len(row) and row[j + 1].field is None:
        return "", i  # something stands there that cannot be a value: 「事務事業名 ※記入例」
    if lines[i].tabbed or len(row) > 1:
        return _below(lines, words, i, j), i
    return _of_lines(lines, words, i, word.field, above)


def _right(row: list[_Word], j: int, field: str) -> str:
    after: list[str] = []
    for word in row[j + 1 :]:
        if word.field is not None:
            break
        after.append(word.text)
    kind = kind_of(field)
    if kind == "name":
        told = [text for text in after if not _CODE.match(text)]
        return _bare_name(told[0]) if told else ""
    if kind == "department" and len(after) > 1:
        units = [text for text in after if _ORGANISATION.search(text)]
        return " ".join(units[:2]) or after[0]
    return after[0] if after else ""


def _bare_name(text: str) -> str:
    bare = _LEADING_CODE.sub("", text).strip()
    return bare if fits("事務事業名", bare) else ""


def _below(lines: list[Row], words: list[list[_Word]], i: int, j: int) -> str:
    """The cell under a label in a row of labels; nothing where the rows below are a list of many programmes."""
    word, row = words[i][j], words[i]
    if any(other.field is None for other in row) or i + 1 >= len(words):
        return ""
    under = words[i + 1]
    if any(other.field is not None for other in under):
        return ""
    value = _in_column(lines[i + 1], under, word, row, j)
    if value is None or not fits(word.field or "", value.text):
        return ""
    if i + 2 < len(words) and len(words[i + 2]) == len(under) > 1 and all(w.field is None for w in words[i + 2]):
        return ""
    return _bare_name(value.text) if kind_of(word.field or "") == "name" else value.text


def _in_column(line: Row, under: list[_Word], word: _Word, row: list[_Word], j: int) -> _Word | None:
    if line.tabbed and not line.visual:
        return next((other for other in under if other.column == word.column), None)
    if line.tabbed:
        near = min(under, key=lambda other: abs(other.column - word.column))
        return near if abs(near.column - word.column) <= 4 else None
    # Blanks alone part the values: as many as there are labels, or it is not known which belongs to which.
    told = _dealt(line.text.split(), row)
    return _Word(told[j], j, None) if told else None


def _dealt(told: list[str], row: list[_Word]) -> list[str]:
    """The words of a line dealt out to as many labels; empty when not, or when more than one way would do."""
    if len(told) == len(row):
        return told
    if not len(row) < len(told) <= 8:
        return []
    ways = []
    for cuts in combinations(range(1, len(told)), len(row) - 1):
        edges = [0, *cuts, len(told)]
        parts = [" ".join(told[a:b]) for a, b in zip(edges, edges[1:], strict=False)]
        if all(_shaped(word.field or "", part) for word, part in zip(row, parts, strict=True)):
            ways.append(parts)
    return ways[0] if len(ways) == 1 else []


def _shaped(field: str, value: str) -> bool:
    """Whether a value has the one shape its label's values have; a name is one word that is nothing else."""
    kind = kind_of(field)
    if kind == "code":
        return _CODE.match(value) is not None
    if kind == "name":
        return " " not in value and fits(field, value) and not _ORGANISATION.search(value)
    if kind == "person":
        return (
            len(value) <= 20 and not re.search(r"\d", value) and not any(_ORGANISATION.search(v) for v in value.split())
        )
    if kind == "year":
        periods = find_periods(value)
        return len(periods) == 1 and (periods[0].start, periods[0].end) == (0, len(value))
    return kind == "department" and fits(field, value)


def _of_lines(lines: list[Row], words: list[list[_Word]], i: int, field: str, above: bool) -> tuple[str, int]:
    """The line below a label that has its line to itself; the line above, or the same place in the run of values."""
    first, last = i, i
    while first > 0 and _is_label(lines[first - 1], words[first - 1]):
        first -= 1
    while last + 1 < len(words) and _is_label(lines[last + 1], words[last + 1]):
        last += 1
    count = last - first + 1
    values = _texts_after(lines, words, last + 1)
    if count > 1 and len(values) >= count and _agrees(words[first : last + 1], values):
        return (values[i - first] if fits(field, values[i - first]) else ""), i
    if above:
        told = lines[i - 1].text if i and _is_text(lines[i - 1], words[i - 1]) else ""
        return (told if fits(field, told) else ""), i - 1
    told = values[0] if i == last and values else ""
    return (_bare_name(told) if kind_of(field) == "name" else told if fits(field, told) else ""), i


def _is_label(line: Row, row: list[_Word]) -> bool:
    """A label alone on its line; a heading over other labels (基本情報) is none."""
    return not line.tabbed and len(row) == 1 and row[0].field is not None and kind_of(row[0].field) != "group"


def _is_text(line: Row, row: list[_Word]) -> bool:
    return not line.tabbed and len(row) == 1 and row[0].field is None


def _texts_after(lines: list[Row], words: list[list[_Word]], at: int) -> list[str]:
    texts: list[str] = []
    while at < len(words) and _is_text(lines[at], words[at]) and len(texts) < 40:
        texts.append(lines[at].text)
        at += 1
    return texts


def _agrees(labels: list[list[_Word]], values: list[str]) -> bool:
    """Whether a run of values matches a run of labels: one organisation or year at least, and none out of place.

    Where more lines follow than there are labels (a heading, the next block), two have to tell.
    """
    kinds = [kind_of(row[0].field or "") for row in labels]
    shaped = [
        fits(row[0].field or "", value)
        for kind, row, value in zip(kinds, labels, values, strict=False)
        if kind in ("department", "year", "name")
    ]
    told = sum(kind in ("department", "year") for kind in kinds)
    return told >= (1 if len(values) == len(labels) else 2) and all(shaped)


def _stands_above(words: list[list[_Word]]) -> bool:
    """Whether values stand above their labels: organisations and years tell."""
    votes = 0
    for i, row in enumerate(words):
        if len(row) != 1 or row[0].field is None or kind_of(row[0].field) not in ("department", "year"):
            continue
        before, after = (
            len(words[k]) == 1 and words[k][0].field is None and fits(row[0].field, words[k][0].text)
            if 0 <= k < len(words)
            else False
            for k in (i - 1, i + 1)
        )
        votes += before - after
    return votes > 0
