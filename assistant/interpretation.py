"""How a question was read, in one Japanese line."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from assistant.conditions import Condition
from assistant.context import Context
from assistant.criteria import find_criteria
from assistant.drafts import readable
from assistant.namesakes import namesakes
from assistant.timespans import AskedPeriod, Open
from assistant.types import Carried, CarriedKind, Interpretation, ReadingName, YearReading
from corpus.amounts import format_number
from corpus.documents import Sheet
from corpus.periods import Period

#: The intents as people call them.
INTENTS = {
    "definition": "用語の意味", "rank": "順位", "sum": "合計", "count": "件数", "list": "一覧", "compare": "比較", "trend": "推移",
    "number": "数値", "when": "時期", "who": "担当・事業者", "reason": "理由", "yesno": "確認", "overview": "概要", "text": "記載内容",
}  # fmt: skip

#: What is taken over from earlier turns, as people call it.
CARRIED: Mapping[CarriedKind, str] = {
    "municipality": "自治体", "sheet": "シート", "department": "部課", "subset": "前の回答のシート", "question": "質問",
    "period": "時期", "topic": "話題",
}  # fmt: skip

CARRIED_FROM = "（前の質問から引き継ぎ: "
_OPERATORS = {"=": "", "!=": "以外", ">": "超", ">=": "以上", "<": "未満", "<=": "以下"}
_WAYS = {"up": "増加", "down": "減少", "flat": "増減なし"}


def interpretation(context: Context, cited: Collection[Sheet] = ()) -> Interpretation:
    """The intent, period and filters, and the line 解釈: … that tells them; ``cited`` are the sheets of the answer."""
    query = context.query
    parts = [INTENTS[query.intent]]
    if query.municipalities or query.filters.municipality:
        parts.append("・".join(query.municipalities or query.filters.municipality))
    if query.named:
        parts.append("・".join(dict.fromkeys(readable(n.sheet.name) for n in query.named[:3])))
    if query.departments:
        parts.append("・".join(query.departments))
    strong = [f.name for f in query.fields if not f.weak]
    if strong:
        parts.append("・".join(dict.fromkeys(strong)))
    if query.grade:
        parts.append(f"{query.grade}評価")
    parts.extend(demands(query.bare))
    parts.extend(period_words(asked) for asked in query.periods)
    text = "解釈: " + " / ".join(parts)
    told = carried_words(query.carried)
    if told:
        text += f"{CARRIED_FROM}{told}）"
    period = query.periods[0].period if query.periods else None
    sure = query.opinion.sure if query.opinion is not None else None
    return Interpretation(
        query.intent,
        period,
        query.filters,
        text,
        query.told_by,
        sure,
        query.carried,
        year_readings(query.periods),
        namesakes(context, cited),
    )


def carried_words(carried: Sequence[Carried]) -> str:
    """What kinds of things were taken over: シート・年度."""
    return "・".join(CARRIED[one.kind] for one in carried)


def year_readings(periods: Sequence[AskedPeriod]) -> tuple[YearReading, ...]:
    """Both ways of counting the years asked for, and which are used; nothing where the words leave no choice."""
    open_to_both = [asked for asked in periods if asked.senses]
    names: tuple[ReadingName, ...] = ("calendar", "fiscal")
    return tuple(
        YearReading(
            name,
            "・".join(sense_words(asked.senses[at], asked.open) for asked in open_to_both),
            all(asked.senses[at] in asked.readings for asked in open_to_both),
        )
        for at, name in enumerate(names)
        if open_to_both
    )


def demands(bare: str) -> list[str]:
    """The limits, changes and targets that were read: 「決算額 100,000,000円以上」「前年度から増加（20%以上）」."""
    criteria = find_criteria(bare)
    told = [
        f"{limit.name or '・'.join(f.name for f in limit.fields)} {_limit_words(limit.condition)}".strip()
        for limit in criteria.limits
    ]
    if criteria.change is not None:
        by = "・".join(_limit_words(condition) for condition in criteria.change.by)
        told.append(f"{_WAYS[criteria.change.way]}{f'（{by}）' if by else ''}")
    if criteria.attainment is not None:
        told.append("目標を達成" if criteria.attainment.met else "目標が未達成")
    return told


def _limit_words(condition: Condition) -> str:
    return f"{format_number(condition.value, condition.unit)}{_OPERATORS[condition.op]}"


def period_words(asked: AskedPeriod) -> str:
    """A period with the months it covers, in every reading: 2025年（2025年1月〜2025年12月）."""
    return "と".join(sense_words(period, asked.open) for period in asked.readings)


def sense_words(period: Period, is_open: Open = "") -> str:
    """One sense of a period with its months: 令和7年度（2025年4月〜2026年3月）."""
    if is_open == "after":
        return f"{period.label}（{period.start.year}年{period.start.month}月〜）"
    if is_open == "before":
        return f"{period.label}（〜{_last_month(period)}）"
    return period.label if period.kind in ("month", "day") else f"{period.label}（{_months(period)}）"


def _months(period: Period) -> str:
    return f"{period.start.year}年{period.start.month}月〜{_last_month(period)}"


def _last_month(period: Period) -> str:
    year, month = period.end.year, period.end.month - (1 if period.end.day == 1 else 0)
    return f"{year - 1}年12月" if month == 0 else f"{year}年{month}月"
