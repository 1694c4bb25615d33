"""PDF pages to draw on for tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from reportlab import rl_config
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from corpus.documents import Document
from corpus.readers import read_document

FONT = "HeiseiKakuGo-W5"
TOP = A4[1]


@pytest.fixture(autouse=True)
def japanese_font() -> None:
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    rl_config.invariant = 1


class Sheet:
    """A page to draw on with offsets from the top left, as the reader hands them back."""

    def __init__(self, path: Path, size: tuple[float, float] = A4, **options: object) -> None:
        self.path = path
        self.canvas = Canvas(str(path), pagesize=size, **options)
        self.height = size[1]
        self.size = 10.0

    def text(self, x: float, y: float, text: str, size: float | None = None) -> None:
        self.canvas.setFont(FONT, size or self.size)
        self.canvas.drawString(x, self.height - y, text)

    def line(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self.canvas.line(x0, self.height - y0, x1, self.height - y1)

    def box(self, x: float, y: float, width: float, height: float, stroke: int = 1, fill: int = 0) -> None:
        self.canvas.rect(x, self.height - y - height, width, height, stroke=stroke, fill=fill)

    def cells(self, xs: Sequence[float], ys: Sequence[float], texts: Sequence[Sequence[str]]) -> None:
        """Texts at the places of a grid, without its rules."""
        for y, row in zip(ys, texts, strict=False):
            for x, text in zip(xs, row, strict=False):
                self.text(x + 3, y + 14, text)

    def read(self) -> Document:
        self.canvas.save()
        return read_document(self.path)


@pytest.fixture
def sheet(tmp_path: Path) -> Sheet:
    return Sheet(tmp_path / "a.pdf")
