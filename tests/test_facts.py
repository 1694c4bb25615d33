"""Facts: typed cells with their year, unit, kind and proof."""

from __future__ import annotations

import time

import pytest
from readings import HEAD

from corpus.documents import Document, Sheet, SheetReading, Span
from corpus.facts import _by_years
from corpus.figures import numbers_in
from corpus.reading import read_sheets
from corpus.sheets import find_sheets


def reading_of(text: str) -> SheetReading:
    document = Document("a.txt", text, "0" * 64, "text")
    (reading,) = read_sheets(document)
    for item in (*reading.facts, *reading.events):
        assert item.quote.start <= item.span.start <= item.span.end <= item.quote.end
    for fact in reading.facts:
        # A figure's text is its cell as printed.
        if fact.value is not None:
            assert document.text[fact.span.start : fact.span.end] == fact.text
    return reading


def figures(reading: SheetReading) -> set[tuple[str, str, int, str | None, float, str]]:
    return {
        (f.field, f.label, f.period.fiscal_year, f.kind, f.value, f.unit)
        for f in reading.facts
        if f.value is not None and f.period is not None
    }


def told(reading: SheetReading) -> dict[str, str]:
    return {f.label: f.text for f in reading.facts if f.value is None}


def test_amounts_in_thousands_become_yen() -> None:
    reading = reading_of(
        HEAD
        + "事業費(千円)\tR5決算額\tR6決算額\tR7予算額\n総事業費\t3,337\t2,504\t7,773\n従事常勤職員数\t0.40\t0.30\t-\n"
    )
    assert figures(reading) == {
        ("総事業費", "総事業費", 2023, "actual", 3_337_000, "円"),
        ("総事業費", "総事業費", 2024, "actual", 2_504_000, "円"),
        ("総事業費", "総事業費", 2025, "plan", 7_773_000, "円"),
        ("職員数", "従事常勤職員数", 2023, "actual", 0.4, "人"),
        ("職員数", "従事常勤職員数", 2024, "actual", 0.3, "人"),  # the dash gives no fact
    }


def test_budget_and_settlement_under_each_year() -> None:
    text = (
        HEAD
        + "（単位：千円）\t令和5年度\t\t\t令和6年度\t\n\t予算\t決算\t執行率\t予算\t決算\n事業費\t200\t150\t75.0%\t300\t240\n"
    )
    assert figures(reading_of(text)) == {
        ("事業費", "事業費", 2023, "plan", 200_000, "円"),
        ("事業費", "事業費", 2023, "actual", 150_000, "円"),
        ("執行率", "事業費", 2023, "actual", 75.0, "%"),
        ("事業費", "事業費", 2024, "plan", 300_000, "円"),
        ("事業費", "事業費", 2024, "actual", 240_000, "円"),
    }


def test_rows_without_a_kind_follow_the_settlement_row() -> None:
    rows = "区分（単位：千円）\t令和5年度\t令和6年度\t令和7年度\n予算額\t10\t20\t30\n決算額\t9\t18\t－\n一般財源\t4\t5\t6\n"
    got = {(y, k, v) for f, _, y, k, v, _ in figures(reading_of(HEAD + rows)) if f == "一般財源"}
    assert got == {(2023, "actual", 4000), (2024, "actual", 5000), (2025, "plan", 6000)}


def test_indicators_have_name_unit_goal_and_result() -> None:
    text = HEAD + (
        "成果指標\t指標名\t説明\t\t年度\t令和5年度\t令和6年度\t令和7年度\t単位\n"
        "\t利用者数\t延べ人数\t\t目標\t6,000\t10,000\t30,000\t人\n\t\t\t\t実績\t6,636\t27,753\t／\t\n"
    )
    assert figures(reading_of(text)) == {
        ("成果指標", "利用者数", 2023, "plan", 6000, "人"),
        ("成果指標", "利用者数", 2024, "plan", 10000, "人"),
        ("成果指標", "利用者数", 2025, "plan", 30000, "人"),
        ("成果指標", "利用者数", 2023, "actual", 6636, "人"),
        ("成果指標", "利用者数", 2024, "actual", 27753, "人"),
    }


def test_a_result_of_a_year_to_come_is_not_believed() -> None:
    text = HEAD + "活動指標\t指標名\t年度\t令和6年度\t令和7年度\t単位\n\t広報回数\t目標\t3\t3\t回\n\t\t実績\t2\t2\t\n"
    reading = reading_of(text)
    assert ("活動指標", "広報回数", 2025, "actual", 2, "回") not in figures(reading)
    assert any("令和7年度の実績欄" in w for w in reading.warnings)


def test_figures_shifted_to_the_right_are_laid_in_order_and_marked() -> None:
    # The label moved one column to the left, so 3回 would stand under 令和4年度 by column and beyond the sheet's year.
    text = HEAD + "指標名\t故障回数\n\t\t目標値\tR4年度\tR5年度\tR6年度\tR7年度\n実績\t\t3回\t2回\t1回\t-\n"
    facts = [f for f in reading_of(text).facts if f.value is not None]
    assert [(f.period.fiscal_year if f.period else 0, f.value) for f in facts] == [(2022, 3), (2023, 2), (2024, 1)]
    assert all(f.inferred for f in facts)


def test_a_misprinted_year_in_a_header_is_read_by_its_place() -> None:
    text = "システム評価シート 令和3年度\nシステム名\t住民記録\n\tR1年度予算\tR1年度予算\tR3年度予算\n予算額（円）\t10\t20\t30\n"
    facts = [f for f in reading_of(text).facts if f.field == "予算額"]
    assert [(f.period.fiscal_year if f.period else 0, f.value, f.inferred) for f in facts] == [
        (2019, 10, True),
        (2020, 20, True),
        (2021, 30, True),
    ]


def test_one_figure_beside_its_label() -> None:
    got = figures(reading_of(HEAD + "令和6年度当初予算額\t142,000千円\n"))
    assert ("予算額", "令和6年度当初予算額", 2024, "plan", 142_000_000, "円") in got


def test_ratings_and_choices() -> None:
    text = (
        HEAD
        + "個別評価\t必要性\t今後の必要性\t見込まれる\t国が進めている\n総合評価\t手段の妥当性\t\t見直しの余地あり\t\n種別\t自治事務\t主体\t直営\n妥当性\tA\t有効性\tＢ\n"
    )
    got = told(reading_of(text))
    assert got["今後の必要性"] == "見込まれる"
    assert got["手段の妥当性"] == "見直しの余地あり"
    assert (got["種別"], got["主体"], got["妥当性"], got["有効性"]) == ("自治事務", "直営", "A", "B")


def test_how_it_is_done_and_its_legal_basis_are_facts_where_printed() -> None:
    got = told(
        reading_of(HEAD + "実施方法\t一部委託\n根拠法令\t地方自治法、みなと野市窓口条例\n目的\t窓口を早くする。\n")
    )
    assert (got["実施方法"], got["根拠法令"]) == ("一部委託", "地方自治法、みなと野市窓口条例")
    for nothing in ("-", "なし", "／", ""):
        assert "根拠法令" not in told(
            reading_of(HEAD + f"実施方法\t直営\n根拠法令\t{nothing}\n目的\t窓口を早くする。\n")
        )


@pytest.mark.parametrize("gap", ["\t", " "])
def test_of_several_boxes_the_ticked_one_is_the_answer(gap: str) -> None:
    got = told(reading_of(HEAD + f"実施方法\t□直営{gap}■委託{gap}□補助\n総合評価\t☐A{gap}☑B{gap}☐C\n"))
    assert (got["実施方法"], got["総合評価"]) == ("委託", "B")


@pytest.mark.parametrize("printed", ["□直営 □委託", "■直営 ■委託", "A：良い B：普通 C：悪い", "□A　□B"])
def test_boxes_and_legends_that_say_nothing_give_no_answer(printed: str) -> None:
    got = told(reading_of(HEAD + f"実施方法\t{printed}\n総合評価\t{printed}\n"))
    assert "実施方法" not in got and "総合評価" not in got


def test_an_empty_cell_gives_no_rating() -> None:
    assert told(reading_of(HEAD + "総合評価\t-\n有効性\t／\n")) == {}


def test_figures_printed_without_a_gap() -> None:
    assert [n[0] for n in numbers_in("18,102,55717,197,429")] == [18_102_557, 17_197_429]
    assert [n[0] for n in numbers_in("▲ 2,938 0 -5.0")] == [-2938, 0, -5.0]


@pytest.mark.parametrize(
    "piece", ["*", "■", "（1）", "　", "|", "令和5年度", "事務事業名 ", "目的：", "12,345 ", "評価シート", "▲ "]
)
def test_long_odd_lines_are_read_in_time(piece: str) -> None:
    document = Document("a.txt", "事業名 A\n" + piece * 2000 + "\n", "0" * 64, "text")
    begun = time.process_time()
    read_sheets(document)
    assert time.process_time() - begun < 5


def test_reading_never_raises_on_odd_texts() -> None:
    for text in (
        "",
        "\t\t\t\n\t",
        "事業名\t\n",
        "事業名\tA\n\tR1年度\tR2年度\n\t\t\n",
        "No1\nNo2\n",
        "用語集\n◆\n",
        "1\t2\t3\n4\t5\t6",
    ):
        document = Document("a.txt", text, "0" * 64, "text")
        assert len(read_sheets(document)) == len(find_sheets(document))


BLANKS = """令和５年度　事務事業評価表（令和４年度事業）

事務事業名　　道路維持管理事業　　　　　　所管課　　建設部道路課
記入者　　　　山田太郎　　　　　　　　　　内線　　　2345

２．事業費の推移　　　　　　　　　　　　　　　　（単位：千円）
　　区分　　　　　　　令和３年度　　令和４年度　　令和５年度
　　　　　　　　　　　　決算　　　　　決算　　　　　予算
　　事業費　　　　　　　48,900　　　　51,234　　　　55,000
　　うち一般財源　　　　41,000　　　　43,210　　　　47,000

３．指標
　　指標名　　　　　　　単位　　　　　令和３年度　　令和４年度
　　補修箇所数　　　　　箇所　目標　　120　　　　　130
　　　　　　　　　　　　　　　実績　　131　　　　　129
４．評価
　　必要性　　Ａ　　有効性　　Ｂ
"""


def test_a_form_set_with_blanks() -> None:
    reading = reading_of(BLANKS)
    assert (reading.sheet.name, reading.sheet.department, reading.sheet.fiscal_year) == (
        "道路維持管理事業",
        "建設部道路課",
        2022,
    )
    assert figures(reading) == {
        ("事業費", "事業費", 2021, "actual", 48_900_000, "円"),
        ("事業費", "事業費", 2022, "actual", 51_234_000, "円"),
        ("事業費", "事業費", 2023, "plan", 55_000_000, "円"),
        ("一般財源", "うち一般財源", 2021, "actual", 41_000_000, "円"),
        ("一般財源", "うち一般財源", 2022, "actual", 43_210_000, "円"),
        ("一般財源", "うち一般財源", 2023, "plan", 47_000_000, "円"),
        ("指標", "補修箇所数", 2021, "plan", 120, "箇所"),
        ("指標", "補修箇所数", 2022, "plan", 130, "箇所"),
        ("指標", "補修箇所数", 2021, "actual", 131, "箇所"),
        ("指標", "補修箇所数", 2022, "actual", 129, "箇所"),
    }
    assert [s.text for s in reading.sections if s.field == "担当者"] == ["山田太郎", "2345"]
    assert (told(reading)["必要性"], told(reading)["有効性"]) == ("A", "B")


def test_a_form_in_markdown() -> None:
    text = (
        "# みどり市 事務事業評価シート（令和6年度実施・令和5年度決算）\n\n| 事務事業名 | 図書館運営事業 |\n|---|---|\n| 担当課 | 教育部 図書館 |\n\n"
        "| 項目 | R4決算 | R5決算 | R6予算 |\n|---|---:|---:|---:|\n| 事業費（千円） | 12,300 | 13,400 | 14,000 |\n\n- 総合評価：A（継続）\n\n"
        "## 課題\n電子図書館の導入が遅れている。\n"
    )
    reading = reading_of(text)
    sheet = reading.sheet
    assert (sheet.name, sheet.municipality, sheet.department, sheet.fiscal_year) == (
        "図書館運営事業",
        "みどり市",
        "教育部 図書館",
        2023,
    )
    assert figures(reading) == {
        ("事業費", "事業費", 2022, "actual", 12_300_000, "円"),
        ("事業費", "事業費", 2023, "actual", 13_400_000, "円"),
        ("事業費", "事業費", 2024, "plan", 14_000_000, "円"),
    }
    assert ("課題", "電子図書館の導入が遅れている。") in {(s.field, s.text) for s in reading.sections}


def test_labels_and_values_on_lines_of_their_own() -> None:
    text = "事務事業評価票\n事業名\nごみ減量事業\n担当部署\n環境部 ごみ減量課\n令和4年度決算額\n5,120千円\n評価結果\nB\n課題\n参加団体が減っている。\n"
    reading = reading_of(text)
    assert (reading.sheet.name, reading.sheet.department) == ("ごみ減量事業", "環境部 ごみ減量課")
    assert figures(reading) == {("決算額", "令和4年度決算額", 2022, "actual", 5_120_000, "円")}
    assert told(reading)["評価結果"] == "B"


def test_a_list_of_programmes_has_a_section_and_facts_per_row() -> None:
    text = (
        "かわら市 令和5年度 事務事業評価結果一覧\nNo.\t事務事業名\t担当課\tR4決算額（千円）\tR5決算額（千円）\t総合評価\n"
        "1\t道路照明事業\t道路課\t10,000\t12,345\tＡ\n2\t街路樹管理事業\t公園課\t2,100\t-\tＢ\n"
    )
    reading = reading_of(text)
    assert reading.sheet.kind == "document"
    assert {s.label for s in reading.sections} >= {"道路照明事業", "街路樹管理事業"}
    assert figures(reading) == {
        ("決算額", "道路照明事業", 2022, "actual", 10_000_000, "円"),
        ("決算額", "道路照明事業", 2023, "actual", 12_345_000, "円"),
        ("決算額", "街路樹管理事業", 2022, "actual", 2_100_000, "円"),
    }
    assert [(f.label, f.text) for f in reading.facts if f.field == "総合評価"] == [
        ("道路照明事業", "Ａ"),
        ("街路樹管理事業", "Ｂ"),
    ]


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("R1年度 285人\n  R2年度 254人\nR3年度 344人", [(2019, 285.0), (2020, 254.0), (2021, 344.0)]),
        ("令和元年度：1,652件、令和２年度：1,824件", [(2019, 1652.0), (2020, 1824.0)]),
        ("R3年度 344人", []),  # one figure is the cell's own
        ("R1年度 285人 R2年度は未実施", []),  # more than years and figures
    ],
)
def test_a_cell_of_years_with_their_figures_gives_one_fact_a_year(cell: str, found: list[tuple[int, float]]) -> None:
    text = f"実績\n{cell}\n"
    sheet = Sheet("a", "a.txt", "programme", "研修", "桜坂町", 2021, "総務課", (Span(0, len(text)),))
    span = Span(3, 3 + len(cell))
    facts = _by_years(Document("a.txt", text, "0" * 64, "text"), "指標", "研修受講者", "actual", span, sheet)
    assert [(f.period and f.period.fiscal_year, f.value) for f in facts] == found
    assert all(text[f.quote.start : f.quote.end].startswith(("R", "令和")) for f in facts)
