"""Indicator tables in the shapes towns print them; every figure that is put on paper is noted as truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corpus.amounts import YEN

if TYPE_CHECKING:
    from evals.layouts.blocks import Block, Kind, Press, Printed
    from evals.layouts.truth import TrueIndicator


def result_blocks(press: Press, out: Printed, shown: list[TrueIndicator]) -> list[Block]:
    """The indicator block of a form, by its shape."""
    return {
        "targets and results by years": _by_years,
        "one year": _one_year,
        "kinds in a column": _kinds_in_a_column,
        "table each": _table_each,
        "under two heads": _two_heads,
    }[press.design.indicators](press, out, shown)


def _cell(press: Press, out: Printed, one: TrueIndicator, year: int, kind: Kind) -> str:
    for y, actual, target in one.years:
        value = actual if kind == "actual" else target
        if y == year and value is not None:
            # Money is 円 in hyoka whatever is printed: 2,494億円.
            out.indicators[(one.name, year, kind)] = round(round(value, 2) * YEN.get(one.unit, 1), 2)
            return press.number(value)
    return press.design.empty


def _years(shown: list[TrueIndicator]) -> list[int]:
    return sorted({year for one in shown for year, _, _ in one.years})[-3:]


def _by_years(press: Press, out: Printed, shown: list[TrueIndicator]) -> list[Block]:
    from evals.layouts.blocks import UP, Table

    word, years = press.design.words, _years(shown)
    rows: list[tuple[str, ...]] = [(word["indicator_name"], "単位", "区分", *map(press.era, years))]
    for one in shown:
        rows.append((one.name, one.unit, word["target"], *(_cell(press, out, one, y, "plan") for y in years)))
        rows.append((UP, UP, word["actual"], *(_cell(press, out, one, y, "actual") for y in years)))
    return [Table(tuple(rows))]


def _kinds_in_a_column(press: Press, out: Printed, shown: list[TrueIndicator]) -> list[Block]:
    from evals.layouts.blocks import Table

    word, years = press.design.words, _years(shown)
    rows: list[tuple[str, ...]] = [(word["indicators"], "", *map(press.era, years))]
    for one in shown:
        named = f"{one.name}（{one.unit}）"
        rows.append((named, word["target"], *(_cell(press, out, one, y, "plan") for y in years)))
        rows.append((named, word["actual"], *(_cell(press, out, one, y, "actual") for y in years)))
    return [Table(tuple(rows))]


def _one_year(press: Press, out: Printed, shown: list[TrueIndicator]) -> list[Block]:
    from evals.layouts.blocks import Table

    word = press.design.words
    year = out.sheet.year
    rows: list[tuple[str, ...]] = [(word["indicator_name"], "単位", word["target"], word["actual"], word["rate"])]
    for one in shown:
        target, actual = _cell(press, out, one, year, "plan"), _cell(press, out, one, year, "actual")
        goal, got = out.indicators.get((one.name, year, "plan")), out.indicators.get((one.name, year, "actual"))
        rate = f"{got / goal * 100:.1f}%" if goal and got is not None else press.design.empty
        rows.append((one.name, one.unit, target, actual, rate))
    return [Table(tuple(rows))]


def _table_each(press: Press, out: Printed, shown: list[TrueIndicator]) -> list[Block]:
    from evals.layouts.blocks import Line, Table

    word = press.design.words
    blocks: list[Block] = []
    for number, one in enumerate(shown, start=1):
        years = _years([one])
        blocks.append(Line(f"{word['indicators']}{number}：{one.name}（単位：{one.unit}）"))
        rows: list[tuple[str, ...]] = [("年度", *map(press.era, years))]
        rows.append((word["target"], *(_cell(press, out, one, y, "plan") for y in years)))
        rows.append((word["actual"], *(_cell(press, out, one, y, "actual") for y in years)))
        blocks.append(Table(tuple(rows)))
    return blocks


def _two_heads(press: Press, out: Printed, shown: list[TrueIndicator]) -> list[Block]:
    from evals.layouts.blocks import LEFT, UP, Table

    word, years = press.design.words, _years(shown)
    rows: list[tuple[str, ...]] = [
        (word["indicator_name"], "単位", *(cell for y in years for cell in (press.era(y), LEFT))),
        (UP, UP, *([word["target"], word["actual"]] * len(years))),
    ]
    for one in shown:
        cells = [_cell(press, out, one, y, kind) for y in years for kind in ("plan", "actual")]
        rows.append((one.name, one.unit, *cells))
    return [Table(tuple(rows))]
