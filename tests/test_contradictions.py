"""One figure printed with two values: both are shown."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st
from test_histories import figure, sheet

from assistant.contradictions import otherwise
from index.types import SheetFact

R5, R6 = sheet(2023), sheet(2024)


def context(*printed):
    facts = [SheetFact(one, fact) for one, fact in printed]
    index = SimpleNamespace(timeline=lambda sheet_id: [R5, R6], facts=lambda ids: facts)
    return SimpleNamespace(index=index)


def test_a_settlement_that_two_sheets_print_differently_is_told():
    early, late = figure(2023, 1_200_000.0), figure(2023, 1_234_000.0, at=8)
    told = otherwise(context((R5, early), (R6, late)), R6, [late])
    assert [(one.sheet.sheet_id, one.fact.value) for one in told[late]] == [("s2023", 1_200_000.0)]
    assert otherwise(context((R5, early), (R6, late)), R5, [early])[early][0].sheet == R6


def test_two_values_in_one_sheet_are_told():
    first, second = figure(2023, 1_200_000.0), figure(2023, 1_300_000.0, at=20)
    assert otherwise(context((R5, first), (R5, second)), R5, [first])[first][0].fact == second


def test_another_kind_year_row_or_unit_contradicts_nothing():
    shown = figure(2023, 1_200_000.0)
    others = [
        figure(2023, 5_000_000.0, kind="plan"),
        figure(2022, 5_000_000.0),
        figure(2023, 5_000_000.0, "総事業費", field="総事業費"),
        figure(2023, 5_000_000.0, unit="人"),
        replace(figure(2023, 5_000_000.0), inferred=True),  # a guess contradicts nothing
    ]
    assert otherwise(context((R5, shown), *((R6, one) for one in others)), R5, [shown]) == {}


@given(st.integers(1, 10**9), st.integers(0, 999))
def test_a_figure_rounded_to_the_thousand_says_the_same(yen: int, rest: int):
    exact, rounded = figure(2023, float(yen * 1000 + rest)), figure(2023, float(yen * 1000), at=8)
    assert otherwise(context((R5, exact), (R6, rounded)), R5, [exact]) == {}
