"""Questions in other words keep their meaning."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from eval_fakes import GOOD

from evals.cases import Case
from evals.paraphrase import WAYS, era, full_width, half_width, keywords, main, other_words, paraphrases, request

RNG = Random(0)


@pytest.mark.parametrize(
    ("way", "question", "expected"),
    [
        (era, "令和3年度と平成元年度", {"2021年度と1989年度"}),
        (era, "R3の決算", {"令和3年度の決算", "2021年度の決算"}),
        (era, "29年度とHP", {"29年度とHP"}),  # no era written, no year after the letter
        (full_width, "R3 A評価", {"Ｒ３ Ａ評価"}),
        (half_width, "システム・ガバメント", {"ｼｽﾃﾑ・ｶﾞﾊﾞﾒﾝﾄ"}),
        (request, "一覧を教えてください。", {"一覧を調べてもらえますか。"}),
        (request, "いくらですか？", {"いくらなのか知りたいです。"}),
        (request, "変わるのでしょうか", {"変わるのか知りたいです。"}),
        (request, "実績は？", {"実績はどうなっているか知りたい。"}),
        (keywords, "戸籍システムの決算額は？", {"戸籍システム　決算額"}),
        (other_words, "評価理由", {"その評価にした理由"}),  # the longer entry, not 理由
    ],
)
def test_ways_by_hand(way, question, expected):
    assert {way(question, Random(seed)) for seed in range(8)} <= expected
    assert way(question, RNG) in expected


def test_every_way_keeps_the_gold_and_tells_itself_in_the_id():
    case = Case.model_validate(GOOD | {"id": "a", "type": "lookup-number", "question": "R3の決算額を教えてください。"})
    made = paraphrases([case], 100)
    assert {one.id for one in made} == {f"a+{name}" for name in WAYS if name != "half-width"}  # no katakana in it
    assert all(one.question != case.question and one.sheets == case.sheets for one in made)
    assert all(one.answer == case.answer for one in made)


def test_the_same_seed_draws_the_same_questions():
    cases = [
        Case.model_validate(GOOD | {"id": str(n), "type": "list", "question": f"R{n}のシステムの一覧を教えて"})
        for n in range(1, 20)
    ]
    assert paraphrases(cases, 40, seed=3) == paraphrases(cases, 40, seed=3) != paraphrases(cases, 40, seed=4)
    ways = [one.id.split("+")[1] for one in paraphrases(cases, 40)]
    assert max(map(ways.count, set(ways))) - min(map(ways.count, set(ways))) <= 1


def test_the_command_writes_a_question_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "q.jsonl").write_text(json.dumps(GOOD, ensure_ascii=False) + "\n", "utf-8")
    assert main([str(tmp_path / "q.jsonl"), str(tmp_path / "out.jsonl"), "--count", "2"]) == 0
    lines = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == 2 and all(json.loads(line)["question"] != GOOD["question"] for line in lines)
    assert main([str(tmp_path / "none.jsonl"), str(tmp_path / "out.jsonl")]) == 1
    assert "none.jsonl" in capsys.readouterr().err
