"""The records of a snapshot on a PostgreSQL server: what the file says, the server says, and so do the answers."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import pytest
from fake_encoder import FakeEncoder
from test_answers import CASES, SAMPLES, assistant_over
from test_snapshot import SHEETS, reading
from test_update import told

from assistant.cli import run
from assistant.payload import answer_json
from assistant.session import Assistant
from assistant.types import Turn
from corpus.errors import DatabaseError, HyokaError
from evals.benchmarks.ownpostgres import PostgresServer
from index import postgres as driver
from index.build import build
from index.manifest import RECORDS, SNAPSHOTS, TABLES, current
from index.postgresurl import connect
from index.records import Records
from index.recordscopy import RecordsPart, copy_records, drop_records, schema_of
from index.recordsserver import RecordsServer, parts_of, records_source, translated, use_records_server
from index.seen import SeenRecords
from index.snapshot import Snapshot
from index.types import Filters
from index.update import compact, update
from index.visibility import Visibility

ENCODER = FakeEncoder()


@pytest.fixture(scope="module")
def url(postgres: PostgresServer) -> str:
    return postgres.database()


@pytest.fixture(scope="module")
def city(tmp_path_factory) -> Assistant:
    return assistant_over(SAMPLES / "files", tmp_path_factory.mktemp("bundled"))


@pytest.fixture(scope="module")
def both(city: Assistant, url: str):
    """The bundled sheets' records from their file, and from the server."""
    path = city.index.path
    assert copy_records(url, parts_of(path, city.index.manifest), path.name)
    server = Records([path / RECORDS], [path / TABLES], source=RecordsServer(url, path.name))
    file = Records([path / RECORDS], [path / TABLES])
    yield file, server
    server.close()
    file.close()


def schemas(url: str, kind: str = "snapshot") -> set[str]:
    with connect(url) as connection:
        rows = connection.execute("select nspname from pg_namespace").fetchall()
    return {row[0] for row in rows if row[0].startswith(f"hyoka_{kind}_")}


def test_every_method_says_the_same(both) -> None:
    file, server = both
    assert len(file.facts()) > 100 and server.facts() == file.facts()
    assert list(server.sheets) == list(file.sheets)
    assert server.files() == file.files() and server.warnings() == file.warnings()
    assert server.refused() == file.refused()
    for name in file.files():
        assert server.document(name) == file.document(name) and server.judgements(name) == file.judgements(name)
        assert server.reading(name) == file.reading(name)
    every = range(len(file.sheets))
    fields = ["決算額", "今後の計画", "事業の目的"]
    for some in (None, [], [0], list(every)[::3]):
        for wanted in (None, [], fields):
            assert server.sections(some, wanted) == file.sections(some, wanted)
            assert server.facts(some, wanted) == file.facts(some, wanted)
        assert server.events(some) == file.events(some)
    for sheet in every:
        assert server.timeline(sheet) == file.timeline(sheet)
    assert len(file.facts(None, fields)) > 10 < len(file.sections(None, fields))
    chunks = list(range(0, len(file.tables.chunk_section), 7))[::-1]
    assert server.chunks(chunks) == file.chunks(chunks) and server.chunks([]) == []
    for number, span in server.chunks(chunks):
        assert server.section(number) == file.section(number)
        sheet = int(file.section_sheet[number])
        assert server.text(sheet, span) == file.text(sheet, span) != ""
    with pytest.raises(KeyError):
        server.document("ない.pdf")


def test_views_of_both_hide_and_say_the_same(both) -> None:
    for visibility in (Visibility(("湊見市",)), Visibility(folders=tuple(both[0].files()[::2])), Visibility(())):
        file, server = (SeenRecords(one, visibility) for one in both)
        assert server.counts() == file.counts() and server.files() == file.files()
        assert server.warnings() == file.warnings() and server.refused() == file.refused()
        assert server.sections() == file.sections() and server.facts() == file.facts()
        assert server.events() == file.events()
        every = list(range(len(file.sheets)))
        assert server.sections(every) == file.sections(every) == file.sections()
        for name in both[0].files():
            assert server.judgements(name) == file.judgements(name)
            assert (name in file.files()) == bool(file.judgements(name))


def asked(assistant: Assistant, case: dict) -> dict:
    history = [Turn("user", text) for text in case.get("history", ())]
    answer = assistant.ask(case["question"], history, Filters())
    return answer_json(answer, assistant.index).model_dump(mode="json", exclude={"took_ms"})


def test_the_bundled_questions_are_answered_the_same(city, url) -> None:
    folder = city.index.path.parent.parent
    use_records_server(url)
    served = Snapshot.open(folder, city.index.encoder)
    use_records_server(None)
    assert served._records._source is not city.index._records._source
    there = Assistant(served)
    for case in CASES:
        assert asked(there, case) == asked(city, case), case["question"]
    hits = [served.search("学校給食", 20), city.index.search("学校給食", 20)]
    assert hits[0] == hits[1] and len(hits[0].hits) > 3
    served.close()


def test_statements_are_put_into_the_servers_words() -> None:
    sql = "SELECT start, end, quote_end FROM facts WHERE sheet IN (SELECT value FROM json_each(?)) AND field = ?"
    said, lists = translated(sql)
    assert said == 'SELECT start, "end", quote_end FROM facts WHERE sheet = ANY(?) AND field = ?' and lists == {0}
    assert translated("SELECT 1 FROM a WHERE b = ? AND c IN (SELECT value FROM json_each(?))")[1] == {1}


# ---- made, replaced, swept --------------------------------------------------------------------------------------------


@pytest.fixture
def own(postgres: PostgresServer) -> str:
    """A database nobody else writes to, in use."""
    made = postgres.database()
    use_records_server(made)
    return made


def test_a_build_copies_its_records_and_drops_those_it_sweeps(own, tmp_path) -> None:
    names = []
    for _ in range(4):
        build(((d, [r]) for d, r in SHEETS), ENCODER, tmp_path).close()
        names.append(current(tmp_path))
        kept = {one.name for one in (tmp_path / SNAPSHOTS).iterdir()}
        assert schemas(own) == {schema_of(name) for name in kept} and names[-1] in kept
    assert len(kept) == 2


def test_what_two_snapshots_have_in_common_is_copied_once_and_stays_as_long_as_one_needs_it(own, tmp_path) -> None:
    for some, files in ((SHEETS, 1), (SHEETS, 1), (SHEETS[:1], 2), (SHEETS[:1], 1), (SHEETS, 2)):
        served = build(((d, [r]) for d, r in some), ENCODER, tmp_path)
        assert len(schemas(own, "records")) == files and len(served.files()) == len({d.file for d, _ in some})
        served.close()


def test_a_snapshot_of_several_files_has_the_rows_of_all_and_copies_only_the_new_one(own, tmp_path) -> None:
    def part(name: str, statements: list[str]) -> RecordsPart:
        file = tmp_path / name
        with closing(sqlite3.connect(file)) as made, made:
            made.execute("create table documents (document integer primary key, file text not null)")
            made.execute("create table refused (file text primary key, message text not null)")
            for statement in statements:
                made.execute(statement)
        return RecordsPart(file, hashlib.sha256(file.read_bytes()).hexdigest())

    first = part(
        "first",
        [
            "insert into documents values (0, 'a'), (1, 'b')",
            "insert into refused values ('y', 'old'), ('x', 'old')",
        ],
    )
    added = part(
        "added",
        [
            "insert into documents values (2, 'c')",
            "insert into refused values ('z', 'new'), ('w', 'new')",
        ],
    )
    assert copy_records(own, [first], "one") and copy_records(own, [first, added], "two")
    assert not copy_records(own, [first, added], "two")
    assert schemas(own, "records") == {first.schema, added.schema}
    one, two = RecordsServer(own, "one"), RecordsServer(own, "two")
    files = "SELECT file FROM documents ORDER BY document"
    assert one.rows(files) == [("a",), ("b",)] and two.rows(files) == [("a",), ("b",), ("c",)]
    assert two.rows("SELECT file FROM refused ORDER BY rowid") == [("z",), ("w",)]
    one.close()
    drop_records(own, "one")
    assert two.rows(files) == [("a",), ("b",), ("c",)] and schemas(own, "records") == {first.schema, added.schema}
    two.close()
    drop_records(own, "two")
    drop_records(own, "two")
    assert schemas(own) == schemas(own, "records") == set()


def test_an_update_copies_its_addition_only_and_reads_like_its_files(own, tmp_path) -> None:
    every = [(d, [r]) for d, r in SHEETS]
    build(every[:-1], ENCODER, tmp_path).close()
    before = schemas(own, "records")
    (changed, readings) = every[0]
    update(tmp_path, ENCODER, [every[-1], (replace(changed, warnings=("新しい注意",)), readings)], [every[1][0].file])
    assert len(schemas(own, "records") - before) == 1 and before < schemas(own, "records")
    served = Snapshot.open(tmp_path, ENCODER)
    assert served.manifest.parts and len(served.files()) == len(every) - 1
    use_records_server(None)
    file = Snapshot.open(tmp_path, ENCODER)
    assert told(served) == told(file) and served.document(changed.file).warnings == ("新しい注意",)
    served.close()
    use_records_server(own)
    compact(tmp_path, ENCODER).close()
    build(every, ENCODER, tmp_path).close()
    build(every, ENCODER, tmp_path).close()
    assert not schemas(own, "records") & before
    file.close()


def test_a_nul_and_every_other_character_come_back_with_their_offsets(own, tmp_path) -> None:
    odd = reading(
        "z.txt", "欄\0と\x1a", "\x1a\x01市", None, "", {"事業の目的": "頭\0の\x1a\x02後ろ\ud7ff\U0001f600\t\\N\\.\r"}
    )
    served = build([(odd[0], [odd[1]])], ENCODER, tmp_path)
    file = Records([served.path / RECORDS], [served.path / TABLES])
    assert served._records.reading("z.txt") == file.reading("z.txt") == (odd[0], [odd[1]])
    assert served.facts() == file.facts()
    served.close()
    file.close()


def test_an_index_from_before_the_server_is_copied_when_it_is_opened(postgres, tmp_path, monkeypatch) -> None:
    before = build(((d, [r]) for d, r in SHEETS), ENCODER, tmp_path)
    url = postgres.database()
    use_records_server(url)
    made = []

    def counted(*copying: object) -> bool:
        made.append(copy_records(*copying))
        return made[-1]

    monkeypatch.setattr("index.recordsserver.copy_records", counted)
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: Snapshot.open(tmp_path, ENCODER), range(4)))
    # Whoever waited while another one copied finds it there, and does not drop and make it anew under its readers.
    assert sorted(made) == [False, False, False, True] and schemas(url) == {schema_of(before.version)}
    for one in opened:
        assert one.facts() == before.facts() and one.sections() == before.sections()
        one.close()
    before.close()


def test_a_copy_that_breaks_off_is_not_there_and_the_live_index_stays(own, tmp_path, monkeypatch) -> None:
    build(((d, [r]) for d, r in SHEETS[:1]), ENCODER, tmp_path).close()
    first = current(tmp_path)
    monkeypatch.setattr("index.recordscopy.READY", "ready; nonsense")
    with pytest.raises(DatabaseError, match="写せません"):
        build(((d, [r]) for d, r in SHEETS), ENCODER, tmp_path)
    monkeypatch.undo()
    assert current(tmp_path) == first and schemas(own) == {schema_of(first)}
    use_records_server(own)
    served = Snapshot.open(tmp_path, ENCODER)
    assert len(served.files()) == 1
    served.close()


def test_a_schema_without_its_last_row_is_written_anew(own, tmp_path) -> None:
    built = build(((d, [r]) for d, r in SHEETS), ENCODER, tmp_path)
    [part] = parts_of(built.path, built.manifest)
    with connect(own) as connection:
        connection.execute(f'delete from "{part.schema}".facts'.encode())
        for schema in (schema_of(built.version), part.schema):
            connection.execute(f'drop table "{schema}".ready'.encode())
    again = Snapshot.open(tmp_path, ENCODER)
    assert again.facts() == built.facts() and again.facts()
    again.close()
    built.close()


def test_what_somebody_reads_is_not_dropped_under_them(own, tmp_path, monkeypatch, caplog) -> None:
    monkeypatch.setattr("index.recordscopy._LOCK_SECONDS", 0.2)
    built = build(((d, [r]) for d, r in SHEETS), ENCODER, tmp_path)
    with connect(own) as reader, reader.transaction(), caplog.at_level(logging.WARNING):
        reader.execute(f'select * from "{schema_of(built.version)}".facts'.encode())
        for _ in range(2):
            build(((d, [r]) for d, r in SHEETS), ENCODER, tmp_path).close()
    assert schema_of(built.version) in schemas(own) and "消せません" in caplog.text
    built.close()


def test_while_the_server_is_away_the_file_is_read(postgres, own, tmp_path, caplog) -> None:
    served = build(((d, [r]) for d, r in SHEETS), ENCODER, tmp_path)
    file = Records([served.path / RECORDS], [served.path / TABLES])
    postgres.stop()
    try:
        assert served.facts() == file.facts() and served.sections() == file.sections() and served.events()
        assert served.facts(None, ["決算額"]) == file.facts(None, ["決算額"]) != []
    finally:
        postgres.start()
    assert "フォルダーの記録を読みます" in caplog.text
    served.close()
    file.close()
    with pytest.raises(DatabaseError):
        served.facts()


def test_without_a_file_a_reader_comes_back_after_the_server_was_away(postgres, own, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(driver, "REST", 0.1)
    served = build(((d, [r]) for d, r in SHEETS), ENCODER, tmp_path)
    (served.path / RECORDS).rename(tmp_path / "elsewhere")
    postgres.stop()
    try:
        with pytest.raises(HyokaError, match="もう一度"):
            served.facts()
    finally:
        postgres.start()
    for _ in range(100):
        try:
            found = served.facts()
            break
        except HyokaError:
            threading.Event().wait(0.1)
    file = Records([tmp_path / "elsewhere"], [served.path / TABLES])
    assert found == file.facts()
    served.close()
    file.close()


def test_many_threads_read_at_once(both) -> None:
    file, _ = both
    wanted = {number: file.sections([number]) for number in range(len(file.sheets))}
    problems: list[object] = []
    server = both[1]
    server._kept_sections._limit = 10  # so that nearly every look goes to the server

    def look() -> None:
        for number, rows in wanted.items():
            if server.sections([number]) != rows:
                problems.append(number)

    threads = [threading.Thread(target=look) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_hyoka_index_and_ask_use_the_server_of_the_settings(postgres, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    sample = shutil.copy(SAMPLES / "files" / "hokuto_hyoka_r6.html", tmp_path)
    monkeypatch.setenv("HYOKA_DATABASE_URL", "postgresql://u:secret@127.0.0.1:1/d")
    assert run(["index", str(sample)]) == 1 and not (tmp_path / ".hyoka" / "index" / "CURRENT").exists()
    told = capsys.readouterr()
    assert "サーバーが動いているか" in told.err and "secret" not in told.err + told.out
    url = postgres.database()
    monkeypatch.setenv("HYOKA_DATABASE_URL", url)
    assert run(["index", str(sample)]) == 0 and schemas(url) == {schema_of(current(tmp_path / ".hyoka" / "index"))}
    capsys.readouterr()
    assert run(["ask", "事業の目的は？", "--json"]) == 0
    there = json.loads(capsys.readouterr().out)
    monkeypatch.delenv("HYOKA_DATABASE_URL")
    assert run(["ask", "事業の目的は？", "--json"]) == 0
    here = json.loads(capsys.readouterr().out)
    assert here | {"took_ms": 0} == there | {"took_ms": 0}


def test_without_a_server_in_use_the_file_is_read(tmp_path) -> None:
    built = build(((d, [r]) for d, r in SHEETS), ENCODER, tmp_path)
    assert records_source(built.path, built.manifest) is None
    built.close()
