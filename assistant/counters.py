"""Counters: what 何枚 or 何% asks for, and whether a printed figure can be counted so."""

from __future__ import annotations

import re

from assistant.statements import Statement
from corpus.amounts import find_amounts
from corpus.normalize import squeeze

COUNTER = re.compile(
    r"何(件|人|名|台|回|%|パーセント|本|枚|冊|時間|分|校|か所|箇所|点|世帯|項目|業務|種類|団体|施設|円|k?g(?![a-z])|km|トン|頭|基|便|室|戸|社)"
)
# 件数, 人数: counted without 何. A rate of them is no count.
_COUNTED = re.compile(r"(件|人|回|台|枚|点|冊|校|世帯|か所|箇所|施設|団体)数(?=[はをがもって、,?。]|$)")
# 「マイナンバーカードの交付率は」
_SHARE = re.compile(r"[^効能確]率(?:は|って|を教えて(?:ください)?)?[()、。?]*$")
_RATE = re.compile(r"率|割合|%|パーセント|比")

# 「PC配備台数」 says what is counted, also where the cells print bare figures.
_LABEL_UNIT = re.compile(r"(?<=.)(件|人|回|台|枚|冊|校|日|世帯|か所|箇所|施設|団体)数(?:\([^()]*\))?$")

# Counters that sheets use for one another.
_ALIKE = (
    {"件", "回", "項目", "業務", "つ", "手続", "種", "種類", "本"},
    {"人", "名"},
    {"%", "パーセント"},
    {"か所", "箇所", "施設"},
)


# Sections whose figures often stand without a unit.
_TABLES = ("指標", "実績", "推移", "目標", "取組状況", "基準値", "評価", "内訳")


def asked_counter(key: str) -> str:
    """What a squeezed question counts by: 件 for 何件 and for 件数は; empty where it does not say.

    >>> asked_counter("火葬の件数は?"), asked_counter("利用件数の達成率は?"), asked_counter("何人が受けたか")
    ('件', '%', '人')
    """
    found = COUNTER.search(key)
    if found is None and _SHARE.search(key):
        return "%"
    if found is None and not _RATE.search(key):
        found = _COUNTED.search(key)
    return found[1] if found else ""


def label_unit(label: str) -> str:
    """The unit that a label says where its figures print none.

    >>> label_unit("PC配備台数"), label_unit("印刷枚数(複合機)"), label_unit("印刷枚数前年度増加率(%)"), label_unit("複数")
    ('台', '枚', '', '')
    """
    found = _LABEL_UNIT.search(squeeze(label))
    return found[1] if found else ""


def counts_alike(counter: str, unit: str) -> bool:
    """Whether a printed unit may answer 何「counter」; an unprinted one may."""
    if not unit or counter in unit:
        return True
    return any(counter in alike and any(u in unit for u in alike) for alike in _ALIKE)


def counts(key: str, statement: Statement) -> bool:
    """Whether a statement counts what is asked for (何枚): with the same counter, or in a table that prints none."""
    counter = asked_counter(key)
    if not counter:
        return True
    if counter in ("%", "パーセント"):
        return "%" in statement.key or "率" in statement.key + statement.label_key
    table = any(part in statement.label + statement.field for part in _TABLES)
    text = statement.text
    return any(
        counts_alike(counter, a.unit) if a.unit else table and not text[a.end : a.end + 1].isalpha()  # 8地区 has a unit
        for a in find_amounts(text)
    )
