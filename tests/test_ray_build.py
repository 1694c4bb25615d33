"""A build spread over a real Ray cluster: one head on this machine, started here and ended here."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from built import content, many
from fake_encoder import FakeEncoder

from assistant.cli import main
from assistant.raycluster import RayHands, connect, spread_of
from assistant.settings import load_settings
from assistant.workers import WorkerDied
from corpus.errors import SettingsError
from index.build import write_snapshot

with_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the extra `ray` is not installed")
SAMPLES = Path(__file__).parents[1] / "corpus" / "samples" / "files"


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a cluster of two processes."""
    import ray

    port = free_port()
    folder = tempfile.mkdtemp(prefix="ray", dir="/tmp")  # a longer path is too long for its sockets
    flags = ["--head", "--num-cpus=2", f"--port={port}", f"--ray-client-server-port={free_port()}", "--block"]
    quiet = [
        "--disable-usage-stats",
        "--include-dashboard=false",
        f"--temp-dir={folder}",
        "--object-store-memory=200000000",
    ]
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", *flags, *quiet]
    with (Path(folder) / "told").open("wb") as told:
        head = subprocess.Popen(command, stdout=told, stderr=told, start_new_session=True)
    try:
        until = time.monotonic() + 90
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < until and head.poll() is None, (Path(folder) / "told").read_text()
                time.sleep(0.2)
        yield f"127.0.0.1:{port}"
    finally:
        ray.shutdown()
        started = descendants(head.pid)
        head.terminate()
        try:
            head.wait(120)
        except subprocess.TimeoutExpired:
            head.kill()
            head.wait()
        for pid, begun in started.items():
            if begun_at(pid) == begun:  # its own, and not another's that has the number by now
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A port that is free now, outside of those that Ray gives to its workers."""
    while True:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port: int = one.getsockname()[1]
        if port >= 20_000:
            return port


def begun_at(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def descendants(pid: int) -> dict[int, str]:
    """The processes below one, each with when it began."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            children.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(int(stat.parent.name))
        except OSError:
            continue
    found, waiting = {}, [pid]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            found[child] = begun_at(child)
            waiting.append(child)
    return found


@pytest.fixture
def hands(cluster: str) -> Callable[[Callable[[object], object], float], RayHands]:
    connect(cluster)
    return RayHands


@with_ray
def test_a_cluster_makes_the_same_index(cluster: str, tmp_path: Path) -> None:
    spread = spread_of(load_settings(ray_address=cluster))
    assert spread is not None
    write_snapshot(many(), FakeEncoder(), tmp_path / "here")
    write_snapshot(many(), FakeEncoder(), tmp_path / "there", spread=spread)
    assert content(tmp_path / "there") == content(tmp_path / "here")


@with_ray
def test_the_command_reads_and_prepares_on_the_cluster(
    cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "資料").mkdir()
    for suffix in (".txt", ".html", ".docx"):
        shutil.copy(next(SAMPLES.glob(f"*{suffix}")), tmp_path / "資料")
    (tmp_path / "資料" / "空.txt").write_bytes(b"")
    (tmp_path / "資料" / "壊れた.docx").write_bytes(b"PK not a book")

    def index(place: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(["index", "資料", "--index-dir", place])
        assert not ended.value.code
        return capsys.readouterr().err

    monkeypatch.setenv("HYOKA_JOBS", "0")
    here = index("ここ")
    monkeypatch.setenv("HYOKA_RAY_ADDRESS", cluster)
    there = index("クラスター")
    refused = [line for line in here.splitlines() if "読めませんでした" in line]
    assert len(refused) == 2 and refused == [line for line in there.splitlines() if "読めませんでした" in line]
    assert content(tmp_path / "ここ") == content(tmp_path / "クラスター")


def die(task: object) -> object:
    if task == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if task == "hang":
        time.sleep(600)
    if task == "raise":
        raise ValueError("wrong")
    return task


@with_ray
def test_a_task_that_ends_or_hangs_its_process_costs_that_task(hands: Callable[..., RayHands]) -> None:
    with hands(die, 2.0) as opened:
        tasks = {task: opened.submit(task) for task in ("one", "die", "hang", "raise", "two")}
        assert (tasks["one"].result(120), tasks["two"].result(120)) == ("one", "two")
        for task in ("die", "hang"):
            with pytest.raises(WorkerDied):
                tasks[task].result(120)
        with pytest.raises(ValueError, match="wrong"):
            tasks["raise"].result(120)


def reports(task: object) -> object:
    return os.environ.get("RAY_USAGE_STATS_ENABLED")


@with_ray
def test_no_process_reports_usage(hands: Callable[..., RayHands]) -> None:
    with hands(reports, 60.0) as opened:
        assert opened.submit(None).result(120) == "0"
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


@with_ray
@pytest.mark.parametrize(("address", "said"), [("127.0.0.1:1", "ray start --head"), ("どこか", "アドレスとポート")])
def test_a_cluster_that_is_not_there_is_said(address: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(SettingsError, match=said):
        connect(address)


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SettingsError, match=r"pip install 'hyoka\[ray\]'"):
        connect("127.0.0.1:6379")


def test_without_an_address_nothing_is_spread() -> None:
    assert spread_of(load_settings()) is None
