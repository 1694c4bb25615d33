"""The comparison of municipalities as HTML: every number says how much it counts, and opens to what it counts. All pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from assistant.types import Chart, Series
from index.types import SheetFact
from ui.charts import render_chart, short_number, short_year, trimmed, year_slots
from ui.comparelinks import LEAST, MOST, compare_url
from ui.municipalities import SPENT, CityYear
from ui.render import sheet_url, year_label
from ui.text import marked

LISTED = 200  # figures behind a sum; more are counted
OPEN_RATINGS = 6
APART = 'target="_blank" rel="noopener"'
VOID = '<span class="hy-none-printed">― <small>記載なし</small></span>'


def render_cities(cities: Sequence[CityYear], over_years: Sequence[Mapping[int, CityYear]] = (), root: str = "") -> str:
    """The municipalities side by side in a year, then their sums ``over_years`` (one mapping a municipality)."""
    years = {city.year for city in cities}
    differ = (
        '<p class="hy-none">自治体によって年度が違います。年度を選ぶと、同じ年度で比べられます。</p>'
        if len(years) > 1
        else ""
    )
    rows = [_row("年度", [escape(year_label(city.year)) for city in cities], cities)]
    rows.append(_row("シート数", [f"{len(city.sheets):,}件" if city.sheets else "" for city in cities], cities))
    rows += [
        _row(
            f"{name}の合計" if "決算" in name else f"{name}の合計（決算）",
            [_sum(city, name) for city in cities],
            cities,
        )
        for name in SPENT
        if any(name in city.sums for city in cities)
    ]
    if not any(city.sums for city in cities):
        rows.append(_row("決算額の合計", ["" for _ in cities], cities))
    rows.append(_row("金額の大きい事業", [_biggest(city) for city in cities], cities))
    names = dict.fromkeys(name for city in cities for name in city.ratings)
    # What several of them print can be compared; it comes first.
    order = sorted(names, key=lambda name: -sum(name in city.ratings for city in cities))
    ratings = [_row(name, [_marks(city.ratings.get(name, {})) for city in cities], cities) for name in order]
    first, rest = ratings[:OPEN_RATINGS], ratings[OPEN_RATINGS:]
    more = (
        f'<details class="hy-more"><summary>ほか{len(rest)}項目の評価を表示</summary>{_table(rest, cities, "評価")}</details>'
        if rest
        else ""
    )
    marks = (
        f'<section id="ratings"><h2>評価の内訳</h2>{_table(first, cities, "評価の内訳")}{more}</section>'
        if ratings
        else ""
    )
    return (
        f'{differ}<section id="sums"><h2>シート数と金額</h2><p class="hy-small">その年度のシートと、その年度の決算を載せたシートを'
        "数えています。合計と件数は、シートの数値から計算した値です。金額の項目は自治体の様式によって違うため、項目ごとに分けています。"
        f"「内訳」を開くと、数えた値とその原文を確かめられます。</p>{_table(rows, cities, '自治体の比較')}</section>"
        f"{_years(cities, over_years, root)}{marks}"
    )


def _years(cities: Sequence[CityYear], over_years: Sequence[Mapping[int, CityYear]], root: str) -> str:
    """The sums year by year of every field that a municipality prints for two years, each with a chart."""
    parts = []
    for name in SPENT:
        years = sorted({year for one in over_years for year, city in one.items() if name in city.sums})
        if len(years) < 2:
            continue
        title = f"{name}の合計" if "決算" in name else f"{name}の合計（決算）"
        lines = "".join(
            f'<tr><th scope="row">{_year_way(cities, year, root)}</th>{"".join(_of_year(one.get(year), name) for one in over_years)}</tr>'
            for year in years
        )
        head = "".join(f'<th scope="col">{escape(city.municipality)}</th>' for city in cities)
        chart = render_chart(sums_chart(name, years, cities, over_years), "推移（円）")
        parts.append(
            f'<div class="hy-measure"><h3>{escape(title)}</h3><div class="hy-drawn">{chart}'
            f'<div class="hy-scroll" tabindex="0" role="region" aria-label="{escape(title)}の表"><table class="hy-facts"><thead>'
            f'<tr><th scope="col">年度</th>{head}</tr></thead><tbody>{lines}</tbody></table></div></div></div>'
        )
    if not parts:
        return ""
    return (
        '<section id="years"><h2>年度別の合計</h2><p class="hy-small">シートの数値から計算した値です。年度を押すと、その年度の内訳と原文を確かめられます。数えたシートの件数が年度や自治体で'
        f"違うときは、合計の増減をそのまま比べられません。</p>{''.join(parts)}</section>"
    )


def _year_way(cities: Sequence[CityYear], year: int, root: str) -> str:
    """The year with the way to its own comparison, where every counted figure is listed."""
    address = compare_url(municipalities=[city.municipality for city in cities], year=year, root=root)
    return f'<a href="{escape(address)}" {APART}>{escape(year_label(year))}</a>'


def sums_chart(
    name: str, years: Sequence[int], cities: Sequence[CityYear], over_years: Sequence[Mapping[int, CityYear]]
) -> Chart:
    """A line a municipality; broken where a year has no sum, and for all where years are missing in between."""

    def total(one: Mapping[int, CityYear], year: int | None) -> float | None:
        city = one.get(year) if year is not None else None
        return city.sums[name].total if city is not None and name in city.sums else None

    slots = year_slots(years)
    return Chart(
        "line",
        tuple("…" if year is None else short_year(year) for year in slots),
        tuple(
            Series(city.municipality, tuple(total(one, year) for year in slots))
            for city, one in zip(cities, over_years, strict=True)
            if any(total(one, year) is not None for year in slots)
        ),
        "円",
    )


def _of_year(city: CityYear | None, name: str) -> str:
    if city is None or name not in city.sums:
        return f'<td class="hy-void">{VOID}</td>'
    found = city.sums[name]
    return (
        f'<td class="hy-num">{escape(trimmed(found.total))}<small class="hy-computed">{len(city.sheets):,}件のうち'
        f"{len(found.figures):,}件の合計（計算）</small></td>"
    )


def _table(rows: Sequence[str], cities: Sequence[CityYear], name: str) -> str:
    head = "".join(f'<th scope="col">{escape(city.municipality)}</th>' for city in cities)
    return (
        f'<div class="hy-scroll hy-beside-each" tabindex="0" role="region" aria-label="{escape(name)}"><table>'
        f'<thead><tr><th scope="col">項目</th>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def _row(name: str, cells: Sequence[str], cities: Sequence[CityYear]) -> str:
    inner = "".join(
        f'<td data-name="{escape(city.municipality)}">{cell or VOID}</td>'
        for cell, city in zip(cells, cities, strict=True)
    )
    return f'<tr><th scope="row">{escape(name)}</th>{inner}</tr>'


def _sum(city: CityYear, name: str) -> str:
    found = city.sums.get(name)
    if found is None:
        return ""
    counted = f"{len(city.sheets):,}件のうち{len(found.figures):,}件の合計"
    return (
        f'<b>{escape(trimmed(found.total))}円</b><small class="hy-computed">{counted}（計算）</small>'
        f"<details><summary>内訳（{len(found.figures):,}件）</summary>{_figures(found.figures)}</details>"
    )


def _figures(figures: Sequence[SheetFact]) -> str:
    items = "".join(_figure(one) for one in figures[:LISTED])
    more = f"<li>ほか{len(figures) - LISTED:,}件</li>" if len(figures) > LISTED else ""
    return f'<ul class="hy-counted">{items}{more}</ul>'


def _figure(one: SheetFact) -> str:
    address = escape(sheet_url(one.sheet.sheet_id, one.fact.quote))
    value = one.fact.value or 0.0
    return (
        f'<li>{escape(one.sheet.name)} <a href="{address}" {APART}>{escape(trimmed(value))}円</a>'
        f"{'※' if one.fact.inferred else ''}</li>"
    )


def _biggest(city: CityYear) -> str:
    if not city.biggest:
        return ""
    items = "".join(
        f'<li><a href="{escape(sheet_url(one.sheet.sheet_id, one.fact.quote))}" {APART}>{escape(one.sheet.name)}</a>'
        f" {escape(short_number(one.fact.value or 0.0, '円'))}</li>"
        for one in city.biggest
    )
    return f'<small>{escape(city.spent)}{"" if "決算" in city.spent else "（決算）"}の大きい順</small><ol class="hy-counted">{items}</ol>'


def _marks(marks: Mapping[str, Sequence[SheetFact]]) -> str:
    parts = []
    for mark, found in marks.items():
        items = "".join(
            f'<li><a href="{escape(sheet_url(one.sheet.sheet_id, one.fact.quote))}" {APART}>{escape(one.sheet.name)}</a>'
            f"<small>{escape(one.fact.label)}</small></li>"
            for one in found[:LISTED]
        )
        more = f"<li>ほか{len(found) - LISTED:,}件</li>" if len(found) > LISTED else ""
        parts.append(
            f'<details class="hy-mark-count"><summary>{marked(mark)}：{len(found):,}件</summary>'
            f'<ul class="hy-counted">{items}{more}</ul></details>'
        )
    return "".join(parts)


def render_city_form(
    all_of: Sequence[str], chosen: Sequence[str], years: Sequence[int], year: int | None, root: str = ""
) -> str:
    """A form without script: which municipalities, and which year (none: the latest of each)."""
    boxes = "".join(
        f'<label class="hy-check"><input type="checkbox" name="municipality" value="{escape(name)}"'
        f"{' checked' if name in chosen else ''}>{escape(name)}</label>"
        for name in all_of
    )
    options = '<option value="">それぞれの最も新しい年度</option>' + "".join(
        f'<option value="{one}"{" selected" if one == year else ""}>{escape(year_label(one))}</option>' for one in years
    )
    return (
        f'<form class="hy-form" action="{root}/compare" method="get"><fieldset><legend>比べる自治体（{LEAST}〜{MOST}）</legend>'
        f'{boxes}</fieldset><label for="hy-year">年度</label> <select id="hy-year" name="year">{options}</select> '
        '<button class="hy-button" type="submit">比べる</button></form>'
    )
