"""What an index takes and returns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from corpus.documents import Certainty, Document, Event, Fact, Section, Sheet, Span
from corpus.staffnames import PERSON_FIELD as PERSON_FIELD

Vectors = NDArray[np.float32]  # (n, dim), rows of length 1


def unit(rows: Vectors) -> Vectors:
    """The rows brought to length 1; a zero row stays one."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    out: Vectors = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return out


class Encoder(Protocol):
    """Texts to unit vectors. ``name`` and ``digest`` identify it in a manifest."""

    name: str
    digest: str
    dim: int

    def encode(self, texts: list[str], kind: Literal["query", "passage"]) -> Vectors:
        """One unit row per text."""
        ...


@dataclass(frozen=True, slots=True)
class Filters:
    """Any of the values of a field, all of the fields; an empty tuple filters nothing."""

    municipality: tuple[str, ...] = ()
    fiscal_year: tuple[int, ...] = ()
    department: tuple[str, ...] = ()
    section: tuple[str, ...] = ()
    rating: tuple[str, ...] = ()
    budget: tuple[str, ...] = ()


Order = Literal["relevance", "year", "amount", "name"]
"""Best first, latest year first, largest amount first, or by the sound of the sheet's name; equals are best first."""

Part = Literal["name", "department", "label", "text"]


@dataclass(frozen=True, slots=True)
class SheetValues:
    """What a sheet is filtered and sorted by beside its place and year.

    ``ratings`` are marks of its own year with their field (総合評価：A); ``settled`` and ``planned`` are the yen it prints
    as spent and as planned for that year.
    """

    ratings: tuple[str, ...] = ()
    settled: float | None = None
    planned: float | None = None

    @property
    def amount(self) -> float | None:
        """What was spent, or what was planned where nothing is printed as spent."""
        return self.planned if self.settled is None else self.settled


@dataclass(frozen=True, slots=True)
class Passage:
    """A section (or a part of a long one) found by search.

    ``span`` and ``text`` are the passage's own; ``highlights`` are (start, end) within ``text``.
    ``score`` is the fused score in 0..1; ``lexical`` and ``dense`` are what it was made of; ``chance`` is the score as
    a calibrated chance that the passage answers. ``matched`` are the parts in which words of the question stand: none for
    a passage found by its meaning alone.
    """

    section_id: int
    sheet: Sheet
    section: Section
    span: Span
    text: str
    score: float
    lexical: float = 0.0
    dense: float = 0.0
    highlights: tuple[tuple[int, int], ...] = ()
    chance: float = 0.0
    matched: tuple[Part, ...] = ()
    name_highlights: tuple[tuple[int, int], ...] = ()
    department_highlights: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class SheetHit:
    """A sheet found by search: its ``best`` passage, more of its ``count`` passages that were found, and its values."""

    best: Passage
    others: tuple[Passage, ...]
    count: int
    values: SheetValues


@dataclass(frozen=True, slots=True)
class SheetsFound:
    """``total`` sheets with ``passages`` hits in all, the ``hits`` from an offset, and sheets per facet value.

    The counts of a facet are as if nothing of that facet were chosen. ``note`` as in :class:`SearchResult`.
    """

    total: int
    passages: int
    hits: tuple[SheetHit, ...]
    facets: dict[str, dict[str, int]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """``total`` hits before the cut, the ``hits`` from ``offset``, and counts per facet value over all hits.

    ``reranked`` is how many of the first hits a cross-encoder put in order; ``note`` says in Japanese why it did not.
    """

    total: int
    hits: tuple[Passage, ...]
    facets: dict[str, dict[str, int]]
    reranked: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class SheetFact:
    """A fact with the sheet it stands in."""

    sheet: Sheet
    fact: Fact


@dataclass(frozen=True, slots=True)
class SheetSection:
    """A section with the sheet it stands in."""

    section_id: int
    sheet: Sheet
    section: Section


@dataclass(frozen=True, slots=True)
class SheetEvent:
    """An event with the sheet it stands in."""

    sheet: Sheet
    event: Event


@dataclass(frozen=True, slots=True)
class SimilarSheet:
    """A sheet that is about the like of another: how near (0 to 1), and words that both of them say, the most telling first."""

    sheet: Sheet
    score: float
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the reading of a sheet said of itself: Japanese warnings, and how sure it was (None for no programme's)."""

    warnings: tuple[str, ...]
    certainty: Certainty | None


@runtime_checkable
class FindsSheets(Protocol):
    """An index that finds sheets without reading their passages, so that of very many sheets some can be chosen."""

    def nearest_sheets(self, query: str, k: int, filters: Filters = Filters()) -> list[Sheet]:
        """The sheets of the best hits of a search, best first, at most ``k``."""
        ...


class Index(Protocol):
    """What the assistant needs of an index; :class:`index.snapshot.Snapshot` is the local one."""

    version: str

    def search(
        self, query: str, k: int, filters: Filters = Filters(), offset: int = 0, order: Order = "relevance"
    ) -> SearchResult:
        """Passages for a question or some words, best first; never a hit without evidence. ``k`` 0: the counts alone."""
        ...

    def search_sheets(
        self,
        query: str,
        k: int,
        filters: Filters = Filters(),
        offset: int = 0,
        order: Order = "relevance",
        others: int = 0,
    ) -> SheetsFound:
        """The same hits, sheet by sheet. ``filters`` choose among what the words find, so that counts hold when chosen."""
        ...

    def values(self, sheet_id: str) -> SheetValues:
        """The ratings and amounts of a sheet; nothing for an unknown id."""
        ...

    def respelled(self, query: str) -> tuple[str, ...]:
        """The query with words of the index in place of words that stand nowhere: what was perhaps meant."""
        ...

    def sheets(self, filters: Filters = Filters()) -> list[Sheet]:
        """Every sheet, in the order of the documents."""
        ...

    def sections(self, sheet_ids: list[str] | None = None, fields: list[str] | None = None) -> list[SheetSection]:
        """Sections in document order; None means all."""
        ...

    def facts(self, sheet_ids: list[str] | None = None, fields: list[str] | None = None) -> list[SheetFact]:
        """Facts in document order; None means all."""
        ...

    def events(self, sheet_ids: list[str] | None = None) -> list[SheetEvent]:
        """Events in document order; None means all."""
        ...

    def timeline(self, sheet_id: str) -> list[Sheet]:
        """The sheets of the same programme over the years, oldest first, with the sheet itself; none for an unknown id."""
        ...

    def similar(self, sheet_id: str, k: int) -> list[SimilarSheet]:
        """Other programmes about the like, nearest first, at most ``k``, one sheet a programme; none for an unknown id."""
        ...

    def files(self) -> list[str]:
        """Every indexed file, in the order of the index."""
        ...

    def refused(self) -> list[tuple[str, str]]:
        """The files that could not be read when the index was made, each with the reason."""
        ...

    def judgements(self, file: str) -> dict[str, Judgement]:
        """What the reading said of each sheet of a file, by the sheet's id."""
        ...

    def document(self, file: str) -> Document:
        """The stored document; raises KeyError for an unknown file."""
        ...

    def original(self, file: str) -> Path | None:
        """The PDF that a document was read from, where the index keeps it; None else."""
        ...

    def encode(self, texts: list[str], kind: Literal["query", "passage"] = "query") -> Vectors:
        """Vectors of single words and sentences, many at once: the encoder that has a vector a word."""
        ...
