"""Labels of a form's head with their values, on whichever side the values stand."""

from __future__ import annotations

import pytest

from corpus.blanks import table_rows
from corpus.couples import couples
from corpus.documents import Document, Span
from corpus.layout import view
from corpus.rowwords import fits
from corpus.sections import split_sections
from corpus.sheets import find_sheets

NAME, DIVISION, SECTION, YEAR = "放課後児童クラブ運営事業", "こども未来部", "子育て支援課", 2023


def lines_of(text: str):
    document = Document("a.txt", text, "0" * 64, "text")
    return table_rows(view(document, Span(0, len(text))))


def head_of(text: str) -> tuple[str, str, int | None]:
    (sheet,) = [s for s in find_sheets(Document("a.txt", text, "0" * 64, "text")) if s.kind == "programme"]
    return sheet.name, sheet.department, sheet.fiscal_year


LAYOUTS = {
    "pairs in a row": f"事業名\t{NAME}\t部名\t{DIVISION}\n課名\t{SECTION}\t対象年度\t令和5年度\n",
    "labels over values": f"事業名\t部名\t課名\n{NAME}\t{DIVISION}\t{SECTION}\n対象年度\t担当者\n令和5年度\t大野 花子\n",
    "behind a colon": f"事業名：{NAME}\n部名：{DIVISION}\n課名：{SECTION}\n対象年度：令和5年度\n",
    "in brackets": f"【事業名】{NAME}\n【部名】{DIVISION}　【課名】{SECTION}\n【対象年度】令和5年度\n",
    "below": f"事業名\n{NAME}\n部名\n{DIVISION}\n課名\n{SECTION}\n対象年度\n令和5年度\n",
    "above": f"評価シート\n{NAME}\n事業名\n{DIVISION}\n部名\n{SECTION}\n課名\n令和5年度\n対象年度\n",
    "all labels first": f"事業名\n部名\n課名\n対象年度\n{NAME}\n{DIVISION}\n{SECTION}\n令和5年度\n",
    "set with blanks": f"事業名 {NAME} 部名 {DIVISION} 課名 {SECTION}\n対象年度 令和5年度\n",
    "labels over values set with blanks": f"事業名 部名 課名\n{NAME} {DIVISION} {SECTION}\n対象年度\n令和5年度\n",
    "a bar table": f"| 事業名 | {NAME} |\n| --- | --- |\n| 部名 | {DIVISION} |\n| 課名 | {SECTION} |\n| 対象年度 | R5 |\n",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_head_is_read_wherever_values_stand(layout: str) -> None:
    assert head_of(LAYOUTS[layout] + "目的\t安心して過ごせる居場所を設ける。\n") == (
        NAME,
        f"{DIVISION} {SECTION}",
        YEAR,
    )


def test_a_value_longer_than_one_word_is_dealt_out_where_only_one_way_fits() -> None:
    text = "事業番号 事業名 所管\n46-18 みどりの広場整備事業 都市整備部 公園課\n"
    assert [(c.label, c.value) for c in couples(lines_of(text))] == [
        ("事業番号", "46-18"),
        ("事業名", "みどりの広場整備事業"),
        ("所管", "都市整備部 公園課"),
    ]


def test_a_list_of_programmes_is_no_head() -> None:
    text = "事業名\t所管課\n道路照明事業\t道路課\n街路樹管理事業\t公園課\n広場管理事業\t公園課\n"
    assert couples(lines_of(text)) == []


def test_uneven_runs_of_labels_and_values_are_left_alone() -> None:
    # The year's value is missing, so nobody can say which value belongs to which label.
    assert couples(lines_of("事業名\n部名\n課名\n対象年度\nみどりの広場整備事業\n都市整備部\n公園課\n")) == []


def test_instructions_and_codes_are_no_names() -> None:
    assert couples(lines_of("事業名\t事業の名称を記入\n")) == []
    assert not fits("事務事業名", "01-02") and not fits("事務事業名", "市民の利便を図る。")
    assert fits("担当課", "学校給食課") and not fits("担当課", "学校給食の提供")


def test_a_label_inside_a_text_of_another_sheet_does_not_name_the_sheets() -> None:
    sheet = "令和5年度 事務事業評価シート\n取組事業名\t{name}\n所管課\t{section}\n事業概要\t{text}\n\f"
    text = sheet.format(name="道路照明事業", section="道路課", text="街灯を保つ。") + sheet.format(
        name="街路樹管理事業", section="公園課", text="木を保つ。"
    )
    sheets = find_sheets(Document("a.txt", text, "0" * 64, "text"))
    assert [s.name for s in sheets if s.kind == "programme"] == ["道路照明事業", "街路樹管理事業"]


def sections_of(text: str) -> dict[str, str]:
    document = Document("a.txt", text, "0" * 64, "text")
    (sheet,) = [s for s in find_sheets(document) if s.kind == "programme"]
    return {s.label: s.text for s in split_sections(document, sheet)}


def test_texts_above_their_labels_are_the_labels_own() -> None:
    text = (
        f"評価シート\n{NAME}\n事業名\n{SECTION}\n課名\n令和5年度\n対象年度\n"
        "安心して過ごせる居場所を設ける。\n保護者の就労を助ける。\n事業の目的\n市内14校で運営する。\n事業概要\n"
    )
    told = sections_of(text)
    assert told["事業の目的"] == "安心して過ごせる居場所を設ける。\n保護者の就労を助ける。"
    assert told["事業概要"] == "市内14校で運営する。"


def test_headings_keep_the_text_below_them_where_values_stand_above() -> None:
    text = (
        f"評価シート\n{NAME}\n事業名\n{SECTION}\n課名\n令和5年度\n対象年度\n"
        "(1) 事業の目的\n居場所を設ける。\n(2) 事業概要\n市内14校で運営する。\n"
    )
    told = sections_of(text)
    assert told["(1)事業の目的"] == "居場所を設ける。" and told["(2)事業概要"] == "市内14校で運営する。"


def test_a_run_of_labels_gets_the_run_of_values() -> None:
    text = f"事業名\n課名\n対象年度\n実施方法\n{NAME}\n{SECTION}\n令和5年度\n一部委託\n事業の目的\n居場所を設ける。\n"
    told = sections_of(text)
    assert (told["担当課"], told["実施方法"], told["事業の目的"]) == (SECTION, "一部委託", "居場所を設ける。")
