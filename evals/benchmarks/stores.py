"""The store and the records in files against a PostgreSQL server: ``python -m evals.benchmarks.stores FILE --index-dir DIR``.

A server of its own is started on this machine in a temporary folder, with everything it commits brought to disk, and
reached over TCP with a password; ``--url`` names another. File and server are measured in turn, in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from assistant.payload import answer_json
from assistant.session import Assistant
from assistant.settings import load_settings
from assistant.store import FeedbackStore, open_store
from corpus.errors import HyokaError
from evals.benchmarks.ownpostgres import PostgresServer
from evals.benchmarks.scaleresults import processor
from evals.cases import read_cases
from evals.runs import code
from evals.target import open_index
from index.manifest import RECORDS
from index.postgresurl import connect
from index.recordscopy import copy_records, drop_records
from index.recordsserver import parts_of, use_records_server
from index.snapshot import Snapshot
from index.types import Filters

RESULTS = Path(__file__).parent / "results" / "stores.json"
OWNERS = 20
THREADS = (1, 8)
_SECONDS = 1.0  # of each measurement of the store


def measure_store(store: FeedbackStore, answers: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Operations a second of one store, by one thread and by several."""
    talks: dict[str, str] = {}

    def add(turn: int) -> None:
        question, answer = answers[turn % len(answers)]
        owner = f"owner-{turn % OWNERS}"
        talks[owner] = store.talks.add(owner, talks.get(owner, "") if turn % 3 else "", question, answer, Filters())

    def find(turn: int) -> None:
        owner = f"owner-{turn % OWNERS}"
        store.talks.find(owner, talks[owner])

    work: dict[str, Callable[[int], object]] = {
        "conversations written": add,
        "conversations read": find,
        "history listed": lambda turn: store.talks.listing(f"owner-{turn % OWNERS}"),
        "history searched": lambda turn: store.talks.listing(f"owner-{turn % OWNERS}", "決算額 推移"),
        "questions counted": lambda turn: store.asked.count(answers[turn % len(answers)][0], True),
    }
    for turn in range(OWNERS):
        add(turn)
    return {name: {f"{threads} threads": _rate(one, threads) for threads in THREADS} for name, one in work.items()}


def _rate(work: Callable[[int], object], threads: int) -> float:
    """How often a second all threads together get through."""
    done = [0] * threads
    end = time.perf_counter() + _SECONDS

    def go(number: int) -> None:
        turn = number * 1_000
        while time.perf_counter() < end:
            work(turn)
            turn += 1
            done[number] += 1

    begun = time.perf_counter()
    running = [threading.Thread(target=go, args=(number,)) for number in range(threads)]
    for one in running:
        one.start()
    for one in running:
        one.join()
    return round(sum(done) / (time.perf_counter() - begun), 1)


def measure_records(url: str, index_dir: Path, questions: Sequence[str], rounds: int) -> dict[str, Any]:
    """Milliseconds of opening and of answers, file and server in turn; answers must be the same."""
    first = open_index(index_dir)
    drop_records(url, first.version)
    begun = time.perf_counter()
    parts = parts_of(first.path, first.manifest)
    copy_records(url, parts, first.version)
    told: dict[str, Any] = {"copied_in_seconds": round(time.perf_counter() - begun, 2), **_sizes(url, first)}
    told |= {name: first.manifest.counts[name] for name in ("sheets", "sections", "facts")}
    encoder = first.encoder
    encoder.encode(["準備"], "query")
    first.close()
    places = {"file": None, "server": url}
    opened: dict[str, list[float]] = {place: [] for place in places}
    fresh: dict[str, list[float]] = {place: [] for place in places}
    again: dict[str, list[float]] = {place: [] for place in places}
    said: dict[str, list[str]] = {}
    for _ in range(rounds):
        for place, address in places.items():
            use_records_server(address)
            begun = time.perf_counter()
            index = Snapshot.open(index_dir, encoder)
            opened[place].append(time.perf_counter() - begun)
            use_records_server(None)
            assistant = Assistant(index)
            # Another question first: what the first answer of a process loads is no matter of the records.
            assistant.ask("準備")
            answers = []
            for taken in (fresh, again):
                for question in questions:
                    begun = time.perf_counter()
                    answer = assistant.ask(question)
                    taken[place].append(time.perf_counter() - begun)
                    answers.append(answer.answer)
            assert said.setdefault("all", answers) == answers, "file and server answer differently"
            index.close()
    return told | {
        place: {
            "opened_ms": _milliseconds(opened[place]),
            "ask_first_time_ms": _milliseconds(fresh[place]),
            "ask_again_ms": _milliseconds(again[place]),
        }
        for place in places
    }


def _sizes(url: str, index: Snapshot) -> dict[str, float]:
    with connect(url) as connection:
        row = connection.execute(
            "select sum(pg_total_relation_size(c.oid)) from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where n.nspname = %s and c.relkind = 'r'",
            (parts_of(index.path, index.manifest)[0].schema,),
        ).fetchone()
    file = (index.path / RECORDS).stat().st_size
    return {"file_mib": round(file / 2**20, 1), "server_mib": round(int(row[0] if row else 0) / 2**20, 1)}


def _milliseconds(seconds: Sequence[float]) -> dict[str, float]:
    return {name: round(1000 * float(np.quantile(seconds, share)), 2) for name, share in (("p50", 0.5), ("p95", 0.95))}


def measure(url: str, index_dir: Path, questions: Sequence[str], rounds: int) -> dict[str, Any]:
    """The whole account."""
    records = measure_records(url, index_dir, questions, rounds)
    index = open_index(index_dir)
    assistant = Assistant(index)
    answers = [(question, answer_json(assistant.ask(question), index)) for question in questions[:50]]
    stores: dict[str, list[dict[str, Any]]] = {"file": [], "server": []}
    with tempfile.TemporaryDirectory(prefix="hyoka-stores-") as folder:
        for turn in range(2):
            for place, store in (
                ("file", open_store(Path(folder) / f"{turn}.sqlite")),
                ("server", open_store(url=url)),
            ):
                for owner in range(OWNERS):
                    store.talks.delete_all(f"owner-{owner}")
                stores[place].append(measure_store(store, answers))
                store.close()
    index.close()
    with connect(url) as connection:
        row = connection.execute("select current_setting('server_version')").fetchone()
    return {
        "what": f"conversations with the answers to {len(answers)} questions, {OWNERS} owners, operations a second in"
        f" {_SECONDS:g} s, two rounds each; {len(questions)} questions asked in process, {rounds} rounds of opening, asking"
        " all once and once more; milliseconds are wall time",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{processor()}, {len(os.sched_getaffinity(0))} cores shared with other work"
        f" (load {os.getloadavg()[1]:.0f}), CPython {platform.python_version()}, psycopg {version('psycopg')},"
        f" PostgreSQL {row[0] if row else ''} on the same machine over TCP",
        **code(),
        "store_per_second": stores,
        "records": records,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: JSON into ``--out``."""
    parser = argparse.ArgumentParser(prog="evals.benchmarks.stores", description="ファイルと PostgreSQL を比べます。")
    parser.add_argument("file", type=Path, help="質問ファイル")
    parser.add_argument("--index-dir", type=Path, default=load_settings().index_dir)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--url", help="動いているサーバー（なければ一時的に起動する）")
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    try:
        with ExitStack() as stack:
            url = chosen.url
            if url is None:
                server = PostgresServer(durable=True)
                stack.callback(server.remove)
                url = server.database()
            questions = [case.question for case in read_cases(chosen.file).cases]
            told = measure(url, chosen.index_dir, questions, max(1, chosen.rounds))
    except (HyokaError, RuntimeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    chosen.out.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")
    print(json.dumps(told, ensure_ascii=False, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
