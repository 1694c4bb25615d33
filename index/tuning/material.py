"""An index as the maker of tuning questions looks at it: programmes, their clauses, and which sheets a text is right for."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from corpus.documents import NO_NAME, Sheet
from corpus.forms.loader import OTHER, kind_of
from corpus.normalize import squeeze
from corpus.sentences import split_sentences
from index.tokens import tokenize, words
from index.types import PERSON_FIELD, Index, SheetSection

MOST_RIGHT = 3  # a text that stands in more programmes than that asks for none of them
_CLAUSE = re.compile(r"[^、。，．：\t（）()「」『』]+")
_MARKS = "・○●◎◆■□※★▪⚫≪> \u3000\n\r"
_SHORTEST, _LONGEST = 8, 45
_PROSE = re.compile(r"[ぁ-ん]")
_NUMBERS = re.compile(r"[0-9０-９]")


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of a section, as printed."""

    found: SheetSection
    text: str


@dataclass(frozen=True, slots=True)
class Right:
    """The sheets that answer a question, one of which is enough, and the sections where they do (empty: not known)."""

    sheets: tuple[str, ...]
    sections: tuple[int, ...] = ()


class Material:
    """The programmes of an index with a readable name."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.every = {sheet.sheet_id: sheet for sheet in index.sheets()}
        self.sheets = [s for s in self.every.values() if s.kind == "programme" and s.name and s.name != NO_NAME]
        self.by_id = {sheet.sheet_id: sheet for sheet in self.sheets}
        self._named: dict[str, list[Sheet]] = defaultdict(list)
        for sheet in self.sheets:
            self._named[squeeze(sheet.name)].append(sheet)

    @cached_property
    def sections(self) -> list[SheetSection]:
        """Every section but those that name staff."""
        return [found for found in self.index.sections() if found.section.field != PERSON_FIELD]

    @cached_property
    def prose(self) -> list[SheetSection]:
        """The sections of programmes whose field holds text."""
        return [
            found
            for found in self.sections
            if found.sheet.sheet_id in self.by_id
            and found.section.field != OTHER
            and kind_of(found.section.field) == "text"
            and _PROSE.search(found.section.text)
        ]

    @cached_property
    def clauses(self) -> list[Clause]:
        """What the prose says, clause by clause, without those that live on figures; each text once a sheet."""
        found: dict[tuple[str, str], Clause] = {}
        for section in self.prose:
            text = section.section.text
            for span in split_sentences(text):
                for match in _CLAUSE.finditer(text[span.start : span.end]):
                    clause = match.group().strip(_MARKS)
                    key = squeeze(clause)
                    if _SHORTEST <= len(key) <= _LONGEST and _PROSE.search(key) and not _NUMBERS.search(key):
                        found.setdefault((section.sheet.sheet_id, key), Clause(section, clause))
        return [clause for clause in found.values() if says_something(clause.text)]

    @cached_property
    def _squeezed(self) -> dict[str, str]:
        """All that each sheet prints, for comparing."""
        out: dict[str, str] = {}
        texts = {file: self.index.document(file).text for file in self.index.files()}
        for sheet in self.every.values():
            whole = texts[sheet.file]
            out[sheet.sheet_id] = squeeze(" ".join(whole[span.start : span.end] for span in sheet.spans))
        return out

    def words_of(self, sheet_ids: Sequence[str]) -> set[str]:
        """The words of some sheets, their names and labels among them."""
        return {word for sheet_id in sheet_ids for word in self._words.get(sheet_id, ())}

    @cached_property
    def _words(self) -> dict[str, set[str]]:
        out: dict[str, set[str]] = defaultdict(set)
        for found in self.sections:
            own = out[found.sheet.sheet_id]
            own.update(words(found.section.label, parts=True), words(found.section.text, parts=True))
        for sheet in self.every.values():
            out[sheet.sheet_id].update(words(f"{sheet.name} {sheet.department}", parts=True))
        return out

    def programme(self, sheet: Sheet) -> list[Sheet]:
        """The sheet and those of the same programme in other years."""
        return [sheet, *(s for s in self.index.timeline(sheet.sheet_id) if s.sheet_id != sheet.sheet_id)]

    def right_for_name(self, written: str) -> Right | None:
        """The sheets whose name holds what is written (squeezed); None where these are too many programmes, or none."""
        return self._right([sheet for name, sheets in self._named.items() if written in name for sheet in sheets])

    def right_for_clause(self, clause: Clause) -> Right | None:
        """The clause's sheet, its other years, and every sheet that prints the same; the sections that print it."""
        key = squeeze(clause.text)
        sheets = [self.every[sheet_id] for sheet_id, text in self._squeezed.items() if key in text]
        right = self._right([clause.found.sheet, *sheets])
        if right is None:
            return None
        having = [f.section_id for f in self._sections_of(right.sheets) if key in squeeze(f.section.text)]
        return Right(right.sheets, tuple(having) or (clause.found.section_id,))

    def right_for_label(self, sheet: Sheet, field: str) -> Right | None:
        """The sheets of that name, and their sections of a field."""
        right = self._right(self._named[squeeze(sheet.name)])
        if right is None:
            return None
        having = [f.section_id for f in self._sections_of(right.sheets) if f.section.field == field]
        return Right(right.sheets, tuple(having))

    def right_for_sheet(self, sheet: Sheet) -> Right | None:
        """The sheets of a sheet's name."""
        return self._right(self._named[squeeze(sheet.name)])

    def _right(self, sheets: Sequence[Sheet]) -> Right | None:
        every = {s.sheet_id: s for sheet in sheets for s in self.programme(sheet)}
        # A summary or a glossary that prints the same belongs to no programme; it is right, and counts for none.
        programmes = {(s.municipality, squeeze(s.name)) for s in every.values() if s.kind == "programme"}
        return Right(tuple(sorted(every))) if 0 < len(programmes) <= MOST_RIGHT else None

    def _sections_of(self, sheet_ids: Sequence[str]) -> list[SheetSection]:
        return [found for sheet_id in sheet_ids for found in self._by_sheet.get(sheet_id, ())]

    @cached_property
    def _by_sheet(self) -> dict[str, list[SheetSection]]:
        out: dict[str, list[SheetSection]] = defaultdict(list)
        for found in self.sections:
            out[found.sheet.sheet_id].append(found)
        return out

    def section_at(self, sheet_id: str, start: int) -> tuple[int, ...]:
        """The sections of a sheet that hold an offset of its document."""
        return tuple(
            f.section_id for f in self._by_sheet.get(sheet_id, ()) if f.section.span.start <= start < f.section.span.end
        )


def says_something(text: str) -> bool:
    """Whether a stretch has three words and begins with one, not with the particle after a bracket or a date.

    >>> says_something("窓口の待ち時間を短縮する"), says_something("の待ち時間を短縮する")
    (True, False)
    """
    found = tokenize(text)
    return len(found) >= 3 and found[0].start == 0


def content(text: str) -> list[str]:
    """The words of a text that carry meaning, as written, in order.

    >>> content("窓口の待ち時間を短縮する")
    ['窓口', '待ち', '時間', '短縮']
    """
    return [token.surface for token in tokenize(text)]
