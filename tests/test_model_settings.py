"""The settings that name models, through the commands and the server."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from random_models import save_transformer

from assistant.cli import run
from assistant.opening import encoder_of, open_index
from assistant.settings import load_settings
from corpus.errors import SettingsError
from index.modelencoder import ModelEncoder

SHEET = Path(__file__).parents[1] / "corpus" / "samples" / "files" / "hokuto_hyoka_r6.html"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("sentence_transformers")
    root = tmp_path_factory.mktemp("models")
    save_transformer(root / "ruri-v3-30m", "modernbert")
    save_transformer(root / "reranker", "classifier-1")
    return root


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def search(capsys: pytest.CaptureFixture[str]) -> tuple[list[Any], str]:
    assert run(["search", "保育の目的", "-k", "200", "--json"]) == 0
    told = capsys.readouterr()
    return json.loads(told.out)["hits"], told.err


def test_a_model_from_a_stick_is_named_once_and_used_by_every_command(
    models: Path, work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (work / "hyoka.toml").write_text(f'encoder = "{models / "ruri-v3-30m"}"\n', "utf-8")
    assert run(["index", str(SHEET)]) == 0
    told = capsys.readouterr().err
    assert "埋め込みモデル ruri-v3-30m：32次元、質問に「検索クエリ: 」、本文に「検索文書: 」を前置き" in told
    plain, note = search(capsys)
    assert plain and note == ""
    assert run(["ask", "一時預かり保育事業の目的は？"]) == 0
    capsys.readouterr()

    monkeypatch.setenv("HYOKA_RERANKER", str(models / "reranker"))
    monkeypatch.setenv("HYOKA_RERANKER_MS", "60000")
    reordered, note = search(capsys)
    assert note == "" and sorted(h["text"] for h in reordered) == sorted(h["text"] for h in plain)
    assert [h["score"] for h in reordered] == [h["score"] for h in plain]

    # Another prefix is another index.
    monkeypatch.setenv("HYOKA_PASSAGE_PREFIX", "文章: ")
    assert run(["search", "保育"]) == 1
    assert "HYOKA_PASSAGE_PREFIX" in (told := capsys.readouterr().err) and "作り直して" in told


def test_the_server_searches_with_the_models(
    models: Path, work: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastapi.testclient import TestClient

    from assistant.api import create_api
    from assistant.session import Assistant
    from assistant.store import FeedbackStore

    monkeypatch.setenv("HYOKA_ENCODER", str(models / "ruri-v3-30m"))
    monkeypatch.setenv("HYOKA_RERANKER", str(models / "reranker"))
    monkeypatch.setenv("HYOKA_RERANKER_MS", "60000")
    assert run(["index", str(SHEET)]) == 0
    capsys.readouterr()
    index = open_index(load_settings(), reranked=True)
    client = TestClient(create_api(Assistant(index), FeedbackStore(":memory:")))
    found = client.get("/api/v1/search", params={"q": "保育の目的"}).json()
    assert found["hits"] and [h["score"] for h in found["hits"]] == sorted(
        (h["score"] for h in found["hits"]), reverse=True
    )
    answer = client.post("/api/v1/ask", json={"question": "一時預かり保育事業の目的は？"}).json()
    assert answer["citations"] and not answer["abstained"]
    assert index.search("保育の目的", 3).reranked > 1


def test_a_slow_reranker_is_told_beside_the_hits(
    models: Path, work: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow:
        name = "slow"
        now = 0.0

        def scores(self, query: str, texts: list[str]) -> Any:
            import numpy as np

            Slow.now += len(texts)
            return np.zeros(len(texts), np.float32)

    from index import reranker

    slow = reranker.TimedReranker(Slow(), 300, lambda: Slow.now)
    monkeypatch.setattr(reranker, "load_reranker", lambda source, ms: slow)
    shutil.copy(SHEET, work)
    assert run(["index", SHEET.name]) == 0
    capsys.readouterr()
    hits, note = search(capsys)
    assert hits and "並べ替えのモデル slow は 300ミリ秒に間に合わない" in note


def test_a_prefix_keeps_its_space_and_may_be_empty_in_the_file(
    models: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (work / "hyoka.toml").write_text(f'encoder = "{models / "ruri-v3-30m"}"\npassage_prefix = ""\n', "utf-8")
    monkeypatch.setenv("HYOKA_QUERY_PREFIX", "問い: ")
    encoder = encoder_of(load_settings())
    assert isinstance(encoder, ModelEncoder)
    assert (encoder.prefixes.query, encoder.prefixes.passage, encoder.prefixes.known_from) == ("問い: ", "", "設定")


def test_the_settings_of_models_are_checked(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings()
    assert (settings.encoder, settings.reranker, settings.reranker_ms) == (None, None, 300)
    for wrong in ("5", "70000", "速く"):
        monkeypatch.setenv("HYOKA_RERANKER_MS", wrong)
        with pytest.raises(SettingsError, match="HYOKA_RERANKER_MS"):
            load_settings()


def test_a_reranker_that_is_not_there_stops_the_start_with_a_sentence(
    models: Path, work: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["index", str(SHEET)]) == 0
    monkeypatch.setenv("HYOKA_RERANKER", str(work / "nothing"))
    capsys.readouterr()
    assert run(["search", "保育"]) == 1
    assert "HYOKA_RERANKER" in capsys.readouterr().err
    assert run(["sheets"]) == 0  # what does not search does not load it
