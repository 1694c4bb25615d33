"""Saying that the sheets do not hold the answer, with what was looked for."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.absences import absence
from assistant.context import Context
from assistant.drafts import Draft, readable
from assistant.types import Searched, State
from index.types import Passage

# A passage is near when it holds this share of the question's words (by weight).
_NEAR = 0.3
_MOST = 3


def refusal(context: Context) -> Draft:
    """A draft without citations: the state, what was searched, and what to try."""
    seen = searched(context)
    draft = Draft(context.index, how="abstained", confidence=0.0)
    near = state(context, context.search()[:5])
    if near == "関連する記載のみ":
        draft.add("関連する記載のみ：質問にそのまま答える記載は、索引にある評価シートには見つかりませんでした。")
    else:
        draft.add("該当なし：質問に答える記載は、索引にある評価シートには見つかりませんでした。")
    if seen.missing:
        draft.add(seen.missing)
    parts = (
        ("自治体", seen.municipalities),
        ("シート", seen.sheets),
        ("担当課", seen.departments),
        ("項目", seen.fields),
        ("時期", seen.periods),
    )
    what = "、".join(f"{name} {'・'.join(values[:_MOST])}" for name, values in parts if values)
    looked = f"（探した内容: {what}）" if what else ""
    draft.add(f"{seen.count}件のシートを探しました{looked}。近い記載を下に示します。")
    return draft


def searched(context: Context) -> Searched:
    """What the question was understood to ask for, and what of it the sheets do not hold."""
    query = context.query
    missing = absence(context)
    return Searched(
        count=context.width,
        municipalities=query.municipalities or query.filters.municipality or query.strangers,
        sheets=tuple(dict.fromkeys(readable(name.sheet.name) for name in query.named)),
        departments=query.departments,
        fields=tuple(dict.fromkeys(f.name for f in query.fields)),
        periods=tuple(asked.period.label for asked in query.periods),
        missing=missing.text if missing else context.missing or _by_fiscal_year(context),
    )


def _by_fiscal_year(context: Context) -> str:
    """Why no figure was found where years were counted from January: sheets print them by fiscal year."""
    query = context.query
    calendar = any(asked.senses and asked.readings == asked.senses[:1] for asked in query.periods)
    if not calendar or not (query.asks("amount", "number") or query.expects & {"amount", "number"}):
        return ""
    return "評価シートの数値は年度ごとに書かれています。年の数え方を「年度」にすると見つかることがあります。"


def state(context: Context, passages: Sequence[Passage]) -> State:
    """Of a question without an answer: whether a named sheet or a near passage says something of it."""
    if context.query.strangers and not context.query.municipalities:
        return "該当なし"
    if context.query.named:
        return "関連する記載のみ"
    wanted = context.statements.wanted(context.query.focus)
    sheets = list(dict.fromkeys(passage.sheet for passage in passages))
    ranked = context.statements.rank(wanted, context.statements.of(sheets)) if wanted.query.words else []
    return "関連する記載のみ" if any(r.cover >= _NEAR for r in ranked) else "該当なし"
