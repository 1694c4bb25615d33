"""The parse report: every file and sheet, what was found and missing, as JSON, as CSV and for the 管理 screen."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from assistant.accounts import (
    COLUMNS,
    LOOKED_FOR,
    AccountCache,
    FileAccount,
    account_json,
    file_accounts,
    report_csv,
)
from assistant.cli import run
from assistant.store import FeedbackStore
from corpus.readers import read_document
from corpus.reading import read_sheets
from index.build import build
from index.snapshot import Snapshot
from tests.fake_encoder import FakeEncoder
from tests.fakes import FakeAssistant, FakeIndex
from ui.accounts import chosen_accounts, kind_choices, render_accounts
from ui.app import create_app

pytestmark = pytest.mark.usefixtures("here")
GOOD = """みなと野市 事務事業評価シート（令和6年度実績）
事務事業名\t図書館システム運用\t担当課\t情報政策課
事業の目的\t貸出を止めずに提供し、待ち時間を短くする。
\t令和5年度決算\t令和6年度決算
事業費（千円）\t1,500\t1,800
総合評価\tA
"""
POOR = "事業名\t=cmd|'/c calc'!A1\n予算額\t100円\nどの欄にも入らない長い文がここにあり、何のことかは分からない。\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "資料"
    folder.mkdir()
    (folder / "a_good.txt").write_text(GOOD, "utf-8")
    (folder / "b_poor.txt").write_text(POOR, "utf-8")
    (folder / "c_broken.pdf").write_bytes(b"%PDF-1.7 nothing more")
    return folder


@pytest.fixture
def indexed(folder: Path, tmp_path: Path) -> Snapshot:
    assert run(["index", str(folder), "--index-dir", str(tmp_path / "index")]) == 0
    return Snapshot.open(tmp_path / "index", FakeEncoder("fake"))


def test_what_was_found_and_what_is_missing(indexed):
    good, poor, broken = file_accounts(indexed)
    assert [account.file for account in (good, poor, broken)] == ["a_good.txt", "b_poor.txt", "c_broken.pdf"]
    sheet = good.sheets[0]
    assert sheet.found == tuple(what for what in LOOKED_FOR if what != "指標") and sheet.missing == ("指標",)
    assert str(sheet.where) == "1行目" and sheet.certainty is not None and not sheet.doubtful and not good.doubtful
    assert poor.sheets[0].found == ("名称",) and poor.doubtful and poor.notes >= 2
    assert broken.refusal and broken.doubtful and broken.sheets == ()


def test_the_certainty_that_was_stored_is_the_one_of_the_reading(indexed, folder):
    reading = read_sheets(read_document(folder / "a_good.txt"))[0]
    assert file_accounts(indexed)[0].sheets[0].certainty == reading.certainty
    kept = {r.sheet.file: r for _, found in indexed.readings() for r in found}
    assert kept["a_good.txt"].certainty == reading.certainty


def test_files_that_were_refused_stay_in_the_report_when_others_are_added(indexed, folder, tmp_path):
    (folder / "d_new.txt").write_text(GOOD.replace("図書館", "博物館"), "utf-8")
    assert run(["index", str(folder / "d_new.txt"), "--add", "--index-dir", str(tmp_path / "index")]) == 0
    accounts = file_accounts(Snapshot.open(tmp_path / "index", FakeEncoder("fake")))
    assert {account.file for account in accounts} == {"a_good.txt", "b_poor.txt", "c_broken.pdf", "d_new.txt"}
    (folder / "c_broken.pdf").unlink()
    (folder / "c_broken.pdf").with_suffix(".txt").write_text(GOOD, "utf-8")
    assert run(["index", str(folder), "--index-dir", str(tmp_path / "index")]) == 0
    assert Snapshot.open(tmp_path / "index", FakeEncoder("fake")).refused() == []


def test_the_json_keeps_what_it_had_and_adds_the_sheets(folder, tmp_path, capsys):
    assert run(["index", str(folder), "--index-dir", str(tmp_path / "index"), "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    for file in files:
        assert {"file", "sheets", "sections", "facts", "warnings", "certainty", "needs_check", "sheet_reports"} <= set(
            file
        )
        assert file["facts"] == sum(sheet["facts"] for sheet in file["sheet_reports"])
    good, poor = files
    assert (good["needs_check"], poor["needs_check"]) == (False, True)
    assert good["sheet_reports"][0]["missing"] == ["指標"]
    assert all(warning["where"] == "1行目" for warning in poor["sheet_reports"][0]["warnings"])


# ---- CSV ------------------------------------------------------------------------------------------------------------


def rows_of(data: bytes) -> list[dict[str, str]]:
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_the_csv_has_a_row_for_every_sheet_and_every_refused_file(indexed):
    rows = rows_of(report_csv(file_accounts(indexed)))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["ファイル"], row["種類"], row["要確認"]) for row in rows] == [
        ("a_good.txt", "事業", ""), ("b_poor.txt", "事業", "要確認"), ("c_broken.pdf", "読めないファイル", "要確認"),
    ]  # fmt: skip
    assert rows[0]["行"] == "1" and float(rows[0]["確かさ"]) >= 0.9 and rows[0]["見つからない項目"] == "指標"
    assert "c_broken.pdf" in rows[2]["注意"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", " =", "＝", "＠"])
def test_no_cell_of_the_csv_is_a_formula(start):
    account = file_accounts(FakeIndex())[0]
    sheet = account.sheets[0]
    named = replace(
        sheet, sheet=replace(sheet.sheet, name=f"{start}cmd()", department=f"{start}x"), warnings=(f"{start}y",)
    )
    rows = rows_of(report_csv([replace(account, sheets=(named,)), FileAccount(f"{start}z.pdf", refusal=f"{start}r")]))
    for row in rows:
        for cell in row.values():
            assert not cell.strip().startswith(("=", "+", "-", "@", "＝", "＠")), cell


def test_the_flag_writes_the_csv_and_a_missing_folder_is_told_before_reading(folder, tmp_path, capsys):
    out = tmp_path / "報告.csv"
    assert run(["index", str(folder), "--index-dir", str(tmp_path / "index"), "--report", str(out)]) == 0
    assert len(rows_of(out.read_bytes())) == 3
    capsys.readouterr()
    assert (
        run(["index", str(folder), "--index-dir", str(tmp_path / "other"), "--report", str(tmp_path / "no" / "r.csv")])
        == 1
    )
    assert "先に作ってください" in capsys.readouterr().err and not (tmp_path / "other").exists()


# ---- the screen -----------------------------------------------------------------------------------------------------


def test_the_screen_shows_the_doubtful_first_and_escapes_everything():
    first, second = file_accounts(FakeIndex())
    bad = replace(second.sheets[0], warnings=("数<値>が読めません。",))
    every = [first, replace(second, sheets=(bad, *second.sheets[1:]))]
    html = render_accounts(chosen_accounts(every, "", ""), 2)
    assert html.index("hinode.txt") < html.index("aoba.txt") and ("要確認（1）", "doubtful") in kind_choices(every)
    assert "数&lt;値&gt;" in html and 'href="sheet/hinode-1"' in html and "目的" in html
    assert html.count("hy-file hy-fine") == 1
    assert "確認の要るファイルはありません" in render_accounts(
        chosen_accounts([first], "", "doubtful"), 1, 0, "doubtful"
    )


def test_thousands_of_files_do_not_make_a_page_without_end():
    account = file_accounts(FakeIndex())[0]
    html = render_accounts([replace(account, file=f"{n}.txt") for n in range(1000)], 1000, 19)
    assert html.count("<summary><span") == 50 and "951〜1,000件目" in html


def test_the_report_is_served_as_a_download():
    with TestClient(create_app(FakeAssistant(), FeedbackStore())) as client:
        response = client.get("/status/report.csv")
    assert response.status_code == 200 and "attachment" in response.headers["content-disposition"]
    assert {row["シート"] for row in rows_of(response.content)} == {sheet.name for sheet in FakeIndex().sheets()}


def test_accounts_are_derived_once_for_each_index():
    class Counting(FakeIndex):
        asked = 0

        def sheets(self, *args, **kwargs):
            Counting.asked += 1
            return super().sheets(*args, **kwargs)

    assistant = FakeAssistant(Counting())
    cache = AccountCache(assistant)
    assert cache.get() is cache.get() and Counting.asked == 1
    assistant.index = Counting(version="fake-2")
    cache.get()
    assert Counting.asked == 2


def test_an_account_is_plain_json():
    for account in file_accounts(FakeIndex()):
        assert json.loads(json.dumps(account_json(account))) == account_json(account)


def test_a_document_without_any_sheet_is_in_the_report(tmp_path):
    document = read_document(Path(write(tmp_path, "x")))
    good = read_document(Path(write(tmp_path, GOOD, "good.txt")))
    index = build([(document, []), (good, read_sheets(good))], FakeEncoder(), tmp_path / "index")
    accounts = file_accounts(index)
    assert [(a.file, len(a.sheets), a.doubtful) for a in accounts] == [("a.txt", 0, True), ("good.txt", 1, False)]
    assert rows_of(report_csv(accounts))[0]["注意"] == "評価シートの欄が見つかりません。"


def write(folder: Path, text: str, name: str = "a.txt") -> str:
    (folder / name).write_text(text, "utf-8")
    return str(folder / name)
