"""What a word means: from a document's own glossary."""

from __future__ import annotations

import re

from assistant.context import Context
from assistant.drafts import Draft, readable, shorten, title
from corpus.normalize import squeeze

GLOSSARY = "用語"
_ASKED = re.compile(r"^(?P<term>.{2,30}?)(?:とは|って|の意味|という言葉|は何の略|の略|とは何)")


def definition(context: Context) -> Draft | None:
    """The glossary's entry for the term asked about; None when no glossary of the scope has it."""
    found = _ASKED.match(context.query.key)
    if found is None:
        return None
    term = found["term"].strip("「」『』")
    scope = {sheet.sheet_id for sheet in context.scope()}
    for entry in context.index.sections(fields=[GLOSSARY]):
        if entry.sheet.sheet_id in scope and squeeze(entry.section.label) == term:
            draft = Draft(context.index, how="definition")
            n = draft.cite(entry.sheet, entry.section.label, entry.section.span)
            draft.add(f"**{readable(entry.section.label)}**：{shorten(readable(entry.section.text), 300)} [{n}]")
            draft.add(f"（{title(entry.sheet)}）")
            return draft
    return None
