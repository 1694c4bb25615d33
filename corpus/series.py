"""Facts of rows of figures: amounts, staff and indicators under their years, and single figures beside a label."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from corpus.amounts import UNITS, YEN, find_amounts, in_yen
from corpus.documents import Fact, FactKind, Sheet, Span
from corpus.forms.loader import FIGURE_KINDS, OTHER, OTHER_YEAR, canonical, clean_label, fields, kind_of
from corpus.headers import Column
from corpus.layout import Cell, View, one_line
from corpus.normalize import FOOTNOTE, normalize
from corpus.periods import find_periods, fiscal_year
from corpus.tabletypes import Pair, Series, Tables

_UNIT_SAID = re.compile(
    r"\((?:単位\s*+(?:[::]\s*+)?)?(千円|百万円|万円|億円|円)\)|単位\s*+(?:[::]\s*+)?\(?(千円|百万円|万円|億円|円)|金額\S{0,4}[::]\s*(千円|百万円|万円|円)"
)
_UNIT_OF_ALL = re.compile(
    r"(?:^|[※・。\s])(?:本書|本表|表中|各表|資料中)?[のは]?[^。\n\d]{0,4}(?:金額|事業費|予算|決算)[^。\n\d]{0,24}?(千円|百万円|万円)(?:単位|で(?:表示|表記|記載))",
    re.MULTILINE,
)
_MONEY_ASIDE = re.compile(r"[(（](?:千円|円|百万円|万円|[A-FＡ-Ｆ](?:[+＋][A-FＡ-Ｆ])*)[)）]$")
_INDICATORS = ("指標", "活動指標", "成果指標", "実績の推移")
_SPEAKS_OF_MONEY = re.compile(
    r"(?:費|料|金|額|債|税|代|財源|収入|支出|歳入|歳出|コスト|予算|決算|報酬|手当|給与|給料|計|その他|補助|委託|\(うち[^()]*)\)?$"
)
_OF_NO_YEAR = re.compile(r"全体|総額|累計|限度額")
# What indicators are counted in beside the units of prose.
_COUNTED = """
    者 国 か国 カ国 ヶ国 大学 基準 千人 万人 千件 万件 千回 千t 万t 案件 事例 校区 法人 農家 経営体 議題 機関 地区 集落 自治体 都市
    港 駅 席 問 章 巻 曲 作品 商品 品種 m3 kl MW GWh ha 工区 年齢 歳 号 区間 区画 系統 河川 ダム 橋梁 拠点 会場 教室 クラス チーム 班
    事業者 事業所 利用者 参加者 議員 職員 会員 児童 生徒 学生 受講者 相談 面 艇 機関数 PV アクセス ポイント
""".split()
_LONG_QUOTE = 160
_IN_BRACKETS = re.compile(r"[((]([^()()]{1,8})[))]\s*$")


def facts_of_tables(of: View, sheet: Sheet, tables: Tables) -> tuple[list[Fact], list[str]]:
    """The facts of a stretch's tables and lines, and sentences about figures that were not believed."""
    money = Money(of)
    warnings: list[str] = []
    facts: list[Fact] = []
    for series in tables.series:
        at = series.header.span.end if series.header.span.end else series.row.start
        facts += _of_series(of, sheet, _completed(series, tables, sheet), money.at(at), warnings)
    for pair in tables.pairs:
        facts += _of_single(of, sheet, pair, money.at(pair.label_cell.span.start))
    return facts + _of_lines(of, sheet), warnings


class Money:
    """The money unit that holds at a place: the only one a stretch states, or of several the last one above."""

    def __init__(self, of: View) -> None:
        self._said = [
            (of.span(*m.span()).start, next(g for g in m.groups() if g)) for m in _UNIT_SAID.finditer(of.text)
        ]

    def at(self, offset: int) -> str:
        """「千円」, or "" when nothing is said."""
        if len({unit for _, unit in self._said}) == 1:
            return self._said[0][1]
        above = [unit for start, unit in self._said if start <= offset]
        return above[-1] if above else ""


@lru_cache(maxsize=4)
def unit_of_all(text: str) -> str:
    """The money unit that a document states once for all of it: 「本書の金額は、特に断りのない限り千円単位」; "" without one.

    >>> unit_of_all("※金額は千円単位で表示しています。"), unit_of_all("補助金額は1件10千円とする。")
    ('千円', '')
    """
    found = {next(g for g in m.groups() if g) for m in _UNIT_OF_ALL.finditer(text)}
    return found.pop() if len(found) == 1 else ""


def unit_said(text: str) -> str:
    """The money unit a sheet states for all its tables, "" when it states none or several."""
    found = {next(g for g in m.groups() if g) for m in _UNIT_SAID.finditer(text)}
    return found.pop() if len(found) == 1 else ""


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
    """「令和6年度当初予算額 | 142,000千円」 in a table."""
    told = [cell for cell in pair.values if not cell.empty]
    if len(told) != 1 or pair.under_year:
        return []  # what stands under a year is of that year, and read as a row of figures or not at all
    quote = Span(pair.label_cell.span.start, told[0].span.end)
    return figure_beside(
        sheet, pair.field, one_line(_raw(of, pair.label_cell.span)), _raw(of, told[0].span), told[0].span, quote, money
    )


def figure_beside(
    sheet: Sheet, field: str, label: str, text: str, span: Span, quote: Span, money: str = ""
) -> list[Fact]:
    """One figure beside its label, of the year in the label or of the sheet's; an amount needs its unit said somewhere."""
    kind = kind_of(field)
    amounts = find_amounts(text)
    if kind not in FIGURE_KINDS or len(amounts) != 1 or "\n" in text.strip():
        return []
    if re.match(r"\s*[((]", text) or _OF_NO_YEAR.search(normalize(label).text):
        return []  # a figure in brackets is a part or a minus; the whole cost of a project is of no one year
    if amounts[0].start > 2 or len(text) - (amounts[0].end - amounts[0].start) > 6:
        return []
    years = find_periods(normalize(label).text, sheet.fiscal_year)
    if not years and sheet.fiscal_year is None:
        return []
    value, unit = amounts[0].value, amounts[0].unit
    if not unit:
        unit = _bracket_unit(label) or (
            money if kind == "amount" else {"staff": "人", "rate": "%", "hours": "時間"}[kind]
        )
        value, unit = in_yen(value, unit)
    if kind == "amount" and unit != "円":
        return []
    year = years[0].period.fiscal_year if years else sheet.fiscal_year or 0
    named = years and re.search(r"[\d元]", years[0].period.label) is not None
    period = years[0].period if named else fiscal_year(year)  # 前年度 is told by its number
    what: FactKind | None = "plan" if field == "予算額" else "actual" if field == "決算額" else None
    if quote.end - quote.start > _LONG_QUOTE:
        quote = span  # the label stands far off (all labels first, then all values): the figure speaks for itself
    row = OTHER_YEAR.sub("", label)  # 前年度執行額 is the row 執行額 of that year
    return [Fact(field, row, value, text, unit, period, what, span, quote, not years)]


_SAID = re.compile(
    r"(?P<year>(?:令和|平成|[RH])[ ]?(?:元|\d{1,2})[ ]?年度)[ ]?の?[ ]?(?:当初|補正後|最終)?(?P<what>予算|決算)額?[ ]?[::は]?[ ]?"
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
    indicator = (
        bool(series.name) or what in ("目標値", "実績値") or (kind == "text" and kind_of(group or "") == "indicator")
    )
    if what in ("目標値", "実績値") and not series.name and (kind_of(group or "") != "indicator" or _is_bare(series)):
        return []  # figures of a target of nothing
    own: FactKind | None = "plan" if what == "目標値" else "actual" if what == "実績値" else None
    inferred = series.inferred
    if indicator and not series.label:
        if not series.name:
            return []
        own, inferred = "plan", True  # the row between the years and 実績 holds the targets
    if not indicator and not label:
        return []  # figures of nothing
    field, name = _named(of, series, what, group, kind, indicator, label)
    kind = "amount" if kind_of(field) == "amount" else kind
    start = series.label_cell.span.start if series.label_cell is not None else series.values[0][1].span.start
    whole = Span(min(start, series.values[0][1].span.start), max(cell.span.end for _, cell in series.values))
    quote = series.quote if series.quote is not None else whole
    facts: list[Fact] = []
    for column, cell in series.values:
        fact_kind = _kind(own, what, column)
        if column.what:
            rate = find_amounts(cell.text) if column.what in ("執行率", "達成率") else []
            if len(rate) == 1:
                facts.append(
                    Fact(
                        column.what,
                        name,
                        rate[0].value,
                        _raw(of, cell.span),
                        "%",
                        column.period,
                        "actual",
                        cell.span,
                        quote,
                        inferred,
                    )
                )
            continue
        if (
            fact_kind == "actual"
            and sheet.fiscal_year is not None
            and column.period.fiscal_year > sheet.fiscal_year
            and indicator
        ):
            warnings.append(
                f"「{name}」の{column.period.label}の実績欄に値（{cell.text}）がありますが、報告年度より後のため読み取りませんでした。"
            )
            continue
        read = _figure(cell, series, what, kind, money, indicator)
        if read is None:
            continue
        value, unit = read
        facts.append(
            Fact(field, name, value, _raw(of, cell.span), unit, column.period, fact_kind, cell.span, quote, inferred)
        )
    return facts


def _is_bare(series: Series) -> bool:
    """Whether the header's label only says that indicators follow (指標, 成果指標) and names none."""
    return "指標名" in series.header.heads or clean_label(series.header.label) in {
        clean_label(x) for f in _INDICATORS for x in (f, *fields()[f].labels)
    }


def _named(
    of: View, series: Series, what: str | None, group: str | None, kind: str, indicator: bool, label: str
) -> tuple[str, str]:
    """(canonical field, label as printed) of a row of figures."""
    label_printed = one_line(_raw(of, series.label_cell.span)) if series.label_cell is not None else series.label
    if indicator:
        field = group if group in ("活動指標", "成果指標", "実績の推移") else "指標"
        return field, one_line(_raw(of, series.name_cell.span)) if series.name_cell is not None else label_printed
    printed = _MONEY_ASIDE.sub("", label_printed).strip() or label_printed
    if what is not None and kind in FIGURE_KINDS:
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


def _figure(
    cell: Cell, series: Series, what: str | None, kind: str, money: str, indicator: bool
) -> tuple[float, str] | None:
    """A cell's number and unit; amounts in 円."""
    amounts = find_amounts(FOOTNOTE.sub("", cell.text))
    if len(amounts) != 1:
        return None
    value, unit = amounts[0].value, amounts[0].unit
    column = normalize(series.unit).text
    if kind == "amount":
        said = unit or column or _bracket_unit(series.label) or _bracket_unit(series.header.label) or money
        if said not in YEN:
            return None  # 100 of what? An amount without its unit is worth nothing
        return (value, unit) if unit == "円" else in_yen(value, said)
    if unit:
        return value, unit
    if kind == "staff":
        return value, "人"
    if kind == "hours":
        return value, "時間"
    if kind == "rate":
        return value, "%"
    if indicator:
        said = normalize(series.unit).text or indicator_unit(series.name) or indicator_unit(series.label)
        if said in YEN:
            return in_yen(value, said)
        return value, said
    # A row no form has shown us: its own unit counts, the table's 千円 only where its label speaks of money.
    own = column or _bracket_unit(series.label)
    said = own or (
        _bracket_unit(series.header.label) or money if _SPEAKS_OF_MONEY.search(clean_label(series.label)) else ""
    )
    if said in YEN:
        return in_yen(value, said)
    return (value, said) if said else None


def indicator_unit(name: str) -> str:
    """The unit in brackets after an indicator's name: 「認定業者数(者)」, but not 「利用者数(累計)」."""
    found = _IN_BRACKETS.search(normalize(name).text.strip())
    return _bracket_unit(name) or (found[1] if found is not None and found[1] in _COUNTED else "")


def _bracket_unit(label: str) -> str:
    found = _IN_BRACKETS.search(normalize(label).text.strip())
    said = found is not None and found[1].strip().startswith("単位")
    unit = re.sub(r"^単位\s*[::]?\s*", "", found[1]).strip() if found else ""
    return unit if said or unit in UNITS or unit in YEN else ""


def _raw(of: View, span: Span) -> str:
    return of.raw[span.start - of.offset : span.end - of.offset]
