"""Facts of the forms that a TOML describes by patterns: figures out of order, put together and checked by arithmetic."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from corpus.amounts import in_yen
from corpus.documents import Document, Fact, FactKind, Section, Sheet, Span
from corpus.forms.loader import Form, compiled
from corpus.layout import EMPTY, View
from corpus.normalize import LINE_BREAK, normalize
from corpus.periods import Period, find_periods, fiscal_year
from corpus.scattered import hits

_NUMBER = re.compile(r"(?:▲\s*)?-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
Numbers = list[tuple[float, int, int]]


def numbers_in(text: str, offset: int = 0) -> Numbers:
    """(value, start, end) of every figure; figures printed without a gap are cut at their thousands.

    >>> [n[0] for n in numbers_in("546,21814,650,107")]
    [546218.0, 14650107.0]
    """
    found = []
    for m in _NUMBER.finditer(text):
        digits = re.sub(r"[▲\s,]", "", m.group())
        found.append((-float(digits) if "▲" in m.group() else float(digits), offset + m.start(), offset + m.end()))
    return found


def facts_of_form(document: Document, of: View, sheet: Sheet, form: Form, sections: Sequence[Section]) -> list[Fact]:
    """The facts of a form's ``[[fact]]`` and ``[[rows]]`` tables in one stretch of a sheet."""
    facts: list[Fact] = []
    for spec in form.data.get("fact", []):
        facts += _facts(document, of, sheet, form, spec)
    for spec in form.data.get("rows", []):
        facts += _rows(document, of, sheet, spec, sections)
    return facts


# ---- single values -------------------------------------------------------------------------------------------------


def _facts(document: Document, of: View, sheet: Sheet, form: Form, spec: Mapping[str, Any]) -> list[Fact]:
    if "regexes" in spec:
        found = [next(hits(of, {**spec, "regex": regex}), None) for regex in spec["regexes"]]
        if any(hit is None for hit in found):
            return []
        matches = [[hit for hit in found if hit is not None]]
    else:
        matches = [[hit] for hit in hits(of, spec)]
    facts: list[Fact] = []
    for together in matches:
        groups: dict[str, tuple[re.Match[str], str]] = {}
        for match in together:
            groups.update({k: (match, v) for k, v in match.groupdict().items() if v is not None})
        values = {k: n[0][0] for k, (_, v) in groups.items() if (n := numbers_in(v))}
        if not all(_holds(check, values) for check in spec.get("checks", [])):
            continue
        for cell in [*spec.get("values", []), *spec.get("texts", [])]:
            fact = _fact(document, of, sheet, form, spec, cell, groups)
            if fact is not None:
                facts.append(fact)
    return facts


def _fact(
    document: Document,
    of: View,
    sheet: Sheet,
    form: Form,
    spec: Mapping[str, Any],
    cell: Mapping[str, Any],
    groups: Mapping[str, tuple[re.Match[str], str]],
) -> Fact | None:
    if cell["group"] not in groups:
        return None
    match, text = groups[cell["group"]]
    if EMPTY.match(text):
        return None
    span = of.span(*match.span(cell["group"]))
    quote = of.span(*(match.span("quote") if "quote" in match.re.groupindex else match.span()))
    if quote.end - quote.start > 300 or quote.end < span.end:
        quote = span
    said = {k: re.sub(r"\s+", "", v) for k, (_, v) in groups.items()}
    label = cell["label"].format(**said) if "label" in cell else ""
    period = _period(sheet, cell.get("year"), said)
    kind: FactKind | None = cell.get("kind")
    inferred = cell.get("inferred", spec.get("inferred", True))
    printed = document.text[span.start : span.end]
    is_text = any(cell is other for other in spec.get("texts", []))
    if is_text:
        return Fact(cell["field"], label, None, LINE_BREAK.sub("", printed), "", period, kind, span, quote, inferred)
    figures = numbers_in(text)
    if len(figures) != 1:
        return None
    unit = str(cell.get("unit", spec.get("unit", form.data.get("unit", "")))).format(**said)
    value, unit = in_yen(figures[0][0], unit)
    return Fact(cell["field"], label, value, printed, unit, period, kind, span, quote, inferred)


def _period(sheet: Sheet, year: Any, said: Mapping[str, str]) -> Period | None:
    """``year`` is an offset from the sheet's year, a text with group names in braces, or None."""
    if isinstance(year, int):
        return fiscal_year(sheet.fiscal_year + year) if sheet.fiscal_year is not None else None
    if isinstance(year, str):
        found = find_periods(year.format(**said), sheet.fiscal_year)
        return found[0].period if found else None
    return None


def _holds(check: Mapping[str, Any], values: Mapping[str, float]) -> bool:
    """Whether the figures bear each other out: a difference, a sum, a share (or what is left of a falling target)."""

    def near(a: float, b: float) -> bool:
        return abs(a - b) <= float(check.get("tolerance", 1.0))

    names = check.get("difference") or check.get("sum") or check.get("percent") or []
    if any(name not in values for name in names):
        return False
    got = [values[name] for name in names]
    if "difference" in check:  # [later, earlier, difference]
        return near(got[0] - got[1], got[2])
    if "sum" in check:  # [total, part, part …]
        return near(got[0], sum(got[1:]))
    if not got[1]:
        return False
    share = got[0] / got[1] * 100  # [actual, plan, rate]; for a falling target the rate is 200 - share
    return min(abs(share - got[2]), abs(200 - share - got[2])) <= float(check.get("tolerance", 0.1))


# ---- rows of figures broken into pieces ----------------------------------------------------------------------------


def _rows(
    document: Document, of: View, sheet: Sheet, spec: Mapping[str, Any], sections: Sequence[Section]
) -> list[Fact]:
    """Rows of a table whose figures lie in several places: a row's own ones, then the pieces the form's joins name."""
    pieces: dict[str, Numbers] = {}
    quotes: dict[str, tuple[int, int]] = {}
    for name, regex in spec.get("pieces", {}).items():
        found = next(hits(of, {**spec, "regex": regex}), None)
        if found is not None:
            pieces[name] = numbers_in(found["values"], found.start("values"))
            quotes[name] = found.span("values")
    years = [_column_period(of, sheet, spec, year) for year in spec["years"]]
    facts: list[Fact] = []
    for label, unit, figures, line in _labelled_rows(of, sheet, spec, sections):
        join = spec["joins"].get(str(len(figures)))
        if join is None or any(name not in pieces for name in join if name != "own"):
            continue
        parts = [(n, name) for name in join for n in (figures if name == "own" else pieces[name])]
        if len(parts) != len(years):
            continue
        for ((value, start, end), name), (period, kind) in zip(parts, years, strict=True):
            if period is None:
                continue
            span = of.span(start, end)
            quote = of.span(*(line if name == "own" else quotes[name]))
            printed = document.text[span.start : span.end]
            amount, of_unit = in_yen(value, unit)
            facts.append(Fact(spec["field"], label, amount, printed, of_unit, period, kind, span, quote, len(join) > 1))
    return facts


def _column_period(of: View, sheet: Sheet, spec: Mapping[str, Any], year: int | str) -> tuple[Period | None, FactKind]:
    if isinstance(year, int):
        kind: FactKind = "plan" if year >= spec.get("plan_from", 1) else "actual"
        return (fiscal_year(sheet.fiscal_year + year) if sheet.fiscal_year is not None else None), kind
    found = next(hits(of, {**spec, "regex": year}), None)
    read = find_periods(re.sub(r"\s+", "", found["goal"]), sheet.fiscal_year) if found is not None else []
    return (read[0].period if read else None), "plan"


def _labelled_rows(
    of: View, sheet: Sheet, spec: Mapping[str, Any], sections: Sequence[Section]
) -> Iterable[tuple[str, str, Numbers, tuple[int, int]]]:
    """(label, unit, figures, line) of every row in the form's region: one line, or a label above its figures."""
    not_label = compiled(spec["not_labels"]) if "not_labels" in spec else None
    for section in sections:
        if section.label != spec["section"] or not of.offset <= section.span.start < of.offset + len(of.raw):
            continue
        before: tuple[int, int] | None = None
        for block in _blocks(of, section.span):
            text = of.text[slice(*block)]
            figures = numbers_in(text, block[0])
            alone = re.fullmatch(r"[\s\d,.▲-]+", text) is not None
            if alone and before is not None:
                yield (*_name_and_unit(of, *before), figures, block)
            elif not alone:
                for line in re.finditer(r"[^\n]+", text):
                    row = re.match(r"(?P<label>.*?[^\d\s,.▲-])(?P<figures>(?:[ ]+-?[\d▲][\d,.▲ -]*))$", line.group())
                    if row is not None and not (not_label and not_label.search(row["label"])):
                        own = numbers_in(row["figures"], block[0] + line.start() + row.start("figures"))
                        begin = block[0] + line.start()
                        yield (
                            *_name_and_unit(of, begin, begin + row.end("label")),
                            own,
                            (begin, block[0] + line.end()),
                        )
            is_label = (
                not alone and not re.search(r"。|\s-?[\d,.]+\s*$", text) and not (not_label and not_label.search(text))
            )
            before = block if is_label and text.count("\n") <= 1 else None
    if "bare" in spec:
        found = next(hits(of, {**spec, "regex": spec["bare"]}), None)
        if found is not None:
            yield (*_name_and_unit(of, *found.span("label")), [], found.span("label"))


def _blocks(of: View, span: Span) -> list[tuple[int, int]]:
    """Stretches of the normalised text between blank lines, within a section."""
    starts = [i for i, start in enumerate(of.norm.starts) if of.offset + start >= span.start]
    begin = starts[0] if starts else 0
    ends = [i for i, end in enumerate(of.norm.ends) if of.offset + end <= span.end]
    stop = ends[-1] + 1 if ends else len(of.text)
    return [m.span() for m in re.compile(r"\S[^\n]*(?:\n[ \u3000]*\S[^\n]*)*").finditer(of.text, begin, stop)]


def _name_and_unit(of: View, start: int, end: int) -> tuple[str, str]:
    """A row's label as printed, and the unit in its brackets."""
    span = of.span(start, end)
    printed = LINE_BREAK.sub("", of.raw[span.start - of.offset : span.end - of.offset]).strip()
    unit = re.search(r"\(([^()]{1,4})\)", normalize(printed).text)
    return printed, unit[1] if unit and re.fullmatch(r"%|千円|円|百万円|件|人|回|台|枚|時間|分|日", unit[1]) else ""
