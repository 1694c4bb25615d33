"""A page of an original PDF as a picture, drawn when it is asked for; only where the index keeps the originals.

Measured on 41 pages at 100 dots an inch: a page stored as a picture takes 35 to 240 kB, the PDF itself 2 to 5 kB a page;
drawing one takes about 10 ms and packing it as PNG 20 ms.
"""

from __future__ import annotations

import functools
import hashlib
import logging
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from assistant.api import find_sheet
from assistant.discretion import document_for
from assistant.readiness import Asker
from corpus.documents import Document
from corpus.places import Box, places_of
from corpus.readers.pdf import pdfium_lock

logger = logging.getLogger(__name__)

DPI = 100
MOST_PIXELS = 4_000_000  # a poster is drawn smaller
_COVER = (90, 90, 90)
KEPT = 32  # pages in memory, at most a few hundred kB each
NO_PICTURE = "このページの画像はありません。シートのページで原文を確かめてください。"


def add_pictures(app: FastAPI, assistant: Asker) -> None:
    """Adds ``GET /sheet/{id}/page/{n}.png``; 404 where the original is not kept or has no such page."""
    draw = functools.lru_cache(maxsize=KEPT)(picture)

    @app.get("/sheet/{sheet_id}/page/{number}.png", include_in_schema=False)
    def page(sheet_id: str, number: int) -> Response:
        index = assistant.index
        sheet = find_sheet(index, sheet_id)
        path = index.original(sheet.file)
        document = document_for(index, sheet.file)
        covers = covered(document, number)
        drawn = draw(path, document.sha256, number, covers) if path is not None and covers is not None else None
        if drawn is None:
            raise HTTPException(404, NO_PICTURE)
        return Response(drawn, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})


def covered(document: Document, number: int) -> tuple[Box, ...] | None:
    """What of a page is painted over because it names staff; None where it is not known on which page or where."""
    covers: list[Box] = []
    for span in document.masked:
        places = places_of(document, span)
        if not places or any(place.page is None or place.box is None for place in places):
            return None
        covers += (place.box for place in places if place.page == number and place.box is not None)
    return tuple(dict.fromkeys(covers))


def picture(path: Path, sha256: str, number: int, covers: Sequence[Box] = ()) -> bytes | None:
    """One page (from 1) of a PDF as PNG, with ``covers`` painted over; None where the file is not the one of these bytes,
    or the page cannot be drawn."""
    import pypdfium2 as pdfium

    try:
        data = path.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(data).hexdigest() != sha256:
        logger.warning("%s is not what was indexed", path)
        return None
    with pdfium_lock:
        try:
            document = pdfium.PdfDocument(data)
            try:
                return _drawn(document, number, covers) if 0 < number <= len(document) else None
            finally:
                document.close()
        except Exception:  # whatever a damaged page brings up costs its picture only
            logger.exception("page %d of %s cannot be drawn", number, path)
            return None


def _drawn(document: Any, number: int, covers: Sequence[Box]) -> bytes:
    page = document[number - 1]
    width, height = page.get_size()
    scale = min(DPI / 72, (MOST_PIXELS / max(width * height, 1)) ** 0.5)
    out = BytesIO()
    drawn = page.render(scale=scale).to_pil().convert("RGB")
    for x0, top, x1, bottom in covers:
        left, upper = int(x0 * scale) - 1, int(top * scale) - 1
        drawn.paste(_COVER, (left, upper, max(left, int(x1 * scale) + 2), max(upper, int(bottom * scale) + 2)))
    drawn.save(out, "PNG")
    return out.getvalue()
