"""Transformers as encoders: any sentence-transformers, plain Hugging Face or model2vec folder, read offline."""

from __future__ import annotations

import hashlib
import json
import logging
from typing import Any, Literal

import numpy as np

from corpus.errors import SettingsError
from index.modelfolder import ModelFolder, digest, find_model
from index.prefixes import Prefixes, recognise
from index.runtime import sentence_transformers
from index.types import Vectors, unit

logger = logging.getLogger(__name__)

MAX_TOKENS = 512  # a passage is at most 250 characters; a pasted page as a question must not take minutes
BATCH = 32  # texts in memory at once: some tens of MB for a base model
_SETTING = "HYOKA_ENCODER"
_PROBE = "市民の声を聞く。"
_CUT = "検索文書: 令和7年度の火葬場の使用料、1,234千円（ｻｰﾊﾞｰ ai-ocr）。\n"


class ModelEncoder:
    """A model with its own query and passage prefixes; ``digest`` covers its files and the prefixes in use."""

    def __init__(self, source: str, query_prefix: str | None = None, passage_prefix: str | None = None) -> None:
        folder = find_model(source, _SETTING)
        if folder.classifies:
            message = f"モデル「{source}」は検索結果を並べ替えるモデルです。HYOKA_ENCODER ではなく HYOKA_RERANKER に指定してください。"
            raise SettingsError(message)
        try:
            self._model = _loaded(folder)
            known = recognise(folder, dict(self._model.prompts))
            probe = np.asarray(self._model.encode([_PROBE], prompt="", show_progress_bar=False))
        except SettingsError:
            raise
        except Exception as error:  # whatever a broken or strange model raises, the person needs the same advice
            message = f"埋め込みモデル「{source}」を読み込めません（{first_line(error)}）。HYOKA_ENCODER のモデルの種類とファイルを確かめてください。"
            raise SettingsError(message) from error
        if not np.isfinite(probe).all():
            message = f"埋め込みモデル「{source}」の出す値が壊れています。ファイルを写し直して、チェックサム（SHA-256）を比べてください。"
            raise SettingsError(message)
        self.name = folder.name
        self.dim = int(probe.shape[1])
        self.prefixes = Prefixes(
            known.query if query_prefix is None else query_prefix,
            known.passage if passage_prefix is None else passage_prefix,
            known.known_from if query_prefix is None and passage_prefix is None else "設定",
        )
        # Vectors made with another prefix are other vectors, so an index made with them is out of date.
        identity = f"{digest(folder.path)}\0{self.prefixes.query}\0{self.prefixes.passage}"
        self.digest = hashlib.sha256(identity.encode()).hexdigest()

    def encode(self, texts: list[str], kind: Literal["query", "passage"]) -> Vectors:
        """One unit row per text; longer texts are cut at the model's length (at most 512 tokens)."""
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        # As a prompt and not as part of the text: some models leave the prompt out of their mean.
        query = kind == "query"
        through = self._model.encode_query if query else self._model.encode_document
        rows = through(
            texts,
            prompt=self.prefixes.query if query else self.prefixes.passage,
            batch_size=BATCH,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return unit(np.asarray(rows, dtype=np.float32))

    @property
    def about(self) -> str:
        """A Japanese line on what was loaded, for the person who set it up."""
        known = f"（{self.prefixes.known_from}）" if self.prefixes.known_from else ""
        said = f"質問に「{self.prefixes.query}」、本文に「{self.prefixes.passage}」を前置き{known}"
        if not self.prefixes.query and not self.prefixes.passage:
            said = "前置きなし（要るモデルなら HYOKA_QUERY_PREFIX と HYOKA_PASSAGE_PREFIX で指定）"
        return f"埋め込みモデル {self.name}：{self.dim}次元、{said.replace(chr(10), '⏎')}"


def _loaded(folder: ModelFolder) -> Any:
    library = sentence_transformers()
    if folder.is_model2vec:
        modules = library.sentence_transformer.modules
        static = modules.StaticEmbedding.load(str(folder.path), local_files_only=True)
        return library.SentenceTransformer(modules=[static, modules.Normalize()], device="cpu")
    model = library.SentenceTransformer(
        str(folder.path),
        device="cpu",
        local_files_only=True,
        trust_remote_code=False,
        model_kwargs={"dtype": "float32"},  # weights kept in half precision are several times slower on a CPU
    )
    if model.transformers_model is not None:
        check_weights(model.transformers_model, folder)
        keep_tokenizer(model, folder)
        model.max_seq_length = min(model.max_seq_length or MAX_TOKENS, token_limit(folder.config))
    return model


def token_limit(config: dict[str, Any]) -> int:
    """How many tokens a model can take, at most :data:`MAX_TOKENS`.

    RoBERTa counts positions from behind the padding's number, so of 514 it has 512; a folder without the files of
    sentence-transformers does not say so, and one token too many is an IndexError from deep within torch.
    """
    positions = int(config.get("max_position_embeddings") or MAX_TOKENS)
    if "roberta" in str(config.get("model_type")) or config.get("model_type") == "camembert":
        padding = config.get("pad_token_id")
        positions -= (1 if padding is None else int(padding)) + 1
    return min(positions, MAX_TOKENS)


def check_weights(model: Any, folder: ModelFolder) -> None:
    """Raises ValueError where most of a model's weights are not in its file: transformers fills them with noise."""
    file = folder.path / "model.safetensors"
    if not file.exists():
        return
    with file.open("rb") as stream:
        header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    in_file = {name.rsplit(".", 2)[-2] for name in header if name.count(".") > 1}
    wanted = {name.rsplit(".", 2)[-2] for name, _ in model.named_parameters() if name.count(".") > 1}
    if wanted and len(wanted & in_file) < len(wanted) / 2:
        raise ValueError("config.json と model.safetensors が別のモデルのものです")


def keep_tokenizer(model: Any, folder: ModelFolder) -> None:
    """Sees to it that words are cut as ``tokenizer.json`` says, which is how the model was trained.

    transformers 5 builds the tokenizer class that config.json names (LlamaTokenizer, XLMRobertaTokenizer) anew from the
    vocabulary, which for some folders gives other numbers, even ones behind the last (its issue 45812 and others).
    """
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    at = folder.path / (folder.modules[0].get("path", "") if folder.modules else "")
    if not (at / "tokenizer.json").is_file():
        return
    trained = Tokenizer.from_file(str(at / "tokenizer.json"))
    trained.no_truncation()
    trained.no_padding()
    if model.tokenizer is None or model.tokenizer(_CUT)["input_ids"] != trained.encode(_CUT).ids:
        model[0].processor = PreTrainedTokenizerFast.from_pretrained(str(at), local_files_only=True)


def first_line(error: Exception) -> str:
    """What an exception of a library says, short enough for a sentence."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
