"""Charts of a run as inline SVG: plain strings, no script, no outside asset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from evals.intervals import right_interval

WIDTH = 720
LEFT = 130
RIGHT = 130
ROW = 30


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of :func:`bars`: a share with its interval, and the share of the run before."""

    name: str
    right: int
    n: int
    low: float
    high: float
    before: float | None = None


@dataclass(frozen=True, slots=True)
class Dots:
    """One row of :func:`latencies`: milliseconds of each case of a type."""

    name: str
    values: tuple[float, ...]
    p50: float
    p95: float


def bars(rows: Sequence[Bar]) -> str:
    """Rightness by type with 95 % intervals; a diamond marks the run before."""
    width = WIDTH - LEFT - RIGHT
    height = ROW * len(rows) + 34
    parts = [_axis([(share, f"{share:.0%}") for share in (0, 0.2, 0.4, 0.6, 0.8, 1)], 1.0, height)]
    for number, row in enumerate(rows):
        middle = ROW * number + ROW / 2 + 4
        share = row.right / row.n if row.n else 0.0
        parts.append(_name(row.name, middle))
        parts.append(
            f'<rect class="bar" x="{LEFT}" y="{middle - 9:.1f}" width="{width * share:.1f}" height="18" rx="2"/>'
        )
        x1, x2 = LEFT + width * row.low, LEFT + width * row.high
        parts.append(
            f'<path class="whisker" d="M{x1:.1f} {middle - 4:.1f}v8M{x1:.1f} {middle:.1f}H{x2:.1f}M{x2:.1f} {middle - 4:.1f}v8"/>'
        )
        if row.before is not None:
            x = LEFT + width * row.before
            parts.append(
                f'<path class="before" d="M{x:.1f} {middle - 7:.1f}l5 7l-5 7l-5 -7z"><title>前回 {row.before:.3f}</title></path>'
            )
        parts.append(
            f'<text class="value" x="{WIDTH - RIGHT + 12}" y="{middle + 4:.1f}">{row.right}/{row.n}（{share:.3f}）</text>'
        )
    return _svg("種別ごとの正答率と95%区間", height, parts)


def latencies(rows: Sequence[Dots]) -> str:
    """Each answer's time as a dot by type; the long tick is the median, the short one p95."""
    top = _round_up(max((value for row in rows for value in row.values), default=1.0))
    height = ROW * len(rows) + 34
    parts = [_axis([(top * part / 4, f"{top * part / 4:g} ms") for part in range(5)], top, height)]
    for number, row in enumerate(rows):
        middle = ROW * number + ROW / 2 + 4
        parts.append(_name(row.name, middle))
        for value in row.values:
            parts.append(f'<circle class="dot" cx="{_x(value, top):.1f}" cy="{middle:.1f}" r="3.5"/>')
        parts.append(f'<path class="median" d="M{_x(row.p50, top):.1f} {middle - 11:.1f}v22"/>')
        parts.append(f'<path class="tail" d="M{_x(row.p95, top):.1f} {middle - 7:.1f}v14"/>')
        parts.append(
            f'<text class="value" x="{WIDTH - RIGHT + 12}" y="{middle + 4:.1f}">{row.p50:.1f} / {row.p95:.1f} ms</text>'
        )
    return _svg("種別ごとの応答時間", height, parts)


def calibration(points: Sequence[tuple[float, bool]], bins: int = 6) -> str:
    """Score against rightness: cases in equal groups by score, each group's mean score and share of right answers."""
    groups = calibration_groups(points, bins)
    side, left, bottom = 300, 60, 40
    lowest, highest = min(score for score, _ in points), max(score for score, _ in points)
    inside = lowest >= 0 and highest <= 1
    start, stop = (0.0, 1.0) if inside else (lowest, highest)
    reach = (stop - start) or 1.0
    parts = []
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = 10 + side * (1 - share)
        parts.append(f'<path class="grid" d="M{left} {y:.1f}h{side}"/>')
        parts.append(f'<text class="tick" text-anchor="end" x="{left - 8}" y="{y + 4:.1f}">{share:.0%}</text>')
        mark = f"{start + reach * share:.2g}"
        parts.append(
            f'<text class="tick" text-anchor="middle" x="{left + side * share:.1f}" y="{side + 28}">{mark}</text>'
        )
    if inside:
        parts.append(f'<path class="ideal" d="M{left} {10 + side}L{left + side} 10"/>')
    for mean, share, n in groups:
        x, y = left + side * (mean - start) / reach, 10 + side * (1 - share)
        low, high = right_interval(round(share * n), n)
        parts.append(f'<path class="whisker" d="M{x:.1f} {10 + side * (1 - low):.1f}V{10 + side * (1 - high):.1f}"/>')
        title = f"スコア {mean:.2f}、正答 {share:.2f}、{n}問"
        parts.append(f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="5"><title>{title}</title></circle>')
    parts.append(
        f'<text class="tick" text-anchor="middle" x="{left + side / 2}" y="{side + 48}">回答のスコア（横）と正答率（縦）</text>'
    )
    return _svg("回答のスコアと正答率", side + bottom + 20, parts, left + side + 30)


def calibration_groups(points: Sequence[tuple[float, bool]], bins: int) -> list[tuple[float, float, int]]:
    """(mean score, share right, n) of up to ``bins`` groups of nearly equal size, lowest scores first.

    ``[(0.1, False), (0.3, True), (0.9, True), (0.9, True)], 2 -> [(0.2, 0.5, 2), (0.9, 1.0, 2)]``
    """
    ranked = sorted(points)
    count = min(bins, len(ranked))
    cuts = [len(ranked) * number // count for number in range(count + 1)] if count else [0]
    groups = [ranked[low:high] for low, high in zip(cuts, cuts[1:], strict=False)]
    return [
        (sum(score for score, _ in group) / len(group), sum(right for _, right in group) / len(group), len(group))
        for group in groups
    ]


def _svg(title: str, height: float, parts: Sequence[str], width: float = WIDTH) -> str:
    label = escape(title, quote=True)
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{label}" style="max-width:{width:g}px">'
        f"{''.join(parts)}</svg>"
    )


def _axis(ticks: Sequence[tuple[float, str]], top: float, height: float) -> str:
    return "".join(
        f'<path class="grid" d="M{_x(value, top):.1f} 4V{height - 26:.1f}"/>'
        f'<text class="tick" text-anchor="middle" x="{_x(value, top):.1f}" y="{height - 8:.1f}">{label}</text>'
        for value, label in ticks
    )


def _name(name: str, middle: float) -> str:
    return f'<text class="name" text-anchor="end" x="{LEFT - 10}" y="{middle + 4:.1f}">{escape(name)}</text>'


def _x(value: float, top: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * value / top


def _round_up(value: float) -> float:
    """The next of 1, 2, 4, 6, 8 times a power of ten, so that quarters are short numbers: ``37 -> 40``."""
    power = 0.001
    while True:
        for step in (1, 2, 4, 6, 8):
            if step * power >= value:
                return round(step * power, 6)
        power *= 10
