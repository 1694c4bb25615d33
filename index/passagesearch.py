"""A question to the passages that answer it: the first stages find candidates, the second ranks them, hits are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from corpus.documents import Span
from index.chunks import passage_text
from index.cosines import CosineScales
from index.firststage import Allowed, FirstStage
from index.fusion import Candidates, Ranking, Weights, WordMatcher, rank
from index.highlights import highlights
from index.ranked import best_of_each_section, facet_counts, reordered, terms
from index.records import Records
from index.reranker import HEAD, Reordering, TimedReranker
from index.sheetcolumns import FACETS, SheetColumns
from index.sheetsearch import Found
from index.spellings import Spellings
from index.synonyms import QueryWords, Synonyms
from index.types import PERSON_FIELD, Encoder, Filters, Order, Part, Passage, SearchResult, Vectors

_ALL = Filters()

# How many chunks each first stage hands to the second one.
LEXICAL_CANDIDATES = 2000
SHEET_CANDIDATES = 5000  # where sheets are counted: what is cut off here is in no count
DENSE_CANDIDATES = 300


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

    def search(self, query: str, k: int, filters: Filters, offset: int, order: Order) -> SearchResult:
        """See :class:`index.types.Index`. A long section counts once, as its best part."""
        found = self.find(query, filters, LEXICAL_CANDIDATES, reranked=k > 0)  # without hits only the counts are wanted
        facets = self._count(found.candidates.sections[found.best].tolist())
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
        records, allowed = self._records, self._allowed(filters)
        lexical = dict(self._first.by_words(terms(looked_for), most, allowed))
        vector = self._encoder.encode([query], "query")
        near = self._first.by_meaning(vector, DENSE_CANDIDATES, allowed) if vector.any() else []
        chunks = np.array(sorted(lexical.keys() | {c for c, _ in near}), dtype=np.int64)
        chunks = chunks[allowed.chunks[chunks]]
        found = np.array([lexical.get(int(c), 0.0) for c in chunks], dtype=np.float32)
        of = records.chunk_section[chunks]
        on = records.section_sheet[of]
        dense, whole = self._first.cosines(vector, chunks), (self._sheet_vectors @ vector[0])[on]
        if (scales := self._scales) is not None:
            dense, whole = scales.passages(dense), scales.sheets(whole)
        parts = np.bincount(records.section_sheet[records.chunk_section[allowed.chunks]], minlength=len(records.sheets))
        return Candidates(chunks, of, on, found, dense, whole, parts[on]), len(lexical) < most

    def _allowed(self, filters: Filters) -> Allowed:
        """What passes the filters. Names of staff are no search results: sections that hold them never do."""
        records = self._records
        passing = self._columns.passing(filters)
        gone = records.gone_sections
        sections = np.ones(len(records.section_sheet), dtype=bool) if gone is None else ~gone
        sections[records.section_numbers([PERSON_FIELD])] = False
        if passing is not None:
            sections &= np.isin(records.section_sheet, passing)
        if filters.section:
            named = np.zeros_like(sections)
            named[records.section_numbers(filters.section)] = True
            sections &= named
        return Allowed(filters, None if passing is None else passing.tolist(), sections[records.chunk_section])

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

    def _count(self, sections: list[int]) -> dict[str, dict[str, int]]:
        fields = self._records.section_fields(sections)
        sheets, times = np.unique(self._records.section_sheet[sections], return_counts=True)
        counted = {name: self._columns.counts(name, sheets.tolist(), times.tolist()) for name in FACETS}
        return facet_counts(counted, Counter(field for field in fields if field))
