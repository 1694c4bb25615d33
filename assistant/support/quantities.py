"""Numbers and dates of a sentence, in whatever way they are spelt, as values that can be compared."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from corpus.amounts import UNITS, find_amounts
from corpus.periods import PeriodKind, find_periods
from index.tokens import clean

_DIGITS = dict(zip("〇一二三四五六七八九", range(10), strict=True))
_TIMES = {"十": 10, "百": 100, "千": 1_000}
_SCALES = {"万": 10**4, "億": 10**8, "兆": 10**12}
# 一部, 一方, 一般 count nothing.
_COUNTERS = "|".join(
    sorted(
        (re.escape(unit) for unit in {*UNITS, "割", "年間", "か年"} - {"部", "位", "分", "時"}), key=len, reverse=True
    )
)
_KANJI = re.compile(rf"(?<![\d第一-龥])[〇一二三四五六七八九十百千万億兆]{{1,40}}(?=\s?(?:{_COUNTERS})(?!化))")
_FORMAL = re.compile(
    rf"[壱弐参肆伍陸漆捌玖拾佰仟萬][〇一二三四五六七八九十百千万億壱弐参肆伍陸漆捌玖拾佰仟萬]{{0,40}}(?=\s?(?:{_COUNTERS}))"
)
_PLAINER = str.maketrans("壱弐参肆伍陸漆捌玖拾佰仟萬", "一二三四五六七八九十百千万")
_LONG_KANJI = re.compile(
    rf"[〇一二三四五六七八九][〇一二三四五六七八九十百千万億兆]{{1,40}}(?=\s?(?:{_COUNTERS}))|(?<![\d数何])[十百][一二三四五六七八九](?=\s?(?:{_COUNTERS}))"
)
_ERA_YEAR = re.compile(
    r"(?<=令和|平成|昭和|大正)[〇一二三四五六七八九十]+(?=年)|(?<=年|月)[一二三四五六七八九十]+(?=[月日])"
)
# 一部委託, 十分 and the like count nothing.
_NO_NUMBER = frozenset(
    "一部 一方 一般 一層 一定 一体 一括 一時 一貫 一元 一因 一つ 一環 十分 万全 千円 百万 百貨".split()
)
_UNIT_NAMES = {
    "名": "人", "箇所": "か所", "ヶ所": "か所", "カ所": "か所", "ヶ月": "か月", "カ月": "か月", "カ年": "か年", "ヶ年": "か年", "つ": "個", "年": "か年", "年間": "か年",
}  # fmt: skip
_A_YEAR = re.compile(r"(?<![\d.,か第])1年(?:間で|間に|間|に|で)(?=\D{0,3}\d)")  # 1年間で1,026件
_SHARE = re.compile(r"(?<![\d.,])(\d{1,3})分の(\d{1,3})(?![\d.,])")
_NEXT_WORD = re.compile(r"\s?([一-龥]|[ァ-ヴー]+|[A-Za-z]+)")
_COUNTED = re.compile(r"の([一-龥]{1,4}|[ァ-ヴー]+)")
_LATIN = re.compile(r"[A-Za-z]+")
_BOUND = re.compile(r"\s?(以上|以下|未満|以内|超|を超|より多|より少)")
_ABOUT = re.compile(r"(約|およそ|おおよそ|ほぼ)\s?$")
_MONTH = re.compile(r"(?<![\d,.])(1[0-2]|[1-9])月(?:([12]\d|3[01]|[1-9])日)?(?!\s?(?:間|額|分の))")
_COMPARED = re.compile(r"(?:の\S{0,6})?(?:より|比|に比べ|と比べ|から|並み|を[上下]回)")
_RELATIVE = re.compile(r"前年度?|昨年度?|去年度?|一昨年度?|今年度?|本年度?|当年度?|来年度?|次年度|翌年度?")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its unit (money in 円, 割 as %); ``bound`` is 以上, 以下 … behind it. ``start:end`` in the plain text."""

    value: float
    unit: str
    bound: str
    start: int
    end: int
    about: bool = False

    def same(self, other: Figure) -> bool:
        """Whether both say the same; 約 may be added to a number but not taken away."""
        if self.value == other.value == 0 and "" in (self.unit, other.unit):
            return self.bound == other.bound  # 待機児童ゼロ
        equal = abs(self.value - other.value) <= 1e-9 * max(1.0, abs(other.value))
        return equal and self.unit == other.unit and self.bound == other.bound and (self.about or not other.about)


@dataclass(frozen=True, slots=True)
class When:
    """A date expression. A month without a year has no ``start``; ``compared`` is the word of comparison behind it."""

    kind: PeriodKind
    start: date | None
    end: date | None
    month: tuple[int, int]
    compared: bool
    relative: bool
    inferred: bool
    at: tuple[int, int]

    def within(self, other: When) -> bool:
        """Whether this date of a sentence is what ``other`` of a passage says, or the year that holds it."""
        if self.inferred and self.month != (0, 0):
            return self.month == other.month
        if self.start is None or other.start is None or self.end is None or other.end is None:
            return self.month == other.month and self.month != (0, 0)
        if (self.start, self.end) == (other.start, other.end):
            return True
        return (
            self.kind in ("fiscal_year", "calendar_year", "month")
            and self.start <= other.start
            and other.end <= self.end
        )


@dataclass(frozen=True, slots=True)
class Quantities:
    """What a text says in numbers: ``figures``, ``dates``, and ``rest``, codes and digits that are neither."""

    figures: tuple[Figure, ...]
    dates: tuple[When, ...]
    rest: tuple[str, ...]


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """The text in one spelling: NFKC, numbers in digits (三百五十人 → 350人), マイナス as ▲, no line breaks inside words."""
    found = (
        clean(text).replace("マイナス", "▲").replace("パーセント", "%").replace("，", ",").replace("あたり", "当たり")
    )
    found = _A_YEAR.sub("年間", found.replace("前の年度", "前年度").replace("次の年度", "次年度"))
    found = _ERA_YEAR.sub(lambda m: str(_number(m.group())), found)
    found = _FORMAL.sub(lambda m: m.group().translate(_PLAINER), found)
    found = _LONG_KANJI.sub(lambda m: str(_number(m.group())), found)
    return _KANJI.sub(lambda m: str(_number(m.group())), found)


def _counter(noun: str) -> str:
    """講座 for 講座を…: the unit that a noun begins with, or its first character."""
    found = find_amounts(f"1{noun}")
    return found[0].unit or noun[:1] if found else ""


def _number(kanji: str) -> int:
    """三百五十 → 350, 二〇二五 → 2025, 一億二千万 → 120000000."""
    if not any(char in _TIMES or char in _SCALES for char in kanji):
        return int("".join(str(_DIGITS[char]) for char in kanji))
    total = block = digit = 0
    for char in kanji:
        if char in _DIGITS:
            digit = digit * 10 + _DIGITS[char]
        elif char in _TIMES:
            block, digit = block + (digit or 1) * _TIMES[char], 0
        else:
            total, block, digit = total + (block + digit or 1) * _SCALES[char], 0, 0
    return total + block + digit


@lru_cache(maxsize=8192)
def quantities(text: str, year: int | None) -> Quantities:
    """The numbers and dates of a plain text; ``year`` is the fiscal year it was written in (for 前年度, 9月)."""
    left = list(text)
    dates: list[When] = []
    for found in find_periods(text, year):
        period = found.period
        left[found.start : found.end] = "\0" * (found.end - found.start)
        words = text[found.start : found.end]
        dates.append(
            When(
                period.kind,
                period.start,
                period.end,
                (period.start.month, period.start.day if period.kind == "day" else 0)
                if period.kind in ("month", "day")
                else (0, 0),
                _COMPARED.match(text, found.end) is not None,
                _RELATIVE.fullmatch(words) is not None,
                not found.explicit,
                (found.start, found.end),
            )
        )
    for month in _MONTH.finditer("".join(left)):
        left[month.start() : month.end()] = "\0" * (month.end() - month.start())
        day = int(month[2]) if month[2] else 0
        dates.append(When("month", None, None, (int(month[1]), day), False, False, True, month.span()))
    for word in _RELATIVE.finditer("".join(left)):  # where the year of the sheet is not known
        dates.append(When("calendar_year", None, None, (0, 0), False, True, True, word.span()))
    figures: list[Figure] = []
    for share in _SHARE.finditer("".join(left)):  # 3分の2
        figures.append(Figure(int(share[2]) / max(1, int(share[1])), "分の", "", *share.span()))
        left[share.start() : share.end()] = "\0" * (share.end() - share.start())
    blanked = "".join(left)
    for amount in find_amounts(blanked):
        unit, end = amount.unit, amount.end
        if not unit and (follows := _NEXT_WORD.match(blanked, end)) is not None:
            unit = follows[1]  # 7合議体: the word goes on
        if unit.isascii() and unit.isalpha() and (letters := _LATIN.match(blanked, end - len(unit))) is not None:
            unit = letters.group()  # 500mm is no 500m
        if unit in ("", "つ") and (counted := _COUNTED.match(blanked, amount.end)) is not None:
            unit = _counter(counted[1])  # 6つの講座 is 6講座
        bound = _BOUND.match(blanked, end)
        bound = bound or _BOUND.match(blanked, end + len(unit))
        value, unit = (amount.value * 10, "%") if unit == "割" else (amount.value, _UNIT_NAMES.get(unit, unit))
        about = _ABOUT.search(blanked, 0, amount.start) is not None or blanked[amount.start] == "約"
        figures.append(Figure(value, unit, bound[1] if bound is not None else "", amount.start, end, about))
        left[amount.start : amount.end] = "\0" * (amount.end - amount.start)
    codes = re.findall(r"[0-9A-Za-z][0-9A-Za-z.,/&+-]*|[〇一二三四五六七八九十百千万億兆]+[^\0]", "".join(left))
    rest = [code for code in codes if code not in _NO_NUMBER]
    figures += [Figure(0.0, "", "", m.start(), m.end()) for m in re.finditer("ゼロ", blanked)]
    return Quantities(
        tuple(sorted(figures, key=lambda f: f.start)), tuple(sorted(dates, key=lambda d: d.at)), tuple(rest)
    )
