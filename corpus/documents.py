"""The values that flow out of files: documents, sheets, sections, facts, events.

Everything here is frozen and plain. A text is never changed after it was read: a :class:`Span` points into
``Document.text`` and ``document.text[span.start:span.end]`` is what a citation quotes, byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from corpus.periods import Period

SheetKind = Literal["programme", "document"]
FactKind = Literal["plan", "actual"]
# The name of a programme's sheet whose name could not be read.
NO_NAME = "名称不明"


@dataclass(frozen=True, slots=True)
class Place:
    """Where characters ``start:end`` of a document's text stand in the file: a page and box, or a cell.

    ``page`` counts from 1 (Excel: the sheet of the book); ``box`` is (x0, top, x1, bottom) in points from the top left
    of the page as it is shown (cropped, turned); ``cell`` is written as ``集計!B3``. ``confidence`` is given where the
    stretch was read by OCR: the mean certainty of its words, between 0 and 1; None means that the characters stand in
    the file.
    """

    start: int
    end: int
    page: int | None = None
    box: tuple[float, float, float, float] | None = None
    cell: str | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class PageSize:
    """One page's measures in points as it is shown, 0 for a page that could not be read."""

    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Document:
    """One file as published, with its extracted text.

    Tables stand in ``text`` as lines with tab characters between cells; a merged cell's text stands once, the covered
    cells are empty. ``file`` is the path relative to the indexed folder, with forward slashes. ``places`` are in the
    order of the text; ``pages`` are the sizes of a PDF's pages from the first one on. ``reader`` is the state of the
    reading code that made it (:func:`corpus.version.reading_version`), "" when not known. ``masked`` are the stretches
    of ``text`` in which an index that hides the names of staff shows ＊ for every character (:mod:`corpus.staffnames`);
    none in a document as it was read.
    """

    file: str
    text: str
    sha256: str
    media: Literal["text", "pdf", "excel", "word", "html", "image"]
    places: tuple[Place, ...] = ()
    warnings: tuple[str, ...] = ()
    pages: tuple[PageSize, ...] = ()
    reader: str = ""
    masked: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """Characters ``start:end`` of one document's text (offsets in code points, end exclusive)."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """One programme's or system's form (kind ``programme``), or a part of a document that belongs to none.

    ``name`` is as printed (white space from line breaks removed); ``fiscal_year`` is the year the sheet reports on
    (western, 2021 for 令和3年度), None when the document does not say; ``department`` is the 課 as printed
    (with the 部 before it where both are printed, joined by a space). ``spans`` are the stretches of the document
    that belong to the sheet, in order.
    """

    sheet_id: str
    file: str
    kind: SheetKind
    name: str
    municipality: str
    fiscal_year: int | None
    department: str
    spans: tuple[Span, ...]
    form: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One labelled part of a sheet. ``label`` is as printed (cleaned of line breaks), ``field`` is canonical.

    ``span`` covers the value, not the label, wherever the label stands apart; the text is the document's slice.
    """

    label: str
    field: str
    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One typed cell.

    ``value`` is a number in ``unit`` (amounts always in 円), or None for a rating or a choice, whose reading stands in
    ``text`` (``A``, ``一部委託``). ``field`` is the canonical field (決算額, 事業費, 成果指標, 取組状況の評価 …), ``label``
    what the sheet prints (概算人件費, or the indicator's name). ``span`` is the cell; ``quote`` is the stretch that proves
    it to a reader (the printed row, with its label where that stands beside it). ``inferred`` says that the reading
    rests on arithmetic or on the other columns rather than on a label beside the value.
    """

    field: str
    label: str
    value: float | None
    text: str
    unit: str
    period: Period | None
    kind: FactKind | None
    span: Span
    quote: Span
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """A dated statement: ``period`` is the date as read, ``span`` the date expression, ``quote`` the sentence around it.

    ``what`` is what happens then (導入, 更改, 契約満了 …, the names of ``happenings.toml``), "" when the words do not tell.
    """

    period: Period
    span: Span
    quote: Span
    what: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """One part of a certainty: ``what`` was looked at, its ``share`` between 0 and 1, and a Japanese sentence."""

    what: str
    share: float
    text: str


@dataclass(frozen=True, slots=True)
class Certainty:
    """How sure the reading of a sheet is, between 0 and 1, with its reasons (see :mod:`corpus.certainty`)."""

    score: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class SheetReading:
    """A sheet with everything read from it. ``warnings`` are Japanese sentences for the parse report.

    ``certainty`` is None for a part that belongs to no programme.
    """

    sheet: Sheet
    sections: tuple[Section, ...]
    facts: tuple[Fact, ...] = ()
    events: tuple[Event, ...] = ()
    warnings: tuple[str, ...] = field(default=())
    certainty: Certainty | None = None
