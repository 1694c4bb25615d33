"""Amounts over many sheets: the largest, the sum, the difference and what rose."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.calculations import missing_years
from assistant.context import Context
from assistant.criteria import find_criteria
from assistant.drafts import Draft, plain, readable, title
from assistant.figures import kind_word
from assistant.measures import KINDS, RATE, UNUSED, Measure, changes, measures, readings_of
from assistant.types import Chart, Series
from assistant.vocabulary import AskedField
from corpus.amounts import format_number
from corpus.documents import Sheet

_LEAST = re.compile(r"(一番|最も|いちばん)?(小さ|少な|安|低)|最小|最少|最低|ワースト|下位")
_MOST = re.compile(r"(一番|最も|いちばん)?(大き|多|高|お金|金|費用|かか)|最大|最多|最高|トップ|ベスト|上位")
_NEXT = re.compile(r"その次|2番目|二番目|次に(多|大き|高)")
_ORDERED = re.compile(r"順(?:に|で|の|$|、)|ランキング|並べ")
_SHARE = re.compile(r"(?:伸び|増加|減少|増減|変化|上昇)(?:の)?(?:率|割合)|何倍")
_MEAN = re.compile(r"平均")
# 「金額の大きい順に」 without a number: so many rows are enough.
_MOST_ROWS = 10


def ranking(context: Context, asked: Sequence[AskedField], sheets: Sequence[Sheet]) -> Draft | None:
    """The sheets with the largest (or smallest, or both) figure, or the largest change between two years."""
    query = context.query
    change = find_criteria(query.bare).change
    figures = (
        changes(context, asked, sheets) if change else measures(context, asked, sheets, readings_of(query.periods))
    )
    # A sum of two years is no figure of one: what is ranked is of one unit.
    figures = [m for m in figures if m.unit == figures[0].unit]
    if not figures:
        return None
    by_share = change is not None and _SHARE.search(query.bare) is not None
    if by_share:
        figures = [m for m in figures if m.share is not None]
    apart = asked[0].name == UNUSED and query.asks("amount")[0].name != UNUSED  # 「差が大きい」: either way
    figures.sort(key=lambda m: -((m.share or 0.0) if by_share else abs(m.value) if apart else m.value))
    falling = change is not None and change.way == "down"
    least = bool(_LEAST.search(query.key)) or falling
    most = bool(_MOST.search(query.key)) or not least
    if query.order and not (least and most):
        least, most = query.order == "asc" or falling, query.order == "desc" and not falling
    limit = max(query.limit or (_MOST_ROWS if _ORDERED.search(query.key) else 1), 2 if _NEXT.search(query.key) else 1)
    chosen: list[tuple[str, Measure]] = []
    if most and not falling:
        chosen += [(f"{i}位", m) for i, m in enumerate(figures[:limit], 1)]
    if least:
        chosen += [(f"小さい方から{i}位" if most else f"{i}位", m) for i, m in enumerate(figures[::-1][:limit], 1)]
    draft = Draft(context.index, how="ranking")
    what = "・".join(f.name for f in asked) or chosen[0][1].label
    draft.add(f"{_when(context)}{what}{'の増減' if change else ''}を全{len(sheets)}件中{len(figures)}件で比べました。")
    draft.columns = (
        "順位",
        "シート",
        "自治体",
        "担当課",
        "増減" if change else "金額" if figures[0].unit == "円" else "値",
    )
    for place, one in chosen:
        numbers = one.cite(draft)
        marks = "".join(f"[{n}]" for n in dict.fromkeys(numbers))
        draft.add(
            f"- {place}：{title(one.sheet)} **{signed(one) if change else amount(one)}**{moved(one).removeprefix(signed(one)) if change else _parts(one)} {marks}"
        )
        cells = (place, readable(one.sheet.name), one.sheet.municipality, one.sheet.department)
        draft.row((*cells, signed(one) if change else amount(one)), numbers)
    return draft


def _parts(one: Measure) -> str:
    """「（予算額 71,500,000円、決算額 69,946,000円）」 for what is reckoned from both."""
    if {f.kind for f in one.facts} != {"plan", "actual"} or one.label not in (RATE, UNUSED):
        return ""
    told = (f"{'予算額' if f.kind == 'plan' else '決算額'} {format_number(f.value or 0.0, f.unit)}" for f in one.facts)
    return f"（{'、'.join(told)}）"


def amount(one: Measure) -> str:
    """The figure with its unit."""
    return format_number(one.value, one.unit)


def signed(one: Measure) -> str:
    """A change with its sign: +1,000円, ▲500円."""
    return f"{'+' if one.value > 0 else ''}{amount(one)}"


def told(one: Measure) -> str:
    """「令和6年度 決算額：257,733,000円」, with what kind of figure it is where the row's name does not say."""
    years = "・".join(dict.fromkeys(f.period.label for f in one.facts if f.period))
    kind = kind_word(one.facts[-1]) if len({f.kind for f in one.facts}) == 1 else ""
    return f"{' '.join(part for part in (years, plain(one.label), kind) if part)}：{amount(one)}"


def moved(one: Measure) -> str:
    """「+4,418,000円（令和5年度 9,914,000円→令和6年度 13,872,000円、+39.9%）」."""
    share = f"、{100 * (one.share - 1):+.1f}%、{one.share:.2f}倍" if one.share is not None and one.value else ""
    return f"{signed(one)}{_steps(one)[:-1]}{share}）"


def _steps(one: Measure) -> str:
    steps = (f"{f.period.label if f.period else ''} {format_number(f.value or 0, f.unit)}" for f in one.facts)
    return f"（{'→'.join(steps)}）"


def _when(context: Context) -> str:
    labels = [p.period.label for p in context.query.periods]
    return "・".join(labels) + "の" if labels else ""


def total(
    context: Context, asked: Sequence[AskedField], sheets: Sequence[Sheet], among: int | None = None
) -> Draft | None:
    """The sum (or the mean) over the sheets with every addend cited; ``among`` so many sheets were looked at."""
    figures = measures(context, asked, sheets, readings_of(context.query.periods))
    figures = [m for m in figures if m.unit == figures[0].unit]
    if not figures:
        return None
    unit, count = figures[0].unit, len(figures)
    value = sum(m.value for m in figures)
    draft = Draft(context.index, how="total")
    what = f"{_when(context)}{plain(figures[0].label)}"
    if _MEAN.search(context.query.bare) and all(len(m.facts) == 1 for m in figures):
        mean = format_number(round(value / count, 1 if unit != "円" else 0), unit)
        draft.add(
            f"{what}の平均は **{mean}** です（合計 {format_number(value, unit)}、全{among or len(sheets)}件中{count}件）。"
        )
    else:
        draft.add(
            f"{what}の合計は **{format_number(value, unit)}** です（全{among or len(sheets)}件中{count}件の合計）。"
        )
    if any(_parts(m) for m in figures):
        draft.add(f"※{figures[0].label}の欄がないシートの分は、予算額と決算額から計算しました。")
    years = max(len(m.facts) for m in figures)
    short = sum(len(m.facts) < years for m in figures)
    if short:
        draft.add(f"※{short}件は、ほかのシートにある年度の一部が印刷されていません。")
    if missing := missing_years([f for m in figures for f in m.facts], context.query.periods):
        draft.add(f"※{'・'.join(missing)}の値は印刷されていないか読み取れず、合計に入っていません。")
    draft.columns = ("シート", "自治体", "担当課", "項目", "金額" if unit == "円" else "値")
    for one in figures:
        numbers = one.cite(draft)
        marks = "".join(f"[{n}]" for n in dict.fromkeys(numbers))
        draft.add(f"- {title(one.sheet)} {amount(one)} {marks}")
        row = (readable(one.sheet.name), one.sheet.municipality, one.sheet.department, plain(one.label))
        draft.row((*row, amount(one)), numbers)
    return draft


def comparison(context: Context, asked: Sequence[AskedField], sheets: Sequence[Sheet]) -> Draft | None:
    """Two or more sheets side by side with the difference of the first two."""
    periods = readings_of(context.query.periods)
    figures = measures(context, asked, sheets, periods)
    found = {m.sheet.sheet_id for m in figures}
    rest, kinds = [s for s in sheets if s.sheet_id not in found], [f for f in asked if f.name in KINDS]
    if rest and kinds:  # 「A（総事業費）とB（決算額）」: a form that prints no row of that name
        figures += measures(context, kinds, rest, periods)
    figures = [m for m in figures if m.unit == figures[0].unit]
    if len(figures) < 2:
        return None
    figures.sort(key=lambda m: -m.value)
    unit = figures[0].unit
    gap = round(figures[0].value - figures[1].value, 6)
    draft = Draft(context.index, how="comparison")
    what = f"{_when(context)}{'・'.join(dict.fromkeys(plain(m.label) for m in figures))}"
    head = f"{what}は {title(figures[0].sheet)} の方が {title(figures[1].sheet)} より"
    draft.add(f"{head} **{format_number(gap, unit)}** 多いです。" if gap else f"{what}は同額です。")
    draft.columns = ("シート", "自治体", "担当課", "金額" if unit == "円" else "値")
    for one in figures:
        numbers = one.cite(draft)
        marks = "".join(f"[{n}]" for n in dict.fromkeys(numbers))
        draft.add(f"- {title(one.sheet)} {told(one)} {marks}")
        row = (readable(one.sheet.name), one.sheet.municipality, one.sheet.department)
        draft.row((*row, amount(one)), numbers)
    names = tuple(readable(m.sheet.name) for m in figures)
    draft.chart = Chart("bar", names, (Series(plain(figures[0].label), tuple(m.value for m in figures)),), unit)
    return draft
