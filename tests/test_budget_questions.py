"""Budget against settlement, what was not used, every year and one alone: conditions against the truth of the bundled sheets."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_sifting import TOWN, TRUTH, names
from test_sifting import city as city

from assistant.session import Assistant
from corpus.normalize import squeeze


def planned_and_settled(plan: int, actual: int) -> dict[str, int]:
    """The budget of one year less the settled amount of another, of the town's sheets of 令和6年度, by name."""
    found = {}
    for sheet in TRUTH:
        if sheet["municipality"] == TOWN and sheet["fiscal_year"] == 2024:
            yen = {(row["label"], row["year"]): row["yen"] for row in sheet["amounts"]}
            found[sheet["sheet"]] = yen["予算額", plan] - yen["決算額", actual]
    return found


@pytest.mark.parametrize(
    ("words", "over"),
    [
        ("令和7年度の予算額が令和6年度の決算額より少ない事業は？", False),
        ("令和7年度の予算額が前年度の決算額を下回る事業を挙げて", False),
        ("令和6年度の決算額より令和7年度の予算額の方が多い事業は？", True),
        ("前年度の決算額を令和7年度の予算額が上回った事業はどれ？", True),
    ],
)
def test_two_amounts_of_two_years_are_held_against_each_other(city: Assistant, words: str, over: bool):
    gaps = planned_and_settled(2025, 2024)
    expected = sorted(name for name, gap in gaps.items() if gap != 0 and (gap > 0) == over)
    answer = city.ask(f"{TOWN}で{words}")
    assert 3 <= len(expected) < len(gaps) and names(answer) == expected
    assert f"全{len(gaps)}件中{len(expected)}件" in answer.answer and answer.debug["how"] == "exceeded"
    assert answer.table is not None and {str(row[3]) for row in answer.table.rows} == {"令和7年度／令和6年度"}
    for name in expected:
        assert f"{abs(gaps[name]):,}円" in answer.answer


def test_where_nothing_can_be_held_against_each_other_it_says_so(city: Assistant):
    answer = city.ask(f"{TOWN}で令和7年度の決算額が令和7年度の予算額より多い事業は？")  # nothing of it is settled yet
    assert answer.abstained and "比べられるシートはありません" in answer.answer


def unused(year: int) -> dict[str, int]:
    """The budget of a year less its settled amount, of the town's sheets of 令和6年度, by name."""
    return planned_and_settled(year, year)


def test_what_was_not_used_is_reckoned_from_budget_and_settlement(city: Assistant):
    left = unused(2024)
    most = max(left, key=left.__getitem__)
    ranked = city.ask(f"{TOWN}で令和6年度の不用額が一番大きい事業は？")
    assert most in ranked.answer and f"{left[most]:,}円" in ranked.answer and len(ranked.citations) == 2
    apart = city.ask(f"{TOWN}で令和6年度の予算と決算の開きが大きい順に3つ")
    wanted = sorted(left, key=lambda name: -abs(left[name]))[:3]
    assert apart.table is not None and [str(row[1]) for row in apart.table.rows] == wanted
    total = city.ask(f"{TOWN}の令和6年度の不用額の合計は？").answer
    assert f"{sum(left.values()):,}円" in total and "計算しました" in total
    listed = city.ask(f"{TOWN}で令和6年度の不用額が300万円以上の事業は？")
    assert names(listed) == sorted(name for name, yen in left.items() if yen >= 3_000_000)
    single = city.ask(f"{TOWN}の文化財保存活用事業の令和6年度の不用額は？")
    assert f"{left['文化財保存活用事業']:,}円" in single.answer and "計算しました" in single.answer


def test_how_a_rate_is_reckoned_may_be_said_in_brackets(city: Assistant):
    plain, said = (
        city.ask(f"{TOWN}で令和6年度の執行率{words}が80％を下回った事業は？") for words in ("", "（決算÷予算）")
    )
    assert names(plain) == names(said) == ["新規就農者支援事業"]


@pytest.mark.parametrize(
    ("words", "fits"),
    [
        ("令和5年度の決算額が3千万円台の", lambda years: 30_000_000 <= years[2023] < 40_000_000),
        ("令和4年度の決算額が500万円未満（0円は除く）の", lambda years: 0 < years[2022] < 5_000_000),
        ("令和3年度の決算額が0円の", lambda years: years[2021] == 0),
        ("令和4年度と令和5年度の決算額がまったく同じ", lambda years: years[2022] == years[2023]),
        (
            "令和3年度、令和4年度、令和5年度のうち令和3年度だけ決算額が0円の",
            lambda y: y[2021] == 0 and y[2022] and y[2023],
        ),
        ("決算額が令和4年度から令和5年度にかけて2倍以上に増えた", lambda years: 0 < 2 * years[2022] <= years[2023]),
    ],
)
def test_more_ways_to_put_a_condition(city: Assistant, words: str, fits):
    expected = sorted(name for (name, _), years in SYSTEMS.items() if fits(years))
    assert expected, "a condition that nothing meets proves little"
    assert names(city.ask(f"{TOWN}のシステムのうち、{words}ものは？")) == expected


SYSTEMS = {
    (sheet["sheet"], sheet["department"]): {
        row["year"]: row["yen"] for row in sheet["amounts"] if row["label"] == "決算額"
    }
    for sheet in TRUTH
    if sheet["file"] == "minatomi_system_r5.pdf"
}


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(1, 9_000),
    st.sampled_from(["令和3年度から令和5年度まで毎年", "令和3年度から令和5年度の3か年とも", "毎年"]),
)
def test_a_limit_of_every_year_is_met_by_no_sheet_that_misses_it_once(city: Assistant, limit: int, words: str):
    answer = city.ask(f"{TOWN}のシステムのうち、{words}決算額が{limit}万円以上のものは？")
    expected = sorted(name for (name, _), years in SYSTEMS.items() if min(years.values()) >= limit * 10_000)
    assert names(answer) == expected


def test_the_sheets_that_hold_a_quoted_word_are_listed_and_no_others(city: Assistant):
    texts = {}
    for sheet in city.index.sheets():
        if sheet.municipality == TOWN and sheet.kind == "programme":
            sections = [
                one.section.text for one in city.index.sections([sheet.sheet_id]) if one.section.field != "担当者"
            ]
            texts[sheet.sheet_id] = squeeze("".join(sections))
    for word in ("標準化", "指定管理", "入札"):
        expected = sorted(
            {
                city.index.sheets()[n].name
                for n, s in enumerate(city.index.sheets())
                if squeeze(word) in texts.get(s.sheet_id, "")
            }
        )
        answer = city.ask(f"{TOWN}で「{word}」という言葉が出てくる事業やシステムを一覧にして")
        assert sorted(set(names(answer))) == expected
        assert all(word in squeeze(c.quote) for c in answer.citations)
    nothing = city.ask(f"{TOWN}で「月面基地」という言葉が出てくる事業は？")
    assert nothing.abstained and "「月面基地」ということばは" in nothing.answer


def test_staff_that_rose_is_no_list_of_all_that_have_staff(city: Assistant):
    staff: dict[str, dict[int, float]] = {}
    for one in city.index.facts(fields=["職員数"]):
        if one.sheet.municipality == TOWN and one.sheet.fiscal_year == 2024 and one.fact.period and one.fact.value:
            staff.setdefault(one.sheet.name, {})[one.fact.period.fiscal_year] = one.fact.value
    rose = sorted(name for name, years in staff.items() if years[2024] > years[2023])
    assert 0 < len(rose) < len(staff)
    assert names(city.ask(f"{TOWN}で職員数が令和5年度から令和6年度に増えた事業はどれ？")) == rose


def test_in_a_plan_of_systems_what_is_not_called_a_system_is_one_too(city: Assistant):
    assert any("システム" not in name for name, _ in SYSTEMS)
    answer = city.ask(f"{TOWN}のシステムのうち、令和5年度の決算額が500万円未満のものは？")
    assert names(answer) == sorted(name for (name, _), years in SYSTEMS.items() if years[2023] < 5_000_000)
    assert "AI-OCR・RPA" in names(answer) and f"全{len(SYSTEMS)}件中" in answer.answer
