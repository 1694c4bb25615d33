"""The door of reading: a document becomes sheets with their sections, facts and events."""

from __future__ import annotations

from dataclasses import replace

from corpus.documents import Document, SheetReading
from corpus.sections import split_sections
from corpus.sheets import find_sheets

__all__ = ["find_sheets", "read_sheets", "split_sections"]


def read_sheets(document: Document) -> list[SheetReading]:
    """Every sheet of a document with all that was read from it, in order; what fails becomes a warning of its sheet."""
    readings: list[SheetReading] = []
    for sheet in find_sheets(document):
        reading = SheetReading(sheet, ())
        try:
            reading = replace(reading, sections=tuple(split_sections(document, sheet)))
        except Exception as error:  # one odd sheet must not lose the others
            reading = replace(reading, warnings=(f"「{sheet.name}」の項目を読み取れませんでした（{error}）。",))
        readings.append(reading)
    return readings
