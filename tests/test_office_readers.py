"""Excel, Word, HTML and PDF become rows and lines with their places."""

from __future__ import annotations

import datetime
import os
import zipfile
from pathlib import Path

import docx
import openpyxl
import pytest
from office_files import FONT, ruled_pdf, workbook
from office_files import japanese_font as japanese_font
from reportlab.pdfgen import canvas

from corpus.documents import Document
from corpus.errors import EmptyDocument
from corpus.readers import read_document
from corpus.readers.numberformat import shown
from corpus.readers.pagerows import radicals


def placed(document: Document) -> list[tuple[str, object]]:
    return [(document.text[place.start : place.end], place.cell or place.page) for place in document.places]


@pytest.mark.parametrize(
    ("value", "number_format", "expected"),
    [
        (12155, "#,##0", "12,155"),
        (0.911, "0.0%", "91.1%"),
        (3.0, "General", "3"),
        (0.1 + 0.2, "General", "0.3"),
        (1234.5, "General", "1234.5"),
        (-1234, '#,##0;"△"#,##0', "△1,234"),
        (0, '#,##0;△#,##0;"-"', "-"),
        (0, "#,##0;;", ""),
        (12155000, '#,##0,"千円"', "12,155千円"),
        (2.5, "0", "3"),
        (7, '0"年度"', "7年度"),
        (-0.04, "0.0", "0.0"),
        ("A", "@", "A"),
        (True, "General", "TRUE"),
        (datetime.datetime(2024, 4, 1), '[$-411]ggge"年"m"月"d"日"', "令和6年4月1日"),
        (datetime.datetime(2019, 4, 30), "[$-411]ge.m.d", "H31.4.30"),
        (datetime.datetime(2019, 5, 1), "[$-411]ge.m.d", "R1.5.1"),
        (datetime.datetime(2024, 4, 1), "mm-dd-yy", "2024-04-01"),
        (datetime.datetime(2024, 4, 1, 9, 5), "yyyy/m/d h:mm", "2024/4/1 9:05"),
        (datetime.date(2024, 4, 1), 'yyyy"年"m"月"', "2024年4月"),
    ],
)
def test_values_look_as_excel_shows_them(value: object, number_format: str, expected: str) -> None:
    assert shown(value, number_format) == expected


def test_excel_rows_merged_cells_and_cell_references(tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx")
    document = read_document(tmp_path / "a.xlsx")
    assert document.text == "事務事業名\t火葬場運営\t\t91.1%\n\n決算額\t\t12,155\n\f利用件数\n"
    assert placed(document) == [
        ("事務事業名", "集計!B2"),
        ("火葬場運営", "集計!C2"),
        ("91.1%", "集計!E2"),
        ("決算額", "集計!B4"),
        ("12,155", "集計!D4"),
        ("利用件数", "指標!A1"),
    ]
    assert "非表示のシート 裏" in document.warnings[0]
    assert "5行" in document.warnings[1]


def test_a_formula_without_its_result_is_warned_of(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["A1"], sheet["A2"] = 5, "=A1*2"
    book.save(tmp_path / "a.xlsx")
    assert "計算結果が保存されていない式が1個" in read_document(tmp_path / "a.xlsx").warnings[0]


def test_text_in_drawings_is_warned_of(tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx", "a") as book:
        book.writestr("xl/drawings/drawing1.xml", "<xdr:wsDr><xdr:sp><a:t>欄外の注記</a:t></xdr:sp></xdr:wsDr>")
    assert "図形（テキストボックス）" in read_document(tmp_path / "a.xlsx").warnings[0]


def test_a_million_formatted_empty_rows_are_not_walked(tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx")
    rows = "".join(f'<row r="{n}" s="1"><c r="A{n}" s="1"/></row>' for n in range(10, 1_000_000)).encode()
    with zipfile.ZipFile(tmp_path / "a.xlsx") as source, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "xl/worksheets/sheet1.xml":
                content = content.replace(b"</sheetData>", rows + b"</sheetData>")
            target.writestr(name, content)
    began = os.times().user
    assert read_document(tmp_path / "b.xlsx").text == read_document(tmp_path / "a.xlsx").text
    assert os.times().user - began < 15  # with the empty rows openpyxl needs minutes


def test_word_paragraphs_and_tables_in_order(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_paragraph("令和5年度 事務事業評価シート")
    table = document.add_table(3, 3)
    table.cell(0, 0).text = "目的"
    table.cell(0, 1).merge(table.cell(0, 2)).text = "市民の\n利便性"
    table.cell(1, 0).merge(table.cell(2, 0)).text = "費用"
    table.cell(1, 1).text, table.cell(1, 2).text, table.cell(2, 2).text = "決算", "12,155", "千円"
    document.add_paragraph("以上")
    document.save(str(tmp_path / "a.docx"))
    expected = "令和5年度 事務事業評価シート\n目的\t市民の利便性\n費用\t決算\t12,155\n\t\t千円\n以上\n"
    assert read_document(tmp_path / "a.docx").text == expected


def test_html_spans_keep_columns_and_scripts_are_gone(tmp_path: Path) -> None:
    page = """<html><head><meta charset="Shift_JIS"><style>p{}</style></head><body><script>alert(1)</script>
    <h1>評価<b>シート</b></h1><p>一行目<br>二行目</p>
    <table><tr><th rowspan=2>費用</th><th colspan=2>令和5年度</th><td>備考</td></tr>
    <tr><td>予算</td><td>決算</td><td><ul><li>a<li>b</ul></td></tr></table></body></html>"""
    (tmp_path / "a.html").write_text(page, encoding="cp932")
    expected = "評価シート\n一行目\n二行目\n費用\t令和5年度\t\t備考\n\t予算\t決算\ta b\n"
    assert read_document(tmp_path / "a.html").text == expected


def test_pdf_tables_stand_between_the_lines_around_them(tmp_path: Path) -> None:
    ruled_pdf(tmp_path / "a.pdf")
    document = read_document(tmp_path / "a.pdf")
    assert document.text == (
        "令和6年度評価シート\n"
        "事務事業名\t火葬場運営\t\t課名\t市民課\n"
        "目的\t待ち時間を短くすることを目的として実施する。 ・窓口の改善\n"
        "費用\t予算\t決算\t予算\t決算\n"
        "\t12,155\t11,000\t13,000\n"
        "以上のとおり。\n"
        "\f二枚目\n"
    )
    found = placed(document)
    assert ("11,000", 1) in found and ("二枚目", 2) in found
    cell = next(place for place in document.places if document.text[place.start : place.end] == "11,000")
    assert cell.box is not None and cell.box[0] < cell.box[2] and cell.box[1] < cell.box[3]
    assert len(document.pages) == 2  # the size of each page, with every box of the page inside
    for place in document.places:
        assert place.box is not None and place.page is not None
        size = document.pages[place.page - 1]
        assert 0 <= place.box[0] < place.box[2] <= size.width and 0 <= place.box[1] < place.box[3] <= size.height


def test_pdf_bold_by_doubling_is_read_once_and_wide_gaps_are_columns(tmp_path: Path) -> None:
    page = canvas.Canvas(str(tmp_path / "a.pdf"))
    page.setFont(FONT, 12)
    for shift in (0, 0.3):
        page.drawString(72 + shift, 700, "太字の見出し")
    page.drawString(72, 660, "担当課")
    page.drawString(300, 660, "市民課")
    page.save()
    assert read_document(tmp_path / "a.pdf").text == "太字の見出し\n担当課\t市民課\n"


def test_pdf_radicals_become_the_characters_they_stand_for() -> None:
    assert "⽕葬場の⺠営化、⽬的".translate(radicals()) == "火葬場の民営化、目的"


def test_a_scanned_pdf_asks_for_ocr(tmp_path: Path) -> None:
    page = canvas.Canvas(str(tmp_path / "scan.pdf"))
    page.rect(60, 300, 200, 100, fill=1)
    page.save()
    with pytest.raises(EmptyDocument, match=r"scan\.pdf: .*OCR"):
        read_document(tmp_path / "scan.pdf")
