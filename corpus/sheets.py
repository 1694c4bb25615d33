"""Finds the sheets in a document: where each begins and ends, its name, department, year and municipality."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import replace

from corpus.blanks import table_rows
from corpus.documents import NO_NAME, Document, Sheet, SheetKind, Span
from corpus.forms.loader import Form, canonical, compiled, form_of
from corpus.heads import department_of, ruled_year, year_of
from corpus.layout import View, normalized, one_line, rows, running_heads, view, without_heads
from corpus.municipality import municipality_of
from corpus.normalize import LINE_BREAK, normalize, squeeze
from corpus.starts import Start, general_starts

# Lines that begin a part of a report that is no programme's sheet.
_PART = re.compile(
    r"^[ \f\u3000#]*(?P<name>第[ ]*[0-9一二三四五六七八九十]+[ ]*[章編部](?![^\n]*(?:\.{3}|…))[^\n]*|はじめに|おわりに|目次|"
    r"参考資料[^\n]{0,30}|用語(?:集|解説|の解説|の説明)[^\n]{0,20}|資料編[^\n]{0,20}|付録[^\n]{0,30}|巻末資料[^\n]{0,20})[ \u3000]*$",
    re.M,
)
_SECOND_LINE = re.compile(r"[ \u3000]*\n[ \u3000]*(\([^()\n]{1,30}\))[ \u3000]*\n")  # of a name
_NEXT_HEADING = re.compile(r"[^\S\n]*+\n\s*+\(\d{1,2}\)[^\n\t。]{4,60}(?:[^\S\n]*+\n\s*+[^\n\t。]{1,60})?\s*")
_LONGEST_HEADING = 500  # characters with its line breaks
_CONTINUED = re.compile(r"^[^\S\n]*+No\.?\s*2(?![\d-])|[((](?:2枚目|裏面?|その2|2/2|2)[))]", re.M)


def find_sheets(document: Document) -> list[Sheet]:
    """Every sheet of a document, in order: programmes' forms, and the parts that belong to none (kind ``document``)."""
    norm = normalized(document.text)
    form = form_of(norm.text)
    starts = _starts_of_form(norm.text, form) if form else general_starts(document, norm)
    town = municipality_of(document.text, document.file)
    heads = running_heads(document.text)
    parts = [
        m
        for m in _PART.finditer(norm.text)
        if re.sub(r"\s+", "", document.text[slice(*norm.raw(*m.span()))]) not in heads
    ]
    edges = sorted({0, len(norm.text), *(s.at for s in starts), *(m.start() for m in parts)})
    by_start = {s.at: s for s in starts}
    titles = {m.start(): m for m in parts}
    found: list[Sheet] = []
    for begin, end in zip(edges, edges[1:], strict=False):
        raw = norm.raw(begin, end)
        span = without_heads(document.text, Span(*raw))
        if begin in by_start and end in by_start:
            span = _without_next_heading(document.text, span)
        if span.start >= span.end:
            continue
        start = by_start.get(begin)
        if start is not None:
            found.append(_programme(document, span, start, form, town))
        elif len(re.sub(r"\s+", "", document.text[span.start : span.end])) >= 20:
            title = titles.get(begin)
            name = _printed(document, span, _part_name(norm.text, title)) if title else ""
            found.append(_part(document, span, name, town, form))
    if not starts:
        found = [replace(sheet, fiscal_year=_year(view(document, sheet.spans[0]))) for sheet in found]
    found = _join_continued(document, found)
    return _numbered(_with_year_of_neighbours(found))


def _year(of: View) -> int | None:
    return year_of(of.text, table_rows(of))


def _without_next_heading(text: str, span: Span) -> Span:
    """A sheet's span without the heading of the group of sheets that follows: 「(２) ビジョン２．…」 after the last full stop."""
    raw = text[span.start : span.end]
    stop = raw.rstrip().rfind("。") + 1
    rest = raw[stop:]
    heading = len(rest) <= _LONGEST_HEADING and _NEXT_HEADING.fullmatch(normalize(rest).text)
    return Span(span.start, span.start + stop) if stop and heading else span


def _starts_of_form(text: str, form: Form) -> list[Start]:
    pattern = compiled(form.data["sheet"]["start"])
    starts = []
    for found in pattern.finditer(text):
        groups = found.groupdict()
        starts.append(Start(found.start(), groups.get("name") or "", groups.get("department") or ""))
    return starts


def _programme(document: Document, span: Span, start: Start, form: Form | None, town: str) -> Sheet:
    text = view(document, span).text
    name, department = start.name, start.department
    rules = form.data["sheet"] if form else {}
    if "name" in rules:
        hit = compiled(rules["name"]).search(text)
        name = hit["name"] if hit else name
    if "department" in rules:
        hit = compiled(rules["department"]).search(text)
        department = hit["department"] if hit else department
    ruled = ruled_year(form, text)
    name = _printed(document, span, name)
    lines = table_rows(view(document, span))
    department = _printed(document, span, department) if department else department_of(lines)
    return Sheet(
        sheet_id="",
        file=document.file,
        kind="programme",
        name=name or NO_NAME,
        municipality=town,
        fiscal_year=ruled[0] if ruled is not None else year_of(text, lines),
        department=department,
        spans=(span,),
        form=form.name if form else "",
    )


def _printed(document: Document, span: Span, value: str) -> str:
    """The value as the document prints it (full-width letters kept), without the white space of line breaks."""
    wanted = re.sub(r"\s+", "", value)
    norm = normalize(document.text[span.start : span.end], squeeze=True)
    at = norm.text.find(wanted) if wanted else -1
    if at < 0:
        return LINE_BREAK.sub("", value).strip()
    a, b = norm.raw(at, at + len(wanted))
    return one_line(document.text[span.start + a : span.start + b])


def _part(document: Document, span: Span, name: str, town: str, form: Form | None) -> Sheet:
    raw = document.text[span.start : span.end]
    first = next((line.strip() for line in raw.splitlines() if line.strip()), "")
    kind: SheetKind = "document"
    return Sheet("", document.file, kind, name or first[:40], town, None, "", (span,), form.name if form else "")


def _part_name(text: str, title: re.Match[str]) -> str:
    """A part's heading as printed; a heading that goes on in brackets on the next line is taken whole."""
    name = title["name"].strip()
    more = _SECOND_LINE.match(text, title.end())
    return name + more[1] if more else name


def _join_continued(document: Document, sheets: list[Sheet]) -> list[Sheet]:
    """A second page that repeats the name belongs to the sheet before it."""
    joined: list[Sheet] = []
    for sheet in sheets:
        last = joined[-1] if joined else None
        if last is not None and last.kind == sheet.kind == "programme" and squeeze(last.name) == squeeze(sheet.name):
            head = document.text[sheet.spans[0].start : sheet.spans[0].start + 200]
            if _CONTINUED.search(normalize(head).text) or _unlike(document, last, sheet):
                joined[-1] = replace(last, spans=(*last.spans, *sheet.spans))
                continue
        joined.append(sheet)
    return joined


def _unlike(document: Document, one: Sheet, other: Sheet) -> bool:
    """Whether two stretches print different labels, as the two pages of one form do."""

    def labels(sheet: Sheet) -> set[str]:
        lines = rows(view(document, sheet.spans[-1]))
        return {f for row in lines for c in row.cells if len(c.text) <= 14 and (f := canonical(c.text.split(" ")[0]))}

    a, b = labels(one), labels(other)
    return bool(a and b) and len(a & b) < 0.4 * min(len(a), len(b))


def _with_year_of_neighbours(sheets: list[Sheet]) -> list[Sheet]:
    """A sheet whose year is not printed takes the year that the file's other sheets agree on."""
    years = Counter(s.fiscal_year for s in sheets if s.fiscal_year is not None)
    if len(years) != 1:
        return sheets
    only = next(iter(years))
    return [s if s.fiscal_year is not None else replace(s, fiscal_year=only) for s in sheets]


def _numbered(sheets: list[Sheet]) -> list[Sheet]:
    """Stable identifiers from file, kind, name and the ordinal among the same names."""
    seen: Counter[tuple[str, str]] = Counter()
    numbered = []
    for sheet in sheets:
        key = (sheet.kind, sheet.name)
        seen[key] += 1
        digest = hashlib.sha256("\0".join((sheet.file, *key, str(seen[key]))).encode()).hexdigest()[:12]
        numbered.append(replace(sheet, sheet_id=f"{sheet.kind[0]}{digest}"))
    return numbered
