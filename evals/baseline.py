"""The committed baseline: which curated questions on the bundled sheets are answered rightly, and what may be lost.

``python -m evals.baseline`` compares the working tree with ``evals/baseline.json`` (exit status 2 when it fell);
``python -m evals.baseline --refresh`` (or ``make baseline``) writes it anew.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.errors import HyokaError, SettingsError
from evals.cases import read_cases
from evals.metrics import Payload
from evals.outcomes import RunResult
from evals.run import examine_cases
from evals.target import History, Target, local

ROOT = Path(__file__).parent.parent
SHEETS = ROOT / "corpus" / "samples" / "files"
CASES = ROOT / "evals" / "cases" / "bundled.jsonl"
BASELINE = ROOT / "evals" / "baseline.json"
#: So many right answers may be lost, over all and of each type, before the tests fail. A change for the better often
#: costs a question elsewhere; two of one type (there are 12 to 30 of each) are no accident any more with a third.
MARGIN_OVERALL = 2
MARGIN_TYPE = 2


@dataclass(frozen=True, slots=True)
class Measured:
    """A run over the bundled sheets with the time it took: ``asked`` seconds inside the assistant, ``processor``
    seconds of this process, and the milliseconds a question costs beside its answers."""

    result: RunResult
    asked: float
    processor: float
    target: Target

    @property
    def overhead(self) -> float:
        """Milliseconds the harness adds to one question: replay, judging and keeping, without the answers."""
        return (self.result.seconds - self.asked) * 1000 / max(len(self.result.outcomes), 1)


def measure(folder: Path) -> Measured:
    """Index the bundled sheets into ``folder`` with the encoder of the settings and ask the curated questions."""
    from assistant.intake import Intake
    from assistant.opening import encoder_of
    from assistant.settings import load_settings
    from corpus.sources import find_files
    from index.build import build

    settings = load_settings()
    build(Intake(find_files([str(SHEETS)]), settings.max_bytes), encoder_of(settings), folder)
    timed = Timed(local(folder))
    before = time.process_time()
    result = examine_cases(read_cases(CASES), timed.target, ranked=False)
    # The first answer is there only to load the model; the run's own seconds leave it out as well.
    return Measured(result, timed.seconds - timed.first, time.process_time() - before, timed.target)


class Timed:
    """A target whose answers are timed, those to earlier questions of a conversation included."""

    def __init__(self, target: Target) -> None:
        self.seconds = self.first = 0.0
        self._inner = target.ask
        self.target = Target(self.ask, target.source, target.about, target.index)

    def ask(self, question: str, history: History, filters: Mapping[str, Any]) -> Payload:
        """The inner target's answer."""
        began = time.perf_counter()
        try:
            return self._inner(question, history, filters)
        finally:
            took = time.perf_counter() - began
            self.first = self.first or took
            self.seconds += took


def summary(result: RunResult) -> dict[str, Any]:
    """What is committed: counts by type and the ids of the right answers."""
    from evals.runs import code

    right = [outcome.case.id for outcome in result.outcomes if outcome.score.right]
    return {
        "file": result.file,
        **code(),
        "encoder": result.about.get("encoder", ""),
        "overall": {"n": len(result.outcomes), "right": len(right)},
        "by_type": {kind: {"n": part.n, "right": part.right} for kind, part in result.types.items()},
        "right": right,
    }


def losses(
    committed: Mapping[str, Any], found: Mapping[str, Any], overall: int = MARGIN_OVERALL, of_type: int = MARGIN_TYPE
) -> list[str]:
    """What fell by more than the margins, as Japanese sentences with the ids that broke; empty where nothing did.

    A baseline of other questions cannot judge: that is a loss too, with the command that writes it anew.
    """
    if {kind: part["n"] for kind, part in committed["by_type"].items()} != {
        kind: part["n"] for kind, part in found["by_type"].items()
    }:
        return ["質問の数が基準と違います。python -m evals.baseline --refresh で基準を作り直してください。"]
    told = []
    pairs = {"全体": (committed["overall"], found["overall"], overall)}
    pairs |= {kind: (part, found["by_type"][kind], of_type) for kind, part in committed["by_type"].items()}
    for name, (before, after, margin) in pairs.items():
        if after["right"] < before["right"] - margin:
            told.append(f"{name}の正答が {before['right']} から {after['right']} に減りました（許容 {margin}）。")
    if told:
        broken = [case for case in committed["right"] if case not in set(found["right"])]
        told.append(f"正しく答えられなくなった質問: {'、'.join(broken)}")
    return told


def load_baseline(path: Path = BASELINE) -> dict[str, Any]:
    """The committed baseline; raises SettingsError where it is missing or damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"基準を読めません: {path}。python -m evals.baseline --refresh で作ってください。({error})"
        ) from error
    if not isinstance(found, dict) or not {"overall", "by_type", "right"} <= found.keys():
        raise SettingsError(f"基準ではありません: {path}。python -m evals.baseline --refresh で作り直してください。")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: 0 as good as the baseline, 1 nothing could be run, 2 under it."""
    parser = argparse.ArgumentParser(prog="evals.baseline", description="同梱シートの質問を実行し、基準と比べます。")
    parser.add_argument("--refresh", action="store_true", help="今の結果を新しい基準として書き込む")
    chosen = parser.parse_args(arguments)
    try:
        committed = None if chosen.refresh else load_baseline()
        with tempfile.TemporaryDirectory(prefix="hyoka-baseline-", ignore_cleanup_errors=True) as folder:
            measured = measure(Path(folder))
    except HyokaError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    found = summary(measured.result)
    counts = "、".join(f"{kind} {part['right']}/{part['n']}" for kind, part in found["by_type"].items())
    sys.stdout.write(f"正答 {found['overall']['right']}/{found['overall']['n']}（{counts}）\n")
    sys.stderr.write(
        f"{measured.result.seconds:.1f}秒（うち計算 {measured.processor:.1f}秒）、採点は1問 {measured.overhead:.2f}ミリ秒\n"
    )
    if committed is None:
        BASELINE.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        sys.stderr.write(f"基準を書き込みました: {BASELINE.relative_to(ROOT)}\n")
        return 0
    gained = Counter(found["right"]) - Counter(committed["right"])
    if gained:
        sys.stdout.write(f"新しく正しくなった質問: {'、'.join(gained)}\n")
    told = losses(committed, found)
    sys.stderr.writelines(f"{line}\n" for line in told)
    return 2 if told else 0


if __name__ == "__main__":
    sys.exit(main())
