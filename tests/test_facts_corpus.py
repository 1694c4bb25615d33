"""Facts of the real corpus: amounts, marks and indicators of its five documents."""

from __future__ import annotations

import re

from readings import corpus as corpus
from readings import needs_corpus, sheet_named

from corpus.documents import Document, Fact, SheetReading
from corpus.normalize import normalize, squeeze


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
