"""Next questions that the sheets at hand can answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from assistant.context import Context
from assistant.drafts import readable
from corpus.documents import Sheet

_TEXT_FIELDS = ("今後の計画", "課題", "目的", "評価理由", "今後の方向性")
_MOST = 3


def suggestions(context: Context, sheets: Sequence[Sheet]) -> list[str]:
    """Up to three questions about the first cited sheet, built from what it holds."""
    if not sheets:
        return []
    sheet = sheets[0]
    name = readable(sheet.name)
    asked = context.query.key
    found: list[str] = []
    amounts = [f.fact for f in context.index.facts([sheet.sheet_id]) if f.fact.unit == "円" and f.fact.period]
    if amounts and not any(word in asked for word in ("決算", "予算", "事業費")):
        newest = max(amounts, key=lambda fact: fact.period.start if fact.period else date.min)
        found.append(f"{name}の{newest.label}の推移は？")
    labels = {s.section.field: s.section.label for s in context.index.sections([sheet.sheet_id])}
    for field in _TEXT_FIELDS:
        if field in labels and field not in asked:
            found.append(f"{name}の{field}は？")
    if sheet.department:
        found.append(f"{sheet.department}のシートを一覧にして")
    return found[:_MOST]
