"""Charts as HTML and inline SVG: no script, no image, readable by a screen reader, and small. All pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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

    parts = [_grid(tick, chart.unit, down(tick)) for tick in ticks]
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


@dataclass(frozen=True, slots=True)
class Column:
    """One row of figures as columns over the years: plans are drawn as frames, actuals filled, so that print tells them."""

    name: str
    planned: bool
    values: Mapping[int, float]


def year_slots(years: Sequence[int]) -> list[int | None]:
    """The years in order, with None where years between two of them are missing.

    >>> year_slots([2019, 2020, 2023])
    [2019, 2020, None, 2023]
    """
    slots: list[int | None] = []
    for year in sorted(set(years)):
        if slots and slots[-1] is not None and year > slots[-1] + 1:
            slots.append(None)
        slots.append(year)
    return slots


def short_year(year: int) -> str:
    """A fiscal year under a chart: 2023 -> R5, 2019 -> R1, 2018 -> H30, 1985 -> S60."""
    first, era = next(((first, era) for first, era in ((2018, "R"), (1988, "H"), (1925, "S")) if year > first), (0, ""))
    return f"{era}{year - first}"


def render_columns(title: str, unit: str, years: Sequence[int], rows: Sequence[Column]) -> str:
    """Columns over the fiscal years, side by side where several rows have the year; empty without a figure.

    Nothing is drawn for what is not known, and a gap in the years is a gap in the chart.
    """
    figures = [value for row in rows for value in row.values.values()]
    if not figures or not years:
        return ""
    if not any(figures):
        return f'<figure class="hy-chart"><figcaption>{escape(title)}</figcaption><p>どの年度も0です。</p></figure>'
    ticks = axis_ticks(min(0.0, *figures), max(0.0, *figures))
    low, high = ticks[0], ticks[-1]
    slots = year_slots(years)
    wide = (RIGHT - LEFT) / len(slots)
    column = min(wide * 0.8 / len(rows), 9.0)

    def down(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - low) / (high - low))

    parts = [_grid(tick, unit, down(tick)) for tick in ticks]
    step = -(-len(slots) // 10)
    for at, year in enumerate(slots):
        middle = LEFT + wide * (at + 0.5)
        if year is None or at % step == 0:
            label = "…" if year is None else short_year(year)
            parts.append(f'<text x="{middle:.1f}%" y="{HEIGHT - 12}" text-anchor="middle">{label}</text>')
        for number, row in enumerate(rows):
            if year is None or year not in row.values:
                continue
            value = row.values[year]
            top, bottom = down(max(value, 0.0)), down(min(value, 0.0))
            left = middle + column * (number - len(rows) / 2)
            told = f"{short_year(year)}年度 {row.name} {short_number(value, unit)}"
            parts.append(
                f'<rect class="{_column_class(rows, number)}" x="{left + column * 0.05:.2f}%" y="{top:.1f}"'
                f' width="{column * 0.9:.2f}%" height="{max(bottom - top, 1.0):.1f}"><title>{escape(told)}</title></rect>'
            )
    legend = "".join(
        f'<li><span class="hy-swatch {_column_class(rows, number)}"></span>{escape(row.name)}</li>'
        for number, row in enumerate(rows)
    )
    return (
        f'<figure class="hy-chart"><figcaption>{escape(title)}</figcaption>'
        f'<svg width="100%" height="{HEIGHT}" role="img" aria-label="{escape(title)}のグラフ。数値は下の表にあります。">'
        f'{"".join(parts)}</svg><ul class="hy-legend">{legend}</ul></figure>'
    )


def _column_class(rows: Sequence[Column], number: int) -> str:
    """Plan and actual share a colour and differ by frame and filling; a second plan or actual takes the next colour."""
    planned = rows[number].planned
    before = sum(row.planned == planned for row in rows[:number])
    return f"hy-column {'hy-planned' if planned else 'hy-actual'} hy-c{before % 6}"


def _grid(tick: float, unit: str, y: float) -> str:
    label = escape(short_number(tick, unit))
    return (
        f'<line class="hy-grid" x1="{LEFT}%" x2="{RIGHT}%" y1="{y:.1f}" y2="{y:.1f}"></line>'
        f'<text x="{LEFT - 2}%" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
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
