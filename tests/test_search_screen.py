"""The 検索 screen without a browser: searches as addresses, facets, help where nothing is found, exported lists."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from io import BytesIO

import openpyxl
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

import ui.facets
import ui.searches
from assistant.refusals import clean_text
from assistant.spreadsheets import clean_lines, guarded, unguarded
from assistant.store import FeedbackStore
from corpus.documents import Section, Span
from index.types import Filters, SheetsFound
from tests.fakes import FakeAssistant, FakeIndex
from ui.app import create_app
from ui.export import SheetOfCells
from ui.facets import facet_values, render_chosen, render_facets
from ui.hits import MOST_ROWS, lead, matched, render_found, render_hit
from ui.searches import ORDERS, Search, read_search, read_year
from ui.searchfiles import COLUMNS, csv_bytes, search_table
from ui.searchhelp import Hints, hints, render_hints, render_spelling


@pytest.fixture(scope="module")
def client():
    app = create_app(FakeAssistant(), FeedbackStore())
    with TestClient(app, raise_server_exceptions=False) as client:
        assert app.state.readiness.wait(120)
        yield client


def values_of(address: str) -> dict[str, list[str]]:
    from urllib.parse import parse_qs

    return parse_qs(address.removeprefix("?"))


TEXT = st.text("図書館ア亜A1９ 　％%&=+#?:：;/\"'<>", max_size=12).map(clean_text).filter(bool)


@given(
    st.builds(
        Search,
        TEXT,
        st.builds(
            Filters,
            st.lists(TEXT, max_size=2).map(tuple),
            st.lists(st.integers(1900, 2100), max_size=2).map(tuple),
            st.lists(TEXT, max_size=2).map(tuple),
            st.lists(TEXT, max_size=2).map(tuple),
            st.lists(TEXT, max_size=2).map(tuple),
            st.lists(TEXT, max_size=2).map(tuple),
        ),
        st.sampled_from(sorted(ORDERS)),
        st.integers(1, 99_999),
    )
)
def test_an_address_gives_back_the_search_it_was_made_of(search: Search) -> None:
    assert read_search(values_of(search.address(page=search.page))) == search
    assert read_search(values_of(search.address())).page == 1 and "p=1" not in Search("x").address()


@given(
    st.dictionaries(st.sampled_from(["q", "p", "sort", "fiscal_year", "rating", "x"]), st.lists(st.text(), max_size=3))
)
def test_whatever_an_address_holds_a_search_can_be_read(values: dict[str, list[str]]) -> None:
    search = read_search(values)
    assert search.page >= 1 and search.order in ORDERS
    assert all(isinstance(year, int) for year in search.filters.fiscal_year)


def test_years_are_understood_however_they_are_typed() -> None:
    written = [
        "2021",
        "２０２１",
        "２０２１年度",
        "Ｒ３",
        "r3",
        "令和３年度",
        "令和 3 年度",
        "R元",
        "H30",
        "昭和６３年度",
        "3",
        "来年",
        "",
    ]
    assert [read_year(text) for text in written] == [
        2021, 2021, 2021, 2021, 2021, 2021, 2021, 2019, 2018, 1988, None, None, None,
    ]  # fmt: skip
    assert read_search({"q": ["図書館"], "fiscal_year": ["Ｒ３", "x"], "p": ["２"]}) == Search(
        "図書館", Filters(fiscal_year=(2021,)), page=2
    )


def test_facets_keep_what_is_chosen_fold_what_is_long_and_hide_persons() -> None:
    assert facet_values("section", {"担当者": 3, "その他": 9, "目的": 2}, ("課題",)) == [
        ("目的", 2),
        ("課題", 0),
        ("その他", 9),
    ]
    many = {f"第{n}課": 30 - n for n in range(20)}
    html = render_facets(Search("x", Filters(department=("第15課",))), {"department": many})
    first, fold = html.split("<details")
    assert first.count("checkbox") == ui.facets.SHOWN + 1 and 'value="第15課" checked' in first
    assert "もっと見る（あと13件）" in fold and fold.count("checkbox") == 13
    assert "<details" not in render_facets(Search("x"), {"department": dict(list(many.items())[:7])})
    crowd = render_facets(Search("x"), {"department": {f"第{n}課": 1 for n in range(500)}})
    assert crowd.count("checkbox") == ui.facets.SHOWN + ui.facets.FOLDED and "ほか434件" in crowd


def test_every_chosen_value_can_be_taken_away_alone() -> None:
    search = Search("図書館", Filters(fiscal_year=(2021, 2022), rating=("総合評価：A",)), "year", 3)
    html = render_chosen(search)
    assert html.count('class="hy-go hy-chosen"') == 3 and "すべて外す" in html
    assert search.without("fiscal_year", 2021) == Filters(fiscal_year=(2022,), rating=("総合評価：A",))
    assert "条件「令和3年度」を外す" in html and render_chosen(Search("図書館")) == ""


def test_a_card_leads_with_what_tells_more_than_its_title() -> None:
    hit = FakeIndex().search_sheets("図書館", 1, others=5).hits[0]
    name = replace(hit.best, section=Section("事業名", "事務事業名", Span(0, 4), hit.best.sheet.name))
    first, others = lead(replace(hit, best=name))
    assert first == hit.others[0] and others == [name]
    figures = replace(hit.best, section=Section("決算額", "決算額", Span(0, 4), "1,500"))
    assert lead(replace(hit, best=figures))[0] == hit.others[0] and lead(replace(hit, best=name, others=()))[0] == name
    html = render_hit(hit)
    assert '<span class="hy-title"><mark>図書館</mark>システム運用</span>' in html
    assert "決算額 1,500,000円　総合評価：A" in html and "このシートの他の記載 1件" in html
    assert matched(replace(hit.best, matched=())) == "意味が近い記載"
    assert matched(replace(hit.best, matched=("name", "text"))) == "事業名・本文に一致"


def test_nothing_found_names_the_condition_the_year_and_the_spelling_that_would_find_something() -> None:
    held = FakeIndex()
    search = Search("図書館", Filters(("ひので市",), (2023,)))
    offered = hints(held, search, held.search_sheets(search.words, 10, search.filters))
    assert [(hint.text, hint.count) for hint in offered.looser] == [
        ("条件「ひので市」を外す", 1),
        ("条件「令和5年度」を外す", 1),
    ]
    assert [(hint.text, hint.count) for hint in offered.years] == [("令和4年度", 1)]
    assert offered.years[0].search.filters == Filters(("ひので市",), (2022,))
    html = render_found(search, held.search_sheets(search.words, 10, search.filters), offered)
    assert "当てはまる記載がありません" in html and "条件「ひので市」を外す（1件）" in html
    wrong = Search("図書官")
    offered = hints(held, wrong, held.search_sheets(wrong.words, 10))
    assert [(hint.text, hint.count) for hint in offered.spelling] == [("図書館", 2)]
    assert "もしかして" in render_spelling(offered) and render_spelling(Hints()) == render_hints(Hints()) == ""
    # Under a filter that leaves nothing of it, the spelling is no help either.
    assert hints(held, replace(wrong, filters=Filters(("ない市",))), SheetsFound(0, 0, (), {})).spelling == ()


def test_two_conditions_that_exclude_each_other_can_be_dropped_together() -> None:
    search = Search("図書館", Filters(rating=("総合評価：B",), section=("所見",)))
    offered = hints(FakeIndex(), search, FakeIndex().search_sheets(search.words, 10, search.filters))
    assert [hint.text for hint in offered.looser] == ["すべての条件を外す"]
    assert offered.looser[0].search.filters == Filters()


def test_the_results_of_an_address(client) -> None:
    body = client.get("/search/results", params={"q": "図書館", "sort": "year"}).json()
    assert "2件中 1〜2件" in body["results"] and "記載は4か所" in body["results"]
    assert body["results"].index("図書館</mark>システム運用") < body["results"].index("図書館</mark>システム更新")
    assert (
        "あおば市（1）" in body["facets"]
        and "総合評価：A（1）" in body["facets"]
        and "100万〜1,000万円（2）" in body["facets"]
    )
    only = client.get(
        "/search/results", params={"q": "図書館", "rating": "総合評価：C", "municipality": "ない市"}
    ).json()
    assert "当てはまる記載がありません" in only["results"] and only["scope"] == [[], [], []]
    assert "言葉でも文でも" in client.get("/search/results").json()["results"]
    assert "長すぎます" in client.get("/search/results", params={"q": "あ" * 2_001}).json()["results"]
    beyond = client.get("/search/results", params={"q": "図書館", "p": "99"}).json()["results"]
    assert "このページには結果がありません" in beyond
    for answer in (body, only):
        assert "見本太郎" not in str(answer) and "担当者" not in str(answer)


def test_a_list_is_saved_whole_in_the_order_of_the_screen(client) -> None:
    params = {"q": "図書館", "sort": "amount"}
    response = client.get("/export/search.csv", params=params)
    assert response.headers["content-disposition"] == 'attachment; filename="hyoka-search.csv"'
    text = response.content.decode("utf-8")
    assert text.startswith("\ufeff自治体,年度,事業名,部課,欄,本文,評価,決算額（円）")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [(row["事業名"], row["欄"], row["決算額（円）"]) for row in rows] == [
        ("図書館システム更新", "事業の目的", "3000000"), ("図書館システム更新", "今後の計画", "3000000"),
        ("図書館システム運用", "事業の目的", "1500000"), ("図書館システム運用", "今後の計画", "1500000"),
    ]  # fmt: skip
    assert rows[0]["評価"] == "総合評価：C" and rows[0]["ファイル"] == "hinode.txt" and "行目" in rows[0]["場所"]
    assert client.get(rows[2]["リンク"].removeprefix("http://testserver")).status_code == 200
    assert "見本太郎" not in text
    sheet = openpyxl.load_workbook(BytesIO(client.get("/export/search.xlsx", params=params).content)).active
    assert sheet.title == "検索結果" and [cell.value for cell in sheet[1]] == list(COLUMNS)
    assert sheet["H2"].value == 3_000_000 and sheet["C2"].value == "図書館システム更新" and sheet.max_row == 5
    assert client.get("/export/search.csv").status_code == 422
    assert client.get("/export/search.csv", params={"q": "図書館", "rating": "総合評価：C"}).text.count("\r\n") == 3


@given(st.sampled_from(["=", "+", "-", "@", "＝", "\t=", " =", ""]), st.text(max_size=30))
def test_no_text_becomes_a_formula(start: str, text: str) -> None:
    saved = csv_bytes(SheetOfCells(columns=["列"], rows=[[start + text, 5]])).decode("utf-8-sig")
    cell, number = list(csv.reader(io.StringIO(saved, newline="")))[1]
    shown = clean_lines(start + text)
    assert cell in (shown, f"'{shown}") and number == "5"
    plain = re.fullmatch(r"[-+]?[\d０-９,，.．]+[%％]?|-+", cell)
    assert plain or not cell.lstrip().startswith(("=", "+", "-", "@", "＝"))


@given(st.text(alphabet="'=+-@ a１\t", max_size=6))
def test_what_is_guarded_in_a_csv_is_read_back_as_it_was(text: str) -> None:
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize("number", ["-1,234", "-3.5%", "+12", "−４５６", "－1", "－", "---", "-0.25"])
def test_a_negative_number_stays_readable(number: str) -> None:
    saved = csv_bytes(SheetOfCells(columns=["列"], rows=[[number]])).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(saved)))[1] == [number]


def test_a_list_that_is_too_long_is_cut_where_the_screen_says(monkeypatch) -> None:
    monkeypatch.setattr("ui.searchfiles.MOST_ROWS", 3)
    assert len(search_table(FakeIndex(), Search("図書館"), "http://x/").rows) == 3
    found = FakeIndex().search_sheets("図書館", 10)
    assert "はじめの" not in render_found(Search("図書館"), found, Hints())
    long = replace(found, passages=MOST_ROWS + 1)
    assert "（はじめの5,000行まで）" in render_found(Search("図書館"), long, Hints())


def test_a_broken_search_is_told_politely(monkeypatch) -> None:
    app = create_app(FakeAssistant(), FeedbackStore())
    with TestClient(app, raise_server_exceptions=False) as client:
        monkeypatch.setattr(FakeIndex, "search_sheets", lambda *_, **__: 1 / 0)
        shown = client.get("/search/results", params={"q": "図書館"}).json()
        assert "問題が起きました" in shown["results"] and "division" not in str(shown)
