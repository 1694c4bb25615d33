"""The results of :mod:`evals.benchmarks.scale`, kept row by row in a JSON file."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from evals.benchmarks.products import SYSTEMS
from evals.benchmarks.systems import versions
from evals.runs import code

RESULTS = Path(__file__).with_name("results") / "scale.json"
MEASURED = 1  # raised when what is measured, or how, is changed: rows of before do not hold then
_ROOT = Path(__file__).resolve().parents[2]
Row = dict[str, Any]
WHAT = (
    "sections of open review sheets (16,061 sheets, 46,836 sections), above that generated ones; questions: 200 typed, 10"
    " hits wanted; known items: 200 questions of four nouns out of a programme's purpose, a hit of that programme among"
    " the ten; times of searches in ms, CPU beside wall; start: from the start of the process to its first answer, files"
    " in the page cache; memory in MiB of a process that does nothing else; floor: FAISS and tantivy asked the same"
    " right after"
)


@dataclass(frozen=True, slots=True)
class Results:
    """Rows by system and size."""

    rows: dict[tuple[str, int], Row] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> Results:
        """What was written; nothing where there is no file."""
        if not file.exists():
            return cls()
        told = json.loads(file.read_text("utf-8"))
        return cls({(row["system"], row["size"]): row for row in told["rows"]})

    def write(self, file: Path) -> None:
        """All rows by size, with the machine; through a second file, so that a kill leaves the old or the new."""
        order = list(SYSTEMS)
        rows = sorted(self.rows.values(), key=lambda row: (row["size"], order.index(row["system"])))
        told = {"what": WHAT, "at": now(), "machine": machine(), **code(), "rows": rows}
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_suffix(".new")
        beside.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")
        beside.replace(file)

    def put(self, row: Row) -> None:
        """Takes a row, in place of the one for the same system and size."""
        self.rows[row["system"], row["size"]] = row

    def holds(self, system: str, size: int) -> bool:
        """Whether a row is there that was measured with what is here now."""
        row = self.rows.get((system, size))
        return row is not None and row["key"] == key_of(system)

    def estimate(self, system: str, size: int) -> dict[str, Any] | None:
        """What a build would take, and the memory that a search would: on the line through the two largest smaller sizes
        that were measured, in proportion where there is one; None without any."""
        smaller = [row for row in self.of(system) if row["size"] < size and "cpu_s" in row["build"]][-2:]
        if not smaller:
            return None
        known = [(row["sections"], row["build"]["cpu_s"], _most(row)) for row in smaller]
        return {
            "cpu_s": round(line([(sections, cpu) for sections, cpu, _ in known], size), 1),
            "anonymous_mib": round(line([(sections, memory) for sections, _, memory in known], size), 1),
            "from": [row["size"] for row in smaller],
        }

    def sizes(self) -> list[int]:
        """The sizes, smallest first."""
        return sorted({size for _, size in self.rows})

    def of(self, system: str) -> list[Row]:
        """The measured rows of a system, smallest first."""
        found = [self.rows.get((system, size), {}) for size in self.sizes()]
        return [row for row in found if "search" in row]


def line(known: list[tuple[float, float]], at: float) -> float:
    """The value on the line through two points, or through the origin and one:
    ``[(1, 3), (2, 5)], 10 -> 21``, ``[(2, 5)], 10 -> 25``."""
    (start, low), (end, high) = known if len(known) == 2 else [(0.0, 0.0), *known]
    return high + (high - low) / (end - start) * (at - end)


def _most(row: Row) -> float:
    return float(max(row["build"]["peak_anonymous_mib"], row["searched"]["anonymous_mib"]))


def key_of(system: str) -> dict[str, Any]:
    """What a row depends on: versions, the way of measuring, and for hyoka its own code."""
    key: dict[str, Any] = {"measured": MEASURED, "versions": versions(SYSTEMS[system])}
    if system == "hyoka":
        digest = hashlib.sha256()
        for file in sorted(file for part in ("corpus", "index") for file in (_ROOT / part).rglob("*.py")):
            digest.update(file.read_bytes())
        key["code"] = digest.hexdigest()[:12]
    return key


def now() -> str:
    """The time, as it is written down."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def machine() -> dict[str, Any]:
    """What it was measured on."""
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int((_line("/proc/meminfo", "MemTotal") or "0 kB").split()[0]) / 2**20),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "kernel": platform.release(),
        "numpy": version("numpy"),
    }


def processor() -> str:
    """The name of the processor."""
    return _line("/proc/cpuinfo", "model name") or platform.machine()


def _line(file: str, name: str) -> str:
    for line in Path(file).read_text().splitlines():
        if line.startswith(name):
            return line.split(":", 1)[1].strip()
    return ""
