"""Run a question file against an index folder or a server: ``python -m evals.run FILE --index-dir DIR``."""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from corpus.errors import HyokaError
from evals.cases import Case, read_cases
from evals.metrics import Source, failed, score
from evals.outcomes import Outcome, RunResult
from evals.target import Ask, History, Target, local, server

Progress = Callable[[int, int], None]


def run(
    cases: Sequence[Case],
    ask: Ask,
    source: Source,
    *,
    progress: Progress | None = None,
) -> tuple[Outcome, ...]:
    """Ask every case and score it; an exception costs its own case only.

    ``ask(question, history, filters)`` returns the payload of ``/api/v1/ask``; ``source(citation)`` the text of the
    citation's document. Earlier questions of a case are asked first and handed on with their answers.
    """
    outcomes = []
    for number, case in enumerate(cases, start=1):
        outcomes.append(_examine(case, ask, source))
        if progress is not None:
            progress(number, len(cases))
    return tuple(outcomes)


def _examine(case: Case, ask: Ask, source: Source) -> Outcome:
    history: History = []
    started = time.perf_counter()
    try:
        for earlier in case.history:
            reply = ask(earlier, list(history), {})
            history += [
                {"role": "user", "content": earlier},
                {"role": "assistant", "content": str(reply.get("answer") or "")},
            ]
        started = time.perf_counter()
        payload = ask(case.question, history, {})
        took = (time.perf_counter() - started) * 1000
        return Outcome(case, score(case, payload, source), took, payload)
    except Exception as error:  # the run goes on; the failure is reported with the case
        took = (time.perf_counter() - started) * 1000
        return Outcome(case, failed(case), took, {}, f"{type(error).__name__}: {error}")


def examine(file: Path, target: Target, *, progress: Progress | None = None) -> RunResult:
    """Read a question file and run it against a target."""
    read = read_cases(file)
    if read.cases:
        # The first question pays for loading the model; the figures are about a warm assistant.
        try:
            target.ask(read.cases[0].question, [], {})
        except Exception:  # it will fail again in its own case, and be reported there
            pass
    started = time.perf_counter()
    outcomes = run(read.cases, target.ask, target.source, progress=progress)
    about = {**target.about, "python": platform.python_version(), "machine": platform.machine()}
    return RunResult(read.name, outcomes, read.bad, about, time.perf_counter() - started)


def main_eval(
    file: Path,
    index_dir: Path,
    json_output: bool = False,
    report: Path | None = None,
    server_url: str | None = None,
) -> int:
    """What ``hyoka eval`` does; 0 when the questions were run (whatever their score), 1 when there was not one to run."""
    from evals.table import progress_bar, show

    try:
        target = server(server_url) if server_url else local(index_dir)
        with progress_bar() as progress:
            result = examine(file, target, progress=progress)
    except HyokaError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    if json_output:
        sys.stdout.write(json.dumps(result.payload(), ensure_ascii=False, indent=1) + "\n")
    else:
        show(result)
    for bad in result.bad:
        sys.stderr.write(f"{result.file} {bad.line}行目: {bad.message}\n")
    return 0 if result.outcomes else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of ``python -m evals.run``."""
    parser = argparse.ArgumentParser(prog="evals.run", description="質問ファイルを実行して採点します。")
    parser.add_argument("file", type=Path)
    parser.add_argument("--index-dir", type=Path, default=Path(".hyoka"))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--report", type=Path)
    parser.add_argument("--server")
    chosen = parser.parse_args(arguments)
    return main_eval(chosen.file, chosen.index_dir, chosen.json, chosen.report, chosen.server)


if __name__ == "__main__":
    sys.exit(main())
