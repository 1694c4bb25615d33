"""What one search costs and how fast sections are encoded: ``python -m evals.benchmarks.searching FILE --index-dir DIR``.

In this process, without HTTP. CPU time is given beside wall time, since it hardly depends on what else the machine does;
the ratio is to a plain BM25 search of the same words over the same sections in the same run.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from evals.baselines import chunks, lexical
from evals.benchmarks.http import run
from evals.runs import code
from evals.target import open_index

_ENOUGH = 4000  # sections encoded at least, the index's own over and over


def measure(questions: Sequence[str], index_dir: Path, rounds: int) -> dict[str, object]:
    """Milliseconds of a search (k = 10) and sections encoded in a second."""
    index = open_index(index_dir)
    pieces = chunks(index)
    with TemporaryDirectory(prefix="hyoka-bm25-") as folder:
        plain = lexical(pieces, Path(folder) / "lexical")
        base = _timed(lambda question: plain(question, 10), questions, rounds)
        told = _timed(lambda question: index.search(question, 10), questions, rounds)
    texts = [piece.headed for piece in pieces]
    texts *= max(1, _ENOUGH // len(texts))
    wall, cpu = time.perf_counter(), time.process_time()
    index.encode(texts, "passage")
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    ratio = round(told["cpu_p50"] / base["cpu_p50"], 2)
    return {
        "questions": len(questions),
        "sections": len(pieces),
        "search_ms": told,
        "bm25_ms": base,
        "search_over_bm25": ratio,
        "sections_encoded_per_second": {"wall": round(len(texts) / wall), "cpu": round(len(texts) / cpu)},
        "encoder": index.manifest.encoder_digest[:12],
        **code(),
    }


def _timed(search: Callable[[str], object], questions: Sequence[str], rounds: int) -> dict[str, float]:
    for question in questions:
        search(question)
    walls, cpus = [], []
    for question in list(questions) * rounds:
        wall, cpu = time.perf_counter(), time.process_time()
        search(question)
        walls.append(1000 * (time.perf_counter() - wall))
        cpus.append(1000 * (time.process_time() - cpu))
    taken = {"wall_p50": np.median(walls), "wall_p95": np.quantile(walls, 0.95)}
    taken |= {"cpu_p50": np.median(cpus), "cpu_p95": np.quantile(cpus, 0.95)}
    return {name: round(float(value), 2) for name, value in taken.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: JSON on standard output."""
    return run("searching", "検索と埋め込みの速さを測ります。", measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
