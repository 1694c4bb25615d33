"""The whole application without a browser: what answers where, and what is kept shut."""

from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO

import openpyxl
import pytest
from fastapi.testclient import TestClient

from assistant.accounts import FileAccount, file_accounts
from assistant.store import FeedbackStore
from tests.fakes import TEXTS, FakeAssistant
from ui.accounts import chosen_accounts, kind_choices, render_accounts
from ui.app import ASSETS, create_app
from ui.exchanges import respond
from ui.inventory import render_status
from ui.usage import render_opinions


@pytest.fixture(scope="module")
def store() -> FeedbackStore:
    return FeedbackStore()


@pytest.fixture(scope="module")
def client(store):
    app = create_app(FakeAssistant(), store)
    with TestClient(app, raise_server_exceptions=False) as client:
        assert app.state.readiness.wait(120)
        yield client


def test_the_api_wins_over_the_screens(client):
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").status_code == 200
    assert client.get("/api/v1/sheets").json()["total"] == 4
    assert client.get("/api/v1/nothing").json()["error"]["code"] == "not_found"
    assert client.get("/docs").status_code == 200 and client.get("/openapi.json").status_code == 200
    assert "gradio" in client.get("/").text.lower()


def test_no_page_may_load_from_other_hosts(client):
    for address in ("/", "/docs", "/sheet/aoba-1", "/healthz"):
        policy = client.get(address).headers["content-security-policy"]
        assert "http" not in policy and "*" not in policy and "default-src" in policy
    assert "script-src" not in client.get("/sheet/aoba-1").headers["content-security-policy"]
    assert "default-src 'none'" in client.get("/sheet/aoba-1").headers["content-security-policy"]


def test_a_sheet_page_has_no_script_and_no_outside_address(client):
    html = client.get("/sheet/aoba-2?start=0&end=5").text
    assert "<script" not in html and "http://" not in html and "https://" not in html
    assert "&lt;b&gt;道路台帳&lt;/b&gt;" in html


@pytest.mark.parametrize(
    "query", ["start=x&end=y", "start=-1&end=5", "start=9&end=3", "start=0&end=99999999999999", "start=5"]
)
def test_an_odd_quote_in_an_address_is_ignored(client, query):
    response = client.get(f"/sheet/aoba-1?{query}")
    assert response.status_code == 200 and 'id="quote"' not in response.text


def test_an_unknown_sheet_is_a_page_not_json(client):
    response = client.get("/sheet/nothing")
    assert response.status_code == 404 and "シートがありません" in response.text


def test_nobody_can_leave_or_fetch_files(client):
    assert client.post("/gradio_api/upload", files={"files": b"x"}).status_code == 403
    assert client.get("/gradio_api/file=/etc/passwd").status_code == 403
    assert client.get("/gradio_api/file=pyproject.toml").status_code == 403
    assert client.get("/hyoka-assets/../app.py").status_code == 404


def test_tables_become_excel(client):
    response = client.post("/export/table.xlsx", json={"columns": ["年度", "額"], "rows": [[2022, 1_200_000]]})
    sheet = openpyxl.load_workbook(BytesIO(response.content)).active
    assert [cell.value for cell in sheet[2]] == [2022, 1_200_000]
    assert sheet["A2"].number_format == "General" and sheet["B2"].number_format == "#,##0"
    assert client.post("/export/table.xlsx", json={"columns": "x"}).json()["error"]["code"] == "invalid_request"


def test_a_conversation_grows_step_by_step_and_remembers():
    assistant = FakeAssistant()
    steps = list(respond(assistant, "図書館の今後の計画は", [], [], filters=_none()))
    assert len(steps) >= 2 and "探しています" in steps[0][0][-1]["content"]
    messages, exchanges = steps[-1]
    assert [message["role"] for message in messages] == ["user", "assistant"]
    list(respond(assistant, "では目的は", messages, exchanges, filters=_none()))
    _, history, _ = assistant.asked[-1]
    assert [turn.content for turn in history][0] == "図書館の今後の計画は"


def test_a_problem_ends_as_a_sentence_and_is_not_remembered():
    for question in ("爆発", "拒否", "あ" * 3_000):
        messages, exchanges = list(respond(FakeAssistant(), question, [], [], filters=_none()))[-1]
        assert exchanges == [] and "hy-abstained" in messages[-1]["content"] and "secret" not in messages[-1]["content"]


def _none():
    from index.types import Filters

    return Filters()


def test_questions_without_an_answer_are_counted_for_the_status_screen(client, store):
    for _ in range(2):
        client.post("/api/v1/ask", json={"question": "月面 基地 建設 <b>"})
    client.post("/api/v1/ask", json={"question": "図書館の今後の計画は"})
    found = store.unanswered()
    assert [(one.question, one.times) for one in found] == [("月面 基地 建設 <b>", 2)]
    html = render_opinions(store.count("up"), store.count("down"), store.latest(rating="down"), found)
    assert "月面 基地 建設 &lt;b&gt;" in html and "役に立たなかった 0件" in html
    assert 'hyoka_questions_total{outcome="abstained"} 2.0' in client.get("/metrics").text


def test_the_status_screen_names_documents_and_warnings():
    index = FakeAssistant().index
    first, second = file_accounts(index)
    first = replace(first, warnings=("表<2>が読めません。",))
    every = [first, second, FileAccount("壊<れ>.pdf", refusal="壊<れ>.pdf: 読めません。")]
    assert "文書 2・シート 4・読めなかったファイル 1" in render_status(index.version, every)
    html = render_accounts(every, len(every))
    assert "表&lt;2&gt;が読めません。" in html and "3件中 3件" in html
    assert all(file in html for file in TEXTS) and "壊&lt;れ&gt;.pdf" in html and "<れ>" not in html
    assert html.count('class="hy-file') == 3 + html.count('class="hy-file-')
    assert ("要確認（2）", "doubtful") in kind_choices(every) and ("読めなかった（1）", "refused") in kind_choices(
        every
    )
    assert chosen_accounts(every, "", "noted") == [first]
    assert [one.file for one in chosen_accounts(every, "ひので市　広報", "")] == ["hinode.txt"]


def test_the_screens_have_classes_of_their_own():
    # Each screen brings a style sheet; one name in two of them would dress the other screen's parts.
    owners: dict[str, set[str]] = {}
    for file in sorted(ASSETS.glob("*.css")):
        if file.name == "hyoka.css":  # what all share
            continue
        css = re.sub(r"/\*.*?\*/", "", file.read_text("utf-8"), flags=re.S)
        for selectors in re.findall(r"(?:^|[{}])\s*([^{}@]+)\{", css):
            for selector in selectors.split(","):
                if found := re.match(r"\s*\.(hy-[a-z0-9-]+)", selector):
                    owners.setdefault(found[1], set()).add(file.name)
    assert {name: files for name, files in owners.items() if len(files) > 1 and name != "hy-page"} == {}
