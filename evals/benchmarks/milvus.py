"""What Milvus costs and finds beside the files of the index: ``python -m evals.benchmarks.milvus --uri URI --folder DIR``.

The same snapshot is opened twice, once with its own files and once with Milvus, and asked the same questions in the same
process; every call of the first stage is timed (wall time, since most of it passes in a server). What is found by meaning is
held against the exact nearest rows of the snapshot. ``--folder`` keeps the indexes, so that a second run need not build them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from evals.benchmarks.manysheets import readings
from evals.benchmarks.vectors import DATA, questions_of
from evals.runs import code
from index.build import build
from index.encoder import load_encoder
from index.engines.milvusengine import MilvusEngine
from index.engines.milvusserver import MilvusServer
from index.engines.milvusstate import SentSnapshots
from index.firststage import Allowed, Engine, FirstStage, Hits, Progress
from index.manifest import CURRENT, SNAPSHOTS, VECTORS, current
from index.snapshot import Snapshot
from index.types import Encoder, Filters, Vectors
from index.vectors import VectorIndex

RESULTS = Path(__file__).with_name("results") / "milvus.json"
SIZES = (10_000, 100_000)
QUESTIONS = 100
_READY = 600.0  # seconds that a server may take to index what it was sent
_T = TypeVar("_T")


class Timed:
    """A first stage that notes what every call took and what it found by meaning."""

    def __init__(self, first: FirstStage) -> None:
        self._first = first
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.near: list[tuple[Vectors, Allowed, Hits]] = []

    def by_words(self, terms: Iterable[tuple[str, float]], limit: int, allowed: Allowed) -> Hits:
        """See :class:`index.firststage.FirstStage`."""
        return self._timed("words", lambda: self._first.by_words(terms, limit, allowed))

    def by_meaning(self, vector: Vectors, limit: int, allowed: Allowed) -> Hits:
        """See :class:`index.firststage.FirstStage`."""
        found = self._timed("meaning", lambda: self._first.by_meaning(vector, limit, allowed))
        self.near.append((vector, allowed, found))
        return found

    def cosines(self, vector: Vectors, chunks: NDArray[np.int64]) -> Vectors:
        """See :class:`index.firststage.FirstStage`."""
        return self._timed("cosines", lambda: self._first.cosines(vector, chunks))

    def _timed(self, what: str, do: Callable[[], _T]) -> _T:
        began = time.perf_counter()
        found = do()
        self.seconds[what].append(time.perf_counter() - began)
        return found


class TimedEngine:
    """An engine, or the snapshot's own files where there is none, timed."""

    def __init__(self, engine: Engine | None = None) -> None:
        self._engine = engine
        self.first: Timed | None = None

    def publish(self, folder: Path, name: str, tell: Progress) -> None:
        """See :class:`index.firststage.Engine`."""

    def open(self, path: Path, chunks: int, local: FirstStage) -> FirstStage:
        """See :class:`index.firststage.Engine`."""
        self.first = Timed(local if self._engine is None else self._engine.open(path, chunks, local))
        return self.first

    def sweep(self, folder: Path, kept: Collection[str]) -> None:
        """See :class:`index.firststage.Engine`."""


def measure(
    uri: str, folder: Path, sections: int, encoder: Encoder, questions: Sequence[str], data: Path = DATA
) -> dict[str, object]:
    """Sends an index of so many sections and searches it, with and without filters."""
    if not (folder / CURRENT).exists():
        build(readings(sections, data / "judgit-sheets.jsonl.gz"), encoder, folder).close()
    name = current(folder)
    engine = MilvusEngine(MilvusServer(uri))
    sent = _sent(engine, folder, name)
    local, remote = TimedEngine(), TimedEngine(engine)
    opened = {one: Snapshot.open(folder, encoder, engine=how) for one, how in (("local", local), ("milvus", remote))}
    rows = VectorIndex(folder / SNAPSHOTS / name / VECTORS)
    every = rows.rows(np.arange(len(rows)))
    told = {
        label: _asked(opened, local, remote, questions, filters, every) for label, filters in _filters(opened["local"])
    }
    for one in opened.values():
        one.close()
    engine.sweep(folder, [])
    engine.server.close()
    return {"sections": sections, **sent, "searches": told}


def _sent(engine: MilvusEngine, folder: Path, name: str) -> dict[str, object]:
    engine.sweep(folder, [])
    wall, cpu = time.perf_counter(), time.process_time()
    engine.publish(folder, name, lambda what, done, total: None)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    sent = SentSnapshots(folder).sent(name)
    assert sent is not None
    began = time.perf_counter()
    client = engine.server.client
    while time.perf_counter() - began < _READY:
        told = client.describe_index(sent.collection, "vector")
        if not told.get("pending_index_rows"):
            break
        time.sleep(1)
    return {
        "rows": sent.rows,
        "server": str(client.get_server_version()),
        "sparse": sent.words,
        "push": {"seconds": round(wall, 1), "rows_per_second": round(sent.rows / wall), "client_cpu": round(cpu, 1)},
        "indexed_after_seconds": round(time.perf_counter() - began, 1),
    }


def _filters(index: Snapshot) -> list[tuple[str, Filters]]:
    """No filter, and one of each kind with the most frequent value of it."""
    sheets = index.sheets()
    cities = [one.municipality for one in sheets]
    years = [one.fiscal_year for one in sheets if one.fiscal_year is not None]
    parts = [one.department.split()[0] for one in sheets if one.department.split()]
    return [
        ("none", Filters()),
        ("municipality", Filters(municipality=(_usual(cities),))),
        ("fiscal_year", Filters(fiscal_year=(_usual(years),))),
        ("department", Filters(department=(_usual(parts),))),
        ("section", Filters(section=("成果指標",))),
    ]


def _usual(values: list[_T]) -> _T:
    return max(set(values), key=values.count)


def _asked(
    opened: dict[str, Snapshot],
    local: TimedEngine,
    remote: TimedEngine,
    questions: Sequence[str],
    filters: Filters,
    every: Vectors,
) -> dict[str, object]:
    stages = {"local": local.first, "milvus": remote.first}
    found: dict[str, list[list[int]]] = {name: [] for name in stages}
    taken: dict[str, list[float]] = {name: [] for name in stages}
    for turn, question in enumerate([*questions[:10], *questions]):
        for name, first in stages.items():  # by turns, so that what else the machine does meets both
            assert first is not None
            if turn == 10:  # those before were for warming up
                first.seconds.clear()
                first.near.clear()
            began = time.perf_counter()
            hits = opened[name].search(question, 10, filters).hits
            if turn >= 10:
                taken[name].append(time.perf_counter() - began)
                found[name].append([hit.section_id for hit in hits])
    out: dict[str, object] = {}
    for name, first in stages.items():
        assert first is not None
        told: dict[str, object] = {
            what: _percentiles(values) for what, values in [*first.seconds.items(), ("search", taken[name])]
        }
        out[name] = told | {f"recall_{k}": _recall(first.near, every, k) for k in (10, 300)}
    pairs = list(zip(found["local"], found["milvus"], strict=True))
    assert local.first is not None
    share = float(np.mean([allowed.chunks.mean() for _, allowed, _ in local.first.near]))
    out["allowed"] = round(share, 5)
    out["same_first"] = sum(a[:1] == b[:1] for a, b in pairs)
    out["same_ten"] = sum(a == b for a, b in pairs)
    out["shared_ten"] = round(
        float(np.mean([len(set(a) & set(b)) / max(len(a), 1) if a else 1.0 for a, b in pairs])), 4
    )
    return out


def _percentiles(seconds: Sequence[float]) -> dict[str, float]:
    return {name: round(1000 * float(np.quantile(seconds, q)), 2) for name, q in (("p50", 0.5), ("p95", 0.95))}


def _recall(near: Sequence[tuple[Vectors, Allowed, Hits]], every: Vectors, k: int) -> float:
    """The share of the exact nearest ``k`` allowed rows that was found; of equal ones any counts."""
    shares = []
    for vector, allowed, hits in near:
        cosines = (every @ vector.reshape(-1))[allowed.chunks]
        wanted = min(k, len(cosines))
        if wanted:
            least = np.partition(cosines, -wanted)[-wanted] - 1e-5
            chunks = [chunk for chunk, _ in hits[:wanted]]
            shares.append(float(np.count_nonzero(every[chunks] @ vector.reshape(-1) >= least)) / wanted)
    return round(float(np.mean(shares)), 4)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; results of the same server and number of sections are replaced in the file."""
    parser = argparse.ArgumentParser(prog="python -m evals.benchmarks.milvus", description="Milvus を測ります。")
    parser.add_argument("--uri", required=True)
    parser.add_argument("--folder", type=Path, required=True, help="索引を置くフォルダー")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--questions", type=int, default=QUESTIONS)
    parser.add_argument("--data", type=Path, default=DATA, help="評価シートと質問のフォルダー")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    encoder = load_encoder()
    asked = questions_of(given.data)
    questions = asked[:: max(1, len(asked) // given.questions)][: given.questions]
    for sections in map(int, given.sizes.split(",")):
        told = measure(given.uri, given.folder / str(sections), sections, encoder, questions, given.data)
        told = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "load": os.getloadavg()[0],
            "questions": len(questions),
            **told,
        }
        stored: dict[str, Any] = json.loads(given.out.read_text("utf-8")) if given.out.exists() else {"runs": []}
        same = (told["server"], told["sections"])
        runs = [run for run in stored["runs"] if (run["server"], run["sections"]) != same]
        stored = {"machine": _machine(), "runs": [*runs, told], **code()}
        given.out.write_text(json.dumps(stored, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        print(json.dumps(told, ensure_ascii=False, indent=1))
    return 0


def _machine() -> dict[str, object]:
    packages = {name: version(name) for name in ("pymilvus", "milvus-lite", "faiss-cpu", "tantivy")}
    return {"cores": os.cpu_count(), "system": platform.platform(), **packages}


if __name__ == "__main__":
    sys.exit(main())
