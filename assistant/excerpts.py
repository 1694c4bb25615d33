"""Answers in the sheets' own words: the few statements that answer, each a numbered quote."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.context import Context, Focus
from assistant.drafts import Draft
from assistant.picks import COVER, NAMED_COVER, asked_text, figures_asked, labels, pick, sentences, worth
from assistant.quotes import write_quotes
from assistant.statements import Ranked, Wanted
from corpus.documents import Sheet

# How far behind the best sheet another one may stand and still be quoted: by words, by meaning.
_RIVAL, _RIVAL_BY_MEANING = 0.95, 0.75


def excerpt(context: Context, room: int | None = None) -> Draft | None:
    """Statements of the sheets in focus that answer, in at most ``room`` characters (default: the context's).

    None when nothing proves enough.
    """
    query = context.query
    focus = context.focus()
    if not focus:
        return None
    fields = asked_text(context)
    wanted = context.statements.wanted(_topic(context), query.expects, labels(fields))
    chosen = _choose_sheets(context, focus, wanted)
    draft = Draft(context.index, how="excerpt")
    budget = (context.room if room is None else room) // max(1, len(chosen))
    for sheet, ranked in chosen:
        write_quotes(context, draft, sheet, ranked, budget)
    if not draft.citations:
        return None
    draft.confidence = max(r.cover for _, ranked in chosen for r in ranked)
    if draft.confidence < NAMED_COVER:
        if figures_asked(query):
            return None  # a figure is there or it is not
        draft.near_only = True
        draft.lines.insert(0, "質問のことばそのものは見当たりませんが、意味の近い記載は次のとおりです。")
    return draft


def _topic(context: Context) -> str:
    return context.query.focus.strip() or context.query.text


def _choose_sheets(context: Context, focus: Sequence[Focus], wanted: Wanted) -> list[tuple[Sheet, list[Ranked]]]:
    """The sheets to quote with their statements: the named ones, one for each municipality asked for, or the best."""
    query = context.query
    named = [f for f in focus if f.named]
    if named:
        pairs = [(f.sheet, pick(context, f.sheet, wanted, named=True)) for f in named[:3]]
        pairs = [(sheet, ranked) for sheet, ranked in pairs if ranked]
        if len(query.municipalities) > 1:
            return pairs
        best = max((ranked[0].score for _, ranked in pairs), default=0.0)
        return [(sheet, ranked) for sheet, ranked in pairs if ranked[0].score >= best * 0.8]
    scored = []
    top = focus[0].score
    each = _sentences(context)
    for f in focus[:8]:
        value, ranked = _speaks(context, f.sheet, wanted, each)
        if ranked:
            scored.append((1.5 * f.score / top + value, f.sheet, ranked))
    scored.sort(key=lambda item: -item[0])
    if len(query.municipalities) > 1:
        per_town: dict[str, tuple[Sheet, list[Ranked]]] = {}
        for score, sheet, ranked in scored:
            if score >= scored[0][0] * 0.75:
                per_town.setdefault(sheet.municipality, (sheet, ranked))
        return list(per_town.values())
    # Where only the meaning speaks for it, the runner-up is shown too: the reader can tell which of the two is meant.
    sure = bool(scored) and max(r.cover for r in scored[0][2]) >= COVER
    least = scored[0][0] * (_RIVAL if sure else _RIVAL_BY_MEANING) if scored else 0.0
    return [(sheet, ranked) for score, sheet, ranked in scored[:2] if score >= least]


def _speaks(context: Context, sheet: Sheet, wanted: Wanted, each: Sequence[Wanted]) -> tuple[float, list[Ranked]]:
    """What a sheet's statements are worth as an answer, and those to quote.

    「…を追うものがあると聞きました。古い機械はどこへ移す考えですか」: each sentence has a statement of its own.
    """
    ranked = pick(context, sheet, wanted, named=False)
    if not each:
        return worth(ranked[0]) if ranked else 0.0, ranked
    found = [picked for sentence in each if (picked := pick(context, sheet, sentence, named=False))]
    value = sum(worth(picked[0]) for picked in found) / len(each)
    return value, ranked or max(found, key=lambda picked: worth(picked[0]), default=[])


def _sentences(context: Context) -> list[Wanted]:
    """What each sentence of a question of two or more looks for; a sentence of stop words looks for nothing."""
    named = labels(asked_text(context))
    wanted = [context.statements.wanted(part, context.query.expects, named) for part in sentences(context.query.focus)]
    return [one for one in wanted if one.query.words]
