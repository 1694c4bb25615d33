"""A server that speaks OpenAI's chat protocol over real HTTP, and behaves as it is told: well, slowly, badly, falsely."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[["Handler", dict[str, Any]], None]


@dataclass
class LlmServer:
    """``requests`` are the bodies it was sent, ``headers`` their headers; ``given_up`` counts callers that went away."""

    url: str
    behaviour: Behaviour
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    given_up: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    state: LlmServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self.state.requests.append({"path": self.path, **body})
        self.state.headers.append(dict(self.headers))
        try:
            self.state.behaviour(self, body)
        except OSError:
            self.state.given_up += 1
            self.close_connection = True

    def do_GET(self) -> None:
        self.state.requests.append({"path": self.path})
        self.send("{}")

    def log_message(self, *_: Any) -> None:
        pass

    def send(self, text: str, status: int = 200, kind: str = "application/json", **headers: str) -> None:
        """A whole response."""
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def begin_stream(self) -> None:
        """A response that ends when the connection does."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def event(self, content: str | None = None, finish: str | None = None) -> None:
        """One event of a stream."""
        delta = {} if content is None else {"content": content}
        chunk = {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        self.wfile.write(f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode())
        self.wfile.flush()


def whole(text: str) -> Behaviour:
    """Answers in one piece."""

    def behave(handler: Handler, _: dict[str, Any]) -> None:
        message = {"role": "assistant", "content": text}
        handler.send(json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}))

    return behave


def streaming(text: str) -> Behaviour:
    """Answers in a stream, three characters at a time."""

    def behave(handler: Handler, _: dict[str, Any]) -> None:
        handler.begin_stream()
        for at in range(0, len(text), 3):
            handler.event(text[at : at + 3])
        handler.event(finish="stop")
        handler.wfile.write(b"data: [DONE]\n\n")

    return behave


def half_stream(text: str) -> Behaviour:
    """Breaks off in the middle."""

    def behave(handler: Handler, _: dict[str, Any]) -> None:
        handler.begin_stream()
        handler.event(text[: len(text) // 2])

    return behave


def endless(text: str) -> Behaviour:
    """Never comes to an end."""

    def behave(handler: Handler, _: dict[str, Any]) -> None:
        handler.begin_stream()
        while not handler.state.stopping.wait(0.02):
            handler.event(text)

    return behave


def flood(handler: Handler, _: dict[str, Any]) -> None:
    """More than anybody asked for, as fast as it goes."""
    handler.begin_stream()
    while not handler.state.stopping.is_set():
        handler.event("あ" * 10_000)


def silent(handler: Handler, _: dict[str, Any]) -> None:
    """Takes the question and says nothing."""
    handler.state.stopping.wait(60)
    handler.close_connection = True


def slow(text: str, seconds: float) -> Behaviour:
    """Answers late."""

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        handler.close_connection = True
        if not handler.state.stopping.wait(seconds):
            whole(text)(handler, body)

    return behave


def saying(status: int, text: str, kind: str = "application/json", **headers: str) -> Behaviour:
    """Answers with exactly that."""
    return lambda handler, _: handler.send(text, status, kind, **headers)


def by_question(behave: Callable[[dict[str, Any]], Behaviour]) -> Behaviour:
    """Chooses by what it is asked."""
    return lambda handler, body: behave(body)(handler, body)


@contextmanager
def llm_server(behaviour: Behaviour) -> Iterator[LlmServer]:
    """A server on a free port of this machine."""
    state = LlmServer("", behaviour)
    handler = type("Bound", (Handler,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.stopping.set()
        server.shutdown()
        server.server_close()
