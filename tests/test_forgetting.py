"""A deleted history is gone: from the rows, the files of the store, the counts that quote it, and the caches."""

from __future__ import annotations

import contextlib
from pathlib import Path

from fakes import FakeAssistant, FakeIndex
from kept import Place

from assistant.answercache import AnswerCache
from assistant.audit import Auditing
from assistant.cli import run
from assistant.metrics import Metrics
from assistant.payload import answer_json
from assistant.recorder import Recorder
from assistant.store import FeedbackStore
from assistant.types import Turn
from index.types import Filters

MARK = "架空鳥獣対策"
OTHERS = "道路台帳"


def converse(store: FeedbackStore, owner: str, subject: str, times: int = 3) -> None:
    """Somebody asks, is answered, is not answered, and complains."""
    assistant = FakeAssistant(FakeIndex())
    recorder = Recorder(assistant, store, Metrics())
    talk, earlier = "", list[Turn]()
    for n in range(times):
        question = f"{subject}の計画は？{n}"
        answer = recorder.ask(question, earlier)
        given = answer_json(answer, assistant.index)
        talk = store.talks.add(owner, talk, question, given, Filters())
        store.add("down", question, answer.answer, f"{subject}が違う")
        earlier += [Turn("user", question), Turn("assistant", answer.answer)]


def quoting(folder: Path, text: str) -> list[str]:
    """The files of a folder in which a text stands."""
    return [file.name for file in folder.rglob("*") if file.is_file() and text.encode() in file.read_bytes()]


def test_deleted_words_are_in_no_file_of_the_store(tmp_path):
    store = FeedbackStore(tmp_path / "store.sqlite")
    for n in range(60):  # enough for pages to be split and joined
        converse(store, "user:見本", f"{MARK}{n}")
        converse(store, "user:別人", f"{OTHERS}{n}")
    assert quoting(tmp_path, MARK)
    assert store.talks.delete_all("user:見本") == 60
    assert quoting(tmp_path, MARK) == []
    assert quoting(tmp_path, OTHERS) and store.talks.count("user:別人") == 60
    assert all(OTHERS in one.question for one in store.asked.most(1_000))
    assert all(OTHERS in one.question for one in store.latest(1_000))
    assert all(OTHERS in one.question for one in store.unanswered(1_000))
    store.close()


def test_one_deleted_conversation_is_gone_too(tmp_path):
    store = FeedbackStore(tmp_path / "store.sqlite")
    converse(store, "user:見本", MARK)
    converse(store, "user:見本", OTHERS)
    talk = next(one.id for one in store.talks.listing("user:見本") if MARK in one.title)
    assert store.talks.delete("user:見本", talk)
    assert quoting(tmp_path, MARK) == [] and store.talks.count("user:見本") == 1
    store.close()


def test_what_others_asked_too_keeps_their_share(place: Place):
    store = place.store()
    for owner in ("user:見本", "user:別人"):
        converse(store, owner, OTHERS, 1)
    before = {one.question: one.times for one in store.asked.most()}
    assert set(before.values()) == {2}
    store.talks.delete_all("user:見本")
    assert {one.question: one.times for one in store.asked.most()} == dict.fromkeys(before, 1)
    assert store.talks.count("user:別人") == 1


def test_a_server_forgets_for_good_too(place: Place):
    store = place.store()
    converse(store, "user:見本", MARK)
    store.talks.delete_all("user:見本")
    assert not [row for row in place.everything() if MARK in str(row)]


def test_caches_are_emptied_with_the_history(tmp_path):
    store = FeedbackStore(tmp_path / "store.sqlite")
    cache = AnswerCache(FakeAssistant(FakeIndex()), 10)
    cache.ask(f"{MARK}は？")
    store.forgetting.caches.append(cache.forget)
    converse(store, "user:見本", MARK)
    store.talks.delete_all("user:見本")
    assert len(cache) == 0
    assert not any(MARK in str(key) for key in store.cases._recent)
    store.close()


def test_an_administrator_deletes_a_persons_history(tmp_path, monkeypatch, capsys):
    file = tmp_path / "kept" / "store.sqlite"
    store = FeedbackStore(file, auditing=Auditing(on=True))
    converse(store, "user:見本", MARK, 2)
    store.audit.record("ask", f"{MARK}は？", who="見本")
    store.close()
    monkeypatch.setenv("HYOKA_FEEDBACK_FILE", str(file))
    monkeypatch.setenv("HYOKA_AUDIT", "true")
    assert run(["history", "list"]) == 0
    assert "user:見本\t1" in capsys.readouterr().out
    assert run(["history", "delete"]) == 1
    assert run(["history", "delete", "--user", "見本"]) == 0
    assert "1件の会話を消しました。" in capsys.readouterr().err
    store = FeedbackStore(file)
    with contextlib.closing(store):
        assert store.talks.owners() == [] and store.asked.most() == []
        lines = list(store.audit.lines())
    # The trail is the auditor's: it keeps what was asked for its own days, and tells of the deletion.
    assert any(MARK in line.question for line in lines)
    assert [(line.what, line.outcome) for line in lines][-1] == ("delete history", "user:見本")


def test_everybodys_history_is_deleted_at_once(tmp_path, monkeypatch):
    store = FeedbackStore(tmp_path / "store.sqlite")
    converse(store, "user:見本", MARK)
    converse(store, "browser:0", MARK)
    store.close()
    monkeypatch.setenv("HYOKA_FEEDBACK_FILE", str(tmp_path / "store.sqlite"))
    assert run(["history", "delete", "--all"]) == 0
    assert quoting(tmp_path, MARK) == []
