"""Run a question file against an index folder or a server: ``python -m evals.run FILE --index-dir DIR``."""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from assistant.settings import load_settings
from corpus.errors import HyokaError, SettingsError
from evals.cases import Case, CaseFile, read_cases
from evals.compare import compare, fallen
from evals.metrics import Source, failed, score
from evals.outcomes import Outcome, RunResult
from evals.ranking import available, ranking
from evals.report import write_report
from evals.runs import Run, keep, load, previous
from evals.target import Ask, History, Target, local, open_index, server

Progress = Callable[[int, int], None]
RUNS = Path(".hyoka") / "evals"


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
    return examine_cases(read_cases(file), target, progress=progress)


def examine_cases(
    read: CaseFile, target: Target, *, progress: Progress | None = None, ranked: bool = True
) -> RunResult:
    """Run cases against a target; ``ranked`` adds how well its index alone ranks the gold sheets, where it has one."""
    if read.cases:
        # The first question pays for loading the model; the figures are about a warm assistant.
        try:
            target.ask(read.cases[0].question, [], {})
        except Exception:  # it will fail again in its own case, and be reported there
            pass
    started = time.perf_counter()
    outcomes = run(read.cases, target.ask, target.source, progress=progress)
    seconds = time.perf_counter() - started
    ranks = {}
    if ranked and target.index is not None and available():
        index = target.index
        ranks = ranking(read.cases, lambda question, k: index.search(question, k).hits)
    about = {**target.about, "python": platform.python_version(), "machine": platform.machine()}
    return RunResult(read.name, outcomes, read.bad, about, seconds, ranks)


def main_eval(
    file: Path,
    index_dir: Path,
    json_output: bool = False,
    report: Path | None = None,
    server_url: str | None = None,
    *,
    runs: Path = RUNS,
    baseline: Path | None = None,
    margin: float = 0.0,
) -> int:
    """What ``hyoka eval`` does: run, print, keep the run in ``runs`` and write the report.

    Returns 0 when the questions were run (whatever their score), 1 when there was not one to run, and 2 when rightness,
    over all or of a type, lies more than ``margin`` under the run in the file ``baseline``.
    """
    from evals.table import progress_bar, show

    try:
        # What costs little and can be mistyped comes before what takes time.
        committed = load(str(baseline), runs) if baseline is not None else None
        cases = read_cases(file)
        target = server(server_url) if server_url else local(index_dir)
        with progress_bar() as progress:
            result = examine_cases(cases, target, progress=progress)
    except HyokaError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    told, before = result.payload(), previous(result.file, runs)
    if json_output:
        sys.stdout.write(json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    else:
        show(result, compare(before, told) if before is not None else None)
    for bad in result.bad:
        sys.stderr.write(f"{result.file} {bad.line}行目: {bad.message}\n")
    if not result.outcomes:
        sys.stderr.write("実行できる質問がありませんでした。質問ファイルを直してください。\n")
        return 1
    kept = _keep(result, runs)
    if report is not None:
        try:
            write_report(kept or told, before, report)
            sys.stderr.write(f"レポート: {report}\n")
        except OSError as error:
            sys.stderr.write(f"レポートを書けません: {error}。出力先を確かめてください。\n")
            return 1
    losses = fallen(committed, told, margin) if committed is not None else []
    for loss in losses:
        sys.stderr.write(f"{loss}\n")
    return 2 if losses else 0


def _keep(result: RunResult, runs: Path) -> Run | None:
    """Keep a run; a folder that cannot be written must not cost the figures, which are out already."""
    try:
        path = keep(result, runs)
    except OSError as error:
        sys.stderr.write(f"評価を保存できませんでした: {error}。保存先のフォルダーを確かめてください。\n")
        return None
    sys.stderr.write(f"評価を保存しました: {path}\n")
    return load(str(path), runs)


def main_draft(index_dir: Path, out: Path | None = None, count: int = 60, seed: int = 0) -> int:
    """What ``hyoka eval draft`` does: questions with their gold out of an index, to ``out`` or as JSON Lines on stdout.

    Returns 0, or 1 when the index holds nothing to ask or cannot be opened.
    """
    from evals.casefiles import WRITERS, json_lines, write_cases
    from evals.proposals import propose

    try:
        if out is not None and out.suffix.lower() not in WRITERS:
            write_cases((), out)  # raises, and before the index is opened
        cases = propose(open_index(index_dir), count, seed)
        if not cases:
            raise SettingsError(
                f"索引 {index_dir} から質問を作れませんでした。事業のシートがあるか hyoka sheets で確かめてください。"
            )
        if out is not None:
            write_cases(cases, out)
    except HyokaError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    if out is None:
        sys.stdout.write(json_lines(cases).decode("utf-8"))
    counts = "、".join(f"{kind} {number}" for kind, number in Counter(case.type for case in cases).items())
    sys.stderr.write(f"質問の案 {len(cases)}件（{counts}）{f': {out}' if out is not None else ''}\n")
    sys.stderr.write("正解は読み取った数値と欄から作った案です。人が読み、直してから使ってください。\n")
    return 0


def main_compare(a: str, b: str, json_output: bool = False, *, runs: Path = RUNS) -> int:
    """What ``hyoka eval --compare A B`` does; A and B are paths, names in ``runs``, or ``last``."""
    from evals.table import show_comparison

    try:
        told = compare(load(a, runs), load(b, runs))
    except HyokaError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    if json_output:
        sys.stdout.write(json.dumps(told.payload(), ensure_ascii=False, indent=1) + "\n")
    else:
        show_comparison(told)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of ``python -m evals.run``."""
    parser = argparse.ArgumentParser(prog="evals.run", description="質問ファイルを実行して採点します。")
    parser.add_argument("file", type=Path, nargs="?", help="質問ファイル (jsonl, csv, xlsx)")
    parser.add_argument("--index-dir", type=Path, help="索引のフォルダー（既定は hyoka の設定）")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--report", type=Path, metavar="FILE.html")
    parser.add_argument("--server", metavar="URL", help="索引フォルダーの代わりに、動いているサーバーに質問します")
    parser.add_argument("--runs", type=Path, default=RUNS, help="評価を保存するフォルダー")
    parser.add_argument("--baseline", type=Path, metavar="RUN.json", help="これより下がったら終了コード 2")
    parser.add_argument("--margin", type=float, default=0.0)
    parser.add_argument("--compare", nargs=2, metavar=("A", "B"), help="保存した二つの評価を比べます")
    chosen = parser.parse_args(arguments)
    if chosen.compare:
        a, b = chosen.compare
        return main_compare(a, b, chosen.json, runs=chosen.runs)
    if chosen.file is None:
        parser.error("質問ファイルを書いてください")
    return main_eval(
        chosen.file,
        chosen.index_dir or load_settings().index_dir,
        chosen.json,
        chosen.report,
        chosen.server,
        runs=chosen.runs,
        baseline=chosen.baseline,
        margin=chosen.margin,
    )


if __name__ == "__main__":
    sys.exit(main())
