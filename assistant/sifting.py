"""Lists, counts, sums and ranks of the sheets whose figures meet what the question demands of them.

Every sheet in scope is held against each demand: grades, choices and departments, limits on figures, changes from year
to year, targets met or missed. Each match is shown with the figures that prove it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from assistant import exceedances, listing, ranking
from assistant.attainments import Attained, Pair, attained, topic_of
from assistant.cells import MARKS
from assistant.conditions import Condition, find_rank, holds, placed_conditions
from assistant.context import Context
from assistant.counters import counts_alike
from assistant.criteria import Change, Criteria, Limit, find_criteria
from assistant.drafts import Draft, plain
from assistant.measures import Measure, amounts_asked, by_year, changes, printed_years, readings_of, within
from assistant.question import blanked
from assistant.rows import printed_rows
from assistant.selection import Matches, Proof, overlap
from assistant.vocabulary import AskedField
from assistant.vocabulary import field as asked_field
from corpus.amounts import format_number
from corpus.documents import Sheet
from corpus.normalize import squeeze
from corpus.periods import Period, fiscal_year

_NO_LISTS = ("reason", "when", "who", "definition", "overview")
_SHEETS_ASKED = ("list", "count", "rank", "sum", "yesno", "compare", "text", "number")
_OF_SHEETS = re.compile(
    r"事業|事務|システム|シート|もの|やつ|ところ|どれ|どの|どこ|いくつ|何件|の[はを](?!なぜ|どう|いつ)|順"
)
_ENDS_IN_CLASS = re.compile(r"(?:の|た|る|い)\0*(?:事務)?(?:事業|システム|シート|事務|もの)(?:\([^()]*\))?[?。\0]*$")
_WHICH_OF_CLASS = re.compile(
    r"(?:の|た|る|い|じ)\0*(?:事務)?(?:事業|システム|シート|事務|もの)(?:は|って)?(?:\([^()]*\))?[?。\0]*$"
)
_CERTAIN = 0.9
_MEAN = re.compile(r"平均")
_BEGUN = re.compile(r"始ま(?:っ|る)|始めた|開始(?:し|の|され)|スタートし")
_BEGINNING = "開始年度"
# 「3か年とも0円」「毎年1億円以上」: one year that fits is not enough.
_EVERY_YEAR = re.compile(
    r"(?:か年|カ年|ヶ年|箇年|年間|年度?|\0)(?:とも|連続|続けて)|(?:いずれ|どれ|どちら)の年度?も|(?:どの|全て?の?|すべての)年度?(?:も|で|とも)|毎年|ずっと"
)
_UNDIRECTED = (
    "（「少ないほどよい」「…以内」などの記載がない指標は、実績が目標を下回るものを未達成とし、"
    "目標が年々下がるものは除いています。）"
)


@dataclass(slots=True)
class Sifted:
    """The sheets that meet a demand with their proofs, and how many of them have the figures that it is about."""

    matches: Matches = field(default_factory=lambda: defaultdict(list))
    compared: set[str] = field(default_factory=set)
    what: str = ""
    note: str = ""
    values: dict[str, float] = field(default_factory=dict)

    def without(self, sheet_ids: Iterable[str]) -> None:
        """Takes back matches."""
        for sheet_id in list(sheet_ids):
            self.matches.pop(sheet_id, None)
            self.values.pop(sheet_id, None)


def sifted(context: Context) -> Draft | None:
    """The sheets that meet the demands on figures; None where there are none or a single sheet is asked about.

    A draft without citations where figures are there but none of them meets the demands.
    """
    query = context.query
    if query.intent in _NO_LISTS or _one_programme(context):
        return None
    exceeded = exceedances.exceeded(context, listing.candidates(context))
    if exceeded is not None:
        return exceeded
    criteria = _meant(context, find_criteria(query.bare))
    named_class = query.intent == "text" and _ENDS_IN_CLASS.search(query.bare) is not None
    if not criteria and _MEAN.search(query.bare) and query.asks("amount") and not query.named:
        return ranking.total(context, query.asks("amount"), listing.candidates(context))
    begun = bool(query.periods) and query.intent in ("list", "count") and _BEGUN.search(query.bare) is not None
    if not criteria and not named_class and not begun:
        return None
    sheets = listing.candidates(context)
    if not sheets:
        return None
    chosen = listing.narrowed(context, sheets)
    if begun and not criteria:
        return _begun(context, sheets)
    if not criteria:  # 「今後の方向性が「拡充」の事業」 is a list without a word that asks for one
        return listing.listed(context, chosen, sheets, "conditions") if chosen else None
    pool = sheets if chosen is None else [s for s in sheets if s.sheet_id in chosen]
    held = [_by_limit(context, limit, pool) for limit in criteria.limits]
    # 「3千万円より多い事業」 is a limit and no rank
    unlimited = blanked(query.bare, [(one.start, one.end) for one in placed_conditions(query.bare)])
    ranked = query.intent == "rank" and find_rank(unlimited)[1] != ""
    if criteria.change is not None and (not ranked or criteria.change.by):
        held.append(_by_change(context, criteria.change, pool))
    if criteria.attainment is not None:
        held.append(_by_attainment(context, criteria.attainment.met, pool))
    if not held:
        return None
    if not any(one.compared for one in held):
        if not (query.asks("amount") and query.intent in ("list", "count")):
            return None
        context.missing = f"{'、'.join(dict.fromkeys(one.what for one in held))}を比べられるシートはありません。"
        return Draft(context.index, how="sifted")
    matches = held[0].matches
    for more in held[1:]:
        matches = overlap(matches, more.matches)
    if chosen is not None:
        matches = {k: [*v, *chosen[k]] for k, v in matches.items()}
    compared = set.intersection(*(one.compared for one in held))
    if not matches:
        what = "、".join(dict.fromkeys(one.what for one in held))
        context.missing = f"{what}を比べられる{len(compared)}件のシートに、条件に合うものはありません。"
        return Draft(context.index, how="sifted")
    left = [s for s in pool if s.sheet_id in matches]
    asked = amounts_asked(query) or tuple(f for limit in criteria.limits for f in limit.fields)
    if ranked:
        return ranking.ranking(context, asked or (asked_field("費用"),), left)
    if query.intent == "sum" and asked:
        return ranking.total(context, asked, left, len(sheets))
    return _listed(context, matches, sheets, held, compared)


def _begun(context: Context, sheets: Sequence[Sheet]) -> Draft | None:
    """「昭和のうちに始まった事業」: by the year of beginning that the sheets print; None where none prints it."""
    periods = readings_of(context.query.periods)
    found = Sifted()
    for one in context.index.facts([s.sheet_id for s in sheets], [_BEGINNING]):
        began = one.fact.period
        if began is None:
            continue
        found.compared.add(one.sheet.sheet_id)
        if any(p.covers(began) or p.covers(fiscal_year(began.fiscal_year)) for p in periods):
            told = f"{plain(one.fact.label)}：{plain(one.fact.text)}"
            found.matches[one.sheet.sheet_id].append(Proof(one.sheet, one.fact.label, one.fact.quote, told, told))
    return listing.listed(context, found.matches, sheets, "sifted") if found.matches else None


def _one_programme(context: Context) -> bool:
    """Whether the question is about one programme by name (its sheets over the years count once)."""
    query = context.query
    if query.subset or listing.names_a_class(query.key):
        return False
    sure = [n.sheet for n in query.named if n.exact or n.score >= _CERTAIN]
    programmes = {(s.municipality, squeeze(s.name), s.department) for s in sure}
    return len(programmes) == 1


def _meant(context: Context, criteria: Criteria) -> Criteria:
    """The demands that really choose among sheets: the rest is what a number, a trend or a text is asked about."""
    query = context.query
    if query.intent not in _SHEETS_ASKED:
        return Criteria()
    limits = tuple(
        one for one in criteria.limits if one.fields or one.name or query.subset or _OF_SHEETS.search(query.bare)
    )  # 「10万円以上の補助」 demands nothing of sheets
    # a number by its cue (いくら増えた) is one; where only the model took it for one, the sheets may be meant
    listed = _WHICH_OF_CLASS.search(query.bare) is not None
    of_sheets = listed or (query.intent != "number" or query.told_by == "model") and _OF_SHEETS.search(query.bare)
    change = criteria.change if of_sheets and _moving(context) and not query.asks("text") else None
    attainment = criteria.attainment if of_sheets and (listed or query.intent in ("list", "count", "yesno")) else None
    if attainment is not None and any(
        "達" in one.value or one.value in MARKS for one in listing.chosen_values(context)
    ):
        attainment = None  # the very words of a cell are asked for: 未達成, △(目標を下回った)
    return Criteria(limits, change, attainment)


def _listed(
    context: Context, matches: Matches, sheets: Sequence[Sheet], held: Sequence[Sifted], compared: set[str]
) -> Draft:
    values = held[0].values
    ordered = list(sheets)
    if values and len(held) == 1:
        ordered.sort(key=lambda s: -values.get(s.sheet_id, 0.0), reverse=context.query.order == "asc")
    draft = listing.listed(context, matches, ordered, "sifted")
    blank = len(sheets) - len(compared)
    if blank and listing.narrowed(context, sheets) is None:
        what = "、".join(dict.fromkeys(one.what for one in held))
        draft.lines.insert(1, f"（{what}を比べられるのは{len(compared)}件で、ほかの{blank}件では比べられません。）")
    draft.lines.extend(dict.fromkeys(one.note for one in held if one.note))
    return draft


def _by_limit(context: Context, limit: Limit, sheets: Sequence[Sheet]) -> Sifted:
    periods = readings_of(context.query.periods)
    every = _EVERY_YEAR.search(context.query.bare) is not None
    if limit.name:
        figures = _called(context, limit, sheets)
    else:
        before = context.query.before.asks("amount") if context.query.subset and context.query.before else ()
        asked = list(limit.fields or context.query.asks("amount") or before or (asked_field("費用"),))
        asked += [f for f in context.query.asks("amount") if f.kind and f not in asked and not limit.fields]
        figures = by_year(context, asked, sheets, periods or (printed_years(context, sheets) if every else ()))
    found = Sifted(what="・".join(f.name for f in limit.fields) or limit.name or "金額")
    years: dict[str, int] = defaultdict(int)
    fitting: dict[str, list[Measure]] = defaultdict(list)
    for one in figures:
        found.compared.add(one.sheet.sheet_id)
        years[one.sheet.sheet_id] += 1
        unit = limit.condition.unit
        if holds(limit.condition, one.value) and (not unit or counts_alike(unit, one.unit)):
            fitting[one.sheet.sheet_id].append(one)
            found.matches[one.sheet.sheet_id] += _proofs(one)
            found.values[one.sheet.sheet_id] = one.value
    if every:
        # Of asked years as many as any sheet prints: one with fewer cannot prove it.
        least = max(years.values(), default=0) if periods else 2
        found.without(one for one in fitting if len(fitting[one]) < max(years[one], least))
    elif only := _only(context):  # 「令和2年度だけ0円」: in that year, and in none of the others asked about
        found.without(
            sheet_id
            for sheet_id, held in fitting.items()
            if not all(fact.period and any(p.covers(fact.period) for p in only) for one in held for fact in one.facts)
        )
    return found


def _only(context: Context) -> list[Period]:
    """The asked years of which the question says だけ, where it names others besides."""
    query = context.query
    only = [
        asked
        for asked in query.periods
        if re.search(f"{re.escape(squeeze(asked.period.label))}(?:だけ|のみ)", query.key)
    ]
    return readings_of(only) if 0 < len(only) < len(query.periods) else []


def _called(context: Context, limit: Limit, sheets: Sequence[Sheet]) -> list[Measure]:
    """The actual of the row that a limit names by its label (利用者数が1万人以上)."""
    rows, origin = printed_rows(context, sheets, over_years=False)
    by_id = {s.sheet_id: s for s in sheets}
    found: dict[str, Measure] = {}
    for (sheet_id, label), facts in rows.items():
        able = [f for f in facts if limit.name in squeeze(label) and f.unit != "円"]
        able = [f for f in able if not limit.condition.unit or counts_alike(limit.condition.unit, f.unit)]
        fit = within([f for f in able if f.kind != "plan"], readings_of(context.query.periods), None)
        if fit and sheet_id not in found:
            found[sheet_id] = Measure(by_id[sheet_id], label, fit[-1].value or 0.0, fit[-1].unit, (fit[-1],), origin)
    return list(found.values())


def _by_change(context: Context, change: Change, sheets: Sequence[Sheet]) -> Sifted:
    asked = _moving(context)
    found = Sifted(what="・".join(f.name for f in asked) + "の増減")
    for one in changes(context, asked, sheets):
        found.compared.add(one.sheet.sheet_id)
        if moved_so(change, one):
            found.matches[one.sheet.sheet_id] += _proofs(one, ranking.moved(one))
            found.values[one.sheet.sheet_id] = abs(one.value)
    return found


def _moving(context: Context) -> tuple[AskedField, ...]:
    """The rows of which a question may ask whether they rose or fell over many sheets: money, staff, rates."""
    return context.query.asks("amount") or tuple(f for f in context.query.fields if f.name in listing.ADDED)


def moved_so(change: Change, one: Measure) -> bool:
    """Whether a figure went the asked way, as far as asked."""
    way = "flat" if one.value == 0 else "up" if one.value > 0 else "down"
    if way != change.way:
        return False
    return all(_far(condition, one) for condition in change.by)


def _far(condition: Condition, one: Measure) -> bool:
    if condition.unit == "円":
        return holds(condition, abs(one.value))
    if one.share is None:
        return False
    return holds(condition, round(one.share if condition.unit == "倍" else abs(one.share - 1) * 100, 6))


def _by_attainment(context: Context, met: bool, sheets: Sequence[Sheet]) -> Sifted:
    topic = topic_of(context.query.bare)
    periods = readings_of(context.query.periods)
    found = Sifted(what=f"{topic}の目標と実績" if topic else "目標と実績")
    for sheet in sheets:
        told = attained(context, sheet, periods, topic)
        if not told:
            continue
        found.compared.add(sheet.sheet_id)
        if told.missed == met:
            continue
        found.matches[sheet.sheet_id] += _attainment_proofs(sheet, told, met)
        if any(not pair.told for pair in told.pairs) and not told.printed:
            found.note = _UNDIRECTED
    return found


def _attainment_proofs(sheet: Sheet, told: Attained, met: bool) -> list[Proof]:
    proofs = [Proof(sheet, f.label, f.quote, f"{f.label} {f.text}") for f in told.printed[:1]]
    proofs += [Proof(sheet, s.label, s.span, s.text) for s in told.sentences]
    for pair in sorted(told.pairs, key=lambda pair: pair.met):
        if pair.met == met or (told.printed and not pair.met):
            figure = told_pair(pair)
            proofs.append(Proof(sheet, pair.label, pair.plan.quote, figure, figure))
            proofs.append(Proof(sheet, pair.label, pair.actual.quote, figure, figure))
    return proofs


def told_pair(pair: Pair) -> str:
    """「待機児童数 令和6年度：目標 0人、実績 41人」."""
    plan, actual = (format_number(f.value or 0.0, f.unit) for f in (pair.plan, pair.actual))
    return f"{plain(pair.label)} {pair.when}：目標 {plan}、実績 {actual}"


def _proofs(one: Measure, told: str = "") -> list[Proof]:
    """A proof for each fact behind a figure; the first of them carries the figure itself."""
    figure = told or ranking.told(one)
    return [Proof(one.origin.get(f, one.sheet), f.label, f.quote, figure, figure) for f in one.facts]
