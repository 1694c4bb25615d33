"""For when a question asks: dates as written, years counted from the corpus (3年前, 直近), and stretches with one end.

What sheets print is read by ``corpus.periods``; here stands what only people who ask say. The day a question counts
from is the fiscal year after the latest one the sheets report on: 去年度 is the year they report on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from assistant.types import ReadingChoice
from corpus.normalize import squeeze
from corpus.periods import FoundPeriod, Period, calendar_year, find_periods, fiscal_year, western_year

Open = Literal["", "after", "before"]

_BARE_YEAR = re.compile(r"(?<![\d,.])(?<![A-Za-z])(?<![A-Za-z] )(20[0-4]\d)(?![\d,年/.-])")
# 「令和5の決算」「令5」「平30」: an era with its number and nothing behind it that would make it a date.
_BARE_ERA = re.compile(r"(?P<era>令和?|平成?)\s?(?P<number>元|\d{1,2})(?![\d年月/.]|\s?年)")
_NUMBERS = {word: number for number, word in enumerate("一二三四五六七八九十", 1)}
_AGO = re.compile(
    r"(?<![\d一二三四五六七八九十])(?P<n>\d{1,2}|[一二三四五六七八九十])\s?年(?P<fy>度)?(?P<way>前|後)(?P<fy2>の?年度)?(?!半|期|回|から続|以)"
)
_YEARS = (
    (re.compile(r"前々年度|前前年度|一昨々?年度|おととし度?"), -2),
    (re.compile(r"翌々年度|来々年度|再来年度?|さ来年度?"), 2),
)
_LATEST = re.compile(
    r"(?:直近|最新|(?:一番|いちばん)新しい)の?年度|直近(?=[のではを、,]|$)"
    r"|最新の(?=実績|数|値|評価|決算|予算|達成|事業費|人件費|執行|金額)"
)
_LAST_YEARS = re.compile(
    r"(?:直近|過去|ここ|この|最近)の?\s?(?P<n>\d{1,2}|[二三四五六七八九十])\s?(?:か年|カ年|ヶ年|年度?)(?:間|分)?(?![前後目生])"
)
_AFTER = re.compile(
    r"\s?(?:(?P<past>より(?:も)?(?:後|あと)|の(?:後|あと)に|を過ぎて)|以降|以後|から(?:後|あと|先|ずっと|今|現在|これまで|こんにち|の(?:推移|動き|変化|合計|累計|増減|流れ)))"
)
_BEFORE = re.compile(r"\s?(?:(?P<past>より(?:も)?前|の前に|を迎える前)|以前|まで(?!の間の|し)|より以前|中?まで)")
# 「令和6年度の決算額が前年度より…」 asks for one year: the year before is only what it is held against.
_PRIOR = re.compile(r"前の?年度?|昨年度?|去年度?")
_AGAINST = re.compile(
    r"\s?(?:の\S{1,6})?(?:より|に比べ|と(?:比べ|同じ|同額|変わ)|比(?!率)|に対し|対比|から\S{0,9}?[増減伸]|を[上下]回|の(?:[\d.]+|[二三四五])?(?:倍|半分|割))"
)
# 「昭和のうちに」「平成に始まった」: an era as a whole.
_ERA = re.compile(r"(?P<era>昭和|平成)(?:の(?:うち|間|頃|ころ|時代)|時代|年間|(?=に(?:始|開|でき|作|つく)))")
_ERA_DAYS = {"昭和": (date(1926, 12, 25), date(1989, 1, 8)), "平成": (date(1989, 1, 8), date(2019, 5, 1))}
_SINCE, _UNTIL = date(1950, 4, 1), date(2100, 4, 1)


@dataclass(frozen=True, slots=True)
class AskedPeriod:
    """A period of the question; ``readings`` are the senses tried (令和7年 may stand for the fiscal year too).

    ``open`` says that one end was left open: 「令和5年度以降」 is ``after``, 「令和8年度まで」 ``before``. ``senses`` are
    the calendar and the fiscal sense where the words allow both, and nothing where they say which (令和7年度).
    """

    period: Period
    readings: tuple[Period, ...]
    open: Open = ""
    senses: tuple[Period, ...] = ()

    @property
    def year(self) -> int | None:
        """The fiscal year asked for, where it is one; the last year of a range with both ends."""
        if self.open:
            return None
        if self.period.kind == "fiscal_year":
            return self.period.fiscal_year
        if self.period.kind == "range":
            return last_fiscal_year(self.period)
        return self.period.start.year if self.period.kind == "calendar_year" else None

    def read_as(self, choice: ReadingChoice | None) -> AskedPeriod:
        """The same with its years counted as chosen; unchanged where the words leave no choice.

        >>> find_asked("2025年の更改", 2024)[0][0].read_as("fiscal").period.label
        '令和7年度'
        """
        if choice is None or not self.senses:
            return self
        calendar, fiscal = self.senses
        if choice == "both":
            return replace(self, readings=(calendar, fiscal))
        one = calendar if choice == "calendar" else fiscal
        return replace(self, period=one, readings=(one,))


def last_fiscal_year(period: Period) -> int:
    """The fiscal year that a range of days ends in."""
    return period.end.year - (1 if period.end.month >= 4 else 2)


def find_asked(
    text: str, latest_year: int | None, reported: int | None = None
) -> tuple[tuple[AskedPeriod, ...], tuple[tuple[int, int], ...]]:
    """The periods a normalised question asks for, and where they stand in the squeezed question.

    ``latest_year`` is the latest fiscal year the sheets report on; None leaves relative years out. ``reported`` is the
    one of the sheets named, from which 直近 counts.

    >>> [(p.period.label, p.open) for p in find_asked("令和5年度以降の推移", 2024)[0]]
    [('令和5年度以降', 'after')]
    """
    context = latest_year + 1 if latest_year else None
    found = list(find_periods(text, context))
    for extra in _said(text, latest_year, reported or latest_year):
        inside = [f for f in found if f.start < extra.end and extra.start < f.end]
        if not inside or all(extra.start <= f.start and f.end <= extra.end for f in inside):
            found = [f for f in found if f not in inside] + [extra]
    found.sort(key=lambda f: f.start)
    bare = not found
    if bare:
        found = [FoundPeriod(fiscal_year(int(m[1])), m.start(), m.end()) for m in _BARE_YEAR.finditer(text)]
    asked, spans = [], []
    for hit in found:
        period, end = _opened(text, hit)
        spans.append((len(squeeze(text[: hit.start])), len(squeeze(text[: end[0]]))))
        if _PRIOR.fullmatch(text[hit.start : hit.end].strip()) and _AGAINST.match(text, hit.end):
            continue
        calendar = calendar_year(period.start.year) if bare and not end[1] else period
        senses = () if (other := _as_fiscal(calendar, end[1])) is None else (calendar, other)
        readings = senses if period.kind == "calendar_year" else (period,)
        asked.append(AskedPeriod(period, readings, end[1], senses))
    return tuple(dict.fromkeys(asked)), tuple(spans)


def _as_fiscal(period: Period, is_open: Open) -> Period | None:
    """The fiscal years of the same numbers; None for what is no stretch of whole calendar years (令和7年度, 5月)."""
    first, last = period.start.year, period.end.year - 1
    if period.kind == "calendar_year":
        return fiscal_year(first)
    begins = is_open == "before" or (period.start.month, period.start.day) == (1, 1)
    ends = is_open == "after" or (period.end.month, period.end.day) == (1, 1)
    if period.kind != "range" or not begins or not ends:
        return None
    if is_open == "after":
        return replace(period, start=date(first, 4, 1), label=f"{first}年度以降")
    if is_open == "before":
        return replace(period, end=date(last + 1, 4, 1), label=f"{last}年度まで")
    return Period(date(first, 4, 1), date(last + 1, 4, 1), f"{first}年度〜{last}年度", "range")


def _said(text: str, latest_year: int | None, reported: int | None) -> list[FoundPeriod]:
    """Years as people say them and sheets do not print them."""
    found = []
    for m in _BARE_ERA.finditer(text):
        year = western_year({"令": "令和", "平": "平成"}[m["era"][0]], 1 if m["number"] == "元" else int(m["number"]))
        if year is not None:
            found.append(FoundPeriod(fiscal_year(year), m.start(), m.end()))
    for m in _ERA.finditer(text):
        start, end = _ERA_DAYS[m["era"]]
        found.append(FoundPeriod(Period(start, end, m["era"], "range"), m.start(), m.end()))
    if latest_year is None or reported is None:
        return found
    now = latest_year + 1
    for pattern, offset in _YEARS:
        for m in pattern.finditer(text):
            of_year = fiscal_year if m[0].endswith("度") else calendar_year
            found.append(FoundPeriod(of_year(now + offset), m.start(), m.end(), False))
    for m in _AGO.finditer(text):
        of_year = fiscal_year if m["fy"] or m["fy2"] else calendar_year
        years = _number(m["n"]) * (-1 if m["way"] == "前" else 1)
        found.append(FoundPeriod(of_year(now + years), m.start(), m.end(), False))
    for m in _LAST_YEARS.finditer(text):
        first = fiscal_year(reported - _number(m["n"]) + 1)
        period = Period(first.start, fiscal_year(reported).end, m[0].strip(), "range")
        found.append(FoundPeriod(period, m.start(), m.end(), False))
    found.extend(FoundPeriod(fiscal_year(reported), m.start(), m.end(), False) for m in _LATEST.finditer(text))
    return found


def _number(text: str) -> int:
    return _NUMBERS[text] if text in _NUMBERS else int(text)


def _opened(text: str, hit: FoundPeriod) -> tuple[Period, tuple[int, Open]]:
    """The period with the end that 以降 or まで leaves open, where the words end, and which end that is."""
    period = hit.period
    after, before = _AFTER.match(text, hit.end), _BEFORE.match(text, hit.end)
    # 「令和3年度から5年度まで」 has both ends already.
    found = after or (before if period.kind != "range" else None)
    if found is None:
        return period, (hit.end, "")
    word = squeeze(text[hit.start : found.end()])
    if after is not None:
        first = period.end if after["past"] else period.start
        return replace(period, start=first, end=_UNTIL, label=word, kind="range"), (found.end(), "after")
    last = period.start if found["past"] else period.end
    return replace(period, start=_SINCE, end=last, label=word, kind="range"), (found.end(), "before")


def periods_of(text: str, latest_year: int | None) -> tuple[AskedPeriod, ...]:
    """The periods of a part of a question."""
    return find_asked(text, latest_year)[0]


def reporting_year(years: Sequence[int | None]) -> int | None:
    """The latest year that any of the sheets reports on."""
    return max((year for year in years if year), default=None)
