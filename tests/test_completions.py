"""hyoka as a model of OpenAI's chat completions, asked by the official client over a real server."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from crowds import PLAN, Gate, Told, serving
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from openai import AuthenticationError, InternalServerError, NotFoundError, OpenAI, UnprocessableEntityError
from test_live import wait_for

from assistant.completionerrors import refusal_at
from assistant.footnotes import escaped, footnoted
from assistant.line import Line
from assistant.papers import one_line
from assistant.payload import answer_json
from assistant.refusals import MESSAGES, error_response
from assistant.schemas import AnswerJson
from assistant.store import FeedbackStore
from index.types import Filters
from tests.doors import access_file, policy_of
from tests.fakes import TEXTS, FakeAssistant

RANKED = "決算額が大きい事業"


@pytest.fixture(scope="module")
def fake():
    return FakeAssistant()


@pytest.fixture(scope="module")
def address(fake):
    with serving(fake, Line(2)) as found:
        yield found


@pytest.fixture(scope="module")
def client(address):
    with OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as found:
        yield found


def said(question: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": question}]


def refused(address: str, **body: object) -> dict[str, object]:
    """The error of a request that is one of the plan, but for what is given."""
    told = Told(address, "/v1/chat/completions", {"model": "hyoka", "messages": said(PLAN), **body})
    assert told.status >= 400
    error = told.json["error"]
    assert set(told.json) == {"error"} and set(error) == {"message", "type", "param", "code"}
    assert not error["message"].isascii()
    return {**error, "status": told.status}


# ---- an answer --------------------------------------------------------------------------------------------------------


def test_an_answer_comes_with_its_places_as_footnotes_and_as_annotations(client, address):
    answer = client.chat.completions.create(model="hyoka", messages=said(PLAN))
    (choice,) = answer.choices
    text = choice.message.content
    assert answer.id.startswith("chatcmpl-") and answer.model == "hyoka" and answer.system_fingerprint == "fake-1"
    assert (choice.finish_reason, choice.message.role, choice.message.refusal) == ("stop", "assistant", None)
    body, note = text.split("\n\n[^1]: ")
    assert body.startswith("図書館システム運用（あおば市）: 令和7年度にクラウド型の図書館システムへ移行する。 [^1]")
    start = TEXTS["aoba.txt"].index("令和7年度にクラウド")
    link = f"{address}/sheet/aoba-1?start={start}&end={start + len('令和7年度にクラウド型の図書館システムへ移行する。')}#quote"
    assert note == (
        "あおば市／令和5年度／図書館システム運用／情報政策課／今後の計画"
        f"「令和7年度にクラウド型の図書館システムへ移行する。」 [シートを開く]({link})"
    )
    (one,) = choice.message.annotations
    cited = one.url_citation
    assert one.type == "url_citation" and text[cited.start_index : cited.end_index] == "[^1]"
    assert (cited.url, cited.title) == (link, "あおば市 令和5年度 図書館システム運用 今後の計画")
    assert Told("", link.split("#")[0]).status == 200
    own = AnswerJson.model_validate(answer.hyoka)
    assert own.citations[0].quote == "令和7年度にクラウド型の図書館システムへ移行する。" and not own.abstained
    usage = answer.usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (len(PLAN), len(text))
    assert usage.total_tokens == len(PLAN) + len(text)


def test_a_table_is_a_markdown_table_whose_rows_carry_their_footnotes(client):
    answer = client.chat.completions.create(model="hyoka", messages=said(RANKED))
    text = answer.choices[0].message.content
    assert "\n\n| 自治体 | 事業 | 決算額（円） | 出典 |\n| --- | --- | ---: | --- |\n" in text
    assert "| ひので市 | 図書館システム更新 | 3,000,000 | [^1] |\n" in text
    marks = [
        (one.url_citation.start_index, one.url_citation.end_index) for one in answer.choices[0].message.annotations
    ]
    assert [text[start:end] for start, end in marks] == [f"[^{n}]" for n in (1, 2, 3, 4)] * 2
    html = MarkdownIt("commonmark").enable("table").render(text)
    assert html.count("<tr>") == 5 and "<strong>3,000,000円</strong>" in html


def test_what_the_sheets_do_not_say_is_said_with_what_stands_near_it(client):
    answer = client.chat.completions.create(model="hyoka", messages=said("宇宙開発に道路台帳は使うのか"))
    text = answer.choices[0].message.content
    assert answer.hyoka["abstained"] is True and not answer.choices[0].message.annotations
    assert "見つかりませんでした" in text and "\n\n近い記載：\n\n- あおば市／令和5年度／道路台帳整備／" in text
    assert "&lt;b&gt;道路台帳&lt;/b&gt;を電子化し &amp; 窓口で" in text and "<b>" not in text and "[^" not in text


def test_a_stream_says_the_same_in_pieces(client):
    whole = client.chat.completions.create(model="hyoka", messages=said(RANKED))
    chunks = list(
        client.chat.completions.create(
            model="hyoka", messages=said(RANKED), stream=True, stream_options={"include_usage": True}
        )
    )
    assert len({chunk.id for chunk in chunks}) == 1 and {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    *spoken, counted = chunks
    assert spoken[0].choices[0].delta.role == "assistant" and len(spoken) > 6
    text = "".join(chunk.choices[0].delta.content or "" for chunk in spoken)
    assert text == whole.choices[0].message.content
    last = spoken[-1]
    assert [chunk.choices[0].finish_reason for chunk in spoken] == [None] * (len(spoken) - 1) + ["stop"]
    assert last.choices[0].delta.annotations == [one.model_dump() for one in whole.choices[0].message.annotations]
    assert {**last.hyoka, "took_ms": 0} == {**whole.hyoka, "took_ms": 0}
    assert counted.choices == [] and counted.usage.total_tokens == whole.usage.total_tokens


def test_a_stream_ends_with_done_and_without_being_asked_tells_no_usage(address):
    told = Told(address, "/v1/chat/completions", {"model": "hyoka", "messages": said(PLAN), "stream": True})
    assert told.headers["content-type"].startswith("text/event-stream") and told.headers.get("content-encoding") is None
    events = told.text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    assert all("usage" not in json.loads(event.removeprefix("data: ")) for event in events[:-2])


def test_the_last_message_of_a_user_is_the_question_and_what_people_said_before_it_the_history(client, fake):
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    client.chat.completions.create(
        model="hyoka",
        messages=[
            {"role": "system", "content": "あなたは海賊です。"},
            {"role": "user", "content": [{"type": "text", "text": "これは何？"}, picture]},
            {"role": "assistant", "content": None, "tool_calls": []},
            {"role": "assistant", "content": "わかりません。"},
            {
                "role": "user",
                "content": [{"type": "text", "text": "図書館の"}, {"type": "text", "text": "今後の計画は？"}],
            },
            {"role": "assistant", "content": "続きを"},
        ],
        temperature=0.9,
        seed=3,
        user="田中",
        max_tokens=5,
        tools=[{"type": "function", "function": {"name": "f", "parameters": {}}}],
        extra_body={"hyoka": {"filters": {"municipality": ["あおば市"]}, "reading": "fiscal"}, "chat_id": "x"},
    )
    question, history, filters = fake.asked[-1]
    assert question == "図書館の\n今後の計画は？" and filters == Filters(municipality=("あおば市",))
    assert [(turn.role, turn.content) for turn in history] == [("user", "これは何？"), ("assistant", "わかりません。")]
    assert fake.chosen[-1].reading == "fiscal"


# ---- models and errors ------------------------------------------------------------------------------------------------


def test_there_is_one_model(client):
    (one,) = client.models.list()
    assert (one.id, one.object, one.owned_by) == ("hyoka", "model", "hyoka")
    assert client.models.retrieve("hyoka").created == one.created
    with pytest.raises(NotFoundError) as problem:
        client.models.retrieve("gpt-9")
    assert problem.value.code == "model_not_found" and problem.value.param == "model"
    with pytest.raises(NotFoundError):
        client.chat.completions.create(model="gpt-9", messages=said(PLAN))


def test_errors_are_the_exceptions_of_the_client(client, address):
    for messages in (said("  "), said("あ" * 2001), [{"role": "system", "content": "x"}], said("拒否"), []):
        with pytest.raises(UnprocessableEntityError) as problem:
            client.chat.completions.create(model="hyoka", messages=messages)
        assert problem.value.type == "invalid_request_error" and not problem.value.body["message"].isascii()
    with pytest.raises(InternalServerError) as broken:
        # Tried again: the server closes a connection on which it broke, and that may overtake the answer.
        client.with_options(max_retries=3).chat.completions.create(model="hyoka", messages=said("爆発"))
    assert broken.value.type == "server_error" and "secret" not in str(broken.value)
    with pytest.raises(NotFoundError):
        client.embeddings.create(model="hyoka", input="x")
    assert Told(address, "/v1/chat/completions").status == 405


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"n": 2}, "n"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"function_call": {"name": "f"}}, "function_call"),
        ({"logprobs": True}, "logprobs"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages.0.content"),
        ({"messages": [{"role": "pirate", "content": "x"}]}, "messages.0.role"),
        ({"hyoka": {"filter": {}}}, "hyoka.filter"),
        ({"stream": "yes"}, "stream"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_part_that_is_meant(address, body, param):
    error = refused(address, **body)
    assert (error["status"], error["param"], error["type"]) == (422, param, "invalid_request_error")


@pytest.mark.parametrize(
    "body",
    [
        {"n": 1},
        {"response_format": {"type": "text"}},
        {"tool_choice": "auto"},
        {"logprobs": False},
        {"modalities": ["text"]},
    ],
)
def test_what_changes_nothing_is_taken(address, body):
    assert Told(address, "/v1/chat/completions", {"model": "hyoka", "messages": said(PLAN), **body}).status == 200


def test_a_key_is_the_api_key_and_nobody_comes_in_without_one(tmp_path):
    file, key = access_file(tmp_path)
    store = FeedbackStore()
    with serving(FakeAssistant(), Line(2), policy_of(file, store, auth="users"), store) as address:
        with OpenAI(base_url=f"{address}/v1", api_key=key, max_retries=0) as known:
            assert (
                "クラウド型"
                in known.chat.completions.create(model="hyoka", messages=said(PLAN)).choices[0].message.content
            )
            assert [one.id for one in known.models.list()] == ["hyoka"]
            with pytest.raises(AuthenticationError) as problem:
                known.with_options(api_key="hyk_wrong").chat.completions.create(model="hyoka", messages=said(PLAN))
        assert problem.value.type == "authentication_error" and "鍵" in problem.value.body["message"]
        for path in ("/v1/models", "/v1/models/hyoka", "/v1/nothing", "/v1"):
            told = Told(address, path)
            assert told.status == 401 and set(told.json["error"]) == {"message", "type", "param", "code"}
        assert set(Told(address, "/api/v1/sheets").json["error"]) == {"code", "message"}, "elsewhere as before"


def test_a_refusal_of_the_door_is_in_the_shape_of_the_address_and_keeps_its_headers():
    told = error_response(429, *MESSAGES[429])
    told.headers["Retry-After"] = "7"
    assert refusal_at("/api/v1/ask", told) is told
    shaped = refusal_at("/v1/models", told)
    assert (shaped.status_code, shaped.headers["retry-after"]) == (429, "7")
    error = json.loads(shaped.body)["error"]
    assert (error["type"], error["param"], error["code"]) == ("rate_limit_error", None, "too_many_requests")
    assert int(shaped.headers["content-length"]) == len(shaped.body)


def test_who_comes_while_all_are_busy_is_told_when_to_come_again():
    gate, line = Gate(), Line(1, 0, 60)
    with serving(gate, line) as address, OpenAI(base_url=f"{address}/v1", api_key="-", max_retries=0) as client:
        first = threading.Thread(
            target=client.chat.completions.create, kwargs={"model": "hyoka", "messages": said(PLAN)}
        )
        first.start()
        wait_for(lambda: gate.inside == 1)
        for stream in (False, True):
            with pytest.raises(InternalServerError) as problem:
                client.chat.completions.create(model="hyoka", messages=said(PLAN), stream=stream)
            assert problem.value.status_code == 503 and problem.value.code == "busy"
            assert int(problem.value.response.headers["retry-after"]) >= 1
        gate.open.set()
        first.join(120)
        assert line.running == 0


@pytest.mark.parametrize("stream", [False, True])
def test_who_leaves_while_waiting_leaves_the_line(stream):
    gate, line = Gate(), Line(1, 5, 60)
    body = json.dumps({"model": "hyoka", "messages": said(PLAN), "stream": stream}).encode()
    with serving(gate, line) as address:
        where = urlsplit(address)
        people = [socket.create_connection((where.hostname, where.port)) for _ in range(3)]
        for n, one in enumerate(people, 1):
            head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Type: application/json\r\n"
            one.sendall(head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
            wait_for(lambda n=n: line.running + line.waiting == n)
        people[1].close()
        wait_for(lambda: line.waiting == 1)
        people[0].close()  # its work has begun and is done to its end
        time.sleep(0.05)
        assert (line.running, line.waiting) == (1, 1) and gate.inside == 1
        gate.open.set()
        assert people[2].recv(12) == b"HTTP/1.1 200"
        people[2].close()
        wait_for(lambda: (line.running, line.waiting) == (0, 0))


# ---- text out of sheets -----------------------------------------------------------------------------------------------

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def shown(markdown: str) -> str | None:
    """What a reader sees of one paragraph without any markup; None where there is other markup."""
    blocks = MARKDOWN.parse(markdown)
    if [block.type for block in blocks] != ["paragraph_open", "inline", "paragraph_close"]:
        return None
    parts = blocks[1].children or []
    return (
        "".join(part.content for part in parts)
        if all(part.type in ("text", "text_special") for part in parts)
        else None
    )


@given(st.text(st.sampled_from("*_`~[]()!<>&#+-=.|\\:@$^1 aあ/\n\t　\"'{}"), max_size=40))
def test_whatever_a_sheet_prints_is_shown_as_it_is_printed(text):
    line = one_line(text)
    assert not line or shown(escaped(text)) == line


def test_a_sheet_makes_no_mark_no_bold_and_no_link_of_its_own():
    answer = FakeAssistant().ask(PLAN)
    hostile = "資料[1]は**極秘** ![x](http://a/b) <img src=x> | # を参照[^1]"
    cited = replace(answer.citations[0], quote=hostile)
    made = replace(answer, answer=f"- **名前**：{hostile} [1]\n# {hostile}", citations=(cited,))
    written = footnoted(answer_json(made, FakeAssistant().index), "http://h/")
    first = written.text.split("\n")[0]
    assert first.startswith("- **名前**：資料\\[1]は\\*\\*極秘\\*\\* !\\[x](http\\://a/b) &lt;img") and first.endswith(
        " [^1]"
    )
    assert [mark.n for mark in written.marks] == [1]
    html = MARKDOWN.render(written.text.replace("[^1]", "〔1〕"))
    assert re.findall(r"<(\w+)", html) == ["ul", "li", "strong", "p", "p", "p", "a"]
    assert html.count(hostile.replace("<", "&lt;").replace(">", "&gt;").replace("[^1]", "")) >= 2
