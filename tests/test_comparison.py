"""Sheets and municipalities side by side: the arithmetic, and that nothing missing becomes a zero."""

from __future__ import annotations

import csv
import io
import re
from html import unescape
from io import BytesIO

import openpyxl
import pytest
from fastapi.testclient import TestClient

from assistant.payload import Sources
from assistant.store import FeedbackStore
from corpus.histories import history
from tests.fakes import TEXTS, FakeAssistant, FakeIndex
from tests.test_histories import R4, R5, R6, Years, figure
from ui.app import create_app
from ui.citypage import sums_chart
from ui.comparefile import cities_table, csv_bytes, sheets_table
from ui.comparelinks import compare_url
from ui.comparepages import asked_of, compare_page
from ui.comparison import Against, against, compare, figure_rows
from ui.export import SheetOfCells
from ui.municipalities import City, amounts, city_year
from ui.sidebyside import figure_title, line_chart, render_comparison, render_figures, told

INDEX = FakeIndex()
PAIR = [INDEX.sheets()[0], INDEX.sheets()[2]]  # the libraries' systems of あおば市 (R4, R5) and ひので市 (R4)


@pytest.fixture(scope="module")
def client():
    app = create_app(FakeAssistant(), FeedbackStore())
    with TestClient(app) as client:
        yield client


def rows_of(html: str) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", html)
    return [
        [
            " ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split())
            for cell in re.findall(r"<t[dh][ >].*?</t[dh]>", row)
        ]
        for row in rows
    ]


def test_figures_are_held_against_the_first_sheet_and_only_where_both_are_printed():
    (settled,) = compare(INDEX, PAIR).figures
    assert (figure_title(settled), settled.years) == ("決算額（円）", [2022, 2023])
    table = rows_of(render_comparison(compare(INDEX, PAIR)).split('id="figures"')[1].split("</table>")[0])
    assert table == [
        ["年度", "① 図書館システム運用", "② 図書館システム更新"],
        # 3,000,000 - 1,200,000 = 1,800,000; 3,000,000 / 1,200,000 = 2.5
        ["令和4年度", "1,200,000", "3,000,000 差 +1,800,000・比 250.0%"],
        ["令和5年度", "1,500,000", "― 記載なし"],
    ]
    chart = line_chart(settled, compare(INDEX, PAIR).columns)
    assert [line.values for line in chart.series] == [(1_200_000.0, 1_500_000.0), (3_000_000.0, None)]


@pytest.mark.parametrize(
    ("first", "other", "found", "words"),
    [
        (200.0, 250.0, Against(50.0, 1.25), "差 +50・比 125.0%"),
        (250.0, 200.0, Against(-50.0, 0.8), "差 -50・比 80.0%"),
        (80.0, 80.0, Against(0.0, 1.0), "差 ±0・比 100.0%"),
        (0.0, 5.0, Against(5.0, None), "差 +5"),
        (-4.0, 8.0, Against(12.0, None), "差 +12"),  # a share of a deficit says nothing
    ],
)
def test_differences_and_ratios(first, other, found, words):
    assert against(first, other) == found and told(found) == words


def test_what_is_not_known_is_compared_with_nothing():
    assert against(None, 5.0) is None and against(5.0, None) is None


def test_rows_meet_by_what_they_are_and_never_plan_with_actual_or_unit_with_unit():
    one = history((R5, fact) for fact in [
        figure(2023, 1.0, "当初予算額", "plan", field="予算額"),
        figure(2023, 2.0, "決算額"),
        figure(2023, 30.0, "貸出冊数", "plan", field="成果指標", unit="冊"),
        figure(2023, 31.0, "貸出冊数", "actual", field="成果指標", unit="冊"),
        figure(2023, 5.0, "巡回数", "actual", field="指標", unit="回"),
    ])  # fmt: skip
    other = history((R6, fact) for fact in [
        figure(2023, 4.0, "予算現額", "plan", field="予算額"),
        figure(2023, 9.0, "決算額", "plan"),
        figure(2023, 40.0, "貸出冊数", "actual", field="指標", unit="冊"),
        figure(2023, 41.0, "貸出冊数", "actual", field="指標", unit="%"),
    ])  # fmt: skip
    rows, unshared = figure_rows([one, other])
    printed = {
        figure_title(row): [cell[2023].fact.value if 2023 in cell else None for cell in row.cells] for row in rows
    }
    assert printed == {
        "予算額（円）": [1.0, 4.0],  # each prints one budget, whatever its name
        "決算額（円）": [2.0, None],
        "決算額・見込み（円）": [None, 9.0],  # what is expected is no settlement
        "貸出冊数・実績（冊）": [31.0, 40.0],
    }
    page = "".join(render_figures(row, compare(INDEX, PAIR).columns) for row in rows if row.field == "予算額")
    assert "<small>当初予算額</small>" in page and "<small>予算現額</small>" in page  # but the name is told
    assert unshared == 3  # the target, the rounds and the percentage stand in one sheet each


def test_an_amount_that_one_form_calls_a_field_and_another_a_settlement_is_one_row():
    one = history([(R5, figure(2023, 1.0, "事業費")), (R5, figure(2023, 2.0, "事業費", "plan", field="予算額"))])
    other = history(
        [(R6, figure(2023, 3.0, "事業費", field="事業費")), (R6, figure(2023, 4.0, "事業費", "plan", field="事業費"))]
    )
    rows, _ = figure_rows([one, other])
    assert {figure_title(row): [cell[2023].fact.value for cell in row.cells] for row in rows} == {
        "事業費・決算（円）": [1.0, 3.0], "事業費・予算（円）": [2.0, 4.0],
    }  # fmt: skip


def test_two_budgets_in_one_sheet_are_not_taken_for_each_other():
    one = history(
        (R5, figure(2023, value, label, "plan", field="予算額"))
        for label, value in [("当初予算額", 1.0), ("補正後予算額", 2.0)]
    )
    other = history(
        [
            (R6, figure(2023, 3.0, "補正後予算額", "plan", field="予算額")),
            (R6, figure(2023, 4.0, "当初予算額", "plan", field="予算額")),
        ]
    )
    rows, _ = figure_rows([one, other])
    assert {row.title: [cell[2023].fact.value for cell in row.cells] for row in rows} == {
        "当初予算額": [1.0, 4.0], "補正後予算額": [2.0, 3.0],
    }  # fmt: skip


def test_years_of_one_programme_show_what_each_sheet_prints_itself():
    found = compare(Years(), [R4, R5])
    settled = next(row for row in found.figures if row.kind == "actual")
    assert [{year: one.fact.value for year, one in cell.items()} for cell in settled.cells] == [
        {2021: 900.0, 2022: 1000.0, 2023: 1100.0}, {2022: 1000.0, 2023: 1200.0},
    ]  # fmt: skip
    assert not found.over_years and "（令和4年度）" in render_comparison(found)


def test_the_same_field_stands_in_one_row_with_links_to_the_quotes_and_no_person():
    html = render_comparison(compare(INDEX, PAIR))
    table = rows_of(html.split('id="fields"')[1])
    purpose = next(row for row in table if row[0] == "事業の目的")
    assert "待ち時間を短くする" in purpose[1] and "老朽化した機器を更新する" in purpose[2]
    start = TEXTS["hinode.txt"].index("老朽化")
    assert f'href="/sheet/hinode-1?start={start}&amp;end={start + len("老朽化した機器を更新する。")}#quote"' in html
    assert "見本太郎" not in html and "担当者" not in html


def test_what_is_written_in_a_sheet_is_text_on_the_page():
    html = render_comparison(compare(INDEX, INDEX.sheets()[:2]))
    assert "&lt;b&gt;道路台帳&lt;/b&gt;" in html and "<b>道路台帳" not in html


def test_sums_of_municipalities_count_what_is_printed_and_say_of_how_many():
    # あおば市 2023: 1,500,000 + 700,000 = 2,200,000 of two sheets; ひので市 2022: 3,000,000 + 2,500,000 = 5,500,000.
    aoba, hinode = city_year(INDEX, "あおば市"), city_year(INDEX, "ひので市")
    assert (aoba.year, hinode.year) == (2023, 2022)
    assert [(city.sums["決算額"].total, len(city.sums["決算額"].figures), len(city.sheets)) for city in (aoba, hinode)] == [
        (2_200_000.0, 2, 2), (5_500_000.0, 2, 2),
    ]  # fmt: skip
    assert [one.sheet.name for one in hinode.biggest] == ["図書館システム更新", "広報紙発行"]
    assert {mark: len(found) for mark, found in aoba.ratings["総合評価"].items()} == {"A": 1, "B": 1}
    assert city_year(INDEX, "ひので市", 2023).sums == {} and city_year(INDEX, "ひので市", 2023).sheets == ()
    # 2022 of あおば市 stands in its sheets of 2023: 1,200,000 + 800,000 = 2,000,000.
    assert city_year(INDEX, "あおば市", 2022).sums["決算額"].total == 2_000_000.0


def test_a_sheet_that_prints_several_amounts_under_other_names_is_not_summed():
    facts = [found for found in INDEX.facts(["aoba-1"], ["決算額"])]
    twice = [type(facts[0])(facts[0].sheet, figure(2022, 7.0, label)) for label in ("国費", "市費")]
    assert amounts(twice, "決算額", 2022).figures == ()
    assert amounts([*twice, facts[0]], "決算額", 2022).total == 1_200_000.0


def test_sums_by_year_stay_with_their_year_and_say_what_they_count():
    page = compare_page(INDEX, asked_of(INDEX, [], ["あおば市", "ひので市"], ""), "")
    table = rows_of(page.split('id="years"')[1].split("</table>")[0])
    assert table == [
        ["年度", "あおば市", "ひので市"],
        # 1,200,000 + 800,000 and 3,000,000 + 2,500,000; 1,500,000 + 700,000
        ["令和4年度", "2,000,000 2件のうち2件の合計（計算）", "5,500,000 2件のうち2件の合計（計算）"],
        ["令和5年度", "2,200,000 2件のうち2件の合計（計算）", "― 記載なし"],
    ]
    both = [City(INDEX, name) for name in ("あおば市", "ひので市")]
    chart = sums_chart(
        "決算額", [2022, 2023], [city.of_year(2022) for city in both], [city.over_years() for city in both]
    )
    assert [line.values for line in chart.series] == [(2_000_000.0, 2_200_000.0), (5_500_000.0, None)]


def test_the_page_of_municipalities_shows_no_zero_for_what_is_not_printed():
    page = compare_page(INDEX, asked_of(INDEX, [], ["あおば市", "ひので市"], "2023"), "")
    table = rows_of(page.split('id="sums"')[1])
    assert table[2] == ["シート数", "2件", "― 記載なし"]
    assert table[3][1].startswith("2,200,000円 2件のうち2件の合計（計算） 内訳（2件） 図書館システム運用 1,500,000円")
    assert table[3][2] == "― 記載なし"


def test_an_address_is_read_with_care():
    asked = asked_of(INDEX, ["aoba-1", "aoba-1", "nothing", "hinode-1"], ["<b>", "あおば市"], "99999")
    assert [one.sheet_id for one in asked.sheets] == ["aoba-1", "hinode-1"]
    assert (asked.cities, asked.year, asked.lost) == (("あおば市",), None, 2)
    assert "索引にないシートか自治体が2件" in compare_page(INDEX, asked, "")


def test_a_single_sheet_is_offered_others_to_compare_with():
    page = compare_page(INDEX, asked_of(INDEX, ["aoba-1"], [], ""), "")
    assert (
        "もう1つ、比べるシートを選んでください" in page
        and f'href="{compare_url(["aoba-1", "hinode-1"])}"'.replace("&", "&amp;") in page
    )
    found = compare_page(INDEX, asked_of(INDEX, ["aoba-1"], [], ""), "道路台張整備")
    assert f'href="{compare_url(["aoba-1", "aoba-2"])}"'.replace("&", "&amp;") in found  # with a slip of the keyboard


def test_the_page_is_plain_and_loads_nothing(client):
    response = client.get("/compare?sheet=aoba-1&sheet=hinode-1")
    assert response.status_code == 200 and "<script" not in response.text and "http" not in response.text
    assert response.headers["content-security-policy"].startswith("default-src 'none'")
    assert client.get("/compare").status_code == 200
    assert client.get("/compare?q=%00%FF&sheet=%22%3E%3Cb%3E&municipality=%FF&year=x").status_code == 200


def test_every_link_of_the_plain_pages_stays_under_a_path_prefix():
    app = create_app(FakeAssistant(), FeedbackStore())
    under = TestClient(app, root_path="/hyoka")
    for path in (
        "/compare?sheet=aoba-1&sheet=hinode-1",
        "/sheet/aoba-1",
        "/compare?municipality=あおば市&municipality=ひので市",
    ):
        for prefix in ("", "/hyoka"):  # a server may leave the prefix in the path or take it away
            response = under.get(prefix + path)
            links = re.findall(r'(?:href|action)="([^"]+)"', response.text)
            assert links and all(link.startswith(("/hyoka/", "#", "?", "../")) for link in links)
            assert response.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_comparison_is_saved_with_numbers_as_numbers_and_text_as_text(client):
    content = client.get("/compare.xlsx?sheet=aoba-1&sheet=hinode-1").content
    sheet = openpyxl.load_workbook(BytesIO(content)).active
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    head = rows[0]
    assert head[:5] == ["区分", "項目", "年度", "① 図書館システム運用", "② 図書館システム更新"]
    by_year = {row[2]: dict(zip(head, row, strict=True)) for row in rows if row[0] == "金額と指標"}
    first = by_year["令和4年度"]
    assert (first["① 図書館システム運用"], first["② 図書館システム更新"]) == (1_200_000, 3_000_000)
    assert (first["②−①（計算）"], first["②÷①％（計算）"]) == (1_800_000, 250)
    assert first["②の出典"].startswith("hinode.txt ")
    assert by_year["令和5年度"]["② 図書館システム更新"] == "記載なし" and by_year["令和5年度"]["②−①（計算）"] is None
    assert not any("見本太郎" in str(value) for row in rows for value in row)


def test_a_comparison_of_municipalities_is_saved_with_every_counted_figure(client):
    text = client.get("/compare.csv?municipality=あおば市&municipality=ひので市").content
    assert text.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(text.decode("utf-8-sig"))))
    assert ["合計（計算）", "決算額の合計（円）", "2200000", "5500000", "", ""] in rows
    assert sum(row[0] == "内訳" for row in rows) == 4
    table = cities_table([city_year(INDEX, "あおば市")], [City(INDEX, "あおば市").over_years()], Sources(INDEX))
    assert ["年度別の合計（計算）", "決算額の合計（円）令和4年度", 2_000_000.0, None] in table.rows
    assert ["評価の件数（計算）", "総合評価：A", 1, None] in table.rows


def test_a_text_that_starts_like_a_formula_computes_nothing():
    table = SheetOfCells(columns=["=A1"], rows=[["=1+1"], [" +2"], ["-3"], ["−4"], ["@x"], [-5.0], ["\t=6"]])
    rows = list(csv.reader(io.StringIO(csv_bytes(table).decode("utf-8-sig"))))
    assert [row[0] for row in rows] == ["'=A1", "'=1+1", "' +2", "-3", "−4", "'@x", "-5", "'\t=6"]


def test_files_are_of_the_same_comparison_as_the_page():
    table = sheets_table(compare(INDEX, PAIR), Sources(INDEX))
    assert len({len(row) for row in [table.columns, *table.rows]}) == 1
    assert {row[0] for row in table.rows} == {"シート", "記載内容", "評価・区分", "金額と指標"}
