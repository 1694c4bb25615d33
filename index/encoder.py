"""Encoders: texts to unit vectors, the bundled one by default, any sentence-transformers model by name or folder.

The bundled encoder is a StaticEmbedding (one vector a word, a text is their mean). Such a model is read here with
numpy alone: sentence_transformers and torch cost 5 seconds and 445 MB, and give the same vectors.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from corpus.errors import SettingsError
from index.arrays import loaded
from index.modelencoder import ModelEncoder
from index.modelfolder import digest as _digest
from index.pieces import known_pieces
from index.tokens import words
from index.types import Encoder, Vectors
from index.types import unit as _unit

BUNDLED = Path(__file__).with_name("model")
Kind = Literal["query", "passage"]
_NUMBERS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I8": "|i1"}


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
        from safetensors import safe_open

        module = folder / _module_paths(folder)[0]
        weights = module / "model.safetensors"
        with safe_open(weights, framework="numpy") as file:
            names = set(file.keys())
            rows = "embeddings" if "embeddings" in names else "embedding.weight"
            tensors = {name: file.get_tensor(name) for name in names - {rows}}
            self._rows: NDArray[Any] = (
                mapped_tensor(weights, rows) if file.get_slice(rows).get_dtype() in _NUMBERS else file.get_tensor(rows)
            )
            # The columns after these tell words apart and say nothing of what they mean.
            self._meaning = int((file.metadata() or {}).get("meaning", 0)) or None
        self.name, self._folder = name, folder
        self.digest = _digest(folder)
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
            rarity: NDArray[np.float32] = loaded(idf)
            self._idf = rarity / max(float(rarity.max()), 1e-9)

    def __reduce__(self) -> tuple[Any, ...]:
        """In another process it is read from its folder, once."""
        return _static, (self._folder, self.name)

    def _vectors(self, ids: list[int]) -> Vectors:
        rows = self._rows[ids].astype(np.float32)
        return rows if self._weights is None else rows * self._weights[ids, None].astype(np.float32)

    def segment(self, text: str) -> list[str]:
        """The words of ``text`` as the model's vocabulary has them; what it does not know in pieces that it knows."""
        return known_pieces(words(text), self._ids)

    def encode(self, texts: list[str], kind: Kind) -> Vectors:
        """One unit row per text (the mean of its words' vectors); a zero row where it knows no word."""
        return _unit(self._sums([self.segment(text) for text in texts]))

    def word_vectors(self, vocabulary: list[str]) -> Vectors:
        """See :class:`WordVectors`; an unknown word is the mean of its known pieces.

        Rows hold meaning alone, so they may be shorter than :attr:`dim`.
        """
        rows = self._sums([known_pieces([word], self._ids) for word in vocabulary])
        return _unit(rows[:, : self._meaning])

    def _sums(self, segmented: list[list[str]]) -> Vectors:
        out = np.zeros((len(segmented), self.dim), dtype=np.float32)
        for row, pieces in zip(out, segmented, strict=True):
            if pieces:
                row += self._vectors([self._ids[p] for p in pieces]).sum(axis=0)
        return out

    def word_weights(self, vocabulary: list[str]) -> NDArray[np.float32]:
        """See :class:`WordVectors`."""
        out = np.ones(len(vocabulary), dtype=np.float32)
        if self._idf is not None:
            for i, word in enumerate(vocabulary):
                if self._ids.get(word, self._unknown) != self._unknown:
                    out[i] = self._idf[self._ids[word]]
        return out


@lru_cache(maxsize=2)
def _static(folder: Path, name: str) -> StaticEncoder:
    return StaticEncoder(folder, name)


def mapped_tensor(file: Path, name: str) -> NDArray[Any]:
    """A tensor of a safetensors file, mapped: processes that use the same model share its pages.

    The file begins with the length of its JSON header in eight bytes; offsets count from the header's end.
    """
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        told = json.loads(stream.read(length))[name]
    begin = 8 + length + told["data_offsets"][0]
    return np.memmap(file, _NUMBERS[told["dtype"]], "r", begin, tuple(told["shape"]))


def load_encoder(
    source: str | Path | None = None, query_prefix: str | None = None, passage_prefix: str | None = None
) -> Encoder:
    """The encoder a setting names: None is the bundled one, else a folder or a model name in the local cache.

    A prefix that is None is the model's own. Raises SettingsError with the next step for a model that cannot be used.
    """
    folder = BUNDLED if source is None else Path(source).expanduser()
    if folder.is_dir() and _is_word_level(folder):
        if query_prefix or passage_prefix:
            raise SettingsError(
                "単語を並べるだけの埋め込みモデル（同梱のモデルなど）に前置きは付けられません。"
                "HYOKA_QUERY_PREFIX と HYOKA_PASSAGE_PREFIX を外してください。"
            )
        return StaticEncoder(folder, "bundled" if source is None else folder.name)
    if source is None:
        raise SettingsError("同梱の埋め込みモデルが見つかりません。hyoka をインストールし直してください。")
    return ModelEncoder(str(source), query_prefix, passage_prefix)


def small_encoder(encoder: Encoder) -> Encoder:
    """For single words and many sentences: the encoder itself where it has a vector a word, else the bundled one.

    A large model takes milliseconds a text, and what compares words was measured with vectors of words.
    """
    return encoder if isinstance(encoder, WordVectors) else load_encoder()


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
