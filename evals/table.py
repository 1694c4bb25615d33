"""A run as tables for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from evals.figures import Figures
from evals.outcomes import RunResult, describe


@contextmanager
def progress_bar() -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, fed with (done, all)."""
    columns = (TextColumn("評価"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("評価", total=None)
        yield lambda done, whole: bar.update(task, completed=done, total=whole)


def show(result: RunResult, failures: bool = True) -> None:
    """Figures by type on stdout, then each failure with what was expected and what came."""
    console = Console()
    if not console.is_terminal:  # a pipe has no width: do not cut what a script or a log will hold
        console = Console(width=150)
    table = Table(title=f"{result.file} ({result.seconds:.1f} 秒)")
    for name in (
        "種別",
        "正答",
        "割合",
        "語句",
        "引用再現",
        "引用適合",
        "引用文",
        "項目",
        "棄権 適合/再現",
        "p50 / p95 ms",
    ):
        table.add_column(name, justify="left" if name == "種別" else "right", no_wrap=True)
    for name, part in result.types.items():
        table.add_row(name, *_cells(part))
    table.add_section()
    table.add_row("全体", *_cells(result.overall))
    console.print(table)
    if failures and result.failures:
        for outcome in result.failures:
            told = describe(outcome)
            console.print(f"\n[bold]{outcome.case.id}[/bold] {outcome.case.type}  {escape(outcome.case.question)}")
            for why in told["why"]:
                console.print(f"  ✗ {escape(why)}")
            console.print(f"  {escape(told['got']['interpretation'])}")
            console.print(f"  → {escape(' '.join(told['got']['answer'].split())[:200])}")
            console.print(f"  引用: {escape('、'.join(told['got']['sheets'][:6]))}")
    causes = "、".join(f"{cause} {count}" for cause, count in result.overall.causes.items())
    console.print(f"\n失敗の原因: {causes or 'なし'}")


def _cells(part: Figures) -> tuple[str, ...]:
    return (
        f"{part.right}/{part.n}",
        f"{part.right_share:.3f}",
        f"{part.answer_exact:.2f}",
        f"{part.citation_recall:.2f}",
        f"{part.citation_precision:.2f}",
        f"{part.quote_fidelity:.2f}",
        f"{part.section_hit:.2f}",
        f"{part.abstention.precision:.2f} / {part.abstention.recall:.2f}",
        f"{part.latency_ms.p50:.1f} / {part.latency_ms.p95:.1f}",
    )
