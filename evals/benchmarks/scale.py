"""hyoka at 1,000 to 1,000,000 sections, beside other products: ``python -m evals.benchmarks.scale``.

For each number of sections and each system: how fast it builds, what it takes on disk and in memory, how long it takes
to start, what a search costs by stage and whether it finds what is known to be there. Same sections, same encoder, a
process for each measurement; after each system the floor (FAISS and tantivy) is asked the same questions, so that every
time also stands as a ratio to it. Each result is written when it is there; started again, the command goes on where it
was. What would not fit the budget is not run, and the row says what it would take.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.benchmarks import measuring
from evals.benchmarks.curves import write_curves
from evals.benchmarks.manysheets import DATA
from evals.benchmarks.products import FLOOR, SYSTEMS
from evals.benchmarks.scaleresults import RESULTS, Results, Row, key_of, machine, now
from evals.benchmarks.scaletable import write_tables
from evals.benchmarks.sectionfile import SectionFile
from evals.benchmarks.systems import available
from evals.benchmarks.turns import Limits, Ran, Turns

SIZES = (1_000, 10_000, 100_000, 1_000_000)
WORK = Path("/tmp/hyoka-scale")
DOCS = Path(__file__).resolve().parents[2] / "docs"
UNLIMITED = ("hyoka", "faiss", FLOOR)  # measured whatever they take
_QUICK = 10.0  # seconds; what starts faster is started three times
# One thread in a search, whatever the library's default: spinning threads of two libraries slow each other down.
_SEARCHING = {"OMP_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Bench:
    """What all measurements share."""

    work: Path
    data: Path
    turns: Turns
    limits: Limits
    seconds: float  # for the typed questions, and for the others

    def source(self, size: int) -> SectionFile:
        """The sections of a size, written if they are not there."""
        source = SectionFile(self.work / str(size) / "sections", size, self.data)
        source.write()
        return source

    def run(self, what: str, name: str, source: SectionFile, folder: Path) -> Ran:
        """One measurement in a process of its own."""
        building = what == "build"
        return self.turns.run(
            [
                *(sys.executable, "-m", measuring.__name__, what, name, str(source.size)),
                *(str(source.data), str(source.folder), str(folder), str(self.seconds)),
            ],
            {} if building else _SEARCHING,
            None if name in UNLIMITED else self.limits,
            pausable=building,
        )


def measure(name: str, size: int, bench: Bench, results: Results, given: Path | None = None) -> Row:
    """One row: the system with so many sections, and the floor's search right after it."""
    source = bench.source(size)
    counts = source.counts()
    bench.turns.take()  # what is measured is what is here when its turn comes
    row: Row = {"system": name, "size": size, "key": key_of(name), "at": now()}
    row |= {"sections": counts.sections, "chunks": counts.chunks, "sheets": counts.sheets}
    estimate = None if name in UNLIMITED else results.estimate(name, size)
    if estimate is not None and (why := over(estimate, bench.limits)):
        return row | {"not_run": why, "estimate": estimate}
    folder = given or bench.work / str(size) / name
    built = {"given": True} if given else _build(name, source, folder, bench, row)
    if "failed" in built:
        return row | {"not_run": built["failed"]}
    row |= {"build": built, "disk_mib": round(_bytes(folder) / 2**20, 1)}
    found = _search(name, source, folder, bench)
    floor = bench.work / str(size) / FLOOR
    if "failed" in found:
        return row | {"not_run": found["failed"]}
    row |= found
    if name != FLOOR and (floor / "vectors.faiss").exists():
        beside = _search(FLOOR, source, floor, bench)
        row["floor"] = {"search": beside["search"]["all"], "start": beside["start"]}
    return row


def _build(name: str, source: SectionFile, folder: Path, bench: Bench, row: Row) -> dict[str, Any]:
    """What building took; an index of before is taken where what built it is what is here now."""
    kept = folder.with_name(f"{name}.built.json")
    if kept.exists() and (before := json.loads(kept.read_text("utf-8")))["key"] == row["key"]:
        found: dict[str, Any] = before["build"]
        return found
    kept.unlink(missing_ok=True)
    _empty(folder)
    ran = bench.run("build", name, source, folder)
    if ran.failed:
        return {"failed": ran.failed}
    cpu = ran.told["cpu_s"]
    built = {
        "wall_s": ran.wall_s,
        "cpu_s": cpu,
        "sections_per_s": round(row["sections"] / ran.wall_s, 1),
        "sections_per_cpu_s": round(row["sections"] / cpu, 1),
        "peak_resident_mib": ran.peak_resident_mib,
        "peak_anonymous_mib": ran.peak_anonymous_mib,
        **machine_load(),
    }
    kept.write_text(json.dumps({"key": row["key"], "build": built}), "utf-8")
    return built


def _search(name: str, source: SectionFile, folder: Path, bench: Bench) -> dict[str, Any]:
    ran = bench.run("search", name, source, folder)
    if ran.failed:
        return {"failed": ran.failed}
    told = dict(ran.told)
    walls, cpus = [told.pop("answered_at") - ran.began_at], [told.pop("start_cpu_s")]
    for _ in range(2 if walls[0] < _QUICK else 0):
        again = bench.run("start", name, source, folder)
        if not again.failed:
            walls.append(again.told["answered_at"] - again.began_at)
            cpus.append(again.told["cpu_s"])
    told["start"] = {"wall_s": round(sorted(walls)[len(walls) // 2], 2), "cpu_s": sorted(cpus)[len(cpus) // 2]}
    told["start"]["times"] = len(walls)
    known, found = told.pop("known"), told.pop("found")
    told["recall"] = {"known_items": known, "found_in_10": found, "share": round(found / known, 3) if known else None}
    return told | machine_load()


def machine_load() -> dict[str, float]:
    """The load of the last minute, for the row."""
    return {"load": machine()["load"]}


def over(estimate: dict[str, Any], limits: Limits) -> str:
    """Why it is not run; empty where it fits. ``estimate`` is of :meth:`Results.estimate`."""
    too_long, too_big = estimate["cpu_s"] > limits.cpu_s, estimate["anonymous_mib"] > limits.anonymous_mib
    if not too_long and not too_big:
        return ""
    return (
        f"not run: would take about {estimate['cpu_s'] / 60:.0f} min of CPU time and"
        f" {estimate['anonymous_mib'] / 1024:.0f} GiB of memory (reckoned from {' and '.join(f'{size:,}' for size in estimate['from'])} sections);"
        f" the budget is {limits.cpu_s / 60:.0f} min and {limits.anonymous_mib / 1024:.0f} GiB"
    )


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def run(
    sizes: Iterable[int], names: Sequence[str], again: Sequence[str], given: dict[int, Path], bench: Bench, out: Path
) -> Results:
    """All sizes, the floor first; what is there already and still holds is taken over."""
    results = Results.read(out)
    order = sorted(names, key=lambda name: name != FLOOR)
    for size in sorted(sizes):
        for name in order:
            if name not in again and results.holds(name, size):
                continue
            if not available(SYSTEMS[name]):
                print(f"{name}: 追加パッケージ hyoka[bench] がありません。", file=sys.stderr)
                continue
            print(f"{size:,} {name} …", file=sys.stderr, flush=True)
            row = measure(name, size, bench, results, given.get(size) if name == "hyoka" else None)
            results = Results.read(out)  # another run may have written to it
            results.put(row)
            results.write(out)
    return results


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: progress on stderr, JSON into ``--out``, tables and plots into ``--docs``."""
    parser = argparse.ArgumentParser(
        prog="evals.benchmarks.scale", description="規模ごとに、ほかの製品と並べて測ります。"
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument(
        "--again",
        nargs="*",
        choices=SYSTEMS,
        default=[],
        help="前の結果があっても検索を測り直すもの（索引は、作ったときと違うものなら作り直し）",
    )
    parser.add_argument("--given", nargs="*", default=[], metavar="SIZE=DIR", help="作ってある hyoka の索引")
    parser.add_argument("--minutes", type=float, default=10, help="ほかの製品の索引作成の上限（CPU時間）")
    parser.add_argument("--gib", type=float, default=8, help="ほかの製品のメモリーの上限")
    parser.add_argument("--seconds", type=float, default=60, help="検索を続ける時間の上限")
    parser.add_argument("--lock", type=Path, help="ほかの測定と順番に使うための鍵のファイル")
    parser.add_argument("--data", type=Path, default=DATA, help="judgit-sheets.jsonl.gz")
    parser.add_argument("--work", type=Path, default=WORK, help="索引を作る場所")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--docs", type=Path, default=DOCS)
    parser.add_argument("--draw", action="store_true", help="測らずに、いまの結果から表と図だけを書く")
    chosen = parser.parse_args(arguments)
    if chosen.draw:
        write_tables(Results.read(chosen.out), chosen.docs)
        write_curves(Results.read(chosen.out), chosen.docs / "images")
        return 0
    limits = Limits(60 * chosen.minutes, 1024 * chosen.gib)
    bench = Bench(chosen.work, chosen.data, Turns(chosen.lock), limits, chosen.seconds)
    given = {int(size): Path(folder) for size, _, folder in (one.partition("=") for one in chosen.given)}
    names = list(dict.fromkeys([*chosen.systems, *chosen.again]))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that a measurement under way is stopped too
    try:
        results = run(chosen.sizes, names, chosen.again, given, bench, chosen.out)
    finally:
        bench.turns.give()
    write_tables(results, chosen.docs)
    write_curves(results, chosen.docs / "images")
    return 0


if __name__ == "__main__":
    sys.exit(main())
