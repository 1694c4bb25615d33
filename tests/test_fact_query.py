"""Figures over sheets, as the tool for language models counts, ranks and compares them (assistant/factquery.py)."""

from __future__ import annotations

from typing import Any

import pytest

from assistant.factquery import query_facts
from assistant.toolschemas import FactArguments, FactsJson
from corpus.errors import QuestionError
from index.snapshot import Snapshot
from tests.two_towns import folder, index

__all__ = ["folder", "index"]


def counted(index: Snapshot, **asked: Any) -> FactsJson:
    return query_facts(index, FactArguments(**asked))


def figures(found: FactsJson) -> list[tuple[str, float]]:
    return [(one.municipality[:2] + one.sheet, one.value) for one in found.figures]


def test_a_programme_counts_once_a_year_with_what_its_own_sheet_says(index):
    found = counted(index, field="決算額", operation="sum", fiscal_year=[2022])
    # 790 of the sheet of 令和4年度, not 800 of the next one; 790 + 400 + 250 + 650
    assert [(one.name, one.total, one.count, one.mean) for one in found.totals] == [("", 2_090_000, 4, 522_500)]
    assert sorted(figures(found)) == [
        ("みな港湾清掃", 400_000), ("みな花火大会", 790_000), ("碧原森林巡視", 650_000), ("碧原花火大会", 250_000),
    ]  # fmt: skip


def test_figures_are_put_in_order_and_equal_ones_share_their_place(index):
    found = counted(index, field="決算額", operation="rank", fiscal_year=[2023])
    assert figures(found) == [
        ("みな花火大会", 1_500_000), ("碧原森林巡視", 725_000), ("みな港湾清掃", 450_000), ("碧原花火大会", 280_000),
    ]  # fmt: skip
    assert [one.rank for one in found.figures] == [1, 2, 3, 4]
    least = counted(index, field="決算額", operation="rank", fiscal_year=[2023], order="asc", limit=2)
    assert figures(least) == [("碧原花火大会", 280_000), ("みな港湾清掃", 450_000)] and least.total == 4
    rest = counted(index, field="決算額", operation="rank", fiscal_year=[2023], offset=3)
    assert [one.rank for one in rest.figures] == [4]
    both = counted(index, field="予算額", operation="rank", fiscal_year=[2022, 2023], municipality=["みなと野市"])
    assert [(one.rank, one.value, one.period.label) for one in both.figures] == [
        (1, 1_000_000, "R5年度"), (2, 900_000, "R4年度"), (3, 500_000, "R4年度"), (3, 500_000, "R5年度"),
    ]  # fmt: skip


def test_towns_departments_and_years_are_set_side_by_side(index):
    def totals(**asked: Any) -> list[tuple[str, float, int]]:
        found = counted(index, field="決算額", operation="compare", **asked)
        return [(one.name, one.total, one.count) for one in found.totals]

    assert totals(fiscal_year=[2023]) == [("みなと野市", 1_950_000, 2), ("碧原市", 1_005_000, 2)]
    assert totals(fiscal_year=[2023], order="asc")[0][0] == "碧原市"
    assert totals(fiscal_year=[2023], by="department")[1] == ("環境課", 1_175_000, 2)
    assert totals(by="fiscal_year", sheet="花火", municipality=["みなと野市"]) == [
        ("令和3年度", 600_000, 1), ("令和4年度", 790_000, 1), ("令和5年度", 1_500_000, 1),
    ]  # fmt: skip


def test_a_list_holds_every_figure_that_is_printed_with_the_words_that_print_it(index):
    found = counted(index, field="決算額", sheet="花火大会", municipality=["みなと野市"], fiscal_year=[2022])
    assert [(one.fiscal_year, one.value, one.kind) for one in found.figures] == [
        (2022, 790_000, "actual"), (2023, 800_000, "actual"),
    ]  # fmt: skip
    assert found.totals == [] and found.sheets == 2
    for one in found.figures:
        for citation in (found.citations[n - 1] for n in one.citations):
            source = citation.source
            assert index.document(source.file).text[source.start : source.end] == citation.quote
            assert f"{one.value // 1000:,.0f}" in citation.quote
    future = counted(index, field="予算額", fiscal_year=[2024])
    assert future.total == 4 and {one.kind for one in future.figures} == {"plan"}
    assert counted(index, field="予算額", fiscal_year=[0, 99999]).total == 0


def test_what_is_left_open_is_asked_for_and_what_is_not_there_is_named(index):
    with pytest.raises(QuestionError, match="2021、2022、2023"):
        counted(index, field="決算額", operation="rank")
    with pytest.raises(QuestionError, match="空です"):
        counted(index, field="　")
    with pytest.raises(QuestionError, match="実績"):
        counted(index, field="決算額", kind="plan")
    (note,) = counted(index, field="人件費").notes
    assert "決算額" in note and "予算額" in note
    (note,) = counted(index, field="決算額", municipality=["遠野原市"]).notes
    assert "municipality" in note
