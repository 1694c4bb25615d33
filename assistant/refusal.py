"""Saying that the sheets do not hold the answer, with what was looked for."""

from __future__ import annotations

from assistant.context import Context
from assistant.drafts import Draft, readable


def refusal(context: Context) -> Draft:
    """A draft without citations: what was searched, and what to try."""
    query = context.query
    draft = Draft(context.index, how="abstained", confidence=0.0)
    draft.add("該当なし：質問に答える記載は、索引にある評価シートには見つかりませんでした。")
    scope = context.scope()
    what = []
    if query.named:
        what.append("・".join(dict.fromkeys(readable(n.sheet.name) for n in query.named[:2])))
    if query.fields:
        what.append("・".join(dict.fromkeys(f.name for f in query.fields)))
    if query.periods:
        what.append("・".join(asked.period.label for asked in query.periods))
    looked = f"（探した内容: {' / '.join(what)}）" if what else ""
    draft.add(f"{len(scope)}件のシートを探しました{looked}。近い記載を下に示します。")
    return draft
