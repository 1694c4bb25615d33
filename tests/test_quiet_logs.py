"""No question is in a log: a real server is asked by every way, and its output and its store are searched."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.poolworker import Outcome, Task, _Desk

MARK = "秘密の質問三八四七"
ROOT = Path(__file__).resolve().parents[1]

# Its assistant breaks as errors do that quote what they broke on.
SERVER = """
import sys
from pathlib import Path
from assistant.conversations import Keeping
from assistant.line import Line
from assistant.logs import set_up
from assistant.serving import listen, run
from assistant.settings import load_settings
from assistant.store import FeedbackStore
from corpus.errors import IndexDamaged
from tests.fakes import FakeAssistant, FakeIndex
from ui.app import create_app

class Breaking(FakeAssistant):
    def ask(self, question, history=(), filters=None, choices=None):
        if "破損" in question:
            try:
                raise KeyError(question)
            except KeyError as error:
                raise ValueError(f"cannot read {question}") from error
        return super().ask(question, history) if filters is None else super().ask(question, history, filters)

class BreakingIndex(FakeIndex):
    def search(self, query, *rest, **named):
        if "破損" in query:
            raise RuntimeError(f"no such words: {query}")
        return super().search(query, *rest, **named)
    search_sheets_of_all = FakeIndex.search_sheets
    def search_sheets(self, query, *rest, **named):
        if "破損" in query:
            raise RuntimeError(f"no such words: {query}")
        return super().search_sheets(query, *rest, **named)

settings = load_settings(log_level="info")
set_up(settings.log_format, settings.log_level, settings.secrets)
store = FeedbackStore(Path(sys.argv[2]), Keeping(on=False, days=1, most=5))
app = create_app(Breaking(BreakingIndex()), store, line=Line(1, 1, 0.2))
with listen("127.0.0.1", int(sys.argv[1])) as opened:
    run(app, opened, settings)
"""


class Server:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = folder / "log"
        env = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]),
            "TMPDIR": str(folder / "tmp"),
        }
        (folder / "tmp").mkdir()
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVER, str(self.port), str(folder / "store.sqlite")],
                stdout=out, stderr=subprocess.STDOUT, env=env, cwd=ROOT,
            )  # fmt: skip
        for _ in range(600):
            if self.process.poll() is not None:
                raise AssertionError(self.log.read_text())
            try:
                if self.ask("GET", "/readyz") == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise AssertionError("the server does not start")

    def ask(self, method: str, path: str, body: object = None, raw: bytes | None = None) -> int:
        data = raw if raw is not None else None if body is None else json.dumps(body, ensure_ascii=False).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, method=method)
        request.add_header("Content-Type", "application/json")
        request.add_header("Accept", "application/json, text/event-stream, */*")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                self.last = answer.read().decode("utf-8", "replace")
                return int(answer.status)
        except urllib.error.HTTPError as error:
            self.last = error.read().decode("utf-8", "replace")
            return error.code

    def everything(self) -> list[str]:
        """The files that the server wrote to, in which the mark stands in whatever form."""
        forms = [
            MARK.encode(),
            urllib.parse.quote(MARK).encode(),
            json.dumps(MARK)[1:-1].encode(),
            MARK.encode("unicode_escape"),
        ]
        files = [file for file in self.folder.rglob("*") if file.is_file()]
        return [file.name for file in files if any(form in file.read_bytes() for form in forms)]

    def end(self) -> str:
        self.process.terminate()
        self.process.wait(120)
        return self.log.read_text("utf-8", "replace")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("server"))
    yield running
    running.process.kill()
    running.process.wait()


def by_the_screen(server: Server, question: str) -> str:
    """A question as the page of the screens sends it; what comes back of its event."""
    assert server.ask("GET", "/config") == 200
    told = json.loads(server.last)
    parts = {part["id"]: part for part in told["components"]}
    for event in told["dependencies"]:
        first = parts.get(event["inputs"][0]) if event["inputs"] else None
        submits = any(target[1] == "submit" for target in event["targets"])
        if submits and first is not None and first["type"] == "textbox":
            values = [question, *(parts[one]["props"].get("value") for one in event["inputs"][1:])]
            values[1] = values[1] or []
            session = {"fn_index": event["id"], "session_hash": "s" + str(abs(hash(question)))}
            assert server.ask("POST", "/gradio_api/queue/join", {"data": values, **session}) == 200, server.last
            assert server.ask("GET", f"/gradio_api/queue/data?session_hash={session['session_hash']}") == 200
            return server.last
    raise AssertionError("no box to ask in")


def test_no_question_is_in_a_log_or_in_a_store_without_a_history(server):
    q = urllib.parse.quote(MARK)
    broken = urllib.parse.quote(MARK + "破損")
    assert server.ask("POST", "/api/v1/ask", {"question": MARK}) == 200
    earlier = [{"role": "user", "content": MARK}, {"role": "assistant", "content": MARK}]
    assert server.ask("POST", "/api/v1/ask", {"question": "続きは？", "history": earlier}) == 200
    assert server.ask("POST", "/api/v1/ask", {"question": MARK + "破損"}) == 500
    assert MARK not in server.last
    assert server.ask("POST", "/api/v1/ask", {"question": MARK * 300}) == 422
    assert server.ask("POST", "/api/v1/ask", {"question": MARK, "filters": {"fiscal_year": [MARK]}}) == 422
    assert server.ask("POST", "/api/v1/ask", raw=b'{"question": "' + MARK.encode()) in (400, 422)
    for question, status in ((MARK, 200), (MARK + "破損", 500), (MARK * 300, 422)):
        said = {"model": "hyoka", "messages": [{"role": "user", "content": question}]}
        assert server.ask("POST", "/v1/chat/completions", said) == status
        assert server.ask("POST", "/v1/chat/completions", {**said, "stream": True}) == status
    assert server.ask("POST", "/v1/chat/completions", {"model": MARK, "messages": MARK}) == 422
    for method, given in (
        ("tools/call", {"name": "ask", "arguments": {"question": MARK}}),
        ("tools/call", {"name": "ask", "arguments": {"question": MARK + "破損"}}),
        ("tools/call", {"name": "search", "arguments": {"query": MARK + "破損", "k": MARK}}),
        ("tools/call", {"name": "search", "arguments": {"query": MARK + "破損"}}),
        ("tools/call", {"name": MARK, "arguments": {MARK: MARK}}),
        ("resources/read", {"uri": f"hyoka://sheet/{MARK}"}),
        (MARK, {}),
        ("tools/call", MARK),
    ):
        called = {"jsonrpc": "2.0", "id": 1, "method": method, "params": given}
        assert server.ask("POST", "/mcp", called) in (200, 400, 404)
    assert server.ask("POST", "/mcp", raw=MARK.encode()) == 400
    for path in ("/api/v1/search", "/search/results", "/export/search.csv", "/export/search.xlsx"):
        assert server.ask("GET", f"{path}?q={q}") == 200
        assert server.ask("GET", f"{path}?q={broken}") in (200, 500)
    assert server.ask("GET", f"/api/v1/search?q={q}&k={q}") == 422
    assert server.ask("GET", f"/compare?q={q}&sheet={q}") == 200
    assert server.ask("GET", f"/sheet/nothing?q={q}") == server.ask("GET", f"/api/v1/nothing?q={q}") == 404
    assert server.ask("GET", f"/?q={q}") == 200
    assert "process_completed" in by_the_screen(server, MARK)
    assert "process_completed" in by_the_screen(server, MARK + "破損")
    assert server.ask("GET", "/metrics") == 200
    assert MARK not in server.last and q not in server.last
    log = server.end()
    assert "ValueError" in log and "KeyError" in log and "RuntimeError" in log and "Traceback" in log
    assert "in ask" in log
    assert MARK not in log and q not in log and server.everything() == []


def test_an_answering_process_tells_its_way_and_no_question():
    class Broken:
        def of(self, _: object) -> Broken:
            return self

        def ask(self, question: str) -> None:
            raise KeyError(question)

    desk = _Desk.__new__(_Desk)
    desk._open = {1: Broken()}  # type: ignore[dict-item]
    outcome = desk.do(Task(1, "ask", (MARK,)))
    assert isinstance(outcome, Outcome) and "KeyError" in outcome.broke and MARK not in outcome.broke
