"""Yes or no: whether a named sheet's figure is over a limit, rose, met its target, or its cell says what is asked."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant import ranking
from assistant.attainments import attained
from assistant.cells import asked_manner
from assistant.conditions import holds
from assistant.context import Context
from assistant.criteria import Change, Limit, find_criteria
from assistant.drafts import Draft, plain, title
from assistant.measures import Measure, changes, measures, readings_of
from assistant.selection import GradeWish, grade_wishes, is_grade, is_mark, is_overall
from assistant.sifting import moved_so, told_pair
from assistant.vocabulary import field
from corpus.documents import Fact, Sheet
from corpus.normalize import squeeze

_ASKS = re.compile(
    r"(?:ます|ました|です|でした|ません|い|た|る|の|だった|でしょう)か(?:ね|な)?[?。]*$|[たるい]\?$|(?:よね|っけ)[?。]*$"
)
_OPEN = re.compile(
    r"何|なに|いくら|どれ|どの|どこ|どう|どち|いつ|誰|だれ|なぜ|なん[でのかぼ]|幾ら|どんな|教え|理由|もの"
)
_TOPIC_CHARS = 2
_MANNERS = re.compile(r"直営|委託|指定管理|補助")


def affirmed(context: Context) -> Draft | None:
    """「はい」 or 「いいえ」 with the figure that shows it, for one named programme; None for any other question."""
    query = context.query
    named = [f.sheet for f in context.focus() if f.named]
    if len(named) != 1 or not _ASKS.search(query.key) or _OPEN.search(query.key):
        return None
    sheet, criteria = named[0], find_criteria(query.bare)
    for limit in criteria.limits:
        return _of_limit(context, sheet, limit)
    if criteria.attainment is not None:
        return _of_target(context, sheet, criteria.attainment.met)
    if criteria.change is not None and query.asks("amount"):
        return _of_change(context, sheet, criteria.change)
    manner = asked_manner(query.bare)
    if manner:
        return _of_manner(context, sheet, manner)
    wishes = grade_wishes(context)
    if len(wishes) == 1:
        return _of_grade(context, sheet, wishes[0])
    return None


def _answer(context: Context, sheet: Sheet, yes: bool, told: str, measure: Measure | None) -> Draft:
    draft = Draft(context.index, how="affirmed")
    draft.add(f"**{'はい' if yes else 'いいえ'}**。{title(sheet)}")
    if measure is not None:
        marks = "".join(f"[{n}]" for n in dict.fromkeys(measure.cite(draft)))
        draft.add(f"- {told} {marks}")
    return draft


def _of_limit(context: Context, sheet: Sheet, limit: Limit) -> Draft | None:
    asked = list(limit.fields or context.query.asks("amount"))
    asked += [f for f in context.query.asks("amount") if f.kind and f not in asked]
    figures = measures(context, asked, [sheet], readings_of(context.query.periods)) if asked else []
    if not figures or (limit.condition.unit not in ("", figures[0].unit)):
        return None
    yes = holds(limit.condition, figures[0].value)
    return _answer(context, sheet, yes, ranking.told(figures[0]), figures[0])


def _of_change(context: Context, sheet: Sheet, change: Change) -> Draft | None:
    asked = context.query.asks("amount")
    figures = changes(context, asked, [sheet])
    if not figures:
        return None
    told = f"{plain(figures[0].label)}：{ranking.moved(figures[0])}"
    return _answer(context, sheet, moved_so(change, figures[0]), told, figures[0])


def _of_target(context: Context, sheet: Sheet, met: bool) -> Draft | None:
    """Whether the targets were met: those of the indicator the question names, or all that the sheet prints of the year."""
    query = context.query
    told = attained(context, sheet, readings_of(query.periods))
    pairs = [p for p in told.pairs if _about(squeeze(p.label), query.bare)] or list(told.pairs)
    if not pairs:
        return None
    draft = _answer(context, sheet, all(p.met for p in pairs) == met, "", None)
    if not met:
        draft = _answer(context, sheet, any(not p.met for p in pairs), "", None)
    for pair in pairs:
        numbers = [draft.cite(sheet, f.field, f.quote) for f in (pair.plan, pair.actual)]
        marks = "".join(f"[{n}]" for n in dict.fromkeys(numbers))
        draft.add(f"- {told_pair(pair)}（{'達成' if pair.met else '未達成'}） {marks}")
    if any(not p.told for p in pairs):
        draft.add("（実績が目標以上であることを達成としています。）")
    return draft


def _about(label: str, bare: str) -> bool:
    """Whether the question names the indicator: four characters of its label in one stretch, or all of a shorter one."""
    head = re.split(r"[※(（]", label)[0]
    size = min(4, len(head))
    return size >= _TOPIC_CHARS and any(head[i : i + size] in bare for i in range(len(head) - size + 1))


def _of_manner(context: Context, sheet: Sheet, manner: str) -> Draft | None:
    """Whether the cell for how the work is done holds 直営 or 委託."""
    row = field("実施方法")
    for found in context.index.facts([sheet.sheet_id]):
        fact = found.fact
        if fact.value is None and row.fits(fact.label, fact.field) and _MANNERS.search(fact.text):
            draft = _answer(context, sheet, manner in squeeze(fact.text), "", None)
            draft.add(f"- {plain(fact.label)}：{plain(fact.text)} [{draft.cite(sheet, fact.label, fact.quote)}]")
            return draft
    return None


def _of_grade(context: Context, sheet: Sheet, wish: GradeWish) -> Draft | None:
    """Whether the rating of the year is the mark that is asked for."""
    facts = [found.fact for found in context.index.facts([sheet.sheet_id])]
    marks = [f for f in facts if f.value is None and is_mark(f.text) and _rates(f, wish)]
    periods = readings_of(context.query.periods)
    marks = [f for f in marks if not periods or (f.period is not None and any(p.covers(f.period) for p in periods))]
    strong = [f for f in wish.fields if not f.weak]
    if not strong:
        marks = [f for f in marks if f.field == "総合評価"] or marks
    if not marks or len({is_grade(f.text, wish.grade) for f in marks}) > 1:
        return None
    yes = is_grade(marks[0].text, wish.grade) != wish.other
    draft = _answer(context, sheet, yes, "", None)
    for fact in _once(marks):
        when = f"（{fact.period.label}）" if fact.period else ""
        draft.add(f"- {plain(fact.label)}{when}：{plain(fact.text)} [{draft.cite(sheet, fact.label, fact.quote)}]")
    return draft


def _rates(fact: Fact, wish: GradeWish) -> bool:
    if is_overall(fact) != wish.overall and any(f.name in ("総括評価", "取組状況の評価") for f in wish.fields):
        return False
    strong = [f for f in wish.fields if not f.weak]
    return any(f.fits(fact.label, fact.field) for f in strong or [field("評価")])


def _once(facts: Sequence[Fact]) -> list[Fact]:
    return list({plain(f.text): f for f in reversed(facts)}.values())[:2]
