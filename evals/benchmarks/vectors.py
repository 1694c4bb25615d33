"""What each kind of vector index costs and finds: ``python -m evals.benchmarks.vectors`` (a quarter of an hour).

The rows are sections of open review sheets, encoded with the bundled encoder; where more are wanted, the same rows again
and again with noise. Flat and the lists are those of :mod:`index.vectors`; HNSW, which hyoka does not use, stands
beside them, and FAISS's flat index in memory is the floor that all times are given as ratios to. Every index is opened in
a process of its own, for its memory. Times are CPU time: other work on the machine hardly shows in them.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from corpus.documents import Section, Sheet, Span
from evals.benchmarks.scaleresults import processor
from evals.runs import code
from index.chunks import passage_text, split
from index.encoder import load_encoder
from index.types import Vectors, unit
from index.vectors import Kind, VectorIndex, kind_for, write_vectors

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
RESULTS = Path(__file__).with_name("results") / "vectors.json"
SIZES = (1_000, 10_000, 50_000, 100_000, 200_000, 1_000_000)
QUESTIONS = 200
LIMIT = 300  # what a search asks for (index.passagesearch.DENSE_CANDIDATES)
SHARES = (1.0, 0.1, 0.01, 0.001)
COPY = 0.87  # the cosine of a generated row with the real one it is made from
LINKS, BUILD_BREADTH, BREADTH = 16, 100, 400  # of HNSW
MILLISECONDS = 2.0  # what an exact search may cost before an index of lists is worth its losses
_PARTS = (("purpose", "事業の目的"), ("overview", "事業の概要"))
_faiss: Any = faiss

Search = Callable[[Vectors, NDArray[np.bool_]], list[tuple[int, float]]]


def texts_of(data: Path) -> Iterator[tuple[str, str]]:
    """(label, text as it is encoded) of the sections of the review sheets, in the order of the file."""
    with gzip.open(data / "judgit-sheets.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            sheet = Sheet("", "", "programme", record["name"], "", None, "", (Span(0, 0),))
            parts = [(label, record.get(key) or "") for key, label in _PARTS]
            parts += [("成果指標", one.get("name") or "") for one in record.get("outcomes") or []]
            for label, text in parts:
                section = Section(label, label, Span(0, len(text)), text)
                for span in split(text) if text.strip() else []:
                    yield label, passage_text(sheet, section, text[span.start : span.end])


def questions_of(data: Path) -> list[str]:
    """As many terse questions of staff as names and purposes of programmes that are no sections of their own."""
    found: list[str] = []
    for file, key in (("staff-queries", "q"), ("judgit-pairs-dev", "query")):
        with gzip.open(data / f"{file}.jsonl.gz", "rt", encoding="utf-8") as lines:
            every = [json.loads(line)[key] for line in lines]
        found += every[:: max(1, len(every) // (QUESTIONS // 2))][: QUESTIONS // 2]
    return found


def rows_for(real: Vectors, labels: NDArray[np.bool_], count: int) -> tuple[Vectors, NDArray[np.bool_]]:
    """``count`` rows and whether each is of the label: real ones spread over all, or all and noisy copies of them."""
    if count <= len(real):
        chosen = np.linspace(0, len(real) - 1, count).astype(np.int64)
        return real[chosen], labels[chosen]
    dice = np.random.default_rng(7)
    rows = np.empty((count, real.shape[1]), dtype=np.float32)
    rows[: len(real)] = real
    noise = np.float32(np.sqrt((1 / COPY**2 - 1) / real.shape[1]))
    for at in range(len(real), count, len(real)):
        some = real[: count - at]
        rows[at : at + len(some)] = unit(some + noise * dice.standard_normal(some.shape, dtype=np.float32))
    return rows, np.resize(labels, count)


def masks(count: int, labels: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
    """What may be found: neighbours in the files, as a municipality's or a year's are, and all sections of one label."""
    found = {}
    for share in SHARES:
        allowed = np.zeros(count, dtype=bool)
        start = count // 3 if share < 1 else 0
        allowed[start : start + max(1, round(share * count))] = True
        found[f"{share:.1%}"] = allowed
    return found | {"one label": labels}


def write_hnsw(file: Path, rows: Vectors) -> None:
    """The same 8-bit codes under a graph."""
    index = _faiss.IndexHNSWSQ(rows.shape[1], _faiss.ScalarQuantizer.QT_8bit, LINKS, _faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = BUILD_BREADTH
    index.train(rows)
    index.add(rows)
    faiss.write_index(index, str(file))


def lists_for(count: int) -> Kind:
    """The lists that hyoka would use; for fewer rows than it does, about the square root of them."""
    lists = 2 ** round(np.log2(np.sqrt(count)))
    return kind if (kind := kind_for(count)).lists else Kind(0, lists, max(1, lists * 3 // 8))


def opened(folder: Path, kind: str) -> dict[str, Any]:
    """Run in a process of its own: opens an index, asks all questions under every mask, leaves what it found."""
    questions = np.load(folder / "questions.npy")
    allowed = dict(np.load(folder / "masks.npz"))
    before = _memory()
    began = time.perf_counter()
    search, index = _searcher(folder / kind, kind)
    told: dict[str, Any] = {"open_ms": round(1000 * (time.perf_counter() - began), 2), "opened": _since(before)}
    for name, mask in allowed.items():
        search(questions[:1], mask)
        taken, ids = [], np.full((len(questions), LIMIT), -1, dtype=np.int64)
        for row, question in zip(ids, questions, strict=True):
            start = time.process_time()
            found = search(question[None], mask)
            taken.append(1000 * (time.process_time() - start))
            row[: len(found)] = [chunk for chunk, _ in found]
        np.save(folder / f"{kind}-{name}.npy", ids)
        told[name] = {"p50_ms": _quantile(taken, 0.5), "p95_ms": _quantile(taken, 0.95)}
    told["searched"] = _since(before)
    if isinstance(index, VectorIndex):
        chunks = np.random.default_rng(7).integers(0, len(index), 2000)
        start = time.process_time()
        for question in questions:
            index.scores(question[None], chunks)
        told["scores_of_2000_ms"] = round(1000 * (time.process_time() - start) / len(questions), 2)
    return told


def _searcher(file: Path, kind: str) -> tuple[Search, object]:
    if kind != "hnsw":
        index = VectorIndex(file)
        return lambda question, mask: index.search(question, LIMIT, mask), index
    graph = _faiss.read_index(str(file), faiss.IO_FLAG_MMAP_IFC)

    def search(question: Vectors, mask: NDArray[np.bool_]) -> list[tuple[int, float]]:
        selector = _faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))
        params = _faiss.SearchParametersHNSW(sel=selector, efSearch=BREADTH)
        scores, ids = graph.search(question, min(LIMIT, graph.ntotal), params=params)
        return [(int(i), float(s)) for i, s in zip(ids[0], scores[0], strict=True) if i >= 0]

    return search, graph


def measure_size(rows: Vectors, labels: NDArray[np.bool_], questions: Vectors) -> dict[str, Any]:
    """All kinds with the same rows."""
    lists = lists_for(len(rows))
    writers: dict[str, Callable[[Path], None]] = {
        "flat": lambda file: write_vectors(file, rows, Kind(0)),
        "lists": lambda file: write_vectors(file, rows, lists),
        "hnsw": lambda file: write_hnsw(file, rows),
    }
    floor = _floor(rows, questions)
    told: dict[str, Any] = {"rows": len(rows), "chosen": "lists" if kind_for(len(rows)).lists else "flat"}
    told |= {"lists": lists.lists, "probes": lists.probes, "faiss_flat_in_memory_p50_ms": floor}
    with tempfile.TemporaryDirectory(prefix="hyoka-vectors-") as name:
        folder = Path(name)
        np.save(folder / "questions.npy", questions)
        allowed = masks(len(rows), labels)
        np.savez(folder / "masks.npz", **allowed)  # type: ignore[arg-type]
        kinds: dict[str, Any] = {}
        for kind, write in writers.items():
            began = time.process_time()
            write(folder / kind)
            seconds = round(time.process_time() - began, 2)
            size = (folder / kind).stat().st_size
            command = [sys.executable, "-m", "evals.benchmarks.vectors", "--opened", str(folder), kind]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            for mask, ids in ((mask, np.load(folder / f"{kind}-{mask}.npy")) for mask in allowed):
                exact = np.load(folder / f"flat-{mask}.npy")  # flat comes first
                found[mask] |= {f"recall@{k}": _recall(rows, questions, ids, exact, k) for k in (10, 100, LIMIT)}
                found[mask]["to_faiss_flat"] = round(found[mask]["p50_ms"] / floor, 2)
            kinds[kind] = {"build_seconds": seconds, "mib_on_disk": round(size / 2**20, 1), **found}
            (folder / kind).unlink()
            sys.stderr.write(f"{len(rows):,} {kind}: {kinds[kind]}\n")
    return told | {"kinds": kinds}


def _recall(rows: Vectors, questions: Vectors, found: NDArray[Any], exact: NDArray[Any], k: int) -> float:
    """The share of the best ``k`` that came; of rows with the same cosine (sheets repeat themselves) any is right."""
    shares = []
    for question, some, right in zip(questions, found[:, :k], exact[:, :k], strict=True):
        last = right[right >= 0][-1]
        got = rows[some[some >= 0]] @ question
        shares.append(np.count_nonzero(got >= rows[last] @ question - 1e-6) / np.count_nonzero(right >= 0))
    return round(float(np.mean(np.minimum(shares, 1))), 4)


def _floor(rows: Vectors, questions: Vectors) -> float:
    index = _faiss.IndexFlatIP(rows.shape[1])
    index.add(rows)
    taken = []
    for question in [questions[0], *questions]:
        start = time.process_time()
        index.search(question[None], min(LIMIT, len(rows)))
        taken.append(1000 * (time.process_time() - start))
    return _quantile(taken[1:], 0.5)


def _quantile(values: Sequence[float], share: float) -> float:
    return round(float(np.quantile(values, share)), 3)


def _memory() -> dict[str, float]:
    """MiB of this process by kind (Linux): file pages are shared with other processes and can be dropped."""
    lines = [line.split() for line in Path("/proc/self/status").read_text().splitlines()]
    names = {"VmRSS:": "resident_mib", "RssAnon:": "anonymous_mib"}
    return {names[line[0]]: int(line[1]) / 1024 for line in lines if line and line[0] in names}


def _since(before: dict[str, float]) -> dict[str, float]:
    return {name: round(value - before[name], 1) for name, value in _memory().items()}


def measure(data: Path, sizes: Sequence[int]) -> dict[str, Any]:
    """Every size; and up to how many rows an exact search stays within :data:`MILLISECONDS`, from the largest size
    below 200,000."""
    encoder = load_encoder()
    labels, texts = zip(*texts_of(data), strict=True)
    batches = (list(texts[at : at + 4096]) for at in range(0, len(texts), 4096))
    real = np.concatenate([encoder.encode(batch, "passage") for batch in batches])
    questions = encoder.encode(questions_of(data), "query")
    questions = questions[np.linalg.norm(questions, axis=1) > 0]
    of_label = np.array(labels) == "成果指標"
    told = [measure_size(*rows_for(real, of_label, size), questions) for size in sorted(sizes)]
    small = [one for one in told if one["rows"] < 200_000][-1:] or told[:1]
    cost = small[0]["kinds"]["flat"]["100.0%"]["p50_ms"] / small[0]["rows"]
    return {
        "what": f"{len(real):,} sections of review sheets (judgit-sheets), more rows being those with noise (cosine {COPY}"
        f" with the real one); {len(questions)} questions, the nearest {LIMIT} wanted; recall against exact search; times"
        " are CPU milliseconds of one thread, memory is what opening added to the process",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{processor()}, {len(os.sched_getaffinity(0))} cores shared with other work"
        f" (load {os.getloadavg()[1]:.0f}), CPython {platform.python_version()}, faiss-cpu {version('faiss-cpu')}",
        "encoder": encoder.digest[:12],
        "dim": encoder.dim,
        "hnsw": {"links": LINKS, "efConstruction": BUILD_BREADTH, "efSearch": BREADTH},
        f"rows_in_{MILLISECONDS:g}_ms_exact": round(MILLISECONDS / cost),
        **code(),
        "sizes": told,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: progress on stderr, JSON into ``--out``."""
    parser = argparse.ArgumentParser(prog="evals.benchmarks.vectors", description="ベクトルの索引の種類を比べます。")
    parser.add_argument("data", type=Path, nargs="?", default=DATA, help="judgit-sheets.jsonl.gz などのフォルダー")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--opened", nargs=2, metavar=("DIR", "KIND"), help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.opened:
        print(json.dumps(opened(Path(chosen.opened[0]), chosen.opened[1])))
        return 0
    told = measure(chosen.data, chosen.sizes)
    chosen.out.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
