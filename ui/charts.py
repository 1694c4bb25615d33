"""Charts as HTML and inline SVG: no script, no image, readable by a screen reader, and small. All pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from math import floor, log10

from assistant.types import Chart

HEIGHT, TOP, BOTTOM = 220, 14, 34  # pixels
LEFT, RIGHT = 20, 92  # percent of the width
MAX_BARS = 30


def short_number(value: float, unit: str = "") -> str:
    """A figure for an axis or a bar: 1500000.0, 円 -> 150万円; 43.5, % -> 43.5%."""
    if unit == "円":
        for size, word in ((1e8, "億円"), (1e4, "万円")):
            if abs(value) >= size:
                return f"{trimmed(value / size)}{word}"
    return f"{trimmed(value)}{unit}"


def trimmed(value: float) -> str:
    """1234.50 -> 1,234.5; 3.0 -> 3; at most two decimals."""
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def render_chart(chart: Chart, title: str = "グラフ") -> str:
    """The chart as HTML; empty where there is no figure to draw."""
    figures = [value for line in chart.series for value in line.values if value is not None]
    if not figures or not chart.x:
        return ""
    return _bars(chart, title) if chart.kind == "bar" else _lines(chart, title)


def _bars(chart: Chart, title: str) -> str:
    """Horizontal bars made of boxes: long names wrap, and the width follows the screen."""
    largest = max((abs(value) for line in chart.series for value in line.values if value is not None), default=0) or 1
    rows = []
    for at, name in enumerate(chart.x[:MAX_BARS]):
        bars = []
        for number, line in enumerate(chart.series):
            value = line.values[at] if at < len(line.values) else None
            if value is None:
                bars.append('<span class="hy-bar-value">記載なし</span>')
                continue
            label = short_number(value, chart.unit)
            if len(chart.series) > 1:
                label = f"{line.name} {label}"
            # The track is shorter than the row so that the longest bar leaves room for its figure.
            bars.append(
                f'<span class="hy-bar hy-c{number % 6}" style="width:{abs(value) / largest * 68:.1f}%"></span>'
                f'<span class="hy-bar-value">{escape(label)}</span>'
            )
        lines = "".join(f'<span class="hy-bar-line">{bar}</span>' for bar in bars)
        rows.append(f'<li><span class="hy-bar-name">{escape(name)}</span>{lines}</li>')
    more = f"<p>ほか{len(chart.x) - MAX_BARS}件は表にあります。</p>" if len(chart.x) > MAX_BARS else ""
    return (
        f'<figure class="hy-chart"><figcaption>{escape(title)}</figcaption>'
        f'<ul class="hy-bars">{"".join(rows)}</ul>{more}</figure>'
    )


def _lines(chart: Chart, title: str) -> str:
    """Lines over periods. Across is in percent and down in pixels: the chart fits any width with its letters unscaled.

    There is no viewBox on purpose: the chat's sanitizer drops it, and the drawing would lose its size.
    """
    figures = [value for line in chart.series for value in line.values if value is not None]
    ticks = axis_ticks(min(0.0, *figures), max(0.0, *figures))
    low, high = ticks[0], ticks[-1]

    def across(at: int) -> float:
        return LEFT + (RIGHT - LEFT) * (at / (len(chart.x) - 1) if len(chart.x) > 1 else 0.5)

    def down(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - low) / ((high - low) or 1))

    parts = []
    for tick in ticks:
        y = f"{down(tick):.1f}"
        parts.append(f'<line class="hy-grid" x1="{LEFT}%" x2="{RIGHT}%" y1="{y}" y2="{y}"></line>')
        label = escape(short_number(tick, chart.unit))
        parts.append(f'<text x="{LEFT - 2}%" y="{down(tick) + 4:.1f}" text-anchor="end">{label}</text>')
    # Labels would run into each other beyond five: then every second, third … is written.
    step = -(-len(chart.x) // 5)
    for at, name in enumerate(chart.x):
        if at % step == 0:
            parts.append(f'<text x="{across(at):.1f}%" y="{HEIGHT - 8}" text-anchor="middle">{escape(name[:9])}</text>')
    for number, line in enumerate(chart.series):
        parts.append(_line(line.values, f"hy-c{number % 6}", across, down))
    legend = "".join(
        f'<li><span class="hy-key hy-c{number % 6}"></span>{escape(line.name)}</li>'
        for number, line in enumerate(chart.series)
    )
    return (
        f'<figure class="hy-chart"><figcaption>{escape(title)}</figcaption>'
        f'<svg width="100%" height="{HEIGHT}" role="img" aria-label="{escape(spoken(chart))}">{"".join(parts)}</svg>'
        f'<ul class="hy-legend">{legend}</ul></figure>'
    )


def spoken(chart: Chart) -> str:
    """The chart as a sentence: 決算額: 令和4年度 120万円、令和5年度 150万円."""
    return "。".join(
        f"{line.name}: "
        + "、".join(
            f"{name} {'記載なし' if value is None else short_number(value, chart.unit)}"
            for name, value in zip(chart.x, line.values, strict=False)
        )
        for line in chart.series
    )


def _line(
    values: Sequence[float | None], color: str, across: Callable[[int], float], down: Callable[[float], float]
) -> str:
    """Dots, and a stroke between neighbours; a missing year breaks the line instead of being drawn as if known."""
    strokes, dots = [], []
    for at, value in enumerate(values):
        if value is None:
            continue
        x, y = f"{across(at):.1f}%", f"{down(value):.1f}"
        dots.append(f'<circle class="hy-dot {color}" cx="{x}" cy="{y}" r="3.5"></circle>')
        after = values[at + 1] if at + 1 < len(values) else None
        if after is not None:
            strokes.append(
                f'<line class="hy-line {color}" x1="{x}" y1="{y}" x2="{across(at + 1):.1f}%" y2="{down(after):.1f}"></line>'
            )
    return "".join(strokes + dots)


def axis_ticks(low: float, high: float) -> list[float]:
    """Four to six round numbers that cover low..high: (0, 47) -> [0, 10, 20, 30, 40, 50]."""
    width = max(high - low, 1e-6)
    rough = width / 4
    size = 10.0 ** floor(log10(rough))
    step = min((factor * size for factor in (1, 2, 2.5, 5, 10)), key=lambda each: abs(each - rough))
    first = floor(low / step)
    ticks = [first * step]
    while ticks[-1] < high:
        ticks.append((first + len(ticks)) * step)
    return ticks
