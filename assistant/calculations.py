"""Arithmetic on the figures of a row: sums and means over years, steps from year to year, budget less settlement.

Every operand is a fact that stands (cited) in the answer above the line; years that were asked and are not printed are said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.question import Query
from assistant.timespans import AskedPeriod, last_fiscal_year
from corpus.amounts import format_number
from corpus.documents import Fact
from corpus.normalize import squeeze
from corpus.periods import era_name

_SUM = re.compile(r"合計|累計|合算|総額|通算|足[しすせ]|トータル|あわせて|合わせて")
_MEAN = re.compile(r"平均(?=[はをがで額値すし、?。]|いくら|ど|何|$)")
_GAP = re.compile(r"差(?!し|出)|違[いうっ]|残額|残り|不用|余[っり]|使い残|使い切|執行残")
_STEPS = re.compile(
    r"(?:年度?ごと|毎年度?|各年度?)[^。?]{0,8}(?:増減|増え|変化|伸び|差)|前年度?(?:比|から)?の?(?:増減|伸び|差)"
)
_SPAN = re.compile(r"(?<![\d前])([2-9二三四五六七八九])(?:か年|カ年|ヶ年|年度|年)(?:間|分)(?![前後])")
_PER = re.compile(r"[1一](人|件|回|台|世帯|校|日|便|名)(?:当|あ)たり")
_DIGITS = {word: number for number, word in enumerate("二三四五六七八九", 2)}


@dataclass(frozen=True, slots=True)
class Calculation:
    """What a question wants reckoned; ``years`` is how many of the last years (「3年間の合計」), None for all asked."""

    sum: bool = False
    mean: bool = False
    gap: bool = False
    steps: bool = False
    years: int | None = None

    def __bool__(self) -> bool:
        return self.sum or self.mean or self.gap or self.steps


def calculation(query: Query) -> Calculation:
    """What the question wants reckoned over the years of one row, or between its budget and its settlement."""
    key = query.bare
    span = _SPAN.search(query.key)
    years = None if span is None else int(span[1]) if span[1].isdigit() else _DIGITS[span[1]]
    several = years is not None or len(query.periods) > 1 or any(p.period.kind == "range" for p in query.periods)
    both = {"予算額", "決算額"} <= {f.name for f in query.fields}
    return Calculation(
        sum=several and _SUM.search(key) is not None,
        mean=several and _MEAN.search(key) is not None,
        gap=both and _GAP.search(key) is not None,
        steps=_STEPS.search(query.key) is not None,
        years=None if query.periods else years,
    )


def last_years(facts: Sequence[Fact], years: int) -> list[Fact]:
    """The facts of the last so many years that have an actual (or of any kind where none has)."""
    starts = sorted({f.period.start for f in facts if f.period and f.kind != "plan"})
    starts = (starts or sorted({f.period.start for f in facts if f.period}))[-years:]
    return [f for f in facts if f.period and f.period.start in starts and (f.kind != "plan" or not _actuals(facts))]


def _actuals(facts: Sequence[Fact]) -> list[Fact]:
    return [f for f in facts if f.kind == "actual"]


def one_a_year(facts: Sequence[Fact]) -> list[Fact]:
    """Facts of one kind, one for each fiscal year, oldest first: the actuals where there are any."""
    row = _actuals(facts) or [f for f in facts if f.kind is None] or list(facts)
    years = {f.period.fiscal_year: f for f in row if f.period and f.period.kind == "fiscal_year"}
    return [years[year] for year in sorted(years)]


def lines(wish: Calculation, facts: Sequence[Fact], periods: Sequence[AskedPeriod]) -> list[str]:
    """The reckoned lines under a row's figures."""
    row = one_a_year(facts)
    if len(row) < 2 or len({f.unit for f in row}) > 1:
        return []
    unit, values = row[0].unit, [f.value or 0.0 for f in row]
    labels = [f.period.label for f in row if f.period]
    span = f"{labels[0]}〜{labels[-1]}の{len(row)}年分"
    found = []
    if wish.sum:
        found.append(f"- 合計（{span}）：**{format_number(round(sum(values), 6), unit)}**")
    if wish.mean:
        mean = sum(values) / len(values)
        found.append(f"- 平均（{span}）：**{format_number(round(mean) if unit == '円' else round(mean, 2), unit)}**")
    if wish.steps:
        for (before, after), label in zip(zip(values, values[1:], strict=False), labels[1:], strict=False):
            gap = round(after - before, 6)
            share = f"、{100 * gap / before:+.1f}%" if before else ""
            found.append(f"- {label}の前年度との差：{'+' if gap > 0 else ''}{format_number(gap, unit)}{share}")
    if found and (wish.sum or wish.mean):
        missing = missing_years(row, periods)
        if missing:
            found.append(f"※{'・'.join(missing)}は印刷されていないため、含みません。")
        if any(f.kind == "plan" for f in facts) and row[0].kind == "actual":
            found.append("※予算・目標の年度は含みません。")
    return found


def missing_years(facts: Sequence[Fact], periods: Sequence[AskedPeriod]) -> list[str]:
    """The asked years of which none of the facts is; an open end (令和5年度以降) asks for what there is."""
    printed = {f.period.fiscal_year for f in facts if f.period}
    asked: list[int] = []
    for one in periods:
        if one.period.kind == "range" and not one.open:
            asked += range(one.period.fiscal_year, last_fiscal_year(one.period) + 1)
        elif one.period.kind == "fiscal_year":
            asked.append(one.period.fiscal_year)
    return [f"{era_name(year)}年度" for year in dict.fromkeys(asked) if year not in printed]


def gaps(plans: Sequence[Fact], actuals: Sequence[Fact]) -> list[str]:
    """Budget less settlement and the share used, for each year that has both."""
    budget = {f.period.fiscal_year: f for f in plans if f.period and f.kind == "plan" and f.unit == "円"}
    found = []
    for actual in actuals:
        plan = budget.get(actual.period.fiscal_year) if actual.period and actual.kind == "actual" else None
        if plan is None or actual.period is None:
            continue
        gap = (plan.value or 0.0) - (actual.value or 0.0)
        share = f"、執行率 {100 * (actual.value or 0.0) / plan.value:.1f}%" if plan.value else ""
        found.append(f"- {actual.period.label} 予算額と決算額の差：**{format_number(gap, '円')}**{share}")
    return found


def per_unit(query: Query, amounts: Sequence[Fact], counted: Sequence[Fact]) -> tuple[str, Fact, Fact] | None:
    """「利用者1人当たりの事業費」: the amount by the count of the latest year that has both actuals, with both facts.

    ``counted`` are the actuals of rows that the question may count by; only the row whose name the question says counts.
    """
    found = _PER.search(query.key)
    if found is None:
        return None
    rows = [f for f in counted if f.kind == "actual" and f.value and _named(f, query.key) and _unit(f, found[1])]
    for amount in sorted(one_a_year(amounts), key=lambda f: f.period.fiscal_year if f.period else 0, reverse=True):
        same = [f for f in rows if f.period and amount.period and f.period.start == amount.period.start]
        if len({f.value for f in same}) == 1 and amount.kind != "plan":
            share = (amount.value or 0.0) / (same[0].value or 1.0)
            label = amount.period.label if amount.period else ""
            parts = f"{format_number(amount.value or 0.0, '円')} ÷ {format_number(same[0].value or 0.0, same[0].unit)}"
            line = f"- {label} 1{found[1]}当たり：**{format_number(round(share), '円')}**（{parts}）"
            return line, amount, same[0]
    return None


def asks_per_unit(key: str) -> bool:
    """Whether an amount by something counted is asked for."""
    return _PER.search(key) is not None


def _named(fact: Fact, key: str) -> bool:
    """Whether the question says what the row counts: three characters of its name in one stretch."""
    name = re.split(r"[※(（]", squeeze(fact.label))[0].removeprefix("延べ")
    return any(name[i : i + 3] in key for i in range(max(1, len(name) - 2)))


def _unit(fact: Fact, counter: str) -> bool:
    return not fact.unit or counter in fact.unit
