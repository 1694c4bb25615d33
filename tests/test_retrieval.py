"""Search is measured on collections of passages: figures by hand, real indexes, chances from scores."""

from __future__ import annotations

import json
from math import log2
from pathlib import Path

import numpy as np
import pytest
from fake_encoder import FakeEncoder

from corpus.documents import Span
from evals.retrieval.__main__ import main
from evals.retrieval.calibration import FirstHits, Sigmoid, calibrate, calibration_error, first_hits, platt
from evals.retrieval.engines import ABOUT
from evals.retrieval.measure import on_set, score
from evals.retrieval.sets import retrieval_sets, shelf
from index.encoder import load_encoder
from index.training.rows import HeldOut

PASSAGES = ["斎場を運営する。", "公用車を買い替える。", "図書館の本を貸し出す。", "サーバの更改を行う。"]
TEST = HeldOut("four", ["火葬はどこ", "本を借りたい", "機器のリプレース"], PASSAGES, [0, 2, 3])
DATA = Path(__file__).parents[2] / "shared" / "data"


def test_figures_by_hand() -> None:
    told = score([(["a", "b", "c"], frozenset("b")), (["x"], frozenset("y")), (["p", "q"], frozenset("pq"))])
    assert told.queries == 3
    assert told.ndcg10 == pytest.approx((1 / log2(3) + 0 + 1) / 3)
    assert told.recall1 == pytest.approx((0 + 0 + 0.5) / 3)
    assert told.recall5 == told.recall10 == pytest.approx((1 + 0 + 1) / 3)
    assert score([]).queries == 0


def test_a_shelf_is_one_document_whose_sections_are_the_passages() -> None:
    ((document, readings),) = shelf(PASSAGES)
    assert [document.text[r.sections[0].span.start : r.sections[0].span.end] for r in readings] == PASSAGES
    assert readings[1].sections[0].span == Span(9, 19)
    assert [r.sheet.sheet_id for r in readings] == ["0", "1", "2", "3"]


def test_each_engine_ranks_a_real_index() -> None:
    told = on_set(TEST, FakeEncoder(), ["bm25", "dense", "late", "encoder", "fused"])
    assert list(told) == ["bm25", "dense", "late", "encoder", "fused"]
    assert told["bm25"].recall1 == pytest.approx(1 / 3)  # 本 alone is written in a passage
    assert told["dense"].recall1 == told["late"].recall1 == told["fused"].recall1 == 1.0


def test_bm25s_and_ours_agree_on_what_is_written() -> None:
    pytest.importorskip("bm25s", reason="the extra bench (bm25s) is not installed")
    told = on_set(TEST, FakeEncoder(), ["bm25", "bm25s"])
    assert told["bm25"].recall5 == told["bm25s"].recall5 == pytest.approx(1 / 3)


def test_the_sigmoid_finds_the_chances_the_answers_were_drawn_with() -> None:
    rng = np.random.default_rng(1)
    scores = rng.random(20_000)
    drawn = (rng.random(20_000) < Sigmoid(6.0, -3.0)(scores)).astype(float)
    fitted = platt([FirstHits(scores, drawn)])
    assert fitted.slope == pytest.approx(6.0, abs=0.3) and fitted.offset == pytest.approx(-3.0, abs=0.2)
    assert calibration_error(fitted(scores), drawn) < 0.02
    assert calibration_error(np.full(20_000, 0.9), drawn) > 0.3


def test_a_set_is_judged_by_a_sigmoid_fitted_without_it() -> None:
    rng = np.random.default_rng(2)

    def drawn(shift: float) -> FirstHits:
        scores = rng.random(4000)
        return FirstHits(scores, (rng.random(4000) < Sigmoid(8.0, shift)(scores)).astype(float))

    _, told = calibrate({"a": drawn(-4.0), "b": drawn(-4.0), "b-lay": drawn(-4.0), "odd": drawn(-1.0)})
    assert told["a"]["error"] < told["odd"]["error"] / 2


def test_strange_questions_count_as_wrong() -> None:
    other = HeldOut("other", ["住民票がほしい"], ["市民課の窓口。"], [0])
    hits = first_hits(TEST, [other], FakeEncoder())
    assert hits.right.sum() == 3
    assert len(hits.scores) == 3 or not hits.right[-1]


def test_the_command_measures_a_question_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from index.build import build

    encoder = load_encoder()
    build(shelf(PASSAGES), encoder, tmp_path / "index").close()
    line = {"id": "a", "type": "semantic", "question": "火葬をする所", "sheets": [""], "answer": {"must": [["斎場"]]}}
    assert main(["--questions", str(tmp_path / "none.jsonl")]) == 1
    assert "none.jsonl" in capsys.readouterr().err
    (tmp_path / "q.jsonl").write_text(json.dumps(line | {"sheets": ["名"]}, ensure_ascii=False) + "\n", "utf-8")
    chosen = ["--questions", str(tmp_path / "q.jsonl"), "--index-dir", str(tmp_path / "index")]
    assert main([*chosen, "--engines", "bm25", "fused", "--out", str(tmp_path / "out.json")]) == 0
    told = json.loads((tmp_path / "out.json").read_text("utf-8"))
    assert told["questions"]["sheet semantic"]["fused"]["queries"] == 1
    assert set(told["about"]["engines"]) <= set(ABOUT)
    assert "| sheet semantic | 1 |" in capsys.readouterr().out


@pytest.mark.skipif(not DATA.is_dir(), reason="the open data is not beside this checkout")
def test_no_measured_passage_is_trained_on() -> None:
    from index.training.rows import training_pairs

    trained = {pair.passage for pair in training_pairs(DATA)}
    for test in retrieval_sets(DATA, most=200):
        assert not {test.passages[gold] for gold in test.gold} & trained, test.name


def test_chances_follow_scores(tmp_path: Path) -> None:
    from index.build import build

    index = build(shelf([*PASSAGES, "運転免許の更新は警察署で行う。"]), load_encoder(), tmp_path)
    hits = index.search("サーバの更改", 5).hits
    assert hits[0].text == PASSAGES[3] and 0.5 < hits[0].chance < 1
    chances = [hit.chance for hit in hits]
    assert chances == sorted(chances, reverse=True)
    index.close()
