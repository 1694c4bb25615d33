"""Amounts over many sheets: the largest, the sum, the difference, what rose and what exceeded what."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.conditions import holds
from assistant.context import Context
from assistant.drafts import Draft, plain, readable, title
from assistant.figures import field_tier
from assistant.timespans import last_fiscal_year
from assistant.types import Chart, Series
from assistant.vocabulary import AskedField
from corpus.amounts import format_number
from corpus.documents import Fact, Sheet
from corpus.normalize import squeeze
from corpus.periods import Period, fiscal_year

_LEAST = re.compile(r"(一番|最も|いちばん)?(小さ|少な|安|低)|最小|最少|最低|ワースト|下位")
_MOST = re.compile(r"(一番|最も|いちばん)?(大き|多|高|お金|金|費用|かか)|最大|最多|最高|トップ|ベスト|上位")
_NEXT = re.compile(r"その次|2番目|二番目|次に(多|大き|高)")
_RISE = re.compile(r"増え|増加|伸び|上が|増")
_FALL = re.compile(r"減っ|減少|下が|減")
_OVER = re.compile(
    r"(?P<a>[^がを]{2,12}?)が(?P<b>[^がを]{2,12}?)を(?P<op>上回|超え|超過|下回)"
    r"|(?P<b2>[^がを]{2,12}?)を(?P<a2>[^がを]{2,12}?)が(?P<op2>上回|超え|超過|下回)"
)


@dataclass(frozen=True, slots=True)
class Amount:
    """A sheet's figure for the question, with the facts it was read from."""

    sheet: Sheet
    label: str
    value: float
    unit: str
    facts: tuple[Fact, ...]


def amounts(
    context: Context, asked: Sequence[AskedField], sheets: Sequence[Sheet], periods: Sequence[Period]
) -> list[Amount]:
    """One figure a sheet: its best row for the asked fields in the last of the periods (all of them for a sum)."""
    kinds = {f.kind for f in asked if f.kind}
    kind = next(iter(kinds)) if len(kinds) == 1 else None
    rows: dict[tuple[str, str, str], list[Fact]] = {}
    for found in context.index.facts([s.sheet_id for s in sheets]):
        if found.fact.value is not None and found.fact.unit == "円":
            rows.setdefault((found.sheet.sheet_id, found.fact.field, found.fact.label), []).append(found.fact)
    by_id = {s.sheet_id: s for s in sheets}
    best: dict[str, tuple[float, Amount]] = {}
    for (sheet_id, name, label), facts in rows.items():
        tier = max(_tiers(asked, name, label, facts), default=0.0)
        fit = _within(facts, periods, kind)
        if tier <= 0 or not fit:
            continue
        amount = Amount(by_id[sheet_id], label or name, sum(f.value or 0.0 for f in fit), "円", tuple(fit))
        if sheet_id not in best or tier > best[sheet_id][0]:
            best[sheet_id] = (tier, amount)
    return [amount for _, amount in best.values()]


def _tiers(asked: Sequence[AskedField], name: str, label: str, facts: Sequence[Fact]) -> list[float]:
    """Tiers of the asked fields; 決算 or 予算 beside a named row (総事業費の令和6年度決算) only says the kind."""
    rows = [f for f in asked if f.name not in ("予算額", "決算額")] or list(asked)
    return [field_tier(f, name, label, facts) for f in rows]


def _within(facts: Sequence[Fact], periods: Sequence[Period], kind: str | None) -> list[Fact]:
    chosen = [f for f in facts if kind is None or f.kind is None or f.kind == kind]
    if not periods:
        latest = max((f.period.start for f in chosen if f.period and f.kind != "plan"), default=None)
        return [f for f in chosen if f.period and f.period.start == latest]
    return [f for f in chosen if f.period and any(p.covers(f.period) for p in periods)]


def ranking(context: Context, asked: Sequence[AskedField], sheets: Sequence[Sheet]) -> Draft | None:
    """The sheets with the largest (or smallest, or both) figure, or the largest change between two years."""
    key = context.query.key
    periods = context.query.periods
    change = _ends(context) is not None and bool(_RISE.search(key) or _FALL.search(key))
    if change:
        figures = changes(context, asked, sheets)
    else:
        figures = amounts(context, asked, sheets, [r for p in periods for r in p.readings])
    figures = [
        a for a in figures if all(holds(c, a.value) for c in context.query.conditions if c.unit in ("円", a.unit))
    ]
    if not figures:
        return None
    figures.sort(key=lambda a: -a.value)
    falling = change and bool(_FALL.search(key)) and not _RISE.search(key)
    least = bool(_LEAST.search(key)) or falling
    most = bool(_MOST.search(key)) or not least
    limit = max(context.query.limit or 1, 2 if _NEXT.search(key) else 1)
    chosen: list[tuple[str, Amount]] = []
    if most and not falling:
        chosen += [(f"{i}位", a) for i, a in enumerate(figures[:limit], 1)]
    if least:
        chosen += [(f"小さい方から{i}位" if most else f"{i}位", a) for i, a in enumerate(figures[::-1][:limit], 1)]
    draft = Draft(context.index, how="ranking")
    what = "・".join(f.name for f in asked) or chosen[0][1].label
    draft.add(f"{_when(context)}{what}{'の増減' if change else ''}を全{len(sheets)}件中{len(figures)}件で比べました。")
    draft.columns = ("順位", "シート", "自治体", "担当課", "増減" if change else "金額")
    for place, amount in chosen:
        numbers = [draft.cite(amount.sheet, f.field, f.quote) for f in amount.facts]
        marks = "".join(f"[{n}]" for n in dict.fromkeys(numbers))
        sign = "+" if change and amount.value > 0 else ""
        figure = f"{sign}{format_number(amount.value, amount.unit)}"
        draft.add(f"- {place}：{title(amount.sheet)} **{figure}**{_steps(amount) if change else ''} {marks}")
        draft.row(
            (place, readable(amount.sheet.name), amount.sheet.municipality, amount.sheet.department, figure), numbers
        )
    return draft


def _steps(amount: Amount) -> str:
    return (
        "（"
        + "→".join(f"{f.period.label if f.period else ''} {format_number(f.value or 0, f.unit)}" for f in amount.facts)
        + "）"
    )


def _when(context: Context) -> str:
    labels = [p.period.label for p in context.query.periods]
    return "・".join(labels) + "の" if labels else ""


def changes(context: Context, asked: Sequence[AskedField], sheets: Sequence[Sheet]) -> list[Amount]:
    """The later figure less the earlier one, for sheets that print both."""
    ends = _ends(context)
    if ends is None:
        return []
    first = {a.sheet.sheet_id: a for a in amounts(context, asked, sheets, ends[0])}
    last = {a.sheet.sheet_id: a for a in amounts(context, asked, sheets, ends[1])}
    return [
        Amount(
            late.sheet, late.label, late.value - first[sheet_id].value, late.unit, (*first[sheet_id].facts, *late.facts)
        )
        for sheet_id, late in last.items()
        if sheet_id in first and first[sheet_id].label == late.label
    ]


def _ends(context: Context) -> tuple[Sequence[Period], Sequence[Period]] | None:
    """The first and the last of the asked periods: two of them, or the two ends of a range of years."""
    ordered = sorted(context.query.periods, key=lambda p: p.period.start)
    if len(ordered) >= 2:
        return ordered[0].readings, ordered[-1].readings
    if ordered and ordered[0].period.kind == "range" and ordered[0].open != "before":
        period = ordered[0].period
        last = last_fiscal_year(period)
        if ordered[0].open and context.catalogue.latest_year:
            last = min(last, context.catalogue.latest_year)  # 「令和3年度以降」 ends where the sheets do
        if last > period.fiscal_year:
            return (fiscal_year(period.fiscal_year),), (fiscal_year(last),)
    return None


def changed(context: Context, asked: Sequence[AskedField], sheets: Sequence[Sheet]) -> Draft | None:
    """Every sheet whose figure rose (or fell) from one year to another."""
    key = context.query.key
    figures = changes(context, asked, sheets)
    if not figures:
        return None
    rise = bool(_RISE.search(key))
    chosen = [a for a in figures if (a.value > 0) == rise and a.value != 0]
    word = "増えた" if rise else "減った"
    draft = Draft(context.index, how="changed")
    draft.add(f"{_when(context)}間で{word}のは、全{len(figures)}件中{len(chosen)}件です。")
    draft.columns = ("シート", "自治体", "担当課", "増減", "内訳")
    for amount in sorted(chosen, key=lambda a: -abs(a.value)):
        numbers = [draft.cite(amount.sheet, f.field, f.quote) for f in amount.facts]
        marks = "".join(f"[{n}]" for n in dict.fromkeys(numbers))
        sign = "+" if amount.value > 0 else ""
        figure = f"{sign}{format_number(amount.value, amount.unit)}"
        draft.add(f"- {title(amount.sheet)} {figure}{_steps(amount)} {marks}")
        cells = (
            readable(amount.sheet.name),
            amount.sheet.municipality,
            amount.sheet.department,
            figure,
            _steps(amount),
        )
        draft.row(cells, numbers)
    return draft if chosen else None


def exceeded(
    context: Context, first: AskedField, second: AskedField, over: bool, sheets: Sequence[Sheet]
) -> Draft | None:
    """Every sheet and year in which one row's figure is over (or under) another's: 決算額が予算額を上回った."""
    draft = Draft(context.index, how="exceeded")
    draft.columns = ("シート", "自治体", "担当課", "年度", first.name, second.name, "差")
    compared: set[str] = set()
    periods = [r for p in context.query.periods for r in p.readings]
    for sheet in sheets:
        facts = [f.fact for f in context.index.facts([sheet.sheet_id]) if f.fact.value is not None and f.fact.period]
        for a in (f for f in facts if field_tier(first, f.field, f.label, [f]) >= 0.85):
            for b in (f for f in facts if field_tier(second, f.field, f.label, [f]) >= 0.85):
                assert a.period is not None and b.period is not None
                if a.period.start != b.period.start or (periods and not any(p.covers(a.period) for p in periods)):
                    continue
                compared.add(sheet.sheet_id)
                gap = (a.value or 0.0) - (b.value or 0.0)
                if gap == 0 or (gap > 0) != over:
                    continue
                numbers = [draft.cite(sheet, f.field, f.quote) for f in (a, b)]
                marks = "".join(f"[{n}]" for n in dict.fromkeys(numbers))
                values = [format_number(v, a.unit) for v in (a.value or 0.0, b.value or 0.0, gap)]
                draft.add(
                    f"- {title(sheet)} {a.period.label}：{first.name} {values[0]}、{second.name} {values[1]}（差 {values[2]}）{marks}"
                )
                cells = (readable(sheet.name), sheet.municipality, sheet.department, a.period.label, *values)
                draft.row(cells, numbers)
    if not draft.rows:
        return None
    names = {row[0] for row in draft.rows}
    word = "上回った" if over else "下回った"
    draft.lines.insert(0, f"{first.name}が{second.name}を{word}のは、全{len(compared)}件中{len(names)}件です。")
    return draft


def total(context: Context, asked: Sequence[AskedField], sheets: Sequence[Sheet]) -> Draft | None:
    """The sum over the sheets with every addend cited."""
    figures = amounts(context, asked, sheets, [r for p in context.query.periods for r in p.readings])
    if not figures:
        return None
    value = sum(a.value for a in figures)
    draft = Draft(context.index, how="total")
    draft.add(
        f"{_when(context)}{figures[0].label}の合計は **{format_number(value, '円')}** です（全{len(sheets)}件中{len(figures)}件の合計）。"
    )
    draft.columns = ("シート", "自治体", "担当課", "項目", "金額")
    for amount in figures:
        numbers = [draft.cite(amount.sheet, f.field, f.quote) for f in amount.facts]
        marks = "".join(f"[{n}]" for n in dict.fromkeys(numbers))
        draft.add(f"- {title(amount.sheet)} {format_number(amount.value, '円')} {marks}")
        row = (readable(amount.sheet.name), amount.sheet.municipality, amount.sheet.department, plain(amount.label))
        draft.row((*row, format_number(amount.value, "円")), numbers)
    return draft


def comparison(context: Context, asked: Sequence[AskedField], sheets: Sequence[Sheet]) -> Draft | None:
    """Two or more sheets side by side with the difference of the first two."""
    figures = amounts(context, asked, sheets, [r for p in context.query.periods for r in p.readings])
    if len(figures) < 2:
        return None
    figures.sort(key=lambda a: -a.value)
    gap = figures[0].value - figures[1].value
    draft = Draft(context.index, how="comparison")
    head = f"{_when(context)}{figures[0].label}は {title(figures[0].sheet)} の方が {title(figures[1].sheet)} より"
    draft.add(
        f"{head} **{format_number(gap, '円')}** 多いです。"
        if gap
        else f"{_when(context)}{figures[0].label}は同額です。"
    )
    draft.columns = ("シート", "自治体", "担当課", "金額")
    for amount in figures:
        numbers = [draft.cite(amount.sheet, f.field, f.quote) for f in amount.facts]
        marks = "".join(f"[{n}]" for n in dict.fromkeys(numbers))
        draft.add(f"- {title(amount.sheet)} {format_number(amount.value, '円')} {marks}")
        row = (readable(amount.sheet.name), amount.sheet.municipality, amount.sheet.department)
        draft.row((*row, format_number(amount.value, "円")), numbers)
    names = tuple(readable(a.sheet.name) for a in figures)
    draft.chart = Chart("bar", names, (Series(figures[0].label, tuple(a.value for a in figures)),), "円")
    return draft


def missed(context: Context, over: bool, topic: Sequence[str], sheets: Sequence[Sheet]) -> Draft | None:
    """Every indicator whose actual is under (or over) its target in the asked year: 稼働率が目標を下回った."""
    periods = [r for p in context.query.periods for r in p.readings]
    draft = Draft(context.index, how="missed")
    draft.columns = ("シート", "自治体", "担当課", "指標", "年度", "目標", "実績")
    compared: set[str] = set()
    for sheet in sheets:
        rows: dict[tuple[str, str], dict[str, Fact]] = {}
        for found in context.index.facts([sheet.sheet_id]):
            fact = found.fact
            about = not topic or any(word in squeeze(fact.label) for word in topic)
            if fact.value is None or fact.unit == "円" or fact.period is None or fact.kind is None or not about:
                continue
            if not periods or any(p.covers(fact.period) for p in periods):
                rows.setdefault((fact.label, fact.period.label), {})[fact.kind] = fact
        for (label, when), pair in rows.items():
            if len(pair) < 2:
                continue
            compared.add(sheet.sheet_id)
            plan, actual = pair["plan"], pair["actual"]
            gap = (actual.value or 0.0) - (plan.value or 0.0)
            if gap == 0 or (gap > 0) != over:
                continue
            numbers = [draft.cite(sheet, f.field, f.quote) for f in (plan, actual)]
            marks = "".join(f"[{n}]" for n in dict.fromkeys(numbers))
            values = [format_number(f.value or 0.0, f.unit) for f in (plan, actual)]
            draft.add(f"- {title(sheet)} {plain(label)} {when}：目標 {values[0]}、実績 {values[1]} {marks}")
            cells = (readable(sheet.name), sheet.municipality, sheet.department, plain(label), when, *values)
            draft.row(cells, numbers)
    if not draft.rows:
        return None
    count = len({(row[0], row[2]) for row in draft.rows})
    word = "上回った" if over else "下回った"
    draft.lines.insert(
        0, f"実績が目標を{word}シートは、目標と実績を比べられる{len(compared)}件中{count}件です（全{len(sheets)}件）。"
    )
    return draft


def over_pattern(key: str) -> tuple[str, str, bool] | None:
    """「決算額が予算額を上回った」 in a squeezed question: what is over (True) or under (False) what."""
    found = _OVER.search(key)
    if found is None:
        return None
    first, second, op = (
        (found["a"], found["b"], found["op"]) if found["op"] else (found["a2"], found["b2"], found["op2"])
    )
    return first, second, op != "下回"


def rises_or_falls(key: str) -> bool:
    """Whether the question asks what rose or fell."""
    return bool(_RISE.search(key) or _FALL.search(key))
