"""The reckoning of :mod:`evals.benchmarks.sizing` as the tables of docs/scaling.md."""

from __future__ import annotations

from evals.benchmarks.markdown import table
from evals.benchmarks.scaleresults import Results
from evals.benchmarks.sizing import PLACES, SHEETS_ALL, SHEETS_SYSTEMS, Need, breaks, need, points


def sizing_tables(results: Results) -> str:
    """What 1, 50 and 1,741 municipalities need, and what breaks first; nothing before hyoka was measured and built."""
    curve = points(results.of("hyoka"))
    if not any(point.build_per_cpu_s for point in curve):
        return ""
    lines = []
    for what, sheets in (("system sheets alone", SHEETS_SYSTEMS), ("a sheet for every programme", SHEETS_ALL)):
        lines += [_line(what, need(curve, count, sheets)) for count in PLACES]
    head = (
        *("municipalities", "sheets a year each", "sections", "indexes", "disk, GiB", "memory, GiB"),
        *("whole build, CPU hours", "CPU ms a question: one index / all", "cores in the busiest hour: one index / all"),
    )
    broken = table(
        ("what", "limit of one server", f"measured at {curve[-1].sections:,.0f}", "met at, sections"),
        ([one.what, one.limit, one.measured, f"{_round(one.sections):,.0f}"] for one in breaks(curve)),
    )
    return f"{table(head, lines)}\n\nWhat breaks first, in proportion to the largest size measured:\n\n{broken}"


def _line(what: str, found: Need) -> list[str]:
    sheets = SHEETS_ALL if what.startswith("a sheet") else SHEETS_SYSTEMS
    return [
        f"{found.municipalities:,}",
        f"{sheets:.0f} ({what})",
        f"{found.sections:,.0f}",
        f"{found.indexes}",
        f"{found.disk_gib:.2f}" if found.disk_gib < 10 else f"{found.disk_gib:,.0f}",
        f"{found.memory_gib:.2f}" if found.memory_gib < 10 else f"{found.memory_gib:,.0f}",
        f"{found.build_cpu_hours:.2f}" if found.build_cpu_hours < 10 else f"{found.build_cpu_hours:,.0f}",
        f"{found.own_ms:.1f} / {found.all_ms:,.1f}",
        f"{found.own_cores:.2f} / {found.all_cores:,.2f}",
    ]


def _round(value: float) -> float:
    """To two digits: ``1,234,567 -> 1,200,000``."""
    return float(f"{value:.1e}")
