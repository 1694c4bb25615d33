"""Japanese date expressions as half-open intervals of days."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from corpus.dateforms import (
    ATOM,
    BARE_MONTH,
    JOIN,
    LAST,
    LAST_BARE,
    LAST_DATE,
    LAST_DAY,
    LISTED,
    NUMBER,
    WEST,
    atom_period,
    atom_year,
    bare_month,
    era_year,
)
from corpus.days import (
    ERAS,
    Period,
    PeriodKind,
    calendar_year,
    day,
    era_name,
    fiscal_year,
    month,
    western_year,
)
from corpus.normalize import normalize

__all__ = [
    "ERAS", "FoundPeriod", "Period", "PeriodKind", "calendar_year", "day", "era_name", "find_periods", "fiscal_year",
    "month", "western_year",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class FoundPeriod:
    """A period with the characters it was read from; ``explicit`` is False when the year came from the context."""

    period: Period
    start: int
    end: int
    explicit: bool = True


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
    # Each search goes on from where its own last match stood: a text of years alone is not searched for months again
    # and again.
    atom, bare = ATOM.search(norm.text), BARE_MONTH.search(norm.text)
    while True:
        if atom is not None and atom.start() < at:
            atom = ATOM.search(norm.text, at)
        if bare is not None and bare.start() < at:
            bare = BARE_MONTH.search(norm.text, at)
        if atom is not None and (bare is None or atom.start() <= bare.start()):
            read = atom_year(atom, context)
            if read is None:
                at = max(atom.end(), at + 1)
                continue
            listed = _listed(norm.text, atom, read[0])
            if listed:
                for period, start, end in listed:
                    one = _found(norm.raw, period, start, end, read[1], text)
                    # 「令和6」 and 「7年度」 alone say too little: these two are called by their whole year.
                    found.append(replace(one, period=period))
                last_year, in_fiscal_year, at = listed[-1][0].start.year, listed[-1][0].kind == "fiscal_year", end
                continue
            own, end = atom_period(atom, read[0]), atom.end()
            if own is None:
                own, end = _open_range(norm.text, atom, read[0])
            if own is None:
                at = max(atom.end(), at + 1)
                continue
            period, end = _extend(norm.text, own, end, read[0], atom["letter"] is not None and not atom["fy"])
            found.append(_found(norm.raw, period, atom.start(), end, read[1], text))
            last_year, in_fiscal_year = read[0], period.kind == "fiscal_year"
            at = end
        elif bare is not None:
            month_read = bare_month(bare, last_year, in_fiscal_year)
            at = bare.end()
            if month_read is not None:
                period, at = _extend(norm.text, month_read, at, month_read.start.year, False)
                found.append(_found(norm.raw, period, bare.start(), at, False, text))
        else:
            return found


def _found(
    raw: Callable[[int, int], tuple[int, int]], period: Period, start: int, end: int, explicit: bool, text: str
) -> FoundPeriod:
    a, b = raw(start, end)
    label = re.sub(r"\s+", "", normalize(text[a:b]).text)
    return FoundPeriod(replace(period, label=label), a, b, explicit)


def _listed(text: str, atom: re.Match[str], year: int) -> list[tuple[Period, int, int]]:
    """「令和6・7年度」: each of the years, with where it stands; empty where no such list begins here."""
    if atom["none"] is None or not (atom["era"] or atom["letter"] or atom["west"]):
        return []
    rest = LISTED.match(text, atom.end())
    if rest is None:
        return []
    of_year = fiscal_year if rest["unit"] == "年度" else calendar_year
    years = [(of_year(year), atom.start(), atom.end())]
    for number in NUMBER.finditer(text, rest.start("rest"), rest.end("rest")):
        later = _later_year(number.group(), years[-1][0].start.year, bool(atom["west"]))
        if later is None:
            return []
        years.append((of_year(later), number.start(), number.end()))
    period, start, _ = years[-1]
    return [*years[:-1], (period, start, rest.end())]


def _later_year(number: str, year: int, western: bool = False) -> int | None:
    """The year a shortened number after ``year`` means: 「令和5~7」 2025, 「平成30~2年度」 2020, 「2024・25年度」 2025."""
    if len(number) > 2:
        later = [int(number)]
    elif western:
        later = [year // 100 * 100 + int(number)] if len(number) == 2 and number.isdigit() else []
    else:
        later = [ERAS[era] + era_year(number) for era in ("昭和", "平成", "令和")]
    return min((candidate for candidate in later if 0 < candidate - year <= 30), default=None)


def _open_range(text: str, atom: re.Match[str], year: int) -> tuple[Period | None, int]:
    """「令和5~7年度」, and 「2019-2021」 in a plan's name (fiscal years): a year that only the second half makes one."""
    if atom["west"]:
        tail = WEST.match(text, atom.end("west"))
        if tail is not None and 0 < int(tail[1]) - year <= 30:
            return Period(date(year, 4, 1), date(int(tail[1]) + 1, 4, 1), "", "range"), tail.end()
    join = JOIN.match(text, atom.end())
    last = LAST.match(text, join.end()) if join is not None and (atom["era"] or atom["west"]) else None
    later = _later_year(last["num"], year, bool(atom["west"])) if last is not None else None
    if last is None or later is None:
        return None, atom.end()
    of_year = fiscal_year if last["unit"] == "年度" else calendar_year
    return Period(of_year(year).start, of_year(later).end, "", "range"), last.end()


def _extend(text: str, period: Period, end: int, year: int, bare: bool) -> tuple[Period, int]:
    """「令和元年度~令和3年度」「平成28年度から30年度」「7月~10月」: a second half makes it a range.

    ``bare`` is true for a letter without its 年度: 「R5~7」 is a range where nothing else follows the number.
    """
    join = JOIN.match(text, end)
    if join is None:
        return period, end
    at = join.end()
    atom = ATOM.match(text, at)
    if atom is not None:
        read = atom_year(atom, year)
        second = atom_period(atom, read[0]) if read else None
        if second is not None and second.end > period.start and second.start >= period.start:
            start = period.start
            if period.kind == "calendar_year" and second.kind == "fiscal_year":
                start = date(start.year, 4, 1)  # 「令和元年~3年度」: the second half says that fiscal years are meant
            return Period(start, second.end, "", "range"), atom.end()
    if period.kind in ("fiscal_year", "calendar_year"):
        last = LAST.match(text, at) or (LAST_BARE.match(text, at) if bare and "~" in join.group() else None)
        later = _later_year(last["num"], year) if last is not None else None
        if last is None or later is None:
            return period, end
        in_fiscal = last.groupdict().get("unit", "年度") == "年度"
        start = date(period.start.year, 4, 1) if in_fiscal else period.start
        return Period(start, (fiscal_year if in_fiscal else calendar_year)(later).end, "", "range"), last.end()
    if period.kind in ("month", "day"):
        ended = _second_date(text, at, period, year)
        if ended is not None:
            return Period(period.start, ended[0], "", "range"), ended[1]
    return period, end


def _second_date(text: str, at: int, period: Period, year: int) -> tuple[date, int] | None:
    """The end of 「4月1日~6年3月31日」「7月~10月」「4月1日~30日」 whose first half is ``period``."""
    dated, bare, dom = LAST_DATE.match(text, at), BARE_MONTH.match(text, at), LAST_DAY.match(text, at)
    try:
        if dated is not None:
            years = [ERAS[era] + era_year(dated["num"]) for era in ("昭和", "平成", "令和")]
            later = min((candidate for candidate in years if 0 <= candidate - year <= 30), default=None)
            number, last, end = int(dated["month"]), dated["day"], dated.end()
        elif bare is not None:
            number, last, end = int(bare["month"]), bare["day"], bare.end()
            later = period.start.year + (1 if number < period.start.month else 0)
        elif dom is not None and period.kind == "day":
            later, number, last, end = period.start.year, period.start.month, dom["day"], dom.end()
        else:
            return None
        if later is None:
            return None
        second = day(later, number, int(last)) if last else month(later, number)
    except ValueError:  # 2月30日
        return None
    return (second.end, end) if second.start >= period.start else None
