"""`from assistant import Assistant`: the examples of docs/python.md run, tables have the right kinds, the door holds."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pandas
import pytest
from doc_examples import ROOT, SAMPLES, blocks, build

from assistant import Assistant, Filters
from assistant.access.caller import NOBODY, Caller, calling
from assistant.frames import citations_frame, facts_frame, hits_frame, sheets_frame, table_frame
from assistant.payload import answer_json
from assistant.schemas import TableJson
from corpus.errors import IndexMissing, QuestionError
from index.types import PERSON_FIELD
from index.visibility import Visibility
from tests.fakes import FakeAssistant

CITY = "湊見市"
RANKING = "湊見市の令和6年度の決算額が大きい順に3つ教えて"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    where = tmp_path_factory.mktemp("library")
    build(where / ".hyoka" / "index")
    return where


@pytest.fixture(scope="module")
def hyoka(folder):
    with Assistant.open(folder / ".hyoka" / "index") as opened:
        yield opened


def test_the_examples_of_the_documentation_run(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    examples = blocks((ROOT / "docs" / "python.md").read_text("utf-8"), "python")
    assert len(examples) == 3 and len([line for line in examples[0].splitlines() if line]) <= 5
    for example in examples:
        exec(compile(example, "docs/python.md", "exec"), {"__name__": "example"})
    told = capsys.readouterr().out
    assert "772418000" in told.replace(",", "") and "教育部 学校給食課" in told


def test_importing_the_package_loads_nothing():
    code = (
        "import sys, assistant; heavy = {'torch', 'numpy', 'pandas', 'pydantic', 'index', 'corpus'} & set(sys.modules);"
        " assert not heavy, heavy; assert not hasattr(assistant, 'nothing'); from assistant import console;"
        " from assistant.cli import app; assert 'torch' not in sys.modules and 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=120)


def test_the_packages_say_that_they_are_typed():
    assert all((ROOT / name / "py.typed").is_file() for name in ("assistant", "index", "corpus"))
    assert '"py.typed"' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_a_missing_index_and_an_empty_question_are_told(tmp_path, hyoka):
    with pytest.raises(IndexMissing):
        Assistant.open(tmp_path)
    for ask in (hyoka.ask, hyoka.search):
        with pytest.raises(QuestionError):
            ask(" \u3000")


def test_citations_are_rows_with_their_places(hyoka):
    answer = hyoka.ask(RANKING)
    frame = citations_frame(answer)
    assert list(frame["n"]) == [1, 2, 3] and str(frame["n"].dtype) == "Int64" and set(frame["municipality"]) == {CITY}
    assert (
        frame["quote"][0].split() == ["決算額", "709,815", "772,418"]
        and frame["page"][0] == 2
        and frame["fiscal_year"][0] == 2024
    )


def test_the_table_of_an_answer_has_numbers_with_their_unit(hyoka):
    frame = table_frame(hyoka.ask(RANKING))
    (name,) = [column for column in frame.columns if "円" in column]
    assert list(frame[name]) == [772_418_000, 559_840_000, 438_215_000] and str(frame[name].dtype) == "Int64"
    assert frame.attrs["units"][name] == "円" or "（円）" in name
    assert [tuple(one) for one in frame["citations"]] == [(1,), (2,), (3,)]
    assert table_frame(hyoka.ask("月面基地の建設費は？")).empty


def test_columns_that_are_not_all_numbers_of_one_unit_stay_text():
    fake = FakeAssistant()
    answer = answer_json(fake.ask("決算額が大きい事業は？"), fake.index)
    table = TableJson(
        columns=["年度", "率", "額", "雑", "号"],
        rows=[[2021, "12.5%", "△800円", "3件", "007"], [2022, None, "1,200円", "40%", "008"]],
        citations=[[], []],
    )
    frame = table_frame(answer.model_copy(update={"table": table}))
    assert list(frame.columns) == ["年度", "率（%）", "額（円）", "雑", "号"]
    assert [str(kind) for kind in frame.dtypes] == ["Int64", "Float64", "Int64", "string", "string"]
    assert (
        frame["額（円）"].sum() == 400 and frame["率（%）"].isna().tolist() == [False, True] and frame["号"][0] == "007"
    )


def test_facts_have_values_units_and_days(hyoka):
    frame = facts_frame(hyoka.facts(["決算額"], Filters(municipality=(CITY,), fiscal_year=(2024,))))
    assert (
        set(frame["unit"]) == {"円"} and str(frame["value"].dtype) == "Float64" and set(frame["municipality"]) == {CITY}
    )
    assert frame["start"].dt.year.notna().all() and str(frame["start"].dtype).startswith("datetime64")
    lunch = frame[(frame["sheet"] == "学校給食運営事業") & (frame["start"] == pandas.Timestamp(2024, 4, 1))].iloc[0]
    assert lunch["value"] == 772_418_000 and lunch["end"].date() == date(2025, 4, 1)
    assert pandas.Timestamp(2025, 3, 31) in lunch["interval"] and pandas.Timestamp(2025, 4, 1) not in lunch["interval"]
    assert facts_frame([]).empty and list(facts_frame([]).columns) == list(frame.columns)


def test_hits_and_sheets_are_rows(hyoka):
    found = hits_frame(hyoka.search("給食の課題", k=5))
    assert 0 < len(found) <= 5 and found["score"].is_monotonic_decreasing
    sheets = sheets_frame(hyoka.sheets())
    assert len(sheets) == len(hyoka.sheets()) > 20 and str(sheets["kind"].dtype) == "category"


def test_a_caller_sees_its_own_sheets_alone(hyoka):
    other = next(one.municipality for one in hyoka.sheets() if one.municipality not in ("", CITY))
    with calling(Caller(visibility=Visibility(municipalities=(other,)))):
        assert {one.municipality for one in hyoka.sheets()} == {other}
        assert {one.sheet.municipality for one in hyoka.facts()} == {other}
        assert {one.municipality for one in hyoka.search("給食の課題", 50).hits} <= {other}
        assert CITY not in {one.municipality for one in hyoka.ask(RANKING).citations}
    with calling(NOBODY):
        assert hyoka.sheets() == [] and hyoka.facts() == [] and hyoka.search("給食").total == 0
    assert CITY in {one.municipality for one in hyoka.sheets()}


def test_names_of_staff_are_in_no_result(hyoka):
    assert PERSON_FIELD not in {one.fact.field for one in hyoka.facts()}
    assert PERSON_FIELD not in {one.section for one in hyoka.search("担当者 氏名 主任", 200).hits}
    assert SAMPLES.is_dir()
