"""`hyoka ask --batch`: lists of questions as councils keep them, filled and opened again."""

from __future__ import annotations

import csv
import gc
import json
import shutil
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.styles import Font, PatternFill
from test_answers import SAMPLES

from assistant.batch import base_of, fill_list, open_list
from assistant.cli import run
from assistant.filledrow import BROKEN, CITED_COLUMNS
from assistant.questionbook import QuestionBook
from assistant.questionlist import ADDED, layout_of, questions_of
from assistant.types import Answer
from corpus.errors import SettingsError
from tests.fakes import FakeAssistant
from tests.office import needs_office, rows_of_book

KNOWN, NOBODY_KNOWS, FOLLOWING = "図書館の今後の計画は", "海底 図書館 構想", "→では決算額は"
BASE = "http://hyoka.example:8000/"


def listing(path: Path, rows: list[list[object]], title: str = "一般質問") -> Path:
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def filled(path: Path, asker: FakeAssistant | None = None, base: str = BASE):
    """The list after a run, opened again."""
    out = path.with_name(f"out{path.suffix}")
    listed = open_list(path, out)
    counts = fill_list(asker or FakeAssistant(), listed, base)
    listed.save((out, *listed.beside(out)))
    if path.suffix in (".csv", ".tsv"):
        return counts, list(csv.reader(out.read_text("utf-8-sig").splitlines()))
    return counts, openpyxl.load_workbook(out)


def council(tmp_path: Path) -> Path:
    """A title over a list with a heading of its own, colours, a formula, a second sheet and a row that asks nothing."""
    path = listing(
        tmp_path / "質問.xlsx",
        [
            ["令和8年第4回定例会　一般質問", None, None, None],
            [],
            ["番号", "質問者", "質 問 事 項", "備考"],
            [1, "見本議員", KNOWN, "=1+1"],
            [2, "見本議員", FOLLOWING, None],
            [3, "碧原議員", None, "取り下げ"],
            [4, "碧原議員", NOBODY_KNOWS, None],
            [5, "碧原議員", "爆発したらどうなるか", None],
            [6, "碧原議員", "あ" * 3_000, None],
        ],
    )
    book = openpyxl.load_workbook(path)
    sheet = book.active
    sheet.merge_cells("A1:H1")
    sheet["C3"].font, sheet["C3"].fill = Font(bold=True), PatternFill("solid", fgColor="FFFF00")
    sheet.column_dimensions["C"].width = 48
    sheet.row_dimensions[4].height = 22
    book.create_sheet("控え")["A1"] = "触らない"
    book.save(path)
    return path


def test_a_list_comes_back_with_its_answers_beside_the_questions(tmp_path):
    counts, book = filled(council(tmp_path))
    sheet = book["一般質問"]
    assert [sheet.cell(3, column).value for column in range(9, 13)] == list(ADDED), "past the title's merged columns"
    answer, places, quotes, state = (sheet.cell(4, column).value for column in range(9, 13))
    assert answer == "図書館システム運用（あおば市）: 令和7年度にクラウド型の図書館システムへ移行する。 [1]"
    assert places == "[1] あおば市／令和5年度／図書館システム運用／情報政策課／今後の計画 aoba.txt"
    assert quotes == "[1] 「令和7年度にクラウド型の図書館システムへ移行する。」" and state == "根拠あり"
    assert sheet["J7"].value is None and sheet["I7"].value.startswith("索引にあるシートには")
    assert sheet["I6"].value is None and sheet["L6"].value is None, "a row without a question"
    assert sum(counts.values()) == 5 and counts[BROKEN] == 1 and sheet["L8"].value == BROKEN


def test_what_was_in_the_book_is_still_there(tmp_path):
    _, book = filled(council(tmp_path))
    sheet = book["一般質問"]
    assert sheet["A1"].value == "令和8年第4回定例会　一般質問" and "A1:H1" in map(str, sheet.merged_cells.ranges)
    assert sheet["D4"].value == "=1+1" and sheet["D4"].data_type == "f", "the city's own formula"
    assert sheet["C3"].font.bold and sheet["C3"].fill.fgColor.rgb == "00FFFF00"
    assert sheet.column_dimensions["C"].width == 48 and sheet.row_dimensions[4].height >= 22
    assert sheet["I3"].font.bold and sheet["I3"].fill.fgColor.rgb == "00FFFF00", "new headings look like the old ones"
    assert book["控え"]["A1"].value == "触らない" and book.sheetnames == ["一般質問", "控え", "引用一覧"]


def test_every_citation_has_a_row_that_leads_to_the_sheet(tmp_path):
    asker = FakeAssistant()
    _, book = filled(council(tmp_path), asker)
    cited = book["引用一覧"]
    assert tuple(cell.value for cell in cited[1]) == CITED_COLUMNS
    first = asker.ask(KNOWN).citations[0]
    assert [cell.value for cell in cited[2]] == [
        4, KNOWN, 1, "あおば市", "令和5年度", "図書館システム運用", "情報政策課", "今後の計画", None,
        first.quote, "aoba.txt", "原文を開く",
    ]  # fmt: skip
    wanted = f"{BASE}sheet/aoba-1?start={first.span.start}&end={first.span.end}#quote"
    assert cited["L2"].hyperlink.target == wanted
    places = book["一般質問"]["J5"]
    assert places.hyperlink.location == "'引用一覧'!A3" and cited["A3"].value == 5
    _, without = filled(council(tmp_path), base="")
    assert without["引用一覧"]["L2"].value is None and without["引用一覧"]["L2"].hyperlink is None


def test_a_question_that_asks_on_knows_the_one_above(tmp_path):
    path = listing(
        tmp_path / "q.xlsx",
        [
            ["質問", "前の質問"],
            [KNOWN, None],
            ["→決算額は", None],
            ["その理由は", "○"],
            ["計画は", KNOWN],
            ["別の話", "-"],
        ],
    )
    asker = FakeAssistant()
    filled(path, asker)
    asked = [
        (question, [turn.content for turn in history if turn.role == "user"]) for question, history, _ in asker.asked
    ]
    assert asked == [
        (KNOWN, []), ("決算額は", [KNOWN]), ("その理由は", [KNOWN, "決算額は"]),
        (KNOWN, []), ("計画は", [KNOWN]), ("別の話", []),
    ]  # fmt: skip


def test_one_bad_row_says_why_and_stops_nothing(tmp_path):
    path = listing(
        tmp_path / "q.xlsx",
        [["問"], ["爆発したらどうなるか"], ["#REF!"], ["拒否される質問"], ["、。\x85"], [12], [KNOWN]],
    )
    counts, book = filled(path)
    sheet = book.active
    assert sheet["E2"].value == BROKEN and "RuntimeError" in sheet["B2"].value and "passwd" not in sheet["B2"].value
    assert sheet["E3"].value == "質問を確認" and "エラーの値" in sheet["B3"].value
    assert sheet["E4"].value == "質問を確認" and sheet["B4"].value.endswith("別の言葉で尋ねてください。")
    assert sheet["E7"].value == "根拠あり" and sum(counts.values()) == 6


def test_columns_that_stand_ready_are_filled_and_written_ones_left_alone(tmp_path):
    path = listing(tmp_path / "q.xlsx", [["質問", "回答", "状態"], [KNOWN, None, "済"], [NOBODY_KNOWS, None, None]])
    _, book = filled(path)
    sheet = book.active
    assert sheet["B2"].value.startswith("図書館システム運用") and sheet["C2"].value == "済"
    assert [sheet.cell(1, column).value for column in range(1, 7)] == ["質問", "回答", "状態", "根拠", "引用", "状態"]


def test_cells_merged_over_the_answers_do_not_swallow_them(tmp_path):
    path = listing(tmp_path / "q.xlsx", [["質問", "回答"], [KNOWN, None], [KNOWN, None]])
    book = openpyxl.load_workbook(path)
    book.active.merge_cells("B2:B3")
    book.save(path)
    _, book = filled(path)
    assert book.active["B2"].value == book.active["B3"].value != ""


@pytest.mark.parametrize(
    ("rows", "question", "head"),
    [
        ([["No", "照会事項"], ["1", "計画は"]], 1, 0),
        ([["質問者", "質問日", "質問（要旨）"], ["見本", "1/2", "計画は"]], 2, 0),
        ([["議会質問の一覧"], ["番号", "質問"], ["1", "計画は"]], 1, 1),
        ([["ＱＵＥＳＴＩＯＮ"], ["計画は"]], 0, 0),
        ([["1", "図書館の計画は？"], ["2", "道路の計画は？"]], 1, -1),
        ([["番号", "内容"], ["1", "図書館の計画は？"]], 1, 0),
    ],
)
def test_the_column_of_the_questions_is_found(rows, question, head):
    found = layout_of(rows)
    assert found is not None and (found.question, found.head) == (question, head)


def test_a_list_without_text_has_no_questions():
    assert layout_of([["1", "2"], ["3"]]) is None and layout_of([]) is None
    with pytest.raises(SettingsError, match="質問がありません"):
        questions_of([["番号", "質問"], ["1", " "]], layout_of([["番号", "質問"], ["1", "計画は"]]))  # type: ignore[arg-type]


@given(st.lists(st.lists(st.text(max_size=12), max_size=5), max_size=8))
@settings(max_examples=60, deadline=None)
def test_no_table_breaks_the_reading(rows):
    found = layout_of(rows)
    if found is None:
        return
    assert len(set(found.added)) == 4 and found.question not in found.added
    try:
        asked = questions_of(rows, found)
    except SettingsError:
        return
    assert all(one.text.strip() and one.row > found.head for one in asked)


def test_a_shift_jis_csv_goes_in_and_one_for_excel_comes_out(tmp_path):
    path = tmp_path / "質問.csv"
    path.write_bytes(f"番号,質問,メモ\r\n007,{KNOWN},=HYPERLINK(1)\r\n8,{NOBODY_KNOWS},①髙\r\n".encode("cp932"))
    _, _ = filled(path)
    raw = (tmp_path / "out.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader((tmp_path / "out.csv").open(encoding="utf-8-sig", newline="")))
    assert rows[0] == ["番号", "質問", "メモ", *ADDED]
    assert rows[1][:3] == ["007", KNOWN, "'=HYPERLINK(1)"] and rows[1][6] == "根拠あり" and rows[2][2] == "①髙"
    cited = list(csv.reader((tmp_path / "out_引用一覧.csv").open(encoding="utf-8-sig", newline="")))
    assert tuple(cited[0]) == CITED_COLUMNS and cited[1][:3] == ["2", KNOWN, "1"] and cited[1][-1].startswith(BASE)


def test_a_csv_without_a_heading_gets_one(tmp_path):
    path = tmp_path / "q.csv"
    path.write_text(f"{KNOWN}\n{NOBODY_KNOWS}\n", "utf-8")
    _, rows = filled(path)
    assert rows[0] == ["質問", *ADDED] and rows[1][0] == KNOWN


class Nasty(FakeAssistant):
    """Says what a document may say."""

    def ask(self, question, *rest, **more):
        from dataclasses import replace

        answer = super().ask(KNOWN)
        return replace(answer, answer="=cmd|' /C calc'!A0\x00\u202e", citations=answer.citations)


def test_nothing_a_document_or_a_question_says_becomes_a_formula(tmp_path):
    path = listing(tmp_path / "q.xlsx", [["質問"], [KNOWN]])
    book = openpyxl.load_workbook(path)
    book.active["A2"].value, book.active["A2"].data_type = "=1+1", "s"
    book.save(path)
    _, book = filled(path, Nasty())
    assert book.active["B2"].value.startswith("=cmd") and book.active["B2"].data_type == "s"
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)
    csv_path = tmp_path / "q.csv"
    csv_path.write_text(f"質問\n{KNOWN}\n", "utf-8")
    _, rows = filled(csv_path, Nasty())
    assert rows[1][1].startswith("'=cmd")


def test_of_a_thousand_answers_no_more_than_a_few_are_held(tmp_path):
    most = 0

    class Counting(FakeAssistant):
        def ask(self, question, *rest, **more):
            nonlocal most
            if len(self.asked) % 250 == 0:
                most = max(most, sum(isinstance(one, Answer) for one in gc.get_objects()))
            return super().ask(question, *rest, **more)

    path = listing(tmp_path / "q.xlsx", [["質問"], *([f"{KNOWN}{n}"] for n in range(1_000))])
    listed = QuestionBook(path)
    counts = fill_list(Counting(), listed, BASE)
    assert sum(counts.values()) == 1_000 and most <= 3


@pytest.mark.parametrize(
    "link",
    [
        "hyoka.example",
        "ftp://x/",
        "http://",
        "http://a b/",
        "http://x/?q=1",
        "javascript:alert(1)",
        "http://u@x/",
        "http://x:99999/",
    ],
)
def test_only_the_address_of_a_server_links(link):
    with pytest.raises(SettingsError):
        base_of(link)


# ---- the command, over a real index ---------------------------------------------------------------------------------


@pytest.fixture
def indexed(here, capsys) -> Path:
    folder = Path("評価シート")
    folder.mkdir()
    for name in ("hokuto_hyoka_r6.html", "sakurazaka_seika_r6.docx"):
        shutil.copy(SAMPLES / "files" / name, folder)
    assert run(["index", str(folder)]) == 0
    capsys.readouterr()
    return Path.cwd()


def test_the_command_fills_a_list_and_leaves_the_list_as_it_was(indexed, capsys):
    path = listing(indexed / "q.xlsx", [["質問"], ["事業の一覧を教えて"], ["では決算額は"]])
    before = path.read_bytes()
    assert run(["ask", "--batch", "q.xlsx", "--link", "http://hyoka.example", "--json"]) == 0
    told = capsys.readouterr()
    report = json.loads(told.out)
    assert report["questions"] == 2 and report["files"] == ["q_回答.xlsx"]
    assert "シート「一般質問」のA列の2問" in told.err and path.read_bytes() == before
    sheet = openpyxl.load_workbook("q_回答.xlsx").active
    assert [cell.value for cell in sheet[1]] == ["質問", *ADDED] and sheet["E2"].value
    assert run(["ask", "--batch", "q.xlsx"]) == 0 and Path("q_回答 (2).xlsx").is_file()
    assert list(Path().glob(".hyoka-*")) == []


def test_no_file_that_is_there_is_written_over(indexed, capsys):
    path = listing(indexed / "q.xlsx", [["質問"], ["計画は"]])
    (indexed / "other.xlsx").write_bytes(b"mine")
    (indexed / "same.xlsx").symlink_to(path)
    for out in ("q.xlsx", "other.xlsx", "same.xlsx", "./q.xlsx"):
        assert run(["ask", "--batch", "q.xlsx", "--out", out]) == 1
        assert "別の名前" in capsys.readouterr().err
    assert (indexed / "other.xlsx").read_bytes() == b"mine"
    for wrong, said in (("no/out.xlsx", "フォルダー"), ("out.csv", "同じ形式"), ("out", "同じ形式")):
        assert run(["ask", "--batch", "q.xlsx", "--out", wrong]) == 1 and said in capsys.readouterr().err


def test_what_is_no_list_is_told_with_the_next_step(indexed, capsys):
    (indexed / "bad.xlsx").write_bytes(b"PK\x03\x04 no")
    (indexed / "bad.csv").write_bytes("質問\n".encode() + b"\x81\xff\xff")
    (indexed / "empty.csv").write_bytes(b"")
    (indexed / "q.pdf").write_bytes(b"%PDF")
    for name in ("bad.xlsx", "bad.csv", "empty.csv", "q.pdf", "none.xlsx"):
        assert run(["ask", "--batch", name]) == 1
        assert capsys.readouterr().err.strip().endswith("ください。")
    for wrong in (["ask"], ["ask", "計画は", "--batch", "q.xlsx"], ["ask", "計画は", "--link", "http://x/"]):
        assert run(wrong) == 2
        assert "hyoka ask --help" in capsys.readouterr().err


@needs_office
def test_libreoffice_opens_a_filled_list(tmp_path):
    path = council(tmp_path)
    out = tmp_path / "answers.xlsx"
    listed = open_list(path, out)
    fill_list(FakeAssistant(), listed, BASE)
    listed.save((out,))
    into = tmp_path / "office"
    into.mkdir()
    rows = rows_of_book(out, into)
    assert rows[2][8:12] == list(ADDED) and rows[3][11] == "根拠あり" and rows[3][3] == "2", "its formula still counts"
