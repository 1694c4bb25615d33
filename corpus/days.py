"""Stretches of days and the years of the eras.

Era years follow the Cabinet's tables: 明治1 = 1868, 大正1 = 1912, 昭和1 = 1926, 平成1 = 1989, 令和1 = 2019. A fiscal year
(年度) runs from 1 April to 31 March (地方自治法 第208条). Sheets write years past the end of an era (H32年度 is 2020),
so the era's arithmetic simply goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

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


def western_year(era: str, number: int) -> int | None:
    """``western_year("令和", 7)`` is 2025; a number past its era falls back to the era before (平成58 -> 昭和58).

    None where neither era had so many years (令和99).
    """
    names = list(ERAS)
    era = _LETTERS.get(era.upper(), era)
    if number > _LAST_YEAR[era] and names.index(era) > 0:
        era = names[names.index(era) - 1]
    return ERAS[era] + number if 0 < number <= _LAST_YEAR[era] else None
