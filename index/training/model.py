"""The encoder's matrix on disk and in numpy: the sentence-transformers folder that is bundled, written and read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.pieces import known_pieces
from index.types import Vectors

UNKNOWN = "[UNK]"
MEANING = "meaning"  # of the tensors' metadata: how many columns are compared word by word


@dataclass(frozen=True, slots=True)
class WordVectors:
    """``matrix[ids[word]]`` is a word's vector, its length the weight in a mean; row 0 is the unknown word, all zero.

    The first ``meaning`` columns say what words mean, the others tell words apart (0: all columns are meaning).
    """

    ids: dict[str, int]
    matrix: Vectors
    idf: NDArray[np.float32]
    meaning: int = 0

    def token_ids(self, words: list[str]) -> NDArray[np.int32]:
        """Row numbers of the words, unknown ones broken into known pieces."""
        return np.array([self.ids[word] for word in known_pieces(words, self.ids)], np.int32)

    def pooled(self, words: list[str]) -> Vectors:
        """The unit vector of a text, what the sentence-transformers model gives (a text of unknown words: zeros)."""
        mean = self.matrix[self.token_ids(words)].sum(axis=0)
        length = float(np.linalg.norm(mean))
        return np.asarray(mean / length if length else mean, np.float32)


def save(vectors: WordVectors, folder: Path) -> None:
    """Write the folder: 8-bit rows of length 1 with a float32 weight each, which sentence-transformers folds itself."""
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit

    peak = np.maximum(np.abs(vectors.matrix).max(axis=1), 1e-12)
    codes = np.rint(vectors.matrix / peak[:, None] * 127).astype(np.int8)
    inner = folder / "0_StaticEmbedding"
    inner.mkdir(parents=True, exist_ok=True)
    (folder / "1_Normalize").mkdir(exist_ok=True)
    save_file(
        {"embeddings": codes, "weights": (peak / 127).astype(np.float32)},
        inner / "model.safetensors",
        metadata={"format": "pt", MEANING: str(vectors.meaning)},
    )
    tokenizer = Tokenizer(WordLevel(vectors.ids, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.save(str(inner / "tokenizer.json"), pretty=False)
    np.save(folder / "idf.npy", vectors.idf.astype(np.float32))
    package = "sentence_transformers.sentence_transformer.modules"
    modules = [
        {"idx": 0, "name": "0", "path": inner.name, "type": f"{package}.static_embedding.StaticEmbedding"},
        {"idx": 1, "name": "1", "path": "1_Normalize", "type": f"{package}.normalize.Normalize"},
    ]
    (folder / "modules.json").write_text(json.dumps(modules, indent=2) + "\n")
    (folder / "1_Normalize" / "config.json").write_text("{}\n")
    settings = {
        "model_type": "SentenceTransformer",
        "prompts": {"query": "", "document": ""},
        "default_prompt_name": None,
        "similarity_fn_name": "cosine",
    }
    (folder / "config_sentence_transformers.json").write_text(json.dumps(settings, indent=2) + "\n")


def load(folder: Path) -> WordVectors:
    """Read what :func:`save` wrote, with numpy alone."""
    from safetensors import safe_open

    with safe_open(folder / "0_StaticEmbedding" / "model.safetensors", framework="numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping, has keys() only
        meaning = int((file.metadata() or {}).get(MEANING, 0))
    vocabulary = json.loads((folder / "0_StaticEmbedding" / "tokenizer.json").read_text(encoding="utf-8"))
    matrix = tensors["embeddings"].astype(np.float32) * tensors["weights"][:, None]
    return WordVectors(vocabulary["model"]["vocab"], matrix, np.load(folder / "idf.npy"), meaning)
