"""Where a sheet's head was read from, where a character stands, and how sure the reading is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.certainty import THRESHOLD, certainty, table_figures
from corpus.documents import Document, Place, SheetReading, Span
from corpus.origins import origins
from corpus.readers import read_document
from corpus.reading import read_sheets
from corpus.whereabouts import Locator

SAMPLES = Path(__file__).parents[1] / "corpus" / "samples" / "files"
FILES = sorted(path for path in SAMPLES.iterdir() if path.suffix not in (".md",))

GOOD = """みなと野市 事務事業評価シート（令和6年度実績）
事務事業名\t図書館システム運用\t担当課\t情報政策課
事業の目的\t貸出を止めずに提供し、待ち時間を短くする。
事業概要\tシステムの保守と機器の更新を行う。
\t令和4年度決算\t令和5年度決算\t令和6年度決算
事業費（千円）\t1,200\t1,500\t1,800
人件費（千円）\t800\t900\t950
総合評価\tA
"""
POOR = """事業名 保守のしごと
見出しのない数
甲乙\t1,200\t1,500\t1,800
丙丁\t3,400\t3,500\t3,600
とりとめのない長い文がここに続いていて、どの欄のものかは分からない。書いた人も分からない。
"""


def read(text: str, file: str = "a.txt") -> tuple[Document, SheetReading]:
    document = Document(file, text, "0", "text")
    return document, read_sheets(document)[0]


def test_a_sheet_read_by_its_labels_is_nearly_certain():
    document, reading = read(GOOD)
    sure = certainty(document, reading)
    assert sure is not None and sure.score >= 0.9
    assert [reason.what for reason in sure.reasons] == ["名称", "年度", "自治体", "担当課", "数値", "欄", "ラベル"]
    assert reading.certainty == sure and reading.warnings == ()


def test_what_cannot_be_told_lowers_the_certainty_and_is_said_in_a_warning():
    document, reading = read(POOR)
    assert reading.certainty is not None and reading.certainty.score < THRESHOLD
    shares = {reason.what: reason.share for reason in reading.certainty.reasons}
    assert shares["自治体"] == shares["年度"] == shares["担当課"] == shares["数値"] == 0 and shares["欄"] < 0.6
    warning = next(w for w in reading.warnings if "確かさ" in w)
    assert (
        f"{reading.certainty.score:.2f}" in warning and "表の数値6個のうち0個" in warning and "hyoka forms" in warning
    )


def test_the_first_figures_left_out_are_named_with_their_places():
    _, reading = read(POOR)
    warning = next(w for w in reading.warnings if "読み取っていない数値" in w)
    assert "3行目の「1,200」: " in warning and "3行目の「1,800」: " in warning and "ほかに3個" in warning


def test_the_more_labels_are_unknown_the_less_certain_the_reading():
    """The labels of a bundled file are taken away one after the other: certainty and facts go down together."""
    text = read_document(next(p for p in FILES if p.suffix == ".html")).text
    labels = [
        "担当組織",
        "事業の目的",
        "事業費",
        "一般財源",
        "人件費",
        "総事業費",
        "成果指標",
        "活動指標",
        "今後の方向性",
        "課題",
    ]
    scores, facts = [], []
    for size in range(len(labels) + 1):
        for number, label in enumerate(labels[:size]):
            text = text.replace(label, "〆〆" + "甲乙丙丁戊己庚辛壬癸"[number] * 2)
        readings = [r for r in read_sheets(Document("a.html", text, "0", "html")) if r.certainty]
        scores.append(sum(r.certainty.score for r in readings if r.certainty) / len(readings))
        facts.append(sum(len(r.facts) for r in readings))
    assert scores[-1] < scores[0] - 0.2 and facts[-1] < facts[0]
    assert all(later <= earlier + 0.02 for earlier, later in zip(scores, scores[1:], strict=False))


def test_the_score_is_the_weighted_mean_of_its_reasons():
    _, reading = read(POOR)
    assert reading.certainty is not None
    weights = {"名称": 0.2, "年度": 0.1, "自治体": 0.1, "担当課": 0.1, "数値": 0.2, "欄": 0.1, "ラベル": 0.2}
    reasons = reading.certainty.reasons
    by_hand = sum(weights[r.what] * r.share for r in reasons) / sum(weights[r.what] for r in reasons)
    assert reading.certainty.score == pytest.approx(by_hand, abs=0.001)


def test_losing_facts_or_sections_never_raises_the_certainty():
    document, reading = read(GOOD)
    whole = certainty(document, reading)
    for kept in range(len(reading.facts)):
        less = certainty(document, replace(reading, facts=reading.facts[:kept]))
        assert less is not None and whole is not None and less.score <= whole.score
    bare = certainty(document, replace(reading, facts=(), sections=()))
    assert bare is not None and bare.score < whole.score


@given(st.text("事業名担当課令和年度 \t\n12,。:：Aa", max_size=200))
def test_any_text_gives_a_share_or_none(text):
    document = Document("a.txt", text, "0", "text")
    for reading in read_sheets(document):
        assert (reading.certainty is None) == (reading.sheet.kind == "document")
        if reading.certainty is not None:
            assert 0 <= reading.certainty.score <= 1
            assert all(0 <= reason.share <= 1 for reason in reading.certainty.reasons)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_the_bundled_sheets_are_certain(path):
    readings = [r for r in read_sheets(read_document(path)) if r.sheet.kind == "programme"]
    assert readings
    for reading in readings:
        assert reading.certainty is not None and reading.certainty.score >= 0.85, reading.certainty


def test_figures_in_codes_and_texts_are_not_asked_for():
    document, reading = read(GOOD.replace("事業概要\t", "事業コード\t0123\n事業期間\t10\n事業概要\t"))
    found = {document.text[s.start : s.end] for s in table_figures(document, reading)}
    assert found == {"1,200", "1,500", "1,800", "800", "900", "950"}


def test_a_file_that_calls_itself_a_sheet_but_shows_none_is_warned_about():
    text = "碧原市 計画点検票\n\n点検の対象 窓口\n点検の結果 予約の7割がオンラインになり、待ち時間が短くなった。\n"
    readings = read_sheets(Document("a.txt", text, "0", "text"))
    assert [r.sheet.kind for r in readings] == ["document"]
    assert any("碧原市 計画点検票" in w and "hyoka forms" in w for w in readings[0].warnings)
    plain = read_sheets(
        Document("a.txt", "第1章 はじめに\nこの計画は令和6年度に作った、長い文のある計画です。\n", "0", "text")
    )
    assert not any("見つけられません" in w for r in plain for w in r.warnings)


# ---- origins --------------------------------------------------------------------------------------------------------


def told(text: str, file: str = "a.txt") -> dict[str, tuple[str, str]]:
    document, reading = read(text, file)
    found = origins(document, reading.sheet)
    for origin in (found.name, found.municipality, found.department, found.year):
        if origin.span is not None:
            assert origin.printed == " ".join(document.text[origin.span.start : origin.span.end].split())
    return {
        "name": (found.name.how, found.name.printed),
        "municipality": (found.municipality.how, found.municipality.printed),
        "department": (found.department.how, found.department.printed),
        "year": (found.year.how, found.year.printed),
    }


def test_each_value_of_the_head_is_shown_with_the_line_it_was_read_from():
    found = told(GOOD)
    title = "みなと野市 事務事業評価シート（令和6年度実績）"
    row = "事務事業名 図書館システム運用 担当課 情報政策課"
    assert found == {
        "name": ("label", row),
        "municipality": ("title", title),
        "department": ("label", row),
        "year": ("title", title),
    }


def test_the_folder_names_the_town_where_the_text_does_not():
    found = told(GOOD.replace("みなと野市 ", ""), "みなと野市/r6.txt")
    assert found["municipality"] == ("folder", "みなと野市/r6.txt")


def test_a_year_from_the_columns_of_figures_is_said_to_be_so():
    found = told(GOOD.replace("（令和6年度実績）", ""))
    assert found["year"] == ("columns", "令和4年度決算 令和5年度決算 令和6年度決算")


def test_what_is_not_printed_has_no_origin():
    found = told("事務事業名\t図書館システム運用\n事業の目的\t止めずに提供する。\n")
    assert {key: how for key, (how, _) in found.items()} == {
        "name": "label", "municipality": "none", "department": "none", "year": "none",
    }  # fmt: skip


def test_a_forms_rule_is_named_as_the_origin():
    path = next(p for p in FILES if p.name.startswith("hokuto") and p.suffix == ".txt")
    document = read_document(path)
    found = origins(document, next(r.sheet for r in read_sheets(document) if r.sheet.kind == "programme"))
    assert found.name.how == found.department.how == found.year.how == "form"
    assert found.name.value in found.name.printed


# ---- whereabouts ----------------------------------------------------------------------------------------------------


def test_a_line_counts_from_its_page():
    text = "一\n二\n\f三\n四\n"
    places = (Place(0, 5, page=1), Place(5, 9, page=2))
    locator = Locator(Document("a.pdf", text, "0", "pdf", places))
    assert [str(locator.at(text.index(c))) for c in "一二三四"] == [
        "1ページ 1行目", "1ページ 2行目", "2ページ 1行目", "2ページ 2行目",
    ]  # fmt: skip


def test_a_cell_is_named_by_its_address():
    path = next(p for p in FILES if p.suffix == ".xlsx")
    document = read_document(path)
    sheet = read_sheets(document)[0].sheet
    assert "!" in str(Locator(document).at(sheet.spans[0].start))


@given(st.text("あ\n", max_size=40))
def test_lines_agree_with_splitting_the_text(text):
    locator = Locator(Document("a.txt", text, "0", "text"))
    for at in range(len(text)):
        assert locator.at(at).line == text[:at].count("\n") + 1


def test_spans_of_figures_lie_in_their_sheet():
    document, reading = read(GOOD)
    sheet = reading.sheet.spans[0]
    assert all(sheet.start <= s.start < s.end <= sheet.end for s in table_figures(document, reading))
    assert isinstance(sheet, Span)
