"""What is written in a sheet or a question to be taken for something else is text, on every page and in every file."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser

import docx
import openpyxl
import pytest
from fastapi.testclient import TestClient
from hostile_sheets import AT, COMMAND, FORMULA, IMAGE, MINUS, SCRIPT, TURNED, build_index, texts, xml_texts

from assistant.cli import run
from assistant.console import shown
from assistant.excelpaper import excel_paper
from assistant.papers import Asked, Paper, file_name
from assistant.payload import answer_json
from assistant.session import Assistant
from assistant.spreadsheets import is_formula
from assistant.store import FeedbackStore
from assistant.wordpaper import word_paper
from index.types import Filters
from tests.fake_encoder import FakeEncoder
from ui.app import create_app
from ui.exchanges import respond
from ui.papers import saved_as

ACTS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
QUESTION = f"図書館管理の事業の目的は？{SCRIPT}{FORMULA}"


class Elements(HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def harmless(page: str) -> bool:
    """No element or attribute that only the text of a sheet can have brought in; nothing that turns a line around."""
    for tag, attributes in Elements(page).found:
        if tag in ("script", "iframe", "img", "style", "object", "embed", "base"):
            return False
        if any(name.startswith("on") or name == "srcdoc" for name in attributes):
            return False
        places = [value or "" for name, value in attributes.items() if name in ("href", "src", "action", "xlink:href")]
        if any(re.match(r"\s*(?:[A-Za-z][A-Za-z0-9+.-]*:|//)", place) for place in places):  # to another host, or code
            return False
    return not ACTS.search(page)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory):
    return build_index(tmp_path_factory.mktemp("hostile") / "sheets")


@pytest.fixture(scope="module")
def client(snapshot) -> Iterator[TestClient]:
    app = create_app(Assistant(snapshot), FeedbackStore())
    with TestClient(app, raise_server_exceptions=False) as client:
        assert app.state.readiness.wait(120)
        yield client


@pytest.fixture(scope="module")
def ids(snapshot) -> list[str]:
    return [sheet.sheet_id for sheet in snapshot.sheets() if sheet.kind == "programme"]


def test_every_kind_of_file_was_read_with_its_text(snapshot, ids) -> None:
    assert len(ids) == 6
    for sheet in snapshot.sheets():
        text = snapshot.document(sheet.file).text
        for part in (SCRIPT, IMAGE, FORMULA, COMMAND, AT, MINUS):
            assert part in re.sub(r"\n", "", text) or sheet.file.endswith(".pdf")


def test_json_keeps_every_character(client, ids) -> None:
    for sheet_id in ids:
        source = client.get(f"/api/v1/sheets/{sheet_id}/source").text
        detail = client.get(f"/api/v1/sheets/{sheet_id}").json()
        for section in detail["sections"]:
            place = section["source"]
            assert section["text"] in source or source[place["start"] : place["end"]]
        for fact in detail["facts"]:
            assert source[fact["source"]["start"] : fact["source"]["end"]] == fact["quote"]
    answer = client.post("/api/v1/ask", json={"question": QUESTION}).json()
    assert answer["citations"]
    for citation in answer["citations"]:
        source = client.get(f"/api/v1/sheets/{citation['sheet_id']}/source").text
        assert source[citation["source"]["start"] : citation["source"]["end"]] == citation["quote"]


def test_pages_of_sheets_and_comparisons_show_it_as_text(client, ids) -> None:
    pages = [f"/sheet/{one}" for one in ids] + [f"/sheet/{ids[0]}?print=1", f"/sheet/{ids[0]}?start=10&end=400&whole=1"]
    pages += [
        f"/compare?sheet={ids[0]}&sheet={ids[1]}&sheet={ids[2]}",
        f"/compare?q={SCRIPT}",
        "/compare?municipality=みなと野市",
    ]
    for address in pages:
        page = client.get(address)
        assert page.status_code == 200 and harmless(page.text), address
        assert "&lt;script&gt;" in page.text or "municipality" in address


def test_search_and_chat_show_it_as_text(client, snapshot) -> None:
    for words in ("図書館の蔵書", SCRIPT, IMAGE, FORMULA, "図書館 " + TURNED):
        for part in client.get("/search/results", params={"q": words}).json().values():
            assert not isinstance(part, str) or harmless(part)
    for question in (
        QUESTION,
        f"図書館管理の今後の方向性は{IMAGE}",
        "決算額が一番大きい事業は？",
        "図書館の現状と課題は",
        "空中都市の予算は？" + TURNED,
    ):
        for messages, _ in respond(Assistant(snapshot), question, [], [], Filters()):
            for message in messages:
                assert harmless(message["content"]), question


def test_nothing_is_a_formula_in_saved_files(client, ids) -> None:
    chosen = "&".join(f"sheet={one}" for one in ids[:3])
    for address in (f"/compare.csv?{chosen}", "/export/search.csv?q=図書館", "/status/report.csv"):
        rows = list(csv.reader(io.StringIO(client.get(address).content.decode("utf-8-sig"), newline="")))
        assert len(rows) > 1 and not any(is_formula(cell) or ACTS.search(cell) for row in rows for cell in row), address
        if "report" not in address:
            assert any(f"'{FORMULA}" in cell for row in rows for cell in row), address
    for address in (f"/compare.xlsx?{chosen}", "/export/search.xlsx?q=図書館"):
        data = client.get(address).content
        cells = [cell for row in openpyxl.load_workbook(io.BytesIO(data)).active.iter_rows() for cell in row]
        assert not any(cell.data_type in ("f", "e") for cell in cells)
        assert any(str(cell.value).startswith(FORMULA) for cell in cells)
        assert not any("<f>" in text or "evil.invalid" in text and ".rels" in name for name, text in xml_texts(data))


def test_a_table_sent_by_a_page_is_saved_as_text_and_numbers(client) -> None:
    columns = [FORMULA, "額", "\ufffe_x0041_"]
    rows = [[COMMAND, -1234, AT], ["-1,234", 1e400, MINUS], ["=1+1\r\n=2", 10**17, None], ["#N/A", True, "2024-01-01"]]
    body = json.dumps({"columns": columns, "rows": rows})
    data = client.post("/export/table.xlsx", content=body, headers={"Content-Type": "application/json"}).content
    found = [
        [(cell.value, cell.data_type) for cell in row]
        for row in openpyxl.load_workbook(io.BytesIO(data)).active.iter_rows()
    ]
    assert found[0] == [(FORMULA, "s"), ("額", "s"), ("_x005F_x0041_", "s")]
    assert found[1] == [(COMMAND, "s"), (-1234, "n"), (AT, "s")]
    assert found[2] == [("-1,234", "s"), ("inf", "s"), (MINUS, "s")]
    assert found[3][:2] == [("=1+1\n=2", "s"), (str(10**17), "s")] and found[4][0] == ("#N/A", "s")


@pytest.mark.parametrize(
    "body", ['{"columns":["a"],"rows":[[1' + ",1" * 200 + "]]}", '{"columns":[],"rows":[["\\ud800"]],"x":1}']
)
def test_a_table_that_no_page_sends_is_refused(client, body: str) -> None:
    answer = client.post("/export/table.xlsx", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422 and answer.json()["error"]["message"].endswith("。")


def test_papers_hold_it_as_text(snapshot) -> None:
    answer = Assistant(snapshot).ask(QUESTION)
    listed = Assistant(snapshot).ask("決算額が大きい順に3つ教えて")
    asked = tuple(
        Asked(q, a.answer, answer_json(a, snapshot)) for q, a in ((QUESTION, answer), (f"{COMMAND}{TURNED}", listed))
    )
    paper = Paper(QUESTION, asked, datetime(2026, 11, 21, tzinfo=UTC), "http://127.0.0.1:8000/")
    book = openpyxl.load_workbook(io.BytesIO(excel_paper(paper)))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not any(cell.data_type == "f" for cell in cells)
    assert {
        cell.hyperlink.target.split("/sheet/")[0] for cell in cells if cell.hyperlink and cell.hyperlink.target
    } <= {"http://127.0.0.1:8000"}
    word = word_paper(paper)
    text = "\n".join(paragraph.text for paragraph in docx.Document(io.BytesIO(word)).paragraphs)
    assert SCRIPT in text and not ACTS.search(text)
    for name, part in xml_texts(word):
        assert set(re.findall(r"<w:instrText[^>]*>([^<]*)", part)) <= {" PAGE ", " NUMPAGES "} and (
            ".rels" not in name or "evil.invalid" not in part
        )


@pytest.mark.parametrize(
    "question", ["a\r\nX-Injected: 1", '"; filename=x.exe', "../../etc/passwd", "\u202e\u0000*?<>|", "=" * 300, "."]
)
def test_the_name_of_a_saved_file_brings_no_header_and_no_folder(question: str) -> None:
    name = file_name(Paper(question, (), datetime(2026, 11, 21, tzinfo=UTC)), "docx")
    header = saved_as(name, "docx")["Content-Disposition"]
    assert header.isascii() and header.isprintable() and header.count('"') == 2 and header.count(";") == 2
    assert not re.search(r'[\\/:*?"<>|\r\n]', name) and len(name) < 80 and name.endswith(".docx")


def test_no_answer_has_a_header_from_the_sheets(client, ids) -> None:
    for address in (
        "/status/report.csv",
        f"/compare.csv?sheet={ids[0]}&sheet={ids[1]}",
        "/export/search.csv?q=図書館",
        "/api/v1/sheets",
    ):
        assert "x-injected" not in client.get(address).headers


@pytest.mark.parametrize(
    "arguments",
    [
        ["ask", "図書館管理の改善内容は？"],
        ["ask", "図書館管理の今後の方向性は？"],
        ["search", "図書館 改善内容"],
        ["sheets"],
    ],
    ids=str,
)
@pytest.mark.parametrize("terminal", [False, True])
def test_the_terminal_gets_nothing_that_it_would_act_on(
    snapshot,
    tmp_path_factory: pytest.TempPathFactory,
    arguments: list[str],
    terminal: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for module in ("index.encoder", "index.snapshot"):
        monkeypatch.setattr(f"{module}.load_encoder", lambda source=None: FakeEncoder(source or "fake"))
    folder = ["--index-dir", str(tmp_path_factory.getbasetemp() / "hostile0" / "sheets" / "index")]
    if terminal:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert run([*arguments, *folder]) == 0
    printed = capsys.readouterr()
    assert "図書館" in printed.out
    left = re.sub(r"\x1b\[\d+(?:;\d+)*m", "", printed.out) if terminal and arguments[0] != "ask" else printed.out
    assert not ACTS.search(left) and "\x1b[31m" not in printed.out + printed.err
    assert run([*arguments, *folder, "--json"]) == 0
    told = capsys.readouterr().out
    assert not ACTS.search(told)
    values = json.dumps(json.loads(told), ensure_ascii=False)
    if arguments == ["search", "図書館 改善内容"]:
        assert "\\u001b[31m赤" in values  # the same text to whoever reads the JSON


def test_what_a_terminal_shows_keeps_tabs_lines_and_japanese() -> None:
    assert shown("決算\t額\n円〜①") == "決算\t額\n円〜①"
    assert shown("\x1b]0;x\x07\u2028\ud800") == "\ufffd]0;x\ufffd\ufffd\ufffd"


def test_questions_that_were_asked_are_saved_as_text(client) -> None:
    for question in texts():
        client.post(
            "/api/v1/feedback", json={"question": question, "answer": "x", "rating": "down", "comment": FORMULA}
        )
    rows = list(
        csv.reader(io.StringIO(client.get("/status/questions.csv?kind=down").content.decode("utf-8-sig"), newline=""))
    )
    assert len(rows) == len(texts()) + 1 and not any(is_formula(cell) for row in rows for cell in row)
