"""What opening and searching large indexes costs: ``python -m evals.benchmarks.million DIR… [--out FILE]``.

Each index is opened in a process of its own, for its memory. Times are wall and CPU milliseconds side by side, since CPU
time hardly depends on what else the machine does. The floor is what no program on these two libraries can do without:
tantivy asked for the same terms and FAISS for the same vector, for candidates alone, before each search in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import index.passagesearch as stages
from assistant.session import Assistant
from corpus.documents import Sheet
from evals.benchmarks.vectors import DATA, questions_of
from evals.runs import code
from index.encoder import load_encoder
from index.passagesearch import DENSE_CANDIDATES, LEXICAL_CANDIDATES
from index.ranked import terms
from index.snapshot import Snapshot
from index.types import Filters

RESULTS = Path(__file__).with_name("results") / "million.json"
QUESTIONS = 100
ASKED = 3  # times each question of a kind is asked of the assistant
Times = list[tuple[float, float]]


@contextmanager
def timed(into: Times) -> Iterator[None]:
    """Adds the wall and CPU milliseconds of what is done inside."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    into.append((1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu)))


def told(times: Times) -> dict[str, float]:
    """Medians and 95 % quantiles."""
    walls, cpus = np.array(times).T
    found = {"wall_p50": np.median(walls), "wall_p95": np.quantile(walls, 0.95)}
    found |= {"cpu_p50": np.median(cpus), "cpu_p95": np.quantile(cpus, 0.95)}
    return {name: round(float(value), 2) for name, value in found.items()}


def memory() -> dict[str, int]:
    """MiB of this process (Linux): file pages are shared with other processes and can be dropped."""
    lines = [line.split() for line in Path("/proc/self/status").read_text().splitlines()]
    names = {"VmRSS:": "resident_mib", "RssAnon:": "anonymous_mib"}
    return {names[line[0]]: int(line[1]) // 1024 for line in lines if line and line[0] in names}


class Stages:
    """CPU milliseconds of the parts of a search, by part and search. Used while nothing else is timed."""

    def __init__(self, snapshot: Snapshot) -> None:
        search: Any = snapshot._search
        self.spent: dict[str, list[float]] = defaultdict(list)
        for owner, name, part in (
            (search, "looked_for", "query"),
            (search._first, "by_words", "words"),
            (search._encoder, "encode", "query"),
            (search._first, "by_meaning", "meaning"),
            (search._first, "cosines", "cosines"),
            (stages, "rank", "ranking"),
            (stages, "best_of_each_section", "ranking"),
            (search, "_count", "facets"),
            (search, "passages", "reading"),
            (search, "search", "whole"),
        ):
            setattr(owner, name, self._watched(getattr(owner, name), part))
        self._search = search

    def _watched(self, call: Callable[..., Any], part: str) -> Callable[..., Any]:
        def watched(*args: Any, **named: Any) -> Any:
            start = time.process_time()
            found = call(*args, **named)
            self.spent[part].append(1000 * (time.process_time() - start))
            return found

        return watched

    def measure(self, questions: Sequence[str]) -> dict[str, float]:
        """The median of each part; ``rest`` is what none of them is: masks, gathering and grouping."""
        rows = []
        for question in questions:
            self.spent.clear()
            self._search.search(question, 10, Filters(), 0, "relevance")
            row = {part: sum(spent) for part, spent in self.spent.items()}
            row["rest"] = row["whole"] - sum(spent for part, spent in row.items() if part != "whole")
            rows.append(row)
        return {part: round(float(np.median([row.get(part, 0.0) for row in rows])), 2) for part in sorted(rows[0])}


def bare(snapshot: Snapshot, question: str) -> None:
    """The first stages with nothing around them: hits of tantivy and of FAISS as they give them."""
    import tantivy

    from index.lexical import FIELDS

    lexical: Any = snapshot._lexical
    looked_for = snapshot._search.looked_for(question)
    vector = snapshot.encoder.encode([question], "query")
    should = [
        (tantivy.Occur.Should, tantivy.Query.boost_query(lexical._term(field, word), weight * boost))
        for word, weight in terms(looked_for)
        for field, boost in FIELDS.items()
    ]
    with timed(_BARE):
        lexical._searcher.search(tantivy.Query.boolean_query(should), LEXICAL_CANDIDATES, count=False)
        vectors: Any = snapshot._vectors  # a snapshot without additions
        faiss_index = vectors._index
        faiss_index.search(vector, DENSE_CANDIDATES)


_BARE: Times = []


def searched(snapshot: Snapshot, questions: Sequence[str]) -> dict[str, Any]:
    """Searches by passage and by sheet, with and without filters, beside the floor."""
    sheets = snapshot.sheets(Filters(section=("今後の方向性",))) or snapshot.sheets()
    town = sheets[len(sheets) // 2]
    filters = {
        "": Filters(),
        " of a municipality": Filters(municipality=(town.municipality,)),
        " of a year": Filters(fiscal_year=(town.fiscal_year or 0,)),
        " of a section": Filters(section=("事業の概要",)),
    }
    found: dict[str, Any] = {}
    for name, chosen in filters.items():
        snapshot.search(questions[0], 10, chosen)  # the masks of a filter are made once
        times: Times = []
        for question in questions:
            if not name:
                bare(snapshot, question)
            with timed(times):
                snapshot.search(question, 10, chosen)
        found[f"search{name}"] = told(times)
    found["bare_tantivy_and_faiss"] = told(_BARE)
    found["search_over_bare"] = {
        key: round(found["search"][key] / found["bare_tantivy_and_faiss"][key], 2) for key in ("cpu_p50", "cpu_p95")
    }
    for name, chosen in list(filters.items())[:3]:
        times = []
        for question in questions:
            with timed(times):
                snapshot.search_sheets(question, 10, chosen)
        found[f"search_sheets{name}"] = told(times)
    return found


def kinds(sheet: Sheet, other: Sheet) -> dict[str, str]:
    """A question of each kind, about what the index holds."""
    town, year = sheet.municipality, (sheet.fiscal_year or 2024) - 1
    return {
        "number of a sheet": f"{town}の{sheet.name}の{year}年度の予算額はいくら？",
        "purpose of a sheet": f"{town}の{sheet.name}の目的は？",
        "list of a town": f"{town}の事業を一覧にして",
        "limit in a town": f"{town}で予算額が1億円以上の事業は？",
        "sum in a town": f"{town}の{year}年度の予算額の合計は？",
        "rank in a town": f"{town}で決算額が一番大きい事業は？",
        "two towns": f"{town}と{other.municipality}の予算額の合計を比べて",
        "text, no town": "子どもの貧困対策ではどんなことをしていますか",
        "who, no town": "水産資源の調査を担当しているのはどこ？",
        "topic list, no town": "太陽光発電を導入した事業の一覧",
        "rank, no town": "予算額が一番大きい事業は？",
        "sum, no town": f"{year}年度の予算額の合計は？",
    }


def asked(snapshot: Snapshot) -> dict[str, Any]:
    """Seconds of ``Assistant.ask`` by kind of question: the first time, and the median of the times after it."""
    times: Times = []
    with timed(times):
        assistant = Assistant(snapshot)
    made = {"wall_s": round(times[0][0] / 1000, 2), "cpu_s": round(times[0][1] / 1000, 2), **memory()}
    sheets = snapshot.sheets()
    found: dict[str, Any] = {}
    for kind, question in kinds(sheets[-1], sheets[len(sheets) // 2]).items():
        own: Times = []
        for _ in range(ASKED):
            with timed(own):
                answer = assistant.ask(question)
        later = told(own[1:])
        found[kind] = {
            "first_wall_ms": round(own[0][0], 1),
            "wall_ms": later["wall_p50"],
            "cpu_ms": later["cpu_p50"],
            "how": answer.debug["how"],
            "citations": len(answer.citations),
            **memory(),
        }
        sys.stderr.write(f"{kind}: {found[kind]}\n")
    return {"assistant_made": made, "kinds": found}


def opened(folder: Path, with_asks: bool) -> dict[str, Any]:
    """Run in a process of its own: everything about one index."""
    encoder = load_encoder()
    before = memory()
    openings: Times = []
    for _ in range(2):
        with timed(openings):
            snapshot = Snapshot.open(folder, encoder)
        if len(openings) < 2:
            snapshot.close()
    counts = snapshot.manifest.counts
    report: dict[str, Any] = {
        "sections": counts["sections"],
        "sheets": counts["sheets"],
        "chunks": counts["chunks"],
        "facts": counts["facts"],
        "words": snapshot.words.size,
        "mib_on_disk": {
            part: round(sum(f.stat().st_size for f in _files(snapshot.path / part)) / 2**20)
            for part in sorted(f.name for f in snapshot.path.iterdir())
            if not part.endswith(".json")
        },
        "open_ms": {
            name: {"wall": round(wall, 1), "cpu": round(cpu, 1)}
            for name, (wall, cpu) in zip(("first", "again"), openings, strict=True)
        },
        "memory_encoder_alone": before,
        "memory_opened": memory(),
    }
    every = questions_of(DATA)
    questions = every[::2][:QUESTIONS]
    for question in every[1::2][:QUESTIONS]:  # others: pages of the files are mapped as by a server that has served
        snapshot.search(question, 10)
        snapshot.search_sheets(question, 10)
    report |= {"questions": len(questions), "ms": searched(snapshot, questions), "memory_searched": memory()}
    report["cpu_ms_by_stage_p50"] = Stages(Snapshot.open(folder, encoder)).measure(questions)
    if with_asks:
        report["ask"] = asked(snapshot)
    return report


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: progress on stderr, JSON into ``--out``."""
    parser = argparse.ArgumentParser(
        prog="evals.benchmarks.million", description="大きな索引を開いて探す費用を測ります。"
    )
    parser.add_argument("folders", type=Path, nargs="*", help="索引のフォルダー")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--no-asks", action="store_true", help="検索だけを測り、質問への回答は測りません")
    parser.add_argument("--opened", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.opened:
        print(json.dumps(opened(chosen.opened, not chosen.no_asks), ensure_ascii=False))
        return 0
    found = []
    for folder in chosen.folders:
        command = [sys.executable, "-m", "evals.benchmarks.million", "--opened", str(folder)]
        command += ["--no-asks"] if chosen.no_asks else []
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        found.append(json.loads(output))
        sys.stderr.write(f"{folder}: {output}\n")
    machine = f"{os.cpu_count()} cores shared with other work (load {os.getloadavg()[1]:.0f})"
    libraries = ", ".join(f"{name} {version(name)}" for name in ("tantivy", "faiss-cpu", "numpy"))
    report = {
        "what": "opening and searching; milliseconds of one process and one thread, wall and CPU",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{machine}, CPython {platform.python_version()}, {libraries}",
        **code(),
        "sizes": found,
    }
    chosen.out.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
