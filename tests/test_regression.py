"""The curated questions on the bundled sheets, asked for real: rightness must not fall under evals/baseline.json.

When it fell on purpose, or rose: ``python -m evals.baseline --refresh`` (``make baseline``) and commit the file.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpus.errors import SettingsError
from evals import baseline
from evals.baseline import MARGIN_OVERALL, MARGIN_TYPE, load_baseline, losses, measure, summary
from evals.cases import CASE_TYPES, Case, CaseFile
from evals.run import examine_cases
from evals.target import Target


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> baseline.Measured:
    return measure(tmp_path_factory.mktemp("bundled"))


def test_rightness_does_not_fall_under_the_baseline(measured: baseline.Measured) -> None:
    told = losses(load_baseline(), summary(measured.result))
    assert not told, "\n".join(told)


def test_the_baseline_knows_every_question(measured: baseline.Measured) -> None:
    committed = load_baseline()
    assert tuple(committed["by_type"]) == CASE_TYPES and committed["overall"]["n"] >= 150
    assert sum(part["right"] for part in committed["by_type"].values()) == len(committed["right"])
    assert set(committed["right"]) <= {outcome.case.id for outcome in measured.result.outcomes}
    assert not measured.result.bad


def test_no_question_breaks_and_every_quote_is_verbatim(measured: baseline.Measured) -> None:
    assert [outcome.error for outcome in measured.result.outcomes if outcome.error] == []
    assert measured.result.overall.quote_fidelity == 1.0


def test_the_set_is_quick(measured: baseline.Measured) -> None:
    # Seconds of the processor: what else the machine does must not fail this.
    assert measured.processor < 30
    assert measured.overhead < 5


def test_two_may_be_lost_and_three_are_told() -> None:
    kinds = {"list": {"n": 5, "right": 5}, "semantic": {"n": 5, "right": 4}}
    committed = {"overall": {"n": 10, "right": 9}, "by_type": kinds, "right": [f"q{n}" for n in range(9)]}

    def after(lists: int, semantic: int) -> list[str]:
        kinds = {"list": {"n": 5, "right": lists}, "semantic": {"n": 5, "right": semantic}}
        right = [f"q{n}" for n in range(lists + semantic)]
        return losses(committed, {"overall": {"n": 10, "right": lists + semantic}, "by_type": kinds, "right": right})

    assert (MARGIN_OVERALL, MARGIN_TYPE) == (2, 2)
    assert after(5, 4) == [] and after(3, 4) == [] and after(4, 3) == []  # 9, 7 and 7 of 10
    assert after(3, 3) == ["全体の正答が 9 から 6 に減りました（許容 2）。", "正しく答えられなくなった質問: q6、q7、q8"]
    assert after(2, 5)[0] == "listの正答が 5 から 2 に減りました（許容 2）。"  # 7 of 10: over all it may
    other = {**committed, "by_type": {"list": {"n": 6, "right": 5}, "semantic": kinds["semantic"]}}
    assert "--refresh" in losses(committed, other)[0]


def test_the_command_refreshes_and_compares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    right = {"n": 4}

    def fake(folder: Path) -> baseline.Measured:
        cases = tuple(Case(id=f"q{n}", type="unanswerable", question=f"問い{n}", unanswerable=True) for n in range(6))

        def ask(question, history, filters):
            return {"answer": "", "abstained": int(question[-1]) < right["n"], "citations": []}

        target = Target(ask, lambda citation: None)
        return baseline.Measured(examine_cases(CaseFile("bundled.jsonl", cases, ()), target), 0.0, 0.0, target)

    monkeypatch.setattr(baseline, "measure", fake)
    monkeypatch.setattr(baseline, "ROOT", tmp_path)
    monkeypatch.setattr(baseline, "BASELINE", tmp_path / "baseline.json")
    monkeypatch.setattr(baseline, "load_baseline", lambda: load_baseline(tmp_path / "baseline.json"))
    assert baseline.main([]) == 1 and "--refresh" in capsys.readouterr().err
    assert baseline.main(["--refresh"]) == 0
    kept = json.loads((tmp_path / "baseline.json").read_text(encoding="utf-8"))
    assert kept["overall"] == {"n": 6, "right": 4} and kept["right"] == ["q0", "q1", "q2", "q3"]
    assert baseline.main([]) == 0
    right["n"] = 5
    assert baseline.main([]) == 0 and "新しく正しくなった質問: q4" in capsys.readouterr().out
    right["n"] = 1
    assert baseline.main([]) == 2 and "4 から 1" in capsys.readouterr().err


def test_a_damaged_baseline_names_the_next_step(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text("[]", encoding="utf-8")
    with pytest.raises(SettingsError, match="--refresh"):
        load_baseline(tmp_path / "b.json")


def test_the_witness_of_the_metrics_agrees_on_real_answers(measured: baseline.Measured) -> None:
    from test_metrics import witness

    index = measured.target.index
    texts = {sheet.file: index.document(sheet.file).text for sheet in index.sheets()}
    apart = [
        outcome.case.id
        for outcome in measured.result.outcomes
        if outcome.score.right != witness(outcome.case.model_dump(mode="json"), outcome.payload, texts)
    ]
    assert len(apart) <= 1, apart
