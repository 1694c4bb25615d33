"""A finished index on disk: ``CURRENT`` names a folder of ``snapshots/`` that never changes again."""

from __future__ import annotations

from copy import copy
from functools import cached_property, lru_cache
from itertools import islice
from pathlib import Path
from typing import Literal

from corpus.documents import Sheet
from corpus.errors import IndexDamaged, IndexOutdated
from index.arrays import mapped
from index.contents import Contents
from index.encoder import load_encoder, small_encoder
from index.firststage import Engine, FirstStage, LocalFirstStage
from index.fusion import Candidates, Weights, WordMatcher
from index.joined import joined
from index.joinedwords import open_words
from index.lexical import LexicalIndex
from index.manifest import (
    LEXICAL,
    REBUILD,
    RECORDS,
    SHEETS,
    SNAPSHOTS,
    TABLES,
    VECTORS,
    WORDS,
    Manifest,
    current,
    read_manifest,
    verify,
)
from index.passagesearch import PassageSearch
from index.records import Records
from index.recordsserver import records_source
from index.removed import Removed
from index.reranker import TimedReranker
from index.seen import SeenRecords
from index.seenwords import SeenWordLists
from index.sheetcolumns import SheetColumns
from index.sheetsearch import SheetSearch
from index.similarsheets import SimilarSheets
from index.spellings import Spellings
from index.synonyms import QueryWords, Synonyms, load_synonyms
from index.tuning.store import weights_for
from index.types import (
    Encoder,
    Filters,
    Order,
    SearchResult,
    SheetsFound,
    SimilarSheet,
    Vectors,
)
from index.vectors import open_vectors
from index.visibility import Visibility
from index.wordlists import WordCounts, WordLists

_ALL = Filters()
_WEIGHTS = Weights()

_KEPT_QUERIES = 32


class Snapshot(Contents):
    """The local :class:`index.types.Index`: FAISS, tantivy and SQLite of one snapshot folder, opened for reading."""

    def __init__(
        self,
        path: Path,
        manifest: Manifest,
        encoder: Encoder,
        synonyms: Synonyms,
        weights: Weights = _WEIGHTS,
        word_encoder: Encoder | None = None,
        reranker: TimedReranker | None = None,
        engine: Engine | None = None,
    ) -> None:
        self._encoder = encoder
        self._synonyms = synonyms
        self._weights = weights
        self._word_encoder = word_encoder or small_encoder(encoder)
        self._reranker = reranker
        self._engine = engine
        removed = Removed.read(path)
        records = Records(
            manifest.places(path, RECORDS), manifest.places(path, TABLES), removed, records_source(path, manifest)
        )
        super().__init__(path, manifest, records)
        self._vectors = open_vectors(manifest.places(path, VECTORS))
        self._sheet_vectors: Vectors = joined([mapped(file) for file in manifest.places(path, SHEETS)])
        self._lexical = LexicalIndex(path / LEXICAL)
        self._first: FirstStage = LocalFirstStage(self._lexical, self._vectors)
        if engine is not None:
            self._first = engine.open(path, len(self._records.chunk_section), self._first)
        self._words = open_words(manifest.places(path, WORDS), removed)
        self._spellings = Spellings(self._words)
        self._matcher = WordMatcher(self._words, self._word_encoder, weights)
        self._search, self._by_sheet = self._searches()

    def _searches(self) -> tuple[PassageSearch, SheetSearch]:
        """The searches by passage and by sheet, with the synonyms of now."""
        search = PassageSearch(
            self._records,
            self._columns,
            self._first,
            self._sheet_vectors,
            self._matcher,
            self._weights,
            self._spellings,
            self._synonyms,
            self._encoder,
            self._reranker,
            self.manifest.cosines,
        )
        # Typing, turning pages and choosing facets ask for the same query again and again.
        find = lru_cache(maxsize=_KEPT_QUERIES)(search.find)
        return search, SheetSearch(self._records, self._columns, find, search.passages)

    @classmethod
    def open(
        cls,
        folder: Path,
        encoder: Encoder | None = None,
        synonyms: Synonyms | None = None,
        word_encoder: Encoder | None = None,
        reranker: TimedReranker | None = None,
        engine: Engine | None = None,
    ) -> Snapshot:
        """Opens the live snapshot of an index folder with the encoder it was made with (default: the bundled one).

        ``word_encoder`` compares single words and sentences; default: the encoder itself if it has a vector a word,
        else the bundled one. ``reranker`` puts the head of a ranking in order. An ``engine`` finds
        the candidates in place of the snapshot's own files. It searches with the weights of ``hyoka
        tune`` where the folder has some that fit, else with the defaults.
        """
        encoder = encoder or load_encoder()
        while True:
            name = current(folder)
            try:
                return cls._opened(folder, name, encoder, synonyms, word_encoder, reranker, engine)
            except IndexDamaged:
                if current(folder) == name:
                    raise  # else two updates have come since, and the second has swept it

    @classmethod
    def _opened(
        cls,
        folder: Path,
        name: str,
        encoder: Encoder,
        synonyms: Synonyms | None,
        word_encoder: Encoder | None,
        reranker: TimedReranker | None,
        engine: Engine | None,
    ) -> Snapshot:
        manifest = read_manifest(folder, name)
        path = folder / SNAPSHOTS / manifest.id
        if encoder.digest != manifest.encoder_digest:
            message = f"索引 {folder} は別の埋め込みモデル（{manifest.encoder}）で作られています。今のモデルは {encoder.name} です。"
            if encoder.name == manifest.encoder:
                message = f"索引 {folder} は、同じ名前の埋め込みモデル（{encoder.name}）の別のファイルか別の前置き（HYOKA_QUERY_PREFIX、HYOKA_PASSAGE_PREFIX）で作られています。"
            raise IndexOutdated(message + REBUILD)
        verify(folder, path, manifest)
        try:
            weights = weights_for(folder, encoder.digest)
            return cls(path, manifest, encoder, synonyms or load_synonyms(), weights, word_encoder, reranker, engine)
        except (OSError, RuntimeError, ValueError) as error:
            raise IndexDamaged(f"索引 {folder} を開けません（{error}）。{REBUILD}") from error

    def close(self) -> None:
        """Closes the records once no snapshot that shares them is open; the mapped files go with the object."""
        if self._records.given_back():
            self._records.close()

    def with_synonyms(self, synonyms: Synonyms) -> Snapshot:
        """The same files searched with other synonyms; it has to be closed like any other."""
        other = copy(self)
        other._synonyms = synonyms
        other._search, other._by_sheet = other._searches()  # what they keep was found with the synonyms of before
        other._records.lent()
        return other

    def seen_by(self, visibility: Visibility) -> Snapshot:
        """The same files as somebody sees them who may see only some sheets: the others are gone as if an update had
        removed them. It shares files and memory, is good as long as this one is open, and has to be closed like any other.

        BM25 goes on weighing words by the whole index; every other count is one of what is seen.
        """
        other = copy(self)
        other.__dict__.pop("_similar", None)
        other._see(visibility)
        other._records.lent()
        return other

    def _see(self, visibility: Visibility) -> None:
        self._records = SeenRecords(self._records, visibility)
        self._columns = SheetColumns(self._records.tables)
        self._words = SeenWordLists(self._words, self._records.tables)
        self._spellings = Spellings(self._words)
        self._matcher = self._matcher.among(self._words)
        self._search, self._by_sheet = self._searches()

    def encode(self, texts: list[str], kind: Literal["query", "passage"] = "query") -> Vectors:
        """See :class:`index.types.Index`."""
        return self._word_encoder.encode(texts, kind)

    def similar(self, sheet_id: str, k: int) -> list[SimilarSheet]:
        """See :class:`index.types.Index`."""
        number = self._records.sheets.get(sheet_id)
        return [] if number is None or k <= 0 else self._similar.of(number, k)

    @cached_property
    def _similar(self) -> SimilarSheets:
        """Made when first asked for: a search needs none of it."""
        return SimilarSheets(self._records, self._sheet_vectors, lambda texts: self._encoder.encode(texts, "passage"))

    def search(
        self, query: str, k: int, filters: Filters = _ALL, offset: int = 0, order: Order = "relevance"
    ) -> SearchResult:
        """See :class:`index.types.Index`."""
        return self._search.search(query, k, filters, offset, order)

    def search_sheets(
        self,
        query: str,
        k: int,
        filters: Filters = _ALL,
        offset: int = 0,
        order: Order = "relevance",
        others: int = 0,
    ) -> SheetsFound:
        """See :class:`index.types.Index`."""
        return self._by_sheet.search(query, k, filters, offset, order, others)

    def nearest_sheets(self, query: str, k: int, filters: Filters = _ALL) -> list[Sheet]:
        """See :class:`index.types.FindsSheets`."""
        found = self._search.find(query, filters, reranked=False)
        numbers = dict.fromkeys(found.candidates.sheets[found.best].tolist())
        return [self._records.sheets[number] for number in islice(numbers, k)]

    def respelled(self, query: str) -> tuple[str, ...]:
        """See :class:`index.types.Index`."""
        looked_for = self._synonyms.expand(query)
        found = self._spellings.respelled(query, looked_for)
        if not found and self._spellings.lacks(looked_for):
            found = self._columns.names_like(query)
        return tuple(found)

    @property
    def engine(self) -> Engine | None:
        """What finds the candidates in place of the snapshot's own files, if anything does."""
        return self._engine

    @property
    def encoder(self) -> Encoder:
        """The encoder it was opened with."""
        return self._encoder

    @property
    def word_encoder(self) -> Encoder:
        """What compares single words and sentences: the encoder itself, or the bundled one beside a big model."""
        return self._word_encoder

    @property
    def reranker(self) -> TimedReranker | None:
        """What puts the head of a ranking in order, where there is one."""
        return self._reranker

    @property
    def synonyms(self) -> Synonyms:
        """The synonyms it was opened with."""
        return self._synonyms

    @property
    def weights(self) -> Weights:
        """The weights in force: the defaults, or those of ``hyoka tune``."""
        return self._weights

    @property
    def words(self) -> WordLists:
        """The words of every chunk."""
        return self._words

    def matching(self, query: str) -> tuple[QueryWords, Candidates]:
        """What the second stage is given to rank for a query: its words, and all that the first stages found."""
        return self._search.matching(query)

    def word_counts(self) -> WordCounts | None:
        """See :class:`index.wordlists.CountsWords`."""
        return self._words.word_counts()
