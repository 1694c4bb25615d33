import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import periods
from corpus.periods import ERAS, Period, calendar_year, day, era_name, find_periods, fiscal_year, month, western_year


def read(text: str, context: int | None = None) -> list[tuple[str, str]]:
    return [(str(f.period.start), str(f.period.end)) for f in find_periods(text, context)]


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("令和7年度", "2025-04-01", "2026-04-01"),
        ("Ｒ３年度", "2021-04-01", "2022-04-01"),
        ("R7", "2025-04-01", "2026-04-01"),
        ("H32年度", "2020-04-01", "2021-04-01"),
        ("令和元年度", "2019-04-01", "2020-04-01"),
        ("2025年", "2025-01-01", "2026-01-01"),
        ("令和７年１月", "2025-01-01", "2025-02-01"),
        ("令和 6 年\n12 月", "2024-12-01", "2025-01-01"),
        ("平成31年4月1日", "2019-04-01", "2019-04-02"),
        ("昭和58年 4月", "1983-04-01", "1983-05-01"),
        ("平成 58年度", "1983-04-01", "1984-04-01"),
        ("2019-2021", "2019-04-01", "2022-04-01"),
        ("令和元年～3年度", "2019-04-01", "2022-04-01"),
        ("平成29年7月～10月", "2017-07-01", "2017-11-01"),
        ("2024/3", "2024-03-01", "2024-04-01"),
        ("令和7年度上半期", "2025-04-01", "2025-10-01"),
    ],
)
def test_forms_seen_in_sheets(text: str, start: str, end: str):
    assert read(text) == [(start, end)]


@pytest.mark.parametrize(
    "text", ["3年間", "12,155千円", "1年目", "2023,000", "令和", "2月30日", "20人", "30年度", "次年度"]
)
def test_what_is_no_date_or_has_no_year_is_left_out(text: str):
    assert read(text) == []


def test_context_gives_the_year_of_relative_and_bare_forms():
    assert read("次年度", 2021) == [("2022-04-01", "2023-04-01")]
    assert read("30年度", 2018) == [("2018-04-01", "2019-04-01")]
    assert read("４年度", 2023) == [("2022-04-01", "2023-04-01")]


def test_a_month_after_a_fiscal_year_belongs_to_it():
    assert read("平成29年度は4月、2月に開催") == [
        ("2017-04-01", "2018-04-01"),
        ("2017-04-01", "2017-05-01"),
        ("2018-02-01", "2018-03-01"),
    ]


def test_offsets_point_at_the_raw_expression():
    text = "次期更改は令和７年１月を予定"
    (found,) = find_periods(text)
    assert text[found.start : found.end] == "令和７年１月"


def test_fiscal_year_of_a_day_and_overlap():
    january = find_periods("令和7年1月")[0].period
    assert january.fiscal_year == 2024
    assert january.overlaps(fiscal_year(2024)) and not january.overlaps(fiscal_year(2025))


@pytest.mark.parametrize("year", range(1868, 2051))
def test_every_era_year_comes_back(year: int):
    label = era_name(year) + "年度"
    assert find_periods(label)[0].period.start == date(year, 4, 1)


def test_a_number_past_its_era_is_the_era_before():
    assert western_year("平成", 58) == 1983


def test_a_number_that_no_era_reached_gives_no_year():
    assert western_year("令和", 99) is None and western_year("大正", 50) is None
    assert read("R99") == [] and read("令和99年度") == []


# ---- every year in every style ------------------------------------------------------------------------------------

LETTERS = {"明治": "M", "大正": "T", "昭和": "S", "平成": "H", "令和": "R"}
WIDE = str.maketrans("0123456789MTSHR./-", "０１２３４５６７８９ＭＴＳＨＲ．／－")


def readings(year: int) -> list[tuple[str, int]]:
    """The ways to count a western year, the year a new era begins in both: 2019 is 平成31 and 令和元."""
    names = list(ERAS)
    ends = {name: ERAS[after] + 1 for name, after in zip(names, names[1:], strict=False)} | {"令和": 2050}
    return [(name, year - ERAS[name]) for name in names if ERAS[name] < year <= ends[name]]


def numbers(number: int) -> list[str]:
    return [str(number), "元"] if number == 1 else [str(number)]


@pytest.mark.parametrize("year", range(1868, 2051))
def test_every_year_in_every_style_of_a_fiscal_year(year: int):
    said = [f"{year}年度", f"{year} 年度", f"FY{year}", f"{year}会計年度"]
    for era, number in readings(year):
        for n in numbers(number):
            said += [
                f"{era}{n}年度",
                f"{era} {n} 年度",
                f"{LETTERS[era]}{n}年度",
                f"{LETTERS[era]}{n}",
                f"{era}{n}({year})年度",
            ]
            said += [f"{year}({era}{n})年度", f"{LETTERS[era]}.{n}年度", f"{LETTERS[era].lower()}{n}年度"]
    for text in said:
        for shown in (text, text.translate(WIDE), f"、{text}の"):
            (found,) = find_periods(shown)
            assert (found.period.start, found.period.end) == (date(year, 4, 1), date(year + 1, 4, 1)), shown
            assert found.period.kind == "fiscal_year" and found.explicit


@pytest.mark.parametrize("year", range(1868, 2051))
def test_every_year_in_every_style_of_a_calendar_year(year: int):
    said = [f"{year}年"]
    for era, number in readings(year):
        said += [s for n in numbers(number) for s in (f"{era}{n}年", f"{LETTERS[era]}{n}年", f"{era}{n}({year})年")]
    for text in said:
        for shown in (text, text.translate(WIDE)):
            (found,) = find_periods(shown)
            assert (found.period.start, found.period.end) == (date(year, 1, 1), date(year + 1, 1, 1)), shown
            assert found.period.kind == "calendar_year"


DAYS = st.dates(date(1868, 1, 1), date(2050, 12, 31))


@given(DAYS, st.booleans())
def test_a_day_printed_in_every_style_comes_back(at: date, wide: bool):
    y, m, d = at.year, at.month, at.day
    said = [f"{y}年{m}月{d}日", f"{y}/{m}/{d}", f"{y}.{m}.{d}", f"{y}-{m:02}-{d:02}", f"{y}年 {m}月 {d}日"]
    for era, number in readings(y):
        for n in numbers(number):
            said += [
                f"{era}{n}年{m}月{d}日",
                f"{era}{n}年\n{m}月{d}日",
                f"{era}{n}.{m}.{d}",
                f"{era}{n}({y})年{m}月{d}日",
            ]
            said += [f"{LETTERS[era]}{n}.{m}.{d}", f"{LETTERS[era]}{n}/{m}/{d}", f"{LETTERS[era]}{n}-{m}-{d}"]
    for text in said:
        shown = text.translate(WIDE) if wide else text
        (found,) = find_periods(shown)
        assert (found.period.start, found.period.end) == (at, at + timedelta(days=1)), shown
        assert shown[found.start : found.end] == shown


@given(st.integers(1868, 2050), st.integers(1, 12))
def test_a_month_printed_in_every_style_comes_back(y: int, m: int):
    said = [f"{y}年{m}月", f"{y}-{m:02}", f"{y}/{m}", f"{y}.{m}", f"{y}年{m}月末", f"{y}年{m:02}月"]
    for era, number in readings(y):
        for n in numbers(number):
            said += [f"{era}{n}年{m}月", f"{LETTERS[era]}{n}.{m}", f"{era}{n}年({y}年){m}月"]
    for text in said:
        (found,) = find_periods(text)
        assert (found.period.start, found.period.end) == (month(y, m).start, month(y, m).end), text


@given(st.integers(1989, 2050), st.integers(1, 30), st.sampled_from(["~", "～", "〜", "から", "－", "-"]))
def test_a_range_of_fiscal_years_comes_back(first: int, years: int, join: str):
    last = min(first + years, 2050)
    if last == first:
        return
    (era, a), (late, b) = readings(first)[-1], readings(last)[-1]
    said = [
        f"{first}年度{join}{last}年度",
        f"{era}{a}年度{join}{late}{b}年度",
        f"{LETTERS[era]}{a}{join}{LETTERS[late]}{b}",
    ]
    if era == late:
        said += [f"{era}{a}年度{join}{b}年度", f"{era}{a}{join}{b}年度", f"{LETTERS[era]}{a}{join}{b}年度"]
    for text in said:
        (found,) = find_periods(text)
        assert (found.period.start, found.period.end) == (date(first, 4, 1), date(last + 1, 4, 1)), text


@given(st.integers(1989, 2049))
def test_parts_of_a_fiscal_year_make_it_up(year: int):
    era, number = readings(year)[-1]
    whole = fiscal_year(year)
    quarters = [find_periods(f"{era}{number}年度第{q}四半期")[0].period for q in (1, 2, 3, 4)]
    assert [q.start for q in quarters] == [whole.start, *(q.end for q in quarters[:3])] and quarters[3].end == whole.end
    for names in (("上半期", "下半期"), ("上期", "下期")):
        halves = [find_periods(f"{era}{number}年度{name}")[0].period for name in names]
        assert (halves[0].start, halves[0].end, halves[1].end) == (whole.start, halves[1].start, whole.end)
        assert halves[0].end == date(year, 10, 1)


@given(DAYS)
def test_a_fiscal_year_is_another_than_the_calendar_year_from_january_to_march(at: date):
    of_day = day(at.year, at.month, at.day)
    assert fiscal_year(of_day.fiscal_year).covers(of_day) and calendar_year(at.year).covers(of_day)
    assert (of_day.fiscal_year == at.year) == (at.month >= 4)


@pytest.mark.parametrize(
    ("text", "start", "fiscal"),
    [
        ("平成31年3月31日", date(2019, 3, 31), 2018),
        ("平成31年4月1日", date(2019, 4, 1), 2019),
        ("平成31年4月30日", date(2019, 4, 30), 2019),
        ("令和元年5月1日", date(2019, 5, 1), 2019),
        ("昭和64年1月7日", date(1989, 1, 7), 1988),
        ("平成元年1月8日", date(1989, 1, 8), 1988),
        ("大正15年12月24日", date(1926, 12, 24), 1926),
        ("昭和元年12月25日", date(1926, 12, 25), 1926),
        ("明治45年7月29日", date(1912, 7, 29), 1912),
        ("大正元年7月30日", date(1912, 7, 30), 1912),
    ],
)
def test_the_days_where_eras_and_fiscal_years_meet(text: str, start: date, fiscal: int):
    (found,) = find_periods(text)
    assert found.period.start == start and found.period.fiscal_year == fiscal


@pytest.mark.parametrize(
    ("text", "years"),
    [("令和6・7年度", [2024, 2025]), ("R6、R7年度", [2024, 2025]), ("R6、7年度", [2024, 2025]), ("平成30、31年度", [2018, 2019]),
     ("2024・2025年度", [2024, 2025]), ("令和3・5・7年度", [2021, 2023, 2025])],
)  # fmt: skip
def test_a_list_with_its_era_said_once(text: str, years: list[int]):
    found = find_periods(text)
    assert [f.period for f in found] == [fiscal_year(y, f.period.label) for f, y in zip(found, years, strict=True)]


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("令和5年4月から6年3月まで", "2023-04-01", "2024-04-01"),
        ("令和5年4月1日～6年3月31日", "2023-04-01", "2024-04-01"),
        ("令和3年5月10日～9月15日", "2021-05-10", "2021-09-16"),
        ("令和4年3月8日～14日", "2022-03-08", "2022-03-15"),
        ("令和6年12月28日～1月3日", "2024-12-28", "2025-01-04"),
        ("平成30～2年度", "2018-04-01", "2021-04-01"),
        ("令\n和元年\n\n度～令和 3 年\n度", "2019-04-01", "2022-04-01"),
        ("R5〜7", "2023-04-01", "2026-04-01"),
        ("平成31（令和元）年度", "2019-04-01", "2020-04-01"),
        # Nothing is guessed about an end that is not said.
        ("令和5年度～", "2023-04-01", "2024-04-01"),
        ("～令和8年度末", "2026-04-01", "2027-04-01"),
        ("令和8年度末", "2026-04-01", "2027-04-01"),
    ],
)
def test_ranges_whose_second_half_leaves_something_out(text: str, start: str, end: str):
    assert read(text) == [(start, end)]


def test_a_range_of_days_whose_year_stands_before():
    assert read("令和4年1月に始まり、3\n月18日～19日に停止した")[1] == ("2022-03-18", "2022-03-20")


@given(st.text("令和平成昭元年度月日0123456789RHS～-・、/.() 　\n前翌本", max_size=60))
def test_any_text_gives_sound_periods(text: str):
    for found in find_periods(text, 2024):
        assert isinstance(found.period, Period) and found.period.start < found.period.end
        assert 0 <= found.start < found.end <= len(text)


class Counting:
    """A pattern that counts the characters its searches went over."""

    def __init__(self, inner: re.Pattern[str]) -> None:
        self.inner, self.scanned = inner, 0

    def search(self, text: str, at: int = 0) -> re.Match[str] | None:
        found = self.inner.search(text, at)
        self.scanned += (found.end() if found else len(text)) - at
        return found

    def match(self, text: str, at: int = 0) -> re.Match[str] | None:
        return self.inner.match(text, at)


@pytest.mark.parametrize(
    "unit", ["令和7年度、", "7月", "2024・", "R7~", "令和", "元", "令和5年4月1日~", "1,", "2024年(", " ", "今年度"]
)
def test_100_000_letters_are_searched_through_once(unit: str, monkeypatch: pytest.MonkeyPatch):
    patterns = [Counting(periods.ATOM), Counting(periods.BARE_MONTH)]
    monkeypatch.setattr(periods, "ATOM", patterns[0])
    monkeypatch.setattr(periods, "BARE_MONTH", patterns[1])
    text = (unit * 100_000)[:100_000]
    found = find_periods(text, 2024)
    assert [f.start for f in found] == sorted(f.start for f in found)
    assert all(pattern.scanned <= 2 * len(text) for pattern in patterns)
