"""Cost tables in the shapes towns print them; every figure that is put on paper is noted as truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evals.layouts.blocks import Block, Kind, Press, Printed
    from evals.layouts.truth import TrueSheet

Column = tuple[int, "Kind"]


def money_blocks(press: Press, out: Printed) -> list[Block]:
    """The cost block of a form, by its shape."""
    return {
        "kinds by years": _kinds_by_years,
        "items by year and kind": _items,
        "items under two heads": _items,
        "years by kinds": _years_by_kinds,
        "lines": _lines,
        "pairs": _lines,
        "relative years": _items,
        "one year": _one_year,
    }[press.design.money](press, out)


def _value(sheet: TrueSheet, role: str, column: Column) -> int | None:
    year, kind = column
    cost = (sheet.budget if kind == "plan" else sheet.settled).get(year)
    if role == "staff":
        return sheet.staff_cost.get(year)
    if cost is None:
        return None
    national, pref = (round(cost * share / 1000) * 1000 for share in sheet.shares)
    if role == "total":
        staff = sheet.staff_cost.get(year)
        return cost + staff if staff is not None else None
    return {"cost": cost, "national": national, "pref": pref, "general": cost - national - pref}[role]


def _cell(press: Press, out: Printed, role: str, column: Column, kind: Kind | str = "same") -> str:
    """One printed figure; what it says is noted under its role, year and kind."""
    printed, shown = press.money(_value(out.sheet, role, column))
    if shown is not None:
        out.amounts[(role, column[0], column[1] if kind == "same" else None)] = shown
    return printed


def _roles(press: Press) -> list[str]:
    roles = ["cost"]
    if press.design.shares:
        roles += ["national", "pref", "general"]
    if press.design.staff:
        roles += ["staff", "total"]
    return roles


def _years(press: Press, sheet: TrueSheet) -> list[int]:
    known = sorted({*sheet.budget, *sheet.settled})
    shown = [year for year in known if sheet.year - 2 <= year <= sheet.year + 1]
    return shown if press.design.next_year else [year for year in shown if year <= sheet.year]


def _kinds_by_years(press: Press, out: Printed) -> list[Block]:
    from evals.layouts.blocks import Table

    years = _years(press, out.sheet)
    rows = [(press.design.words["cost"] if press.design.seed % 2 else "区分", *map(press.era, years))]
    rows.append((press._label("budget", True), *(_cell(press, out, "cost", (y, "plan")) for y in years)))
    rows.append((press._label("settled", True), *(_cell(press, out, "cost", (y, "actual")) for y in years)))
    return [Table(tuple(rows))]


def _items(press: Press, out: Printed) -> list[Block]:
    from evals.layouts.blocks import LEFT, UP, Table

    design, year = press.design, out.sheet.year
    years = [y for y in _years(press, out.sheet) if y <= year]
    coming = [year + 1] if design.next_year and year + 1 in out.sheet.budget else []
    columns: list[Column] = []
    head: list[tuple[str, ...]]
    if design.money == "items by year and kind":
        columns = [*((y, "actual") for y in years), *((y, "plan") for y in coming)]
        words = {
            "actual": ("決算", "決算額", "(決算)")[design.seed % 3],
            "plan": ("予算", "予算額", "(予算)")[design.seed % 3],
        }
        head = [("区分", *(f"{press.era(y)}{words[kind or 'plan']}" for y, kind in columns))]
    elif design.money == "relative years":
        columns = [(year - 1, "actual"), (year, "actual"), *((y, "plan") for y in coming)]
        head = [("", *("前年度決算", "当年度決算", "次年度予算")[: len(columns)])]
    else:
        columns = [(y, kind) for y in years for kind in ("plan", "actual")]
        top = [cell for y in years for cell in (press.era(y), LEFT)]
        low = ["予算", "決算"] * len(years) if design.seed % 2 else ["予算額", "決算額"] * len(years)
        head = [("区分", *top), (UP, *low)]
    rows = [(press._label(role, True), *(_cell(press, out, role, c) for c in columns)) for role in _roles(press)]
    return [Table((*head, *rows))]


def _years_by_kinds(press: Press, out: Printed) -> list[Block]:
    from evals.layouts.blocks import Table

    rows = [("年度", press._label("budget", True), press._label("settled", True))]
    for y in _years(press, out.sheet):
        rows.append((press.era(y), _cell(press, out, "cost", (y, "plan")), _cell(press, out, "cost", (y, "actual"))))
    return [Table(tuple(rows))]


def _lines(press: Press, out: Printed) -> list[Block]:
    from evals.layouts.blocks import Line, Table

    kinds: tuple[tuple[str, Kind], ...] = (("budget", "plan"), ("settled", "actual"))
    pairs: list[tuple[str, str]] = []
    for y in _years(press, out.sheet):
        for role, kind in kinds:
            if _value(out.sheet, "cost", (y, kind)) is None:
                continue
            printed = _cell(press, out, "cost", (y, kind))
            # A line of its own says its unit unless the block did.
            unit = press.design.unit if press.design.unit_at not in ("cell", "above", "heading") else ""
            pairs.append((f"{press.full_era(y)}{press.design.words[role]}", printed + unit))
    if press.design.money == "pairs":
        return [Table(tuple(pairs))]
    return [Line(f"{label}　{value}") for label, value in pairs]


def _one_year(press: Press, out: Printed) -> list[Block]:
    """Only the year reported on, no year printed beside it: the sheet's own is meant."""
    from evals.layouts.blocks import Table

    year = out.sheet.year
    rows = [(press._label("settled", True), _cell(press, out, "cost", (year, "actual")))]
    rows.insert(0, (press._label("budget", True), _cell(press, out, "cost", (year, "plan"))))
    if press.design.staff:
        rows.append((press._label("staff", True), _cell(press, out, "staff", (year, "actual"), None)))
    return [Table(tuple(rows))]
