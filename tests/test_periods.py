from datetime import date

import pytest

from corpus.periods import era_name, find_periods, fiscal_year, western_year


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
