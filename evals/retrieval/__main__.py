"""``python -m evals.retrieval ../shared/data [--questions FILE --index-dir DIR] [--out FILE]``: all figures of search."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from assistant.opening import encoder_of
from assistant.settings import load_settings
from corpus.errors import HyokaError
from evals.cases import read_cases
from evals.retrieval.calibration import calibrate, first_hits, related
from evals.retrieval.engines import ABOUT, engines
from evals.retrieval.measure import Score, on_questions, on_set, payload, table
from evals.retrieval.sets import MOST_QUERIES, SEED, retrieval_sets
from evals.runs import code
from evals.target import open_index
from index.training.rows import HeldOut
from index.types import Encoder


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; tables to standard output, progress to standard error."""
    parser = argparse.ArgumentParser(prog="evals.retrieval", description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", help="folder of the open data")
    parser.add_argument("--questions", type=Path, help="a question file with gold sheets, searched in --index-dir")
    parser.add_argument("--index-dir", type=Path, default=load_settings().index_dir)
    parser.add_argument("--sets", nargs="*", help="only these sets")
    parser.add_argument("--engines", nargs="*", choices=list(ABOUT), default=list(ABOUT))
    parser.add_argument("--most", type=int, default=MOST_QUERIES, help="queries of a set")
    parser.add_argument("--calibrate", action="store_true", help="fit the chance that a score stands for")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    chosen = parser.parse_args(arguments)
    try:
        encoder = encoder_of(load_settings())
        tests = retrieval_sets(chosen.data, chosen.most) if chosen.data is not None else []
        tests = [test for test in tests if not chosen.sets or test.name in chosen.sets]
        if chosen.calibrate:
            return _calibrate(tests, encoder)
        sets: dict[str, dict[str, Score]] = {}
        for test in tests:
            sets[test.name] = on_set(test, encoder, chosen.engines)
            sys.stderr.write(table(test.name, {test.name: sets[test.name]}) + "\n")
        questions: dict[str, dict[str, Score]] = {}
        if chosen.questions is not None:
            cases = read_cases(chosen.questions).cases
            index = open_index(chosen.index_dir)
            with engines(index, encoder, chosen.engines) as searches:
                by_engine = on_questions(cases, index, searches)
            groups = dict.fromkeys(group for scores in by_engine.values() for group in scores)
            questions = {group: {name: by_engine[name][group] for name in by_engine} for group in groups}
    except (HyokaError, OSError) as error:
        sys.stderr.write(f"{getattr(error, 'message', error)}\n")
        return 1
    for title, scores in (("set", sets), ("questions", questions)):
        if scores:
            sys.stdout.write(table(title, scores) + "\n\n")
    if chosen.out is not None:
        about = {"date": str(date.today()), "code": code(), "encoder": encoder.digest[:12], "seed": SEED}
        about |= {"engines": {name: ABOUT[name] for name in chosen.engines}, "bm25s": _version("bm25s")}
        told = {"about": about, "sets": payload(sets), "questions": payload(questions)}
        chosen.out.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0


def _calibrate(tests: Sequence[HeldOut], encoder: Encoder) -> int:
    # Half of what judgit's questions mean is said again in other years' sheets: its first hits are no measure.
    tests = [test for test in tests if not test.name.startswith("judgit")]
    found = {
        test.name: first_hits(test, [other for other in tests if not related(test.name, other.name)], encoder)
        for test in tests
    }
    sigmoid, told = calibrate(found)
    sys.stdout.write(f"slope {sigmoid.slope:.2f}, offset {sigmoid.offset:.2f}\n\n")
    sys.stdout.write("| set | questions | right | mean chance | calibration error |\n|---|---|---|---|---|\n")
    for name, row in told.items():
        sys.stdout.write(f"| {name} | {row['questions']:.0f} | {row['right']} | {row['chance']} | {row['error']} |\n")
    return 0


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
