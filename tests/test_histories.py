"""The figures of a programme over the years: the latest sheet's figure counts, and each stays with its own sheet."""

from __future__ import annotations

import random
import re
from datetime import date
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from assistant.payload import sheet_detail_json
from corpus.documents import Document, Fact, Sheet, Span
from corpus.histories import completed, history
from corpus.periods import Period
from index.types import SheetFact
from tests.fakes import FakeIndex
from ui.sheet import render_sheet, sheet_view


def sheet(year: int, name: str = "移動図書館運営事業", department: str = "図書館課") -> Sheet:
    return Sheet(f"s{year}", f"{year}.txt", "programme", name, "みなと野市", year, department, (Span(0, 90),))


def figure(year: int, value: float, label: str = "決算額", kind: str = "actual", at: int = 0, **more) -> Fact:
    period = Period(date(year, 4, 1), date(year + 1, 4, 1), f"R{year - 2018}年度", more.pop("sense", "fiscal_year"))
    span = Span(at, at + 2)
    unit, field = more.pop("unit", "円"), more.pop("field", "決算額")
    return Fact(field, label, value, str(value), unit, period, kind, span, span)  # type: ignore[arg-type]


R4, R5, R6 = sheet(2022), sheet(2023), sheet(2024, "本の移動図書館事業", "生涯学習課")
PRINTED = [
    # R4's sheet expects for R5 what R5's sheet corrects; R6's sheet prints R5 and R6 only.
    (R4, figure(2021, 900.0)), (R4, figure(2022, 1000.0)), (R4, figure(2023, 1100.0, at=4)),
    (R5, figure(2022, 1000.0)), (R5, figure(2023, 1200.0)), (R5, figure(2023, 1500.0, kind="plan")),
    (R6, figure(2023, 1234.0, at=8)), (R6, figure(2024, 1300.0)),
    (R6, figure(2024, 45.0, "巡回回数", field="活動指標", unit="回")),
]  # fmt: skip


def test_the_latest_sheet_counts_and_what_it_changed_is_kept_beside_it():
    rows = {(row.label, row.kind): row for row in history(PRINTED)}
    settled = rows["決算額", "actual"]
    assert {year: (one.fact.value, one.sheet.sheet_id) for year, one in settled.years.items()} == {
        2021: (900.0, "s2022"), 2022: (1000.0, "s2023"), 2023: (1234.0, "s2024"), 2024: (1300.0, "s2024"),
    }  # fmt: skip
    assert [(one.sheet_id, fact.value) for one, fact in settled.years[2023].before] == [
        ("s2023", 1200.0),
        ("s2022", 1100.0),
    ]
    assert settled.years[2022].before == ()  # both sheets print 1,000
    # A budget is no settlement, an indicator no amount.
    assert {year: one.fact.value for year, one in rows["決算額", "plan"].years.items()} == {2023: 1500.0}
    assert set(rows) == {("決算額", "actual"), ("決算額", "plan"), ("巡回回数", "actual")}


def test_rows_meet_by_their_label_and_unit_only():
    one = (R4, figure(2022, 1.0, "（1）当初予算額", "plan", field="予算額"))
    same = (R5, figure(2023, 2.0, "当初予算額", "plan", field="予算額"))
    other = (R5, figure(2023, 3.0, "予算現額", "plan", field="予算額"))
    percent = (R5, figure(2024, 4.0, "当初予算額", "plan", field="予算額", unit="%"))
    assert sorted(sorted(row.years) for row in history([one, same, other, percent])) == [[2022, 2023], [2023], [2024]]


def test_what_is_no_figure_of_a_fiscal_year_is_in_no_row():
    calendar = figure(2022, 1.0, sense="calendar_year")
    rating = Fact("総合評価", "総合評価", None, "A", "", figure(2022, 1.0).period, None, Span(0, 1), Span(0, 1))
    undated = Fact("決算額", "決算額", 5.0, "5", "円", None, "actual", Span(0, 1), Span(0, 1))
    assert history([(R4, calendar), (R4, rating), (R4, undated)]) == []
    assert completed(R4, [(R4, calendar), (R4, rating), (R4, undated)]) == [
        ("決算額", R4, calendar),
        ("決算額", R4, undated),
    ]


def test_a_sheets_rows_are_completed_and_no_other_row_is_added():
    found = completed(R5, PRINTED)
    assert [(label, one.sheet_id, fact.period.fiscal_year, fact.kind) for label, one, fact in found if fact.period] == [
        ("決算額", "s2022", 2021, "actual"),
        ("決算額", "s2023", 2022, "actual"),
        ("決算額", "s2024", 2023, "actual"),
        ("決算額", "s2024", 2024, "actual"),
        ("決算額", "s2023", 2023, "plan"),
    ]


@given(
    st.lists(st.tuples(st.integers(2020, 2023), st.integers(2019, 2024), st.integers(1, 3)), max_size=20),
    st.randoms(use_true_random=False),
)
def test_every_figure_shown_is_one_of_the_latest_sheet_that_prints_its_year(given_, order: random.Random):
    printed = [(sheet(year), figure(of, float(value))) for year, of, value in dict.fromkeys(given_)]
    order.shuffle(printed)
    for row in history(printed):
        for year, shown in row.years.items():
            claims = [one for one, fact in printed if fact.period and fact.period.fiscal_year == year]
            assert shown.sheet.fiscal_year == max(one.fiscal_year or 0 for one in claims)
            assert (shown.sheet, shown.fact) in printed and all(one in printed for one in shown.before)


class Years(FakeIndex):
    """Three years of one programme and nothing else."""

    def sheets(self, filters=None):
        return [R4, R5, R6]

    def sections(self, sheet_ids=None, fields=None):
        return []

    def facts(self, sheet_ids=None, fields=None):
        return [SheetFact(one, fact) for one, fact in PRINTED if sheet_ids is None or one.sheet_id in sheet_ids]

    def timeline(self, sheet_id: str) -> list[Sheet]:
        return [R4, R5, R6]

    def document(self, file: str) -> Document:
        return Document(file, "あ" * 90, "0" * 64, "text")


def test_the_sheet_page_shows_the_other_years_and_their_figures():
    html = render_sheet(sheet_view(R6, Years()))
    links = re.findall(r'<li><a href="([^"]+)">([^<]+)</a>(?:<small>([^<]*)</small>)?', html)
    assert links == [
        ("/sheet/s2022", "令和4年度", "（移動図書館運営事業・図書館課）"),
        ("/sheet/s2023", "令和5年度", "（移動図書館運営事業・図書館課）"),
    ]
    table = html.split('id="years"')[1]
    settled = unescape(re.search(r"<tr>(<th[^>]*>決算額<small>決算.*?)</tr>", table)[1])  # type: ignore[index]
    assert re.findall(r'href="/sheet/(s\d+)\?start=(\d+)[^"]*">([\d,]+)</a>', settled) == [
        ("s2022", "0", "900"),
        ("s2023", "0", "1,000"),
        ("s2024", "8", "1,234"),
        ("s2023", "0", "1,200"),
        ("s2022", "4", "1,100"),
        ("s2024", "0", "1,300"),
    ]
    assert "令和5年度のシート：" in settled and "新しい年度のシートの値を示します" in table
    assert "巡回回数" not in table  # one year only: nothing to compare
    assert html.count("<svg") == 1  # the chart over all years stands for that of the sheet alone


def test_a_sheet_alone_in_its_year_shows_no_other_years():
    html = render_sheet(sheet_view(FakeIndex().sheets()[0], FakeIndex()))
    assert "他の年度" not in html and 'id="years"' not in html


def test_json_names_the_sheets_of_other_years():
    assert [one.model_dump() for one in sheet_detail_json(R5, Years()).other_years] == [
        {"sheet_id": "s2022", "fiscal_year": 2022, "sheet": "移動図書館運営事業", "department": "図書館課"},
        {"sheet_id": "s2024", "fiscal_year": 2024, "sheet": "本の移動図書館事業", "department": "生涯学習課"},
    ]
    assert sheet_detail_json(FakeIndex().sheets()[0], FakeIndex()).other_years == []
