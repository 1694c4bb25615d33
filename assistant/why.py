"""How an answer came about, step by step, for those who want to check it: read, narrowed, looked at, put together."""

from __future__ import annotations

from assistant.context import Context
from assistant.drafts import Draft, readable
from assistant.interpretation import INTENTS, carried_words, demands, period_words
from assistant.types import Considered, Why, WhyStep

_MOST = 5

_TOLD_BY = {
    "cue": "決め手になることばがあるため",
    "model": "学習した分類器の判断（確率 {sure:.2f}）",
    "default": "ほかに決め手がないため",
}

# Ways of answering (Draft.how) in words; one that is not here is told by its own name.
_HOW = {
    "abstained": "根拠になる記載がないため、答えませんでした",
    "affirmed": "数値を条件と照らし合わせました",
    "begun": "開始した年度を記載から読み取りました",
    "conditions": "評価や選択の欄が条件に合うシートを全シートから選びました",
    "comparison": "数値を並べて比べました",
    "contradiction": "食い違う記載を並べました",
    "dates": "日付のある記載を期間と照らし合わせました",
    "department": "担当課の欄を読み取りました",
    "definition": "用語の説明を抜き出しました",
    "everything": "範囲のシートをすべて並べました",
    "exceeded": "数値を条件と照らし合わせました",
    "excerpt": "質問のことばと意味に近い文を抜き出しました",
    "figures": "表の数値を欄・年度・種別で選びました",
    "happenings": "出来事の日付を選びました",
    "overview": "シートの主な欄を抜き出しました",
    "per-town": "自治体ごとに答えを求めて並べました",
    "person": "氏名は表示せず、担当課を答えました",
    "ranking": "全シートの数値を大きさの順に並べました",
    "rate": "数値から割合を計算しました",
    "ratings": "評価の欄を読み取りました",
    "sifted": "全シートの数値を条件で絞り込みました",
    "tally": "評価の印を全シートで数えました",
    "topic": "話題に合う記載のあるシートを全シートから選びました",
    "total": "全シートの数値を合計しました",
    "when": "日付のある記載を選びました",
}

# Ways that look at every sheet's figures: what search finds has no part in them.
_BY_FIGURES = frozenset({"affirmed", "begun", "exceeded", "ranking", "rate", "ratings", "sifted", "tally", "total"})


def why(context: Context, body: Draft) -> Why:
    """The steps behind an answer in the order they were taken, and the sheets and passages that were weighed."""
    query = context.query
    steps = [WhyStep("質問の種類", _intent(context))]
    if query.municipalities:
        steps.append(WhyStep("自治体", "・".join(query.municipalities)))
    if query.named:
        names = [f"{readable(n.sheet.name)}（一致度 {n.score:.2f}）" for n in query.named[:_MOST]]
        steps.append(WhyStep("名前", "、".join(dict.fromkeys(names))))
    if query.departments:
        steps.append(WhyStep("部署", "・".join(query.departments)))
    if query.fields:
        fields = dict.fromkeys(f.name + ("（弱い手がかり）" if f.weak else "") for f in query.fields)
        steps.append(WhyStep("欄", "・".join(fields)))
    if query.periods:
        steps.append(WhyStep("期間", "、".join(period_words(asked) for asked in query.periods)))
    conditions = demands(query.bare)
    if conditions:
        steps.append(WhyStep("条件", "、".join(conditions)))
    if query.carried:
        steps.append(WhyStep("引き継ぎ", carried_words(query.carried)))
    steps.append(WhyStep("探した範囲", f"全{len(context.catalogue.sheets):,}シートのうち{context.width:,}シート"))
    compared = _compared(context)
    if compared:
        steps.append(WhyStep("照らした数値", compared))
    left = query.focus.split()
    searched = body.how not in _BY_FIGURES
    if left and searched and context.passages:
        steps.append(WhyStep("本文で探したことば", " ".join(left)))
    steps.append(WhyStep("答え方", _HOW.get(body.how, body.how)))
    return Why(tuple(steps), _considered(context) if searched else ())


def _intent(context: Context) -> str:
    query = context.query
    sure = query.opinion.sure if query.opinion is not None else 0.0
    return f"{INTENTS[query.intent]}（{_TOLD_BY[query.told_by].format(sure=sure)}）"


def _compared(context: Context) -> str:
    """The query to the table of figures, as it reads in SQL terms."""
    fields = list(dict.fromkeys(f.name for f in context.query.asks("amount", "number", "rating") if not f.weak))
    if not fields:
        return ""
    found = context.index.facts([sheet.sheet_id for sheet in context.scope()], fields)
    told = " OR ".join(f"欄 = '{name}'" for name in fields)
    spans = [
        f"期間が {asked.period.start:%Y-%m-%d} から {asked.period.end:%Y-%m-%d} の前日までに重なる"
        for asked in context.query.periods
    ]
    return " AND ".join([f"({told})" if len(fields) > 1 else told, *spans]) + f"（欄が合う数値 {len(found):,}件）"


def _considered(context: Context) -> tuple[Considered, ...]:
    """The passages that search found, if it was asked: a question that names its sheets needs no search."""
    return tuple(
        Considered(
            sheet=readable(passage.sheet.name),
            sheet_id=passage.sheet.sheet_id,
            section=passage.section.label,
            score=round(passage.score, 3),
            chance=round(passage.chance, 3),
            words=round(passage.lexical, 3),
            meaning=round(passage.dense, 3),
        )
        for passage in context.passages[:_MOST]
    )
