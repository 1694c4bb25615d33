"""A PostgreSQL server under the store: started late, stopped in between, asked by many at once, and never told on."""

from __future__ import annotations

import json
import logging
import sqlite3
import sys
import threading
from pathlib import Path

import pytest
from fakes import FakeAssistant
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kept import Place

from assistant.api import create_api
from assistant.audit import Auditing, AuditTrail
from assistant.cli import run
from assistant.findings import WELL, WRONG
from assistant.metrics import Metrics
from assistant.payload import answer_json
from assistant.recorder import Recorder
from assistant.settings import load_settings
from assistant.store import FeedbackStore, open_store
from assistant.storecopy import TABLES, copy_store, keep_store
from corpus.errors import DatabaseError, Duplicate, HyokaError, SettingsError
from evals.benchmarks.ownpostgres import PASSWORD, PostgresServer
from index import postgres as driver
from index.database import SQLiteDatabase
from index.postgres import PostgresDatabase
from index.postgresurl import connect, named
from index.types import Filters

FAKE = FakeAssistant()


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.database()


@pytest.fixture
def store(url: str):
    opened = open_store(url=url)
    yield opened
    opened.close()


# ---- both databases ---------------------------------------------------------------------------------------------------


def test_a_transaction_is_whole_or_not_at_all(place: Place) -> None:
    database = place.database()
    database.create("create table if not exists things (id {number}, name {text} unique)")
    database.create("create table if not exists things (id {number}, name {text} unique)")
    assert database.columns("things") == {"id", "name"} and database.columns("nothing") == set()
    with pytest.raises(ZeroDivisionError), database.transaction() as begun:
        begun.execute("insert into things (name) values (?)", ("一",))
        raise ZeroDivisionError
    assert database.rows("select * from things") == []
    with database.transaction() as begun:
        added = begun.execute("insert into things (name) values (?), (?) returning name", ("一", "二"))
        assert added.rows == [("一",), ("二",)] and added.count == 2
        assert begun.execute("update things set name = name || '%s' where name = ?", ("無",)).count == 0
    with pytest.raises(Duplicate), database.transaction() as begun:
        begun.execute("insert into things (name) values (?)", ("三",))
        begun.execute("insert into things (name) values (?)", ("二",))
    assert database.rows("select name from things order by id") == [("一",), ("二",)]
    with pytest.raises(DatabaseError):
        database.rows("select nonsense")
    database.close()
    with pytest.raises(DatabaseError):
        database.rows("select 1")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), min_size=1, max_size=5, unique=True))
def test_every_character_comes_back_and_texts_are_ordered_the_same(place: Place, texts: list[str]) -> None:
    database = place.opened or place.database()
    database.create("create table if not exists texts (name {text} primary key)")
    with database.transaction() as begun:
        begun.execute("delete from texts")
        for text in texts:
            begun.execute("insert into texts (name) values (?)", (text,))
    assert {row[0] for row in database.rows("select name from texts")} == set(texts)
    for text in texts:
        assert database.rows("select name from texts where name = ?", (text,)) == [(text,)]
    plain = [text for text in texts if not set(text) & {"\0", "\x1a"}]
    found = [row[0] for row in database.rows("select name from texts order by name") if row[0] in plain]
    assert found == sorted(plain, key=lambda text: text.encode())


def test_a_nul_in_a_conversation_is_kept_and_found(place: Place) -> None:
    book = place.store().talks
    answer = answer_json(FAKE.ask("図書館の今後の計画は"), FAKE.index)
    talk = book.add("a", "", "図書館\0の\x1a計画は", answer, Filters())
    assert book.find("a", talk).entries[0].question == "図書館\0の\x1a計画は"
    assert [one.id for one in book.listing("a", "館\0の")] == [talk] and book.listing("a", "館\x1a") == []


def test_two_servers_count_one_question_together(place: Place) -> None:
    stores = [place.store() for _ in range(2)]

    def ask(store: FeedbackStore) -> None:
        for number in range(20):
            store.asked.count("決算額は？", True)
            store.cases.note("down", f"問い{number % 5}")

    threads = [threading.Thread(target=ask, args=(store,)) for store in stores * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stores[0].asked.most()[0].times == 80
    assert [case.times for case in stores[1].cases.cases("draft")] == [16] * 5


# ---- a server that comes and goes -------------------------------------------------------------------------------------


def test_many_may_open_an_empty_database_at_once(url: str) -> None:
    problems: list[Exception] = []
    opened: list[FeedbackStore] = []

    def begin() -> None:
        try:
            opened.append(open_store(url=url))
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in opened:
        one.add("up", "質問")
    assert problems == [] and opened[0].count("up") == 6
    for one in opened:
        one.close()


def test_while_the_server_is_away_questions_are_answered_and_afterwards_kept_again(postgres, url, caplog, monkeypatch):
    monkeypatch.setattr(driver, "REST", 0.2)
    store = FeedbackStore(PostgresDatabase(url, patience=0.5))
    recorder = Recorder(FAKE, store, Metrics())
    recorder.ask("図書館の今後の計画は")
    assert store.asked.most()[0].times == 1
    with TestClient(create_api(FAKE, store)) as client:
        postgres.stop()
        try:
            with caplog.at_level(logging.ERROR):
                answer = recorder.ask("図書館の今後の計画は")
            assert answer.citations and "could not be counted" in caplog.text
            assert client.post("/api/v1/ask", json={"question": "図書館の今後の計画は"}).status_code == 200
            refused = client.post("/api/v1/feedback", json={"question": "問い", "rating": "up"})
            error = refused.json()["error"]
            assert refused.status_code == 503 and error["code"] == "database" and "127.0.0.1" not in error["message"]
            assert "つながりません" in error["message"] and named(url) in caplog.text
        finally:
            postgres.start()
        for _ in range(100):
            try:
                store.asked.count("戻った", True)
                break
            except DatabaseError:
                threading.Event().wait(0.1)
        assert client.post("/api/v1/feedback", json={"question": "問い", "rating": "up"}).status_code == 201
    recorder.ask("図書館の今後の計画は")
    assert store.asked.most()[0].times == 2 and store.count("up") == 1
    store.close()
    assert PASSWORD not in caplog.text


def test_a_restart_between_two_questions_is_not_noticed(postgres, store) -> None:
    store.asked.count("前", True)
    postgres.stop()
    postgres.start()
    assert store.asked.most()[0].question == "前"
    postgres.stop()
    postgres.start()
    store.asked.count("前", True)
    assert store.asked.most()[0].times == 2


# ---- what is said where it does not work ------------------------------------------------------------------------------


def told(work) -> str:
    with pytest.raises(HyokaError) as problem:
        work()
    assert PASSWORD not in str(problem.value) and "secret" not in repr(problem.value)
    return problem.value.message


def test_what_stands_in_the_way_is_said_with_the_next_step(postgres, url) -> None:
    name = url.rpartition("/")[2]
    assert "利用者名とパスワードを確かめ" in told(lambda: open_store(url=postgres.url(name, "secret")))
    assert "利用者名とパスワードを確かめ" in told(lambda: open_store(url=postgres.url(name, user="nobody")))
    assert "createdb" in told(lambda: open_store(url=postgres.url("not_there")))
    nowhere = f"postgresql://hyoka:secret@127.0.0.1:1/{name}"
    assert "127.0.0.1:1/" in told(lambda: open_store(url=nowhere))
    assert "サーバーが動いているか" in told(lambda: open_store(url=nowhere))
    assert "--encoding=UTF8" in told(lambda: open_store(url=postgres.database("SQL_ASCII")))
    for broken in (
        "postgresql://u:secret/x@h/d",
        "postgresql://u:1/secret@h/d",
        "postgresql://u:p@secret@h/d",
        "mysql://u:secret@h/d",
        "postgresql://u:secret@h:port/d",
        "postgresql://u:1?x/secret@h/d",
        "postgresql://u:secret",
    ):
        assert "%40" in told(lambda broken=broken: open_store(url=broken))


def test_without_the_right_to_make_a_schema_the_next_step_is_to_ask_for_it(postgres, url) -> None:
    name = url.rpartition("/")[2]
    postgres.sql("create role reader login password 'secret-2'")
    reader = postgres.url(name, "secret-2", "reader")
    assert "create schema hyoka authorization" in told(lambda: open_store(url=reader))
    postgres.sql("create schema hyoka authorization reader", name)
    open_store(url=reader).close()


def test_without_the_driver_the_extra_is_named(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert "pip install 'hyoka[postgres]'" in told(lambda: open_store(url="postgresql://u:secret@h/d"))


def test_the_address_is_a_setting_that_is_never_shown(monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings().database is None
    monkeypatch.setenv("HYOKA_DATABASE_URL", "postgresql://u:secret@h/d")
    kept = load_settings()
    assert kept.database == "postgresql://u:secret@h/d" and "secret" not in repr(kept) + kept.model_dump_json()
    monkeypatch.setenv("HYOKA_DATABASE_URL", "http://u:secret@h/d")
    with pytest.raises(SettingsError, match="postgresql://") as problem:
        load_settings()
    assert "secret" not in str(problem.value) and "secret" not in str(problem.value.__cause__)


def test_a_server_is_named_without_its_password() -> None:
    pytest.importorskip("psycopg", reason="the extra postgres is not installed")
    assert named("postgres://u:secret@h:5433/d") == "PostgreSQL u@h:5433/d"


def test_the_server_is_told_who_asks(url) -> None:
    with connect(url) as connection:
        assert connection.execute("show application_name").fetchone() == ("hyoka",)


# ---- from the file to the server --------------------------------------------------------------------------------------


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
    with sqlite3.connect(path) as old:
        old.execute(
            "create table feedback (id integer primary key, at text not null, rating text not null, question text not null,"
            " answer text not null, comment text not null, index_version text not null)"
        )
        old.execute("insert into feedback values (7, '2026-01-01', 'down', '質問', '答え', '違う', 'v1')")
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
