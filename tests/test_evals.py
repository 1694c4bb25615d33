"""Runs over a fake assistant: their figures, the command line, and the runs that are kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from eval_fakes import GOOD, LATER, TEXT, VOID, Fake, lines

from corpus.errors import SettingsError
from evals import run as run_module
from evals.cases import Case, collect
from evals.run import examine, main, run
from evals.runs import keep, load, previous


def test_history_is_replayed_with_its_answers() -> None:
    fake = Fake()
    outcome = run([Case.model_validate(LATER)], fake, lambda citation: TEXT)[0]
    assert outcome.score.right
    assert [question for question, _ in fake.asked] == ["戸籍システムの評価は？", "いつ？", "理由は？"]
    assert fake.asked[0][1] == []
    assert fake.asked[2][1] == [
        {"role": "user", "content": "戸籍システムの評価は？"},
        {"role": "assistant", "content": "法務省の日程[1]"},
        {"role": "user", "content": "いつ？"},
        {"role": "assistant", "content": "該当なし"},
    ]


def test_an_exception_costs_its_own_case_only(tmp_path: Path) -> None:
    path = lines(tmp_path / "q.jsonl", GOOD | {"id": "x", "question": "壊れる？"}, GOOD, VOID)
    result = examine(path, Fake().target())
    assert [outcome.score.right for outcome in result.outcomes] == [False, True, True]
    told = result.payload()["cases"][0]
    assert told["causes"] == ["error"]
    assert "RuntimeError: 壊れた" in told["why"][0]


def test_the_json_has_the_shape_of_the_contract(tmp_path: Path) -> None:
    path = lines(tmp_path / "q.jsonl", GOOD, VOID, LATER, GOOD | {"id": "w", "sheets": ["税系システム"]}, "oops")
    told = json.loads(json.dumps(examine(path, Fake().target()).payload()))
    overall = told["overall"]
    assert (overall["n"], overall["right"]) == (4, 3)
    assert overall["citation_recall"] == pytest.approx(2 / 3, abs=1e-4)
    assert overall["quote_fidelity"] == 1.0
    assert overall["abstention"]["precision"] == 1.0 and overall["abstention"]["recall"] == 1.0
    assert set(overall["latency_ms"]) == {"p50", "p95"}
    assert list(told["by_type"]) == ["lookup-text", "unanswerable", "follow-up"]
    assert told["by_type"]["lookup-text"]["n"] == 2 and told["by_type"]["lookup-text"]["right"] == 1
    assert set(told["by_type"]["follow-up"]) == set(overall)
    assert told["malformed"][0]["line"] == 5
    wrong = told["cases"][3]
    assert wrong["causes"] == ["wrong-sheet", "citation-precision"]
    assert wrong["expected"]["sheets"] == ["税系システム"]
    assert wrong["got"]["sheets"] == ["戸籍システム@市民課"]


@pytest.fixture
def fake_local(monkeypatch: pytest.MonkeyPatch) -> Fake:
    fake = Fake()
    monkeypatch.setattr(run_module, "local", lambda folder: fake.target())
    return fake


def test_the_command_line(tmp_path: Path, fake_local: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    path = lines(tmp_path / "q.jsonl", GOOD, "oops", VOID)
    options = [str(path), "--index-dir", str(tmp_path), "--runs", str(tmp_path / "runs")]
    assert main([*options, "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["overall"]["right"] == 2
    assert "2行目" in err
    assert main(options) == 0
    out = capsys.readouterr().out
    assert "2/2" in out
    assert "直った 0、壊れた 0" in out  # against the run just before


def test_nothing_to_run_is_a_failure(tmp_path: Path, fake_local: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    runs = ["--runs", str(tmp_path / "runs")]
    assert main([str(lines(tmp_path / "q.jsonl", "oops")), "--json", *runs]) == 1
    assert main([str(tmp_path / "missing.jsonl"), *runs]) == 1
    assert "ありません" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_what_cannot_be_written_costs_no_figures(
    tmp_path: Path, fake_local: Fake, capsys: pytest.CaptureFixture[str]
) -> None:
    path = lines(tmp_path / "q.jsonl", GOOD)
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert main([str(path), "--runs", str(tmp_path / "file" / "runs"), "--index-dir", "x"]) == 0
    out, err = capsys.readouterr()
    assert "1/1" in out and "保存できませんでした" in err
    options = ["--runs", str(tmp_path / "runs"), "--index-dir", "x", "--report"]
    assert main([str(path), *options, str(tmp_path / "file" / "r.html")]) == 1
    assert "1/1" in capsys.readouterr().out
    assert main([str(path), *options, str(tmp_path / "r.html")]) == 0
    assert "コード" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_kept_runs_are_found_again(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    path = lines(tmp_path / "q.jsonl", GOOD, VOID)
    first = keep(examine(path, Fake().target()), runs)
    second = keep(examine(path, Fake().target()), runs)
    other = keep(examine(lines(tmp_path / "other.jsonl", VOID), Fake().target()), runs)
    kept = load(str(first), runs)
    assert kept["about"]["index_version"] == "fake"
    assert set(kept) >= {"run", "at", "hyoka", "commit", "overall", "by_type", "cases"}
    assert load(first.stem, runs) == kept
    assert load("last", runs)["run"] == other.stem
    found = previous("q.jsonl", runs)
    assert found is not None and found["run"] == second.stem
    second.write_text("{broken", encoding="utf-8")
    found = previous("q.jsonl", runs)
    assert found is not None and found["run"] == first.stem
    assert previous("new.jsonl", runs) is None
    for wrong in ("2001", str(second), str(path)):
        with pytest.raises(SettingsError):
            load(wrong, runs)


def test_the_baseline_decides_the_exit_status(
    tmp_path: Path, fake_local: Fake, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--runs", str(tmp_path / "runs")]
    good = lines(tmp_path / "q.jsonl", GOOD, VOID)
    committed = keep(examine(good, fake_local.target()), tmp_path)
    assert main([str(good), *options, "--baseline", str(committed)]) == 0
    worse = lines(tmp_path / "q.jsonl", GOOD | {"answer": {"must": [["総務省"]]}}, VOID)
    assert main([str(worse), *options, "--baseline", str(committed)]) == 2
    assert "全体の正答率が 1.000 から 0.500" in capsys.readouterr().err
    assert main([str(worse), *options, "--baseline", str(committed), "--margin", "1"]) == 0
    assert main([str(worse), *options, "--baseline", str(tmp_path / "missing.json")]) == 1


def test_a_town_may_stand_alone_or_in_a_list() -> None:
    row = {"id": "a", "type": "list", "question": "q", "sheets": ["s"]}
    for given, read in (("湊見市", ("湊見市",)), (["湊見市", "桜坂町"], ("湊見市", "桜坂町")), ("", ()), ([], ())):
        (case,) = collect("x", [(1, {**row, "municipality": given})]).cases
        assert case.municipality == read
