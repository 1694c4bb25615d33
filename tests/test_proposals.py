"""`hyoka eval draft`: questions out of an index with gold a person can check."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from fakes import FakeIndex, fiscal

from assistant import cli
from corpus.errors import SettingsError
from corpus.periods import day, fiscal_year, month
from evals.casefiles import WRITERS, write_cases
from evals.cases import Case, Expected, read_cases
from evals.proposals import propose
from evals.shelf import Shelf, names_a_person
from evals.wording import amount_forms, date_forms, dated, figure_forms, short_label, year_words


class Rich(FakeIndex):
    """The four sheets of fakes.py with an event; the sheet of 図書館システム運用 says when it moves."""

    def events(self, sheet_ids=None):
        from corpus.documents import Event, Span
        from index.types import SheetEvent

        sheet = self.sheets()[0]
        text = self.document(sheet.file).text
        start = text.index("令和7年度にクラウド型")
        return [SheetEvent(sheet, Event(fiscal_year(2025), Span(start, start + 5), Span(start, start + 26)))]


def test_every_case_can_be_checked_with_a_pencil() -> None:
    cases = propose(Rich(), 200, seed=1)
    by_type = {kind: [case for case in cases if case.type == kind] for kind in {case.type for case in cases}}
    numbers = [case for case in by_type["lookup-number"] if "決算額" in case.question]
    yen = {
        ("図書館システム運用", "1,200"), ("図書館システム運用", "1,500"), ("道路台帳整備", "800,000"),
        ("道路台帳整備", "700,000"), ("図書館システム更新", "3,000"), ("広報紙発行", "2,500"),
    }  # fmt: skip
    assert {
        (case.sheets[0], next(form for name, form in yen if form in case.answer.must[0] and name == case.sheets[0]))
        for case in numbers
    } == yen
    event = by_type["temporal"][0]
    assert event.sheets == ("図書館システム運用",) and "令和7年度" in event.answer.must[0]
    assert "クラウド型の図書館システムへ移行する" in event.question and "令和7" not in event.question
    follow = by_type["follow-up"]
    assert {(case.sheets[0], case.answer.must[0][0]) for case in follow} == {
        ("図書館システム運用", "1,500,000"), ("道路台帳整備", "700,000"),
    }  # fmt: skip
    assert all(len(case.history) == 1 and "決算額" in case.history[0] for case in follow)
    assert all(case.unanswerable and not case.sheets for case in by_type["unanswerable"])
    assert "semantic" not in by_type


def test_lists_and_the_largest_name_every_match() -> None:
    class Town(FakeIndex):
        """All four sheets in one town, year and department."""

        def _rows(self):
            return [
                (replace(sheet, municipality="みほん市", fiscal_year=2022, department="総務部 財政課"), sections, facts)
                for sheet, sections, facts in super()._rows()
            ]

    cases = propose(Town(), 300, seed=4)
    lists = {case.question: case for case in cases if case.type == "list"}
    names = {"図書館システム運用", "道路台帳整備", "図書館システム更新", "広報紙発行"}
    assert any(set(case.sheets) == names and "財政課" in question for question, case in lists.items())
    assert all("総合評価" in question or "財政課" in question for question in lists)
    aggregates = [case for case in cases if case.type == "aggregate"]
    largest = next(case for case in aggregates if len(case.sheets) == 1)
    assert largest.sheets == ("図書館システム更新",) and "3,000,000" in largest.answer.must[1]
    total = next(case for case in aggregates if len(case.sheets) == 4)  # 1,200 + 800 + 3,000 + 2,500 千円
    assert total.answer.must == (("7,500,000", "7,500", "750万"),)


def test_what_two_sheets_print_differently_is_no_gold() -> None:
    class Torn(FakeIndex):
        """The sheet of the next year says another amount for the same year; 道路台帳整備 agrees with itself."""

        def facts(self, sheet_ids=None, fields=None):
            found = super().facts(sheet_ids, fields)
            other = next(one for one in found if one.sheet.sheet_id == "aoba-1" and one.fact.value)
            doubtful = next(one for one in found if one.sheet.sheet_id == "hinode-1" and one.fact.value)
            return [
                *(one for one in found if one != doubtful),
                replace(doubtful, fact=replace(doubtful.fact, inferred=True)),
                replace(other, fact=replace(other.fact, value=1.0)),
            ]

    figures = Shelf(Torn()).figures
    assert {(place[0][1], place[2]) for place in figures} == {
        ("図書館システム運用", 2023), ("道路台帳整備", 2022), ("道路台帳整備", 2023), ("広報紙発行", 2022),
    }  # fmt: skip


def test_the_same_seed_gives_the_same_questions() -> None:
    assert propose(Rich(), 20, seed=5) == propose(Rich(), 20, seed=5) != propose(Rich(), 20, seed=6)
    assert len(propose(Rich(), 3)) == 3
    assert len({case.id for case in propose(Rich(), 100)}) == len(propose(Rich(), 100))


def test_no_person_is_named() -> None:
    told = json.dumps([case.model_dump(mode="json") for case in propose(Rich(), 500)], ensure_ascii=False)
    assert "見本太郎" not in told and "担当者" not in told

    class Named(FakeIndex):
        def _rows(self):
            return [
                (sheet, [replace(part, field="課題", text="講師の山田太郎が担当する。") for part in parts[-1:]], facts)
                for sheet, parts, facts in super()._rows()
            ]

    assert "lookup-text" not in {case.type for case in propose(Named(), 300)}
    assert names_a_person("太郎が担当する") and not names_a_person("令和5年度の決算額はいくらですか。")


def test_a_shared_name_is_told_apart_by_its_place() -> None:
    class Twins(FakeIndex):
        def _rows(self):
            return [(replace(sheet, name="給食運営"), sections, facts) for sheet, sections, facts in super()._rows()]

    shelf = Shelf(Twins())
    assert [shelf.gold(sheet) for sheet in shelf.sheets][::3] == ["給食運営@あおば市", "給食運営@ひので市"]
    assert shelf.spoken(shelf.sheets[0], Random(0)) == "あおば市の給食運営"


def test_forms_by_hand() -> None:
    assert amount_forms(257_730_000) == ["257,730,000", "257,730", "25,773万", "2億5,773万"]
    assert amount_forms(5_734_000) == ["5,734,000", "5,734"] and amount_forms(123) == ["123"]
    assert figure_forms(13.0, "１３.０", "%") == ["13.0%", "13%"] and figure_forms(40, "(2)40", "人") == ["40人"]
    assert date_forms(month(2024, 12, "Ｒ６.12")) == ["R6.12", "令和6年12月", "2024年12月"]
    assert date_forms(day(2025, 2, 3, "令和7年2月3日")) == ["令和7年2月3日", "2025年2月3日"]
    assert date_forms(fiscal(2022)) == ["R4年度", "令和4年度", "2022年度"]
    assert dated("令和 6年 12月") and dated("２０２５年") and not dated("12月") and not dated("前年度")
    assert {year_words(2019, Random(n)) for n in range(40)} == {"令和元年度", "R1年度", "2019年度"}
    assert (
        short_label("待機児童数 ※5月1日現在") == "待機児童数"
        and short_label("Ｒ5年度取組状況の評価") == "取組状況の評価"
    )


HARD = (
    Case(
        id="q1", type="aggregate", question="=1+1 は、\"何\"？\n二行目", history=("前の; 質問", "次"),
        municipality=("みほん市",), sheets=("施設予約システム@市民協働課", "AI-OCR・RPA"), sections=("課題",),
        evidence=("一行目\n二行目", "-5"), answer=Expected(must=(("12,155", "一千|万"), ("理由",)), must_not=("-5",)),
        note="備考",
    ),
    Case(id="q2", type="unanswerable", question="人口は？", unanswerable=True),
)  # fmt: skip


@pytest.mark.parametrize("suffix", WRITERS)
def test_what_is_written_is_read_back_the_same(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"q{suffix}"
    write_cases(HARD, path)
    read = read_cases(path)
    assert not read.bad
    assert [case.model_copy(update={"line": 0}) for case in read.cases] == list(HARD)


def test_another_ending_is_refused_before_anything_is_opened(tmp_path: Path, capsys) -> None:
    with pytest.raises(SettingsError, match=r"\.jsonl"):
        write_cases(HARD, tmp_path / "q.pdf")
    assert cli.run(["eval", "draft", "--index-dir", str(tmp_path), "--out", str(tmp_path / "q.pdf")]) == 1
    assert "形式が分かりません" in capsys.readouterr().err


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr("evals.run.open_index", lambda folder: FakeIndex())
    out = tmp_path / "draft.csv"
    assert cli.run(["eval", "draft", "--out", str(out), "--count", "7", "--seed", "2"]) == 0
    read = read_cases(out)
    assert len(read.cases) == 7 and not read.bad
    said = capsys.readouterr()
    assert said.out == "" and "7件" in said.err and "人が読み" in said.err
    assert cli.run(["eval", "draft", "--count", "2"]) == 0
    assert [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()] == ["draft-001", "draft-002"]


def test_an_index_with_nothing_to_ask(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    class Empty(FakeIndex):
        def _rows(self):
            return []

    monkeypatch.setattr("evals.run.open_index", lambda folder: Empty())
    assert cli.run(["eval", "draft"]) == 1
    assert "作れませんでした" in capsys.readouterr().err
    assert cli.run(["eval"]) == 1  # no file, no draft: as before
