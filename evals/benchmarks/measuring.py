"""One measurement in a process of its own: a build, a start, or a start with all questions. Says what it cost as JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evals.benchmarks.products import SYSTEMS, K
from evals.benchmarks.sectionfile import WARMING, SectionFile
from evals.benchmarks.stageclock import StageClock
from evals.benchmarks.systems import Search

REST = "rest"
ENOUGH = 20  # questions asked of a system however slow it is


def built(name: str, source: SectionFile, folder: Path) -> dict[str, Any]:
    """Indexes the sections; seconds of wall and CPU time with those of worker processes, the process's start included."""
    SYSTEMS[name].build(source, folder)
    return {"wall_s": 0.0, "cpu_s": round(_cpu(), 2)}  # the wall time is for whoever started the process


def started(name: str, source: SectionFile, folder: Path) -> dict[str, Any]:
    """Opens the index and answers one question."""
    search = SYSTEMS[name].open(folder, StageClock())
    search(source.typed()[0], K)
    return {"answered_at": time.time(), "cpu_s": round(time.process_time(), 3)}


def searched(name: str, source: SectionFile, folder: Path, seconds: float) -> dict[str, Any]:
    """Opens the index and asks all questions, each once; after ``seconds`` of typed ones, and as many of the others,
    it asks no more."""
    clock = StageClock()
    search = SYSTEMS[name].open(folder, clock)
    typed = source.typed()
    search(typed[0], K)
    told: dict[str, Any] = {
        "answered_at": time.time(),
        "start_cpu_s": round(time.process_time(), 3),
        "opened": memory(),
    }
    for question in typed[1:WARMING]:
        search(question, K)
    clock.take()
    told |= _asked(search, typed[WARMING:], clock, seconds)
    told["searched"] = memory()
    right = asked = 0
    names = source.names()
    until = time.monotonic() + seconds
    for known in source.known():
        if asked >= ENOUGH and time.monotonic() > until:
            break
        hits = search(known.question, K)
        asked += 1
        right += any(known.name == (hit if isinstance(hit, str) else names[hit]) for hit in hits)
    return told | {"known": asked, "found": right}


def _asked(search: Search, questions: Sequence[str], clock: StageClock, seconds: float) -> dict[str, Any]:
    rows: list[dict[str, tuple[float, float]]] = []
    until = time.monotonic() + seconds
    for question in questions:
        if len(rows) >= ENOUGH and time.monotonic() > until:
            break
        wall, cpu = time.perf_counter(), time.process_time()
        search(question, K)
        whole = 1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu)
        stages = clock.take()
        spent = [sum(stage[kind] for stage in stages.values()) for kind in (0, 1)]
        rows.append({"all": whole, **stages, REST: (max(0.0, whole[0] - spent[0]), max(0.0, whole[1] - spent[1]))})
    return {"questions": len(rows), "search": summary(rows)}


def summary(rows: Sequence[dict[str, tuple[float, float]]]) -> dict[str, dict[str, float]]:
    """Median and 95th percentile of wall and CPU milliseconds by stage, and the mean of the CPU time; a question without
    the stage counts as 0."""
    stages = dict.fromkeys(stage for row in rows for stage in row)
    told = {}
    for stage in stages:
        values = np.array([row.get(stage, (0.0, 0.0)) for row in rows])
        figures = np.quantile(values, (0.5, 0.95), axis=0)
        names = ("wall_p50", "cpu_p50"), ("wall_p95", "cpu_p95")
        told[stage] = {
            name: round(float(value), 3)
            for line, row in zip(names, figures, strict=True)
            for name, value in zip(line, row, strict=True)
        }
        told[stage]["cpu_mean"] = round(float(values[:, 1].mean()), 3)
    return told


def memory() -> dict[str, float]:
    """MiB of this process (Linux): resident, and what of it is its own; the rest are pages of files."""
    lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    names = {"VmRSS:": "resident_mib", "RssAnon:": "anonymous_mib"}
    return {names[line[0]]: round(int(line[1]) / 1024, 1) for line in lines if line and line[0] in names}


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main(arguments: Sequence[str] | None = None) -> int:
    """``WHAT SYSTEM SIZE DATA SOURCE FOLDER SECONDS``: started by :mod:`evals.benchmarks.scale`, not by people."""
    what, name, size, data, at, folder, seconds = arguments if arguments is not None else sys.argv[1:]
    source = SectionFile(Path(at), int(size), Path(data))
    if what == "build":
        told = built(name, source, Path(folder))
    elif what == "start":
        told = started(name, source, Path(folder))
    else:
        told = searched(name, source, Path(folder), float(seconds))
    sys.stdout.write("\n" + json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
