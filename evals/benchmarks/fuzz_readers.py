"""Damaged files and scrambled sheets through every reader: ``python -m evals.benchmarks.fuzz_readers --inputs 10000``.

A file may be read or refused with a DocumentError, nothing else: no other exception, no process that dies, no hang over
30 seconds, no file lost from the account. Each input has a number and is the same on every machine.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from assistant.intake import Intake
from assistant.workers import TimeExceeded, WorkerDied, Workers
from corpus.sources import find_files
from evals.benchmarks.damage import damaged
from evals.benchmarks.probes import MAX_BYTES, Input, Probe, file_input, probe_file, probe_sheets, sheets_input
from evals.runs import code
from index.spread import in_order

MAX_SECONDS = 30.0
RESULT = Path(__file__).parent / "results" / "fuzz-readers.json"


def probe_all(probe: Callable[[Input], Probe], inputs: Iterator[Input], jobs: int, verbose: bool) -> list[Probe]:
    """Every input's end, in order."""
    found = []
    with Workers(probe, jobs, MAX_SECONDS) as workers:
        for given, future in in_order(workers.submit, inputs, 4 * jobs):
            try:
                found.append(future.result())
            except WorkerDied:
                found.append(Probe(given.number, Path(given.name).suffix, "process died"))
            except TimeExceeded:
                found.append(Probe(given.number, Path(given.name).suffix, f"over {MAX_SECONDS:g} s", MAX_SECONDS))
            if verbose and found[-1].end not in ("read", "refused"):
                print(found[-1].number, found[-1].kind, found[-1].end, file=sys.stderr, flush=True)
    return found


def lost(numbers: range, jobs: int) -> list[str]:
    """Files that no line of the account names, of a folder with these inputs."""
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            name, data = damaged(number)
            (Path(folder) / name).write_bytes(data)
        files = find_files([folder], MAX_BYTES)
        intake = Intake(files, MAX_BYTES, jobs=jobs, max_seconds=MAX_SECONDS)
        read = {one[0].file for one in intake if isinstance(one, tuple)}
        named = [report.file for report in intake.read]
        named += [refused.file for refused in intake.refused] + [copy.file for copy in intake.copies]
        given = {damaged(number)[0] for number in numbers}
        missing = {file.name for file in files} ^ set(named)
        missing |= given - {file.path.name for file in files}
        missing |= read ^ {entry.file for entry in intake.read}
        return sorted(missing) + sorted(name for name, count in Counter(named).items() if count > 1)


def summary(probes: list[Probe]) -> dict[str, Any]:
    """Counts by kind and end, the slowest inputs, and the first of every kind of failure."""
    wrong = [probe for probe in probes if probe.end not in ("read", "refused")]
    kinds = {
        kind: dict(Counter(probe.end for probe in probes if probe.kind == kind))
        for kind in sorted({probe.kind for probe in probes})
    }
    slowest = sorted(probes, key=lambda probe: -probe.seconds)[:5]
    first = {probe.end: asdict(probe) for probe in reversed(wrong)}
    return {
        "inputs": len(probes),
        "wrong": len(wrong),
        "kinds": kinds,
        "slowest": [{"number": p.number, "kind": p.kind, "seconds": round(p.seconds, 2)} for p in slowest],
        "first": first,
    }


def main(arguments: list[str] | None = None) -> int:
    """Runs the inputs and writes the summary; 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000, help="damaged files")
    parser.add_argument("--sheets", type=int, default=2_000, help="scrambled sheets")
    parser.add_argument("--start", type=int, default=0, help="the first input's number")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--verbose", action="store_true", help="tell what goes wrong as it happens")
    given = parser.parse_args(arguments)
    numbers = range(given.start, given.start + given.inputs)
    files = probe_all(probe_file, map(file_input, numbers), given.jobs, given.verbose)
    texts = range(given.start, given.start + given.sheets)
    sheets = probe_all(probe_sheets, map(sheets_input, texts), given.jobs, given.verbose)
    missing = lost(range(given.start, given.start + min(400, given.inputs)), given.jobs)
    about = {"files": summary(files), "sheets": summary(sheets)}
    result = {"code": code(), **about, "lost": missing}
    given.out.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, ensure_ascii=False, indent=1))
    return int(bool(about["files"]["wrong"] or about["sheets"]["wrong"] or missing))


if __name__ == "__main__":
    sys.exit(main())
