"""The other years of a programme: links to their sheets, and its figures over all of them. All pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from corpus.documents import Document, Sheet
from corpus.histories import HistoryRow, YearFigure
from ui.charts import trimmed
from ui.facts import fact_sign, fact_title, kind_word
from ui.render import sheet_url, year_label

NOTE = (
    "各年度のシートの数値をまとめています。同じ年度・同じ項目の数値が複数のシートにあるときは、新しい年度のシートの値を示します"
    "（前のシートと値が違うときは、前の値も添えます）。数値を押すと、その値が書かれたシートの原文を開きます。"
)


def render_other_years(sheet: Sheet, timeline: Sequence[Sheet]) -> str:
    """Links to the same programme's sheets of other years, with what differs: a former name, another department."""
    items = []
    for other in timeline:
        if other.fiscal_year == sheet.fiscal_year:
            continue
        differs = [other.name] if other.name != sheet.name else []
        differs += [other.department] if other.department and other.department != sheet.department else []
        small = f"<small>（{escape('・'.join(differs))}）</small>" if differs else ""
        label = escape(year_label(other.fiscal_year))
        items.append(f'<li><a href="{escape(sheet_url(other.sheet_id))}">{label}</a>{small}</li>')
    if not items:
        return ""
    return f'<nav class="hy-years" aria-label="他の年度"><h2>他の年度</h2><ul>{"".join(items)}</ul></nav>'


def render_history(rows: Sequence[HistoryRow], documents: Mapping[str, Document]) -> str:
    """A table of every figure that at least two years have; empty without one.

    ``documents`` are those of the sheets by file.
    """
    shown = [row for row in rows if len(row.years) > 1]
    if not shown:
        return ""
    years = sorted({year for row in shown for year in row.years})
    head = "".join(f'<th scope="col">{escape(year_label(year))}</th>' for year in years)
    lines = []
    for row in shown:
        notes = "・".join(part for part in (kind_word(row.field, row.unit, row.kind), row.unit) if part)
        small = f"<small>{escape(notes)}</small>" if notes else ""
        cells = "".join(_cell(row.years.get(year), documents) for year in years)
        lines.append(f'<tr><th scope="row">{escape(fact_title(row.field, row.label))}{small}</th>{cells}</tr>')
    return (
        '<section id="years"><h2>年度ごとの推移</h2>'
        '<div class="hy-scroll" tabindex="0" role="region" aria-label="年度ごとの推移の表"><table class="hy-facts"><thead>'
        f'<tr><th scope="col">項目</th>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'
        f'<p class="hy-small">{NOTE}</p></section>'
    )


def _cell(figure: YearFigure | None, documents: Mapping[str, Document]) -> str:
    if figure is None:
        return '<td class="hy-void">―</td>'
    address = escape(sheet_url(figure.sheet.sheet_id, figure.fact.quote))
    sign = fact_sign(figure.fact, documents[figure.sheet.file])
    earlier = "".join(
        f'<small class="hy-before">{escape(year_label(sheet.fiscal_year))}のシート：'
        f'<a href="{escape(sheet_url(sheet.sheet_id, fact.quote))}">{escape(trimmed(fact.value or 0.0))}</a></small>'
        for sheet, fact in figure.before
    )
    return f'<td class="hy-num"><a href="{address}">{escape(trimmed(figure.fact.value or 0.0))}</a>{sign}{earlier}</td>'
