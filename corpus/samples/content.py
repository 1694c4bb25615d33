"""The invented programmes and systems, read from ``content/*.toml``, and one programme's view of one fiscal year.

Amounts are in 千円 for programmes and in 円 for systems, as their forms print them. Totals are never written down:
general funds, staff cost and total cost are computed, so a printed table always adds up.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

CONTENT = Path(__file__).parent / "content"
FUNDS = ("national", "pref", "bond", "other", "general")
Fund = Literal["national", "pref", "bond", "other", "general"]


def era(year: int) -> str:
    """A western fiscal year as it is printed: 2023 -> 令和5年度."""
    return f"令和{year - 2018}年度"


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator with its goals and results as printed, from ``first_year`` on ("" is an empty cell)."""

    name: str
    unit: str
    note: str
    first_year: int
    goals: tuple[str, ...]
    results: tuple[str, ...]

    def goal(self, year: int) -> str:
        """The goal printed for a year, "" where there is none."""
        place = year - self.first_year
        return self.goals[place] if 0 <= place < len(self.goals) else ""

    def result(self, year: int) -> str:
        """The result printed for a year, "" where there is none."""
        place = year - self.first_year
        return self.results[place] if 0 <= place < len(self.results) else ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a programme says about one fiscal year."""

    did: str
    ratings: tuple[str, ...]
    reason: str
    missed: str
    issue: str
    direction: str
    plan: str


@dataclass(frozen=True, slots=True)
class Costs:
    """One column of a cost table: an amount with its sources of funds, staff and total (千円)."""

    year: int
    kind: Literal["plan", "actual"]
    amount: int
    funds: tuple[int, ...]
    staff: float
    staff_cost: int

    @property
    def total(self) -> int:
        """総事業費: the amount and the staff cost."""
        return self.amount + self.staff_cost


@dataclass(frozen=True, slots=True)
class Programme:
    """One programme (事務事業) of an invented municipality over several years."""

    key: str
    number: str
    municipality: str
    form: str
    names: dict[int, str]
    department: str
    unit: str
    person: str
    policy: str
    law: str
    since: str
    method: str
    target: str
    purpose: str
    content: str
    activities: tuple[Indicator, ...]
    outcomes: tuple[Indicator, ...]
    reports: dict[int, Report]
    first_year: int
    budget: tuple[int, ...]
    actual: tuple[int, ...]
    funds: dict[str, tuple[int, ...]]
    staff: tuple[float, ...]
    staff_unit: int

    def name(self, year: int) -> str:
        """The name printed in a year's sheet: a programme may be renamed."""
        return self.names.get(year, self.names[0])

    def costs(self, year: int, kind: Literal["plan", "actual"]) -> Costs:
        """The cost column of a year, as budgeted or as settled."""
        place = year - self.first_year
        amount = self.budget[place] if kind == "plan" else self.actual[place]
        # Funds are written down for the settled years and the last budget; an earlier budget takes the same shares.
        settled = self.actual[place] if place < len(self.actual) else self.budget[place]
        parts = [round(self.funds[fund][place] * amount / settled) if settled else 0 for fund in FUNDS[:-1]]
        staff = self.staff[place]
        return Costs(year, kind, amount, (*parts, amount - sum(parts)), staff, round(staff * self.staff_unit))


@dataclass(frozen=True, slots=True)
class System:
    """One information system of the progress report; ``ratings`` are the three years' and the overall one."""

    key: str
    name: str
    department: str
    stage: str
    issue: str
    aim: str
    budget: tuple[int, ...]
    actual: tuple[int, ...]
    tasks: str
    kpi: str
    done: str
    goal: str
    base: str
    result: str
    ratings: tuple[str, ...]
    reason: str
    plan: str
    opinion: str


@dataclass(frozen=True, slots=True)
class SystemReport:
    """The progress report with the texts before and after the systems."""

    municipality: str
    fiscal_year: int
    title: str
    intro: str
    result: str
    following: str
    glossary: tuple[tuple[str, str], ...]
    systems: tuple[System, ...]


def _load(name: str) -> dict[str, Any]:
    return tomllib.loads((CONTENT / f"{name}.toml").read_text(encoding="utf-8"))


def _indicators(rows: list[dict[str, Any]], first_year: int) -> tuple[Indicator, ...]:
    return tuple(
        Indicator(row["name"], row["unit"], row.get("note", ""), first_year, tuple(row["goal"]), tuple(row["done"]))
        for row in rows
    )


def _report(row: dict[str, str]) -> Report:
    ratings = tuple(row["rating"].split())
    return Report(
        row["did"], ratings, row["reason"], row.get("missed", ""), row["issue"], row["direction"], row["plan"]
    )


def load_programmes(name: str) -> tuple[Programme, ...]:
    """Every programme of ``content/<name>.toml``."""
    data = _load(name)
    first: int = data["first_year"]
    programmes = []
    for row in data["programme"]:
        cost = row["cost"]
        names = {0: row["name"]} | ({2024: row["name_r6"]} if "name_r6" in row else {})
        programmes.append(
            Programme(
                key=row["id"],
                number=row["no"],
                municipality=data["municipality"],
                form=row.get("form", ""),
                names=names,
                department=row["department"],
                unit=row["unit"],
                person=row["person"],
                policy=row["policy"],
                law=row["law"],
                since=row["since"],
                method=row["method"],
                target=row["target"],
                purpose=row["purpose"],
                content=row["content"],
                activities=_indicators(row["activity"], first),
                outcomes=_indicators(row["outcome"], first),
                reports={2018 + int(key[1:]): _report(row[key]) for key in ("r5", "r6") if key in row},
                first_year=first,
                budget=tuple(cost["budget"]),
                actual=tuple(cost["actual"]),
                funds={fund: tuple(cost.get(fund, [0] * len(cost["budget"]))) for fund in FUNDS[:-1]},
                staff=tuple(row["staff"]),
                staff_unit=data["staff_cost"],
            )
        )
    return tuple(programmes)


def load_system_report() -> SystemReport:
    """The progress report of ``content/systems.toml``."""
    data = _load("systems")
    systems = []
    for row in data["system"]:
        values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
        values["key"] = values.pop("id")
        systems.append(System(**values))
    front = data["front"]
    return SystemReport(
        data["municipality"],
        data["fiscal_year"],
        data["title"],
        front["intro"],
        front["result"],
        front["next"],
        tuple((row["term"], row["text"]) for row in data["glossary"]),
        tuple(systems),
    )
