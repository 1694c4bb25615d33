"""Demands on figures, read from the words of a question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.conditions import Condition, find_conditions, placed_conditions
from assistant.criteria import find_criteria
from assistant.timespans import find_asked
from corpus.normalize import normalize, squeeze


def criteria(question: str):
    return find_criteria(squeeze(normalize(question).text))


@pytest.mark.parametrize(
    ("question", "way", "by"),
    [
        ("決算額が増えた事業", "up", []),
        ("事業費が減った事業は？", "down", []),
        ("決算額が横ばいのシステム", "flat", []),
        ("決算額が変わらなかったもの", "flat", []),
        ("２割以上増えた事業", "up", [Condition(">=", 20, "%")]),
        ("決算額の増加額が100万円を超える事業", "up", [Condition(">", 1_000_000, "円")]),
        ("500万円以上減ったもの", "down", [Condition(">=", 5_000_000, "円")]),
        ("決算額が2倍以上に増えた", "up", [Condition(">=", 2, "倍")]),
        ("半分以下に減った", "down", [Condition("<=", 0.5, "倍")]),
    ],
)
def test_a_change_is_read_with_how_far_it_went(question: str, way: str, by: list[Condition]):
    found = criteria(question)
    assert found.change is not None and found.change.way == way and list(found.change.by) == by
    assert not found.limits


@pytest.mark.parametrize("question", ["決算額の増減は？", "増えたのか減ったのか", "決算額はいくら", "上がり下がり"])
def test_a_question_for_the_change_itself_demands_none(question: str):
    assert criteria(question).change is None


def test_each_limit_goes_with_the_field_before_it():
    found = criteria("予算額が１億円以上で決算額が9千万円未満、執行率が90％未満の事業")
    told = [(limit.fields[0].name, limit.condition.op, limit.condition.value) for limit in found.limits]
    assert told == [("予算額", ">=", 1e8), ("決算額", "<", 9e7), ("執行率", "<", 90)]
    assert [(limit.name, limit.condition.unit) for limit in criteria("利用者数が1万人以上の事業").limits] == [
        ("利用者数", "人")
    ]


def test_a_limit_and_a_change_stand_beside_each_other():
    found = criteria("決算額が1億円以上で2割以上増えた事業")
    assert [limit.condition.value for limit in found.limits] == [1e8]
    assert found.change is not None and [by.value for by in found.change.by] == [20]


@pytest.mark.parametrize(
    ("question", "met"),
    [
        ("目標を達成できなかった事業", False),
        ("稼働率が業績評価指標を下回ったシステム", False),
        ("実績が基準値に届かないもの", False),
        ("未達成の指標がある事業", False),
        ("目標を達成した事業", True),
        ("目標を上回った指標", True),
        ("目標に届きましたか", True),
    ],
)
def test_targets_met_and_missed(question: str, met: bool):
    found = criteria(question).attainment
    assert found is not None and found.met == met


@pytest.mark.parametrize(
    "question", ["目標達成状況の評価は？", "目標の達成率は？", "目標値はいくつ", "達成度がＣのシステム"]
)
def test_the_name_of_a_rating_is_no_demand_for_a_target(question: str):
    assert criteria(question).attainment is None


@given(
    st.integers(1, 9_999),
    st.sampled_from(["万円", "億円", "千円", "円"]),
    st.sampled_from(["以上", "未満", "を超える"]),
)
def test_every_amount_limit_stands_where_it_is_said(number: int, unit: str, words: str):
    key = f"決算額が{number}{unit}{words}事業"
    (placed,) = placed_conditions(key)
    scale = {"万円": 1e4, "億円": 1e8, "千円": 1e3, "円": 1}[unit]
    assert placed.condition.value == number * scale and key[placed.start : placed.end].startswith(str(number))
    assert find_conditions(key)[0] == [placed.condition]
    (limit,) = find_criteria(key).limits
    assert limit.condition == placed.condition and limit.fields[0].name == "決算額"


@pytest.mark.parametrize(
    "question",
    [
        "令和6年度の決算額が前年度より減った",
        "令和6年度は前年度に比べて増えた",
        "令和6年度の決算額が前年度の2倍になった",
        "令和6年度、前年度比で",
    ],
)
def test_the_year_a_figure_is_held_against_is_not_asked_for(question: str):
    assert [asked.year for asked in find_asked(normalize(question).text, 2024)[0]] == [2024]


def test_the_year_before_is_asked_for_where_it_is_what_is_asked():
    assert [asked.year for asked in find_asked("前年度の決算額は", 2024)[0]] == [2024]


def test_an_era_is_a_stretch_of_time():
    (asked,) = find_asked("昭和のうちに始まった事業", 2024)[0]
    assert asked.period.start.year == 1926 and asked.period.end.year == 1989


@pytest.mark.parametrize("question", ["令和6年度に事業費が0だった事業", "事業費がゼロの事業"])
def test_nothing_needs_no_unit(question: str):
    (limit,) = criteria(question).limits
    assert limit.condition == Condition("=", 0.0, "")
    assert [field.type for field in limit.fields] == ["amount"]
