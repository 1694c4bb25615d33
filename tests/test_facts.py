"""Facts and events: typed cells with their year, unit, kind and proof."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from corpus.documents import Document, Event, Fact, SheetReading
from corpus.figures import numbers_in
from corpus.normalize import normalize, squeeze
from corpus.readers import read_document
from corpus.reading import read_sheets
from corpus.sheets import find_sheets

FILES = sorted((Path(__file__).resolve().parents[2] / "shared" / "corpus").glob("*.txt"))
needs_corpus = pytest.mark.skipif(
    len(FILES) < 5, reason="the real corpus stands in ../shared/corpus, not in this checkout"
)
HEAD = "令和7年度 事務事業評価シート(令和6年度実績)\n事務事業名\t窓口改善\n"


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


# ---- events -------------------------------------------------------------------------------------------------------


def dated(text: str) -> list[tuple[str, str, str]]:
    document = Document("a.txt", text, "0" * 64, "text")
    (reading,) = read_sheets(document)
    return [
        (e.period.label, e.period.start.isoformat(), document.text[e.quote.start : e.quote.end]) for e in reading.events
    ]


def test_an_event_quotes_its_sentence() -> None:
    assert dated(HEAD + "今後の計画\t更改は令和７年１月を予定している。次年度に仕様を固める。\n") == [
        ("令和7年1月", "2025-01-01", "更改は令和７年１月を予定している。"),
        # The sheet was written in 令和7年度, so the next one is 令和8年度.
        ("次年度", "2026-04-01", "次年度に仕様を固める。"),
    ]


def test_an_entry_of_a_chronicle_ends_at_the_next_date() -> None:
    assert dated(HEAD + "経過\t平成21年 2月 認証導入　　平成21年10月 研修開始　　平成23年 4月 交付開始\n") == [
        ("平成21年2月", "2009-02-01", "平成21年 2月 認証導入"),
        ("平成21年10月", "2009-10-01", "平成21年10月 研修開始"),
        ("平成23年4月", "2011-04-01", "平成23年 4月 交付開始"),
    ]


def test_a_month_without_a_year_is_left_out() -> None:
    assert dated(HEAD + "課題\t9月に研修を行う。\n") == []


# ---- the real corpus ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def corpus() -> dict[str, tuple[Document, list[SheetReading]]]:
    if len(FILES) < 5:
        pytest.skip("the real corpus stands in ../shared/corpus")
    documents = {path.name[:3]: read_document(path) for path in FILES}
    return {key: (document, read_sheets(document)) for key, document in documents.items()}


def sheet_named(corpus: dict[str, tuple[Document, list[SheetReading]]], file: str, name: str) -> SheetReading:
    return next(r for r in corpus[file][1] if r.sheet.name == name)


def value(reading: SheetReading, field: str, label: str, year: int, kind: str) -> float | None:
    hits = {
        f.value
        for f in reading.facts
        if f.field == field
        and label in f.label
        and f.period is not None
        and f.period.fiscal_year == year
        and f.kind == kind
    }
    assert len(hits) <= 1, hits
    return hits.pop() if hits else None


@needs_corpus
def test_corpus_all_amounts_of_the_58_systems(corpus: dict[str, tuple[Document, list[SheetReading]]]) -> None:
    document, readings = corpus["002"]
    systems = [r for r in readings if r.sheet.kind == "programme"]
    assert len(systems) == 58
    for reading in systems:
        span = reading.sheet.spans[0]
        text = normalize(document.text[span.start : span.end]).text
        for field, kind in (("予算額", "plan"), ("決算額", "actual")):
            # Independently: the three figures after 予算額(円) and 決算額(円) are R1, R2 and R3.
            row = re.search(field + r"\(円\)\s+([\d,]+)\s+([\d,]+)\s+([\d,]+)", text)
            assert row is not None
            want = [float(g.replace(",", "")) for g in row.groups()]
            assert [value(reading, field, field, year, kind) for year in (2019, 2020, 2021)] == want, reading.sheet.name


@needs_corpus
def test_corpus_marks_of_the_systems_agree_with_the_lists(
    corpus: dict[str, tuple[Document, list[SheetReading]]],
) -> None:
    """The marks read from the sheets and those of the two lists come from different pages and must be the same."""
    readings = corpus["002"][1]
    lists: dict[str, list[Fact]] = {}
    for reading in readings:
        if reading.sheet.kind == "document":
            for fact in reading.facts:
                lists.setdefault(squeeze(fact.label), []).append(fact)
    systems = [r for r in readings if r.sheet.kind == "programme"]
    compared = 0
    for reading in systems:
        listed = lists.get(squeeze(reading.sheet.name), [])
        for own in reading.facts:
            if own.field in ("取組状況の評価", "目標達成状況の評価") and listed:
                same = {
                    squeeze(f.text)
                    for f in listed
                    if f.field == own.field and (f.period is None or f.period.fiscal_year == 2021)
                }
                same = same if reading.sheet.name != "財務会計システム" else same | {squeeze(own.text[0])}
                assert squeeze(own.text[0]) in same, reading.sheet.name
                compared += 1
    assert compared >= 2 * 57 - 1
    r3 = [f for r in systems for f in r.facts if f.field == "取組状況の評価"]
    assert sum(f.text.startswith("Ｂ") for f in r3) == 7 and sum(f.text.startswith("Ａ") for f in r3) == 50
    c = [f.label for r in readings for f in r.facts if f.text == "Ｃ"]
    assert c == ["介護保険システム"]


@needs_corpus
def test_corpus_tables_of_the_twelve_sheets(corpus: dict[str, tuple[Document, list[SheetReading]]]) -> None:
    readings = corpus["004"][1]
    totals = [value(r, "総事業費", "総事業費", 2024, "actual") for r in readings]
    assert sum(t or 0 for t in totals) == 136_749_000 and None not in totals
    for reading in readings:
        # 総事業費 = 事業経費 + 概算人件費 in every year of every sheet.
        for year, kind in ((2023, "actual"), (2024, "actual"), (2025, "plan")):
            parts = [
                value(reading, "事業費", "事業経費", year, kind),
                value(reading, "人件費", "概算人件費", year, kind),
            ]
            assert value(reading, "総事業費", "総事業費", year, kind) == sum(p or 0 for p in parts), reading.sheet.name
    phones = sheet_named(corpus, "004", "スマートフォン購入補助事務")
    assert value(phones, "事業費", "事業経費", 2024, "actual") == 641_000
    assert [value(phones, "成果指標", "補助金交付件数", y, "actual") for y in (2023, 2024, 2025)] == [101, 33, None]
    training = sheet_named(corpus, "004", "ICT人材育成事務")
    assert value(training, "成果指標", "研修会参加人数", 2024, "plan") == 400
    assert value(training, "成果指標", "研修会参加人数", 2024, "actual") is None


@needs_corpus
def test_corpus_shifted_tables(corpus: dict[str, tuple[Document, list[SheetReading]]]) -> None:
    readings = corpus["003"][1]
    for reading in readings:
        for year, kind in ((2016, "actual"), (2017, "actual"), (2018, "plan")):
            parts = [
                value(reading, "総事業費", "総事業費", year, kind),
                value(reading, "人件費", "総人件費", year, kind),
            ]
            assert value(reading, "総コスト", "総事業コスト", year, kind) == sum(p or 0 for p in parts), (
                reading.sheet.name
            )
    network = sheet_named(corpus, "003", "情報通信ネットワーク運營業務")
    assert [value(network, "指標", "停止時間", y, "actual") for y in range(2014, 2019)] == [15, 28, 0, 90, None]
    computers = sheet_named(corpus, "003", "庁内情報化事業(イントラとパソコンの整備)")
    assert [value(computers, "指標", "端末台数", y, "actual") for y in range(2014, 2019)] == [
        1508,
        1310,
        1310,
        1381,
        None,
    ]
    assert [f.text[0] for r in readings for f in r.facts if f.field == "総合評価"] == ["A", "B", "B", "B", "B"]


@needs_corpus
def test_corpus_scattered_figures(corpus: dict[str, tuple[Document, list[SheetReading]]]) -> None:
    readings = corpus["001"][1]
    settled = [value(r, "決算額", "決算額", 2017, "actual") for r in readings]
    assert settled == [370_454_000, 89_487_000, 143_673_000, 35_664_000, 125_974_000, 13_000_000]
    for reading in readings:
        # 決算額 = 物件費 + 補助費等 to the thousand, and no year was settled above its budget.
        for year in (2016, 2017):
            parts = [value(reading, "行政コスト", name, year, "actual") or 0 for name in ("物件費", "補助費等")]
            assert abs((value(reading, "決算額", "決算額", year, "actual") or 0) - sum(parts)) <= 1000, (
                reading.sheet.name
            )
        for year in range(2012, 2018):
            budget, settlement = (value(reading, f, f, year, k) for f, k in (("予算額", "plan"), ("決算額", "actual")))
            assert settlement is not None and budget is not None and settlement <= budget, (reading.sheet.name, year)
    cloud = sheet_named(corpus, "001", "システム設置設備管理")
    shares = [value(cloud, "予算の内訳", "セキュリティクラウド", y, k) for y, k in ((2017, "actual"), (2018, "plan"))]
    assert shares == [8_127_000, 10_154_000]
    machines = sheet_named(corpus, "001", "ＯＡ機器管理")
    assert [value(machines, "実績の推移", "PC配備台数", y, k) for y, k in ((2015, "actual"), (2018, "plan"))] == [
        2024,
        2092,
    ]
    printed = [value(machines, "実績の推移", "印刷枚数", y, "actual") or 0 for y in (2014, 2015, 2016, 2017)]
    # The growth printed as an indicator (27, 28 and 29年度) follows from the counts printed elsewhere.
    grown = [round((b / a - 1) * 100, 1) for a, b in zip(printed, printed[1:], strict=False)]
    assert (
        grown
        == [value(machines, "指標", "印刷枚数前年度増加率", y, "actual") for y in (2015, 2016, 2017)]
        == [5.8, 4.8, 2.7]
    )
    applications = sheet_named(corpus, "001", "電子自治体推進")
    for year in (2015, 2016, 2017):
        assert value(applications, "指標", "電子申請年間利用件数", year, "actual") == value(
            applications, "実績の推移", "電子申請利用件数", year, "actual"
        )


@needs_corpus
def test_corpus_ward_sheet(corpus: dict[str, tuple[Document, list[SheetReading]]]) -> None:
    (ward,) = corpus["000"][1]
    assert value(ward, "執行率", "執行率", 2023, "actual") == 91.1
    assert value(ward, "事業費", "事業費", 2022, "plan") == 2_346_960_000
    renewals = [
        value(ward, "活動指標", "更改等", y, k)
        for y, k in ((2022, "actual"), (2023, "plan"), (2023, "actual"), (2024, "plan"))
    ]
    assert renewals == [17, 7, 28, 8]
    marks = {f.label: squeeze(f.text) for f in ward.facts if f.value is None}
    assert marks["総合評価(d)"] == "ランク1"
    assert sorted(marks[k] for k in marks if k.endswith(("(a)", "(b)", "(c)"))) == ["a", "a", "s"]


@needs_corpus
@pytest.mark.parametrize(
    ("file", "name", "start", "quote"),
    [
        ("001", "業務系システム運用管理", "2009-02-01", "平成21年 2月 指静脈認証システム導入"),
        ("001", "システム設置設備管理", "2009-04-01", "（静脈認証）の導入"),
        ("001", "電子自治体推進", "2007-01-01", "電子入札（工事）運用開始"),
        ("002", "統合仮想化基盤システム", "2025-01-01", "次期更改は令和７年１月を予定"),
        ("002", "例規システム", "2022-04-01", "次年度におけるシステムの更新"),
        ("002", "公共施設予約システム", "2024-11-01", "システム契約が満了"),
        ("004", "住民情報系システム運用・維持管理事業", "2025-11-10", "本稼働日を見据えて"),
        ("000", "ICT推進事業経費", "2024-06-01", "次期電話システムの製品を決定する"),
    ],
)
def test_corpus_events(
    corpus: dict[str, tuple[Document, list[SheetReading]]], file: str, name: str, start: str, quote: str
) -> None:
    document, _ = corpus[file]
    events: tuple[Event, ...] = sheet_named(corpus, file, name).events
    found = [document.text[e.quote.start : e.quote.end] for e in events if e.period.start.isoformat() == start]
    assert any(squeeze(quote) in squeeze(text) for text in found), found


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


# ---- layouts of towns we have not seen ----------------------------------------------------------------------------

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
