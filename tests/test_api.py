"""The HTTP contract, on the fake index of tests/fakes.py."""

from __future__ import annotations

import json

import pytest
from fastapi.testclient import TestClient

from assistant.api import create_api
from assistant.refusals import clean_text
from assistant.store import FeedbackStore
from assistant.types import Choices
from tests.fakes import TEXTS, FakeAssistant, FakeIndex


@pytest.fixture
def assistant() -> FakeAssistant:
    return FakeAssistant()


@pytest.fixture
def store() -> FeedbackStore:
    return FeedbackStore()


@pytest.fixture
def client(assistant: FakeAssistant, store: FeedbackStore):
    app = create_api(assistant, store)
    with TestClient(app, raise_server_exceptions=False) as client:
        assert app.state.readiness.wait(120)
        yield client


def error_of(response, status: int) -> dict[str, str]:
    """The error's body, after checking that it is Japanese and shows nothing of the inside."""
    assert response.status_code == status, response.text
    body = response.json()
    assert set(body) == {"error"} and set(body["error"]) == {"code", "message"}
    assert not body["error"]["message"].isascii()
    assert "Traceback" not in response.text and "secret" not in response.text
    return body["error"]


def test_ask_answers_in_the_shape_of_the_contract(client):
    body = client.post("/api/v1/ask", json={"question": "図書館の今後の計画は"}).json()
    assert set(body) == {
        "answer", "abstained", "citations", "table", "chart", "interpretation", "related", "suggestions",
        "index_version", "took_ms", "state", "searched", "why", "generated",
    }  # fmt: skip
    assert body["abstained"] is False and body["table"] is None and body["chart"] is None
    citation = body["citations"][0]
    assert set(citation) == {
        "n", "municipality", "fiscal_year", "sheet", "sheet_id", "department", "section", "quote", "source",
        "where",
    }  # fmt: skip
    assert citation["source"]["page"] is None
    source = client.get(f"/api/v1/sheets/{citation['sheet_id']}/source")
    assert source.headers["content-type"].startswith("text/plain")
    assert source.text[citation["source"]["start"] : citation["source"]["end"]] == citation["quote"]


def test_ask_tells_how_it_read_the_question_and_shows_table_and_chart(client):
    body = client.post(
        "/api/v1/ask", json={"question": "決算額が大きい事業", "filters": {"municipality": ["あおば市"]}}
    ).json()
    assert body["interpretation"]["period"] == {"label": "R4年度", "start": "2022-04-01", "end": "2023-04-01"}
    assert body["interpretation"]["filters"] == {
        "municipality": ["あおば市"], "fiscal_year": [], "department": [], "section": [], "rating": [], "budget": [],
    }  # fmt: skip
    assert body["table"] == {
        "columns": ["自治体", "事業", "決算額（円）"],
        "rows": [["あおば市", "図書館システム運用", 1_200_000], ["あおば市", "道路台帳整備", 800_000]],
        "citations": [[1], [2]],
    }
    assert body["chart"]["x"] == ["図書館システム運用", "道路台帳整備"]
    assert body["chart"]["series"] == [{"name": "決算額", "values": [1_200_000, 800_000]}]


def test_ask_hands_on_history_and_filters(client, assistant):
    client.post(
        "/api/v1/ask",
        json={
            "question": "では移行は？",
            "history": [{"role": "user", "content": "図書館は？"}, {"role": "assistant", "content": "はい"}],
            "filters": {"fiscal_year": [2023], "department": ["情報政策課"], "section": ["今後の計画"]},
        },
    )
    question, history, filters = assistant.asked[-1]
    assert question == "では移行は？"
    assert [(turn.role, turn.content) for turn in history] == [("user", "図書館は？"), ("assistant", "はい")]
    assert filters.fiscal_year == (2023,) and filters.section == ("今後の計画",)


def test_an_abstention_has_no_citation_and_shows_what_is_near(client):
    body = client.post("/api/v1/ask", json={"question": "図書館 月面 基地 建設"}).json()
    assert body["abstained"] is True and body["citations"] == []
    assert body["related"] and body["suggestions"]


@pytest.mark.parametrize("question", ["", " \n\t　", "あ" * 2_001, "あ" * 10_000, "\x00\x01", "\ud800", "\u202e"])
def test_questions_that_cannot_be_used_are_refused_in_japanese(client, question):
    body = json.dumps({"question": question})  # ASCII escapes, so that a lone surrogate travels too
    response = client.post("/api/v1/ask", content=body, headers={"content-type": "application/json"})
    assert error_of(response, 422)["code"] == "question"


@pytest.mark.parametrize(
    "question", ["What is the budget?", "🏛️", "1", "決算\x00額", "<script>alert(1)</script>", "あ" * 2_000]
)
def test_odd_questions_get_an_answer(client, question):
    response = client.post("/api/v1/ask", json={"question": question})
    assert response.status_code == 200, response.text


def test_surrogates_in_history_and_filters_do_no_harm(client):
    body = {
        "question": "図書館",
        "history": [{"role": "user", "content": "\ud800"}],
        "filters": {"section": ["\ud800"]},
    }
    response = client.post("/api/v1/ask", content=json.dumps(body), headers={"content-type": "application/json"})
    assert response.status_code < 500


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"{}", b'{"question": 1}', b'{"question": null}',
     b'{"question": "x", "filter": {}}', b'{"question": "x", "filters": {"fiscal_year": ["2021"]}}',
     b'{"question": "x", "filters": {"fiscal_year": [1.5]}}', b'{"question": "x", "history": "y"}',
     b'{"question": "x", "history": [{"role": "system", "content": "y"}]}', b"[" * 5_000, b"1" * 5_000],
)  # fmt: skip
def test_broken_bodies_are_refused(client, body):
    response = client.post("/api/v1/ask", content=body, headers={"content-type": "application/json"})
    error_of(response, response.status_code)
    assert response.status_code in (400, 422)


def test_a_huge_body_is_refused(client):
    response = client.post("/api/v1/ask", json={"question": "あ" * 4_000_000})
    assert error_of(response, 413)["code"] == "too_large"


def test_a_huge_body_without_a_length_is_refused_too(client):
    def parts():
        for _ in range(5):
            yield b" " * 1_000_000

    response = client.post("/api/v1/ask", content=parts(), headers={"content-type": "application/json"})
    assert error_of(response, 413)["code"] == "too_large"


def test_what_breaks_inside_stays_inside(client):
    assert error_of(client.post("/api/v1/ask", json={"question": "爆発"}), 500)["code"] == "internal"


def test_the_assistants_own_refusal_is_shown(client):
    assert "別の言葉" in error_of(client.post("/api/v1/ask", json={"question": "拒否"}), 422)["message"]


def test_search_pages_filters_and_counts(client):
    # 図書館 stands in the names of two sheets with three sections (one names a person and is hidden) and two sections.
    body = client.get("/api/v1/search", params={"q": "図書館"}).json()
    assert body["total"] == 4 and len(body["hits"]) == 4
    assert body["facets"]["municipality"] == {"あおば市": 3, "ひので市": 2}
    assert "担当者" not in body["facets"]["section"]
    assert "見本太郎" not in json.dumps(body, ensure_ascii=False)
    hit = next(hit for hit in body["hits"] if hit["highlights"])
    assert set(hit) == {
        "sheet_id", "sheet", "municipality", "fiscal_year", "department", "section", "text", "source", "score", "chance",
        "highlights", "matched",
    }  # fmt: skip
    start, end = hit["highlights"][0]
    assert hit["text"][start:end] == "図書館"
    source = client.get(f"/api/v1/sheets/{hit['sheet_id']}/source").text
    assert source[hit["source"]["start"] : hit["source"]["end"]] == hit["text"]
    only = client.get("/api/v1/search", params={"q": "図書館", "municipality": "ひので市", "k": 1, "offset": 1}).json()
    assert only["total"] == 2 and len(only["hits"]) == 1 and only["hits"][0]["municipality"] == "ひので市"
    rated = client.get("/api/v1/search", params={"q": "図書館", "rating": "総合評価：C"}).json()
    assert {hit["sheet_id"] for hit in rated["hits"]} == {"hinode-1"}
    small = client.get("/api/v1/sheets", params={"budget": "100万円未満"}).json()
    assert [sheet["sheet_id"] for sheet in small["sheets"]] == ["aoba-2"]  # 700,000 yen of its own year
    error_of(client.get("/api/v1/search", params={"q": "図書館", "sort": "random"}), 422)
    body = {
        "question": "決算額が大きい事業は？",
        "filters": {"rating": ["総合評価：A"], "budget": ["100万〜1,000万円"]},
    }
    asked = client.post("/api/v1/ask", json=body).json()
    assert asked["interpretation"]["filters"]["rating"] == ["総合評価：A"]
    assert [row[1] for row in asked["table"]["rows"]] == ["広報紙発行", "図書館システム運用"]


@pytest.mark.parametrize(
    "query",
    ["", "?q=", "?q=%20", "?q=a&k=0", "?q=a&k=x", "?q=a&offset=-1", "?q=a&fiscal_year=R3", "?q=" + "a" * 2_001],
)
def test_search_refuses_what_it_cannot_use(client, query):
    error_of(client.get("/api/v1/search" + query), 422)


def test_search_takes_years_beyond_any_database(client):
    assert client.get("/api/v1/search?q=a&fiscal_year=99999999999999999999").status_code == 200


def test_sheets_are_listed_and_paged(client):
    body = client.get("/api/v1/sheets").json()
    assert body["total"] == 4
    assert body["sheets"][0] == {
        "sheet_id": "aoba-1", "sheet": "図書館システム運用", "kind": "programme", "municipality": "あおば市",
        "fiscal_year": 2023, "department": "情報政策課", "file": "aoba.txt",
    }  # fmt: skip
    page = client.get("/api/v1/sheets", params={"limit": 1, "offset": 1, "municipality": "ひので市"}).json()
    assert page["total"] == 2 and [sheet["sheet_id"] for sheet in page["sheets"]] == ["hinode-2"]


def test_a_sheet_has_its_sections_figures_and_ratings(client):
    body = client.get("/api/v1/sheets/aoba-1").json()
    assert [section["field"] for section in body["sections"]] == ["事業の目的", "今後の計画"]  # no 担当者
    fact = body["facts"][1]
    assert fact["value"] == 1_500_000 and fact["unit"] == "円" and fact["kind"] == "actual"
    assert fact["period"] == {"label": "R5年度", "start": "2023-04-01", "end": "2024-04-01"}
    assert TEXTS["aoba.txt"][fact["source"]["start"] : fact["source"]["end"]] == fact["quote"] == "R5 1,500千円"
    assert [rating["text"] for rating in body["ratings"]] == ["A"]
    (event,) = body["events"]
    assert event["what"] is None and event["period"]["start"] == "2023-04-01"
    source = event["source"]
    assert TEXTS["aoba.txt"][source["start"] : source["end"]] == event["quote"]


def test_unknown_addresses_answer_in_the_same_shape(client):
    for address in ("/api/v1/sheets/nothing", "/api/v1/sheets/nothing/source", "/api/v1/nothing", "/api/", "/nothing"):
        assert error_of(client.get(address), 404)["code"] == "not_found"
    assert error_of(client.get("/api/v1/feedback"), 405)["code"] == "method_not_allowed"


def test_feedback_is_kept(client, store):
    response = client.post("/api/v1/feedback", json={"question": "図書館は？", "answer": "はい", "rating": "down"})
    assert response.status_code == 201 and response.json() == {"id": 1}
    kept = store.latest()[0]
    assert (kept.rating, kept.question, kept.answer) == ("down", "図書館は？", "はい")
    error_of(client.post("/api/v1/feedback", json={"question": "図書館は？", "rating": "great"}), 422)


def test_feedback_survives_a_restart(tmp_path):
    first = FeedbackStore(tmp_path / "new" / "feedback.sqlite")
    first.add("up", "質問", "回答")
    first.close()
    assert [row.rating for row in FeedbackStore(tmp_path / "new" / "feedback.sqlite").latest(rating="up")] == ["up"]


def test_health_readiness_and_metrics(client):
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready", "index_version": "fake-1", "sheets": 4}
    client.post("/api/v1/ask", json={"question": "図書館"})
    client.get("/api/v1/sheets/aoba-1")
    text = client.get("/metrics").text
    assert 'hyoka_http_requests_total{method="POST",route="/api/v1/ask",status="200"} 1.0' in text
    assert 'route="/api/v1/sheets/{sheet_id}"' in text and "aoba-1" not in text
    assert 'hyoka_questions_total{outcome="answered"} 1.0' in text
    assert "hyoka_http_request_seconds_bucket" in text


def test_readiness_says_why_not(store):
    class Empty(FakeIndex):
        def sheets(self, filters=None):
            return []

    class Broken(FakeIndex):
        def encode(self, texts, kind="query"):
            raise OSError("secret")

    for index in (Empty(), Broken()):
        app = create_api(FakeAssistant(index), store)
        with TestClient(app) as client:
            assert app.state.readiness.wait(120)
            assert error_of(client.get("/readyz"), 503)["code"] == "not_ready"
            assert client.get("/healthz").status_code == 200


def test_the_documentation_page_loads_nothing_from_outside(client):
    page = client.get("/docs").text
    assert "http://" not in page and "https://" not in page
    assert client.get("/docs-assets/swagger-ui-bundle.js").status_code == 200
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths) == {
        "/api/v1/ask", "/api/v1/search", "/api/v1/sheets", "/api/v1/sheets/{sheet_id}",
        "/api/v1/sheets/{sheet_id}/source", "/api/v1/feedback", "/api/v1/me", "/healthz", "/readyz", "/metrics",
        "/v1/chat/completions", "/v1/models", "/v1/models/{model_id}",
    }  # fmt: skip
    assert not any(way["summary"].isascii() for path in paths.values() for way in path.values())


def test_text_is_cleaned_of_what_nobody_types():
    assert clean_text(" 決算\x00額\u202e\n一覧 ") == "決算 額 \n一覧"


def test_what_a_person_decided_reaches_the_assistant(client, assistant):
    body = {
        "question": "計画は？",
        "history": [
            {"role": "user", "content": "図書館の目的は？", "without": ["period"], "sheet": "aoba-1"},
            {"role": "assistant", "content": "…"},
        ],
        "without": ["sheet", "sheet", "topic"],
        "reading": "fiscal",
        "sheet": "aoba-2",
    }
    assert client.post("/api/v1/ask", json=body).status_code == 200
    assert assistant.chosen == [Choices(("sheet", "topic"), "fiscal", "aoba-2")]
    turns = assistant.asked[0][1]
    assert [turn.choices for turn in turns] == [Choices(("period",), None, "aoba-1"), Choices()]
    client.post("/api/v1/ask", json={"question": "計画は？"})
    assert assistant.chosen[-1] == Choices()


@pytest.mark.parametrize(
    "wrong", [{"without": ["everything"]}, {"without": "sheet"}, {"reading": "lunar"}, {"sheet": 1}]
)
def test_a_decision_that_does_not_exist_is_refused(client, wrong):
    error_of(client.post("/api/v1/ask", json={"question": "計画は？", **wrong}), 422)


def test_a_reading_that_somebody_tries_out_is_no_gap_of_the_sheets(client, store):
    client.post("/api/v1/ask", json={"question": "月面 基地 建設", "reading": "calendar"})
    assert store.unanswered() == []
    client.post("/api/v1/ask", json={"question": "月面 基地 建設"})
    assert len(store.unanswered()) == 1
