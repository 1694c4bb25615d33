"""Question files, runs over a fake assistant, kept runs and their comparison."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from corpus.errors import SettingsError
from evals import run as run_module
from evals.cases import Case, read_cases
from evals.run import examine, main, run
from evals.target import Target

GOOD = {
    "id": "a",
    "type": "lookup-text",
    "question": "戸籍システムの課題は？",
    "sheets": ["戸籍システム"],
    "answer": {"must": [["法務省"]], "must_not": []},
}
VOID = {"id": "v", "type": "unanswerable", "question": "人口は？", "unanswerable": True}
LATER = {
    "id": "f",
    "type": "follow-up",
    "question": "理由は？",
    "history": ["戸籍システムの評価は？", "いつ？"],
    "sheets": ["戸籍システム"],
    "answer": {"must": [["法務省"]]},
}
TEXT = "法務省の日程がずれた"


def lines(path: Path, *rows: object) -> Path:
    path.write_text(
        "\n".join(row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows),
        encoding="utf-8",
    )
    return path


def reply(answer: str, *, abstained: bool = False, sheet: str = "戸籍システム") -> dict[str, Any]:
    citation = {
        "n": 1,
        "sheet": sheet,
        "sheet_id": sheet,
        "department": "市民課",
        "municipality": "みほん市",
        "section": "評価理由",
        "quote": TEXT[:3],
        "source": {"file": "a.txt", "page": None, "start": 0, "end": 3},
    }
    return {"answer": answer, "abstained": abstained, "citations": [] if abstained else [citation], "table": None}


class Fake:
    """Knows one thing: whatever is asked about 戸籍 or 理由 is answered with 法務省, the rest is refused."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[dict[str, str]]]] = []

    def __call__(self, question: str, history: list[dict[str, str]], filters: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append((question, list(history)))
        if "壊" in question:
            raise RuntimeError("壊れた")
        known = "戸籍" in question or "理由" in question
        return reply("法務省の日程[1]") if known else reply("該当なし", abstained=True)

    def target(self) -> Target:
        return Target(self, lambda citation: TEXT, {"index_version": "fake"})


def test_bad_lines_are_reported_by_number_and_stop_nothing(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "q.jsonl",
        GOOD,
        "{not json",
        "",
        GOOD | {"id": "b", "type": "poem"},
        "[1, 2]",
        VOID,
        GOOD,  # the same id again
        GOOD | {"id": "c", "question": "  "},
        GOOD | {"id": "d", "answer": {"must": ["法務省"]}},  # a flat list
        {"id": "e", "type": "list", "question": "一覧"},  # nothing to be right about
        GOOD | {"id": "z"},
    )
    read = read_cases(path)
    assert [case.id for case in read.cases] == ["a", "v", "z"]
    assert [case.line for case in read.cases] == [1, 6, 11]
    assert [bad.line for bad in read.bad] == [2, 4, 5, 7, 8, 9, 10]
    assert "type" in read.bad[1].message
    assert "1 行目" in read.bad[3].message
    assert "question" in read.bad[4].message


def test_one_line_of_broken_utf8_costs_one_case(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_bytes(
        b"\xef\xbb\xbf" + json.dumps(GOOD).encode() + b"\r\n\xff\xfe\n" + json.dumps(VOID).encode() + b"\n"
    )
    read = read_cases(path)
    assert [case.id for case in read.cases] == ["a", "v"]
    assert [bad.line for bad in read.bad] == [2]


HEAD = "id,type,question,history,municipality,sheets,must,must_not,unanswerable"
ROWS = (
    '1,list,"一覧は, 何？",,みほん市,"税系システム\n地理空間（公開型 GIS）@デジタル課","自治体クラウド; Gov-Cloud|ガバメントクラウド",9,',
    "2,,人口は？,,,,,,true",
    '3,follow-up,理由は？,"一つ目\n二つ目",,戸籍システム,法務省,,no',
    "4,list,だめ,,,税系システム,,,たぶん",
)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "cp932"])
def test_csv_as_a_person_fills_it_in(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "q.csv"
    path.write_bytes("\r\n".join([HEAD, *ROWS]).encode(encoding))
    read = read_cases(path)
    first, void, later = read.cases
    assert first.sheets == ("税系システム", "地理空間（公開型 GIS）@デジタル課")
    assert first.answer.must == (("自治体クラウド",), ("Gov-Cloud", "ガバメントクラウド"))
    assert first.answer.must_not == ("9",)
    assert first.question == "一覧は, 何？"
    assert void.unanswerable and void.type == "unanswerable"
    assert later.history == ("一つ目", "二つ目") and not later.unanswerable
    assert [bad.line for bad in read.bad] == [7]  # the quoted line breaks count as lines of the file


def test_excel_with_japanese_headings(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["番号", "種別", "質問", "正解シート", "必須", "回答不能"])
    sheet.append([1, "lookup-number", "予算は？", "戸籍システム", 12155, None])
    sheet.append([None] * 6)
    sheet.append([2, None, "人口は？", None, None, True])
    sheet.append([3, "poem", "？", "戸籍システム", "x", None])
    path = tmp_path / "q.xlsx"
    book.save(path)
    read = read_cases(path)
    assert [case.id for case in read.cases] == ["1", "2"]
    assert read.cases[0].answer.must == (("12155",),)
    assert read.cases[1].unanswerable
    assert [bad.line for bad in read.bad] == [5]


@pytest.mark.parametrize(
    ("name", "content"),
    [("q.docx", b"x"), ("q.csv", "見出し,なし\n1,2".encode()), ("q.xlsx", b"not a zip"), ("missing.jsonl", None)],
)
def test_a_file_of_no_use_names_the_next_step(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        read_cases(tmp_path / name)
    assert caught.value.message.endswith("ください。") or "ください" in caught.value.message


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
    assert main([str(path), "--index-dir", str(tmp_path), "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["overall"]["right"] == 2
    assert "2行目" in err
    assert main([str(path), "--index-dir", str(tmp_path)]) == 0
    assert "2/2" in capsys.readouterr().out


def test_nothing_to_run_is_a_failure(tmp_path: Path, fake_local: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(lines(tmp_path / "q.jsonl", "oops")), "--json"]) == 1
    assert main([str(tmp_path / "missing.jsonl")]) == 1
    assert "ありません" in capsys.readouterr().err
