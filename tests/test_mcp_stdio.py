"""`hyoka mcp`: the same tools over standard input and output."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters

from assistant.intake import Intake
from corpus.sources import find_files
from index.build import build
from tests.test_mcp import NAMES
from tests.two_towns import sheets

ROOT = Path(__file__).parents[1]


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HYOKA_")}
    return {**kept, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """The same sheets for the bundled encoder."""
    place = tmp_path_factory.mktemp("stdio")
    from index.encoder import load_encoder

    build(Intake(find_files([sheets(place / "sheets")]), 2**20, jobs=0), load_encoder(), place / "index").close()
    return place / "index"


def test_hyoka_mcp_speaks_over_standard_input_and_output(real, tmp_path):
    started = StdioServerParameters(
        command=sys.executable,
        args=["-m", "assistant.cli", "mcp", "--index-dir", str(real)],
        env=environment(),
        cwd=tmp_path,
    )

    async def story() -> None:
        async with Client(started, mode="legacy") as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == NAMES
            answer = await client.call_tool("ask", {"question": "港湾清掃の今後の計画は？"})
            assert "清掃船を更新する。" in answer.structured_content["answer"]
            assert "[^1]: みなと野市" in answer.content[0].text and "http" not in answer.content[0].text
            assert (await client.call_tool("ask", {"question": ""})).is_error

    asyncio.run(story())


def test_standard_output_holds_the_protocol_alone_and_a_missing_index_is_told_beside_it(real, tmp_path):
    command = [sys.executable, "-m", "assistant.cli", "mcp", "--index-dir"]
    asked = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}}  # fmt: skip
    told = subprocess.run(
        [*command, str(real)], input=json.dumps(asked) + "\nnonsense\n", env=environment(), cwd=tmp_path,
        capture_output=True, text=True, timeout=120, encoding="utf-8",
    )  # fmt: skip
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert told.returncode == 0 and lines[0]["result"]["serverInfo"]["name"] == "hyoka"
    assert all(line["jsonrpc"] == "2.0" for line in lines) and "Traceback" not in told.stderr
    told = subprocess.run(
        [*command, str(tmp_path / "none")], input="", env=environment(), cwd=tmp_path, capture_output=True, text=True,
        timeout=120, encoding="utf-8",
    )  # fmt: skip
    assert told.returncode == 1 and told.stdout == "" and "hyoka index" in told.stderr
