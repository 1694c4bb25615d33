"""Reports whose sheets are named by their 施策, with targets in cells of their own and the unit said once."""

from __future__ import annotations

import hashlib

import pytest

from corpus.documents import Document, SheetReading
from corpus.reading import read_sheets

PREFACE = "みなと野市 令和5年度 施策成果報告書\n※本書の金額は、特に断りのない限り千円単位で記載しています。\n"
ONE = """番号\t{n}\t施策名\t{name}
担当部署\t{department}\t総合判定\t{mark}\t今後の方向性\t継続
予算現額\t18,450\t執行額\t17,226\t執行率\t93.4％
前年度執行額\t2,310\t増減\t14,916\t次年度予算\t4,500
一般財源\t8,826
事業概要\t{name}を続ける。
成果指標\t満足している人の割合（％）
目標値\t65.0\t実績値\t66.3\t前年度実績値\t51.8
"""
SECOND = ONE.format(n=2, name="港の清掃", department="港湾課", mark="△")


def sheets(text: str) -> list[SheetReading]:
    document = Document("a.txt", text, hashlib.sha256(text.encode()).hexdigest(), "text", (), ())
    return [one for one in read_sheets(document) if one.sheet.kind == "programme"]


@pytest.fixture(scope="module")
def report() -> list[SheetReading]:
    return sheets(PREFACE + ONE.format(n=1, name="移住の促進", department="企画課", mark="◎") + SECOND)


def test_each_measure_is_a_sheet(report: list[SheetReading]):
    assert [(one.sheet.name, one.sheet.department) for one in report] == [
        ("移住の促進", "企画課"),
        ("港の清掃", "港湾課"),
    ]


def test_amounts_have_the_unit_of_the_whole_and_the_year_of_their_label(report: list[SheetReading]):
    for reading in report:
        told = {(f.field, f.period.fiscal_year, f.kind, f.value) for f in reading.facts if f.unit == "円" and f.period}
        assert told == {
            ("予算額", 2023, "plan", 18_450_000),
            ("決算額", 2023, "actual", 17_226_000),
            ("決算額", 2022, "actual", 2_310_000),
            ("予算額", 2024, "plan", 4_500_000),
            ("一般財源", 2023, None, 8_826_000),
        }
        assert {f.label for f in reading.facts if f.field == "決算額"} == {"執行額"}, "one row over the years"


def test_target_and_actual_belong_to_the_indicator_above_them(report: list[SheetReading]):
    for reading in report:
        told = [
            (f.label, f.kind, f.period.fiscal_year, f.value, f.unit)
            for f in reading.facts
            if f.field == "成果指標" and f.period
        ]
        name = "満足している人の割合"
        assert told == [
            (name, "plan", 2023, 65.0, "%"),
            (name, "actual", 2023, 66.3, "%"),
            (name, "actual", 2022, 51.8, "%"),
        ]


def test_without_a_unit_anywhere_there_is_no_amount():
    (reading, _) = sheets(
        PREFACE.split("\n")[0] + "\n" + ONE.format(n=1, name="移住の促進", department="企画課", mark="◎") + SECOND
    )
    assert not [f for f in reading.facts if f.unit == "円"]


def test_beside_programmes_the_label_tells_only_what_they_belong_to():
    text = "事務事業評価シート（令和5年度）\n施策名\t{}\n事務事業名\t{}\n担当課\t企画課\n事業の目的\t続ける。\n\f"
    names = [("港のまちづくり", "花火大会"), ("学びのまちづくり", "図書館"), ("安心のまちづくり", "朝市")]
    found = sheets("みなと野市\n" + "".join(text.format(*pair) for pair in names))
    assert [one.sheet.name for one in found] == [name for _, name in names]


TABLE = "事務事業評価シート（令和5年度）\nみなと野市\n事業名\t椿油の開発\n担当課\t産業課\n指標の達成状況\n{head}\n椿油の出荷本数\t本\t820\t2,640\t5,000\n"


@pytest.mark.parametrize(
    "head",
    [
        "指標名\t単位\t基準値（令和元年度）\t令和5年度実績\t目標値（令和8年度）",
        "指標名\t単位\t現状値（R1）\t令和5年度実績\t目標（R8年度）",
    ],
)
def test_a_year_may_stand_in_brackets_behind_what_is_measured(head: str):
    (reading,) = sheets(TABLE.format(head=head))
    told = [(f.kind, f.period.fiscal_year, f.value) for f in reading.facts if f.label == "椿油の出荷本数" and f.period]
    assert told == [("actual", 2019, 820), ("actual", 2023, 2640), ("plan", 2026, 5000)]


def test_of_several_ticked_ways_all_are_told_and_a_direction_is_told_from_what_follows_it():
    (reading,) = sheets(
        "事務事業評価シート（令和5年度）\nみなと野市\n事業名\t獣害対策\n担当課\t農林課\n"
        "実施方法\t☑直営\t□委託\t☑補助・助成\n今後の方向性\n改善\n改善の内容と時期\n令和6年10月から箱わなを増やす。\n"
    )
    told = {f.field: f.text for f in reading.facts if f.value is None}
    assert told["実施方法"] == "直営、補助・助成" and told["今後の方向性"] == "改善"
