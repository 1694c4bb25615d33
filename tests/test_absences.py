"""What the sheets do not hold is refused, what they tell twice is told twice: on the bundled sheets."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_answers import SAMPLES, assistant_over

from assistant.payload import answer_json
from assistant.session import Assistant
from assistant.tallies import column_total
from evals.cases import read_cases
from evals.run import examine_cases
from evals.target import asking

CASES = Path(__file__).parent.parent / "evals" / "cases" / "answers.jsonl"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    return assistant_over(SAMPLES / "files", tmp_path_factory.mktemp("absences"))


@pytest.mark.parametrize(
    ("question", "missing"),
    [
        ("デマンド交通運行事業の令和2年度の決算額は？", "令和2年度の記載はありません"),
        ("東浜市の学校給食運営事業の決算額は？", "東浜市の評価シートは索引にありません"),
        ("放課後児童クラブ運営事業の令和6年度上半期の待機児童数は？", ""),
        ("一時預かり保育事業の令和5年度第2四半期の延べ利用児童数は？", ""),
        ("防災情報共有システムの令和3年度の評価は？", ""),
        ("ごみ減量・資源化推進事業で令和6年度に目標を達成できなかった理由は？", "の欄に記載がありません"),
    ],
)
def test_a_time_a_town_or_a_blank_cell_that_is_not_there_is_refused(city: Assistant, question: str, missing: str):
    answer = city.ask(question)
    assert answer.abstained and not answer.citations
    assert missing in answer.searched.missing and answer.searched.missing in answer.answer


@pytest.mark.parametrize(
    "question",
    [
        "デマンド交通運行事業の令和6年度の決算額は？",
        "放課後児童クラブ運営事業の令和6年度の待機児童数は？",
        "防災情報共有システムの令和5年度の評価は？",
        "学校給食運営事業で令和6年度に目標を達成できなかった理由は？",
    ],
)
def test_the_same_questions_of_what_is_there_are_answered(city: Assistant, question: str):
    answer = city.ask(question)
    assert not answer.abstained and answer.state == "根拠あり" and answer.citations


def test_the_json_tells_the_state_and_what_was_searched(city: Assistant):
    told = answer_json(city.ask("東浜市の学校給食運営事業の令和6年度の決算額は？"), city.index).model_dump(mode="json")
    assert told["state"] == "該当なし" and told["abstained"]
    assert told["searched"]["municipalities"] == ["東浜市"] and told["searched"]["periods"] == ["令和6年度"]
    assert "決算額" in told["searched"]["fields"] and told["searched"]["count"] > 0
    near = city.ask("戸籍総合システムの委託業者の社名は？")
    assert near.state == "関連する記載のみ" and near.searched.sheets == ("戸籍総合システム",)


def test_a_count_that_the_text_states_otherwise_is_shown_with_both_proofs(city: Assistant):
    # The preface counts 11 and 3; the list and the sheets give 10 Ａ, 4 Ｂ and 1 Ｃ.
    answer = city.ask("進捗状況報告書の令和5年度のＢ評価は何件ですか？")
    assert "4件" in answer.answer and "3件" in answer.answer and "一致していません" in answer.answer
    assert any("Ｂ評価が3件" in citation.quote for citation in answer.citations)
    assert answer.table is not None and len(answer.table.rows) == 4 and all(answer.table.citations)
    agreed = city.ask("湊見市のシステムで令和5年度の取組状況がＣ評価だったのは何件？").answer
    assert "1件" in agreed and "一致" not in agreed


def test_the_rating_of_a_year_comes_from_the_table_over_the_years_where_the_sheets_print_another(city: Assistant):
    answer = city.ask("令和4年度にＢ評価だった湊見市のシステムを一覧にして")
    assert answer.table is not None and [row[0] for row in answer.table.rows] == ["住民記録システム"]


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).filter(any), min_size=1, max_size=6))
def test_a_column_of_counts_adds_up_and_shares_that_do_not_fit_are_not_believed(rows: list[tuple[int, int]]):
    cells = "".join(f"{n}件({100 * n / sum(row):.0f}%)" for row in rows for n in row)
    whole = tuple(map(sum, zip(*rows[:-1], strict=True))) if len(rows) > 2 else ()
    expected = rows[-1] if rows[-1] == whole else tuple(map(sum, zip(*rows, strict=True)))
    assert (column_total(f"a評価b評価{cells}", "A"), column_total(f"a評価b評価{cells}", "B")) == expected
    assert column_total(f"a評価b評価{cells}", "C") is None
    assert column_total("a評価b評価1件(90%)1件(10%)", "A") is None


def test_what_is_suggested_can_be_asked(city: Assistant):
    programmes = [sheet for sheet in city.index.sheets() if sheet.kind == "programme"]
    sheets = random.Random(5).sample(programmes, min(50, len(programmes)))
    assert len(sheets) >= 40
    asked = 0
    for sheet in sheets:
        for question in city.ask(f"{sheet.municipality}の{sheet.name}の概要").suggestions:
            answer = city.ask(question)
            asked += 1
            assert not answer.abstained, question
            assert (sheet.name, sheet.municipality) in {(c.sheet.name, c.sheet.municipality) for c in answer.citations}
    assert asked >= 2 * len(sheets)


def test_the_questions_on_what_is_not_there_and_what_disagrees_keep_their_score(city: Assistant):
    result = examine_cases(read_cases(CASES), asking(city), ranked=False)
    assert not result.bad and len(result.outcomes) == 44
    wrong = [outcome.case.id for outcome in result.outcomes if not outcome.score.right]
    # Known shortfall: an-040 is answered with what stands near it (関連する記載のみ) where nothing should be.
    assert len(wrong) <= 2, wrong
    refused = [outcome.case.id for outcome in result.outcomes if outcome.case.unanswerable]
    assert len(refused) == 18 and set(refused) & set(wrong) <= {"an-040"}
