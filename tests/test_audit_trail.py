"""The audit trail: every answer stands in it before anybody sees it, and what cannot be written down is not answered."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from fakes import FakeAssistant, FakeIndex
from fastapi.testclient import TestClient
from kept import Place

from assistant import audit
from assistant.access.caller import Caller, calling
from assistant.accounting import csv_pieces, json_lines
from assistant.audit import UNWRITTEN, Auditing, AuditTrail, Recorded
from assistant.cli import run
from assistant.store import FeedbackStore, open_store
from corpus.errors import DatabaseError
from index.database import SQLiteDatabase
from ui.app import create_app

ON = Auditing(on=True, days=30)


@pytest.fixture(autouse=True)
def no_trail_in_force():
    yield
    audit.use_trail(AuditTrail(SQLiteDatabase()))


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 4, 1, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def asked(trail: AuditTrail) -> list[tuple[str, str, str]]:
    return [(line.what, line.question, line.outcome) for line in trail.lines()]


def test_a_line_says_who_when_what_and_which_sheets(place: Place):
    clock = Clock()
    trail = AuditTrail(place.database(), ON, clock)
    with calling(Caller("見本 花子")):
        trail.record("ask", "決算額は？", ["a-1", "b-2", "a-1"], "v1", "answered")
    assert list(trail.lines()) == [
        Recorded(
            "2026-04-01T09:30:00.000+00:00", "見本 花子", "", "ask", "決算額は？", ("a-1", "b-2"), "v1", "answered"
        )
    ]


def test_nothing_is_written_where_no_trail_is_kept(place: Place):
    trail = AuditTrail(place.database())
    trail.record("ask", "決算額は？")
    assert trail.count() == 0


def test_lines_go_when_their_days_are_over_and_not_before(place: Place):
    clock = Clock()
    trail = AuditTrail(place.database(), ON, clock)
    trail.record("ask", "一つ目")
    clock.now += timedelta(days=29, hours=23)
    trail.record("ask", "二つ目")
    assert [question for _, question, _ in asked(trail)] == ["一つ目", "二つ目"]
    clock.now += timedelta(hours=2)
    trail.record("ask", "三つ目")
    assert [question for _, question, _ in asked(trail)] == ["二つ目", "三つ目"]


def test_the_trail_is_exported_by_day(place: Place):
    clock = Clock()
    trail = AuditTrail(place.database(), ON, clock)
    for day in range(3):
        trail.record("ask", f"=質問{day}", ["a-1", "b-2"])
        clock.now += timedelta(days=1)
    text = "".join(csv_pieces(trail, date(2026, 4, 2), date(2026, 4, 2)))
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert rows[0] == list(audit.COLUMNS)
    assert [(row[4], row[5]) for row in rows[1:]] == [("'=質問1", "a-1 b-2")]  # no formula for Excel
    lines = [json.loads(line) for line in json_lines(trail)]
    assert [(line["question"], line["sheets"]) for line in lines] == [(f"=質問{n}", ["a-1", "b-2"]) for n in range(3)]


@pytest.fixture
def server(tmp_path):
    store = FeedbackStore(tmp_path / "store.sqlite", auditing=ON)
    with TestClient(create_app(FakeAssistant(FakeIndex()), store)) as client:
        yield client, store
    store.close()


def test_every_way_of_looking_at_sheets_leaves_a_line(server):
    client, store = server
    answer = client.post("/api/v1/ask", json={"question": "今後の計画は？"}).json()
    hits = client.get("/api/v1/search", params={"q": "更新"}).json()["hits"]
    client.get("/search/results", params={"q": "更新"})
    client.get("/sheet/aoba-1")
    client.get("/api/v1/sheets/aoba-1/source")
    client.get("/api/v1/sheets")
    client.get("/compare", params=[("sheet", "aoba-1"), ("sheet", "hinode-1")])
    client.get("/export/search.csv", params={"q": "更新"})
    client.get("/sheet/nothing")
    client.get("/healthz")
    lines = list(store.audit.lines())
    assert [(line.what, line.question, line.outcome) for line in lines] == [
        ("ask", "今後の計画は？", "abstained" if answer["abstained"] else "answered"),
        ("search", "更新", "shown"),
        ("search", "更新", "shown"),
        ("sheet", "", "shown"),
        ("sheet", "", "shown"),
        ("list", "", "shown"),
        ("compare", "", "shown"),
        ("export", "更新", "shown"),
        ("sheet", "", "not found"),
    ]
    cited = [one["sheet_id"] for one in answer["citations"] + answer["related"]]
    assert lines[0].sheets == tuple(dict.fromkeys(cited))
    assert lines[1].sheets == tuple(dict.fromkeys(hit["sheet_id"] for hit in hits)) != ()
    assert lines[3].sheets == lines[4].sheets == ("aoba-1",)
    assert lines[6].sheets == ("aoba-1", "hinode-1")
    assert lines[7].sheets
    assert {line.address for line in lines} == {"testclient"}


def test_what_cannot_be_written_down_is_not_answered(server, monkeypatch):
    client, store = server

    def full(*_: object, **__: object) -> None:
        raise DatabaseError("full")

    monkeypatch.setattr(store.audit._db, "transaction", full)
    for response in (
        client.post("/api/v1/ask", json={"question": "今後の計画は？"}),
        client.get("/api/v1/search", params={"q": "更新"}),
        client.get("/sheet/aoba-1"),
        client.get("/export/search.csv", params={"q": "更新"}),
    ):
        assert response.status_code == 503
        assert response.json() == {"error": {"code": "not_recorded", "message": UNWRITTEN}}
    assert client.get("/healthz").status_code == 200


def test_a_question_of_the_screens_is_written_down_before_its_answer(tmp_path, monkeypatch):
    store = FeedbackStore(tmp_path / "store.sqlite", auditing=ON)
    app = create_app(FakeAssistant(FakeIndex()), store)
    recorder = app.state.recorder
    with calling(Caller("見本")):
        recorder.ask("今後の計画は？")
    (line,) = store.audit.lines()
    assert (line.who, line.what, line.question) == ("見本", "ask", "今後の計画は？")
    with pytest.raises(DatabaseError), monkeypatch.context() as broken:
        broken.setattr(store.audit, "record", lambda *_, **__: (_ for _ in ()).throw(DatabaseError(UNWRITTEN)))
        recorder.ask("今後の計画は？")
    store.close()


def test_only_an_administrator_saves_the_trail_from_the_screen(server, monkeypatch):
    client, store = server
    client.get("/sheet/aoba-1")
    refused = client.get("/status/audit.csv")
    assert refused.status_code == 403 and "aoba-1" not in refused.text
    monkeypatch.setattr("ui.auditfiles.may_administer", lambda _: True)
    assert client.get("/status/audit.csv", params={"from": "yesterday"}).status_code == 422
    lines = client.get("/status/audit.jsonl").text.splitlines()
    assert [json.loads(line)["sheets"] for line in lines][0] == ["aoba-1"]
    assert client.get("/status/audit.csv").text.splitlines()[0] == "\ufeff" + ",".join(audit.COLUMNS)
    assert [line.what for line in store.audit.lines()].count("export") == 4


def test_a_login_is_recorded_by_one_call(tmp_path):
    store = FeedbackStore(tmp_path / "store.sqlite", auditing=ON)
    audit.use_trail(store.audit)
    audit.record("login", "見本", "192.0.2.7", "refused")
    (line,) = store.audit.lines()
    assert (line.what, line.who, line.address, line.outcome) == ("login", "見本", "192.0.2.7", "refused")
    store.close()


def test_a_trail_is_never_kept_in_memory_alone(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseError, match="監査の記録の保存先"):
        open_store(tmp_path / "file" / "store.sqlite", auditing=ON)
    assert open_store(tmp_path / "file" / "store.sqlite").talks is not None


def test_the_command_exports_what_the_server_wrote(tmp_path: Path, monkeypatch, capsys):
    file = tmp_path / "store.sqlite"
    store = FeedbackStore(file, auditing=ON)
    store.audit.record("ask", "決算額は？", ["a-1"], "v1", "answered")
    store.close()
    monkeypatch.setenv("HYOKA_FEEDBACK_FILE", str(file))
    assert run(["audit", "export", "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["question"] == "決算額は？"
    assert run(["audit", "export", "--from", "2020-01-01", "--to", "2020-01-02"]) == 0
    assert capsys.readouterr().out.removeprefix("\ufeff").splitlines() == [",".join(audit.COLUMNS)]
