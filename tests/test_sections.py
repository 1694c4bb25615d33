"""Sections: labels, canonical fields, and nothing printed on a sheet left out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from corpus.documents import Document, Section, SheetReading
from corpus.forms.loader import canonical, clean_label, fields, forms
from corpus.normalize import squeeze
from corpus.readers import read_document
from corpus.reading import read_sheets
from corpus.sections import split_sections
from corpus.sheets import find_sheets

SHARED = Path(__file__).resolve().parents[2] / "shared"
FILES = sorted((SHARED / "corpus").glob("*.txt"))
needs_corpus = pytest.mark.skipif(
    len(FILES) < 5, reason="the real corpus stands in ../shared/corpus, not in this checkout"
)


def sections_of(text: str) -> list[Section]:
    document = Document("a.txt", text, "0" * 64, "text")
    (sheet,) = find_sheets(document)
    found = split_sections(document, sheet)
    for section in found:
        assert document.text[section.span.start : section.span.end] == section.text
    return found


def as_pairs(found: list[Section]) -> list[tuple[str, str, str]]:
    return [(s.label, s.field, s.text) for s in found]


@pytest.mark.parametrize(
    ("label", "field"),
    [
        ("（３）事業概要", "内容"),
        ("業務システムの課題", "課題"),
        ("今後の取組み", "今後の方向性"),
        ("Ｒ３年度取組状況の評価", "取組状況の評価"),
        ("目標達成状況の評価（総括）", "目標達成状況の評価"),
        ("①目標に対する", None),
        ("うち一般財源", "一般財源"),
        ("人件費(B)", "人件費"),
        ("担当課長名", "担当者"),
        ("R5決算額", "決算額"),
        ("あいうえお", None),
    ],
)
def test_canonical_field_of_a_printed_label(label: str, field: str | None) -> None:
    assert canonical(label) == field


def test_labels_of_canonical_fields_lead_back_to_them() -> None:
    # A label listed under two fields would silently belong to the first only.
    seen: dict[str, str] = {}
    for field in fields().values():
        for label in field.labels:
            assert seen.setdefault(clean_label(label), field.name) == field.name, label


def test_every_form_compiles_and_names_known_strategies() -> None:
    assert {form.strategy for form in forms()} <= {"labels", "patterns", "cells"}


def test_cells_of_a_tab_table() -> None:
    found = sections_of(
        "事務事業名\t窓口改善\n目的\t待ち時間を減らす。\n種別\t自治事務(任意)\t主体\t直営\t対象・受益者\t市民\n現状の課題\t人が足りない。\n"
    )
    assert as_pairs(found) == [
        ("事務事業名", "事務事業名", "窓口改善"),
        ("目的", "目的", "待ち時間を減らす。"),
        ("種別", "種別", "自治事務(任意)"),
        ("主体", "主体", "直営"),
        ("対象・受益者", "対象・受益者", "市民"),
        ("現状の課題", "課題", "人が足りない。"),
    ]


def test_labels_with_colons_and_alone_on_a_line() -> None:
    found = sections_of(
        "事業名：窓口改善\n担当課：市民課\n■ 事業の目的\n待ち時間を減らす。\n混雑を避ける。\n【今後の方向性】\n予約制を広げる。\n"
    )
    got = {s.field: s.text for s in found}
    assert got["事務事業名"] == "窓口改善"
    assert got["担当課"] == "市民課"
    assert got["目的"] == "待ち時間を減らす。\n混雑を避ける。"
    assert got["今後の方向性"] == "予約制を広げる。"


def test_a_label_broken_over_two_lines() -> None:
    found = sections_of("システム名 住民記録\n担当課名 市民課\n業務システムの\n課題\n機器が古い。\n")
    assert ("業務システムの課題", "課題", "機器が古い。") in as_pairs(found)


def test_heads_over_values_and_values_below() -> None:
    found = sections_of(
        "部等名\t課等名\t係等名\n政策部\t情報課\t企画係\n\n事務事業名\t01\t窓口改善\n目的\t\t活動実績\t\n待ち時間を減らす。\t\t予約制を始めた。\t\n"
    )
    got = {s.label: (s.field, s.text) for s in found}
    assert got["課等名"] == ("担当課", "情報課")
    assert got["係等名"] == ("担当係", "企画係")
    assert got["活動実績"] == ("取組状況", "予約制を始めた。")


def test_a_block_of_figures_is_one_section() -> None:
    block = "事業費(千円)\tR5決算額\tR6決算額\n総事業費\t3,337\t2,504\n概算人件費\t3,280\t2,460"
    found = sections_of(f"事務事業名\t窓口改善\n{block}\n課題\tなし\n")
    assert ("事業費(千円)", "事業費", block) in as_pairs(found)


def test_a_dash_is_no_section_and_a_person_is_apart() -> None:
    found = sections_of("事務事業名\t窓口改善\n担当者名\t北野 花子\n成果\t-\n課題\t／\n")
    assert [(s.field, s.text) for s in found] == [("事務事業名", "窓口改善"), ("担当者", "北野 花子")]


def test_what_has_no_label_is_kept() -> None:
    found = sections_of("事務事業名\t窓口改善\n\nこの表は令和6年度の実績にもとづく速報であり、数値は後日改める。\n")
    assert [s.text for s in found if s.field == "その他"] == [
        "この表は令和6年度の実績にもとづく速報であり、数値は後日改める。"
    ]


def test_terms_of_a_glossary() -> None:
    document = Document(
        "a.txt",
        "用語集\n◆ CAD\n設計にコンピュータを用いること。\n◆ 可用性\n継続して稼働\nできる能力のこと。\n",
        "0" * 64,
        "text",
    )
    (sheet,) = find_sheets(document)
    assert [(s.label, s.field, s.text) for s in split_sections(document, sheet) if s.field == "用語"] == [
        ("CAD", "用語", "設計にコンピュータを用いること。"),
        ("可用性", "用語", "継続して稼働\nできる能力のこと。"),
    ]


# ---- the real corpus ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def corpus() -> dict[str, tuple[Document, list[SheetReading]]]:
    if len(FILES) < 5:
        pytest.skip("the real corpus stands in ../shared/corpus")
    documents = {path.name[:3]: read_document(path) for path in FILES}
    return {key: (document, read_sheets(document)) for key, document in documents.items()}


@needs_corpus
def test_corpus_quotes_are_the_documents_text(corpus: dict[str, tuple[Document, list[SheetReading]]]) -> None:
    for document, readings in corpus.values():
        for reading in readings:
            spans = reading.sheet.spans
            for section in reading.sections:
                assert document.text[section.span.start : section.span.end] == section.text
                assert any(s.start <= section.span.start and section.span.end <= s.end for s in spans)
            for item in (*reading.facts, *reading.events):
                assert item.quote.start <= item.span.start <= item.span.end <= item.quote.end
                assert any(s.start <= item.quote.start and item.quote.end <= s.end for s in spans)
            assert not [w for w in reading.warnings if "読み取れませんでした（" in w]


@needs_corpus
def test_corpus_systems_have_all_sections(corpus: dict[str, tuple[Document, list[SheetReading]]]) -> None:
    wanted = {"システム名", "担当課名", "業務システムの課題", "業務システムの目指す姿", "事業段階", "予算額（円）", "決算額（円）",
              "取組状況", "目標達成状況", "評価", "評価理由", "今後の計画", "デジタル戦略課の所見"}  # fmt: skip
    systems = [r for r in corpus["002"][1] if r.sheet.kind == "programme"]
    for reading in systems:
        assert wanted <= {s.label for s in reading.sections}, reading.sheet.name


@needs_corpus
def test_corpus_scattered_forms_have_their_sections(corpus: dict[str, tuple[Document, list[SheetReading]]]) -> None:
    wanted = {"事務事業名", "部課名", "担当者名", "課長名", "内線", "目的", "対象者等", "内容", "経過", "必要性", "実施方法",
              "事務事業の分類", "分類についての説明・意見等", "指標の推移", "予算・決算額等の推移", "予算・決算の内訳",
              "行政コスト計算書", "備考", "問題点・課題", "他区の実施状況", "実績の推移", "平成29年度に取り組む具体的な改善内容",
              "平成29年度に実施した改善内容および評価", "平成30年度以降に取り組む具体的な改善内容"}  # fmt: skip
    for reading in corpus["001"][1]:
        assert wanted <= {s.label for s in reading.sections}, reading.sheet.name
        assert {s.field for s in reading.sections if s.label in ("担当者名", "課長名", "内線")} == {"担当者"}
    (ward,) = corpus["000"][1]
    got = {s.label: s.text for s in ward.sections}
    assert got["令和6年度の事業進捗状況"].startswith("・6月末までに次期電話システム")
    assert got["目標に対する成果状況を踏まえた課題"].endswith("障害内容も複雑化する傾向にある。")


@needs_corpus
def test_corpus_glossary_has_a_section_per_term(corpus: dict[str, tuple[Document, list[SheetReading]]]) -> None:
    document, readings = corpus["002"]
    glossary = next(r for r in readings if r.sheet.name == "用語集")
    terms = [s.label for s in glossary.sections if s.field == "用語"]
    # Independently: every term stands alone after ◆.
    printed = [t.strip() for t in re.findall(r"◆ *([^\n]+)", document.text)]
    assert [squeeze(t) for t in terms] == [squeeze(t) for t in printed]


@needs_corpus
def test_corpus_evidence_of_the_questions_stands_in_sections(
    corpus: dict[str, tuple[Document, list[SheetReading]]],
) -> None:
    """Every string the development questions rest on lies whole in one section or one quote."""
    texts = []
    for document, readings in corpus.values():
        for reading in readings:
            texts += [squeeze(s.text) for s in reading.sections] + [squeeze(s.label + s.text) for s in reading.sections]
            texts += [squeeze(document.text[f.quote.start : f.quote.end]) for f in reading.facts]
    whole = "\0".join(texts)
    cases = [json.loads(line) for line in (SHARED / "evals" / "dev.jsonl").read_text("utf-8").splitlines() if line]
    missing = [(c["id"], e) for c in cases for e in c["evidence"] if squeeze(e) not in whole]
    assert missing == []


@needs_corpus
def test_corpus_nothing_said_is_lost(corpus: dict[str, tuple[Document, list[SheetReading]]]) -> None:
    """Every sentence (up to 。) of a sheet stands in one of its sections."""
    for document, readings in corpus.values():
        for reading in readings:
            covered = sorted((s.span.start, s.span.end) for s in reading.sections)
            for span in reading.sheet.spans:
                for stop in re.finditer("。", document.text[span.start : span.end]):
                    at = span.start + stop.start()
                    assert any(a <= at < b for a, b in covered), document.text[at - 30 : at + 1]


def test_a_label_may_explain_itself_in_brackets() -> None:
    text = (
        "令和5年度 事務事業評価シート\n事業名 道路照明事業\n所管課 道路課\n"
        "【事業の目的（誰を、どうしたいか）】\n夜道を明るくする。\n対象（誰を・何を）：市民\n"
    )
    (sheet,) = find_sheets(Document("a.txt", text, "0" * 64, "text"))
    found = {s.field: s.text for s in split_sections(Document("a.txt", text, "0" * 64, "text"), sheet)}
    assert found["目的"] == "夜道を明るくする。" and found["対象"] == "市民"


def test_the_heading_of_the_next_block_is_no_part_of_a_text() -> None:
    text = (
        "令和5年度 事務事業評価シート\n事業名 道路照明事業\n所管課 道路課\n事業の概要\n街灯を直す。\n球を替える。\n"
        "Ⅱ　事業費\n（単位：千円）\n区分\t令和4年度\t令和5年度\n決算額\t100\t110\n"
    )
    (reading,) = read_sheets(Document("a.txt", text, "0" * 64, "text"))
    assert {s.text for s in reading.sections if s.field == "内容"} == {"街灯を直す。\n球を替える。"}
