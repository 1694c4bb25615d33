"""Summary tables of a report: one line a programme, with its marks of one or several years."""

from __future__ import annotations

import re

from corpus.documents import Document, Fact
from corpus.forms.loader import Form, compiled
from corpus.layout import View, normalized
from corpus.normalize import squeeze
from corpus.periods import Period, find_periods


def facts_of_summary(document: Document, of: View, form: Form | None) -> list[Fact]:
    """A rating fact for every mark of every line; ``label`` is the programme's name as the table prints it.

    The form's ``[summary]`` says how the head with the years and a line look. A name broken over lines is put together;
    where it ends and the department begins is told by the departments of the document's own sheets.
    """
    spec = form.data.get("summary") if form is not None else None
    if form is None or spec is None:
        return []
    head = compiled(spec["head"]).search(of.text)
    if head is None:
        return []
    columns = _columns(head["columns"], spec)
    departments = _departments(document, form)
    facts: list[Fact] = []
    for line in compiled(spec["line"]).finditer(of.text, head.end()):
        marks = list(re.finditer(r"\S", line["marks"]))
        if len(marks) != len(columns):
            continue
        what = of.span(*line.span("what"))
        name = _name(document.text[what.start : what.end], departments)
        quote = of.span(line.start("number"), line.end("marks"))
        for (field, period), mark in zip(columns, marks, strict=True):
            if re.match(r"[A-ES]", mark.group()):
                at = line.start("marks") + mark.start()
                span = of.span(at, at + 1)
                text = document.text[span.start : span.end]
                facts.append(Fact(field, name, None, text, "", period, None, span, quote))
    return facts


def _columns(printed: str, spec: dict[str, str]) -> list[tuple[str, Period | None]]:
    columns: list[tuple[str, Period | None]] = []
    for word in re.findall(r"[^\s/]+", printed):
        years = find_periods(word)
        columns.append((spec["year_field"], years[0].period) if years else (spec["total_field"], None))
    return columns


def _departments(document: Document, form: Form) -> list[str]:
    """Departments printed in the document's sheets, longest first, squeezed."""
    names = set()
    for found in compiled(form.data["sheet"]["start"]).finditer(normalized(document.text).text):
        names.add(squeeze(found.groupdict().get("department") or ""))
    return sorted((n for n in names if n), key=len, reverse=True)


def _name(what: str, departments: list[str]) -> str:
    """The name out of 「名前 担当課」 with line breaks anywhere in both."""
    words = what.split()
    joined = "".join(words)
    for department in departments:
        if squeeze(joined).endswith(department):
            words = _without_tail(words, department)
            break
    else:
        # A department no sheet of the document names: it is the last word, or the last line of a broken one.
        words = words[:-1] if len(words) > 1 else words
    # Words parted by a line break were one word; a blank inside a line was printed.
    kept = squeeze("".join(words))
    lines = [line.strip() for line in what.splitlines() if line.strip()]
    built = ""
    for line in lines:
        candidate = built + line
        if squeeze(candidate) == kept[: len(squeeze(candidate))]:
            built = candidate
            continue
        rest = kept[len(squeeze(built)) :]
        taken = ""
        for char in line:
            if len(squeeze(taken)) >= len(rest):
                break
            taken += char
        return (built + taken).strip()
    return built.strip()


def _without_tail(words: list[str], department: str) -> list[str]:
    left = len(squeeze("".join(words))) - len(department)
    kept: list[str] = []
    for word in words:
        size = len(squeeze(word))
        if left <= 0:
            break
        kept.append(word if size <= left else word[:left])
        left -= size
    return kept
