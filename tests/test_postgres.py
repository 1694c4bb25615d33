"""A PostgreSQL server under the store: started late, stopped in between, asked by many at once, and never told on."""

from __future__ import annotations

import logging
import sys
import threading

import pytest
from fakes import FakeAssistant
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kept import Place

from assistant.api import create_api
from assistant.metrics import Metrics
from assistant.payload import answer_json
from assistant.recorder import Recorder
from assistant.settings import load_settings
from assistant.store import FeedbackStore, open_store
from corpus.errors import DatabaseError, Duplicate, HyokaError, SettingsError
from evals.benchmarks.ownpostgres import PASSWORD, PostgresServer
from index import postgres as driver
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
