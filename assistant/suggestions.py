"""Next questions that the sheets at hand can answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from assistant.context import Context
from assistant.drafts import readable
from corpus.documents import Sheet
from corpus.normalize import squeeze

_TEXT_FIELDS = ("今後の計画", "課題", "目的", "評価理由", "今後の方向性")
_HAPPENINGS = ("更改", "移行", "契約満了", "サポート終了", "稼働", "導入")
_MOST = 3


def suggestions(context: Context, sheets: Sequence[Sheet]) -> list[str]:
    """Up to three questions about the first cited sheet, or without an answer about the one named, from what it holds."""
    named = [focus.sheet for focus in context.focus() if focus.named] if not sheets else []
    if not sheets and not named:
        return []
    sheet = [*sheets, *named][0]
    name = _told_apart(context, sheet)
    asked = context.query.key
    found: list[str] = []
    amounts = [f.fact for f in context.index.facts([sheet.sheet_id]) if f.fact.unit == "円" and f.fact.period]
    # Whoever asked for a year that the sheet does not print wants to see those that it does.
    if amounts and (named or not any(word in asked for word in ("決算", "予算", "事業費"))):
        newest = max(amounts, key=lambda fact: fact.period.start if fact.period else date.min)
        found.append(f"{name}の{newest.label}の推移は？")
    labels = {s.section.field: s.section.label for s in context.index.sections([sheet.sheet_id])}
    for field in _TEXT_FIELDS:
        if field in labels and field not in asked:
            found.append(f"{name}の{field}は？")
    happening = _happening(context, sheet)
    if happening and context.query.intent not in ("when", "list"):
        found.insert(1, f"{name}の{happening}はいつ？")
    if sheet.department:
        found.append(f"{sheet.department}のシートを一覧にして")
    return found[:_MOST]


def _told_apart(context: Context, sheet: Sheet) -> str:
    """The sheet's name, behind its town or department where another sheet of the index has the same name."""
    name = readable(sheet.name)
    same = context.catalogue.of_name(squeeze(sheet.name))
    if any(s.municipality != sheet.municipality for s in same):
        return f"{sheet.municipality}の{name}"
    if any(s.department != sheet.department for s in same) and sheet.department:
        return f"{sheet.department}の{name}"
    return name


def _happening(context: Context, sheet: Sheet) -> str:
    """What the sheet dates, of what people ask the date of; the newest of them, or nothing."""
    events = [found.event for found in context.index.events([sheet.sheet_id]) if found.event.what in _HAPPENINGS]
    return max(events, key=lambda event: event.period.start).what if events else ""
