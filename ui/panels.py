"""Plan beside actual over the years: for every amount and indicator a chart of its own, with its figures as a table. All pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from corpus.documents import Document, FactKind
from corpus.forms.loader import clean_label
from corpus.histories import HistoryRow, YearFigure
from corpus.normalize import squeeze
from ui.charts import Column, render_columns, trimmed
from ui.facts import AMOUNT_FIELDS, amount_of, fact_sign, is_indicator, kind_word, with_unit
from ui.render import sheet_url, year_label

OPEN = 4  # charts on the page; the rest stands behind a fold
BUDGET, SETTLED = "予算額", "決算額"
PAIRED = "予算額と決算額"
# What tells budgets and settlements apart, and nothing of what the money is for: 当初予算額, 決算額(見込み).
_STAGE = re.compile(r"当初|補正後?|最終|現計|予算現額|予算額?|決算(?:見込)?額?|\(?見込み?\)?|実績額?|[()・]")
NOTE = (
    "枠だけの棒は予算・目標、塗りつぶした棒は決算・実績です。記載のない年度は棒がありません。"
    "「…」はその間の年度の記載がないことを示します。表の数値を押すと原文の位置を開きます。"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a panel: 決算額 over the years. ``kind`` says whether it is planned or real."""

    name: str
    kind: FactKind | None
    years: Mapping[int, YearFigure]


@dataclass(frozen=True, slots=True)
class Panel:
    """What one chart shows: lines of one unit, plans and actuals of one thing."""

    title: str
    unit: str
    lines: tuple[Line, ...]

    @property
    def years(self) -> list[int]:
        """The years that any of its lines has, in order."""
        return sorted({year for line in self.lines for year in line.years})

    @property
    def telling(self) -> bool:
        """Whether there is anything to compare: two years, or a plan and an actual."""
        return len(self.years) > 1 or len(self.lines) > 1


def panels(rows: Sequence[HistoryRow]) -> list[Panel]:
    """The panels of a programme's figures: amounts first, then indicators; what is neither stays to the tables.

    Budgets and settlements meet in one panel, other rows meet where field, label and unit agree.
    """
    found: dict[tuple[int, str, str, str], dict[tuple[str, FactKind | None], dict[int, YearFigure]]] = {}
    titles: dict[tuple[int, str, str, str], str] = {}
    for row in rows:
        indicator = is_indicator(row.field)
        if not indicator and (row.field not in AMOUNT_FIELDS or row.unit != "円"):
            continue
        label = squeeze(clean_label(row.label))
        of = amount_of(row.field, row.label)
        if of in (BUDGET, SETTLED):
            rest = _STAGE.sub("", label)
            key = (0, PAIRED, rest, row.unit)
            titles.setdefault(key, f"{PAIRED}：{rest}" if rest else PAIRED)
            expected = row.field == SETTLED and row.kind == "plan" and "見込" not in row.label
            name = f"{row.label or row.field}{'（見込み）' if expected else ''}"
        else:
            key = (2 if indicator else 1, of, label, row.unit)
            titles.setdefault(key, row.label or row.field)
            name = kind_word(of, row.unit, row.kind) or "値"
        years = found.setdefault(key, {}).setdefault((name, row.kind), {})
        for (
            year,
            figure,
        ) in row.years.items():  # one row may be read under two fields in two years: the latest sheet counts
            if year not in years or (years[year].sheet.fiscal_year or 0) < (figure.sheet.fiscal_year or 0):
                years[year] = figure
    # Plans come before actuals, as 予算 is read before 決算; the sort is stable.
    made = (
        Panel(titles[key], key[3], tuple(sorted(_lines(found[key]), key=lambda line: line.kind != "plan")))
        for key in sorted(found, key=lambda key: key[0])
    )
    return [panel for panel in made if panel.telling]


def _lines(found: Mapping[tuple[str, FactKind | None], Mapping[int, YearFigure]]) -> list[Line]:
    return [Line(name, kind, years) for (name, kind), years in found.items()]


def render_panels(shown: Sequence[Panel], documents: Mapping[str, Document], folded: bool = True) -> str:
    """The charts with their tables, the later ones ``folded`` away; empty without any.

    ``documents`` are those of the figures' sheets by file.
    """
    if not shown:
        return ""
    cards = [_card(panel, documents) for panel in shown]
    first = OPEN if folded else len(cards)
    fold = (
        f'<details class="hy-more"><summary>ほか{len(cards) - first}項目のグラフを表示</summary>'
        f'<div class="hy-panels">{"".join(cards[first:])}</div></details>'
        if len(cards) > first
        else ""
    )
    return (
        '<section id="charts"><h2>金額と指標の推移</h2>'
        f'<p class="hy-small">{NOTE}</p><div class="hy-panels">{"".join(cards[:first])}</div>{fold}</section>'
    )


def _card(panel: Panel, documents: Mapping[str, Document]) -> str:
    years = panel.years
    title = with_unit(panel.title, panel.unit)
    columns = [
        Column(line.name, line.kind == "plan", {year: figure.fact.value or 0.0 for year, figure in line.years.items()})
        for line in panel.lines
    ]
    head = "".join(f'<th scope="col">{escape(line.name)}</th>' for line in panel.lines)
    rows = "".join(
        f'<tr><th scope="row">{escape(year_label(year))}</th>'
        + "".join(_cell(line.years.get(year), documents) for line in panel.lines)
        + "</tr>"
        for year in years
    )
    return (
        f'<div class="hy-panel">{render_columns(title, panel.unit, years, columns)}'
        f'<div class="hy-scroll" tabindex="0" role="region" aria-label="{escape(title)}の表"><table class="hy-facts">'
        f'<thead><tr><th scope="col">年度</th>{head}</tr></thead><tbody>{rows}</tbody></table></div></div>'
    )


def _cell(figure: YearFigure | None, documents: Mapping[str, Document]) -> str:
    if figure is None:
        return '<td class="hy-void"><span aria-hidden="true">―</span><span class="hy-heard">記載なし</span></td>'
    address = escape(sheet_url(figure.sheet.sheet_id, figure.fact.quote))
    document = documents.get(figure.sheet.file)
    sign = fact_sign(figure.fact, document) if document is not None else ""
    return f'<td class="hy-num"><a href="{address}">{escape(trimmed(figure.fact.value or 0.0))}</a>{sign}</td>'
