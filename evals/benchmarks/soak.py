"""Hours of ordinary use: ``python -m evals.benchmarks.soak FILE --sources DIR [--hours 2] [--rate 20] > soak.json``.

Indexes the files of a folder, starts ``hyoka serve`` and sends so many requests a second, whether or not the earlier
ones are answered: questions, searches, lists, sheets, pages of the screens, probes. Every ten minutes the index changes
under it: one file leaves it, or comes back. Written down for every window: what was asked, every answer that was not the
expected one, times, and the server's memory, open files and threads. JSON goes to stdout, a line a window to stderr.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from corpus.errors import HyokaError
from evals.benchmarks.http import serving
from evals.cases import read_cases
from evals.figures import latency
from evals.runs import code

WINDOW = 600.0  # seconds of a window, and between changes of the index
SETTLED = 2  # windows that a server may take to grow to its size
AT_ONCE = 64  # requests on their way at most; what would be more is counted as an error
COMMAND = [sys.executable, "-c", "import sys; from assistant.cli import main; sys.exit(main())"]
# Of a hundred requests so many each.
MIX = {
    "ask": 50,
    "search": 25,
    "sheets": 8,
    "sheet": 6,
    "page": 5,
    "screen": 3,
    "metrics": 1,
    "ready": 1,
    "feedback": 1,
}


@dataclass
class Window:
    """What one window saw; times in milliseconds, memory in MiB, ``wrong`` by what was wrong."""

    minute: float
    requests: int = 0
    wrong: dict[str, int] = field(default_factory=dict)
    p50: float = 0.0
    p95: float = 0.0
    longest: float = 0.0
    resident: float = 0.0
    anonymous: float = 0.0
    files: int = 0
    threads: int = 0
    index_changes: int = 0


class Tally:
    """What the requests of the present window became; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times: list[float] = []
        self._wrong: Counter[str] = Counter()

    def add(self, milliseconds: float, wrong: str) -> None:
        """One request; ``wrong`` is empty where its answer was the expected one."""
        with self._lock:
            self._times.append(milliseconds)
            if wrong:
                self._wrong[wrong] += 1

    def take(self) -> tuple[list[float], dict[str, int]]:
        """Everything since the last time."""
        with self._lock:
            told = self._times, dict(self._wrong)
            self._times, self._wrong = [], Counter()
        return told


class Visitors:
    """Requests of every kind, in the shares of ``MIX``, always the same for a seed."""

    def __init__(self, url: str, questions: Sequence[str], sheets: Sequence[str], seed: int = 0) -> None:
        self._url, self._questions, self._sheets = url, list(questions), list(sheets)
        self._chance = random.Random(seed)

    def __iter__(self) -> Iterator[tuple[str, urllib.request.Request]]:
        kinds, weights = list(MIX), list(MIX.values())
        while True:
            kind = self._chance.choices(kinds, weights)[0]
            yield kind, self._request(kind)

    def _request(self, kind: str) -> urllib.request.Request:
        question, sheet = self._chance.choice(self._questions), self._chance.choice(self._sheets)
        if kind == "ask":
            return self._post("ask", {"question": question})
        if kind == "feedback":
            return self._post("feedback", {"question": question, "answer": "", "rating": "up"})
        paths = {
            "search": f"/api/v1/search?q={quote(question)}&k=10",
            "sheets": f"/api/v1/sheets?limit=50&offset={self._chance.randrange(40)}",
            "sheet": f"/api/v1/sheets/{quote(sheet)}",
            "page": f"/sheet/{quote(sheet)}",
            "screen": "/",
            "metrics": "/metrics",
            "ready": "/readyz",
        }
        return urllib.request.Request(self._url + paths[kind])

    def _post(self, name: str, body: dict[str, str]) -> urllib.request.Request:
        data = json.dumps(body).encode()
        return urllib.request.Request(f"{self._url}/api/v1/{name}", data, {"Content-Type": "application/json"})


def sent(kind: str, request: urllib.request.Request) -> str:
    """What was wrong with the answer to a request; empty where nothing was."""
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            body = response.read()
            if kind == "ask" and not json.loads(body)["answer"]:
                return "ask: no answer"
            return "" if body else f"{kind}: nothing came"
    except urllib.error.HTTPError as error:
        return f"{kind}: {error.code}"
    except (OSError, ValueError) as error:
        return f"{kind}: {type(error).__name__}"


def soak(
    questions: Sequence[str], sources: Path, seconds: float, rate: float, window: float = WINDOW
) -> dict[str, Any]:
    """The whole run: ``rate`` requests a second for so many seconds, told in windows."""
    with tempfile.TemporaryDirectory(prefix="hyoka-soak-") as own:
        files, index = Path(own) / "files", Path(own) / "index"
        shutil.copytree(sources, files)
        leaving = max((file for file in files.rglob("*") if file.is_file()), key=lambda file: file.name)
        _index(files, index)
        with serving(index) as (url, process, _):
            staying = _sheets(url, leaving.relative_to(files).as_posix())
            windows = _windows(url, process, questions, staying, _Turns(files, leaving, index), seconds, rate, window)
            ended = process.poll()
    late = windows[SETTLED:]
    return {
        "hours": round(seconds / 3600, 2),
        "rate": rate,
        "requests": sum(one.requests for one in windows),
        "wrong": sum(sum(one.wrong.values()) for one in windows),
        "index_changes": sum(one.index_changes for one in windows),
        "server_ended": ended is not None,
        "resident_mib_per_hour": _slope([one.resident for one in late], window),
        "anonymous_mib_per_hour": _slope([one.anonymous for one in late], window),
        "windows": [asdict(one) for one in windows],
        "cores": len(os.sched_getaffinity(0)),
        **code(),
    }


def _windows(
    url: str,
    process: subprocess.Popen[bytes],
    questions: Sequence[str],
    sheets: Sequence[str],
    turns: _Turns,
    seconds: float,
    rate: float,
    window: float,
) -> list[Window]:
    tally = Tally()
    told: list[Window] = []
    free = threading.Semaphore(AT_ONCE)
    began = time.monotonic()
    count = itertools.count(1)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        changing = pool.submit(lambda: None)
        for number, (kind, request) in enumerate(Visitors(url, questions, sheets)):
            due = number / rate
            if due >= len(told) * window + window or due >= seconds:
                told.append(_window(process.pid, tally, (time.monotonic() - began) / 60))
                told[-1].index_changes, turns.done = turns.done, 0
                sys.stderr.write(f"{next(count)}: {asdict(told[-1])}\n")
                if due >= seconds:
                    break
                changing.result()
                changing = pool.submit(turns.take)
            time.sleep(max(0.0, began + due - time.monotonic()))
            if not free.acquire(blocking=False):
                tally.add(0.0, "not sent: too many on their way")
                continue
            pool.submit(_one, kind, request, tally, free)
        changing.result()
    return told


def _one(kind: str, request: urllib.request.Request, tally: Tally, free: threading.Semaphore) -> None:
    began = time.perf_counter()
    try:
        wrong = sent(kind, request)
    finally:
        free.release()
    tally.add((time.perf_counter() - began) * 1000, wrong)


def _window(pid: int, tally: Tally, minute: float) -> Window:
    times, wrong = tally.take()
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    told = latency(times or [0.0])
    return Window(
        round(minute, 1),
        len(times),
        wrong,
        told.p50,
        told.p95,
        round(max(times, default=0.0), 1),
        round(int(status["VmRSS"].split()[0]) / 1024, 1),
        round(int(status["RssAnon"].split()[0]) / 1024, 1),
        len(os.listdir(f"/proc/{pid}/fd")),  # noqa: PTH208
        int(status["Threads"]),
    )


class _Turns:
    """Takes one file out of the folder and puts it back in turns, and has the index follow."""

    def __init__(self, files: Path, leaving: Path, index: Path) -> None:
        self._files, self._leaving, self._index = files, leaving, index
        self._aside = files.parent / leaving.name
        self.done = 0

    def take(self) -> None:
        """One turn."""
        here, there = (self._leaving, self._aside) if self._leaving.exists() else (self._aside, self._leaving)
        shutil.move(here, there)
        _index(self._files, self._index)
        self.done += 1


def _index(files: Path, index: Path) -> None:
    subprocess.run([*COMMAND, "index", str(files), "--index-dir", str(index)], check=True, capture_output=True)


def _sheets(url: str, leaving: str) -> list[str]:
    """The ids of the sheets that are there all the time."""
    with urllib.request.urlopen(f"{url}/api/v1/sheets?limit=10000", timeout=60) as response:
        found = json.load(response)["sheets"]
    return [one["sheet_id"] for one in found if one["file"] != leaving]


def _slope(values: Sequence[float], window: float) -> float | None:
    """By how much a value grows an hour, by least squares; None for fewer than three windows.

    >>> _slope([100.0, 101.0, 102.0], 600.0)
    6.0
    """
    if len(values) < 3:
        return None
    return round(float(np.polyfit(np.arange(len(values)) * window / 3600, values, 1)[0]), 2)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: JSON on stdout."""
    parser = argparse.ArgumentParser(prog="evals.benchmarks.soak", description="長い時間、続けて使います。")
    parser.add_argument("file", type=Path, help="questions")
    parser.add_argument("--sources", type=Path, required=True, help="a folder of sheets, at least two files")
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--rate", type=float, default=20.0)
    chosen = parser.parse_args(arguments)
    try:
        questions = [case.question for case in read_cases(chosen.file).cases]
        told = soak(questions, chosen.sources, chosen.hours * 3600, chosen.rate)
    except HyokaError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    print(json.dumps(told, ensure_ascii=False, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
