"""Answers that are figures: amounts, indicators, staff and rates read from the facts of the sheets in focus."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from assistant.context import Context
from assistant.drafts import Draft, plain, title
from assistant.question import AskedPeriod
from assistant.statements import Statement
from assistant.types import Chart, Series
from assistant.vocabulary import AskedField
from corpus.amounts import format_number
from corpus.documents import Fact, Sheet, Span
from corpus.normalize import squeeze
from corpus.periods import Period
from index.tokens import words

_TYPES = ("amount", "number")
# A label must hold this share of what is asked (by weight) when no field names it.
_LABEL_COVER = 0.45
# 決算額 and 予算額 name a kind of figure as well as a field; these labels stand for the whole where a form prints both.
_WHOLE = ("決算額", "予算額", "総事業費", "事業費", "総事業コスト", "事業経費")
_MOST_GROUPS = 4


@dataclass(frozen=True, slots=True)
class Group:
    """The facts of one printed row: one sheet, field and label over its periods and kinds."""

    sheet: Sheet
    field: str
    label: str
    facts: tuple[Fact, ...]
    tier: float
    cover: float

    @property
    def score(self) -> float:
        """Tier of the field plus the share of the question's words in the label."""
        return self.tier + self.cover


def figures(context: Context) -> Draft | None:
    """Figures for the sheets in focus; a draft without citations when the figure is printed, but not for that year."""
    query = context.query
    asked = query.asks(*_TYPES)
    if not asked and not query.expects & {"amount", "number"}:
        return None
    if "organisation" in query.expects or any(f.type == "text" and not f.weak for f in query.fields) and not asked:
        return None
    groups = _groups(context, asked)
    if not groups:
        return None
    chosen = _choose(context, groups)
    if not chosen:
        return None
    draft = Draft(context.index, how="figures")
    missing = False
    for group in chosen:
        facts = select(group.facts, query.periods, _kind(context, group, asked))
        if not facts:
            missing = True
            continue
        _write(draft, group, facts)
    if not draft.citations:
        return draft if missing else None
    _chart(draft, [(g, select(g.facts, query.periods, _kind(context, g, asked))) for g in chosen])
    draft.confidence = max(g.score for g in chosen)
    return draft


def _groups(context: Context, asked: Sequence[AskedField]) -> list[Group]:
    focus = context.focus()
    named = [f for f in focus if f.named]
    sheets = [f.sheet for f in named] or [f.sheet for f in focus[:4]]
    rows: dict[tuple[str, str, str], list[Fact]] = {}
    for found in context.index.facts([s.sheet_id for s in sheets]):
        if found.fact.value is not None:
            rows.setdefault((found.sheet.sheet_id, found.fact.field, found.fact.label), []).append(found.fact)
    topic = _topic_words(context, asked)
    by_id = {s.sheet_id: s for s in sheets}
    groups = []
    for (sheet_id, name, label), facts in rows.items():
        tier = max((field_tier(f, name, label, facts) for f in asked), default=0.0)
        cover = label_cover(context, topic, label)
        groups.append(Group(by_id[sheet_id], name, label, tuple(facts), tier, cover))
    return groups


def _topic_words(context: Context, asked: Sequence[AskedField]) -> list[str]:
    """The question's words less those that only name the field."""
    phrases = "".join(phrase for f in asked for phrase in f.ask)
    expanded = context.statements.wanted(context.query.focus).query.words
    return [word for word in expanded if word not in phrases]


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


def label_cover(context: Context, topic: Sequence[str], label: str) -> float:
    """The share of the topic's words (by weight) that a label holds, itself, by synonym or by a near word."""
    if not topic:
        return 0.0
    statement = Statement(
        sheet=context.catalogue.sheets[0],
        label="",
        field="",
        span=Span(0, 0),
        text=label,
        key=squeeze(label),
        words=frozenset(words(label)),
        label_words=frozenset(),
        order=0,
    )
    wanted = context.statements.wanted(" ".join(topic))
    return context.statements.rank(wanted, [statement])[0].cover


def _choose(context: Context, groups: Sequence[Group]) -> list[Group]:
    """The best rows, one set for each sheet named; none when the question is about something the rows do not hold."""
    query = context.query
    amounts = [f for f in query.asks(*_TYPES) if not f.weak]
    best = max(groups, key=lambda g: g.score)
    enough = best.tier >= 0.45 and (bool(amounts) or not _topic_words(context, query.asks(*_TYPES)))
    if not enough and best.cover < _LABEL_COVER:
        return []
    chosen: list[Group] = []
    for sheet_id in dict.fromkeys(g.sheet.sheet_id for g in groups):
        rows = [g for g in groups if g.sheet.sheet_id == sheet_id]
        top = max(rows, key=lambda g: g.score)
        if top.score < best.score - 0.25:
            continue
        chosen.extend(sorted((g for g in rows if g.score >= top.score - 0.08), key=lambda g: -g.score)[:2])
        # Each further field asked for by name brings its own row (予算額と決算額).
        for asked in amounts:
            row = max(rows, key=lambda g: (field_tier(asked, g.field, g.label, g.facts), g.cover))
            if field_tier(asked, row.field, row.label, row.facts) >= 0.85 and row not in chosen:
                chosen.append(row)
    return chosen[:_MOST_GROUPS]


def _kind(context: Context, group: Group, asked: Sequence[AskedField]) -> str | None:
    kinds = {f.kind for f in asked if f.kind}
    own = {f.kind for f in asked if f.kind and field_tier(f, group.field, group.label, group.facts) >= 0.85}
    if own:
        return None  # the row itself is the plan or the actual
    return next(iter(kinds)) if len(kinds) == 1 else None


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


def _write(draft: Draft, group: Group, facts: Sequence[Fact]) -> None:
    name = plain(group.label) or group.field
    draft.add(f"{title(group.sheet)}の{name}")
    for fact in facts:
        n = draft.cite(group.sheet, group.field, fact.quote)
        when = fact.period.label if fact.period else ""
        parts = [part for part in (when, kind_word(fact)) if part]
        figure = format_number(fact.value or 0.0, fact.unit)
        draft.add(f"- {' '.join(parts)}{'：' if parts else ''}{figure} [{n}]")


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
