"""What a person decides about the reading of a question: what is not carried over, how years count, which sheet is meant."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_answers import SAMPLES, assistant_over

from assistant.catalogue import Catalogue
from assistant.payload import answer_json
from assistant.question import Query, understand
from assistant.session import Assistant
from assistant.timespans import find_asked
from assistant.types import NO_CHOICES, Answer, Carried, CarriedKind, Choices, Turn
from tests.fakes import FakeIndex

CATALOGUE = Catalogue(FakeIndex())


@pytest.fixture
def catalogue() -> Catalogue:
    return CATALOGUE


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    return assistant_over(SAMPLES / "files", tmp_path_factory.mktemp("choices"))


def read(catalogue: Catalogue, question: str, *earlier: str, **choices: object) -> Query:
    return understand(
        question,
        [Turn("user", text) for text in earlier],
        catalogue,
        choices=replace(NO_CHOICES, **choices),  # type: ignore[arg-type]
    )


def kinds(query: Query) -> list[str]:
    return [one.kind for one in query.carried]


def test_everything_carried_is_told_in_words(catalogue: Catalogue):
    query = read(catalogue, "今後の計画は？", "あおば市の道路台帳整備の令和4年度の決算額は？")
    assert query.carried == (
        Carried("municipality", "あおば市"), Carried("sheet", "道路台帳整備"), Carried("period", "令和4年度"),
    )  # fmt: skip
    again = read(catalogue, "令和5年度は？", "道路台帳整備の令和4年度の決算額は？")
    assert Carried("question", "「道路台帳整備の令和4年度の決算額は?」") in again.carried


@pytest.mark.parametrize(
    ("kind", "gone"),
    [
        ("municipality", lambda query: query.municipalities),
        ("sheet", lambda query: query.named),
        ("period", lambda query: query.periods),
    ],
)
def test_what_must_not_be_carried_is_gone_and_the_rest_stays(catalogue: Catalogue, kind: str, gone):
    earlier = "あおば市の道路台帳整備の令和4年度の決算額は？"
    all_of_it = read(catalogue, "今後の計画は？", earlier)
    query = read(catalogue, "今後の計画は？", earlier, without=(kind,))
    assert gone(all_of_it) and not gone(query)
    assert kinds(query) == [other for other in kinds(all_of_it) if other != kind]


def test_a_question_that_only_names_a_year_is_left_alone_without_the_question_before(catalogue: Catalogue):
    asked = read(catalogue, "令和5年度は？", "道路台帳整備の令和4年度の決算額は？")
    alone = read(catalogue, "令和5年度は？", "道路台帳整備の令和4年度の決算額は？", without=("question",))
    assert [f.name for f in asked.fields] == ["決算額"] and alone.fields == ()


def test_a_department_and_a_topic_are_carried_by_name(catalogue: Catalogue):
    query = read(catalogue, "課題は？", "情報政策課の仕事は？")
    assert Carried("department", "情報政策課") in query.carried
    without = read(catalogue, "課題は？", "情報政策課の仕事は？", without=("department",))
    assert without.departments == () and "department" not in kinds(without)
    topic = read(catalogue, "予算は？", "公園の遊具の点検は？")
    assert Carried("topic", "「公園の遊具の点検は?」") in topic.carried and "遊具" in topic.focus
    assert "遊具" not in read(catalogue, "予算は？", "公園の遊具の点検は？", without=("topic",)).focus


def test_of_those_is_carried_as_the_sheets_of_the_answer_before(catalogue: Catalogue):
    earlier = "令和4年度の決算額が大きい事業は？"
    assert kinds(read(catalogue, "そのうち計画があるのは？", earlier))[0] == "subset"
    alone = read(catalogue, "そのうち計画があるのは？", earlier, without=("subset",))
    assert not alone.subset and kinds(alone) == ["period"]


def test_a_choice_about_an_earlier_question_holds_for_what_follows(catalogue: Catalogue):
    first, second = "道路台帳整備の目的は？", "課題は？"
    plain = understand("計画は？", [Turn("user", first), Turn("user", second)], catalogue)
    dropped = understand(
        "計画は？", [Turn("user", first), Turn("user", second, Choices(without=("sheet",)))], catalogue
    )
    assert plain.named and not dropped.named


EARLIER = ("あおば市の道路台帳整備の令和4年度の決算額は？", "情報政策課の仕事は？", "2023年の公園の遊具の点検は？")
FOLLOWING = (
    "今後の計画は？",
    "ひので市は？",
    "令和5年度は？",
    "そのうち評価がAなのは？",
    "広報紙発行の目的は？",
    "その図書館の課題は？",
)


@given(
    st.lists(st.sampled_from([*EARLIER, *FOLLOWING]), min_size=1, max_size=3),
    st.sampled_from(FOLLOWING),
    st.lists(st.sampled_from(get_args(CarriedKind)), max_size=4),
    st.sampled_from([None, "calendar", "fiscal", "both"]),
    st.sampled_from([None, "aoba-1", "aoba-2", "hinode-1", "nothing"]),
)
def test_nothing_is_carried_that_must_not_be_whatever_was_said_before(earlier, question, without, reading, sheet):
    query = read(CATALOGUE, question, *earlier, without=tuple(without), reading=reading, sheet=sheet)
    told = [one.kind for one in query.carried]
    assert not set(told) & set(without) and len(set(told)) == len(told) and all(one.text for one in query.carried)
    assert not (query.subset and "subset" in without)
    if "period" in without and not find_asked(question, 2023)[0]:
        assert query.periods == ()
    if reading in ("calendar", "fiscal"):
        assert all(len(asked.readings) == 1 for asked in query.periods if asked.senses)
    assert not set(query.names) & set(query.rivals)


WRITTEN = st.sampled_from(
    ["{}年の更改", "{}の予算", "{}年以降の動き", "{}年から{}年までの決算", "{}年度の決算", "{}年5月の更改"]
)


@given(WRITTEN, st.integers(2012, 2030))
def test_a_reading_chosen_is_the_only_one_used_and_both_is_every_one(words: str, year: int):
    (asked, *_) = find_asked(words.format(year, year + 1), 2024)[0]
    for name, at in (("calendar", 0), ("fiscal", 1)):
        chosen = asked.read_as(name)  # type: ignore[arg-type]
        if asked.senses:
            assert chosen.readings == (asked.senses[at],) == (chosen.period,)
            assert chosen.period.start.month == (1, 4)[at] and chosen.senses == asked.senses
        else:
            assert chosen == asked
    assert asked.read_as("both").readings == (asked.senses or asked.readings)
    assert asked.read_as(None) == asked
    assert bool(asked.senses) == ("年度" not in words and "月" not in words)


def texts(answer: Answer) -> list[tuple[str, bool]]:
    return [(one.name, one.used) for one in answer.interpretation.readings]


def test_both_ways_of_counting_a_year_are_told_and_can_be_switched(city: Assistant):
    both = city.ask("2026年に何がある？")
    assert texts(both) == [("calendar", True), ("fiscal", True)]
    assert [one.label for one in both.interpretation.readings] == [
        "2026年（2026年1月〜2026年12月）", "令和8年度（2026年4月〜2027年3月）",
    ]  # fmt: skip
    calendar = city.ask("2026年に何がある？", choices=Choices(reading="calendar"))
    fiscal = city.ask("2026年に何がある？", choices=Choices(reading="fiscal"))
    assert texts(calendar) == [("calendar", True), ("fiscal", False)]
    assert texts(fiscal) == [("calendar", False), ("fiscal", True)]

    def quoted(answer: Answer) -> set[str]:
        return {citation.quote for citation in answer.citations}

    assert quoted(calendar) | quoted(fiscal) == quoted(both)
    assert quoted(calendar) != quoted(fiscal)
    assert city.ask("2026年に何がある？", choices=Choices(reading="both")).answer == both.answer
    assert city.ask("令和8年度に何がある？").interpretation.readings == ()


def test_a_bare_year_is_read_as_fiscal_and_offers_the_other(city: Assistant):
    answer = city.ask("学校給食運営事業の2024の決算額は？")
    assert not answer.abstained and texts(answer) == [("calendar", False), ("fiscal", True)]
    calendar = city.ask("学校給食運営事業の2024の決算額は？", choices=Choices(reading="calendar"))
    assert calendar.abstained and "年度ごと" in calendar.searched.missing


def test_sheets_of_one_name_are_offered_and_one_can_be_chosen(city: Assistant):
    both = city.ask("学校給食運営事業の令和6年度の決算額は？")
    sakes = both.interpretation.namesakes
    # Only one of them prints a 決算額; the other calls it 事業費.
    assert [(one.label, one.used, one.cited) for one in sakes] == [
        ("湊見市 教育部 学校給食課", True, True), ("桜坂町 教育委員会 学校教育課", True, False),
    ]  # fmt: skip
    for chosen in sakes:
        answer = city.ask("学校給食運営事業の目的は？", choices=Choices(sheet=chosen.sheet_id))
        assert {f"{c.sheet.municipality} {c.sheet.department}" for c in answer.citations} == {chosen.label}
        found = answer.interpretation.namesakes
        assert [one.used for one in found] == [one.label == chosen.label for one in sakes]
        assert [one.cited for one in found] == [one.used for one in found]
        # The follow-up stays with the chosen sheet, and the other is still one click away.
        history = [Turn("user", "学校給食運営事業の目的は？", Choices(sheet=chosen.sheet_id))]
        following = city.ask("その事業の課題は？", history)
        assert {f"{c.sheet.municipality} {c.sheet.department}" for c in following.citations} == {chosen.label}
        assert len(following.interpretation.namesakes) == 2


def test_nothing_is_offered_where_the_words_say_which_sheet(city: Assistant):
    for question in (
        "桜坂町の学校給食運営事業の決算額は？", "湊見市と桜坂町の学校給食運営事業の決算額を比べて",
        "水道管路更新事業の決算額は？", "湊見市の事業を一覧にして",
    ):  # fmt: skip
        assert city.ask(question).interpretation.namesakes == ()


def test_namesakes_of_one_town_are_told_apart_by_their_departments(city: Assistant):
    sakes = city.ask("施設予約システムの課題は？").interpretation.namesakes
    assert [one.label for one in sakes] == ["市民協働課", "スポーツ振興課"]


def test_a_sheet_chosen_for_another_question_changes_nothing(city: Assistant):
    other = city.ask("水道管路更新事業の決算額は？").citations[0].sheet.sheet_id
    question = "学校給食運営事業の令和6年度の決算額は？"
    assert city.ask(question, choices=Choices(sheet=other)).answer == city.ask(question).answer
    assert city.ask(question, choices=Choices(sheet="nothing")).answer == city.ask(question).answer


def test_the_choices_stand_in_the_json(city: Assistant):
    history = [Turn("user", "学校給食運営事業の令和6年度の決算額は？")]
    read = answer_json(city.ask("2026年は？", history), city.index).model_dump(mode="json")["interpretation"]
    assert {"kind": "sheet", "text": "学校給食運営事業"} in read["carried"]
    assert [one["name"] for one in read["readings"]] == ["calendar", "fiscal"]
    assert set(read["namesakes"][0]) == {"sheet_id", "label", "used", "cited"}
