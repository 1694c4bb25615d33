"""``hyoka serve`` as a process of its own, as systemd would start it: its log, its signals, what it tells systemd."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
QUESTION = "花火大会の今後の計画は？"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Answer:
    """One response, whole."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.text = response.status, response.headers, response.read().decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Process:
    """A server on an index folder; ``told`` is what it has said to systemd."""

    def __init__(self, index: Path, place: Path, workers: int = 1, **settings: object) -> None:
        place.mkdir(parents=True, exist_ok=True)
        self.port, self.index, self.store = free_port(), index, place / "store.sqlite"
        self._log = place / "log"
        self._systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._systemd.bind(str(place / "notify"))
        self._systemd.setblocking(False)
        self._told = ""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HYOKA_")}
        environment |= {
            "PYTHONPATH": str(ROOT), "HYOKA_FEEDBACK_FILE": str(self.store), "OMP_NUM_THREADS": "1",
            "NOTIFY_SOCKET": str(place / "notify"), "HYOKA_LOG_FORMAT": "json", "HYOKA_LOG_LEVEL": "info",
            "HYOKA_INDEX_DIR": str(index), "HYOKA_PORT": str(self.port), "HYOKA_WORKERS": str(workers),
        }  # fmt: skip
        environment |= {f"HYOKA_{name.upper()}": str(value) for name, value in settings.items()}
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "assistant.cli", "serve"],
                cwd=place, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def wait(self, met, seconds: float = 120.0) -> None:
        """Waits for a state; the limit only ends a test that has failed."""
        end = time.monotonic() + seconds
        while not met():
            assert time.monotonic() < end, f"it did not come to that: {self._log.read_text('utf-8')[-3_000:]}"
            time.sleep(0.02)

    @property
    def told(self) -> str:
        """What systemd was told, line by line."""
        while True:
            try:
                self._told += self._systemd.recv(4096).decode() + "\n"
            except BlockingIOError:
                return self._told

    def until_ready(self) -> Process:
        def ready() -> bool:
            assert self.process.poll() is None, self._log.read_text("utf-8")[-3_000:]
            try:
                return self.get("/readyz").status == 200 and "READY=1" in self.told
            except OSError:
                return False

        self.wait(ready)
        return self

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The log, as far as its lines are written to their end; every one has to be JSON."""
        return [json.loads(line) for line in self._log.read_bytes().rpartition(b"\n")[0].splitlines()]

    def events(self, name: str) -> list[dict[str, Any]]:
        """The lines about one kind of event. A line may come a moment after what it tells."""
        return [line for line in self.lines if line.get("event") == name]

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, None, **headers)

    def send(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        connection = self.connect()
        data = None if body is None else json.dumps(body).encode()
        connection.request(method, path, data, {"Content-Type": "application/json"} | headers)
        answer = Answer(connection.getresponse())
        connection.close()
        return answer

    def ask(self, question: str = QUESTION) -> Answer:
        return self.send("POST", "/api/v1/ask", {"question": question})

    def half(self, question: str = QUESTION) -> HalfSent:
        half = HalfSent(self, question)
        assert self.get("/healthz").status == 200  # so the server has met the one that came before
        return half

    def signal(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._systemd.close()


class HalfSent:
    """A question of which the server has only the first half: a request under way for as long as a test likes."""

    def __init__(self, server: Process, question: str) -> None:
        self._body = json.dumps({"question": question}).encode()
        self._connection = server.connect()
        self._connection.putrequest("POST", "/api/v1/ask")
        self._connection.putheader("Content-Type", "application/json")
        self._connection.putheader("Content-Length", str(len(self._body)))
        self._connection.endheaders()
        self._connection.send(self._body[:5])

    def finish(self) -> Answer:
        self._connection.send(self._body[5:])
        return Answer(self._connection.getresponse())


class Chat:
    """One question on the 質問 screen, as Gradio's own script sends it, and the stream of its answer."""

    def __init__(self, server: Process, question: str = QUESTION) -> None:
        config = server.get("/config").json
        boxes = {one["id"] for one in config["components"] if one["props"].get("elem_id") == "hy-question"}
        event = next(
            one for one in config["dependencies"] if any(t[0] in boxes and t[1] == "submit" for t in one["targets"])
        )
        data = [question, [], None, *[[]] * (len(event["inputs"]) - 3)]
        body = {"data": data, "fn_index": event["id"], "session_hash": "abcdefgh", "event_data": None}
        assert server.send("POST", "/gradio_api/queue/join", body).status == 200
        self._connection = server.connect()
        self._connection.request("GET", "/gradio_api/queue/data?session_hash=abcdefgh")
        self._stream = self._connection.getresponse()
        self.messages: list[dict[str, Any]] = []

    def read(self, last: str = "close_stream") -> list[dict[str, Any]]:
        """Reads on to a message of that kind."""
        while not self.messages or self.messages[-1]["msg"] != last:
            line = self._stream.readline().decode()
            assert line, f"the stream broke off after {[one['msg'] for one in self.messages]}"
            if line.startswith("data:"):
                self.messages.append(json.loads(line.removeprefix("data:")))
        return self.messages
