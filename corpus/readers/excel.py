"""Excel workbooks: each row a line, each cell as it is shown."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import IO, Any

from corpus.errors import DocumentTooLarge, UnreadableDocument
from corpus.readers.extract import Extract, Piece, TextWriter, one_line
from corpus.readers.listrows import Cells, as_forms, is_form
from corpus.readers.numberformat import shown
from corpus.readers.packages import MAX_PART, open_package, too_large

_OLE = b"\xd0\xcf\x11\xe0"
_BLOCK = 4 * 1024**2
# What is left of a worksheet without its empty cells; openpyxl takes twenty times as much memory.
_MAX_SHEET = 96 * 1024**2
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_EMPTY_CELL = re.compile(rb"<c\s[^<>]*(?:/>|>\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>)")
_EMPTY_ROW = re.compile(rb"<row\s[^<>]*(?:/>|>\s*</row>)")
_DRAWING = re.compile(r"xl/drawings/[^/]+\.xml")
_DRAWN_TEXT = re.compile(rb"<a:t>[^<]*\S[^<]*</a:t>")
_UNCALCULATED = re.compile(rb"</f>\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>")


def read_excel(data: bytes, file: str) -> Extract:
    """Every visible worksheet, a form feed between them; values look as Excel shows them (91.1%, 12,155, 令和6年4月1日).

    Hidden worksheets, rows and columns are left out with a warning, as are columns that are empty throughout.
    """
    import openpyxl

    if data.startswith(_OLE):
        raise UnreadableDocument(
            f"{file}: パスワードがかかっているか、旧形式のExcelです。パスワードを外し、.xlsx で保存し直してください。",
            file,
        )
    try:
        slim, warnings = _slimmed(data, file)
        book = openpyxl.load_workbook(io.BytesIO(slim), data_only=True)
    except DocumentTooLarge:
        raise
    except Exception as error:  # a broken package fails in zipfile, the XML parser or openpyxl, each in its own way
        raise UnreadableDocument(
            f"{file}: Excelとして開けません。ファイルが壊れていないか確かめて、保存し直してください。", file
        ) from error
    writer = TextWriter()
    hidden = [sheet.title for sheet in book.worksheets if sheet.sheet_state != "visible"]
    if hidden:
        warnings.append(f"非表示のシート {'、'.join(hidden)} は取り込んでいません。")
    read = [(sheet, *_cells(sheet, n)) for n, sheet in enumerate(book.worksheets, 1) if sheet.sheet_state == "visible"]
    # Beside the sheets themselves a list of them is their table of contents.
    lists = not any(is_form(list(rows.values())) for _, rows, _ in read)
    for sheet, rows, left_out in read:
        if writer.text.strip() and not writer.text.endswith("\f"):
            writer.write("\f")
        _write(writer, rows, lists)
        if left_out:
            names = sorted(left_out, key=lambda name: (len(name), name))
            listed = "、".join(names[:5]) + (" ほか" if len(names) > 5 else "")
            warnings.append(f"シート「{sheet.title}」の非表示の{listed}は取り込んでいません。")
    return Extract(writer.text.rstrip("\f"), "excel", tuple(writer.places), tuple(warnings))


def _cells(sheet: Any, number: int) -> tuple[dict[int, Cells], set[str]]:
    """The cells of a worksheet by row and column, and what was left out."""
    columns_hidden = {
        column
        for letter, dimension in sheet.column_dimensions.items()
        if dimension.hidden
        for column in range(dimension.min or 0, (dimension.max or 0) + 1)
    }
    rows: dict[int, Cells] = {}
    left_out: set[str] = set()
    # Only the cells that are in the file: sheet.rows would walk every empty cell up to the last formatted one.
    for (row, column), cell in sorted(sheet._cells.items()):
        text = one_line(shown(cell.value, cell.number_format)) if cell.value is not None else ""
        if not text:
            continue
        if row in sheet.row_dimensions and sheet.row_dimensions[row].hidden:
            left_out.add(f"{row}行")
        elif column in columns_hidden:
            left_out.add(f"{cell.column_letter}列")
        else:
            rows.setdefault(row, {})[column] = Piece(text, page=number, cell=f"{sheet.title}!{cell.coordinate}")
    return rows, left_out


def _write(writer: TextWriter, rows: dict[int, Cells], lists: bool) -> None:
    """Writes one worksheet; a list of programmes as one form a programme where ``lists`` says so."""
    forms = as_forms(list(rows.values())) if lists else None
    if forms is not None:
        for line in forms:
            writer.row(line)
        return
    used = sorted({column for cells in rows.values() for column in cells})
    before = 0
    for row, cells in rows.items():
        if before and row > before + 1:
            writer.write("\n")
        writer.row([cells.get(column, Piece("")) for column in used])
        before = row


def _slimmed(data: bytes, file: str) -> tuple[bytes, list[str]]:
    """The workbook without empty formatted cells and rows, and warnings of formulas without results and drawn text.

    A form formatted down to the last row has a million empty rows; openpyxl would make an object of each cell.
    """
    uncalculated = drawn = 0
    out = io.BytesIO()
    with open_package(data, file) as source, zipfile.ZipFile(out, "w") as target:
        for info in source.infolist():
            if info.filename.startswith("xl/media/"):
                continue  # pictures are not read, and openpyxl would decode each
            if _SHEET.fullmatch(info.filename):
                written = 0
                with source.open(info) as stream, target.open(info.filename, "w") as slim:
                    for piece in _rows(stream):
                        uncalculated += len(_UNCALCULATED.findall(piece))
                        piece = _EMPTY_ROW.sub(b"", _EMPTY_CELL.sub(b"", piece))
                        written += len(piece)
                        if written > _MAX_SHEET:
                            raise too_large(file, info.file_size)
                        slim.write(piece)
                continue
            if info.file_size > MAX_PART:
                raise too_large(file, info.file_size)
            content = source.read(info)
            if _DRAWING.fullmatch(info.filename):
                drawn += bool(_DRAWN_TEXT.search(content))
            target.writestr(info.filename, content)
    warnings = []
    if uncalculated:
        warnings.append(f"計算結果が保存されていない式が{uncalculated}個あります。Excelで開いて保存し直してください。")
    if drawn:
        warnings.append("図形（テキストボックス）の中の文字は取り込んでいません。必要ならセルに書き写してください。")
    return out.getvalue(), warnings


def _rows(stream: IO[bytes]) -> Iterator[bytes]:
    """A worksheet in pieces that end before a row, so that no row is cut."""
    rest = b""
    while block := stream.read(_BLOCK):
        rest += block
        cut = rest.rfind(b"<row", max(len(rest) - len(block) - 3, 0))
        if cut > 0:
            yield rest[:cut]
            rest = rest[cut:]
    yield rest
