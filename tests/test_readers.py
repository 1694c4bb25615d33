"""Files of every kind become text whose offsets hold; what cannot be read says why."""

from __future__ import annotations

import csv
import datetime
import io
import os
import re
import zipfile
from pathlib import Path

import docx
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.lib import colors
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Table, TableStyle

from corpus.documents import Document
from corpus.errors import DocumentTooLarge, EmptyDocument, UnreadableDocument
from corpus.readers import READERS, read_document
from corpus.readers.decode import NotTextError, decode
from corpus.readers.extract import one_line
from corpus.readers.numberformat import shown
from corpus.readers.pagerows import radicals
from corpus.sources import find_files

FONT = "HeiseiKakuGo-W5"
SHEET = "事務事業名　火葬場運営事業\r\n目的\t市民の利便性の向上（①待合の改善）を図る。\r\n決算額 12,155千円\n"


@pytest.fixture(autouse=True)
def japanese_font() -> None:
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))


def placed(document: Document) -> list[tuple[str, object]]:
    return [(document.text[place.start : place.end], place.cell or place.page) for place in document.places]


# Text


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp932", "euc_jis_2004"],
)
def test_text_keeps_every_character_and_line_end(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.txt").write_bytes(SHEET.encode(encoding))
    assert read_document(tmp_path / "a.txt").text == SHEET


def test_iso_2022_jp_with_the_vendors_row_13(tmp_path: Path) -> None:
    plain = "評価シート\n令和5年度 決算\n"
    assert decode(plain.encode("iso2022_jp"))[0] == plain
    # ① is 2D 21 in the row that NEC added; Python's own codec refuses it.
    assert decode(b"\x1b$B\x2d\x21\x30\x21\x1b(B abc")[0] == "①亜 abc"


@pytest.mark.parametrize("encoding", ["cp932", "euc_jp"])
@given(
    text=st.text(
        st.sampled_from("評価市民課事業予算決算額令和年度のはをにしてたるアイシステムー、。・0123456789\n"), min_size=12
    )
)
@settings(max_examples=60, deadline=None)
def test_shift_jis_and_euc_jp_are_told_apart(encoding: str, text: str) -> None:
    found, _, lost = decode(text.encode(encoding))
    # A text without a single kana can look like the other encoding; sheets are not like that.
    if any("ぁ" <= char <= "ん" for char in text[:12]):
        assert found == text
    assert lost == 0


def test_half_width_katakana_in_shift_jis(tmp_path: Path) -> None:
    text = "ｼｽﾃﾑ名 住民記録ｼｽﾃﾑ\n所管 情報ｼｽﾃﾑ課\n"
    (tmp_path / "a.txt").write_bytes(text.encode("cp932"))
    assert read_document(tmp_path / "a.txt").text == text


def test_a_few_damaged_bytes_are_a_warning_not_an_end(tmp_path: Path) -> None:
    data = bytearray(("事業の目的は市民の利便性の向上である。\n" * 40).encode())
    data[901] = 0xFF
    (tmp_path / "a.txt").write_bytes(data)
    document = read_document(tmp_path / "a.txt")
    assert document.text.count("\n") == 40
    assert "文字が壊れています" in document.warnings[0]


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_are_no_text(seed: int) -> None:
    import random

    with pytest.raises(NotTextError):
        decode(random.Random(seed).randbytes(600))


def test_a_workbook_named_txt_says_what_it_is(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.save(tmp_path / "集計.txt")
    with pytest.raises(UnreadableDocument, match=r"集計\.txt: 中身はZIP形式（Excel・Wordなど）です。正しい拡張子に"):
        read_document(tmp_path / "集計.txt")


def test_csv_becomes_rows_and_keeps_commas_in_quotes(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('名称,"説\n明",決算\n火葬場,,"1,234"\n', encoding="cp932")
    assert read_document(tmp_path / "a.csv").text == "名称\t説明\t決算\n火葬場\t\t1,234\n"


def test_long_cells_are_read_and_the_limit_of_others_is_left_alone(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    (tmp_path / "短.csv").write_text("a,b\n", encoding="utf-8")
    assert read_document(tmp_path / "短.csv").text == "a\tb\n"
    assert csv.field_size_limit() == before
    (tmp_path / "長.csv").write_text("名称," + "長" * 200_000 + "\n", encoding="utf-8")
    assert len(read_document(tmp_path / "長.csv").text) == 200_004


def test_one_line_joins_japanese_closely_and_words_apart() -> None:
    assert one_line("市民の\n利便性\n・窓口\n(2)待合\nAI\nOCR") == "市民の利便性 ・窓口 (2)待合AI OCR"
    assert one_line("財\n源\n内\n訳") == "財源内訳"


# Excel


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


def workbook(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "集計"
    # Column A is a margin, as in most forms.
    sheet["B2"], sheet["C2"] = "事務事業名", "火葬場\n運営"
    sheet.merge_cells("C2:D2")
    sheet["E2"], sheet["E2"].number_format = 0.911, "0.0%"
    sheet["B4"], sheet["D4"] = "決算額", 12155
    sheet["D4"].number_format = "#,##0"
    sheet["B5"], sheet.row_dimensions[5].hidden = "作業用", True
    book.create_sheet("裏")["A1"] = "非公開"
    book["裏"].sheet_state = "hidden"
    book.create_sheet("指標")["A1"] = "利用件数"
    book.save(path)


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


# Word, HTML


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


# PDF


def ruled_pdf(path: Path) -> None:
    style = ParagraphStyle("cell", fontName=FONT, fontSize=9, leading=12, wordWrap="CJK")
    rows = [
        ["事務事業名", "火葬場運営", "", "課名", "市民課"],
        ["目的", Paragraph("待ち時間を短くすることを目的として実施する。<br/>・窓口の改善", style), "", "", ""],
        ["費用", "予算", "決算", "予算", "決算"],
        ["", "12,155", "11,000", "13,000", ""],
    ]
    ruled = TableStyle(
        [
            ("FONT", (0, 0), (-1, -1), FONT, 9),
            ("GRID", (0, 0), (-1, -1), 0.5, colors.black),
            ("SPAN", (1, 0), (2, 0)),
            ("SPAN", (1, 1), (4, 1)),
            ("SPAN", (0, 2), (0, 3)),
        ]
    )
    SimpleDocTemplate(str(path)).build(
        [
            Paragraph("令和6年度評価シート", style),
            Table(rows, colWidths=[70, 60, 60, 60, 60], style=ruled),
            Paragraph("以上のとおり。", style),
            PageBreak(),
            Paragraph("二枚目", style),
        ]
    )


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


# What cannot be read


@pytest.mark.parametrize("suffix", sorted(set(READERS) - {".txt", ".text", ".md", ".markdown", ".csv", ".tsv"}))
@pytest.mark.parametrize("data", [b"\x00\x01\x02junk" * 50, b"%PDF-1.4\n%%EOF", b"PK\x03\x04junk"])
def test_broken_files_of_every_kind_are_named(tmp_path: Path, suffix: str, data: bytes) -> None:
    (tmp_path / f"壊れた{suffix}").write_bytes(data)
    with pytest.raises((UnreadableDocument, EmptyDocument), match=f"^部/壊れた{suffix}: .+ください。$"):
        read_document(tmp_path / f"壊れた{suffix}", f"部/壊れた{suffix}")


@pytest.mark.parametrize("kind", ["pdf", "xlsx", "docx"])
def test_a_file_cut_anywhere_is_read_or_refused(tmp_path: Path, kind: str) -> None:
    whole = tmp_path / f"a.{kind}"
    if kind == "pdf":
        ruled_pdf(whole)
    elif kind == "xlsx":
        workbook(whole)
    else:
        docx.Document().save(str(whole))
    data = whole.read_bytes()
    for part in range(1, 10):
        (tmp_path / f"cut.{kind}").write_bytes(data[: len(data) * part // 10])
        with pytest.raises((UnreadableDocument, EmptyDocument)):
            read_document(tmp_path / f"cut.{kind}")


def test_the_size_is_looked_at_before_the_content(tmp_path: Path) -> None:
    with (tmp_path / "大.txt").open("wb") as file:
        file.truncate(300 * 1024 * 1024)
    with pytest.raises(DocumentTooLarge, match=r"大\.txt: 大きすぎます（300\.0MB、上限200\.0MB）.*max_file_mb"):
        read_document(tmp_path / "大.txt")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied"), "読む権限がありません。ファイルの権限を確かめて"),
        (FileNotFoundError(2, "No such file"), "ファイルが見つかりません。移動や削除がなかったか確かめて"),
        (OSError(5, "Input/output error"), "読み込めません（Input/output error）。ファイルのある場所を確かめて"),
    ],
)
def test_what_the_disk_refuses_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, said: str
) -> None:
    def refuse(path: Path) -> bytes:
        raise error

    (tmp_path / "a.txt").write_text("評価", encoding="utf-8")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(UnreadableDocument, match=f"^a.txt: {re.escape(said)}.*もう一度実行してください。$"):
        read_document(tmp_path / "a.txt")


def test_a_zip_bomb_is_refused_by_its_table_of_contents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpus.readers.packages.MAX_UNPACKED", 1000)
    workbook(tmp_path / "a.xlsx")
    with pytest.raises(DocumentTooLarge, match="展開すると大きすぎます"):
        read_document(tmp_path / "a.xlsx")


def test_old_formats_say_what_to_save_as(tmp_path: Path) -> None:
    (tmp_path / "a.xls").write_bytes(b"x")
    with pytest.raises(UnreadableDocument, match=r"\.xlsx で保存し直して"):
        read_document(tmp_path / "a.xls")
    (tmp_path / "b.xlsx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600)
    with pytest.raises(UnreadableDocument, match="パスワード"):
        read_document(tmp_path / "b.xlsx")


# Sources


def test_files_are_listed_in_order_with_reasons_for_what_is_skipped(tmp_path: Path) -> None:
    for name in ["b.txt", "a.pdf", "x.xls", "~$a.xlsx", ".hidden.txt", "部/c.html", "部/.git/d.txt", "README.md"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    found = find_files([tmp_path, tmp_path / "b.txt", tmp_path / "なし"])
    assert [(file.name, bool(file.skipped)) for file in found] == [
        ("a.pdf", False),
        ("b.txt", False),
        ("x.xls", True),
        ("部/c.html", False),
        (str(tmp_path / "なし"), True),
    ]
    assert "見つかりません" in found[-1].skipped


def test_files_of_the_same_name_keep_apart(tmp_path: Path) -> None:
    for folder in ["甲", "乙"]:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "r5.txt").write_bytes(b"x")
    found = find_files([tmp_path / "甲", tmp_path / "乙"])
    assert [file.name for file in found] == ["r5.txt", "乙/r5.txt"]


def test_what_is_stored_hashes_the_file_not_the_text(tmp_path: Path) -> None:
    import hashlib

    data = io.BytesIO(SHEET.encode("cp932")).getvalue()
    (tmp_path / "a.txt").write_bytes(data)
    assert read_document(tmp_path / "a.txt").sha256 == hashlib.sha256(data).hexdigest()
