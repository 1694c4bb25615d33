"""What ``hyoka tune`` does and says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assistant import console

if TYPE_CHECKING:
    from index.snapshot import Snapshot
    from index.tuning.questions import TuningQuestion
    from index.tuning.run import Outcome

_TAKEN_UP = "動いているサーバーは、数秒で新しい重みに切り替わります。"


def run_tuning(
    index: Snapshot,
    folder: Path,
    own: Sequence[TuningQuestion],
    *,
    count: int,
    seed: int,
    minutes: float,
    dry_run: bool,
    json_output: bool,
) -> None:
    """Tunes, stores the weights unless it is a ``dry_run`` or they are refused, and prints the report."""
    from index.tuning.run import tune
    from index.tuning.store import save

    with console.progress() as tell:
        outcome = tune(index, count, seed, own, minutes * 60, tell)
    stored = outcome.tuning is not None and not dry_run
    if outcome.tuning is not None and not dry_run:
        save(folder, outcome.tuning)
    if json_output:
        console.say_json({**outcome.report, "stored": stored, "dry_run": dry_run, "index_version": index.version})
    else:
        show(outcome)
    console.note(_conclusion(outcome, folder, stored))


def reset_tuning(folder: Path, json_output: bool) -> None:
    """Goes back to the default weights."""
    from index.tuning.store import TUNING, reset

    removed = reset(folder)
    if json_output:
        console.say_json({"reset": removed})
    if removed:
        console.note(f"検索の調整（{folder / TUNING}）を消しました。標準の重みに戻ります。{_TAKEN_UP}")
    else:
        console.note(f"{folder} に検索の調整はありません。標準の重みのままです。")


def show(outcome: Outcome) -> None:
    """The figures before and after, by kind of question."""
    from index.tuning.fit import KINDS

    rows = [("全体", outcome.fit.overall), *((KINDS.get(k, k), f) for k, f in outcome.fit.by_kind.items())]
    console.say_table(
        ("質問の種類", "問", "調整前", "調整後", "差", "差の99%区間"),
        [
            (name, f.n, f"{f.before:.3f}", f"{f.after:.3f}", f"{f.gain:+.3f}", f"{f.low:+.3f} から {f.high:+.3f}")
            for name, f in rows
        ],
    )
    for path, (before, after) in outcome.report["changed"].items():
        console.say(f"{path}: {before:g} → {after:g}")


def _conclusion(outcome: Outcome, folder: Path, stored: bool) -> str:
    from index.tuning.store import TUNING

    figures = outcome.fit.overall
    measured = (
        f"{outcome.fit.sheets}シートの{figures.n}問で、学習に使っていないシートの質問について測りました"
        f"（nDCG@10、{outcome.seconds:.0f}秒）。"
    )
    if outcome.fit.cut_short:
        measured += "時間の上限で探索を打ち切りました。--minutes を増やすと続きまで探します。"
    if outcome.fit.refused:
        before = "前に保存した調整がそのまま使われます（hyoka tune --reset で標準に戻せます）"
        kept = before if (folder / TUNING).exists() else "標準の重みのまま使ってください"
        return f"{measured}調整は採用しません：{outcome.fit.refused}。{kept}。"
    if not stored:
        return f"{measured}試しに測っただけで、保存していません。採用するには --dry-run を付けずに実行してください。"
    return f"{measured}改善が確かめられたので {folder / TUNING} に保存しました。{_TAKEN_UP}元に戻すには hyoka tune --reset。"
