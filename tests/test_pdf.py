"""PDF pages: what is drawn on them, and the rows that are read."""

from __future__ import annotations

from pathlib import Path

import pytest
from pdf_pages import FONT, TOP, Sheet
from pdf_pages import japanese_font as japanese_font
from pdf_pages import sheet as sheet
from reportlab.lib.pagesizes import A4, landscape

from corpus.readers.glyphs import Glyph
from corpus.readers.pagerows import page_rows


def test_stacked_and_turned_labels_are_one_word(sheet: Sheet) -> None:
    sheet.box(60, 100, 300, 100)
    sheet.line(80, 100, 80, 200)
    sheet.line(100, 100, 100, 200)
    sheet.line(200, 100, 200, 200)
    sheet.line(220, 100, 220, 200)
    sheet.line(260, 100, 260, 200)
    for n, char in enumerate("指標・名"):
        sheet.text(65, 125 + 18 * n, char)
    for x, word in ((83, "評価の"), (83 + 0, "")):
        for n, char in enumerate(word):
            sheet.text(x + 2, 130 + 11 * n, char)
    sheet.text(103, 150, "窓口の待ち時間")
    canvas = sheet.canvas
    canvas.saveState()
    canvas.translate(214, TOP - 180)
    canvas.rotate(90)
    canvas.setFont(FONT, 10)
    canvas.drawString(0, 0, "目標値")
    canvas.restoreState()
    for column, word in enumerate(("事業の", "概要")):  # two columns of downward text, from right to left
        for n, char in enumerate(word):
            sheet.text(246 - 18 * column, 120 + 10.5 * n, char)
    sheet.text(263, 150, "12.5")
    assert sheet.read().text == "指標・名\t評価の\t窓口の待ち時間\t目標値\t事業の概要\t12.5\n"


def test_words_spread_over_their_place_are_words_again(sheet: Sheet) -> None:
    sheet.box(60, 100, 340, 60)
    sheet.line(160, 100, 160, 160)
    for y in (120, 140):
        sheet.line(60, y, 400, y)
    for n, char in enumerate("事業名"):
        sheet.text(70 + 35 * n, 114, char)
    sheet.text(63, 134, "担　当　課")
    sheet.text(63, 154, "目")
    sheet.text(140, 154, "的")
    sheet.text(163, 114, "AI OCR の導入")
    sheet.text(163, 134, "１ ２ ３")  # figures apart are apart
    sheet.text(163, 154, "窓口　市民")
    sheet.text(60, 200, "施 策 の 方 向")
    assert sheet.read().text == ("事業名\tAI OCR の導入\n担当課\t１ ２ ３\n目的\t窓口　市民\n施策の方向\n")


def test_bold_printed_three_times_is_read_once(sheet: Sheet) -> None:
    for shift in (0, 0.4, 0.8):
        sheet.text(60 + shift, 100, "太字の見出し111")
    assert sheet.read().text == "太字の見出し111\n"


def test_figures_in_columns_without_rules_keep_their_columns(sheet: Sheet) -> None:
    rows = [
        ["区分", "令和4年度", "令和5年度", "令和6年度"],
        ["予算額", "1,200", "1,300", "900"],
        ["決算額", "", "1,250", ""],
        ["人件費", "800", "", "810"],
    ]
    for n, row in enumerate(rows):
        for x, text in zip((60, 200, 320, 440), row, strict=True):
            if text:
                sheet.canvas.setFont(FONT, 10)
                (sheet.canvas.drawString if x == 60 else sheet.canvas.drawRightString)(
                    x + (x > 60) * 50, TOP - 100 - 16 * n, text
                )
    assert sheet.read().text == (
        "区分\t令和4年度\t令和5年度\t令和6年度\n予算額\t1,200\t1,300\t900\n決算額\t\t1,250\n人件費\t800\t\t810\n"
    )


def test_close_columns_of_figures_are_told_by_the_rows_around_them(sheet: Sheet) -> None:
    for n, row in enumerate((["区分", "R4", "R5", "R6"], ["予算額", "12", "13", "14"], ["決算額", "11", "12", "13"])):
        for x, text in zip((60, 108, 136, 164), row, strict=True):
            sheet.text(x, 100 + 16 * n, text)
    assert sheet.read().text == "区分\tR4\tR5\tR6\n予算額\t12\t13\t14\n決算額\t11\t12\t13\n"


def test_two_columns_of_prose_are_read_one_after_the_other(sheet: Sheet) -> None:
    sheet.text(60, 80, "第１章　行政評価のあらまし（全体にわたる見出しで、両方の段の上にかかるもの）", 12)
    left = [f"左の段の{n}行目は事業の目的を述べる文章です。" for n in "一二三四五六"]
    right = [f"右の段の{n}行目は今後の計画を述べる文章です。" for n in "一二三四五六"]
    for n, (one, other) in enumerate(zip(left, right, strict=True)):
        sheet.text(60, 120 + 15 * n, one)
        sheet.text(320, 120 + 15 * n, other)
    sheet.text(60, 300, "下にかかる全体の注記は、どちらの段のものでもなく、段の後に読まれるべきものです。", 12)
    lines = sheet.read().text.splitlines()
    assert lines[1:-1] == [*left, *right]
    assert lines[0].startswith("第１章") and lines[-1].startswith("下にかかる")


def test_labels_and_values_side_by_side_are_no_two_columns(sheet: Sheet) -> None:
    rows = [
        ("事務事業名", "火葬場運営事業"),
        ("担当課", "市民課"),
        ("根拠法令", "墓地、埋葬等に関する法律"),
        ("開始", "昭和58年度"),
        ("区分", "継続"),
    ]
    for n, (label, value) in enumerate(rows):
        sheet.text(60, 100 + 16 * n, label)
        sheet.text(300, 100 + 16 * n, value)
    assert sheet.read().text == "".join(f"{label}\t{value}\n" for label, value in rows)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_turned_page_is_read_as_it_is_shown(tmp_path: Path, turn: int) -> None:
    """The content is drawn so that it is upright once the viewer has turned the page."""
    sheet = Sheet(tmp_path / "a.pdf")
    canvas = sheet.canvas
    across, up = (A4[1], A4[0]) if turn != 180 else A4  # of the paper before it is turned: reportlab swaps its sides
    canvas.translate(across if turn < 270 else 0, up if turn > 90 else 0)
    canvas.rotate(turn)
    sheet.box(60, 100, 200, 20)
    sheet.line(160, 100, 160, 120)
    sheet.cells([60, 160], [100], [["事業名", "火葬場運営"]])
    canvas.setPageRotation(turn)
    document = sheet.read()
    assert document.text == "事業名\t火葬場運営\n"
    boxes = [place.box for place in document.places]
    assert boxes == [(60.0, 100.0, 160.0, 120.0), (160.0, 100.0, 260.0, 120.0)]


def test_a_table_printed_sideways_on_an_upright_page(sheet: Sheet) -> None:
    canvas = sheet.canvas
    canvas.translate(A4[0], 0)
    canvas.rotate(90)
    sheet.height = A4[0]
    sheet.box(60, 100, 200, 20)
    sheet.line(160, 100, 160, 120)
    sheet.cells([60, 160], [100], [["事業名", "火葬場運営"]])
    document = sheet.read()
    assert document.text == "事業名\t火葬場運営\n"
    boxes = [place.box for place in document.places]
    # The page is not turned: sideways text runs upwards, its first cell is the lower one.
    assert boxes[0] == (100.0, round(TOP - 160, 1), 120.0, round(TOP - 60, 1))


def test_boxes_are_measured_from_the_cropped_corner_and_what_is_cropped_is_not_read(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "a.pdf")
    sheet.box(160, 200, 200, 20)
    sheet.line(260, 200, 260, 220)
    sheet.cells([160, 260], [200], [["事業名", "火葬場運営"]])
    sheet.text(20, 20, "トンボの外の文字")
    sheet.canvas.setCropBox((100, 100, A4[0] - 50, TOP - 150))
    document = sheet.read()
    assert document.text == "事業名\t火葬場運営\n"
    assert document.places[0].box == (60.0, 50.0, 160.0, 70.0)


def test_heads_and_page_numbers_stand_where_they_are_printed(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "a.pdf", landscape(A4))
    for number in (1, 2):
        sheet.text(60, 30, "みなと野市 事務事業評価")
        sheet.text(60, 300, f"本文{number}")
        sheet.text(400, 580, f"- {number} -")
        sheet.canvas.showPage()
    assert sheet.read().text == ("みなと野市 事務事業評価\n本文1\n- 1 -\n\fみなと野市 事務事業評価\n本文2\n- 2 -\n")


def test_latin_words_keep_their_blanks_also_where_they_are_only_gaps(sheet: Sheet) -> None:
    canvas = sheet.canvas
    canvas.setFont("Helvetica", 10)
    x = 60.0
    for word in ("Digital", "Transformation", "AI-OCR"):
        canvas.drawString(x, TOP - 100, word)
        x += canvas.stringWidth(word, "Helvetica", 10) + 2.8
    assert sheet.read().text == "Digital Transformation AI-OCR\n"


def test_what_was_filled_into_a_form_is_read_in_its_place(sheet: Sheet) -> None:
    sheet.box(60, 100, 200, 24)
    sheet.line(160, 100, 160, 124)
    sheet.text(63, 115, "決算額")
    sheet.canvas.acroForm.textfield(
        name="f", value="12,155", x=162, y=TOP - 123, width=90, height=20, borderWidth=0, fontSize=10
    )
    sheet.text(60, 150, "以上")
    assert sheet.read().text == "決算額\t12,155\n以上\n"


def test_radicals_on_a_page_become_letters() -> None:
    glyphs = [Glyph(char, 60 + 10 * n, 100, 70 + 10 * n, 110) for n, char in enumerate("⽕葬場の⺠営化")]
    ((piece,),) = page_rows(glyphs, [], [], A4, 1)
    assert piece.text == "火葬場の民営化" and piece.box == (60, 100, 130, 110)
