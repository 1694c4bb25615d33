"""A sheet at a glance: what it is for, what it does, what comes next, what it cost and how it was rated."""

from __future__ import annotations

from datetime import date

from assistant.context import Context
from assistant.drafts import MAX_CHARS, Draft, plain, readable, shorten, title
from assistant.figures import printed
from assistant.vocabulary import field
from corpus.documents import Fact, Sheet
from index.types import SheetSection

# The first section that fits stands for each of these, in this order.
_PARTS = ("目的", "事業概要", "目指す姿", "課題", "今後の計画")
_PART = 110
_AMOUNTS = ("決算額", "総事業費", "事業費")


def overview(context: Context) -> Draft | None:
    """The sheets named by a question that asks for nothing more; None where it asks for something in particular."""
    query = context.query
    named = [f.sheet for f in context.focus() if f.named]
    if not named or (query.intent != "overview" and not _name_alone(context)):
        return None
    draft = Draft(context.index, how="overview")
    room = MAX_CHARS // min(2, len(named))
    for sheet in named[:2]:
        _write(context, draft, sheet, len(draft.text) + room)
    return draft if draft.citations else None


def _name_alone(context: Context) -> bool:
    query = context.query
    if query.fields or query.expects or query.periods or query.intent not in ("text", "list"):
        return False
    return not context.statements.wanted(query.focus).query.words or not query.focus.strip(" のをはがって?。、")


def _write(context: Context, draft: Draft, sheet: Sheet, room: int) -> None:
    draft.add(title(sheet))
    sections = context.index.sections([sheet.sheet_id])
    used: set[int] = set()
    for name in _PARTS:
        found = _section(sections, name, used)
        if found is None:
            continue
        used.add(found.section_id)
        text = shorten(readable(found.section.text), _PART)
        if len(draft.text) + len(text) + 20 > room:
            continue
        n = draft.cite(sheet, found.section.label, found.section.span)
        draft.add(f"- {plain(found.section.label)}：{text} [{n}]")
    for fact in _latest(context, sheet):
        n = draft.cite(sheet, fact.field, fact.quote)
        when = f"（{fact.period.label}）" if fact.period else ""
        value = printed(fact) if fact.value is not None else plain(fact.text)
        line = f"- {plain(fact.label)}{when}：{value} [{n}]"
        if len(draft.text) + len(line) <= room:
            draft.add(line)


def _section(sections: list[SheetSection], name: str, used: set[int]) -> SheetSection | None:
    asked = field(name)
    fitting = [s for s in sections if s.section_id not in used and asked.fits(s.section.label, s.section.field)]
    prose = [s for s in fitting if len(s.section.text) >= 10]
    return prose[0] if prose else None


def _latest(context: Context, sheet: Sheet) -> list[Fact]:
    """The newest actual amount and the newest rating."""
    facts = [found.fact for found in context.index.facts([sheet.sheet_id])]
    chosen: list[Fact] = []
    for name in _AMOUNTS:
        amounts = [f for f in facts if f.field == name and f.unit == "円" and f.kind == "actual" and f.period]
        if amounts:
            chosen.append(max(amounts, key=lambda f: f.period.start if f.period else date.min))
            break
    ratings = [f for f in facts if f.value is None and field("評価").fits(f.label) and len(plain(f.text)) <= 12]
    return [*chosen, *ratings[:1]]
