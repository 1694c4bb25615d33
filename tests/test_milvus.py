"""Milvus as the first stage of a search, on Milvus Lite: it finds what the files find."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_encoder import FakeEncoder
from lite import QUERIES, found, sent_with
from lite import engine as engine
from test_snapshot import reading

from index.engines.milvusengine import MilvusEngine
from index.engines.milvusserver import MilvusServer
from index.engines.milvusstate import SentSnapshots
from index.snapshot import Snapshot
from index.types import PERSON_FIELD, Filters


def test_an_index_in_milvus_finds_what_its_files_find(tmp_path: Path, engine: MilvusEngine) -> None:
    remote = sent_with(engine, tmp_path / "index")
    local = Snapshot.open(tmp_path / "index", FakeEncoder())
    for filters in (
        Filters(),
        Filters(municipality=("甲市",)),
        Filters(fiscal_year=(2022,)),
        Filters(department=("市民課",)),
        Filters(section=("今後の計画",)),
        Filters(municipality=("乙市",), section=("評価理由",)),
        Filters(budget=("1,000万〜1億円",)),
        Filters(budget=("100万円未満", "1,000万〜1億円"), department=("環境課", "DX推進課")),
        Filters(municipality=("どこにもない市",)),
    ):
        for query in QUERIES:
            assert found(remote, query, filters) == found(local, query, filters), (query, filters)
    assert found(remote, "サーバーの更改")


def test_values_with_quotes_and_backslashes_are_filtered_by_as_they_are(tmp_path: Path, engine: MilvusEngine) -> None:
    odd = ['甲"市"', "乙\\市", "丙'市", "丁 or 1 == 1", "戊\n市", "己" * 400]
    sheets = [
        reading(f"{n}.txt", f"事業{n}", city, 2021, f"{city[:20]}課", {f"欄{city[:20]}": "斎場の炉を保つ。"})
        for n, city in enumerate(odd)
    ]
    remote = sent_with(engine, tmp_path / "index", sheets)
    for n, city in enumerate(odd):
        for filters in (
            Filters(municipality=(city,)),
            Filters(section=(f"欄{city[:20]}",)),
            Filters(department=(f"{city[:20]}課",)),
        ):
            hits = remote.search("斎場", 20, filters).hits
            assert [hit.sheet.file for hit in hits] == [f"{n}.txt"], (city, filters)


def test_names_of_staff_are_not_sent(tmp_path: Path, engine: MilvusEngine) -> None:
    sheets = [reading("a.txt", "戸籍", "甲市", 2021, "市民課", {PERSON_FIELD: "山田", "事業の目的": "戸籍を保つ。"})]
    index = sent_with(engine, tmp_path / "index", sheets)
    sent = SentSnapshots(tmp_path / "index").sent(index.version)
    assert sent is not None
    rows = engine.server.client.query(sent.collection, filter="id >= 0", output_fields=["id", "field"])
    assert [(row["id"], row["field"]) for row in rows] == [(1, "事業の目的")]
    assert (sent.chunks, sent.rows) == (2, 1)


def test_chunks_that_are_marked_as_removed_do_not_come_and_can_be_deleted(tmp_path: Path, engine: MilvusEngine) -> None:
    folder = tmp_path / "index"
    index = sent_with(engine, folder)
    everything = index._search._scope(Filters())[0]
    terms = [("斎場", 1.0), ("炉", 1.0)]
    (hit, _), *_ = index._first.by_words(terms, 10, everything)
    chunks = everything.chunks.copy()
    chunks[hit] = False
    assert hit not in dict(index._first.by_words(terms, 10, replace(everything, chunks=chunks)))
    engine.remove(folder, index.version, [hit])
    reopened = Snapshot.open(folder, FakeEncoder(), engine=engine)  # how many rows there are was written down anew
    assert hit not in dict(reopened._first.by_words(terms, 10, everything))
    sent = SentSnapshots(folder).sent(index.version)
    assert sent is not None
    assert engine.server.count(sent.collection, "id >= 0") == sent.rows == index.manifest.counts["chunks"] - 1


@pytest.mark.parametrize("sparse", [True, False])
def test_a_row_written_again_is_there_once_whatever_the_server_can(
    tmp_path: Path, engine: MilvusEngine, sparse: bool
) -> None:
    index = sent_with(engine, tmp_path / "index")
    sent = SentSnapshots(tmp_path / "index").sent(index.version)
    assert sent is not None
    engine.server.__dict__["_version"] = (2, 5) if sparse else (2, 3)
    row = dict(engine.server.client.query(sent.collection, filter="id == 2", output_fields=["*"])[0])
    engine.server.write(sent.collection, [{**row, "year": 1999}], new=False)
    rows = engine.server.client.query(sent.collection, filter="id == 2", output_fields=["year"])
    assert [one["year"] for one in rows] == [1999]


# More than Milvus can tell by itself


def test_more_is_fetched_until_enough_pass(
    tmp_path: Path, engine: MilvusEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheets = [
        reading(f"{n:02}.txt", f"斎場{n}", "甲市", 2021, "市民課", {"事業の目的": "斎場の炉を保つ。" + "炉" * n})
        for n in range(40)
    ]
    index = sent_with(engine, tmp_path / "index", sheets)
    allowed = index._search._scope(Filters())[0]
    chunks = allowed.chunks.copy()
    order = [chunk for chunk, _ in index._first.by_words([("斎場", 1.0)], 40, allowed)]
    chunks[order[:35]] = False
    left = replace(allowed, chunks=chunks)
    asked: list[int] = []
    search = MilvusServer.search

    def notes(self: MilvusServer, *given: Any) -> list[tuple[int, float]]:
        asked.append(given[3])
        return search(self, *given)

    monkeypatch.setattr(MilvusServer, "search", notes)
    assert [chunk for chunk, _ in index._first.by_words([("斎場", 1.0)], 3, left)] == order[35:38]
    assert asked == [3, 12, 48]
    vector = FakeEncoder().encode(["斎場"], "query")
    assert {chunk for chunk, _ in index._first.by_meaning(vector, 5, left)} == set(order[35:])
    assert index._first.by_meaning(vector, 5, replace(left, chunks=chunks & False)) == []


# A server that holds no sparse vectors


def test_a_server_without_sparse_vectors_leaves_the_words_to_the_files(tmp_path: Path, engine: MilvusEngine) -> None:
    engine.server.__dict__["_version"] = (2, 3)
    remote = sent_with(engine, tmp_path / "index")
    sent = SentSnapshots(tmp_path / "index").sent(remote.version)
    assert sent is not None and not sent.words
    told = engine.server.client.describe_collection(sent.collection)
    assert "words" not in {field["name"] for field in told["fields"]}
    local = Snapshot.open(tmp_path / "index", FakeEncoder())
    for query in QUERIES:
        assert found(remote, query) == found(local, query)


@pytest.mark.parametrize(
    ("told", "sparse"),
    [
        ("v2.3.5-lite", False),
        ("2.2.16", False),
        ("v2.4.0", True),
        ("v2.6.1", True),
        ("milvus_lite-3.2.2", True),
        ("Zilliz Cloud Vector Database(Compatible with Milvus 2.5)", True),
        ("", True),
    ],
)
def test_what_a_server_can_is_told_by_its_version(told: str, sparse: bool) -> None:
    class Client:
        def get_server_version(self, timeout: float) -> str:
            return told

    server = MilvusServer("http://127.0.0.1:1")
    server.__dict__["client"] = Client()
    assert server.sparse is sparse
