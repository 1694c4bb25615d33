"""A list or a comparison as a Word file: one table whose cells carry footnotes with their place, quote and link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from assistant.papers import ORIGIN, Paper, clean, flat, one_line, quantity
from assistant.wordlayout import MARGIN_MM, set_modern, set_page, set_styles
from assistant.wordnotes import Footnotes

Value = str | int | float | None
WIDE = 5  # columns from which the page lies on its side
QUOTED = 200  # characters of a quote in a footnote


@dataclass(frozen=True, slots=True)
class Noted:
    """Where the value of a cell stands: ``row`` and ``column`` count from 0 below the heads; ``link`` is absolute or empty."""

    row: int
    column: int
    place: str
    quote: str
    link: str


def word_list(
    title: str,
    about: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Value]],
    notes: Sequence[Noted],
    made: datetime,
) -> bytes:
    """The bytes of a .docx file; ``about`` stands under the title."""
    from docx import Document
    from docx.enum.section import WD_ORIENT
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Mm

    document = Document()
    paper = Paper(title, (), made)
    set_page(document, paper, title)
    set_styles(document)
    set_modern(document)
    section = document.sections[0]
    if len(columns) >= WIDE:
        section.orientation = WD_ORIENT.LANDSCAPE
        section.page_width, section.page_height = section.page_height, section.page_width
    properties = document.core_properties
    properties.title, properties.author, properties.comments = one_line(title)[:200], "hyoka", ""
    properties.created = properties.modified = made.astimezone(UTC).replace(tzinfo=None)
    document.add_paragraph(clean(title), style="Title")
    for text in (about, ORIGIN):
        if text:
            document.add_paragraph(clean(text), style="Note")
    under: dict[tuple[int, int], list[Noted]] = {}
    for note in notes:
        under.setdefault((note.row, note.column), []).append(note)
    footnotes = Footnotes(document)
    grid = document.add_table(rows=len(rows) + 1, cols=len(columns), style="Table Grid")
    grid.autofit = False
    room = section.page_width.mm - 2 * MARGIN_MM
    widths = _shares(columns, rows, room)
    for at, (line, values) in enumerate(zip(grid.rows, [list(columns), *rows], strict=True)):
        _row(line, at == 0)
        for across, cell in enumerate(line.cells):
            cell.width = Mm(widths[across])
            paragraph = cell.paragraphs[0]
            paragraph.style = "Cell"
            value = values[across] if across < len(values) else None
            year = bool(at) and columns[across].endswith("年度")
            paragraph.add_run(_words(value, year)).bold = at == 0 or None
            if at and isinstance(value, int | float):
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            for note in under.get((at - 1, across), ()) if at else ():
                quoted = flat(note.quote)
                quoted = quoted if len(quoted) <= QUOTED else f"{quoted[:QUOTED]}…"
                footnotes.add(paragraph, f"{one_line(note.place)}{f'「{quoted}」' if quoted else ''}", note.link)
    footnotes.close()
    out = BytesIO()
    document.save(out)
    return out.getvalue()


def _row(line: Any, head: bool) -> None:
    from docx.oxml import OxmlElement

    if head:
        line._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))


def _words(value: Value, year: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return flat(value)
    found = quantity(value)
    if found is None:
        return str(value)
    return str(found.value) if year else f"{found.value:,.{found.decimals}f}"


def _shares(columns: Sequence[str], rows: Sequence[Sequence[Value]], room: float) -> list[float]:
    """Millimetres for each column: by what its cells hold, none so narrow that two characters do not fit."""
    sizes = []
    for at, name in enumerate(columns):
        longest = max((len(_words(row[at], False)) for row in rows if at < len(row)), default=0)
        sizes.append(min(40, max(len(name), longest, 4)))
    return [room * size / sum(sizes) for size in sizes]
