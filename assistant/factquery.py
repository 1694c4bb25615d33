"""Figures of many sheets by conditions instead of by a question: listed, added up, put in order, set side by side.

One figure a programme and year is counted where figures are added or ordered, the same that an answer would take
(:mod:`assistant.measures`); a list holds every one that is printed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import isfinite

from assistant.context import MOST_SHEETS
from assistant.drafts import Draft, plain
from assistant.groups import field_tier
from assistant.measures import Measure, best_rows
from assistant.payload import Sources, citation_json, period_json
from assistant.toolschemas import FactArguments, FactsJson, FigureJson, TotalJson
from assistant.vocabulary import AskedField, asked_fields
from corpus.documents import Fact, Sheet
from corpus.errors import QuestionError
from corpus.normalize import squeeze
from corpus.periods import Period, fiscal_year
from index.types import Filters, Index, SheetFact

_OWN = 0.6  # of field_tier: a row whose label is the field's or holds it
_MOST_FIELDS = 30  # named where nothing was found


@dataclass(frozen=True, slots=True)
class _Figure:
    """A figure with the facts it was read from, one but where a year is printed in parts."""

    sheet: Sheet
    facts: tuple[Fact, ...]
    value: float
    period: Period | None
    year: int | None = None


def query_facts(index: Index, asked: FactArguments) -> FactsJson:
    """The figures; raises QuestionError, with the next step, for conditions that leave open what is to be counted."""
    sheets = _sheets(index, asked)
    fields = _fields(asked)
    facts = [one for one in index.facts([sheet.sheet_id for sheet in sheets]) if _finite(one.fact)]
    notes: list[str] = []
    if asked.operation == "list":
        years, found = sorted(set(asked.fiscal_year)), _listed(facts, fields, asked)
    else:
        years, found = _counted(index, sheets, facts, fields, asked)
    if not found:
        notes.append(_nothing(facts))
    if asked.operation != "list":
        found = _of_one_unit(found, notes)
        plans = sum(any(fact.kind == "plan" for fact in one.facts) for one in found)
        if 0 < plans < len(found):
            notes.append(f"{len(found)}件のうち{plans}件は、実績がないため計画（予算や目標）の数値です。")
        labels = Counter(plain(one.facts[0].label) for one in found)
        if len(labels) > 1:
            told = "、".join(f"{name}{count}件" for name, count in labels.most_common(_MOST_FIELDS))
            notes.append(f"シートでの項目の名前は一つではありません: {told}。")
    if asked.order is not None or asked.operation == "rank":
        found = sorted(found, key=lambda one: one.value if asked.order == "asc" else -one.value)
    draft, shown = Draft(index), found[asked.offset : asked.offset + asked.limit]
    ranks = _ranks(found)[asked.offset :] if asked.operation == "rank" else [None] * len(shown)
    figures = [_json(one, rank, draft) for one, rank in zip(shown, ranks, strict=False)]
    sources = Sources(index)
    return FactsJson(
        operation=asked.operation,
        field=asked.field,
        fiscal_years=years,
        sheets=len(sheets),
        total=len(found),
        figures=figures,
        totals=_totals(found, asked),
        citations=[citation_json(one, sources) for one in draft.citations],
        notes=notes,
        index_version=index.version,
    )


def _sheets(index: Index, asked: FactArguments) -> list[Sheet]:
    """The programmes' sheets; summary tables would count everything twice."""
    name = squeeze(asked.sheet)
    chosen = Filters(municipality=tuple(asked.municipality), department=tuple(asked.department))
    found = [one for one in index.sheets(chosen) if one.kind == "programme" and name in squeeze(one.name)]
    if len(found) > MOST_SHEETS:
        raise QuestionError(
            f"対象のシートが多すぎます（{len(found):,}件）。municipality や department、sheet で"
            f"{MOST_SHEETS:,}件以下に絞ってください。"
        )
    return found


def _fields(asked: FactArguments) -> list[AskedField]:
    """The field as questions know it, else a row of that name, of money or of anything else."""
    key = squeeze(asked.field)
    if not key:
        raise QuestionError("項目の名前が空です。決算額 のように field を指定してください。")
    known = next(
        (one for one in asked_fields() if one.type in ("amount", "number") and key in (squeeze(one.name), *one.ask)),
        None,
    )
    if known is None:
        return [AskedField(asked.field, kind, asked.kind, (), (key,), False) for kind in ("amount", "number")]
    if asked.kind and known.kind and asked.kind != known.kind:
        word = "実績（actual）" if known.kind == "actual" else "計画（plan）"
        raise QuestionError(f"{known.name}は{word}の項目です。kind を外すか、field を変えてください。")
    return [replace(known, kind=asked.kind or known.kind)]


def _listed(facts: Iterable[SheetFact], fields: Sequence[AskedField], asked: FactArguments) -> list[_Figure]:
    wanted = [fiscal_year(year) for year in asked.fiscal_year if 1 <= year < 9999]
    return [
        _Figure(one.sheet, (fact,), fact.value or 0.0, fact.period)
        for one in facts
        if (fact := one.fact)
        and _tier(fact, fields) >= _OWN
        and (not asked.fiscal_year or (fact.period is not None and any(year.covers(fact.period) for year in wanted)))
        and (fields[0].kind is None or fact.kind in (None, fields[0].kind))
    ]


def _counted(
    index: Index,
    sheets: Sequence[Sheet],
    facts: Sequence[SheetFact],
    fields: Sequence[AskedField],
    asked: FactArguments,
) -> tuple[list[int], list[_Figure]]:
    """The years and one figure a programme for each of them."""
    rows: dict[tuple[str, str], list[Fact]] = {}
    for one in facts:
        if any(field_tier(field, one.fact.field, one.fact.label, [one.fact]) for field in fields):
            rows.setdefault((one.sheet.sheet_id, one.fact.label), []).append(one.fact)
    years = sorted({year for year in asked.fiscal_year if 1 <= year < 9999})
    if not asked.fiscal_year:
        printed = {f.period.fiscal_year for own in rows.values() for f in own if f.period is not None}
        if len(printed) > 1 and not (asked.operation == "compare" and asked.by == "fiscal_year"):
            told = "、".join(str(year) for year in sorted(printed))
            raise QuestionError(f"fiscal_year で年度を指定してください。この項目には {told} の数値があります。")
        years = sorted(printed)
    found = []
    for year in years:
        best = best_rows(fields, sheets, rows, [fiscal_year(year)], {})
        for row in _once(index, list(best.values()), year):
            period = row.facts[0].period if len(row.facts) == 1 else fiscal_year(year)
            found.append(_Figure(row.sheet, row.facts, row.value, period, year))
    return years, found


def _once(index: Index, measures: Sequence[Measure], year: int) -> list[Measure]:
    """One figure a programme: sheets print the years before and after theirs too. The sheet of the year itself comes first,
    then the later ones, which say what became of it, then the earlier ones."""

    def place(one: Measure) -> tuple[bool, int]:
        away = (one.sheet.fiscal_year or 0) - year
        return away < 0, abs(away)

    kept: dict[str, Measure] = {}
    for one in measures:
        programme = min((s.sheet_id for s in index.timeline(one.sheet.sheet_id)), default=one.sheet.sheet_id)
        if programme not in kept or place(one) < place(kept[programme]):
            kept[programme] = one
    return list(kept.values())


def _tier(fact: Fact, fields: Sequence[AskedField]) -> float:
    return max(field_tier(field, fact.field, fact.label, [fact]) for field in fields)


def _of_one_unit(found: list[_Figure], notes: list[str]) -> list[_Figure]:
    """Figures of the unit that most have; 円 and 人 cannot be added up."""
    units = Counter(one.facts[0].unit for one in found)
    if len(units) < 2:
        return found
    unit, count = units.most_common(1)[0]
    others = "、".join(f"{name or '単位なし'}{n}件" for name, n in units.most_common()[1:])
    notes.append(f"単位が {unit or '単位なし'} の{count}件で計算しました。単位が違うもの（{others}）は含みません。")
    return [one for one in found if one.facts[0].unit == unit]


def _ranks(found: Sequence[_Figure]) -> list[int | None]:
    ranks: list[int | None] = []
    for at, one in enumerate(found):
        ranks.append(ranks[-1] if at and one.value == found[at - 1].value else at + 1)
    return ranks


def _json(one: _Figure, rank: int | None, draft: Draft) -> FigureJson:
    fact, sheet = one.facts[-1], one.sheet
    return FigureJson(
        rank=rank,
        sheet_id=sheet.sheet_id,
        sheet=sheet.name,
        municipality=sheet.municipality,
        fiscal_year=sheet.fiscal_year,
        department=sheet.department,
        field=fact.field,
        label=fact.label,
        period=period_json(one.period),
        kind=fact.kind,
        value=_whole(one.value),
        unit=fact.unit,
        inferred=any(each.inferred for each in one.facts),
        citations=list(dict.fromkeys(draft.cite(sheet, each.field, each.quote) for each in one.facts)),
    )


def _totals(found: Sequence[_Figure], asked: FactArguments) -> list[TotalJson]:
    if asked.operation == "list" or not found:
        return []
    names: dict[str, Callable[[_Figure], str]] = {
        "municipality": lambda one: one.sheet.municipality,
        "department": lambda one: one.sheet.department,
        "fiscal_year": lambda one: "" if one.year is None else fiscal_year(one.year).label,
    }
    name = names[asked.by] if asked.operation == "compare" else lambda one: ""
    groups: dict[str, list[_Figure]] = {}
    for one in found:
        groups.setdefault(name(one), []).append(one)
    totals = []
    for called, own in groups.items():
        value = round(sum(one.value for one in own), 6)
        mean = round(value / len(own), 2)
        totals.append(
            TotalJson(name=called, unit=own[0].facts[0].unit, count=len(own), total=_whole(value), mean=_whole(mean))
        )
    if asked.operation == "compare" and asked.by != "fiscal_year":
        totals.sort(key=lambda one: one.total if asked.order == "asc" else -one.total)
    return totals


def _nothing(facts: Sequence[SheetFact]) -> str:
    """What could be asked for instead."""
    names = Counter(plain(one.fact.label or one.fact.field) for one in facts)
    if not names:
        return "条件に合うシートに数値がありません。municipality、department、sheet を確かめてください。"
    told = "、".join(name for name, _ in names.most_common(_MOST_FIELDS))
    return f"条件に合う数値がありません。対象のシートには、次の項目があります: {told}。"


def _finite(fact: Fact) -> bool:
    return fact.value is not None and isfinite(fact.value)


def _whole(value: float) -> int | float:
    return int(value) if float(value).is_integer() else value
