"""Answers that are figures: amounts, indicators, staff and rates read from the facts of the sheets in focus."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date

from assistant.attainments import verdicts
from assistant.calculations import asks_per_unit, calculation, gaps, last_years, lines, per_unit
from assistant.context import Context
from assistant.contradictions import otherwise
from assistant.counters import asked_counter, counts, label_unit
from assistant.drafts import MAX_CHARS, Draft, plain, readable, title
from assistant.groups import LABEL_COVER, TYPES, Group, choose, field_tier, groups, topic_words
from assistant.measures import RATE, UNUSED, readings_of, reckoned
from assistant.question import Query
from assistant.timespans import AskedPeriod
from assistant.types import Chart, Series
from assistant.vocabulary import AskedField
from corpus.amounts import format_number, parse_number
from corpus.documents import Fact
from corpus.normalize import squeeze
from corpus.periods import Period, fiscal_year

# What is left of the question (by weight) beyond the label from where on a statement is quoted beside the figures.
_LEFT_OVER = 0.4
_NEAREST = 3
_AGAINST_PRIOR = re.compile(r"(?:前の?年度?|昨年度?|去年度?)[^。、?]{0,3}(?:より|比|から|対比)")
_TARGET_ASKED = re.compile(
    r"(?:目標|指標|計画)(?:値)?[^。?]{0,6}(?:達成|届|超え|クリア|上回|下回|未達)(?!率|度|状況|指標)|達成(?:した|し[まて]|でき|[?])|未達"
)
_CHANGE = re.compile(r"増え|増や|減[っりるら]|落ち込|増減|増加|減少|変わ|変化|推移|動い|伸び|差|下が|上が")
_DONE = re.compile(r"[しっいえけせてねべめれき]た(?!い|め|ら|後|場合)|[んい]だ(?!け)|ました|でしたか|された|られた")
_INTENDED = re.compile(r"目標|計画|予算|見込|予定|当初|目指|めざ|べき|はず|ねらい|狙い")
_FIGURES = ("trend", "number", "compare", "sum", "rank")
_DECIMALS = re.compile(r"\d[.．]([\d０-９]+)")


def figures(context: Context) -> Draft | None:
    """Figures for the sheets in focus; a draft without citations when the row is printed, but not for that year."""
    query = context.query
    asked = query.asks(*TYPES)
    if not asked and not query.expects & {"amount", "number"} and query.intent not in ("trend", "compare"):
        return None
    if "organisation" in query.expects:
        return None
    if query.intent not in _FIGURES and not asked and any(f.type == "text" and not f.weak for f in query.fields):
        return None
    topic = topic_words(context, asked)
    wish = calculation(query)
    periods = with_year_before(query)
    rows = groups(context, asked, topic, query.intent == "trend" or bool(wish or _CHANGE.search(query.key)))
    if _only_money(query):
        rows = [row for row in rows if row.facts[0].unit == "円"]
    chosen = choose(context, rows, topic) if rows else []
    for name, unit in ((RATE, "%"), (UNUSED, "円")):
        if any(f.name == name for f in asked) and not any(_prints(g, name, unit) for g in chosen):
            found = _reckoned(context, name)
            if found is not None:
                return found
    draft = Draft(context.index, how="figures")
    missing = False
    told: list[tuple[Group, list[Fact]]] = []
    for group in chosen:
        facts = wanted_facts(group, periods, asked, query.key)
        if facts and wish.years:
            facts = last_years(facts, wish.years)
        if facts:
            _write(draft, group, facts, bool(_CHANGE.search(query.key)) and not wish.gap)
            _write_otherwise(context, draft, group, facts)
            if _TARGET_ASKED.search(query.key):
                draft.lines += verdicts(facts, group.facts)
            draft.lines += lines(wish, facts, query.periods)
            told.append((group, facts))
        else:
            missing = missing or group.tier >= 0.85 or group.cover >= 0.6
    _write_per_unit(context, draft, told)
    if wish.gap:
        draft.lines += gaps([f for _, facts in told for f in facts], [f for _, facts in told for f in facts])
    if not draft.citations:
        # Where the sheet is named, a blank cell is the answer; a sheet that was only found may not be the right one.
        return draft if missing and any(n.sheet == chosen[0].sheet for n in query.named) else None
    _chart(draft, told)
    draft.confidence = max(g.score for g in chosen)
    _add_statements(context, draft, chosen, topic)
    return draft


def with_year_before(query: Query) -> tuple[AskedPeriod, ...]:
    """The asked periods; with the year before where one year is held against it (前年度と比べて)."""
    years = [asked.year for asked in query.periods]
    if len(years) != 1 or years[0] is None or not _AGAINST_PRIOR.search(query.key):
        return query.periods
    before = fiscal_year(years[0] - 1)
    return (AskedPeriod(before, (before,)), *query.periods)


def _only_money(query: Query) -> bool:
    """Whether amounts alone are asked: 「給食の決算額は」 wants no indicator that happens to share its words."""
    return bool(query.asks("amount")) and not query.asks("number") and "number" not in query.expects


def _prints(group: Group, name: str, unit: str) -> bool:
    return any(fact.unit == unit and name in fact.field + fact.label for fact in group.facts)


def _reckoned(context: Context, name: str) -> Draft | None:
    """執行率 or 不用額 of the named sheets that print none, from the year's budget and settlement."""
    named = [f.sheet for f in context.focus() if f.named]
    draft = Draft(context.index, how="rate")
    for one in reckoned(context, name, named[:2], readings_of(context.query.periods)):
        marks = "".join(f"[{n}]" for n in dict.fromkeys(one.cite(draft)))
        draft.add(f"{title(one.sheet)}の{name}")
        when = next((f.period.label for f in one.facts[-1:] if f.period), "")
        parts = "、".join(f"{kind_word(f) or plain(f.label)} {printed(f)}" for f in one.facts)
        value = f"{one.value}%" if one.unit == "%" else format_number(one.value, one.unit)
        draft.add(f"- {when}：**{value}**（シートに{name}の欄はなく、{parts} から計算しました） {marks}")
    return draft if draft.citations else None


def wanted_facts(
    group: Group, periods: Sequence[AskedPeriod], asked: Sequence[AskedField], key: str = ""
) -> list[Fact]:
    """The row's facts for the question; none when it asks for the actual and only a plan is printed, or vice versa.

    Money is filtered by kind (総事業費の決算); an indicator shows its target beside the actual. What is asked as done
    (参加した人は何人) in the squeezed question ``key`` is no target either.
    """
    kinds = {f.kind for f in asked if f.kind}
    if not kinds and _DONE.search(key) and not _INTENDED.search(key):
        kinds = {"actual"}
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
    asks_count = bool(asked_counter(context.query.key))
    if asks_count:  # 「…としては何％」 is told by a sentence that holds such a figure
        ranked = [
            r for r in ranked if any(c.isdigit() for c in r.statement.key) and counts(context.query.key, r.statement)
        ]
    labels = [squeeze(g.label) for g in chosen]
    sections = {r.statement.label_key for r in ranked[:1]}
    for place, r in enumerate(ranked):
        # beyond the nearest three only what gives the row another figure in the same section
        beside = r.statement.label_key in sections and any(label in r.statement.key for label in labels)
        if place >= _NEAREST and not beside:
            continue
        text = readable(r.statement.text)
        if (
            len(r.statement.key) >= 12
            and (r.cover >= max(LABEL_COVER, reach) or (beside and asks_count))
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
    for same in _alike(facts):
        fact = same[0]
        marks = dict.fromkeys(draft.cite(group.origin.get(f, group.sheet), group.field, f.quote) for f in same)
        when = fact.period.label if fact.period else ""
        rate = fact.field if fact.field != group.field and fact.field not in name else ""
        parts = [part for part in (when, rate or kind_word(fact)) if part]
        said = "".join(f"[{n}]" for n in marks)
        draft.add(f"- {' '.join(parts)}{'：' if parts else ''}{printed(fact)} {said}")
    if change:
        _write_change(draft, facts)


def _alike(facts: Sequence[Fact]) -> list[list[Fact]]:
    """Figures that say the same of one year, printed at two places, as one line with both quotes."""
    lines: dict[tuple[object, ...], list[Fact]] = {}
    for fact in facts:
        year = (fact.period.start, fact.period.end) if fact.period else None
        lines.setdefault((year, fact.kind, fact.field, fact.value, fact.unit), []).append(fact)
    return list(lines.values())


def _write_per_unit(context: Context, draft: Draft, told: Sequence[tuple[Group, list[Fact]]]) -> None:
    """The amount by what the question counts it by, where the sheet prints both."""
    for group, facts in told[:1]:
        if facts[0].unit != "円":
            return
        printed_all = [one.fact for one in context.index.facts([group.sheet.sheet_id])]
        found = per_unit(context.query, facts, [f for f in printed_all if f.value is not None and f.unit != "円"])
        if found is not None:
            line, _, count = found
            draft.add(f"{line} [{draft.cite(group.sheet, count.field, count.quote)}]")
        elif asks_per_unit(context.query.key) and "当たり" not in group.label:
            draft.add("※割る数値が同じ年度の実績として印刷されていないため、1単位当たりの額は計算していません。")


def _write_otherwise(context: Context, draft: Draft, group: Group, facts: Sequence[Fact]) -> None:
    """Another value that this or another year's sheet prints of the same figure."""
    for others in otherwise(context, group.sheet, facts).values():
        for one in others:
            n = draft.cite(one.sheet, one.fact.field, one.fact.quote)
            when = one.fact.period.label if one.fact.period else ""
            where = f"{one.sheet.fiscal_year}年度のシート" if one.sheet.fiscal_year else "別のシート"
            draft.add(f"- ※{when}の値は資料の中で一致していません。{where}には{printed(one.fact)}とあります。 [{n}]")


def printed(fact: Fact) -> str:
    """A figure with the decimals the sheet prints (84.0), money in 円."""
    unit = fact.unit or label_unit(fact.label)
    if unit != "円" and parse_number(fact.text) == fact.value and (found := _DECIMALS.search(fact.text)):
        value = fact.value or 0.0
        return f"{'▲' if value < 0 else ''}{abs(value):,.{len(found[1])}f}{unit}"
    return format_number(fact.value or 0.0, unit)


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
            unit = last.unit or label_unit(last.label)
            numbers = f"{format_number(first.value or 0, unit)}→{format_number(last.value or 0, unit)}"
            draft.add(f"- 増減：{numbers}（{sign}{format_number(gap, unit)}）{_planned(first, last)}")
            return


def _whose(group: Group, groups: Sequence[Group]) -> str:
    """Whose line it is where a chart has those of several sheets: by name, or where they share it by department or town."""
    others = [g.sheet for g in groups if g.sheet != group.sheet]
    for told in (lambda s: readable(s.name), lambda s: s.department, lambda s: s.municipality):
        if others and all(told(other) != told(group.sheet) for other in others):
            return str(told(group.sheet))
    return ""


def _planned(first: Fact, last: Fact) -> str:
    """Says that the end of a row of actuals is only planned."""
    if first.kind != "actual" or last.kind != "plan" or last.period is None:
        return ""
    return f"※{last.period.label}は{'予算' if last.unit == '円' else '目標'}です。"


def _chart(draft: Draft, chosen: Sequence[tuple[Group, list[Fact]]]) -> None:
    """A line over the periods where there are at least three of them; a rate beside a count has no place in it."""
    unit = chosen[0][1][0].unit if chosen[0][1] else ""
    chosen = [(group, [f for f in facts if f.unit == unit and f.field == facts[0].field]) for group, facts in chosen]
    periods = sorted({f.period.start: f.period.label for _, facts in chosen for f in facts if f.period}.items())
    if len(periods) < 3:
        return
    series = []
    for group, facts in chosen:
        for kind in dict.fromkeys(f.kind for f in facts):
            values = {f.period.start: f.value for f in facts if f.period and f.kind == kind}
            word = kind_word(next(f for f in facts if f.kind == kind))
            parts = (_whose(group, [other for other, _ in chosen]), plain(group.label), word)
            series.append(Series(" ".join(x for x in parts if x), tuple(values.get(start) for start, _ in periods)))
    draft.chart = Chart("line", tuple(label for _, label in periods), tuple(series), unit)
