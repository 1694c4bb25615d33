"""A paper as a Word file: A4, questions as headings, answers with their sources as footnotes and as a list, tables with
repeated headers."""

from __future__ import annotations

import re
from datetime import UTC
from io import BytesIO
from typing import Any

from assistant.datewords import day_words, in_japan, moment_words
from assistant.papers import (
    GENERATED,
    GENERATED_NOTE,
    HEADING,
    Asked,
    Paper,
    clean,
    dropped_words,
    flat,
    is_year,
    one_line,
    origin,
    quantity,
    sheet_link,
    source_words,
    table_of,
)
from assistant.schemas import CitationJson, TableJson
from assistant.wordlayout import WIDTH_MM, set_modern, set_page, set_styles
from assistant.wordnotes import Footnotes

_PIECE = re.compile(r"(\*\*.+?\*\*|\[\d{1,4}\])")
_ITEM = re.compile(r"\s*(?:[-*・]|\d{1,3}\.)\s+(.*)")


def word_paper(paper: Paper) -> bytes:
    """The bytes of a .docx file."""
    from docx import Document

    document = Document()
    set_page(document, paper)
    set_styles(document)
    set_modern(document)
    properties = document.core_properties
    made = paper.made.astimezone(UTC).replace(tzinfo=None)
    properties.title, properties.author, properties.comments = one_line(paper.title)[:200], "hyoka", ""
    properties.created = properties.modified = made
    properties.language = "ja-JP"

    document.add_paragraph(HEADING, style="Title")
    document.add_paragraph(f"{day_words(in_japan(paper.made).date())}作成", style="Date")
    document.add_paragraph(origin(paper), style="Note")
    marks, notes = _Marks(), Footnotes(document)
    for number, asked in enumerate(paper.asked, 1):
        _asked(document, number, asked, paper.base, marks, notes)
    notes.close()
    out = BytesIO()
    document.save(out)
    return out.getvalue()


class _Marks:
    """Bookmarks have numbers of their own across the document."""

    def __init__(self) -> None:
        self.used = 0

    def next(self) -> int:
        self.used += 1
        return self.used


def _asked(document: Any, number: int, asked: Asked, base: str, marks: _Marks, notes: Footnotes) -> None:
    document.add_heading(f"質問{number}　{one_line(asked.question)}", 1)
    answer = asked.answer
    if asked.at is not None:
        _small(document, f"{moment_words(asked.at)}に質問")
    if answer is not None and answer.interpretation.text:
        _small(document, clean(answer.interpretation.text))
    cited = {citation.n: citation for citation in answer.citations} if answer is not None else {}
    _markdown(document, asked.text, number, cited, base, notes)
    if answer is None:
        return
    table = table_of(answer)
    if table is not None:
        _table(document, number, table)
    if answer.generated is not None:
        written = answer.generated
        document.add_heading(f"{GENERATED}の要約", 2)
        _small(document, GENERATED_NOTE)
        _markdown(document, written.text, number, cited, base, notes)
        told = dropped_words([(one.text, one.count) for one in written.dropped])
        document.add_paragraph(clean(f"モデル: {written.model}。{told}"), style="Small")
    if answer.citations:
        document.add_heading("出典", 2)
        for citation in answer.citations:
            _source(document, number, citation, base, marks)
    elif answer.related:
        document.add_heading("近い記載（質問の答えではありません）", 2)
        for hit in answer.related:
            where = "／".join(part for part in (hit.municipality, hit.sheet, hit.section) if part)
            document.add_paragraph(f"{one_line(where)}「{_short(flat(hit.text))}」", style="Source")


def _small(document: Any, text: str) -> None:
    document.add_paragraph(text, style="Small").paragraph_format.keep_with_next = True


def _short(text: str, most: int = 200) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def _markdown(
    document: Any, text: str, number: int, cited: dict[int, CitationJson], base: str, notes: Footnotes
) -> None:
    """The little Markdown of answers: paragraphs, items, headings, ``**bold**`` and [1] marks, which lead to the list of
    sources; where a mark first stands, a footnote says the same under the page."""
    noted: set[int] = set()
    for line in clean(text).split("\n"):
        item, heading = _ITEM.match(line), re.match(r"#{1,6}\s+(.*)", line)
        if not line.strip():
            continue
        if heading:
            document.add_heading(heading[1], 2)
            continue
        paragraph = document.add_paragraph(style="List Bullet" if item else "Body Text")
        for piece in _PIECE.split(item[1] if item else re.sub(r"^>\s?", "", line)):
            if piece.startswith("**") and piece.endswith("**") and len(piece) > 4:
                paragraph.add_run(piece[2:-2]).bold = True
            elif piece.startswith("[") and piece[1:-1].isdecimal() and (found := cited.get(int(piece[1:-1]))):
                _link(paragraph, piece, anchor=f"q{number}_{found.n}")
                if found.n not in noted:
                    noted.add(found.n)
                    note = f"[{found.n}] {source_words(found)}「{_short(flat(found.quote))}」"
                    notes.add(paragraph, note, sheet_link(base, found))
            elif piece:
                paragraph.add_run(piece)


def _source(document: Any, number: int, citation: CitationJson, base: str, marks: _Marks) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    paragraph = document.add_paragraph(style="Source")
    mark = str(marks.next())
    start, end = OxmlElement("w:bookmarkStart"), OxmlElement("w:bookmarkEnd")
    for one in (start, end):
        one.set(qn("w:id"), mark)
    start.set(qn("w:name"), f"q{number}_{citation.n}")
    paragraph._p.append(start)
    paragraph.add_run(f"[{citation.n}]")
    paragraph._p.append(end)
    paragraph.add_run(f" {source_words(citation)}")
    paragraph.add_run(f"「{flat(citation.quote)}」")
    address = sheet_link(base, citation)
    if address:
        paragraph.add_run(" ")
        _link(paragraph, "原文を開く", address=address)


def _link(paragraph: Any, text: str, anchor: str = "", address: str = "") -> None:
    """A run that leads to a bookmark of this document or to an address."""
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    link = OxmlElement("w:hyperlink")
    if anchor:
        link.set(qn("w:anchor"), anchor)
    else:
        link.set(qn("r:id"), paragraph.part.relate_to(address, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
    run = paragraph.add_run(text, style="Link")
    link.append(run._r)
    paragraph._p.append(link)


def _table(document: Any, number: int, table: TableJson) -> None:
    from docx.enum.table import WD_TABLE_ALIGNMENT
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import OxmlElement
    from docx.shared import Mm

    linked = any(table.citations)
    columns = [*table.columns, "出典"] if linked else list(table.columns)
    document.add_paragraph(f"表　質問{number}への回答（{len(table.rows):,}行）", style="Caption")
    grid = document.add_table(rows=1, cols=len(columns), style="Table Grid")
    grid.alignment, grid.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    rows = [[_cell_words(value, name) for value, name in zip(row, table.columns, strict=False)] for row in table.rows]
    for row, numbers in zip(rows, table.citations, strict=False):
        row.append(" ".join(f"[{n}]" for n in numbers[:20]) + ("…" if len(numbers) > 20 else ""))
    marked = len(table.columns) if linked else -1
    widths = _widths([columns, *rows], len(columns))
    for row_number, row in enumerate([columns, *rows]):
        line = grid.rows[0] if row_number == 0 else grid.add_row()
        properties = line._tr.get_or_add_trPr()
        properties.append(OxmlElement("w:cantSplit"))
        if row_number == 0:
            properties.append(OxmlElement("w:tblHeader"))
        for at, cell in enumerate(line.cells):
            cell.width = Mm(widths[at])
            paragraph = cell.paragraphs[0]
            paragraph.style = "Cell"
            text = row[at] if at < len(row) else ""
            if at == marked and row_number:
                _marks_in(paragraph, text, number)
            else:
                paragraph.add_run(clean(text)).bold = row_number == 0 or None
            raw = table.rows[row_number - 1][at] if row_number and at < len(table.rows[row_number - 1]) else None
            if row_number and quantity(raw) is not None:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            if row_number == 0:
                _shade(cell)
    for at, column in enumerate(grid.columns):
        column.width = Mm(widths[at])
    document.add_paragraph(style="Small")


def _marks_in(paragraph: Any, text: str, number: int) -> None:
    """The marks of a row, each leading to its source."""
    for piece in _PIECE.split(text):
        if piece.startswith("["):
            _link(paragraph, piece, anchor=f"q{number}_{piece[1:-1]}")
        elif piece:
            paragraph.add_run(piece)


def _shade(cell: Any) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    shade = OxmlElement("w:shd")
    for name, value in (("w:val", "clear"), ("w:color", "auto"), ("w:fill", "EDEFF2")):
        shade.set(qn(name), value)
    cell._tc.get_or_add_tcPr().append(shade)


def _cell_words(value: str | int | float | None, column: str) -> str:
    if value is None:
        return "―"
    if isinstance(value, str):
        return flat(value)
    found = quantity(value)
    assert found is not None
    return str(found.value) if is_year(column) else f"{found.value:,.{found.decimals}f}"


def _widths(rows: list[list[str]], count: int) -> list[float]:
    """Millimetres for each column: what its longest line needs, where not all have room the widest share what is left."""
    needs = [
        max((_millimetres(line) for row in rows if at < len(row) for line in row[at].split("\n")), default=0.0)
        for at in range(count)
    ]
    widths, room, left = dict.fromkeys(range(count), 0.0), float(WIDTH_MM), count
    for at in sorted(range(count), key=lambda at: needs[at]):
        widths[at] = min(needs[at], room / left)
        room, left = room - widths[at], left - 1
    return [widths[at] for at in range(count)]


def _millimetres(line: str) -> float:
    """The width of a line of a cell at nine points, with the cell's own margins."""
    return 5.0 + sum(1.9 if one.isascii() else 3.2 for one in line)
