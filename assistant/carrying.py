"""What a follow-up leaves out is taken over from the question before it, and every part of that is named."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from assistant.catalogue import Catalogue
from assistant.drafts import readable
from assistant.names import NameMatch
from assistant.timespans import AskedPeriod
from assistant.types import Carried, CarriedKind
from corpus.normalize import squeeze
from corpus.periods import fiscal_year
from index.readings import reading
from index.tokens import words

if TYPE_CHECKING:
    from assistant.question import Query

_ANAPHORA = re.compile(
    r"^(その|それ|そのう?ち|そこ|じゃあ|では|で、|あと|ほか|他に|次に|これ|この(システム|事業|シート)|同じ|前者|後者|ちなみに|続けて)"
)
# What is left of a follow-up that only names another town or year: 「…は?」「…のほうはいくら?」
_LITTLE = 10
# 予算 and 決算 say the kind of a row as well as a row.
_KINDS = ("予算額", "決算額")
_PLANNED = re.compile(r"当初|見込|予定|計画|補正")
_BESIDE = re.compile(
    r"^(?:では|じゃあ?|で)?、?(?:その|さらに|もう)*(?:(?:1|一)(?:つ|個|年))?(?:(?P<before>前の?年度?|前年度?)|(?P<after>次の?年度?|翌年度?|後の年度?))(?=[はのもだ?]|$)"
)
_MOST_NAMES = 2
_AS_GOOD = 0.12  # as in Context.focus
_LONGEST = 30  # characters of an earlier question that a chip has room for
SUBSET_WORDS = "前の回答のシート"


def carry(query: Query, before: Query, catalogue: Catalogue, without: Collection[CarriedKind] = ()) -> Query:
    """Fill in from the question before what this one leaves out, except what ``without`` names."""
    own_sheet = bool(query.named)
    subset = query.subset and "subset" not in without
    query = replace(query, subset=subset, before=before)
    if own_sheet and not (_ANAPHORA.search(query.key) or query.subset):
        return query
    # Whoever asks of all sheets instead of 「そのうち」 does not mean the one sheet before either.
    no_sheet = "sheet" in without or ("subset" in without and not subset)
    carried: list[Carried] = []
    names, rivals, municipalities, departments = query.names, query.rivals, query.municipalities, query.departments
    periods, fields, intent, intents = query.periods, query.fields, query.intent, query.intents
    opinion = query.opinion
    if not municipalities and before.municipalities and not own_sheet and "municipality" not in without:
        municipalities = before.municipalities
        carried.append(Carried("municipality", "・".join(municipalities)))
    # A sheet that was only hinted at is no more than a part of what was talked about.
    unwanted = no_sheet or (not before.named and "topic" in without)
    kept: tuple[NameMatch, ...] = ()
    if not own_sheet and not query.departments:
        if not unwanted:
            kept = tuple(n for n in before.names if not municipalities or n.sheet.municipality in municipalities)
            if not kept and before.named:  # 「桜坂町のほうは?」: the programme of that name in the other town
                scope = [s for s in catalogue.programmes if s.municipality in municipalities]
                name = squeeze(before.named[0].sheet.name)
                kept = tuple(catalogue.find_names(name, reading(name), scope))
        if kept and not subset:
            names, rivals = kept, before.rivals
            if before.named:
                carried.append(Carried("sheet", _names(names)))
        if before.departments and "department" not in without:
            departments = before.departments
            carried.append(Carried("department", "・".join(departments)))
    if subset:
        carried.append(Carried("subset", SUBSET_WORDS))
    beside = _year_beside(query, before) if "period" not in without else ()
    periods = beside or periods
    rows = tuple(f for f in before.fields if f.type == "amount" and f.name not in _KINDS)
    if rows and fields and all(f.name in _KINDS for f in fields) and "question" not in without:
        fields = (*rows, *fields)  # 「H29決算は?」 after 総事業コスト: the settled amount of that row
    strong = any(not f.weak for f in fields)
    moved = bool(query.municipalities or own_sheet or periods)
    # So little text is no cue for the model, and 年度は in 「その前の年度は?」 asks for no date.
    plain = intent in ("text", "yesno", "number") or query.told_by == "model" or bool(beside)
    only_scope = moved and not strong and plain and len(squeeze(query.focus)) <= _LITTLE
    same_question = only_scope and "question" not in without
    expects = query.expects
    if same_question:  # 「A市は?」 asks the question before of another town, 「令和6年度は?」 of another year
        fields, intent, intents, expects = before.fields, before.intent, before.intents, before.expects
        if _PLANNED.search(query.key):  # 「H30当初は?」: the row of before, no longer as settled
            fields = tuple(f for f in fields if f.name not in _KINDS) or fields
        opinion = before.opinion
        carried.append(Carried("question", _short(before.text)))
    if not periods and before.periods and "period" not in without:
        periods = before.periods
        carried.append(Carried("period", "・".join(asked.period.label for asked in periods)))
    focus = query.focus
    topic = not own_sheet and not only_scope and not no_sheet and "topic" not in without
    if same_question or topic:
        focus = f"{query.focus} {before.focus}"
        if topic and not before.named and not subset and (words(before.focus) or kept):
            carried.append(Carried("topic", _short(before.text)))
    return replace(
        query,
        names=names,
        rivals=rivals,
        municipalities=municipalities,
        departments=departments,
        periods=periods,
        fields=fields,
        intent=intent,
        intents=intents,
        opinion=opinion,
        expects=expects,
        filters=replace(query.filters, municipality=municipalities or query.filters.municipality),
        focus=focus,
        carried=tuple(carried),
    )


def _year_beside(query: Query, before: Query) -> tuple[AskedPeriod, ...]:
    """「その前の年度は?」「翌年度は?」: the year beside the one asked of before; none where that was not one year."""
    found = _BESIDE.search(query.key)
    years = [asked.year for asked in before.periods]
    if found is None or len(years) != 1 or years[0] is None:
        return ()
    year = fiscal_year(years[0] + (1 if found["after"] else -1))
    return (AskedPeriod(year, (year,)),)


def _names(names: Sequence[NameMatch]) -> str:
    """The sheets carried: those as good as the best, 「図書館システム・道路台帳ほか1件」."""
    best = names[0].score
    found = list(dict.fromkeys(readable(n.sheet.name) for n in names if n.score >= best - _AS_GOOD))
    more = f"ほか{len(found) - _MOST_NAMES}件" if len(found) > _MOST_NAMES else ""
    return "・".join(found[:_MOST_NAMES]) + more


def _short(text: str) -> str:
    return f"「{text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…'}」"
