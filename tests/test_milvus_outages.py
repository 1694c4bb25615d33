"""Milvus away, slow, of an older version or without its package: told in Japanese with the next step, never waited for."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from lite import QUERIES, ROOT, closed_port, found, quiet, sent_with, stop_lite
from lite import engine as engine
from test_snapshot import build_in

from assistant.api import create_api
from assistant.cli import run
from assistant.opening import engine_of
from assistant.session import Assistant
from assistant.settings import load_settings
from assistant.store import FeedbackStore
from corpus.errors import EngineUnavailable, IndexNotSent, SettingsError
from index.build import finish
from index.engines import milvusserver
from index.engines.milvusengine import MilvusEngine
from index.engines.milvusserver import MilvusServer
from index.engines.milvusstate import SentSnapshots
from index.manifest import SNAPSHOTS, current
from index.types import Filters

# What goes wrong


def test_without_pymilvus_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(milvusserver, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"hyoka\[milvus\]"):
        engine_of(load_settings(engine="milvus", milvus_uri="http://127.0.0.1:19530"))


def test_without_milvus_lite_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(milvusserver, "find_spec", lambda name: None if name == "milvus_lite" else object())
    with pytest.raises(SettingsError, match=r"hyoka\[milvus\]"):
        MilvusServer(str(tmp_path / "a.db"))


@pytest.mark.parametrize("uri", ["milvus", "ftp://host:1", "http://", "missing/folder/a.db"])
def test_an_address_that_cannot_be_one_is_refused(uri: str, here: None) -> None:
    with pytest.raises(SettingsError):
        engine_of(load_settings(engine="milvus", milvus_uri=uri))


def test_milvus_without_an_address_is_refused_and_the_files_need_none() -> None:
    with pytest.raises(SettingsError, match="HYOKA_MILVUS_URI"):
        engine_of(load_settings(engine="milvus"))
    assert engine_of(load_settings()) is None


def test_no_password_is_shown(tmp_path: Path) -> None:
    server = MilvusServer(f"http://root:himitsu@127.0.0.1:{closed_port()}", "root:himitsu", connect_seconds=0.5)
    with pytest.raises(EngineUnavailable) as caught:
        server.collections()
    assert "himitsu" not in caught.value.message
    assert "himitsu" not in repr(load_settings(milvus_token="root:himitsu"))


def test_a_server_that_is_not_there_is_told_before_anything_is_read(
    here: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.txt").write_text("事務事業名 戸籍\n事業の目的 戸籍の事務を正しく行う。\n", encoding="utf-8")
    monkeypatch.setattr(milvusserver, "CONNECT_SECONDS", 1.0)
    monkeypatch.setattr(MilvusServer.__init__, "__defaults__", ("", 1.0, 1.0))
    monkeypatch.setenv("HYOKA_ENGINE", "milvus")
    monkeypatch.setenv("HYOKA_MILVUS_URI", f"http://127.0.0.1:{closed_port()}")
    assert run(["index", "a.txt"]) == 1
    told = capsys.readouterr().err
    assert "Milvus" in told and "HYOKA_MILVUS_URI" in told and "Traceback" not in told
    assert not (tmp_path / ".hyoka" / "index" / "CURRENT").exists()


def test_a_server_that_takes_the_call_and_says_nothing_is_not_waited_for(tmp_path: Path) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        server = MilvusServer(f"http://127.0.0.1:{deaf.getsockname()[1]}", connect_seconds=1.0, ask_seconds=1.0)
        with pytest.raises(EngineUnavailable):
            server.collections()


def test_a_search_while_milvus_is_away_is_a_503_that_says_when_to_ask_again(tmp_path: Path) -> None:
    file = tmp_path / "milvus.db"
    engine = MilvusEngine(MilvusServer(str(file), ask_seconds=1.0))
    index = sent_with(engine, tmp_path / "index")
    client = TestClient(create_api(Assistant(index), FeedbackStore(tmp_path / "f.sqlite")))
    assert client.get("/api/v1/search", params={"q": "斎場"}).status_code == 200
    stop_lite(file)
    for answer in (
        client.get("/api/v1/search", params={"q": "戸籍"}),
        client.post("/api/v1/ask", json={"question": "炉の記録を残す理由は？"}),
    ):
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        told = answer.json()["error"]
        assert told["code"] == "engine_unavailable"
        assert "Milvus" in told["message"] and told["message"].endswith("お試しください。")
    engine.server.close()


def test_a_collection_that_somebody_dropped_is_told_with_the_next_step(tmp_path: Path, engine: MilvusEngine) -> None:
    index = sent_with(engine, tmp_path / "index")
    sent = SentSnapshots(tmp_path / "index").sent(index.version)
    assert sent is not None
    engine.server.drop(sent.collection)
    with pytest.raises(IndexNotSent, match="hyoka milvus"):
        index.search("斎場の炉", 5)


# The command line


def test_the_command_line_sends_searches_and_says_so(
    here: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.txt").write_text(
        "事務事業名：戸籍システム\n担当課：市民課\n事業の目的\n戸籍の事務を正しく行う。\n今後の計画\nサーバーの更改を行う。\n",
        encoding="utf-8",
    )
    assert run(["index", "a.txt", "--index-dir", "ix"]) == 0
    monkeypatch.setenv("HYOKA_MILVUS_URI", str(tmp_path / "m.db"))
    capsys.readouterr()
    assert run(["milvus", "--index-dir", "ix", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["rows"] > 0 and told["sparse"] is True
    assert run(["search", "サーバー更改", "--index-dir", "ix", "--json"]) == 0
    local = json.loads(capsys.readouterr().out)
    monkeypatch.setenv("HYOKA_ENGINE", "milvus")
    assert run(["search", "サーバー更改", "--index-dir", "ix", "--json"]) == 0
    remote = json.loads(capsys.readouterr().out)
    assert [hit["text"] for hit in remote["hits"]] == [hit["text"] for hit in local["hits"]] != []
    assert run(["index", "a.txt", "--index-dir", "ix"]) == 0  # sends by itself
    capsys.readouterr()
    assert run(["search", "サーバー更改", "--index-dir", "ix", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["total"] == remote["total"]
    stop_lite(tmp_path / "m.db")


def test_nothing_is_sent_where_there_is_no_index(
    here: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HYOKA_MILVUS_URI", str(tmp_path / "m.db"))
    assert run(["milvus", "--index-dir", "ix"]) == 1
    assert "hyoka index" in capsys.readouterr().err
    stop_lite(tmp_path / "m.db")


# Several at once, and nobody else


def test_threads_share_a_connection(tmp_path: Path, engine: MilvusEngine) -> None:
    index = sent_with(engine, tmp_path / "index")
    expected = {query: found(index, query) for query in QUERIES}
    wrong: list[str] = []

    def ask(query: str) -> Callable[[], None]:
        def asks() -> None:
            first = index._search.find(query, Filters())
            if not len(first.best) and expected[query]:
                wrong.append(query)

        return asks

    threads = [threading.Thread(target=ask(query)) for query in QUERIES * 3]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert wrong == []


GUARDED = textwrap.dedent(
    """
    import ipaddress, os, socket, sys, threading, time
    from pathlib import Path

    seen = set()

    def ours():
        found = set()
        for one in Path("/proc/self/fd").iterdir():
            try:
                found.add(os.readlink(one))
            except OSError:
                pass
        return {name[8:-1] for name in found if name.startswith("socket:[")}

    def address(text):
        raw = bytes.fromhex(text.split(":")[0])
        words = b"".join(raw[n:n + 4][::-1] for n in range(0, len(raw), 4))
        found = ipaddress.ip_address(words)
        return getattr(found, "ipv4_mapped", None) or found

    def look():
        mine = ours()
        for kind in ("tcp", "tcp6", "udp", "udp6"):
            try:
                lines = Path("/proc/self/net", kind).read_text().splitlines()[1:]
            except OSError:
                continue
            for line in lines:
                parts = line.split()
                if parts[9] in mine and int(parts[2].split(":")[1], 16):
                    seen.add(str(address(parts[2])))

    done = threading.Event()

    def watch():
        while not done.wait(0.002):
            look()

    threading.Thread(target=watch, daemon=True).start()
    connect = socket.socket.connect

    def guarded(self, target):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            seen.add(target[0])
        return connect(self, target)

    socket.socket.connect = guarded
    socket.getaddrinfo = lambda host, *rest, **named: seen.add(str(host)) or []
    sys.path.insert(0, "tests")
    from lite import MilvusEngine, MilvusServer, found, sent_with
    folder = Path(sys.argv[1])
    engine = MilvusEngine(MilvusServer(str(folder / "m.db")))
    index = sent_with(engine, folder / "index")
    assert found(index, "斎場")
    index = sent_with(engine, folder / "index")
    look()
    done.set()
    print("seen", *sorted(seen))
    """
)


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="looks at open sockets the way Linux shows them")
def test_nothing_is_called_but_the_address_that_was_set(tmp_path: Path) -> None:
    """gRPC opens its sockets in C, where Python sees nothing: so the kernel is asked which ones this process has."""
    told = subprocess.run(
        [sys.executable, "-c", GUARDED, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert told.returncode == 0, told.stderr
    assert told.stdout.split()[-2:] == ["seen", "127.0.0.1"]


def test_the_snapshot_folder_is_not_touched_by_sending(tmp_path: Path, engine: MilvusEngine) -> None:
    index = build_in(tmp_path / "index")
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "index" / SNAPSHOTS).rglob("*")}
    finish(tmp_path / "index", engine, quiet)
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "index" / SNAPSHOTS).rglob("*")} == before
    assert index.version == current(tmp_path / "index")
