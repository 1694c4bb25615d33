"""Whose conversation it is, what the 履歴 pane shows, and the files of one's own conversations, without a browser."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from urllib.parse import unquote

import openpyxl
import pytest
from docx import Document
from fastapi.testclient import TestClient

from assistant.conversations import KEEPING, Keeping, Listed
from assistant.payload import answer_json
from assistant.store import FeedbackStore
from index.types import Filters
from tests.fakes import FakeAssistant, FakeIndex
from ui.app import create_app
from ui.exchanges import respond
from ui.history import History, kept_words, opened, render_talks, stale_note
from ui.visitors import COOKIE, OWNER, Visitors, owner_name, owner_of

FAKE = FakeAssistant()
QUESTION = "図書館の今後の計画は"
NOW = datetime(2026, 11, 21, 16, 0, tzinfo=UTC)  # 1 o'clock on the 22nd in Japan


def said(question: str):
    return answer_json(FAKE.ask(question), FAKE.index)


@pytest.fixture(scope="module")
def store() -> FeedbackStore:
    return FeedbackStore()


@pytest.fixture(scope="module")
def app(store):
    return create_app(FakeAssistant(), store)


@pytest.fixture
def visit(app):
    """A browser that has opened the screens, and the owner it stands for."""

    def visited():
        client = TestClient(app, raise_server_exceptions=False)
        client.get("/")
        return client, owner_name(client.cookies[COOKIE])

    return visited


def test_the_page_gives_a_browser_its_key_once(app):
    client = TestClient(app)
    told = client.get("/").headers["set-cookie"]
    assert "HttpOnly" in told and "SameSite=Lax" in told and "Path=/" in told and "Max-Age=7776000" in told
    key = client.cookies[COOKIE]
    assert len(key) == 43 and key in client.get("/?tab=search").headers["set-cookie"], "the same, for as long again"
    for address in ("/healthz", "/sheet/aoba-1", "/hyoka-assets/talks.js", "/api/v1/sheets"):
        assert "set-cookie" not in TestClient(app).get(address).headers
    assert TestClient(app).get("/").headers["set-cookie"] != told
    assert "Secure" in TestClient(app, base_url="https://hyoka.example").get("/").headers["set-cookie"]
    forged = TestClient(app, cookies={COOKIE: "me"}).get("/").headers["set-cookie"]
    assert "hyoka_visitor=me;" not in forged


def test_behind_a_prefix_the_key_is_for_that_prefix_only(app):
    for address in ("/hyoka/", "/"):  # a proxy that keeps the prefix, and one that takes it away
        told = TestClient(app, root_path="/hyoka").get(address).headers["set-cookie"]
        assert "Path=/hyoka;" in told


def test_the_key_is_not_in_the_store(visit, store):
    client, owner = visit()
    store.talks.add(owner, "", QUESTION, said(QUESTION), Filters())
    kept = str([store._db.rows(f"select * from {table}") for table in ("talks", "talk_entries", "asked", "drafts")])
    assert client.cookies[COOKIE] not in kept and owner in kept


def test_a_login_may_name_the_owner(app):
    class Login:
        def __init__(self, app) -> None:
            self.app = app

        async def __call__(self, scope, receive, send) -> None:
            await self.app({**scope, OWNER: "tanaka@aoba.example"}, receive, send)

    seen = []

    async def inner(scope, receive, send) -> None:
        seen.append(scope[OWNER])
        await app(scope, receive, send)

    client = TestClient(Login(Visitors(inner, 90)))
    assert "set-cookie" not in client.get("/").headers and seen == ["tanaka@aoba.example"]
    assert owner_of(None) == ""
    assert "このブラウザー" in kept_words(KEEPING, owner_name("x")) and "あなたの会話" in kept_words(KEEPING, "tanaka")


@pytest.mark.parametrize("ending", ["docx", "xlsx"])
def test_ones_own_conversation_is_a_file_and_anothers_is_not_there(visit, store, ending):
    client, owner = visit()
    talk = store.talks.add(owner, "", QUESTION, said(QUESTION), Filters())
    store.talks.add(owner, talk, "決算額の推移は？", said("決算額の推移は？"), Filters())
    response = client.get(f"/papers/{talk}.{ending}")
    assert response.status_code == 200 and response.headers["cache-control"] == "no-store"
    disposition = response.headers["content-disposition"]
    name = unquote(disposition.partition("filename*=UTF-8''")[2])
    assert name.startswith(f"評価シートへの質問と回答_{QUESTION}_") and name.endswith(f".{ending}")
    assert f'filename="hyoka.{ending}"' in disposition
    one = client.get(f"/papers/{talk}/2.{ending}")
    if ending == "docx":
        heads = [p.text for p in Document(BytesIO(response.content)).paragraphs if p.style.name == "Heading 1"]
        assert heads == [f"質問1　{QUESTION}", "質問2　決算額の推移は？"]
        heads = [p.text for p in Document(BytesIO(one.content)).paragraphs if p.style.name == "Heading 1"]
        assert heads == ["質問1　決算額の推移は？"]
    else:
        assert openpyxl.load_workbook(BytesIO(response.content))["質問一覧"]["B7"].value == "決算額の推移は？"
        link = openpyxl.load_workbook(BytesIO(one.content))["出典"]["K2"].hyperlink.target
        assert link.startswith("http://testserver/sheet/aoba-1?start=")
    for address in (f"/papers/{talk}.{ending}", f"/papers/{talk}/1.{ending}"):
        assert visit()[0].get(address).status_code == 404
        assert TestClient(client.app).get(address).status_code == 404
    for entry in ("0", "3", "-1", "9" * 30):
        assert client.get(f"/papers/{talk}/{entry}.{ending}").status_code == 404
    assert client.get(f"/papers/{talk}.pdf").status_code == 422
    assert store.talks.delete(owner, talk) and client.get(f"/papers/{talk}.{ending}").status_code == 404


def history(store: FeedbackStore) -> History:
    import gradio as gr

    with gr.Blocks():
        return History(FAKE, store.talks)


class Request:
    """What the pane asks of Gradio's request."""

    def __init__(self, owner: str) -> None:
        from starlette.requests import HTTPConnection

        self.request = HTTPConnection({"type": "http", "headers": [], OWNER: owner})


def test_a_finished_exchange_is_kept_and_carries_its_conversation():
    store = FeedbackStore()
    pane = history(store)
    messages, log = list(respond(FAKE, QUESTION, [], [], Filters(), pane.keep(Request("a"), [])))[-1]
    assert log[0].talk and log[0].entry == 1
    assert f'href="papers/{log[0].talk}/1.docx"' in messages[-1]["content"]
    messages, log = list(respond(FAKE, "決算額は？", messages, log, Filters(), pane.keep(Request("a"), log)))[-1]
    assert log[1].talk == log[0].talk and log[1].entry == 2
    assert [entry.question for entry in store.talks.find("a", log[0].talk).entries] == [QUESTION, "決算額は？"]
    # Deleted meanwhile, perhaps in another tab: what was deleted does not come back.
    store.talks.delete("a", log[0].talk)
    _, log = list(respond(FAKE, "決算額は？", messages, log, Filters(), pane.keep(Request("a"), log)))[-1]
    assert log[2].talk != log[0].talk and log[2].entry == 1 and store.talks.count("a") == 1


def test_an_answer_is_given_even_where_it_cannot_be_kept():
    store = FeedbackStore()
    pane = history(store)
    store.close()
    messages, log = list(respond(FAKE, QUESTION, [], [], Filters(), pane.keep(Request("a"), [])))[-1]
    assert "クラウド型" in messages[-1]["content"] and log[0].talk == "" and "papers/" not in messages[-1]["content"]


def test_a_history_that_cannot_be_read_says_so_and_leaves_the_conversation_alone():
    import gradio as gr

    store = FeedbackStore()
    with gr.Blocks() as screen:
        pane = History(FAKE, store.talks)
        pane.place_papers()
        pane.connect(*(gr.HTML() for _ in range(5)))
    [refresh] = [one.fn for one in screen.fns.values() if one.name == "refresh"]
    assert "まだ会話はありません" in refresh(Request("a"), [], "")[1]
    store.close()
    assert "質問はそのまま続けられます" in refresh(Request("a"), [], "")[1]


def test_without_a_cookie_nothing_is_kept_and_no_link_leads_nowhere():
    store = FeedbackStore()
    messages, log = list(respond(FAKE, QUESTION, [], [], Filters(), history(store).keep(Request(""), [])))[-1]
    assert log[0].talk == "" and "papers/" not in messages[-1]["content"]
    assert "保存されません" in kept_words(KEEPING, "")


def test_an_opened_conversation_looks_like_the_one_that_was_held():
    store = FeedbackStore()
    keep = history(store).keep
    messages, log = [], []
    for question in (QUESTION, "決算額が大きい事業は？", "海底 都市 構想"):
        messages, log = list(respond(FAKE, question, messages, log, Filters(), keep(Request("a"), log)))[-1]
    again, log_again = opened(store.talks.find("a", log[0].talk), FAKE.index)
    assert log_again == log
    assert [message["content"] for message in again] == [message["content"] for message in messages]
    assert again[-1]["options"] == messages[-1]["options"]


def test_an_answer_of_an_earlier_index_says_what_became_of_its_quotes():
    store = FeedbackStore()
    talk = store.talks.add("a", "", QUESTION, said(QUESTION), Filters())
    entry = store.talks.find("a", talk).entries[0]
    assert stale_note(entry, FakeIndex()) == ""
    assert "そのままあります" in stale_note(entry, FakeIndex(version="fake-2"))
    broken = said(QUESTION)
    broken.citations[0].quote = "別の文"
    talk = store.talks.add("a", "", QUESTION, broken, Filters())
    note = stale_note(store.talks.find("a", talk).entries[0], FakeIndex(version="fake-2"))
    assert "引用1件のうち1件は、今の原文の同じ場所にありません" in note and "もう一度質問する" in note
    talk = store.talks.add("a", "", "海底", said("海底 都市 構想"), Filters())
    assert "今は答えが見つかるかもしれません" in stale_note(
        store.talks.find("a", talk).entries[0], FakeIndex(version="fake-2")
    )
    broken.citations[0].source.file = "gone.txt"
    broken.citations[0].sheet_id = "gone"
    talk = store.talks.add("a", "", QUESTION, broken, Filters())
    messages, _ = opened(store.talks.find("a", talk), FakeIndex(version="fake-2"))
    assert "hy-stale" in messages[1]["content"]


def test_the_list_is_by_day_in_japan_and_escaped():
    found = [
        Listed("one", "<b>図書館</b>の\n計画は", datetime(2026, 11, 21, 15, 5, tzinfo=UTC), 2),
        Listed("two", "決算額", datetime(2026, 11, 21, 14, 59, tzinfo=UTC), 1),
        Listed("three", "予算額", datetime(2026, 11, 1, 0, 0, tzinfo=UTC), 1),
    ]
    html = render_talks(found, 3, Keeping(days=30, most=50), owner_name("k"), now=NOW)
    days = ("<h3>今日</h3>", "<h3>昨日</h3>", "<h3>令和8年11月1日（日）</h3>")
    assert [html.index(day) for day in days] == sorted(html.index(day) for day in days)
    assert "&lt;b&gt;図書館&lt;/b&gt;の 計画は" in html and "<b>" not in html
    assert "0:05・質問2件" in html and "30日" in html and "50件" in html and "3件をすべて削除" in html
    assert "まだ会話はありません" in render_talks([], 0, KEEPING, "a") and "すべて削除" not in render_talks(
        [], 0, KEEPING, "a"
    )
    assert "新しい3件を表示しています" in render_talks(found, 9, KEEPING, "a")
    assert "表示しています" not in render_talks(found, 9, KEEPING, "a", "図書館")
    assert "当てはまる会話がありません" in render_talks([], 3, KEEPING, "a", "図書館")
