"""PDF: ruled tables as rows of cells, everything else as lines, in the order they stand on the page."""

from __future__ import annotations

import threading
from typing import Any

from corpus.errors import EmptyDocument, UnreadableDocument
from corpus.readers.extract import Extract, TextWriter
from corpus.readers.pagerows import page_rows

_BROKEN_IN_A_ROW = 100  # a damaged file may claim any number of pages
_UNKNOWN = "\ufffd"
# pdfium keeps state of its own and must not be entered twice.
_lock = threading.Lock()


def read_pdf(data: bytes, file: str) -> Extract:
    """A PDF with a text layer, page by page with a form feed between pages.

    A merged cell's text stands once, in its first cell; bold printed by doubling the letters is read once. Boxes are in
    points from the top left of the page as it is shown.
    """
    import pypdfium2 as pdfium

    with _lock:
        try:
            document = pdfium.PdfDocument(data)
        except Exception as error:
            raise _refusal(error, file) from error
        try:
            return _read(document, file)
        finally:
            document.close()


def _read(document: Any, file: str) -> Extract:
    writer = TextWriter()
    silent: list[int] = []
    broken: list[int] = []
    count = len(document)
    for number in range(1, count + 1):
        if number > 1:
            writer.write("\f")
        try:
            rows = _page(document, number)
        except Exception:  # one damaged page does not cost the others
            broken.append(number)
            if len(broken) >= _BROKEN_IN_A_ROW and broken[-_BROKEN_IN_A_ROW] == number - _BROKEN_IN_A_ROW + 1:
                break
            continue
        if not rows:
            silent.append(number)
        for row in rows:
            writer.row(row)
    if not writer.places:
        if silent:
            raise EmptyDocument(
                f"{file}: 文字の情報がありません（紙をスキャンした画像と思われます）。"
                "OCR（文字認識）をかけて文字を含むPDFにしてから、もう一度取り込んでください。",
                file,
            )
        raise UnreadableDocument(_UNREADABLE.format(file=file), file)
    return Extract(writer.text, "pdf", tuple(writer.places), _warnings(writer.text, silent, broken))


def _page(document: Any, number: int) -> Any:
    from corpus.readers.pdfpage import read_content

    page = document[number - 1]
    try:
        content = read_content(page)
    finally:
        page.close()
    return page_rows(content.glyphs, content.horizontal, content.vertical, (content.width, content.height), number)


def _numbers(pages: list[int]) -> str:
    return "、".join(str(number) for number in pages[:10]) + (" ほか" if len(pages) > 10 else "")


def _warnings(text: str, silent: list[int], broken: list[int]) -> tuple[str, ...]:
    warnings = []
    if silent:
        warnings.append(
            f"{_numbers(silent)}ページには文字がありません（画像と思われます）。必要ならOCRをかけてください。"
        )
    if broken:
        warnings.append(f"{_numbers(broken)}ページは壊れていて読めません。ファイルを入手し直してください。")
    unknown = text.count(_UNKNOWN)
    if unknown:
        warnings.append(f"{unknown}文字が読み取れません（フォントに文字の対応表がありません）。")
    return tuple(warnings)


_UNREADABLE = "{file}: PDFとして読めません。ファイルが壊れていないか確かめて、入手し直してください。"


def _refusal(error: Exception, file: str) -> UnreadableDocument:
    import pypdfium2.raw as codes

    if getattr(error, "err_code", None) in (codes.FPDF_ERR_PASSWORD, codes.FPDF_ERR_SECURITY):
        return UnreadableDocument(
            f"{file}: パスワードがかかったPDFです。パスワードを外して保存し直してください。", file
        )
    return UnreadableDocument(_UNREADABLE.format(file=file), file)
