"""Text shaped for the screen, as pure functions."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from io import BytesIO

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.types import Answer, Chart, Citation, Interpretation, Series, Table
from corpus.documents import Place, Sheet, Span
from index.types import Filters
from tests.fakes import TEXTS, FakeAssistant, FakeIndex
from ui.charts import axis_ticks, render_chart, short_number
from ui.examples import ROLES, examples
from ui.export import SheetOfCells, workbook
from ui.facets import render_facets as render_search_facets
from ui.facts import fact_rows, render_facts
from ui.hits import render_found
from ui.render import (
    answer_steps,
    catalogue_line,
    placed,
    plain_answer,
    render_answer,
    render_held,
    render_table,
    sheet_url,
    year_label,
)
from ui.scope import scope
from ui.searches import Search
from ui.searchhelp import Hint, Hints
from ui.sheet import Shown, render_sheet, sheet_view
from ui.sheetlist import list_page
from ui.text import excerpt, join_lines, markdown, marked

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&"
SHEET = Sheet("s/1 2", "a.txt", "programme", f"事業{EVIL}", f"市{EVIL}", 2021, f"課{EVIL}", (Span(0, 5),))


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        (
            "令和７年１月に更改し、次期は県の\n用意する基盤へ移る。",
            "令和７年１月に更改し、次期は県の用意する基盤へ移る。",
        ),
        (
            "（1）統合仮想化基盤上\nにある各業務システ\nムが更改を行う",
            "（1）統合仮想化基盤上にある各業務システムが更改を行う",
        ),
        ("本市の情報化施策については、推進基本\n\n方針で示す。", "本市の情報化施策については、推進基本方針で示す。"),
        ("住民記録\n税務\n福祉", "住民記録\n税務\n福祉"),
        ("運用を続ける。\n次の年度に見直す。", "運用を続ける。\n次の年度に見直す。"),
        (
            "次のとおり改善を進めていく予定とする\n・端末の更新\n・研修",
            "次のとおり改善を進めていく予定とする\n・端末の更新\n・研修",
        ),
        ("財\n源\n内\n訳\n国庫支出金", "財源内訳\n国庫支出金"),
        ("予算\t決算\n100\t90", "予算\t決算\n100\t90"),
        (
            "庁内のネットワークの構成を見直した Windows\nServer の更新",
            "庁内のネットワークの構成を見直した Windows Server の更新",
        ),
        ("10.0 名\n\n0.0 名", "10.0 名\n0.0 名"),
    ],
)
def test_hard_line_breaks_inside_a_sentence_are_joined(printed, read):
    assert join_lines(printed) == read


@given(
    st.text(alphabet="あア漢A1。、・\n\t 」<&", max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60))),
)
def test_marks_change_no_character_and_escape_all(text, highlights):
    shown = marked(text, highlights)
    assert shown.count("<mark>") == shown.count("</mark>")
    plain = unescape(re.sub(r"</?mark>", "", shown).replace("<br>", "\n"))
    assert re.sub(r"\s", "", plain) == re.sub(r"\s", "", text)
    assert not re.search(r"<(?!/?mark>|br>)", shown)


def test_a_mark_over_a_joined_line_break_stays_one_mark():
    text = "令和7年1月に更改し、次期は県の\n用意する基盤へ移る。"
    start = text.index("県の")
    assert marked(text, [(start, start + 5)]) == "令和7年1月に更改し、次期は<mark>県の用意</mark>する基盤へ移る。"


@given(st.text(alphabet="あいう", max_size=50), st.integers(0, 50), st.integers(1, 5), st.integers(1, 30))
def test_an_excerpt_keeps_its_highlight(text, start, length, width):
    end = min(len(text), start + length)
    if start >= end or end - start > width:
        return
    shown, moved = excerpt(text, [(start, end)], width)
    assert shown[moved[0][0] : moved[0][1]] == text[start:end]
    assert len(shown) <= max(width, 0) + 2 or len(text) <= width


def test_markdown_links_only_numbers_that_are_citations():
    html = markdown("**強い** <b>x</b> [1] [2]\n- 一つ目 [1]\n- 二つ目", {1: "/sheet/a"}.get)
    assert "<strong>強い</strong> &lt;b&gt;x&lt;/b&gt;" in html
    assert html.count('href="/sheet/a"') == 2 and "[2]" in html
    assert "<ul><li>一つ目" in html and html.endswith("<li>二つ目</li></ul>")


class Tags(HTMLParser):
    """What a browser would read as tags and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.attributes += [name for name, _ in attrs]


def test_a_long_list_is_folded_where_a_table_tells_the_same():
    lines = "\n".join(f"- {number}番" for number in range(1, 9))
    folded = markdown(lines, {}.get, fold=5)
    assert folded.count("<li>") == 8 and "<summary>残り3件を表示</summary><ul><li>6番" in folded
    assert "<details" not in markdown(lines, {}.get) and "<details" not in markdown(lines, {}.get, fold=7)


def evil_answer() -> Answer:
    citation = Citation(1, SHEET, f"欄{EVIL}", f"引用{EVIL}", Span(0, 3), f"場所{EVIL}")
    passage = FakeIndex().search("図書館", 1).hits[0]
    return Answer(
        f"答え{EVIL} [1]", True, (citation,), Interpretation("x", None, Filters(), f"解釈: {EVIL}"), "v", 1.0,
        Table((f"列{EVIL}",), ((f"値{EVIL}",),), ((1,),)),
        Chart("bar", (f"名{EVIL}",), (Series(f"系列{EVIL}", (1.0,)), Series("b", (None,))), f"単位{EVIL}"),
        (replace(passage, text=EVIL, sheet=SHEET),), (EVIL,),
    )  # fmt: skip


def test_nothing_a_document_or_a_person_wrote_becomes_html():
    line = replace(evil_answer(), chart=Chart("line", (EVIL, "b"), (Series(EVIL, (1.0, 2.0)),), EVIL))
    shown = [
        render_answer(evil_answer()),
        render_answer(line),
        list_page([SHEET], {}).html,
        render_found(Search("道路台帳"), FakeIndex().search_sheets("道路台帳", 5, others=5), Hints()),
        render_found(Search(EVIL), FakeIndex().search_sheets(EVIL, 5), Hints((Hint(EVIL, Search(EVIL), 1),))),
        render_search_facets(Search(EVIL, scope([EVIL], [], [EVIL])), {"section": {EVIL: 1}}),
        render_held([SHEET]),
        render_sheet(sheet_view(FakeIndex().sheets()[1], FakeIndex())),
        *answer_steps(evil_answer()),
    ]
    for html in shown:
        tags = Tags()
        tags.feed(html)
        assert not {"script", "img", "b"} & set(tags.names) - {"b" if "hy-held" in html else ""}
        assert not any(name.startswith("on") for name in tags.attributes)


def test_messages_have_no_line_break_that_would_end_a_block_of_html():
    answer = FakeAssistant().ask("決算額が大きい事業は？")
    assert all("\n" not in step for step in answer_steps(answer))


def test_an_answer_shows_where_every_number_comes_from():
    html = render_answer(FakeAssistant().ask("決算額が大きい事業は？"))
    assert "全4件中4件" in html and "引用（4件）" in html
    # 3,000,000 / 2,500,000 / 1,200,000 / 800,000 円 of 令和4年度, the largest first
    assert html.index("3,000,000") < html.index("2,500,000") < html.index("1,200,000") < html.index("800,000")
    assert (
        f'href="{sheet_url("hinode-1", Span(TEXTS["hinode.txt"].index("R4 3,000千円"), TEXTS["hinode.txt"].index("R4 3,000千円") + 10))}"'.replace(
            "&", "&amp;"
        )
        in html
    )


def test_steps_grow_and_end_with_everything():
    answer = FakeAssistant().ask("決算額が大きい事業は？")
    steps = answer_steps(answer)
    assert len(steps) > 2 and steps[-1] == render_answer(answer)
    assert [len(step) for step in steps] == sorted(len(step) for step in steps)


def test_the_copied_answer_names_its_sources():
    text = plain_answer(FakeAssistant().ask("図書館の今後の計画は"))
    assert text.endswith(
        "[1] あおば市／令和5年度／図書館システム運用／情報政策課（今後の計画）"
        "「令和7年度にクラウド型の図書館システムへ移行する。」"
    )


def test_a_citation_and_a_hit_say_where_they_stand():
    answer = FakeAssistant().ask("図書館の今後の計画は")
    line = TEXTS["aoba.txt"][: TEXTS["aoba.txt"].index("令和7年度にクラウド型")].count("\n") + 1
    cited = replace(answer, citations=(replace(answer.citations[0], where="シート「集計」のB3:D3"),))
    assert "hy-place" not in render_answer(answer) and "・シート「集計」のB3:D3</span>" in render_answer(cited)
    assert "（今後の計画・シート「集計」のB3:D3）" in plain_answer(cited)
    hits = FakeIndex().search_sheets("クラウド型", 1)
    assert f"・{line}行目</span>" in render_found(Search("クラウド型"), hits, Hints(), placed(FakeIndex()))


def test_years_are_written_the_way_city_halls_write_them():
    assert [year_label(year) for year in (2021, 2019, 2018, 1989, 1983, None)] == [
        "令和3年度", "令和元年度", "平成30年度", "平成元年度", "昭和58年度", "年度の記載なし",
    ]  # fmt: skip


def test_what_is_indexed_is_counted():
    sheets = FakeIndex().sheets()
    assert catalogue_line(sheets) == "2自治体・4シート・令和4年度〜令和5年度"
    assert "<b>あおば市</b> 2シート（令和5年度）" in render_held(sheets)
    assert "hyoka index" in catalogue_line([]) and render_held([]) == ""


def test_an_address_quotes_any_id():
    assert sheet_url("s/1 2", Span(3, 9)) == "/sheet/s%2F1%202?start=3&end=9#quote"


def test_a_table_shows_years_plain_and_amounts_with_commas():
    html = render_table(Table(("年度", "決算額（円）"), ((2022, 1_200_000.0), (2023, None)), ((1,), ())))
    assert ">2022<" in html and ">1,200,000<" in html and "―" in html
    written = render_table(Table(("事業", "金額"), (("1係", "1,200円"),), ((),)))
    assert '<td class="hy-num">1,200円</td>' in written and '<td class="hy-short">1係</td>' in written


def test_short_numbers():
    assert [short_number(value, "円") for value in (123_456_789.0, 1_500_000.0, 900.0)] == [
        "1.23億円",
        "150万円",
        "900円",
    ]
    assert short_number(43.5, "%") == "43.5%"


@given(st.integers(-(10**9), 0).map(lambda n: n / 100), st.integers(0, 10**9).map(lambda n: n / 100))
def test_axis_ticks_are_few_and_cover_everything(low, high):
    ticks = axis_ticks(low, high)
    assert ticks[0] <= low and ticks[-1] >= high and 1 <= len(ticks) <= 9


def test_a_missing_year_breaks_the_line():
    html = render_chart(Chart("line", ("R3", "R4", "R5"), (Series("決算額", (1.0, None, 3.0)),), "円"))
    assert html.count("<circle") == 2 and 'class="hy-line' not in html and "R4 記載なし" in html
    assert render_chart(Chart("line", (), ())) == ""


def test_the_sheet_page_marks_exactly_the_quote():
    index = FakeIndex()
    sheet = index.sheets()[1]
    text = TEXTS["aoba.txt"]
    start = text.index("<b>道路台帳</b>を電子化し & 窓口で\n閲覧")
    view = sheet_view(sheet, index, start, start + 26)
    html = render_sheet(view)
    found = re.search(r'<mark id="quote"[^>]*>(.*?)</mark>', html, re.S)
    assert found is not None and unescape(found.group(1)) == text[start : start + 26]
    assert "引用された箇所" in html and "橋りょう" in html
    assert "図書館システム運用" not in html  # the neighbour's part of the document is not shown …
    assert "図書館システム運用" in render_sheet(view, Shown(whole=True))  # … unless asked for


@pytest.mark.parametrize(("start", "end"), [(5, 5), (9, 3), (0, 10**9), (-1, 5), (None, 5)])
def test_a_quote_outside_the_document_is_no_quote(start, end):
    view = sheet_view(FakeIndex().sheets()[0], FakeIndex(), start, end)
    assert view.quote is None and "hy-quoted" not in render_sheet(view)


def test_the_sheet_page_leaves_persons_out_of_its_sections():
    html = render_sheet(sheet_view(FakeIndex().sheets()[0], FakeIndex()))
    assert "見本太郎" not in html.split('id="source"')[0]


def test_figures_stand_in_one_row_over_the_years():
    columns, rows = fact_rows([found.fact for found in FakeIndex().facts(["aoba-1"])])
    assert columns == ["令和4年度", "令和5年度"]
    settlement, rating = rows
    assert (settlement.kind, settlement.unit) == ("決算", "円")
    assert [settlement.cells[column].value for column in columns] == [1_200_000.0, 1_500_000.0]
    assert rating.cells["令和5年度"].text == "A" and "令和4年度" not in rating.cells


def test_figures_read_by_ocr_say_how_sure_that_is():
    index = FakeIndex()
    sheet = index.sheets()[0]
    facts = [found.fact for found in index.facts([sheet.sheet_id])]
    cell = facts[0].quote
    read = replace(index.document(sheet.file), places=(Place(cell.start, cell.end, 1, confidence=0.62),))
    html = render_facts(read, sheet, facts)
    assert html.count("OCR（信頼度 62%）") == 1
    assert "1,200,000</a><small" in html and "OCR" not in render_facts(index.document(sheet.file), sheet, facts)


def test_filters_from_an_address_are_read_with_care():
    assert scope(["A"], ["2021", "x", "99999", 2022], None, None) == Filters(("A",), (2021, 2022))


def test_example_questions_come_from_the_index_and_are_answered():
    assistant = FakeAssistant()
    found = examples(assistant)
    assert set(found) <= set(ROLES) and found["財政課"] == [
        "あおば市の令和5年度の決算額が大きい順に5つ教えて",
        "図書館システム運用の決算額の推移は？",
    ]
    assert all(not assistant.ask(question).abstained for questions in found.values() for question in questions)


def test_example_questions_of_an_empty_index_are_none():
    class Empty(FakeIndex):
        def _rows(self):
            return []

    assert examples(FakeAssistant(Empty())) == {}


def test_excel_keeps_text_text_and_numbers_numbers():
    table = SheetOfCells(columns=["事業", "決算額（円）"], rows=[["=1+1", 1_200_000], ["\x00あ", None]])
    sheet = openpyxl.load_workbook(BytesIO(workbook(table))).active
    assert sheet["A2"].value == "=1+1" and sheet["A2"].data_type == "s"
    assert sheet["B2"].value == 1_200_000 and sheet["A3"].value == "あ" and sheet["B3"].value is None
