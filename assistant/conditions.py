"""Conditions a question puts on the sheets it wants: grades, figures over or under a limit, one figure against another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Operator = Literal["=", "!=", ">", ">=", "<", "<="]

_GRADE = re.compile(
    r"(?<![a-z0-9])([sabcde])(?:評価|ランク|判定)|(?:評価|判定|ランク)(?:結果)?[がはもの「:]{0,2}([sabcde])(?![a-z0-9])"
)
_LIMIT = re.compile(
    r"(?P<number>\d[\d,]*(?:\.\d+)?)(?P<scale>億|千万|百万|万|千)?(?P<unit>円|%|人|件|台|回|千円|万円|百万円|億円)?"
    r"(?P<op>以上|以下|未満|超|を超え|を上回|を下回|より多|より少|より高|より低|より大き|より小さ)"
)
_OPS: dict[str, Operator] = {
    "以上": ">=", "以下": "<=", "未満": "<", "超": ">", "を超え": ">", "を上回": ">", "を下回": "<", "より多": ">", "より少": "<",
    "より高": ">", "より低": "<", "より大き": ">", "より小さ": "<",
}  # fmt: skip
_SCALES = {"億": 1e8, "千万": 1e7, "百万": 1e6, "万": 1e4, "千": 1e3, None: 1.0}
_UNIT_SCALES = {"千円": 1e3, "万円": 1e4, "百万円": 1e6, "億円": 1e8}


@dataclass(frozen=True, slots=True)
class Condition:
    """``value`` in 円 for money; ``unit`` as written."""

    op: Operator
    value: float
    unit: str


def find_conditions(key: str) -> tuple[list[Condition], str]:
    """Limits on figures, and the grade asked for (upper case, empty when none), of a squeezed question.

    >>> find_conditions("決算額が1億円以上でb評価の事業")
    ([Condition(op='>=', value=100000000.0, unit='円')], 'B')
    """
    conditions = []
    for found in _LIMIT.finditer(key):
        value = float(found["number"].replace(",", "")) * _SCALES[found["scale"]]
        unit = found["unit"] or ("円" if found["scale"] else "")
        value *= _UNIT_SCALES.get(unit, 1.0)
        conditions.append(Condition(_OPS[found["op"]], value, "円" if unit in _UNIT_SCALES else unit))
    grades = [(found[1] or found[2]).upper() for found in _GRADE.finditer(key)]
    return conditions, grades[-1] if grades else ""


def holds(condition: Condition, value: float) -> bool:
    """Whether a figure meets the condition."""
    return {
        "=": value == condition.value,
        "!=": value != condition.value,
        ">": value > condition.value,
        ">=": value >= condition.value,
        "<": value < condition.value,
        "<=": value <= condition.value,
    }[condition.op]
