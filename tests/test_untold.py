"""Tables that invite a guess: whatever comes out must be true; a figure whose year or row cannot be told is no fact."""

from __future__ import annotations

import pytest

from corpus.documents import Document
from corpus.reading import read_sheets

HEAD = "みなと野市 令和7年度 事務事業評価シート(令和6年度実績)\n事務事業名\t窓口改善\n担当課\t窓口課\n"

#: What a fact may say: what its row is called, its fiscal year (None: no year), its value.
Truth = set[tuple[str, int | None, float]]


def facts(text: str) -> Truth:
    (reading,) = read_sheets(Document("a.txt", HEAD + text, "0" * 64, "text"))
    return {
        (f.label, f.period.fiscal_year if f.period is not None else None, f.value)
        for f in reading.facts
        if f.value is not None
    }


def of(label: str, **years: float) -> Truth:
    return {(label, int(year[1:]), value) for year, value in years.items()}


COST = of("事業費", y2023=100_000, y2024=200_000)
TWO = "区分（千円）\t令和5年度\t令和6年度\n"

TRUE: dict[str, tuple[str, Truth]] = {
    "years over merged columns": (
        "（千円）\t令和5年度\t\t令和6年度\t\n\t予算\t決算\t予算\t決算\n事業費\t100\t90\t200\t180\n",
        {("事業費", y, v) for y, v in ((2023, 100_000), (2023, 90_000), (2024, 200_000), (2024, 180_000))},
    ),
    "a header with a year missing": ("区分（千円）\t令和4年度\t\t令和6年度\n事業費\t100\t200\t300\n", of("事業費", y2022=100_000, y2024=300_000)),
    "a header with its middle year missing": ("区分（千円）\t令和4年度決算\t令和6年度決算\n事業費\t100\t200\t300\n", set()),
    "more figures than years": (TWO + "事業費\t100\t200\t300\n", set()),
    "a blank among the figures": (
        "区分（千円）\t令和4年度\t令和5年度\t令和6年度\n事業費\t100\t\t300\n",
        of("事業費", y2022=100_000, y2024=300_000),
    ),
    "two tables side by side": (
        "区分（千円）\t令和5年度\t令和6年度\t\t指標名\t令和5年度\t令和6年度\t単位\n事業費\t100\t200\t\t来場者数\t30\t40\t人\n",
        COST | of("来場者数", y2023=30, y2024=40),
    ),
    "income beside costs": (
        "歳出（千円）\t令和5年度\t令和6年度\t歳入（千円）\t令和5年度\t令和6年度\n事業費\t100\t200\t国庫支出金\t30\t40\n",
        COST | of("国庫支出金", y2023=30_000, y2024=40_000),
    ),
    "no header": ("事業費\t100\t200\t300\n", set()),
    "no header but a unit": ("事業費（千円）\t100\t200\t300\n", set()),
    "a ratio behind the years": ("区分（千円）\t令和5年度\t令和6年度\t前年度比\n事業費\t100\t200\t200.0\n", COST),
    "a ratio in per cent behind the years": ("区分（千円）\t令和5年度\t令和6年度\t前年度比\n事業費\t100\t200\t200.0%\n", COST),
    "a ratio between the years": ("区分（千円）\t令和5年度\t前年度比\t令和6年度\t前年度比\n事業費\t100\t95.0\t200\t200.0\n", COST),
    "a difference": ("区分（千円）\t令和5年度\t令和6年度\t増減\n事業費\t100\t200\t100\n", COST),
    "a cumulative column": ("区分（千円）\t令和5年度\t令和6年度\t累計\n事業費\t100\t200\t300\n", COST),
    "a cumulative year": ("区分（千円）\t令和5年度まで累計\t令和6年度\n事業費\t1000\t200\n", of("事業費", y2024=200_000)),
    "a total before the years": ("区分（千円）\t合計\t令和5年度\t令和6年度\n事業費\t300\t100\t200\n", COST),
    "a span of years as a head": ("区分（千円）\t令和4年度～令和6年度\t令和6年度\n事業費\t300\t100\n", of("事業費", y2024=100_000)),
    "footnotes at years and figures": (
        "区分（千円）\t令和5年度※1\t令和6年度※2\n事業費\t100※1\t200※2\n人件費\t※1\t300\n",
        COST | of("人件費", y2024=300_000),
    ),
    "footnotes in other marks": (TWO + "事業費\t100*1\t200 注2\n", COST),
    "dates in cells": (
        TWO + "契約日\t2023/4/1\t2024/4/1\n事業費\t2023/4/1\t200\n", of("事業費", y2024=200_000),
    ),
    "years as figures of an unknown row": (TWO + "開始年\t2019\t2020\n", set()),
    "figures that look like years": (TWO + "事業費\t2,023\t2,024\n", of("事業費", y2023=2_023_000, y2024=2_024_000)),
    "a phone number beside a label": ("担当課\t窓口課\t電話\t03-1234-5678\n内線\t2345\n事業費\t03-1234-5678\n", set()),
    "phone numbers under years": (TWO + "電話\t0000-43-2111\t0000-43-2112\n", set()),
    "codes under years": (TWO + "事業コード\t010203\t010204\n事業費\t100\t200\n", COST),
    "codes of the budget": ("会計\t款\t項\t目\n01\t02\t01\t08\n" + TWO + "事業費\t100\t200\n", COST),
    "months without a year": ("区分（千円）\t4月\t5月\t6月\n事業費\t100\t200\t300\n", set()),
    "quarters": ("区分（千円）\t令和6年度第1四半期\t令和6年度第2四半期\n事業費\t100\t200\n", set()),
    "halves beside the year": (
        "区分（千円）\t令和6年度上半期\t令和6年度下半期\t令和6年度\n事業費\t100\t200\t300\n",
        of("事業費", y2024=300_000),
    ),
    "units in the cells": (
        "（単位：千円）\n区分\t令和5年度\t令和6年度\n事業費\t100円\t200百万円\n",
        of("事業費", y2023=100, y2024=200_000_000),
    ),
    "a range in a cell": (TWO + "事業費\t100～200\t300\n", of("事業費", y2024=300_000)),
    "a fraction in a cell": ("指標名\t令和5年度\t令和6年度\t単位\n出席率\t12/15\t14/15\t人\n", set()),
    "two figures in a cell": (TWO + "事業費\t100(90)\t200(180)\n", set()),
    "a year before each figure": ("事業費\t令和6年度\t100千円\t令和7年度\t200千円\n", of("事業費", y2024=100_000, y2025=200_000)),
    "years down the side": (
        "年度\t予算額（千円）\t決算額（千円）\n令和5年度\t100\t90\n令和6年度\t200\t180\n",
        of("予算額", y2023=100_000, y2024=200_000) | of("決算額", y2023=90_000, y2024=180_000),
    ),
    "years down the side with gaps": (
        "年度\t予算額（千円）\t決算額（千円）\n令和5年度\t100\n令和6年度\t\t180\n",
        of("予算額", y2023=100_000) | of("決算額", y2024=180_000),
    ),
    "a target of a year that only its head says": ("指標名\t現状値\t目標値（令和10年度）\n来場者数\t100人\t90人\n", {("来場者数", 2028, 90)}),
    "figures of last time and this time": ("指標名\t前回\t今回\n来場者数\t100人\t90人\n", set()),
    "a total of several years": ("総事業費（千円）\t令和3年度～令和7年度\t5,000\n", set()),
    "nothing left and new": (TWO + "事業費\t皆減\t皆増\n国庫支出金\t－\t0\n", of("国庫支出金", y2024=0)),
    "a figure in brackets": (TWO + "事業費\t(1,234)\t1,234\n", of("事業費", y2024=1_234_000)),
    "a second label with its figures in the header's row": (
        "内訳\t\t実施コスト\tH28年度決算\tH29年度決算\tH30年度当初\t事業費(A)\t23千円\t31千円\t26千円\n"
        "内訳\t\t国庫支出金\t1千円\t2千円\t3千円\t県支出金\t5千円\t6千円\t7千円\n",
        of("事業費", y2016=23_000, y2017=31_000, y2018=26_000)
        | of("国庫支出金", y2016=1_000, y2017=2_000, y2018=3_000)
        | of("県支出金", y2016=5_000, y2017=6_000, y2018=7_000),
    ),
    "the same year twice": ("区分（千円）\t令和5年度\t令和5年度\t令和6年度\n事業費\t100\t110\t200\n", of("事業費", y2024=200_000)),
    "a plan and a result over the years": (
        "区分（千円）\t計画\t\t実績\t\n\t令和5年度\t令和6年度\t令和5年度\t令和6年度\n事業費\t100\t110\t200\t210\n",
        of("事業費", y2023=100_000, y2024=110_000) | of("事業費", y2023=200_000, y2024=210_000),
    ),
    # What follows gave wrong facts once.
    "a line with fewer figures than years": (
        "区分（千円） 令和5年度 令和6年度 令和7年度\n国庫支出金 50 60\n事業費 100 200 300\n",
        of("事業費", y2023=100_000, y2024=200_000, y2025=300_000),
    ),
    "a line with more figures than years": ("区分（千円） 令和5年度 令和6年度\n事業費 100 200 300\n", set()),
    "a line with a dash": (
        "区分（千円） 令和5年度 令和6年度 令和7年度\n事業費 － 200 300\n",
        of("事業費", y2024=200_000, y2025=300_000),
    ),
    "a unit column": ("区分\t単位\t令和5年度\t令和6年度\n事業費\t千円\t100\t200\n", COST),
    "no unit anywhere": ("区分\t令和5年度\t令和6年度\n事業費\t100\t200\n", set()),
    "two units said": (
        "（単位：千円）\n区分\t令和5年度\t令和6年度\n事業費\t100\t200\n（単位：円）\n区分\t令和5年度\t令和6年度\n人件費\t3,500,000\t3,600,000\n",
        COST | of("人件費", y2023=3_500_000, y2024=3_600_000),
    ),
    "a footnote at a label": (TWO + "事業費※1\t100\t200\n", COST | of("事業費※1", y2023=100_000, y2024=200_000)),
    "a row without a label": (TWO + "\t100\t200\n", set()),
    "shares and ratios as rows": (
        TWO + "事業費\t100\t200\n構成比\t50\t60\n前年度比\t101\t102\n",
        COST,
    ),
    "款 and 項 as rows": (TWO + "款\t2\t2\n項\t1\t1\n事業費\t100\t200\n", COST),
    "a total under years down the side": (
        "年度\t事業費（千円）\n令和5年度\t100\n令和6年度\t200\n合計\t300\n",
        COST,
    ),
    "a budget below the last year of a header": (
        "\t令和5年度\t令和6年度\n当初予算\t100千円\t200千円\n決算\t90千円\t180千円\n",
        of("当初予算", y2023=100_000, y2024=200_000) | of("決算", y2023=90_000, y2024=180_000),
    ),
    "the cost of a whole project": ("全体事業費\t5,000千円\n", {("全体事業費", None, 5_000_000)}),
    "a figure cut by a blank": (TWO + "事業費\t12, 345\t1 234\n", of("事業費", y2023=12_345_000)),
}  # fmt: skip


@pytest.mark.parametrize("name", TRUE)
def test_only_true_facts_come_out_of(name: str) -> None:
    text, truth = TRUE[name]
    assert facts(text) <= truth


def test_what_is_certain_is_not_lost_to_caution() -> None:
    """Leaving everything out would pass every test above."""
    certain = ["years over merged columns", "a blank among the figures", "dates in cells", "units in the cells"]
    for name in certain:
        text, truth = TRUE[name]
        assert facts(text) == truth, name
    wanted = sum(len(truth) for _, truth in TRUE.values())
    read = sum(len(facts(text)) for text, _ in TRUE.values())
    assert read >= 0.6 * wanted
