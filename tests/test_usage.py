"""Counted questions, the tables of the 管理 screen, and who may change things there."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient

from assistant import asked as counts
from assistant.access.door import own_machine
from assistant.accounts import FileAccount
from assistant.asked import folded
from assistant.datewords import length
from assistant.rebuild import Build, Outcome
from assistant.upkeep import Inventory
from tests.fakes import FakeAssistant
from ui.accounts import PAGE, chosen_accounts, render_accounts
from ui.app import create_app
from ui.inventory import render_build, render_status
from ui.times import day, moment, size
from ui.usage import questions_csv, render_asked, render_usage


def test_questions_are_counted_as_asked_with_their_answers_and_nothing_else(place):
    store = place.store()
    for question, answered in (
        ("Ｒ５の　決算額は？", True),
        (" R5の 決算額は? ", False),
        ("目的は", True),
        ("  ", True),
    ):
        store.asked.count(question, answered)
    first, second = store.asked.most()
    assert (first.question, first.times, first.answered) == ("R5の 決算額は?", 2, 1) and second.question == "目的は"
    assert len(first.last) == 10  # a day: no moment that could be laid beside a log
    store.asked.clear()
    assert store.asked.most() == []


def test_a_setting_switches_the_counting_off_and_the_screen_says_so(place):
    store = place.store()
    store.asked.counting = False
    store.asked.count("目的は", True)
    assert store.asked.most() == [] and "数えていません" in render_usage(store)
    assert "だれがいつ質問したかは記録しません" in render_asked([])


def test_the_rarest_questions_go_when_there_are_too_many(place, monkeypatch):
    monkeypatch.setattr(counts, "KEPT", 20)
    monkeypatch.setattr(counts, "_SWEPT", 5)
    store = place.store()
    for _ in range(2):
        store.asked.count("よく聞く", True)
    for number in range(200):
        store.asked.count(f"質問{number}", True)
    left = store.asked.most(100)
    assert left[0].question == "よく聞く" and len(left) < 25 and "質問199" in {one.question for one in left}


def test_the_server_counts_what_is_asked_and_hands_out_the_tables(place):
    store = place.store()
    client = TestClient(create_app(FakeAssistant(), store))
    for question in ("図書館の今後の計画は", "図書館の今後の計画は", "月面 基地", "=cmd|' /C calc'!A0"):
        client.post("/api/v1/ask", json={"question": question})
    answer = client.get("/status/questions.csv?kind=asked")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert answer.content.startswith(b"\xef\xbb\xbf") and "hyoka-asked.csv" in answer.headers["content-disposition"]
    assert rows[1][:4] == ["図書館の今後の計画は", "2", "2", "1.00"]
    assert ["月面 基地", "1", "0", "0.00"] in [row[:4] for row in rows]
    assert all(not row[0].startswith("=") for row in rows)
    assert client.get("/status/questions.csv?kind=nonsense").status_code == 422
    assert "月面 基地" in questions_csv(store, "unanswered").decode("utf-8-sig")


def test_a_question_finds_its_draft_however_it_was_typed(place):
    store = place.store()
    number = store.cases.note("unanswered", "Ｒ５の　決算額は？")
    store.cases.note("unanswered", "では目的は", ["図書館の計画は"])
    found = store.cases.asked(folded("Ｒ５の　決算額は？"))
    assert found is not None and found.id == number
    assert store.cases.asked("では目的は") is None and store.cases.asked("知らない") is None


def test_questions_are_text_in_the_tables(place):
    store = place.store()
    store.asked.count('<img src=x> "引用"', True)
    store.add("down", "<b>問</b>", "<i>答</i>", "<u>意見</u>")
    html = render_usage(store)
    assert not any(tag in html for tag in ("<img", "<b>", "<i>", "<u>")) and 'value="&lt;img src=x&gt; &quot;' in html


# ---- who may ----------------------------------------------------------------------------------------------------------


def request(host: str = "127.0.0.1:8000", client: str = "127.0.0.1", **headers: str) -> SimpleNamespace:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return SimpleNamespace(headers={"host": host, **named}, client=SimpleNamespace(host=client))


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "localhost:8000", "[::1]:8000", "127.0.0.2"])
def test_this_machine_may_change_things(host):
    assert own_machine(request(host)) and own_machine(request(host, origin=f"http://{host}"))
    assert own_machine(request(host, client="::1", sec_fetch_site="same-origin"))


@pytest.mark.parametrize(
    "foreign",
    [
        request(client="192.0.2.7"),
        request(host="hyoka.example.jp"),  # a proxy, or a name that was pointed at this machine
        request(host="hyoka.example.jp", origin="http://hyoka.example.jp"),
        request(origin="http://evil.example"),
        request(origin="http://127.0.0.1:9999"),
        request(origin="null"),
        request(sec_fetch_site="cross-site"),
        request(sec_fetch_site="same-site"),
        request(host=""),
        request(client=""),
    ],
)
def test_nobody_else_and_no_other_page_may(foreign):
    assert not own_machine(foreign)


# ---- the account of the index -----------------------------------------------------------------------------------------


def test_the_account_names_everything_and_escapes_paths():
    held = Inventory(
        "v2", datetime(2026, 11, 21, 9, 5, tzinfo=UTC), "bundled", 320, {}, ("/資料/<令和7>",), 3_984_588,
        (("v2", 3_984_588), ("v1", 1_048_576)),
    )  # fmt: skip
    html = render_status("v2", [], held, "壊れています。", ["/別の資料"])
    assert "3.8 MB" in html and "前の版 1つ 1.0 MB" in html and "/資料/&lt;令和7&gt;" in html
    assert "次に読む取り込み元" in html and "/別の資料" in html and 'role="alert"' in html and "同梱のモデル" in html
    assert "次に読む" not in render_status("v2", [], held, "", held.sources)


def test_a_running_build_says_how_far_how_fast_and_how_long_yet():
    html = render_build(
        Build("running", what="読み込み 資料/<a>.pdf", done=120, total=500, seconds=61, rate=2.0, left=190)
    )
    assert "120 / 500件" in html and "毎秒 2.0件" in html and "約 3分10秒" in html and 'value="120" max="500"' in html
    assert "資料/&lt;a&gt;.pdf" in html and "1分1秒経過" in html
    slow = render_build(Build("running", what="読み込み a.pdf", done=3, total=9, seconds=30, rate=0.1, left=60))
    assert "1件に約 10秒" in slow
    later = render_build(Build("running", what="意味の索引", done=640, total=1280, reading=False))
    assert "意味の索引を作っています　50%" in later and "約" not in later
    last = render_build(Build("running", what="意味の索引", done=1280, total=1280, reading=False, left=0.0))
    assert "仕上げ" in last and "value=" not in last
    assert render_build(Build()) == ""


def test_a_finished_build_lists_what_could_not_be_read():
    refused = tuple((f"{n}.pdf", f"{n}.pdf: <読めません>。") for n in range(250))
    html = render_build(Build("done", seconds=65, outcome=Outcome("v", 3, 9, 90, 900, 2, 1, refused)))
    assert "読めなかったファイル 250件" in html and html.count("&lt;読めません&gt;") == 200 and "ほかに50件" in html
    failed = render_build(Build("failed", message="メモリーが足りません。前の索引をそのまま使っています。", seconds=5))
    assert "前の索引をそのまま使っています（5秒）。" in failed


def test_five_hundred_files_come_in_pages_those_to_look_at_first():
    every = [
        FileAccount(f"課{n:03}.pdf", refusal=f"課{n:03}.pdf: 読めません。" if n % 10 == 9 else "") for n in range(500)
    ]
    assert all(one.doubtful for one in every)  # a file without a sheet is to be looked at too
    refused = chosen_accounts(every, "", "refused")
    assert len(refused) == 50 and len(chosen_accounts(every, "課０１", "refused")) == 1
    first, last = (render_accounts(every, 500, at) for at in (0, 9))
    assert first.count("<details") == last.count("<details") == PAGE
    assert "500件中 500件のうち1〜50件目" in first and "451〜500件目" in last and "課499.pdf" in last


def test_times_and_sizes_are_written_as_people_write_them():
    assert moment(datetime(2019, 12, 1, 3, 4).astimezone()) == "令和元年12月1日 03:04"
    assert day("2026-11-21") == "令和8年11月21日" and day("いつか") == "いつか"
    assert [length(s) for s in (0, 59.6, 60, 3600, 7260)] == ["0秒", "1分", "1分", "1時間", "2時間1分"]
    assert [size(n) for n in (0, 1023, 1024, 5 * 2**30)] == ["0 バイト", "1,023 バイト", "1.0 KB", "5.0 GB"]
