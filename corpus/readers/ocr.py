"""Reading by OCR: whether it is installed, the rows of a scanned page, and what a person is told about their certainty."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from typing import Any, Literal

from corpus.readers.extract import Box, Piece
from corpus.readers.flow import Row
from corpus.readers.glyphs import turned_box
from corpus.readers.pagerows import page_rows

OcrState = Literal["ready", "no extra", "no tesseract", "no japanese"]

_POOR = 0.7  # a page below this mean confidence is full of mistakes
_SIDEWAYS = 0.8  # below this it is looked whether the page lies on its side
_LONG_MARK = re.compile(r"(?<![ぁ-ゖァ-ヺー])ー(?=[\u4e00-\u9fff])")
_NAMED = 10  # pages named in one sentence

_SCAN = "文字の情報がありません（紙をスキャンした画像と思われます）。"
_INSTALL = "apt-get install tesseract-ocr tesseract-ocr-jpn を実行してから、もう一度取り込んでください。"
_WITHOUT: dict[OcrState, str] = {
    "ready": f"{_SCAN}OCRでも文字を読み取れませんでした。300dpi以上でスキャンし直してください。",
    "no extra": f"{_SCAN}OCR（文字認識）をかけて文字を含むPDFにするか、hyokaのOCR機能（pip install 'hyoka[ocr]'）を"
    "入れてから、もう一度取り込んでください。",
    "no tesseract": f"{_SCAN}OCRのプログラムtesseractが見つかりません。{_INSTALL}",
    "no japanese": f"{_SCAN}OCRのプログラムtesseractに日本語のデータがありません。{_INSTALL}",
}


class OcrFailed(Exception):
    """Tesseract gave up on a page."""


@cache
def ocr_state() -> OcrState:
    """Whether scans can be read here, and if not, what is missing."""
    if not has_extra():
        return "no extra"
    import pytesseract

    try:
        return "ready" if "jpn" in pytesseract.get_languages() else "no japanese"
    except (pytesseract.TesseractError, OSError):  # also TesseractNotFoundError
        return "no tesseract"


def has_extra() -> bool:
    """Whether the optional part ``ocr`` is installed."""
    return find_spec("pytesseract") is not None and find_spec("PIL") is not None


def without_ocr() -> str:
    """Why a scan gave no text, and the next step."""
    return _WITHOUT[ocr_state()]


def scanned_rows(image: Any, size: tuple[float, float], page: int) -> tuple[list[Row], float]:
    """The rows of a picture (PIL) of a page of ``size`` points, and the mean confidence of its letters (0 to 1).

    Raises OcrFailed.
    """
    rows, confidence = _as_it_lies(image, size, page)
    if confidence >= _SIDEWAYS:
        return rows, confidence
    quarters = _quarters(image)
    if not quarters:
        return rows, confidence
    across = size if quarters == 2 else (size[1], size[0])
    others, surer = _as_it_lies(image.rotate(-90 * quarters, expand=True), across, page)
    if surer <= confidence:
        return rows, confidence
    return [[_turned_back(piece, quarters, across) for piece in row] for row in others], surer


def _quarters(image: Any) -> int:
    """How many quarters clockwise a page that was scanned sideways has to be turned, 0 where that cannot be told."""
    import pytesseract

    try:
        found = pytesseract.image_to_osd(image, output_type=pytesseract.Output.DICT)
        return int(found["rotate"]) // 90 % 4
    except (pytesseract.TesseractError, RuntimeError, OSError, KeyError, ValueError):  # too few letters to tell
        return 0


def _turned_back(piece: Piece, quarters: int, size: tuple[float, float]) -> Piece:
    if piece.box is None:
        return piece
    x0, top, x1, bottom = (round(side, 1) for side in turned_box(piece.box, 4 - quarters, *size))
    return replace(piece, box=(x0, top, x1, bottom))


def _as_it_lies(image: Any, size: tuple[float, float], page: int) -> tuple[list[Row], float]:
    import pytesseract

    from corpus.readers.scan import read_scan

    try:
        scan = read_scan(image, size)
    except (pytesseract.TesseractError, RuntimeError, OSError) as error:  # RuntimeError: it took too long
        raise OcrFailed(str(error)) from error
    rows = page_rows(scan.glyphs, scan.horizontal, scan.vertical, size, page)
    rows = [[replace(piece, text=_spelt(piece.text)) for piece in row] for row in rows]
    if scan.askew:
        rows = [[_as_scanned(piece, scan.askew, size) for piece in row] for row in rows]
    letters = sum(len(glyph.text) for glyph in scan.glyphs)
    sure = sum((glyph.confidence or 0) * len(glyph.text) for glyph in scan.glyphs)
    return rows, round(sure / letters, 3) if letters else 0.0


def _spelt(text: str) -> str:
    """The mark of a long vowel is the figure one where no vowel stands before it.

    >>> _spelt("ー般財源、サーバー更新")
    '一般財源、サーバー更新'
    """
    return _LONG_MARK.sub("一", text)


def _as_scanned(piece: Piece, askew: float, size: tuple[float, float]) -> Piece:
    """The piece with its box where it stands on the page as scanned, before that was set upright."""
    if piece.box is None:
        return piece
    x0, top, x1, bottom = piece.box
    sine, cosine = math.sin(math.radians(askew)), math.cos(math.radians(askew))
    x, y = (x0 + x1 - size[0]) / 2, (top + bottom - size[1]) / 2
    dx, dy = x * cosine - y * sine - x, x * sine + y * cosine - y
    box: Box = (round(x0 + dx, 1), round(top + dy, 1), round(x1 + dx, 1), round(bottom + dy, 1))
    return replace(piece, box=box)


def confidence_warnings(pages: Mapping[int, float]) -> list[str]:
    """Sentences on the pages read by OCR, with the mean confidence of each.

    >>> confidence_warnings({3: 0.874})
    ['3ページはOCRで読み取りました（平均信頼度 87%）。']
    """
    warnings = []
    if pages:
        named = "、".join(f"{page}ページ（平均信頼度 {sure:.0%}）" for page, sure in list(pages.items())[:_NAMED])
        more = f" ほか{len(pages) - _NAMED}ページ" if len(pages) > _NAMED else ""
        if len(pages) == 1:
            ((page, sure),) = pages.items()
            warnings.append(f"{page}ページはOCRで読み取りました（平均信頼度 {sure:.0%}）。")
        else:
            warnings.append(f"{named}{more}はOCRで読み取りました。")
    poor = [page for page, sure in pages.items() if sure < _POOR]
    if poor:
        named = "、".join(str(page) for page in poor[:_NAMED]) + (" ほか" if len(poor) > _NAMED else "")
        warnings.append(
            f"{named}ページはOCRの信頼度が低く、誤りが多いと思われます。数値を使う前に元の紙面と見比べてください。"
        )
    return warnings
