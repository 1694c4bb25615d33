"""The list of sheets: what is found by what is typed, its orders, its pages and its amounts."""

from __future__ import annotations

import re
from html import unescape

import pytest

from corpus.documents import Sheet
from index.types import SheetFact
from tests.fakes import FakeIndex
from tests.test_histories import figure
from ui.comparing import choice_label, sheet_choices
from ui.finding import find_sheets
from ui.sheetlist import ORDERS, PAGE, list_page, ordered, settled_amounts


def sheet(
    name: str, year: int | None = 2021, department: str = "情報課", city: str = "みなと野市", kind="programme"
) -> Sheet:
    return Sheet(f"id-{name}-{year}", "a.pdf", kind, name, city, year, department, ())


SHEETS = [
    sheet("ＩＣＴ推進システム", 2021), sheet("図書館サービス運営", 2023, "図書館"), sheet("道路台帳整備", 2022, "道路管理課", "碧原市"),
    sheet("はじめに", 2023, "", kind="document"), sheet("窓口改善", None, ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("ict　推進", ["ＩＣＴ推進システム"]),  # half-width letters, a full-width space
        ("ｼｽﾃﾑ", ["ＩＣＴ推進システム"]),
        ("しすてむ", ["ＩＣＴ推進システム"]),  # sent before it was converted
        ("道路 碧原", ["道路台帳整備"]),
        ("令和５年度", ["図書館サービス運営", "はじめに"]),
        ("2022年度", ["道路台帳整備"]),
        ("図書館サーヒス", ["図書館サービス運営"]),  # a slip
        ("道路台張整備", ["道路台帳整備"]),
        ("台張", []),  # too short to guess
        ("火葬場", []),
        (" 　", [one.name for one in SHEETS]),
    ],
)
def test_words_find_sheets_however_they_are_typed(words, names):
    assert [one.name for one in find_sheets(SHEETS, words)] == names


def test_a_likeness_is_told_and_never_stands_beside_what_holds_the_words():
    assert "似た名前" in list_page(SHEETS, {}, "道路台張整備").html
    more = [*SHEETS, sheet("道路台張整備")]
    assert [one.name for one in find_sheets(more, "道路台張整備")] == ["道路台張整備"]


def test_the_amount_of_a_sheet_is_a_settlement_of_its_latest_own_year():
    one, other, third = SHEETS[:3]
    facts = [
        figure(2019, 5.0), figure(2020, 7.0), figure(2021, 9.0, kind="plan"), figure(2022, 8.0),
        figure(2021, 3.0, "事業費", field="事業費"),
    ]  # fmt: skip
    found = settled_amounts(
        [*(SheetFact(one, fact) for fact in facts), SheetFact(other, figure(2022, 4.0, "事業費", field="事業費"))]
    )
    # 2022 is after the sheet's own year 2021, and 9 is only planned: 7 of 2020 stands for it.
    assert {key: (fact.field, fact.value) for key, fact in found.items()} == {
        one.sheet_id: ("決算額", 7.0), other.sheet_id: ("事業費", 4.0),
    }  # fmt: skip
    assert third.sheet_id not in found


def test_orders():
    one, other, third, front, nameless = SHEETS
    amounts = {
        one.sheet_id: figure(2021, 5.0),
        third.sheet_id: figure(2021, 6.0),
        other.sheet_id: figure(2021, 99.0, "事業費", field="事業費"),
    }
    by = {order: [two.name for two in ordered(SHEETS, amounts, order)] for order in ORDERS}
    assert by["file"] == [two.name for two in SHEETS]
    assert by["year"][:2] == ["図書館サービス運営", "はじめに"] and by["year"][-1] == "窓口改善"
    assert by["amount"] == ["道路台帳整備", "ＩＣＴ推進システム", "図書館サービス運営", "はじめに", "窓口改善"]
    html = list_page(SHEETS, amounts, order="amount").html
    headings = [unescape(found) for found in re.findall(r"<h2>(.*?)</h2>", html)]
    # Another field than 決算額 is never ranked among settlements.
    assert headings == ["決算額", "決算額の欄がないシート（事業費などの決算）", "決算の金額の記載なし"]
    assert by["name"][-1] == "はじめに"  # what is no programme comes last


def test_thousands_of_sheets_come_page_by_page():
    many = [sheet(f"事業{number:04}") for number in range(2 * PAGE + 1)]
    first, last = list_page(many, {}), list_page(many, {}, at=99)
    assert first.html.count("<li>") == PAGE and (first.before, first.after) == (False, True)
    assert "201シート（1〜100件目を表示）" in first.html
    assert (last.at, last.before, last.after) == (2, True, False) and last.html.count("<li>") == 1


def test_only_programmes_can_be_picked_for_a_comparison():
    html = list_page(SHEETS, {}).html
    assert html.count('class="hy-to-compare"') == 4 and "4シート、文書の一部1件" in html


def test_a_chosen_sheet_stays_a_choice_when_a_filter_hides_it():
    sheets = FakeIndex().sheets()
    known = {one.sheet_id: one for one in sheets}
    choices = sheet_choices(sheets[:1], ["hinode-1", "gone"], known)
    assert [value for _, value in choices] == ["aoba-1", "hinode-1"]
    assert choice_label(sheets[0]) == "図書館システム運用（あおば市・令和5年度・情報政策課）"
