"""How fast an index is built from readings, by the number of processes, and what memory that takes.

``python -m evals.benchmarks.building [--sections 20000] [--jobs 0,1,2] [--out FILE]`` builds with the bundled encoder from
the sheets of :mod:`evals.benchmarks.manysheets` and prints JSON. Reading files is not measured: the readings are made before
the clock starts (up to 50,000 sections; above that they are made while it runs, and their CPU time is taken off).

CPU seconds are those of this process and of the processes it started. Memory is the most of this process's own
(anonymous) memory, from before the build to its end without the opening of the finished index, looked at ten times a second.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import monotonic, process_time
from typing import Any

from assistant.workers import Workers
from evals.benchmarks.manysheets import Reading, readings
from index.build import write_snapshot
from index.encoder import load_encoder
from index.spread import Here

OUT = Path(__file__).with_name("results") / "building.json"
_IN_MEMORY = 50_000


@dataclass(frozen=True, slots=True)
class Rate:
    """One build: ``jobs`` 0 is this process alone; MiB of memory; microseconds of CPU time a section."""

    jobs: int
    sections: int
    seconds: float
    sections_per_second: float
    cpu_seconds: float
    cpu_us_a_section: float
    writer_cpu_us_a_section: float
    peak_anonymous_mib: float
    grown_anonymous_mib: float
    on_disk_mib: float


def measure(sections: int, jobs: int) -> Rate:
    """Builds once, in this process."""
    encoder = load_encoder()
    spent = [0.0]
    given = readings(sections)
    timed: Iterable[Reading] = list(given) if sections <= _IN_MEMORY else _timed(given, spent)
    spread = partial(Workers, jobs=jobs, seconds=600.0) if jobs else Here
    with tempfile.TemporaryDirectory(dir=os.environ.get("HYOKA_BENCH_DIR")) as folder:
        before = _anonymous()
        peak = _Peak()
        began, own, others = monotonic(), process_time(), _children()
        name = write_snapshot(timed, encoder, Path(folder), spread=spread)
        seconds, own, others = monotonic() - began, process_time() - own - spent[0], _children() - others
        most = peak.stop()
        place = Path(folder) / "snapshots" / name
        counts = json.loads((place / "manifest.json").read_text("utf-8"))["counts"]
        size = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
    done, cpu = counts["sections"], own + others
    return Rate(
        jobs, done, round(seconds, 2), round(done / seconds, 1), round(cpu, 2), round(cpu / done * 1e6, 1),
        round(own / done * 1e6, 1), round(most / 2**20, 1), round((most - before) / 2**20, 1), round(size / 2**20, 1),
    )  # fmt: skip


def _timed(given: Iterator[Reading], spent: list[float]) -> Iterator[Reading]:
    while True:
        began = process_time()
        one = next(given, None)
        spent[0] += process_time() - began
        if one is None:
            return
        yield one


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _anonymous() -> int:
    """Bytes of this process's own memory: not the pages of files that it maps."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0


class _Peak:
    """The most anonymous memory from now until :meth:`stop`."""

    def __init__(self) -> None:
        self._most = _anonymous()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._done.wait(0.1):
            self._most = max(self._most, _anonymous())

    def stop(self) -> int:
        self._done.set()
        self._thread.join()
        return max(self._most, _anonymous())


def main(arguments: list[str] | None = None) -> None:
    """Each build in a process of its own, so that none has the memory of another."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sections", type=int, default=20_000)
    parser.add_argument("--jobs", default="0,1,2", help="numbers of processes, with commas")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one is not None:
        print(json.dumps(asdict(measure(options.sections, options.one))))
        return
    found: list[dict[str, Any]] = []
    for jobs in options.jobs.split(","):
        command = [
            sys.executable,
            "-m",
            "evals.benchmarks.building",
            "--sections",
            str(options.sections),
            "--one",
            jobs,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append({**json.loads(done.stdout), "load": round(os.getloadavg()[0], 1)})
        print(json.dumps(found[-1]), flush=True)
    table = (
        json.loads(options.out.read_text("utf-8")) if options.out.exists() else {"cores": os.cpu_count(), "builds": []}
    )
    key = {(one["sections"], one["jobs"]) for one in found}
    kept = [one for one in table["builds"] if (one["sections"], one["jobs"]) not in key]
    table["builds"] = sorted([*kept, *found], key=lambda one: (one["sections"], one["jobs"]))
    options.out.write_text(json.dumps(table, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
