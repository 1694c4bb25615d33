"""The measure of links over the years, on records whose outcome is counted by hand."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from evals.benchmarks.timelines import main, measure, same_figures


def record(
    year: int, name: str, amounts: dict[int, float], ministry: str = "省", division: str = "課"
) -> dict[str, object]:
    return {
        "year": year, "ministry": ministry, "name": name, "bureau": "局", "division": f"{division}\n室",
        "budget_million_yen": [[of, amount, amount] for of, amount in amounts.items()] + [[year, 1.0, None]],
    }  # fmt: skip


RECORDS = [
    record(2021, "港湾統計の整備", {2019: 100.0, 2020: 110.0}),
    record(2022, "港湾統計の整備", {2020: 110.4, 2021: 120.0}),  # linked; 110.4 is 110 rounded
    record(2021, "統計研修", {2020: 50.0}),
    record(2022, "統計研修", {2020: 80.0}),  # linked, and the figures say that it is another
    record(2021, "漁場の調査費", {2019: 300.0, 2020: 310.0}),
    record(2022, "沿岸の調査費", {2019: 300.0, 2020: 310.0}),  # the figures know it, the name does not
    record(2022, "灯台の保全", {2021: 5.0}),
    record(2023, "灯台の保全", {2022: 6.0}),  # linked; no year in common to judge by
]


def test_links_are_judged_by_figures_that_the_linking_never_saw():
    found = measure(RECORDS)
    assert (found.sheets, found.timelines, found.links, found.judged, found.agree) == (8, 3, 3, 2, 1)
    assert (found.known, found.linked) == (1, 0)


def test_sheets_without_a_year_in_common_are_not_judged():
    assert same_figures(RECORDS[6], RECORDS[7]) is None
    assert same_figures(RECORDS[0], RECORDS[1]) is True and same_figures(RECORDS[2], RECORDS[3]) is False


def test_the_command_reads_packed_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "sheets.jsonl.gz"
    with gzip.open(file, "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(one, ensure_ascii=False) + "\n" for one in RECORDS)
    assert main([str(file)]) == 0 and json.loads(capsys.readouterr().out)["links"] == 3
    assert main([]) == 2
