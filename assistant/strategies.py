"""Which way of answering is tried for which intent, in order; the first draft stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from assistant.absences import absence, has_the_name, says_the_part, speaks_of_it
from assistant.affirmations import affirmed
from assistant.context import MOST_SHEETS, Context
from assistant.dates import dated, when
from assistant.definitions import definition
from assistant.drafts import MAX_CHARS, Draft, title
from assistant.excerpts import excerpt
from assistant.figures import figures
from assistant.listing import candidates, listing
from assistant.measures import measures, readings_of
from assistant.mentions import mentioned
from assistant.occasions import begun, happening
from assistant.overviews import overview
from assistant.question import Query
from assistant.ranking import comparison
from assistant.ratings import rated
from assistant.selection import department_proof
from assistant.sifting import sifted
from assistant.stages import stage
from assistant.tallies import tallied
from corpus.amounts import format_number
from corpus.documents import Sheet
from corpus.normalize import squeeze

Strategy = Callable[[Context], Draft | None]

# 「A市・B市のうちどこの…」 asks for those that fit, not for one answer from each.
_SUPERLATIVE = re.compile(r"最[も多大高長小少低短上新古]|一番|1位|首位|トップ|いちばん|[多大高少小低]い順")
_IN_CHARGE = re.compile(
    r"(?:担当|所管|主管)(?:課|部署|部|係|窓口)?(?:は|って|が?どこ|[?。]*$|を教え|です)"
    r"|(?:どこ|どちら|何|どの)の?(?:課|部署|部|係)(?:が|の)?(?:担当|所管|やって|扱|持って|見て|仕事|です|でしょう|か?[?。]*$)|問い?合わせ先"
)
_OF_ALL = ("rank", "sum", "count", "compare")
_TOO_MANY = (
    "対象のシートが{count:,}件あり、合計や順位、件数、数値の条件は{most:,}件までのシートで調べます。"
    "自治体や年度、担当課を指定してください。"
)
_PART_OF = "（対象のシートが{count:,}件あるため、質問に近い{near:,}件を調べました。自治体や担当課を指定すると、すべて調べます。）"
_LEAST_ROOM = 120
_TOTALS = re.compile(r"合計|総額|トータル")
_ONE_OF = re.compile(r"うち|どこの|どれ|どの(市|区|町|自治体|事業)|自治体で")


def reasoned(context: Context) -> Draft | None:
    """「…はいくらで、増えた理由は」: the figures with what the sheet says about them; None when either is missing."""
    if not [f for f in context.query.asks("amount") if not f.weak] or not context.query.periods:
        return None
    draft = figures(context)
    if draft is None or not draft.citations:
        return None
    words = excerpt(_with(context, replace(context.query, expects=frozenset())), MAX_CHARS - len(draft.text))
    if words is None or len(draft.text) + len(words.text) > MAX_CHARS:
        return None
    draft.merge(words)
    return draft


def responsible(context: Context) -> Draft | None:
    """Which department is in charge of the named sheets, from where they print it."""
    query = context.query
    if not _IN_CHARGE.search(query.bare) or query.expects - {"organisation"}:
        return None
    draft = Draft(context.index, how="department")
    for sheet in [f.sheet for f in context.focus() if f.named][:3]:
        if sheet.department:
            proof = department_proof(context, sheet)
            n = draft.cite(sheet, proof.label, proof.span)
            draft.add(f"{title(sheet)}の担当は **{sheet.department}** です。 [{n}]")
    return draft if draft.citations else None


def superlative(context: Context) -> Draft | None:
    """「一番人気の返礼品は」: statements for a rank that no figures give, where they say themselves what comes first."""
    draft = excerpt(context)
    return draft if draft and any(_SUPERLATIVE.search(squeeze(c.quote)) for c in draft.citations) else None


STRATEGIES: dict[str, tuple[Strategy, ...]] = {
    "definition": (definition, excerpt),
    "rank": (listing, figures, superlative),
    "sum": (listing, figures, excerpt),
    "count": (listing, figures, excerpt),
    "list": (overview, listing, dated, excerpt),
    "compare": (listing, figures, excerpt),
    "trend": (rated, figures, excerpt),
    "number": (rated, figures, excerpt),
    "when": (dated, begun, when, excerpt),
    "who": (responsible, excerpt),
    "reason": (reasoned, excerpt),
    "yesno": (rated, figures, dated, excerpt),
    "overview": (overview, dated, excerpt),
    "text": (overview, rated, figures, dated, excerpt),
}


def draft_answer(context: Context) -> Draft | None:
    """The first draft that a strategy gives; None (or one without citations) where the sheets do not say."""
    query = context.query
    if absence(context) is not None:
        return None
    if query.asks("person"):
        return unnamed_person(context)
    if query.subset and query.before is not None and not context.subset:
        context = _with(context, query, _cited(context, query.before))
    if len(query.municipalities) > 1 and not _ONE_OF.search(query.key):
        return _per_town(context)
    if context.narrowed and _over_all(query):
        context.missing = _TOO_MANY.format(count=context.width, most=MOST_SHEETS)
        return None
    draft = _first(context)
    if draft is not None and context.narrowed and draft.table is not None:
        draft.add(_PART_OF.format(count=context.width, near=len(context.scope())))
    if draft is None or not all(proper(context, draft) for proper in (says_the_part, speaks_of_it, has_the_name)):
        return None
    return draft


def _over_all(query: Query) -> bool:
    """Whether a question is answered by figures of every sheet there is, so that the nearest ones would mislead."""
    told_apart = query.named or query.subset
    return not told_apart and (query.intent in _OF_ALL or bool(query.conditions) or bool(query.grade))


def unnamed_person(context: Context) -> Draft | None:
    """Who is asked for is answered by the department: names of staff are no search results."""
    named = [f.sheet for f in context.focus() if f.named]
    draft = Draft(context.index, how="person")
    for sheet in named[:2]:
        proof = department_proof(context, sheet)
        if sheet.department:
            n = draft.cite(sheet, proof.label, proof.span)
            draft.add(f"{title(sheet)}の担当は **{sheet.department}** です。 [{n}]")
    if draft.citations:
        draft.add("職員の氏名は表示しません。必要なときは担当課にお問い合わせください。")
    return draft if draft.citations else None


def _first(context: Context) -> Draft | None:
    for strategy in (mentioned, tallied, affirmed, sifted, happening, *STRATEGIES[context.query.intent]):
        draft = strategy(context)
        if draft is not None:
            return draft
    return None


def _per_town(context: Context) -> Draft | None:
    """「A市とB市でそれぞれ…」: each town is asked by itself, the answers stand side by side, with their difference."""
    merged = Draft(context.index, how="per-town")
    sheets: list[Sheet] = []
    totals: dict[str, float] = {}
    if _TOTALS.search(context.query.bare) and context.query.asks("amount") and not context.query.named:
        context = _with(context, replace(context.query, intent="sum"))
    towns = context.query.municipalities
    for place, town in enumerate(towns):
        own = _of_town(context, town)
        own.room = max(_LEAST_ROOM, (MAX_CHARS - len(merged.text)) // (len(towns) - place))
        part = _first(own)
        if part is None or not part.citations:
            return None  # half an answer to a comparison is a wrong one
        if part.how == "total":
            part.lines.insert(0, f"**{town}**")
            asked = context.query.asks("amount")
            figures = measures(own, asked, candidates(own), readings_of(context.query.periods))
            totals[town] = sum(m.value for m in figures)
        merged.merge(part)
        if len({c.sheet.sheet_id for c in part.citations}) == 1:
            sheets.append(part.citations[0].sheet)
    if len(totals) == 2:
        (most, large), (least, small) = sorted(totals.items(), key=lambda one: -one[1])
        merged.lines.insert(0, f"合計は{most}の方が{least}より **{format_number(large - small, '円')}** 多いです。")
    compared = context.query.intent == "compare" and context.query.asks("amount")
    side_by_side = comparison(context, context.query.asks("amount"), sheets) if compared else None
    if side_by_side is not None and len(side_by_side.rows) == len(context.query.municipalities):
        return side_by_side
    return merged


def _of_town(context: Context, town: str) -> Context:
    """The question of one town; where it has no sheet of the name that the question gives, the name is searched for."""
    query = context.query
    names = tuple(n for n in query.names if n.sheet.municipality == town)
    filters = replace(query.filters, municipality=(town,))
    of_town = _with(context, replace(query, municipalities=(town,), names=names, filters=filters))
    if query.named and not of_town.query.named:
        said = " ".join(dict.fromkeys(query.key[n.start : n.end] for n in query.named))
        focus = f"{said} {query.focus.strip()}"
        with stage("search"):
            of_town.passages = context.index.search(focus, 40, filters).hits
        if query.asks("amount", "number"):  # rows of figures are told apart by their sheets' names too
            of_town.query = replace(of_town.query, focus=focus)
    return of_town


def _cited(context: Context, before: Query) -> Sequence[str]:
    """「そのうち…」: the sheets that the answer before cited."""
    draft = draft_answer(_with(context, before))
    return list(dict.fromkeys(c.sheet.sheet_id for c in draft.citations)) if draft else []


def _with(context: Context, query: Query, sheet_ids: Sequence[str] = ()) -> Context:
    """The same index asked another query, within some sheets where they are given."""
    subset = tuple(context.catalogue.by_id[sheet_id] for sheet_id in sheet_ids) or context.subset
    return Context(context.index, context.catalogue, context.statements, query, subset=subset)
