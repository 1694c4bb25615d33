"""How a sheet was rated: the marks and choices it prints, for the rating asked for."""

from __future__ import annotations

import re

from assistant.context import Context
from assistant.drafts import Draft, plain, title
from corpus.documents import Fact
from corpus.normalize import squeeze

_MOST = 6
_MARK = re.compile(r"\([a-z0-9]\)")


def rated(context: Context) -> Draft | None:
    """The ratings of the named sheets, with their rows; None where none is asked for or printed."""
    query = context.query
    asked = [f for f in query.fields if f.type == "rating"]
    named = [f.sheet for f in context.focus() if f.named]
    if not asked or not named or query.asks("amount", "number"):
        return None
    marks = set(_MARK.findall(query.key))  # 「(a)(b)(c)の内訳」 names rows by their marks

    def wanted(fact: Fact) -> bool:
        label = squeeze(fact.label)
        return any(f.fits(fact.label, fact.field) for f in asked) or any(mark in label for mark in marks)

    draft = Draft(context.index, how="ratings")
    for sheet in named[:2]:
        facts = [f.fact for f in context.index.facts([sheet.sheet_id]) if f.fact.value is None and wanted(f.fact)]
        periods = [reading for p in query.periods for reading in p.readings]
        dated = [f for f in facts if f.period and any(p.covers(f.period) for p in periods)]
        facts = dated or [f for f in facts if not periods or f.period is None]
        if facts:
            draft.add(title(sheet))
        for fact in facts[:_MOST]:
            n = draft.cite(sheet, fact.label, fact.quote)
            when = f"（{fact.period.label}）" if fact.period else ""
            draft.add(f"- {plain(fact.label)}{when}：{plain(fact.text)} [{n}]")
    return draft if draft.citations else None
