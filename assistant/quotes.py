"""Chosen statements written down: in the sheet's order, with their section where a reason needs its neighbours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.context import Context
from assistant.drafts import Draft, plain, readable, title
from assistant.statements import Ranked, Statement
from corpus.documents import Sheet, Span

# Even in a small room one statement of this length is shown.
_LEAST = 300
# A section of prose up to this length is quoted whole; shorter statements than a clause are a table's.
SECTION = 190
CLAUSE = 12
_TABLE = re.compile(r"指標|推移|取組状況|内訳|事業費|その他|目標達成状況")


def write_quotes(context: Context, draft: Draft, sheet: Sheet, ranked: Sequence[Ranked], budget: int) -> None:
    """The sheet's name and the chosen statements in the sheet's order, as many as the budget holds."""
    used = len(title(sheet))
    chosen: list[Quote] = []
    for r in ranked:
        quote = _whole_section(context, r.statement)
        if any(q.span.start <= quote.span.start and quote.span.end <= q.span.end for q in chosen):
            continue
        cost = len(quote.text) + len(plain(r.statement.label)) + 12
        if (used + cost > budget and chosen) or used + cost > max(budget, _LEAST):
            continue
        used += cost
        chosen = [q for q in chosen if not (quote.span.start <= q.span.start and q.span.end <= quote.span.end)]
        chosen.append(quote)
    if not chosen:
        return
    draft.add(title(sheet))
    for quote in sorted(chosen, key=lambda q: q.span.start):
        n = draft.cite(sheet, quote.label, quote.span)
        draft.add(f"- {plain(quote.label)}：{quote.text} [{n}]")


@dataclass(frozen=True, slots=True)
class Quote:
    """A stretch to show, with its text as people read it."""

    label: str
    span: Span
    text: str


def _whole_section(context: Context, statement: Statement) -> Quote:
    """The statement, or its whole section where that is prose of a few lines: a reason needs its neighbours."""
    own = Quote(statement.label, statement.span, readable(statement.text))
    same = [s for s in context.statements.of([statement.sheet]) if s.label_key == statement.label_key]
    if len(same) < 2 or any("\t" in s.text or len(s.key) < CLAUSE for s in same) or _TABLE.search(statement.label_key):
        return own
    text = context.index.document(statement.sheet.file).text
    span = Span(min(s.span.start for s in same), max(s.span.end for s in same))
    whole = readable(text[span.start : span.end])
    if len(whole) > SECTION or len(whole) > sum(len(readable(s.text)) for s in same) + 4 * len(same):
        return own  # too long, or the statements do not stand together
    return Quote(statement.label, span, whole)
