"""Tuning: questions made from sheets, weights fitted to them, the proof on held-out sheets, and the file they stand in."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from hypothesis import given
from hypothesis import strategies as st

from assistant.cli import run
from corpus.errors import IndexFolderError
from corpus.normalize import squeeze
from corpus.readers import read_document
from corpus.reading import read_sheets
from index.build import build
from index.encoder import load_encoder
from index.fusion import Mix, Weights
from index.snapshot import Snapshot
from index.tuning.bounds import BOUNDS, as_table, flat, from_table, movable, moved
from index.tuning.fit import FEWEST, LEVEL, compared, fit, folds, grouped
from index.tuning.material import Material
from index.tuning.problems import Bench, Problem, prepare
from index.tuning.questions import MIX, TuningQuestion, generate_questions, shortened
from index.tuning.store import TUNING, Tuning, load, reset, save

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "corpus" / "samples" / "files"
COUNT = 100
# Ranks by what matters least: far words count as much as near ones, the rare word's BM25 decides.
BAD = Weights(
    by_words=Mix(0.0, 0.9, 0.1), by_meaning=Mix(0.0, 0.9, 0.1), low=0.65, high=0.9, sheet_dense=0.7, sheet_best=0.7
)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The bundled sheets with the bundled encoder."""
    documents = [read_document(path, path.name) for path in sorted(SAMPLES.iterdir()) if path.suffix != ".md"]
    readings = ((document, read_sheets(document)) for document in documents)
    return build(readings, load_encoder(), tmp_path_factory.mktemp("tuning") / "index")


@pytest.fixture(scope="module")
def questions(index: Snapshot) -> list[TuningQuestion]:
    return generate_questions(index, seed=1, count=COUNT)


@pytest.fixture(scope="module")
def problems(index: Snapshot, questions: list[TuningQuestion]) -> list[Problem]:
    return prepare(index, questions)


def test_the_same_seed_gives_the_same_questions(index: Snapshot, questions: list[TuningQuestion]) -> None:
    assert generate_questions(index, seed=1, count=COUNT) == questions
    assert {q.text for q in generate_questions(index, seed=2, count=COUNT)} != {q.text for q in questions}


def test_the_kinds_stand_in_their_proportions(questions: list[TuningQuestion]) -> None:
    assert len(questions) == COUNT == len({q.text for q in questions})
    for kind, share in MIX.items():
        assert sum(q.kind == kind for q in questions) == pytest.approx(COUNT * share, abs=1)


def test_what_a_question_was_made_from_stands_in_its_right_sheet(
    index: Snapshot, questions: list[TuningQuestion]
) -> None:
    sheets = {sheet.sheet_id: sheet for sheet in index.sheets()}
    sections = {found.section_id: found for found in index.sections()}
    for question in questions:
        assert question.quote and question.sheets
        if question.kind == "name":
            assert question.quote in {sheets[s].name for s in question.sheets}
            continue
        printed = [index.document(sheets[s].file).text for s in question.sheets]
        assert any(question.quote in text for text in printed)
        assert {sections[n].sheet.sheet_id for n in question.sections} <= set(question.sheets)
        if question.kind in ("phrase", "everyday", "other-words"):
            assert all(squeeze(question.quote) in squeeze(sections[n].section.text) for n in question.sections)


def test_a_question_in_other_words_shares_none_with_its_sheets(
    index: Snapshot, questions: list[TuningQuestion]
) -> None:
    material = Material(index)
    for question in questions:
        if question.kind == "other-words":
            # The frame around the words is furniture that a sheet may print too.
            asked = set(index.synonyms.expand(question.text).words)
            shared = asked & material.words_of(question.sheets)
            assert len(shared) <= len(asked) - 2, question


def test_every_sheet_that_prints_the_same_is_right(index: Snapshot, questions: list[TuningQuestion]) -> None:
    texts = {
        sheet.sheet_id: squeeze("".join(index.document(sheet.file).text[s.start : s.end] for s in sheet.spans))
        for sheet in index.sheets()
    }
    for question in questions:
        if question.kind == "phrase":
            printing = {sheet_id for sheet_id, text in texts.items() if squeeze(question.quote) in text}
            assert printing <= set(question.sheets)


def test_no_question_is_made_from_the_names_of_staff(index: Snapshot, questions: list[TuningQuestion]) -> None:
    staff = {found.section_id for found in index.sections(fields=["担当者"])}
    assert staff and not staff & {n for q in questions for n in q.sections}


def test_a_shortened_name_keeps_what_tells_it_apart() -> None:
    assert shortened("一時預かり保育事業（公立分）") == "一時預かり保育"
    assert shortened("税事業") == "税事業"  # three characters at least must be left


def test_a_problem_is_ranked_as_the_search_ranks_its_question(index: Snapshot, problems: list[Problem]) -> None:
    values = Bench(problems).values(Weights())
    for problem, value in zip(problems, values, strict=True):
        asked = problem.question
        hits = index.search(asked.text, 1000).hits
        sheet = _place(list(dict.fromkeys(h.sheet.sheet_id for h in hits)), set(asked.sheets))
        expected = 1 / np.log2(1 + sheet) if 0 < sheet <= 10 else 0.0
        if asked.sections:
            section = _place(list(dict.fromkeys(h.section_id for h in hits)), set(asked.sections))
            expected = (2 * expected + (1 / section if 0 < section <= 10 else 0.0)) / 3
        assert value == pytest.approx(expected, abs=1e-6), asked


def _place(ranked: list[Any], right: set[Any]) -> int:
    return next((place for place, one in enumerate(ranked, start=1) if one in right), 0)


def test_a_bad_start_is_improved_on_sheets_the_search_has_not_seen(problems: list[Problem]) -> None:
    bench = Bench(problems)
    found = fit(bench, BAD, prior=1.0)
    assert found.refused == ""
    assert found.overall.low > 0
    assert bench.values(found.weights).mean() > bench.values(BAD).mean() + 0.05
    assert abs(found.level_after - found.level_before) <= LEVEL * found.level_before + 1e-9
    from_table(as_table(found.weights), BAD)  # within bounds, shares summing to what they summed to


def test_gold_that_has_nothing_to_do_with_the_questions_changes_nothing(problems: list[Problem]) -> None:
    kept = 0
    for seed in range(5):  # a gain beyond a 99 % interval may be chance once
        draw = Random(seed)
        shuffled = []
        for problem in problems[::2]:
            sheet = draw.choice(sorted(set(problem.candidates.sheets.tolist())))
            right = problem.candidates.sheets == sheet
            question = replace(problem.question, sections=())
            shuffled.append(replace(problem, question=question, sheets=right))
        kept += fit(Bench(shuffled)).refused == ""
    assert kept <= 1


def test_few_questions_prove_nothing(problems: list[Problem]) -> None:
    assert "足りません" in fit(Bench(problems[: FEWEST - 30]), BAD).refused


def test_when_the_time_is_up_the_start_stays(problems: list[Problem]) -> None:
    found = fit(Bench(problems[:60], deadline=0.0), BAD)
    assert found.weights == BAD and found.cut_short and found.refused


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=3), min_size=1, max_size=40))
def test_no_sheet_stands_in_two_folds(sheets: list[list[str]]) -> None:
    parts = folds(grouped(sheets), 4)
    assert sorted(row for part in parts for row in part.tolist()) == list(range(len(sheets)))
    seen = [{sheet for row in part for sheet in sheets[row]} for part in parts]
    assert sum(map(len, seen)) == len(set().union(*seen))


def test_the_interval_widens_where_few_sheets_carry_the_gain() -> None:
    before, after = np.zeros(40), np.tile([0.0, 0.2], 20)
    alone = compared(before, after, np.arange(40))
    together = compared(before, after, np.array([0, 1] * 20))
    assert alone.gain == together.gain == pytest.approx(0.1)
    assert together.low < alone.low < 0.1 < alone.high < together.high


def test_every_bound_names_a_weight_and_holds_its_default() -> None:
    defaults = flat(Weights())
    assert set(BOUNDS) <= set(defaults)
    assert all(low <= defaults[path] <= high for path, (low, high) in BOUNDS.items())


@given(st.lists(st.tuples(st.sampled_from(sorted(BOUNDS)), st.floats(-0.6, 0.6)), max_size=12))
def test_however_weights_are_moved_they_stay_readable(moves: list[tuple[str, float]]) -> None:
    weights = Weights()
    for path, by in moves:
        weights = moved(weights, path, by) or weights
    assert from_table(json.loads(json.dumps(as_table(weights))), Weights()) == weights
    assert set(movable(weights)) == set(BOUNDS)


def a_tuning(digest: str = "digest of fake", **changes: float) -> Tuning:
    return Tuning(replace(Weights(), **changes), digest, "v1", datetime(2026, 4, 1, tzinfo=UTC), {"seed": 0})


def test_a_stored_tuning_is_read_back_and_reset(tmp_path: Path) -> None:
    assert load(tmp_path, "digest of fake") == (None, "")
    save(tmp_path, a_tuning(head=0.8))
    assert load(tmp_path, "digest of fake") == (a_tuning(head=0.8), "")
    assert [file.name for file in tmp_path.iterdir()] == [TUNING]
    assert reset(tmp_path) and not reset(tmp_path)


@pytest.mark.parametrize("changes", [
    {"format": 99}, {"weights": {}}, {"weights": None}, {"base": {"head": 1}}, {"encoder_digest": 3}, {"report": []},
    {"created": "gestern"},
])  # fmt: skip
def test_a_foreign_file_is_told_and_not_used(tmp_path: Path, changes: dict[str, Any]) -> None:
    table = json.loads(a_tuning().dumps()) | changes
    del table["sha256"]  # of a file that somebody wrote, not of one that a disk has changed
    (tmp_path / TUNING).write_text(json.dumps(table), "utf-8")
    tuning, problem = load(tmp_path, "digest of fake")
    assert tuning is None
    assert "使えません" in problem and "hyoka tune --reset" in problem


@pytest.mark.parametrize("weights", [
    {"head": 1.7}, {"head": float("nan")}, {"head": "0.9"}, {"head": True}, {"least_share": 0.9},
    {"low": 0.6, "high": 0.4}, {"by_words": {"coverage": 0.9, "lexical": 0.9, "dense": 0.9}}, {"more": 1.0},
])  # fmt: skip
def test_weights_out_of_bounds_are_not_used(tmp_path: Path, weights: dict[str, Any]) -> None:
    table = json.loads(a_tuning().dumps())
    del table["sha256"]
    table["weights"] |= weights
    (tmp_path / TUNING).write_text(json.dumps(table), "utf-8")
    assert load(tmp_path, "digest of fake")[0] is None


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"null", a_tuning().dumps().encode()[:200]])
def test_a_damaged_file_is_told_and_not_used(tmp_path: Path, content: bytes) -> None:
    (tmp_path / TUNING).write_bytes(content)
    tuning, problem = load(tmp_path, "digest of fake")
    assert tuning is None and problem.endswith("消してください。")


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, a_tuning(head=0.8))

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(IndexFolderError, match="空き容量"):
        save(tmp_path, a_tuning(head=0.7))
    assert load(tmp_path, "digest of fake")[0] == a_tuning(head=0.8)
    assert [file.name for file in tmp_path.iterdir()] == [TUNING]


KILLED = """
import os, signal, sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from index.fusion import Weights
from index.tuning.store import Tuning, save
os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)
save(Path(sys.argv[1]), Tuning(replace(Weights(), head=0.7), "digest of fake", "v1", datetime.now(UTC), {}))
"""


def test_a_run_that_is_killed_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    save(tmp_path, a_tuning(head=0.8))
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert load(tmp_path, "digest of fake")[0] == a_tuning(head=0.8)


FILES = ("hokuto_hyoka_r6.html", "sakurazaka_seika_r6.docx")


@pytest.fixture
def folder(tmp_path: Path, here: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index of two bundled files in the working folder; the search for weights takes one step only."""
    monkeypatch.setattr("index.tuning.fit._STEPS", (0.2,))
    for name in FILES:
        shutil.copy(SAMPLES / name, tmp_path)
    assert run(["index", *FILES]) == 0
    capsys.readouterr()
    return Path(".hyoka/index")


def test_search_uses_the_stored_weights(folder: Path) -> None:
    encoder = FakeEncoder()
    plain = Snapshot.open(folder, encoder).search("事業の見直し", 5)
    save(folder, a_tuning(encoder.digest, sheet_best=0.0, head=0.6))
    tuned = Snapshot.open(folder, encoder)
    assert tuned.weights.head == 0.6
    assert [hit.score for hit in tuned.search("事業の見直し", 5).hits] != [hit.score for hit in plain.hits]


def test_an_unusable_file_is_reported_and_the_defaults_serve(
    folder: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    save(folder, a_tuning("another encoder", head=0.6))
    with caplog.at_level(logging.WARNING):
        assert Snapshot.open(folder, FakeEncoder()).weights == Weights()
    assert "別の埋め込みモデル" in caplog.text
    assert run(["search", "事業"]) == 0
    assert "別の埋め込みモデル" in capsys.readouterr().err


def test_tune_measures_stores_and_resets(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def tuned(*arguments: str) -> Any:
        assert run(["tune", "--json", "--count", "50", *arguments]) == 0
        said = capsys.readouterr()
        assert said.err
        return json.loads(said.out)

    tried = tuned("--dry-run")
    assert not tried["stored"] and not (folder / TUNING).exists()
    assert sum(tried["questions"].values()) == tried["overall"]["n"]
    low, high = tried["overall"]["interval"]
    assert low - 1e-4 <= tried["overall"]["gain"] <= high + 1e-4
    assert tried["accepted"] == (tried["reason"] == "")
    done = tuned()
    assert done["stored"] == done["accepted"] == tried["accepted"] == (folder / TUNING).exists()
    save(folder, a_tuning(head=0.6))
    assert run(["tune", "--reset"]) == 0
    assert not (folder / TUNING).exists()
    assert "標準の重みに戻ります" in capsys.readouterr().err
    assert run(["tune", "--reset"]) == 0
    assert "調整はありません" in capsys.readouterr().err


def test_tune_prints_a_table_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["tune", "--count", "50", "--minutes", "0.1", "--dry-run"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[0].split("\t")[:4] == ["質問の種類", "問", "調整前", "調整後"]
    assert said.out.splitlines()[1].startswith("全体\t")


def test_a_citys_own_questions_count(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = next(s.name for s in Snapshot.open(folder, FakeEncoder()).sheets() if s.kind == "programme")
    rows = [
        {"type": "semantic", "question": "どこで困りごとを聞いてくれる？", "sheets": [name]},
        {"type": "semantic", "question": "どこにもない事業", "sheets": ["どこにもない事業"]},
        {"type": "unanswerable", "question": "来年の天気は？", "unanswerable": True},
    ]
    file = Path("own.jsonl")
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    assert run(["tune", "--json", "--count", "50", "--minutes", "0.1", "--dry-run", "--questions", str(file)]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["own_questions"] == 1
    assert "1問を使います" in said.err and "2問は使いません" in said.err


def test_tune_without_an_index_says_what_to_do(here: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["tune"]) == 1
    assert "hyoka index" in capsys.readouterr().err
