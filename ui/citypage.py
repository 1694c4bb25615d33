"""The comparison of municipalities as HTML: every number says how much it counts, and opens to what it counts. All pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from index.types import SheetFact
from ui.charts import short_number, trimmed
from ui.comparelinks import LEAST, MOST
from ui.municipalities import SPENT, CityYear
from ui.render import sheet_url, year_label
from ui.text import marked

LISTED = 200  # figures behind a sum; more are counted
OPEN_RATINGS = 6
APART = 'target="_blank" rel="noopener"'
VOID = '<span class="hy-none-printed">― <small>記載なし</small></span>'


def render_cities(cities: Sequence[CityYear]) -> str:
    """The municipalities side by side."""
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
        f"「内訳」を開くと、数えた値とその原文を確かめられます。</p>{_table(rows, cities, '自治体の比較')}</section>{marks}"
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
