"""Encoders: texts to unit vectors, the bundled one by default, any sentence-transformers model by name or folder.

The bundled encoder is a StaticEmbedding (one vector a word, a text is their mean). Such a model is read here with
numpy alone: sentence_transformers and torch cost 5 seconds and 445 MB, and give the same vectors.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from corpus.errors import SettingsError
from index.pieces import known_pieces
from index.tokens import words
from index.types import Encoder, Vectors

BUNDLED = Path(__file__).with_name("model")
Kind = Literal["query", "passage"]

# Prefixes of model families whose folder does not say them itself.
_PREFIXES: tuple[tuple[str, str, str], ...] = (
    ("e5", "query: ", "passage: "),
    ("ruri-v3", "検索クエリ: ", "検索文書: "),
    ("ruri", "クエリ: ", "文章: "),
)


@runtime_checkable
class WordVectors(Protocol):
    """An encoder that also has a vector for single words, for the word-by-word second stage."""

    def word_vectors(self, vocabulary: list[str]) -> Vectors:
        """One unit row per word, a zero row for a word it does not know."""
        ...

    def word_weights(self, vocabulary: list[str]) -> NDArray[np.float32]:
        """How telling each word is in general text: 1 for the rarest and for a word it does not know, 0 for の."""
        ...


class StaticEncoder:
    """A saved StaticEmbedding over a WordLevel vocabulary of :func:`index.tokens.words`, read with numpy."""

    def __init__(self, folder: Path, name: str) -> None:
        from safetensors.numpy import load_file

        module = folder / _module_paths(folder)[0]
        tensors = load_file(module / "model.safetensors")
        self.name = name
        self.digest = _digest(folder)
        self._rows: NDArray[Any] = tensors["embeddings" if "embeddings" in tensors else "embedding.weight"]
        self._weights: NDArray[np.float32] | None = tensors.get("weights")
        mapping = tensors.get("mapping")
        if mapping is not None:
            self._rows = self._rows[mapping]
        self.dim = int(self._rows.shape[1])
        spec = json.loads((module / "tokenizer.json").read_text("utf-8"))["model"]
        self._ids: dict[str, int] = spec["vocab"]
        self._unknown: int = self._ids.get(spec.get("unk_token") or "", -1)
        idf = folder / "idf.npy"
        if not idf.exists():
            idf = module / "idf.npy"
        self._idf: NDArray[np.float32] | None = None
        if idf.exists():
            weights = np.load(idf)
            self._idf = weights / max(float(weights.max()), 1e-9)

    def _vectors(self, ids: list[int]) -> Vectors:
        rows = self._rows[ids].astype(np.float32)
        return rows if self._weights is None else rows * self._weights[ids, None].astype(np.float32)

    def segment(self, text: str) -> list[str]:
        """The words of ``text`` as the model's vocabulary has them; what it does not know in pieces that it knows."""
        return known_pieces(words(text), self._ids)

    def encode(self, texts: list[str], kind: Kind) -> Vectors:
        """One unit row per text (the mean of its words' vectors); a zero row where it knows no word."""
        return self._means([self.segment(text) for text in texts])

    def word_vectors(self, vocabulary: list[str]) -> Vectors:
        """See :class:`WordVectors`; an unknown word is the mean of its known pieces."""
        return self._means([known_pieces([word], self._ids) for word in vocabulary])

    def _means(self, segmented: list[list[str]]) -> Vectors:
        out = np.zeros((len(segmented), self.dim), dtype=np.float32)
        for row, pieces in zip(out, segmented, strict=True):
            if pieces:
                row += self._vectors([self._ids[p] for p in pieces]).sum(axis=0)
        return _unit(out)

    def word_weights(self, vocabulary: list[str]) -> NDArray[np.float32]:
        """See :class:`WordVectors`."""
        out = np.ones(len(vocabulary), dtype=np.float32)
        if self._idf is not None:
            for i, word in enumerate(vocabulary):
                if self._ids.get(word, self._unknown) != self._unknown:
                    out[i] = self._idf[self._ids[word]]
        return out


class ModelEncoder:
    """Any sentence-transformers model, with its own query and passage prefixes."""

    def __init__(self, source: str) -> None:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from sentence_transformers import SentenceTransformer

        try:
            self._model = SentenceTransformer(source, device="cpu")
        except Exception as error:  # whatever a broken or missing model raises, the person needs the same advice
            message = f"埋め込みモデル「{source}」を読み込めません（{error}）。HYOKA_ENCODER の名前かフォルダーを確かめてください。"
            raise SettingsError(message) from error
        self.name = Path(source).name if Path(source).is_dir() else source
        self.digest = _digest(_model_folder(source))
        self.dim = int(self._model.get_embedding_dimension())
        self._prefixes = _prefixes(self.name, dict(self._model.prompts))

    def encode(self, texts: list[str], kind: Kind) -> Vectors:
        """One unit row per text."""
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        prefix = self._prefixes[kind]
        rows = self._model.encode(
            [prefix + t for t in texts], prompt="", convert_to_numpy=True, show_progress_bar=False
        )
        return _unit(np.asarray(rows, dtype=np.float32))


def load_encoder(source: str | Path | None = None) -> Encoder:
    """The encoder a setting names: None is the bundled one, else a folder or a model name in the local cache."""
    folder = BUNDLED if source is None else Path(source)
    if folder.is_dir() and _is_word_level(folder):
        return StaticEncoder(folder, "bundled" if source is None else folder.name)
    if source is None:
        raise SettingsError("同梱の埋め込みモデルが見つかりません。hyoka をインストールし直してください。")
    return ModelEncoder(str(source))


def _module_paths(folder: Path) -> list[str]:
    return [m["path"] for m in json.loads((folder / "modules.json").read_text("utf-8"))]


def _is_word_level(folder: Path) -> bool:
    """Whether a folder is a StaticEmbedding (and nothing but a Normalize after it) over space-separated words."""
    try:
        modules = json.loads((folder / "modules.json").read_text("utf-8"))
        kinds = [m["type"].rsplit(".", 1)[-1] for m in modules]
        spec = json.loads((folder / modules[0]["path"] / "tokenizer.json").read_text("utf-8"))
    except (OSError, ValueError, KeyError, IndexError):
        return False
    plain = spec.get("normalizer") is None and (spec.get("pre_tokenizer") or {}).get("type") == "WhitespaceSplit"
    return (
        kinds in (["StaticEmbedding"], ["StaticEmbedding", "Normalize"])
        and spec["model"]["type"] == "WordLevel"
        and plain
    )


def _prefixes(name: str, prompts: dict[str, str]) -> dict[str, str]:
    """A model's own prompts where it has any, else those of its family."""
    query = prompts.get("query") or ""
    passage = prompts.get("passage") or prompts.get("document") or ""
    if not query and not passage:
        for family, q, p in _PREFIXES:
            if family in name.lower():
                query, passage = q, p
                break
    return {"query": query, "passage": passage}


def _model_folder(source: str) -> Path:
    if Path(source).is_dir():
        return Path(source)
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(source, local_files_only=True))


def _digest(folder: Path) -> str:
    """SHA-256 over the names and bytes of a model's files, without its texts for people."""
    total = hashlib.sha256()
    for file in _files(folder):
        total.update(file.relative_to(folder).as_posix().encode() + b"\0")
        with file.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()


def _files(folder: Path) -> Iterable[Path]:
    used = (
        f
        for f in folder.rglob("*")
        if f.is_file() and not any(p.startswith((".", "__")) for p in f.parts[len(folder.parts) :])
    )
    return sorted(f for f in used if f.suffix not in (".md", ".py"))


def _unit(rows: Vectors) -> Vectors:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    out: Vectors = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return out
