"""PDF: ruled tables as rows of cells, everything else as lines, in the order they stand on the page."""

from __future__ import annotations

import threading
from typing import Any

from corpus.documents import PageSize
from corpus.errors import EmptyDocument, UnreadableDocument
from corpus.readers.extract import Extract, TextWriter
from corpus.readers.flow import Row
from corpus.readers.ocr import OcrFailed, confidence_warnings, ocr_state, scanned_rows, without_ocr
from corpus.readers.pagerows import page_rows

_BROKEN_IN_A_ROW = 100  # a damaged file may claim any number of pages
_UNKNOWN = "\ufffd"
_DPI, _MOST_PIXELS = 300, 40_000_000  # of a scan that is looked at; a poster is rendered smaller
# pdfium keeps state of its own and must not be entered twice.
pdfium_lock = threading.Lock()


def read_pdf(data: bytes, file: str) -> Extract:
    """A PDF page by page with a form feed between pages.

    A merged cell's text stands once, in its first cell; bold printed by doubling the letters is read once. Boxes are in
    points from the top left of the page as it is shown. Pages without letters are read by OCR where that is installed;
    their places carry its confidence.
    """
    import pypdfium2 as pdfium

    with pdfium_lock:
        try:
            document = pdfium.PdfDocument(data)
        except Exception as error:
            raise _refusal(error, file) from error
        try:
            return _PagesReader(document).read(file)
        finally:
            document.close()


class _PagesReader:
    """Reads one open document once, and keeps account of its pages (numbers from 1)."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self._silent: list[int] = []  # pictures only
        self._broken: list[int] = []
        self._overlaid: list[int] = []  # with the letters of somebody else's OCR
        self._scanned: dict[int, float] = {}  # confidence by page
        self._sizes: dict[int, PageSize] = {}

    def read(self, file: str) -> Extract:
        writer = TextWriter()
        for number in range(1, len(self._document) + 1):
            if number > 1:
                writer.write("\f")
            try:
                rows = self._page(number)
            except Exception:  # one damaged page does not cost the others
                self._broken.append(number)
                last = self._broken[-_BROKEN_IN_A_ROW:]
                if len(last) == _BROKEN_IN_A_ROW and last[0] == number - _BROKEN_IN_A_ROW + 1:
                    break
                continue
            for row in rows:
                writer.row(row)
        if not writer.places and self._broken and not self._silent:
            raise UnreadableDocument(_UNREADABLE.format(file=file), file)
        if not writer.places:
            raise EmptyDocument(f"{file}: {without_ocr()}", file)
        sizes = tuple(self._sizes.get(number, PageSize(0.0, 0.0)) for number in range(1, max(self._sizes) + 1))
        return Extract(writer.text, "pdf", tuple(writer.places), self._warnings(writer.text), sizes)

    def _page(self, number: int) -> list[Row]:
        from corpus.readers.pdfpage import open_page, read_content

        page = open_page(self._document, number)
        try:
            content = read_content(page)
            size = (content.width, content.height)
            self._sizes[number] = PageSize(*size)
            rules = (content.horizontal, content.vertical)
            if content.overlaid:
                from corpus.readers.scan import rules_in

                self._overlaid.append(number)
                bitmap = _rendered(page, size)
                rules = rules_in(bitmap.to_numpy().reshape(bitmap.height, -1)[:, : bitmap.width], size)
                bitmap.close()
            rows = page_rows(content.glyphs, *rules, size, number)
            return self._scan(page, size, number) or rows if content.picture else rows
        finally:
            page.close()

    def _scan(self, page: Any, size: tuple[float, float], number: int) -> list[Row]:
        rows: list[Row] = []
        if ocr_state() == "ready":
            bitmap = _rendered(page, size)
            try:
                rows, confidence = scanned_rows(bitmap.to_pil(), size, number)
                if rows:
                    self._scanned[number] = confidence
            except OcrFailed:
                rows = []
            finally:
                bitmap.close()
        if not rows:
            self._silent.append(number)
        return rows

    def _warnings(self, text: str) -> tuple[str, ...]:
        warnings = confidence_warnings(self._scanned)
        if self._overlaid:
            warnings.append(
                f"{page_numbers(self._overlaid)}ページの文字はスキャナーなどのOCRが付けたもので、信頼度は分かりません。"
                "数値を使う前に元の紙面と見比べてください。"
            )
        if self._silent:
            told = "OCRでも文字を読み取れませんでした" if ocr_state() == "ready" else "文字を読み取れません"
            step = "元の紙面を確かめてください" if ocr_state() == "ready" else "必要ならOCRをかけてください"
            warnings.append(f"{page_numbers(self._silent)}ページは画像と思われ、{told}。{step}。")
        if self._broken:
            warnings.append(
                f"{page_numbers(self._broken)}ページは壊れていて読めません。ファイルを入手し直してください。"
            )
        unknown = text.count(_UNKNOWN)
        if unknown:
            warnings.append(f"{unknown}文字が読み取れません（フォントに文字の対応表がありません）。")
        return tuple(warnings)


def _rendered(page: Any, size: tuple[float, float]) -> Any:
    """A grey picture of the page (pdfium's bitmap), to be closed by the caller."""
    return page.render(scale=min(_DPI / 72, (_MOST_PIXELS / max(size[0] * size[1], 1)) ** 0.5), grayscale=True)


def page_numbers(pages: list[int]) -> str:
    """Page numbers for a sentence, ten at most: ``3、4``."""
    return "、".join(str(number) for number in pages[:10]) + (" ほか" if len(pages) > 10 else "")


_UNREADABLE = "{file}: PDFとして読めません。ファイルが壊れていないか確かめて、入手し直してください。"


def _refusal(error: Exception, file: str) -> UnreadableDocument:
    import pypdfium2.raw as codes

    if getattr(error, "err_code", None) in (codes.FPDF_ERR_PASSWORD, codes.FPDF_ERR_SECURITY):
        return UnreadableDocument(
            f"{file}: パスワードがかかったPDFです。パスワードを外して保存し直してください。", file
        )
    return UnreadableDocument(_UNREADABLE.format(file=file), file)
