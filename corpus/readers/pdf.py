"""PDF: ruled tables as rows of cells, everything else as lines, in the order they stand on the page."""

from __future__ import annotations

import io
import logging
import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

from corpus.documents import PageSize
from corpus.errors import EmptyDocument, UnreadableDocument
from corpus.normalize import variants
from corpus.readers.extract import Box, Extract, Piece, TextWriter, one_line

_CID = re.compile(r"\(cid:\d+\)")
# Gaps between words, in heights of the letters: above the first a space is shown, above the second a column begins.
_SPACE, _COLUMN = 0.6, 3.0
Row = list[Piece]


def read_pdf(data: bytes, file: str) -> Extract:
    """A PDF with a text layer, page by page with a form feed between pages.

    A merged cell's text stands once, in its first cell; bold printed by doubling the letters is read once.
    """
    import pdfplumber

    # pdfminer warns about every odd font on the root logger's stream; what matters is in the warnings below.
    logging.getLogger("pdfminer").setLevel(logging.ERROR)
    writer = TextWriter()
    silent: list[int] = []
    sizes: list[PageSize] = []
    try:
        with pdfplumber.open(io.BytesIO(data)) as pdf:
            for number, page in enumerate(pdf.pages, start=1):
                if number > 1:
                    writer.write("\f")
                sizes.append(PageSize(float(page.width), float(page.height), float(page.bbox[0]), float(page.bbox[1])))
                rows = read_page(page, number)
                if not rows:
                    silent.append(number)
                for row in rows:
                    writer.row(row)
                page.close()
            count = len(pdf.pages)
    except Exception as error:  # a broken file fails anywhere in pdfminer, with any of its errors or Python's
        raise _translated(error, file) from error
    if not count or len(silent) == count:
        raise EmptyDocument(
            f"{file}: 文字の情報がありません（紙をスキャンした画像と思われます）。"
            "OCR（文字認識）をかけて文字を含むPDFにしてから、もう一度取り込んでください。",
            file,
        )
    return Extract(writer.text, "pdf", tuple(writer.places), _warnings(writer.text, silent), tuple(sizes))


def read_page(page: Any, number: int) -> list[Row]:
    """The rows of one page from top to bottom: a line of text is a row with one piece."""
    page = page.dedupe_chars(tolerance=1)
    tables = [table for table in page.find_tables() if _is_table(table, page)]
    boxes = [table.bbox for table in tables]
    # Tables inside a cell of another are part of that cell.
    outer = [t for t in tables if not any(_inside(t.bbox, box) for box in boxes if box != t.bbox)]
    placed: list[tuple[float, list[Row]]] = []
    for table in outer:
        placed.append((table.bbox[1], _table_rows(table, number)))
    rest = page.filter(lambda thing: not any(_holds(table.bbox, thing) for table in outer)) if outer else page
    for line in _lines(rest, number):
        assert line[0].box is not None
        placed.append((line[0].box[1], [line]))
    placed.sort(key=lambda entry: entry[0])
    table = radicals()
    return [
        [Piece(piece.text.translate(table), piece.page, piece.box) for piece in row]
        for _, rows in placed
        for row in rows
    ]


@cache
def radicals() -> dict[int, str]:
    """Radicals to the characters they look like: fonts give 火 and ⽕ (U+2F55) one shape, and a PDF may name the wrong one.

    Left alone, a copied quote would not be found again; the mapping is one to one, so offsets stay.
    """
    kangxi = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0x2F00, 0x2FD6)}
    supplement = {ord(char): plain for char, plain in variants().items() if "\u2e80" <= char <= "\u2eff"}
    return {**kangxi, **supplement}


def _is_table(table: Any, page: Any) -> bool:
    """A frame around most of the page is decoration; anything else with cells is a table."""
    if len(table.cells) > 1:
        return True
    x0, top, x1, bottom = table.bbox
    return bool((x1 - x0) * (bottom - top) < 0.5 * page.width * page.height)


def _table_rows(table: Any, number: int) -> list[Row]:
    texts = table.extract(x_tolerance_ratio=_SPACE)
    rows: list[Row] = []
    for cells, row in zip(texts, table.rows, strict=True):
        pieces = [
            Piece(one_line(text or ""), page=number, box=_rounded(box) if box else None)
            for text, box in zip(cells, row.cells, strict=True)
        ]
        if any(piece.text for piece in pieces):
            rows.append(pieces)
    return rows


def _lines(page: Any, number: int) -> list[Row]:
    """The lines outside tables; a wide gap starts a new piece, so columns without rules are told apart."""
    words = page.extract_words(x_tolerance_ratio=_SPACE, y_tolerance=3, keep_blank_chars=True)
    lines: list[list[Any]] = []
    for word in sorted(words, key=lambda word: (word["top"] + word["bottom"]) / 2):
        middle = (word["top"] + word["bottom"]) / 2
        if lines and lines[-1][0]["top"] <= middle <= lines[-1][0]["bottom"]:
            lines[-1].append(word)
        else:
            lines.append([word])
    rows = []
    for line in lines:
        row = _joined(sorted(line, key=lambda word: word["x0"]), number)
        if row:
            rows.append(row)
    return rows


def _joined(words: Sequence[Any], number: int) -> Row:
    row: Row = []
    end = 0.0
    for word in words:
        text = word["text"].replace("\t", " ").strip()
        if not text:
            continue
        box = _rounded((word["x0"], word["top"], word["x1"], word["bottom"]))
        if row and row[-1].box and word["x0"] - end < _COLUMN * (word["bottom"] - word["top"]):
            before = row[-1].box
            wider = (before[0], min(before[1], box[1]), max(before[2], box[2]), max(before[3], box[3]))
            row[-1] = Piece(f"{row[-1].text} {text}", page=number, box=wider)
        else:
            row.append(Piece(text, page=number, box=box))
        end = word["x1"]
    return row


def _rounded(box: Sequence[float]) -> Box:
    x0, top, x1, bottom = (round(float(value), 1) for value in box)
    return (x0, top, x1, bottom)


def _inside(inner: Sequence[float], outer: Sequence[float]) -> bool:
    slack = 1.0
    return (
        inner[0] >= outer[0] - slack
        and inner[1] >= outer[1] - slack
        and inner[2] <= outer[2] + slack
        and inner[3] <= outer[3] + slack
    )


def _holds(box: Sequence[float], thing: Any) -> bool:
    """Whether the middle of a character stands in ``box``; lines and rectangles are left alone."""
    if thing.get("object_type") != "char":
        return False
    x, y = (thing["x0"] + thing["x1"]) / 2, (thing["top"] + thing["bottom"]) / 2
    return bool(box[0] <= x <= box[2] and box[1] <= y <= box[3])


def _warnings(text: str, silent: list[int]) -> tuple[str, ...]:
    warnings = []
    if silent:
        pages = "、".join(str(number) for number in silent[:10]) + (" ほか" if len(silent) > 10 else "")
        warnings.append(f"{pages}ページには文字がありません（画像と思われます）。必要ならOCRをかけてください。")
    unknown = len(_CID.findall(text))
    if unknown:
        warnings.append(f"{unknown}文字が読み取れません（フォントに文字の対応表がありません）。")
    return tuple(warnings)


def _translated(error: Exception, file: str) -> UnreadableDocument:
    from pdfminer.pdfdocument import PDFEncryptionError, PDFPasswordIncorrect

    chain: BaseException | None = error
    while chain is not None:
        # pdfplumber hides pdfminer's error in the arguments of its own.
        for found in (chain, *chain.args):
            if isinstance(found, (PDFPasswordIncorrect, PDFEncryptionError)):
                return UnreadableDocument(
                    f"{file}: パスワードがかかったPDFです。パスワードを外して保存し直してください。", file
                )
        chain = chain.__cause__ or chain.__context__
    return UnreadableDocument(
        f"{file}: PDFとして読めません。ファイルが壊れていないか確かめて、入手し直してください。", file
    )
