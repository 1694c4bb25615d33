"""Original PDFs beside an index: kept only when asked for, exactly what was indexed, and shown as pages."""

from __future__ import annotations

import hashlib
import shutil
from io import BytesIO
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pdf_pages import Sheet, japanese_font

from assistant.cli import run
from assistant.store import FeedbackStore
from corpus.documents import Document, PageSize, Place, Span
from index.originals import drop_originals, keep_originals, keeps_originals, original_of
from index.snapshot import Snapshot
from tests.fakes import FakeAssistant, FakeIndex
from ui.app import create_app
from ui.location import render_location
from ui.pictures import DPI, picture

SAMPLES = Path(__file__).parents[1] / "corpus" / "samples" / "files"
__all__ = ["japanese_font"]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def gone() -> bytes:
    raise FileNotFoundError


def test_what_is_kept_is_what_was_indexed_and_nothing_else(tmp_path):
    one, two = b"%PDF one", b"%PDF two"
    wanted = {digest(one): lambda: one, digest(two): lambda: b"changed since", digest(b"x"): gone}
    assert keep_originals(tmp_path, wanted) == 1
    kept = original_of(tmp_path, digest(one))
    assert kept is not None and kept.read_bytes() == one and original_of(tmp_path, digest(two)) is None
    # A file that is kept already is not read again; what is no longer indexed goes.
    assert keep_originals(tmp_path, {digest(one): gone}) == 1
    assert keep_originals(tmp_path, {digest(two): lambda: two}) == 1 and original_of(tmp_path, digest(one)) is None
    drop_originals(tmp_path)
    assert not keeps_originals(tmp_path)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "評価シート"
    folder.mkdir()
    for name in ("minatomi_jimujigyo_r5.pdf", "hokuto_hyoka_r6.html"):
        shutil.copy(SAMPLES / name, folder)
    return folder


def test_the_command_keeps_them_when_told_and_goes_on_until_told_otherwise(sources, tmp_path, capsys):
    folder = tmp_path / "索引"
    command = ["index", str(sources), "--index-dir", str(folder)]
    assert run(command) == 0 and not keeps_originals(folder)
    assert run([*command, "--keep-originals"]) == 0
    pdf = sources / "minatomi_jimujigyo_r5.pdf"
    assert [path.read_bytes() for path in (folder / "originals").iterdir()] == [pdf.read_bytes()]
    index = Snapshot.open(folder)
    assert index.original(pdf.name) is not None and index.original("hokuto_hyoka_r6.html") is None
    index.close()
    assert run(command) == 0 and keeps_originals(folder)  # as before
    assert run([*command, "--no-keep-originals"]) == 0 and not keeps_originals(folder)


def test_a_page_is_drawn_in_its_size_and_only_of_the_indexed_bytes(tmp_path):
    from PIL import Image

    sheet = Sheet(tmp_path / "a.pdf", (360.0, 720.0))
    sheet.text(40, 40, "決算額")
    sheet.canvas.save()
    data = (tmp_path / "a.pdf").read_bytes()
    drawn = picture(tmp_path / "a.pdf", digest(data), 1)
    assert drawn is not None and Image.open(BytesIO(drawn)).size == (360 * DPI // 72, 720 * DPI // 72)
    assert Image.open(BytesIO(drawn)).convert("L").getextrema()[0] < 100  # there are letters
    assert picture(tmp_path / "a.pdf", digest(data), 2) is None and picture(tmp_path / "a.pdf", digest(data), 0) is None
    assert (
        picture(tmp_path / "a.pdf", digest(b"other"), 1) is None
        and picture(tmp_path / "b.pdf", digest(data), 1) is None
    )
    (tmp_path / "c.pdf").write_bytes(b"no pdf")
    assert picture(tmp_path / "c.pdf", digest(b"no pdf"), 1) is None


class Kept(FakeIndex):
    """The first file's original is kept."""

    path: Path = Path()

    def original(self, file: str) -> Path | None:
        return self.path if file == "aoba.txt" else None

    def document(self, file: str) -> Document:
        place = Place(0, 5, 1, (40.0, 30.0, 80.0, 42.0))
        data = self.path.read_bytes()
        return Document(file, super().document(file).text, digest(data), "pdf", (place,), (), (PageSize(360.0, 720.0),))


def test_the_page_shows_the_picture_where_the_original_is_kept_and_the_map_elsewhere(tmp_path):
    sheet = Sheet(tmp_path / "a.pdf", (360.0, 720.0))
    sheet.text(40, 40, "事務事業")
    sheet.canvas.save()
    Kept.path = tmp_path / "a.pdf"
    app = create_app(FakeAssistant(Kept()), FeedbackStore())
    with TestClient(app) as client:
        html = client.get("/sheet/aoba-1?start=0&end=4").text
        assert '<image href="aoba-1/page/1.png"' in html and html.count('class="hy-map-here"') == 1
        response = client.get("/sheet/aoba-1/page/1.png")
        assert response.headers["content-type"] == "image/png" and response.content.startswith(b"\x89PNG")
        assert client.get("/sheet/aoba-1/page/2.png").status_code == 404
        assert client.get("/sheet/nothing/page/1.png").status_code == 404
        assert "<image" not in client.get("/sheet/hinode-1?start=0&end=4").text
        assert client.get("/sheet/hinode-1/page/1.png").status_code == 404


def test_the_map_of_a_page_without_a_picture_stays_as_it_was():
    document = Document(
        "a.pdf", "決算額", "0" * 64, "pdf", (Place(0, 3, 1, (1.0, 2.0, 3.0, 4.0)),), (), (PageSize(9.0, 9.0),)
    )
    assert "<image" not in render_location(document, Span(0, 3))
    assert '<image href="x/page/1.png"' in render_location(document, Span(0, 3), pictures="x/page/{page}.png")
