"""Counters: what 何枚 or 何% asks for, and whether a printed figure can be counted so."""

from __future__ import annotations

import re

from assistant.statements import Statement
from corpus.amounts import find_amounts

COUNTER = re.compile(
    r"何(件|人|名|台|回|%|パーセント|本|枚|冊|時間|分|校|か所|箇所|点|世帯|項目|業務|種類|団体|施設|円|k?g(?![a-z])|km|トン|頭|基|便|室|戸|社)"
)
# Counters that sheets use for one another.
_ALIKE = (
    {"件", "回", "項目", "業務", "つ", "手続", "種", "種類", "本"},
    {"人", "名"},
    {"%", "パーセント"},
    {"か所", "箇所", "施設"},
)


# Sections whose figures often stand without a unit.
_TABLES = ("指標", "実績", "推移", "目標", "取組状況", "基準値", "評価", "内訳")


def counts_alike(counter: str, unit: str) -> bool:
    """Whether a printed unit may answer 何「counter」; an unprinted one may."""
    if not unit or counter in unit:
        return True
    return any(counter in alike and any(u in unit for u in alike) for alike in _ALIKE)


def counts(key: str, statement: Statement) -> bool:
    """Whether a statement counts what is asked for (何枚): with the same counter, or in a table that prints none."""
    found = COUNTER.search(key)
    if found is None:
        return True
    if found[1] in ("%", "パーセント"):
        return "%" in statement.key or "率" in statement.key + statement.label_key
    if any(part in statement.label + statement.field for part in _TABLES):
        return True
    return any(a.unit and counts_alike(found[1], a.unit) for a in find_amounts(statement.text))
