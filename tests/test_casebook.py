"""Draft questions: how a 👎 and an unanswered question become one, and what the desk makes of them."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import FakeAssistant, FakeIndex
from fastapi.testclient import TestClient
from kept import Place

from assistant import casebook
from assistant.api import create_api
from assistant.casebook import DraftCase
from assistant.metrics import Metrics
from assistant.recorder import Recorder
from assistant.store import FeedbackStore
from assistant.types import Turn
from corpus.errors import SettingsError
from evals import desk as desk_module
from evals.desk import Desk, as_case, cases_of, doubts


def recorded(store: FeedbackStore) -> Recorder:
    return Recorder(FakeAssistant(), store, Metrics())


def test_a_poor_answer_becomes_a_draft_with_what_it_rested_on(place: Place) -> None:
    store = place.store()
    asker = recorded(store)
    history = [Turn("user", "図書館の目的は"), Turn("assistant", "待ち時間")]
    answer = asker.ask("図書館の今後の計画は", history)
    store.add("up", "図書館の今後の計画は", answer.answer)
    assert store.cases.cases("draft") == []
    store.add("down", "図書館の今後の計画は", answer.answer, "年度が違う", "fake-1")
    [draft] = store.cases.cases("draft")
    assert (draft.origin, draft.history, draft.type) == ("down", ("図書館の目的は",), "follow-up")
    assert draft.cited == ("図書館システム運用 / 今後の計画",)
    assert (draft.comment, draft.answer, draft.index_version) == ("年度が違う", answer.answer, "fake-1")


def test_a_question_without_an_answer_becomes_a_draft_and_is_counted(place: Place) -> None:
    store = place.store()
    asker = recorded(store)
    for _ in range(3):
        asker.ask("海底 都市 構想")
    asker.ask("図書館の今後の計画は")
    [draft] = store.cases.cases("draft")
    assert (draft.origin, draft.question, draft.times, draft.cited) == ("unanswered", "海底 都市 構想", 3, ())
    store.add("down", "海底 都市 構想", "", "地下の章にある")  # now somebody says that there is an answer
    [draft] = store.cases.cases("draft")
    assert (draft.origin, draft.comment, draft.times) == ("down", "地下の章にある", 4)


def test_what_was_wrong_can_be_told_afterwards(place: Place) -> None:
    store = place.store()
    answer = recorded(store).ask("図書館の今後の計画は", [Turn("user", "目的は")])
    number = store.add("down", "図書館の今後の計画は", answer.answer)
    store.revise(number, "down", "年度が\n違う")
    store.revise(number, "down", "年度が 違う")
    store.revise(99, "down", "ない")
    assert store.latest()[0].comment == "年度が 違う"
    assert store.cases.find(1).comment == "年度が 違う" and store.cases.find(1).times == 1


def test_over_http_too(place: Place) -> None:
    store = place.store()
    with TestClient(create_api(FakeAssistant(), store)) as client:
        answer = client.post("/api/v1/ask", json={"question": "図書館の今後の計画は"}).json()
        body = {"question": "図書館の今後の計画は", "answer": answer["answer"], "rating": "down", "comment": "古い"}
        assert client.post("/api/v1/feedback", json=body).status_code == 201
    [draft] = store.cases.cases("draft")
    assert draft.cited == ("図書館システム運用 / 今後の計画",) and draft.comment == "古い"


def test_what_a_person_decided_stays(place: Place) -> None:
    book = place.store().cases
    number = book.note("down", "問い")
    assert book.save(replace(book.find(number), state="rejected"))
    assert book.note("down", "問い", comment="まだ違う") == number
    assert book.find(number).state == "rejected" and book.counts() == {"draft": 0, "accepted": 0, "rejected": 1}
    other = book.note("unanswered", "別の問い")
    assert book.note("unanswered", "別の問い", history=["前"]) not in (number, other)  # another question after 前
    assert not book.save(replace(book.find(other), question="問い"))  # taken
    assert not book.save(DraftCase(99, "", "draft", "written", "ない"))


def test_drafts_survive_a_restart_and_do_not_pile_up(place: Place, monkeypatch) -> None:
    monkeypatch.setattr(casebook, "KEPT_DRAFTS", 3)
    store = place.store()
    number = store.cases.add(
        DraftCase(0, "", "accepted", "written", "残る", ("前",), "list", (("a", "b"), ("c",)), ("d",), ("給食@町",))
    )
    for at in range(5):
        store.add_unanswered(f"問い{at}")
    store.close()
    book = place.store().cases
    assert [draft.question for draft in book.cases("draft")] == ["問い4", "問い3", "問い2"]
    kept = book.find(number)
    assert kept.must == (("a", "b"), ("c",)) and kept.sheets == ("給食@町",) and kept.history == ("前",)
    assert book.add(kept) == 0  # there already


def test_a_store_of_an_earlier_version_is_opened(place: Place) -> None:
    store = place.store()
    store.close()
    place.change("drop table drafts")
    assert place.store().cases.counts()["draft"] == 0


def test_drafts_from_many_threads(place: Place) -> None:
    book = place.store().cases
    threads = [threading.Thread(target=lambda: [book.note("down", f"問い{n}") for n in range(30)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert book.counts()["draft"] == 30 and {case.times for case in book.cases("draft")} == {4}


def test_a_draft_as_a_case() -> None:
    draft = DraftCase(7, "", "accepted", "down", "課題は？", must=(("法務省",),), sheets=("戸籍システム",), note="n")
    case = as_case(draft)
    assert (case.id, case.type, case.answer.must, case.note) == ("q-0007", "lookup-text", (("法務省",),), "n")
    assert as_case(replace(draft, history=("前",))).type == "follow-up"
    void = as_case(replace(draft, unanswerable=True))
    assert void.type == "unanswerable" and void.sheets == () and void.answer.must == ()
    assert as_case(replace(draft, type="unanswerable")).type == "lookup-text"  # the mark was taken away
    with pytest.raises(SettingsError, match="答えなしが正解"):
        as_case(replace(draft, must=(), sheets=()))
    with pytest.raises(SettingsError, match="質問が空"):
        as_case(replace(draft, question="  "))


def test_what_the_gold_says_and_no_sheet_prints_is_doubted() -> None:
    draft = DraftCase(
        1, "", "draft", "down", "?", must=(("クラウド型",), ("みかん", "りんご")), sheets=("図書館システム運用",)
    )
    assert doubts(as_case(draft), FakeIndex()) == [
        "正解の語「みかん｜りんご」は、引用すべきシートの原文に見当たりません。"
    ]
    assert "索引にありません" in doubts(as_case(replace(draft, sheets=("ない事業",))), FakeIndex())[0]
    assert doubts(as_case(replace(draft, must=(("1,200千円", "x"),))), FakeIndex()) == []
    assert doubts(as_case(replace(draft, type="aggregate")), FakeIndex()) == []


@pytest.fixture
def desk(place: Place, tmp_path: Path) -> Desk:
    store = place.store()
    return Desk(recorded(store), store.cases, tmp_path / "runs")


def test_accepted_cases_are_run_kept_and_compared(desk: Desk) -> None:
    right = DraftCase(
        0, "", "accepted", "written", "図書館の今後の計画は", must=(("クラウド型",),), sheets=("図書館システム運用",)
    )
    desk.book.add(right)
    desk.book.add(replace(right, question="道路台帳の目的は", must=(("みかん",),), sheets=("道路台帳整備",)))
    desk.book.add(replace(right, question="海底 都市 構想", unanswerable=True))
    desk.book.add(replace(right, question="金なし", must=(), sheets=()))  # accepted by another way: no gold, not run
    told: list[tuple[int, int]] = []
    first = desk.run(lambda done, whole: told.append((done, whole)))
    assert (first["overall"]["right"], first["overall"]["n"]) == (2, 3) and told[-1] == (3, 3)
    assert desk.change() is None
    # Running asks nobody's questions: no draft comes of it.
    assert desk.book.counts() == {"draft": 0, "accepted": 4, "rejected": 0}
    wrong = desk.book.find(2)
    desk.book.save(replace(wrong, must=(("電子化",),)))
    desk.run()
    change = desk.change()
    assert [case.id for case in change.fixed] == ["q-0002"] and change.broken == ()
    assert [run["overall"]["right"] for run in desk.history()] == [3, 2]


def test_nothing_to_run_and_one_at_a_time(desk: Desk) -> None:
    with pytest.raises(SettingsError, match="採用した質問がまだありません"):
        desk.run()
    desk.book.add(DraftCase(0, "", "accepted", "written", "海底 都市", unanswerable=True))
    with desk_module._running, pytest.raises(SettingsError, match="ほかの人"):
        desk.run()
    assert desk.run()["overall"]["n"] == 1


def test_drafts_are_proposed_from_the_index(desk: Desk) -> None:
    assert desk.propose(6) == 6
    assert desk.propose(6) > 0  # others
    drafts = desk.book.cases("draft")
    assert {draft.origin for draft in drafts} == {"proposed"}
    assert len(cases_of(desk.book, "draft")) == len(drafts)
