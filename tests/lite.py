"""A Milvus Lite in a file of a test, an index sent to it, and what searches find in it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_encoder import FakeEncoder
from test_snapshot import SHEETS

from corpus.documents import Document, SheetReading
from index.build import build
from index.engines.milvusengine import MilvusEngine
from index.engines.milvusserver import MilvusServer
from index.snapshot import Snapshot
from index.types import Filters

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
