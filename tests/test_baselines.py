"""Plain searches and peers as baselines."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from eval_fakes import GOOD, TEXT, VOID, Fake, lines
from fakes import FakeIndex

from evals import baselines as baselines_module
from evals.baselines import answering, baselines, chunks, dense
from evals.cases import Case, CaseFile, Expected
from evals.peers import peers
from evals.ranking import available, ranking
from evals.run import examine_cases
from evals.target import Target


@pytest.mark.skipif(not available(), reason="the extra eval (ir-measures) is not installed")
def test_ranking_by_hand() -> None:
    index = FakeIndex()
    sheets = [hit.sheet for hit in index.search("システム", 50).hits]
    order = list(dict.fromkeys((sheet.name, sheet.sheet_id) for sheet in sheets))
    assert len(order) >= 2
    second = case_of("a", "システム", order[1][0])
    void = Case.model_validate(VOID)
    told = ranking([second, void], lambda question, k: index.search(question, k).hits)
    assert told["R@1"] == 0.0 and told["R@5"] == 1.0
    assert told["RR@10"] == 0.5
    assert told["nDCG@10"] == pytest.approx(1 / 1.58496, abs=1e-4)  # 1 / log2(3)
    assert ranking([void], lambda question, k: ()) == {}
    assert set(ranking([second], lambda question, k: ()).values()) == {0.0}


def case_of(name: str, question: str, sheet: str) -> Case:
    return Case.model_validate(GOOD | {"id": name, "question": question, "sheets": [sheet]})


def test_baselines_answer_with_their_best_passage() -> None:
    index = FakeIndex()
    pieces = chunks(index)
    for piece in pieces:
        sheet = piece.found.sheet
        assert index.document(sheet.file).text[piece.span.start : piece.span.end] == piece.text
    road = case_of("road", "道路台帳の電子化", "道路台帳整備").model_copy(
        update={"answer": Expected(must=(("閲覧",),))}
    )
    later = case_of("nothing", "ヌヌヌ", "道路台帳整備")
    cases = CaseFile("q", (road, later), ())
    with baselines(index) as searches:
        assert list(searches) == ["bm25", "dense", "fused"]
        told = examine_cases(cases, answering(searches["bm25"], index, "bm25"), ranked=False)
    assert [outcome.score.right for outcome in told.outcomes] == [True, False]
    assert told.outcomes[1].score.causes[0] == "abstained"
    assert told.overall.quote_fidelity == 1.0


def test_the_baselines_on_the_command_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = Target(Fake(), lambda citation: TEXT, {}, FakeIndex())
    monkeypatch.setattr(baselines_module, "local", lambda folder: target)
    path = lines(tmp_path / "q.jsonl", GOOD, VOID)
    assert baselines_module.main([str(path), "--index-dir", "x"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in ("assistant", "bm25", "dense", "fused", "lookup-text"))
    assert baselines_module.main([str(path), "--index-dir", "x", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["assistant"]["overall"]["right"] == 2
    assert told["bm25"]["overall"]["abstention"]["recall"] == 1.0  # no word of 人口は stands in the fake sheets
    assert baselines_module.main([str(tmp_path / "missing.jsonl"), "--index-dir", "x"]) == 1


def test_dense_ranks_by_the_cosine() -> None:
    class Letters(FakeIndex):
        def encode(self, texts: list[str], kind: str = "query") -> Any:
            rows = np.array([[text.count(letter) + 1e-6 for letter in "道図広"] for text in texts], dtype=np.float32)
            return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    index = Letters()
    best = dense(chunks(index), index)("道道道", 2)
    assert {hit.sheet.name for hit in best} == {"道路台帳整備"}
    assert best[0].score >= best[1].score


@pytest.mark.parametrize("name", ["txtai", "haystack"])
def test_peers_find_what_stands_there(name: str) -> None:
    if find_spec(name) is None:
        pytest.skip(f"the extra bench ({name}) is not installed")
    index = FakeIndex()
    pieces = chunks(index)
    hits = peers(pieces, index)[name]("道路台帳を電子化", 3)
    assert hits[0].sheet.name == "道路台帳整備"
    assert index.document(hits[0].sheet.file).text[hits[0].span.start : hits[0].span.end] == hits[0].text
