"""One sheet as a page of its own: metadata, sections, figures over the years, and the source with the quote marked.

The page is plain HTML without a script, so that its address can be mailed, printed and opened years later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from urllib.parse import quote

from assistant.discretion import document_for, sections_for, sees_names
from assistant.payload import PERSON_FIELD
from corpus.documents import Document, Fact, Section, Sheet, Span
from corpus.histories import HistoryRow, history
from corpus.places import in_words
from index.types import Index, SimilarSheet
from ui.comparelinks import MOST, compare_url
from ui.facts import render_facts
from ui.location import render_location
from ui.panels import panels, render_panels
from ui.render import year_label
from ui.similar import render_similar
from ui.source import render_source
from ui.text import marked, tame
from ui.years import render_history, render_other_years

LEFTOVER = "その他"
SIMILAR = 6


@dataclass(frozen=True, slots=True)
class SheetView:
    """Everything the page shows of one sheet; ``quote`` is the span to mark, None without one.

    ``timeline`` are the programme's sheets over the years, ``history`` its figures in them, ``documents`` theirs by file;
    ``similar`` are other programmes about the like; ``pictured`` says that the original's pages can be shown.
    ``hidden`` are the stretches that name persons, where they are not to be seen.
    """

    sheet: Sheet
    document: Document
    sections: tuple[Section, ...]
    facts: tuple[Fact, ...]
    quote: Span | None = None
    timeline: tuple[Sheet, ...] = ()
    history: tuple[HistoryRow, ...] = ()
    documents: Mapping[str, Document] = field(default_factory=dict)
    hidden: tuple[Span, ...] = ()
    similar: tuple[SimilarSheet, ...] = ()
    pictured: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """What of the page is wanted: the ``whole`` document as the source, or the page for ``paper`` (then with ``source`` or not)."""

    whole: bool = False
    paper: bool = False
    source: bool = True


ON_SCREEN = Shown()


def sheet_view(sheet: Sheet, index: Index, start: int | None = None, end: int | None = None) -> SheetView:
    """Reads a sheet from the index; a quote outside the document is no quote."""
    document = document_for(index, sheet.file)
    timeline = index.timeline(sheet.sheet_id)
    years = [one.sheet_id for one in timeline] or [sheet.sheet_id]
    persons = [found.section.span for found in index.sections([sheet.sheet_id], [PERSON_FIELD])]
    asked = start is not None and end is not None and 0 <= start < end <= len(document.text)
    return SheetView(
        sheet,
        document,
        tuple(sections_for(index, sheet.sheet_id, document)),
        tuple(found.fact for found in index.facts([sheet.sheet_id]) if found.fact.field != PERSON_FIELD),
        Span(start, end) if asked and start is not None and end is not None else None,
        tuple(timeline),
        tuple(history((found.sheet, found.fact) for found in index.facts(years) if found.fact.field != PERSON_FIELD)),
        {one.file: document_for(index, one.file) for one in timeline} | {sheet.file: document},
        () if sees_names() else tuple(persons),
        tuple(index.similar(sheet.sheet_id, SIMILAR)) if sheet.kind == "programme" else (),
        document.media == "pdf" and index.original(sheet.file) is not None,
    )


def render_sheet(view: SheetView, shown: Shown = ON_SCREEN) -> str:
    """The body of the page."""
    sheet = view.sheet
    charts = render_panels(panels(view.history), view.documents, folded=not shown.paper)
    years = render_history(view.history, view.documents) if len(view.timeline) > 1 else ""
    figures = render_facts(view.document, sheet, view.facts)
    similar = "" if shown.paper else render_similar(sheet, view.similar)
    source = render_source(view.document, sheet, view.quote, shown.whole)
    parts = [
        _paper_note(view, shown) if shown.paper else "",
        f'<header class="hy-head"><p class="hy-where">{escape(sheet.municipality)}</p>'
        f"<h1>{escape(sheet.name)}</h1></header>",
        _metadata(sheet),
        "" if shown.paper else _tools(view),
        render_other_years(sheet, view.timeline),
        _quoted(view),
        ""
        if shown.paper
        else '<nav class="hy-jump" aria-label="ページ内"><a href="#sections">記載内容</a>'
        + ('<a href="#charts">金額と指標の推移</a>' if charts else "")
        + ('<a href="#facts">数値</a>' if 'id="facts"' in figures else "")
        + ('<a href="#choices">評価・区分</a>' if 'id="choices"' in figures else "")
        + ('<a href="#years">年度ごとの推移</a>' if years else "")
        + ('<a href="#similar">似ている事業</a>' if similar else "")
        + '<a href="#source">原文</a></nav>',
        _sections(view),
        charts,
        figures,
        years,
        similar,
        source if shown.source else "",
    ]
    paper = " hy-paper" if shown.paper else ""
    return f'<article class="hy-box hy-sheet{paper}">{"".join(parts)}</article>'


def _tools(view: SheetView) -> str:
    """The ways on from a sheet: on paper, and beside others. They open apart, since the page may stand in a frame."""
    apart = 'target="_blank" rel="noopener"'
    own = compare_url([view.sheet.sheet_id], root="..")
    links = [f'<a href="{escape(_own_address(view, "print=1"))}" {apart}>印刷用に表示</a>']
    if view.sheet.kind == "programme":
        links.append(f'<a href="{escape(own)}" {apart}>比較に追加</a>')
    if len(view.timeline) > 1:
        years = compare_url([one.sheet_id for one in view.timeline[-MOST:]], root="..")
        links.append(f'<a href="{escape(years)}" {apart}>他の年度と並べて比較</a>')
    return f'<p class="hy-ways">{"".join(links)}</p>'


def _paper_note(view: SheetView, shown: Shown) -> str:
    """How to print, which is not printed itself: the page has no script that could open the browser's own window."""
    other = (
        f'<a href="{escape(_own_address(view, "print=1&source=0"))}">原文を付けない</a>'
        if shown.source
        else f'<a href="{escape(_own_address(view, "print=1"))}">原文も付ける</a>'
    )
    return (
        '<p class="hy-paper-note">印刷用の表示です。ブラウザーの印刷（Ctrl+P）で、A4の用紙に印刷するか、PDFとして保存してください。'
        f'{other}　<a href="{escape(_own_address(view, ""))}">通常の表示に戻る</a></p>'
    )


def _own_address(view: SheetView, more: str) -> str:
    """The page's own address, relative to itself, with its quote and ``more``."""
    quote = f"start={view.quote.start}&end={view.quote.end}" if view.quote is not None else ""
    return "?" + "&".join(part for part in (quote, more) if part)


def render_page(title: str, body: str, root: str = "") -> str:
    """A whole HTML document around a body, with our own style sheets and nothing else.

    ``root`` is the path prefix the application stands under: links to sheets get it. What a document says cannot be taken
    for one, since its quotation marks are escaped.
    """
    if root:
        body = body.replace('href="/sheet/', f'href="{root}/sheet/')
    return tame(
        '<!doctype html><html lang="ja"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="icon" href="{root}/hyoka-assets/favicon.svg">'
        f'<link rel="stylesheet" href="{root}/hyoka-assets/hyoka.css">'
        f'<link rel="stylesheet" href="{root}/hyoka-assets/sheet.css"></head><body class="hy-page">'
        f'<nav class="hy-home" aria-label="画面"><a href="{root}/">← 質問と検索に戻る</a></nav><main>{body}</main></body></html>'
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
    words = in_words(view.document, view.quote)
    where = f"（{escape(words)}）" if words else ""
    place = render_location(view.document, view.quote, view.hidden, _pictures(view))
    return (
        f'<aside id="where" class="hy-quoted" aria-label="引用された箇所"><p class="hy-label">引用された箇所{where}</p>'
        f'<div class="hy-located"><blockquote>{marked(text)}</blockquote>{place}</div>'
        '<p class="hy-to-source"><a href="#quote">原文の位置へ移動</a></p></aside>'
    )


def _pictures(view: SheetView) -> str:
    """The address of the pages' pictures, relative to the page of the sheet."""
    own = quote(view.sheet.sheet_id, safe="").replace("{", "{{").replace("}", "}}")
    return f"{own}/page/{{page}}.png" if view.pictured else ""


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
    '<div class="hy-scroll" tabindex="0" role="group" aria-label="表"><table><tr><td>年度</td><td>予算</td></tr></table></div>'
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
            out.append(
                f'<div class="hy-scroll" tabindex="0" role="group" aria-label="表"><table>{"".join(rows)}</table></div>'
            )
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
