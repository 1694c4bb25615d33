"""Words to chunks with tantivy: BM25 over our own tokens, names and labels counting more than running text."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import tantivy

# Weight of a word found in each field; docs/synonyms.md has what was measured. The label says the kind of a section,
# which many sections share, so it counts less than their text.
FIELDS = {"name": 1.5, "department": 1.5, "label": 0.8, "text": 1.0}


@dataclass(frozen=True, slots=True)
class LexicalDocument:
    """The words of one chunk by field; ``sheet`` is the number filters go by."""

    chunk: int
    sheet: int
    name: Sequence[str]
    department: Sequence[str]
    label: Sequence[str]
    text: Sequence[str]


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("chunk", stored=False, indexed=False, fast=True)
    builder.add_unsigned_field("sheet", stored=False, indexed=True)
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
        writer.add_document(_document(d))
    _finish(writer, folder)


def update_lexical(folder: Path, before: Path, removed: Iterable[int], documents: Iterable[LexicalDocument]) -> None:
    """Writes the index in ``before`` into ``folder`` without the chunks of the ``removed`` sheets and with ``documents``.

    tantivy never writes into a finished segment, so those of ``before`` are links and cost nothing: what is removed is
    a file of marks beside them, what is added a segment more. Until a whole build, what was removed counts in the
    statistics of BM25 (how many chunks hold a word, of how many).
    """
    folder.mkdir(parents=True)
    for file in before.iterdir():
        (shutil.copyfile if file.suffix == ".json" else link_or_copy)(file, folder / file.name)
    index = tantivy.Index.open(str(folder))
    writer = index.writer(heap_size=32_000_000, num_threads=1)
    if gone := list(removed):
        # By a query: the term that tantivy's binding makes of a number is of another type than the field.
        writer.delete_documents_by_query(tantivy.Query.term_set_query(index.schema, "sheet", gone))
    for d in documents:
        writer.add_document(_document(d))
    _finish(writer, folder)


def _document(d: LexicalDocument) -> tantivy.Document:
    document = tantivy.Document()
    document.add_unsigned("chunk", d.chunk)
    document.add_unsigned("sheet", d.sheet)
    for field in FIELDS:
        document.add_text(field, " ".join(getattr(d, field)))
    return document


def _finish(writer: tantivy.IndexWriter, folder: Path) -> None:
    writer.commit()
    writer.wait_merging_threads()
    # The lock files are of this build only; a snapshot never changes.
    for lock in folder.glob(".tantivy-*.lock"):
        lock.unlink()


def link_or_copy(file: Path, place: Path) -> None:
    """The same file under another name, copied where the file system knows no links."""
    try:
        os.link(file, place)
    except OSError:
        shutil.copyfile(file, place)


class LexicalIndex:
    """An index on disk, opened for reading."""

    def __init__(self, folder: Path) -> None:
        self._index = tantivy.Index.open(str(folder))
        self._schema = self._index.schema
        self._searcher = self._index.searcher()

    def search(
        self, terms: Iterable[tuple[str, float]], limit: int, sheets: Sequence[int] | None = None
    ) -> list[tuple[int, float]]:
        """(chunk, BM25 score) for any of the weighted ``terms``, best first; ``sheets`` restricts the search."""
        should = [
            (tantivy.Occur.Should, tantivy.Query.boost_query(self._term(field, word), weight * boost))
            for word, weight in terms
            for field, boost in FIELDS.items()
        ]
        if not should or (sheets is not None and not sheets):
            return []
        query = tantivy.Query.boolean_query(should)
        if sheets is not None:
            allowed = tantivy.Query.const_score_query(
                tantivy.Query.term_set_query(self._schema, "sheet", list(sheets)), 0.0
            )
            query = tantivy.Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.Must, allowed)])
        hits = self._searcher.search(query, limit, count=False).hits
        chunks = self._searcher.fast_field_values("chunk", [address for _, address in hits])
        return [(int(chunk), float(score)) for chunk, (score, _) in zip(chunks, hits, strict=True) if chunk is not None]

    def _term(self, field: str, word: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, field, word, "freq")
