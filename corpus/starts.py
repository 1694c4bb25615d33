"""Where the sheets of a form nobody described begin."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise

from corpus.blanks import table_rows
from corpus.couples import Couple, couples
from corpus.documents import Document, Span
from corpus.forms.loader import clean_label
from corpus.heads import TITLE, named_lines
from corpus.layout import Row, view
from corpus.normalize import Normalized, squeeze
from corpus.rowwords import fits, words_of

_LINES_ABOVE_TITLE = 3
# What stands above every sheet's name and is no town or chapter.
_TITLE_WORD = re.compile(r"シート|調書|評価|点検|カルテ|票|年度")
_MORE = (
    "施策名",
    "施策の名称",
    "施策名称",
    "主要施策名",
    "重点施策名",
    "基本事業名",
    "単位施策名",
    "政策名",
    "計画事業名",
)
_TELLING = ("担当課", "担当部", "コード", "評価年度", "担当者")


@dataclass(frozen=True, slots=True)
class Start:
    """Where a sheet begins (offset in the normalised text) and what its first lines say; ``name`` may be unknown."""

    at: int
    name: str = ""
    department: str = ""


def general_starts(document: Document, norm: Normalized) -> list[Start]:
    """Sheets of an unknown form: each begins at a title line, or where the label of the name stands again."""
    text = norm.text
    lines = table_rows(view(document, Span(0, len(document.text))))
    told = couples(lines)
    named = [(bisect_left(norm.starts, at), name) for at, name in named_lines(told) or _named_by_more(lines)]
    titles = [m.start() for m in TITLE.finditer(text)]
    if not named:
        # Without a name anywhere a repeated title still parts one sheet from the next.
        return []
    heads = [_template(line) for line in text[: named[0][0]].splitlines() if _template(line)]
    starts: list[Start] = []
    for i, (at, name) in enumerate(named):
        floor = named[i - 1][0] if i else 0
        before = [t for t in titles if floor <= t <= at and (i == 0 or t > floor)]
        begin = before[0] if before and i == 0 else before[-1] if before else at
        if not before and i:
            before = _like_first(text, floor, at, heads)
            begin = before[0] if before else at
        if not before:
            page = text.rfind("\f", floor, at)
            begin = page + 1 if page >= 0 else (0 if i == 0 else text.rfind("\n", 0, at) + 1)
        starts.append(Start(_from_page(text, floor, begin), name))
    pages = _Pages(text, heads, [(bisect_left(norm.starts, c.start), c) for c in told], _name_labels(norm, lines))
    return pages.with_nameless(starts, [at for at, _ in named])


def _named_by_more(lines: list[Row]) -> list[tuple[int, str]]:
    """As :func:`corpus.heads.named_lines`, of reports whose sheets are about more than a programme: 「施策名 | 移住の促進」.

    Beside programmes these labels tell what a programme belongs to, so they count only where no programme is named, and
    where they stand several times with names of their own.
    """
    found: dict[str, list[tuple[int, str]]] = {}
    for row in lines:
        for word, after in pairwise(words_of(row)):
            label = clean_label(word.text)
            if label in _MORE and after.field is None and fits("事務事業名", after.text):
                found.setdefault(label, []).append((row.span.start, after.text))
    own = {label: told for label, told in found.items() if len({squeeze(name) for _, name in told}) == len(told) > 1}
    return max(own.values(), key=len, default=[])


def _name_labels(norm: Normalized, lines: list[Row]) -> list[int]:
    """Where the label of a programme's name stands, with a value that could be read or without."""
    return [
        bisect_left(norm.starts, row.span.start)
        for row in lines
        if any(word.field == "事務事業名" and len(word.text) >= 3 for word in words_of(row))
    ]


def _from_page(text: str, floor: int, begin: int) -> int:
    """The page's start where only the town's name and the like stand above the title."""
    page = text.rfind("\f", floor, begin) + 1
    return page if page and text.count("\n", page, begin) <= _LINES_ABOVE_TITLE else begin


class _Pages:
    """Finds the sheets whose name could not be read, so that their figures are not taken for those of another sheet.

    A title that stands again may head a second page; the label of the name, or another department, code or year below
    it, says that it heads another sheet.
    """

    def __init__(self, text: str, heads: list[str], told: list[tuple[int, Couple]], labels: list[int]) -> None:
        self.text = text
        self.told = told
        self.labels = labels
        again = {head for head in heads if _TITLE_WORD.search(head) and len(head) >= 5}
        titles = {m.start() for m in TITLE.finditer(text)}
        at = 0
        for line in text.splitlines(keepends=True):
            if _template(line) in again:
                titles.add(at)
            at += len(line)
        self.titles = sorted(titles)

    def with_nameless(self, starts: list[Start], names: list[int]) -> list[Start]:
        """The starts with those of the nameless sheets; ``names`` are the places of the names."""
        known = sorted(zip((s.at for s in starts), names, starts, strict=True), key=lambda entry: entry[0])
        found: list[Start] = []
        for i, (begin, name_at, start) in enumerate(known):
            since = begin
            for title in [t for t in self.titles if begin < t <= name_at]:
                if self._labelled(since, title) or self._differs(since, title, name_at + 1):
                    found.append(Start(since))
                    since = _from_page(self.text, since, title)
            found.append(Start(since, start.name, start.department))
            stop = known[i + 1][0] if i + 1 < len(known) else len(self.text)
            inside = [t for t in self.titles if name_at < t < stop]
            for title, following in pairwise([*inside, stop]):
                if self._labelled(title, following) or self._differs(since, title, following):
                    since = _from_page(self.text, since, title)
                    found.append(Start(since))
        return found

    def _labelled(self, begin: int, end: int) -> bool:
        return any(begin <= at < end for at in self.labels)

    def _differs(self, begin: int, title: int, end: int) -> bool:
        """Whether the department, code or year told below a title differs from the one told above it."""
        before: dict[str, str] = {}
        after: dict[str, str] = {}
        for at, couple in self.told:
            if couple.field in _TELLING and begin <= at < title:
                before.setdefault(couple.field, squeeze(couple.value))
            elif couple.field in _TELLING and title <= at < end:
                after.setdefault(couple.field, squeeze(couple.value))
        return any(after[field] != before[field] for field in after.keys() & before.keys())


def _template(line: str) -> str:
    """A line without what changes from sheet to sheet: numbers and white space."""
    return re.sub(r"[\d\s]+", "", line)


def _like_first(text: str, floor: int, name: int, heads: list[str]) -> list[int]:
    """Where the lines above the first sheet's name stand again above this one: its head begins there."""
    found: dict[str, int] = {}
    at = floor
    for line in text[floor:name].splitlines(keepends=True):
        key = _template(line)
        if key in heads and at > floor:
            found[key] = at
        at += len(line)
    return [min(found.values())] if found and heads[0] in found else []
