"""One sheet as a page of its own: metadata, sections, figures over the years, and the source with the quote marked.

The page is plain HTML without a script, so that its address can be mailed, printed and opened years later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from assistant.payload import PERSON_FIELD, page_at
from assistant.types import Chart, Series
from corpus.documents import Document, Fact, Section, Sheet, Span
from index.types import Index
from ui.charts import render_chart, trimmed
from ui.render import sheet_url, year_label
from ui.text import marked

AMOUNT_FIELDS = ("決算額", "予算額", "事業費", "総事業費")
LEFTOVER = "その他"
MONEY_KINDS = {"plan": "予算", "actual": "決算", None: ""}
INDICATOR_KINDS = {"plan": "目標", "actual": "実績", None: ""}
FIGURE_NOTE = (
    "金額は円に換算しています。数値を押すと原文の位置を開きます。※は見出しでなく並びや計算から読み取った値です。"
)


@dataclass(frozen=True, slots=True)
class SheetView:
    """Everything the page shows of one sheet; ``quote`` is the span to mark, None without one."""

    sheet: Sheet
    document: Document
    sections: tuple[Section, ...]
    facts: tuple[Fact, ...]
    quote: Span | None = None


def sheet_view(sheet: Sheet, index: Index, start: int | None = None, end: int | None = None) -> SheetView:
    """Reads a sheet from the index; a quote outside the document is no quote."""
    document = index.document(sheet.file)
    asked = start is not None and end is not None and 0 <= start < end <= len(document.text)
    return SheetView(
        sheet,
        document,
        tuple(found.section for found in index.sections([sheet.sheet_id]) if found.section.field != PERSON_FIELD),
        tuple(found.fact for found in index.facts([sheet.sheet_id]) if found.fact.field != PERSON_FIELD),
        Span(start, end) if asked and start is not None and end is not None else None,
    )


def render_sheet(view: SheetView, whole: bool = False) -> str:
    """The body of the page; ``whole`` shows the whole document as the source instead of the sheet's part."""
    sheet = view.sheet
    figures = _facts(view)
    parts = [
        f'<header class="hy-head"><p class="hy-where">{escape(sheet.municipality)}</p>'
        f"<h1>{escape(sheet.name)}</h1></header>",
        _metadata(sheet),
        _quoted(view),
        '<nav class="hy-jump" aria-label="ページ内"><a href="#sections">記載内容</a>'
        + ('<a href="#facts">数値</a>' if 'id="facts"' in figures else "")
        + ('<a href="#choices">評価・区分</a>' if 'id="choices"' in figures else "")
        + '<a href="#source">原文</a></nav>',
        _sections(view),
        figures,
        _source(view, whole),
    ]
    return f'<article class="hy-box hy-sheet">{"".join(parts)}</article>'


def render_page(title: str, body: str, root: str = "") -> str:
    """A whole HTML document around a body, with our own style sheet and nothing else."""
    return (
        '<!doctype html><html lang="ja"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="icon" href="{root}/hyoka-assets/favicon.svg">'
        f'<link rel="stylesheet" href="{root}/hyoka-assets/hyoka.css"></head><body class="hy-page">'
        f'<p class="hy-home"><a href="{root}/">← 質問と検索に戻る</a></p><main>{body}</main></body></html>'
    )


def render_missing(message: str) -> str:
    """The body of a page that says what is not there and where to go."""
    return f'<article class="hy-box hy-sheet"><h1>シートがありません</h1><p>{escape(message)}</p></article>'


def _metadata(sheet: Sheet) -> str:
    rows = [
        ("年度", year_label(sheet.fiscal_year)),
        ("担当", sheet.department),
        ("種類", "事業・システムの評価シート" if sheet.kind == "programme" else "文書の一部（前文・一覧など）"),
        ("文書", sheet.file),
    ]
    items = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in rows if value)
    return f'<dl class="hy-meta">{items}</dl>'


def _quoted(view: SheetView) -> str:
    """The quote for reading, above everything else, with the way to its place in the source."""
    if view.quote is None:
        return ""
    text = view.document.text[view.quote.start : view.quote.end]
    page = page_at(view.document, view.quote.start)
    where = f"（{page}ページ）" if page is not None else ""
    return (
        f'<aside class="hy-quoted" aria-label="引用された箇所"><p class="hy-label">引用された箇所{where}</p>'
        f'<blockquote>{marked(text)}</blockquote><p><a href="#quote">原文の位置へ移動</a></p></aside>'
    )


def _sections(view: SheetView) -> str:
    if not view.sections:
        return ""
    items = []
    # What no label claims is read last.
    for section in sorted(view.sections, key=lambda section: section.field == LEFTOVER):
        label = section.label or section.field
        canonical = (
            f' <span class="hy-field">{escape(section.field)}</span>'
            if section.field and section.field != label
            else ""
        )
        highlights = []
        if view.quote is not None and section.span.start < view.quote.end and view.quote.start < section.span.end:
            highlights = [(view.quote.start - section.span.start, view.quote.end - section.span.start)]
        items.append(
            f'<section><h3>{escape(label)}{canonical}</h3><div class="hy-text">{block(section.text, highlights)}</div></section>'
        )
    return f'<section id="sections"><h2>記載内容</h2>{"".join(items)}</section>'


def block(text: str, highlights: Sequence[tuple[int, int]] = ()) -> str:
    """Running text as text, and lines with tabs between cells as a table.

    >>> block("年度\\t予算")
    '<div class="hy-scroll"><table><tr><td>年度</td><td>予算</td></tr></table></div>'
    """
    out: list[str] = []
    rows: list[str] = []
    prose: list[tuple[int, int]] = []

    def close_prose() -> None:
        if prose:
            start, end = prose[0][0], prose[-1][1]
            inner = [(max(a, start) - start, min(b, end) - start) for a, b in highlights if a < end and b > start]
            shown = marked(text[start:end], inner)
            if shown:
                out.append(f"<p>{shown}</p>")
            prose.clear()

    def close_rows() -> None:
        if rows:
            out.append(f'<div class="hy-scroll"><table>{"".join(rows)}</table></div>')
            rows.clear()

    at = 0
    for line in text.split("\n"):
        end = at + len(line)
        if "\t" in line.strip("\t "):
            close_prose()
            cells = []
            place = at
            for cell in line.split("\t"):
                inner = [(a - place, b - place) for a, b in highlights if a < place + len(cell) and b > place]
                cells.append(f"<td>{marked(cell, inner)}</td>")
                place += len(cell) + 1
            rows.append(f"<tr>{''.join(cells)}</tr>")
        elif line.strip() or prose:
            close_rows()
            prose.append((at, end))
        at = end + 1
    close_rows()
    close_prose()
    return "".join(out)


@dataclass(frozen=True, slots=True)
class FactRow:
    """One field or indicator over the periods of a sheet."""

    field: str
    label: str
    kind: str
    unit: str
    cells: dict[str, Fact]


def fact_rows(facts: Sequence[Fact]) -> tuple[list[str], list[FactRow]]:
    """The periods as columns (oldest first) and one row per field, label, plan or actual, and unit."""
    starts: dict[str, str] = {}
    rows: dict[tuple[str, str, str, str], FactRow] = {}
    for fact in facts:
        if fact.period is not None:
            fiscal = fact.period.kind == "fiscal_year"
            column = year_label(fact.period.fiscal_year) if fiscal else fact.period.label
            starts.setdefault(column, fact.period.start.isoformat())
            names = MONEY_KINDS if fact.unit == "円" else INDICATOR_KINDS
            key = (fact.field, fact.label, names[fact.kind], fact.unit)
            rows.setdefault(key, FactRow(*key, {})).cells.setdefault(column, fact)
    return sorted(starts, key=lambda column: (starts[column], column)), list(rows.values())


def _facts(view: SheetView) -> str:
    figures = [fact for fact in view.facts if fact.value is not None and fact.period is not None]
    choices = [fact for fact in view.facts if fact.value is None or fact.period is None]
    return _figures(view, figures) + _choices(view, choices)


def _figures(view: SheetView, facts: Sequence[Fact]) -> str:
    if not facts:
        return ""
    columns, rows = fact_rows(facts)
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    lines = []
    for row in rows:
        notes = "・".join(part for part in (row.kind, row.unit) if part)
        small = f"<small>{escape(notes)}</small>" if notes else ""
        cells = "".join(_fact_cell(row.cells.get(column), view.sheet) for column in columns)
        lines.append(f'<tr><th scope="row">{escape(_title(row.field, row.label))}{small}</th>{cells}</tr>')
    table = (
        '<div class="hy-scroll" tabindex="0" role="region" aria-label="数値の表"><table class="hy-facts"><thead><tr>'
        f'<th scope="col">項目</th>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'
    )
    chart = render_chart(amount_chart(facts), "金額の推移（円）")
    return f'<section id="facts"><h2>数値</h2>{chart}{table}<p class="hy-small">{FIGURE_NOTE}</p></section>'


def _choices(view: SheetView, facts: Sequence[Fact]) -> str:
    """Ratings, choices and figures that belong to no period, each with the way to its place."""
    if not facts:
        return ""
    items = []
    for fact in facts:
        when = f"（{fact.period.label}）" if fact.period is not None else ""
        shown = fact.text if fact.value is None else trimmed(fact.value) + fact.unit
        sign = "※" if fact.inferred else ""
        items.append(
            f"<div><dt>{escape(_title(fact.field, fact.label))}{escape(when)}</dt>"
            f'<dd><a href="{escape(sheet_url(view.sheet.sheet_id, fact.quote))}">{marked(shown)}</a>{sign}</dd></div>'
        )
    return f'<section id="choices"><h2>評価・区分</h2><dl class="hy-choices">{"".join(items)}</dl></section>'


def _title(field: str, label: str) -> str:
    """決算額 with the label 決算額 is 決算額; 指標 with the label 申請件数 is 指標：申請件数."""
    return f"{field}：{label}" if field and label and label != field else label or field


def _fact_cell(fact: Fact | None, sheet: Sheet) -> str:
    if fact is None:
        return '<td class="hy-void">―</td>'
    shown = fact.text if fact.value is None else trimmed(fact.value)
    sign = "※" if fact.inferred else ""
    kind = ' class="hy-num"' if fact.value is not None else ""
    return f'<td{kind}><a href="{escape(sheet_url(sheet.sheet_id, fact.quote))}">{escape(shown)}</a>{sign}</td>'


def amount_chart(facts: Sequence[Fact]) -> Chart:
    """Budget and settlement over the fiscal years; empty with fewer than two years."""
    lines: dict[str, dict[int, float]] = {}
    for fact in facts:
        if fact.field in AMOUNT_FIELDS and fact.value is not None and fact.period is not None and fact.unit == "円":
            suffix = {"plan": "（予算）", "actual": "（決算）", None: ""}[fact.kind]
            name = fact.field if fact.field in ("決算額", "予算額") else f"{fact.field}{suffix}"
            lines.setdefault(name, {}).setdefault(fact.period.fiscal_year, fact.value)
    years = sorted({year for values in lines.values() for year in values})
    if len(years) < 2:
        return Chart("line", (), ())
    return Chart(
        "line",
        tuple(year_label(year) for year in years),
        tuple(Series(name, tuple(values.get(year) for year in years)) for name, values in list(lines.items())[:6]),
        "円",
    )


def _source(view: SheetView, whole: bool) -> str:
    text = view.document.text
    spans = list(view.sheet.spans)
    inside = view.quote is None or any(span.start <= view.quote.start and view.quote.end <= span.end for span in spans)
    everything = whole or not spans or not inside
    if everything:
        spans = [Span(0, len(text))]
    pieces = [_source_piece(text, span, view.quote) for span in spans]
    gap = '<p class="hy-gap">（間の記載は別のシートのものです）</p>'
    address = sheet_url(view.sheet.sheet_id, view.quote)
    path, _, fragment = address.partition("#")
    more = f"{path}{'&' if '?' in path else '?'}whole=1#{fragment or 'source'}"
    link = "" if everything else f'<p><a href="{escape(more)}">文書全体を表示</a></p>'
    return f'<section id="source"><h2>原文</h2><p class="hy-small">文書から取り出した文字をそのまま示しています。</p>{gap.join(pieces)}{link}</section>'


def _source_piece(text: str, span: Span, quote: Span | None) -> str:
    """The exact text, the quote inside ``<mark id="quote">``: what is marked equals the JSON's quote."""
    if quote is None or quote.start < span.start or quote.end > span.end:
        return f'<pre class="hy-source">\n{escape(text[span.start : span.end])}</pre>'
    before, inner, after = (
        text[span.start : quote.start],
        text[quote.start : quote.end],
        text[quote.end : span.end],
    )
    return f'<pre class="hy-source">\n{escape(before)}<mark id="quote" tabindex="-1">{escape(inner)}</mark>{escape(after)}</pre>'
