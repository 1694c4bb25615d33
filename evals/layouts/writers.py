"""Laid-out sheets as files: text in several states of disorder, PDF with and without rules, Excel plain and on a fine grid."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from evals.layouts.blocks import LEFT, UP, Line, Printed, Table
from evals.layouts.design import Design

_COVERED = (LEFT, UP)


# ---- text -----------------------------------------------------------------------------------------------------------


def write_text(path: Path, design: Design, sheets: list[Printed]) -> None:
    """The sheets as an extractor might leave them, a form feed between two."""
    labels = frozenset(design.words.values())
    tables: dict[str, Callable[[Table], str]] = {
        "tabs": _tabs,
        "markdown": _markdown,
        "wide spaces": _wide,
        "single spaces": _single,
        "one cell a line": _one_a_line,
        "labels cut": partial(_labels_cut, labels=labels),
        "values first": _values_first,
        "separate runs": _separate_runs,
    }
    table = tables[design.scramble]
    pages = []
    for sheet in sheets:
        parts = [block.text if isinstance(block, Line) else table(block) for block in sheet.blocks]
        pages.append("\n".join(part for part in parts if part) + "\n")
    path.write_text("\f".join(pages), encoding="utf-8")


def _bare(row: tuple[str, ...]) -> list[str]:
    return ["" if cell in _COVERED else cell for cell in row]


def _told(row: tuple[str, ...]) -> list[str]:
    return [cell for cell in _bare(row) if cell]


def _tabs(table: Table) -> str:
    return "\n".join("\t".join(_bare(row)).rstrip("\t") for row in table.rows)


def _markdown(table: Table) -> str:
    lines = ["| " + " | ".join(_bare(row)) + " |" for row in table.rows]
    return "\n".join([lines[0], "|" + " --- |" * len(table.rows[0]), *lines[1:]])


def _wide(table: Table) -> str:
    """Columns set with blanks, as a layout-keeping extractor prints them; long texts go on below."""
    width = [max(_width(cell) for cell in column) for column in zip(*map(_bare, table.rows), strict=True)]
    if max(width) > 60:
        return "\n".join("   ".join(_told(row)) for row in table.rows)
    rows = [
        "".join(cell + " " * (w + 3 - _width(cell)) for cell, w in zip(_bare(r), width, strict=True))
        for r in table.rows
    ]
    return "\n".join(row.rstrip() for row in rows)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WFA" else 1 for one in text)


def _single(table: Table) -> str:
    return "\n".join(" ".join(_told(row)) for row in table.rows)


def _one_a_line(table: Table) -> str:
    return "\n".join(cell for row in table.rows for cell in _told(row))


def _labels_cut(table: Table, labels: frozenset[str]) -> str:
    """A narrow label cell breaks its word; the value follows the last piece."""
    lines = []
    for row in table.rows:
        cells = _told(row)
        label = re.sub(r"[（(][^（()）]*[)）]$", "", cells[0]) if cells else ""
        if (
            len(cells) >= 2
            and len(label) >= 5
            and cells[1] not in labels
            and any(label.endswith(word) for word in labels)
        ):
            lines.append(cells[0][:4])
            cells[0] = cells[0][4:]
        lines.append(" ".join(cells))
    return "\n".join(lines)


def _values_first(table: Table) -> str:
    """In a table of pairs every value comes out above its label; other tables come out row by row."""
    pairs = all(len(row) == 2 and row[1] not in _COVERED for row in table.rows)
    if not pairs or any(re.match(r"[\d.,０-９]", row[1]) for row in table.rows):
        return _single(table)
    return "\n".join(cell for row in table.rows for cell in reversed(_told(row)))


def _separate_runs(table: Table) -> str:
    """All labels of a table of pairs first, then all values in the same order; other tables row by row."""
    if all(len(_bare(row)) == 2 for row in table.rows):
        return "\n".join([row[0] for row in table.rows] + [row[1] for row in table.rows])
    return _single(table)


# ---- Excel ----------------------------------------------------------------------------------------------------------

_FINE = 4  # columns of the fine grid under one cell


def write_excel(path: Path, design: Design, sheets: list[Printed]) -> None:
    """One worksheet a sheet; on a fine grid every cell is merged out of several narrow ones."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for number, sheet in enumerate(sheets, start=1):
        page = book.create_sheet(f"シート{number}")
        at = 1
        for block in sheet.blocks:
            if isinstance(block, Line):
                page.cell(at, 1, block.text)
                at += 1
                continue
            _excel_table(page, design, block, at)
            at += len(block.rows) + 1
    book.save(path)


def _excel_table(page: Any, design: Design, table: Table, top: int) -> None:
    step = _FINE if design.fine_grid else 1
    for r, row in enumerate(table.rows):
        for c, text in enumerate(row):
            if text in _COVERED:
                continue
            cell = page.cell(top + r, 1 + c * step)
            plain = re.fullmatch(r"\d{1,3}(?:,\d{3})*(?:\.\d+)?", text)
            cell.value = float(text.replace(",", "")) if plain else text
            if plain:
                cell.number_format = "#,##0.##" if "." in text else "#,##0"
            wide, high = _extent(table, r, c)
            if wide * step > 1 or high > 1:
                page.merge_cells(
                    start_row=top + r,
                    start_column=1 + c * step,
                    end_row=top + r + high - 1,
                    end_column=(c + wide) * step,
                )


def _extent(table: Table, r: int, c: int) -> tuple[int, int]:
    wide, high = 1, 1
    while c + wide < len(table.rows[r]) and table.rows[r][c + wide] == LEFT:
        wide += 1
    while r + high < len(table.rows) and c < len(table.rows[r + high]) and table.rows[r + high][c] == UP:
        high += 1
    return wide, high


# ---- PDF ------------------------------------------------------------------------------------------------------------


def write_pdf(path: Path, design: Design, sheets: list[Printed]) -> None:
    """A4 pages with ruled tables, or with the same tables set without rules."""
    from reportlab.lib import colors
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.units import mm
    from reportlab.platypus import PageBreak, SimpleDocTemplate, Spacer
    from reportlab.platypus import Table as Grid

    from corpus.samples.ruled import BODY, HEAD

    width = 180 * mm
    story: list[Any] = []
    for number, sheet in enumerate(sheets):
        if number:
            story.append(PageBreak())
        for at, block in enumerate(sheet.blocks):
            if isinstance(block, Line):
                story.append(_paragraph(block.text, HEAD if at <= 1 and len(block.text) < 40 else BODY))
                continue
            style: list[Any] = [("VALIGN", (0, 0), (-1, -1), "MIDDLE")]
            if design.ruled:
                style.append(("GRID", (0, 0), (-1, -1), 0.5, colors.black))
            for r, row in enumerate(block.rows):
                for c, text in enumerate(row):
                    if text not in _COVERED:
                        wide, high = _extent(block, r, c)
                        if wide > 1 or high > 1:
                            style.append(("SPAN", (c, r), (c + wide - 1, r + high - 1)))
            columns = _column_widths(block, width)
            cells = [[_paragraph("" if t in _COVERED else t, BODY) for t in row] for row in block.rows]
            story += [Grid(cells, colWidths=columns, style=style), Spacer(1, 2 * mm)]
    margin = 15 * mm
    SimpleDocTemplate(
        str(path), pagesize=A4, leftMargin=margin, rightMargin=margin, topMargin=margin, bottomMargin=margin, title="-"
    ).build(story)


def _paragraph(text: str, style: Any) -> Any:
    from xml.sax.saxutils import escape

    from reportlab.platypus import Paragraph

    return Paragraph(escape(text), style)


def _column_widths(table: Table, width: float) -> list[float]:
    """Columns in proportion to their longest word, labels never under a tenth."""
    longest = [
        min(60, max(6, *(_width(cell) for cell in column))) for column in zip(*map(_bare, table.rows), strict=True)
    ]
    return [width * one / sum(longest) for one in longest]
