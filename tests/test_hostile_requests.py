"""Requests nobody sends by mistake: refused in the one shape of all errors, or answered; never a 5xx, never the inside.

The long run is ``python -m evals.benchmarks.fuzz_http --requests 50000`` against ``hyoka serve``; these are a few thousand of the same
requests, others drawn by hypothesis, and those that schemathesis makes of the OpenAPI.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance
from starlette.types import Message

from assistant.protocol import refusing
from assistant.refusals import BodyLimit
from assistant.store import FeedbackStore
from evals.benchmarks.fuzz_http import Account, Connection, Reply, fuzz, joined, wrong
from evals.benchmarks.hostile import Known, Request, drawn
from evals.benchmarks.hostilewords import METHODS, PLACES, TEXTS
from tests.fakes import FakeAssistant
from tests.on_port import on_port
from ui.app import create_app

fuzzed = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def application() -> FastAPI:
    return create_app(FakeAssistant(), FeedbackStore())


@pytest.fixture(scope="module")
def server(application: FastAPI) -> Iterator[str]:
    """The application behind the protocol that ``hyoka serve`` uses, on a free port."""
    with on_port(application, log_level="critical", http=refusing(), ws="none") as address:
        yield address


@pytest.fixture(scope="module")
def client(application: FastAPI) -> Iterator[TestClient]:
    with TestClient(application, raise_server_exceptions=False) as client:
        assert application.state.readiness.wait(120)
        yield client


def account_of(server: str, numbers: range) -> Account:
    account = fuzz(server, numbers)
    assert account.count == len(numbers)
    return account


def test_thousands_of_hostile_requests_are_answered_or_refused(server: str, client: TestClient) -> None:
    account = account_of(server, range(2_500))
    assert account.wrongs == {}
    assert {200, 400, 403, 404, 405, 413, 422} <= {status for found in account.statuses.values() for status in found}
    assert client.get("/readyz").json()["status"] == "ready"


@given(number=st.integers(0, 10**9))
@settings(fuzzed, max_examples=300)
def test_any_other_of_them_too(server: str, number: int) -> None:
    place = urlsplit(server)
    with closing(Connection(place.hostname or "", place.port or 0)) as wire:
        request = drawn(number, Known(("aoba-1",), ("あおば市",), ((0, 1), (3, 2))))
        assert wrong(request, wire.send(request)) == "", request


def checked(request: Request, client: TestClient) -> None:
    given_headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers]
    answer = client.request(
        request.method, request.target.decode("latin-1"), headers=given_headers, content=request.body
    )
    reply = Reply(answer.status_code, tuple(answer.headers.items()), answer.content)
    assert wrong(request, reply) == "", (request, answer.text[:300])


words = st.one_of(st.text(max_size=60), st.sampled_from(TEXTS))
addresses = st.sampled_from([place for place in PLACES if "heartbeat" not in place and "queue/data" not in place])


@given(
    place=addresses,
    pieces=st.lists(words, min_size=2, max_size=2),
    query=st.dictionaries(
        st.sampled_from(
            ["q", "sheet", "municipality", "year", "p", "start", "end", "kind", "state", "fiscal_year", "sort"]
        ),
        words,
        max_size=4,
    ),
    method=st.sampled_from(METHODS[:6]),
)
@settings(fuzzed, max_examples=400)
def test_every_address_with_any_text_in_it(
    client: TestClient, place: str, pieces: list[str], query: dict[str, str], method: str
) -> None:
    from urllib.parse import quote, urlencode

    for piece in pieces:
        place = place.replace("{}", quote(piece, safe="", errors="replace"), 1)
    target = place + ("?" + urlencode(query, errors="replace") if query else "")
    if len(target) < 60_000:  # the client sends no longer ones; those are sent over a bare connection elsewhere
        checked(Request(0, "drawn", method, target.encode()), client)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**400), 10**400), st.floats(), words),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=12,
)


@given(
    address=st.sampled_from(
        [
            "/export/table.xlsx",
            "/gradio_api/queue/join",
            "/gradio_api/cancel",
            "/gradio_api/reset",
            "/api/v1/ask",
            "/api/v1/feedback",
        ]
    ),
    body=st.one_of(
        json_values,
        st.fixed_dictionaries(
            {"columns": st.lists(words, max_size=3), "rows": st.lists(st.lists(json_values, max_size=4), max_size=3)}
        ),
        st.fixed_dictionaries(
            {
                "data": st.lists(json_values, max_size=3),
                "fn_index": st.integers(-1, 60),
                "session_hash": st.just("a"),
                "event_data": json_values,
            }
        ),
        st.fixed_dictionaries({"question": words, "filters": json_values}),
    ),
)
@settings(fuzzed, max_examples=300)
@example(address="/export/table.xlsx", body={"columns": ["a"], "rows": [[10**400, float("inf"), "\ud800", "\ufffe"]]})
@example(address="/export/table.xlsx", body={"columns": [], "rows": [["x"] * 17_000]})
@example(address="/gradio_api/cancel", body={"question": "\ud800"})
@example(
    address="/api/v1/ask",
    body={"question": "決算額", "filters": {"municipality": ["あおば市", "\ud800"]}, "sheet": "\ud800"},
)
def test_every_body_with_any_json_in_it(client: TestClient, address: str, body: object) -> None:
    checked(
        Request(
            0, "drawn", "POST", address.encode(), ((b"Content-Type", b"application/json"),), json.dumps(body).encode()
        ),
        client,
    )


@given(
    address=st.sampled_from(["/export/table.xlsx", "/gradio_api/queue/join", "/api/v1/ask", "/api/v1/feedback"]),
    body=st.binary(max_size=200),
)
@settings(fuzzed, max_examples=100)
@example(address="/api/v1/ask", body=b"[" * 10_000)
@example(address="/api/v1/ask", body=b'{"a":' * 10_000)
@example(address="/gradio_api/queue/join", body=b"[" * 100_000)
@example(address="/api/v1/ask", body=b" " * 4_100_000)
def test_every_body_of_any_bytes(client: TestClient, address: str, body: bytes) -> None:
    checked(Request(0, "drawn", "POST", address.encode(), ((b"Content-Type", b"application/json"),), body), client)


schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(FakeAssistant(), FeedbackStore()))


@schema.parametrize()
@settings(fuzzed, max_examples=20)
def test_the_interface_is_what_its_openapi_says(case) -> None:
    response = case.call()
    case.validate_response(response, checks=[not_a_server_error, response_schema_conformance, content_type_conformance])
    if response.status_code >= 400:
        error = json.loads(response.content)["error"]
        assert error["code"] and error["message"].endswith("。")


# What the long run found, and what closes


@pytest.mark.parametrize(
    "address",
    [
        "/gradio_api/upload",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/proxy=http://evil.invalid",
        "/gradio_api/stream/x",
    ],
)
def test_files_and_proxies_of_gradio_are_closed(client: TestClient, address: str) -> None:
    assert client.get(address).status_code == 403 and client.post(address).status_code == 403


@pytest.mark.parametrize(
    "address",
    [
        "/monitoring",
        "/gradio_api/deep_link",
        "/gradio_api/call/ask",
        "/gradio_api/run/x",
        "/gradio_api/process_recording",
        "/gradio_api/vibe-edit/",
        "/svelte/x",
        "/pwa_icon/x",
    ],
)
def test_what_no_page_calls_is_not_there(client: TestClient, address: str) -> None:
    for method in ("GET", "POST"):
        assert client.request(method, address).status_code in (404, 405)


@pytest.mark.parametrize("address", ["/", "/config", "/theme.css", "/favicon.ico", "/robots.txt", "/gradio_api/app_id"])
def test_every_open_door_leads_somewhere(client: TestClient, address: str) -> None:
    assert client.get(address).status_code == 200
    assert client.delete(address).status_code == 405


def test_the_pages_reach_their_events(client: TestClient) -> None:
    for address, body, status in (
        ("/gradio_api/reset", {"event_id": "x"}, 200),
        ("/gradio_api/cancel", {"event_id": "x", "session_hash": "a", "fn_index": 0}, 200),
        ("/gradio_api/queue/join", {"data": [], "fn_index": 0, "session_hash": "abc"}, 200),
        ("/gradio_api/queue/join", {"data": [], "fn_index": 10**6, "session_hash": "abc"}, 422),
        ("/gradio_api/queue/join", {"data": [], "fn_index": 0, "session_hash": "../x"}, 422),
        ("/gradio_api/queue/join", {"data": {}, "fn_index": 0, "session_hash": "abc"}, 422),
        ("/gradio_api/queue/join", [], 422),
    ):
        assert client.post(address, json=body).status_code == status


@pytest.mark.parametrize("address", ["/static/" + "a" * 300, "/assets/" + "a/" * 2_000, "/hyoka-assets/" + "a" * 300])
def test_a_name_that_no_disk_takes_is_not_found(client: TestClient, address: str) -> None:
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("address", ["/?page=x", "/?deep_link=../x", "/?view=api&__theme=x"])
def test_gradio_reads_no_names_of_its_own_from_an_address(client: TestClient, address: str) -> None:
    assert client.get(address).status_code == 200


def test_what_is_no_http_is_told_so_in_japanese(server: str) -> None:
    place = urlsplit(server)
    for raw in (b"GET\r\n\r\n", b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/1.1\r\nno header\r\n\r\n"):
        with closing(socket.create_connection((place.hostname, place.port), timeout=10)) as wire:
            wire.sendall(raw)
            told = b"".join(iter(lambda: wire.recv(65536), b""))  # noqa: B023
        head, body = told.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 400") and json.loads(body)["error"]["message"].endswith("確かめてください。")


def test_a_body_that_stops_on_its_way_is_given_up() -> None:
    async def application(scope, receive, send) -> None:
        while (await receive()).get("more_body"):
            pass

    async def stopped() -> Message:
        nonlocal asked
        asked += 1
        if asked > 1:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": b"{", "more_body": True}

    asked = 0
    scope = {"type": "http", "path": "/api/v1/ask", "headers": [(b"transfer-encoding", b"chunked")]}
    with pytest.raises(Exception) as problem:
        asyncio.run(BodyLimit(application, seconds=0.05)(scope, stopped, lambda message: None))  # type: ignore[arg-type]
    assert problem.value.status_code == 408  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "address, size, status",
    [
        ("/export/table.xlsx", 33_000_000, 413),
        ("/gradio_api/queue/join", 33_000_000, 413),
        ("/api/v1/ask", 4_000_001, 413),
        ("/api/v1/ask", 10**30, 413),
    ],
)
def test_what_announces_too_much_is_not_read(client: TestClient, address: str, size: int, status: int) -> None:
    answer = client.post(address, headers={"Content-Length": str(size)}, content=b"")
    assert answer.status_code == status and answer.json()["error"]["code"] == "too_large"


# The judge itself


@pytest.mark.parametrize(
    "reply, problem",
    [
        (Reply(0), "no answer"),
        (Reply(500, (), b"{}"), "status 500"),
        (Reply(503, (), b"{}"), "status 503"),
        (Reply(200, (("x-injected", "1"),)), "a header was smuggled in"),
        (Reply(200, (("set-cookie", "a=b"),)), "a cookie was smuggled in"),
        (Reply(200, (("content-type", "application/json"),), b"NaN"), "JSON that no browser reads: NaN"),
        (Reply(200, (("content-type", "text/plain"),), b"root:x:0:0"), "the body shows 'root:x:0:0'"),
        (Reply(404, (("content-type", "application/json"),), b'{"detail": "Not Found"}'), "a refusal of another shape"),
        (
            Reply(404, (("content-type", "application/json"),), b'{"error": {"code": "x", "message": "no"}}'),
            "a refusal without a Japanese message",
        ),
        (Reply(404, (("content-type", "text/plain"),), b"no"), "a refusal as text/plain"),
        (
            Reply(
                404,
                (("content-type", "application/json"),),
                '{"error": {"code": "x", "message": "ありません。"}}'.encode(),
            ),
            "",
        ),
        (
            Reply(
                503,
                (("content-type", "application/json"), ("Retry-After", "2")),
                '{"error": {"code": "busy", "message": "混雑"}}'.encode(),
            ),
            "",
        ),
    ],
)
def test_what_is_wrong_about_an_answer(reply: Reply, problem: str) -> None:
    assert wrong(Request(1, "x", "GET", b"/x"), reply) == problem


def test_accounts_of_two_runs_are_added() -> None:
    one, other = Account(), Account()
    one.take(Request(1, "a", "GET", b"/"), Reply(200))
    other.take(Request(2, "a", "GET", b"/"), Reply(200))
    other.take(Request(3, "b", "GET", b"/"), Reply(500))
    found = joined(one.summary(), other.summary())
    assert (found["requests"], found["wrong"], found["statuses"]) == (3, 1, {"200": 2, "500": 1})
    assert found["kinds"] == {"a": {"200": 2}, "b": {"500": 1}}


def test_the_same_number_is_the_same_request() -> None:
    known = Known(("a",), ("b",), ((0, 1),))
    assert [drawn(number, known).wire() for number in range(300)] == [
        drawn(number, known).wire() for number in range(300)
    ]
