"""Of more sheets than can be read for one question the nearest are read, and an answer says so."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from fakes import FakeIndex

import assistant.context
from assistant.catalogue import Catalogue
from assistant.names import NameMatch, Names
from assistant.session import Assistant
from corpus.documents import Sheet, Span
from index.types import Filters


class Wide(FakeIndex):
    """The four sheets, told to be able to choose the nearest; those whose text holds the question's words come first."""

    def nearest_sheets(self, query: str, k: int, filters: Filters = Filters()) -> list[Sheet]:
        return [hit.sheet for hit in self.search(query, 10, filters).hits][:k]


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> Assistant:
    monkeypatch.setattr(assistant.context, "MOST_SHEETS", 3)
    monkeypatch.setattr("assistant.strategies.MOST_SHEETS", 3)
    return Assistant(Wide())


def test_a_sum_over_too_many_sheets_asks_for_a_town(narrow: Assistant) -> None:
    answer = narrow.ask("令和4年度の決算額の合計は？")
    assert (
        answer.abstained and "対象のシートが4件あり" in answer.answer and "自治体や年度、担当課を指定" in answer.answer
    )
    assert Assistant(FakeIndex()).ask("令和4年度の決算額の合計は？").abstained is False


def test_a_town_is_still_counted_to_its_end(narrow: Assistant) -> None:
    question = "あおば市の令和4年度の決算額の合計は？"
    assert narrow.ask(question).answer == Assistant(FakeIndex()).ask(question).answer


def test_a_list_by_topic_says_of_how_many_it_is(narrow: Assistant) -> None:
    answer = narrow.ask("図書館について書いてある事業の一覧")
    assert answer.table is not None and answer.citations
    assert "対象のシートが4件あるため" in answer.answer


def sheets(names: Sequence[str]) -> list[Sheet]:
    return [
        Sheet(f"s{at}", "a.txt", "programme", name, f"町{at % 2}", 2021, "", (Span(0, 1),))
        for at, name in enumerate(names)
    ]


def test_sheets_of_one_name_are_found_together_and_in_order() -> None:
    programmes = sheets(["図書館管理運営", "道路台帳整備", "図書館管理運営", "公園管理", "図書館 管理運営"])
    names = Names(programmes)
    found = names.find("図書館管理運営の予算は", "", programmes)
    assert [one.sheet.sheet_id for one in found if one.exact] == ["s0", "s2", "s4"]
    assert [one.sheet_id for one in names.of("図書館管理運営")] == ["s0", "s2", "s4"]
    only = names.find("図書館管理運営の予算は", "", programmes[1:3])
    assert [one.sheet.sheet_id for one in only if one.exact] == ["s2"]
    assert [(one.start, one.end) for one in only if one.exact] == [(0, 7)]


def test_a_name_gives_way_to_a_longer_one_around_it() -> None:
    programmes = sheets(["図書館", "図書館管理運営"])
    found: list[NameMatch] = Names(programmes).find("図書館管理運営の予算は", "", programmes)
    assert [one.sheet.name for one in found] == ["図書館管理運営"]


def test_all_sheets_are_the_catalogue_s_own_list() -> None:
    catalogue = Catalogue(FakeIndex())
    assert catalogue.within(Filters()) is catalogue.sheets
    assert {one.municipality for one in catalogue.within(Filters(municipality=("ひので市",)))} == {"ひので市"}
