"""Sheets: where they begin and end, what they are called, whose and of which year they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.documents import Document, Sheet
from corpus.municipality import municipality_of
from corpus.readers import read_document
from corpus.sheets import find_sheets

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
FILES = sorted(CORPUS.glob("*.txt"))
needs_corpus = pytest.mark.skipif(
    len(FILES) < 5, reason="the real corpus stands in ../shared/corpus, not in this checkout"
)


def text_document(text: str, file: str = "a.txt") -> Document:
    return Document(file, text, "0" * 64, "text")


FORM = """## 令和7年度 事務事業評価シート(令和6年度実績)

総務部

情報課

情報係

事務事業名\t{name}
目的\t市民サービスの向上を図る。
総合評価\tA
"""


def test_each_title_begins_a_sheet_and_the_year_is_the_one_reported_on() -> None:
    document = text_document(FORM.format(name="庁内LAN管理") + "\n" + FORM.format(name="窓口改善"))
    sheets = find_sheets(document)
    assert [s.name for s in sheets] == ["庁内LAN管理", "窓口改善"]
    # 令和6年度 began in 2024; 令和7年度 is when the sheet was written.
    assert {s.fiscal_year for s in sheets} == {2024}
    assert {s.department for s in sheets} == {"総務部 情報課"}
    for sheet in sheets:
        text = document.text[sheet.spans[0].start : sheet.spans[0].end]
        assert text.startswith("## 令和7年度") and text.endswith("総合評価\tA")


def test_two_sheets_of_one_name_stay_two_with_stable_identifiers() -> None:
    document = text_document(FORM.format(name="財務会計") + "\n" + FORM.format(name="財務会計"))
    first, second = find_sheets(document)
    assert first.sheet_id != second.sheet_id
    assert [s.sheet_id for s in find_sheets(document)] == [first.sheet_id, second.sheet_id]
    assert first.sheet_id.isascii() and first.sheet_id.isalnum()


def test_a_second_page_that_repeats_the_name_belongs_to_the_first() -> None:
    pages = (
        "No1\n事業名\t道路維持\n目的\t道路を保つ。\n対象\t市民\n内容\t舗装する。\n\f"
        "No2\n事業名\t道路維持\n課題\t老朽化\n所見\t継続\n総合評価\tB\n"
    )
    sheets = find_sheets(text_document(pages))
    assert [s.name for s in sheets] == ["道路維持"]
    assert len(sheets[0].spans) == 2


def test_codes_before_a_name_are_left_out() -> None:
    rows = "部等名\t課等名\t係等名\n政策部\t情報課\t企画係\n\n事務事業名\t01\t情報化推進事業\t指標名\t利用件数\n"
    sheet = find_sheets(text_document("事務事業評価シート【対象年度：H29年度～H30年度】\n\n" + rows))[0]
    assert (sheet.name, sheet.department, sheet.fiscal_year) == ("情報化推進事業", "政策部 情報課", 2017)


def test_a_text_without_any_form_is_one_document_part() -> None:
    sheets = find_sheets(
        text_document("みなと野市情報化計画の進め方について、次のとおり定める。推進本部を置き、毎年度見直す。")
    )
    assert [(s.kind, s.municipality) for s in sheets] == [("document", "みなと野市")]


def test_an_empty_text_has_no_sheet() -> None:
    assert find_sheets(text_document(" \n\n")) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("みなと野市情報化計画に基づく。隣の川下市とは別。", "みなと野市"),
        ("東町DX推進計画を改定する。（東町、西町以外は対象外）", "東町"),
        ("市民、区民、町村、地区、都市計画、指定都市", ""),
        ("計画区分 任意\n学区 第一", ""),
    ],
)
def test_municipality_is_the_one_with_own_plans(text: str, name: str) -> None:
    assert municipality_of(text) == name


def test_municipality_of_the_folder_counts_when_the_text_is_silent() -> None:
    assert municipality_of("予算額 100", "みなと野市/r5/sheet.txt") == "みなと野市"


# ---- the real corpus ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def corpus() -> dict[str, list[Sheet]]:
    if len(FILES) < 5:
        pytest.skip("the real corpus stands in ../shared/corpus")
    return {path.name[:3]: find_sheets(read_document(path)) for path in FILES}


def programmes(sheets: list[Sheet]) -> list[Sheet]:
    return [s for s in sheets if s.kind == "programme"]


@needs_corpus
def test_corpus_has_82_programme_sheets(corpus: dict[str, list[Sheet]]) -> None:
    assert [len(programmes(corpus[k])) for k in sorted(corpus)] == [1, 6, 58, 5, 12]
    ids = [s.sheet_id for sheets in corpus.values() for s in sheets]
    assert len(ids) == len(set(ids))


@needs_corpus
@pytest.mark.parametrize(
    ("file", "municipality", "year"),
    [
        ("000", "豊島区", 2023),
        ("001", "荒川区", 2018),
        ("002", "所沢市", 2021),
        ("003", "つくば市", 2017),
        ("004", "下妻市", 2024),
    ],
)
def test_corpus_municipality_and_year(corpus: dict[str, list[Sheet]], file: str, municipality: str, year: int) -> None:
    assert {(s.municipality, s.fiscal_year) for s in corpus[file]} == {(municipality, year)}


@needs_corpus
def test_corpus_names_and_departments(corpus: dict[str, list[Sheet]]) -> None:
    assert [(s.name, s.department) for s in corpus["000"]] == [("ICT推進事業経費", "政策経営部 情報管理課")]
    assert [s.name for s in corpus["001"]] == [
        "業務系システム運用管理", "情報系システム運用管理", "システム設置設備管理", "ネットワーク管理", "ＯＡ機器管理", "電子自治体推進",
    ]  # fmt: skip
    assert {s.department for s in corpus["001"]} == {"管理部情報システム課"}
    assert [s.name for s in corpus["003"]] == [
        "情報化推進事業", "情報通信ネットワーク運營業務", "庁内情報化事業(イントラとパソコンの整備)", "基幹電算業務運営事業", "社会保障・税番号制度の対応",
    ]  # fmt: skip
    assert {s.department for s in corpus["003"]} == {"政策イノベーション部 情報政策課"}
    assert {s.department for s in corpus["004"]} == {"市長公室 DX推進課"}
    by_department = {(s.name, s.department) for s in programmes(corpus["002"])}
    assert ("財務会計システム", "財政課") in by_department
    assert ("財務会計システム", "市民医療センター事務部総務課") in by_department
    assert ("地理空間情報システム（公開型 GIS）", "デジタル戦略課") in by_department
    assert ("電子黒板整備（液晶ディスプレイ整備事業へ変更）", "教育センター") in by_department
    assert all(s.name and s.department and "\n" not in s.name + s.department for s in programmes(corpus["002"]))


@needs_corpus
def test_corpus_parts_that_are_no_programme(corpus: dict[str, list[Sheet]]) -> None:
    parts = [s.name for s in corpus["002"] if s.kind == "document"]
    assert parts[0] == "はじめに" and parts[-2:] == ["参考資料", "用語集"]
    assert "第３章 アクションプラン 2019-2021進捗状況評価結果" in parts
    assert "第４章 アクションプラン 2019-2021進捗状況評価結果（個別システム）" in parts
    assert len(parts) == 7


@needs_corpus
def test_corpus_running_heads_end_no_sheet(corpus: dict[str, list[Sheet]]) -> None:
    text = read_document(next(p for p in FILES if p.name.startswith("002"))).text
    for sheet in programmes(corpus["002"]):
        assert text[sheet.spans[-1].start : sheet.spans[-1].end].rstrip()[-1] in "。", sheet.name


def test_a_sheet_whose_name_cannot_be_read_keeps_its_figures_to_itself() -> None:
    page = "令和5年度 事務事業評価シート\n事業名\t{name}\n所管課\t{section}\n決算額（千円）\t{spent}\n\f"
    pages = [("道路照明事業", "道路課", 100), ("", "公園課", 200), ("広場管理事業", "公園課", 300)]
    text = "".join(page.format(name=n, section=s, spent=v) for n, s, v in pages)
    sheets = [s for s in find_sheets(text_document(text)) if s.kind == "programme"]
    assert [s.name for s in sheets] == ["道路照明事業", "名称不明", "広場管理事業"]
    assert ["200" in text[s.spans[0].start : s.spans[0].end] for s in sheets] == [False, True, False]


def test_a_first_sheet_without_a_name_is_not_taken_for_the_second() -> None:
    page = "令和5年度 事務事業評価シート\n事業名\t{name}\n所管課\t{section}\n決算額（千円）\t{spent}\n\f"
    text = page.format(name="", section="道路課", spent=100) + page.format(
        name="広場管理事業", section="公園課", spent=300
    )
    assert [s.name for s in find_sheets(text_document(text)) if s.kind == "programme"] == ["名称不明", "広場管理事業"]


def test_a_second_page_under_the_same_title_stays_with_its_sheet() -> None:
    text = (
        "令和5年度 事務事業評価シート\n事業名\t道路照明事業\n所管課\t道路課\n\f"
        "令和5年度 事務事業評価シート\n所管課\t道路課\n課題\t灯具が古い。\n"
    )
    (sheet,) = [s for s in find_sheets(text_document(text)) if s.kind == "programme"]
    assert "灯具が古い" in text[sheet.spans[0].start : sheet.spans[-1].end]
