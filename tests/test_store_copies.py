"""The store copied: from a file to a PostgreSQL server, and from either into a backup and back."""

from __future__ import annotations

import json
import sqlite3
import threading
from pathlib import Path

import pytest
from fakes import FakeAssistant

from assistant.audit import Auditing, AuditTrail
from assistant.cli import run
from assistant.findings import WELL, WRONG
from assistant.metrics import Metrics
from assistant.payload import answer_json
from assistant.recorder import Recorder
from assistant.store import FeedbackStore, open_store
from assistant.storecopy import TABLES, copy_store, keep_store
from corpus.errors import DatabaseError, SettingsError
from evals.benchmarks.ownpostgres import PASSWORD, PostgresServer
from index.database import SQLiteDatabase
from index.postgres import PostgresDatabase
from index.postgresurl import connect
from index.types import Filters
from tests.oldstore import write_old_store

FAKE = FakeAssistant()


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.database()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "kept.sqlite"
    store = FeedbackStore(path)
    recorder = Recorder(FAKE, store, Metrics())
    for question in ("図書館の今後の計画は", "海底 都市 構想", "海底\0都市"):
        recorder.ask(question)
        answer = answer_json(FAKE.ask(question), FAKE.index)
        talk = store.talks.add("a", "", question, answer, Filters(municipality=("あおば市",)))
        store.talks.add("a", talk, "決算額は？", answer, Filters())
    store.add("down", "図書館の今後の計画は", "答え", "違う", "v1", "evidence", [2])
    store.close()
    trail = AuditTrail(SQLiteDatabase(path), Auditing(True))
    trail.record("ask", "図書館の今後の計画は", who="田中", address="10.0.0.1")
    trail.close()
    return path


def test_the_trail_moves_with_the_store(file, url) -> None:
    assert copy_store(file, url)["監査の記録"] == 1
    trail = AuditTrail(PostgresDatabase(url), Auditing(True))
    (line,) = trail.lines()
    assert (line.who, line.what, line.question) == ("田中", "ask", "図書館の今後の計画は")
    trail.record("ask", "次の質問")
    assert len(list(trail.lines())) == 2
    trail.close()


def test_a_store_moves_to_a_server_and_goes_on_there(file, url, monkeypatch, capsys) -> None:
    monkeypatch.setenv("HYOKA_DATABASE_URL", url)
    assert run(["store", "copy", "--from", str(file), "--json"]) == 0
    shown = capsys.readouterr()
    counts = json.loads(shown.out)
    assert counts["会話"] == 3 and counts["会話の質問と回答"] == 6 and counts["評価"] == 1
    assert PASSWORD not in shown.out + shown.err
    old, new = FeedbackStore(file), open_store(url=url)
    assert new.latest() == old.latest() and new.unanswered() == old.unanswered()
    assert new.cases.cases("draft") == old.cases.cases("draft") and new.asked.most() == old.asked.most()
    assert new.talks.listing("a") == old.talks.listing("a")
    for one in old.talks.listing("a"):
        assert new.talks.find("a", one.id) == old.talks.find("a", one.id)
    assert new.add("up", "次の質問") == 2 and new.cases.note("down", "次の質問") == old.cases.note("down", "次の質問")
    old.close()
    new.close()
    assert run(["store", "copy", "--from", str(file)]) == 1
    assert "上書きしません" in capsys.readouterr().err


def test_a_store_of_an_earlier_version_moves_too(tmp_path, url) -> None:
    path = tmp_path / "old.sqlite"
    write_old_store(path, 7)
    assert copy_store(path, url)["評価"] == 1
    store = open_store(url=url)
    assert [(one.id, one.told) for one in store.latest()] == [(7, "違う")] and store.add("up", "次") == 8
    store.close()


def test_nothing_is_copied_from_what_is_no_store_or_to_nowhere(tmp_path, url, monkeypatch, capsys) -> None:
    other = tmp_path / "other.sqlite"
    other.write_text("これは表ではありません" * 100, "utf-8")
    with pytest.raises(DatabaseError, match="other.sqlite"):
        copy_store(other, url)
    with pytest.raises(SettingsError, match="--from"):
        copy_store(tmp_path / "nothing.sqlite", url)
    monkeypatch.chdir(tmp_path)
    assert run(["store", "copy", "--from", str(other)]) == 1
    assert "HYOKA_DATABASE_URL" in capsys.readouterr().err


def test_a_copy_that_breaks_off_leaves_nothing(file, url) -> None:
    with sqlite3.connect(file) as db:
        db.execute("update asked set times = 'many'")  # SQLite takes it, PostgreSQL does not
    with pytest.raises(DatabaseError):
        copy_store(file, url)
    assert open_store(url=url).count("down") == 0


# ---- backups ----------------------------------------------------------------------------------------------------------


def everything(url: str) -> dict[str, list[tuple[object, ...]]]:
    """The rows of a store without what a server counts for itself."""
    database = PostgresDatabase(url, make=False)
    try:
        shared = {table: sorted(database.columns(table) - {database.dialect.arrival}) for table in TABLES}
        return {
            table: sorted(database.rows(f"select {', '.join(names)} from {table}")) for table, names in shared.items()
        }
    finally:
        database.close()


def test_a_backup_holds_the_store_of_the_server_and_puts_it_into_an_empty_one(
    file, url, postgres, here, monkeypatch, tmp_path, capsys
) -> None:
    copy_store(file, url)
    monkeypatch.setenv("HYOKA_DATABASE_URL", url)
    assert run(["backup", "控え.tar", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["holds"]["store"] == 1
    assert (
        everything(url) == (before := everything(url))
        and len(before["talk_entries"]) == 6
        and len(before["audit"]) == 1
    )

    assert run(["restore", "控え.tar"]) == 1  # the server has it all
    assert "置きかえません" in capsys.readouterr().err
    assert run(["restore", "控え.tar", "--force"]) == 0
    assert "空のデータベース" in capsys.readouterr().err and everything(url) == before

    other = postgres.database()
    monkeypatch.setenv("HYOKA_DATABASE_URL", other)
    assert run(["restore", "控え.tar"]) == 0 and everything(other) == before
    monkeypatch.delenv("HYOKA_DATABASE_URL")
    monkeypatch.setenv("HYOKA_FEEDBACK_FILE", str(tmp_path / "again.sqlite"))
    assert run(["restore", "控え.tar"]) == 0
    third = postgres.database()
    assert copy_store(tmp_path / "again.sqlite", third)["会話"] == 3 and everything(third) == before


def test_a_backup_is_one_moment_of_the_server(file, url, tmp_path) -> None:
    copy_store(file, url)
    store, stop = open_store(url=url), threading.Event()
    answer = answer_json(FAKE.ask("図書館は"), FAKE.index)

    def talk() -> None:
        while not stop.is_set():
            store.talks.add("b", "", "図書館は", answer, Filters())  # a conversation and its entry in one transaction

    writer = threading.Thread(target=talk)
    writer.start()
    try:
        for number in range(5):
            counts = keep_store(url, tmp_path / f"{number}.sqlite")
            assert counts["会話の質問と回答"] - counts["会話"] == 3  # three of the first conversations have two
    finally:
        stop.set()
        writer.join()
        store.close()
    assert counts["会話"] > 3


def test_the_doctor_says_what_a_server_holds_and_where_it_is_away(file, url, here, monkeypatch, capsys) -> None:
    monkeypatch.setenv("HYOKA_DATABASE_URL", url)

    def found() -> list[dict[str, str]]:
        run(["doctor", "--json"])
        shown = capsys.readouterr()
        assert PASSWORD not in shown.out + shown.err
        return [one for one in json.loads(shown.out)["findings"] if one["area"] == "保存先"]

    (one,) = found()
    assert one["state"] == WELL and "評価 0" in one["told"]
    with connect(url) as looked:  # the doctor looked and made nothing
        assert looked.execute("select 1 from pg_namespace where nspname = 'hyoka'").fetchone() is None
    copy_store(file, url)
    (one,) = found()
    assert one["state"] == WELL and "会話 3" in one["told"] and "監査の記録 1" in one["told"]
    monkeypatch.setenv("HYOKA_DATABASE_URL", "postgresql://hyoka:geheim@127.0.0.1:9/none")
    (one,) = found()
    assert one["state"] == WRONG and one["step"]
