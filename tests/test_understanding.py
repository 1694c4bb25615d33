"""More than a hundred ways of asking, read against the bundled sheets' own catalogue."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

import pytest

from assistant.catalogue import Catalogue
from assistant.question import Query, understand
from corpus.documents import Sheet
from corpus.readers import read_document
from corpus.reading import read_sheets
from tests.fakes import FakeIndex

FILES = Path(__file__).parent.parent / "corpus" / "samples" / "files"


class SampleIndex(FakeIndex):
    """The bundled sheets' names, towns, departments and years; understanding asks an index for nothing else."""

    def sheets(self) -> list[Sheet]:
        return [
            reading.sheet
            for path in sorted(FILES.iterdir())
            if path.suffix != ".md"
            for reading in read_sheets(read_document(path))
        ]


@cache
def catalogue() -> Catalogue:
    return Catalogue(SampleIndex())


def ask(question: str) -> Query:
    return understand(question, [], catalogue())


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("公務支援システムの更改はいつ", "校務支援システム"),
        ("校務支援の更改はいつ", "校務支援システム"),
        ("住民記憶システムのサーバの期限", "住民記録システム"),
        ("住民記録シテスムのサーバの期限", "住民記録システム"),
        ("財務会計システムの担当課", "財務会計システム"),
        ("財務解系システムの担当課", "財務会計システム"),
        ("文書官吏システムの保守", "文書管理システム"),
        ("仮想基盤システムの更改", "仮想化基盤システム"),
        ("仮想化基板システムの更改", "仮想化基盤システム"),
        ("戸籍総合の更新時期", "戸籍総合システム"),
        ("国民健康保健システムの評価", "国民健康保険システム"),
        ("かいごほけんシステムの評価", "介護保険システム"),
        ("防災情報の共有システムの評価", "防災情報共有システム"),
        ("防災情報共友システムの評価", "防災情報共有システム"),
        ("図書館情報ｼｽﾃﾑの評価", "図書館情報システム"),
        ("デマンドこうつう運行事業の利用者", "デマンド交通運行事業"),
        ("デマンド交通運航事業の利用者", "デマンド交通運行事業"),
        ("空家バンク運営事業の成約件数", "空き家バンク運営事業"),
        ("空き家バンクの成約件数", "空き家バンク運営事業"),
        ("放課後自動クラブ運営事業の人件費", "放課後児童クラブ運営事業"),
        ("放課後児童クラブの人件費", "放課後児童クラブ運営事業"),
        ("移動図書間運営事業の決算", "移動図書館運営事業"),
        ("有害鳥獣の対策事業の捕獲頭数", "有害鳥獣対策事業"),
        ("ふるさと農税推進事業の寄附額", "ふるさと納税推進事業"),
        ("観光プロモーションの実績", "観光プロモーション事業"),
        ("観光プロモーシヨン事業の実績", "観光プロモーション事業"),
        ("胃ガン検診事業の受診率", "胃がん検診事業"),
        ("胃癌検診事業の受診率", "胃がん検診事業"),
        ("庁内パソコンの更新事業の台数", "庁内パソコン更新事業"),
        ("AIOCR・RPAの効果", "AI-OCR・RPA"),
        ("ａｉ－ｏｃｒ・ｒｐａの効果", "AI-OCR・RPA"),
        ("ゼロカーボン推進事業の前の名前", "ゼロカーボン推進事業（旧エコライフ推進事業）"),
    ],
)
def test_a_name_is_known_in_part_and_mistyped(question: str, name: str):
    assert ask(question).named, "no name found"
    assert ask(question).named[0].sheet.name == name


@pytest.mark.parametrize(
    "question",
    [
        "観光プロモーションビデオの再生数",
        "システムの評価",
        "事業の一覧",
        "保守の期限はいつ",
        "推進事業の課題",
        "公園の遊具の点検",
    ],
)
def test_words_that_many_names_share_name_nothing(question: str):
    assert not ask(question).named


def fiscal(first: int, last: int | None = None) -> tuple[date, date]:
    return date(first, 4, 1), date((last or first) + 1, 4, 1)


# The latest sheets of the samples report on 令和6年度 (2024): people ask in 令和7年度.
@pytest.mark.parametrize(
    ("question", "days"),
    [
        ("令和5年度の決算", fiscal(2023)),
        ("R5の決算", fiscal(2023)),
        ("Ｒ５の決算", fiscal(2023)),
        ("令5の決算", fiscal(2023)),
        ("令和5の決算", fiscal(2023)),
        ("平30の決算", fiscal(2018)),
        ("H30の決算", fiscal(2018)),
        ("2023年度の決算", fiscal(2023)),
        ("2023の決算", fiscal(2023)),
        ("FY2023の決算", fiscal(2023)),
        ("去年度の決算", fiscal(2024)),
        ("昨年度の決算", fiscal(2024)),
        ("前年度の決算", fiscal(2024)),
        ("今年度の予算", fiscal(2025)),
        ("来年度の予算", fiscal(2026)),
        ("一昨年度の決算", fiscal(2023)),
        ("前々年度の決算", fiscal(2023)),
        ("おととしの決算", (date(2023, 1, 1), date(2024, 1, 1))),
        ("再来年度の予定", fiscal(2027)),
        ("翌々年度の予定", fiscal(2027)),
        ("3年前の年度の決算", fiscal(2022)),
        ("3年前の決算", (date(2022, 1, 1), date(2023, 1, 1))),
        ("二年後の予定", (date(2027, 1, 1), date(2028, 1, 1))),
        ("直近の決算額", fiscal(2024)),
        ("直近年度の決算額", fiscal(2024)),
        ("最新年度の決算額", fiscal(2024)),
        ("最新の実績値", fiscal(2024)),
        ("直近3年の決算額", fiscal(2022, 2024)),
        ("過去5年間の決算額", fiscal(2020, 2024)),
        ("ここ二年の決算額", fiscal(2023, 2024)),
        ("住民記録システムの直近の評価", fiscal(2023)),
        ("令和3年度から令和5年度の決算", fiscal(2021, 2023)),
        ("R3〜R5の決算", fiscal(2021, 2023)),
        ("令和3年度から5年度までの決算", fiscal(2021, 2023)),
        ("2021年度～2023年度の決算", fiscal(2021, 2023)),
    ],
)
def test_years_are_read_as_they_are_said(question: str, days: tuple[date, date]):
    (asked,) = ask(question).periods
    assert (asked.period.start, asked.period.end) == days
    assert not asked.open


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("令和7年度以降に更改するシステム", date(2025, 4, 1)),
        ("R7以降に更改するシステム", date(2025, 4, 1)),
        ("2026年以降に契約が切れるもの", date(2026, 1, 1)),
        ("令和5年度より後に始まった事業", date(2024, 4, 1)),
        ("令和5年度以後の計画", date(2023, 4, 1)),
        ("令和3年度からの推移", date(2021, 4, 1)),
        ("来年度以降の予定", date(2026, 4, 1)),
        ("令和8年3月以降に終わるもの", date(2026, 3, 1)),
    ],
)
def test_a_stretch_may_have_no_end(question: str, first: date):
    (asked,) = ask(question).periods
    assert (asked.open, asked.period.start, asked.year) == ("after", first, None)


@pytest.mark.parametrize(
    ("question", "last"),
    [
        ("令和7年度までに更改するシステム", date(2026, 4, 1)),
        ("R7までに更改するシステム", date(2026, 4, 1)),
        ("令和2年度以前に始まった事業", date(2021, 4, 1)),
        ("令和2年度より前に始まった事業", date(2020, 4, 1)),
        ("2026年までに契約が切れるもの", date(2027, 1, 1)),
        ("令和8年3月までに終わるもの", date(2026, 4, 1)),
    ],
)
def test_a_stretch_may_have_no_beginning(question: str, last: date):
    (asked,) = ask(question).periods
    assert (asked.open, asked.period.end, asked.year) == ("before", last, None)


@pytest.mark.parametrize(
    "question",
    ["最新の技術を入れたシステム", "3年間の取組", "5年以上続く事業", "令和の時代の計画", "最新のシステムはどれ"],
)
def test_words_about_time_that_name_no_year(question: str):
    assert ask(question).periods == ()


def limits(question: str) -> list[tuple[str, float, str]]:
    return [(c.op, c.value, c.unit) for c in ask(question).conditions]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("決算額が1億円以上の事業", [(">=", 100_000_000, "円")]),
        ("決算額が１億以上の事業", [(">=", 100_000_000, "円")]),
        ("決算額が一億円以上の事業", [(">=", 100_000_000, "円")]),
        ("予算500万円未満の事業", [("<", 5_000_000, "円")]),
        ("予算が五百万円に満たない事業", [("<", 5_000_000, "円")]),
        ("予算が一千万円を超える事業", [(">", 10_000_000, "円")]),
        ("予算3000万超えの事業", [(">", 30_000_000, "円")]),
        ("1億5千万円以上の事業", [(">=", 150_000_000, "円")]),
        ("1億5,000万円以下の事業", [("<=", 150_000_000, "円")]),
        ("1,500千円以下の事業", [("<=", 1_500_000, "円")]),
        ("2.5億円超の事業", [(">", 250_000_000, "円")]),
        ("予算500万円以上1000万円未満の事業", [(">=", 5_000_000, "円"), ("<", 10_000_000, "円")]),
        ("事業費1億〜3億の事業", [(">=", 100_000_000, "円"), ("<=", 300_000_000, "円")]),
        ("事業費が500万円から1000万円の事業", [(">=", 5_000_000, "円"), ("<=", 10_000_000, "円")]),
        ("事業費が500万から1000万までの事業", [(">=", 5_000_000, "円"), ("<=", 10_000_000, "円")]),
        ("執行率90~100%の事業", [(">=", 90, "%"), ("<=", 100, "%")]),
        ("達成率が80％を下回った事業", [("<", 80, "%")]),
        ("達成率が8割を切った事業", [("<", 80, "%")]),
        ("達成率が50%割れの事業", [("<", 50, "%")]),
        ("達成率が100パーセントに届かない事業", [("<", 100, "%")]),
        ("達成率が100%に達した事業", [(">=", 100, "%")]),
        ("利用者が1万人を越えた事業", [(">", 10_000, "人")]),
        ("職員が3人以内の事業", [("<=", 3, "人")]),
        ("職員2名以上の事業", [(">=", 2, "名")]),
        ("参加者が500人より多い事業", [(">", 500, "人")]),
        ("件数が1,000件より少ない事業", [("<", 1_000, "件")]),
        ("決算が5百万円を割った事業", [("<", 5_000_000, "円")]),
        ("人件費が1000万円までの事業", [("<=", 10_000_000, "円")]),
        ("予算が1千万円をオーバーした事業", [(">", 10_000_000, "円")]),
        ("予算≧1000万円の事業", [(">=", 10_000_000, "円")]),
        ("令和4年度から令和6年度の決算", []),
        ("令和4〜6年度の決算", []),
        ("4月から6月までの利用者数", []),
        ("5年以上続く事業", []),
        ("2021-2023の計画", []),
        ("目標の3倍を超えた事業", []),
    ],
)
def test_limits_are_read_in_the_ways_people_write_them(question: str, expected: list[tuple[str, float, str]]):
    assert limits(question) == expected


@pytest.mark.parametrize(
    ("question", "limit", "order"),
    [
        ("決算額が大きい順に5件", 5, "desc"),
        ("決算額トップ3", 3, "desc"),
        ("決算額の上位10件", 10, "desc"),
        ("決算額ベスト５", 5, "desc"),
        ("決算額の高い方から三つ", 3, "desc"),
        ("執行率ワースト3", 3, "asc"),
        ("執行率が低い順に4つ挙げて", 4, "asc"),
        ("決算額の下位5事業", 5, "asc"),
        ("決算額が一番大きい事業", 1, "desc"),
        ("決算額が最も少ない事業", 1, "asc"),
        ("人件費が安い方から2つ", 2, "asc"),
        ("事業費が多いシステムを5つ教えて", 5, "desc"),
        ("評価Bの事業を5つ教えて", None, ""),
        ("決算額の推移", None, ""),
    ],
)
def test_a_rank_has_its_order_and_how_many(question: str, limit: int | None, order: str):
    query = ask(question)
    assert (query.limit, query.order) == (limit, order)


@pytest.mark.parametrize(
    ("question", "grade"),
    [
        ("B評価のシステム", "B"),
        ("評価Bのシステム", "B"),
        ("総合評価がＢだった事業", "B"),
        ("Ｄがついた事業", "D"),
        ("C判定の事業", "C"),
        ("AI-OCRの評価", ""),
        ("評価の高い事業", ""),
    ],
)
def test_a_grade_is_read(question: str, grade: str):
    assert ask(question).grade == grade
