"""Japanese date expressions as half-open intervals of days.

Era years follow the Cabinet's tables: 明治1 = 1868, 大正1 = 1912, 昭和1 = 1926, 平成1 = 1989, 令和1 = 2019. A fiscal year
(年度) runs from 1 April to 31 March (地方自治法 第208条). Sheets write years past the end of an era (H32年度 is 2020),
so the era's arithmetic simply goes on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from corpus.normalize import normalize

PeriodKind = Literal["fiscal_year", "calendar_year", "month", "day", "range"]

# The year before the first of each era, so that offset + n is the western year; and the last year worth believing.
ERAS = {"明治": 1867, "大正": 1911, "昭和": 1925, "平成": 1988, "令和": 2018}
_LETTERS = {"M": "明治", "T": "大正", "S": "昭和", "H": "平成", "R": "令和"}
# A form that prints 「昭和 平成 58年度」 with a lost check mark: 平成58 cannot be, so the era before it is meant.
_LAST_YEAR = {"明治": 45, "大正": 15, "昭和": 64, "平成": 50, "令和": 60}


@dataclass(frozen=True, slots=True)
class Period:
    """Days ``start`` (included) to ``end`` (excluded) with the way they were written.

    令和7年度 is 2025-04-01..2026-04-01, 2025年 is 2025-01-01..2026-01-01, 令和7年1月 is 2025-01-01..2025-02-01.
    """

    start: date
    end: date
    label: str
    kind: PeriodKind

    def overlaps(self, other: Period) -> bool:
        """Whether the two share at least one day."""
        return self.start < other.end and other.start < self.end

    def covers(self, other: Period) -> bool:
        """Whether every day of ``other`` lies in this period."""
        return self.start <= other.start and other.end <= self.end

    @property
    def fiscal_year(self) -> int:
        """The fiscal year (April to March) that holds the first day: 2025-01-01 -> 2024."""
        return self.start.year if self.start.month >= 4 else self.start.year - 1


@dataclass(frozen=True, slots=True)
class FoundPeriod:
    """A period with the characters it was read from; ``explicit`` is False when the year came from the context."""

    period: Period
    start: int
    end: int
    explicit: bool = True


def fiscal_year(year: int, label: str = "") -> Period:
    """The fiscal year that begins on 1 April of ``year``: ``fiscal_year(2025)`` is 令和7年度."""
    return Period(date(year, 4, 1), date(year + 1, 4, 1), label or f"{era_name(year)}年度", "fiscal_year")


def calendar_year(year: int, label: str = "") -> Period:
    """January to December of ``year``."""
    return Period(date(year, 1, 1), date(year + 1, 1, 1), label or f"{year}年", "calendar_year")


def month(year: int, number: int, label: str = "") -> Period:
    """One month."""
    end = date(year + 1, 1, 1) if number == 12 else date(year, number + 1, 1)
    return Period(date(year, number, 1), end, label or f"{year}年{number}月", "month")


def day(year: int, number: int, dom: int, label: str = "") -> Period:
    """One day; raises ValueError for 2月30日."""
    start = date(year, number, dom)
    return Period(start, start + timedelta(days=1), label or f"{year}年{number}月{dom}日", "day")


def era_name(year: int) -> str:
    """The era year whose fiscal year begins in ``year``: 2025 -> 令和7, 2019 -> 令和元, 2018 -> 平成30."""
    for era, before in reversed(ERAS.items()):
        # 令和 began on 1 May 2019; administrations call the whole fiscal year 令和元年度.
        if year > before:
            number = year - before
            return f"{era}{'元' if number == 1 else number}"
    return str(year)


def western_year(era: str, number: int) -> int:
    """``western_year("令和", 7)`` is 2025; a number past its era falls back to the era before (平成58 -> 昭和58)."""
    names = list(ERAS)
    era = _LETTERS.get(era.upper(), era)
    if number > _LAST_YEAR[era] and names.index(era) > 0:
        era = names[names.index(era) - 1]
    return ERAS[era] + number


_S = r"\s*"
_NUM = r"(?:元|\d{1,2})"
_YEAR = (
    rf"(?:(?P<era>明治|大正|昭和|平成|令和){_S}(?P<eranum>{_NUM})"
    rf"|(?<![A-Za-z0-9])(?<!\d )(?P<letter>[MTSHRmtshr]){_S}?\.?(?P<letternum>元|\d{{1,2}})(?![0-9A-Za-z])"
    r"|(?<![\d,.])(?P<west>(?:18|19|20)\d{2})(?![\d,])"
    r"|(?<![\d,.])(?P<bare>\d{1,2}|元)(?=\s*年度)"
    r"|(?P<rel>今年度|本年度|当年度|昨年度|前年度|去年度|一昨年度|来年度|次年度|翌年度|再来年度|今年|本年|昨年|去年|一昨年|来年|翌年))"
)
_TAIL = (
    rf"(?:{_S}(?P<fy>年度|会計年度|FY)(?:{_S}(?P<half>上半期|下半期))?"
    rf"|{_S}年{_S}(?P<month>1[0-2]|0?[1-9]){_S}月(?:{_S}(?P<day>3[01]|[12]\d|0?[1-9]){_S}日)?"
    rf"|[./-](?P<month2>1[0-2]|0?[1-9])(?:[./-](?P<day2>3[01]|[12]\d|0?[1-9]))?(?![\d])"
    rf"|{_S}(?P<cy>年)(?!{_S}[度間目])"
    rf"|(?P<none>))"
)
_ATOM = re.compile(_YEAR + _TAIL)
_BARE_MONTH = re.compile(
    r"(?<![\d,.])(?P<month>1[0-2]|0?[1-9])\s*月"
    r"(?:\s*(?P<day>3[01]|[12]\d|0?[1-9])\s*日)?(?!\s*(?:間|額|次|例|平均|刊|号))"
)
_RELATIVE = {
    "今年度": 0, "本年度": 0, "当年度": 0, "昨年度": -1, "前年度": -1, "去年度": -1, "一昨年度": -2, "来年度": 1,
    "次年度": 1, "翌年度": 1, "再来年度": 2, "今年": 0, "本年": 0, "昨年": -1, "去年": -1, "一昨年": -2, "来年": 1,
    "翌年": 1,
}  # fmt: skip


def _era_year(number: str) -> int:
    return 1 if number == "元" else int(number)


def _atom_year(found: re.Match[str], context: int | None) -> tuple[int, bool] | None:
    """The western year of a matched expression and whether it was printed in full, or None when it cannot be told."""
    if found["era"]:
        return western_year(found["era"], _era_year(found["eranum"])), True
    if found["letter"]:
        return western_year(found["letter"], _era_year(found["letternum"])), True
    if found["west"]:
        return int(found["west"]), True
    if context is None:
        return None
    if found["rel"]:
        return context + _RELATIVE[found["rel"]], False
    # 「30年度」: the era whose reading lies nearest to the year the sheet reports on.
    number = _era_year(found["bare"])
    return min((ERAS[era] + number for era in ("昭和", "平成", "令和")), key=lambda year: abs(year - context)), False


def _atom_period(found: re.Match[str], year: int) -> Period | None:
    label = found.group().strip()
    if found["rel"] and found["rel"].endswith("年度"):
        return fiscal_year(year, label)
    if found["fy"]:
        if found["half"]:
            start = date(year, 4, 1) if found["half"] == "上半期" else date(year, 10, 1)
            end = date(year, 10, 1) if found["half"] == "上半期" else date(year + 1, 4, 1)
            return Period(start, end, label, "range")
        return fiscal_year(year, label)
    number, dom = found["month"] or found["month2"], found["day"] or found["day2"]
    if number:
        try:
            return day(year, int(number), int(dom), label) if dom else month(year, int(number), label)
        except ValueError:  # 2月30日
            return None
    if found["cy"] or (found["rel"] and found["rel"].endswith("年")):
        return calendar_year(year, label)
    if found["era"]:
        return None  # 「令和7」 without 年 is a fragment of something else
    if found["letter"]:
        return fiscal_year(year, label)  # R7, H29 stand for fiscal years in sheets and in staff's questions
    return None  # a western number alone may be anything: 2019-2021 is caught as a range


def find_periods(text: str, context: int | None = None) -> list[FoundPeriod]:
    """Every date expression in ``text``, in order, with raw offsets.

    ``context`` is the fiscal year in which the text was written: it gives 前年度, 来年度, a bare 30年度 and a month after
    a year their year. Without it those are left out.

    >>> [f.period.label for f in find_periods("次期更改は令和７年１月を予定(令和6年度)")]
    ['令和7年1月', '令和6年度']
    >>> [str(f.period.start) for f in find_periods("平成28年度から30年度まで", context=2018)]
    ['2016-04-01']
    """
    norm = normalize(text)
    found: list[FoundPeriod] = []
    at = 0
    last_year: int | None = None
    in_fiscal_year = False
    while True:
        atom = _ATOM.search(norm.text, at)
        bare = _BARE_MONTH.search(norm.text, at)
        if atom is not None and (bare is None or atom.start() <= bare.start()):
            read = _atom_year(atom, context)
            period = _atom_period(atom, read[0]) if read else None
            end = atom.end()
            if read and period is None and atom["west"]:
                period, end = _western_range(norm.text, atom)
            if read is None or period is None:
                at = max(atom.end(), at + 1)
                continue
            period, end = _extend(norm.text, period, end, read[0])
            found.append(_found(norm.raw, period, atom.start(), end, read[1], text))
            last_year, in_fiscal_year = read[0], period.kind == "fiscal_year"
            at = end
        elif bare is not None:
            period = _bare_month(bare, last_year, in_fiscal_year)
            if period is not None:
                found.append(_found(norm.raw, period, bare.start(), bare.end(), False, text))
            at = bare.end()
        else:
            return found


def _found(
    raw: Callable[[int, int], tuple[int, int]], period: Period, start: int, end: int, explicit: bool, text: str
) -> FoundPeriod:
    a, b = raw(start, end)
    label = re.sub(r"\s+", "", normalize(text[a:b]).text)
    return FoundPeriod(replace(period, label=label), a, b, explicit)


def _bare_month(bare: re.Match[str], last_year: int | None, in_fiscal_year: bool) -> Period | None:
    """A month after a dated one belongs to the same year; after a fiscal year, to that one (2月 to its last part)."""
    if last_year is None:
        return None
    number = int(bare["month"])
    year = last_year + 1 if in_fiscal_year and number < 4 else last_year
    try:
        return day(year, number, int(bare["day"])) if bare["day"] else month(year, number)
    except ValueError:
        return None


def _western_range(text: str, atom: re.Match[str]) -> tuple[Period | None, int]:
    """「2019-2021」 in a plan's name: fiscal years 2019 to 2021."""
    tail = re.compile(r"\s*[-~]\s*((?:19|20)\d\d)(?![\d])").match(text, atom.end("west"))
    if tail is None or not 0 < int(tail[1]) - int(atom["west"]) <= 30:
        return None, atom.end()
    start, end = int(atom["west"]), int(tail[1])
    return Period(date(start, 4, 1), date(end + 1, 4, 1), text[atom.start() : tail.end()], "range"), tail.end()


def _extend(text: str, period: Period, end: int, year: int) -> tuple[Period, int]:
    """「令和元年度~令和3年度」「平成28年度から30年度」「7月~10月」: a second half makes it a range."""
    join = re.compile(r"\s*(?:~|-|から)\s*").match(text, end)
    if join is None:
        return period, end
    atom = _ATOM.match(text, join.end())
    if atom is not None:
        read = _atom_year(atom, year)
        second = _atom_period(atom, read[0]) if read else None
        if second is not None and second.end > period.start and second.start >= period.start:
            start = period.start
            if period.kind == "calendar_year" and second.kind == "fiscal_year":
                start = date(start.year, 4, 1)  # 「令和元年~3年度」: the second half says that fiscal years are meant
            return Period(start, second.end, text[: atom.end()], "range"), atom.end()
    short = re.compile(r"(?P<num>元|\d{1,2})\s*年(?P<fy>度)?").match(text, join.end())
    if short is not None and period.kind in ("fiscal_year", "calendar_year"):
        for era in ("令和", "平成", "昭和"):
            candidate = ERAS[era] + _era_year(short["num"])
            if 0 < candidate - year <= 30:
                second = fiscal_year(candidate) if short["fy"] else calendar_year(candidate)
                return Period(period.start, second.end, text[: short.end()], "range"), short.end()
    bare = _BARE_MONTH.match(text, join.end())
    if bare is not None and period.kind in ("month", "day"):
        number = int(bare["month"])
        second_year = period.start.year + (1 if number < period.start.month else 0)
        second = month(second_year, number)
        return Period(period.start, second.end, text[: bare.end()], "range"), bare.end()
    return period, end
