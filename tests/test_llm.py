"""The client of a language model, against a server that the tests start: what it sends, what it takes, when it gives up."""

from __future__ import annotations

import json
import time

import pytest
from llmserver import (
    Behaviour,
    endless,
    flood,
    half_stream,
    llm_server,
    saying,
    silent,
    slow,
    streaming,
    whole,
)

from assistant.llm import MOST_BYTES, Breaker, Message, OpenAIModel, open_model
from assistant.settings import Settings, load_settings
from corpus.errors import ModelUnavailable, SettingsError

ASKED = [Message("system", "まとめてください。"), Message("user", "資料です。")]
TEXT = "令和7年度に移行します[1]。"


def write(behaviour: Behaviour, seconds: float = 5.0) -> str:
    with llm_server(behaviour) as server:
        return OpenAIModel(server.url, "m").write(ASKED, seconds)


@pytest.mark.parametrize("behave", [whole(TEXT), streaming(TEXT), whole(f"<think>はて\n[1]</think>\n{TEXT}")])
def test_a_text_comes_in_one_piece_or_in_a_stream(behave):
    assert write(behave) == TEXT


def test_the_request_is_that_of_the_protocol_and_bears_the_key():
    with llm_server(whole(TEXT)) as server:
        OpenAIModel(server.url, "gemma", "ひみつ".encode().hex()).write(ASKED, 5)
    (sent,) = server.requests
    assert sent["path"] == "/v1/chat/completions"
    assert (sent["model"], sent["temperature"], sent["stream"]) == ("gemma", 0, True)
    assert sent["messages"] == [{"role": m.role, "content": m.content} for m in ASKED]
    assert server.headers[0]["Authorization"] == f"Bearer {'ひみつ'.encode().hex()}"


def test_without_a_key_none_is_sent():
    with llm_server(whole(TEXT)) as server:
        OpenAIModel(server.url, "m").write(ASKED, 5)
    assert "Authorization" not in server.headers[0]


BAD = {
    "a server error": saying(500, "{}"),
    "too many requests": saying(429, "{}"),
    "garbage": saying(200, "<html>ようこそ</html>", "text/html"),
    "no JSON": saying(200, "{{{"),
    "JSON of another shape": saying(200, json.dumps({"message": "hello"})),
    "choices that are none": saying(200, json.dumps({"choices": "x"})),
    "a message without text": saying(200, json.dumps({"choices": [{"message": {"content": None}}]})),
    "an empty text": whole("  "),
    "only thoughts": whole("<think>はて</think>"),
    "a stream that breaks off": half_stream(TEXT),
    "a stream of garbage": saying(200, "data: {{{\n\n", "text/event-stream"),
    "a stream of another shape": saying(200, 'data: {"a": 1}\n\n', "text/event-stream"),
    "bytes that are no text": lambda handler, _: handler.wfile.write(b"\xff\xfe\x00"),
    "a flood": flood,
}


@pytest.mark.parametrize("behave", BAD.values(), ids=BAD.keys())
def test_nonsense_is_no_text(behave):
    with pytest.raises(ModelUnavailable):
        write(behave)


def test_no_more_is_read_than_a_text_may_have():
    with llm_server(flood) as server, pytest.raises(ModelUnavailable):
        OpenAIModel(server.url, "m").write(ASKED, 60)  # ended by the size, long before the seconds
    assert MOST_BYTES == 262_144


@pytest.mark.parametrize("behave", [silent, slow(TEXT, 60.0), endless("あ")], ids=["silent", "slow", "endless"])
def test_a_server_that_does_not_come_to_an_end_is_given_up(behave):
    began = time.monotonic()
    with llm_server(behave) as server, pytest.raises(ModelUnavailable):
        OpenAIModel(server.url, "m").write(ASKED, 0.5)
    assert time.monotonic() - began < 25  # the servers hold on for longer; evals.benchmarks measures the budget
    assert len(server.requests) == 1


def test_the_connection_to_an_endless_stream_is_closed():
    with llm_server(endless("あ")) as server:
        with pytest.raises(ModelUnavailable):
            OpenAIModel(server.url, "m").write(ASKED, 0.3)
        until = time.monotonic() + 60
        while not server.given_up and time.monotonic() < until:
            time.sleep(0.02)
        assert server.given_up == 1


def test_a_redirect_is_not_followed():
    with llm_server(whole(TEXT)) as elsewhere:
        for status in (301, 302, 307, 308):
            with (
                llm_server(saying(status, "", Location=f"{elsewhere.url}/chat/completions")) as server,
                pytest.raises(ModelUnavailable),
            ):
                OpenAIModel(server.url, "m", "key").write(ASKED, 5)
    assert elsewhere.requests == []


def test_a_proxy_of_the_environment_is_not_used(monkeypatch):
    with llm_server(whole(TEXT)) as server, llm_server(whole("ほか")) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url.removesuffix("/v1"))
        assert OpenAIModel(server.url, "m").write(ASKED, 5) == TEXT
    assert proxy.requests == []


def test_nobody_there_is_no_text():
    with llm_server(whole(TEXT)) as server:
        pass
    with pytest.raises(ModelUnavailable):
        OpenAIModel(server.url, "m").write(ASKED, 5)


def test_a_server_that_fails_is_left_alone_and_tried_again_later():
    now = [0.0]
    breaker = Breaker(most=3, pause=15, clock=lambda: now[0])
    with llm_server(saying(500, "")) as server:
        model = OpenAIModel(server.url, "m", breaker=breaker)
        for _ in range(10):
            with pytest.raises(ModelUnavailable):
                model.write(ASKED, 5)
        assert len(server.requests) == 3  # then it rests
        now[0] = 15.0
        server.behaviour = whole(TEXT)
        assert model.write(ASKED, 5) == TEXT
        server.behaviour = saying(500, "")
        with pytest.raises(ModelUnavailable):
            model.write(ASKED, 5)
        assert len(server.requests) == 5  # and counts from the beginning after it came back


def test_the_pauses_grow_and_only_one_may_try():
    now = [0.0]
    breaker = Breaker(most=1, pause=10, longest=25, clock=lambda: now[0])
    waits = []
    for _ in range(4):
        breaker.failed()
        began = now[0]
        while not breaker.allows():
            now[0] += 1
        waits.append(now[0] - began)
        assert not breaker.allows()  # the one that tries keeps the others waiting
    assert waits == [10, 20, 25, 25]


def test_without_an_address_there_is_no_model(no_network):
    assert open_model(Settings()) is None


def test_the_settings_name_a_model():
    model = open_model(load_settings(llm_base_url="http://127.0.0.1:11434/v1", llm_model="gemma3"))
    assert model is not None and model.name == "gemma3"


@pytest.mark.parametrize(
    "url", ["ftp://a/v1", "localhost:11434", "http://user:pass@host/v1", "http://host/v1?x=1", "http://"]
)
def test_an_address_that_is_none_is_said(url, monkeypatch):
    monkeypatch.setenv("HYOKA_LLM_BASE_URL", url)
    monkeypatch.setenv("HYOKA_LLM_MODEL", "m")
    with pytest.raises(SettingsError, match="llm_base_url"):
        load_settings()


def test_an_address_without_a_model_is_said(monkeypatch):
    monkeypatch.setenv("HYOKA_LLM_BASE_URL", "http://127.0.0.1:11434/v1")
    with pytest.raises(SettingsError, match="HYOKA_LLM_MODEL"):
        load_settings()


def test_the_key_is_never_shown(monkeypatch):
    monkeypatch.setenv("HYOKA_LLM_KEY", "ひみつの鍵")
    settings = load_settings()
    assert "ひみつの鍵" not in repr(settings) + str(settings)
