"""The sheets in which one amount is over (or under) another: 決算額が予算額を上回った, 予算額が前年度の決算額より少ない."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.context import Context
from assistant.drafts import Draft, readable, title
from assistant.measures import KINDS, Measure, measures, printed_years, readings_of
from assistant.ranking import amount
from assistant.timespans import find_asked
from assistant.vocabulary import AskedField, find_fields
from corpus.amounts import format_number
from corpus.documents import Sheet
from corpus.periods import Period, fiscal_year

_LESS = frozenset({"下回", "少な", "低", "小さ", "安"})
_VERB = r"上回|超え|超過|下回"
_THAN = r"少な|低|小さ|安|多|高|大き"
_SIDE = r"[^がを]{2,24}?"
# Who is over whom: 「AがBを上回る」「BをAが上回る」「AがBより多い」「BよりAが多い」.
_OVER = (
    re.compile(rf"(?P<a>{_SIDE})が(?P<b>{_SIDE})を(?P<op>{_VERB})"),
    re.compile(rf"(?P<b>{_SIDE})を(?P<a>{_SIDE})が(?P<op>{_VERB})"),
    re.compile(rf"(?P<a>{_SIDE})が(?P<b>{_SIDE})より(?:も)?(?P<op>{_THAN})"),
    re.compile(rf"(?P<b>{_SIDE})より(?:も)?(?P<a>{_SIDE})(?:の[方ほ]う?)?が(?P<op>{_THAN})"),
)
_APART = 8  # letters between a row and its kind
_YEAR_BEFORE = re.compile(r"前の?年度?")


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two amounts: its row and kind, and its fiscal year where it has one of its own (``before``: 前年度)."""

    fields: tuple[AskedField, ...]
    year: int | None
    before: bool

    @property
    def name(self) -> str:
        return "の".join(field.name for field in self.fields)

    def measure(self, context: Context, sheet: Sheet, year: Period) -> Measure | None:
        found = next(iter(measures(context, self.fields, [sheet], [year])), None)
        kinds = {field.kind for field in self.fields if field.kind}
        return None if found is None or (kinds and {fact.kind for fact in found.facts} - kinds) else found


def exceeded(context: Context, sheets: Sequence[Sheet]) -> Draft | None:
    """Every sheet and year in which one row's figure is over (or under) another's; None where nothing of that is asked.

    Both are of one year, or of the years that the question gives each of them. A draft without citations where sheets
    print both and none of them fits.
    """
    asked = _asked(context)
    if asked is None:
        return None
    first, second, over = asked
    draft = Draft(context.index, how="exceeded")
    draft.columns = ("シート", "自治体", "担当課", "年度", first.name, second.name, "差")
    compared: set[str] = set()
    held: set[tuple[Period, Period]] = set()
    for sheet in sheets:
        for years in _years(context, sheet, first, second):
            pair = first.measure(context, sheet, years[0]), second.measure(context, sheet, years[1])
            if pair[0] is None or pair[1] is None or not _comparable(pair[0], pair[1]):
                continue
            compared.add(sheet.sheet_id)
            held.add(years)
            gap = pair[0].value - pair[1].value
            if gap == 0 or (gap > 0) != over:
                continue
            numbers = [*pair[0].cite(draft), *pair[1].cite(draft)]
            marks = "".join(f"[{n}]" for n in dict.fromkeys(numbers))
            values = [amount(pair[0]), amount(pair[1]), format_number(gap, pair[0].unit)]
            of = _dated(first, second, years)
            told = f"{of[0]} {values[0]}、{of[1]} {values[1]}（差 {values[2]}）"
            when = "／".join(dict.fromkeys(year.label for year in years))
            draft.add(f"- {title(sheet)} {told if of[0] != first.name else f'{when}：{told}'}{marks}")
            draft.row((readable(sheet.name), sheet.municipality, sheet.department, when, *values), numbers)
    if not compared:
        context.missing = f"{first.name}と{second.name}を比べられるシートはありません。"
        return draft
    of = _dated(first, second, held.pop()) if len(held) == 1 else (first.name, second.name)
    what = f"{of[0]}が{of[1]}を{'上回った' if over else '下回った'}"
    if not draft.rows:
        context.missing = f"比べられる{len(compared)}件のシートに、{what}ものはありません。"
        return draft
    names = {row[0] for row in draft.rows}
    draft.lines.insert(0, f"{what}のは、全{len(compared)}件中{len(names)}件です。")
    return draft


def _dated(first: _Side, second: _Side, years: tuple[Period, Period]) -> tuple[str, str]:
    """The names of the sides, with their years where these differ."""
    if years[0] == years[1]:
        return first.name, second.name
    return f"{years[0].label}の{first.name}", f"{years[1].label}の{second.name}"


def _asked(context: Context) -> tuple[_Side, _Side, bool] | None:
    """The two sides and whether the first is to be over the second; None where the question compares no two amounts."""
    query = context.query
    for pattern in _OVER:
        found = pattern.search(query.bare)
        if found is None:
            continue
        first, second = _fields(found["a"]), _fields(found["b"])
        if not first or not second:
            continue
        if first[0].name in KINDS and second[0].name not in KINDS:  # 「決算が当初の総事業費を」: one row, two kinds
            first = (second[0], *first)
        elif second[0].name in KINDS and first[0].name not in KINDS:
            second = (first[0], *second)
        texts = [query.key[slice(*found.span(side))] for side in "ab"]
        one, other = (
            _Side(fields, _year(context, text), _YEAR_BEFORE.search(text) is not None)
            for fields, text in zip((first, second), texts, strict=True)
        )
        return None if one == other else (one, other, found["op"] not in _LESS)
    return None


def _fields(text: str) -> tuple[AskedField, ...]:
    """The amount that a side ends with; 予算 or 決算 with the row of which it is the kind (総事業費の令和6年度決算)."""
    hits = [hit for hit in find_fields(text) if hit[0].type == "amount"]
    if not hits:
        return ()
    *rest, (last, start, _) = hits
    if last.name in KINDS and rest and rest[-1][0].name not in KINDS and start - rest[-1][2] <= _APART:
        return rest[-1][0], last
    return (last,)


def _year(context: Context, text: str) -> int | None:
    """The fiscal year that one side gives itself, the last of them."""
    if _YEAR_BEFORE.search(text):
        return None
    found, _ = find_asked(text, context.catalogue.latest_year)
    return found[-1].year if found and found[-1].period.kind != "range" else None


def _years(context: Context, sheet: Sheet, first: _Side, second: _Side) -> list[tuple[Period, Period]]:
    """The years whose figures are held against each other."""
    if first.year is not None and second.year is not None:
        return [(fiscal_year(first.year), fiscal_year(second.year))]
    periods = readings_of(context.query.periods)
    printed = [year for year in printed_years(context, [sheet]) if not periods or any(p.covers(year) for p in periods)]
    if first.before == second.before:
        return [(year, year) for year in printed]
    own = first.year or second.year
    late = printed if own is None else [fiscal_year(own)]
    pairs = [(year, fiscal_year(year.fiscal_year - 1)) for year in late]
    return pairs if second.before else [(b, a) for a, b in pairs]


def _comparable(one: Measure, other: Measure) -> bool:
    """Whether two figures may be held against each other: different ones of a unit, both with or without the staff."""
    return one.facts != other.facts and one.unit == other.unit and ("総" in one.label) == ("総" in other.label)
