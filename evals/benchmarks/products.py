"""Other products' hybrid search, set up as their documentation shows it, through their public interface (extra ``bench``).

Nothing here calls home: telemetry is switched off before the libraries are read, and the encoder is a function of ours.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from evals.benchmarks.sectionfile import SectionFile
from evals.benchmarks.stageclock import StageClock
from evals.benchmarks.systems import Bm25s, Faiss, FaissTantivy, Hyoka, Search, System, batches
from index.encoder import load_encoder
from index.tokens import words

os.environ.setdefault("HAYSTACK_TELEMETRY_ENABLED", "False")  # read on import
os.environ.setdefault("HF_HUB_OFFLINE", "1")

K = 10  # hits wanted, of each half and of the whole


def spaced(text: str) -> str:
    """hyoka's words with spaces between them."""
    return " ".join(words(text, parts=True))


class Txtai:
    """txtai: vectors in FAISS, BM25 terms and texts in SQLite, added after normalising (its defaults for hybrid)."""

    packages: tuple[str, ...] = ("txtai", "faiss-cpu")
    modules: tuple[str, ...] = ("txtai",)

    def build(self, source: SectionFile, folder: Path) -> None:
        """See :class:`evals.benchmarks.systems.System`."""
        from txtai import Embeddings

        encoder = load_encoder()

        def transform(texts: list[str]) -> Any:
            return encoder.encode(list(texts), "passage")

        engine = Embeddings(
            method="external",
            transform=transform,
            hybrid=True,
            content=True,
            scoring={"method": "evals.benchmarks.txtaiwords.JapaneseBM25", "terms": True, "normalize": True},
        )
        engine.index(enumerate(source.texts()))
        engine.config.pop("transform")  # a function cannot be written down
        engine.save(str(folder))

    def open(self, folder: Path, clock: StageClock) -> Search:
        """See :class:`evals.benchmarks.systems.System`."""
        from txtai import Embeddings

        encoder = load_encoder()
        encode = clock.timed("encoding", encoder.encode)

        def transform(texts: list[str]) -> Any:
            return encode(list(texts), "query")

        engine = Embeddings()
        engine.load(str(folder), config={"transform": transform})
        clock.watch(engine.scoring, "search", "words")
        clock.watch(engine.ann, "search", "vectors")
        return lambda question, k: [int(hit["id"]) for hit in engine.search(question, k)]


class LlamaIndex:
    """LlamaIndex: a vector index in memory and its BM25 retriever (bm25s), fused by reciprocal rank."""

    packages: tuple[str, ...] = ("llama-index-core", "llama-index-retrievers-bm25", "bm25s")
    modules: tuple[str, ...] = ("llama_index.core", "llama_index.retrievers.bm25")

    def build(self, source: SectionFile, folder: Path) -> None:
        """See :class:`evals.benchmarks.systems.System`."""
        from llama_index.core import StorageContext, VectorStoreIndex
        from llama_index.core.schema import TextNode
        from llama_index.retrievers.bm25 import BM25Retriever

        encoder = load_encoder()
        nodes: list[TextNode] = []
        for some in batches(source.texts()):
            for text, vector in zip(some, encoder.encode(some, "passage"), strict=True):
                about = {"text": text}  # as it is shown; what BM25 reads has spaces
                nodes.append(
                    TextNode(
                        id_=str(len(nodes)),
                        text=spaced(text),
                        metadata=about,
                        excluded_embed_metadata_keys=list(about),
                        embedding=vector.tolist(),
                    )
                )
        store = StorageContext.from_defaults(vector_store=self._new_store(encoder.dim))
        index = VectorStoreIndex(nodes, storage_context=store, embed_model=embedding(encoder.encode))
        index.storage_context.persist(str(folder))
        # Its own pattern drops words of one letter, of which Japanese has many; stems are of English.
        retriever = BM25Retriever.from_defaults(
            nodes=nodes, similarity_top_k=K, skip_stemming=True, token_pattern=r"\S+"
        )
        retriever.persist(str(folder / "bm25"))

    def open(self, folder: Path, clock: StageClock) -> Search:
        """See :class:`evals.benchmarks.systems.System`."""
        from llama_index.core import StorageContext, load_index_from_storage
        from llama_index.core.llms import MockLLM
        from llama_index.core.retrievers import QueryFusionRetriever
        from llama_index.core.schema import QueryBundle
        from llama_index.retrievers.bm25 import BM25Retriever

        encoder = load_encoder()
        model = embedding(clock.timed("encoding", encoder.encode))
        store = StorageContext.from_defaults(persist_dir=str(folder), vector_store=self._store(folder))
        index = load_index_from_storage(store, embed_model=model)
        by_vector = index.as_retriever(similarity_top_k=K)
        by_words = BM25Retriever.from_persist_dir(str(folder / "bm25"), mmap=True)
        by_words.skip_stemming, by_words.token_pattern = True, r"\S+"  # it does not remember them
        clock.watch(by_vector, "_retrieve", "vectors")
        clock.watch(by_words, "_retrieve", "words")
        fused = QueryFusionRetriever(
            [by_vector, by_words],
            llm=MockLLM(),  # asked for nothing: one query, the question itself
            mode="reciprocal_rerank",
            num_queries=1,
            similarity_top_k=K,
            use_async=False,
        )
        split = clock.timed("question", spaced)

        def search(question: str, k: int) -> list[int]:
            asked = QueryBundle(split(question), custom_embedding_strs=[question])
            return [int(hit.node.node_id) for hit in fused.retrieve(asked)[:k]]

        return search

    def _new_store(self, dim: int) -> Any:
        return None  # the default, in memory

    def _store(self, folder: Path) -> Any:
        return None


class LlamaIndexFaiss(LlamaIndex):
    """The same with its FAISS vector store, an exact flat index."""

    packages: tuple[str, ...] = (*LlamaIndex.packages, "llama-index-vector-stores-faiss", "faiss-cpu")
    modules: tuple[str, ...] = (*LlamaIndex.modules, "llama_index.vector_stores.faiss")

    def _new_store(self, dim: int) -> Any:
        import faiss
        from llama_index.vector_stores.faiss import FaissVectorStore

        return FaissVectorStore(faiss_index=faiss.IndexFlatIP(dim))

    def _store(self, folder: Path) -> Any:
        from llama_index.vector_stores.faiss import FaissVectorStore

        return FaissVectorStore.from_persist_dir(str(folder))


def embedding(encode: Any) -> Any:
    """An encoder as LlamaIndex's embedding model."""
    from llama_index.core.embeddings import BaseEmbedding

    class Bundled(BaseEmbedding):  # type: ignore[misc, unused-ignore]
        """The bundled encoder."""

        def _get_query_embedding(self, query: str) -> list[float]:
            return encode([query], "query")[0].tolist()  # type: ignore[no-any-return]

        def _get_text_embedding(self, text: str) -> list[float]:
            return encode([text], "passage")[0].tolist()  # type: ignore[no-any-return]

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

    return Bundled()


class Haystack:
    """Haystack: a pipeline of BM25 and embedding retrievers over its store in memory, joined by reciprocal rank."""

    packages: tuple[str, ...] = ("haystack-ai",)
    modules: tuple[str, ...] = ("haystack",)

    def build(self, source: SectionFile, folder: Path) -> None:
        """See :class:`evals.benchmarks.systems.System`."""
        from haystack import Document
        from haystack.document_stores.in_memory import InMemoryDocumentStore

        encoder = load_encoder()
        store = InMemoryDocumentStore(bm25_tokenization_regex=r"\S+", embedding_similarity_function="cosine")
        for some in batches(source.texts()):
            at, vectors = store.count_documents(), encoder.encode(some, "passage")
            store.write_documents(
                [
                    Document(
                        id=str(at + number),
                        content=spaced(text),
                        meta={"text": text},  # as it is shown
                        embedding=vector.tolist(),
                    )
                    for number, (text, vector) in enumerate(zip(some, vectors, strict=True))
                ]
            )
        store.save_to_disk(str(folder / "store.json"))

    def open(self, folder: Path, clock: StageClock) -> Search:
        """See :class:`evals.benchmarks.systems.System`."""
        from haystack import Pipeline
        from haystack.components.joiners import DocumentJoiner
        from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
        from haystack.document_stores.in_memory import InMemoryDocumentStore

        encode = clock.timed("encoding", load_encoder().encode)
        store = InMemoryDocumentStore.load_from_disk(str(folder / "store.json"))
        parts = {
            "words": InMemoryBM25Retriever(store, top_k=K),
            "vectors": InMemoryEmbeddingRetriever(store, top_k=K),
            "join": DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=K),
        }
        pipeline = Pipeline()
        for name, part in parts.items():
            clock.watch(part, "run", "joining" if name == "join" else name)
            pipeline.add_component(name, part)
        pipeline.connect("words", "join")
        pipeline.connect("vectors", "join")
        split = clock.timed("question", spaced)

        def search(question: str, k: int) -> list[int]:
            vector = encode([question], "query")[0].tolist()
            told = pipeline.run({"words": {"query": split(question)}, "vectors": {"query_embedding": vector}})
            return [int(document.id) for document in told["join"]["documents"][:k]]

        return search


#: What is measured, by the name in the results.
SYSTEMS: dict[str, System] = {
    "faiss+tantivy": FaissTantivy(),
    "faiss": Faiss(),
    "bm25s": Bm25s(),
    "hyoka": Hyoka(),
    "txtai": Txtai(),
    "llamaindex": LlamaIndex(),
    "llamaindex-faiss": LlamaIndexFaiss(),
    "haystack": Haystack(),
}
FLOOR = "faiss+tantivy"
