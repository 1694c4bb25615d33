"""A question to the passages that answer it: the first stages find candidates, the second ranks them, hits are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from corpus.documents import Span
from index.chunks import passage_text
from index.cosines import CosineScales
from index.firststage import Allowed, FirstStage, Hits
from index.fusion import Candidates, Ranking, Weights, WordMatcher, rank
from index.highlights import highlights
from index.ranked import best_of_each_section, facet_counts, reordered, terms
from index.records import Records
from index.reranker import HEAD, Reordering, TimedReranker
from index.sheetcolumns import FACETS, SheetColumns, counted_codes
from index.sheetsearch import Found
from index.spellings import Spellings
from index.synonyms import QueryWords, Synonyms
from index.types import PERSON_FIELD, Encoder, Filters, Order, Part, Passage, SearchResult, Vectors

_ALL = Filters()

# How many chunks each first stage hands to the second one.
LEXICAL_CANDIDATES = 2000
SHEET_CANDIDATES = 5000  # where sheets are counted: what is cut off here is in no count
DENSE_CANDIDATES = 300

_KEPT_SCOPES = 16  # filters whose masks are kept: a byte a chunk and 12 bytes a sheet each


class PassageSearch:
    """Searches one opened snapshot with some synonyms and weights."""

    def __init__(
        self,
        records: Records,
        columns: SheetColumns,
        first: FirstStage,
        sheet_vectors: Vectors,
        matcher: WordMatcher,
        weights: Weights,
        spellings: Spellings,
        synonyms: Synonyms,
        encoder: Encoder,
        reranker: TimedReranker | None = None,
        scales: CosineScales | None = None,
    ) -> None:
        """``sheet_vectors`` has a unit row a sheet; ``scales`` reads the cosines of another encoder than the bundled one."""
        self._records = records
        self._columns = columns
        self._first = first
        self._sheet_vectors = sheet_vectors
        self._matcher = matcher
        self._weights = weights
        self._spellings = spellings
        self._synonyms = synonyms
        self._encoder = encoder
        self._reranker = reranker
        self._scales = scales
        self._scope = lru_cache(maxsize=_KEPT_SCOPES)(self._scope_of)

    def search(self, query: str, k: int, filters: Filters, offset: int, order: Order) -> SearchResult:
        """See :class:`index.types.Index`. A long section counts once, as its best part."""
        found = self.find(query, filters, LEXICAL_CANDIDATES, reranked=k > 0)  # without hits only the counts are wanted
        facets = self._count(found.candidates.sections[found.best])
        best = found.best
        if order != "relevance":
            best = best[self._columns.ordered(found.candidates.sheets[best], order)]
        hits = tuple(self.passages(found, best[offset : offset + k].tolist()))
        return SearchResult(len(best), hits, facets, found.scored, found.note)

    def find(self, query: str, filters: Filters, most: int = SHEET_CANDIDATES, reranked: bool = True) -> Found:
        """All hits of a query, best first, one a section, among the ``most`` candidates that its words find."""
        looked_for = self.looked_for(query)
        candidates, complete = self._candidates(query, looked_for, filters, most)
        if not len(candidates.chunks):
            none = np.zeros(0, dtype=np.float32)
            nothing = Ranking(none, none, none, none, none, none > 0)
            return Found(looked_for, candidates, nothing, np.zeros(0, dtype=np.int64), complete)
        ranking = rank(looked_for, candidates, self._matcher, self._weights)
        best = best_of_each_section(candidates, ranking)
        reordering = Reordering((), 0)
        if self._reranker is not None and reranked and len(best) > 1:
            reordering = self._reranker.order(query, self._read(candidates, best[:HEAD]))
            best, ranking = reordered(best, ranking, reordering)
        hits = np.array(best, dtype=np.int64)
        return Found(looked_for, candidates, ranking, hits, complete, reordering.scored, reordering.note)

    def matching(self, query: str) -> tuple[QueryWords, Candidates]:
        """What the second stage is given to rank for a query: its words, and all that the first stages found."""
        looked_for = self.looked_for(query)
        return looked_for, self._candidates(query, looked_for, _ALL, LEXICAL_CANDIDATES)[0]

    def looked_for(self, query: str) -> QueryWords:
        """The words of a query with those of its synonyms, and what was meant where a word stands nowhere."""
        return self._spellings.corrected(query, self._synonyms.expand(query))

    def _candidates(self, query: str, looked_for: QueryWords, filters: Filters, most: int) -> tuple[Candidates, bool]:
        """The union of what the words and the vector of the query find among the chunks that pass the filters; whether
        that is every chunk in which a word stands."""
        records, (allowed, parts) = self._records, self._scope(filters)
        lexical = self._first.by_words(terms(looked_for), most, allowed)
        vector = self._encoder.encode([query], "query")
        near = self._first.by_meaning(vector, DENSE_CANDIDATES, allowed) if vector.any() else []
        by_words, scores = _columns(lexical)
        chunks = np.union1d(by_words, _columns(near)[0])
        found = np.zeros(len(chunks), dtype=np.float32)
        found[np.searchsorted(chunks, by_words)] = scores
        passing = allowed.chunks[chunks]
        chunks, found = chunks[passing], found[passing]
        of = records.chunk_section[chunks].astype(np.int64)
        on = records.section_sheet[of].astype(np.int64)
        sheets, of_sheet = np.unique(on, return_inverse=True)
        dense, whole = self._first.cosines(vector, chunks), (self._sheet_vectors[sheets] @ vector[0])[of_sheet]
        if (scales := self._scales) is not None:
            dense, whole = scales.passages(dense), scales.sheets(whole)
        return Candidates(chunks, of, on, found, dense, whole, parts[on].astype(np.int64)), len(lexical) < most

    def _scope_of(self, filters: Filters) -> tuple[Allowed, NDArray[np.int32]]:
        """What passes the filters, and how many chunks of each sheet do. Names of staff are no search results: sections
        that hold them never pass."""
        records = self._records
        passing = self._columns.passing(filters)
        sections = ~records.named_sections([PERSON_FIELD])
        if records.tables.gone_sections is not None:
            sections &= ~records.tables.gone_sections
        if passing is not None:
            sections &= passing[records.section_sheet]
        if filters.section:
            sections &= records.named_sections(filters.section)
        chunks = sections[records.chunk_section]
        parts = np.bincount(records.section_sheet[records.chunk_section[chunks]], minlength=len(records.sheets))
        sheets = None if passing is None else np.flatnonzero(passing)
        seen = self._columns.seen
        if seen is not None and not filters.municipality:
            filters = replace(filters, municipality=seen)  # what cannot be found is not looked through
        return Allowed(filters, sheets, chunks, self._seen_chunks), parts.astype(np.int32)

    @cached_property
    def _seen_chunks(self) -> NDArray[np.bool_] | None:
        """Of every chunk whether who asks may see it; None where all may."""
        tables = self._records.tables
        hidden = tables.gone_sections if tables.hides else None
        return None if hidden is None else ~hidden[tables.chunk_section]

    def _read(self, candidates: Candidates, positions: list[int]) -> list[str]:
        """What a cross-encoder reads of some candidates: their texts as they were encoded."""
        texts = []
        for number, span in self._records.chunks([int(candidates.chunks[i]) for i in positions]):
            found = self._records.section(number)
            start = span.start - found.section.span.start
            text = found.section.text[start : start + span.end - span.start]
            texts.append(passage_text(found.sheet, found.section, text))
        return texts

    def passages(self, hits: Found, positions: Sequence[int]) -> list[Passage]:
        """The passages of some hits, by their positions among the candidates."""
        chunks = self._records.chunks([int(hits.candidates.chunks[i]) for i in positions])
        stands = cache(lambda text: highlights(text, hits.looked_for))  # the hits of a sheet share its name
        return [self._passage(*chunk, i, hits.ranking, stands) for chunk, i in zip(chunks, positions, strict=True)]

    def _passage(
        self, number: int, span: Span, i: int, ranking: Ranking, stands: Callable[[str], tuple[tuple[int, int], ...]]
    ) -> Passage:
        found = self._records.section(number)
        text = found.section.text[span.start - found.section.span.start : span.end - found.section.span.start]
        in_text, in_name, in_department = stands(text), stands(found.sheet.name), stands(found.sheet.department)
        parts: dict[Part, object] = {
            "name": in_name,
            "department": in_department,
            "label": stands(found.section.label),
            "text": in_text,
        }
        return Passage(
            section_id=number,
            sheet=found.sheet,
            section=found.section,
            span=span,
            text=text,
            score=float(ranking.score[i]),
            lexical=float(ranking.coverage[i]),
            dense=float(ranking.dense[i]),
            chance=float(ranking.chance[i]),
            highlights=in_text,
            matched=tuple(part for part, spans in parts.items() if spans),
            name_highlights=in_name,
            department_highlights=in_department,
        )

    def _count(self, sections: NDArray[np.int64]) -> dict[str, dict[str, int]]:
        fields, names = self._records.field_numbers(sections)
        sheets, times = np.unique(self._records.section_sheet[sections].astype(np.int64), return_counts=True)
        counted = {name: self._columns.counts(name, sheets, times) for name in FACETS}
        by_field = {names[code]: count for code, count in counted_codes(fields) if names[code]}
        return facet_counts(counted, by_field)


def _columns(hits: Hits) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    chunks, scores = zip(*hits, strict=True) if hits else ((), ())
    return np.array(chunks, dtype=np.int64), np.array(scores, dtype=np.float32)
