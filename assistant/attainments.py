"""Which indicators met their targets: target and actual of one year held against each other, in the sheet's own direction.

An indicator is better the higher it is unless the sheet says otherwise (少ないほどよい, 15分以内).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from assistant.context import Context
from assistant.statements import Statement
from corpus.amounts import format_number
from corpus.documents import Fact, Sheet
from corpus.normalize import squeeze
from corpus.periods import Period, find_periods

_LOWER = re.compile(r"(?:少な|低|小さ|短|減)[いるら]?ほど|低減目標|(?:を|に)減らす")
_AT_MOST = re.compile(r"\d[^\d]{0,6}?(?:以下|以内|未満|まで)")
_HIGHER = re.compile(r"(?:多|高|大き|長)いほど|\d[^\d]{0,6}?以上")
_PRINTED = re.compile(r"達成")
_NOT_MET = re.compile(r"未達|達成でき(?:な|ず)|達成していな|一部")
_TOPIC = re.compile(r"([一-龥々ァ-ヴーA-Za-z]{2,14}?)(?:の実績)?(?:[がはの]|\0)+(?:業績評価)?(?:目標|指標|基準)")
_GENERIC = (
    "達成",
    "未達",
    "指標",
    "実績",
    "目標",
    "成果指標",
    "活動指標",
    "目標達成指標",
    "事業",
    "システム",
    "年度",
    "評価指標",
)
_SHORT = re.compile(r"(?:指標|目標|基準|計画)[^。]{0,16}?(?:を下回|に?届か|に?達しな|を?達成でき(?:な|ず)|未達)")


@dataclass(frozen=True, slots=True)
class Pair:
    """An indicator's target and actual of one year; ``told`` where the sheet says which way is better.

    ``unclear``: it does not say so, and its targets fall over the years, so that either way may be the better one.
    """

    label: str
    when: str
    plan: Fact
    actual: Fact
    lower: bool
    told: bool
    unclear: bool = False

    @property
    def met(self) -> bool:
        """Whether the actual is as good as the target."""
        plan, actual = self.plan.value or 0.0, self.actual.value or 0.0
        return actual <= plan if self.lower else actual >= plan


@dataclass(frozen=True, slots=True)
class Attained:
    """What a sheet tells of its targets: the pairs that can be compared, the cells and sentences that say it in words."""

    pairs: tuple[Pair, ...] = ()
    printed: tuple[Fact, ...] = ()
    sentences: tuple[Statement, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.pairs or self.printed or self.sentences)

    @property
    def missed(self) -> bool:
        """Whether any target was missed; what the sheet prints of it in words comes before the figures."""
        if self.printed:
            return any(_NOT_MET.search(squeeze(fact.text)) for fact in self.printed)
        return bool(self.sentences) or any(not pair.met for pair in self.pairs)


def topic_of(key: str) -> str:
    """The indicator that is asked about before 目標 or 指標: 稼働率 in 「稼働率が業績評価指標を下回った」; else ""."""
    found = _TOPIC.search(key)
    return "" if found is None or found[1] in _GENERIC or found[1].endswith(_GENERIC) else found[1]


def attained(context: Context, sheet: Sheet, periods: Sequence[Period], topic: str = "") -> Attained:
    """What a sheet tells of its targets in the periods (of its latest year that has both figures without any)."""
    facts = [found.fact for found in context.index.facts([sheet.sheet_id])]
    pairs = [
        p
        for p in pairs_of(facts)
        if not p.unclear and (not topic or topic in squeeze(p.label)) and _asked(p.actual, periods)
    ]
    if not periods and pairs:
        latest = max(p.actual.period.start for p in pairs if p.actual.period)
        pairs = [p for p in pairs if p.actual.period and p.actual.period.start == latest]
    printed = [] if topic else [f for f in facts if _in_words(f) and (not periods or _asked(f, periods))]
    told = not topic or (pairs and not _open_targets(facts, pairs, periods, topic))
    sentences = [] if told else _sentences(context, sheet, periods, topic)
    return Attained(tuple(pairs), tuple(printed), tuple(sentences))


def verdicts(facts: Sequence[Fact], row: Sequence[Fact] = ()) -> list[str]:
    """For each year of a row that has a target and an actual, whether it was met, as one line of an answer.

    ``facts`` are those shown, ``row`` all of the row.
    """
    lines = []
    for pair in (p for p in pairs_of(row or facts) if p.plan in facts and p.actual in facts):
        better = "（少ないほどよい指標）" if pair.lower else ""
        if pair.unclear:
            lines.append(f"- {pair.when}：実績は目標と異なります（大きいほどよい指標かどうかは書かれていません）")
            continue
        if pair.met:
            word = (
                "目標を達成しています"
                if pair.told or pair.plan.value == pair.actual.value
                else "実績は目標を上回っています（達成）"
            )
        else:
            word = "目標を達成していません" if pair.told else "実績は目標に届いていません（未達成）"
        gap = round(abs((pair.actual.value or 0.0) - (pair.plan.value or 0.0)), 6)
        by = f"（目標との差 {format_number(gap, pair.actual.unit)}）" if gap else ""
        lines.append(f"- {pair.when}：{word}{better}{by}")
    return lines


def pairs_of(facts: Sequence[Fact]) -> list[Pair]:
    """Targets with the actual of the same row and year."""
    rows: dict[tuple[str, str, str], dict[str, Fact]] = {}
    for fact in facts:
        if fact.value is None or fact.unit == "円" or fact.period is None or fact.kind is None:
            continue
        rows.setdefault((squeeze(fact.label), fact.period.label, fact.unit), {}).setdefault(fact.kind, fact)
    found = []
    for (_, when, _), row in rows.items():
        if len(row) == 2:
            plan, actual = row["plan"], row["actual"]
            said = squeeze(f"{plan.label} {plan.text}")
            lower = bool(_LOWER.search(said) or _AT_MOST.search(said))
            told = lower or bool(_HIGHER.search(said))
            unclear = not told and plan.value != actual.value and _fall(plan, facts)
            found.append(Pair(plan.label, when, plan, actual, lower, told, unclear))
    return found


def _fall(plan: Fact, facts: Sequence[Fact]) -> bool:
    """Whether the targets of a row fall over the years it prints."""
    row = [f for f in facts if f.kind == "plan" and f.label == plan.label and f.unit == plan.unit and f.period]
    row.sort(key=lambda f: f.period.start if f.period else date.min)
    return len(row) > 1 and (row[-1].value or 0.0) < (row[0].value or 0.0)


def _open_targets(facts: Sequence[Fact], pairs: Sequence[Pair], periods: Sequence[Period], topic: str) -> bool:
    """Whether a target of the topic stands without a figure of its actual."""
    paired = {pair.plan for pair in pairs}
    plans = [
        f for f in facts if f.kind == "plan" and f.unit != "円" and topic in squeeze(f.label) and _asked(f, periods)
    ]
    return any(plan not in paired for plan in plans)


def _asked(fact: Fact, periods: Sequence[Period]) -> bool:
    return not periods or (fact.period is not None and any(p.covers(fact.period) for p in periods))


def _in_words(fact: Fact) -> bool:
    """A cell that says itself whether the targets were met: 達成状況 一部未達成."""
    return fact.value is None and _PRINTED.search(fact.text) is not None and len(fact.text) <= 24


def _sentences(context: Context, sheet: Sheet, periods: Sequence[Period], topic: str) -> list[Statement]:
    """Sentences with a figure that say the topic fell short of its target, where no pair of figures does."""
    found = []
    for statement in context.statements.of([sheet]):
        if (
            topic not in statement.key
            or not any(c.isdigit() for c in statement.key)
            or not _SHORT.search(statement.key)
        ):
            continue
        dates = [hit.period for hit in find_periods(statement.text, sheet.fiscal_year)]
        if not periods or not dates or any(p.overlaps(d) for p in periods for d in dates):
            found.append(statement)
    return found[:1]
