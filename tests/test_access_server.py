"""The commands of access, and a real server with a certificate and people."""

from __future__ import annotations

import io
import json
import os
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

import pytest
import trustme

from assistant.access.register import read_register
from assistant.cli import run
from tests.doors import USER

COMMAND = [sys.executable, "-c", "import sys; from assistant.cli import main; sys.exit(main())"]
SHEET = (
    "事務事業評価シート\n事業名\t図書館管理\n所管課\t文化課\n事業の目的\t本を貸し出す。\n今後の計画\t分館を建てる。\n"
)


def told(monkeypatch, *arguments: str, typed: str = "") -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    return run(list(arguments))


def test_people_passwords_and_keys_are_put_in_and_taken_out(here, tmp_path, monkeypatch, capsys):
    file = Path(".hyoka/index/access.toml")
    assert told(monkeypatch, "access", "password", typed=f"{USER}\n") == 0
    assert told(monkeypatch, "access", "user", "田中", "--municipality", "みなと野市", typed=f"{USER}\n") == 0
    assert told(monkeypatch, "access", "user", "鈴木", "--role", "管理者", "--no-password") == 0
    capsys.readouterr()
    assert (
        told(monkeypatch, "access", "key", "週報", "--scope", "ask", "--folder", "財政", "--until", "2027-03-31") == 0
    )
    key = capsys.readouterr().out.strip()
    register = read_register(file)
    found = register.key(key)
    assert found is not None and found.folders == ["財政"] and key not in file.read_text()
    assert told(monkeypatch, "access", "list", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["kind"], row["name"], row["may"]) for row in rows] == [
        ("共通パスワード", "", "利用者"), ("利用者", "田中", "利用者"), ("利用者（パスワードなし）", "鈴木", "管理者"),
        ("鍵", "週報", "ask（2027-03-31まで）"),
    ]  # fmt: skip
    assert rows[1]["municipalities"] == "みなと野市"
    assert told(monkeypatch, "access", "list") == 0 and "週報" in capsys.readouterr().out
    for what in (["password"], ["user", "田中"], ["user", "鈴木"], ["key", "週報"]):
        assert told(monkeypatch, "access", *what, "--remove") == 0
    assert read_register(file) == type(register)()
    assert told(monkeypatch, "access", "user", "田中", "--remove") == 1
    assert "ありません" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "typed", "said"),
    [
        (["user", "田中"], "みじかい\n", "10文字以上"),
        (["user", "田中", "--role", "係員"], "", "役割「係員」"),
        (["key", "週報", "--scope", "everything"], "", "keys.1.scopes.1"),
        (["user", ""], f"{USER}\n", "users.1.name"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_written(here, monkeypatch, capsys, arguments, typed, said):
    assert told(monkeypatch, "access", *arguments, typed=typed) == 1
    assert said in capsys.readouterr().err and not Path(".hyoka/index/access.toml").exists()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """``hyoka serve`` with a certificate and one person; gives its port, the authority, and the process."""
    folder = tmp_path_factory.mktemp("tls")
    (folder / "files").mkdir()
    (folder / "files" / "図書館.txt").write_text(SHEET)
    authority = trustme.CA()
    made = authority.issue_cert("127.0.0.1", "localhost")
    made.private_key_pem.write_to_path(folder / "key.pem")
    for n, blob in enumerate(made.cert_chain_pems):
        blob.write_to_path(folder / "cert.pem", append=n > 0)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HYOKA_")}
    env = kept | {"HYOKA_FEEDBACK_FILE": str(folder / "store.sqlite"), "PYTHONPATH": str(Path(__file__).parents[1])}
    asked: dict = {"cwd": folder, "env": env, "check": True, "capture_output": True}
    subprocess.run([*COMMAND, "index", "files", "--index-dir", "index"], **asked)
    subprocess.run([*COMMAND, "access", "user", "田中", "--index-dir", "index"], **asked, input=f"{USER}\n".encode())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    tls = ["--tls-cert", "cert.pem", "--tls-key", "key.pem"]
    command = [*COMMAND, "serve", "--host", "0.0.0.0", "--port", str(port), "--auth", "users", "--index-dir", "index"]
    process = subprocess.Popen([*command, *tls], cwd=folder, env=env, stderr=subprocess.PIPE)
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    until = time.monotonic() + 90
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(f"https://127.0.0.1:{port}/readyz", context=context, timeout=5)
            break
        except OSError:
            time.sleep(0.1)
    yield port, context, process
    process.terminate()
    process.wait(120)


def test_a_person_logs_in_over_tls_and_asks(server):
    port, context, _ = server
    at = f"https://127.0.0.1:{port}"
    opener = urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=context), urllib.request.HTTPCookieProcessor(CookieJar())
    )
    origin = {"Origin": at, "Content-Type": "application/json"}
    question = json.dumps({"question": "図書館管理の今後の計画は？"}).encode()
    with pytest.raises(urllib.error.HTTPError) as refused:
        opener.open(urllib.request.Request(f"{at}/api/v1/ask", question, origin))
    assert refused.value.code == 401 and refused.value.headers["Strict-Transport-Security"]
    form = urlencode({"name": "田中", "password": USER, "next": "/api/v1/me"}).encode()
    entered = opener.open(urllib.request.Request(f"{at}/login", form, {"Origin": at}))
    assert json.load(entered)["name"] == "田中"
    cookies = [cookie for handler in opener.handlers for cookie in getattr(handler, "cookiejar", ())]
    assert [cookie.secure for cookie in cookies if cookie.name == "hyoka_session"] == [True]
    answer = json.load(opener.open(urllib.request.Request(f"{at}/api/v1/ask", question, origin)))
    assert "分館を建てる" in answer["answer"]


def test_without_tls_nothing_is_served(server):
    port, *_ = server
    with pytest.raises((OSError, ValueError)), urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
        pass


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "0.0.0.0"], "--without-login"),
        (["--auth", "users"], "hyoka access user"),
        (["--tls-cert", "x.pem"], "--tls-key"),
        (["--auth", "secret"], "off"),
    ],
)
def test_a_server_that_would_be_open_or_shut_to_all_does_not_start(here, tmp_path, capsys, arguments, said):
    Path("files").mkdir()
    Path("files/図書館.txt").write_text(SHEET)
    assert run(["index", "files"]) == 0
    capsys.readouterr()
    assert run(["serve", "--port", "8799", *arguments]) == 1
    assert said in capsys.readouterr().err


def test_a_certificate_that_is_none_is_told(here, capsys):
    Path("files").mkdir()
    Path("files/図書館.txt").write_text(SHEET)
    assert run(["index", "files"]) == 0
    Path("cert.pem").write_text("none")
    Path("key.pem").write_text("none")
    capsys.readouterr()
    assert run(["serve", "--port", "8798", "--tls-cert", "cert.pem", "--tls-key", "key.pem"]) == 1
    assert "証明書か秘密鍵を使えません" in capsys.readouterr().err
