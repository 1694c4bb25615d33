"""How fast a served index answers: ``python -m evals.benchmarks.http FILE --index-dir DIR``.

Starts ``hyoka serve`` on a free port, waits until it is ready, and asks every question of a question file over HTTP.
Milliseconds differ between machines, so each is also given as a ratio to a plain BM25 search of the same questions over
the same sections, measured in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from assistant.settings import load_settings
from corpus.errors import HyokaError, SettingsError
from evals.baselines import chunks, lexical
from evals.cases import read_cases
from evals.figures import latency
from evals.runs import code
from evals.target import open_index, server

READY_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds, and their ratio to the BM25 search's."""

    p50: float
    p95: float
    p50_ratio: float
    p95_ratio: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one run found; memory is the server process's own, in MiB."""

    questions: int
    rounds: int
    bm25: Timing
    ask: Timing
    search: Timing
    health: Timing
    start_seconds: float
    ready_mib: float
    served_mib: float
    cores: int
    python: str
    hyoka: str
    commit: str


def measure(questions: Sequence[str], index_dir: Path, rounds: int = 3) -> Measurement:
    """Serve ``index_dir`` and ask each question ``rounds`` times after a round to warm up."""
    with serving(index_dir) as (url, process, started):
        ready = resident(process.pid)
        target = server(url)
        ask = times(lambda text: target.ask(text, [], {}), questions, rounds)
        search = times(lambda text: _get(f"{url}/api/v1/search?q={quote(text)}&k=10"), questions, rounds)
        health = times(lambda text: _get(f"{url}/healthz"), questions, rounds)
        served = resident(process.pid)
    plain = bm25_times(questions, index_dir, rounds)
    base = latency(plain)

    def timing(values: Sequence[float]) -> Timing:
        told = latency(values)
        return Timing(told.p50, told.p95, round(told.p50 / base.p50, 2), round(told.p95 / base.p95, 2))

    return Measurement(
        questions=len(questions),
        rounds=rounds,
        bm25=timing(plain),
        ask=timing(ask),
        search=timing(search),
        health=timing(health),
        start_seconds=round(started, 2),
        ready_mib=ready,
        served_mib=served,
        cores=len(os.sched_getaffinity(0)),
        python=platform.python_version(),
        **code(),
    )


def bm25_times(questions: Sequence[str], index_dir: Path, rounds: int) -> list[float]:
    """Milliseconds of the ten best passages by BM25 alone, in this process."""
    with tempfile.TemporaryDirectory(prefix="hyoka-bm25-", ignore_cleanup_errors=True) as folder:
        search = lexical(chunks(open_index(index_dir)), Path(folder) / "lexical")
        return times(lambda text: search(text, 10), questions, rounds)


def times(call: Callable[[str], object], questions: Sequence[str], rounds: int) -> list[float]:
    """Milliseconds of each call, one round of warming left out."""
    for question in questions:
        call(question)
    taken = []
    for _ in range(rounds):
        for question in questions:
            began = time.perf_counter()
            call(question)
            taken.append((time.perf_counter() - began) * 1000)
    return taken


@contextmanager
def serving(
    index_dir: Path, answer_cache: int = 0, workers: int = 1
) -> Iterator[tuple[str, subprocess.Popen[bytes], float]]:
    """``hyoka serve`` on a free port: its address, its process, and the seconds until it (and its workers) were ready.

    It keeps no answers unless ``answer_cache`` says how many: a question asked again is to be answered again.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    started = time.perf_counter()
    command = [sys.executable, "-c", "import sys; from assistant.cli import main; sys.exit(main())", "serve"]
    several = ["--workers", str(workers)] if workers > 1 else []
    with tempfile.TemporaryFile() as log, tempfile.TemporaryDirectory(prefix="hyoka-serve-") as own:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--index-dir", str(index_dir), *several],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={
                **os.environ,
                "HYOKA_ANSWER_CACHE": str(answer_cache),
                "HYOKA_FEEDBACK_FILE": str(Path(own) / "feedback.sqlite"),  # nobody's questions are counted
            },
        )
        try:
            while not _ready(url, workers):
                if process.poll() is not None or time.perf_counter() - started > READY_SECONDS:
                    log.seek(0)
                    tail = log.read().decode("utf-8", "replace")[-800:]
                    raise SettingsError(
                        f"サーバーが起動しませんでした。hyoka serve を直接動かして確かめてください。\n{tail}"
                    )
                time.sleep(0.05)
            yield url, process, time.perf_counter() - started
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def resident(pid: int) -> float:
    """Resident memory of a process in MiB (Linux; elsewhere 0)."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0.0
    for line in status.read_text().splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0


def _ready(url: str, workers: int) -> bool:
    try:
        _get(f"{url}/readyz")
        # One worker is enough to be ready; what is measured is all of them.
        return workers == 1 or f'hyoka_workers{{state="ready"}} {workers}.0' in _get(f"{url}/metrics").decode()
    except OSError:  # not listening yet, or 503 while the index is being opened
        return False


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as response:
        content: bytes = response.read()
    return content


def run(
    name: str, about: str, bench: Callable[[Sequence[str], Path, int], object], arguments: Sequence[str] | None
) -> int:
    """The command line of a benchmark that asks the questions of a file: JSON on stdout, errors as one sentence."""
    parser = argparse.ArgumentParser(prog=f"evals.benchmarks.{name}", description=about)
    parser.add_argument("file", type=Path)
    parser.add_argument("--index-dir", type=Path, default=load_settings().index_dir)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args(arguments)
    try:
        questions = [case.question for case in read_cases(chosen.file).cases]
        if not questions:
            raise SettingsError(f"質問がありません: {chosen.file}。質問ファイルを確かめてください。")
        told = bench(questions, chosen.index_dir, max(1, chosen.rounds))
    except HyokaError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    print(json.dumps(told, ensure_ascii=False, indent=1))
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: JSON on stdout."""
    return run("http", "応答時間とメモリーを測ります。", lambda *given: asdict(measure(*given)), arguments)


if __name__ == "__main__":
    sys.exit(main())
