"""One figure of each sheet for a question: of the asked row, year and kind, with the facts that it was read from.

A plan never stands for an actual: where a question does not say which, the actual of a year comes before its plan.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from assistant.context import Context
from assistant.drafts import Draft
from assistant.groups import field_tier
from assistant.question import Query
from assistant.rows import printed_rows
from assistant.timespans import AskedPeriod, last_fiscal_year
from assistant.vocabulary import AskedField, field
from corpus.documents import Fact, Sheet
from corpus.periods import Period, fiscal_year

# 予算額 and 決算額 also say only the kind of another row (総事業費の令和6年度決算).
KINDS = ("予算額", "決算額")
RATE, UNUSED = "執行率", "不用額"
# 「予算額と決算額の差が最も大きい」「開き」: what is compared is the one less the other.
_APART = re.compile(r"差(?!し|出)|開き|隔たり|乖離|余[っりら]|残[っりら額]|浮い")
Year = tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Measure:
    """A sheet's figure: ``value`` in ``unit``, the ``facts`` behind it, and for facts of another year's sheet that sheet."""

    sheet: Sheet
    label: str
    value: float
    unit: str
    facts: tuple[Fact, ...]
    origin: Mapping[Fact, Sheet]
    share: float | None = None

    def cite(self, draft: Draft) -> list[int]:
        """The numbers of the quotes that prove it."""
        return [draft.cite(self.origin.get(f, self.sheet), f.field, f.quote) for f in self.facts]


def measures(
    context: Context, asked: Sequence[AskedField], sheets: Sequence[Sheet], periods: Sequence[Period]
) -> list[Measure]:
    """The best row of each sheet for the asked fields, summed over the periods (of the latest year where none is asked).

    What a sheet does not print of the asked years is taken from the programme's sheets of other years.
    """
    for name in (RATE, UNUSED):
        if any(f.name == name for f in asked):
            return reckoned(context, name, sheets, periods)
    whole = any(p.kind == "range" for p in periods)  # a sum over years wants every year that any sheet prints
    own, origin = printed_rows(context, sheets, over_years=whole)
    found = best_rows(asked, sheets, own, periods, origin)
    if periods and not whole:
        rest = [s for s in sheets if s.sheet_id not in found]
        longer, origin = printed_rows(context, rest, over_years=True)
        found |= best_rows(asked, rest, longer, periods, origin)
    return [found[s.sheet_id] for s in sheets if s.sheet_id in found]


def by_year(
    context: Context, asked: Sequence[AskedField], sheets: Sequence[Sheet], periods: Sequence[Period]
) -> list[Measure]:
    """As :func:`measures`, a range of years taken year by year: one figure for each year that a sheet prints."""
    years = [year for period in periods for year in _years(context, period)]
    if not years:
        return measures(context, asked, sheets, periods)
    return [one for year in dict.fromkeys(years) for one in measures(context, asked, sheets, [year])]


def _years(context: Context, period: Period) -> list[Period]:
    if period.kind != "range":
        return [period]
    latest = (context.catalogue.latest_year or period.fiscal_year) + 1
    first = max(period.fiscal_year, latest - 12)
    return [fiscal_year(year) for year in range(first, min(last_fiscal_year(period), latest) + 1)]


def best_rows(
    asked: Sequence[AskedField],
    sheets: Sequence[Sheet],
    rows: Mapping[tuple[str, str], Sequence[Fact]],
    periods: Sequence[Period],
    origin: Mapping[Fact, Sheet],
) -> dict[str, Measure]:
    """The best of some printed rows, (sheet id, label) to its figures, for the asked fields, by the sheet's id."""
    kinds = {f.kind for f in asked if f.kind}
    kind = next(iter(kinds)) if len(kinds) == 1 else None
    by_id = {s.sheet_id: s for s in sheets}
    best: dict[str, tuple[tuple[float, bool], Measure]] = {}
    for (sheet_id, label), printed in rows.items():
        for name, unit in dict.fromkeys((f.field, f.unit) for f in printed):
            facts = [f for f in printed if f.field == name and f.unit == unit]
            tier = max((row_tier(f, asked, name, label, facts) for f in asked), default=0.0)
            fit = within(facts, periods, kind) if tier > 0 else []
            if not fit:
                continue
            rank = (tier, any(f.kind == "actual" for f in fit))
            if sheet_id not in best or rank > best[sheet_id][0]:
                value = sum(f.value or 0.0 for f in fit)
                best[sheet_id] = (rank, Measure(by_id[sheet_id], label or name, value, unit, tuple(fit), origin))
    return {sheet_id: measure for sheet_id, (_, measure) in best.items()}


def row_tier(one: AskedField, asked: Sequence[AskedField], name: str, label: str, facts: Sequence[Fact]) -> float:
    """How well a row is an asked field; 決算 or 予算 beside a named row only says the kind."""
    if one.name in KINDS and any(f.name not in KINDS for f in asked):
        return 0.0
    return field_tier(one, name, label, facts)


def within(facts: Sequence[Fact], periods: Sequence[Period], kind: str | None) -> list[Fact]:
    """A row's facts of the asked kind in the periods (the latest year without any), one a year, the actual first."""
    chosen = [f for f in facts if f.period and (kind is None or f.kind is None or f.kind == kind)]
    if periods:
        chosen = [f for f in chosen if f.period and any(p.covers(f.period) for p in periods)]
    else:
        latest = max((f.period.start for f in chosen if f.period and f.kind != "plan"), default=None)
        latest = latest or max((f.period.start for f in chosen if f.period), default=None)
        chosen = [f for f in chosen if f.period and f.period.start == latest]
    years: dict[Period, Fact] = {}
    for fact in sorted(chosen, key=lambda f: f.kind == "plan"):  # stable: a year's actual comes before its plan
        assert fact.period is not None
        if not any(known.overlaps(fact.period) for known in years):
            years[fact.period] = fact
    return sorted(years.values(), key=lambda f: f.period.start if f.period else date.min)


def reckoned(context: Context, name: str, sheets: Sequence[Sheet], periods: Sequence[Period]) -> list[Measure]:
    """執行率 or 不用額 as printed, else reckoned from the year's budget and settled amount, both of them cited."""
    asked, one, unit = field(name), field("決算額"), "%" if name == RATE else "円"
    rows, origin = printed_rows(context, sheets, over_years=False)
    of_unit = {key: own for key, facts in rows.items() if (own := [f for f in facts if f.unit == unit])}
    found = {key: one for key, one in best_rows([asked], sheets, of_unit, periods, origin).items()}
    rest = [s for s in sheets if s.sheet_id not in found]
    spent = {m.sheet.sheet_id: m for m in measures(context, [one], rest, periods)}
    for sheet in rest:
        actual = spent.get(sheet.sheet_id)
        if actual is None or not all(f.kind == "actual" for f in actual.facts):
            continue
        years = [f.period for f in actual.facts if f.period]
        plan = next(iter(measures(context, [field("予算額")], [sheet], years)), None)
        if plan is None or not all(f.kind == "plan" for f in plan.facts) or len(plan.facts) != len(actual.facts):
            continue
        if ("総" in plan.label) != ("総" in actual.label) or (name == RATE and not plan.value):
            continue
        value = round(100 * actual.value / plan.value, 1) if name == RATE else plan.value - actual.value
        found[sheet.sheet_id] = replace(
            actual, label=name, value=value, unit=unit, facts=(*plan.facts, *actual.facts),
            origin={**plan.origin, **actual.origin},
        )  # fmt: skip
    return [found[s.sheet_id] for s in sheets if s.sheet_id in found]


def amounts_asked(query: Query) -> tuple[AskedField, ...]:
    """The amounts a question asks for; how far budget and settlement are apart is what was not used."""
    asked = query.asks("amount")
    both = {"予算額", "決算額"} <= {f.name for f in asked}
    return (field(UNUSED),) if both and _APART.search(query.bare) else asked


def changes(context: Context, asked: Sequence[AskedField], sheets: Sequence[Sheet]) -> list[Measure]:
    """The later figure less the earlier one for the sheets that print both; ``share`` is the later one by the earlier.

    Compared are the first and the last of the asked years, one asked year with the year before it, or without any the
    latest year of each sheet with the year before it. Both are of one kind and one row.
    """
    ends = asked_ends(context)
    if ends is not None:
        groups: list[tuple[Sequence[Sheet], Sequence[Period], Sequence[Period]]] = [(sheets, *ends)]
    else:
        groups = []
        for late in measures(context, asked, sheets, ()):
            latest = late.facts[0].period
            if latest is not None and latest.kind == "fiscal_year":
                groups.append(([late.sheet], [fiscal_year(latest.fiscal_year - 1)], [latest]))
    found = []
    for group, before, after in groups:
        first = {m.sheet.sheet_id: m for m in measures(context, asked, group, before)}
        for late in measures(context, asked, group, after):
            early = first.get(late.sheet.sheet_id)
            if early is not None and _one_row(early, late):
                found.append(_change(early, late))
    return found


def _one_row(early: Measure, late: Measure) -> bool:
    kinds = {f.kind for f in early.facts}, {f.kind for f in late.facts}
    return early.label == late.label and early.unit == late.unit and kinds[0] == kinds[1]


def _change(early: Measure, late: Measure) -> Measure:
    gap = round(late.value - early.value, 6)
    share = late.value / early.value if early.value else None
    origin = {**early.origin, **late.origin}
    return Measure(late.sheet, late.label, gap, late.unit, (*early.facts, *late.facts), origin, share)


def asked_ends(context: Context) -> tuple[Sequence[Period], Sequence[Period]] | None:
    """The years compared: the first and last asked, the ends of a range, or the asked year with the one before it."""
    ranges = [p.period for p in context.query.periods if p.period.kind == "range"]
    asked = [p for p in context.query.periods if not any(r != p.period and r.covers(p.period) for r in ranges)]
    ordered = sorted(asked, key=lambda p: p.period.start)
    if len(ordered) >= 2:
        return ordered[0].readings, ordered[-1].readings
    if not ordered:
        return None
    period = ordered[0].period
    if period.kind == "range" and ordered[0].open != "before":
        last = last_fiscal_year(period)
        if ordered[0].open and context.catalogue.latest_year:
            last = min(last, context.catalogue.latest_year)  # 「令和3年度以降」 ends where the sheets do
        return ((fiscal_year(period.fiscal_year),), (fiscal_year(last),)) if last > period.fiscal_year else None
    year = ordered[0].year
    return None if year is None else ((fiscal_year(year - 1),), (fiscal_year(year),))


def printed_years(context: Context, sheets: Sequence[Sheet]) -> list[Period]:
    """The fiscal years of the amounts of some sheets, as first printed, from the earliest on."""
    years: dict[date, Period] = {}
    for found in context.index.facts([s.sheet_id for s in sheets]):
        period = found.fact.period
        if found.fact.unit == "円" and period is not None and period.kind == "fiscal_year":
            years.setdefault(period.start, period)
    return [years[start] for start in sorted(years)]


def readings_of(periods: Iterable[AskedPeriod]) -> list[Period]:
    """Every sense of every asked period."""
    return [reading for asked in periods for reading in asked.readings]
