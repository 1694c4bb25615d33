"""All that was recognised in one document and all that was not, for a person who describes a form."""

from __future__ import annotations

from dataclasses import dataclass

from corpus.documents import Document, SheetReading
from corpus.forms.loader import form_of, forms
from corpus.layout import normalized
from corpus.newlabels import NewLabel, new_labels
from corpus.origins import Origins, origins
from corpus.reading import read_sheets
from corpus.unread import Unread, stray_lines, unread_figures
from corpus.whereabouts import Locator, Whereabouts


@dataclass(frozen=True, slots=True)
class Trial:
    """A form family held against the document: whether it is the one in use, and which of its marks are missing."""

    form: str
    file: str
    chosen: bool
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stray:
    """A line in no known field."""

    text: str
    where: Whereabouts


@dataclass(frozen=True, slots=True)
class SheetInspection:
    """One sheet: its reading, where it begins, from which print its head comes, and what was left over."""

    reading: SheetReading
    where: Whereabouts
    origins: Origins
    unread: tuple[Unread, ...]
    stray: tuple[Stray, ...]


@dataclass(frozen=True, slots=True)
class Inspection:
    """One document; ``locator`` tells the whereabouts of every span in it."""

    document: Document
    trials: tuple[Trial, ...]
    sheets: tuple[SheetInspection, ...]
    new_labels: tuple[NewLabel, ...]
    locator: Locator


def inspect(document: Document) -> Inspection:
    """Reads a document as the index would and says what came of each part of it."""
    text = normalized(document.text).text
    chosen = form_of(text)
    trials = tuple(
        Trial(
            form.name,
            form.file,
            chosen is not None and form.name == chosen.name,
            tuple(
                written
                for written, mark in zip(form.data["recognise"], form.recognise, strict=True)
                if mark.search(text) is None
            ),
        )
        for form in forms()
    )
    readings = read_sheets(document)
    locator = Locator(document)
    sheets = tuple(
        SheetInspection(
            reading,
            locator.at(reading.sheet.spans[0].start),
            origins(document, reading.sheet),
            tuple(unread_figures(document, reading)) if reading.sheet.kind == "programme" else (),
            tuple(Stray(row.text, locator.at(row.span.start)) for row in stray_lines(document, reading)),
        )
        for reading in readings
    )
    return Inspection(document, trials, sheets, tuple(new_labels(document, readings)), locator)
