"""Lists and comparisons as Word and Excel, with where everything stands."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import UTC, datetime
from io import BytesIO

import openpyxl
import pytest
from docx import Document
from docx.oxml.ns import qn
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from test_papers import footnotes

from assistant.store import FeedbackStore
from assistant.wordlist import Noted, word_list
from tests.fakes import FakeAssistant
from tests.office import converted, needs_office
from ui.app import create_app
from ui.export import QUOTED, SheetOfCells, workbook
from ui.searchfiles import WORD_ROWS, word_of

MADE = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
PAIR = "sheet=aoba-1&sheet=hinode-1"
CITIES = "municipality=あおば市&municipality=ひので市"


@pytest.fixture(scope="module")
def client():
    return TestClient(create_app(FakeAssistant(), FeedbackStore(":memory:")))


def table_of(content: bytes) -> list[list[str]]:
    (table,) = Document(BytesIO(content)).tables
    return [[cell.text for cell in row.cells] for row in table.rows]


def opened(client, addresses) -> None:
    for address in dict.fromkeys(addresses):
        assert address.startswith("http://testserver/sheet/") and address.endswith("#quote")
        page = client.get(address.removeprefix("http://testserver"))
        assert page.status_code == 200 and "<mark" in page.text


def test_a_comparison_is_a_word_table_whose_cells_say_where_they_stand(client):
    response = client.get(f"/compare.docx?{PAIR}")
    assert "hyoka-compare.docx" in response.headers["content-disposition"]
    rows = table_of(response.content)
    assert rows[0] == ["区分", "項目", "年度", "① 図書館システム運用", "② 図書館システム更新"]
    assert ["金額と指標", "決算額（円）", "令和4年度", "1,200,000", "3,000,000"] in rows
    document = Document(BytesIO(response.content))
    notes = footnotes(document)
    assert any("あおば市／図書館システム運用／aoba.txt" in text and "R4 1,200千円" in text for text, _ in notes)
    opened(client, [address for _, address in notes])
    section = document.sections[0]
    assert section.page_width > section.page_height, "five columns need the long side"


def test_a_comparison_of_municipalities_is_a_word_table_too(client):
    content = client.get(f"/compare.docx?{CITIES}").content
    rows = table_of(content)
    assert rows[0] == ["区分", "項目", "あおば市", "ひので市"] and sum(row[0] == "内訳" for row in rows) == 4
    assert len(footnotes(Document(BytesIO(content)))) == 4


@pytest.mark.parametrize(("chosen", "first"), [(PAIR, 4), (CITIES, 3)])
def test_the_excel_of_a_comparison_leads_to_its_quotes(client, chosen, first):
    book = openpyxl.load_workbook(BytesIO(client.get(f"/compare.xlsx?{chosen}").content))
    assert book.sheetnames == ["比較", "引用"]
    cells = [cell for row in book["比較"].iter_rows() for cell in row if cell.hyperlink]
    assert cells and all(cell.column >= first for cell in cells)
    assert any(isinstance(cell.value, int) and cell.data_type == "n" for cell in cells), "a number stays one"
    quoted = book["引用"]
    assert tuple(cell.value for cell in quoted[1]) == QUOTED
    rows = list(quoted.iter_rows(min_row=2))
    opened(client, [row[4].hyperlink.target for row in rows])
    assert all("千円" in str(row[3].value) for row in rows) or chosen == PAIR


def test_a_search_is_saved_as_word_and_its_links_are_links_in_excel(client):
    params = {"q": "図書館", "sort": "amount"}
    content = client.get("/export/search.docx", params=params).content
    rows = table_of(content)
    assert rows[0] == ["自治体", "年度", "事業名", "欄", "本文"] and len(rows) == 5
    assert rows[1][:4] == ["ひので市", "2022", "図書館システム更新", "事業の目的"] or rows[1][2] == "図書館システム更新"
    notes = footnotes(Document(BytesIO(content)))
    assert len(notes) == 4 and "hinode.txt" in notes[0][0] and "行目" in notes[0][0]
    opened(client, [address for _, address in notes])
    sheet = openpyxl.load_workbook(BytesIO(client.get("/export/search.xlsx", params=params).content)).active
    assert all(sheet.cell(row, 12).hyperlink.target == sheet.cell(row, 12).value for row in range(2, 6))
    assert "export/search.docx?" in client.get("/search/results", params=params).json()["results"]
    assert client.get("/export/search.docx").status_code == 422


def test_a_word_list_ends_somewhere_and_says_so():
    row = ["あおば市", 2023, "事業", "課", "欄", "本文", "", None, None, "a.txt", "1行目", "http://x/sheet/a"]
    names = [str(number) for number in range(12)]
    content = word_of(SheetOfCells(columns=names, rows=[row] * (WORD_ROWS + 1)), "図書館")
    assert len(table_of(content)) == WORD_ROWS + 1
    assert any(f"はじめの{WORD_ROWS}件" in one.text for one in Document(BytesIO(content)).paragraphs)


def test_a_browser_cannot_hand_in_links(client):
    wrong = {"columns": ["a"], "rows": [["b"]], "notes": [{"row": 0, "column": 0, "link": "javascript:1"}]}
    assert client.post("/export/table.xlsx", json=wrong).status_code == 422


anything = st.text(st.characters(exclude_characters="\r\n\t\x85\u2028\u2029"), max_size=40)


@settings(max_examples=20, deadline=None)
@given(anything, anything)
def test_any_text_makes_files_that_open(one, other):
    notes = [Noted(0, 1, one, other, "http://hyoka.example/sheet/a?start=1&end=2#quote")]
    content = word_list(one, other, ["項目", other], [[one, other], [3, None]], notes, MADE)
    document = Document(BytesIO(content))
    assert len(footnotes(document)) == 1 and len(document.tables[0].rows) == 3
    book = openpyxl.load_workbook(
        BytesIO(workbook(SheetOfCells(columns=["項目", other], rows=[[one, other]]), "比較", notes))
    )
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext がありません（Debian の poppler-utils）")
@needs_office
def test_libreoffice_prints_the_footnotes_of_a_comparison(client, tmp_path):
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    (tmp_path / "in" / "compare.docx").write_bytes(client.get(f"/compare.docx?{PAIR}").content)
    made = converted(tmp_path / "in" / "compare.docx", "pdf", tmp_path / "out")
    text = subprocess.run(["pdftotext", str(made), "-"], capture_output=True, text=True, check=True).stdout
    assert "ひので市／図書館システム更新／hinode.txt" in re.sub(r"\s", "", text) and text.count("原文を開く") > 4
    assert qn("w:t")
