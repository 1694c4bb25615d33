"""The results of :mod:`evals.benchmarks.scale` as small charts: SVG files, both axes logarithmic, a line a system."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from math import ceil, floor, log10
from pathlib import Path

from evals.benchmarks.products import SYSTEMS
from evals.benchmarks.scaleresults import Results, Row

Line = Sequence[tuple[float, float]]
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 360, 70, 150, 34, 40
# Told apart by people who do not see red and green alike, and in grey by their order at the right end.
_COLOURS = ("#7f7f7f", "#b0b0b0", "#c8a020", "#0b5394", "#d55e00", "#009e73", "#56b4e9", "#cc79a7")
_STYLE = (
    "text{font:12px sans-serif;fill:#333}.g{stroke:#ddd}.l{fill:none;stroke-width:2}.t{font-size:14px;font-weight:bold}"
)

#: File, title, and what a row has of it.
CHARTS: tuple[tuple[str, str, Callable[[Row], float | None]], ...] = (
    ("scale-search.svg", "One search, CPU ms (median)", lambda row: row["search"]["all"]["cpu_p50"]),
    ("scale-build.svg", "Built, sections per CPU second", lambda row: row["build"].get("sections_per_cpu_s")),
    ("scale-memory.svg", "Own memory while searching, MiB", lambda row: row["searched"]["anonymous_mib"]),
    ("scale-start.svg", "Start to first answer, CPU s", lambda row: row["start"]["cpu_s"]),
    ("scale-disk.svg", "On disk, MiB", lambda row: row["disk_mib"]),
)


def write_curves(results: Results, folder: Path) -> None:
    """All charts; none where nothing was measured."""
    for name, title, value in CHARTS:
        lines = {
            system: [(row["sections"], found) for row in results.of(system) if (found := value(row))]
            for system in SYSTEMS
        }
        lines = {system: line for system, line in lines.items() if line}
        if lines:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(chart(title, lines) + "\n", "utf-8")


def chart(title: str, lines: Mapping[str, Line]) -> str:
    """A line a name over the number of sections."""
    every = [point for line in lines.values() for point in line]
    across = _decades([x for x, _ in every])
    up = _decades([y for _, y in every])

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (log10(value) - across[0]) / (across[-1] - across[0])

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (log10(value) - up[0]) / (up[-1] - up[0])

    parts = [f'<text class="t" x="{LEFT}" y="20">{escape(title)}</text>']
    for power in across:
        at = x(10.0**power)
        parts.append(f'<path class="g" d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text text-anchor="middle" x="{at:.1f}" y="{HEIGHT - BOTTOM + 18}">{10**power:,}</text>')
    for power in up:
        at = y(10.0**power)
        parts.append(f'<path class="g" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text text-anchor="end" x="{LEFT - 8}" y="{at + 4:.1f}">{10.0**power:,g}</text>')
    parts.append(f'<text text-anchor="middle" x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 6}">sections</text>')
    colours = dict(zip(SYSTEMS, _COLOURS, strict=True))
    ends = spread([(name, y(line[-1][1])) for name, line in lines.items()], 15)
    for name, line in lines.items():
        colour = colours.get(name, "#000000")
        thick = ' stroke-width="3"' if name == "hyoka" else ""
        path = "L".join(f"{x(sections):.1f} {y(value):.1f}" for sections, value in line)
        parts.append(f'<path class="l" stroke="{colour}"{thick} d="M{path}"/>')
        parts += [f'<circle cx="{x(s):.1f}" cy="{y(v):.1f}" r="3.5" fill="{colour}"/>' for s, v in line]
        parts.append(
            f'<text x="{WIDTH - RIGHT + 12}" y="{ends[name] + 4:.1f}" style="fill:{colour}">{escape(name)}</text>'
        )
    label = escape(title, quote=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">'
        f'<style>{_STYLE}</style><rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>'
    )


def spread(ends: Sequence[tuple[str, float]], apart: float) -> dict[str, float]:
    """Names at heights at least so far apart, in the same order: ``[(a, 10), (b, 12)], 15 -> {a: 10, b: 25}``."""
    placed: dict[str, float] = {}
    last = float("-inf")
    for name, height in sorted(ends, key=lambda end: end[1]):
        last = max(height, last + apart)
        placed[name] = last
    return placed


def _decades(values: Sequence[float]) -> list[int]:
    """The powers of ten around the values: ``[3, 40] -> [0, 1, 2]``."""
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    return list(range(low, max(high, low + 1) + 1))
