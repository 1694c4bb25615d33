"""Splits a sheet into labelled sections with canonical fields; nothing that is printed on it is left out."""

from __future__ import annotations

import re
from collections.abc import Iterable

from corpus.blanks import table_rows
from corpus.columns import split_columns
from corpus.documents import Document, Section, Sheet, Span
from corpus.forms.loader import OTHER, Form, canonical, clean_label, form_named, kind_of
from corpus.labelled import Labelled, by_form, by_lines
from corpus.layout import EMPTY, Row, View, trim, views
from corpus.listings import entries_of
from corpus.normalize import LINE_BREAK, normalize
from corpus.scattered import by_patterns
from corpus.tables import read_tables
from corpus.tabletypes import Tables

_HEADING = re.compile(
    r"^[ \t]*(?P<label>(?:\d{1,2}\.\d{1,2}(?:\.\d{1,2})?[ ]+\S[^\n。]{0,50}|(?:表|図)[ ]?\d{1,2}(?:[-.]\d{1,2})?[ ]+\S[^\n。]{0,50}))[ ]*$",
    re.M,
)
_TERM = re.compile(r"^[ \t]*[◆◇■●○⚫▪・][ ]*(?P<label>[^\n。、]{1,40}?)[ ]*$", re.M)
_ORGANISATION = re.compile(r"^[^\s。、::\d(]{1,25}(?:部|室|局|課|センター|事務局|所|館|公室|院)$")
_UNIT = re.compile(r"^[^\s。、::\d(]{1,20}(?:係|グループ|班)$")
_YEAR_ONLY = re.compile(r"^(?:令和|平成|[RH])?\s*[\d元]{1,4}年度\S{0,6}$")
# In text out of order a leftover without a figure, a mark or a sentence is the form's own print.
_FIGURE = re.compile(r"。|[●☑✓]|\d[\d,.]+")
_SAYING = re.compile(r"[ぁ-んァ-ヴ一-龥A-Za-z]{2}|\d{2}")


def split_sections(document: Document, sheet: Sheet) -> list[Section]:
    """The sheet's sections in the order printed.

    A block of several cells (取組状況, 指標, 事業費) is one section and, where its cells can be told apart, has finer ones
    after it. What carries no label becomes a section of the field ``その他``.
    """
    found: list[Labelled] = []
    for of in views(document, sheet):
        if sheet.kind == "document":
            found += _of_part(of, sheet.name)
            continue
        form = form_named(sheet.form)
        if form is not None and form.strategy == "labels":
            own = by_form(of, form.data["label"])
            found += own
            found += _finer(document, own, form)
        elif form is not None and form.strategy == "patterns":
            found += _merged(of, by_patterns(of, form))
        else:
            found += _general(of, sheet, form)
    sections = [_section(document, item) for item in found if item.span.start < item.span.end]
    form = form_named(sheet.form)
    rest = [_section(document, item) for of in views(document, sheet) for item in _left_over(of, found)]
    if form is not None and form.strategy == "patterns" and sheet.kind == "programme":
        rest = [s for s in rest if _FIGURE.search(re.sub(r"\d{1,9}年度|No\d", "", normalize(s.text).text))]
    return sorted(_distinct([*sections, *rest]), key=lambda s: (s.span.start, -s.span.end))


def _section(document: Document, item: Labelled) -> Section:
    return Section(item.label, item.field, item.span, document.text[item.span.start : item.span.end])


def _distinct(sections: Iterable[Section]) -> list[Section]:
    kept: dict[tuple[int, int, str], Section] = {}
    for section in sections:
        if _SAYING.search(section.text) or re.search(r"\w", section.text):
            kept.setdefault((section.span.start, section.span.end, section.field), section)
    return list(kept.values())


def _finer(document: Document, blocks: list[Labelled], form: Form) -> list[Labelled]:
    finer: list[Labelled] = []
    for spec in form.data.get("columns", []):
        for block in blocks:
            if clean_label(block.label) == clean_label(spec["section"]):
                for column in split_columns(document, block.span, spec):
                    span = column.span
                    finer.append(Labelled(column.label, column.field, Span(span.start, span.start), span))
    return finer


def _merged(of: View, items: list[Labelled]) -> list[Labelled]:
    """Pieces of one block that only blank lines or stray figures part are one section again."""
    merged: list[Labelled] = []
    for item in sorted(items, key=lambda i: (i.span.start, i.span.end)):
        last = merged[-1] if merged else None
        if (
            last is not None
            and last.label == item.label
            and last.field == item.field
            and item.span.start >= last.span.end
        ):
            gap = of.raw[last.span.end - of.offset : item.span.start - of.offset]
            if re.fullmatch(r"[\s\d,.▲△－-]*", gap) and len(gap) <= 60 and kind_of(item.field) != "person":
                merged[-1] = Labelled(last.label, last.field, last.label_span, Span(last.span.start, item.span.end))
                continue
        merged.append(item)
    return merged


def _of_part(of: View, name: str) -> list[Labelled]:
    """Chapters by their numbered headings and captions, glossaries by their terms."""
    listed = entries_of(table_rows(of))
    if listed:
        first = listed[0].row.span.start
        rows_of = [Labelled(e.name, OTHER, Span(e.row.span.start, e.row.span.start), e.row.span) for e in listed]
        head = trim(of.raw, Span(0, first - of.offset), of.offset)
        return [Labelled(name, OTHER, Span(of.offset, of.offset), head), *rows_of]
    pattern, field = (_TERM, "用語") if "用語" in name else (_HEADING, OTHER)
    marks = [(m.start(), m.end(), m.span("label")) for m in pattern.finditer(of.text)]
    if field == OTHER:
        marks = [m for m in marks if m[0] == 0 or of.text[m[0] - 1] == "\n"]
    found: list[Labelled] = []
    edges = [*marks, (len(of.text), len(of.text), (0, 0))]
    if not marks or marks[0][0] > 0:
        found.append(Labelled(name, OTHER, Span(of.offset, of.offset), of.span(0, edges[0][0])))
    for i, (_, end, label) in enumerate(marks):
        a, b = of.norm.raw(*label)
        printed = LINE_BREAK.sub("", of.raw[a:b]).strip()
        found.append(Labelled(printed, field, Span(of.offset + a, of.offset + b), of.span(end, edges[i + 1][0])))
    return found


def tables_of(of: View, year: int | None, form: Form | None) -> Tables:
    """The tables of a stretch, tab-separated ones and lines of figures set with spaces."""
    return read_tables(table_rows(of), year, form.labels if form else None)


def _general(of: View, sheet: Sheet, form: Form | None) -> list[Labelled]:
    """Tables by their label cells and years, the lines between them by the labels at their starts."""
    lines = table_rows(of)
    tables = tables_of(of, sheet.fiscal_year, form)
    found: list[Labelled] = []
    for pair in tables.pairs:
        told = [cell for cell in pair.values if not cell.empty]
        if told:
            span = Span(told[0].span.start, max(pair.values[-1].span.end, told[-1].span.end))
            found.append(Labelled(_printed(of, pair.label_cell.span), pair.field, pair.label_cell.span, span))
    spans = [item.span for item in found]
    for block in tables.blocks:
        inside = any(block.span.start <= span.start and span.end <= block.span.end for span in spans)
        own = [s for s in tables.series if s.values and block.span.start <= s.row.start < block.span.end]
        field = _field_of_block(block.label, [canonical(s.label) for s in own], any(s.name for s in own))
        label = _printed(of, Span(block.span.start, block.span.start + len(block.label))) or block.label
        if not inside:
            found.append(Labelled(label, field, Span(block.span.start, block.span.start), block.span))
            continue
        for series in own:
            start = series.label_cell.span.start if series.label_cell is not None else series.values[0][1].span.start
            span = Span(start, max(cell.span.end for _, cell in series.values))
            found.append(
                Labelled(series.label or block.label, canonical(series.label) or field, Span(start, start), span)
            )
    taken = [span for item in found for span in (item.label_span, item.span)]
    plain = [row for row in lines if not row.tabbed and not _inside(row.span, taken)]
    found += _organisation(of, plain)
    known = {item.span.start for item in found}
    found += [item for item in by_lines(of, lines_around(plain, lines)) if item.span.start not in known]
    return found


def lines_around(plain: list[Row], lines: list[Row]) -> list[Row]:
    """The plain lines with the table rows between them, so that a value is known to end before a table."""
    keep = {row.span.start for row in plain}
    return [row for row in lines if row.tabbed or row.span.start in keep]


def _printed(of: View, span: Span) -> str:
    return re.sub(r"\s+", "", of.raw[span.start - of.offset : span.end - of.offset])


def _field_of_block(label: str, rows_in_it: list[str | None], named: bool) -> str:
    own = canonical(label)
    if own is not None and kind_of(own) in ("indicator", "amount") and own not in ("目標値", "実績値"):
        return own
    kinds = [kind_of(field) for field in rows_in_it if field]
    if named or "indicator" in kinds:
        return "指標"
    if "amount" in kinds:
        return "事業費"
    return own if own is not None and kind_of(own) != "group" else OTHER


def _organisation(of: View, plain: list[Row]) -> list[Labelled]:
    """Bare lines with the department and the section (係) above the first table."""
    found: list[Labelled] = []
    for row in plain[:12]:
        if canonical(row.text) is not None:
            continue  # 「所管課」 alone on its line is a label, not a department
        field, label = (
            ("担当係", "担当係")
            if _UNIT.match(row.text)
            else ("担当課", "担当課")
            if _ORGANISATION.match(row.text)
            else ("", "")
        )
        if field:
            found.append(Labelled(label, field, Span(row.span.start, row.span.start), row.span))
    return found


def _inside(span: Span, others: list[Span]) -> bool:
    return any(other.start <= span.start and span.end <= other.end for other in others if other.start < other.end)


def _says_something(text: str) -> bool:
    """Not only headings and labels: those say nothing without the values that stand in sections of their own."""
    for line in normalize(text).text.splitlines():
        heading = re.match(r"\s*#{1,6}\s", line) is not None and "年度" not in line
        cells = [cell.strip() for cell in re.split(r"\t", line) if not EMPTY.match(cell.strip())]
        if heading or all(canonical(cell) is not None or _YEAR_ONLY.match(cell) for cell in cells):
            continue
        if len(re.sub(r"[\W_]+", "", line)) >= 2:
            return len(re.sub(r"[\W_]+", "", text)) >= 4
    return False


def _left_over(of: View, found: list[Labelled]) -> list[Labelled]:
    """The stretches no section covers, where they say something."""
    covered = sorted((s.start, s.end) for item in found for s in (item.label_span, item.span) if s.start < s.end)
    gaps: list[tuple[int, int]] = []
    at, stop = of.offset, of.offset + len(of.raw)
    for start, end in covered:
        if start > at:
            gaps.append((at, min(start, stop)))
        at = max(at, end)
    if at < stop:
        gaps.append((at, stop))
    rest: list[Labelled] = []
    for start, end in gaps:
        bars = re.compile(r"[\s|]*").match(of.raw, start - of.offset, end - of.offset)
        start = of.offset + bars.end() if bars is not None else start
        while end > start and of.raw[end - 1 - of.offset] in "| \t\r\n":
            end -= 1
        span = trim(of.raw, Span(start - of.offset, max(start, end) - of.offset), of.offset)
        text = of.raw[span.start - of.offset : span.end - of.offset]
        if _says_something(text):
            rest.append(Labelled(OTHER, OTHER, Span(span.start, span.start), span))
    return rest
