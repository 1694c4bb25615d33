"""Sheets side by side as values: what each says under the same field, and its figures by year. No HTML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.payload import PERSON_FIELD
from corpus.documents import Document, Fact, FactKind, Section, Sheet
from corpus.forms.loader import clean_label
from corpus.histories import HistoryRow, YearFigure, history
from corpus.normalize import squeeze
from index.types import Index
from ui.facts import AMOUNT_FIELDS, amount_of, is_indicator

# What a reader compares first, in this order.
LEADING = (
    "目的", "対象", "意図", "内容", "事業概要", "取組状況", "成果", "課題", "改善内容", "今後の方向性", "事業計画", "評価",
    "総合評価", "評価理由", "所見",
)  # fmt: skip
# Named in the head of the comparison, or told by the figures.
UNASKED = frozenset(
    [PERSON_FIELD, "事務事業名", "担当課", "担当係", "その他", "用語", "コード", "予算額", "決算額", "目標値", "実績値", "指標",
     "事業費", "予算の内訳", "行政コスト", "実績の推移"]
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One of the compared sheets with its document."""

    sheet: Sheet
    document: Document


@dataclass(frozen=True, slots=True)
class FieldRow:
    """What each sheet says under one canonical field; an empty cell where it has no such field."""

    field: str
    cells: tuple[tuple[Section, ...], ...]

    @property
    def held(self) -> int:
        """How many of the sheets have it."""
        return sum(bool(cell) for cell in self.cells)


@dataclass(frozen=True, slots=True)
class RatingRow:
    """The ratings and choices of one field, as printed."""

    field: str
    cells: tuple[tuple[Fact, ...], ...]

    @property
    def held(self) -> int:
        """How many of the sheets have it."""
        return sum(bool(cell) for cell in self.cells)


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One amount or indicator by year for each sheet; plans and actuals are rows of their own."""

    field: str
    title: str
    kind: FactKind | None
    unit: str
    cells: tuple[dict[int, YearFigure], ...]

    @property
    def years(self) -> list[int]:
        """The years that any of the sheets prints, in order."""
        return sorted({year for cell in self.cells for year in cell})

    @property
    def held(self) -> int:
        """How many of the sheets have it."""
        return sum(bool(cell) for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two or more sheets side by side. ``unshared`` counts indicators that only one of them has: they are not shown."""

    columns: tuple[Column, ...]
    fields: tuple[FieldRow, ...]
    others: tuple[FieldRow, ...]
    ratings: tuple[RatingRow, ...]
    figures: tuple[FigureRow, ...]
    unshared: int
    over_years: bool


@dataclass(frozen=True, slots=True)
class Against:
    """A figure against the first sheet's: computed, printed nowhere. ``share`` is None where the first is zero."""

    difference: float
    share: float | None


def against(first: float | None, other: float | None) -> Against | None:
    """``other`` less ``first``, and as a share of it; None where one of them is not known.

    >>> against(200.0, 250.0)
    Against(difference=50.0, share=1.25)
    >>> against(0.0, 5.0), against(None, 5.0)
    (Against(difference=5.0, share=None), None)
    """
    if first is None or other is None:
        return None
    return Against(round(other - first, 6), other / first if first > 0 else None)


def compare(index: Index, sheets: Sequence[Sheet]) -> Comparison:
    """The comparison of some sheets, in their order. Figures of different programmes are those of all of their years."""
    columns = tuple(Column(sheet, index.document(sheet.file)) for sheet in sheets)
    sections: list[list[Section]] = []
    ratings: list[list[Fact]] = []
    histories: list[list[HistoryRow]] = []
    timelines = [[one.sheet_id for one in index.timeline(sheet.sheet_id)] or [sheet.sheet_id] for sheet in sheets]
    # Sheets of one programme are told apart by what each prints itself; between programmes, more years tell more.
    apart = len({tuple(line) for line in timelines}) == len(sheets)
    for sheet, timeline in zip(sheets, timelines, strict=True):
        sections.append([found.section for found in index.sections([sheet.sheet_id])])
        own = [found.fact for found in index.facts([sheet.sheet_id]) if found.fact.field != PERSON_FIELD]
        ratings.append([fact for fact in own if fact.value is None and fact.field not in UNASKED])
        printed = index.facts(timeline if apart else [sheet.sheet_id])
        histories.append(history((found.sheet, found.fact) for found in printed))
    named = field_rows(sections)
    figures, unshared = figure_rows(histories)
    return Comparison(
        columns,
        tuple(row for row in named if row.field in LEADING or row.held > 1),
        tuple(row for row in named if row.field not in LEADING and row.held == 1),
        tuple(rating_rows(ratings)),
        tuple(figures),
        unshared,
        apart and any(len(line) > 1 for line in timelines),
    )


def field_rows(sections: Sequence[Sequence[Section]]) -> list[FieldRow]:
    """One row a canonical field: the leading ones first, then in the order the sheets print them."""
    names = dict.fromkeys(section.field for one in sections for section in one if section.field not in UNASKED)
    order = [*(name for name in LEADING if name in names), *(name for name in names if name and name not in LEADING)]
    return [
        FieldRow(
            name, tuple(tuple(part for part in one if part.field == name and part.text.strip()) for one in sections)
        )
        for name in order
    ]


def rating_rows(ratings: Sequence[Sequence[Fact]]) -> list[RatingRow]:
    """One row a field, in the order the sheets print them."""
    names = dict.fromkeys(fact.field for one in ratings for fact in one)
    return [
        RatingRow(name, tuple(tuple(fact for fact in one if fact.field == name) for one in ratings)) for name in names
    ]


def figure_rows(histories: Sequence[Sequence[HistoryRow]]) -> tuple[list[FigureRow], int]:
    """The rows that can be compared, amounts first, and how many indicators were left out as only one sheet has them.

    Amounts of the whole programme meet by their field where a sheet has one such row, whatever it calls it; all else
    meets by its printed name. A plan never meets an actual, nor one unit another.
    """
    keyed = [_keyed(rows) for rows in histories]
    keys = dict.fromkeys(key for one in keyed for key in one)
    found = []
    unshared = 0
    for key in keys:
        _, _, kind, unit = key
        rows = [one.get(key) for one in keyed]
        first = next(row for row in rows if row is not None)
        title = first.label or first.field if key[1] else key[0]
        cells = tuple({} if row is None else dict(row.years) for row in rows)
        made = FigureRow(key[0] or first.field, title, kind, unit, cells)
        if made.held > 1 or (key[0] in AMOUNT_FIELDS and not key[1]):
            found.append(made)
        elif is_indicator(first.field):
            unshared += 1
    rank = {name: at for at, name in enumerate(("予算額", "決算額", "事業費", "総事業費", "総コスト"))}
    found.sort(key=lambda row: (rank.get(row.field, 5 + is_indicator(row.field)), row.unit != "円"))
    return found, unshared


Key = tuple[str, str, FactKind | None, str]  # what it is of, its printed name or "" for the whole, plan or actual, unit


def _keyed(rows: Sequence[HistoryRow]) -> dict[Key, HistoryRow]:
    kinds = Counter((amount_of(row.field, row.label), row.kind, row.unit) for row in rows)
    found: dict[Key, HistoryRow] = {}
    for row in rows:
        label = squeeze(clean_label(row.label))
        of = amount_of(row.field, row.label)
        if of in AMOUNT_FIELDS and row.unit == "円" and (kinds[of, row.kind, row.unit] == 1 or label == of):
            label = ""
        of = "" if is_indicator(of) else of  # 成果指標 here may be 指標 there: the name tells
        found.setdefault((of, label, row.kind, row.unit), row)
    return found
