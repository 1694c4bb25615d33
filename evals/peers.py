"""Two well-known libraries on the same sections, words and encoder, through their public interface (extra ``bench``).

Both get our word boundaries: their own tokenizers take a run of Japanese for one word.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec

from evals.baselines import Chunk, Search
from index.tokens import words
from index.types import Index, Passage


def peers(pieces: Sequence[Chunk], index: Index) -> dict[str, Search]:
    """The searches of the libraries that are installed, by name."""
    table = {"txtai": ("txtai", txtai), "haystack": ("haystack", haystack)}
    return {name: make(pieces, index) for name, (module, make) in table.items() if find_spec(module) is not None}


def txtai(pieces: Sequence[Chunk], index: Index) -> Search:
    """txtai's hybrid search: its own BM25 and vectors, and its own way of adding them."""
    from txtai import Embeddings

    originals = {_spaced(piece.headed): piece.headed for piece in pieces}

    def transform(texts: list[str]) -> object:
        """Vectors of the texts before they were spaced; what is none of them is a question."""
        if all(text in originals for text in texts):
            return index.encode([originals[text] for text in texts], "passage")
        return index.encode(list(texts), "query")

    engine = Embeddings(
        method="external",
        transform=transform,
        hybrid=True,
        scoring={"method": "bm25", "terms": True, "normalize": True, "tokenizer": {"whitespace": True}},
        content=False,
    )
    engine.index((number, _spaced(piece.headed), None) for number, piece in enumerate(pieces))

    def search(question: str, k: int) -> list[Passage]:
        return [pieces[number].passage(float(score)) for number, score in engine.search(_spaced(question), k)]

    return search


def haystack(pieces: Sequence[Chunk], index: Index) -> Search:
    """Haystack's usual hybrid: BM25 and embedding retrievers joined by reciprocal rank."""
    os.environ.setdefault("HAYSTACK_TELEMETRY_ENABLED", "False")  # read on import; nothing here calls home
    from haystack import Document
    from haystack.components.joiners import DocumentJoiner
    from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    store = InMemoryDocumentStore(bm25_tokenization_regex=r"\S+", embedding_similarity_function="cosine")
    vectors = index.encode([piece.headed for piece in pieces], "passage")
    store.write_documents(
        [
            Document(id=str(number), content=_spaced(piece.headed), embedding=vectors[number].tolist())
            for number, piece in enumerate(pieces)
        ]
    )

    def search(question: str, k: int) -> list[Passage]:
        vector = index.encode([question], "query")[0].tolist()
        by_words = InMemoryBM25Retriever(store, top_k=k).run(query=_spaced(question))["documents"]
        by_vector = InMemoryEmbeddingRetriever(store, top_k=k).run(query_embedding=vector)["documents"]
        joiner = DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=k)
        joined = joiner.run(documents=[by_words, by_vector])["documents"]
        return [pieces[int(document.id)].passage(float(document.score or 0.0)) for document in joined]

    return search


def _spaced(text: str) -> str:
    return " ".join(words(text, parts=True))
