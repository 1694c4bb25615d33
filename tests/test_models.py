"""Encoders that a person brings: real architectures, tiny and random, loaded, indexed and searched without a network."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from random_models import as_sentence_transformer, by_hand, save_transformer, unigram

from corpus.errors import SettingsError
from index.encoder import load_encoder
from index.modelencoder import ModelEncoder, token_limit
from index.modelfolder import ModelFolder, digest, find_model
from index.prefixes import recognise

pytestmark = pytest.mark.usefixtures("no_network")


def copied(folder: Path, into: Path, name: str = "model") -> Path:
    return Path(shutil.copytree(folder, into / name))


def a_card(folder: Path, text: str) -> Path:
    (folder / "README.md").write_text(text, "utf-8")
    return folder


# Loading


@pytest.mark.parametrize("kind", ["modernbert", "xlm-roberta", "bert", "st"])
def test_a_transformer_gives_the_mean_of_its_states_after_the_prefix(models: Path, kind: str) -> None:
    encoder = load_encoder(models / kind, "query: ", "検索文書: ")
    plain = models / ("modernbert" if kind == "st" else kind)
    assert encoder.dim == 32
    for text in ("火葬場の使用料を見直す", "サーバ"):
        np.testing.assert_allclose(encoder.encode([text], "query")[0], by_hand(plain, f"query: {text}"), atol=2e-5)
        np.testing.assert_allclose(encoder.encode([text], "passage")[0], by_hand(plain, f"検索文書: {text}"), atol=2e-5)
    assert not np.allclose(encoder.encode(["サーバ"], "query"), encoder.encode(["サーバ"], "passage"), atol=1e-3)


def test_a_batch_gives_what_its_texts_give_alone(models: Path) -> None:
    encoder = load_encoder(models / "modernbert")
    texts = ["火", "火葬場の使用料を見直す。" * 5, "戸籍システム"] * 15
    together = encoder.encode(texts, "passage")
    assert together.shape == (45, 32) and together.dtype == np.float32
    np.testing.assert_allclose(together[1], encoder.encode([texts[1]], "passage")[0], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert encoder.encode([], "query").shape == (0, 32)


@pytest.mark.parametrize("kind", ["static", "model2vec"])
def test_a_static_model_with_its_own_tokenizer_is_the_mean_of_its_rows(models: Path, kind: str) -> None:
    from safetensors.numpy import load_file

    (file,) = (models / kind).rglob("model.safetensors")
    (rows,) = load_file(file).values()
    encoder = load_encoder(models / kind)
    mean = rows[unigram().encode("戸籍の更改", add_special_tokens=False).ids].mean(axis=0)
    np.testing.assert_allclose(encoder.encode(["戸籍の更改"], "query")[0], mean / np.linalg.norm(mean), atol=1e-5)
    assert isinstance(encoder, ModelEncoder) and (encoder.prefixes.query, encoder.prefixes.passage) == ("", "")


@pytest.mark.parametrize("kind", ["modernbert", "xlm-roberta", "bert"])
def test_a_text_longer_than_the_model_is_cut(models: Path, kind: str) -> None:
    long = "火葬場の使用料を見直す。" * 80
    rows = load_encoder(models / kind).encode([long, long + "斎場"], "query")
    assert np.isfinite(rows).all()
    np.testing.assert_allclose(rows[0], rows[1], atol=1e-5)


def test_positions_behind_the_padding_are_not_counted() -> None:
    assert token_limit({"model_type": "xlm-roberta", "max_position_embeddings": 514, "pad_token_id": 1}) == 512
    assert token_limit({"model_type": "bert", "max_position_embeddings": 512, "pad_token_id": 0}) == 512
    assert token_limit({"model_type": "modernbert", "max_position_embeddings": 8192, "pad_token_id": 3}) == 512
    assert token_limit({"model_type": "roberta", "max_position_embeddings": 66, "pad_token_id": 0}) == 65


def test_weights_of_half_precision_are_computed_in_full(models: Path) -> None:
    encoder = load_encoder(models / "xlm-roberta")
    assert isinstance(encoder, ModelEncoder)
    assert {str(p.dtype) for p in encoder._model.parameters()} == {"torch.float32"}


def test_words_are_cut_as_the_tokenizer_file_says(models: Path) -> None:
    # transformers rebuilds XLMRobertaTokenizer from the vocabulary, with other numbers than tokenizer.json.
    for kind in ("modernbert", "xlm-roberta", "bert"):
        encoder = load_encoder(models / kind)
        assert isinstance(encoder, ModelEncoder)
        text = "検索クエリ: 令和7年度の火葬場"
        assert encoder._model.tokenizer(text)["input_ids"] == unigram().encode(text).ids


# Prefixes


def folder_named(name: str, card: str = "", **config: str) -> ModelFolder:
    return ModelFolder(Path("x"), name, dict(config), (), card)


@pytest.mark.parametrize(
    ("folder", "query", "passage"),
    [
        (folder_named("multilingual-e5-small"), "query: ", "passage: "),
        (folder_named("intfloat/multilingual-e5-base"), "query: ", "passage: "),
        (folder_named("ruri-v3-30m"), "検索クエリ: ", "検索文書: "),
        (folder_named("cl-nagoya/ruri-v3-310m"), "検索クエリ: ", "検索文書: "),
        (folder_named("ruri-base-v2"), "クエリ: ", "文章: "),
        (folder_named("model", _name_or_path="/data/intfloat_multilingual-e5-small/"), "query: ", "passage: "),
        (folder_named("model", "---\nbase_model: cl-nagoya/ruri-v3-pt-30m\n---\n"), "検索クエリ: ", "検索文書: "),
        (folder_named("model", "---\nmodel-index:\n- name: multilingual-e5-large\n---\n"), "query: ", "passage: "),
        (
            folder_named("model", "質問は「検索クエリ: 」、本文は「検索文書: 」で始めます。"),
            "検索クエリ: ",
            "検索文書: ",
        ),
        (folder_named("model"), "", ""),
        (folder_named("time5-base"), "", ""),
        (folder_named("bge-m3"), "", ""),
    ],
)
def test_the_family_is_known_by_name_config_or_card(folder: ModelFolder, query: str, passage: str) -> None:
    found = recognise(folder, {"query": "", "document": ""})
    assert (found.query, found.passage) == (query, passage)
    assert bool(found.known_from) == bool(query)


def test_an_instructed_e5_gets_its_instruction() -> None:
    found = recognise(folder_named("multilingual-e5-large-instruct"), {})
    assert found.query.startswith("Instruct: ") and found.query.endswith("\nQuery: ") and found.passage == ""


def test_a_models_own_prompts_come_before_its_family(models: Path, tmp_path: Path) -> None:
    folder = as_sentence_transformer(models / "modernbert", tmp_path / "ruri-v3-30m", query="問: ", document="文: ")
    encoder = load_encoder(folder)
    assert isinstance(encoder, ModelEncoder)
    assert (encoder.prefixes.query, encoder.prefixes.passage) == ("問: ", "文: ")
    np.testing.assert_allclose(encoder.encode(["火"], "query")[0], by_hand(models / "modernbert", "問: 火"), atol=2e-5)


def test_a_prefix_of_the_settings_comes_first_and_an_empty_one_is_none(models: Path, tmp_path: Path) -> None:
    folder = copied(models / "modernbert", tmp_path, "ruri-v3-30m")
    encoder = load_encoder(folder, query_prefix="")
    assert isinstance(encoder, ModelEncoder)
    assert (encoder.prefixes.query, encoder.prefixes.passage) == ("", "検索文書: ")
    np.testing.assert_allclose(encoder.encode(["火"], "query")[0], by_hand(folder, "火"), atol=2e-5)
    assert "検索文書: " in encoder.about
    assert "前置きなし" in load_encoder(models / "bert").about  # type: ignore[attr-defined]
    with pytest.raises(SettingsError, match="HYOKA_QUERY_PREFIX"):
        load_encoder(None, "query: ")


# What is copied wrong


def test_half_a_model_is_said_before_it_is_loaded(models: Path, tmp_path: Path) -> None:
    def broken(name: str, breaks: Callable[[Path], object], source: str = "modernbert") -> str:
        folder = copied(models / source, tmp_path, name)
        breaks(folder)
        with pytest.raises(SettingsError) as told:
            find_model(str(folder), "HYOKA_ENCODER")
        assert "HYOKA_ENCODER" in told.value.message and str(folder) in told.value.message
        return told.value.message

    def cut(file: Path) -> None:
        file.write_bytes(file.read_bytes()[:-100])

    assert "途中で切れ" in broken("cut", lambda f: cut(f / "model.safetensors"))
    assert "途中で切れ" in broken("zeros", lambda f: (f / "model.safetensors").write_bytes(bytes(500)))
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    assert "git lfs pull" in broken("lfs", lambda f: (f / "model.safetensors").write_bytes(pointer))
    assert "model.safetensors" in broken("no-weights", lambda f: (f / "model.safetensors").unlink())
    assert "tokenizer.json" in broken("no-tokenizer", lambda f: (f / "tokenizer.json").unlink())
    assert "config.json" in broken("no-config", lambda f: (f / "config.json").unlink())
    assert "model_type" in broken("no-type", lambda f: (f / "config.json").write_text("{}"))
    assert "1_Pooling/config.json" in broken("no-pooling", lambda f: shutil.rmtree(f / "1_Pooling"), "st")
    own = json.dumps([{"idx": 0, "name": "0", "path": "", "type": "custom_st.Transformer"}])
    assert "独自のプログラム" in broken("own", lambda f: (f / "modules.json").write_text(own))
    index = json.dumps({"weight_map": {"a": "model-00001-of-00002.safetensors"}})

    def sharded(folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        (folder / "model.safetensors.index.json").write_text(index)

    assert "model-00001-of-00002.safetensors" in broken("shards", sharded)


def test_a_folder_in_a_folder_and_a_file_are_told(models: Path, tmp_path: Path) -> None:
    (tmp_path / "outer").mkdir()
    inner = copied(models / "bert", tmp_path / "outer")
    with pytest.raises(SettingsError, match=str(inner)):
        load_encoder(tmp_path / "outer")
    (tmp_path / "model.zip").write_bytes(b"PK")
    with pytest.raises(SettingsError, match="展開"):
        load_encoder(tmp_path / "model.zip")


def test_a_name_that_is_not_in_the_cache_is_told_and_one_that_is_loads(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError, match="ネットワークからは取得しません"):
        load_encoder("example/no-such-model")
    cache = tmp_path / "models--example--ruri-v3-tiny"
    shutil.copytree(models / "modernbert", cache / "snapshots" / "abc")
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("abc")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(
        "huggingface_hub.snapshot_download", lambda name, local_files_only: str(cache / "snapshots" / "abc")
    )
    named = load_encoder("example/ruri-v3-tiny")
    by_path = load_encoder(cache)  # the cache's folder copied as it is
    assert isinstance(named, ModelEncoder) and isinstance(by_path, ModelEncoder)
    assert named.name == "example/ruri-v3-tiny" and named.prefixes.query == by_path.prefixes.query == "検索クエリ: "
    assert named.digest == by_path.digest


def test_the_wrong_kind_of_model_is_told(models: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="HYOKA_RERANKER"):
        load_encoder(save_transformer(tmp_path / "reranker", "classifier-1"))
    mixed = copied(models / "bert", tmp_path, "mixed")
    shutil.copy(models / "modernbert" / "model.safetensors", mixed)
    with pytest.raises(SettingsError, match="別のモデル"):
        load_encoder(mixed)
    strange = copied(models / "bert", tmp_path, "strange")
    config = json.loads((strange / "config.json").read_text("utf-8")) | {"model_type": "no-such-type"}
    (strange / "config.json").write_text(json.dumps(config))
    with pytest.raises(SettingsError, match="読み込めません"):
        load_encoder(strange)


def test_weights_that_are_no_numbers_are_told(models: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    folder = copied(models / "bert", tmp_path)
    tensors = load_file(folder / "model.safetensors")
    save_file({name: np.full_like(rows, np.nan) for name, rows in tensors.items()}, folder / "model.safetensors")
    with pytest.raises(SettingsError, match="壊れています"):
        load_encoder(folder)


def test_a_machine_without_the_library_is_told(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sentence_transformers", None)
    with pytest.raises(SettingsError, match="pip install sentence-transformers"):
        load_encoder(models / "bert")


# Identity


def test_the_digest_is_of_what_makes_the_vectors(models: Path, tmp_path: Path) -> None:
    folder = copied(models / "modernbert", tmp_path)
    files = digest(folder)
    a_card(folder, "a card")
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model.onnx").write_bytes(b"another form")
    (folder / "pytorch_model.bin").write_bytes(b"another form")
    assert digest(folder) == files
    encoder = load_encoder(folder)
    assert load_encoder(folder).digest == encoder.digest
    assert len({encoder.digest, load_encoder(folder, "問: ").digest, load_encoder(folder, None, "問: ").digest}) == 3
    (folder / "config.json").write_text((folder / "config.json").read_text() + " ")
    assert digest(folder) != files
