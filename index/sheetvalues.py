"""What a sheet can be filtered and sorted by beside its place and year: its ratings and the size of its budget.

Both are read from its facts when an index is opened; which facts count, and the classes, stand in ``sheetvalues.toml``.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from corpus.documents import Sheet
from index.types import SheetValues

# (sheet's number, canonical field, number or None, text, first day of the period or None, plan or actual or None)
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

    def fields(self) -> list[str]:
        """Every field that is looked at."""
        return list(dict.fromkeys((*self.ratings, *self.settled, *self.planned)))


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
    """The values of each sheet. A fact of another year than the sheet's own does not count: sheets print many."""
    want = wanted()
    place = {field: at for at, field in enumerate(want.ratings)}
    ratings: list[set[tuple[int, str]]] = [set() for _ in sheets]
    amounts: list[dict[tuple[str, str], float]] = [{} for _ in sheets]
    for number, field, value, text, start, kind in cells:
        sheet = sheets[number]
        if sheet.kind != "programme":
            continue  # a summary table rates many programmes
        if value is None:
            own = start is None or sheet.fiscal_year is None or start == f"{sheet.fiscal_year}-04-01"
            if own and field in place and (said := mark(text)):
                ratings[number].add((place[field], f"{field}：{said}"))
        elif kind is not None and sheet.fiscal_year is not None and start == f"{sheet.fiscal_year}-04-01":
            # A sheet prints the whole beside its parts: the largest is the whole.
            amounts[number][kind, field] = max(value, amounts[number].get((kind, field), value))
    return [
        SheetValues(
            tuple(text for _, text in sorted(rated)),
            _first(found, "actual", want.settled),
            _first(found, "plan", want.planned),
        )
        for rated, found in zip(ratings, amounts, strict=True)
    ]


def _first(found: dict[tuple[str, str], float], kind: str, fields: Sequence[str]) -> float | None:
    return next((found[kind, field] for field in fields if (kind, field) in found), None)
