"""The Word and Excel files of conversations, opened again with the libraries of Office files and with LibreOffice."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import parse_xml
from docx.oxml.ns import qn
from docx.shared import Mm
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape

from assistant.datewords import day_heading, day_words, moment_words
from assistant.excelpaper import excel_paper
from assistant.papers import (
    HEADING,
    ORIGIN,
    Asked,
    Paper,
    Quantity,
    answers_paper,
    clean,
    file_name,
    flat,
    quantity,
    sheet_link,
    source_words,
)
from assistant.payload import answer_json
from assistant.schemas import AnswerJson, TableJson
from assistant.wordpaper import word_paper
from tests.fakes import FakeAssistant
from tests.office import converted, needs_office

MADE = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)  # already the 22nd in Japan
BASE = "http://hyoka.example:8000/"
FAKE = FakeAssistant()
QUESTIONS = ["図書館の今後の計画は", "決算額が大きい事業は？", "海底 図書館 構想"]
NASTY = "=1+1\x00\x0b\u202e<b>&'\"\ufffe\ud800]]>_x0041_"


def said(question: str) -> AnswerJson:
    return answer_json(FAKE.ask(question), FAKE.index)


def paper(*questions: str, base: str = BASE) -> Paper:
    return answers_paper([(question, said(question)) for question in questions or QUESTIONS], MADE, base)


def changed(question: str, **values: object) -> Paper:
    return answers_paper([(question, said(question).model_copy(update=values))], MADE, BASE)


def word(given_paper: Paper):
    return Document(BytesIO(word_paper(given_paper)))


def book(given_paper: Paper):
    return openpyxl.load_workbook(BytesIO(excel_paper(given_paper)))


def test_the_word_file_has_the_questions_the_answers_and_their_sources():
    document = word(paper())
    by_style: dict[str, list[str]] = {}
    for paragraph in document.paragraphs:
        by_style.setdefault(paragraph.style.name, []).append(paragraph.text)
    assert by_style["Title"] == [HEADING] and by_style["Note"] == [ORIGIN]
    assert by_style["Date"] == ["令和8年11月22日作成"]
    assert by_style["Heading 1"] == [f"質問{n}　{text}" for n, text in enumerate(QUESTIONS, 1)]
    assert by_style["Body Text"][0] == (
        "図書館システム運用（あおば市）: 令和7年度にクラウド型の図書館システムへ移行する。 [1]"
    )
    assert by_style["List Bullet"][0] == "図書館システム更新: 3,000,000円 [1]"
    assert by_style["Source"][0] == (
        "[1] あおば市／令和5年度／図書館システム運用／情報政策課／今後の計画"
        "「令和7年度にクラウド型の図書館システムへ移行する。」 原文を開く"
    )
    assert "近い記載（質問の答えではありません）" in by_style["Heading 2"]
    assert not any("**" in paragraph.text for paragraph in document.paragraphs)


def test_the_place_of_a_quote_stands_in_the_source():
    first = said(QUESTIONS[0])
    cited = first.citations[0].model_copy(update={"where": "3ページ"})
    assert source_words(cited).endswith("／今後の計画（3ページ）")
    document = word(changed(QUESTIONS[0], citations=[cited]))
    assert any("（3ページ）「令和7年度に" in paragraph.text for paragraph in document.paragraphs)
    assert book(changed(QUESTIONS[0], citations=[cited]))["出典"]["H2"].value == "3ページ"


def test_the_word_file_is_a4_with_page_numbers_and_japanese_fonts():
    document = word(paper())
    section = document.sections[0]
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
    fields = [one.text.strip() for one in section.footer._element.iter(qn("w:instrText"))]
    assert fields == ["PAGE", "NUMPAGES"] and "索引の版：fake-1" in section.footer.paragraphs[1].text
    assert section.header.paragraphs[0].text == f"{HEADING}　令和8年11月22日"
    used = {paragraph.style.name for paragraph in document.paragraphs} | {"Cell", "Header", "Footer"}
    for name in used:
        fonts = document.styles[name].element.find(f".//{qn('w:rFonts')}")
        assert fonts.get(qn("w:eastAsia")) in ("游明朝", "游ゴシック"), name
        assert not [key for key in list(fonts.attrib) if key.endswith("Theme")], name
    assert 'w:name="compatibilityMode"' in document.settings.element.xml.partition('w:val="15"')[0]
    defaults = document.styles.element.find(f"{qn('w:docDefaults')}//{qn('w:rFonts')}")
    assert defaults.get(qn("w:eastAsia")) == "游明朝"


def test_tables_in_word_repeat_their_header_and_set_numbers_right():
    document = word(paper())
    (table,) = document.tables
    cells = [[cell.text for cell in row.cells] for row in table.rows]
    assert cells[0] == ["自治体", "事業", "決算額（円）", "出典"]
    assert cells[1] == ["ひので市", "図書館システム更新", "3,000,000", "[1]"] and len(cells) == 5
    repeated = [row._tr.find(f".//{qn('w:tblHeader')}") is not None for row in table.rows]
    assert repeated == [True, False, False, False, False]
    assert all(row._tr.find(f".//{qn('w:cantSplit')}") is not None for row in table.rows)
    assert table.rows[1].cells[2].paragraphs[0].alignment == WD_ALIGN_PARAGRAPH.RIGHT
    assert table.rows[1].cells[1].paragraphs[0].alignment is None
    room = document.sections[0].page_width - 2 * Mm(22)
    assert sum(column.width for column in table.columns) <= room + Mm(1)
    long = TableJson(columns=["課", "記載"], rows=[["生涯学習課", "長い文。" * 60]], citations=[[1]])
    widths = [round(column.width.mm) for column in word(changed(QUESTIONS[0], table=long)).tables[0].columns]
    # 生涯学習課 needs 5 + 5 × 3.2 mm and [1] 5 + 3 × 1.9, but the head 出典 5 + 2 × 3.2; the sentence takes the rest.
    assert widths == [21, 134, 11]


def links(document) -> tuple[list[str], list[str]]:
    inside = [one.get(qn("w:anchor")) for one in document.element.iter(qn("w:hyperlink")) if one.get(qn("w:anchor"))]
    outside = [one.target_ref for one in document.part.rels.values() if one.is_external]
    return inside, outside


def footnotes(document) -> list[tuple[str, str]]:
    """The text of each note with the address it leads to."""
    (part,) = [one.target_part for one in document.part.rels.values() if one.reltype.endswith("/footnotes")]
    root = parse_xml(part.blob)
    found = []
    for note in root.findall(qn("w:footnote")):
        if note.get(qn("w:type")) is None:
            link = note.find(f".//{qn('w:hyperlink')}")
            address = "" if link is None else part.rels[link.get(qn("r:id"))].target_ref
            found.append(("".join(one.text for one in note.iter(qn("w:t"))), address))
    return found


def test_the_first_mark_is_a_footnote_with_the_quote_and_a_link_to_the_sheet():
    document = word(paper())
    source = said(QUESTIONS[0]).citations[0].source
    notes = footnotes(document)
    assert len(notes) == 5 and notes[0] == (
        " [1] あおば市／令和5年度／図書館システム運用／情報政策課／今後の計画"
        "「令和7年度にクラウド型の図書館システムへ移行する。」 原文を開く",
        f"{BASE}sheet/aoba-1?start={source.start}&end={source.end}#quote",
    )
    marks = [one for one in document.element.iter(qn("w:footnoteReference"))]
    assert [one.get(qn("w:id")) for one in marks] == ["1", "2", "3", "4", "5"], "one by one through the document"
    assert [one[1] for one in footnotes(word(paper(base="")))] == [""] * 5


def test_marks_lead_to_the_list_of_sources_and_that_to_the_sheet():
    again = changed(QUESTIONS[0], answer="計画 [1] と、もう一度 [1]")
    assert links(word(again))[0] == ["q1_1", "q1_1"] and len(footnotes(word(again))) == 1
    document = word(paper())
    inside, outside = links(document)
    marks = {one.get(qn("w:name")) for one in document.element.iter(qn("w:bookmarkStart"))}
    of_table = ["q2_1", "q2_2", "q2_3", "q2_4"]
    assert inside == ["q1_1", *of_table, *of_table] and set(inside) == marks
    source = said(QUESTIONS[0]).citations[0].source
    assert f"{BASE}sheet/aoba-1?start={source.start}&end={source.end}#quote" in outside and len(outside) == 5
    assert links(word(paper(base="")))[1] == [], "where the address is not known nothing pretends to lead anywhere"


def test_a_mark_without_a_source_is_text():
    document = word(changed(QUESTIONS[0], answer="計画 [7]"))
    assert links(document)[0] == [] and not list(document.element.iter(qn("w:footnoteReference")))
    assert not [one for one in document.part.rels.values() if one.reltype.endswith("/footnotes")]


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext がありません（Debian の poppler-utils）")
@needs_office
def test_the_footnotes_stand_on_the_printed_page(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    first = said(QUESTIONS[0])
    given_paper = changed(QUESTIONS[0], citations=[first.citations[0].model_copy(update={"where": "87ページ"})])
    (tmp_path / "in" / "paper.docx").write_bytes(word_paper(given_paper))
    made = converted(tmp_path / "in" / "paper.docx", "pdf", tmp_path / "out")
    text = subprocess.run(["pdftotext", "-layout", str(made), "-"], capture_output=True, text=True, check=True).stdout
    squeezed = "".join(text.split())
    assert squeezed.count("（87ページ）「令和7年度にクラウド型の図書館システムへ移行する。」原文を開く") == 2, (
        "below, and in the list"
    )
    assert squeezed.count("[1]あおば市") == 2


def test_the_excel_file_has_typed_numbers_units_and_sources():
    found = book(paper())
    assert found.sheetnames == ["質問一覧", "質問2の表", "質問2のグラフ", "出典"]
    listed = found["質問一覧"]
    assert (listed["A1"].value, listed["A2"].value, listed["A3"].value) == (HEADING, "令和8年11月22日作成", ORIGIN)
    rows = [[cell.value for cell in row[:6]] for row in listed.iter_rows(min_row=6)]
    assert rows[0][:2] == [1, QUESTIONS[0]] and rows[0][3:5] == ["根拠あり", 1]
    assert rows[1][4:] == [4, "質問2の表"] and rows[2][4] == 0
    assert listed["F7"].hyperlink.location == "'質問2の表'!A1"
    table = found["質問2の表"]
    assert [cell.value for cell in table[1]] == ["自治体", "事業", "決算額（円）", "引用"]
    assert [cell.value for cell in table[2]] == ["ひので市", "図書館システム更新", 3_000_000, "[1]"]
    assert table["C2"].number_format == "#,##0" and table["C2"].data_type == "n"
    sources = found["出典"]
    assert [cell.value for cell in sources[2]][:7] == [
        1, 1, "あおば市", "令和5年度", "図書館システム運用", "情報政策課", "今後の計画",
    ]  # fmt: skip
    assert sources.max_row == 6 and sources["K2"].hyperlink.target.startswith(f"{BASE}sheet/aoba-1?start=")
    assert all(sheet.freeze_panes and sheet.print_title_rows for sheet in found)


def test_units_of_a_column_stand_in_its_head_and_stay_out_of_its_numbers():
    table = TableJson(
        columns=["順位", "金額", "割合", "値", "年度", "備考"],
        rows=[
            ["1位", "116,437,200円", "12.50%", "3件", 2021, "A-1"],
            ["2位", "△800円", "7%", "40%", 2022, None],
        ],
        citations=[[1], [1]],
    )
    sheet = book(changed(QUESTIONS[0], table=table))["質問1の表"]
    assert [cell.value for cell in sheet[1]] == ["順位", "金額（円）", "割合（%）", "値", "年度", "備考", "引用"]
    assert [cell.value for cell in sheet[2]][:5] == [1, 116_437_200, 12.5, 3, 2021]
    assert [cell.value for cell in sheet[3]][:6] == [2, -800, 7, 40, 2022, None]
    formats = [cell.number_format for cell in sheet[2]][:5]
    assert formats == ['#,##0"位"', "#,##0", "#,##0.00", '#,##0"件"', "0"]
    assert sheet["D3"].number_format == '#,##0"%"'


def test_a_chart_is_a_chart_in_excel_and_its_figures_a_table_where_there_is_no_other():
    trend = changed("決算額の推移は？", table=None)
    sheet = book(trend)["質問1のグラフ"]
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [
        ["時期", "決算額（円）"], ["令和4年度", 1_200_000], ["令和5年度", 1_500_000],
    ]  # fmt: skip
    with zipfile.ZipFile(BytesIO(excel_paper(trend))) as parts:
        drawn = parts.read("xl/charts/chart1.xml").decode()
    assert "lineChart" in drawn and "$B$2:$B$3" in drawn and "$A$2:$A$3" in drawn
    (table,) = word(trend).tables
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["時期", "決算額（円）"], ["令和4年度", "1,200,000"], ["令和5年度", "1,500,000"],
    ]  # fmt: skip
    assert word(changed("決算額の推移は？", table=None, chart=None)).tables == []


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("12,155,000円", Quantity(12_155_000, "円", 0)),
        ("▲3.50", Quantity(-3.5, "", 2)),
        ("１，２００千円", Quantity(1_200, "千円", 0)),
        (0.25, Quantity(0.25, "", 2)),
        ("2021年", None),
        ("12,15", None),
        ("5億4,000万円", None),
        ("007", None),
        ("3/4", None),
        ("1-2", None),
        ("=1+1", None),
        ("", None),
        (None, None),
    ],
)
def test_what_is_a_number_and_what_is_not(cell, wanted):
    assert quantity(cell) == wanted


@given(st.integers(-(10**14), 10**14), st.sampled_from(["", "円", "千円", "件", "%"]))
def test_a_printed_number_is_read_as_itself(value, unit):
    assert quantity(f"{value:,}{unit}") == Quantity(value, unit, 0)


def nasty_paper(question: str, text: str) -> Paper:
    answer = said("決算額が大きい事業は？")
    citation = answer.citations[0]
    broken = answer.model_copy(
        update={
            "answer": f"{text}\n- {text} [1]",
            "citations": [
                citation.model_copy(
                    update={"sheet": text, "quote": text, "section": text, "sheet_id": text, "municipality": text}
                )
            ],
            "table": TableJson(columns=[text, "額"], rows=[[text, 1], [None, text]], citations=[[1], []]),
        }
    )
    return answers_paper([(question, broken)], MADE, BASE)


def assert_opens(given_paper: Paper, question: str, text: str) -> None:
    document = word(given_paper)
    heads = [one.text for one in document.paragraphs if one.style.name == "Heading 1"]
    assert heads == [f"質問1　{' '.join(clean(question).split())}"]
    assert document.tables[0].rows[1].cells[0].text == flat(text)
    data = excel_paper(given_paper)
    found = openpyxl.load_workbook(BytesIO(data))
    assert unescape(found["質問一覧"]["B6"].value or "") == clean(question)
    with zipfile.ZipFile(BytesIO(data)) as parts:
        sheets = [parts.read(name) for name in parts.namelist() if name.startswith("xl/worksheets/")]
    assert not any(b"<f>" in sheet or b"<f " in sheet for sheet in sheets), "no formula in any cell"
    assert all(cell.data_type != "f" for sheet in found for row in sheet.iter_rows() for cell in row)


def test_nothing_a_person_or_a_sheet_wrote_breaks_a_file_or_becomes_a_formula():
    assert_opens(nasty_paper(NASTY, NASTY), NASTY, NASTY)
    sources = book(nasty_paper(NASTY, NASTY))["出典"]
    assert unescape(sources["I2"].value) == flat(NASTY) and sources["I2"].data_type == "s"
    assert sources["I2"].value.startswith("=1+1") and "\u202e" not in sources["I2"].value


# Line breaks of other kinds than \n are read back as \n; what a file does with them is not what is asked here.
anything = st.text(st.characters(exclude_characters="\r\n\t\x85\u2028\u2029"), min_size=1, max_size=60)


@settings(max_examples=25, deadline=None)
@given(anything, anything)
def test_any_text_makes_files_that_open(question, text):
    given_paper = nasty_paper(question, text)
    word(given_paper)
    found = book(given_paper)
    assert all(cell.data_type != "f" for sheet in found for row in sheet.iter_rows() for cell in row)
    name = file_name(given_paper, "docx")
    assert not set(name) & set('\\/:*?"<>|\n\t\x00') and name.endswith("_20261122.docx") and len(name) < 80


def test_the_file_is_named_after_its_first_question_and_the_day():
    assert file_name(paper("決算額の推移は？"), "xlsx") == "評価シートへの質問と回答_決算額の推移は_20261122.xlsx"
    assert file_name(Paper("...", (), MADE), "docx") == "評価シートへの質問と回答_20261122.docx"


def test_an_answer_that_cannot_be_read_any_more_is_printed_as_text():
    old = Paper("古い質問", (Asked("古い質問", "**答え** [1]", None, MADE, "v0"),), MADE, BASE)
    texts = [one.text for one in word(old).paragraphs]
    assert "答え [1]" in texts and "令和8年11月22日 0時30分に質問" in texts
    assert book(old)["質問一覧"]["C6"].value == "答え [1]" and book(old)["出典"].max_row == 1


def test_days_are_written_as_an_office_writes_them():
    assert [day_words(date(*day)) for day in ((2019, 4, 30), (2019, 5, 1), (1989, 1, 7), (1900, 1, 2))] == [
        "平成31年4月30日", "令和元年5月1日", "昭和64年1月7日", "1900年1月2日",
    ]  # fmt: skip
    today = date(2026, 11, 22)
    assert [day_heading(date(2026, 11, day), today) for day in (22, 21, 20)] == [
        "今日",
        "昨日",
        "令和8年11月20日（金）",
    ]
    assert moment_words(MADE) == "令和8年11月22日 0時30分"
    assert sheet_link("", said(QUESTIONS[0]).citations[0]) == ""


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """Turns a file into another kind with LibreOffice, in a profile of its own, and gives the text of the result."""
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("LibreOffice がありません（apt-get install libreoffice-writer libreoffice-calc）")
    profile = tmp_path_factory.mktemp("profile")

    def turned(data: bytes, ending: str, kind: str) -> str:
        folder = tmp_path_factory.mktemp("office")
        (folder / f"paper{ending}").write_bytes(data)
        subprocess.run(
            [program, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to", kind,
             "--outdir", str(folder / "out"), str(folder / f"paper{ending}")],
            check=True, capture_output=True, timeout=240, env={**os.environ, "HOME": str(profile)},
        )  # fmt: skip
        return "\n".join(file.read_text("utf-8-sig") for file in sorted(Path(folder / "out").iterdir()))

    return turned


def test_libreoffice_opens_the_word_file_with_its_japanese_whole(office):
    text = office(word_paper(paper()), ".docx", "txt:Text (encoded):UTF8")
    for wanted in (
        HEADING,
        ORIGIN,
        "質問2　決算額が大きい事業は？",
        "令和7年度にクラウド型の図書館システムへ移行する。",
    ):
        assert wanted in text
    assert "3,000,000" in text and "原文を開く" in text


def test_libreoffice_opens_the_excel_file_with_its_japanese_whole(office):
    every_sheet = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
    text = office(excel_paper(nasty_paper("決算額が大きい事業は？", NASTY)), ".xlsx", every_sheet)
    assert HEADING in text and "決算額が大きい事業は？" in text and "原文を開く" in text
    assert "=1+1" in text and '"2"' not in text, "shown, not computed"
    assert "_x0041_" in text
