"""How a date is written: the patterns of one expression, and the days it stands for."""

from __future__ import annotations

import re
from datetime import date

from corpus.days import ERAS, Period, calendar_year, day, fiscal_year, month, western_year

_S = r"\s*"
_NUM = r"(?:元|\d{1,2})"
_MONTH, _DAY = r"(?:1[0-2]|0?[1-9])", r"(?:3[01]|[12]\d|0?[1-9])"
# The same year said the other way: 「令和2(2020)年」「平成31(令和元)年度」「令和2年(2020年)4月」.
_GLOSS = r"(?:\s?\((?:明治|大正|昭和|平成|令和|[MTSHR])?\s?(?:元|\d{1,4})\s?年?\))?"
_YEAR = (
    # Lines break anywhere: 「令\n和3年\n度」.
    rf"(?:(?P<era>明{_S}治|大{_S}正|昭{_S}和|平{_S}成|令{_S}和){_S}(?P<eranum>{_NUM})(?!\d)"
    rf"|(?<![A-Za-z0-9])(?<!\d )(?P<letter>[MTSHRmtshr]){_S}?\.?(?P<letternum>元|\d{{1,2}})(?![0-9A-Za-z])"
    r"|(?:(?<![A-Za-z])(?P<before>FY)\s?)?(?<![\d,.])(?P<west>(?:18|19|20)\d{2})(?![\d,](?!\d{4}))"
    r"|(?<![\d,.])(?P<bare>\d{1,2}|元)(?=\s*年\s*度)"
    r"|(?P<rel>今年度|本年度|当年度|昨年度|前年度|去年度|一昨年度|来年度|次年度|翌年度|再来年度|今年|本年|昨年|去年|一昨年|来年|翌年))"
)
_TAIL = (
    rf"(?:{_GLOSS}{_S}(?P<fy>(?:会計)?年{_S}度|FY)(?:{_S}(?P<part>[上下]半?期|第?{_S}[1-4]{_S}四半期))?"
    rf"|{_GLOSS}{_S}年{_GLOSS}{_S}(?P<month>{_MONTH}){_S}月(?:{_S}(?P<day>{_DAY}){_S}日)?"
    # 「R5-7」 is rather a range than May of 令和5; 「2025-04」 and 「R5-7-1」 are dates.
    rf"|(?:[./]|(?<=\d{{4}})-|-(?={_MONTH}-))(?P<month2>{_MONTH})(?:[./-](?P<day2>{_DAY}))?(?![\d])"
    rf"|{_GLOSS}{_S}(?P<cy>年)(?!{_S}[度間目])"
    rf"|(?P<none>))"
)
ATOM = re.compile(_YEAR + _TAIL)
BARE_MONTH = re.compile(
    rf"(?<![\d,.])(?P<month>{_MONTH})\s*月(?:\s*(?P<day>{_DAY})\s*日)?(?!\s*(?:間|額|次|例|平均|刊|号))"
)
# What may follow a year without its 年: 「令和6・7年度」, 「令和5~7年度」.
LISTED = re.compile(
    rf"(?P<rest>(?:\s?[・、,]\s?(?:元|\d{{1,4}})){{1,6}})\s?(?P<unit>年度|年(?!\s?(?:[度間目]|{_MONTH}\s?月)))"
)
NUMBER = re.compile(r"元|\d{1,4}")
JOIN = re.compile(r"\s*(?:~|-|から)\s*")
LAST = re.compile(rf"(?P<num>元|\d{{1,4}}){_GLOSS}\s?(?P<unit>年度|年(?!\s?(?:[度間目]|{_MONTH}\s?月)))")
LAST_BARE = re.compile(r"(?P<num>元|\d{1,2})(?=\s*(?:$|[)\],。、・]))")
LAST_DATE = re.compile(rf"(?P<num>元|\d{{1,2}})\s?年\s?(?P<month>{_MONTH})\s?月(?:\s?(?P<day>{_DAY})\s?日)?")
LAST_DAY = re.compile(rf"(?P<day>{_DAY})\s?日(?!間)")
WEST = re.compile(r"\s*[-~]\s*((?:19|20)\d\d)(?![\d])(?:\s?年度)?")
_RELATIVE = {
    "今年度": 0, "本年度": 0, "当年度": 0, "昨年度": -1, "前年度": -1, "去年度": -1, "一昨年度": -2, "来年度": 1,
    "次年度": 1, "翌年度": 1, "再来年度": 2, "今年": 0, "本年": 0, "昨年": -1, "去年": -1, "一昨年": -2, "来年": 1,
    "翌年": 1,
}  # fmt: skip


def era_year(number: str) -> int:
    """The number of an era year as printed; 元 is the first."""
    return 1 if number == "元" else int(number)


def atom_year(found: re.Match[str], context: int | None) -> tuple[int, bool] | None:
    """The western year of a matched expression and whether it was printed in full, or None when it cannot be told."""
    if found["era"] or found["letter"]:
        year = western_year(
            "".join((found["era"] or found["letter"]).split()), era_year(found["eranum"] or found["letternum"])
        )
        return (year, True) if year is not None else None
    if found["west"]:
        return int(found["west"]), True
    if context is None:
        return None
    if found["rel"]:
        return context + _RELATIVE[found["rel"]], False
    # 「30年度」: the era whose reading lies nearest to the year the sheet reports on.
    number = era_year(found["bare"])
    return min((ERAS[era] + number for era in ("昭和", "平成", "令和")), key=lambda year: abs(year - context)), False


def atom_period(found: re.Match[str], year: int) -> Period | None:
    """The days of a matched expression whose western year is known; None for a fragment (「令和7」) and for 2月30日."""
    label = found.group().strip()
    if found["rel"] and found["rel"].endswith("年度"):
        return fiscal_year(year, label)
    if found["fy"] or found["before"]:
        return _part_of_year(year, found["part"], label) if found["part"] else fiscal_year(year, label)
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


def _part_of_year(year: int, part: str, label: str) -> Period:
    """上半期, 下半期 or 第2四半期 of a fiscal year; the fourth quarter lies in the next calendar year."""
    quarter = re.search(r"\d", part)
    first = int(quarter.group()) - 1 if quarter is not None else 0 if part[0] == "上" else 2
    last = first + (1 if quarter is not None else 2)
    starts = [date(year, 4, 1), date(year, 7, 1), date(year, 10, 1), date(year + 1, 1, 1), date(year + 1, 4, 1)]
    return Period(starts[first], starts[last], label, "range")


def bare_month(bare: re.Match[str], last_year: int | None, in_fiscal_year: bool) -> Period | None:
    """A month after a dated one belongs to the same year; after a fiscal year, to that one (2月 to its last part)."""
    if last_year is None:
        return None
    number = int(bare["month"])
    year = last_year + 1 if in_fiscal_year and number < 4 else last_year
    try:
        return day(year, number, int(bare["day"])) if bare["day"] else month(year, number)
    except ValueError:
        return None
