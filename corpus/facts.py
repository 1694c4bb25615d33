"""Typed cells of a sheet: amounts, staff, indicators, ratings and choices, each with the stretch that proves it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from corpus.amounts import YEN, find_amounts
from corpus.columns import split_columns, split_items
from corpus.documents import Document, Fact, FactKind, Section, Sheet, Span
from corpus.figures import facts_of_form
from corpus.forms.loader import OTHER, Form, canonical, clean_label, kind_of
from corpus.layout import Cell, View, view, views
from corpus.normalize import normalize
from corpus.periods import Period, find_periods, fiscal_year
from corpus.sections import form_named, tables_of
from corpus.summaries import facts_of_summary
from corpus.tables import Column, Pair, Series, Tables

_UNIT_SAID = re.compile(r"\((?:単位\s*[::]?\s*)?(千円|百万円|万円|億円|円)\)|単位\s*[::]?\s*\(?(千円|百万円|万円|億円|円)|金額\S{0,4}[::]\s*(千円|百万円|万円|円)")
_IN_BRACKETS = re.compile(r"[((]([^()()]{1,8})[))]\s*$")
_MARK = re.compile(r"[A-ESＡ-ＥＳ]|ランク\s*\S{1,2}|[◎○△×]|[A-E]\s*[::(]\s*[^\d。]{1,16}\)?")
_MARKED = re.compile(r"^[A-EＡ-ＥSＳ1-5◎○△×][\s::.、(（]")


def extract_facts(document: Document, sheet: Sheet, sections: Sequence[Section]) -> list[Fact]:
    """Every figure, rating and choice of a sheet whose meaning is certain, in the order printed.

    Amounts are in 円 whatever the sheet prints. A figure whose year or row cannot be told is left out: it stays
    searchable in its section.
    """
    return read_facts(document, sheet, sections)[0]


def read_facts(document: Document, sheet: Sheet, sections: Sequence[Section]) -> tuple[list[Fact], list[str]]:
    """The facts of a sheet, and Japanese sentences about figures that were not believed."""
    form = form_named(sheet.form)
    facts: list[Fact] = []
    warnings: list[str] = []
    for of in views(document, sheet):
        if sheet.kind == "document":
            facts += facts_of_summary(document, of, form)
            continue
        if form is None or form.strategy != "patterns":
            tables = tables_of(of, sheet.fiscal_year, form)
            money = _unit_said(of.text)
            for series in tables.series:
                facts += _of_series(of, sheet, _completed(series, tables, sheet), money, warnings)
            for pair in tables.pairs:
                facts += _of_pair(of, sheet, pair) or _of_single(of, sheet, pair, money)
            facts += _of_lines(of, sheet)
        if form is not None:
            facts += facts_of_form(document, of, sheet, form, sections)
    if form is not None:
        facts += _of_columns(document, sheet, sections, form)
    for told in _of_sections(document, sheet, sections):
        if not any(f.field == told.field and told.span.start <= f.span.start < told.span.end for f in facts):
            facts.append(told)
    return _distinct(facts), warnings


def _distinct(facts: list[Fact]) -> list[Fact]:
    seen: dict[tuple[object, ...], Fact] = {}
    for fact in facts:
        key = (fact.field, fact.label, fact.span.start, fact.period.start if fact.period else None, fact.kind)
        seen.setdefault(key, fact)
    return sorted(seen.values(), key=lambda f: (f.span.start, f.span.end))


def _unit_said(text: str) -> str:
    """The money unit a sheet states for all its tables, "" when it states none or several."""
    found = {next(g for g in m.groups() if g) for m in _UNIT_SAID.finditer(text)}
    return found.pop() if len(found) == 1 else ""


# ---- rows of figures under years ----------------------------------------------------------------------------------


def _completed(series: Series, tables: Tables, sheet: Sheet) -> Series:
    """The row with its columns' kind where the header gives years alone: what has a 決算額 is settled, the rest planned."""
    if all(c.kind is not None or c.what for c in series.header.columns):
        return series
    together = [s for s in tables.series if s.header is series.header]
    settled = {c.cell.column for s in together if canonical(s.label) == "決算額" for c, _ in s.values}
    amounts = any(kind_of(canonical(s.label) or "") == "amount" for s in together)
    if not amounts:
        return series

    def kind(column: Column) -> FactKind | None:
        if column.kind is not None or column.what:
            return column.kind
        if settled:
            return "actual" if column.cell.column in settled else "plan"
        if sheet.fiscal_year is None:
            return None
        return "actual" if column.period.fiscal_year <= sheet.fiscal_year else "plan"

    values = tuple((replace(column, kind=kind(column)), cell) for column, cell in series.values)
    return replace(series, values=values, inferred=series.inferred or not settled)


def _of_single(of: View, sheet: Sheet, pair: Pair, money: str) -> list[Fact]:
    """「令和6年度当初予算額 | 142,000千円」: one figure beside its label, of the year in the label or of the sheet's."""
    kind = kind_of(pair.field)
    told = [cell for cell in pair.values if not cell.empty]
    if kind not in ("amount", "staff", "rate", "hours") or len(told) != 1:
        return []
    amounts = find_amounts(told[0].text)
    if len(amounts) != 1 or amounts[0].start > 2 or len(told[0].text) - (amounts[0].end - amounts[0].start) > 6:
        return []
    years = find_periods(normalize(pair.label).text, sheet.fiscal_year)
    if not years and sheet.fiscal_year is None:
        return []
    period = years[0].period if years else fiscal_year(sheet.fiscal_year or 0)
    value, unit = amounts[0].value, amounts[0].unit
    said = _bracket_unit(pair.label) or (money if kind == "amount" else {"staff": "人", "rate": "%", "hours": "時間"}[kind])
    if not unit:
        value, unit = (value * YEN[said], "円") if said in YEN else (value, said)
    what: FactKind | None = "plan" if pair.field == "予算額" else "actual" if pair.field == "決算額" else None
    quote = Span(pair.label_cell.span.start, told[0].span.end)
    return [Fact(pair.field, _tidy(pair.label), value, _raw(of, told[0].span), unit, period, what, told[0].span, quote, not years)]


_SAID = re.compile(
    r"(?P<year>(?:令和|平成|[RH])\s*(?:元|\d{1,2})\s*年度)\s*の?\s*(?:当初|補正後|最終)?(?P<what>予算|決算)額?\s*[::は]?\s*"
    r"(?P<figure>[\d,]+(?:\.\d+)?\s*(?:千円|百万円|万円|億円|円))"
)


def _of_lines(of: View, sheet: Sheet) -> list[Fact]:
    """「事業費の推移（令和6年度予算額 103,500千円）」: a figure whose year, kind and unit are all said beside it."""
    facts: list[Fact] = []
    for found in _SAID.finditer(of.text):
        years, amounts = find_periods(found["year"]), find_amounts(found["figure"])
        if not years or len(amounts) != 1:
            continue
        span, quote = of.span(*found.span("figure")), of.span(*found.span())
        field, kind = ("予算額", "plan") if found["what"] == "予算" else ("決算額", "actual")
        what: FactKind = "plan" if kind == "plan" else "actual"
        facts.append(Fact(field, field, amounts[0].value, _raw(of, span), "円", years[0].period, what, span, quote))
    return facts


def _of_series(of: View, sheet: Sheet, series: Series, money: str, warnings: list[str]) -> list[Fact]:
    if not series.values:
        return []
    label = clean_label(series.label) if series.label else ""
    what = canonical(series.label) if series.label else None
    group = canonical(series.header.label) if series.header.label else None
    kind = kind_of(what or "")
    indicator = bool(series.name) or what in ("目標値", "実績値") or (kind == "text" and kind_of(group or "") == "indicator")
    if what in ("目標値", "実績値") and not series.name and kind_of(group or "") != "indicator":
        return []  # figures of a target of nothing
    own: FactKind | None = "plan" if what == "目標値" else "actual" if what == "実績値" else None
    inferred = series.inferred
    if indicator and not series.label:
        if not series.name:
            return []
        own, inferred = "plan", True  # the row between the years and 実績 holds the targets
    field, name = _named(series, what, group, kind, indicator, label)
    kind = "amount" if kind_of(field) == "amount" else kind
    start = series.label_cell.span.start if series.label_cell is not None else series.values[0][1].span.start
    quote = Span(min(start, series.values[0][1].span.start), max(cell.span.end for _, cell in series.values))
    facts: list[Fact] = []
    for column, cell in series.values:
        fact_kind = _kind(own, what, column)
        if column.what:
            rate = find_amounts(cell.text) if column.what in ("執行率", "達成率") else []
            if len(rate) == 1:
                facts.append(Fact(column.what, name, rate[0].value, _raw(of, cell.span), "%", column.period, "actual", cell.span, quote, inferred))
            continue
        if fact_kind == "actual" and sheet.fiscal_year is not None and column.period.fiscal_year > sheet.fiscal_year and indicator:
            warnings.append(f"「{name}」の{column.period.label}の実績欄に値（{cell.text}）がありますが、報告年度より後のため読み取りませんでした。")
            continue
        read = _figure(cell, series, what, kind, money, indicator)
        if read is None:
            continue
        value, unit = read
        facts.append(Fact(field, name, value, _raw(of, cell.span), unit, column.period, fact_kind, cell.span, quote, inferred))
    return facts


def _named(
    series: Series, what: str | None, group: str | None, kind: str, indicator: bool, label: str
) -> tuple[str, str]:
    """(canonical field, label as printed) of a row of figures."""
    if indicator:
        field = group if group in ("活動指標", "成果指標", "実績の推移") else "指標"
        return field, _tidy(series.name or series.label)
    printed = _tidy(re.sub(r"\((?:千円|円|百万円|万円|[A-F](?:\+[A-F])*)\)$", "", normalize(series.label).text).strip() or series.label)
    if what is not None and kind in ("amount", "staff", "hours", "rate"):
        return what, printed
    if kind_of(group or "") == "amount":
        return group or OTHER, printed
    if label == "その他":
        return "その他特定財源", printed
    return (what or OTHER), printed or label


def _kind(own: FactKind | None, what: str | None, column: Column) -> FactKind | None:
    if own is not None:
        return own
    if what == "予算額":
        return "plan"
    if what == "決算額":
        return "actual"
    return column.kind


def _figure(cell: Cell, series: Series, what: str | None, kind: str, money: str, indicator: bool) -> tuple[float, str] | None:
    """A cell's number and unit; amounts in 円."""
    amounts = find_amounts(cell.text)
    if len(amounts) != 1:
        return None
    value, unit = amounts[0].value, amounts[0].unit
    if kind == "amount":
        said = unit or _bracket_unit(series.label) or _bracket_unit(series.header.label) or money
        if said in YEN and unit != "円":
            value, unit = value * YEN[said], "円"
        return value, unit
    if unit:
        return value, unit
    if kind == "staff":
        return value, "人"
    if kind == "hours":
        return value, "時間"
    if kind == "rate":
        return value, "%"
    if indicator:
        said = normalize(series.unit).text or _bracket_unit(series.name) or _bracket_unit(series.label)
        if said in YEN:
            return value * YEN[said], "円"
        return value, said
    said = _bracket_unit(series.label) or _bracket_unit(series.header.label)
    if said in YEN:
        return value * YEN[said], "円"
    return value, said


def _bracket_unit(label: str) -> str:
    found = _IN_BRACKETS.search(normalize(label).text.strip())
    unit = re.sub(r"^単位\s*[::]?\s*", "", found[1]).strip() if found else ""
    return unit if unit and not re.fullmatch(r"[A-F](?:\+[A-F])*", unit) else ""


def _tidy(text: str) -> str:
    return re.sub(r"\s*\n\s*", "", text).strip()


def _raw(of: View, span: Span) -> str:
    return of.raw[span.start - of.offset : span.end - of.offset]


# ---- ratings and choices ------------------------------------------------------------------------------------------


def _of_pair(of: View, sheet: Sheet, pair: Pair) -> list[Fact]:
    kind = kind_of(pair.field)
    told = [cell for cell in pair.values if not cell.empty]
    if told and kind in ("text", "indicator") and _MARK.fullmatch(told[0].text.strip()):
        kind = "rating"  # 「改善に向けた取組 | A」
    if kind not in ("rating", "choice", "year") or not told or pair.values[0].empty:
        return []
    first = told[0]
    text = first.text
    if len(text) <= 2 and re.fullmatch(r"[A-ES1-5]", text) and len(told) > 1 and told[1].column == first.column + 1 and len(told[1].text) <= 20 and kind == "choice":
        text = f"{text} {told[1].text}"
    if len(text) > 40 or "。" in text:
        return []
    quote = Span(min(pair.label_cell.span.start, first.span.start), told[-1].span.end)
    if pair.label_cell.span.end > first.span.start or "\n" in of.raw[pair.label_cell.span.end - of.offset : first.span.start - of.offset]:
        quote = Span(first.span.start, told[-1].span.end)
    return [_told(sheet, pair.field, _tidy(pair.label), text, first.span, quote)]


def _told(sheet: Sheet, field: str, label: str, text: str, span: Span, quote: Span, period: Period | None = None) -> Fact:
    if period is None and kind_of(field) == "rating" and sheet.fiscal_year is not None and field != "目標達成状況の評価":
        period = fiscal_year(sheet.fiscal_year)
    if kind_of(field) == "year":
        years = find_periods(normalize(text).text, sheet.fiscal_year)
        period = years[0].period if years else None
    return Fact(field, label, None, text, "", period, None, span, quote)


def _of_sections(document: Document, sheet: Sheet, sections: Sequence[Section]) -> list[Fact]:
    """Choices and ratings that stand as a short section: 「事業段階 運用・実施」「総合評価　Ａ」."""
    facts: list[Fact] = []
    for section in sections:
        kind = kind_of(section.field)
        text = _tidy(section.text)
        if kind not in ("choice", "rating", "year") or section.field == OTHER:
            continue
        if kind == "rating" and _MARKED.match(text) and len(text) > 40:
            text = re.split(r"[\s。]", text, maxsplit=1)[0]
        if not text or len(text) > 40 or re.search(r"[。\t\n]", section.text):
            continue
        before = document.text[max(0, section.span.start - 40) : section.span.start]
        at = before.rfind(section.label[-4:]) if section.label else -1
        start = section.span.start
        if at >= 0 and not before[at + len(section.label[-4:]) :].replace("：", ":").strip(": \n\t\u3000"):
            whole = document.text.rfind(section.label, max(0, start - len(section.label) - 40), start)
            start = whole if whole >= 0 else start
        facts.append(_told(sheet, section.field, section.label, text, section.span, Span(start, section.span.end)))
    return facts


# ---- blocks of columns with numbered items ------------------------------------------------------------------------


def _of_columns(document: Document, sheet: Sheet, sections: Sequence[Section], form: Form) -> list[Fact]:
    """目標達成指標 / 基準値 / 実績: item (n) of each column belongs together."""
    facts: list[Fact] = []
    for spec in form.data.get("columns", []):
        for block in sections:
            if clean_label(block.label) != clean_label(spec["section"]):
                continue
            columns = split_columns(document, block.span, spec)
            cells = {c.field: split_items(document, c.span) for c in columns}
            if len(columns) != 3 or len({len(items) for items in cells.values()}) != 1:
                continue
            name_field = next(c.field for c in columns if c.field not in ("目標値", "実績値"))
            period = _period_of_block(block.text, sheet) if spec["fields"][0] != "指標" else (fiscal_year(sheet.fiscal_year) if sheet.fiscal_year else None)
            for i, name in enumerate(cells[name_field]):
                label = _tidy(document.text[name.start : name.end])
                if spec["fields"][0] != "指標":
                    label = _before_figure(document, cells["目標値"][i]) or label
                pairs: list[tuple[FactKind, Span]] = [("plan", cells["目標値"][i]), ("actual", cells["実績値"][i])]
                facts += [_item(document, "指標", label, kind, span, period) for kind, span in pairs]
    return [fact for fact in facts if fact.value is not None]


def _before_figure(document: Document, cell: Span) -> str:
    """「障害管理記録の作成完了（稼働率 99.5%以上）」 is about 稼働率: the words before the figure name it."""
    text = _tidy(document.text[cell.start : cell.end])
    found = re.search(r"(?P<name>[^\d０-９()（）、。\s：:／/]{2,20})[\s：:はが]*[約]?[0-9０-９]", text)
    return found["name"] if found is not None else ""


def _period_of_block(text: str, sheet: Sheet) -> Period | None:
    found = find_periods(re.sub(r"\s+", "", normalize(text).text[:60]))
    if found:
        return found[0].period
    return fiscal_year(sheet.fiscal_year) if sheet.fiscal_year else None


def _item(document: Document, field: str, label: str, kind: FactKind, span: Span, period: Period | None) -> Fact:
    of = view(document, span)
    text = document.text[span.start : span.end]
    amounts = find_amounts(re.sub(r"\s*\n\s*", "", text))
    value, unit = (amounts[0].value, amounts[0].unit) if len(amounts) == 1 else (None, "")
    if unit in ("年度", "年", "月", "日", "か月"):
        value, unit = None, ""  # 「令和2年度に完了」 is a date
    if not unit and value is not None:
        bracket = re.search(r"\d\s*\(([^()\d]{1,3})\)", of.text)
        unit = bracket[1] if bracket else ""
    return Fact(field, label, value, text, unit, period, kind, span, span)
