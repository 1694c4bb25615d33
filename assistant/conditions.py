"""Conditions a question puts on the sheets it wants: grades, figures over or under a limit, how many of them at most."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Operator = Literal["=", "!=", ">", ">=", "<", "<="]
Order = Literal["", "asc", "desc"]

_GRADE = re.compile(
    r"(?<![a-z0-9])([sabcde])(?:評価|ランク|判定|(?:が|を)?(?:付い|つい|付け|つけ)[たてら])"
    r"|(?:評価|判定|ランク)(?:結果)?[がはもの「:]{0,2}([sabcde])(?![a-z0-9])"
)
_DIGITS = {char: number for number, char in enumerate("〇一二三四五六七八九")}
_TENS = {"十": 10.0, "百": 100.0, "千": 1000.0}
_SCALES = {"億": 1e8, "万": 1e4}
# 1億5千万, 1,500, 2.5億, 百五十万; 千円 and 百万円 are units, so 500千円 is 500 of them.
# Nothing is given back and nothing is endless: a question of 2,000 digits is read as fast as any other.
_NUMBER = (
    r"(?:\d[\d,]{0,24}+(?:\.\d{1,12}+)?+|[一二三四五六七八九十百千])"
    r"(?:[\d,一二三四五六七八九十百千万億]{0,24}[\d一二三四五六七八九十百千万億])?"
)
_UNIT = r"(?:千円|百万円|万円|億円|円|%|パーセント|割|人|名|件|台|回|本|枚|世帯|箇所|か所|時間)"
_OPS: tuple[tuple[str, Operator], ...] = (
    (r"以上|に達し|よりも?多くない", ">="),
    (r"以下|以内|まで(?!の間)", "<="),
    (
        r"未満|を?下回|より(?:も)?(?:少な|低|小さ|安)|に?満たな|に届か|に届いて(?:い)?な|を?切(?:っ|る)|を?割(?:っ|り|れ|る)|に足りな",
        "<",
    ),
    (r"超|を?(?:超え|越え)|を?上回|より(?:も)?(?:多|高|大き)|を?オーバー", ">"),
)
_SIGNS: dict[str, Operator] = {">=": ">=", "≧": ">=", "≥": ">=", "<=": "<=", "≦": "<=", "≤": "<=", ">": ">", "<": "<"}
_WORD = "|".join(f"(?P<op{i}>{words})" for i, (words, _) in enumerate(_OPS))
# A number that goes on as a year, a month, a duration or so many times is no limit.
_LIMIT = re.compile(rf"(?<![\d,.a-z第])(?P<number>{_NUMBER})(?P<unit>{_UNIT})?(?:{_WORD})")
_SIGNED = re.compile(rf"(?P<sign>>=|<=|[≧≥≦≤<>])(?P<number>{_NUMBER})(?P<unit>{_UNIT})?")
_RANGE = re.compile(
    rf"(?<![\d,.a-z第令平])(?P<low>{_NUMBER})(?P<lowunit>{_UNIT})?(?:~|-|から)(?P<high>{_NUMBER})(?P<unit>{_UNIT})?"
    r"(?P<over>未満)?(?![\d年月日度])"
)
# 「事業経費が0だった」「0円の事業」: nothing at all is a limit too.
_NOTHING = re.compile(
    r"(?<![\d,.])(?:0|ゼロ|零)(?P<unit>円|%|件|人|名|台|回|本|枚)?"
    r"(?=だった|である|となっ|になっ|の\)?(?:事務事業|事業|事務|システム|シート|課|もの))"
)
# 「0円は除く」「R2が0円のものは対象外」
_NOT_NOTHING = re.compile(
    r"(?<![\d,.])(?:0|ゼロ|零)(?P<unit>円|%|件|人|名|台|回|本|枚)?(?:の(?:もの|やつ|事業|事務|システム|シート))?"
    r"(?:は|を|も)?(?:除[いくき外]|のぞ[いくき]|対象外|対象に(?:しな|せず|含め?[なず])|数え(?:な|ず)|含め?(?:な|ず)|以外)"
)
# 「3千万円台」「90%台」: from there up to where the digit changes. 3千台 may be machines.
_LEVEL = re.compile(rf"(?<![\d,.a-z第])(?P<number>{_NUMBER})(?P<unit>千円|百万円|万円|億円|円|%|パーセント)台")
_UNIT_SCALES = {"千円": 1e3, "万円": 1e4, "百万円": 1e6, "億円": 1e8}
# 「まで」 ends stretches of time and of text too: only a sum of money or a share is a limit with it.
_SUMS = frozenset({"円", "%"})

_HOW_MANY = r"(?P<n>\d{1,3}|[一二三四五六七八九十])"
_COUNTERS = r"(?:つ|件|個|位|事業|システム|シート|課|社|本)?"
_LEAST = re.compile(r"(?:小さ|少な|安|低|悪|遅)[いか]|最小|最少|最低|最安|ワースト|下位|下から|小さ[なさ]")
_MOST = re.compile(
    r"(?:大き|多|高|でか|良|よ|早|新し|長)[いか]|最大|最多|最高|トップ|ベスト|上位|上から|お金がかか|金額順|(?<![a-z])top"
)
_RANKED = re.compile(
    r"(?:い|た|る|額|数|率|悪)順|トップ|ベスト|ワースト|上位|下位|(?<![a-z])top|[方ほ]うから|方から|[上下]から"
    r"|(?:大き|多|高|少な|小さ|安|低)い(?:システム|事業|シート|もの|課|の)|一番|いちばん|1番|最も|最(?:大|小|多|少|高|低)"
)
_LIMITED = (
    re.compile(rf"(?:ベスト|トップ|上位|下位|ワースト|top){_HOW_MANY}"),
    re.compile(rf"[上下][位か]?ら?{_HOW_MANY}{_COUNTERS}"),
    re.compile(rf"(?:順で?に?|[方う]から|の?うち|を|、){_HOW_MANY}(?:つ|件|個|位|事業|システム|シート|課|社)(?:まで)?"),
    re.compile(rf"{_HOW_MANY}(?:位まで|つ|件)(?:挙げ|教え|出し|見せ|$)"),
)
_SINGLE = re.compile(r"一番|いちばん|1番|最も|最(?:大|小|多|少|高|低)")


@dataclass(frozen=True, slots=True)
class Condition:
    """``value`` in 円 for money; ``unit`` as written."""

    op: Operator
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A condition and the stretch of the squeezed question that says it."""

    condition: Condition
    start: int
    end: int


def find_conditions(key: str) -> tuple[list[Condition], str]:
    """Limits on figures, and the grade asked for (upper case, empty when none), of a squeezed question.

    >>> find_conditions("決算額が1億円以上でb評価の事業")
    ([Condition(op='>=', value=100000000.0, unit='円')], 'B')
    >>> find_conditions("決算額が3千万円台の事業")[0]
    [Condition(op='>=', value=30000000.0, unit='円'), Condition(op='<', value=40000000.0, unit='円')]
    >>> find_conditions("事業経費が0だった事業")[0]
    [Condition(op='=', value=0.0, unit='')]
    >>> find_conditions("事業費が500万円から1千万円のもの")[0]
    [Condition(op='>=', value=5000000.0, unit='円'), Condition(op='<=', value=10000000.0, unit='円')]
    """
    grades = [(found[1] or found[2]).upper() for found in _GRADE.finditer(key)]
    return [placed.condition for placed in placed_conditions(key)], grades[-1] if grades else ""


def placed_conditions(key: str) -> list[Placed]:
    """The limits on figures of a squeezed question with where each stands, in that order."""
    conditions: list[Placed] = []
    taken: list[tuple[int, int]] = []
    for found in _RANGE.finditer(key):
        low, high = _range(found)
        if high is not None and low is not None:
            conditions += [Placed(low, *found.span()), Placed(high, *found.span())]
            taken.append(found.span())
    for found in _LEVEL.finditer(key):
        figure = _figure(found["number"], found["unit"])
        if figure is not None and figure[0] >= 1:
            value, unit = figure
            ends = Condition(">=", value, unit), Condition("<", value + _step(value), unit)
            conditions += [Placed(end, *found.span()) for end in ends]
            taken.append(found.span())
    for found in _NOT_NOTHING.finditer(key):
        conditions.append(Placed(Condition("!=", 0.0, found["unit"] or ""), *found.span()))
        taken.append(found.span())
    for found in _LIMIT.finditer(key):
        op = next(op for i, (_, op) in enumerate(_OPS) if found[f"op{i}"])
        figure = _figure(found["number"], found["unit"] or "")
        inside = any(a <= found.start() < b for a, b in taken)
        if figure is None or inside or (found[0].endswith("まで") and figure[1] not in _SUMS):
            continue
        conditions.append(Placed(Condition(op, *figure), *found.span()))
    for found in _SIGNED.finditer(key):
        figure = _figure(found["number"], found["unit"] or "")
        if figure is not None:
            conditions.append(Placed(Condition(_SIGNS[found["sign"]], *figure), *found.span()))
    conditions += [
        Placed(Condition("=", 0.0, found["unit"] or ""), *found.span())
        for found in _NOTHING.finditer(key)
        if not any(a <= found.start() < b for a, b in taken)
    ]
    return sorted(conditions, key=lambda placed: placed.start)


def _range(found: re.Match[str]) -> tuple[Condition | None, Condition | None]:
    """Both ends of 「1億~3億」 and 「90~100%」; None where the numbers are no sums of money and no shares."""
    high = _figure(found["high"], found["unit"] or "")
    unit = found["lowunit"] or (found["unit"] if not re.search(r"[千万億]", found["low"]) else "円") or ""
    low = _figure(found["low"], unit)
    if low is None or high is None or low[1] != high[1] or high[1] not in _SUMS or low[0] >= high[0]:
        return None, None
    return Condition(">=", *low), Condition("<" if found["over"] else "<=", *high)


def _step(value: float) -> float:
    """The place of the last digit that is no zero: 10,000,000 of 30,000,000."""
    step = 1.0
    while value % (step * 10) == 0:
        step *= 10
    return step


def _figure(number: str, unit: str) -> tuple[float, str] | None:
    """The value and its unit: 500千円 is (500000, 円), 8割 (80, %), a bare 1億 money; None for what is no number."""
    value = _value(number)
    if value is None:
        return None
    if unit in _UNIT_SCALES:
        return value * _UNIT_SCALES[unit], "円"
    if unit in ("パーセント", "割"):
        return value * (10 if unit == "割" else 1), "%"
    return value, unit or ("円" if re.search(r"[千万億]", number) else "")


def _value(number: str) -> float | None:
    """1億5千万, 一千万, 百五十, 2.5億 as a number."""
    total = part = ones = 0.0
    for piece in re.findall(r"\d[\d,]*(?:\.\d+)?|.", number):
        if piece in _DIGITS:
            ones = _DIGITS[piece]
        elif piece[0].isdigit():
            ones = float(piece.replace(",", ""))
        elif piece in _TENS:
            part, ones = part + (ones or 1) * _TENS[piece], 0.0
        elif piece in _SCALES:
            total, part, ones = total + ((part + ones) or 1) * _SCALES[piece], 0.0, 0.0
        else:
            return None
    return total + part + ones


def find_rank(key: str) -> tuple[int | None, Order]:
    """How many a squeezed question wants at most and from which end: 「大きい順に5件」 is (5, desc).

    A question for the largest or smallest wants one; None and an empty order where it ranks nothing.

    >>> find_rank("執行率ワースト3"), find_rank("決算額が一番大きい事業"), find_rank("決算額の推移")
    ((3, 'asc'), (1, 'desc'), (None, ''))
    """
    if not _RANKED.search(key):
        return None, ""
    least, most = _LEAST.search(key), _MOST.search(key)
    order: Order = "asc" if least and not (most and most.start() < least.start()) else "desc"
    for pattern in _LIMITED:
        found = pattern.search(key)
        if found is not None:
            number = _value(found["n"])
            return (int(number) if number else None), order
    return (1 if _SINGLE.search(key) else None), order


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
