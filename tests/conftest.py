"""Fixtures that several test files share."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_encoder import FakeEncoder
from kept import Place
from random_models import as_sentence_transformer, save_static, save_transformer

from corpus.forms.loader import use_forms
from evals.benchmarks.ownpostgres import PostgresServer, programs
from index.namepolicy import use_staff_names
from index.recordsserver import use_records_server
from index.synonyms import use_synonyms

# Tests run side by side on few cores; the models are small enough for one thread each.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Tests do not see the HYOKA_* variables of whoever runs them, keep no opinions in the user's folder, and leave no
    form files, no synonyms and no server of their own in use."""
    for name in [name for name in os.environ if name.startswith("HYOKA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    yield
    use_forms(None)
    use_staff_names("mask")
    use_synonyms(None)
    use_records_server(None)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run in an empty folder, with an encoder that costs nothing."""
    monkeypatch.chdir(tmp_path)
    for module in ("index.encoder", "index.snapshot"):
        monkeypatch.setattr(f"{module}.load_encoder", lambda source=None: FakeEncoder(source or "fake"))


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder a model; the names say nothing, as on a USB stick, but for those that tests rename."""
    pytest.importorskip("sentence_transformers")
    root = tmp_path_factory.mktemp("models")
    for kind in ("modernbert", "xlm-roberta", "bert"):
        save_transformer(root / kind, kind, half=kind == "xlm-roberta")
    as_sentence_transformer(root / "modernbert", root / "st")
    save_static(root / "static")
    save_static(root / "model2vec", model2vec=True)
    return root


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of our own."""
    pytest.importorskip("psycopg", reason="the extra postgres is not installed")
    if programs() is None:
        pytest.skip("the programs of a PostgreSQL server (initdb, pg_ctl) are not installed")
    server = PostgresServer()
    yield server
    server.remove()


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An empty place for a store: a file, then a database on a server."""
    server = request.getfixturevalue("postgres") if request.param == "postgres" else None
    kept = Place(tmp_path / "kept" / "store.sqlite" if server is None else server.database())
    yield kept
    kept.close()


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any call to a network fails the test."""

    def refuse(*_: object) -> None:
        raise AssertionError("a call to the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
