"""Typed cells of a sheet: amounts, staff, indicators, ratings and choices, each with the stretch that proves it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from corpus.amounts import find_amounts
from corpus.blanks import table_rows
from corpus.choices import chosen, has_boxes
from corpus.columns import split_columns, split_items
from corpus.documents import Document, Fact, FactKind, Section, Sheet, Span
from corpus.figures import facts_of_form
from corpus.forms.loader import FIGURE_KINDS, OTHER, Form, clean_label, form_named, kind_of
from corpus.layout import View, one_line, view, views
from corpus.listings import entries_of, facts_of_list
from corpus.normalize import LINE_BREAK, normalize
from corpus.periods import Period, find_periods, fiscal_year
from corpus.sections import tables_of
from corpus.series import facts_of_tables, figure_beside, unit_of_all, unit_said
from corpus.summaries import facts_of_summary
from corpus.tabletypes import Pair
from corpus.targets import facts_of_targets

_MARK = re.compile(r"[A-ESＡ-ＥＳ]|ランク\s*\S{1,2}|[◎○△×]|[A-E]\s*[::(]\s*[^\d。]{1,16}\)?")
_MARKED = re.compile(r"^[A-EＡ-ＥSＳ1-5◎○△×][\s::.、(（]")


_YEAR_AND_FIGURE = re.compile(
    r"(?P<year>(?:[RH]|令和|平成)?(?:元|\d{1,4})年度?)[ \u3000:は]*+(?P<figure>\d[\d,.]*+(?:[ \u3000](?=[^\s\d、。:]))?[^\s\d、。:]{0,4})(?:[\s、]++|$)"
)
_YEARS = re.compile(rf"(?:{re.sub('[?]P<[a-z]+>', '?:', _YEAR_AND_FIGURE.pattern)}){{2,}}")

_DIRECTION = re.compile(
    r"(?:拡充|拡大|重点化|重点的に推進|充実|現状維持|現状のまま|現行どおり|維持|継続|改善|見直し|縮小|統合|廃止|休止|終了|完了|移管|検討)"
    r"(?:して継続|しながら継続|・(?:継続|縮小|統合|廃止|休止|完了|終了|改善|見直し))?"
)
# Texts that a list of sheets is asked for by (「地方自治法に基づく事業」); a longer one is prose.
_PRINTED = ("根拠法令",)
_MOST_PRINTED = 120


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
            facts += facts_of_list(document, of, entries_of(table_rows(of)), sheet.fiscal_year)
            continue
        if form is None or form.strategy != "patterns":
            tables = tables_of(of, sheet.fiscal_year, form)
            figures, doubts = facts_of_tables(of, sheet, tables)
            facts += figures
            warnings += doubts
            for pair in tables.pairs:
                facts += _of_pair(of, sheet, pair)
        if form is not None:
            facts += facts_of_form(document, of, sheet, form, sections)
    if form is not None:
        facts += _of_columns(document, sheet, sections, form)
    facts += _of_head(document, sheet, sections)
    money = unit_said(" ".join(of.text for of in views(document, sheet))) or unit_of_all(document.text)
    for told in _of_sections(document, sheet, sections, money):
        if not any(f.field == told.field and told.span.start <= f.span.start < told.span.end for f in facts):
            facts.append(told)
    read = {fact.span.start for fact in facts}
    facts += [fact for fact in facts_of_targets(document, sheet, sections) if fact.span.start not in read]
    kept, doubts = _without_contradictions(_distinct(facts))
    return kept, warnings + doubts


def _without_contradictions(facts: list[Fact]) -> tuple[list[Fact], list[str]]:
    """Without the guessed figures that say different things of one row, year and kind, and a sentence for each.

    Two labels beside their figures may well disagree: then the sheet does, and both are shown.
    """
    told: dict[tuple[object, ...], set[float]] = {}
    for fact in facts:
        if fact.value is not None and fact.inferred:
            told.setdefault(_row_of(fact), set()).add(fact.value)
    doubtful = {key for key, values in told.items() if len(values) > 1}
    kept = [f for f in facts if f.value is None or not f.inferred or _row_of(f) not in doubtful]
    names = dict.fromkeys(
        f"「{f.label}」の{f.period.label if f.period else ''}" for f in facts if _row_of(f) in doubtful
    )
    return kept, [f"{name}の値を一つに決められないため、数値として読み取りませんでした。" for name in names]


def _row_of(fact: Fact) -> tuple[object, ...]:
    return (fact.field, fact.label, fact.unit, fact.period.start if fact.period else None, fact.kind)


def _distinct(facts: list[Fact]) -> list[Fact]:
    seen: dict[tuple[object, ...], Fact] = {}
    for fact in facts:
        key = (fact.field, fact.label, fact.span.start, fact.period.start if fact.period else None, fact.kind)
        seen.setdefault(key, fact)
    return sorted(seen.values(), key=lambda f: (f.span.start, f.span.end))


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
    if (
        len(text) <= 2
        and re.fullmatch(r"[A-ES1-5]", text)
        and len(told) > 1
        and told[1].column == first.column + 1
        and len(told[1].text) <= 20
        and kind == "choice"
    ):
        text = f"{text} {told[1].text}"
    if kind in ("rating", "choice"):
        boxed = " ".join(cell.text for cell in told) if has_boxes(text) else text
        text = chosen(boxed, several=kind == "choice")
    if not text or len(text) > 40 or "。" in text:
        return []
    quote = Span(min(pair.label_cell.span.start, first.span.start), told[-1].span.end)
    if (
        pair.label_cell.span.end > first.span.start
        or "\n" in of.raw[pair.label_cell.span.end - of.offset : first.span.start - of.offset]
    ):
        quote = Span(first.span.start, told[-1].span.end)
    label = one_line(of.raw[pair.label_cell.span.start - of.offset : pair.label_cell.span.end - of.offset])
    return [_told(sheet, pair.field, label, text, first.span, quote)]


def _told(
    sheet: Sheet, field: str, label: str, text: str, span: Span, quote: Span, period: Period | None = None
) -> Fact:
    if (
        period is None
        and kind_of(field) == "rating"
        and sheet.fiscal_year is not None
        and field != "目標達成状況の評価"
    ):
        period = fiscal_year(sheet.fiscal_year)
    if kind_of(field) == "year":
        years = find_periods(normalize(text).text, sheet.fiscal_year)
        period = years[0].period if years else None
    return Fact(field, label, None, text, "", period, None, span, quote)


def _of_sections(document: Document, sheet: Sheet, sections: Sequence[Section], money: str) -> list[Fact]:
    """Choices and ratings that stand as a short section: 「事業段階 運用・実施」「総合評価　Ａ」."""
    facts: list[Fact] = []
    for section in sections:
        kind = kind_of(section.field)
        text = one_line(section.text)
        if kind in FIGURE_KINDS:
            text, span = _first_cell(section)
            quote = Span(_labelled(document, section).start, span.end)
            facts += figure_beside(sheet, section.field, section.label, text, span, quote, money)
            continue
        if section.field in _PRINTED and _is_printed(text):
            # A merged cell's text may stand once for each of its columns.
            text = "、".join(dict.fromkeys(part.strip() for part in text.split("\t") if part.strip()))
            facts.append(_told(sheet, section.field, section.label, text, section.span, _labelled(document, section)))
            continue
        line, _, rest = section.text.partition("\n")
        if rest.strip() and "方向性" in section.label and _DIRECTION.fullmatch(line.strip()):
            # 「今後の方向性」, 「改善」 and below it 「改善の内容」, a label that nobody knows, with its text.
            span = Span(section.span.start, section.span.start + len(line.rstrip()))
            if document.text[span.start : span.end] == line.rstrip():
                facts.append(_told(sheet, section.field, section.label, line.strip(), span, span))
            continue
        if kind not in ("choice", "rating", "year") or section.field == OTHER:
            continue
        if kind == "rating" and _MARKED.match(text) and len(text) > 40:
            text = re.split(r"[\s。]", text, maxsplit=1)[0]
        ticked = kind in ("rating", "choice") and has_boxes(text)
        text = chosen(text, several=kind == "choice") if kind in ("rating", "choice") else text
        if not text or len(text) > 40 or (not ticked and re.search(r"[。\t\n]", section.text)):
            continue
        facts.append(_told(sheet, section.field, section.label, text, section.span, _labelled(document, section)))
    return facts


def _first_cell(section: Section) -> tuple[str, Span]:
    """The text beside a label, without a label that nobody knows and its value behind it: 「46,558 | 増減 | ▲2,451」."""
    first, tab, rest = section.text.partition("\t")
    if not tab or section.span.end - section.span.start != len(section.text) or re.search(r"\d", rest.split("\t")[0]):
        return section.text, section.span
    return first, Span(section.span.start, section.span.start + len(first))


def _is_printed(text: str) -> bool:
    return 2 <= len(text) <= _MOST_PRINTED and re.search(r"[一-龥]", text) is not None and text not in ("なし", "無し")


def _labelled(document: Document, section: Section) -> Span:
    """A section's span from its label, where that stands directly before the value."""
    start = section.span.start
    before = document.text[max(0, start - 60) : start]
    at = before.rfind(section.label) if section.label else -1
    between = before[at + len(section.label) :].replace("：", ":")
    return Span(start - len(before) + at if at >= 0 and not between.strip(": \n\t\u3000") else start, section.span.end)


def _of_head(document: Document, sheet: Sheet, sections: Sequence[Section]) -> list[Fact]:
    """The department, quoted together with the programme's name where the two are printed side by side."""
    if sheet.kind == "document":
        return []
    name = next((s for s in sections if s.field == "事務事業名"), None)
    department = next(
        (s for s in sections if s.field == "担当課" and s.text.strip() and s.text.split()[-1] in sheet.department), None
    )
    if department is None:
        return []
    start = document.text.rfind("\n", 0, department.span.start) + 1
    quote = Span(
        start if document.text[start : department.span.start].strip() else department.span.start, department.span.end
    )
    if name is not None and 0 <= department.span.start - name.span.end <= 60:
        line = document.text.rfind("\n", 0, name.span.start) + 1
        quote = Span(
            line + len(document.text[line : name.span.start]) - len(document.text[line : name.span.start].lstrip()),
            department.span.end,
        )
    return [Fact("担当課", department.label, None, sheet.department, "", None, None, department.span, quote)]


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
            period = (
                _period_of_block(block.text, sheet)
                if spec["fields"][0] != "指標"
                else (fiscal_year(sheet.fiscal_year) if sheet.fiscal_year else None)
            )
            for i, name in enumerate(cells[name_field]):
                label = one_line(document.text[name.start : name.end])
                if spec["fields"][0] != "指標":
                    label = _before_figure(document, cells["目標値"][i]) or label
                pairs: list[tuple[FactKind, Span]] = [("plan", cells["目標値"][i]), ("actual", cells["実績値"][i])]
                for kind, span in pairs:
                    yearly = _by_years(document, "指標", label, kind, span, sheet)
                    facts += yearly or [_item(document, "指標", label, kind, span, period)]
    return [fact for fact in facts if fact.value is not None]


def _before_figure(document: Document, cell: Span) -> str:
    """「障害管理記録の作成完了（稼働率 99.5%以上）」 is about 稼働率: the words before the figure name it."""
    text = one_line(document.text[cell.start : cell.end])
    found = re.search(r"(?P<name>[^\d０-９()（）、。\s：:／/]{2,20})[\s：:はが]{0,8}[約]?[0-9０-９]", text)
    return found["name"] if found is not None else ""


def _period_of_block(text: str, sheet: Sheet) -> Period | None:
    found = find_periods(re.sub(r"\s+", "", normalize(text).text[:60]))
    if found:
        return found[0].period
    return fiscal_year(sheet.fiscal_year) if sheet.fiscal_year else None


def _by_years(document: Document, field: str, label: str, kind: FactKind, span: Span, sheet: Sheet) -> list[Fact]:
    """The figures of a cell that holds nothing but years with their figure: 「R1年度 285人 R2年度 254人」."""
    of = view(document, span)
    if _YEARS.fullmatch(of.text.strip()) is None:
        return []
    facts: list[Fact] = []
    for found in _YEAR_AND_FIGURE.finditer(of.text):
        periods = find_periods(found["year"], sheet.fiscal_year)
        told = _item(
            document, field, label, kind, of.span(*found.span("figure")), periods[0].period if periods else None
        )
        if told.value is None or told.period is None:
            return []
        facts.append(replace(told, quote=of.span(*found.span())))
    return facts


def _item(document: Document, field: str, label: str, kind: FactKind, span: Span, period: Period | None) -> Fact:
    of = view(document, span)
    text = document.text[span.start : span.end]
    amounts = find_amounts(LINE_BREAK.sub("", text))
    value, unit = (amounts[0].value, amounts[0].unit) if len(amounts) == 1 else (None, "")
    if unit in ("年度", "年", "月", "日", "か月"):
        value, unit = None, ""  # 「令和2年度に完了」 is a date
    if not unit and value is not None:
        bracket = re.search(r"\d\s*\(([^()\d]{1,3})\)", of.text)
        unit = bracket[1] if bracket else ""
    return Fact(field, label, value, text, unit, period, kind, span, span)
