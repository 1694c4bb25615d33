"""Labels that have a line to themselves, with the lines that hold their values: below, above, or after all labels."""

from __future__ import annotations

import re

from corpus.forms.loader import HEAD_KINDS, kind_of
from corpus.layout import Row
from corpus.rowwords import Word, fits, is_label, is_text

# Numbering and brackets make a heading, and a heading's text stands below it.
_MARKED = re.compile(r"^[■□◆◇●○▼▽★☆・※#【<＜《(（\[\d①-⑳]|[::]$")
_ONE_LINE = (*HEAD_KINDS, "choice", "rating")


def line_values(lines: list[Row], words: list[list[Word]]) -> dict[int, tuple[int, int]]:
    """The value lines (first, last) of labels that are not simply followed by their values, by the label's line.

    A run of labels gets the run of lines after it, one each, where organisations and years among them agree. Where values
    stand above their labels throughout, each label gets the lines back to the label before it. Everything else is left
    to the reading downwards.
    """
    found = _runs(lines, words)
    if _stands_above(words):
        for i, row in enumerate(words):
            if i in found or not is_label(lines[i], row) or _MARKED.search(lines[i].text):
                continue
            first = i
            most = 1 if kind_of(row[0].field or "") in _ONE_LINE else 40
            while first > 0 and i - first < most and is_text(lines[first - 1], words[first - 1]):
                first -= 1
            if first < i:
                found[i] = (first, i - 1)
    return found


def _runs(lines: list[Row], words: list[list[Word]]) -> dict[int, tuple[int, int]]:
    found: dict[int, tuple[int, int]] = {}
    at = 0
    while at < len(words):
        end = at
        while end < len(words) and is_label(lines[end], words[end]):
            end += 1
        count = end - at
        if count > 1:
            values = _texts_after(lines, words, end)
            if len(values) >= count and _agrees(words[at:end], values):
                found.update({at + n: (end + n, end + n) for n in range(count)})
        at = max(end, at + 1)
    return found


def _texts_after(lines: list[Row], words: list[list[Word]], at: int) -> list[str]:
    texts: list[str] = []
    while at < len(words) and is_text(lines[at], words[at]) and len(texts) < 40:
        texts.append(lines[at].text)
        at += 1
    return texts


def _agrees(labels: list[list[Word]], values: list[str]) -> bool:
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


def _stands_above(words: list[list[Word]]) -> bool:
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
