"""Understanding against the two towns and four sheets of tests/fakes.py."""

from datetime import date

import pytest

from assistant.catalogue import Catalogue
from assistant.names import runs
from assistant.question import NAMED, Query, understand
from assistant.types import Carried, Turn
from index.readings import reading
from tests.fakes import FakeIndex


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue(FakeIndex())


def ask(catalogue: Catalogue, question: str, *earlier: str) -> Query:
    return understand(question, [Turn("user", text) for text in earlier], catalogue)


def named(query: Query) -> list[str]:
    return [match.sheet.name for match in query.named]


def test_the_longest_and_the_most_telling_run_are_found_with_both_places():
    assert runs("abcd", "xxbcx", {"bc": 1.0}) == ((2, 1, 2), (2, 1, 2))
    assert runs("abcdef", "abxdefx", {"ab": 3.0, "de": 1.0, "ef": 1.0}) == ((3, 3, 3), (2, 0, 0))
    assert runs("abc", "xyz", {"ab": 1.0}) == ((0, 0, 0), (0, 0, 0))


def test_a_name_is_found_whole_in_part_and_mistyped(catalogue: Catalogue):
    assert named(ask(catalogue, "図書館システム運用の目的は")) == ["図書館システム運用"]
    assert named(ask(catalogue, "道路台張整備の決算")) == ["道路台帳整備"]
    assert named(ask(catalogue, "公園の遊具")) == []


def test_a_wrong_conversion_keeps_the_reading(catalogue: Catalogue):
    assert reading("広報紙発行") == reading("広報誌発行")
    assert named(ask(catalogue, "広報誌発行の今後の計画")) == ["広報紙発行"]


def test_a_municipality_narrows_the_names(catalogue: Catalogue):
    query = ask(catalogue, "ひので市の図書館システムの決算額")
    assert query.municipalities == ("ひので市",)
    assert {match.sheet.municipality for match in query.names} == {"ひので市"}


def test_a_department_is_found_by_its_name(catalogue: Catalogue):
    assert ask(catalogue, "情報政策課の事業").departments == ("情報政策課",)


def test_a_calendar_year_is_tried_as_the_fiscal_year_too(catalogue: Catalogue):
    (asked,) = ask(catalogue, "2025年に更改するシステム").periods
    assert [(p.start, p.end) for p in asked.readings] == [
        (date(2025, 1, 1), date(2026, 1, 1)),
        (date(2025, 4, 1), date(2026, 4, 1)),
    ]


def test_a_follow_up_keeps_the_sheet(catalogue: Catalogue):
    query = ask(catalogue, "その決算額は？", "道路台帳整備の目的を教えて")
    assert named(query) == ["道路台帳整備"]
    assert query.carried == (Carried("sheet", "道路台帳整備"),)


def test_a_follow_up_that_only_names_a_town_asks_the_same_there(catalogue: Catalogue):
    query = ask(catalogue, "ひので市は？", "あおば市の図書館システムの決算額は？")
    assert query.municipalities == ("ひので市",)
    assert [f.name for f in query.fields] == ["決算額"]


def test_a_question_of_its_own_carries_nothing(catalogue: Catalogue):
    query = ask(catalogue, "広報紙発行の目的は", "道路台帳整備の決算額は")
    assert named(query) == ["広報紙発行"] and query.carried == ()
    assert all(match.score >= NAMED for match in query.named)
