"""Year headers of tables, and how figures are laid under them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from corpus.documents import FactKind, Span
from corpus.forms.loader import canonical, clean_label
from corpus.layout import Cell, Row
from corpus.normalize import FOOTNOTE
from corpus.periods import Period, find_periods, fiscal_year

_PLAN = re.compile(r"当初|予算|予定|計画|目標|見込|要求")
_ACTUAL = re.compile(r"決算|実績")
_KIND = r"(?:当初|補正後|最終|現計)?(?:予算|決算|予定|実績|計画|目標|要求|見込|当初)(?:現|見込)?(?:み)?(?:額|値|数値)?"
_RATE = re.compile(r"率|達成度|達成状況|増減|比較|比$")
_SECOND = re.compile(
    rf"^(?:{_KIND}|(?:(?:予算)?執行率|(?:目標)?達成(?:率|度|状況)|進捗率|増減|比較|前年度?比)(?:額|値)?)(?:\(.*\))?$"
)
_YEAR_CELL = re.compile(
    r"^(?P<year>(?:令和|平成|[RH])?\s*(?:元|\d{1,4})\s*(?:年度|年)?(?:\s*末)?|(?P<relative>前々年度|前年度|[本当今]年度|[次翌来]年度))\s*"
    rf"の?[(]?(?P<word>(?:{_KIND})?)[)]?\s*(?:\([^()]*\))?$"
)
# 「目標値(令和8年度)」「基準値(令和元年度)」
_KIND_OF_YEAR = re.compile(
    rf"^(?P<word>{_KIND}|(?:基準|現状|策定時|計画策定時)(?:値|年度)?)\((?P<year>(?:令和|平成|[RH])(?:元|\d{{1,2}})(?:年度?)?|(?:19|20)\d\d年度?)(?:末|時点|末時点)?\)$"
)
# Heads over the names of rows, beside heads over figures.
_ROW_HEADS = ("指標名", "指標", "成果指標", "活動指標", "単位", "区分", "項目", "年度")
_NAMED = ("指標", "成果指標", "活動指標")
_RELATIVE = {"前々年度": -2, "前年度": -1, "本年度": 0, "当年度": 0, "今年度": 0, "次年度": 1, "翌年度": 1, "来年度": 1}


@dataclass(frozen=True, slots=True)
class Column:
    """One year's column of a header; ``what`` is set where it holds no amount of that year (執行率, 増減)."""

    cell: Cell
    period: Period
    kind: FactKind | None
    what: str = ""
    relative: bool = False


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
    """The year a cell names when it names nothing else: 「令和5年度決算」「R5(予算)」「前年度決算」, ``year`` being 当年度."""
    if len(cell.text) > 24:
        return None
    text = FOOTNOTE.sub("", re.sub(r"\s+", "", cell.text))
    turned = _KIND_OF_YEAR.match(text)
    if turned is not None:
        hits = find_periods(turned["year"] if "年" in turned["year"] else turned["year"] + "年度", year)
        years = [h.period for h in hits if h.period.kind in ("fiscal_year", "calendar_year")]
        # What a plan begins with was measured.
        return Column(cell, years[0], kind_in(turned["word"]) or "actual") if years else None
    found = _YEAR_CELL.match(text)
    if found is None:
        return None
    word = found["word"]
    kind = kind_in(word)
    if found["relative"]:
        if year is None or not word:
            return None
        return Column(cell, fiscal_year(year + _RELATIVE[found["relative"]]), kind, relative=True)
    if not re.search(r"年|^[RH]|令和|平成", text):
        return None
    hits = find_periods(found["year"] if "年" in found["year"] else found["year"] + "年度", year)
    hits = [h for h in hits if h.period.kind in ("fiscal_year", "calendar_year")]
    return Column(cell, hits[0].period, kind) if hits else None


def kind_in(word: str) -> FactKind | None:
    """Whether a head says that figures under it are planned or done."""
    if _RATE.search(word):
        return None
    return "actual" if _ACTUAL.search(word) else "plan" if _PLAN.search(word) else None


def bare_years(cells: tuple[Cell, ...]) -> list[Column | None]:
    """「2022 | 2023 | 2024」: two or more years in a row that go up by one are years, a single such figure is not."""
    read = [int(c.text) if re.fullmatch(r"(?:19|20)\d\d", c.text) else 0 for c in cells]
    found: list[Column | None] = [None] * len(cells)
    for i in range(1, len(cells)):
        if read[i] and read[i] == read[i - 1] + 1:
            for k in (i - 1, i):
                found[k] = Column(cells[k], fiscal_year(read[k], cells[k].text), None)
    return found


def anchored(columns: list[Column], year: int | None) -> list[Column]:
    """前年度, 当年度 and 次年度 counted from the last settled one, which is the year a sheet reports on; none where unsure."""
    if not any(c.relative for c in columns):
        return columns
    settled = [c.period.fiscal_year for c in columns if c.kind == "actual"]
    if year is None or not settled or not all(c.relative for c in columns):
        return []
    shift = year - max(settled)
    return [replace(c, period=fiscal_year(c.period.fiscal_year + shift)) for c in columns]


def is_kind(cell: Cell) -> bool:
    """予算, 決算額, 目標(値), 達成率: a head under or over years."""
    return _SECOND.match(re.sub(r"\s+", "", cell.text)) is not None


def kind_header(row: Row, year: int | None) -> Header | None:
    """A header of kinds alone, whose figures are of ``year``; the heads at its left name rows, not figures."""
    told = [c for c in row.cells if c.text]
    kinds = [c for c in told if is_kind(c)]
    before = [c for c in told if c not in kinds]
    if year is None or len(kinds) < 2 or not before or before[-1].column > kinds[0].column:
        return None
    names = [clean_label(c.text) for c in before]
    if not all(name in _ROW_HEADS or canonical(name) in _ROW_HEADS for name in names):
        return None
    columns = []
    for cell in kinds:
        kind = kind_in(cell.text)
        columns.append(Column(cell, fiscal_year(year), kind, "" if kind else re.sub(r"\s+", "", cell.text)))
    heads = with_name_column({name: c.column for name, c in zip(names, before, strict=True)}, kinds[0].column)
    first = before[0]
    span = Span(first.span.start, kinds[-1].span.end)
    return Header(first.text, before[-1].column, tuple(columns), heads, span, True, first)


def with_name_column(heads: dict[str, int], first: int) -> dict[str, int]:
    """The heads with the column of the indicators' names under 指標名, however the form calls it (指標, 指標項目, 成果指標)."""
    named = [column for name, column in heads.items() if canonical(name) in _NAMED and column < first]
    return {"指標名": min(named), **heads} if named else heads


def with_second_row(header: Header, told: list[Cell], slack: int = 0) -> Header | None:
    """The header with 予算 | 決算 | 執行率 under its years: each belongs to the year above it or to the left of it.

    ``slack`` is for tables set with blanks, whose columns agree only roughly; there an even number of kinds a year is
    dealt out in order.
    """
    words = [re.sub(r"\s+", "", cell.text) for cell in told]
    if len(told) < 2 or not all(_SECOND.match(word) for word in words):
        return None
    count = len(header.columns)
    each = len(told) // count if slack and len(told) % count == 0 else 0
    columns: list[Column] = []
    for i, (cell, word) in enumerate(zip(told, words, strict=True)):
        above = [c for c in header.columns if c.cell.column <= cell.column + slack]
        over = header.columns[i // each] if each else above[-1] if above else None
        if over is not None:
            kind = kind_in(word)
            # Where columns agree only roughly, a kind stands where its year does.
            place = replace(cell, column=over.cell.column + i % each) if each else cell
            columns.append(Column(place, over.period, kind, word if kind is None else ""))
    return replace(header, columns=tuple(columns)) if columns else None


def under_kinds(columns: list[Column], above: tuple[Cell, ...]) -> list[Column]:
    """Years under 計画 | 実績: each takes the kind above it or to the left of it."""
    kinds = [c for c in above if c.text and is_kind(c)]
    found = []
    for column in columns:
        over = [c for c in kinds if c.column <= column.cell.column]
        found.append(replace(column, kind=kind_in(over[-1].text)) if over and column.kind is None else column)
    return found


def settled_columns(columns: list[Column]) -> list[Column]:
    """Without the columns that cannot be told apart: one year twice with the same kind."""
    seen = Counter((c.period.fiscal_year, c.kind, c.what) for c in columns)
    return [c for c in columns if seen[(c.period.fiscal_year, c.kind, c.what)] == 1]


def year_runs(years: list[Column | None], cells: tuple[Cell, ...]) -> dict[int, int]:
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
            elif step - end >= 4 or cells[step].text:
                break
            step += 1
        if count >= 2:
            runs[at] = end
        at = end
    return runs


def in_sequence(columns: list[Column]) -> tuple[list[Column], bool]:
    """Repairs one year inside a header that stands still where the others go up by one (a misprint); True when it had to.

    The first and the last year must bear the count out: R1, R1, R3 is R1, R2, R3, but R5, R5, R6 may be anything.
    """
    years = [c.period.fiscal_year for c in columns]
    wanted = [years[0] + i for i in range(len(years))]
    wrong = [i for i, (y, t) in enumerate(zip(years, wanted, strict=True)) if y != t]
    if len(columns) < 3 or len({c.kind for c in columns}) > 1 or len(wrong) != 1 or years[-1] != wanted[-1]:
        return columns, False
    i = wrong[0]
    if years[i] not in (wanted[i - 1], wanted[i + 1]):
        return columns, False
    printed = columns[i].period.label
    number = re.search(r"\d+", printed)
    label = printed
    if number is not None:
        label = f"{printed[: number.start()]}{int(number.group()) + wanted[i] - years[i]}{printed[number.end() :]}"
    fixed = list(columns)
    fixed[i] = replace(columns[i], period=fiscal_year(wanted[i], label))
    return fixed, True


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
    if len(said) == len(header.columns) or (not visual and len(said) < len(header.columns)):
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
