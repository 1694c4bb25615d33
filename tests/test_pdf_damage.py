"""PDF files that are broken, odd or made to harm: read or refused, never more."""

from __future__ import annotations

from pathlib import Path

import pypdfium2 as pdfium
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pdf_pages import FONT, Sheet
from pdf_pages import japanese_font as japanese_font
from pdf_pages import sheet as sheet
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from corpus.errors import DocumentError, EmptyDocument, UnreadableDocument
from corpus.readers.pdf import read_pdf
from evals.benchmarks.pdf_reading import measure


def one_page(text: str = "火葬場運営") -> bytes:
    canvas = Canvas("unused", pagesize=A4)
    canvas.setFont(FONT, 10)
    canvas.drawString(60, 700, text)
    canvas.rect(50, 690, 200, 30)
    data: bytes = canvas.getpdfdata()
    return data


def raw_pdf(*objects: str) -> bytes:
    """A PDF of numbered objects, without a table of where they stand: readers look for them."""
    body = "".join(f"{n} 0 obj\n{content}\nendobj\n" for n, content in enumerate(objects, start=1))
    return f"%PDF-1.4\n{body}trailer\n<< /Root 1 0 R /Size {len(objects) + 1} >>\n%%EOF\n".encode()


STREAM = "<< /Length {} >>\nstream\n{}\nendstream"
LETTERS = "BT /F 12 Tf 72 700 Td (Hello) Tj ET"
FONTS = "/Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"


@pytest.mark.parametrize(
    "objects",
    [
        ("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [2 0 R] /Count 1 >>"),
        ("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", "<< /Type /Pages /Kids [2 0 R] /Count 1 >>"),
        ("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [] /Count 0 >>"),
        ("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 2000000000 >>", "<< /Type /Page /Parent 2 0 R >>"),
        ("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 0 0] >>"),
        ("<< /Type /Catalog /Pages 1 0 R >>",),
    ],
    ids=["own kid", "circle", "no pages", "two thousand million pages", "no size", "the catalogue as its pages"],
)  # fmt: skip
def test_page_trees_that_lead_nowhere_are_refused(objects: tuple[str, ...]) -> None:
    with pytest.raises(DocumentError, match=r"^x\.pdf: .+ください。$"):
        read_pdf(raw_pdf(*objects), "x.pdf")


@pytest.mark.parametrize("size", ["0 0 0 0", "0 0 1e38 1e38", "-1e9 -1e9 1e9 1e9", "595 842 0 0", "0 0 595 842"])
@pytest.mark.parametrize("at", ["72 700", "1e30 1e30", "-99999999999 5"])
def test_odd_sizes_and_places_are_read_or_refused(size: str, at: str) -> None:
    letters = LETTERS.replace("72 700", at) + f" 0 0 m {at} l S {at} 5 5 re S"
    data = raw_pdf(
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [{size}] /Contents 4 0 R {FONTS} >>",
        STREAM.format(len(letters), letters),
    )
    try:
        extract = read_pdf(data, "x.pdf")
    except DocumentError:
        return
    assert sorted(extract.text.split()) and set("".join(extract.text.split())) <= set("Hello")


def test_one_damaged_page_costs_only_itself() -> None:
    data = raw_pdf(
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R 9 0 R 3 0 R] /Count 3 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R {FONTS} >>",
        STREAM.format(len(LETTERS), LETTERS),
    )
    extract = read_pdf(data, "x.pdf")
    assert extract.text == "Hello\n\f\fHello\n"
    assert any("2ページ" in warning for warning in extract.warnings)


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_damage_is_read_or_refused(data: st.DataObject) -> None:
    broken = bytearray(one_page())
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(broken) - 1))
        kind = data.draw(st.sampled_from(["flip", "drop", "repeat", "cut"]))
        if kind == "flip":
            broken[place] ^= 1 << data.draw(st.integers(0, 7))
        elif kind == "drop":
            del broken[place : place + data.draw(st.integers(1, 40))]
        elif kind == "repeat":
            broken[place:place] = broken[place : place + data.draw(st.integers(1, 200))]
        elif place > 10:
            del broken[place:]
        if not broken:
            return
    try:
        extract = read_pdf(bytes(broken), "x.pdf")
    except (UnreadableDocument, EmptyDocument) as error:
        assert error.message.startswith("x.pdf: ") and error.message.endswith("ください。")
    else:
        for place in extract.places:
            assert extract.text[place.start : place.end] and place.page


def test_five_thousand_pages_are_read_one_at_a_time() -> None:
    pages = 5000
    kids = " ".join(f"{n + 5} 0 R" for n in range(pages))
    page = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R {FONTS} >>"
    data = raw_pdf(
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>",
        "<< >>",
        STREAM.format(len(LETTERS), LETTERS),
        *[page] * pages,
    )
    extract = read_pdf(data, "x.pdf")
    assert extract.text.count("Hello") == pages and extract.places[-1].page == pages


def test_forms_that_draw_forms_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpus.readers.pdfpage._MOST_OBJECTS", 100)
    forms = [
        f"<< /Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /XObject << /X {n + 6} 0 R >> >> "
        f"/Length {len(body)} >>\nstream\n{body}\nendstream"
        for n, body in enumerate(["/X Do " * 10, "/X Do " * 10, "0 0 9 9 re S "])
    ]
    letters = LETTERS + " /X Do"
    resources = FONTS.removesuffix(">>") + "/XObject << /X 5 0 R >> >>"
    data = raw_pdf(
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R {resources} >>",
        STREAM.format(len(letters), letters),
        *forms,
    )
    assert read_pdf(data, "x.pdf").text == "Hello\n"


def test_the_benchmark_of_reading_measures(tmp_path: Path) -> None:
    told = measure(tmp_path, 2, jobs=1, baseline=1)
    assert (told.files, told.refused) == (2, 0)
    assert told.facts > 10 and told.letters > 1000 and told.read.seconds > 0


def test_a_file_with_a_password_says_so(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "a.pdf", encrypt="geheim")
    sheet.text(60, 100, "火葬場運営")
    with pytest.raises(UnreadableDocument, match="パスワード"):
        sheet.read()


def test_pdfium_is_what_reads(sheet: Sheet) -> None:
    sheet.text(60, 100, "火葬場運営")
    document = sheet.read()
    with pdfium.PdfDocument(str(sheet.path)) as opened:
        assert opened[0].get_textpage().get_text_range().strip() == document.text.strip()
