"""One server, callers who may see different sheets: each has answers of their own, and nothing is handed from one to another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from test_update import TOWNS, built, city

from assistant.access.caller import Caller, caller, calling
from assistant.answercache import AnswerCache
from assistant.conversations import WITHHELD, ConversationBook
from assistant.live import Live, holding
from assistant.payload import answer_json
from assistant.session import Assistant
from assistant.views import Views
from corpus.errors import SettingsError
from index.database import SQLiteDatabase
from index.snapshot import Snapshot
from index.types import Filters
from index.visibility import EVERYTHING, Visibility
from tests.fakes import FakeAssistant

FIRST, SECOND = (Caller(f"{town}の人", visibility=Visibility((town,))) for town in TOWNS)
ALL = Caller("すべて")
QUESTION = "斎場の今後の計画は？"


@pytest.fixture
def snapshot(tmp_path: Path) -> Iterator[Snapshot]:
    made = built(tmp_path, city(12))
    yield made
    made._records.close()


def towns_of(live: Live) -> set[str]:
    return {sheet.municipality for sheet in live.index.sheets()}


def test_each_caller_is_answered_from_what_it_may_see_and_from_its_own_cache(snapshot: Snapshot) -> None:
    live = Live(AnswerCache(Assistant(snapshot), 50), lambda: "1", lambda old: old, 0)

    def asked(who: Caller) -> tuple[set[str], set[str]]:
        with calling(who), holding():
            answer = live.ask(QUESTION)
            said = {citation.sheet.municipality for citation in answer.citations}
            return towns_of(live), said | {passage.sheet.municipality for passage in answer.related}

    for _ in range(2):  # the second time from the caches
        for who, seen in ((ALL, set(TOWNS)), (FIRST, {TOWNS[0]}), (SECOND, {TOWNS[1]})):
            towns, said = asked(who)
            assert towns == seen and said <= seen and said
    with ThreadPoolExecutor(6) as pool:
        for who, (towns, said) in zip((FIRST, SECOND) * 12, pool.map(asked, (FIRST, SECOND) * 12), strict=True):
            assert towns == set(who.visibility.municipalities or ()) and said <= towns
    assert towns_of(live) == set(TOWNS)  # outside a request nothing is hidden
    with calling(FIRST), pytest.raises(KeyError):
        live.index.document("001.txt")


def test_the_views_of_a_replaced_index_go_with_it_and_those_in_use_go_on(tmp_path: Path) -> None:
    opened = [built(tmp_path / name, city(8)) for name in "ab"]
    stamps = ["a"]
    handed: list[object] = []

    def reopen(old: object) -> Assistant:
        handed.append(old)
        return Assistant(opened[1])

    first = Assistant(opened[0])
    live = Live(first, lambda: stamps[0], reopen, 0)
    with calling(FIRST), holding():
        before = live.index
        stamps[0] = "b"
        assert live.check(now=True)  # an administrator who sees some sheets has it looked at
        assert handed == [first], "what is opened anew follows from the whole"
        assert live.index is before and before.sections()
    with pytest.raises(Exception, match="closed"):
        before.sections()
    with calling(FIRST):
        assert {sheet.municipality for sheet in live.index.sheets()} == {TOWNS[0]} and live.index.sections()


def test_only_the_last_views_are_kept_and_one_that_is_given_up_still_answers(snapshot: Snapshot) -> None:
    views = Views(Assistant(snapshot), most=2)
    kinds = [Visibility(folders=(f"{number:03}.txt",)) for number in range(4)]
    first = views.of(kinds[0])
    assert views.of(kinds[0]) is first and views.of(EVERYTHING) is views.whole
    for kind in kinds[1:]:
        assert len(views.of(kind).index.sheets()) == 2
    assert views.of(kinds[0]) is not first and len(first.index.sections()) == 4
    made: list[object] = []
    gate = threading.Barrier(4)

    def get() -> None:
        gate.wait(120)
        made.append(views.of(Visibility((TOWNS[1],))))

    threads = [threading.Thread(target=get) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(120)
    assert len(made) == 4 and len(set(map(id, made))) == 1
    views.close()
    with pytest.raises(Exception, match="closed"):
        snapshot.sections()


def test_an_index_that_cannot_hide_shows_nothing_to_who_may_see_some() -> None:
    views = Views(FakeAssistant())
    assert views.index.sheets()
    with calling(FIRST):
        with pytest.raises(SettingsError):
            _ = views.index
        with pytest.raises(SettingsError):
            views.ask(QUESTION)


def test_an_answer_of_ones_own_is_withheld_once_less_may_be_seen(snapshot: Snapshot) -> None:
    book = ConversationBook(SQLiteDatabase())
    assistant = Assistant(snapshot)

    def kept(who: Caller, talk: str = "") -> str:
        with calling(who):
            return book.add("owner", talk, QUESTION, answer_json(assistant.ask(QUESTION), snapshot), Filters())

    def texts(who: Caller, talk: str) -> list[bool]:
        with calling(who):
            found = book.find("owner", talk)
            assert found is not None
            assert all((entry.answer is None) == (entry.text == WITHHELD) for entry in found.entries)
            return [entry.answer is not None for entry in found.entries]

    talk = kept(ALL)
    kept(FIRST, talk)
    assert texts(ALL, talk) == [True, True]
    assert texts(FIRST, talk) == [False, True] and texts(SECOND, talk) == [False, False]
    wider = Caller("広い", visibility=Visibility((*TOWNS, "遠野原市")))
    assert texts(wider, talk) == [False, True]  # what was made from everything is not made from these alone
    word = next(word for word in ("広報紙", "斎場", "更改", "戸籍") if word in str(assistant.ask(QUESTION).answer))
    with calling(SECOND):
        assert len(book.listing("owner", "今後の計画")) == 0  # its words stand in answers that are withheld
        assert len(book.listing("owner")) == 1 and word
    with calling(FIRST):
        assert len(book.listing("owner", "今後の計画")) == 1


def test_what_includes_what() -> None:
    some = Visibility(("みなと野市",), ("市民部",))
    assert EVERYTHING.includes(some) and not some.includes(EVERYTHING)
    assert some.includes(Visibility(("みなと野市",), ("市民部/窓口",))) and some.includes(Visibility((), ()))
    assert not some.includes(Visibility(("みなと野市",))) and not some.includes(Visibility(folders=("市民部",)))
    assert not Visibility(folders=("市民部/窓口",)).includes(Visibility(folders=("市民部",)))
    assert caller().sees_all and not FIRST.sees_all
