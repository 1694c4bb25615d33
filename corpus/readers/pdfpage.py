"""What stands on one page of a PDF: its letters and its straight rules, as pdfium sees them."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pypdfium2.raw as c

from corpus.readers.glyphs import Glyph, turned_box
from corpus.readers.grid import Rule

# Points: a filled rectangle no thicker is a rule, and a stroke no further off an axis is straight.
_THIN, _STRAIGHT = 3.0, 0.6
_MOST_SEGMENTS = 40_000  # a map or a drawing; its tables are not looked for
_FEW = 40  # letters
_MOST_ANNOTATIONS = 10_000
_MOST_OBJECTS = 200_000
_DEEPEST = 8  # forms inside forms
_PALE = 250  # of 255: a fill so light is paper
_UNKNOWN = "\ufffd"

Matrix = tuple[float, float, float, float, float, float]
Segment = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class PageContent:
    """Letters and rules in points from the top left of the page as it is shown (cropped and turned).

    ``blank`` says that nothing at all is drawn on it, ``picture`` that it is a scan: no letters, or few (a stamped page
    number) on a picture of most of the page. ``overlaid`` says that invisible letters lie over a picture: a scan that
    was made searchable, whose rules are in the picture.
    """

    width: float
    height: float
    blank: bool
    picture: bool
    overlaid: bool
    glyphs: tuple[Glyph, ...]
    horizontal: tuple[Rule, ...]
    vertical: tuple[Rule, ...]


class _TooMuch(Exception):
    """More drawing than a table has."""


def open_page(document: Any, number: int) -> Any:
    """A page (from 1) of an open document, with what was filled in or typed onto it as part of the page.

    Raises pdfium's error where the page is damaged. The caller closes it.
    """
    page = document[number - 1]
    if not _typed_on(page.raw) or c.FPDFPage_Flatten(page.raw, c.FLAT_NORMALDISPLAY) != c.FLATTEN_SUCCESS:
        return page
    page.close()
    return document[number - 1]


def _typed_on(page: Any) -> bool:
    for n in range(min(c.FPDFPage_GetAnnotCount(page), _MOST_ANNOTATIONS)):
        annotation = c.FPDFPage_GetAnnot(page, n)
        if not annotation:
            continue
        kind = c.FPDFAnnot_GetSubtype(annotation)
        c.FPDFPage_CloseAnnot(annotation)
        if kind in (c.FPDF_ANNOT_WIDGET, c.FPDF_ANNOT_FREETEXT):
            return True
    return False


def read_content(page: Any) -> PageContent:
    """The content of an open pdfium page; raises pdfium's error where the page is damaged."""
    width, height = page.get_size()
    shown = _Shown(page)
    glyphs = tuple(_glyphs(page, shown))
    horizontal: list[Rule] = []
    vertical: list[Rule] = []
    if glyphs:
        try:
            _rules(page, shown, horizontal, vertical)
        except _TooMuch:
            horizontal, vertical = [], []
    blank = c.FPDFPage_CountObjects(page.raw) <= 0
    letters = sum(not glyph.text.isspace() for glyph in glyphs)
    picture = not blank and (not letters or (letters <= _FEW and _mostly_picture(page, width * height)))
    overlaid = letters > _FEW and _invisible(page) and _mostly_picture(page, width * height)
    return PageContent(width, height, blank, picture, overlaid, glyphs, tuple(horizontal), tuple(vertical))


def _invisible(page: Any) -> bool:
    """Whether the first text on the page is drawn without ink."""
    for n in range(min(c.FPDFPage_CountObjects(page.raw), _FEW)):
        thing = c.FPDFPage_GetObject(page.raw, n)
        if c.FPDFPageObj_GetType(thing) == c.FPDF_PAGEOBJ_TEXT:
            return bool(c.FPDFTextObj_GetTextRenderMode(thing) == c.FPDF_TEXTRENDERMODE_INVISIBLE)
    return False


def _mostly_picture(page: Any, area: float) -> bool:
    sides = [ctypes.c_float() for _ in range(4)]
    for n in range(min(c.FPDFPage_CountObjects(page.raw), _MOST_SEGMENTS)):
        thing = c.FPDFPage_GetObject(page.raw, n)
        if c.FPDFPageObj_GetType(thing) == c.FPDF_PAGEOBJ_IMAGE and c.FPDFPageObj_GetBounds(thing, *sides):
            left, bottom, right, top = (side.value for side in sides)
            if (right - left) * (top - bottom) > 0.6 * area:
                return True
    return False


class _Shown:
    """Leads from a page's own coordinates (upwards, uncropped) to those of the page as it is shown."""

    def __init__(self, page: Any) -> None:
        self._x, self._y, right, top = page.get_bbox()
        self._width, self._height = right - self._x, top - self._y
        self.quarters = page.get_rotation() // 90 % 4

    def box(self, left: float, bottom: float, right: float, top: float) -> Segment:
        """A box given by its sides, as (x0, top, x1, bottom)."""
        flipped = (left - self._x, self._height + self._y - top, right - self._x, self._height + self._y - bottom)
        return turned_box(flipped, self.quarters, self._width, self._height)


def _glyphs(page: Any, shown: _Shown) -> Iterator[Glyph]:
    width, height = page.get_size()
    textpage = page.get_textpage()
    try:
        raw, rect = textpage.raw, c.FS_RECTF()
        reference = ctypes.byref(rect)
        quarter = math.pi / 2
        for n in range(c.FPDFText_CountChars(raw)):
            code = c.FPDFText_GetUnicode(raw, n)
            # pdfium adds blanks and breaks of its own; where blanks are is told by the gaps.
            if code <= 0x20 and c.FPDFText_IsGenerated(raw, n):
                continue
            if not c.FPDFText_GetLooseCharBox(raw, n, reference):
                continue
            x0, top, x1, bottom = shown.box(rect.left, rect.bottom, rect.right, rect.top)
            # Also false for what is not a number. What lies outside the paper is not shown to anybody.
            if not (0 <= x0 + x1 <= 2 * width and 0 <= top + bottom <= 2 * height and x1 >= x0 and bottom > top):
                continue
            text = _text(code)
            if text:
                angle = c.FPDFText_GetCharAngle(raw, n)
                turns = -round(angle / quarter) if angle > 0.1 else 0  # pdfium measures clockwise
                yield Glyph(text, x0, top, x1, bottom, (turns - shown.quarters) % 4)
    finally:
        textpage.close()


def _text(code: int) -> str:
    if code in (0, 0xFFFF) or 0xD800 <= code <= 0xDFFF or code > 0x10FFFF:
        return _UNKNOWN
    if code in (2, 0xAD, 0xFFFE):  # how pdfium marks a hyphen at the end of a line
        return "-"
    char = chr(code)
    if char.isspace():
        return "\u3000" if char == "\u3000" else " "
    return char if code >= 0x20 and code != 0x7F else ""


def _rules(page: Any, shown: _Shown, horizontal: list[Rule], vertical: list[Rule]) -> None:
    for x0, top, x1, bottom in _segments(page.raw, shown):
        if bottom - top <= x1 - x0:
            if bottom - top <= _STRAIGHT:
                horizontal.append(Rule((top + bottom) / 2, x0, x1))
        elif x1 - x0 <= _STRAIGHT:
            vertical.append(Rule((x0 + x1) / 2, top, bottom))
        if x1 - x0 < _THIN and bottom - top < _THIN:  # a dot belongs to a dotted line of either direction
            horizontal.append(Rule((top + bottom) / 2, x0, x1))
            vertical.append(Rule((x0 + x1) / 2, top, bottom))


def _segments(page: Any, shown: _Shown) -> Iterator[Segment]:
    """Straight strokes and the sides of filled rectangles; a thin rectangle is one stroke along its middle."""
    corners = 0
    for path, matrix in _paths(c.FPDFPage_CountObjects(page), lambda n: c.FPDFPage_GetObject(page, n), _SAME, count()):
        mode, stroke = ctypes.c_int(), ctypes.c_int()
        c.FPDFPath_GetDrawMode(path, mode, stroke)
        if not (mode.value or stroke.value):
            continue
        for points in _outlines(path, matrix):
            corners += len(points)
            if corners > _MOST_SEGMENTS:
                raise _TooMuch
            if stroke.value:
                for (ax, ay), (bx, by) in zip(points, points[1:], strict=False):
                    if abs(ax - bx) <= _STRAIGHT or abs(ay - by) <= _STRAIGHT:
                        yield shown.box(min(ax, bx), min(ay, by), max(ax, bx), max(ay, by))
            else:
                yield from _filled(path, points, shown)


def _filled(path: Any, points: list[tuple[float, float]], shown: _Shown) -> Iterator[Segment]:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    left, right, bottom, top = min(xs), max(xs), min(ys), max(ys)
    # Only rectangles: every corner lies on two sides of the box around it.
    if any(min(x - left, right - x) > _STRAIGHT or min(y - bottom, top - y) > _STRAIGHT for x, y in points):
        return
    x0, y0, x1, y1 = shown.box(left, bottom, right, top)
    if min(x1 - x0, y1 - y0) <= _THIN:
        if x1 - x0 >= y1 - y0:
            yield x0, (y0 + y1) / 2, x1, (y0 + y1) / 2
        else:
            yield (x0 + x1) / 2, y0, (x0 + x1) / 2, y1
    elif not _pale(path):
        yield x0, y0, x1, y0
        yield x0, y1, x1, y1
        yield x0, y0, x0, y1
        yield x1, y0, x1, y1


def _pale(path: Any) -> bool:
    colour = [ctypes.c_uint() for _ in range(4)]
    if not c.FPDFPageObj_GetFillColor(path, *colour):
        return False
    *light, alpha = (part.value for part in colour)
    return min(light) >= _PALE or alpha <= 255 - _PALE


_SAME: Matrix = (1, 0, 0, 1, 0, 0)


def _paths(size: int, at: Any, outer: Matrix, seen: Iterator[int], depth: int = 0) -> Iterator[tuple[Any, Matrix]]:
    """Every path, also inside forms, with the matrix to the page."""
    found = c.FS_MATRIX()
    for n in range(size):
        if next(seen) > _MOST_OBJECTS:  # forms in forms in forms
            raise _TooMuch
        thing = at(n)
        if not thing:
            continue
        kind = c.FPDFPageObj_GetType(thing)
        if kind not in (c.FPDF_PAGEOBJ_PATH, c.FPDF_PAGEOBJ_FORM) or not c.FPDFPageObj_GetMatrix(thing, found):
            continue
        matrix = _product((found.a, found.b, found.c, found.d, found.e, found.f), outer)
        if kind == c.FPDF_PAGEOBJ_PATH:
            yield thing, matrix
        elif depth < _DEEPEST:
            inner = c.FPDFFormObj_CountObjects(thing)
            yield from _paths(inner, lambda n, form=thing: c.FPDFFormObj_GetObject(form, n), matrix, seen, depth + 1)


def _product(m: Matrix, n: Matrix) -> Matrix:
    a, b, c_, d, e, f = m
    p, q, r, s, t, u = n
    return a * p + b * r, a * q + b * s, c_ * p + d * r, c_ * q + d * s, e * p + f * r + t, e * q + f * s + u


def _outlines(path: Any, matrix: Matrix) -> Iterator[list[tuple[float, float]]]:
    """The corners of each part of a path that has straight sides only; a closed part ends where it began."""
    x, y = ctypes.c_float(), ctypes.c_float()
    to_x, to_y = ctypes.byref(x), ctypes.byref(y)
    a, b, c_, d, e, f = matrix
    points: list[tuple[float, float]] = []
    for n in range(min(c.FPDFPath_CountSegments(path), _MOST_SEGMENTS)):
        segment = c.FPDFPath_GetPathSegment(path, n)
        kind = c.FPDFPathSegment_GetType(segment)
        if not c.FPDFPathSegment_GetPoint(segment, to_x, to_y):
            continue
        point = (a * x.value + c_ * y.value + e, b * x.value + d * y.value + f)
        if not all(-1e6 < value < 1e6 for value in point):  # also false for what is not a number
            points = []
        elif kind == c.FPDF_SEGMENT_LINETO:
            points.append(point)
        else:  # a new part, or a curve: the straight sides before and after it count on their own
            if len(points) > 1:
                yield points
            points = [point]
        if c.FPDFPathSegment_GetClose(segment):
            if len(points) > 1:
                yield [*points, points[0]]
            points = []
    if len(points) > 1:
        yield points
