"""An index goes to Milvus whole before it is live, in pieces that are sent once, and what an update adds goes alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fake_encoder import FakeEncoder
from lite import QUERIES, found, quiet, sent_with
from lite import engine as engine
from test_snapshot import SHEETS, build_in, reading

from corpus.errors import EngineUnavailable, IndexNotSent
from index.build import build, finish
from index.engines import milvusrows
from index.engines.bm25 import dimension
from index.engines.milvusengine import MilvusEngine
from index.engines.milvusrows import SnapshotRows
from index.engines.milvusschema import place_of
from index.engines.milvusserver import MilvusServer
from index.engines.milvusstate import SentSnapshots
from index.manifest import RECORDS, SNAPSHOTS, TABLES, VECTORS, current
from index.records import Records
from index.snapshot import Snapshot
from index.update import compact, update
from index.vectors import VectorIndex


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
