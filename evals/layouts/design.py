"""One random form: its words, which block stands where, how tables are laid, and how years and units are printed."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from random import Random
from typing import Any

HEADS = ("pairs", "pairs of two", "pairs of three", "labels over values", "colon", "label lines", "brackets")
TEXTS = ("table", "heading", "bracket", "colon", "wide")
MONEY = (
    "kinds by years",
    "items by year and kind",
    "items under two heads",
    "years by kinds",
    "lines",
    "pairs",
    "relative years",
    "one year",
)
INDICATORS = ("targets and results by years", "one year", "kinds in a column", "table each", "under two heads")
ERAS = ("令和5年度", "R5", "R5年度", "令和５年度", "2023年度", "5年度", "Ｒ５年度", "令和 5 年度")
SCRAMBLES = (
    "tabs",
    "wide spaces",
    "single spaces",
    "one cell a line",
    "labels cut",
    "values first",
    "separate runs",
    "markdown",
)


@dataclass(frozen=True, slots=True)
class Design:
    """A form. Every field is drawn from the tuples above or from ``wording.toml`` by the seed."""

    seed: int
    title: str
    words: Mapping[str, str]
    headings: Mapping[str, str]
    head: str
    organisation: str
    texts: str
    money: str
    unit: str
    unit_at: str
    indicators: str
    era: str
    empty: str
    mark: str
    scramble: str
    order: tuple[str, ...]
    year_row: bool
    person_row: bool
    code_row: bool
    next_year: bool
    shares: bool
    staff: bool
    town_line: bool
    ruled: bool
    fine_grid: bool
    wide_digits: bool
    sheets: int


def design(seed: int) -> Design:
    """The form of a seed, always the same one."""
    rng = Random(f"form-{seed}")
    wording = _wording()
    order = ["texts", "money", "indicators", "check"]
    if rng.random() < 0.5:
        rng.shuffle(order)
    title = rng.choice(wording["titles"])
    return Design(
        seed=seed,
        title=title,
        words={role: rng.choice(words) for role, words in wording["labels"].items()},
        headings={role: rng.choice(words) for role, words in wording["headings"].items()},
        head=rng.choice(HEADS),
        organisation=rng.choice(("joined", "apart", "apart", "section")),
        texts=rng.choice(TEXTS),
        money=rng.choice(MONEY),
        unit=rng.choice(("千円", "千円", "千円", "円", "円", "百万円")),
        unit_at=rng.choice(("above", "label", "cell", "heading")),
        indicators=rng.choice(INDICATORS),
        era=rng.choice(ERAS),
        empty=rng.choice(("", "-", "―", "－")),
        mark=rng.choice(("", "■", "（{n}）", "{n} ", "【{t}】", "◆", "{n}．")),
        scramble=rng.choice(SCRAMBLES),
        order=tuple(order),
        # A form that says its year nowhere cannot be read by anyone.
        year_row="year" not in title or rng.random() < 0.3,
        person_row=rng.random() < 0.5,
        code_row=rng.random() < 0.5,
        next_year=rng.random() < 0.5,
        shares=rng.random() < 0.5,
        staff=rng.random() < 0.6,
        town_line=rng.random() < 0.5,
        ruled=rng.random() < 0.85,
        fine_grid=rng.random() < 0.4,
        wide_digits=rng.random() < 0.15,
        sheets=rng.choice((1, 2, 3, 4)),
    )


@cache
def _wording() -> dict[str, Any]:
    return tomllib.loads(resources.files("evals.layouts").joinpath("wording.toml").read_text("utf-8"))
