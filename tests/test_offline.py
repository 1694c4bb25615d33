"""Nothing leaves the machine: a day of hyoka where there is no network, with two witnesses of every attempt.

The namespace and its witnesses are in ``bundle/alone.py``, the day in ``tests/offline_day.py``. It runs from the wheel as
it would be installed, so that a file which the wheel forgot is missed here too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bundle.alone import Attempts, alone, possible
from bundle.make import application
from tests.references import imported, lets_outside, references
from tests.test_live import wait_for

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "corpus" / "samples" / "files"
NO_NAMESPACE = "このユーザーは、ネットワーク名前空間を作れません（unshare -rn）"
ADDRESS = "http://127.0.0.1:1"


@pytest.fixture(scope="module", autouse=True)
def namespaces() -> None:
    if not possible():
        pytest.skip(NO_NAMESPACE)


@dataclass(frozen=True)
class Lived:
    """What the day wrote down, and who tried to leave during it."""

    said: dict[str, Any]
    tried: Attempts
    wheel: Path


@pytest.fixture(scope="module")
def lived(namespaces: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    folder = tmp_path_factory.mktemp("offline")
    wheel = folder / "wheel"
    with zipfile.ZipFile(application(folder)) as archive:
        archive.extractall(wheel)
    questions = folder / "questions.jsonl"
    lines = (ROOT / "evals" / "cases" / "bundled.jsonl").read_text("utf-8").splitlines()
    questions.write_text("\n".join(lines[:4]) + "\n", "utf-8")
    result = folder / "day" / "result.json"
    result.parent.mkdir()
    settings = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    settings["PYTHONPATH"] = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    day = [sys.executable, str(ROOT / "tests" / "offline_day.py"), str(wheel), str(SAMPLES), str(questions)]
    ended, tried = alone([*day, str(result)], settings, folder)
    assert ended.returncode == 0, ended.stderr[-4_000:]
    yield Lived(json.loads(result.read_text("utf-8")), tried, wheel)


def test_every_command_works_without_a_network(lived):
    said = lived.said
    assert Path(said["code"]).is_relative_to(lived.wheel), "the code of the wheel was run, not the checkout"
    assert said["eval"]["n"] == 4
    assert "学校給食運営事業" in said["ask"]["answer"] and len(said["ask"]["citations"]) == 3
    assert "放課後児童クラブ" in said["search"]["hits"][0]["text"] + said["search"]["hits"][0]["sheet"]
    assert said["tune"]["dry_run"] and not said["tune"]["stored"]


def test_no_python_process_asked_for_a_name_or_an_address_outside(lived):
    assert lived.tried.python == ()


def test_the_kernel_saw_no_attempt_to_leave_before_a_browser_was_opened(lived):
    assert lived.said["before the browser"] == {}


@pytest.mark.browser
def test_the_browser_asked_for_nothing_outside(lived):
    if "browser" not in lived.said:
        pytest.skip("/usr/bin/chromium がありません（Debian の chromium）")
    browser = lived.said["browser"]
    assert browser["quote"] in lived.said["ask"]["citations"][0]["quote"] and browser["hits"] > 0
    assert browser["outside"] == [] and browser["complaints"] == []
    # Its own question for a way over IPv6 is explained in tests/offline_day.py.
    assert {name for name in lived.said["after the browser"] if name != "Ip6OutNoRoutes"} == set()
    assert {name for name in lived.tried.kernel if name != "Ip6OutNoRoutes"} == set()


def test_every_page_and_file_refers_to_this_server_only(lived):
    walked = lived.said["walk"]
    assert walked["outside"] == [] and walked["missing"] == []
    kinds = {Path(path.partition("?")[0]).suffix for path in walked["pages"]}
    assert kinds >= {"", ".js", ".css"}
    assert sum(path.startswith("/sheet/") for path in walked["pages"]) >= 60
    assert sum(path.startswith("/assets/") for path in walked["pages"]) >= 100, "the parts of Gradio were found"
    assert set(walked["pages"].values()) == {200}


def test_every_page_forbids_the_browser_to_load_from_another_host(lived):
    policies = lived.said["walk"]["policies"]
    assert {"/", "/docs"} <= set(policies) and len(policies) >= 60
    assert {path: words for path, policy in policies.items() if (words := lets_outside(policy))} == {}


# --- what proves it can fail ---------------------------------------------------------------------------------------


def test_a_connection_is_seen_by_both_witnesses_with_the_line_that_made_it():
    code = "import socket\ntry: socket.socket().connect(('192.0.2.1', 80))\nexcept OSError: pass"
    ended, tried = alone([sys.executable, "-c", code])
    assert ended.returncode == 0, ended.stderr
    assert tried.kernel == {"IpOutNoRoutes": 1}
    assert len(tried.python) == 1 and tried.python[0].startswith("socket.connect 192.0.2.1\n")
    assert 'File "<string>", line 2' in tried.python[0]


def test_a_name_looked_up_by_a_library_is_seen_though_the_lookup_is_caught():
    code = "import urllib.request as r\ntry: r.urlopen('http://minatono.example/version')\nexcept OSError: pass"
    _, tried = alone([sys.executable, "-c", code], {name: v for name, v in os.environ.items() if "proxy" not in name})
    assert [one.splitlines()[0] for one in tried.python] == ["socket.getaddrinfo minatono.example"]


@pytest.mark.parametrize(("address", "counter"), [("192.0.2.1", "IpOutNoRoutes"), ("2001:db8::1", "Ip6OutNoRoutes")])
def test_a_process_that_is_not_python_is_seen_by_the_kernel(address, counter):
    if counter.startswith("Ip6") and not Path("/proc/net/snmp6").exists():
        pytest.skip("このカーネルには IPv6 がありません")
    _, tried = alone(["bash", "-c", f"echo > /dev/tcp/{address}/80"])
    assert tried.kernel == {counter: 1} and tried.python == ()


def test_a_name_server_on_the_loopback_does_not_hide_a_lookup():
    _, tried = alone(["bash", "-c", "echo question > /dev/udp/127.0.0.53/53"])
    assert tried.kernel == {"UdpOutDatagrams": 1}


def test_the_loopback_itself_is_open_and_not_counted():
    code = (
        "import socket\n"
        "a = socket.create_server(('127.0.0.1', 0))\n"
        "socket.create_connection(('localhost', a.getsockname()[1])).close()"
    )
    ended, tried = alone([sys.executable, "-c", code])
    assert ended.returncode == 0, ended.stderr
    assert tried == Attempts({}, ())


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("text/html", '<link rel="stylesheet" href="https://cdn.example/a.css">'),
        ("text/html", "<img srcset='/own.png 1x, //cdn.example/b.png 2x'>"),
        ("text/html", '<base href="https://cdn.example/"><script src="a.js"></script>'),
        ("text/html", "<style>@import 'https://cdn.example/a.css';</style>"),
        ("text/html", '<div style="background: url(https://cdn.example/a.png)"></div>'),
        ("text/html", '<meta http-equiv="refresh" content="0; url=https://cdn.example/">'),
        ("text/html", '<a href="https://cdn.example/">外</a>'),
        ("text/html", '<script type="module">import "https://cdn.example/a.js"</script>'),
        ("text/css", "@font-face { src: url('//cdn.example/a.woff2') }"),
        ("text/javascript", "const a = () => import(`https://cdn.example/a.js`)"),
        ("text/javascript", 'import{a as b}from"https://cdn.example/a.js"'),
        ("text/javascript", 'new Worker("https://cdn.example/a.js")'),
    ],
)
def test_a_reference_to_another_host_is_found(kind, text):
    found = [one.url for one in references(f"{ADDRESS}/page", kind, text)]
    assert [url for url in found if url.partition("://")[2].startswith("cdn.example")], found


def test_a_mention_is_not_a_reference():
    text = 'const ns = "http://www.w3.org/2000/svg", see = "from https://docs.example"; // import it from "npm"'
    assert imported(text) == []


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("", ["no default-src"]),
        ("script-src 'self'", ["no default-src"]),
        ("default-src 'self'; img-src 'self' https:", ["img-src https:"]),
        ("default-src 'none'; connect-src *.cdn.example 'self'", ["connect-src *.cdn.example"]),
        ("default-src 'self'; script-src 'self' 'nonce-a_-1'; object-src 'none'; img-src data: blob:", []),
    ],
)
def test_a_policy_that_lets_something_in_is_told(policy, words):
    assert lets_outside(policy) == words


def test_a_command_that_does_not_end_is_ended_with_everything_it_started(tmp_path):
    said = tmp_path / "pid"
    for seconds in (2, 10, 60):  # a busy machine may take longer to come as far as the second process
        with pytest.raises(subprocess.TimeoutExpired):
            alone(["sh", "-c", f"sleep 600 & echo $! > {said}; wait"], seconds=seconds)
        if said.exists():
            break
    started = Path("/proc", said.read_text().strip(), "stat")

    def gone() -> bool:
        try:
            return started.read_text().rpartition(")")[2].split()[0] in "ZX"
        except OSError:
            return True

    wait_for(gone, 30)  # a busy machine may take a moment to carry out the kill
