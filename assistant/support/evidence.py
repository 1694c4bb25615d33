"""What a cited passage says, statement by statement, with the typed figures that were read from it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from assistant.schemas import AnswerJson, CitationJson
from assistant.support.quantities import Quantities, plain, quantities
from assistant.support.wording import Wording, wording
from corpus.documents import Fact
from corpus.normalize import squeeze
from corpus.sentences import split_sentences
from index.types import PERSON_FIELD, Index

_MARKS = re.compile(r"(?:(?<!\s)\s++)?\[\d{1,4}\]")


@dataclass(frozen=True)
class Statement:
    """One sentence of a passage; ``head`` says whose it is. ``ours``: a line that hyoka wrote about the passage."""

    text: str
    head: str
    year: int | None
    ours: bool = False

    @cached_property
    def said(self) -> Quantities:
        """Its numbers and dates."""
        return quantities(self.text, self.year)

    @cached_property
    def wording(self) -> Wording:
        """Its words and which way they point."""
        return wording(self.text)

    @cached_property
    def key(self) -> str:
        """What names are looked up in."""
        return squeeze(f"{self.text}\0{self.head}")

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word of it and of its head."""
        return frozenset((*self.wording.words, *wording(self.head).words))


@dataclass(frozen=True)
class Source:
    """A cited passage: number ``n``, of which sheet, its statements, and the facts that were read from it."""

    n: int
    municipality: str
    sheet: str
    department: str
    section: str
    year: int | None
    quote: str
    statements: tuple[Statement, ...]
    facts: tuple[Fact, ...] = ()

    @cached_property
    def head(self) -> str:
        """The words that say whose passage it is."""
        return _head(self.municipality, self.department, self.sheet, self.section)


def _head(*parts: str) -> str:
    return plain("。".join(parts))


def sources_of(answer: AnswerJson, index: Index) -> list[Source]:
    """The citations of an answer as evidence. Names of staff are in none of it: the payload leaves them out."""
    ids = list(dict.fromkeys(citation.sheet_id for citation in answer.citations))
    facts: dict[str, list[Fact]] = {}
    for found in index.facts(ids) if ids else ():
        facts.setdefault(found.sheet.sheet_id, []).append(found.fact)
    return [_source(one, answer.answer, facts.get(one.sheet_id, [])) for one in answer.citations]


def _source(citation: CitationJson, answer: str, facts: Sequence[Fact]) -> Source:
    begin, end = citation.source.start, citation.source.end
    inside = [
        fact for fact in facts if fact.field != PERSON_FIELD and fact.quote.start < end and begin < fact.quote.end
    ]
    return source(
        citation.n, citation.municipality, citation.sheet, citation.department, citation.section,
        citation.fiscal_year, citation.quote, inside, lines_with(citation.n, answer),
    )  # fmt: skip


def source(
    n: int,
    municipality: str,
    sheet: str,
    department: str,
    section: str,
    year: int | None,
    quote: str,
    facts: Sequence[Fact] = (),
    lines: Sequence[str] = (),
) -> Source:
    """One cited passage. Rows of cells count as text only where no fact was read from them: a cell says neither its unit
    nor its year. ``lines`` are what hyoka itself wrote about it (the sum of several figures, a rank)."""
    head = _head(municipality, department, sheet, section)
    statements = [
        Statement(plain(quote[span.start : span.end]), head, year)
        for span in split_sentences(quote)
        if not (facts and "\t" in quote)
    ]
    known = {statement.text for statement in statements}
    for line in lines:
        text = plain(line)
        if text and text not in known and not any(text in one or one in text for one in known):
            statements.append(Statement(text, head, None, ours=True))
    return Source(n, municipality, sheet, department, section, year, quote, tuple(statements), tuple(facts))


def lines_with(n: int, answer: str) -> list[str]:
    """The lines of an answer that bear the mark [n], without marks, bullets and bold."""
    return [
        _MARKS.sub("", line).replace("**", "").lstrip("-・ ").strip() for line in answer.split("\n") if f"[{n}]" in line
    ]
