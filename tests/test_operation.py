"""A server as it is run for years: what it logs, whether it says truly that it is ready, how it takes news and how it ends."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest
from proxy import NGINX, nginx
from running import QUESTION, ROOT, Chat, Process, free_port

from index.manifest import CURRENT, SNAPSHOTS, current
from tests.test_live import wait_for

SHEET = "事務事業評価シート（令和5年度）\nみなと野市\n事業名 {name}\n担当課 企画課\n事業の目的\n{name}を続ける。\n今後の計画\n{plan}\n"


def index_of(folder: Path, sources: Path) -> Path:
    from assistant.intake import Intake
    from corpus.sources import find_files
    from index.build import build
    from index.encoder import load_encoder

    build(Intake(find_files([sources]), 2**20, jobs=0), load_encoder(), folder, sources=[str(sources)]).close()
    return folder


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    (folder / "a.txt").write_text(SHEET.format(name="花火大会", plan="令和6年度は会場を港に移す。"), "utf-8")
    return folder


@pytest.fixture(scope="module")
def index(sources, tmp_path_factory) -> Path:
    return index_of(tmp_path_factory.mktemp("built") / "index", sources)


@pytest.fixture(scope="module")
def server(index, tmp_path_factory) -> Iterator[Process]:
    """One server for the tests that leave it as it was; it looks for news only when it is told to."""
    own = tmp_path_factory.mktemp("served")
    shutil.copytree(index, own / "index")
    running = Process(own / "index", own, watch_seconds=0).until_ready()
    yield running
    running.end()


# ---- the log --------------------------------------------------------------------------------------------------------


def test_a_request_is_one_line_with_its_template_and_without_what_was_asked(server):
    before = len(server.events("request"))
    sent = server.send("POST", "/api/v1/ask", {"question": QUESTION}, **{"X-Request-ID": "proxy-0001.a"})
    assert sent.headers["X-Request-ID"] == "proxy-0001.a"
    server.get(f"/api/v1/search?q={quote('花火大会')}")
    sheet = server.get("/api/v1/sheets").json["sheets"][0]["sheet_id"]
    server.get(f"/api/v1/sheets/{sheet}")
    assert server.get("/api/v1/sheets/nope").status == 404
    server.get("/healthz")
    server.get("/hyoka-assets/hyoka.js")
    server.wait(lambda: len(server.events("request")) >= before + 5)
    lines = server.events("request")[before:]
    assert [(one["method"], one["route"], one["status"]) for one in lines] == [
        ("POST", "/api/v1/ask", 200),
        ("GET", "/api/v1/search", 200),
        ("GET", "/api/v1/sheets", 200),
        ("GET", "/api/v1/sheets/{sheet_id}", 200),
        ("GET", "/api/v1/sheets/{sheet_id}", 404),
    ]
    assert lines[0]["request"] == "proxy-0001.a" and lines[0]["bytes"] == len(sent.text.encode())
    assert lines[0]["ms"] > 0 and lines[0]["event"] == "request" and "caller" not in lines[0]
    assert len({one["request"] for one in lines}) == 5
    written = str(server.lines)
    assert "花火大会" not in written and quote("花火大会") not in written and sheet not in written


@pytest.mark.parametrize(
    "sent", ["short", "x" * 65, "a b c d e f", 'ab"cd\\efgh', "日本語日本語日本語".encode().decode("latin-1")]
)
def test_an_id_that_is_not_short_and_plain_is_replaced(server, sent):
    made = server.get("/healthz", **{"X-Request-ID": sent}).headers["X-Request-ID"]
    assert len(made) == 16 and int(made, 16) >= 0


def test_start_and_readiness_stand_in_the_log_and_systemd_hears_of_them(server):
    server.wait(lambda: server.events("ready") and "READY=1\nSTATUS=ready" in server.told)
    assert server.lines[0]["event"] == "start"


def test_a_chat_leaves_lines_but_no_question(server):
    messages = Chat(server).read()
    assert any(one["msg"] == "process_completed" and one["success"] for one in messages)
    server.wait(lambda: any(one.get("route") == "/gradio_api/queue/data" for one in server.lines))
    assert "花火大会" not in str(server.lines)


# ---- health and readiness -------------------------------------------------------------------------------------------


def test_it_is_not_ready_while_the_files_of_its_index_are_away(server):
    snapshot = server.index / SNAPSHOTS / current(server.index)
    aside = snapshot.with_name("aside")
    snapshot.rename(aside)  # what an unmounted folder looks like
    refused = server.get("/readyz")
    assert refused.status == 503 and "つながっているか" in refused.json["error"]["message"]
    assert server.get("/healthz").status == 200
    aside.rename(snapshot)
    assert server.get("/readyz").json == {"status": "ready", "index_version": snapshot.name, "sheets": 1}
    one = next(file for file in snapshot.rglob("*.sqlite"))
    kept = one.read_bytes()
    one.rename(one.with_suffix(".kept"))
    one.write_bytes(kept)  # another file in its place, were it ever so alike
    assert server.get("/readyz").status == 503
    one.with_suffix(".kept").replace(one)
    assert server.get("/readyz").status == 200


def test_it_is_degraded_but_serves_while_opinions_cannot_be_kept(server):
    other = sqlite3.connect(server.store, isolation_level=None)
    other.execute("begin exclusive")  # as a disk that refuses would: nothing can be written
    told = {}

    def degraded() -> bool:
        answer = server.get("/readyz")
        assert answer.status == 200
        told.update(answer.json)
        return told["status"] == "degraded"

    server.wait(degraded)
    assert [problem for problem in told["problems"] if "保存できません" in problem]
    assert server.send("POST", "/api/v1/feedback", {"question": "q", "rating": "up"}).status == 503
    assert server.get("/api/v1/sheets").status == 200
    other.execute("rollback")
    other.close()
    server.wait(lambda: server.get("/readyz").json["status"] == "ready")


def test_a_new_index_that_does_not_open_degrades_and_sighup_takes_one_that_does(server):
    before = current(server.index)
    broken = server.index / SNAPSHOTS / "20991231T000000000000-00000000"
    broken.mkdir()
    (server.index / CURRENT).write_text(f"{broken.name}\n", "utf-8")
    assert server.get("/readyz").json["status"] == "ready"  # nobody has looked
    server.signal(signal.SIGHUP)
    server.wait(lambda: server.get("/readyz").json["status"] == "degraded")
    told = server.get("/readyz").json
    assert told["index_version"] == before and "前の索引" in told["problems"][0]
    assert server.ask().json["citations"]
    (server.index / CURRENT).write_text(f"{before}\n", "utf-8")
    server.signal(signal.SIGHUP)
    server.wait(lambda: server.get("/readyz").json["status"] == "ready")
    server.wait(lambda: len(server.events("reload")) == 2)
    server.wait(lambda: any(one["level"] == "error" for one in server.events("index")))
    broken.rmdir()


def test_it_is_not_ready_before_its_first_answer_nor_when_it_is_to_stop():
    from fastapi.testclient import TestClient

    from assistant.api import create_api
    from assistant.store import FeedbackStore
    from tests.fakes import FakeAssistant, FakeIndex

    loaded = threading.Event()

    class Slow(FakeIndex):
        def encode(self, texts, kind="query"):
            assert loaded.wait(120)
            return super().encode(texts, kind)

    application = create_api(FakeAssistant(Slow()), FeedbackStore(":memory:"))
    with TestClient(application) as client:
        starting = client.get("/readyz")
        assert starting.status_code == 503 and "準備中" in starting.json()["error"]["message"]
        assert client.get("/healthz").status_code == 200
        loaded.set()
        assert application.state.readiness.wait(120)
        assert client.get("/readyz").json()["status"] == "ready"
        application.state.readiness.stop()
        assert client.get("/readyz").status_code == 503


# ---- what deploy/ says of it ----------------------------------------------------------------------------------------


def test_the_health_check_of_the_container_tells_alive_from_dead(server):
    text = (ROOT / "deploy" / "container" / "Containerfile").read_text("utf-8")
    code = re.search(r'CMD \["python", "-c", "(.*)"\]', text)[1]
    alive = subprocess.run([sys.executable, "-c", code.replace(":8000/", f":{server.port}/")], capture_output=True)
    dead = subprocess.run([sys.executable, "-c", code.replace(":8000/", f":{free_port()}/")], capture_output=True)
    assert alive.returncode == 0 and dead.returncode != 0


class Through(Process):
    """The same server, reached over another port."""

    def __init__(self, server: Process, port: int) -> None:
        self.__dict__.update(server.__dict__)
        self.port = port


@pytest.mark.skipif(not NGINX.exists(), reason=f"{NGINX} がありません（Debian の nginx-light）")
def test_a_question_a_search_and_a_streamed_answer_go_through_nginx(server, tmp_path):
    with nginx(tmp_path, server.port) as port:
        through = Through(server, port)

        def answers() -> bool:
            try:
                return through.get("/readyz").status == 200
            except OSError:
                return False

        server.wait(answers)
        before = len(server.lines)
        assert through.ask().json["citations"]
        assert through.get(f"/api/v1/search?q={quote('花火大会')}").json["total"] >= 1
        assert "X-Request-ID" in through.get("/").headers
        assert any(one["msg"] == "process_completed" and one["success"] for one in Chat(through, QUESTION).read())
        page = through.connect()
        page.request("GET", "/gradio_api/heartbeat/abcdefgh")
        assert page.getresponse().readline() == b"data: ALIVE\n"  # never ends: a proxy that held it back would wait
        page.close()
        assert through.send("POST", "/api/v1/ask", {"question": "x" * 6_000_000}).status == 413
        lines = server.lines[before:]
        ids = [one["request"] for one in lines if one.get("route") == "/api/v1/ask"]
        assert len(ids) == 1 and re.fullmatch(r"[0-9a-f]{32}", ids[0])  # nginx has made it


# ---- a new index under load -----------------------------------------------------------------------------------------


def test_ten_new_indexes_under_load_cost_no_request(index, sources, tmp_path):
    """The server looks every 50 ms; four clients, two of them over connections that stay, ask on and on."""
    from corpus.reading import read_sheets
    from corpus.sources import find_files, read_source
    from index.encoder import load_encoder
    from index.update import update

    folder, encoder = tmp_path / "index", load_encoder()
    shutil.copytree(index, folder)
    server = Process(folder, tmp_path / "server", watch_seconds=0.05).until_ready()
    stop, problems, versions, count = threading.Event(), [], [], [0, 0, 0, 0]

    def client(number: int) -> None:
        kept = server.connect()
        while not stop.is_set():
            try:
                if number % 2:
                    kept.request("GET", f"/api/v1/search?q={quote('今後の計画')}")
                    answer = kept.getresponse()
                    body, status = answer.read(), answer.status
                else:
                    told = server.ask()
                    body, status = told.text.encode(), told.status
                    versions.append(told.json["index_version"])
                stop.wait(0.02)  # leaves the builder something of the processor
                if status != 200 or not body:
                    problems.append((status, body))
                count[number] += 1
            except Exception as problem:  # whatever it is, a request was lost
                problems.append((number, repr(problem)))
                return

    try:
        with ThreadPoolExecutor(4) as clients:
            for number in range(4):
                clients.submit(client, number)
            try:
                for change in range(10):
                    (sources / "b.txt").write_text(
                        SHEET.format(name="朝市", plan=f"第{change + 1}会場で開く。"), "utf-8"
                    )
                    (file,) = [one for one in find_files([sources]) if one.name == "b.txt"]
                    document = read_source(file, 2**20)
                    update(folder, encoder, [(document, read_sheets(document))])
                    now = current(folder)
                    server.wait(lambda now=now: now in versions)
            finally:
                stop.set()
        assert problems == []
        assert len(dict.fromkeys(versions)) >= 11 - 1 and all(done > 10 for done in count)
        assert "第10会場" in server.ask("朝市の今後の計画は？").text
        server.wait(lambda: sum("index" in one for one in server.events("index")) == 10)

        def held() -> set[str]:
            maps = Path(f"/proc/{server.process.pid}/maps").read_text("utf-8")
            return set(re.findall(r"/snapshots/([^/ ]+)", maps))

        # Of the older ones none is kept open, nor its memory, but perhaps the one that was in use when the last came.
        wait_for(lambda: len(held()) <= 2 and current(folder) in held())
    finally:
        server.end()
        (sources / "b.txt").unlink(missing_ok=True)


# ---- the end --------------------------------------------------------------------------------------------------------


def test_sigterm_lets_requests_and_chats_end_and_refuses_new_ones(index, tmp_path):
    server = Process(index, tmp_path).until_ready()
    try:
        idle, half, chat = server.connect(), server.half(), Chat(server)
        idle.request("GET", "/healthz")
        assert idle.getresponse().read()
        chat.read("process_generating")  # the answer is being written
        server.signal()
        server.wait(lambda: "STOPPING=1" in server.told)
        refused = server.ask()
        assert refused.status == 503 and refused.json["error"]["code"] == "stopping"
        assert refused.headers["Connection"] == "close" and int(refused.headers["Retry-After"]) > 0
        away = server.get("/readyz")
        assert away.status == 503 and "停止" in away.json["error"]["message"]
        assert server.get("/healthz").status == 200
        done = [one for one in chat.read() if one["msg"] == "process_completed"]
        assert done and done[0]["success"]
        answer = half.finish()
        assert answer.status == 200 and answer.json["citations"]
        assert server.process.wait(120) == 0
        assert [one["event"] for one in server.lines if one.get("event") in ("stopping", "stop", "cut")] == [
            "stopping",
            "stop",
        ]
        assert not [one for one in server.lines if one["level"] in ("error", "critical")]
        assert not server.store.with_name("store.sqlite-wal").exists()  # closed, not left behind
    finally:
        server.end()


def test_with_workers_it_waits_for_them_says_when_they_are_gone_and_takes_them_along(index, tmp_path):
    server = Process(index, tmp_path, workers=2).until_ready()
    try:
        server.wait(
            lambda: len(children(server.process.pid)) == 2 and 'state="ready"} 2.0' in server.get("/metrics").text
        )
        first = children(server.process.pid)
        for pid in first:
            os.kill(pid, signal.SIGKILL)
        server.wait(lambda: server.get("/readyz").status == 503)
        assert "準備しています" in server.get("/readyz").json["error"]["message"]
        server.wait(lambda: server.get("/readyz").status == 200 and 'state="ready"} 2.0' in server.get("/metrics").text)
        second = children(server.process.pid)
        assert not set(first) & set(second) and len(second) == 2
        for pid in second:
            os.kill(pid, signal.SIGSTOP)  # the answer takes as long as the test likes
        with ThreadPoolExecutor(1) as client:
            asked = client.submit(server.ask)
            server.wait(lambda: "hyoka_running 1.0" in server.get("/metrics").text)
            server.signal()
            server.wait(lambda: server.get("/readyz").status == 503)
            assert server.ask().status == 503
            for pid in second:
                os.kill(pid, signal.SIGCONT)
            answer = asked.result(60)
        assert answer.status == 200 and answer.json["citations"]
        assert server.process.wait(120) == 0
        server.wait(lambda: not any(Path(f"/proc/{pid}").exists() for pid in second))
    finally:
        server.end()


def children(pid: int) -> list[int]:
    return [int(one) for task in Path(f"/proc/{pid}/task").iterdir() for one in (task / "children").read_text().split()]


def test_a_second_signal_ends_it_at_once(server):
    """The last test of the server that the others share."""
    half = server.half()
    server.signal()
    server.wait(lambda: "STOPPING=1" in server.told)
    assert server.process.poll() is None
    server.signal()
    assert server.process.wait(120) == 128 + signal.SIGTERM
    with pytest.raises(OSError):
        half.finish()
