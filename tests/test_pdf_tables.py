"""Ruled tables of PDF pages, however their rules are drawn."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pdf_pages import TOP, Sheet
from pdf_pages import japanese_font as japanese_font
from pdf_pages import sheet as sheet
from reportlab.lib.pagesizes import A4


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
