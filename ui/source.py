"""The extracted text of a document as it is, with the quote marked. All pure."""

from __future__ import annotations

from html import escape

from assistant.discretion import MASKED_NOTE
from corpus.documents import Document, Sheet, Span
from corpus.places import in_words
from ui.render import sheet_url


def render_source(document: Document, sheet: Sheet, quote: Span | None, whole: bool = False) -> str:
    """The sheet's part of the document, or all of it where it is asked for or the quote stands outside that part."""
    text = document.text
    spans = list(sheet.spans)
    inside = quote is None or any(span.start <= quote.start and quote.end <= span.end for span in spans)
    everything = whole or not spans or not inside
    if everything:
        spans = [Span(0, len(text))]
    pieces = [_piece(text, span, quote) for span in spans]
    gap = '<p class="hy-gap">（間の記載は別のシートのものです）</p>'
    address = sheet_url(sheet.sheet_id, quote)
    path, _, fragment = address.partition("#")
    more = f"{path}{'&' if '?' in path else '?'}whole=1#{fragment or 'source'}"
    link = "" if everything else f'<p><a href="{escape(more)}">文書全体を表示</a></p>'
    return (
        '<section id="source"><h2>原文</h2><p class="hy-small">文書から取り出した文字をそのまま示しています。'
        f"{MASKED_NOTE if document.masked else ''}</p>"
        f"{_reminder(document, quote)}{gap.join(pieces)}{link}</section>"
    )


def _reminder(document: Document, quote: Span | None) -> str:
    """The quote's place, in sight beside the marked text as long as the source is scrolled, with the way to its drawing."""
    words = in_words(document, quote) if quote is not None else ""
    if not words:
        return ""
    return f'<p class="hy-reminder">引用の場所：<a href="#where">{escape(words)}</a></p>'


def _piece(text: str, span: Span, quote: Span | None) -> str:
    """The exact text, the quote inside ``<mark id="quote">``: what is marked equals the JSON's quote."""
    if quote is None or quote.start < span.start or quote.end > span.end:
        return f'<pre class="hy-source">\n{escape(text[span.start : span.end])}</pre>'
    before, inner, after = (
        text[span.start : quote.start],
        text[quote.start : quote.end],
        text[quote.end : span.end],
    )
    return f'<pre class="hy-source">\n{escape(before)}<mark id="quote" tabindex="-1">{escape(inner)}</mark>{escape(after)}</pre>'
