"""Names of staff: found by their places, masked with as many characters, and in nothing that goes out."""

from __future__ import annotations

import hashlib
import json
from io import BytesIO
from pathlib import Path

import pytest
from fake_encoder import FakeEncoder
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from pdf_pages import Sheet as PdfPage
from readings import FILES, needs_corpus

from assistant.payload import answer_json
from assistant.session import Assistant
from assistant.store import FeedbackStore
from corpus.documents import Document, Place, Span
from corpus.readers import read_document
from corpus.reading import read_sheets
from corpus.staffnames import PERSON_FIELD, masked, staff_spans
from evals.layouts.blocks import Press
from evals.layouts.design import design
from evals.layouts.measure import MEDIA
from evals.layouts.truth import invented_sheets
from index.build import build
from index.namepolicy import use_staff_names
from index.snapshot import Snapshot
from ui.app import create_app
from ui.pictures import covered, picture

SAMPLES = Path(__file__).resolve().parents[1] / "corpus" / "samples"


def hidden(text: str) -> str:
    return masked(text, staff_spans(text, ()))


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("担当者：見本　太郎（内線 2345）", "担当者：＊＊　＊＊（内線 ＊＊＊＊）"),
        ("記入者　　　見本太郎　　　　内線　　2345", "記入者　　　＊＊＊＊　　　　内線　　＊＊＊＊"),
        ("作　成　者\t見本花子\t目的\t広場を保つ", "作　成　者\t＊＊＊＊\t目的\t広場を保つ"),
        ("備考 令和5年度から。\n課長名 坂野見", "備考 令和5年度から。\n課長名 ＊＊＊"),
        ("広場課 課長 見本太郎\n見本課長が説明した。", "広場課 課長 ＊＊＊＊\n＊＊課長が説明した。"),
        ("担当者：広場課 阿部", "担当者：広場課 ＊＊"),
        ("担当課　担当者　始期\n広場課　見本 太郎　平成29年", "担当課　担当者　始期\n広場課　＊＊ ＊＊　平成29年"),
        ("所管課\t記入者\t始期\n広場課\t見本\t平成29年", "所管課\t記入者\t始期\n広場課\t＊＊\t平成29年"),
        ("担当者：見本太郎\n経過は見本太郎が記録した。", "担当者：＊＊＊＊\n経過は＊＊＊＊が記録した。"),
    ],
)
def test_a_name_is_told_by_its_place_and_keeps_its_length(printed, shown):
    assert hidden(printed) == shown


@pytest.mark.parametrize(
    "text",
    [
        "担当者 研修の実施により、担当者の育成を進める。",
        "責任者 を選任する。",
        "情報システム担当者を通じた注意喚起",
        "部長　所見\t良好である。",
        "課長　会議を開く",
        "一次評価者の意見\t継続する。",
        "担当者\n\n事業の目的\t広場を保つ",
    ],
)
def test_what_is_no_name_stays(text):
    assert hidden(text) == text


@given(st.text(alphabet="担当者課長名内線：: 　\t\n見本太郎、12(（）)。のA", max_size=60))
def test_masking_keeps_every_offset_and_all_white_space(text):
    spans = staff_spans(text, ())
    shown = masked(text, spans)
    assert len(shown) == len(text)
    assert [c for c in shown if c.isspace()] == [c for c in text if c.isspace()]
    assert all(a == b or b == "＊" for a, b in zip(text, shown, strict=True))
    assert all(one.end <= other.start for one, other in zip(spans, spans[1:], strict=False))


def test_forms_drawn_at_random_show_no_name(tmp_path):
    sheets, printed_names = invented_sheets(40, 7), 0
    for seed in range(3000, 3016):
        form = design(seed)
        own = [sheets[(seed * 3 + n) % len(sheets)] for n in range(2)]
        medium = list(MEDIA)[seed % len(MEDIA)]
        ending, write = MEDIA[medium]
        write(tmp_path / f"{seed}{ending}", form, [Press(form).print(one) for one in own])
        document = read_document(tmp_path / f"{seed}{ending}")
        found = staff_spans(document.text, read_sheets(document))
        shown = masked(document.text, found)
        names = {word for one in own for word in one.person.split() if word != "係長"}
        printed_names += any(name in document.text for name in names)
        assert not [name for name in names if name in shown], (seed, medium)
        assert {document.text[one.start : one.end] for one in found} <= names | {one.person for one in own} | {"係長"}
    assert printed_names >= 5


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str]]:
    """The bundled sheets as an index, and the names printed on them."""
    folder = tmp_path_factory.mktemp("index")
    files = sorted(path for path in (SAMPLES / "files").iterdir() if path.suffix != ".md")
    documents = [(document := read_document(path), read_sheets(document)) for path in files]
    build(documents, FakeEncoder(), folder)
    truth = json.loads((SAMPLES / "truth.json").read_text("utf-8"))
    people = {sheet["person"] for sheet in truth["sheets"]} - {""}
    assert len(people) >= 5
    return folder, people


def spoken(text: str) -> str:
    return text.replace(" ", "").replace("　", "")


def everything(client: TestClient, index: Snapshot, words: list[str]) -> str:
    """What the interface gives out about every sheet and for every query."""
    out = [client.get("/api/v1/sheets", params={"limit": 1000}).text]
    for sheet in index.sheets():
        for address in (
            f"/api/v1/sheets/{sheet.sheet_id}",
            f"/api/v1/sheets/{sheet.sheet_id}/source",
            f"/sheet/{sheet.sheet_id}",
        ):
            out.append(client.get(address).text)
    for query in words:
        out.append(client.get("/api/v1/search", params={"q": query, "k": 50}).text.replace(query, ""))
        out.append(client.get("/export/search.csv", params={"q": query}).text.replace(query, ""))
    ids = [sheet.sheet_id for sheet in index.sheets()][:4]
    out.append(client.get("/compare", params=[("sheet", one) for one in ids]).text)
    return spoken("\n".join(out))


def test_no_name_goes_out_by_any_way(bundled):
    folder, people = bundled
    index = Snapshot.open(folder, FakeEncoder())
    raw = spoken("\n".join(index.published(file).text for file in index.files()))
    assert all(spoken(name) in raw for name in people)
    assistant = Assistant(index)
    with TestClient(create_app(assistant, FeedbackStore())) as client:
        told = everything(client, index, ["担当者", "課長名", "今後の計画", "図書館", *people])
        for question in ("担当者は誰ですか", "課長名を教えて", "今後の計画は？"):
            told += spoken(client.post("/api/v1/ask", json={"question": question}).text)
    assert [name for name in people if spoken(name) in told] == []


def test_a_masked_quote_is_the_source_and_says_so(bundled):
    folder, _ = bundled
    index = Snapshot.open(folder, FakeEncoder())
    with TestClient(create_app(Assistant(index), FeedbackStore())) as client:
        checked = 0
        for sheet in index.sheets():
            source = client.get(f"/api/v1/sheets/{sheet.sheet_id}/source")
            assert source.headers["Hyoka-Masked"] == ("true" if "＊" in source.text else "false")
            detail = client.get(f"/api/v1/sheets/{sheet.sheet_id}").json()
            for part in detail["sections"] + detail["facts"]:
                at, quote = part["source"], part.get("quote", part.get("text"))
                assert source.text[at["start"] : at["end"]] == quote
                assert at["masked"] == ("＊" in quote)
                checked += 1
    assert checked > 100


def test_the_policy_is_switched_without_indexing_again(bundled):
    folder, people = bundled
    use_staff_names("show")
    index = Snapshot.open(folder, FakeEncoder())
    with TestClient(create_app(Assistant(index), FeedbackStore())) as client:
        told = everything(client, index, ["今後の計画"])
        assert all(spoken(name) in told for name in people)
        assert "＊＊" not in told
    assert all(not index.search(name, 10).hits or name not in str(index.search(name, 10)) for name in people)


def test_only_an_administrator_sees_names_where_the_policy_says_so(bundled):
    folder, people = bundled
    use_staff_names("admins")
    index = Snapshot.open(folder, FakeEncoder())
    named = next(found.sheet for found in index.sections(fields=[PERSON_FIELD]))
    app = create_app(Assistant(index), FeedbackStore())

    def read(machine: str) -> list[str]:
        """As the 管理者, who without a login sits at the server's own machine, and as anybody from another one."""
        with TestClient(app, base_url=f"http://{machine}:8000", client=(machine, 5)) as client:
            pages = (f"/sheet/{named.sheet_id}", f"/api/v1/sheets/{named.sheet_id}/source")
            return [spoken(client.get(page).text) for page in pages]

    assert all(any(spoken(name) in page for name in people) for page in read("127.0.0.1"))
    assert not any(spoken(name) in page for page in read("192.0.2.7") for name in people)
    shown = answer_json(Assistant(index).ask("今後の計画は？"), index).model_dump_json()
    assert not any(name in shown for name in people)


def test_a_search_for_a_name_tells_nobody_where_it_stands(tmp_path):
    text = "事務事業名\t広場の管理\n目的\t広場を保つ。担当者：見本　太郎\n課題\t芝を育てる。\n"
    document = Document("a.txt", text, "0" * 64, "text")
    index = build([(document, read_sheets(document))], FakeEncoder(), tmp_path)
    found = index.search("見本太郎", 10)
    assert not any(hit.highlights for hit in found.hits)
    assert "見本" not in str(found)
    assert index.document("a.txt").text == text.replace("見本　太郎", "＊＊　＊＊")


def test_a_picture_of_the_page_has_the_name_painted_over(tmp_path):
    from PIL import Image

    page = PdfPage(tmp_path / "a.pdf", (360.0, 720.0))
    page.text(40, 40, "見本太郎")
    page.canvas.save()
    data = (tmp_path / "a.pdf").read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    box = (30.0, 20.0, 120.0, 60.0)
    document = Document("a.pdf", "＊＊＊＊", digest, "pdf", (Place(0, 4, 1, box),), masked=(Span(0, 4),))
    assert covered(document, 1) == (box,) and covered(document, 2) == ()
    drawn = picture(tmp_path / "a.pdf", digest, 1, (box,))
    assert drawn is not None
    inside = Image.open(BytesIO(drawn)).convert("L").crop((45, 30, 160, 80))
    assert inside.getextrema() == (90, 90)


def test_where_a_name_stands_on_no_known_place_no_picture_is_shown():
    assert covered(Document("a.pdf", "＊＊", "0" * 64, "pdf", (), masked=(Span(0, 2),)), 1) is None


@needs_corpus
def test_no_name_of_the_real_corpus_is_in_its_masked_text():
    seen = 0
    for path in FILES:
        document = read_document(path)
        found = read_sheets(document)
        shown = masked(document.text, staff_spans(document.text, found))
        for reading in found:
            for section in reading.sections:
                if section.field == PERSON_FIELD:
                    seen += 1
                    assert set(shown[section.span.start : section.span.end].split()) <= {"＊" * n for n in range(1, 40)}
    assert seen
