"""What a run asks: an index in this process, or a server."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any, ClassVar
from urllib.parse import unquote

import pytest
from eval_fakes import GOOD, LATER, TEXT, lines, reply
from fakes import FakeAssistant, FakeIndex

from evals.metrics import is_faithful
from evals.run import main
from evals.target import local


def test_a_local_target_gives_what_the_api_gives(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Snapshot(FakeIndex):
        manifest = SimpleNamespace(encoder="fake", encoder_digest="0" * 64, counts={"sheets": 4})

    monkeypatch.setattr("evals.target.open_index", lambda folder: Snapshot())
    monkeypatch.setattr("assistant.session.Assistant", FakeAssistant)
    found = local(tmp_path)
    assert found.about == {"index_version": "fake-1", "encoder": "fake 000000000000", "sheets": "4"}
    told = found.ask("図書館システムの今後の計画は？", [{"role": "user", "content": "前"}], {})
    assert told["citations"]
    for citation in told["citations"]:
        assert is_faithful(citation, found.source)
    assert found.source({"source": {"file": "nowhere.txt"}}) is None


class Server(BaseHTTPRequestHandler):
    """The three routes a run uses, answered from memory."""

    received: ClassVar[list[dict[str, Any]]] = []

    def do_GET(self) -> None:
        path = unquote(self.path)
        known = {"/healthz": b"{}", "/api/v1/sheets/戸籍システム/source": TEXT.encode()}
        self.reply(200 if path in known else 404, known.get(path, b"{}"))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.received.append(body)
        self.reply(200, json.dumps(reply("法務省の日程[1]"), ensure_ascii=False).encode())

    def reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *parts: object) -> None:
        pass


def test_a_server_is_asked_over_http(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listening = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    Thread(target=listening.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{listening.server_port}/"
    path = lines(tmp_path / "q.jsonl", GOOD, LATER, GOOD | {"id": "x", "sheets": ["税系システム"]})
    options = [str(path), "--server", url, "--runs", str(tmp_path / "runs")]
    try:
        assert main([*options, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert [case["right"] for case in told["cases"]] == [True, True, False]
        assert told["overall"]["quote_fidelity"] == 1.0
        assert Server.received[-2]["history"][1] == {"role": "assistant", "content": "法務省の日程[1]"}
    finally:
        listening.shutdown()
        listening.server_close()
    assert main(options) == 1
    assert "hyoka serve" in capsys.readouterr().err
