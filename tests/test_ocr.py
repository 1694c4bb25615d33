"""Scans: what is read by OCR, and how sure it is."""

from __future__ import annotations

from pathlib import Path

import pypdfium2 as pdfium
import pytest
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

import corpus.places
import corpus.readers.ocr
from corpus.documents import Document, Place, Span
from corpus.errors import EmptyDocument
from corpus.places import confidence_at
from corpus.readers import READERS, read_document
from corpus.readers.ocr import OcrState, confidence_warnings, has_extra, ocr_state
from corpus.reading import read_sheets

PLACES = (
    Place(0, 3, page=1),
    Place(4, 9, page=2, confidence=0.9),
    Place(10, 14, page=2, confidence=0.6),
    Place(15, 20, page=3),
)
MIXED = Document("s.pdf", "事業名\n火葬場運営\n1200\n戸籍の事務", "", "pdf", PLACES)


def test_the_confidence_of_a_quote_is_that_of_its_least_sure_stretch() -> None:
    assert confidence_at(MIXED, Span(0, 3)) is None
    assert confidence_at(MIXED, Span(3, 4)) is None  # the line break between two stretches
    assert confidence_at(MIXED, Span(8, 9)) == 0.9
    assert confidence_at(MIXED, Span(4, 14)) == 0.6
    assert confidence_at(MIXED, Span(14, 20)) is None
    assert confidence_at(MIXED, Span(13, 16)) == 0.6
    assert confidence_at(Document("a.txt", "火葬場", "", "text"), Span(0, 3)) is None


FONT = "HeiseiKakuGo-W5"
XS, YS = [60, 160, 280, 400, 520], [100, 130, 160, 190, 220, 250]
CELLS = [
    ["事務事業名", "火葬場運営事業", "担当課", "市民課"],
    ["目的", "待ち時間を短くする。", "", ""],
    ["費目", "令和4年度", "令和5年度", "令和6年度"],
    ["予算額（千円）", "12,155", "13,040", "14,870"],
    ["決算額（千円）", "11,926", "12,388", "0"],
]

needs_ocr = pytest.mark.skipif(
    ocr_state() != "ready", reason="needs the extra ocr and Debian's tesseract-ocr-jpn: " + ocr_state()
)


def draw(canvas: Canvas, head: str) -> None:
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    canvas.setFont(FONT, 14)
    canvas.drawString(60, A4[1] - 70, head)
    canvas.setFont(FONT, 11)
    for y in YS:
        canvas.line(XS[0], A4[1] - y, XS[-1], A4[1] - y)
    for x in XS:
        for y0, y1 in zip(YS, YS[1:], strict=False):
            if not (y0 == 130 and x in (280, 400)):  # the purpose runs over three columns
                canvas.line(x, A4[1] - y0, x, A4[1] - y1)
    for y, row in zip(YS, CELLS, strict=False):
        for x, text in zip(XS, row, strict=False):
            canvas.drawString(x + 5, A4[1] - y - 20, text)


def picture(turned: float = 0.0) -> ImageReader:
    """The drawn sheet as a scanner would hand it over: pixels, and not quite upright."""
    canvas = Canvas("unused", pagesize=A4)
    draw(canvas, "令和5年度 事務事業評価シート")
    with pdfium.PdfDocument(canvas.getpdfdata()) as document:
        image = document[0].render(scale=250 / 72, grayscale=True).to_pil()
    return ImageReader(image.rotate(turned, fillcolor=255) if turned else image)


def scan(path: Path, turned: float = 0.0, text_first: bool = False) -> None:
    canvas = Canvas(str(path), pagesize=A4)
    if text_first:
        draw(canvas, "令和4年度 事務事業評価シート")
        canvas.showPage()
    canvas.drawImage(picture(turned), 0, 0, *A4)
    canvas.save()


@needs_ocr
def test_a_scan_askew_is_read_with_its_table_its_confidence_and_its_places(tmp_path: Path) -> None:
    scan(tmp_path / "scan.pdf", turned=0.8)
    document = read_document(tmp_path / "scan.pdf")
    rows = [line.split("\t") for line in document.text.splitlines()]
    assert ["事務事業名", "火葬場運営事業", "担当課", "市民課"] in rows
    assert ["12,155", "13,040", "14,870"] in [row[1:] for row in rows]
    assert ["11,926", "12,388", "0"] in [row[1:] for row in rows]
    assert all(place.confidence is not None and 0.3 <= place.confidence <= 1 for place in document.places)
    (warning,) = document.warnings
    assert warning.startswith("1ページはOCRで読み取りました（平均信頼度 ") and warning.endswith("%）。")
    place = next(place for place in document.places if document.text[place.start : place.end] == "14,870")
    assert place.box is not None and place.page == 1
    # Turned by 0.8 degrees about the middle of the page, the corner of this cell (400, 190) moves up and left.
    assert abs(place.box[0] - 396.8) < 3 and abs(place.box[1] - 188.6) < 3


@needs_ocr
def test_only_the_pages_without_letters_are_read_by_ocr_and_their_facts_are_marked(tmp_path: Path) -> None:
    scan(tmp_path / "mixed.pdf", text_first=True)
    document = read_document(tmp_path / "mixed.pdf")
    assert {place.page: place.confidence is not None for place in document.places} == {1: False, 2: True}
    assert document.warnings[0].startswith("2ページはOCRで読み取りました")
    second = document.text.index("\f")
    marked = {
        (fact.span.start > second, confidence_at(document, fact.span) is not None)
        for reading in read_sheets(document)
        for fact in reading.facts
    }
    assert marked == {(False, False), (True, True)}


@needs_ocr
def test_a_picture_is_read_like_a_scanned_page(tmp_path: Path) -> None:
    image = picture()._image
    image.save(tmp_path / "photo.png", dpi=(250, 250))
    document = read_document(tmp_path / "photo.png")
    assert document.media == "image"
    assert "事務事業名\t火葬場運営事業\t担当課\t市民課" in document.text
    box = next(p.box for p in document.places if document.text[p.start : p.end] == "市民課")
    assert box is not None and abs(box[0] - 400) < 3 and abs(box[1] - 100) < 3


@needs_ocr
def test_a_scan_with_a_stamped_page_number_is_a_scan(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=A4)
    canvas.drawImage(picture(), 0, 0, *A4)
    canvas.drawString(290, 30, "- 7 -")
    canvas.save()
    document = read_document(tmp_path / "a.pdf")
    assert "予算額(千円)\t12,155\t13,040\t14,870" in document.text.replace("（", "(").replace("）", ")")
    assert document.warnings[0].startswith("1ページはOCRで読み取りました")


def test_the_rules_of_a_searchable_scan_are_seen_in_its_picture(tmp_path: Path) -> None:
    """Scanners put invisible letters over the picture; the table is only in the picture."""
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=A4)
    canvas.drawImage(picture(), 0, 0, *A4)
    letters = canvas.beginText()
    letters.setTextRenderMode(3)
    letters.setFont(FONT, 11)
    for y, row in zip(YS, CELLS, strict=False):
        for x, text in zip(XS, row, strict=False):
            letters.setTextOrigin(x + 5, A4[1] - y - 20)
            letters.textOut(text)
    canvas.drawText(letters)
    canvas.save()
    document = read_document(tmp_path / "a.pdf")
    assert document.text == "".join("\t".join(row).rstrip("\t") + "\n" for row in CELLS)
    assert all(place.confidence is None for place in document.places)
    assert document.warnings[0].startswith("1ページの文字はスキャナーなどのOCRが付けたもので")
    place = next(place for place in document.places if document.text[place.start : place.end] == "14,870")
    assert place.box is not None
    assert all(abs(a - b) < 2 for a, b in zip(place.box, (400, 190, 520, 220), strict=True))


@needs_ocr
def test_a_page_scanned_sideways_is_turned(tmp_path: Path) -> None:
    picture()._image.rotate(90, expand=True).save(tmp_path / "photo.png", dpi=(250, 250))
    document = read_document(tmp_path / "photo.png")
    assert "事務事業名\t火葬場運営事業\t担当課\t市民課" in document.text
    box = next(p.box for p in document.places if document.text[p.start : p.end] == "事務事業名")
    # Turned to the left, what was (60, 100) to (160, 130) lies at the lower left.
    expected = (100, A4[0] - 160, 130, A4[0] - 60)
    assert box is not None and all(abs(a - b) < 3 for a, b in zip(box, expected, strict=True))


@needs_ocr
def test_a_page_of_specks_is_no_text(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=A4)
    canvas.rect(100, 100, 300, 200, fill=1)
    canvas.save()
    with pytest.raises(EmptyDocument, match=r"^a\.pdf: .*OCRでも.*ください。$"):
        read_document(tmp_path / "a.pdf")


@pytest.mark.parametrize(
    ("state", "step"),
    [
        ("no extra", "pip install 'hyoka[ocr]'"),
        ("no tesseract", "apt-get install tesseract-ocr tesseract-ocr-jpn"),
        ("no japanese", "apt-get install tesseract-ocr tesseract-ocr-jpn"),
    ],
)
def test_what_is_missing_for_ocr_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: OcrState, step: str
) -> None:
    for module in (corpus.readers.ocr, corpus.readers.pdf):
        monkeypatch.setattr(module, "ocr_state", lambda: state)
    scan(tmp_path / "scan.pdf")
    with pytest.raises(EmptyDocument) as refused:
        read_document(tmp_path / "scan.pdf")
    assert step in refused.value.message and refused.value.message.endswith("ください。")
    scan(tmp_path / "mixed.pdf", text_first=True)
    mixed = read_document(tmp_path / "mixed.pdf")
    assert mixed.places[-1].page == 1
    assert any(warning.startswith("2ページは画像と思われ、文字を読み取れません。") for warning in mixed.warnings)


def test_tesseract_is_asked_what_it_can_read(monkeypatch: pytest.MonkeyPatch) -> None:
    pytesseract = pytest.importorskip("pytesseract")

    def missing() -> list[str]:
        raise pytesseract.TesseractNotFoundError

    for answer, state in ((missing, "no tesseract"), (lambda: ["eng"], "no japanese"), (lambda: ["jpn"], "ready")):
        monkeypatch.setattr(pytesseract, "get_languages", answer)
        assert ocr_state.__wrapped__() == state
    monkeypatch.setattr(corpus.readers.ocr, "find_spec", lambda name: None)
    assert ocr_state.__wrapped__() == "no extra"


def test_pictures_are_a_kind_of_file_only_with_the_extra() -> None:
    assert (".png" in READERS) == has_extra()


def test_confidence_is_told_page_by_page_and_a_poor_page_more_strongly() -> None:
    told = confidence_warnings({3: 0.87, 4: 0.52})
    assert told[0] == "3ページ（平均信頼度 87%）、4ページ（平均信頼度 52%）はOCRで読み取りました。"
    assert told[1].startswith("4ページはOCRの信頼度が低く") and told[1].endswith("ください。")
    many = confidence_warnings({page: 0.9 for page in range(1, 31)})
    assert many == [
        "、".join(f"{page}ページ（平均信頼度 90%）" for page in range(1, 11)) + " ほか20ページはOCRで読み取りました。"
    ]
