"""A server with a gate before its answers, what it is asked over HTTP, and a small real index."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest

from assistant.access.policy import OPEN, Policy
from assistant.line import Line
from assistant.readiness import Asker
from assistant.store import FeedbackStore
from assistant.types import Answer
from tests.fakes import FakeAssistant, FakeIndex
from tests.on_port import on_port

PLAN = "図書館システム運用の今後の計画は？"


class Gate(FakeAssistant):
    """Answers when it is let; counts how many questions are being answered at once."""

    def __init__(self) -> None:
        super().__init__(GatedIndex())
        self.open = threading.Event()
        self.index.gate = self
        self.inside = self.most = 0
        self._lock = threading.Lock()

    def wait(self) -> None:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        assert self.open.wait(120)
        with self._lock:
            self.inside -= 1

    def ask(self, *given: Any, **named: Any) -> Answer:
        self.wait()
        return super().ask(*given, **named)


class GatedIndex(FakeIndex):
    """Searches when it is let, once the server has warmed up."""

    def search_sheets(self, *given: Any, **named: Any) -> Any:
        self.gate.wait()
        return super().search_sheets(*given, **named)

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)


@contextmanager
def serving(assistant: Asker, line: Line, policy: Policy = OPEN, store: FeedbackStore | None = None) -> Iterator[str]:
    """The address of the whole application with that line."""
    from ui.app import create_app

    with on_port(create_app(assistant, store or FeedbackStore(), line=line, policy=policy)) as address:
        yield address


class Told:
    """One response: its status, its headers and its body."""

    def __init__(self, address: str, path: str, body: object = None) -> None:
        data = None if body is None else json.dumps(body).encode()
        request = Request(address + path, data, {"Content-Type": "application/json"})
        try:
            with urlopen(request, timeout=60) as response:
                self.status, self.headers, self.text = response.status, response.headers, response.read().decode()
        except HTTPError as problem:
            self.status, self.headers, self.text = problem.code, problem.headers, problem.read().decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def ask(address: str, question: str = PLAN) -> Told:
    return Told(address, "/api/v1/ask", {"question": question})


def results(address: str) -> Told:
    return Told(address, f"/search/results?q={quote('図書館')}")


def assert_refused(told: Told) -> None:
    """A 503 in the shape of the contract, in Japanese, with the seconds to wait."""
    assert told.status == 503 and int(told.headers["Retry-After"]) >= 1
    error = told.json["error"]
    assert set(error) == {"code", "message"} and error["code"] == "busy"
    assert f"{told.headers['Retry-After']}秒" in error["message"] and "もう一度" in error["message"]


def sample(text: str, name: str, **labels: str) -> float:
    """One value of /metrics; its labels in any order."""
    for line in text.splitlines():
        found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
        if found and found[1] == name and dict(re.findall(r'(\w+)="([^"]*)"', found[2] or "")) == labels:
            return float(found[3])
    return 0.0


@pytest.fixture
def small_index(tmp_path):
    from assistant.intake import Intake
    from corpus.sources import find_files
    from index.build import build
    from index.encoder import load_encoder

    (tmp_path / "a.txt").write_text(
        "事務事業評価シート（令和5年度）\nみなと野市\n事業名 花火大会\n担当課 企画課\n事業の目的\n花火大会を続ける。\n"
        "今後の計画\n令和6年度は会場を港に移す。\n",
        "utf-8",
    )
    snapshot = build(Intake(find_files([tmp_path / "a.txt"]), 2**20, jobs=0), load_encoder(), tmp_path / "index")
    yield snapshot
    snapshot.close()
