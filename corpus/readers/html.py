"""Web pages: blocks become lines, tables become rows of cells."""

from __future__ import annotations

import re
from typing import Any

from corpus.errors import UnreadableDocument
from corpus.readers.decode import NotTextError, decode
from corpus.readers.extract import Extract, Piece, TextWriter, one_line

_DROPPED = {"script", "style", "noscript", "template", "head", "svg", "iframe", "object", "nav", "button", "select"}
_BLOCKS = {
    *("address", "article", "aside", "blockquote", "caption", "dd", "details", "div", "dl", "dt", "fieldset"),
    *("figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main"),
    *("ol", "p", "pre", "section", "summary", "table", "tr", "ul"),
}
_MAX_SPAN = 200
_MAX_DEPTH = 2000  # browsers stop at 512
_NUMBER = re.compile(r"[0-9]{1,9}")
_TAG = re.compile(r"<(/?)([A-Za-z][^\s/>]*)")
# Elements that are always closed. Names in scripts (i<n) must not count, so it is a list of what does.
_NESTING = {
    *(
        "a",
        "abbr",
        "article",
        "aside",
        "b",
        "big",
        "blockquote",
        "cite",
        "code",
        "details",
        "div",
        "dl",
        "em",
        "fieldset",
    ),
    *("figure", "footer", "form", "header", "i", "ins", "label", "main", "nav", "ol", "pre", "s", "section", "small"),
    *("span", "strong", "sub", "sup", "table", "tt", "u", "ul"),
}


def read_html(data: bytes, file: str) -> Extract:
    """The visible text of a page. Scripts, styles, navigation and form controls are left out."""
    from selectolax.lexbor import LexborHTMLParser

    try:
        text, _, lost = decode(data)
    except NotTextError as error:
        raise UnreadableDocument(
            f"{file}: HTMLとして読めません。ブラウザで開けるか確かめて、保存し直してください。", file
        ) from error
    if _depth(text) > _MAX_DEPTH:
        raise UnreadableDocument(
            f"{file}: HTMLの入れ子が深すぎます。ブラウザで開いて、PDFかテキストで保存し直してください。", file
        )
    writer = TextWriter()
    body = LexborHTMLParser(text).body
    if body is not None:
        _Walk(writer).block(body)
    warnings = (f"{lost}か所で文字が壊れています。元のページを確かめてください。",) if lost else ()
    return Extract(writer.text, "html", warnings=warnings)


def _depth(text: str) -> int:
    """How deep elements nest, more or less: the parser's time grows with its square."""
    depth = deepest = 0
    for closing, name in _TAG.findall(text):
        if name.lower() in _NESTING:
            depth = max(depth - 1, 0) if closing else depth + 1
            deepest = max(deepest, depth)
    return deepest


class _Walk:
    """Walks the tree and writes a line whenever a block ends."""

    def __init__(self, writer: TextWriter) -> None:
        self.writer = writer
        self.line: list[str] = []

    def flush(self) -> None:
        text = re.sub(r"[ \t\r\n\f]+", " ", "".join(self.line)).strip(" ")
        if text:
            self.writer.line(Piece(text))
        self.line = []

    def block(self, node: Any) -> None:
        # A stack of our own, since a page may nest deeper than Python calls.
        open_nodes = [(node.iter(include_text=True), node.tag == "body")]
        while open_nodes:
            children, is_block = open_nodes[-1]
            child = next(children, None)
            if child is None:
                open_nodes.pop()
                if is_block:
                    self.flush()
                continue
            tag = child.tag
            if tag == "-text":
                self.line.append(child.text_content or "")
            elif tag == "br":
                self.flush()
            elif tag == "table" and not child.css("table table"):
                self.flush()
                self.table(child)
            elif tag in _BLOCKS:
                self.flush()
                open_nodes.append((child.iter(include_text=True), True))
            elif tag not in _DROPPED and not tag.startswith(("-", "_", "!")):
                open_nodes.append((child.iter(include_text=True), False))

    def table(self, table: Any) -> None:
        """Rows with the covered cells of a rowspan or colspan left empty, so that columns stay under each other."""
        for caption in table.css("caption"):
            self.writer.line(Piece(one_line(_visible(caption))))
        below: dict[int, int] = {}  # column -> rows still covered from above
        for row in table.css("tr"):
            texts: list[str] = []
            for cell in row.css("th, td"):
                while below.get(len(texts), 0):
                    below[len(texts)] -= 1
                    texts.append("")
                width, height = _span(cell, "colspan"), _span(cell, "rowspan")
                for offset in range(width):
                    if height > 1:
                        below[len(texts)] = height - 1
                    texts.append(one_line(_visible(cell)) if offset == 0 else "")
            for column in [column for column in below if column >= len(texts) and below[column]]:
                below[column] -= 1
            self.writer.row([Piece(text) for text in texts])


def _visible(node: Any) -> str:
    """A cell's text with a line end for each block and ``<br>`` in it."""
    inner = TextWriter()
    walk = _Walk(inner)
    walk.block(node)
    walk.flush()
    return inner.text


def _span(cell: Any, name: str) -> int:
    value = (cell.attributes.get(name) or "1").strip()
    return min(max(int(value), 1), _MAX_SPAN) if _NUMBER.fullmatch(value) else 1
