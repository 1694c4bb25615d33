"""What a question demands of the figures of the sheets it wants: limits, changes from year to year, targets met or missed.

Each demand is read here from the squeezed question; :mod:`assistant.sifting` holds it against the facts of all sheets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from assistant.conditions import Condition, Placed, placed_conditions
from assistant.vocabulary import AskedField, find_fields

MOST_LIMITS = 20  # different ones of a question; nobody means more
Way = Literal["up", "down", "flat"]

_FLAT = re.compile(
    r"変わら[なず]|変わって(?:い)?な|変化(?:[がはの]|して)?(?:い)?な|横ばい|同額|(?:額|費|予算|決算|数)が?(?:全く|まったく)?同じ|据え?置|増減(?:[がはの])?な[いし]"
)
_UP = re.compile(r"増え|増加|伸び|上が[っりる]|膨ら|増額|倍増|アップ|増(?:の|$)")
_DOWN = re.compile(r"減っ|減少|減り|減る|下が[っりる]|縮[小ん]|減額|半減|ダウン|落ち込|減(?:の|$)")
_BOTH = re.compile(r"増減|増えた(?:の|か)減った|上がり下がり")
# A limit that belongs to a change: 「2割以上増えた」「増加額が100万円以上」.
_BEHIND = re.compile(r"(?:も|に|の|で)?(?:増|減|伸び|上が|下が|縮|膨ら|アップ|ダウン|変動|変化|落ち)")
_AHEAD = re.compile(r"(?:増加|減少|増減|伸び|変化|上昇|下落)(?:額|率|幅|分)?[がはの]?$|差額?[がは]$")
_TIMES = re.compile(
    r"(?<![何数])(?P<n>\d{1,6}(?:\.\d{1,6})?|[二三四五六七八九十])?倍(?P<op>以上|を?超|増|に|未満|以下)?"
)
_HALF = re.compile(r"半分(?P<op>以下|未満|以上|に|まで)?|半減")
_BECAME = re.compile(r"(?:倍|半分)(?:以上|以下|未満)?に(?:な|達し)")
_NUMBERS = {word: float(number) for number, word in enumerate("二三四五六七八九十", 2)}
_MISSED = re.compile(
    r"(?<!一部)未達|(?:目標|指標|基準)(?:値)?[^。、?]{0,8}?(?:達成でき(?:な|ず|てい?な)|達成して(?:い)?な|達しな|達せず|達していな"
    r"|に?届か|に?届いて(?:い)?な|を?下回|割(?:っ|れ)|に?満たな|クリアでき(?:な|ず))"
)
_MET = re.compile(
    r"(?:目標|指標|基準)(?:値)?[^。、?]{0,8}?(?:を|が|は)?(?:達成(?!でき(?:な|ず)|して(?:い)?な|度|率|状況|指標|の)|クリア(?!でき(?:な|ず))|上回"
    r"|に?届(?:いた|いて(?!い?な)|き|く))"
)
# What the limit's own figure is called: the run of letters before its particle (利用者数が1万人以上).
_NAMED = re.compile(r"([一-龥々ァ-ヴーA-Za-z・]{2,16})(?:[がはのもって]|が年間)?$")


@dataclass(frozen=True, slots=True)
class Limit:
    """A figure over or under a limit: of one of the asked ``fields``, or of the row that is called ``name``."""

    condition: Condition
    fields: tuple[AskedField, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A figure that rose, fell or stayed, by at least (or at most) so much: in 円, in % or as a multiple (倍)."""

    way: Way
    by: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Attainment:
    """Indicators whose target was met or missed."""

    met: bool


@dataclass(frozen=True, slots=True)
class Criteria:
    """All demands of a question on figures."""

    limits: tuple[Limit, ...] = ()
    change: Change | None = None
    attainment: Attainment | None = None

    def __bool__(self) -> bool:
        return bool(self.limits or self.change or self.attainment)


def find_criteria(key: str) -> Criteria:
    """The demands of a squeezed question whose dates are blanked.

    >>> found = find_criteria("決算額が1億円以上で2割以上増えた事業")
    >>> [limit.condition.value for limit in found.limits], found.change.way, [by.value for by in found.change.by]
    ([100000000.0], 'up', [20.0])
    """
    way = _way(key)
    limits, by = [], []
    begin = 0
    asked = placed_conditions(key)
    named = find_fields(key) if asked else []  # once: a question may hold hundreds of limits
    for placed in asked:
        change = bool(_BEHIND.match(key, placed.end) or _AHEAD.search(key[: placed.start]))
        if change and placed.condition.unit in ("円", "%"):
            by.append(placed.condition)
        else:
            limit = _limit(key, named, placed, begin if placed.start >= begin else 0)
            if limit is not None:
                limits.append(limit)
        begin = placed.end
    multiples = _multiples(key)
    if way is None and multiples and _BECAME.search(key):  # 「2倍以上になった」
        way = "up" if multiples[0].value > 1 else "down"
    by += multiples if way else []
    if way == "flat":
        by = []
    missed, met = _MISSED.search(key), _MET.search(key)
    attainment = Attainment(met=not missed) if missed or met else None
    # Said again it is the same limit; each one is held against every row of every sheet.
    limits = list(dict.fromkeys(limits))[:MOST_LIMITS]
    return Criteria(tuple(limits), Change(way, tuple(by)) if way else None, attainment)


def _way(key: str) -> Way | None:
    if _BOTH.search(key):
        return None
    if _FLAT.search(key):
        return "flat"
    up, down = _UP.search(key), _DOWN.search(key)
    if bool(up) == bool(down):
        return None
    return "up" if up else "down"


def _multiples(key: str) -> list[Condition]:
    """「2倍以上に」「倍増」「半分以下に」「半減」: the later figure as a multiple of the earlier one."""
    found = []
    for hit in _TIMES.finditer(key):
        number = _NUMBERS.get(hit["n"], 0.0) if hit["n"] and not hit["n"][0].isdigit() else float(hit["n"] or 2)
        found.append(Condition("<=" if hit["op"] in ("未満", "以下") else ">=", number, "倍"))
    for hit in _HALF.finditer(key):
        found.append(Condition(">=" if hit["op"] == "以上" else "<=", 0.5, "倍"))
    return found


def _limit(key: str, named: Sequence[tuple[AskedField, int, int]], placed: Placed, begin: int) -> Limit | None:
    """The limit with the field that stands nearest before it (else after it) and can have its unit."""
    wanted = "amount" if placed.condition.unit == "円" else "number"
    found = [hit for hit in named if hit[0].type == "amount" or not hit[0].kind]
    if placed.condition.value == 0 and not placed.condition.unit:  # 「事業経費が0」: nothing needs no unit
        nearest = [hit for hit in found if hit[0].type in ("amount", "number") and hit[2] <= placed.start]
        wanted = nearest[-1][0].type if nearest else wanted
    fields = [hit for hit in found if hit[0].type == wanted]
    ahead = [hit for hit in fields if hit[2] <= placed.start]
    if ahead:
        last = ahead[-1]
        # 総事業費の令和6年度決算: the words of one clause belong together
        beside = tuple(hit[0] for hit in ahead if hit is last or (hit[1] >= begin and last[1] - hit[2] <= 8))
        return Limit(placed.condition, beside)
    if fields and wanted == "amount":
        return Limit(placed.condition, (fields[0][0],))
    if wanted == "amount":
        return Limit(placed.condition, ())
    called = _NAMED.search(key[: placed.start].replace("\0", ""))
    return Limit(placed.condition, (), called[1]) if called else None
