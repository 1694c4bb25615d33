"""Lists, counts, sums and ranks by figures, against the truth that the bundled sheets were written from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_answers import SAMPLES, assistant_over

from assistant.session import Assistant
from assistant.types import Answer, Turn
from evals.cases import read_cases
from evals.run import examine_cases
from evals.target import asking

CASES = Path(__file__).parent.parent / "evals" / "cases" / "conditions.jsonl"
TRUTH = json.loads((SAMPLES / "truth.json").read_text("utf-8"))["sheets"]
TOWN = "湊見市"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    return assistant_over(SAMPLES / "files", tmp_path_factory.mktemp("sifting"))


def settled(year: int) -> dict[str, int]:
    """The settled amounts of a year that the town's sheets of 令和6年度 were written with, by name."""
    return {
        sheet["sheet"]: row["yen"]
        for sheet in TRUTH
        if sheet["municipality"] == TOWN and sheet["fiscal_year"] == 2024
        for row in sheet["amounts"]
        if row["label"] == "決算額" and row["year"] == year
    }


def names(answer: Answer) -> list[str]:
    return sorted(str(row[0]) for row in answer.table.rows) if answer.table else []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(500, 90_000), st.sampled_from(["以上", "未満"]))
def test_a_list_by_a_limit_holds_exactly_the_sheets_that_meet_it(city: Assistant, limit: int, words: str):
    answer = city.ask(f"{TOWN}で令和6年度の決算額が{limit}万円{words}の事業を一覧にして")
    amounts = settled(2024)
    expected = sorted(n for n, yen in amounts.items() if (yen >= limit * 10_000) == (words == "以上"))
    assert names(answer) == expected
    assert answer.abstained == (not expected)
    if expected:
        assert f"全{len(amounts)}件中{len(expected)}件" in answer.answer
        assert answer.table is not None and all(answer.table.citations)
        for row in answer.table.rows:
            assert f"{amounts[str(row[0])]:,}円" in str(row)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 120))
def test_a_list_by_a_change_holds_exactly_the_sheets_that_moved_so_far(city: Assistant, percent: int):
    answer = city.ask(f"{TOWN}で令和6年度の決算額が前年度より{percent}%以上増えた事業はどれですか")
    late, early = settled(2024), settled(2023)
    assert names(answer) == sorted(n for n, yen in late.items() if yen * 100 >= early[n] * (100 + percent))


def test_a_row_prints_both_years_of_a_change_and_cites_them(city: Assistant):
    answer = city.ask("湊見市で令和6年度の決算額が前年度の2倍以上になった事業はどれですか")
    assert names(answer) == ["ゼロカーボン推進事業（旧エコライフ推進事業）"]
    assert "21,984,000円" in answer.answer and "46,207,000円" in answer.answer and "+24,223,000円" in answer.answer


def test_conditions_of_all_kinds_are_held_together(city: Assistant):
    answer = city.ask("湊見市の令和6年度で直営、Ｂ評価、決算額が2千万円以上の事業は？")
    assert names(answer) == ["ゼロカーボン推進事業（旧エコライフ推進事業）"]
    assert "46,207,000円" in answer.answer


def test_a_sum_is_over_the_sheets_that_meet_the_condition(city: Assistant):
    answer = city.ask("湊見市で令和6年度の決算額が1億円以上の事業の決算額の合計は？")
    amounts = [yen for yen in settled(2024).values() if yen >= 10**8]
    assert f"{sum(amounts):,}円" in answer.answer and len(names(answer)) == len(amounts)


def test_the_order_and_the_number_of_a_rank_are_kept(city: Assistant):
    ordered = sorted(settled(2024).items(), key=lambda one: one[1])
    least = city.ask("湊見市の令和6年度の決算額が少ない順に3件")
    assert least.table is not None and [row[1] for row in least.table.rows] == [name for name, _ in ordered[:3]]
    most = city.ask("湊見市の令和6年度の決算額の上位5つ")
    assert most.table is not None and [row[1] for row in most.table.rows] == [name for name, _ in ordered[::-1][:5]]


def test_what_no_sheet_meets_is_refused_with_what_was_compared(city: Assistant):
    answer = city.ask("湊見市で令和6年度の決算額が90億円以上の事業は？")
    assert answer.abstained and not answer.citations and "条件に合うものはありません" in answer.searched.missing
    assert answer.searched.missing in answer.answer


def test_a_budget_is_never_taken_for_a_settlement(city: Assistant):
    # 観光プロモーション: 42,800,000 budgeted and 41,938,000 settled in 令和6年度
    budget = names(city.ask("湊見市で令和6年度の予算額が4,200万円以上4,300万円未満の事業を一覧にして"))
    settlement = names(city.ask("湊見市で令和6年度の決算額が4,200万円以上4,300万円未満の事業を一覧にして"))
    assert budget == ["観光プロモーション事業"] and settlement == []


def test_a_sheet_without_the_figure_is_counted_apart(city: Assistant):
    answer = city.ask("湊見市の令和7年度の決算額が1千万円以上の事業は？")
    assert answer.abstained  # only budgets of that year are printed


@pytest.mark.parametrize(
    ("question", "yes"),
    [
        ("道路維持補修事業の令和6年度の決算額は4億円以上でしたか", True),
        ("ごみ減量・資源化推進事業の令和6年度決算は5千万円を超えていますか？", False),
        ("移動図書館運営事業の決算額は前年度より増えましたか？", True),
        ("放課後児童クラブ運営事業の令和6年度の待機児童数は目標を達成しましたか", False),
        ("ごみ減量・資源化推進事業の令和6年度のごみ排出量は目標を達成しましたか", True),
        ("自主防災組織育成事業の令和6年度の総合評価はAですか", True),
        ("移動図書館運営事業の令和6年度の総合評価はAですか", False),
    ],
)
def test_yes_and_no_come_with_their_evidence(city: Assistant, question: str, yes: bool):
    answer = city.ask(question)
    assert answer.answer.startswith("**はい**" if yes else "**いいえ**") and answer.citations


def test_an_amount_question_is_answered_with_amounts_only(city: Assistant):
    answer = city.ask("湊見市の給食の令和6年度の決算額は？")
    assert "772,418,000円" in answer.answer and "190日" not in answer.answer


def test_a_rate_that_is_not_printed_is_reckoned_and_says_so(city: Assistant):
    # 559,840 of 566,000 thousand
    answer = city.ask("水道管路更新事業の令和6年度の執行率は何％ですか")
    assert "98.9%" in answer.answer and "から計算しました" in answer.answer and len(answer.citations) == 2


def test_three_years_are_added_up_and_averaged(city: Assistant):
    # 41,250,000 + 41,250,000 + 42,917,600
    total = city.ask("庁内ネットワークシステムの令和3年度から令和5年度までの3年間の決算額の合計は？")
    assert "125,417,600円" in total.answer
    mean = city.ask("仮想化基盤システムの3年間の決算額の平均を出してください")
    assert "88,366,667円" in mean.answer  # 265,100,000 / 3


def test_years_of_other_sheets_complete_a_trend(city: Assistant):
    answer = city.ask("放課後児童クラブ運営事業の決算額の推移を教えて")
    assert all(f"{yen}円" in answer.answer for yen in ("226,918,000", "243,106,000", "257,733,000"))
    assert answer.chart is not None and len(answer.chart.x) == 3


def test_two_towns_are_compared_with_their_difference(city: Assistant):
    answer = city.ask("湊見市と桜坂町の学校給食運営事業で、令和6年度の決算額の差はいくら？")
    assert "714,694,000円" in answer.answer  # 772,418,000 - 57,724,000
    assert answer.chart is not None and answer.chart.kind == "bar"


@pytest.mark.parametrize(
    ("question", "date", "other"),
    [
        ("内部情報系システム運用経費の次期基盤への更改はいつですか", "令和7年1月", "令和8年度"),
        ("北都区の内部情報系システムの現行契約はいつ終わる？", "2024年12月", "令和8年度"),
        ("防災行政無線管理事業で2027年に何がある？", "令和9年3月", "令和7年12月"),
    ],
)
def test_the_date_of_what_is_asked_is_picked_among_a_sheets_dates(
    city: Assistant, question: str, date: str, other: str
):
    answer = city.ask(question)
    assert f"**{date}" in answer.answer and f"**{other}" not in answer.answer


def test_a_subset_of_the_answer_before_is_sifted(city: Assistant):
    history = [Turn("user", "湊見市で令和6年度の決算額が1億円以上の事業を一覧にして")]
    assert names(city.ask("そのうち5億円以上は？", history)) == ["学校給食運営事業", "水道管路更新事業"]


def test_the_questions_on_conditions_keep_their_score(city: Assistant):
    read = read_cases(CASES)
    sheets = {sheet["sheet"] for sheet in TRUTH}
    assert all(name.split("@")[0] in sheets for case in read.cases for name in case.sheets)
    result = examine_cases(read, asking(city), ranked=False)
    assert not result.bad and len(result.outcomes) == len(read.cases) >= 67
    assert result.overall.quote_fidelity == 1.0 and not [o.error for o in result.outcomes if o.error]
    wrong = [outcome.case.id for outcome in result.outcomes if not outcome.score.right]
    assert len(wrong) <= 3, wrong
    assert not [
        outcome.case.id for outcome in result.outcomes if outcome.case.unanswerable and outcome.case.id in wrong
    ]


@pytest.mark.parametrize(
    ("question", "told", "how"),
    [
        ("放課後児童クラブ運営事業の担当は？", "こども未来部 子育て支援課", "department"),
        ("ふるさと納税推進事業はいつから？", "平成20年7月", "begun"),
        # 24,361,000 / 12,933 = 1,883.6
        ("デマンド交通運行事業の利用者1人当たりの事業費は？", "1,884円", "figures"),
        ("学校給食運営事業の児童1人当たりの決算額は？", "計算していません", "figures"),
        ("道路維持補修事業は直営ですか", "**いいえ**", "affirmed"),
        ("デマンド交通運行事業は委託していますか？", "**はい**", "affirmed"),
        ("湊見市の令和6年度の事業で決算額が予算額を上回ったのは？", "全13件中1件", "exceeded"),
    ],
)
def test_a_plain_question_has_its_own_way_of_being_answered(city: Assistant, question: str, told: str, how: str):
    answer = city.ask(question)
    assert answer.debug["how"] == how and told in answer.answer and answer.citations


def test_a_mean_over_sheets_is_the_sum_by_their_number(city: Assistant):
    amounts = settled(2024).values()
    answer = city.ask("湊見市の事業の令和6年度の平均の決算額はいくら")
    assert f"{round(sum(amounts) / len(amounts)):,}円" in answer.answer and f"{sum(amounts):,}円" in answer.answer


def test_which_department_does_something_else_is_no_question_for_the_one_in_charge(city: Assistant):
    answer = city.ask("防災情報共有システムの情報はどの部署で共有されていますか？")
    assert answer.debug["how"] != "department"


def test_what_happens_in_a_year_is_listed_over_all_sheets_in_order(city: Assistant):
    answer = city.ask("2026年に何がある？")
    assert answer.table is not None and answer.table.columns[:2] == ("時期", "出来事")
    told = [(row[2], row[1]) for row in answer.table.rows]
    assert ("国民健康保険システム", "契約満了") in told and ("移動図書館運営事業", "導入") in told
    assert all(answer.table.citations)


def test_years_of_one_programme_are_no_sum_over_sheets(city: Assistant):
    # 398,764 + 421,930 + 438,215 thousand; the first stands in another year's sheet
    answer = city.ask("道路維持補修事業の令和4年度から令和6年度までの決算額の合計と平均")
    assert "1,258,909,000円" in answer.answer and "419,636,333円" in answer.answer
    both = city.ask("湊見市の直営の事業の令和5年度から令和6年度までの決算額の合計は")
    direct = {s["sheet"] for s in TRUTH if s["municipality"] == TOWN and s["texts"].get("実施方法") == "直営"}
    whole = sum(yen for year in (2023, 2024) for name, yen in settled(year).items() if name in direct)
    assert f"{whole:,}円" in both.answer


def test_a_rank_by_the_share_of_a_change_is_not_one_by_its_amount(city: Assistant):
    late, early = settled(2024), settled(2023)
    first = max(late, key=lambda name: late[name] / early[name])
    answer = city.ask("湊見市で令和6年度の決算額の伸び率が一番高い事業は？")
    assert answer.table is not None and answer.table.rows[0][1] == first


def test_a_target_missed_is_not_found_in_the_word_for_one_met(city: Assistant):
    answer = city.ask("未達成の指標がある北都区の令和6年度の事業は？")
    assert "商店街にぎわい支援事業" not in names(answer) and "胃がん検診事業" in names(answer)


def test_totals_of_two_towns_stand_beside_each_other_with_their_difference(city: Assistant):
    def whole(town: str) -> int:
        rows = [s["amounts"] for s in TRUTH if s["municipality"] == town and s["fiscal_year"] == 2024]
        return sum(r["yen"] for row in rows for r in row if r["label"] == "決算額" and r["year"] == 2024)

    answer = city.ask("湊見市と北都区で令和6年度の決算額の合計を比べて").answer
    assert all(f"{yen:,}円" in answer for yen in (whole("湊見市"), whole("北都区"), whole("湊見市") - whole("北都区")))


def test_a_rating_over_the_years_comes_from_the_table_that_prints_them(city: Assistant):
    # Ｂ in 令和3年度, Ａ in the two years after it
    answer = city.ask("校務支援システムの評価はここ数年でどう変わった？").answer
    assert "R3：B" in answer and "R4：A" in answer


def test_under_the_budget_is_told_whatever_a_form_calls_its_rows(city: Assistant):
    answer = city.ask("決算額が予算額を下回った北都区の事業")
    assert {"放置自転車対策事業", "胃がん検診事業", "商店街にぎわい支援事業"} <= set(names(answer))


def test_a_programme_that_was_renamed_counts_once(city: Assistant):
    found = names(city.ask("湊見市で総合評価がA以外の事業の数は？"))
    assert "ゼロカーボン推進事業（旧エコライフ推進事業）" in found and "エコライフ推進事業" not in found


def test_the_demands_that_were_read_stand_in_the_interpretation(city: Assistant):
    told = city.ask("湊見市で令和6年度の決算額が1億円以上で前年度より2割以上増えた事業は？").interpretation.text
    assert "決算額 100,000,000円以上" in told and "増加（20%以上）" in told
    assert "目標が未達成" in city.ask("目標を達成できなかった湊見市の事業（令和6年度）").interpretation.text


def test_years_without_a_figure_are_told_in_a_sum(city: Assistant) -> None:
    answer = city.ask("湊見市の令和元年度から令和6年度までの決算額の合計は？").answer
    assert "合計に入っていません" in answer and "令和元年度" in answer
    assert "合計に入っていません" not in city.ask("湊見市の令和6年度の決算額の合計は？").answer
