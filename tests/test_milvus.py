"""Milvus as the first stage of a search, on Milvus Lite: sent whole before it is live, searched like the files, never half."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_encoder import FakeEncoder
from fastapi.testclient import TestClient
from test_snapshot import SHEETS, build_in, reading

from assistant.api import create_api
from assistant.cli import run
from assistant.opening import engine_of
from assistant.session import Assistant
from assistant.settings import load_settings
from assistant.store import FeedbackStore
from corpus.documents import Document, SheetReading
from corpus.errors import EngineUnavailable, IndexNotSent, SettingsError
from index.build import build, finish
from index.engines import milvusrows, milvusserver
from index.engines.bm25 import dimension
from index.engines.milvusengine import MilvusEngine
from index.engines.milvusrows import SnapshotRows
from index.engines.milvusschema import place_of
from index.engines.milvusserver import MilvusServer
from index.engines.milvusstate import SentSnapshots
from index.manifest import RECORDS, SNAPSHOTS, TABLES, VECTORS, current
from index.records import Records
from index.snapshot import Snapshot
from index.types import PERSON_FIELD, Filters
from index.update import compact, update
from index.vectors import VectorIndex

pytest.importorskip("pymilvus", reason="needs the extra milvus, as .ci/run installs it")
pytest.importorskip("milvus_lite", reason="needs the extra milvus, as .ci/run installs it")

ROOT = Path(__file__).resolve().parents[1]


def quiet(what: str, done: int, total: int) -> None:
    """Tells nobody."""


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def stop_lite(file: Path) -> None:
    from milvus_lite.server_manager import server_manager_instance

    server_manager_instance.release_server(str(file))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[MilvusEngine]:
    file = tmp_path / "milvus.db"
    one = MilvusEngine(MilvusServer(str(file)))
    yield one
    one.server.close()
    stop_lite(file)


def sent_with(engine: MilvusEngine, folder: Path, sheets: list[tuple[Document, SheetReading]] = SHEETS) -> Snapshot:
    return build(((d, [r]) for d, r in sheets), FakeEncoder(), folder, engine=engine)


def found(index: Snapshot, query: str, filters: Filters = Filters()) -> list[tuple[int, float]]:
    return [(hit.section_id, round(hit.score, 5)) for hit in index.search(query, 20, filters).hits]


QUERIES = ("サーバーの更改", "斎場", "窓口の端末を増やす", "記録を残す", "利用の件数", "甲市 令和4年度 戸籍")


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


def test_an_index_is_live_only_when_all_of_it_is_sent(
    tmp_path: Path, engine: MilvusEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "index"
    old = build_in(folder, SHEETS[:1])
    monkeypatch.setattr(milvusrows, "BATCH", 2)
    write, written = MilvusServer.write, []

    def breaks(self: MilvusServer, collection: str, rows: list[dict[str, Any]], new: bool) -> None:
        if len(written) == 2:
            raise EngineUnavailable("切れました。")
        written.append([row["id"] for row in rows])
        write(self, collection, rows, new)

    monkeypatch.setattr(MilvusServer, "write", breaks)
    with pytest.raises(EngineUnavailable):
        sent_with(engine, folder)
    assert current(folder) == old.version
    assert written == [[0, 1], [2, 3]]

    def goes_on(self: MilvusServer, collection: str, rows: list[dict[str, Any]], new: bool) -> None:
        written.append([row["id"] for row in rows])
        write(self, collection, rows, new)

    monkeypatch.setattr(MilvusServer, "write", goes_on)
    name = finish(folder, engine, quiet)
    assert current(folder) == name != old.version
    assert written[2] == [4, 5]  # what had arrived is not sent again
    with_milvus = Snapshot.open(folder, FakeEncoder(), engine=engine)
    assert found(with_milvus, "斎場") == found(Snapshot.open(folder, FakeEncoder()), "斎場")


def test_sending_twice_sends_nothing_the_second_time(
    tmp_path: Path, engine: MilvusEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = sent_with(engine, tmp_path / "index")

    def refuse(*_: object) -> None:
        raise AssertionError("written again")

    monkeypatch.setattr(MilvusServer, "write", refuse)
    assert finish(tmp_path / "index", engine, quiet) == index.version


def test_a_batch_that_arrived_unnoticed_is_not_there_twice(
    tmp_path: Path, engine: MilvusEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "index"
    build_in(folder)
    write = MilvusServer.write

    def breaks(self: MilvusServer, *given: Any, new: bool) -> None:
        write(self, *given, new=new)
        raise EngineUnavailable("切れました。")  # the rows are there, the answer is lost

    with monkeypatch.context() as patch, pytest.raises(EngineUnavailable):
        patch.setattr(MilvusServer, "write", breaks)
        finish(folder, engine, quiet)
    name = finish(folder, engine, quiet)
    sent = SentSnapshots(folder).sent(name)
    assert sent is not None
    assert engine.server.count(sent.collection, "id >= 0") == sent.rows


def test_rows_that_never_arrived_are_noticed_and_sent_again(
    tmp_path: Path, engine: MilvusEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "index"
    old = build_in(folder, SHEETS[:1])
    write = MilvusServer.write

    def loses(self: MilvusServer, collection: str, rows: list[dict[str, Any]], new: bool) -> None:
        write(self, collection, rows[1:], new)

    with monkeypatch.context() as patch, pytest.raises(EngineUnavailable, match="5件しか"):
        patch.setattr(MilvusServer, "write", loses)
        sent_with(engine, folder)
    assert current(folder) == old.version
    finish(folder, engine, quiet)
    assert found(Snapshot.open(folder, FakeEncoder(), engine=engine), "戸籍")


def test_an_index_that_was_never_sent_is_not_opened_with_milvus(tmp_path: Path, engine: MilvusEngine) -> None:
    build_in(tmp_path / "index")
    with pytest.raises(IndexNotSent, match="hyoka milvus"):
        Snapshot.open(tmp_path / "index", FakeEncoder(), engine=engine)


def test_an_index_of_which_milvus_lost_rows_is_not_opened(tmp_path: Path, engine: MilvusEngine) -> None:
    index = sent_with(engine, tmp_path / "index")
    sent = SentSnapshots(tmp_path / "index").sent(index.version)
    assert sent is not None
    engine.server.delete(sent.collection, [0])  # the first of the first piece
    with pytest.raises(IndexNotSent, match="hyoka milvus"):
        Snapshot.open(tmp_path / "index", FakeEncoder(), engine=engine)
    finish(tmp_path / "index", engine, quiet)
    assert found(Snapshot.open(tmp_path / "index", FakeEncoder(), engine=engine), "戸籍")


def test_collections_of_swept_snapshots_are_dropped_and_no_others(tmp_path: Path, engine: MilvusEngine) -> None:
    other = sent_with(engine, tmp_path / "other")
    names = [sent_with(engine, tmp_path / "index", SHEETS[: n + 1]).version for n in range(3)]
    kept = {other.version, *names[1:]}
    assert {one.removeprefix("hyoka_") for one in engine.server.collections()} == {n.replace("-", "_") for n in kept}
    assert set(SentSnapshots(tmp_path / "index").all()) == set(names[1:])


def test_a_collection_that_cannot_be_dropped_now_is_dropped_the_next_time(
    tmp_path: Path, engine: MilvusEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [sent_with(engine, tmp_path / "index", SHEETS[: n + 1]).version for n in range(2)]
    with monkeypatch.context() as patch:

        def fails(self: MilvusServer, collection: str) -> None:
            raise EngineUnavailable("切れました。")

        patch.setattr(MilvusServer, "drop", fails)
        engine.sweep(tmp_path / "index", [names[1]])
    assert len(engine.server.collections()) == 2
    engine.sweep(tmp_path / "index", [names[1]])
    assert [one for one in engine.server.collections() if names[0].replace("-", "_") in one] == []


# One document more or less


def in_pieces(patch: pytest.MonkeyPatch, sizes: dict[str, list[tuple[str, int]]]) -> None:
    """Snapshots (by id) that are made of a base and additions, as an update writes them: (checksum, chunks) of each."""

    @contextmanager
    def of(path: Path) -> Iterator[SnapshotRows]:
        records = Records([path / RECORDS], [path / TABLES])
        yield SnapshotRows(records, VectorIndex(path / VECTORS), sizes[path.name])
        records.close()

    patch.setattr(SnapshotRows, "of", of)


def noted(patch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """(piece, place) of the rows that are written from here on."""
    written: list[tuple[int, int]] = []
    write = MilvusServer.write

    def notes(self: MilvusServer, collection: str, rows: list[dict[str, Any]], new: bool) -> None:
        written.extend(place_of(row["id"]) for row in rows)
        write(self, collection, rows, new)

    patch.setattr(MilvusServer, "write", notes)
    return written


def test_of_an_update_only_the_addition_is_sent_and_old_readers_see_nothing_of_it(
    tmp_path: Path, engine: MilvusEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "index"
    monkeypatch.setattr("index.publishing._KEPT", 3)
    other = reading("d.txt", "斎場改修", "丙市", 2023, "環境課", {"事業の目的": "斎場の炉を入れ替える。"})
    base, more, folded = (build_in(folder, sheets) for sheets in (SHEETS[:2], SHEETS, [*SHEETS[:2], other]))
    whole = more.manifest.counts["chunks"]
    sizes = {
        base.version: [("base", 0)],
        more.version: [("base", 0), ("first addition", whole - 4)],
        folded.version: [("base", 0), ("the addition written again", 1)],
    }
    in_pieces(monkeypatch, sizes)
    written = noted(monkeypatch)
    readers = {}
    for index in (base, more, folded):
        engine.publish(folder, index.version, quiet)
        path = folder / SNAPSHOTS / index.version
        readers[index.version] = Snapshot(path, index.manifest, FakeEncoder(), index.synonyms, engine=engine)
    assert written == [(0, n) for n in range(4)] + [(1, n) for n in range(whole - 4)] + [(2, 0)]
    sent = {one.collection for one in SentSnapshots(folder).all().values()}
    assert len(sent) == 1
    for index in (base, more, folded):  # each reader sees what its snapshot holds, though all stand in one collection
        for query in QUERIES:
            theirs = {section for section, _ in found(index, query)}
            assert {section for section, _ in found(readers[index.version], query)} == theirs, (index.version, query)
    engine.sweep(folder, [base.version, folded.version])
    assert engine.server.count(*sent, "piece == 1") == 0
    assert engine.server.count(*sent, "piece in [0, 2]") == 5
    engine.sweep(folder, [folded.version])
    assert found(readers[folded.version], "斎場") == found(readers[folded.version], "斎場") != []
    engine.sweep(folder, [])
    assert not engine.server.has(*sent)


def test_an_index_of_the_same_sheets_is_sent_again_only_where_its_rows_are_others(
    tmp_path: Path, engine: MilvusEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Turned(FakeEncoder):
        """The same words in other directions."""

        def encode(self, texts: list[str], kind: Any) -> Any:
            return super().encode(texts, kind)[:, ::-1].copy()

    folder = tmp_path / "index"
    written = noted(monkeypatch)
    first = sent_with(engine, folder)
    assert len(written) == first.manifest.counts["chunks"]
    again = sent_with(engine, folder)
    assert len(written) == first.manifest.counts["chunks"]
    assert found(again, "斎場") == found(first, "斎場") != []
    build(((d, [r]) for d, r in SHEETS), Turned("turned"), folder, engine=engine)
    assert len(written) == 2 * first.manifest.counts["chunks"]


def test_documents_are_added_changed_and_taken_out(
    tmp_path: Path, engine: MilvusEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "index"
    first = sent_with(engine, folder)
    chunks = first.manifest.counts["chunks"]
    written = noted(monkeypatch)
    new = reading("d.txt", "斎場改修", "丙市", 2023, "環境課", {"事業の目的": "斎場の炉を入れ替える。"})
    changed = reading("b.txt", "斎場管理", "乙市", 2021, "環境課", {"評価理由": "火葬の炉を直した。"})
    before = {query: found(first, query) for query in QUERIES}
    update(folder, FakeEncoder(), [(new[0], [new[1]]), (changed[0], [changed[1]])], ["a.txt"], engine=engine)
    assert written == [(1, 0), (1, 1)]  # the two new chunks, and nothing else

    def opened() -> tuple[Snapshot, Snapshot]:
        return Snapshot.open(folder, FakeEncoder()), Snapshot.open(folder, FakeEncoder(), engine=engine)

    local, remote = opened()
    assert first.version != remote.version
    for query in (*QUERIES, "火葬の炉", "入れ替える"):
        mine = {(hit.sheet.file, hit.text) for hit in local.search(query, 20).hits}
        assert {(hit.sheet.file, hit.text) for hit in remote.search(query, 20).hits} == mine, query
        assert "a.txt" not in {file for file, _ in mine}
    assert {query: found(first, query) for query in QUERIES} == before  # who has the old one open sees the old one
    # A small addition is written again together with the next one, under the same chunk numbers.
    other = reading("e.txt", "窓口の端末", "丙市", 2023, "市民課", {"事業の目的": "窓口の端末を増やす。"})
    update(folder, FakeEncoder(), [(other[0], [other[1]])], engine=engine)
    assert {piece for piece, _ in written[2:]} == {2}
    assert [hit.sheet.file for hit in remote.search("火葬の炉を直した", 1).hits] == ["b.txt"]
    local, remote = opened()
    for query in ("火葬の炉", "窓口の端末を増やす", "斎場"):
        mine = {(hit.sheet.file, hit.text) for hit in local.search(query, 20).hits}
        assert {(hit.sheet.file, hit.text) for hit in remote.search(query, 20).hits} == mine != set(), query
    compacted = compact(folder, FakeEncoder(), engine=engine)
    sent = SentSnapshots(folder).sent(compacted.version)
    assert sent is not None and len(sent.pieces) == 1 and sent.rows < chunks + 3
    local, remote = opened()
    for query in QUERIES:
        assert found(remote, query) == found(local, query)


def test_an_update_that_milvus_does_not_take_leaves_the_old_index_live(
    tmp_path: Path, engine: MilvusEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "index"
    first = sent_with(engine, folder)
    new = reading("d.txt", "斎場改修", "丙市", 2023, "環境課", {"事業の目的": "斎場の炉を入れ替える。"})

    def fails(self: MilvusServer, *_: Any, **__: Any) -> None:
        raise EngineUnavailable("切れました。")

    with monkeypatch.context() as patch, pytest.raises(EngineUnavailable):
        patch.setattr(MilvusServer, "write", fails)
        update(folder, FakeEncoder(), [(new[0], [new[1]])], engine=engine)
    assert current(folder) == first.version
    assert found(Snapshot.open(folder, FakeEncoder(), engine=engine), "斎場") == found(first, "斎場")
    assert finish(folder, engine, quiet) != first.version
    hits = Snapshot.open(folder, FakeEncoder(), engine=engine).search("炉を入れ替える", 5).hits
    assert "d.txt" in {hit.sheet.file for hit in hits}


def test_words_of_an_addition_count_with_those_of_the_base(
    tmp_path: Path, engine: MilvusEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "index"
    base, more = build_in(folder, SHEETS[:2]), build_in(folder)
    whole = more.manifest.counts["chunks"]
    in_pieces(monkeypatch, {base.version: [("base", 0)], more.version: [("base", 0), ("addition", whole - 4)]})
    for index in (base, more):
        engine.publish(folder, index.version, quiet)
    account = SentSnapshots(folder)
    one, both = (account.sent(index.version) for index in (base, more))
    assert one is not None and both is not None
    before, after = account.statistics(one), account.statistics(both)
    key = dimension("text", "サーバ")
    assert (before.chunks, after.chunks) == (4, whole)
    assert (before.having(key), after.having(key)) == (1, 2)
    assert after.means == before.means


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


# What goes wrong


def test_without_pymilvus_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(milvusserver, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"hyoka\[milvus\]"):
        engine_of(load_settings(engine="milvus", milvus_uri="http://127.0.0.1:19530"))


def test_without_milvus_lite_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(milvusserver, "find_spec", lambda name: None if name == "milvus_lite" else object())
    with pytest.raises(SettingsError, match=r"hyoka\[milvus\]"):
        MilvusServer(str(tmp_path / "a.db"))


@pytest.mark.parametrize("uri", ["milvus", "ftp://host:1", "http://", "missing/folder/a.db"])
def test_an_address_that_cannot_be_one_is_refused(uri: str, here: None) -> None:
    with pytest.raises(SettingsError):
        engine_of(load_settings(engine="milvus", milvus_uri=uri))


def test_milvus_without_an_address_is_refused_and_the_files_need_none() -> None:
    with pytest.raises(SettingsError, match="HYOKA_MILVUS_URI"):
        engine_of(load_settings(engine="milvus"))
    assert engine_of(load_settings()) is None


def test_no_password_is_shown(tmp_path: Path) -> None:
    server = MilvusServer(f"http://root:himitsu@127.0.0.1:{closed_port()}", "root:himitsu", connect_seconds=0.5)
    with pytest.raises(EngineUnavailable) as caught:
        server.collections()
    assert "himitsu" not in caught.value.message
    assert "himitsu" not in repr(load_settings(milvus_token="root:himitsu"))


def test_a_server_that_is_not_there_is_told_before_anything_is_read(
    here: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.txt").write_text("事務事業名 戸籍\n事業の目的 戸籍の事務を正しく行う。\n", encoding="utf-8")
    monkeypatch.setattr(milvusserver, "CONNECT_SECONDS", 1.0)
    monkeypatch.setattr(MilvusServer.__init__, "__defaults__", ("", 1.0, 1.0))
    monkeypatch.setenv("HYOKA_ENGINE", "milvus")
    monkeypatch.setenv("HYOKA_MILVUS_URI", f"http://127.0.0.1:{closed_port()}")
    assert run(["index", "a.txt"]) == 1
    told = capsys.readouterr().err
    assert "Milvus" in told and "HYOKA_MILVUS_URI" in told and "Traceback" not in told
    assert not (tmp_path / ".hyoka" / "index" / "CURRENT").exists()


def test_a_server_that_takes_the_call_and_says_nothing_is_not_waited_for(tmp_path: Path) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        server = MilvusServer(f"http://127.0.0.1:{deaf.getsockname()[1]}", connect_seconds=1.0, ask_seconds=1.0)
        with pytest.raises(EngineUnavailable):
            server.collections()


def test_a_search_while_milvus_is_away_is_a_503_that_says_when_to_ask_again(tmp_path: Path) -> None:
    file = tmp_path / "milvus.db"
    engine = MilvusEngine(MilvusServer(str(file), ask_seconds=1.0))
    index = sent_with(engine, tmp_path / "index")
    client = TestClient(create_api(Assistant(index), FeedbackStore(tmp_path / "f.sqlite")))
    assert client.get("/api/v1/search", params={"q": "斎場"}).status_code == 200
    stop_lite(file)
    for answer in (
        client.get("/api/v1/search", params={"q": "戸籍"}),
        client.post("/api/v1/ask", json={"question": "炉の記録を残す理由は？"}),
    ):
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        told = answer.json()["error"]
        assert told["code"] == "engine_unavailable"
        assert "Milvus" in told["message"] and told["message"].endswith("お試しください。")
    engine.server.close()


def test_a_collection_that_somebody_dropped_is_told_with_the_next_step(tmp_path: Path, engine: MilvusEngine) -> None:
    index = sent_with(engine, tmp_path / "index")
    sent = SentSnapshots(tmp_path / "index").sent(index.version)
    assert sent is not None
    engine.server.drop(sent.collection)
    with pytest.raises(IndexNotSent, match="hyoka milvus"):
        index.search("斎場の炉", 5)


# The command line


def test_the_command_line_sends_searches_and_says_so(
    here: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.txt").write_text(
        "事務事業名：戸籍システム\n担当課：市民課\n事業の目的\n戸籍の事務を正しく行う。\n今後の計画\nサーバーの更改を行う。\n",
        encoding="utf-8",
    )
    assert run(["index", "a.txt", "--index-dir", "ix"]) == 0
    monkeypatch.setenv("HYOKA_MILVUS_URI", str(tmp_path / "m.db"))
    capsys.readouterr()
    assert run(["milvus", "--index-dir", "ix", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["rows"] > 0 and told["sparse"] is True
    assert run(["search", "サーバー更改", "--index-dir", "ix", "--json"]) == 0
    local = json.loads(capsys.readouterr().out)
    monkeypatch.setenv("HYOKA_ENGINE", "milvus")
    assert run(["search", "サーバー更改", "--index-dir", "ix", "--json"]) == 0
    remote = json.loads(capsys.readouterr().out)
    assert [hit["text"] for hit in remote["hits"]] == [hit["text"] for hit in local["hits"]] != []
    assert run(["index", "a.txt", "--index-dir", "ix"]) == 0  # sends by itself
    capsys.readouterr()
    assert run(["search", "サーバー更改", "--index-dir", "ix", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["total"] == remote["total"]
    stop_lite(tmp_path / "m.db")


def test_nothing_is_sent_where_there_is_no_index(
    here: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HYOKA_MILVUS_URI", str(tmp_path / "m.db"))
    assert run(["milvus", "--index-dir", "ix"]) == 1
    assert "hyoka index" in capsys.readouterr().err
    stop_lite(tmp_path / "m.db")


# Several at once, and nobody else


def test_threads_share_a_connection(tmp_path: Path, engine: MilvusEngine) -> None:
    index = sent_with(engine, tmp_path / "index")
    expected = {query: found(index, query) for query in QUERIES}
    wrong: list[str] = []

    def ask(query: str) -> Callable[[], None]:
        def asks() -> None:
            first = index._search.find(query, Filters())
            if not len(first.best) and expected[query]:
                wrong.append(query)

        return asks

    threads = [threading.Thread(target=ask(query)) for query in QUERIES * 3]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert wrong == []


GUARDED = textwrap.dedent(
    """
    import ipaddress, os, socket, sys, threading, time
    from pathlib import Path

    seen = set()

    def ours():
        found = set()
        for one in Path("/proc/self/fd").iterdir():
            try:
                found.add(os.readlink(one))
            except OSError:
                pass
        return {name[8:-1] for name in found if name.startswith("socket:[")}

    def address(text):
        raw = bytes.fromhex(text.split(":")[0])
        words = b"".join(raw[n:n + 4][::-1] for n in range(0, len(raw), 4))
        found = ipaddress.ip_address(words)
        return getattr(found, "ipv4_mapped", None) or found

    def look():
        mine = ours()
        for kind in ("tcp", "tcp6", "udp", "udp6"):
            try:
                lines = Path("/proc/self/net", kind).read_text().splitlines()[1:]
            except OSError:
                continue
            for line in lines:
                parts = line.split()
                if parts[9] in mine and int(parts[2].split(":")[1], 16):
                    seen.add(str(address(parts[2])))

    done = threading.Event()

    def watch():
        while not done.wait(0.002):
            look()

    threading.Thread(target=watch, daemon=True).start()
    connect = socket.socket.connect

    def guarded(self, target):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            seen.add(target[0])
        return connect(self, target)

    socket.socket.connect = guarded
    socket.getaddrinfo = lambda host, *rest, **named: seen.add(str(host)) or []
    sys.path.insert(0, "tests")
    from test_milvus import MilvusEngine, MilvusServer, Snapshot, FakeEncoder, sent_with, found
    folder = Path(sys.argv[1])
    engine = MilvusEngine(MilvusServer(str(folder / "m.db")))
    index = sent_with(engine, folder / "index")
    assert found(index, "斎場")
    index = sent_with(engine, folder / "index")
    look()
    done.set()
    print("seen", *sorted(seen))
    """
)


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="looks at open sockets the way Linux shows them")
def test_nothing_is_called_but_the_address_that_was_set(tmp_path: Path) -> None:
    """gRPC opens its sockets in C, where Python sees nothing: so the kernel is asked which ones this process has."""
    told = subprocess.run(
        [sys.executable, "-c", GUARDED, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert told.returncode == 0, told.stderr
    assert told.stdout.split()[-2:] == ["seen", "127.0.0.1"]


def test_the_snapshot_folder_is_not_touched_by_sending(tmp_path: Path, engine: MilvusEngine) -> None:
    index = build_in(tmp_path / "index")
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "index" / SNAPSHOTS).rglob("*")}
    finish(tmp_path / "index", engine, quiet)
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "index" / SNAPSHOTS).rglob("*")} == before
    assert index.version == current(tmp_path / "index")
