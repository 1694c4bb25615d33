"""Reads forms whose text comes out of order, by the patterns their TOML gives: each is anchored on its surroundings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from corpus.documents import Span
from corpus.forms.loader import Form, compiled
from corpus.labelled import Labelled
from corpus.layout import View

# No printed sheet is longer; what stands behind so many characters is not looked at by patterns.
LONGEST_SHEET = 20_000
_PARAGRAPH = re.compile(r"\n[ \u3000]*\n")
_PAST = re.compile(r"(?:た|ました|である|していない|なかった)。?\s*$")


def by_patterns(of: View, form: Form) -> list[Labelled]:
    """Every value a form's patterns find in one stretch of text, with the label and field the TOML gives it."""
    values: list[Labelled] = []
    for spec in form.data.get("section", []):
        for found in hits(of, spec):
            start, end = found.span("value")
            if end > start:
                span = of.span(start, end)
                label, label_span = spec["label"], Span(span.start, span.start)
                if "label" in found.re.groupindex:
                    label_span = of.span(*found.span("label"))
                    label = re.sub(r"\s+", "", of.raw[label_span.start - of.offset : label_span.end - of.offset])
                values.append(Labelled(label, spec["field"], label_span, span))
    for spec in form.data.get("triple", []):
        values += _triple(of, spec)
    return values


def hits(of: View, spec: Mapping[str, Any], key: str = "regex") -> Iterator[re.Match[str]]:
    """The matches of ``spec[key]`` (one, or all with ``all = true``), after the mark ``spec["after"]`` if it has one."""
    start = 0
    if "after" in spec:
        mark = compiled(spec["after"]).search(of.text, 0, LONGEST_SHEET)
        if mark is None:
            return
        start = mark.end()
    pattern = compiled(spec[key])
    if spec[key].startswith(r"\A"):
        found = compiled(spec[key].removeprefix(r"\A")).match(of.text, start, LONGEST_SHEET)
        if found is not None:
            yield found
        return
    for found in pattern.finditer(of.text, start, LONGEST_SHEET):
        yield found
        if not spec.get("all"):
            return


def _triple(of: View, spec: Mapping[str, Any]) -> list[Labelled]:
    """Planned, done and next-planned paragraphs of a three-column table, told apart by tense and number."""
    block = next(hits(of, spec, "block"), None)
    if block is None:
        return []
    pieces: list[tuple[int, int]] = []
    at = block.start("value")
    text = of.text[: block.end("value")]
    for gap in [*_PARAGRAPH.finditer(text, at), None]:
        stop = gap.start() if gap is not None else len(text)
        if text[at:stop].strip():
            pieces.append((at, stop))
        at = gap.end() if gap is not None else stop
    done = [p for p in pieces if _PAST.search(text[slice(*p)])]
    planned = [p for p in pieces if p not in done]
    first = next(hits(of, spec, "first"), None)
    ahead = max(0, len(done) - 1) if first is not None else len(done)
    years = compiled(spec["years"]).search(of.text, 0, LONGEST_SHEET)
    if years is None:
        return []
    labels = [label.format(years[1], years[2]) for label in spec["labels"]]
    columns: list[tuple[int, list[tuple[int, int]]]] = [(0, planned[:ahead]), (1, done), (2, planned[ahead:])]
    if first is not None:
        columns.insert(0, (0, [first.span("value")]))
    return [
        Labelled(labels[i], spec["fields"][i], of.span(own[0][0], own[0][0]), of.span(own[0][0], own[-1][1]))
        for i, own in columns
        if own
    ]
