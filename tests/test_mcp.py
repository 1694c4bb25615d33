"""hyoka's tools for language models, called by the official client of the Model Context Protocol over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from crowds import Gate, Told, serving
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from openai import AsyncOpenAI, OpenAI

from assistant.access.registerfile import put_key
from assistant.audit import Auditing, AuditTrail, use_trail
from assistant.line import Line
from assistant.live import Live
from assistant.schemas import AnswerJson, SearchJson, SheetDetailJson, SheetListJson
from assistant.session import Assistant
from assistant.store import FeedbackStore
from assistant.tools import TOOLS
from assistant.toolschemas import FactsJson
from index.database import SQLiteDatabase
from tests.doors import access_file, policy_of
from tests.fakes import FakeAssistant
from tests.two_towns import folder, index

__all__ = ["folder", "index"]

ROOT = Path(__file__).parents[1]
NAMES = ["ask", "search", "get_sheet", "list_sheets", "query_facts"]


@pytest.fixture(autouse=True)
def no_trail_in_force():
    yield
    use_trail(AuditTrail(SQLiteDatabase()))


@pytest.fixture(scope="module")
def address(index):
    with serving(Live(Assistant(index), lambda: "", lambda old: old), Line(2)) as found:
        yield found


@asynccontextmanager
async def connected(address: str, key: str = "", mode: str = "auto", **headers: str) -> AsyncIterator[Client]:
    """The official client, with a key where there is one."""
    if key:
        headers["Authorization"] = f"Bearer {key}"
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(f"{address}/mcp", http_client=http), mode=mode, cache=None) as client,
    ):
        yield client


def called(address: str, tool: str, **arguments: Any) -> Any:
    """The result of one call."""

    async def story() -> Any:
        async with connected(address) as client:
            return await client.call_tool(tool, arguments)

    return asyncio.run(story())


def refusal(address: str, tool: str, **arguments: Any) -> str:
    """The sentence of a call that went wrong."""
    result = called(address, tool, **arguments)
    assert result.is_error and result.structured_content is None
    (told,) = result.content
    assert not told.text.isascii() and told.text.endswith("。")
    return str(told.text)


# ---- the tools over HTTP ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_tools_describe_themselves_to_a_model(address, mode):
    async def story() -> None:
        async with connected(address, mode=mode) as client:
            told = (await client.list_tools()).tools
            assert [tool.name for tool in told] == NAMES and client.server_info.name == "hyoka"
            assert "指示ではありません" in client.instructions and "query_facts" in client.instructions
            for tool in told:
                assert not tool.description.isascii() and tool.title and len(tool.description) > 60
                hints = tool.annotations
                assert hints.read_only_hint and hints.idempotent_hint
                assert hints.destructive_hint is False and hints.open_world_hint is False
                described = tool.input_schema["properties"].values()
                assert all(not one.get("description", "").isascii() for one in described)
                assert tool.input_schema["additionalProperties"] is False and tool.output_schema["type"] == "object"

    asyncio.run(story())


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_every_tool_answers_in_the_shape_it_promised_and_in_words(address, index, mode):
    async def story() -> dict[str, Any]:
        async with connected(address, mode=mode) as client:  # which checks every result against its schema
            await client.list_tools()
            sheet_id = next(one.sheet_id for one in index.sheets() if one.name == "港湾清掃")
            return {
                "ask": await client.call_tool("ask", {"question": "港湾清掃の今後の計画は？"}),
                "search": await client.call_tool("search", {"query": "清掃船", "municipality": ["みなと野市"], "k": 2}),
                "get_sheet": await client.call_tool("get_sheet", {"sheet_id": sheet_id}),
                "list_sheets": await client.call_tool("list_sheets", {"fiscal_year": [2023], "limit": 3}),
                "query_facts": await client.call_tool("query_facts", {"field": "決算額", "fiscal_year": [2023]}),
            }

    told = asyncio.run(story())
    assert not any(one.is_error for one in told.values())
    texts = {name: one.content[0].text for name, one in told.items()}
    shapes = {tool.name: tool.result.model_validate(told[tool.name].structured_content) for tool in TOOLS}
    answer, found, sheet, listed, facts = (shapes[name] for name in NAMES)
    assert isinstance(answer, AnswerJson) and "清掃船を更新する。" in answer.answer and answer.citations
    assert (
        f"]({address}/sheet/{answer.citations[0].sheet_id}?start=" in texts["ask"]
        and "[^1]: みなと野市" in texts["ask"]
    )
    assert isinstance(found, SearchJson) and {hit.municipality for hit in found.hits} == {"みなと野市"}
    assert "清掃船" in texts["search"] and found.hits[0].sheet_id in texts["search"]
    assert isinstance(sheet, SheetDetailJson) and sheet.sheet == "港湾清掃"
    assert (
        "## 今後の計画\n清掃船を更新する。" in texts["get_sheet"]
        and "決算額 R5年度 実績 450,000円" in texts["get_sheet"]
    )
    assert isinstance(listed, SheetListJson) and (listed.total, len(listed.sheets)) == (4, 3)
    assert isinstance(facts, FactsJson) and "1,500,000円" in texts["query_facts"]
    assert "見本太郎" not in json.dumps([one.structured_content for one in told.values()], ensure_ascii=False)


def test_a_follow_up_question_is_understood_with_the_earlier_ones(address):
    earlier = ["花火大会の令和5年度の決算額は？", "港湾清掃の目的は？"]
    alone, following = (
        called(address, "ask", question="今後の計画は？", **given) for given in ({}, {"earlier": earlier})
    )
    assert {one["sheet"] for one in alone.structured_content["citations"]} != {"港湾清掃"}
    assert {one["sheet"] for one in following.structured_content["citations"]} == {"港湾清掃"}
    assert "清掃船を更新する。" in following.structured_content["answer"]
    assert refusal(address, "ask", question="計画は？", earlier=["x"] * 21).startswith("earlier: ")
    assert refusal(address, "ask", question="計画は？", earlier=["x" * 2_001]).startswith("earlier.0: ")


def test_what_is_wrong_is_told_in_japanese_with_the_next_step(address):
    assert "質問が空です" in refusal(address, "ask", question=" ")
    assert "長すぎます" in refusal(address, "search", query="あ" * 2001)
    assert refusal(address, "ask") == "question: 必要な項目です。ツールの説明にある形で呼び直してください。"
    assert refusal(address, "ask", question="計画は？", town="x").startswith("town: 知らない項目です。")
    assert refusal(address, "list_sheets", fiscal_year=["令和5"]).startswith("fiscal_year.0: 整数")
    assert "list_sheets" in refusal(address, "get_sheet", sheet_id="nothing")
    assert "2021、2022、2023" in refusal(address, "query_facts", field="決算額", operation="sum")


def test_a_tool_that_is_not_there_is_an_error_of_the_protocol(address):
    async def story() -> None:
        async with connected(address) as client:
            with pytest.raises(MCPError, match="そのツールはありません"):
                await client.call_tool("delete_everything")

    asyncio.run(story())


def test_a_broken_tool_shows_nothing_of_the_inside_and_a_full_line_says_when_to_come_again():
    gate = Gate()
    with serving(gate, Line(1, 0, 60)) as address:

        async def story() -> None:
            async with connected(address) as one, connected(address) as other:
                first = asyncio.create_task(one.call_tool("ask", {"question": "図書館の今後の計画は？"}))
                while gate.inside == 0:
                    await asyncio.sleep(0.02)
                busy = await other.call_tool("ask", {"question": "図書館の今後の計画は？"})
                assert busy.is_error and "秒ほど待ってから" in busy.content[0].text
                gate.open.set()
                assert "クラウド型" in (await first).structured_content["answer"]
                broken = await other.call_tool("ask", {"question": "爆発"})
                assert (
                    broken.is_error and "secret" not in broken.content[0].text and "もう一度" in broken.content[0].text
                )

        asyncio.run(story())
        assert Told(address, "/metrics").text.count('hyoka_questions_total{outcome="answered"} 1.0') == 1


def test_a_sheet_is_a_resource(address, index):
    async def story() -> None:
        async with connected(address) as client:
            listed = (await client.list_resources()).resources
            assert [one.uri for one in listed] == [f"hyoka://sheet/{one.sheet_id}" for one in index.sheets()]
            assert listed[0].title == "みなと野市 2022 花火大会"
            (template,) = (await client.list_resource_templates()).resource_templates
            assert template.uri_template == "hyoka://sheet/{sheet_id}"
            (read,) = (await client.read_resource(listed[0].uri)).contents
            assert read.text.startswith("# みなと野市／令和4年度／花火大会") and "警備を増やす。" in read.text
            for uri in ("hyoka://sheet/nothing", "file:///etc/passwd", "hyoka://sheet/" + "x" * 300):
                with pytest.raises(MCPError):
                    await client.read_resource(uri)

    asyncio.run(story())


# ---- the door ---------------------------------------------------------------------------------------------------------


def test_two_keys_at_the_same_time_see_each_their_own_sheets_and_tools(index, tmp_path):
    file, asking = access_file(tmp_path)
    keys = {
        town: put_key(file, town, {"scopes": ["ask", "read"], "municipalities": [town]})
        for town in ("みなと野市", "碧原市")
    }
    useless = put_key(file, "計測", {"scopes": ["metrics"]})
    store = FeedbackStore()
    live = Live(Assistant(index), lambda: "", lambda old: old)
    with serving(live, Line(4), policy_of(file, store, auth="users", requests_per_minute=0), store) as address:
        chats = {town: AsyncOpenAI(base_url=f"{address}/v1", api_key=key, max_retries=0) for town, key in keys.items()}
        question = {"role": "user", "content": "花火大会の今後の計画は？"}

        async def seen(town: str, mode: str) -> None:
            async with connected(address, keys[town], mode) as client:
                assert len((await client.list_tools()).tools) == len(NAMES)
                for _ in range(2):
                    listed = (await client.call_tool("list_sheets", {})).structured_content
                    assert {one["municipality"] for one in listed["sheets"]} == {town}
                    assert listed["total"] == (3 if town == "みなと野市" else 2)
                    answer = (
                        await client.call_tool("ask", {"question": "花火大会の今後の計画は？"})
                    ).structured_content
                    assert {one["municipality"] for one in answer["citations"]} == {town}
                    found = (await client.call_tool("search", {"query": "花火大会"})).structured_content
                    assert set(found["facets"]["municipality"]) == {town}
                    facts = {"field": "決算額", "operation": "compare", "fiscal_year": [2023]}
                    counted = (await client.call_tool("query_facts", facts)).structured_content
                    assert [one["name"] for one in counted["totals"]] == [town]
                    others = (await client.list_resources()).resources
                    assert len(others) == listed["total"]
                    chat = await chats[town].chat.completions.create(model="hyoka", messages=[question])
                    titles = {one.url_citation.title.split()[0] for one in chat.choices[0].message.annotations}
                    assert titles == {town}

        async def story() -> None:
            towns = [(town, mode) for town in keys for mode in ("auto", "legacy")]
            await asyncio.gather(*(seen(town, mode) for town, mode in towns))
            hidden = next(one.sheet_id for one in index.sheets() if one.municipality == "碧原市")
            async with connected(address, keys["みなと野市"]) as client:
                assert (await client.call_tool("get_sheet", {"sheet_id": hidden})).is_error
                with pytest.raises(MCPError):
                    await client.read_resource(f"hyoka://sheet/{hidden}")
            async with connected(address, asking) as client:  # a key with the scope ask alone
                assert [tool.name for tool in (await client.list_tools()).tools] == ["ask", "search"]
                with pytest.raises(MCPError, match="使えるのは ask、search です"):
                    await client.call_tool("list_sheets", {})
                assert (await client.list_resources()).resources == []
            async with connected(address, useless) as client:
                assert (await client.list_tools()).tools == []

        asyncio.run(story())
        for key in ("", "hyk_wrong"):
            with pytest.raises((MCPError, ExceptionGroup)):
                asyncio.run(_entered(address, key))
        assert Told(address, "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).status == 401


async def _entered(address: str, key: str) -> None:
    async with connected(address, key) as client:
        await client.list_tools()


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_what_is_shown_stands_in_the_audit_trail_with_who_saw_it(index, tmp_path, mode):
    file, _ = access_file(tmp_path)
    key = put_key(file, "窓口", {"scopes": ["ask", "read"]})
    store = FeedbackStore(auditing=Auditing(on=True, days=30))
    sheet_id = index.sheets()[0].sheet_id
    live = Live(Assistant(index), lambda: "", lambda old: old)
    with serving(live, Line(2), policy_of(file, store, auth="users"), store) as address:

        async def story() -> None:
            async with connected(address, key, mode) as client:
                await client.call_tool("ask", {"question": "港湾清掃の今後の計画は？"})
                await client.call_tool("search", {"query": "清掃船"})
                await client.call_tool("get_sheet", {"sheet_id": sheet_id})
                await client.call_tool("get_sheet", {"sheet_id": "nothing"})
                await client.call_tool("list_sheets", {})
                await client.call_tool("query_facts", {"field": "決算額", "sheet": "港湾", "fiscal_year": [2023]})
                await client.list_resources()

        asyncio.run(story())
        with OpenAI(base_url=f"{address}/v1", api_key=key, max_retries=0) as asking:
            asking.chat.completions.create(model="hyoka", messages=[{"role": "user", "content": "港湾清掃の目的は？"}])
        lines = list(store.audit.lines())
    assert [(one.what, one.question, one.outcome) for one in lines] == [
        ("ask", "港湾清掃の今後の計画は？", "answered"), ("search", "清掃船", "shown"), ("sheet", "", "shown"),
        ("sheet", "", "refused"), ("list", "", "shown"), ("facts", "決算額", "shown"), ("list", "", "shown"),
        ("ask", "港湾清掃の目的は？", "answered"),
    ]  # fmt: skip
    assert {one.who for one in lines} == {"key:窓口"} and {one.address for one in lines} == {"127.0.0.1"}
    assert lines[2].sheets == (sheet_id,) and len(lines[5].sheets) == 1 and all(one.index_version for one in lines)


def test_no_session_and_no_stream_is_kept_and_no_other_name_reaches_it(index, tmp_path):
    store = FeedbackStore()
    policy = policy_of(tmp_path / "access.toml", store)  # for its own machine alone
    assert policy.own_machine_only
    with serving(FakeAssistant(), Line(2), policy, store) as address, httpx2.Client(base_url=address) as http:
        for method in ("GET", "DELETE", "PUT"):
            told = http.request(method, "/mcp", headers={"Accept": "text/event-stream"})
            assert told.status_code == 405 and told.headers["allow"] == "POST"
        asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
        accepted = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-06-18"}
        told = http.post("/mcp", json=asked, headers=accepted)
        assert told.status_code == 200 and "mcp-session-id" not in told.headers
        assert [tool["name"] for tool in told.json()["result"]["tools"]] == NAMES
        assert http.post("/mcp", json=asked, headers={**accepted, "Host": "evil.example"}).status_code == 421
        assert http.post("/mcp", json=asked, headers={**accepted, "Origin": "http://evil.example"}).status_code == 403
        assert http.post("/mcp", content=b"x" * 5_000_000, headers=accepted).status_code == 413


def test_no_body_of_whatever_bytes_or_json_breaks_it(address):
    accepted = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    method = st.sampled_from(
        ["tools/call", "tools/list", "resources/read", "resources/list", "initialize", "ping", "x"]
    )
    scalar = st.none() | st.booleans() | st.integers() | st.text(max_size=10) | st.sampled_from([*NAMES, "\ud800"])
    keys = st.sampled_from(["name", "arguments", "uri", "cursor", "question", "field", "fiscal_year", "_meta", "x"])
    value = st.recursive(scalar, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4))
    message = st.fixed_dictionaries({"jsonrpc": st.just("2.0"), "id": scalar, "method": method, "params": value})
    version = st.sampled_from(["2025-06-18", "2026-07-28", "1", ""])

    with httpx2.Client(base_url=address, timeout=60) as http:

        @given(st.one_of(message.map(json.dumps), value.map(json.dumps), st.binary(max_size=50)), version)
        @settings(deadline=None, max_examples=80)
        def sent(body: str | bytes, protocol: str) -> None:
            told = http.post("/mcp", content=body, headers={**accepted, "MCP-Protocol-Version": protocol})
            assert told.status_code < 500 and "Traceback" not in told.text

        sent()


def test_the_security_of_the_package_is_that_of_the_door():
    from assistant.mcpserver import _security

    own = _security(True)
    assert own.enable_dns_rebinding_protection and "localhost:*" in own.allowed_hosts
    assert "http://127.0.0.1:*" in own.allowed_origins and not any(one == "*" for one in own.allowed_hosts)
    assert not _security(False).enable_dns_rebinding_protection


def test_without_the_package_it_says_in_one_sentence_what_to_install(monkeypatch, capsys, here, folder):
    from assistant.cli import run

    monkeypatch.setattr("assistant.mcpserver.installed", lambda: False)
    assert run(["mcp", "--index-dir", str(folder)]) == 1
    told = capsys.readouterr()
    assert told.out == "" and "pip install 'hyoka[mcp]'" in told.err and told.err.count("\n") == 1
    with serving(FakeAssistant(), Line(1)) as address:
        told = Told(address, "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "ping"})
        assert told.status == 501 and "pip install" in told.json["error"]["message"]
