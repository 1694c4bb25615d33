"""A picture of a page (PNG, JPEG, TIFF): read by OCR, frame by frame."""

from __future__ import annotations

import io
from typing import Any

from corpus.errors import EmptyDocument, UnreadableDocument
from corpus.readers.extract import Extract, TextWriter
from corpus.readers.ocr import OcrFailed, confidence_warnings, ocr_state, scanned_rows, without_ocr

_A4_INCHES = 8.27
_MOST_PIXELS = 40_000_000
_FINE = range(100, 1201)  # dots per inch a scanner has; 72 is what programs write who do not know


def read_image(data: bytes, file: str) -> Extract:
    """The text of a picture; every stretch carries OCR's confidence. Boxes are in points, 72 to the inch."""
    from PIL import Image

    writer = TextWriter()
    scanned: dict[int, float] = {}
    try:
        with Image.open(io.BytesIO(data)) as picture:
            for number in range(1, getattr(picture, "n_frames", 1) + 1):
                picture.seek(number - 1)
                if number > 1:
                    writer.write("\f")
                if ocr_state() != "ready":
                    break
                rows, confidence = scanned_rows(*_page(picture), number)
                if rows:
                    scanned[number] = confidence
                for row in rows:
                    writer.row(row)
    except (OcrFailed, OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise UnreadableDocument(
            f"{file}: 画像ですが、壊れているか、OCRで扱えない形式です。ファイルを開けるか確かめて、入手し直してください。",
            file,
        ) from error
    if not writer.places:
        raise EmptyDocument(f"{file}: {without_ocr()}", file)
    return Extract(writer.text, "image", tuple(writer.places), tuple(confidence_warnings(scanned)))


def _page(picture: Any) -> tuple[Any, tuple[float, float]]:
    """The picture upright and not too large, and its size in points."""
    from PIL import ImageOps

    image = ImageOps.exif_transpose(picture).convert("L")
    dpi = float(picture.info.get("dpi", (0,))[0])
    if round(dpi) not in _FINE:
        dpi = image.width / _A4_INCHES
    size = (image.width * 72 / dpi, image.height * 72 / dpi)
    shrink = (_MOST_PIXELS / (image.width * image.height)) ** 0.5
    factor = min(shrink, max(300 / dpi, 1.0))  # tesseract wants about 300 to the inch
    if factor < 1 or factor > 1.2:
        image = image.resize((max(round(image.width * factor), 1), max(round(image.height * factor), 1)))
    return image, size
