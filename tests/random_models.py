"""Models of real architectures, tiny and random, saved as a person would bring them: no download, same loading paths."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

# Every character the tests write; another one is the unknown token.
CHARACTERS = sorted(
    set(
        "検索クエリ文書: query passage の、。「」火葬場斎使用料を見直す戸籍システムサーバ更改図館電算貸出端末機器入れ替える"
        "今後計画事業目的評価理由令和年度千円行災害時情報伝防無線受付炉稼働準平蔵速除市民声聞くー0123456789,\n"
        "abcdefghijklmnopqrstuvwxyz"
    )
)
SPECIAL = ["<pad>", "<unk>", "<s>", "</s>"]
VOCABULARY = [*SPECIAL, "▁", *(c for c in CHARACTERS if c not in " \n")]
MODERN = dict(vocab_size=len(VOCABULARY), pad_token_id=0, bos_token_id=2, eos_token_id=3)


def unigram() -> Any:
    """A SentencePiece-like tokenizer over single characters, as ruri-v3 and E5 have one over words."""
    from tokenizers import Tokenizer
    from tokenizers.models import Unigram
    from tokenizers.pre_tokenizers import Metaspace
    from tokenizers.processors import TemplateProcessing

    tokenizer = Tokenizer(Unigram([(piece, 0.0 if piece in SPECIAL else -3.0) for piece in VOCABULARY], unk_id=1))
    tokenizer.pre_tokenizer = Metaspace()
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 2), ("</s>", 3)]
    )
    return tokenizer


def save_tokenizer(folder: Path, named: str) -> None:
    """The files of a tokenizer whose config names the class ``named``."""
    folder.mkdir(parents=True, exist_ok=True)
    unigram().save(str(folder / "tokenizer.json"))
    names = {"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>"}
    config = {"tokenizer_class": named, "pad_token": "<pad>", "unk_token": "<unk>", **names}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")


def save_transformer(folder: Path, kind: str, seed: int = 0, half: bool = False) -> Path:
    """A plain transformers folder: ``modernbert`` (as ruri-v3), ``xlm-roberta`` (as E5), ``bert`` or a classifier."""
    import torch
    import transformers

    torch.manual_seed(seed)
    size = dict(vocab_size=len(VOCABULARY), hidden_size=32, intermediate_size=48, num_hidden_layers=2)
    size |= dict(num_attention_heads=2, pad_token_id=0)
    if kind == "modernbert":
        ends = dict(bos_token_id=2, eos_token_id=3, cls_token_id=2, sep_token_id=3)
        config = transformers.ModernBertConfig(**size, **ends, max_position_embeddings=128)
        model = transformers.ModernBertModel(config)
    elif kind == "xlm-roberta":
        model = transformers.XLMRobertaModel(transformers.XLMRobertaConfig(**size, max_position_embeddings=66))
    elif kind == "bert":
        model = transformers.BertModel(transformers.BertConfig(**size, max_position_embeddings=128))
    else:
        config = transformers.BertConfig(**size, max_position_embeddings=128, num_labels=int(kind.split("-")[1]))
        model = transformers.BertForSequenceClassification(config)
    (model.half() if half else model).save_pretrained(str(folder))
    named = {"modernbert": "LlamaTokenizer", "xlm-roberta": "XLMRobertaTokenizer", "bert": "XLMRobertaTokenizer"}
    save_tokenizer(folder, named.get(kind, "PreTrainedTokenizerFast"))
    return folder


def as_sentence_transformer(folder: Path, into: Path, **prompts: str) -> Path:
    """The plain folder again with the files of sentence-transformers: mean pooling, normalised, its prompts."""
    shutil.copytree(folder, into)
    kinds = {"": "Transformer", "1_Pooling": "Pooling", "2_Normalize": "Normalize"}
    modules = [
        {"idx": n, "name": str(n), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for n, (path, kind) in enumerate(kinds.items())
    ]
    (into / "modules.json").write_text(json.dumps(modules), "utf-8")
    (into / "1_Pooling").mkdir()
    width = json.loads((into / "config.json").read_text("utf-8"))["hidden_size"]
    pooling = {"word_embedding_dimension": width, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}
    (into / "1_Pooling" / "config.json").write_text(json.dumps(pooling), "utf-8")
    (into / "sentence_bert_config.json").write_text('{"max_seq_length": 64, "do_lower_case": false}', "utf-8")
    if prompts:
        (into / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts}), "utf-8")
    return into  # 2_Normalize is an empty folder, and neither git nor a download brings empty folders along


def save_static(folder: Path, model2vec: bool = False) -> Path:
    """A StaticEmbedding with a tokenizer of its own; ``model2vec``: as that library saves it, without modules.json."""
    from safetensors.numpy import save_file

    rows = np.random.default_rng(1).normal(size=(len(VOCABULARY), 24)).astype(np.float32)
    at = folder if model2vec else folder / "0_StaticEmbedding"
    at.mkdir(parents=True)
    unigram().save(str(at / "tokenizer.json"))
    save_file({"embeddings" if model2vec else "embedding.weight": rows}, str(at / "model.safetensors"))
    if model2vec:
        (at / "config.json").write_text('{"model_type": "model2vec", "normalize": true}', "utf-8")
    else:
        kind = "sentence_transformers.models.StaticEmbedding"
        modules = [{"idx": 0, "name": "0", "path": "0_StaticEmbedding", "type": kind}]
        (folder / "modules.json").write_text(json.dumps(modules), "utf-8")
    return folder


def by_hand(folder: Path, text: str) -> np.ndarray:
    """The mean of the last hidden states over all tokens of ``text``, at length 1: computed with transformers alone."""
    import torch
    from transformers import AutoModel

    ids = torch.tensor([unigram().encode(text).ids])
    with torch.no_grad():
        states = AutoModel.from_pretrained(str(folder), dtype=torch.float32)(ids).last_hidden_state[0]
    mean = states.mean(axis=0).numpy()
    return np.asarray(mean / np.linalg.norm(mean))
