"""Conversations kept for one person: found again by their words, out of reach for others, and gone when deleted."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.conversations import KEEPING, ConversationBook, Keeping, folded
from assistant.payload import answer_json
from assistant.readback import answer_of, moved
from assistant.settings import load_settings
from assistant.store import FeedbackStore, open_store
from corpus.errors import SettingsError
from index.types import Filters
from tests.fakes import FakeAssistant, FakeIndex
from ui.render import render_answer

FAKE = FakeAssistant()
QUESTIONS = ["図書館の今後の計画は", "決算額の推移は？", "決算額が大きい事業は？", "海底 都市 構想"]


def said(question: str):
    return answer_json(FAKE.ask(question), FAKE.index)


@pytest.fixture
def book(place) -> ConversationBook:
    return ConversationBook(place.database())


def tell(book: ConversationBook, owner: str, *questions: str, talk: str = "") -> str:
    for question in questions:
        talk = book.add(owner, talk, question, said(question), Filters(municipality=("あおば市",)))
    return talk


def test_a_conversation_comes_back_as_it_was(book):
    talk = tell(book, "a", *QUESTIONS)
    found = book.find("a", talk)
    assert found is not None and found.title == QUESTIONS[0] and found.last >= found.began
    assert [entry.question for entry in found.entries] == QUESTIONS
    for entry in found.entries:
        given_then = said(entry.question)
        assert entry.answer is not None
        assert entry.answer.model_copy(update={"took_ms": 0}) == given_then.model_copy(update={"took_ms": 0})
        assert entry.text == given_then.answer and entry.filters == Filters(municipality=("あおば市",))
        assert entry.index_version == "fake-1" and entry.at.tzinfo is not None


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_read_back_looks_the_same_on_the_screen(question):
    answer = FAKE.ask(question)
    assert render_answer(answer_of(answer_json(answer, FAKE.index))) == render_answer(answer)


def test_another_owner_neither_sees_nor_deletes_nor_continues_it(book):
    talk = tell(book, "a", "決算額の推移は？")
    assert book.find("b", talk) is None and book.length("b", talk) == 0
    assert book.listing("b") == [] and book.listing("b", "決算額") == [] and book.count("b") == 0
    assert not book.delete("b", talk) and book.delete_all("b") == 0
    other = tell(book, "b", "図書館の今後の計画は", talk=talk)
    assert other != talk and book.length("a", talk) == 1 and book.length("b", other) == 1


def test_without_an_owner_nothing_is_kept(book):
    assert tell(book, "", "決算額の推移は？") == "" and book.listing("") == []


def test_ids_cannot_be_guessed(book):
    ids = [tell(book, "a", "決算額の推移は？") for _ in range(50)]
    assert len(set(ids)) == 50 and all(len(one) >= 22 for one in ids)


def test_the_newest_use_stands_first(book):
    first, second = tell(book, "a", "決算額の推移は？"), tell(book, "a", "図書館の今後の計画は")
    assert [one.id for one in book.listing("a")] == [second, first]
    tell(book, "a", "海底 都市 構想", talk=first)
    assert [(one.id, one.count) for one in book.listing("a")] == [(first, 2), (second, 1)]


def test_words_of_questions_and_answers_find_a_conversation(book):
    talk = tell(book, "a", "ＡＩ-OCRの決算額の推移は？", "図書館の今後の計画は")
    tell(book, "a", "海底 都市 構想")
    for words in ("ai-ocr", "ＯＣＲ", "ｸﾗｳﾄﾞ型", "推移　クラウド", "  決算額 "):
        assert [one.id for one in book.listing("a", words)] == [talk], words
    assert book.listing("a", "クラウド 海底") == [], "all the words in one conversation"
    assert len(book.listing("a", "")) == 2 and book.listing("a", "100%_") == []


@given(st.text(max_size=20))
def test_folding_twice_changes_nothing(text):
    assert folded(folded(text)) == folded(text)


def test_days_and_number_are_limits(place):
    now = [datetime(2026, 4, 1, tzinfo=UTC)]
    book = ConversationBook(place.database(), Keeping(days=10, most=3), lambda: now[0])
    old = tell(book, "a", "決算額の推移は？")
    now[0] += timedelta(days=9)
    tell(book, "a", "図書館の今後の計画は", talk=old)
    now[0] += timedelta(days=9)
    assert [one.id for one in book.listing("a")] == [old], "ten days count from the last question"
    now[0] += timedelta(days=2)
    assert book.listing("a") == [] and book.find("a", old) is None
    ids = [tell(book, "a", "海底 都市 構想") for _ in range(5)]
    assert [one.id for one in book.listing("a")] == ids[:1:-1]
    tell(book, "b", "海底 都市 構想")
    assert book.count("a") == 3 and book.count("b") == 1


def test_what_another_version_wrote_is_shown_as_text(place):
    store = place.store()
    talk = tell(store.talks, "a", "決算額の推移は？")
    place.change('update talk_entries set payload = \'{"answer": 1}\', filters = \'{"colour": ["red"]}\'')
    entry = store.talks.find("a", talk).entries[0]
    assert entry.answer is None and entry.text == said("決算額の推移は？").answer and entry.filters == Filters()


def bytes_of(path: Path) -> bytes:
    return b"".join(part.read_bytes() for part in path.parent.glob(f"{path.name}*"))


def test_deleted_text_is_not_left_in_the_file(tmp_path):
    path = tmp_path / "store.sqlite"
    store = FeedbackStore(path)
    secret, other = "秘密の地番一二三は", "残す質問は"
    talk = tell(store.talks, "a", secret)
    kept = tell(store.talks, "a", other)
    assert secret.encode() in bytes_of(path)
    assert store.talks.delete("a", talk) and not store.talks.delete("a", talk)
    assert secret.encode() not in bytes_of(path) and other.encode() in bytes_of(path)
    assert store.talks.delete_all("a") == 1 and store.talks.find("a", kept) is None
    assert other.encode() not in bytes_of(path)
    store.close()
    assert other.encode() not in bytes_of(path) and secret.encode() not in bytes_of(path)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 1_500), st.booleans()), min_size=1, max_size=25))
def test_nothing_of_any_deleted_conversation_is_left(tmp_path_factory, talks):
    path = tmp_path_factory.mktemp("erase") / "store.sqlite"
    store = FeedbackStore(path)
    answer = said("図書館の今後の計画は")
    marks = []
    for number, (entries, length, doomed) in enumerate(talks):
        talk = ""
        for at in range(entries):
            mark = f"<{number}-{at}>"
            told = answer.model_copy(update={"answer": mark + "長" * length})
            talk = store.talks.add("a", talk, f"質問{mark}", told, Filters())
            marks.append((talk, doomed, mark.encode()))
    for talk in dict.fromkeys(talk for talk, doomed, _ in marks if doomed):
        assert store.talks.delete("a", talk)
    data = bytes_of(path)
    for _, doomed, mark in marks:
        assert (mark in data) is not doomed
    store.close()


def test_switched_off_nothing_is_written_and_what_was_there_goes(tmp_path):
    path = tmp_path / "store.sqlite"
    store = FeedbackStore(path)
    tell(store.talks, "a", "古い質問の言葉")
    store.close()
    store = FeedbackStore(path, Keeping(on=False))
    assert not store.talks.keeping.on
    talk = tell(store.talks, "a", "新しい質問の言葉")
    assert store.talks.find("a", talk) is not None, "in memory, so that the conversation on the screen can be saved"
    store.close()
    data = bytes_of(path)
    assert "古い質問の言葉".encode() not in data and "新しい質問の言葉".encode() not in data
    assert FeedbackStore(path).talks.listing("a") == []


def test_switched_off_the_tables_are_empty(place):
    tell(place.store().talks, "a", "古い質問の言葉")
    assert any("古い質問の言葉" in row for row in place.everything())
    tell(place.store(Keeping(on=False)).talks, "a", "新しい質問の言葉")
    assert place.everything() == []


def test_a_conversation_deleted_while_it_goes_on_leaves_no_entry(place):
    books = [ConversationBook(place.database()) for _ in range(2)]
    stop = threading.Event()

    def delete() -> None:
        while not stop.is_set():
            books[1].delete_all("a")

    deleting = threading.Thread(target=delete)
    deleting.start()
    talk = ""
    for number in range(40):
        talk = tell(books[0], "a", f"質問{number}", talk=talk)
    stop.set()
    deleting.join()
    books[1].delete_all("a")
    assert [row for row in books[0]._db.rows("select talk from talk_entries")] == []


def test_the_settings_say_what_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert (load_settings().history, load_settings().history_days, load_settings().history_most) == (True, 90, 200)
    assert Keeping(True, 90, 200) == KEEPING
    (tmp_path / "hyoka.toml").write_text("history = false\nhistory_days = 30\n", "utf-8")
    assert not load_settings().history and load_settings().history_days == 30
    with pytest.raises(SettingsError, match="history_days.*3650"):
        load_settings(history_days=0)
    assert open_store(":memory:", Keeping(days=3)).talks.keeping.days == 3


def test_a_quote_that_moved_is_counted(monkeypatch):
    saved = said("決算額の推移は？")
    assert moved(saved, FAKE.index) == 0
    first = saved.citations[0]
    elsewhere = first.model_copy(update={"source": first.source.model_copy(update={"start": 0, "end": 3})})
    gone = first.model_copy(update={"sheet_id": "nothing"})
    assert moved(saved.model_copy(update={"citations": [first, elsewhere, gone]}), replace(FakeIndex())) == 2
