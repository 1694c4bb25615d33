"""Answers that are figures: amounts, indicators, staff and rates read from the facts of the sheets in focus."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from assistant.context import Context
from assistant.drafts import MAX_CHARS, Draft, plain, readable, title
from assistant.rows import printed_rows
from assistant.statements import Statement
from assistant.timespans import AskedPeriod
from assistant.types import Chart, Series
from assistant.vocabulary import AskedField
from corpus.amounts import format_number, parse_number
from corpus.documents import Fact, Sheet, Span
from corpus.normalize import squeeze
from corpus.periods import Period
from index.tokens import words

_TYPES = ("amount", "number")
# A label must hold this share of what is asked (by weight) when no field names it.
_LABEL_COVER = 0.45
# A sheet that was found, not named, must share this much with the question in its name and label together.
_FOUND_COVER = 0.3
_REACH = 0.55
# A sheet that search puts here is the one meant, even if its labels share little with the question.
_CLEAR = 1.0
# What is left of the question (by weight) beyond the label from where on a statement is quoted beside the figures.
_LEFT_OVER = 0.4
# 決算額 and 予算額 name a kind of figure as well as a field; these labels stand for the whole where a form prints both.
_WHOLE = ("決算額", "予算額", "事業費", "事業経費", "直接事業費", "総事業費", "総事業コスト")
_MOST_GROUPS = 4
_CHANGE = re.compile(r"増え|減っ|増減|増加|減少|変わ|変化|推移|動い|伸び|差|下が|上が")
_FIGURES = ("trend", "number", "compare", "sum", "rank")
_DECIMALS = re.compile(r"\d[.．]([\d０-９]+)")
_COUNTER = re.compile(
    r"何(件|人|名|台|回|%|パーセント|本|枚|冊|時間|分|校|か所|箇所|点|世帯|項目|業務|種類|団体|施設|円)"
)
# Counters that sheets use for one another.
_ALIKE = (
    {"件", "回", "項目", "業務", "つ", "手続", "種", "種類", "本"},
    {"人", "名"},
    {"%", "パーセント"},
    {"か所", "箇所", "施設"},
)


# Words of the calculation that a question asks for; no label holds them.
_ASIDES = frozenset(
    "増える 減る 増加 減少 増減 計算 見込み 見込む 使う 掛かる 比べる 比較 変わる 動く 差 台 件 回 人 名 本 枚 "
    "冊 千 円 万 実績 目標 計画 予定 届く 超える 上回る 下回る 充てる 分 当初 計上 多い 少ない 大きい 小さい".split()
)


@dataclass(frozen=True, slots=True)
class Group:
    """The facts of one printed row: one sheet and label over its periods and kinds.

    ``tier`` says how well the row is the asked field, ``cover`` how much of the rest of the question its label holds,
    ``reach`` the same for label and sheet name together. ``origin`` are the sheets of other years that facts come from.
    """

    sheet: Sheet
    field: str
    label: str
    facts: tuple[Fact, ...]
    tier: float
    cover: float
    reach: float
    weight: float = 0.0
    origin: Mapping[Fact, Sheet] = dataclasses.field(default_factory=dict)

    @property
    def score(self) -> float:
        """Tier of the field, the share of the question's words in the label, and the sheet's own standing."""
        return self.tier + self.cover + self.weight


def figures(context: Context) -> Draft | None:
    """Figures for the sheets in focus; a draft without citations when the row is printed, but not for that year."""
    query = context.query
    asked = query.asks(*_TYPES)
    if not asked and not query.expects & {"amount", "number"} and query.intent not in ("trend", "compare"):
        return None
    if "organisation" in query.expects:
        return None
    if query.intent not in _FIGURES and not asked and any(f.type == "text" and not f.weak for f in query.fields):
        return None
    topic = _topic_words(context, asked)
    groups = _groups(context, asked, topic)
    chosen = _choose(context, groups, topic) if groups else []
    draft = Draft(context.index, how="figures")
    missing = False
    for group in chosen:
        facts = wanted_facts(group, query.periods, asked)
        if facts:
            _write(draft, group, facts, bool(_CHANGE.search(query.key)))
        else:
            missing = missing or group.tier >= 0.85 or group.cover >= 0.6
    if not draft.citations:
        # Where the sheet is named, a blank cell is the answer; a sheet that was only found may not be the right one.
        return draft if missing and any(n.sheet == chosen[0].sheet for n in query.named) else None
    _chart(draft, [(g, wanted_facts(g, query.periods, asked)) for g in chosen])
    draft.confidence = max(g.score for g in chosen)
    _add_statements(context, draft, chosen, topic)
    return draft


def _groups(context: Context, asked: Sequence[AskedField], topic: Sequence[str]) -> list[Group]:
    focus = context.focus()
    named = [f for f in focus if f.named]
    candidates = named or focus[:5]
    top = max((f.score for f in candidates), default=1.0) or 1.0
    standing = {f.sheet.sheet_id: 0.0 if named else 0.3 * f.score / top for f in candidates}
    whole = context.query.intent == "trend" or bool(_CHANGE.search(context.query.key))
    rows, origin = printed_rows(context, [f.sheet for f in candidates], whole)
    by_id = {f.sheet.sheet_id: f.sheet for f in candidates}
    labels = [label for _, label in rows]
    covers = label_covers(context, topic, labels)
    reaches = label_covers(context, topic, [f"{label} {by_id[sheet_id].name}" for sheet_id, label in rows])
    counter = _COUNTER.search(context.query.key)
    groups = []
    for ((sheet_id, label), facts), cover, reach in zip(rows.items(), covers, reaches, strict=True):
        tier = max((field_tier(f, x.field, label, [x]) for f in asked for x in facts), default=0.0)
        if counter and not any(counts_alike(counter[1], x.unit) for x in facts):
            continue
        groups.append(
            Group(by_id[sheet_id], facts[0].field, label, tuple(facts), tier, cover, reach, standing[sheet_id], origin)
        )
    return groups


def counts_alike(counter: str, unit: str) -> bool:
    """Whether a printed unit may answer 何「counter」; an unprinted one may."""
    if not unit or counter in unit:
        return True
    return any(counter in alike and any(u in unit for u in alike) for alike in _ALIKE)


def _topic_words(context: Context, asked: Sequence[AskedField]) -> list[str]:
    """The question's words less those that only name the field."""
    phrases = "".join(phrase for f in asked for phrase in f.ask)
    expanded = context.statements.wanted(context.query.focus).query.words
    return [word for word in expanded if word not in phrases and word not in _ASIDES]


def field_tier(asked: AskedField, name: str, label: str, facts: Sequence[Fact]) -> float:
    """How well a row answers an asked field: 1 for its own label, less for a part of it, 0 for another row."""
    key, field_key = squeeze(label), squeeze(name)
    is_money = facts[0].unit == "円"
    if (asked.type == "amount") != is_money:
        return 0.0
    if key == asked.labels[0] or field_key == asked.labels[0]:
        return 1.0
    if key in asked.labels:
        return 0.9 - 0.02 * asked.labels.index(key)
    if any(label_part in key or label_part in field_key for label_part in asked.labels):
        return 0.6
    if asked.name in ("予算額", "決算額") and is_money and any(f.kind == asked.kind for f in facts):
        return 0.5 - 0.02 * next((i for i, whole in enumerate(_WHOLE) if squeeze(whole) == key), len(_WHOLE))
    return 0.0


def label_covers(context: Context, topic: Sequence[str], labels: Sequence[str]) -> list[float]:
    """For each label the share of the topic's words (by weight) that it holds, by itself, a synonym or a near word."""
    if not topic or not labels:
        return [0.0] * len(labels)
    statements = [_as_statement(context, label, order) for order, label in enumerate(labels)]
    ranked = context.statements.rank(context.statements.wanted(" ".join(topic)), statements)
    covers = {r.statement.order: r.cover for r in ranked}
    return [covers[order] for order in range(len(labels))]


def _as_statement(context: Context, text: str, order: int) -> Statement:
    key = squeeze(text)
    sheet = context.catalogue.sheets[0]
    return Statement(sheet, "", "", Span(0, 0), text, key, frozenset(words(text)), frozenset(), order)


def _choose(context: Context, groups: Sequence[Group], topic: Sequence[str]) -> list[Group]:
    """The rows that answer, best first; none when the question is about something the rows do not hold."""
    query = context.query
    strong = [f for f in query.asks(*_TYPES) if not f.weak]
    named = {n.sheet.sheet_id for n in query.named}
    focus = context.focus()
    clear = focus[0].sheet if focus and focus[0].score >= _CLEAR and not focus[0].named else None

    def answers(group: Group) -> bool:
        if group.cover >= (_LABEL_COVER if len(named) < 2 else _FOUND_COVER):
            return True
        if group.cover >= _FOUND_COVER and group.reach >= _REACH:
            return True
        if group.tier < 0.45 or not (strong or not topic):
            return False
        if group.sheet.sheet_id in named or not topic or group.reach >= _FOUND_COVER:
            return True
        return group.sheet == clear and group.reach >= _FOUND_COVER / 2

    able = [g for g in groups if answers(g)]
    if not able:
        return []
    best = max(able, key=lambda g: g.score)
    chosen: list[Group] = []
    for sheet_id in dict.fromkeys(g.sheet.sheet_id for g in [best, *able]):
        rows = [g for g in able if g.sheet.sheet_id == sheet_id]
        top = max(rows, key=lambda g: g.score)
        # A sheet beside the best one is shown only where the name could mean either.
        if sheet_id != best.sheet.sheet_id and (sheet_id not in named or top.score < best.score - 0.5):
            continue
        chosen.extend(sorted((g for g in rows if g.score >= top.score - 0.08), key=lambda g: -g.score)[:2])
        # Each further field asked for by name brings its own row (予算額と決算額).
        for asked in strong:
            row = max(rows, key=lambda g: (max(field_tier(asked, f.field, g.label, [f]) for f in g.facts), g.cover))
            if max(field_tier(asked, f.field, row.label, [f]) for f in row.facts) >= 0.85 and row not in chosen:
                chosen.append(row)
    return chosen[:_MOST_GROUPS]


def wanted_facts(group: Group, periods: Sequence[AskedPeriod], asked: Sequence[AskedField]) -> list[Fact]:
    """The row's facts for the question; none when it asks for the actual and only a plan is printed, or vice versa.

    Money is filtered by kind (総事業費の決算); an indicator shows its target beside the actual.
    """
    kinds = {f.kind for f in asked if f.kind}
    free = any(field_tier(f, x.field, group.label, [x]) >= 0.85 for f in asked if not f.kind for x in group.facts)
    if free:
        return select(group.facts, periods, None)
    if group.facts[0].unit == "円":
        return select(group.facts, periods, next(iter(kinds)) if len(kinds) == 1 else None)
    facts = select(group.facts, periods, None)
    printed = {f.kind for f in facts}
    return facts if not kinds or None in printed or kinds <= printed or (len(kinds) > 1 and kinds & printed) else []


def _add_statements(context: Context, draft: Draft, chosen: Sequence[Group], topic: Sequence[str]) -> None:
    """What the rows leave open of the question is quoted beside them (…システム全体としては何％?)."""
    weights = {word: context.statements.weight(word) for word in topic}
    total = sum(weights.values())
    reach = max(g.reach for g in chosen)
    if not total or 1 - reach < _LEFT_OVER or len(draft.text) > 300:
        return
    sheets = list({g.sheet.sheet_id: g.sheet for g in chosen}.values())
    wanted = context.statements.wanted(context.query.focus, context.query.expects)
    ranked = context.statements.rank(wanted, context.statements.of(sheets[:1]))
    for r in ranked[:3]:
        text = readable(r.statement.text)
        if (
            len(r.statement.key) >= 12
            and r.cover >= max(_LABEL_COVER, reach)
            and len(draft.text) + len(text) < MAX_CHARS - 60
        ):
            n = draft.cite(r.statement.sheet, r.statement.label, r.statement.span)
            draft.add(f"- {plain(r.statement.label)}：{text} [{n}]")


def select(facts: Iterable[Fact], periods: Sequence[AskedPeriod], kind: str | None) -> list[Fact]:
    """The facts of the asked periods and kind, by period; all of them when no period is asked."""
    chosen = [f for f in facts if kind is None or f.kind is None or f.kind == kind]
    if periods:
        wanted: list[Period] = [reading for asked in periods for reading in asked.readings]
        span = _span(periods)
        chosen = [f for f in chosen if f.period and any(p.covers(f.period) for p in (*wanted, *span))]
    return sorted(chosen, key=lambda f: (f.period.start if f.period else date.min, f.kind or ""))


def _span(periods: Sequence[AskedPeriod]) -> list[Period]:
    return [p.period for p in periods if p.period.kind == "range"]


def kind_word(fact: Fact) -> str:
    """予算 or 決算 for money, 目標 or 実績 for the rest; empty where the sheet does not say or the label does."""
    if fact.kind is None:
        return ""
    word = (
        ("予算" if fact.kind == "plan" else "決算") if fact.unit == "円" else "目標" if fact.kind == "plan" else "実績"
    )
    return "" if word in fact.label or word in fact.field else word


def _write(draft: Draft, group: Group, facts: Sequence[Fact], change: bool) -> None:
    name = plain(group.label) or group.field
    draft.add(f"{title(group.sheet)}の{name}")
    for fact in facts:
        n = draft.cite(group.origin.get(fact, group.sheet), group.field, fact.quote)
        when = fact.period.label if fact.period else ""
        rate = fact.field if fact.field != group.field and fact.field not in name else ""
        parts = [part for part in (when, rate or kind_word(fact)) if part]
        draft.add(f"- {' '.join(parts)}{'：' if parts else ''}{printed(fact)} [{n}]")
    if change:
        _write_change(draft, facts)


def printed(fact: Fact) -> str:
    """A figure with the decimals the sheet prints (84.0), money in 円."""
    if fact.unit != "円" and parse_number(fact.text) == fact.value and (found := _DECIMALS.search(fact.text)):
        value = fact.value or 0.0
        return f"{'▲' if value < 0 else ''}{abs(value):,.{len(found[1])}f}{fact.unit}"
    return format_number(fact.value or 0.0, fact.unit)


def _write_change(draft: Draft, facts: Sequence[Fact]) -> None:
    """From the first to the last figure of one kind: 「2,024台→2,092台（+68台）」."""
    for kind in ("actual", None, "plan"):
        row = [f for f in facts if f.period and (f.kind == kind or (kind == "actual" and f.kind is not None))]
        row = [f for f in row if f.unit == row[0].unit and f.field == row[0].field]
        if kind == "actual":  # the last years of a row of actuals are often estimates
            actual = {f.period.start: f for f in row if f.period and f.kind == "actual"}
            row = [f for f in row if f.kind == "actual" or (f.period and f.period.start not in actual)]
            row = row if actual else []
        if len(row) >= 2:
            first, last = row[0], row[-1]
            gap = (last.value or 0.0) - (first.value or 0.0)
            sign = "+" if gap > 0 else ""
            numbers = f"{format_number(first.value or 0, first.unit)}→{format_number(last.value or 0, last.unit)}"
            draft.add(f"- 増減：{numbers}（{sign}{format_number(gap, last.unit)}）{_planned(first, last)}")
            return


def _planned(first: Fact, last: Fact) -> str:
    """Says that the end of a row of actuals is only planned."""
    if first.kind != "actual" or last.kind != "plan" or last.period is None:
        return ""
    return f"※{last.period.label}は{'予算' if last.unit == '円' else '目標'}です。"


def _chart(draft: Draft, chosen: Sequence[tuple[Group, list[Fact]]]) -> None:
    """A line over the periods where there are at least three of them."""
    periods = sorted({f.period.start: f.period.label for _, facts in chosen for f in facts if f.period}.items())
    if len(periods) < 3:
        return
    series = []
    for group, facts in chosen:
        for kind in dict.fromkeys(f.kind for f in facts):
            values = {f.period.start: f.value for f in facts if f.period and f.kind == kind}
            name = " ".join(
                x for x in (plain(group.label), {"plan": "計画", "actual": "実績"}.get(kind or "", "")) if x
            )
            series.append(Series(name, tuple(values.get(start) for start, _ in periods)))
    unit = chosen[0][1][0].unit if chosen[0][1] else ""
    draft.chart = Chart("line", tuple(label for _, label in periods), tuple(series), unit)
