"""What is measured side by side: hyoka, the libraries that searches are built on, and other products' hybrid search.

Each gets the same chunks, the bundled encoder as its embedding function and hyoka's word boundaries, where it takes
them: tokenizers of other languages take a run of Japanese for one word. Everything is written to a folder, and opened
again in another process, as a server would.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from evals.benchmarks.sectionfile import SectionFile
from evals.benchmarks.stageclock import StageClock
from index.encoder import load_encoder
from index.tokens import words
from index.types import Encoder, Vectors

#: A question and how many hits to the chunks' numbers, or the names of their sheets, best first.
Search = Callable[[str, int], Sequence[int | str]]
BATCH = 1000  # texts encoded at a time
BREADTH = 100  # hits of each half that a join is made of, where we make it
_RANK = 60  # the constant of reciprocal rank fusion in its paper and in the products


class System(Protocol):
    """One thing to measure; ``packages`` are the distributions it is made of, ``modules`` what must be importable."""

    packages: tuple[str, ...]
    modules: tuple[str, ...]

    def build(self, source: SectionFile, folder: Path) -> None:
        """Indexes all sections and writes the index to a folder."""
        ...

    def open(self, folder: Path, clock: StageClock) -> Search:
        """Opens the folder for searching; stages are told to the clock."""
        ...


def available(system: System) -> bool:
    """Whether all it is made of is installed."""
    return all(_found(module) for module in system.modules)


def _found(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def versions(system: System) -> dict[str, str]:
    """The versions of its packages."""
    told = {}
    for package in system.packages:
        try:
            told[package] = version(package)
        except PackageNotFoundError:
            told[package] = ""
    return told


def hyoka_stages() -> tuple[tuple[Any, str, str], ...]:
    """What is watched of a search of hyoka: owner, name, stage. What is in none of them is "rest"."""
    from index import passagesearch
    from index.firststage import LocalFirstStage

    return (
        (passagesearch.PassageSearch, "looked_for", "question"),
        (LocalFirstStage, "by_words", "words"),
        (LocalFirstStage, "by_meaning", "vectors"),
        (LocalFirstStage, "cosines", "vectors"),
        (passagesearch, "rank", "ranking"),
        (passagesearch.PassageSearch, "passages", "reading hits"),
        (passagesearch.PassageSearch, "_count", "facets"),
    )


class Hyoka:
    """This index, with facts, facets, quotes and filters, by its own functions."""

    packages: tuple[str, ...] = ("faiss-cpu", "tantivy")
    modules: tuple[str, ...] = ("index",)

    def build(self, source: SectionFile, folder: Path) -> None:
        """See :class:`System`."""
        from index.build import build

        build(source.readings(), load_encoder(), folder)

    def open(self, folder: Path, clock: StageClock) -> Search:
        """See :class:`System`."""
        from index.snapshot import Snapshot

        encoder = load_encoder()
        clock.watch(encoder, "encode", "encoding")
        for owner, name, stage in hyoka_stages():
            clock.watch(owner, name, stage)
        snapshot = Snapshot.open(folder, encoder)
        return lambda question, k: [hit.sheet.name for hit in snapshot.search(question, k).hits]


class Faiss:
    """FAISS alone, of the kind that hyoka takes for so many rows: the nearest by the question's vector."""

    packages: tuple[str, ...] = ("faiss-cpu",)
    modules: tuple[str, ...] = ("faiss",)

    def build(self, source: SectionFile, folder: Path) -> None:
        """See :class:`System`."""
        from index.vectors import write_vectors

        write_vectors(folder / "vectors.faiss", all_vectors(source.texts(), load_encoder()))

    def open(self, folder: Path, clock: StageClock) -> Search:
        """See :class:`System`."""
        from index.vectors import VectorIndex

        encoder, vectors = load_encoder(), VectorIndex(folder / "vectors.faiss")
        encode, near = clock.timed("encoding", encoder.encode), clock.timed("vectors", vectors.search)
        return lambda question, k: [chunk for chunk, _ in near(encode([question], "query"), k)]


class Bm25s:
    """bm25s alone: sparse scores computed at indexing time, mapped into memory."""

    packages: tuple[str, ...] = ("bm25s",)
    modules: tuple[str, ...] = ("bm25s",)

    def build(self, source: SectionFile, folder: Path) -> None:
        """See :class:`System`."""
        import bm25s

        retriever = bm25s.BM25()
        retriever.index([words(text, parts=True) for text in source.texts()], show_progress=False)
        retriever.save(folder)

    def open(self, folder: Path, clock: StageClock) -> Search:
        """See :class:`System`."""
        import bm25s

        retriever = bm25s.BM25.load(folder, mmap=True)
        split, retrieve = clock.timed("question", words), clock.timed("words", retriever.retrieve)

        def search(question: str, k: int) -> list[int]:
            chunks, scores = retrieve([split(question, parts=True)], k=k, show_progress=False)
            return [int(chunk) for chunk, score in zip(chunks[0], scores[0], strict=True) if score > 0]

        return search


class FaissTantivy:
    """The floor of a hybrid search on disk: FAISS and tantivy asked in turn, joined by reciprocal rank, numbers only."""

    packages: tuple[str, ...] = ("faiss-cpu", "tantivy")
    modules: tuple[str, ...] = ("faiss", "tantivy")

    def build(self, source: SectionFile, folder: Path) -> None:
        """See :class:`System`."""
        import tantivy

        (folder / "words").mkdir()
        index = tantivy.Index(_schema(), path=str(folder / "words"))
        writer = index.writer(heap_size=128_000_000, num_threads=1)
        for number, text in enumerate(source.texts()):
            document = tantivy.Document()
            document.add_unsigned("chunk", number)
            document.add_text("text", " ".join(words(text, parts=True)))
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
        Faiss().build(source, folder)

    def open(self, folder: Path, clock: StageClock) -> Search:
        """See :class:`System`."""
        import tantivy

        index = tantivy.Index.open(str(folder / "words"))
        searcher, schema = index.searcher(), index.schema

        def by_words(asked: list[str], limit: int) -> list[int]:
            terms = [(tantivy.Occur.Should, tantivy.Query.term_query(schema, "text", word)) for word in asked]
            hits = searcher.search(tantivy.Query.boolean_query(terms), limit, count=False).hits if terms else []
            chunks = searcher.fast_field_values("chunk", [address for _, address in hits])
            return [int(chunk) for chunk in chunks if chunk is not None]

        split, find = clock.timed("question", words), clock.timed("words", by_words)
        near = Faiss().open(folder, clock)

        def search(question: str, k: int) -> list[int]:
            asked = list(dict.fromkeys(split(question, parts=True)))
            return joined([find(asked, BREADTH), [int(chunk) for chunk in near(question, BREADTH)]])[:k]

        return search


def _schema() -> Any:
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("chunk", stored=False, indexed=False, fast=True)
    builder.add_text_field("text", stored=False, tokenizer_name="whitespace", index_option="freq")
    return builder.build()


def joined(lists: Iterable[Sequence[int]]) -> list[int]:
    """Reciprocal rank fusion: ``[[1, 2], [2, 3]] -> [2, 1, 3]`` (2 is second and first, 1 first in one list only)."""
    scores: dict[int, float] = defaultdict(float)
    for hits in lists:
        for rank, hit in enumerate(hits, 1):
            scores[hit] += 1 / (_RANK + rank)
    return sorted(scores, key=lambda hit: -scores[hit])


def batches(texts: Iterable[str], size: int = BATCH) -> Iterator[list[str]]:
    """The texts in lists of ``size``, the last one shorter."""
    rest = iter(texts)
    while some := list(islice(rest, size)):
        yield some


def all_vectors(texts: Iterable[str], encoder: Encoder) -> Vectors:
    """The vectors of all texts."""
    return np.concatenate([encoder.encode(some, "passage") for some in batches(texts)])
