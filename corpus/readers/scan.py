"""A picture of a page as letters and rules: tesseract reads the words, long dark runs are the rules of its tables.

Needs the extra ``ocr`` (pytesseract, Pillow) and Debian's tesseract-ocr and tesseract-ocr-jpn.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.readers.extract import Box
from corpus.readers.glyphs import Glyph
from corpus.readers.grid import Rule, find_grids

DPI = 300
_DARK = 160  # of 255
_RULE, _SHORT_RULE = 0.3, 0.12  # inches: no stroke of a letter is as long as the first; the second from rule to rule
_THICK = 0.035  # inches: a darker band is a filled area, not a rule
_SURE = 30  # percent: below this tesseract takes specks for letters
_STEEPEST, _STEP = 2.0, 0.1  # degrees a scan may be askew
_SPARSE, _LINES = 11, 6  # how tesseract is told to look at a page: words anywhere, or one block of lines
_PAD = 12  # pixels between cells
_SECONDS = 120  # a page that takes longer is given up
_POINTED = re.compile(r"[1-9]\d{0,2}(?:[.,]\d{3})+")

Dark = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scan:
    """Words (each with its confidence) and rules, in points from the top left of the page set upright.

    ``askew`` is by how many degrees it was turned counter-clockwise for that.
    """

    glyphs: tuple[Glyph, ...]
    horizontal: tuple[Rule, ...]
    vertical: tuple[Rule, ...]
    askew: float = 0.0


def read_scan(image: Any, size: tuple[float, float]) -> Scan:
    """The words and rules of a picture (PIL) of a page that is ``size`` points wide and high."""
    image = image.convert("L")
    pixels = np.asarray(image)
    askew = _askew(pixels < _DARK)
    if askew:
        from PIL import Image

        image = image.rotate(askew, resample=Image.Resampling.BILINEAR, fillcolor=255)
        pixels = np.asarray(image)
    x_scale, y_scale = size[0] / image.width, size[1] / image.height
    across, down = _rules(pixels < _DARK, 72 / x_scale)
    horizontal, vertical = _measured(across, down, size)
    # Without its rules tesseract takes a table for text rather than for a picture.
    clean = np.where(_wider(across) | _wider(down), np.uint8(255), pixels)
    words = []
    for strip in _strips(clean, [cell for grid in find_grids(horizontal, vertical) for cell in grid.cells], size):
        words += strip.words()
    glyphs = tuple(
        Glyph(_figure(text), x0 * x_scale, y0 * y_scale, x1 * x_scale, y1 * y_scale, 0, sure)
        for text, x0, y0, x1, y1, sure in words
    )
    return Scan(glyphs, horizontal, vertical, askew)


def rules_in(pixels: NDArray[np.uint8], size: tuple[float, float]) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    """The level and the upright rules (in points) of a grey picture of a page that is ``size`` points wide and high."""
    return _measured(*_rules(pixels < _DARK, 72 * pixels.shape[1] / size[0]), size)


def _measured(across: Dark, down: Dark, size: tuple[float, float]) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    x_scale, y_scale = size[0] / across.shape[1], size[1] / across.shape[0]
    return (
        tuple(Rule((y + 0.5) * y_scale, x0 * x_scale, x1 * x_scale) for y, x0, x1 in _ends(across)),
        tuple(Rule((x + 0.5) * x_scale, y0 * y_scale, y1 * y_scale) for x, y0, y1 in _ends(down.T)),
    )


@dataclass(frozen=True, slots=True)
class _Strip:
    """A picture for tesseract, and where its bands (top, bottom) come from: how far right and down they belong."""

    pixels: NDArray[np.uint8]
    layout: int  # tesseract's page segmentation mode
    bands: tuple[tuple[int, int, int, int], ...]

    def words(self) -> list[tuple[str, int, int, int, int, float]]:
        """Each word with its box in the page's pixels and its confidence."""
        words = []
        for text, x, y, width, height, sure in _read(self.pixels, self.layout):
            middle = y + height / 2
            shift = next(((dx, dy) for top, bottom, dx, dy in self.bands if top <= middle < bottom), None)
            if shift is not None:
                left, top = x + shift[0], y + shift[1]
                words.append((text, left, top, left + width, top + height, sure))
        return words


def _strips(pixels: NDArray[np.uint8], cells: Sequence[Box], size: tuple[float, float]) -> list[_Strip]:
    """The insides of all cells one below the other, and the page without them.

    tesseract loses lone figures on a page of cells and reads across them; in a strip each cell is a line of its own.
    """
    outside = pixels.copy()
    height, width = pixels.shape
    inks: list[tuple[int, int, NDArray[np.uint8]]] = []
    for x0, top, x1, bottom in cells:
        left, right = round(x0 * width / size[0]), round(x1 * width / size[0])
        upper, lower = round(top * height / size[1]), round(bottom * height / size[1])
        inside = pixels[upper + 3 : max(lower - 2, 0), left + 3 : max(right - 2, 0)]
        rows, columns = np.nonzero(inside < _DARK)
        if len(rows) < 8:
            continue
        y0, y1, c0, c1 = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
        inks.append((left + 3 + int(c0), upper + 3 + int(y0), inside[y0:y1, c0:c1].copy()))
        outside[upper:lower, left:right] = 255
    page = _Strip(outside, _SPARSE, ((0, height, 0, 0),))
    if not inks:
        return [page]
    strip = np.full(
        (sum(len(ink) + _PAD for *_, ink in inks) + _PAD, max(ink.shape[1] for *_, ink in inks) + 2 * _PAD),
        255,
        dtype=np.uint8,
    )
    bands = []
    at = _PAD
    for x, y, ink in inks:
        strip[at : at + len(ink), _PAD : _PAD + ink.shape[1]] = ink
        bands.append((at - _PAD // 2, at + len(ink) + _PAD // 2, x - _PAD, y - at))
        at += len(ink) + _PAD
    return [_Strip(strip, _LINES, tuple(bands)), page]


def _read(pixels: NDArray[np.uint8], layout: int) -> list[tuple[str, int, int, int, int, float]]:
    import pytesseract
    from PIL import Image

    # More threads only wait for each other, and files are already read side by side.
    os.environ.setdefault("OMP_THREAD_LIMIT", "1")
    found = pytesseract.image_to_data(
        Image.fromarray(pixels),
        lang="jpn",
        config=f"--psm {layout} --dpi {DPI}",
        output_type=pytesseract.Output.DICT,
        timeout=_SECONDS,
    )
    keys = ("text", "left", "top", "width", "height", "conf")
    return [
        (text.strip(), x, y, width, height, round(float(sure) / 100, 3))
        for text, x, y, width, height, sure in zip(*(found[key] for key in keys), strict=True)
        if text.strip() and float(sure) >= _SURE
    ]


def _figure(text: str) -> str:
    """A point before three figures is a comma whose tail was lost: the sheets print no amounts with three decimals."""
    return text.replace(".", ",") if _POINTED.fullmatch(text) else text


def _askew(dark: Dark) -> float:
    """The degrees a page has to be turned counter-clockwise to stand upright: its rows are then darkest and lightest."""
    small = dark[::4, ::4]
    rows, columns = np.nonzero(small)
    if len(rows) < 100:
        return 0.0
    step = max(len(rows) // 50_000, 1)
    rows, columns = rows[::step], columns[::step]

    def sharpness(degrees: float) -> float:
        moved = np.round(rows - columns * np.tan(np.radians(degrees))).astype(np.int64)
        counts = np.bincount(moved - moved.min())
        return float(np.sum(counts.astype(np.float64) ** 2))

    degrees = [n * _STEP for n in range(round(-_STEEPEST / _STEP), round(_STEEPEST / _STEP) + 1)]
    best = max(degrees, key=sharpness)
    return round(best, 1) if sharpness(best) > 1.05 * sharpness(0.0) else 0.0


def _rules(dark: Dark, dpi: float) -> tuple[Dark, Dark]:
    """The pixels of level and of upright rules: long thin runs, and short ones that go from rule to rule."""
    across, down = _thin_runs(dark, dpi), _thin_runs(dark.T, dpi)
    long_across, long_down = (_lasting(runs, lambda n: n >= _RULE * dpi) for runs in (across, down))
    return long_across | _held(across, long_down.T), (long_down | _held(down, long_across.T)).T


def _thin_runs(dark: Dark, dpi: float) -> Dark:
    """What belongs to runs along the rows, and to no thick area."""
    closed = dark.copy()
    closed[:, 1:-1] |= dark[:, :-2] & dark[:, 2:]  # a speck of light does not break a rule
    long = _lasting(closed, lambda lengths: lengths >= _SHORT_RULE * dpi)
    thin = _lasting(long.T, lambda lengths: lengths <= max(_THICK * dpi, 3)).T
    return _lasting(thin, lambda lengths: lengths >= _SHORT_RULE * dpi)


def _held(runs: Dark, walls: Dark) -> Dark:
    """The runs along each row that begin and end at a wall."""
    near = walls.copy()
    for shift in range(1, 6):
        near[:, shift:] |= walls[:, :-shift]
        near[:, :-shift] |= walls[:, shift:]
    padded = np.zeros((runs.shape[0], runs.shape[1] + 1), dtype=bool)
    padded[:, :-1] = near
    wall = padded.ravel()
    starts, ends = _edges(runs)
    return _kept(runs, starts, ends, wall[starts] & wall[ends - 1])


def _lasting(dark: Dark, keep: Callable[[NDArray[np.int64]], Dark]) -> Dark:
    """The runs along each row whose lengths ``keep`` says to keep."""
    starts, ends = _edges(dark)
    return _kept(dark, starts, ends, keep(ends - starts))


def _kept(dark: Dark, starts: NDArray[np.int64], ends: NDArray[np.int64], chosen: Dark) -> Dark:
    width = dark.shape[1] + 1
    change = np.zeros(dark.shape[0] * width + 1, dtype=np.int8)
    change[starts[chosen]] = 1
    change[ends[chosen]] -= 1
    kept: Dark = np.cumsum(change[:-1], dtype=np.int8).reshape(-1, width)[:, :-1].astype(bool)
    return kept


def _edges(dark: Dark) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where runs start and end, counted along all rows, each one longer than the picture is wide."""
    padded = np.zeros((dark.shape[0], dark.shape[1] + 1), dtype=np.int8)
    padded[:, :-1] = dark
    change = np.diff(padded.ravel(), prepend=np.int8(0), append=np.int8(0))
    return np.flatnonzero(change == 1), np.flatnonzero(change == -1)


def _ends(dark: Dark) -> list[tuple[int, int, int]]:
    starts, ends = _edges(dark)
    width = dark.shape[1] + 1
    return [
        (int(start // width), int(start % width), int(end - start // width * width))
        for start, end in zip(starts, ends, strict=True)
    ]


def _wider(dark: Dark) -> Dark:
    """The runs with a pixel or two around them, where ink fades."""
    wide = dark.copy()
    for shift in (1, 2):
        wide[shift:] |= dark[:-shift]
        wide[:-shift] |= dark[shift:]
        wide[:, shift:] |= dark[:, :-shift]
        wide[:, :-shift] |= dark[:, shift:]
    return wide
