"""Year headers of tables, and how figures are laid under them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from corpus.documents import FactKind, Span
from corpus.layout import Cell
from corpus.periods import Period, find_periods

_PLAN = re.compile(r"当初|予算|予定|計画|目標|見込|要求")
_ACTUAL = re.compile(r"決算|実績")
_SECOND = re.compile(
    r"^(?:当初|補正後|最終|現計)?(?:予算|決算|実績|計画|目標|見込|見込み|執行率|達成率|増減|比較|前年比)(?:額|値)?(?:\(.*\))?$"
)
_YEAR_CELL = re.compile(
    r"^(?:令和|平成|[RH])?\s*(?:元|\d{1,4})\s*(?:年度|年)?(?:\s*末)?\s*"
    r"(?P<word>(?:当初|補正後|最終|現計)?(?:予算|決算|予定|見込|見込み|実績|計画|目標|要求|当初)?(?:額|値)?)\s*(?:\([^()]*\))?$"
)


@dataclass(frozen=True, slots=True)
class Column:
    """One year's column of a header; ``what`` is set where it holds no amount of that year (執行率, 増減)."""

    cell: Cell
    period: Period
    kind: FactKind | None
    what: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """A row of years with the label before it (事業費(千円)) and the heads of the other columns (指標名, 単位)."""

    label: str
    at: int
    columns: tuple[Column, ...]
    heads: Mapping[str, int] = field(default_factory=dict)
    span: Span = Span(0, 0)
    irregular: bool = False
    label_cell: Cell | None = None


def year_column(cell: Cell, year: int | None) -> Column | None:
    """The year a cell names when it names nothing else."""
    text = re.sub(r"\s+", "", cell.text)
    found = _YEAR_CELL.match(text)
    if found is None or not re.search(r"年|^[RH]|令和|平成", text):
        return None
    year_part = text[: found.start("word")]
    hits = find_periods(year_part if "年" in year_part else year_part + "年度", year)
    hits = [h for h in hits if h.period.kind in ("fiscal_year", "calendar_year")]
    if not hits:
        return None
    word = found["word"]
    kind: FactKind | None = "actual" if _ACTUAL.search(word) else "plan" if _PLAN.search(word) else None
    return Column(cell, hits[0].period, kind)


def with_second_row(header: Header, told: list[Cell], slack: int = 0) -> Header | None:
    """The header with 予算 | 決算 | 執行率 under its years: each belongs to the year above it or to the left of it."""
    words = [re.sub(r"\s+", "", cell.text) for cell in told]
    if len(told) < 2 or not all(_SECOND.match(word) for word in words):
        return None
    columns: list[Column] = []
    for cell, word in zip(told, words, strict=True):
        above = [c for c in header.columns if c.cell.column <= cell.column + slack]
        if above:
            kind: FactKind | None = "actual" if _ACTUAL.search(word) else "plan" if _PLAN.search(word) else None
            columns.append(Column(cell, above[-1].period, kind, word if kind is None else ""))
    return replace(header, columns=tuple(columns)) if columns else None


def year_runs(years: list[Column | None]) -> dict[int, int]:
    """Start -> end of every stretch of two or more year cells (blank cells of merged columns may stand between)."""
    runs: dict[int, int] = {}
    at = 0
    while at < len(years):
        if years[at] is None:
            at += 1
            continue
        end, count, step = at + 1, 1, at + 1
        while step < len(years):
            if years[step] is not None:
                count, end = count + 1, step + 1
            elif step - end >= 4:
                break
            step += 1
        if count >= 2:
            runs[at] = end
        at = end
    return runs


def in_sequence(columns: list[Column]) -> tuple[list[Column], bool]:
    """Repairs a header whose years stand still where the others go up by one (a misprint); True when it had to."""
    years = [c.period.fiscal_year for c in columns]
    if len(columns) < 3 or len({c.kind for c in columns}) > 1:
        return columns, False
    wanted = [years[-1] - (len(years) - 1 - i) for i in range(len(years))]
    from_first = [years[0] + i for i in range(len(years))]
    for target in (from_first, wanted):
        wrong = [i for i, (y, t) in enumerate(zip(years, target, strict=True)) if y != t]
        if len(wrong) == 1 and years[wrong[0]] in (target[wrong[0] - 1], target[(wrong[0] + 1) % len(target)]):
            i = wrong[0]
            step = target[i] - years[i]
            printed = columns[i].period.label
            number = re.search(r"\d+", printed)
            label = (
                printed
                if number is None
                else f"{printed[: number.start()]}{int(number.group()) + step}{printed[number.end() :]}"
            )
            hits = find_periods(f"{target[i]}年度")
            period = replace(hits[0].period, label=label) if hits else columns[i].period
            fixed = list(columns)
            fixed[i] = replace(columns[i], period=period)
            return fixed, True
    return columns, False


def lay(
    header: Header, values: list[Cell], label: Cell | None, at: int, latest: int | None, visual: bool = False
) -> tuple[list[tuple[Column, Cell]], bool]:
    """Figures under their years: by column, by the distance from the label, or in order; True when not by column.

    ``visual`` says that columns are places on a line, so that order is as good a proof as any when no cell is missing;
    ``latest`` is the last year that can have an actual figure: of two layouts the one that puts a figure later is not
    the right one.
    """
    said = [v for v in values if v.text]
    real = [v for v in said if not v.empty]
    if not real:
        return [], False
    by_column = {c.cell.column: c for c in header.columns}
    by_distance = {c.cell.column - header.at: c for c in header.columns}
    first = header.columns[0].cell.column - header.at
    columns = [(by_column[v.column], v) for v in said if v.column in by_column]
    distances = [(by_distance[v.column - at], v) for v in said if v.column - at in by_distance]
    in_order = list(zip(header.columns, said, strict=False))
    layouts: list[tuple[list[tuple[Column, Cell]], bool]] = []
    if all(v.column in by_column for v in real):
        layouts.append((columns, False))
    if said[0].column - at == first and all(v.column - at in by_distance for v in real):
        layouts.append((distances, columns != distances and header.label_cell is not None))
    if len(said) <= len(header.columns):
        # A label that stands where a year stands has pushed its figures to the right.
        pushed = label is not None and label.column in by_column and header.label_cell is not None
        layouts.insert(
            0 if pushed else len(layouts), (in_order, pushed or not visual or len(said) != len(header.columns))
        )
    for laid, moved in layouts:
        if latest is None or all(c.period.fiscal_year <= latest for c, v in laid if not v.empty):
            return laid, moved
    # A form may print a figure of the year in progress: then it stands under its year or it is not believed.
    return (columns, False) if layouts and not layouts[0][1] else ([], True)
