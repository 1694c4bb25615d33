"""What many users at once get: ``python -m evals.benchmarks.load FILE --index-dir DIR [--users 50] [--seconds 60]
[--workers 1 2]``.

Starts ``hyoka serve`` with its usual line and lets locust's users ask the questions of a file: with the pause of people
who read an answer, then without any pause, with and without kept answers; each scene once for every number of workers, in
turns, so that what else the machine does falls on all of them. The users run on the same machine and take
processor time from the server. JSON goes to stdout.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from assistant.settings import load_settings
from corpus.errors import HyokaError, SettingsError
from evals.benchmarks.http import serving
from evals.cases import read_cases
from evals.runs import code

USERS = Path(__file__).with_name("users.py")
KEPT = 500  # the setting's default


@dataclass(frozen=True, slots=True)
class Scene:
    """How the users behave: seconds of pause (shortest, longest) and how many answers the server keeps."""

    name: str
    pause: tuple[float, float]
    answer_cache: int


SCENES = (
    Scene("people, 2 to 8 seconds between requests", (2.0, 8.0), 0),
    Scene("no pause", (0.0, 0.0), 0),
    Scene("no pause, answers kept", (0.0, 0.0), KEPT),
)


def percentile(times: Mapping[int, int], share: float) -> int:
    """The smallest milliseconds that at least ``share`` of the requests took at most.

    >>> percentile({10: 50, 20: 45, 90: 5}, 0.95), percentile({10: 50, 20: 45, 90: 5}, 0.5), percentile({}, 0.5)
    (20, 10, 0)
    """
    left = share * sum(times.values())
    for ms in sorted(times):
        left -= times[ms]
        if left <= 0:
            return ms
    return 0


def summary(stats: Sequence[Mapping[str, Any]], seconds: float) -> dict[str, Any]:
    """locust's account of each kind of request, and of all of them together."""
    told: dict[str, Any] = {}
    everything: Counter[int] = Counter()
    failures = 0
    for row in stats:
        times = Counter({int(float(ms)): count for ms, count in row["response_times"].items()})
        everything += times
        failures += row["num_failures"]
        told[row["name"]] = _row(times, row["num_failures"], seconds)
    return {"all": _row(everything, failures, seconds), **told}


def _row(times: Counter[int], failures: int, seconds: float) -> dict[str, Any]:
    return {
        "requests": times.total(),
        "errors": failures,
        "per_second": round(times.total() / seconds, 1),
        "p50_ms": percentile(times, 0.5),
        "p95_ms": percentile(times, 0.95),
        "max_ms": max(times, default=0),
    }


def play(
    scene: Scene, questions: Sequence[str], index_dir: Path, users: int, seconds: int, workers: int = 1
) -> dict[str, Any]:
    """One scene on a fresh server, with what the server says of itself at the end."""
    with tempfile.TemporaryDirectory(prefix="hyoka-load-") as folder:
        file = Path(folder) / "questions.json"
        file.write_text(json.dumps(list(questions), ensure_ascii=False), "utf-8")
        with serving(index_dir, scene.answer_cache, workers) as (url, process, started):
            pids = [process.pid, *children(process.pid)]
            before = sum(map(_cpu, pids))
            shortest, longest = scene.pause
            rate = users / max(1.0, longest)  # people do not all come in the same instant
            done = subprocess.run(
                [sys.executable, "-m", "locust", "-f", str(USERS), "--headless", "--json", "--only-summary"]
                + ["-u", str(users), "-r", f"{rate:.2f}", "-t", f"{seconds}s", "--host", url],
                env={
                    **os.environ,
                    "HYOKA_LOAD_QUESTIONS": str(file),
                    "HYOKA_LOAD_PAUSE": f"{shortest},{longest}",
                },
                capture_output=True,
                text=True,
            )
            busy = (sum(map(_cpu, pids)) - before) / seconds
            with urllib.request.urlopen(f"{url}/metrics", timeout=60) as response:
                server = _server(response.read().decode())
            memory = [parts(pid) for pid in pids]
    failures = [line.strip() for line in done.stderr.splitlines() if "POST" in line or "GET" in line][-20:]
    if done.returncode not in (0, 1):  # 1: some requests failed, which is a result
        raise SettingsError(f"locust が終わりませんでした。出力を確かめてください。\n{done.stderr[-800:]}")
    return {
        "scene": scene.name,
        "answer_cache": scene.answer_cache,
        "workers": workers,
        **(told := summary(json.loads(done.stdout), seconds)),
        "failures": failures if done.returncode else [],
        "server": {
            "start_seconds": round(started, 2),
            "processors_used": round(busy, 2),
            "cpu_ms_a_request": round(1000 * busy * seconds / max(1, told["all"]["requests"]), 2),
            "processes": memory,
            **server,
        },
    }


def _server(text: str) -> dict[str, Any]:
    """Of /metrics: the mean wait, the mean work and its stages in milliseconds, and how many were refused."""
    from prometheus_client.parser import text_string_to_metric_families

    values: defaultdict[str, float] = defaultdict(float)
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            values[f"{one.name} {one.labels.get('work', '')} {one.labels.get('stage', '')}".strip()] += one.value
    asked = values["hyoka_work_seconds_count ask"] or 1.0

    def mean(name: str, stage: str = "") -> float:
        return round(1000 * values[f"{name} ask {stage}".strip()] / asked, 2)

    stages = ("understand", "search", "compose", "explain", "render", "other")
    refused = sum(value for name, value in values.items() if name.startswith("hyoka_rejected_total"))
    return {
        "ask_wait_ms": mean("hyoka_wait_seconds_sum"),
        "ask_work_ms": mean("hyoka_work_seconds_sum"),
        "ask_stages_ms": {stage: mean("hyoka_stage_seconds_sum", stage) for stage in stages},
        "refused": int(refused),
    }


def _cpu(pid: int) -> float:
    """Seconds of processor time a process has used (Linux; elsewhere 0)."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    """The processes that a process has started and that run (Linux; elsewhere none)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if parent == str(pid) and state != "Z":
                found.append(int(stat.parent.name))
    return sorted(found)


def parts(pid: int) -> dict[str, float]:
    """MiB of a process: resident, its share of what several map (PSS), and what it has alone (USS); Linux only."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return {}
    sizes = {name: int(size) for name, size, *_ in map(str.split, lines)}
    own = sizes["Private_Clean:"] + sizes["Private_Dirty:"]
    return {
        name: round(size / 1024, 1)
        for name, size in (("resident", sizes["Rss:"]), ("share", sizes["Pss:"]), ("own", own))
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: JSON on stdout, errors as one sentence."""
    parser = argparse.ArgumentParser(
        prog="evals.benchmarks.load", description="多くの人が同時に使うときの応答時間を測ります。"
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--index-dir", type=Path, default=load_settings().index_dir)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--workers", type=int, nargs="+", default=[1])
    parser.add_argument(
        "--scenes",
        type=int,
        nargs="+",
        default=range(len(SCENES)),
        help="0: 間あり、1: 間なし、2: 間なしで回答を覚える",
    )
    chosen = parser.parse_args(arguments)
    try:
        if find_spec("locust") is None:
            raise SettingsError("locust がありません。pip install 'hyoka[bench]' で入れてください。")
        questions = [case.question for case in read_cases(chosen.file).cases]
        if not questions:
            raise SettingsError(f"質問がありません: {chosen.file}。質問ファイルを確かめてください。")
        loads = [os.getloadavg()[0]]
        scenes = [
            play(SCENES[number], questions, chosen.index_dir, chosen.users, chosen.seconds, workers)
            for number in chosen.scenes
            for workers in chosen.workers
        ]
        loads.append(os.getloadavg()[0])
    except HyokaError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    told = {
        "users": chosen.users,
        "seconds": chosen.seconds,
        "questions": len(questions),
        "scenes": scenes,
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "load_before_and_after": [round(load, 1) for load in loads],
            "python": platform.python_version(),
        },
        **code(),
    }
    print(json.dumps(told, ensure_ascii=False, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
