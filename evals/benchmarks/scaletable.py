"""The results of :mod:`evals.benchmarks.scale` as the tables of docs/scaling.md, between marks in that file."""

from __future__ import annotations

from pathlib import Path

from evals.benchmarks.markdown import between, table
from evals.benchmarks.measuring import REST
from evals.benchmarks.products import FLOOR, SYSTEMS
from evals.benchmarks.scaleresults import Results, Row
from evals.benchmarks.sizingtable import sizing_tables

DASH = "–"
_HEAD = (
    "system",
    "built: sections per CPU second",
    "memory of the build, MiB",
    "on disk, MiB",
    "start, s (CPU)",
    "memory opened / searched, MiB (own)",
    "search p50 / p95, CPU ms (wall)",
    "to the floor",
    "known items in 10",
)


def write_tables(results: Results, docs: Path) -> None:
    """Puts the tables into ``docs``/scaling.md; nothing where the file or its marks are missing."""
    file = docs / "scaling.md"
    if not file.exists():
        return
    text = file.read_text("utf-8")
    for mark, inside in (
        ("peers", side_by_side(results)),
        ("stages", stages(results)),
        ("sizing", sizing_tables(results)),
    ):
        text = between(text, mark, inside)
    file.write_text(text, "utf-8")


def side_by_side(results: Results) -> str:
    """A table a size; ratios are to the floor of the same run."""
    parts = []
    for size in results.sizes():
        rows = [results.rows[name, size] for name in SYSTEMS if (name, size) in results.rows]
        counts = rows[0]
        parts.append(
            f"**{size:,} sections** ({counts['sections']:,} in {counts['sheets']:,} sheets, {counts['chunks']:,} chunks)\n"
        )
        floor = results.rows.get((FLOOR, size), {})
        parts.append(table(_HEAD, (_line(row, floor) for row in rows)) + "\n")
    return "\n".join(parts)


def _line(row: Row, floor: Row) -> list[str]:
    name = f"**{row['system']}**" if row["system"] == "hyoka" else str(row["system"])
    if "search" not in row:
        return [name, row["not_run"], *[""] * (len(_HEAD) - 2)]
    build, start, search = row["build"], row["start"], row["search"]["all"]
    beside = row.get("floor")
    rate = peak = "built before"
    if "cpu_s" in build:
        rate = f"{build['sections_per_cpu_s']:,.0f}"
        if beside and "cpu_s" in floor.get("build", {}):
            rate += f" (× {build['sections_per_cpu_s'] / floor['build']['sections_per_cpu_s']:.2f})"
        peak = f"{build['peak_anonymous_mib']:,.0f}"
    opened, searched = row["opened"], row["searched"]
    begun = f"{start['wall_s']:.2f} ({start['cpu_s']:.2f})"
    ratio = DASH
    if beside:
        begun += f", × {start['cpu_s'] / beside['start']['cpu_s']:.1f}"
        ratio = f"× {search['cpu_p50'] / beside['search']['cpu_p50']:.1f} / {search['cpu_p95'] / beside['search']['cpu_p95']:.1f}"
    recall = row["recall"]
    return [
        name,
        rate,
        peak,
        f"{row['disk_mib']:,.0f}",
        begun,
        f"{opened['resident_mib']:,.0f} ({opened['anonymous_mib']:,.0f}) /"
        f" {searched['resident_mib']:,.0f} ({searched['anonymous_mib']:,.0f})",
        f"{search['cpu_p50']:.2f} / {search['cpu_p95']:.2f} ({search['wall_p50']:.2f} / {search['wall_p95']:.2f})"
        + (f", {row['questions']} questions" if row["questions"] < 200 else ""),
        ratio,
        f"{recall['share']:.2f}" + (f" of {recall['known_items']}" if recall["known_items"] < 200 else "")
        if recall["share"] is not None
        else DASH,
    ]


def stages(results: Results) -> str:
    """Where the CPU time of the median question goes, by system and size."""
    rows = [results.rows[name, size] for name in SYSTEMS for size in results.sizes() if (name, size) in results.rows]
    rows = [row for row in rows if "search" in row]
    names = [
        stage for stage in dict.fromkeys(stage for row in rows for stage in row["search"]) if stage not in ("all", REST)
    ]
    names.append(REST)

    def cell(row: Row, stage: str) -> str:
        return f"{row['search'][stage]['cpu_p50']:.2f}" if stage in row["search"] else DASH

    lines = ([f"{row['system']}, {row['size']:,}", *(cell(row, stage) for stage in ["all", *names])] for row in rows)
    return table(("system, sections", "whole", *names), lines)
