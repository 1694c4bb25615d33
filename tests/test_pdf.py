"""PDF pages: what is drawn on them, and the rows that are read."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reportlab import rl_config
from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from corpus.documents import Document
from corpus.errors import DocumentError, EmptyDocument, UnreadableDocument
from corpus.readers import read_document
from corpus.readers.glyphs import Glyph
from corpus.readers.pagerows import page_rows
from corpus.readers.pdf import read_pdf
from evals.benchmarks.pdf_reading import measure

FONT = "HeiseiKakuGo-W5"
TOP = A4[1]


@pytest.fixture(autouse=True)
def japanese_font() -> None:
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    rl_config.invariant = 1


class Sheet:
    """A page to draw on with offsets from the top left, as the reader hands them back."""

    def __init__(self, path: Path, size: tuple[float, float] = A4, **options: object) -> None:
        self.path = path
        self.canvas = Canvas(str(path), pagesize=size, **options)
        self.height = size[1]
        self.size = 10.0

    def text(self, x: float, y: float, text: str, size: float | None = None) -> None:
        self.canvas.setFont(FONT, size or self.size)
        self.canvas.drawString(x, self.height - y, text)

    def line(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self.canvas.line(x0, self.height - y0, x1, self.height - y1)

    def box(self, x: float, y: float, width: float, height: float, stroke: int = 1, fill: int = 0) -> None:
        self.canvas.rect(x, self.height - y - height, width, height, stroke=stroke, fill=fill)

    def cells(self, xs: Sequence[float], ys: Sequence[float], texts: Sequence[Sequence[str]]) -> None:
        """Texts at the places of a grid, without its rules."""
        for y, row in zip(ys, texts, strict=False):
            for x, text in zip(xs, row, strict=False):
                self.text(x + 3, y + 14, text)

    def read(self) -> Document:
        self.canvas.save()
        return read_document(self.path)


@pytest.fixture
def sheet(tmp_path: Path) -> Sheet:
    return Sheet(tmp_path / "a.pdf")


def solid(sheet: Sheet, x0: float, y0: float, x1: float, y1: float) -> None:
    sheet.line(x0, y0, x1, y1)


def as_rectangle(sheet: Sheet, x0: float, y0: float, x1: float, y1: float) -> None:
    sheet.box(x0 - 0.25, y0 - 0.25, x1 - x0 + 0.5, y1 - y0 + 0.5, stroke=0, fill=1)


def dashed(sheet: Sheet, x0: float, y0: float, x1: float, y1: float) -> None:
    sheet.canvas.setDash(2, 2)
    sheet.line(x0, y0, x1, y1)


def in_dots(sheet: Sheet, x0: float, y0: float, x1: float, y1: float) -> None:
    for n in range(int(max(x1 - x0, y1 - y0) / 2) + 1):
        x, y = (x0 + 2 * n, y0) if x1 > x0 else (x0, y0 + 2 * n)
        sheet.box(x - 0.3, y - 0.3, 0.6, 0.6, stroke=0, fill=1)


def doubled(sheet: Sheet, x0: float, y0: float, x1: float, y1: float) -> None:
    across = x1 > x0
    sheet.line(x0, y0, x1, y1)
    sheet.line(x0 + (not across) * 2, y0 + across * 2, x1 + (not across) * 2, y1 + across * 2)


def in_pieces(sheet: Sheet, x0: float, y0: float, x1: float, y1: float) -> None:
    """A rule as spreadsheets print it: cell by cell, with ends that do not quite meet."""
    across = x1 > x0
    start, end = (x0, x1) if across else (y0, y1)
    steps = max(int((end - start) / 20), 1)
    for n in range(steps):
        a, b = (start + (end - start) * m / steps for m in (n, n + 1))
        if across:
            sheet.line(a + 0.6, y0, b - 0.6, y0)
        else:
            sheet.line(x0, a + 0.6, x0, b - 0.6)


def white_on_grey(sheet: Sheet, x0: float, y0: float, x1: float, y1: float) -> None:
    sheet.canvas.setStrokeColorRGB(1, 1, 1)
    sheet.line(x0, y0, x1, y1)


RULES = [solid, as_rectangle, dashed, in_dots, doubled, in_pieces, white_on_grey]
XS, YS = [60, 160, 240, 320, 400], [100, 120, 140, 160]
MERGED = "費目\t令和4年度\t\t令和5年度\n\t予算額\t決算額\t予算額\n事業費\t12,155\t11,000\t13,000\n"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_merged_cells_are_told_however_rules_are_drawn(
    sheet: Sheet, rule: Callable[[Sheet, float, float, float, float], None]
) -> None:
    for y, start in ((100, 60), (120, 160), (140, 60), (160, 60)):  # 費目 covers two rows
        rule(sheet, start, y, 400, y)
    for x, start in ((60, 100), (160, 100), (240, 120), (320, 100), (400, 100)):  # 令和4年度 covers two columns
        rule(sheet, x, start, x, 160)
    texts = [
        ["費目", "令和4年度", "", "令和5年度"],
        ["", "予算額", "決算額", "予算額"],
        ["事業費", "12,155", "11,000", "13,000"],
    ]
    sheet.cells(XS, YS, texts)
    document = sheet.read()
    assert document.text == MERGED
    place = next(place for place in document.places if document.text[place.start : place.end] == "令和4年度")
    assert place.box is not None
    assert all(abs(a - b) <= 2 for a, b in zip(place.box, (160, 100, 320, 120), strict=True))


def test_a_table_without_rules_at_its_sides_keeps_its_outer_columns(sheet: Sheet) -> None:
    for y in YS:
        sheet.line(60, y, 400, y)
    for x in (160, 240, 320):
        sheet.line(x, 100, x, 160)
    sheet.cells(XS, YS, [["費目", "R4", "R5", "R6"], ["事業費", "12", "13", "14"], ["人件費", "", "3", "4"]])
    assert sheet.read().text == "費目\tR4\tR5\tR6\n事業費\t12\t13\t14\n人件費\t\t3\t4\n"


def test_a_rule_that_ends_half_way_is_taken_to_go_on(sheet: Sheet) -> None:
    sheet.box(60, 100, 340, 60)
    sheet.line(160, 100, 160, 160)
    sheet.line(60, 120, 400, 120)
    sheet.line(60, 140, 300, 140)  # stops short of the right side
    sheet.line(240, 100, 240, 160)
    sheet.line(320, 100, 320, 160)
    sheet.cells(XS, YS, [["費目", "R4", "R5", "R6"], ["事業費", "12", "13", "14"], ["人件費", "2", "3", ""]])
    assert sheet.read().text == "費目\tR4\tR5\tR6\n事業費\t12\t13\t14\n人件費\t2\t3\n"


def test_what_lies_in_the_notch_of_a_table_is_no_cell(sheet: Sheet) -> None:
    sheet.box(60, 100, 100, 20)
    sheet.box(60, 120, 340, 20)
    sheet.line(160, 120, 160, 140)
    sheet.text(63, 114, "評価調書")
    sheet.text(300, 114, "（単位：千円）")
    sheet.cells([60, 160], [120], [["事業費", "12,155"]])
    assert sheet.read().text == "評価調書\n（単位：千円）\n事業費\t12,155\n"


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


def test_rows_without_rules_between_them_are_rows(sheet: Sheet) -> None:
    sheet.box(60, 100, 340, 80)
    sheet.line(60, 120, 400, 120)
    for x in (160, 240, 320):
        sheet.line(x, 100, x, 180)
    sheet.cells(XS, [100], [["費目", "R4", "R5", "備考"]])
    for n, row in enumerate((["事業費", "12,155", "13,000"], ["人件費", "800", "810"], ["計", "12,955", "13,810"])):
        for x, text in zip(XS, row, strict=False):
            sheet.text(x + 3, 135 + 14 * n, text)
    assert sheet.read().text == ("費目\tR4\tR5\t備考\n事業費\t12,155\t13,000\n人件費\t800\t810\n計\t12,955\t13,810\n")


def test_text_that_wraps_in_a_cell_stays_in_its_row(sheet: Sheet) -> None:
    sheet.box(60, 100, 340, 40)
    sheet.line(160, 100, 160, 140)
    sheet.text(63, 115, "事業の")
    sheet.text(63, 130, "目的")
    sheet.text(163, 115, "待ち時間を短くすることを目")
    sheet.text(163, 130, "的として実施する。")
    assert sheet.read().text == "事業の目的\t待ち時間を短くすることを目的として実施する。\n"


def test_a_table_inside_a_cell_keeps_its_rows(sheet: Sheet) -> None:
    sheet.box(60, 100, 400, 120)
    sheet.line(160, 100, 160, 220)
    sheet.text(63, 115, "事業費")
    sheet.text(170, 115, "年度ごとの額は次のとおり。")
    sheet.box(200, 130, 200, 40)
    sheet.line(200, 150, 400, 150)
    sheet.line(300, 130, 300, 170)
    sheet.cells([200, 300], [130, 150], [["R4", "R5"], ["12,155", "13,000"]])
    assert sheet.read().text == "事業費\t年度ごとの額は次のとおり。\nR4\tR5\n12,155\t13,000\n"


def test_a_frame_around_tables_is_decoration(sheet: Sheet) -> None:
    sheet.box(40, 60, 400, 200)
    sheet.text(60, 85, "令和6年度")
    for x, label in ((60, "予算"), (260, "決算")):
        sheet.box(x, 100, 150, 40)
        sheet.line(x, 120, x + 150, 120)
        sheet.line(x + 75, 100, x + 75, 140)
        sheet.cells([x, x + 75], [100, 120], [[label, "額"], ["事業費", "12"]])
    assert sheet.read().text == "令和6年度\n予算\t額\n事業費\t12\n決算\t額\n事業費\t12\n"


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


def test_an_underline_and_a_filled_band_do_not_break_their_text(sheet: Sheet) -> None:
    sheet.text(60, 100, "１　事業の概要")
    sheet.line(60, 104, 400, 104)
    sheet.canvas.setFillGray(0.8)
    sheet.box(55, 120, 300, 20, stroke=0, fill=1)
    sheet.canvas.setFillGray(0)
    sheet.text(60, 134, "２　事業の実施")
    assert sheet.read().text == "１　事業の概要\n２　事業の実施\n"


def test_a_drawing_of_thousands_of_strokes_costs_no_text(sheet: Sheet) -> None:
    dice = random.Random(4)
    for _ in range(3000):
        x, y = dice.uniform(50, 500), dice.uniform(200, 700)
        sheet.line(x, y, x + 20, y)
        sheet.line(x, y, x, y + 20)
    sheet.text(60, 100, "位置図")
    assert "位置図" in sheet.read().text


def test_a_text_too_long_for_its_cell_stays_one_text(sheet: Sheet) -> None:
    sheet.box(60, 100, 340, 40)
    sheet.line(60, 120, 400, 120)
    for x in (160, 240, 320):
        sheet.line(x, 100, x, 140)
    sheet.text(63, 114, "事業名")
    sheet.text(163, 114, "放課後児童クラブ運営事業")  # 120 points in a cell of 80
    sheet.text(63, 134, "予算額")
    sheet.canvas.drawRightString(239, TOP - 134, "12,155")
    sheet.text(241, 134, "13,000")
    assert sheet.read().text == "事業名\t放課後児童クラブ運営事業\n予算額\t12,155\t13,000\n"


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


@st.composite
def merged_tables(draw: st.DrawFn) -> tuple[list[float], list[float], list[tuple[int, int, int, int]]]:
    """Column and row lines, and cells (row, column, row after, column after) that fill the grid."""
    columns, rows = draw(st.integers(1, 6)), draw(st.integers(2, 7))
    xs, ys = [40.0], [60.0]
    for lines, count, least in ((xs, columns, 45), (ys, rows, 16)):
        for _ in range(count):
            lines.append(lines[-1] + draw(st.integers(least, least + 30)))
    cells: list[tuple[int, int, int, int]] = []
    taken: set[tuple[int, int]] = set()
    for row in range(rows):
        for column in range(columns):
            if (row, column) in taken:
                continue
            free = next((c for c in range(column, columns) if (row, c) in taken), columns)
            across = draw(st.integers(1, free - column)) if draw(st.booleans()) else 1
            down = draw(st.integers(1, rows - row)) if draw(st.integers(0, 3)) == 0 else 1
            cells.append((row, column, row + down, column + across))
            taken |= {(r, c) for r in range(row, row + down) for c in range(column, column + across)}
    return xs, ys, cells


@given(table=merged_tables(), rule=st.sampled_from(RULES[:-1]), angle=st.sampled_from([0, 0, 90]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_merged_table_is_read_cell_by_cell(
    tmp_path: Path,
    table: tuple[list[float], list[float], list[tuple[int, int, int, int]]],
    rule: Callable[[Sheet, float, float, float, float], None],
    angle: int,
) -> None:
    xs, ys, cells = table
    sheet = Sheet(tmp_path / "a.pdf")
    if angle:
        sheet.canvas.translate(A4[0], 0)
        sheet.canvas.rotate(90)
        sheet.height = A4[0]
    for row, column, below, after in cells:
        x0, y0, x1, y1 = xs[column], ys[row], xs[after], ys[below]
        for side in ((x0, y0, x1, y0), (x0, y1, x1, y1), (x0, y0, x0, y1), (x1, y0, x1, y1)):
            rule(sheet, *side)
        sheet.text(x0 + 4, y0 + 12, f"値{row}{column}")
    begun_rows, begun_columns = sorted({cell[0] for cell in cells}), sorted({cell[1] for cell in cells})
    if len(cells) == 1:
        expected = ["値00"]
    else:
        texts = {cell[:2]: f"値{cell[0]}{cell[1]}" for cell in cells}
        expected = ["\t".join(texts.get((r, c), "") for c in begun_columns).rstrip("\t") for r in begun_rows]
    assert sheet.read().text.splitlines() == expected


# Damage


def one_page(text: str = "火葬場運営") -> bytes:
    canvas = Canvas("unused", pagesize=A4)
    canvas.setFont(FONT, 10)
    canvas.drawString(60, 700, text)
    canvas.rect(50, 690, 200, 30)
    data: bytes = canvas.getpdfdata()
    return data


def raw_pdf(*objects: str) -> bytes:
    """A PDF of numbered objects, without a table of where they stand: readers look for them."""
    body = "".join(f"{n} 0 obj\n{content}\nendobj\n" for n, content in enumerate(objects, start=1))
    return f"%PDF-1.4\n{body}trailer\n<< /Root 1 0 R /Size {len(objects) + 1} >>\n%%EOF\n".encode()


STREAM = "<< /Length {} >>\nstream\n{}\nendstream"
LETTERS = "BT /F 12 Tf 72 700 Td (Hello) Tj ET"
FONTS = "/Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"


@pytest.mark.parametrize(
    "objects",
    [
        ("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [2 0 R] /Count 1 >>"),
        ("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", "<< /Type /Pages /Kids [2 0 R] /Count 1 >>"),
        ("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [] /Count 0 >>"),
        ("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 2000000000 >>", "<< /Type /Page /Parent 2 0 R >>"),
        ("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 0 0] >>"),
        ("<< /Type /Catalog /Pages 1 0 R >>",),
    ],
    ids=["own kid", "circle", "no pages", "two thousand million pages", "no size", "the catalogue as its pages"],
)  # fmt: skip
def test_page_trees_that_lead_nowhere_are_refused(objects: tuple[str, ...]) -> None:
    with pytest.raises(DocumentError, match=r"^x\.pdf: .+ください。$"):
        read_pdf(raw_pdf(*objects), "x.pdf")


@pytest.mark.parametrize("size", ["0 0 0 0", "0 0 1e38 1e38", "-1e9 -1e9 1e9 1e9", "595 842 0 0", "0 0 595 842"])
@pytest.mark.parametrize("at", ["72 700", "1e30 1e30", "-99999999999 5"])
def test_odd_sizes_and_places_are_read_or_refused(size: str, at: str) -> None:
    letters = LETTERS.replace("72 700", at) + f" 0 0 m {at} l S {at} 5 5 re S"
    data = raw_pdf(
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [{size}] /Contents 4 0 R {FONTS} >>",
        STREAM.format(len(letters), letters),
    )
    try:
        extract = read_pdf(data, "x.pdf")
    except DocumentError:
        return
    assert sorted(extract.text.split()) and set("".join(extract.text.split())) <= set("Hello")


def test_one_damaged_page_costs_only_itself() -> None:
    data = raw_pdf(
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R 9 0 R 3 0 R] /Count 3 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R {FONTS} >>",
        STREAM.format(len(LETTERS), LETTERS),
    )
    extract = read_pdf(data, "x.pdf")
    assert extract.text == "Hello\n\f\fHello\n"
    assert any("2ページ" in warning for warning in extract.warnings)


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_damage_is_read_or_refused(data: st.DataObject) -> None:
    broken = bytearray(one_page())
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(broken) - 1))
        kind = data.draw(st.sampled_from(["flip", "drop", "repeat", "cut"]))
        if kind == "flip":
            broken[place] ^= 1 << data.draw(st.integers(0, 7))
        elif kind == "drop":
            del broken[place : place + data.draw(st.integers(1, 40))]
        elif kind == "repeat":
            broken[place:place] = broken[place : place + data.draw(st.integers(1, 200))]
        elif place > 10:
            del broken[place:]
        if not broken:
            return
    try:
        extract = read_pdf(bytes(broken), "x.pdf")
    except (UnreadableDocument, EmptyDocument) as error:
        assert error.message.startswith("x.pdf: ") and error.message.endswith("ください。")
    else:
        for place in extract.places:
            assert extract.text[place.start : place.end] and place.page


def test_five_thousand_pages_are_read_one_at_a_time() -> None:
    pages = 5000
    kids = " ".join(f"{n + 5} 0 R" for n in range(pages))
    page = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R {FONTS} >>"
    data = raw_pdf(
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>",
        "<< >>",
        STREAM.format(len(LETTERS), LETTERS),
        *[page] * pages,
    )
    extract = read_pdf(data, "x.pdf")
    assert extract.text.count("Hello") == pages and extract.places[-1].page == pages


def test_forms_that_draw_forms_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpus.readers.pdfpage._MOST_OBJECTS", 100)
    forms = [
        f"<< /Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /XObject << /X {n + 6} 0 R >> >> "
        f"/Length {len(body)} >>\nstream\n{body}\nendstream"
        for n, body in enumerate(["/X Do " * 10, "/X Do " * 10, "0 0 9 9 re S "])
    ]
    letters = LETTERS + " /X Do"
    resources = FONTS.removesuffix(">>") + "/XObject << /X 5 0 R >> >>"
    data = raw_pdf(
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R {resources} >>",
        STREAM.format(len(letters), letters),
        *forms,
    )
    assert read_pdf(data, "x.pdf").text == "Hello\n"


def test_the_benchmark_of_reading_measures(tmp_path: Path) -> None:
    told = measure(tmp_path, 2, jobs=1, baseline=1)
    assert (told.files, told.refused) == (2, 0)
    assert told.facts > 10 and told.letters > 1000 and told.read.seconds > 0


def test_a_file_with_a_password_says_so(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "a.pdf", encrypt="geheim")
    sheet.text(60, 100, "火葬場運営")
    with pytest.raises(UnreadableDocument, match="パスワード"):
        sheet.read()


def test_pdfium_is_what_reads(sheet: Sheet) -> None:
    sheet.text(60, 100, "火葬場運営")
    document = sheet.read()
    with pdfium.PdfDocument(str(sheet.path)) as opened:
        assert opened[0].get_textpage().get_text_range().strip() == document.text.strip()
