"""The chat without a browser: the line of the reading and its buttons, asking again, opinions, the filters as chips."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from assistant.api import create_api
from assistant.interpretation import CARRIED_FROM
from assistant.store import FeedbackStore, told
from assistant.types import Carried, Choices, Interpretation, Namesake, YearReading
from corpus.errors import HyokaError
from index.types import Filters
from tests.fakes import FakeAssistant
from tests.oldstore import write_old_store
from ui.chips import filter_words, render_chips, without_chip
from ui.exchanges import Exchange, respond, respond_again, turns
from ui.opinions import Opinion, keep_opinion, read_opinion, render_opinions
from ui.reading import decided, render_reading
from ui.usage import render_opinions as render_status_opinions

EVIL = '<img src=x onerror=alert(1)>"&'
PLAIN = Interpretation("text", None, Filters(), "解釈: 記載内容")
BUTTON = re.compile(r'<button[^>]* class="([^"]*)" name="(\w+)" value="([^"]*)"')


def buttons(html: str) -> list[tuple[str, str, bool]]:
    """Name, value and whether it holds now, of every button."""
    return [(name, value, "hy-on" in classes) for classes, name, value in BUTTON.findall(html)]


def years(calendar: bool, fiscal: bool) -> Interpretation:
    return replace(
        PLAIN,
        readings=(
            YearReading("calendar", "2025年（2025年1月〜2025年12月）", calendar),
            YearReading("fiscal", "令和7年度（2025年4月〜2026年3月）", fiscal),
        ),
    )


def test_a_reading_without_choices_is_one_line():
    assert render_reading(PLAIN) == '<div class="hy-reading"><p class="hy-read">解釈: 記載内容</p></div>'
    assert render_reading(replace(PLAIN, text="")) == ""


@pytest.mark.parametrize(
    ("used", "holds"), [((True, True), "both"), ((True, False), "calendar"), ((False, True), "fiscal")]
)
def test_the_way_years_are_counted_is_one_of_three(used, holds):
    found = buttons(render_reading(years(*used)))
    assert found == [("reading", value, value == holds) for value in ("both", "calendar", "fiscal")]


def test_chips_say_what_was_carried_and_stand_in_for_the_end_of_the_line():
    carried = (Carried("sheet", f"図書館{EVIL}"), Carried("subset", "前の回答のシート"))
    read = replace(PLAIN, text=f"{PLAIN.text}{CARRIED_FROM}シート・前の回答のシート）", carried=carried)
    html = render_reading(read, choices=Choices(without=("period",)))
    assert "引き継ぎ: " not in html and "<img" not in html and "シート 図書館&lt;img" in html
    assert buttons(html) == [("without", "sheet", False), ("without", "subset", False), ("without", "", False)]
    assert "引き継がないもの：時期" in html


def test_of_many_sheets_of_a_name_the_one_in_use_is_among_those_shown():
    sakes = tuple(Namesake(f"s{n}", f"第{n}町", n == 9, n == 9) for n in range(12))
    found = buttons(render_reading(replace(PLAIN, namesakes=sakes)))
    assert ("sheet", "s9", True) in found and ("sheet", "", False) in found and len(found) == 7
    html = render_reading(replace(PLAIN, namesakes=sakes))
    assert "ほか6件" in html and "12件あります" in html and "から答えています" not in html
    every = tuple(replace(sake, used=True) for sake in sakes)
    assert "第9町のシートから答えています" in render_reading(replace(PLAIN, namesakes=every))


@given(st.text(max_size=12), st.text(max_size=12))
def test_only_buttons_that_exist_decide_something(name: str, value: str):
    before = Choices(("sheet",), "both", "s1")
    after = decided(before, name, value)
    if name not in ("without", "reading", "sheet"):
        assert after is None
    for pressed in buttons(render_reading(years(True, True), choices=before)):
        assert decided(before, *pressed[:2]) is not None


def test_a_button_changes_only_what_it_is_for():
    before = Choices(("sheet",), "both", "s1")
    assert decided(before, "without", "period") == Choices(("sheet", "period"), "both", "s1")
    assert decided(before, "without", "") == Choices((), "both", "s1")
    assert decided(before, "reading", "fiscal") == Choices(("sheet",), "fiscal", "s1")
    assert decided(before, "sheet", "") == Choices(("sheet",), "both", None)
    assert decided(before, "reading", "lunar") is None and decided(before, "without", "all") is None


def asked(*questions: str) -> tuple[FakeAssistant, list, list[Exchange]]:
    assistant, messages, exchanges = FakeAssistant(), [], []
    for question in questions:
        *_, (messages, exchanges) = respond(assistant, question, messages, exchanges, Filters(("あおば市",)))
    return assistant, messages, exchanges


def test_asking_again_replaces_one_answer_and_keeps_its_filters_and_what_stood_before_it():
    assistant, messages, exchanges = asked("図書館の目的は", "図書館の今後の計画は", "決算額が大きい事業は？")
    choices = Choices(without=("sheet",))
    grown, kept = respond_again(assistant, 3, choices, messages, exchanges)
    question, history, filters = assistant.asked[-1]
    assert (question, filters) == ("図書館の今後の計画は", Filters(("あおば市",)))
    assert assistant.chosen[-1] == choices
    assert [turn.content for turn in history if turn.role == "user"] == ["図書館の目的は"], (
        "not itself, not what follows"
    )
    assert len(grown) == len(messages) == 6 and grown[:3] == messages[:3] and grown[4:] == messages[4:]
    assert "引き継がないもの" in grown[3]["content"]
    assert [one.choices for one in kept] == [Choices(), choices, Choices()]
    assert [turn.choices for turn in turns(kept) if turn.role == "user"] == [Choices(), choices, Choices()]


def test_what_cannot_be_asked_again_is_told():
    assistant, messages, exchanges = asked("図書館の目的は")
    for at in (0, 3, -1):
        with pytest.raises(HyokaError):
            respond_again(assistant, at, Choices(), messages, exchanges)


def test_an_answer_says_which_filters_it_was_found_under():
    _, messages, _ = asked("図書館の目的は")
    assert "絞り込み: あおば市" in messages[-1]["content"]
    assert filter_words(Filters()) == "" and filter_words(Filters(section=("課題",))) == "絞り込み: 課題"


def test_a_growing_answer_can_be_told_from_a_whole_one():
    steps = [messages[-1]["content"] for messages, _ in respond(FakeAssistant(), "決算額の推移は", [], [], Filters())]
    assert all("hy-growing" in step or "hy-wait" in step for step in steps[:-1])
    assert "hy-growing" not in steps[-1] and "hy-opinion" in steps[-1]


def test_the_wrong_evidence_is_asked_for_only_where_something_is_cited():
    assert 'value="evidence"' in render_opinions(2) and 'value="evidence"' not in render_opinions(0)


@pytest.mark.parametrize(
    ("sent", "opinion"),
    [
        ({"at": 1, "value": "up", "comment": "よい", "citations": [1]}, Opinion(1, "up")),
        ({"at": 1, "value": "down"}, Opinion(1, "down")),
        ({"at": 3, "value": "down", "comment": " 違う\x00 "}, Opinion(3, "down", comment="違う")),
        (
            {"at": 1, "value": "evidence", "citations": [2, 1, 2, 9, "x", 0]},
            Opinion(1, "down", "evidence", (1, 2)),
        ),
        ({"at": "1", "value": "up"}, None),
        ({"at": 1, "value": "drop table"}, None),
        ({}, None),
    ],
)
def test_an_opinion_is_read_from_what_a_browser_sends(sent, opinion):
    assert read_opinion(sent, citations=2) == opinion


def test_what_is_said_next_about_an_answer_replaces_what_was_said_first(place):
    store = place.store()
    number = keep_opinion(store, Opinion(1, "up"), None, "質問", "答え", "v1")
    assert store.cases.cases("draft") == []
    wrong = Opinion(1, "down", "evidence", (2,), "年度が違う")
    assert keep_opinion(store, wrong, number, "質問", "答え", "v1") == number
    [kept] = store.latest()
    assert (kept.rating, kept.told) == ("down", "根拠が違う（引用 [2]）：年度が違う")
    assert (store.count("up"), store.count("down")) == (0, 1)
    assert [case.comment for case in store.cases.cases("draft")] == ["根拠が違う（引用 [2]）：年度が違う"]
    assert "根拠が違う（引用 [2]）：年度が違う" in render_status_opinions(0, 1, store.latest(), [])


def test_a_reason_is_told_with_and_without_words():
    assert told("", "evidence", []) == "根拠が違う" and told("年度が\n違う") == "年度が 違う" and told("") == ""


def test_a_store_written_before_reasons_opens_and_keeps_its_opinions(tmp_path):
    file = tmp_path / "feedback.sqlite"
    write_old_store(file, 1)
    for _ in range(2):  # opened again nothing is added twice
        store = FeedbackStore(file)
        store.add("down", "次の質問", reason="evidence", citations=[3])
        store.close()
    kept = FeedbackStore(file).latest()
    assert [(one.question, one.told) for one in kept] == [
        ("次の質問", "根拠が違う（引用 [3]）"), ("次の質問", "根拠が違う（引用 [3]）"), ("質問", "違う"),
    ]  # fmt: skip


def test_a_reason_comes_over_http_too(place):
    store = place.store()
    with TestClient(create_api(FakeAssistant(), store)) as client:
        body = {
            "question": "決算額は？",
            "rating": "down",
            "reason": "evidence",
            "citations": [2, 1, 2],
            "comment": "別の年",
        }
        assert client.post("/api/v1/feedback", json=body).status_code == 201
        assert store.latest()[0].told == "根拠が違う（引用 [1][2]）：別の年"
        for wrong in ({"rating": "up"}, {"reason": "boredom"}, {"citations": ["2"]}):
            assert client.post("/api/v1/feedback", json=body | wrong).status_code == 422
        assert store.count("down") == 1


VALUES = st.lists(st.lists(st.one_of(st.integers(1990, 2030), st.text(min_size=1, max_size=6)), max_size=3), max_size=3)


@given(VALUES)
def test_every_chip_takes_away_its_own_filter_and_no_other(chosen):
    html = render_chips(chosen)
    pressed = re.findall(r'value="(\d+ \d+|all)"', html)
    count = sum(map(len, chosen))
    assert len([one for one in pressed if one != "all"]) == count and ("all" in pressed) == (count > 1)
    for one in pressed:
        after = without_chip(chosen, one)
        if one == "all":
            assert not any(after)
            continue
        place, at = map(int, one.split())
        assert after[place] == [*chosen[place][:at], *chosen[place][at + 1 :]]
        assert all(after[other] == list(chosen[other]) for other in range(len(chosen)) if other != place)
    assert without_chip(chosen, "9 9") == [list(values) for values in chosen]


def test_chips_are_text():
    html = render_chips([[f"A市{EVIL}"], [2021], []])
    assert "<img" not in html and "令和3年度" in html
