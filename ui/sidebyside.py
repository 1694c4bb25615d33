"""The comparison of sheets as HTML: the same field in one row, figures by year with what is computed from them. All pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from assistant.types import Chart, Series
from corpus.documents import Document, Fact, Section, Sheet
from corpus.histories import YearFigure
from corpus.normalize import squeeze
from corpus.places import in_words
from ui.charts import render_chart, short_year, trimmed, year_slots
from ui.comparelinks import LEAST, MOST, compare_url
from ui.comparison import Against, Column, Comparison, FieldRow, FigureRow, RatingRow, against
from ui.facts import fact_sign, kind_word, with_unit
from ui.render import breadcrumb, sheet_url, year_label
from ui.text import excerpt, marked

NUMBERS = "①②③④⑤⑥"
LONG = 600  # characters of a cell; the rest is in the source
MARKS = 6  # ratings of one field in a cell
OPEN_FIGURES = 6
VOID = '<span class="hy-none-printed">― <small>記載なし</small></span>'
APART = 'target="_blank" rel="noopener"'


def render_comparison(comparison: Comparison, root: str = "", fixed: bool = False) -> str:
    """The whole comparison; ``fixed`` leaves out the ways to take a sheet off, for a screen with a choice of its own."""
    columns = comparison.columns
    ids = [column.sheet.sheet_id for column in columns]
    leading = "".join(_field(row, columns) for row in comparison.fields)
    rest = "".join(_field(row, columns) for row in comparison.others)
    more = (
        f'<details class="hy-more"><summary>1つのシートだけにある欄（{len(comparison.others)}）</summary>'
        f"{_table(columns, rest, '1つのシートだけにある欄')}</details>"
        if rest
        else ""
    )
    shared = [row for row in comparison.ratings if row.held > 1]
    ratings = _table(columns, "".join(_rating(row, columns) for row in shared), "評価・区分の比較") if shared else ""
    if alone := [row for row in comparison.ratings if row.held == 1]:
        inner = _table(columns, "".join(_rating(row, columns) for row in alone), "1つのシートだけにある評価・区分")
        ratings += f'<details class="hy-more"><summary>1つのシートだけにある評価・区分（{len(alone)}）</summary>{inner}</details>'
    jumps = [("figures", "金額と指標"), ("fields", "記載内容"), *([("ratings", "評価・区分")] if ratings else [])]
    # A screen has its own address, which a jump would change.
    ways = (
        ""
        if fixed
        else "".join(f'<a href="#{name}">{title}</a>' for name, title in [*jumps, ("add", "シートを加える")])
    )
    return (
        f'<section id="compared"><h2>比べるシート</h2>{_heads(columns, ids, root, fixed)}</section>'
        + (f'<nav class="hy-jump" aria-label="ページ内">{ways}</nav>' if ways else "")
        + f"{_figures(comparison)}"
        '<section id="fields"><h2>記載内容</h2><p class="hy-small">同じ欄を横に並べています。文章を押すと原文の位置を開きます。</p>'
        f"{_table(columns, leading, '記載内容の比較')}{more}</section>"
        + (f'<section id="ratings"><h2>評価・区分</h2>{ratings}</section>' if ratings else "")
    )


def _heads(columns: Sequence[Column], ids: Sequence[str], root: str, fixed: bool) -> str:
    items = []
    for at, column in enumerate(columns):
        sheet = column.sheet
        others = [one for one in ids if one != sheet.sheet_id]
        off = (
            f' <a href="{escape(compare_url(others, root=root))}" aria-label="{escape(sheet.name)}を比較から外す">外す</a>'
            if not fixed and len(ids) > 1
            else ""
        )
        items.append(
            f'<li><span class="hy-number">{NUMBERS[at]}</span><span class="hy-title">{escape(sheet.name)}</span>'
            f'<span class="hy-where">{breadcrumb(sheet)}</span>'
            f'<span class="hy-small"><a href="{escape(sheet_url(sheet.sheet_id))}" {APART}>シートを開く</a>{off}</span></li>'
        )
    return f'<ol class="hy-compared">{"".join(items)}</ol>'


def sheet_label(columns: Sequence[Column], at: int) -> str:
    """① 図書館運営, with the year where two of the sheets have one name.

    >>> from corpus.documents import Document, Sheet
    >>> sheet = Sheet("a", "f", "programme", "図書館運営", "A市", 2021, "", ())
    >>> sheet_label([Column(sheet, Document("f", "", "", "text"))], 0)
    '① 図書館運営'
    """
    sheet = columns[at].sheet
    twins = [one.sheet for one in columns if one.sheet.name == sheet.name]
    if len(twins) < 2:
        return f"{NUMBERS[at]} {sheet.name}"
    apart = (
        sheet.municipality if len({one.fiscal_year for one in twins}) < len(twins) else year_label(sheet.fiscal_year)
    )
    return f"{NUMBERS[at]} {sheet.name}（{apart}）"


def _table(columns: Sequence[Column], rows: str, name: str) -> str:
    if not rows:
        return '<p class="hy-none">並べられる欄がありません。</p>'
    head = "".join(f'<th scope="col">{escape(sheet_label(columns, at))}</th>' for at in range(len(columns)))
    return (
        f'<div class="hy-scroll hy-beside-each" tabindex="0" role="region" aria-label="{escape(name)}"><table>'
        f'<thead><tr><th scope="col">欄</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _row(name: str, cells: Sequence[str], columns: Sequence[Column]) -> str:
    # On a telephone a row becomes a stack of cards, and each says whose it is.
    inner = "".join(
        f'<td data-name="{escape(sheet_label(columns, at))}">{cell or VOID}</td>' for at, cell in enumerate(cells)
    )
    return f'<tr><th scope="row">{escape(name)}</th>{inner}</tr>'


def _field(row: FieldRow, columns: Sequence[Column]) -> str:
    cells = [
        "".join(_section(section, column, row.field) for section in cell)
        for cell, column in zip(row.cells, columns, strict=True)
    ]
    return _row(row.field, cells, columns)


def _section(section: Section, column: Column, field: str) -> str:
    text, _ = excerpt(section.text, [], LONG)
    label = f"<small>{escape(section.label)}</small>" if section.label and section.label != field else ""
    where = in_words(column.document, section.span)
    place = f'<small class="hy-place">{escape(where)}</small>' if where else ""
    address = escape(sheet_url(column.sheet.sheet_id, section.span))
    return f'<div class="hy-said">{label}<a href="{address}" {APART}>{marked(text)}</a>{place}</div>'


def _rating(row: RatingRow, columns: Sequence[Column]) -> str:
    cells = []
    for cell, column in zip(row.cells, columns, strict=True):
        parts = [_mark(fact, column, row.field) for fact in cell[:MARKS]]
        if len(cell) > MARKS:
            parts.append(f'<div class="hy-said"><small>ほか{len(cell) - MARKS}件</small></div>')
        cells.append("".join(parts))
    return _row(row.field, cells, columns)


def _mark(fact: Fact, column: Column, field: str) -> str:
    notes = [fact.label] if fact.label != field else []
    notes += [fact.period.label] if fact.period is not None else []
    small = f"<small>{escape('・'.join(notes))}</small>" if notes else ""
    address = escape(sheet_url(column.sheet.sheet_id, fact.quote))
    return f'<div class="hy-said">{small}<a href="{address}" {APART}>{marked(fact.text)}</a></div>'


def _figures(comparison: Comparison) -> str:
    rows = comparison.figures
    left_out = (
        f'<p class="hy-small">1つのシートだけにある指標{comparison.unshared}件は、並べずに省いています。各シートのページで確かめられます。</p>'
        if comparison.unshared
        else ""
    )
    if not rows:
        none = '<p class="hy-none">並べられる金額や、同じ名前の指標がありません。</p>'
        return f'<section id="figures"><h2>金額と指標</h2>{none}{left_out}</section>'
    cards = [render_figures(row, comparison.columns) for row in rows]
    years = "数値は、それぞれの事業の各年度のシートからまとめています。" if comparison.over_years else ""
    fold = (
        f'<details class="hy-more"><summary>ほか{len(cards) - OPEN_FIGURES}項目を表示</summary>{"".join(cards[OPEN_FIGURES:])}'
        "</details>"
        if len(cards) > OPEN_FIGURES
        else ""
    )
    return (
        '<section id="figures"><h2>金額と指標</h2><p class="hy-small">'
        f"{years}数値を押すと原文の位置を開きます。「差」と「比」は①を基準に計算した値で、シートには書かれていません。"
        "予算と決算、目標と実績は別の表に分けています。記載のない年度は計算せず、線もつなぎません。</p>"
        f"{''.join(cards[:OPEN_FIGURES])}{fold}{left_out}</section>"
    )


def render_figures(row: FigureRow, columns: Sequence[Column]) -> str:
    """One amount or indicator: a chart with a line a sheet, and the table of years and sheets."""
    title = figure_title(row)
    head = "".join(f'<th scope="col">{escape(sheet_label(columns, at))}</th>' for at in range(len(columns)))
    lines = []
    for year in row.years:
        first = row.cells[0].get(year)
        cells = "".join(
            _figure(cell.get(year), column, row.title, against(_value(first), _value(cell.get(year))) if at else None)
            for at, (cell, column) in enumerate(zip(row.cells, columns, strict=True))
        )
        lines.append(f'<tr><th scope="row">{escape(year_label(year))}</th>{cells}</tr>')
    return (
        f'<div class="hy-measure"><h3>{escape(title)}</h3><div class="hy-drawn">{render_chart(line_chart(row, columns), "推移")}'
        f'<div class="hy-scroll" tabindex="0" role="region" aria-label="{escape(title)}の表"><table class="hy-facts">'
        f'<thead><tr><th scope="col">年度</th>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div></div></div>'
    )


def figure_title(row: FigureRow) -> str:
    """決算額（円）, 事業費・予算（円), 貸出冊数・目標（冊)."""
    word = kind_word(row.field, row.unit, row.kind)
    if row.field == "決算額" and row.kind == "plan":
        word = "見込み"
    name = row.title if not word or word in row.title else f"{row.title}・{word}"
    return with_unit(name, row.unit)


def line_chart(row: FigureRow, columns: Sequence[Column]) -> Chart:
    """A line a sheet over the years; where years are missing in between, all lines are broken. Empty for a single year."""
    slots = year_slots(row.years)
    if len(row.years) < 2:
        return Chart("line", (), ())
    return Chart(
        "line",
        tuple("…" if year is None else short_year(year) for year in slots),
        tuple(
            Series(sheet_label(columns, at), tuple(None if year is None else _value(cell.get(year)) for year in slots))
            for at, cell in enumerate(row.cells)
            if cell
        ),
        row.unit,
    )


def _value(figure: YearFigure | None) -> float | None:
    return None if figure is None else figure.fact.value


def _figure(figure: YearFigure | None, column: Column, title: str, computed: Against | None) -> str:
    if figure is None:
        return f'<td class="hy-void">{VOID}</td>'
    fact = figure.fact
    address = escape(sheet_url(figure.sheet.sheet_id, fact.quote))
    sign = (
        fact_sign(fact, column.document) if figure.sheet.file == column.sheet.file else ("※" if fact.inferred else "")
    )
    small = f'<small class="hy-computed">{escape(told(computed))}</small>' if computed is not None else ""
    if squeeze(fact.label) != squeeze(title):  # 当初予算額 beside 予算現額: the reader must see it
        small = f"<small>{escape(fact.label)}</small>{small}" if fact.label else small
    return f'<td class="hy-num"><a href="{address}" {APART}>{escape(trimmed(fact.value or 0.0))}</a>{sign}{small}</td>'


def told(computed: Against) -> str:
    """差 +50・比 125.0%."""
    sign = "+" if computed.difference > 0 else "±" if computed.difference == 0 else ""
    share = "" if computed.share is None else f"・比 {computed.share * 100:,.1f}%"
    return f"差 {sign}{trimmed(computed.difference)}{share}"


def render_picker(
    chosen: Sequence[Sheet], found: Sequence[Sheet], near: Sequence[Sheet], words: str, root: str = ""
) -> str:
    """A form without script to add a sheet: ``near`` are proposed, ``found`` are those that ``words`` found."""
    ids = [sheet.sheet_id for sheet in chosen]
    if len(ids) >= MOST:
        return (
            f'<p class="hy-small">一度に比べられるのは{MOST}シートまでです。加えるときは、どれかを外してください。</p>'
        )
    kept = "".join(f'<input type="hidden" name="sheet" value="{escape(one)}">' for one in ids)
    proposed = _choices("似ている事業・他の年度", [one for one in near if one.sheet_id not in ids], ids, root)
    listed = _choices(f"「{words}」で見つかったシート", [one for one in found if one.sheet_id not in ids], ids, root)
    if words and not listed:
        listed = '<p class="hy-none">当てはまるシートがありません。事業名や課名の一部で探してください。</p>'
    title = ("比べるシートを選んでください", "もう1つ、比べるシートを選んでください", "シートを加える")[
        min(len(ids), LEAST)
    ]
    return (
        f'<section id="add"><h2>{title}</h2><form class="hy-form" action="{root}/compare" method="get">{kept}'
        f'<label for="hy-q">シートを探す</label> <input id="hy-q" type="search" name="q" value="{escape(words)}"'
        ' placeholder="事業名・課名の一部" maxlength="100"> <button class="hy-button" type="submit">探す</button></form>'
        f"{listed}{proposed}</section>"
    )


def _choices(title: str, sheets: Sequence[Sheet], ids: Sequence[str], root: str) -> str:
    items = "".join(
        f'<li><a href="{escape(compare_url([*ids, sheet.sheet_id], root=root))}">'
        f'{escape(sheet.name)}</a><span class="hy-where">{breadcrumb(sheet)}</span></li>'
        for sheet in sheets
    )
    return f'<h3>{escape(title)}</h3><ul class="hy-similar">{items}</ul>' if items else ""


def place_of(document: Document, sheet: Sheet, fact_or_section: Fact | Section) -> str:
    """The file and the place in it, for the papers: 図書館.pdf 3ページ."""
    span = fact_or_section.quote if isinstance(fact_or_section, Fact) else fact_or_section.span
    return f"{sheet.file} {in_words(document, span)}".rstrip()
