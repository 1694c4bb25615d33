"""What a sheet can be filtered and sorted by beside its place and year: its ratings and the size of its budget.

Both are read from its facts when an index is built; which facts count, and the classes, stand in ``sheetvalues.toml``.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from corpus.documents import Fact, Sheet
from index.types import SheetValues

# (canonical field, number or None, text, first day of the period or None, plan or actual or None)
OwnCell = tuple[str, float | None, str, str | None, str | None]
# The same with the sheet's number before it.
Cell = tuple[int, str, float | None, str, str | None, str | None]

_LETTER = re.compile(r"[A-Za-z◎○〇△▲×](?![A-Za-z0-9])")
_LONGEST = 16  # a cell of more characters is a sentence, not a choice


@dataclass(frozen=True, slots=True)
class AmountClass:
    """Amounts under ``below`` yen that fit no class before; None: all the others."""

    name: str
    below: float | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """The tables of ``sheetvalues.toml``."""

    ratings: tuple[str, ...]
    settled: tuple[str, ...]
    planned: tuple[str, ...]
    classes: tuple[AmountClass, ...]

    @property
    def fields(self) -> frozenset[str]:
        """Every field that is looked at."""
        return frozenset((*self.ratings, *self.settled, *self.planned))


@cache
def wanted() -> Wanted:
    """What ``sheetvalues.toml`` says."""
    table = tomllib.loads(resources.files("index").joinpath("sheetvalues.toml").read_text("utf-8"))
    classes = tuple(AmountClass(row["name"], row.get("below")) for row in table["class"])
    amount = table["amount"]
    return Wanted(tuple(table["rating"]["fields"]), tuple(amount["settled"]), tuple(amount["planned"]), classes)


def amount_class(amount: float | None) -> str:
    """The name of the class an amount in yen falls into; empty for no amount.

    >>> amount_class(999_999), amount_class(1_000_000), amount_class(2e9), amount_class(None)
    ('100万円未満', '100万〜1,000万円', '1億円以上', '')
    """
    if amount is None:
        return ""
    return next((one.name for one in wanted().classes if one.below is None or amount < one.below), "")


def mark(text: str) -> str:
    """What a rating's cell says, without its explanation; empty where it holds a sentence.

    >>> mark("Ａ：適切"), mark("中: 適切な成果が得られている"), mark("ランク１"), mark("b 継続")
    ('A', '中', 'ランク1', 'B')
    """
    plain = " ".join(unicodedata.normalize("NFKC", text).split())
    if letter := _LETTER.match(plain):
        return letter.group().upper()
    head = plain.split(":", 1)[0].strip()
    return head if len(head) <= _LONGEST else ""


def sheet_values(sheets: Sequence[Sheet], cells: Iterable[Cell]) -> list[SheetValues]:
    """The values of each sheet."""
    own: list[list[OwnCell]] = [[] for _ in sheets]
    for number, *cell in cells:
        own[number].append(tuple(cell))  # type: ignore[arg-type]
    return [values_of(sheet.kind, sheet.fiscal_year, found) for sheet, found in zip(sheets, own, strict=True)]


def values_of(kind: str, fiscal_year: int | None, cells: Iterable[OwnCell]) -> SheetValues:
    """The values of one sheet. A fact of another year than the sheet's own does not count: sheets print many."""
    if kind != "programme":
        return SheetValues()  # a summary table rates many programmes
    want = wanted()
    place = {field: at for at, field in enumerate(want.ratings)}
    its_year = None if fiscal_year is None else f"{fiscal_year}-04-01"
    ratings: set[tuple[int, str]] = set()
    amounts: dict[tuple[str, str], float] = {}
    for field, value, text, start, of in cells:
        if value is None:
            own = start is None or its_year is None or start == its_year
            if own and field in place and (said := mark(text)):
                ratings.add((place[field], f"{field}：{said}"))
        elif of is not None and its_year is not None and start == its_year:
            # A sheet prints the whole beside its parts: the largest is the whole.
            amounts[of, field] = max(value, amounts.get((of, field), value))
    rated = tuple(text for _, text in sorted(ratings))
    return SheetValues(rated, _first(amounts, "actual", want.settled), _first(amounts, "plan", want.planned))


def values_of_facts(sheet: Sheet, facts: Iterable[Fact]) -> SheetValues:
    """The values of a sheet with its facts."""
    fields = wanted().fields
    cells = (
        (f.field, f.value, f.text, None if f.period is None else f.period.start.isoformat(), f.kind)
        for f in facts
        if f.field in fields
    )
    return values_of(sheet.kind, sheet.fiscal_year, cells)


def _first(found: dict[tuple[str, str], float], kind: str, fields: Sequence[str]) -> float | None:
    return next((found[kind, field] for field in fields if (kind, field) in found), None)
