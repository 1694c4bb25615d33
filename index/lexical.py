"""Words to chunks with tantivy: BM25 over our own tokens, names and labels counting more than running text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import tantivy

# Weight of a word found in each field; docs/synonyms.md has what was measured. The label says the kind of a section,
# which many sections share, so it counts less than their text.
FIELDS = {"name": 1.5, "department": 1.5, "label": 0.8, "text": 1.0}
_FACETS = "facets"


@dataclass(frozen=True, slots=True)
class LexicalDocument:
    """The words of one chunk by field; ``sheet`` is its sheet's number, ``facets`` are what filters go by."""

    chunk: int
    sheet: int
    name: Sequence[str]
    department: Sequence[str]
    label: Sequence[str]
    text: Sequence[str]
    facets: Sequence[str] = ()


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("chunk", stored=False, indexed=False, fast=True)
    builder.add_unsigned_field("sheet", stored=False, indexed=True)
    builder.add_text_field(_FACETS, stored=False, tokenizer_name="whitespace", index_option="basic")
    for field in FIELDS:
        builder.add_text_field(field, stored=False, tokenizer_name="whitespace", index_option="freq")
    return builder.build()


def write_lexical(folder: Path, documents: Iterable[LexicalDocument]) -> None:
    """Writes the index of ``documents`` into the empty ``folder``; tantivy does not return before it is on disk."""
    folder.mkdir(parents=True)
    index = tantivy.Index(_schema(), path=str(folder))
    # One thread gives one segment, so that scores do not depend on how the threads shared the documents.
    writer = index.writer(heap_size=128_000_000, num_threads=1)
    for d in documents:
        document = tantivy.Document()
        document.add_unsigned("chunk", d.chunk)
        document.add_unsigned("sheet", d.sheet)
        document.add_text(_FACETS, " ".join(d.facets))
        for field in FIELDS:
            document.add_text(field, " ".join(getattr(d, field)))
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()
    # The lock files are of this build only; a snapshot never changes.
    for lock in folder.glob(".tantivy-*.lock"):
        lock.unlink()


class LexicalIndex:
    """An index on disk, opened for reading."""

    def __init__(self, folder: Path) -> None:
        self._index = tantivy.Index.open(str(folder))
        self._schema = self._index.schema
        self._searcher = self._index.searcher()

    def search(
        self, terms: Iterable[tuple[str, float]], limit: int, facets: Iterable[Sequence[str]] = ()
    ) -> list[tuple[int, float]]:
        """(chunk, BM25 score) for any of the weighted ``terms``, best first; of each of ``facets`` a chunk must have
        one word (:func:`index.facets.chosen_words`)."""
        should = [
            (tantivy.Occur.Should, tantivy.Query.boost_query(self._term(field, word), weight * boost))
            for word, weight in terms
            for field, boost in FIELDS.items()
        ]
        if not should:
            return []
        query = tantivy.Query.boolean_query(should)
        chosen = [(tantivy.Occur.Must, self._one_of(words)) for words in facets]
        if chosen:
            query = tantivy.Query.boolean_query([(tantivy.Occur.Must, query), *chosen])
        hits = self._searcher.search(query, limit, count=False).hits
        scores = [score for score, _ in hits]
        return list(zip(self._searcher.fast_field_values("chunk", [at for _, at in hits]), scores, strict=True))

    def _one_of(self, words: Sequence[str]) -> tantivy.Query:
        """A query that adds nothing to a score."""
        terms = [
            (tantivy.Occur.Should, tantivy.Query.term_query(self._schema, _FACETS, word, "basic")) for word in words
        ]
        return tantivy.Query.const_score_query(tantivy.Query.boolean_query(terms), 0.0)

    def _term(self, field: str, word: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, field, word, "freq")
