"""A run as tables for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from evals.compare import Comparison
from evals.figures import Figures
from evals.metrics import CAUSE_LABELS, Cause
from evals.outcomes import RunResult, describe

COLUMNS = (
    "種別",
    "正答",
    "割合",
    "95%区間",
    "語句",
    "引用再現",
    "引用適合",
    "引用文",
    "項目",
    "棄権 適合/再現",
    "p50/p95 ms",
)


@contextmanager
def progress_bar() -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, fed with (done, all)."""
    columns = (TextColumn("評価"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("評価", total=None)
        yield lambda done, whole: bar.update(task, completed=done, total=whole)


def show(result: RunResult, change: Comparison | None = None) -> None:
    """Figures by type on stdout, each failure with what was expected and what came, the difference from the last run."""
    console = _console()
    table = Table(title=f"{result.file} ({result.seconds:.1f} 秒)")
    for name in COLUMNS:
        table.add_column(name, justify="left" if name == "種別" else "right", no_wrap=True)
    for name, part in result.types.items():
        table.add_row(name, *_cells(part))
    table.add_section()
    table.add_row("全体", *_cells(result.overall))
    console.print(table)
    for outcome in result.failures:
        told = describe(outcome)
        got = told["got"]
        console.print(f"\n[bold]{outcome.case.id}[/bold] {outcome.case.type}  {escape(outcome.case.question)}")
        for why in told["why"]:
            console.print(f"  ✗ {escape(why)}")
        if got["interpretation"]:
            console.print(f"  {escape(got['interpretation'])}")
        if got["answer"]:
            console.print(f"  → {escape(' '.join(got['answer'].split())[:200])}")
        if got["sheets"]:
            console.print(f"  引用: {escape('、'.join(got['sheets'][:6]))}")
    causes = "、".join(f"{CAUSE_LABELS[Cause(cause)]} {count}" for cause, count in result.overall.causes.items())
    console.print(f"\n失敗の原因: {causes or 'なし'}")
    if result.retrieval:
        console.print("検索だけの成績: " + "、".join(f"{name} {value:.3f}" for name, value in result.retrieval.items()))
    if change is not None:
        console.print()
        show_comparison(change)


def show_comparison(change: Comparison) -> None:
    """What was fixed and what broke between two runs, on stdout."""
    console = _console()
    before, after = change.shares["overall"]
    console.print(
        f"前回 {escape(change.a)} との比較 ({change.common}問): {before:.3f} → {after:.3f}、"
        f"直った {len(change.fixed)}、壊れた {len(change.broken)}、McNemar p = {change.p_value:.3f}"
    )
    for mark, cases in (("○ 直った", change.fixed), ("✗ 壊れた", change.broken)):
        for case in cases:
            causes = "、".join(case.after or case.before)
            console.print(f"  {mark} {case.id} {case.type} {escape(case.question)} ({causes})")
    if change.only_a or change.only_b:
        console.print(f"  片方だけの質問: {len(change.only_a)} / {len(change.only_b)}")


def show_baselines(results: Mapping[str, RunResult]) -> None:
    """One row for the assistant and each baseline, on stdout: right by type, then how the searches rank."""
    types = list(dict.fromkeys(name for result in results.values() for name in result.types))
    ranks = list(dict.fromkeys(name for result in results.values() for name in result.retrieval))
    right, ranked = Table(title="正答率"), Table(title="検索だけの順位")
    for table, heads in ((right, ("正答", "全体", *types, "p50 ms")), (ranked, ranks)):
        table.add_column("方式", no_wrap=True)
        for head in heads:
            table.add_column(head, justify="right", no_wrap=True)
    for name, result in results.items():
        overall = result.overall
        shares = [f"{result.types[kind].right_share:.2f}" if kind in result.types else "" for kind in types]
        right.add_row(
            name,
            f"{overall.right}/{overall.n}",
            f"{overall.right_share:.3f}",
            *shares,
            f"{overall.latency_ms.p50:.1f}",
        )
        if result.retrieval:
            ranked.add_row(name, *(f"{result.retrieval.get(rank, 0):.3f}" for rank in ranks))
    console = _console()
    console.print(right)
    if ranks:
        console.print(ranked)


def _console() -> Console:
    console = Console(highlight=False)
    # A pipe has no width: do not cut what a script or a log will hold.
    return console if console.is_terminal else Console(width=170, highlight=False)


def _cells(part: Figures) -> tuple[str, ...]:
    return (
        f"{part.right}/{part.n}",
        f"{part.right_share:.3f}",
        f"{part.right_interval[0]:.2f}–{part.right_interval[1]:.2f}",
        f"{part.answer_exact:.2f}",
        f"{part.citation_recall:.2f}",
        f"{part.citation_precision:.2f}",
        f"{part.quote_fidelity:.2f}",
        f"{part.section_hit:.2f}",
        f"{part.abstention.precision:.2f} / {part.abstention.recall:.2f}",
        f"{part.latency_ms.p50:.1f} / {part.latency_ms.p95:.1f}",
    )
