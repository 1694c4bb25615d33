"""One sheet as a page of its own: metadata, sections, figures over the years, and the source with the quote marked.

The page is plain HTML without a script, so that its address can be mailed, printed and opened years later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from assistant.payload import PERSON_FIELD
from corpus.documents import Document, Fact, Section, Sheet, Span
from corpus.histories import HistoryRow, history
from corpus.places import in_words
from index.types import Index
from ui.facts import render_facts
from ui.location import render_location
from ui.render import year_label
from ui.source import render_source
from ui.text import marked
from ui.years import render_history, render_other_years

LEFTOVER = "その他"


@dataclass(frozen=True, slots=True)
class SheetView:
    """Everything the page shows of one sheet; ``quote`` is the span to mark, None without one.

    ``timeline`` are the programme's sheets over the years, ``history`` its figures in them, ``documents`` theirs by file.
    ``hidden`` are the stretches that name persons: only the source shows them, as it was published.
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


def sheet_view(sheet: Sheet, index: Index, start: int | None = None, end: int | None = None) -> SheetView:
    """Reads a sheet from the index; a quote outside the document is no quote."""
    document = index.document(sheet.file)
    timeline = index.timeline(sheet.sheet_id)
    several = [one.sheet_id for one in timeline] if len(timeline) > 1 else []
    sections = [found.section for found in index.sections([sheet.sheet_id])]
    asked = start is not None and end is not None and 0 <= start < end <= len(document.text)
    return SheetView(
        sheet,
        document,
        tuple(section for section in sections if section.field != PERSON_FIELD),
        tuple(found.fact for found in index.facts([sheet.sheet_id]) if found.fact.field != PERSON_FIELD),
        Span(start, end) if asked and start is not None and end is not None else None,
        tuple(timeline),
        tuple(history((found.sheet, found.fact) for found in index.facts(several))) if several else (),
        {one.file: index.document(one.file) for one in timeline},
        tuple(section.span for section in sections if section.field == PERSON_FIELD),
    )


def render_sheet(view: SheetView, whole: bool = False) -> str:
    """The body of the page; ``whole`` shows the whole document as the source instead of the sheet's part."""
    sheet = view.sheet
    years = render_history(view.history, view.documents)
    figures = render_facts(view.document, sheet, view.facts, drawn=not years)
    parts = [
        f'<header class="hy-head"><p class="hy-where">{escape(sheet.municipality)}</p>'
        f"<h1>{escape(sheet.name)}</h1></header>",
        _metadata(sheet),
        render_other_years(sheet, view.timeline),
        _quoted(view),
        '<nav class="hy-jump" aria-label="ページ内"><a href="#sections">記載内容</a>'
        + ('<a href="#facts">数値</a>' if 'id="facts"' in figures else "")
        + ('<a href="#choices">評価・区分</a>' if 'id="choices"' in figures else "")
        + ('<a href="#years">年度ごとの推移</a>' if years else "")
        + '<a href="#source">原文</a></nav>',
        _sections(view),
        figures,
        years,
        render_source(view.document, sheet, view.quote, whole),
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
    words = in_words(view.document, view.quote)
    where = f"（{escape(words)}）" if words else ""
    place = render_location(view.document, view.quote, view.hidden)
    return (
        f'<aside id="where" class="hy-quoted" aria-label="引用された箇所"><p class="hy-label">引用された箇所{where}</p>'
        f'<div class="hy-located"><blockquote>{marked(text)}</blockquote>{place}</div>'
        '<p><a href="#quote">原文の位置へ移動</a></p></aside>'
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
