"""How much later than its seconds an answer comes when a language model's server fails (``python -m evals.benchmarks.llmfallback``).

A server on this machine takes the question and never answers, trickles without end, breaks off, or sends nonsense; the
answer is made by the whole HTTP interface over a socket. Reported is the time over the budget, and what an answer takes
once the server is left alone.
"""

from __future__ import annotations

import json
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

RESULTS = Path(__file__).parent / "results" / "llmfallback.json"
BUDGET, ROUNDS = 1.0, 20
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
EVENT = b'data: {"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": null}]}\n\n'


def silent(_: socket.socket) -> None:
    """Says nothing."""
    sleep(3 * BUDGET)


def trickling(caller: socket.socket) -> None:
    """Never ends."""
    caller.sendall(HEAD)
    while True:
        caller.sendall(EVENT)
        sleep(0.05)


def half(caller: socket.socket) -> None:
    """Breaks off."""
    caller.sendall(HEAD + EVENT)


def nonsense(caller: socket.socket) -> None:
    """No protocol at all."""
    caller.sendall(b"\x00\xff" * 100)


KINDS: dict[str, Callable[[socket.socket], None]] = {
    "silent": silent, "trickling": trickling, "half": half, "nonsense": nonsense,
}  # fmt: skip


def serve(behave: Callable[[socket.socket], None]) -> tuple[socket.socket, str]:
    """A server of that behaviour, and its address."""
    opened = socket.create_server(("127.0.0.1", 0))

    def one(caller: socket.socket) -> None:
        try:
            caller.recv(1 << 16)
            behave(caller)
        except OSError:
            pass
        finally:
            caller.close()

    def loop() -> None:
        while True:
            try:
                caller, _ = opened.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(caller,), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()
    return opened, f"http://127.0.0.1:{opened.getsockname()[1]}/v1"


def shares(taken: list[float]) -> dict[str, float]:
    """The median, the value that 95 % stay under, and the longest."""
    ordered = sorted(taken)
    return {"median": median(ordered), "p95": ordered[int(0.95 * (len(ordered) - 1))], "max": ordered[-1]}


def main(folder: Path) -> None:
    """Measures every behaviour over the index in ``folder``."""
    from fastapi.testclient import TestClient

    from assistant.api import create_api
    from assistant.llm import Breaker, OpenAIModel
    from assistant.session import Assistant
    from assistant.store import FeedbackStore
    from assistant.writer import Writer
    from index.encoder import load_encoder
    from index.snapshot import Snapshot

    question = "学校給食運営事業の今後の計画は？"
    assistant = Assistant(Snapshot.open(folder, load_encoder(None)))

    def timed(writer: Writer) -> list[float]:
        with (
            tempfile.TemporaryDirectory() as scratch,
            TestClient(create_api(assistant, FeedbackStore(Path(scratch) / "s.sqlite"), writer=writer)) as client,
        ):
            taken = []
            for _ in range(ROUNDS + 1):
                began = perf_counter()
                assert client.post("/api/v1/ask", json={"question": question}).json()["citations"]
                taken.append(perf_counter() - began)
            return taken[1:]  # the first reads ahead

    plain = timed(Writer())
    told: dict[str, object] = {"budget_s": BUDGET, "without_a_model_ms": round(median(plain) * 1000, 1)}
    for name, behave in KINDS.items():
        opened, url = serve(behave)
        slow = timed(Writer(OpenAIModel(url, "m", breaker=Breaker(most=1000)), BUDGET))
        rested = timed(Writer(OpenAIModel(url, "m", breaker=Breaker(most=1)), BUDGET))
        opened.close()
        told[name] = {
            "ms": {name: round(value * 1000, 1) for name, value in shares(slow).items()},
            "left_alone_ms": round(median(rested) * 1000, 1),
        }
    RESULTS.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    sys.stdout.write(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
