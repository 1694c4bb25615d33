"""How long one changed file takes in a large index, beside the whole build of it in the same run.

    python -m evals.benchmarks.updating --sections 100000 --folder /tmp/updating
    python -m evals.benchmarks.updating --index /tmp/index-of-a-million   # one that is there; it is linked, not changed

Sheets are those of :mod:`evals.benchmarks.manysheets`. The bundled encoder is loaded before anything is timed. Wall time
counts what the disk takes; on a machine that is shared, CPU time says more.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from evals.benchmarks.manysheets import Reading, readings
from index.build import write_snapshot
from index.encoder import load_encoder
from index.manifest import CURRENT, SNAPSHOTS, current, read_manifest
from index.records import Records
from index.snapshot import Snapshot
from index.stored import StoredReadings
from index.types import Encoder
from index.update import update

RESULTS = Path(__file__).parent / "results" / "updating.json"
_ROUNDS = 3


def measured(work: Callable[[], object]) -> dict[str, float]:
    """Seconds on the clock and of this process's CPU."""
    clock, cpu = perf_counter(), process_time()
    work()
    return {"seconds": round(perf_counter() - clock, 3), "cpu": round(process_time() - cpu, 3)}


def linked(index: Path, folder: Path) -> None:
    """A copy of an index folder whose files are links."""
    name = current(index)
    shutil.copytree(index / SNAPSHOTS / name, folder / SNAPSHOTS / name, copy_function=os.link)
    (folder / CURRENT).write_text(f"{name}\n", "utf-8")


def changed(reading: Reading, round_: int) -> Reading:
    """The same document as of other bytes: what an update does with it does not depend on what has changed."""
    document, sheets = reading
    return replace(document, sha256=f"{round_:064}"), sheets


def renamed(reading: Reading, file: str) -> Reading:
    """The same document under another name, which the index does not have."""
    document, sheets = reading
    own = [replace(one, sheet=replace(one.sheet, sheet_id=f"n{one.sheet.sheet_id}", file=file)) for one in sheets]
    return replace(document, file=file), own


def measure(folder: Path, encoder: Encoder) -> dict[str, Any]:
    """One file changed, added and removed, some times over; then the opening of what came of it, and a search."""
    stored = StoredReadings(folder, later=True)
    file = list(stored.files())[-1]
    manifest = read_manifest(folder, current(folder))
    stored.close()
    path = folder / SNAPSHOTS / manifest.id
    records = Records(manifest.places(path, "records.sqlite"), manifest.places(path, "tables"))
    reading = records.reading(file)
    records.close()
    found: dict[str, list[dict[str, float]]] = {"changed": [], "added": [], "removed": []}
    for round_ in range(_ROUNDS):
        one, new = changed(reading, round_), renamed(reading, f"new/{round_}.txt")
        found["changed"].append(measured(lambda one=one: update(folder, encoder, [one])))  # type: ignore[misc]
        found["added"].append(measured(lambda new=new: update(folder, encoder, [new])))  # type: ignore[misc]
        gone = [new[0].file]
        found["removed"].append(measured(lambda gone=gone: update(folder, encoder, [], gone)))  # type: ignore[misc]
    opened: list[Snapshot] = []
    opening = measured(lambda: opened.append(Snapshot.open(folder, encoder)))
    searching = [measured(lambda: opened[0].search("図書館の利用者を増やす", 10)) for _ in range(_ROUNDS)]
    after = read_manifest(folder, current(folder))
    opened[0].close()
    return {
        "counts": after.counts,
        "sections of the file": sum(len(one.sections) for one in reading[1]),
        "update": found,
        "opened after": opening,
        "searched after": searching,
        "additions": [part.chunks for part in after.parts],
        "removed chunks": after.removed,
    }


def main() -> None:
    """Measures and adds the figures to the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sections", type=int, default=100_000)
    parser.add_argument("--index", type=Path, help="an index that is there, in place of a build")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "hyoka-updating")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    encoder = load_encoder()
    encoder.encode(["準備"], "passage")
    shutil.rmtree(arguments.folder, ignore_errors=True)
    arguments.folder.mkdir(parents=True)
    result: dict[str, Any] = {"measured": datetime.now(UTC).isoformat(timespec="seconds"), "cpus": os.cpu_count()}
    result["machine"] = f"{platform.machine()}, load {os.getloadavg()[0]:.1f}"
    if arguments.index is not None:
        linked(arguments.index, arguments.folder)
    else:
        result["whole build"] = measured(
            lambda: write_snapshot(readings(arguments.sections), encoder, arguments.folder)
        )
    result |= measure(arguments.folder, encoder)
    before = json.loads(arguments.out.read_text("utf-8")) if arguments.out.exists() else []
    text = json.dumps([*before, result], ensure_ascii=False, indent=1)
    arguments.out.write_text(text + "\n", "utf-8")
    print(json.dumps(result, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
