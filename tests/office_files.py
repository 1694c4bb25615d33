"""Workbooks and PDFs for the tests of readers."""

from __future__ import annotations

from pathlib import Path

import openpyxl
from pdf_pages import FONT
from pdf_pages import japanese_font as japanese_font
from reportlab.lib import colors
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Table, TableStyle


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
