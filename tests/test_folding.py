"""Tables whose cells came out one a line, and labels broken before their figures."""

from __future__ import annotations

from corpus.documents import Document, Fact
from corpus.reading import read_sheets

HEAD = "令和5年度 事務事業評価シート\n事業名\t道路照明事業\n所管課\t道路課\n"


def amounts(text: str) -> dict[tuple[str, int, str | None], float]:
    return {(f.field, f.period.fiscal_year, f.kind): f.value for f in facts(text) if f.unit == "円" and f.period}


def facts(text: str) -> list[Fact]:
    (reading,) = read_sheets(Document("a.txt", HEAD + text, "0" * 64, "text"))
    return [f for f in reading.facts if f.value is not None]


def test_years_then_each_label_with_as_many_figures() -> None:
    text = "区分\n令和4年度\n令和5年度\n予算額（千円）\n100\n110\n決算額（千円）\n90\n-\n"
    assert amounts(text) == {
        ("予算額", 2022, "plan"): 100_000,
        ("予算額", 2023, "plan"): 110_000,
        ("決算額", 2022, "actual"): 90_000,  # the dash is a cell, and says nothing
    }


def test_a_row_that_lacks_a_cell_is_left_out_and_the_others_are_not() -> None:
    text = "区分\n令和4年度\n令和5年度\n国庫支出金（千円）\n50\n決算額（千円）\n90\n95\n"
    assert amounts(text) == {("決算額", 2022, "actual"): 90_000, ("決算額", 2023, "actual"): 95_000}


def test_kinds_under_years_one_a_line() -> None:
    text = "（単位：千円）\n区分\n令和4年度\n令和5年度\n予算\n決算\n予算\n決算\n事業費\n10\n9\n12\n11\n"
    assert amounts(text) == {
        ("事業費", 2022, "plan"): 10_000,
        ("事業費", 2022, "actual"): 9_000,
        ("事業費", 2023, "plan"): 12_000,
        ("事業費", 2023, "actual"): 11_000,
    }


def test_years_down_the_side_one_a_line() -> None:
    text = "年度\n予算額（千円）\n決算額（千円）\n令和4年度\n100\n90\n令和5年度\n110\n105\n"
    assert amounts(text)[("決算額", 2022, "actual")] == 90_000
    assert amounts(text)[("予算額", 2023, "plan")] == 110_000


def test_indicators_with_name_and_unit_before_their_targets() -> None:
    text = "指標名\n単位\n区分\n令和4年度\n令和5年度\n灯具の交換数\n基\n目標\n30\n40\n実績\n28\n41\n"
    got = [(f.label, f.period.fiscal_year if f.period else 0, f.kind, f.value, f.unit) for f in facts(text)]
    assert sorted(got, key=str) == sorted(
        [
            ("灯具の交換数", 2022, "plan", 30, "基"),
            ("灯具の交換数", 2023, "plan", 40, "基"),
            ("灯具の交換数", 2022, "actual", 28, "基"),
            ("灯具の交換数", 2023, "actual", 41, "基"),
        ],
        key=str,
    )


def test_all_labels_then_all_figures() -> None:
    assert amounts("予算額（千円）\n決算額（千円）\n100\n90\n") == {
        ("予算額", 2023, "plan"): 100_000,
        ("決算額", 2023, "actual"): 90_000,
    }


def test_more_labels_than_figures_are_not_dealt_out() -> None:
    assert amounts("予算額（千円）\n決算額（千円）\n人件費（千円）\n100\n90\n") == {}


def test_a_label_broken_before_its_figures() -> None:
    text = "区分 令和4年度 令和5年度\n概算人件\n費（千円） 2,466 6,302\n"
    assert {(f.field, f.period.fiscal_year if f.period else 0, f.value) for f in facts(text)} == {
        ("人件費", 2022, 2_466_000),
        ("人件費", 2023, 6_302_000),
    }


def test_the_line_above_a_table_names_its_indicator_and_unit() -> None:
    text = "成果指標1：灯具の交換数（単位：基）\n年度\t令和4年度\t令和5年度\n目標\t30\t40\n実績\t28\t41\n"
    got = {(f.label, f.period.fiscal_year if f.period else 0, f.kind, f.value, f.unit) for f in facts(text)}
    assert ("灯具の交換数", 2022, "plan", 30, "基") in got and ("灯具の交換数", 2023, "actual", 41, "基") in got
    assert len(got) == 4
