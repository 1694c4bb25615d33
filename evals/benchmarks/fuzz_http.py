"""Hostile requests against a real server: ``python -m evals.benchmarks.fuzz_http --requests 50000``.

``hyoka serve`` on the bundled sheets gets them over several connections, each byte as drawn. Every answer is looked at: no 5xx but a 503 that says when to come back, no traceback, every refusal in the one shape with a
Japanese message, no header and no file that the request smuggled in; and the server is ready afterwards. A request has a
number and is the same on every machine; ``--add`` adds to the result of earlier runs of other numbers.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import os
import re
import select
import socket
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from evals.benchmarks.hostile import Known, Request, drawn
from evals.benchmarks.http import resident, serving
from evals.runs import code

RESULT = Path(__file__).parent / "results" / "fuzz-http.json"
SAMPLES = Path(__file__).parents[2] / "corpus" / "samples" / "files"
SECONDS = 90.0  # until a request counts as never answered
STOPS_AFTER = 0.5  # what is broken on purpose gets this long to be answered
_JAPANESE = re.compile(r"[ぁ-んァ-ン一-龥]")
_INSIDE = (
    "Traceback (most recent call last)",
    'File "/',
    "site-packages",
    "root:x:0:0",
    "[build-system]",
    "from __future__",
)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: 0 where the connection ended without an answer. Of a stream only the beginning is read."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    seconds: float = 0.0

    def header(self, name: str) -> str:
        """A header's value; empty where it is not there."""
        return next((value for key, value in self.headers if key.lower() == name), "")


def wrong(request: Request, reply: Reply) -> str:
    """What is wrong about an answer, in a few words; empty where nothing is."""
    status, kind = reply.status, reply.header("content-type").split(";")[0]
    if status == 0:
        return "" if request.broken else "no answer"
    if status >= 500 and not (status == 503 and reply.header("retry-after")):
        return f"status {status}"
    if any(name.lower() in ("x-injected", "content-encoding-x") or "\r" in value for name, value in reply.headers):
        return "a header was smuggled in"
    if any("a=b" in value for name, value in reply.headers if name.lower() == "set-cookie"):
        return "a cookie was smuggled in"
    text = reply.body.decode("utf-8", "replace")
    own = kind in ("text/html", "application/json", "text/plain", "text/event-stream")
    for mark in _INSIDE if own and not request.target.startswith((b"/assets", b"/docs-assets")) else ():
        if mark in text:
            return f"the body shows {mark!r}"
    if status < 400 or request.method in ("HEAD", "CONNECT"):
        return _unreadable(kind, reply.body)
    if kind == "text/html":
        return "" if _JAPANESE.search(text) and request.target.startswith(b"/sheet/") else "a refusal as English HTML"
    return _shape(kind, reply.body)


def _unreadable(kind: str, body: bytes) -> str:
    if kind != "application/json" or not body:
        return ""
    try:
        json.loads(body, parse_constant=_refuse)
    except ValueError as error:
        return f"JSON that no browser reads: {error}"
    return ""


def _refuse(name: str) -> float:
    raise ValueError(name)


def _shape(kind: str, body: bytes) -> str:
    if kind != "application/json":
        return f"a refusal as {kind or 'nothing'}"
    try:
        error = json.loads(body.decode("utf-8"))["error"]
        good = isinstance(error["code"], str) and error["code"] and _JAPANESE.search(error["message"])
    except (ValueError, KeyError, TypeError):
        return "a refusal of another shape"
    return "" if good else "a refusal without a Japanese message"


class Connection:
    """One connection that is kept as long as the server keeps it."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._socket: socket.socket | None = None

    def send(self, request: Request) -> Reply:
        """Sends a request as it is and reads what comes back."""
        began = time.perf_counter()
        reused = self._socket is not None
        reply = self._once(request)
        # A kept connection that had ended meanwhile tells nothing about this request.
        if reply.status == 0 and reused:
            reply = self._once(request)
        return Reply(reply.status, reply.headers, reply.body, time.perf_counter() - began)

    def close(self) -> None:
        """Ends the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _once(self, request: Request) -> Reply:
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire = self._socket
        try:
            try:
                wire.sendall(request.wire())
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused while it was still being sent: the answer may be there
            if request.broken and not select.select([wire], [], [], STOPS_AFTER)[0]:
                self.close()
                return Reply(0)
            answer = http.client.HTTPResponse(wire, method="HEAD" if request.method == "HEAD" else request.method)
            answer.begin()
            headers = tuple(answer.getheaders())
            stream = (answer.getheader("Content-Type") or "").startswith("text/event-stream")
            body = b"" if stream else answer.read()
            if answer.getheader("Content-Encoding") == "gzip" and body:
                body = gzip.decompress(body)
            status, ends = answer.status, answer.will_close
        except (OSError, http.client.HTTPException):
            self.close()
            return Reply(0)
        if stream or ends or request.broken or request.raw is not None:
            self.close()
        return Reply(status, headers, body)


@dataclass(slots=True)
class Account:
    """What a run found."""

    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    wrongs: dict[str, dict[str, Any]] = field(default_factory=dict)
    count: int = 0
    slowest: list[tuple[float, int, str]] = field(default_factory=list)

    def take(self, request: Request, reply: Reply) -> None:
        """Writes down one answer."""
        self.count += 1
        self.statuses.setdefault(request.kind, Counter())[reply.status] += 1
        self.slowest = sorted([*self.slowest, (reply.seconds, request.number, request.kind)], reverse=True)[:5]
        if problem := wrong(request, reply):
            found = self.wrongs.setdefault(
                f"{request.kind}: {problem}", {"times": 0, "numbers": [], "of": _of(request), "body": _of_body(reply)}
            )
            found["times"] += 1
            found["numbers"] = [*found["numbers"], request.number][:5]

    def summary(self) -> dict[str, Any]:
        """The account for the result file."""
        total: Counter[int] = sum(self.statuses.values(), Counter())
        return {
            "requests": self.count,
            "wrong": sum(found["times"] for found in self.wrongs.values()),
            "statuses": {str(status): total[status] for status in sorted(total)},
            "kinds": {
                kind: {str(s): n for s, n in sorted(found.items())} for kind, found in sorted(self.statuses.items())
            },
            "slowest": [{"seconds": round(s, 2), "number": n, "kind": kind} for s, n, kind in self.slowest],
            "first": self.wrongs,
        }


def _of(request: Request) -> str:
    return repr(request.wire())[:400]


def _of_body(reply: Reply) -> str:
    return repr(reply.body)[:200]


def knowledge(url: str) -> Known:
    """What of a running server the requests name."""
    sheets = _json(f"{url}/api/v1/sheets?limit=1000")["sheets"]
    functions = _json(f"{url}/config")["dependencies"]
    return Known(
        tuple(dict.fromkeys(one["sheet_id"] for one in sheets)),
        tuple(dict.fromkeys(one["municipality"] for one in sheets)),
        tuple((one["id"], len(one["inputs"])) for one in functions),
    )


def _json(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=60) as response:
        return json.load(response)


def fuzz(
    url: str, numbers: Iterable[int], connections: int = 2, told: Callable[[int], None] = lambda count: None
) -> Account:
    """Sends the requests of these numbers and gives the account of the answers."""
    known, account, lock, left = knowledge(url), Account(), threading.Lock(), iter(numbers)
    place = urlsplit(url)
    assert place.hostname is not None and place.port is not None
    host, port = place.hostname, place.port

    def work() -> None:
        with closing(Connection(host, port)) as wire:
            while True:
                with lock:
                    number = next(left, None)
                if number is None:
                    return
                request = drawn(number, known)
                reply = wire.send(request)
                with lock:
                    account.take(request, reply)
                    told(account.count)

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return account


def ready(url: str) -> bool:
    """Whether the server answers as before: ready, and a question gets its answer with citations."""
    with urllib.request.urlopen(f"{url}/readyz", timeout=60) as response:
        if json.load(response)["status"] != "ready":
            return False
    body = json.dumps({"question": "学校給食運営事業の決算額はいくらですか"}).encode()
    question = urllib.request.Request(f"{url}/api/v1/ask", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(question, timeout=60) as response:
        return bool(json.load(response)["citations"])


def joined(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The sum of two summaries."""
    kinds = sorted({*old["kinds"], *new["kinds"]})
    return {
        "requests": old["requests"] + new["requests"],
        "wrong": old["wrong"] + new["wrong"],
        "statuses": _sum(old["statuses"], new["statuses"]),
        "kinds": {kind: _sum(old["kinds"].get(kind, {}), new["kinds"].get(kind, {})) for kind in kinds},
        "slowest": sorted([*old["slowest"], *new["slowest"]], key=lambda one: -float(one["seconds"]))[:5],
        "first": {**new["first"], **old["first"]},
    }


def _sum(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in sorted({*one, *other}, key=int)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Sends the requests and writes the account; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=50_000)
    parser.add_argument("--start", type=int, default=0, help="the first request's number")
    parser.add_argument("--connections", type=int, default=2)
    parser.add_argument("--index-dir", type=Path, help="an index of the bundled sheets; made where none is given")
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--add", action="store_true", help="add to what stands in the file")
    given = parser.parse_args(arguments)
    numbers = range(given.start, given.start + given.requests)
    with tempfile.TemporaryDirectory(prefix="hyoka-fuzz-") as made:
        folder = given.index_dir or Path(made) / "index"
        if given.index_dir is None:
            _index(folder)
        with serving(folder) as (url, process, _):
            before = resident(process.pid)

            def told(count: int) -> None:
                if count % 5_000 == 0:
                    print(f"{count:,}, {resident(process.pid)} MiB", file=sys.stderr, flush=True)

            account = fuzz(url, numbers, given.connections, told)
            after = {"ready": ready(url), "alive": process.poll() is None}
            memory: dict[str, Any] = {"before": before, "after": resident(process.pid)}
    found = account.summary()
    if given.add and given.out.exists():
        kept = json.loads(given.out.read_text("utf-8"))
        found = joined(kept["answers"], found)
        memory["runs"] = [*kept["server"]["memory_mib"].get("runs", []), [memory["before"], memory["after"]]]
    else:
        memory["runs"] = [[memory["before"], memory["after"]]]
    result = {
        "code": code(),
        "cores": len(os.sched_getaffinity(0)),
        "server": {**after, "memory_mib": memory},
        "answers": found,
    }
    given.out.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, ensure_ascii=False, indent=1))
    return int(bool(found["wrong"]) or not all(after.values()))


def _index(folder: Path) -> None:
    """The bundled sheets as an index, by the command of a user."""
    from assistant.cli import run

    if run(["index", str(SAMPLES), "--index-dir", str(folder)]) != 0:
        raise SystemExit("the bundled sheets could not be indexed")


if __name__ == "__main__":
    sys.exit(main())
