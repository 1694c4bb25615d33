"""Footnotes of a Word file, for which python-docx has no words: a part of its own, and Word's own count in the text.

The notes are counted through the document, as Word counts them; a mark of one's own is shown twice by LibreOffice 7.
"""

from __future__ import annotations

from typing import Any

from assistant.papers import clean

_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"
_MAIN = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
# The lines between the text and the notes; Word wants both, and finds a file without them damaged.
_LINES = (("-1", "separator"), ("0", "continuationSeparator"))


class Footnotes:
    """The footnotes of one document; :meth:`close` puts them into it."""

    def __init__(self, document: Any) -> None:
        from docx.opc.packuri import PackURI
        from docx.opc.part import XmlPart
        from docx.oxml import parse_xml

        self._document, self._used = document, 0
        empty = parse_xml(f'<w:footnotes xmlns:w="{_MAIN}" xmlns:r="{_OFFICE}"/>')
        for number, kind in _LINES:
            note = _under(_under(empty, "footnote", id=number, type=kind), "p")
            _under(_under(note, "r"), kind)
        self._part = XmlPart(PackURI("/word/footnotes.xml"), _TYPE, empty, document.part.package)

    def add(self, paragraph: Any, text: str, address: str = "", link: str = "原文を開く") -> None:
        """A note under the page: its number at the end of the paragraph, the text below, a link where there is an address."""
        from docx.opc.constants import RELATIONSHIP_TYPE
        from docx.oxml.ns import qn

        self._used += 1
        _under(paragraph.add_run(style="Footnote Mark")._r, "footnoteReference", id=str(self._used))
        body = _under(_under(self._part.element, "footnote", id=str(self._used)), "p")
        _under(_under(body, "pPr"), "pStyle", val=_style(self._document, "Footnote"))
        _under(self._run(body, "Footnote Mark"), "footnoteRef")
        _text(_under(body, "r"), f" {clean(text)}")
        if address:
            _text(_under(body, "r"), " ")
            linked = _under(body, "hyperlink")
            relation = self._part.relate_to(address, RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
            linked.set(qn("r:id"), relation)
            _text(self._run(linked, "Link"), link)

    def _run(self, parent: Any, style: str) -> Any:
        run = _under(parent, "r")
        _under(_under(run, "rPr"), "rStyle", val=_style(self._document, style))
        return run

    def close(self) -> None:
        """Joins the notes to the document; one without notes stays as it is."""
        if not self._used:
            return
        self._document.part.relate_to(self._part, _RELATION)
        settings = self._document.settings.element
        properties = _new("footnotePr")
        for number, _ in _LINES:
            _under(properties, "footnote", id=number)
        # The schema has an order: before the compatibility settings.
        before = next(
            (one for one in settings if one.tag in {f"{{{_MAIN}}}{name}" for name in ("endnotePr", "compat")}), None
        )
        if before is None:
            settings.append(properties)
        else:
            before.addprevious(properties)


def _style(document: Any, name: str) -> str:
    return str(document.styles[name].style_id)


def _new(name: str) -> Any:
    from docx.oxml import OxmlElement

    return OxmlElement(f"w:{name}")


def _under(parent: Any, name: str, **values: str) -> Any:
    from docx.oxml.ns import qn

    element = _new(name)
    for key, value in values.items():
        element.set(qn(f"w:{key}"), value)
    parent.append(element)
    return element


def _text(run: Any, text: str) -> None:
    from docx.oxml.ns import qn

    for at, line in enumerate(text.split("\n")):
        if at:
            _under(run, "br")
        element = _under(run, "t")
        element.set(qn("xml:space"), "preserve")
        element.text = line.replace("\t", " ")
