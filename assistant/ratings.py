"""How a sheet was rated: the marks and choices it prints, for the rating asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.context import Context
from assistant.counters import asked_counter
from assistant.drafts import Draft, plain, title
from assistant.selection import is_mark, is_overall, name_proof
from assistant.vocabulary import field
from corpus.documents import Fact, Sheet
from corpus.normalize import squeeze
from corpus.periods import Period, fiscal_year

_MOST = 6
_MARK = re.compile(r"\([a-z0-9]\)")


def rated(context: Context) -> Draft | None:
    """The ratings of the named sheets, with their rows; None where none is asked for or printed."""
    query = context.query
    asked = [f for f in query.fields if f.type == "rating"]
    named = [f.sheet for f in context.focus() if f.named]
    if not asked or not named or query.asks("amount", "number"):
        return None
    if all(f.weak for f in asked) and asked_counter(query.key):  # 「年間評価件数は何件」 counts
        return None
    marks = set(_MARK.findall(query.key))  # 「(a)(b)(c)の内訳」 names rows by their marks

    def wanted(fact: Fact) -> bool:
        label = squeeze(fact.label)
        return any(f.fits(fact.label, fact.field) for f in asked) or any(mark in label for mark in marks)

    draft = Draft(context.index, how="ratings")
    passed = False
    for sheet in named[:2]:
        facts = [f.fact for f in context.index.facts([sheet.sheet_id]) if f.fact.value is None and wanted(f.fact)]
        passed = passed or bool(facts)
        periods = [reading for p in query.periods for reading in p.readings]
        dated = [f for f in facts if f.period and any(p.covers(f.period) for p in periods)]
        facts = dated or [f for f in facts if not periods or (f.period is None and _of_year(context, sheet, f))]
        if periods and not facts and passed:
            for source, fact in _tabled(context, sheet, periods)[:1]:
                n = draft.cite(source, fact.label, fact.quote)
                draft.add(f"{title(sheet)}\n- {fact.period.label if fact.period else ''}：{plain(fact.text)} [{n}]")
                own = name_proof(context, sheet)
                draft.lines[-1] += f"[{draft.cite(sheet, own.label, own.span)}]"
        if facts:
            draft.add(title(sheet))
        several = len(query.periods) > 1 or any(p.period.kind == "range" for p in query.periods)
        if query.intent == "trend" and (several or not periods):
            # the other years, where a table over the years prints them
            shown = {f.period.start for f in facts if f.period}
            for source, fact in _tabled(context, sheet, periods):
                if fact.period is not None and fact.period.start not in shown:
                    n = draft.cite(source, fact.label, fact.quote)
                    draft.add(f"- {fact.period.label}：{plain(fact.text)} [{n}]")
        for fact in facts[:_MOST]:
            n = draft.cite(sheet, fact.label, fact.quote)
            when = f"（{fact.period.label}）" if fact.period else ""
            draft.add(f"- {plain(fact.label)}{when}：{plain(fact.text)} [{n}]")
    # A named sheet that prints the rating for other years only is a blank for this one.
    return draft if draft.citations or (passed and query.intent != "yesno") else None


def _tabled(context: Context, sheet: Sheet, periods: Sequence[Period]) -> list[tuple[Sheet, Fact]]:
    """The ratings of a year (of all without one) that only a table over the years prints; none where two share the name."""
    key = squeeze(sheet.name)
    if sum(s.municipality == sheet.municipality for s in context.catalogue.of_name(key)) > 1:
        return []
    tables = [s for s in context.catalogue.documents if s.municipality == sheet.municipality]
    found = [
        (one.sheet, one.fact)
        for one in context.index.facts([s.sheet_id for s in tables])
        if squeeze(one.fact.label) == key
        and is_mark(one.fact.text)
        and not is_overall(one.fact)
        and one.fact.period is not None
        and (not periods or any(period.covers(one.fact.period) for period in periods))
    ]
    return found


def _of_year(context: Context, sheet: Sheet, fact: Fact) -> bool:
    """Whether an undated rating may be of the asked year: it is of the year its sheet reports on, or of the whole plan."""
    if sheet.fiscal_year is None or field("総括評価").fits(fact.label, fact.field):
        return any(f.name == "総括評価" for f in context.query.fields) or sheet.fiscal_year is None
    year = fiscal_year(sheet.fiscal_year)
    return any(reading.overlaps(year) for asked in context.query.periods for reading in asked.readings)
