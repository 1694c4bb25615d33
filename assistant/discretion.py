"""Who sees the names of staff: what an index gives out is masked for everybody alike, and the page of a sheet and its
source are the only places where somebody may see them in spite of that."""

from __future__ import annotations

from assistant.access.caller import caller
from corpus.documents import Document, Section
from index.namepolicy import staff_names
from index.types import PERSON_FIELD, Index

MASKED_NOTE = "担当者などの氏名と連絡先は、同じ字数の「＊」で伏せています。"


def sees_names() -> bool:
    """Whether who asks now may see names of staff on the page of a sheet and in its source."""
    policy = staff_names()
    return policy == "show" or (policy == "admins" and caller().may("admin"))


def document_for(index: Index, file: str) -> Document:
    """The document as who asks now may see it; KeyError for an unknown file."""
    published = getattr(index, "published", None)
    found: Document = published(file) if published is not None and sees_names() else index.document(file)
    return found


def sections_for(index: Index, sheet_id: str, document: Document) -> list[Section]:
    """The sections of a sheet in a document of :func:`document_for`; those that name staff only for who may see them."""
    found = [one.section for one in index.sections([sheet_id])]
    if not sees_names():
        return [section for section in found if section.field != PERSON_FIELD]
    return [_of(section, document) for section in found]


def _of(section: Section, document: Document) -> Section:
    text = document.text[section.span.start : section.span.end]
    return section if text == section.text else Section(section.label, section.field, section.span, text)
