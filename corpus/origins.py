"""From which print a sheet's name, municipality, department and year were read, and how that was told.

The reading itself keeps only the values; here each is looked up again in the document, so what is said of its origin
is what stands there. A value that is found nowhere is said to come from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from corpus.documents import NO_NAME, Document, Sheet, Span
from corpus.forms.loader import Form, canonical, compiled, form_named
from corpus.heads import TITLE, ruled_year
from corpus.layout import Row, View, normalized, rows, view
from corpus.municipality import TITLE_WORDS
from corpus.normalize import squeeze
from corpus.periods import find_periods

How = Literal["form", "label", "title", "line", "columns", "folder", "neighbours", "none"]

SAID: dict[How, str] = {
    "form": "様式の規則",
    "label": "ラベル",
    "title": "表題の行",
    "line": "本文の行",
    "columns": "決算・実績の見出し",
    "folder": "フォルダー名・ファイル名",
    "neighbours": "同じ文書のほかのシート",
    "none": "読み取れていません",
}
_YEAR = re.compile(r"(?:(?:明治|大正|昭和|平成|令和|[MTSHR])\s*(?:元|\d{1,2})|(?:19|20)\d\d|(?<!\d)\d{1,2})\s*年?度?")
_HEAD_LINES = 40


@dataclass(frozen=True, slots=True)
class Origin:
    """``how`` a value was told, the ``printed`` line it stands in, and the line's span (None where it is not printed)."""

    value: str
    how: How
    printed: str = ""
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Origins:
    """Where the head of one sheet comes from."""

    name: Origin
    municipality: Origin
    department: Origin
    year: Origin


def origins(document: Document, sheet: Sheet) -> Origins:
    """The origin of each value of a sheet's head."""
    form = form_named(sheet.form)
    of = view(document, sheet.spans[0])
    lines = rows(of)
    return Origins(
        _name(of, lines, sheet, form),
        _municipality(document, sheet.municipality),
        _department(of, lines, sheet, form),
        _year(of, lines, sheet, form),
    )


def _by_rule(of: View, form: Form | None, key: str, value: str) -> Span | None:
    """The match of a form's rule for ``key`` that gives ``value``; its own pattern first, then the start's."""
    rules = form.data["sheet"] if form is not None else {}
    for pattern in (rules.get(key), rules.get("start")):
        found = compiled(pattern).search(of.text) if pattern else None
        if found is not None and key in found.re.groupindex and found[key] and squeeze(found[key]) == squeeze(value):
            return of.span(*found.span())
    return None


def _found(of: View, how: How, value: str, span: Span) -> Origin:
    printed = of.raw[span.start - of.offset : span.end - of.offset]
    return Origin(value, how, re.sub(r"\s+", " ", printed).strip()[:200], span)


def _labelled(lines: list[Row], fields: tuple[str, ...], value: str) -> Row | None:
    """The line with a label of one of ``fields`` and the value in it or in the line below."""
    wanted = squeeze(value)
    for number, row in enumerate(lines):
        if not any(canonical(label) in fields for label in _labels(row)):
            continue
        near = squeeze(row.text + "".join(r.text for r in lines[number + 1 : number + 2]))
        if wanted and wanted in near:
            return row
    return None


def _labels(row: Row) -> Iterator[str]:
    """What may be a label in a line: its short cells, and the words a line begins with."""
    for cell in row.cells:
        if cell.text and len(cell.text) <= 20:
            yield cell.text
        for word in re.split(r"[\s:：|]+", cell.text, maxsplit=4)[:4]:
            if 2 <= len(word) <= 14:
                yield word


def _name(of: View, lines: list[Row], sheet: Sheet, form: Form | None) -> Origin:
    if sheet.name == NO_NAME:
        return Origin(sheet.name, "none")
    ruled = _by_rule(of, form, "name", sheet.name)
    if ruled is not None:
        return _found(of, "form", sheet.name, ruled)
    row = _labelled(lines, ("事務事業名",), sheet.name)
    if row is not None:
        return _found(of, "label", sheet.name, row.span)
    return _in_a_line(of, lines, sheet.name)


def _in_a_line(of: View, lines: Iterable[Row], value: str) -> Origin:
    wanted = squeeze(value)
    row = next((row for row in lines if wanted and wanted in squeeze(row.text)), None)
    if row is None:
        return Origin(value, "line" if wanted else "none")
    return _found(of, "title" if TITLE.search(row.text) else "line", value, row.span)


def _department(of: View, lines: list[Row], sheet: Sheet, form: Form | None) -> Origin:
    value = sheet.department
    if not value:
        return Origin("", "none")
    ruled = _by_rule(of, form, "department", value)
    if ruled is not None:
        return _found(of, "form", value, ruled)
    for part in (value, *reversed(value.split())):
        row = _labelled(lines, ("担当課", "担当部"), part)
        if row is not None:
            return _found(of, "label", value, row.span)
    return replace(_in_a_line(of, lines, value.split()[-1]), value=value)


def _year(of: View, lines: list[Row], sheet: Sheet, form: Form | None) -> Origin:
    if sheet.fiscal_year is None:
        return Origin("", "none")
    value = str(sheet.fiscal_year)
    ruled = ruled_year(form, of.text)
    if ruled is not None and ruled[0] == sheet.fiscal_year:
        return _found(of, "form", value, of.span(*ruled[1]))
    seen: dict[How, Row] = {}
    for number, row in enumerate(lines):
        if _says_year(row.text, sheet.fiscal_year):
            seen.setdefault(_how_year(row, number), row)
    for how in ("label", "title", "line", "columns"):
        if how in seen:
            return _found(of, how, value, seen[how].span)
    return Origin(value, "neighbours")


def _how_year(row: Row, number: int) -> How:
    if any(canonical(label) == "評価年度" for label in _labels(row)):
        return "label"
    if TITLE.search(row.text) or (not row.tabbed and number < _HEAD_LINES and TITLE_WORDS.search(row.text)):
        return "title"
    if re.search("決算|実績", row.text):
        return "columns"
    return "line" if number < 15 and not row.tabbed and len(row.text) <= 20 else "neighbours"


def _says_year(text: str, year: int) -> bool:
    return _YEAR.search(text) is not None and any(
        found.period.fiscal_year == year for found in find_periods(text[:300], year)
    )


def _municipality(document: Document, town: str) -> Origin:
    if not town:
        return Origin("", "none")
    found = _town_line(document.text, town)
    if found is not None:
        span, title = found
        printed = re.sub(r"\s+", " ", document.text[span.start : span.end]).strip()[:200]
        return Origin(town, "title" if title else "line", printed, span)
    return Origin(town, "folder", document.file)


@lru_cache(maxsize=16)
def _town_line(text: str, town: str) -> tuple[Span, bool] | None:
    """The line that names the town, and whether it is a title: of titles and other lines the first, a title before."""
    plain = normalized(text)
    first: tuple[int, int] | None = None
    at = plain.text.find(town)
    while at >= 0:
        start = plain.text.rfind("\n", 0, at) + 1
        end = plain.text.find("\n", at)
        end = len(plain.text) if end < 0 else end
        line = plain.text[start:end]
        if TITLE_WORDS.search(line) and len(line.strip()) <= 60:
            return Span(*plain.raw(start, end)), True
        first = first or (start, end)
        at = plain.text.find(town, end)
    return (Span(*plain.raw(*first)), False) if first is not None else None
