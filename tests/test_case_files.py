"""Question files: what a person or a program writes, and what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pytest
from eval_fakes import GOOD, VOID, lines

from corpus.errors import SettingsError
from evals.cases import read_cases


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
