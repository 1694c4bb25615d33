"""Answers that turn on dates: which sheets have something in a period, and when something happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.context import Context
from assistant.drafts import Draft, page_of, readable, title
from assistant.statements import Statement
from corpus.documents import Event, Sheet
from corpus.normalize import squeeze
from corpus.periods import Period
from index.tokens import words
from index.types import SheetEvent

__all__ = ["dated", "page_of"]

# The share of the question's words (by weight) that the dated sentence must hold to be about the same thing.
_COVER = 0.42
_NEAR_BEST = 0.66


@dataclass(frozen=True, slots=True)
class Dated:
    """An event of a sheet with how well its sentence fits the question."""

    sheet: Sheet
    event: Event
    cover: float


def dated(context: Context) -> Draft | None:
    """Sheets with a dated statement in the asked period about the asked thing, as a list; None without a period."""
    query = context.query
    if not query.periods or (query.intent != "list" and query.named):
        return None
    hits = _hits(context)
    if not hits:
        return None
    draft = Draft(context.index, how="dates")
    sheets = list(dict.fromkeys(h.sheet.sheet_id for h in hits))
    total = len([s for s in context.scope() if s.kind == "programme"])
    draft.add(
        f"{_period_words(context)}に該当する記載は {len(sheets)}件のシートにあります（全{total}件中{len(sheets)}件）。"
    )
    draft.columns = ("シート", "自治体", "担当課", "時期", "記載")
    for sheet_id in sheets:
        of_sheet = [h for h in hits if h.sheet.sheet_id == sheet_id]
        best = max(of_sheet, key=lambda h: h.cover)
        n = draft.cite(best.sheet, "", best.event.quote)
        quote = readable(draft.citations[-1].quote)
        draft.add(f"- {title(best.sheet)}：{quote} [{n}]")
        draft.row(
            (readable(best.sheet.name), best.sheet.municipality, best.sheet.department, best.event.period.label, quote),
            [n],
        )
    draft.confidence = max(h.cover for h in hits)
    return draft


def _period_words(context: Context) -> str:
    return "・".join(asked.period.label for asked in context.query.periods)


def _hits(context: Context) -> list[Dated]:
    query = context.query
    scope = {s.sheet_id: s for s in context.scope() if s.kind == "programme"}
    named = {n.sheet.sheet_id for n in query.named}
    readings: list[Period] = [reading for asked in query.periods for reading in asked.readings]
    events = [
        found
        for found in context.index.events(sorted(named or scope))
        if found.sheet.sheet_id in scope and any(_inside(found.event.period, reading) for reading in readings)
    ]
    return _about(context, events)


def _inside(period: Period, asked: Period) -> bool:
    """A date counts when it lies in the asked period; a longer one (2019-2021) that merely touches it does not."""
    return asked.covers(period) or (period.kind != "range" and period.covers(asked) and period.kind == asked.kind)


def _about(context: Context, events: Sequence[SheetEvent]) -> list[Dated]:
    if not events:
        return []
    wanted = context.statements.wanted(context.query.focus)
    statements = []
    for order, found in enumerate(events):
        document = context.index.document(found.sheet.file)
        text = document.text[found.event.quote.start : found.event.quote.end]
        key = squeeze(text)
        statements.append(
            Statement(found.sheet, "", "", found.event.quote, text, key, frozenset(words(text)), frozenset(), order)
        )
    ranked = context.statements.rank(wanted, statements)
    best = ranked[0].cover
    if best < _COVER:
        return []
    kept = [r for r in ranked if r.cover >= max(_COVER, best * _NEAR_BEST)]
    return [Dated(r.statement.sheet, events[r.statement.order].event, r.cover) for r in kept]
