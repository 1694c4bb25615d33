"""Word documents: paragraphs and tables in the order they stand."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

from corpus.errors import DocumentTooLarge, UnreadableDocument
from corpus.readers.extract import Extract, Piece, TextWriter, one_line
from corpus.readers.packages import MAX_PART, open_package, too_large

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_OLE = b"\xd0\xcf\x11\xe0"
_MEDIA = re.compile(r"word/media/")
_NUMBER = re.compile(r"[0-9]{1,9}")
_MAX_COLUMNS = 200  # Word allows 63


def read_word(data: bytes, file: str) -> Extract:
    """Paragraphs as lines, tables as rows of cells, text boxes where they are anchored; deleted text is left out."""
    import docx

    if data.startswith(_OLE):
        raise UnreadableDocument(
            f"{file}: パスワードがかかっているか、旧形式のWordです。パスワードを外し、.docx で保存し直してください。",
            file,
        )
    try:
        with open_package(data, file) as package:
            largest = max((info.file_size for info in package.infolist() if not _MEDIA.match(info.filename)), default=0)
        if largest > MAX_PART:
            raise too_large(file, largest)
        body = docx.Document(io.BytesIO(data)).element.body
    except DocumentTooLarge:
        raise
    except Exception as error:  # a broken package fails in zipfile, lxml or python-docx, each with errors of its own
        raise UnreadableDocument(
            f"{file}: Wordとして開けません。ファイルが壊れていないか確かめて、保存し直してください。", file
        ) from error
    writer = TextWriter()
    for block in _blocks(body):
        if block.tag == f"{_W}tbl":
            _write_table(writer, block)
        else:
            writer.line(Piece(_text(block)))
    return Extract(writer.text, "word")


def _blocks(parent: Any) -> Iterator[Any]:
    """Paragraphs and tables under ``parent``, also those inside content controls."""
    for child in parent:
        if child.tag in (f"{_W}p", f"{_W}tbl"):
            yield child
        elif child.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}customXml"):
            yield from _blocks(child)


def _text(node: Any) -> str:
    """The text of a paragraph, run or cell, as shown."""
    parts: list[str] = []
    for child in node:
        tag = child.tag
        if tag == f"{_W}t":
            parts.append(child.text or "")
        elif tag == f"{_W}tab":
            parts.append("\t")
        elif tag in (f"{_W}br", f"{_W}cr"):
            parts.append("\n")
        elif tag == f"{_W}noBreakHyphen":
            parts.append("-")
        elif tag in (f"{_W}pPr", f"{_W}rPr", f"{_W}tcPr", f"{_W}del", f"{_W}rt", _FALLBACK):
            continue
        elif tag in (f"{_W}p", f"{_W}tr") and parts and not parts[-1].endswith("\n"):
            parts += ["\n", _text(child)]
        else:
            parts.append(_text(child))
    return "".join(parts)


def _write_table(writer: TextWriter, table: Any) -> None:
    for row in table.iter(f"{_W}tr"):
        if row.getparent() is not table and next(row.iterancestors(f"{_W}tbl")) is not table:
            continue  # a row of a table inside a cell: that cell's text already holds it
        cells: list[Piece] = []
        for skipped in row.iterfind(f"{_W}trPr/{_W}gridBefore"):
            cells += [Piece("")] * _columns(skipped, 0)
        for cell in _cells(row):
            properties = cell.find(f"{_W}tcPr")
            covered, width = False, 1
            if properties is not None:
                merge = properties.find(f"{_W}vMerge")
                covered = merge is not None and merge.get(f"{_W}val") != "restart"
                span = properties.find(f"{_W}gridSpan")
                width = _columns(span, 1) if span is not None else 1
            cells.append(Piece("" if covered else one_line(_text(cell))))
            cells += [Piece("")] * (width - 1)
        writer.row(cells)


def _columns(node: Any, least: int) -> int:
    """A number of columns, whatever stands in the file."""
    value = node.get(f"{_W}val", "")
    return min(max(int(value), least), _MAX_COLUMNS) if _NUMBER.fullmatch(value) else least


def _cells(row: Any) -> Iterator[Any]:
    for child in row:
        if child.tag == f"{_W}tc":
            yield child
        elif child.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}customXml"):
            yield from _cells(child)
