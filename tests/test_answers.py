"""Answers over the bundled sheets and, where it is there, the real corpus: real files, real index, real encoder."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from assistant.session import Assistant
from assistant.types import Answer, Turn
from corpus.errors import QuestionError
from corpus.normalize import squeeze
from corpus.readers import read_document
from corpus.reading import read_sheets
from index.build import build
from index.encoder import load_encoder
from index.types import Filters

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "corpus" / "samples"
REAL = ROOT.parent / "shared" / "corpus"
TRUTH: list[dict[str, Any]] = json.loads((SAMPLES / "truth.json").read_text("utf-8"))["sheets"]
CASES = [json.loads(line) for line in (ROOT / "evals" / "cases" / "bundled.jsonl").read_text("utf-8").splitlines()]


def assistant_over(folder: Path, into: Path) -> Assistant:
    files = sorted(path for path in folder.iterdir() if path.suffix != ".md")
    documents = [read_document(path, path.name) for path in files]
    return Assistant(build(((d, read_sheets(d)) for d in documents), load_encoder(), into))


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    return assistant_over(SAMPLES / "files", tmp_path_factory.mktemp("bundled"))


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    if not REAL.is_dir():
        pytest.skip("the real corpus is not beside this checkout")
    return assistant_over(REAL, tmp_path_factory.mktemp("real"))


def cited(answer: Answer) -> set[str]:
    return {citation.sheet.name for citation in answer.citations}


def amount(sheet: str, year: int, label: str, town: str) -> int:
    """The figure of the sheet that reports on the year."""
    (row,) = [s for s in TRUTH if s["sheet"] == sheet and s["municipality"] == town and s["fiscal_year"] == year]
    (found,) = [a for a in row["amounts"] if a["year"] == year and a["label"] == label]
    return int(found["yen"])


def test_a_trend_is_told_over_all_sheets_of_the_programme_each_figure_from_its_own(city: Assistant):
    # The sheet of 令和6年度 prints 令和5年度 and 令和6年度; 令和4年度 stands in the sheet before, under the former name.
    answer = city.ask("ゼロカーボン推進事業の決算額の推移は？")
    told = {"エコライフ推進事業": [2022, 2023], "ゼロカーボン推進事業（旧エコライフ推進事業）": [2023, 2024]}
    yen = [f["yen"] for s in TRUTH if s["sheet"] in told for f in s["amounts"] if f["label"] == "決算額"]
    assert len(set(yen)) == 3 and all(f"{int(one):,}円" in answer.answer for one in yen)
    assert answer.chart is not None and len(answer.chart.x) == 3
    assert {(c.sheet.name, c.sheet.fiscal_year) for c in answer.citations} == {
        ("エコライフ推進事業", 2023),
        ("ゼロカーボン推進事業（旧エコライフ推進事業）", 2024),
    }
    for citation in answer.citations:
        text = city.index.document(citation.sheet.file).text
        assert text[citation.span.start : citation.span.end] == citation.quote and citation.where == "6ページ"
    # A filter on the year leaves the other years out.
    only = city.ask("ゼロカーボン推進事業の決算額の推移は？", filters=Filters(fiscal_year=(2024,)))
    assert {c.sheet.fiscal_year for c in only.citations} == {2024}


def test_a_change_that_ends_in_a_plan_says_so(city: Assistant):
    answer = city.ask("桜坂町の学校給食運営事業の事業費の推移は？").answer
    assert "令和7年度 予算：60,200,000円" in answer and "※令和7年度は予算です。" in answer
    settled = city.ask("湊見市の学校給食運営事業の決算額は令和5年度から令和6年度でどう変わった？").answer
    assert "増減：" in settled and "※" not in settled


def test_an_amount_of_a_year_stands_in_yen_with_its_row(city: Assistant):
    answer = city.ask("湊見市の学校給食運営事業　令和６年度の決算額")
    assert f"{amount('学校給食運営事業', 2024, '決算額', '湊見市'):,}円" in answer.answer
    assert cited(answer) == {"学校給食運営事業"}


def test_plan_and_actual_are_not_confused(city: Assistant):
    plan = city.ask("湊見市の学校給食運営事業　令和６年度の予算額").answer
    assert f"{amount('学校給食運営事業', 2024, '予算額', '湊見市'):,}円" in plan
    assert f"{amount('学校給食運営事業', 2024, '決算額', '湊見市'):,}円" not in plan


def test_the_largest_is_the_largest_of_all(city: Assistant):
    rows = [s for s in TRUTH if s["municipality"] == "湊見市" and s["fiscal_year"] == 2024]
    best = max(rows, key=lambda s: max(a["yen"] for a in s["amounts"] if a["year"] == 2024 and a["label"] == "決算額"))
    answer = city.ask("湊見市で令和6年度の決算額がいちばん大きい事業は？")
    assert cited(answer) == {best["sheet"]}


def test_a_sum_adds_up_over_the_department(city: Assistant):
    rows = [s for s in TRUTH if s["department"] == "市民課" and s["fiscal_year"] == 2023]
    total = sum(a["yen"] for s in rows for a in s["amounts"] if a["year"] == 2023 and a["label"] == "決算額")
    answer = city.ask("市民課のシステムの令和５年度決算の合計は？")
    assert len(rows) >= 2 and f"{total:,}円" in answer.answer
    assert cited(answer) == {s["sheet"] for s in rows}


def test_a_list_names_and_cites_every_match_and_says_how_many(city: Assistant):
    rows = {s["sheet"] for s in TRUTH if s["department"] == "情報政策課"}
    answer = city.ask("情報政策課が担当しているシステムを一覧にして")
    assert answer.table is not None
    assert {row[0] for row in answer.table.rows} == rows == cited(answer)
    assert all(answer.table.citations) and f"{len(rows)}件" in answer.answer


def test_what_exceeded_what_either_way_round(city: Assistant):
    over = city.ask("湊見市で令和6年度に決算額が予算額を上回った事業は？")
    turned = city.ask("湊見市で令和6年度に予算額を決算額が上回った事業は？")
    assert cited(over) == cited(turned) == {"学校給食運営事業"}


def test_a_date_is_given_in_both_ways_of_counting(city: Assistant):
    answer = city.ask("庁内ネットワークシステムの次期更改はいつ？").answer
    assert "令和7年1月（2025年1月、令和6年度）" in answer


def test_why_is_answered_from_the_section_that_explains(city: Assistant):
    answer = city.ask("放課後児童クラブで令和６年度に待機児童が目標に届かなかった理由は？").answer
    assert "欠員" in answer and "大規模マンション" not in answer  # that was the year before


def test_the_asking_clause_finds_the_date_in_the_sheet_that_the_other_clause_tells(city: Assistant):
    answer = city.ask("先生の仕事を楽にする道具で、契約が切れるのはいつ？")
    assert cited(answer) == {"校務支援システム"} and "令和7年8月末に満了" in answer.answer
    assert city.ask("先生の仕事を楽にする道具で、利用した保護者は何人？").abstained


def test_grades_of_two_years_are_held_against_each_other(city: Assistant):
    answer = city.ask("令和5年度にAだったのに令和3年度はBだったシステムは")
    assert "校務支援システム" in answer.answer and "全15件中1件" in answer.answer
    several = city.ask("住民記録システムの評価は令和3年度から5年度までどう変わった").answer
    assert "R3：A" in several and "R4：B" in several and "令和5年度）：B" in several


def test_a_value_left_out_chooses_the_others(city: Assistant):
    entrusted = {c.sheet.sheet_id for c in city.ask("実施方法が一部委託の事業は？").citations}
    others = {c.sheet.sheet_id for c in city.ask("実施方法が一部委託でないのは？").citations}
    assert entrusted and others and not entrusted & others


def test_all_sheets_are_counted_as_the_index_counts_them(city: Assistant):
    programmes = [sheet for sheet in city.index.sheets() if sheet.kind == "programme"]
    assert f"該当するシートは {len(programmes)}件です" in city.ask("全部で何シートある？").answer


def test_each_sentence_of_a_question_may_be_answered_by_a_statement_of_its_own(city: Assistant):
    answer = city.ask("先生が成績や出欠を付けるのに使っているものがあります。入れ替えはいつの予定ですか。")
    assert cited(answer) == {"校務支援システム"}
    assert "令和7年8月末に満了するため、クラウド型への更改を同年9月に行う" in answer.answer
    assert "取組予定内容" not in answer.answer, "the heading of a column within a section says nothing"


@pytest.mark.parametrize(
    "question",
    [
        "西浜市の放課後児童クラブの決算額",
        "戸籍総合システムの委託業者の社名は？",
        "庁内ネットワークシステムの令和10年度の決算額",
        "校務支援システムを使っている教員の満足度は何％ですか",
        "マイナンバーカードの交付率",
        "自主防災組織育成事業の訓練参加人数は何人",
        "子ども・子育て支援システムの次の更改時期は？",
        "ヤマト電算に委託している事業はどれ",
    ],
)
def test_what_the_sheets_do_not_say_is_refused(city: Assistant, question: str):
    answer = city.ask(question)
    assert answer.abstained and not answer.citations and answer.table is None
    assert (
        answer.state in ("該当なし", "関連する記載のみ") and answer.answer.startswith(answer.state) and answer.related
    )


def test_names_of_staff_are_in_no_answer(city: Assistant):
    people = {(s["sheet"], squeeze(s["person"])) for s in TRUTH if s.get("person")}
    assert people
    for sheet, person in sorted(people):
        answer = asdict(city.ask(f"{sheet}の担当者は誰ですか"))
        answer["citations"] = [c["quote"] for c in answer["citations"]]
        assert person not in squeeze(json.dumps(answer, ensure_ascii=False, default=str)), sheet


def test_a_follow_up_keeps_to_what_was_listed(city: Assistant):
    listed = city.ask("市民課が担当しているシステムを一覧にして")
    answer = city.ask(
        "そのうち令和5年度がＢ評価だったのは？", [Turn("user", "市民課が担当しているシステムを一覧にして")]
    )
    assert cited(answer) < cited(listed)


def test_the_year_before_is_the_one_before_the_year_asked_of(city: Assistant):
    asked = [
        ("湊見市の学校給食運営事業の令和6年度の決算額は？", "772,418,000円"),
        ("その前の年度は？", "709,815,000円"),
    ]
    asked += [("翌年度は？", "772,418,000円"), ("前年度の予算は？", "712,460,000円")]
    history: list[Turn] = []
    for question, figure in asked:
        answer = city.ask(question, history)
        assert figure in answer.answer and answer.answer.count("円") == 1, question
        history += [Turn("user", question), Turn("assistant", answer.answer)]


def test_a_name_alone_gives_the_sheet_at_a_glance(city: Assistant):
    answer = city.ask("AI-OCR・RPA")
    assert cited(answer) == {"AI-OCR・RPA"} and len(answer.citations) >= 3


def test_an_empty_and_an_overlong_question_are_refused_politely(city: Assistant):
    for question in (" \n", "予算" * 1001):
        with pytest.raises(QuestionError):
            city.ask(question)


@pytest.mark.parametrize(
    "question", ["こんにちは", "Hello, how are you?", "？？？", "\u202e予算", "'; DROP TABLE sheets; --", "😀"]
)
def test_odd_questions_get_an_answer_or_a_refusal(city: Assistant, question: str):
    assert city.ask(question).answer


def test_every_quote_is_a_stretch_of_its_document_and_answers_stay_short(city: Assistant):
    for case in CASES[::3]:
        answer = city.ask(case["question"], [Turn("user", text) for text in case.get("history", [])])
        for citation in answer.citations:
            text = city.index.document(citation.sheet.file).text
            assert citation.quote == text[citation.span.start : citation.span.end] != ""
        if case["type"] not in ("list", "aggregate"):
            assert len(answer.answer) <= 600, case["question"]


def test_lines_of_two_sheets_of_one_name_are_told_apart(real: Assistant):
    chart = real.ask("財務会計システムの予算額は？").chart
    assert chart is not None
    assert len({line.name for line in chart.series}) == len(chart.series) == 2


def test_the_flagship_question(real: Assistant):
    answer = real.ask("どのシステムが2025年にサーバ更改?")
    assert cited(answer) == {"統合仮想化基盤システム", "全庁ネットワークシステム"}
    assert answer.answer.count("令和7年1月") == 2
    assert (
        "2025年1月〜2025年12月" in answer.interpretation.text and "2025年4月〜2026年3月" in answer.interpretation.text
    )


def test_two_sheets_of_one_name_are_both_answered(real: Assistant):
    answer = real.ask("財務会計システムの令和3年度の決算額は？")
    assert {c.sheet.department for c in answer.citations} == {"財政課", "市民医療センター事務部総務課"}
