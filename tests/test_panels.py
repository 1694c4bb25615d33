"""Plans beside actuals: what is drawn, of which year, and that neither is taken for the other."""

from __future__ import annotations

import re
from html import unescape

import pytest

from corpus.histories import history
from tests.test_histories import R4, R5, figure, sheet
from ui.charts import BOTTOM, HEIGHT, TOP, Column, render_columns, short_year, year_slots
from ui.facts import kind_word
from ui.panels import panels, render_panels

RECT = re.compile(
    r'<rect class="hy-column ([^"]+)" x="([\d.-]+)%" y="([\d.]+)" width="([\d.]+)%" height="([\d.]+)"><title>([^<]+)'
)
ROWS = history(
    (R5, fact)
    for fact in [
        figure(2021, 400.0, "予算額", "plan", field="予算額"),
        figure(2022, 500.0, "予算額", "plan", field="予算額"),
        figure(2021, 300.0),
        figure(2023, 0.0),
        figure(2024, 600.0, "決算額", "plan"),
        figure(2022, 10.0, "貸出冊数", "plan", field="活動指標", unit="冊"),
        figure(2022, 12.0, "貸出冊数", "actual", field="活動指標", unit="冊"),
        figure(2022, 80.0, "貸出冊数", "actual", field="活動指標", unit="%"),
        figure(2021, 5000.0, "一人当たり経費", "plan", field="指標"),
        figure(2022, 5100.0, "一人当たり経費", "actual", field="指標"),
        figure(2021, 1.0, "国庫支出金", "actual", field="国庫支出金"),
        figure(2022, 2.0, "国庫支出金", "actual", field="国庫支出金"),
    ]
)


def test_plans_and_actuals_of_one_thing_and_one_unit_meet_in_a_panel():
    found = panels(ROWS)
    assert [(panel.title, panel.unit, [line.name for line in panel.lines]) for panel in found] == [
        # A settlement that is only expected is named so and never stands in the line of settlements.
        ("予算額と決算額", "円", ["予算額", "決算額（見込み）", "決算額"]),
        ("貸出冊数", "冊", ["目標", "実績"]),
        ("一人当たり経費", "円", ["目標", "実績"]),  # an indicator in 円 has no budget
    ]
    budget, expected, settled = found[0].lines
    assert {year: one.fact.value for year, one in budget.years.items()} == {2021: 400.0, 2022: 500.0}
    assert {year: one.fact.value for year, one in expected.years.items()} == {2024: 600.0}
    assert {year: one.fact.value for year, one in settled.years.items()} == {2021: 300.0, 2023: 0.0}


def test_every_figure_of_a_panel_links_to_its_quote_and_what_is_not_printed_is_told_so():
    html = render_panels(panels(ROWS)[:1], {})
    table = html.split("<table")[1]
    rows = [
        [unescape(re.sub(r"<[^>]+>", " ", cell)).split() for cell in re.findall(r"<t[dh][ >].*?</t[dh]>", row)]
        for row in re.findall(r"<tr>(.*?)</tr>", table)
    ]
    none = ["―", "記載なし"]
    assert rows[1:] == [
        [["令和3年度"], ["400"], none, ["300"]],
        [["令和4年度"], ["500"], none, none],
        [["令和5年度"], none, none, ["0"]],  # a zero is a figure
        [["令和6年度"], none, ["600"], none],
    ]
    assert table.count('href="/sheet/s2023?start=') == 5


def test_columns_have_the_height_of_their_figures_and_plans_are_frames():
    rows = [Column("予算", True, {2021: 100.0, 2022: 50.0}), Column("決算", False, {2021: 75.0, 2022: -25.0})]
    drawn = RECT.findall(render_columns("事業費（円）", "円", [2021, 2022], rows))
    assert [(one[0], one[5]) for one in drawn] == [
        ("hy-planned hy-c0", "R3年度 予算 100円"),
        ("hy-actual hy-c0", "R3年度 決算 75円"),
        ("hy-planned hy-c0", "R4年度 予算 50円"),
        ("hy-actual hy-c0", "R4年度 決算 -25円"),
    ]
    # The axis runs from -25 to 100 in steps of 25: 125 on the paper's height.
    a_hundred = (HEIGHT - TOP - BOTTOM) * 100 / 125
    assert [float(one[4]) for one in drawn] == pytest.approx(
        [a_hundred, a_hundred * 0.75, a_hundred / 2, a_hundred / 4], abs=0.11
    )
    assert float(drawn[3][2]) == pytest.approx(TOP + a_hundred, abs=0.11)  # what is below zero hangs from it


def test_a_gap_in_the_years_is_a_gap_in_the_chart():
    assert year_slots([2023, 2019, 2020]) == [2019, 2020, None, 2023]
    html = render_columns("指標", "件", [2019, 2020, 2023], [Column("実績", False, {2019: 1.0, 2020: 2.0, 2023: 3.0})])
    assert [unescape(text) for text in re.findall(r'text-anchor="middle">([^<]+)<', html)] == ["R1", "R2", "…", "R5"]
    assert html.count("<rect") == 3 and 'class="hy-line' not in html


def test_figures_that_are_all_zero_are_told_instead_of_drawn():
    html = render_columns("事故", "件", [2021], [Column("実績", False, {2021: 0.0})])
    assert "どの年度も0です。" in html and "<svg" not in html
    assert render_columns("事故", "件", [], []) == ""


@pytest.mark.parametrize(("year", "short"), [(2024, "R6"), (2019, "R1"), (2018, "H30"), (1989, "H1"), (1988, "S63")])
def test_years_under_a_chart(year, short):
    assert short_year(year) == short


def test_an_amount_read_under_two_fields_is_one_line_and_the_latest_sheet_counts():
    rows = history([
        (R4, figure(2021, 1.0, "事業費")), (R4, figure(2022, 2.0, "事業費")),
        (R4, figure(2022, 3.0, "事業費", "plan", field="予算額")),
        (R5, figure(2022, 4.0, "事業費", field="事業費")), (R5, figure(2023, 5.0, "事業費", "plan", field="事業費")),
    ])  # fmt: skip
    (panel,) = panels(rows)
    assert (panel.title, [line.name for line in panel.lines]) == ("事業費", ["予算", "決算"])
    budget, settled = panel.lines
    assert {year: one.fact.value for year, one in budget.years.items()} == {2022: 3.0, 2023: 5.0}
    assert {year: one.fact.value for year, one in settled.years.items()} == {2021: 1.0, 2022: 4.0}


def test_the_words_for_plan_and_actual():
    assert [kind_word("事業費", "円", kind) for kind in ("plan", "actual", None)] == ["予算", "決算", ""]
    assert [kind_word("成果指標", "円", kind) for kind in ("plan", "actual")] == ["目標", "実績"]
    assert kind_word("職員数", "人", "plan") == "目標"


def test_one_figure_alone_is_no_chart():
    assert panels(history([(sheet(2023), figure(2023, 5.0))])) == [] and render_panels([], {}) == ""
