"""Words become a typed query: what is asked, of which sheets, for when, under which conditions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant.carrying import carry
from assistant.catalogue import Catalogue
from assistant.conditions import Condition, Order, find_conditions, find_rank
from assistant.counters import asked_counter
from assistant.names import NameMatch
from assistant.opinion import SURE, Opinion, second_opinion
from assistant.timespans import AskedPeriod, find_asked, last_fiscal_year, reporting_year
from assistant.types import NO_CHOICES, Carried, CarriedKind, Choices, Turn
from assistant.vocabulary import AskedField, find_fields, find_intents, misspelt_fields, plainly, preamble_end
from corpus.documents import FactKind, Sheet
from corpus.normalize import normalize, squeeze
from index.readings import reading
from index.types import Filters

# A name counts as meant from here on; between the two it only adds to what search finds.
NAMED = 0.62
HINTED = 0.38

_SUBSET = re.compile(r"そのうち|そのなかで|その中で|このうち|この中で|うち、")
_EXPECTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "amount",
        re.compile(r"いくら|金額|何(千|万)?円|なんぼ|費用|価格|単価|(予算|決算|事業費|人件費|経費)(額)?(は|を|$|\?)"),
    ),
    ("date", re.compile(r"いつ|何年|何月|何日|時期は|期限は|満了日|何年度")),
    (
        "organisation",
        re.compile(
            r"社名|(?:法人|団体|機関|会社|業者|企業)の?(?:名前|名称)|(会社|業者|ベンダー|メーカー|委託先)(名|は|を|って|の名|どこ|$|\?)|開発元|どこ(の業者|の会社|に頼|に委託|に発注)|請け負"
        ),
    ),
    (
        "number",
        re.compile(
            r"何(件|人|名|台|回|%|パーセント|本|枚|冊|時間|分|校|か所|箇所|点|割|世帯|項目|業務|種類|団体|施設|k?g(?![a-z])|km|トン|頭|基|便|室|戸)"
            r"|どのくらい|どれくらい|(?:件|人|台|回|枚)数(?!を?(?:減ら|増や|抑え|削減))|割合|稼働率|満足度|率は|数字は|いくつ"
        ),
    ),
)

# 「マイナンバーカードの交付率」「削減した時間は?」: the question is the name of a quantity.
_QUANTITY = re.compile(
    r"(?:[一-龥ァ-ヴーぁ-ん](?:数|時間|日数|面積|距離)|[^効能確]率)(?:は|って|を教えて(?:ください)?)?[()、。?]*$"
)

_WHICH = re.compile(
    r"(事業|事務|システム|シート|仕事|仕組み|市|区|町|村|自治体|の|もの|やつ|課|部署)は(何|どれ|どこ|なに)?(です|でしょう)?か?[?。]*$"
    r"|(どの|何の|なんの)(事業|システム|シート|仕組み|仕事|市|区|町)(の(話|こと|件))?(です|でしょう)?か?[?。]*$"
    r"|(という)?名前(は|です)?.{0,3}[?。]*$|(どこ|どれ)(です|でしょう)?か?[?。]*$"
)
# 「…ものは?(みなと野市)」
_REMARK = re.compile(r"\([^()]*\)[?。]*$")


@dataclass(frozen=True, slots=True)
class Query:
    """A question as understood. ``focus`` is the question without the words that were understood otherwise.

    ``bare`` is the squeezed question of this turn with a NUL for each letter of names, towns, departments and dates.
    ``rivals`` were named as well as others of the same name, of which one was chosen.
    """

    text: str
    key: str
    intent: str
    intents: tuple[str, ...]
    fields: tuple[AskedField, ...]
    kind: FactKind | None
    periods: tuple[AskedPeriod, ...]
    municipalities: tuple[str, ...]
    departments: tuple[str, ...]
    names: tuple[NameMatch, ...]
    conditions: tuple[Condition, ...]
    expects: frozenset[str]
    focus: str
    filters: Filters
    subset: bool = False
    carried: tuple[Carried, ...] = ()
    before: Query | None = None
    grade: str = ""
    strangers: tuple[str, ...] = ()
    limit: int | None = None
    order: Order = ""
    opinion: Opinion | None = None
    bare: str = ""
    rivals: tuple[NameMatch, ...] = ()

    @property
    def told_by(self) -> str:
        """How the intent was told: by a ``cue``, by the trained ``model``, or by ``default`` where neither spoke."""
        if self.opinion is None:
            return "cue"
        return "model" if len(self.intents) > 1 else "default"

    @property
    def named(self) -> tuple[NameMatch, ...]:
        """The sheets named with certainty."""
        return tuple(name for name in self.names if name.score >= NAMED)

    def carries(self, kind: CarriedKind) -> bool:
        """Whether that was taken over from earlier turns."""
        return any(one.kind == kind for one in self.carried)

    def asks(self, *types: str) -> tuple[AskedField, ...]:
        """The asked fields of the given types."""
        return tuple(f for f in self.fields if f.type in types)


def understand(
    question: str,
    history: Sequence[Turn],
    catalogue: Catalogue,
    filters: Filters = Filters(),
    choices: Choices = NO_CHOICES,
) -> Query:
    """Read a question against what the index holds.

    ``history`` are the earlier turns, oldest first; what a follow-up leaves out (the sheet, the municipality, the year)
    is carried over from the last question that said it, and named in ``carried``. ``choices`` are what the person who
    asks decided about that; those of the earlier turns stand in them.
    """
    earlier = [turn for turn in history if turn.role == "user" and turn.content.strip()]
    last = earlier[-1] if earlier else None
    before = understand(last.content, earlier[:-1], catalogue, filters, last.choices) if last is not None else None
    query = _read(question, catalogue, filters, None if "sheet" in choices.without else before)
    if before is not None:
        query = carry(query, before, catalogue, choices.without)
    query = replace(query, periods=tuple(asked.read_as(choices.reading) for asked in query.periods))
    meant = catalogue.by_id.get(choices.sheet or "")
    return query if meant is None else _of_sheet(query, meant)


def _of_sheet(query: Query, meant: Sheet) -> Query:
    """The query with one sheet (over its years) chosen among those of its name."""

    def other(sheet: Sheet) -> bool:
        """Whether it is another programme of the name, and not the chosen one in another year."""
        if squeeze(sheet.name) != squeeze(meant.name):
            return False
        same = (sheet.municipality, sheet.department) == (meant.municipality, meant.department)
        return not same or (sheet.fiscal_year == meant.fiscal_year and sheet.sheet_id != meant.sheet_id)

    found = sorted(dict.fromkeys((*query.names, *query.rivals)), key=lambda name: -name.score)
    if all(name.sheet.sheet_id != meant.sheet_id for name in found):
        return query  # chosen for another question
    kept = tuple(name for name in found if not other(name.sheet))
    return replace(query, names=kept, rivals=tuple(name for name in found if other(name.sheet)))


def _read(question: str, catalogue: Catalogue, filters: Filters, before: Query | None) -> Query:
    text = plainly(normalize(question).text.strip())
    key = squeeze(text)
    towns = catalogue.find_municipalities(key)
    municipalities = tuple(dict.fromkeys(name for name, _, _ in towns))
    scope = catalogue.within(filters, municipalities)
    bare = blanked(key, [(a, b) for _, a, b in towns])
    departments = catalogue.find_departments(bare, scope)
    spelt, places = catalogue.spelt_out(bare)
    names = [
        replace(name, start=places[name.start], end=places[name.end])
        for name in catalogue.find_names(spelt, reading(spelt), scope)
        # 「上下水道局で持っているシステム」: the stretch is the department's, not the beginning of a name
        if name.exact or not any(a <= places[name.start] and places[name.end] <= b for _, a, b in departments)
    ]
    named = [n for n in names if n.score >= NAMED]
    unnamed = blanked(bare, [(n.start, n.end) for n in named if n.end - n.start >= 3])
    # 直近 counts from what the sheet meant reports on, be it named here or in the question before
    meant = named or (list(before.named) if before is not None else [])
    latest = catalogue.latest_year if scope is catalogue.sheets else reporting_year([s.fiscal_year for s in scope])
    periods, dated = find_asked(text, latest, reporting_year([n.sheet.fiscal_year for n in meant]))
    undated = blanked(unnamed, dated)
    undated = blanked(undated, [(a, b) for _, a, b in departments])
    undated = blanked(undated, [(0, preamble_end(key))])
    fields = find_fields(undated)
    fields += [(f, len(undated), len(undated)) for f in misspelt_fields(undated, reading(undated.replace("\0", "")))]
    intents, opinion = _intents(undated)
    which = _WHICH.search(_REMARK.sub("", key))
    if (
        intents[0] in ("number", "text")
        and not which
        and _over_years(periods)
        and any(f.type in ("amount", "number") for f, _, _ in fields)
    ):
        intents = ("trend", *intents)  # 「R3からR5の予算額」 wants every year
    conditions, grade = find_conditions(blanked(key, dated))
    limit, order = find_rank(undated)
    kinds = {f.kind for f, _, _ in fields if f.kind}
    expects = frozenset(kind for kind, pattern in _EXPECTS if pattern.search(key))
    if asked_counter(key) or _QUANTITY.search(undated.replace("\0", "")):
        expects |= {"number"}
    if which and "organisation" not in expects:
        expects = frozenset()  # the answer is the sheet's name, whatever figures describe it
    return Query(
        text=text,
        key=key,
        intent="list" if _SUBSET.search(key) and intents[0] in ("text", "yesno") else intents[0],
        intents=intents,
        fields=tuple(dict.fromkeys(f for f, _, _ in fields)),
        kind=next(iter(kinds)) if len(kinds) == 1 else None,  # type: ignore[arg-type]
        periods=periods,
        municipalities=municipalities,
        departments=tuple(dict.fromkeys(d for d, _, _ in departments)),
        names=tuple(names),
        conditions=tuple(conditions),
        expects=expects,
        focus=undated.replace("\0", " "),
        filters=replace(filters, municipality=municipalities or filters.municipality),
        subset=bool(_SUBSET.search(key)),
        grade=grade,
        strangers=tuple(catalogue.find_strangers(key)),
        limit=limit,
        order=order,
        opinion=opinion,
        bare=undated,
    )


def _over_years(periods: Sequence[AskedPeriod]) -> bool:
    """Whether years are asked one after the other: a range of them, an open end, or three by name."""
    ranges = [p for p in periods if p.period.kind == "range" and last_fiscal_year(p.period) > p.period.fiscal_year]
    return bool(ranges) or len(periods) >= 3


def _intents(key: str) -> tuple[tuple[str, ...], Opinion | None]:
    """The intents by their cues; where there is none, what the trained model says, if it is sure."""
    found = find_intents(key)
    if len(found) > 1:
        return tuple(found), None
    opinion = second_opinion(key)
    taken = opinion.intent != "text" and opinion.sure >= SURE
    return ((opinion.intent, *found) if taken else tuple(found)), opinion


def blanked(key: str, spans: Sequence[tuple[int, int]]) -> str:
    """The key with the given stretches blanked out, lengths kept."""
    chars = list(key)
    for start, end in spans:
        chars[start:end] = "\0" * (end - start)
    return "".join(chars)
