"""Sums, means and steps over the years of a row, worked out by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from assistant.attainments import pairs_of, verdicts
from assistant.calculations import Calculation, gaps, last_years, lines, one_a_year
from assistant.timespans import find_asked
from corpus.documents import Fact, FactKind, Span
from corpus.periods import fiscal_year


def fact(
    year: int, value: float, kind: FactKind | None = "actual", unit: str = "円", label: str = "決算額", text: str = ""
):
    return Fact("決算額", label, value, text or str(value), unit, fiscal_year(year), kind, Span(0, 1), Span(0, 1))


ROW = [fact(2022, 100.0), fact(2023, 150.0), fact(2024, 120.0), fact(2025, 900.0, "plan")]


def test_a_sum_a_mean_and_steps_over_the_actuals():
    # 100 + 150 + 120 = 370; 370 / 3 = 123.33; +50 is 50 % of 100, -30 is 20 % of 150.
    found = lines(Calculation(sum=True, mean=True, steps=True), ROW, ())
    assert any("合計" in line and "370円" in line and "3年分" in line for line in found)
    assert any("平均" in line and "123円" in line for line in found)
    assert any("+50円、+50.0%" in line for line in found) and any("30円、-20.0%" in line for line in found)
    assert any("予算・目標の年度は含みません" in line for line in found)


def test_years_that_are_not_printed_are_said():
    asked = find_asked("令和3年度から令和6年度", 2024)[0]
    assert any("令和3年度は印刷されていない" in line for line in lines(Calculation(sum=True), ROW, asked))
    assert not any(
        "印刷されていない" in line for line in lines(Calculation(sum=True), ROW, find_asked("令和5年度以降", 2024)[0])
    )


def test_the_last_years_are_those_with_an_actual():
    assert [f.value for f in last_years(ROW, 2)] == [150.0, 120.0]


def test_budget_less_settlement_with_the_share_used():
    told = gaps([fact(2024, 200.0, "plan")], [fact(2024, 150.0), fact(2023, 1.0)])
    assert len(told) == 1 and "**50円**" in told[0] and "執行率 75.0%" in told[0]
    assert not gaps([fact(2024, 200.0, "plan")], [fact(2024, 150.0, "plan")])


@given(st.dictionaries(st.integers(2015, 2025), st.integers(0, 10**9), min_size=2, max_size=8))
def test_a_sum_never_mixes_plans_with_actuals(values: dict[int, int]):
    facts = [fact(year, float(value)) for year, value in values.items()]
    plans = [fact(year, 7e12, "plan") for year in range(2014, 2027)]
    assert [f.value for f in one_a_year([*plans, *facts])] == [float(values[year]) for year in sorted(values)]
    (told, *_) = lines(Calculation(sum=True), [*plans, *facts], ())
    assert f"**{sum(values.values()):,}円**" in told


def test_a_target_is_met_in_the_direction_that_the_sheet_tells():
    waiting = [
        fact(2024, 0, "plan", "人", "待機児童数（少ないほどよい）"),
        fact(2024, 41, "actual", "人", "待機児童数（少ないほどよい）"),
    ]
    assert [pair.met for pair in pairs_of(waiting)] == [False] and "達成していません" in verdicts(waiting)[0]
    days = [fact(2024, 15, "plan", "分", "待ち時間", "15分以内"), fact(2024, 12, "actual", "分", "待ち時間")]
    assert [(pair.met, pair.lower, pair.told) for pair in pairs_of(days)] == [(True, True, True)]
    visits = [fact(2024, 10, "plan", "回", "訪問"), fact(2024, 12, "actual", "回", "訪問")]
    assert [(pair.met, pair.told) for pair in pairs_of(visits)] == [(True, False)]
    assert "目標を上回っています" in verdicts(visits)[0] and "目標との差" in verdicts(visits)[0]


@given(st.floats(0, 1e6, allow_nan=False), st.floats(0, 1e6, allow_nan=False))
def test_a_target_is_met_or_missed_and_never_both(plan: float, actual: float):
    for label in ("件数", "件数（少ないほどよい）"):
        (pair,) = pairs_of([fact(2024, plan, "plan", "件", label), fact(2024, actual, "actual", "件", label)])
        assert pair.met == (actual <= plan if "少ない" in label else actual >= plan)
    assert not pairs_of([fact(2024, plan, "plan", "件"), fact(2023, actual, "actual", "件")])


def test_a_target_that_falls_without_a_word_on_its_direction_is_not_judged():
    row = [fact(year, value, "plan", "台", "放置の台数") for year, value in ((2023, 420), (2024, 380), (2025, 340))]
    (pair,) = pairs_of([*row, fact(2024, 352, "actual", "台", "放置の台数")])
    assert pair.unclear and "書かれていません" in verdicts([*row, pair.actual])[0]
    risen = [fact(year, value, "plan", "台", "設置の台数") for year, value in ((2023, 340), (2024, 380))]
    assert not pairs_of([*risen, fact(2024, 352, "actual", "台", "設置の台数")])[0].unclear
