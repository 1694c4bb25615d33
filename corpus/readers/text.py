"""Plain text, Markdown and character-separated tables."""

from __future__ import annotations

import csv
import io

from corpus.errors import UnreadableDocument
from corpus.readers.decode import NotTextError, decode
from corpus.readers.extract import Extract, Piece, TextWriter, one_line
from corpus.readers.listrows import as_forms, is_form


def read_text(data: bytes, file: str) -> Extract:
    """A text file as it is: decoded, nothing else changed (line ends too stay what they are)."""
    text, warnings = _decoded(data, file)
    return Extract(text, "text", warnings=warnings)


def read_csv(data: bytes, file: str) -> Extract:
    """A CSV file as rows of cells between tab characters; a quoted cell over several lines becomes one line.

    A list of programmes is written as one form a programme.
    """
    text, warnings = _decoded(data, file)
    writer = TextWriter()
    # Cells of a sheet pasted into CSV can be longer than csv's 128 KiB default. The limit is the whole process's:
    # it may only grow, since MeCab's dictionary entries are read with csv too.
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    try:
        rows = [[Piece(one_line(cell)) for cell in row] for row in csv.reader(io.StringIO(text, newline=""))]
    except csv.Error as error:
        raise UnreadableDocument(
            f"{file}: CSVとして読めません（{error}）。Excelなどで開いてCSVで保存し直してください。", file
        ) from error
    told = [{column: cell for column, cell in enumerate(row) if cell.text} for row in rows]
    forms = None if is_form(told) else as_forms([cells for cells in told if cells])
    for line in rows if forms is None else forms:
        writer.row(line)
    return Extract(writer.text, "text", warnings=warnings)


def _decoded(data: bytes, file: str) -> tuple[str, tuple[str, ...]]:
    try:
        text, encoding, lost = decode(data)
    except NotTextError as error:
        found = f"中身は{error.kind}です" if error.kind else "テキストとして読める文字コードではありません"
        raise UnreadableDocument(
            f"{file}: {found}。正しい拡張子に直すか、UTF-8またはShift_JISのテキストで保存し直してください。", file
        ) from error
    warnings = []
    if lost:
        warnings.append(f"{lost}か所で文字が壊れています（{encoding}）。元のファイルを確かめてください。")
    if any("\ue000" <= char <= "\uf8ff" for char in text):
        warnings.append("外字（この環境では表示できない文字）が含まれています。")
    return text, tuple(warnings)
