"""Words to chunks with tantivy: BM25 over our own tokens, names and labels counting more than running text."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import tantivy

# Weight of a word found in each field; docs/synonyms.md has what was measured. The label says the kind of a section,
# which many sections share, so it counts less than their text.
FIELDS = {"name": 1.5, "department": 1.5, "label": 0.8, "text": 1.0}
_FACETS = "facets"

_HEAP = 128_000_000  # bytes that tantivy may hold before it writes a segment


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


class LexicalWriter:
    """Writes an index into the empty ``folder``, chunk by chunk, in bounded memory; used as a context manager.

    With ``before`` it begins with the index that stands there. tantivy never writes into a finished segment, so those are
    links and cost nothing: what is added is a segment more, what is removed a file of marks beside one.
    """

    def __init__(self, folder: Path, before: Path | None = None) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._ended = False
        if before is None:
            index = tantivy.Index(_schema(), path=str(folder))
        else:
            for file in before.iterdir():
                (shutil.copyfile if file.suffix == ".json" else link_or_copy)(file, folder / file.name)
            index = tantivy.Index.open(str(folder))
        self._schema = index.schema
        # One thread gives one segment where the heap holds all, and segments in the order of the chunks where not.
        self._writer = index.writer(heap_size=_HEAP, num_threads=1)

    def remove(self, sheets: Sequence[int]) -> None:
        """Takes out the chunks of some sheets that were added before. Until a whole build they count in the statistics
        of BM25: how many chunks hold a word, of how many."""
        if sheets:
            # By a query: the term that tantivy's binding makes of a number is of another type than the field.
            query = tantivy.Query.term_set_query(self._schema, "sheet", list(sheets))
            self._writer.delete_documents_by_query(query)

    def __enter__(self) -> LexicalWriter:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """tantivy does not return before all is on disk; where something went wrong, not before its threads have ended:
        they would go on writing into a folder that is being removed. The second time nothing happens."""
        if self._ended:
            return
        self._ended = True
        if kind is not None:
            with suppress(Exception):  # what went wrong is told already
                self._writer.rollback()
                self._writer.wait_merging_threads()
        else:
            self._writer.commit()
            self._writer.wait_merging_threads()
            # The lock files are of this build only; a snapshot never changes.
            for lock in self._folder.glob(".tantivy-*.lock"):
                lock.unlink()

    def add(self, chunk: int, sheet: int, name: str, department: str, label: str, text: str, facets: str = "") -> None:
        """The next chunk, with the words of each field, and those that filters go by, between spaces."""
        document = tantivy.Document()
        document.add_unsigned("chunk", chunk)
        document.add_unsigned("sheet", sheet)
        document.add_text(_FACETS, facets)
        for field, words in zip(FIELDS, (name, department, label, text), strict=True):
            document.add_text(field, words)
        self._writer.add_document(document)


def link_or_copy(file: Path, place: Path) -> None:
    """The same file under another name, copied where the file system knows no links."""
    try:
        os.link(file, place)
    except OSError:
        shutil.copyfile(file, place)


def write_lexical(folder: Path, documents: Iterable[LexicalDocument]) -> None:
    """Writes the index of ``documents`` into the empty ``folder``."""
    with LexicalWriter(folder) as writer:
        for d in documents:
            name, department, label, text, facets = map(" ".join, (d.name, d.department, d.label, d.text, d.facets))
            writer.add(d.chunk, d.sheet, name, department, label, text, facets)


class LexicalIndex:
    """An index on disk, opened for reading."""

    def __init__(self, folder: Path) -> None:
        self._links: TemporaryDirectory[str] | None = None
        try:
            self._index = tantivy.Index.open(str(folder))
        except ValueError:
            if os.access(folder, os.W_OK):
                raise
            self._index = self._read_only(folder)
        self._schema = self._index.schema
        self._searcher = self._index.searcher()

    @property
    def chunks(self) -> int:
        """How many chunks it finds; those that were taken out do not count."""
        return int(self._searcher.num_docs)

    def _read_only(self, folder: Path) -> tantivy.Index:
        """The index of a folder that cannot be written: tantivy puts a lock file beside what it opens, so it is given a
        folder of links. They go with this object."""
        self._links = TemporaryDirectory(prefix="hyoka-")
        for file in folder.glob("[!.]*"):  # without the lock file of those who could write
            (Path(self._links.name) / file.name).symlink_to(file.resolve())
        return tantivy.Index.open(self._links.name)

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
        if not hits:
            return []
        scores, places = zip(*hits, strict=True)
        return list(zip(self._searcher.fast_field_values("chunk", list(places)), scores, strict=True))

    def _one_of(self, words: Sequence[str]) -> tantivy.Query:
        """A query that adds nothing to a score."""
        terms = [
            (tantivy.Occur.Should, tantivy.Query.term_query(self._schema, _FACETS, word, "basic")) for word in words
        ]
        return tantivy.Query.const_score_query(tantivy.Query.boolean_query(terms), 0.0)

    def _term(self, field: str, word: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, field, word, "freq")
