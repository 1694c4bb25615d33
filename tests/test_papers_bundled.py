"""Answers over the bundled sheets: kept, read back, shown again and printed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from io import BytesIO

import openpyxl
import pytest
from docx import Document
from test_answers import SAMPLES, assistant_over

from assistant.excelpaper import excel_paper
from assistant.papers import answers_paper, flat
from assistant.payload import answer_json
from assistant.readback import answer_of, moved
from assistant.schemas import AnswerJson
from assistant.session import Assistant
from assistant.types import Turn
from assistant.wordpaper import word_paper
from index.types import Filters
from ui.history import opened
from ui.render import placed, render_answer

QUESTIONS = [
    "湊見市の令和6年度の決算額が大きい順に3つ教えて",
    "学校給食運営事業の決算額の推移は？",
    "学校給食運営事業の課題は？",
    "担当課ごとの予算額の合計は？",
    "月面基地の建設費は？",
]


@pytest.fixture(scope="module")
def city(tmp_path_factory) -> Assistant:
    return assistant_over(SAMPLES / "files", tmp_path_factory.mktemp("bundled"))


@pytest.fixture(scope="module")
def answers(city) -> list[tuple[str, AnswerJson]]:
    return [(question, answer_json(city.ask(question), city.index)) for question in QUESTIONS]


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_read_back_looks_the_same_and_its_quotes_stand(city, question):
    answer = city.ask(question)
    saved = AnswerJson.model_validate_json(answer_json(answer, city.index).model_dump_json())
    shown, again = (render_answer(one, placed(city.index)) for one in (answer, answer_of(saved)))
    # A near passage is kept with the canonical name of its field, not with the printed one.
    chip = re.compile(r'<span class="hy-chip">.*?</span>')
    assert chip.sub("", again) == chip.sub("", shown) and moved(saved, city.index) == 0


def test_a_follow_up_resolves_against_an_opened_conversation(city):
    from assistant.store import FeedbackStore

    book = FeedbackStore().talks
    talk = book.add("a", "", QUESTIONS[1], answer_json(city.ask(QUESTIONS[1]), city.index), Filters())
    _, log = opened(book.find("a", talk), city.index)
    turns = [Turn(role, text) for one in log for role, text in (("user", one.question), ("assistant", one.answer))]
    answer = city.ask("では課題は？", turns)
    assert {citation.sheet.name for citation in answer.citations} == {"学校給食運営事業"}


def test_every_quote_and_source_is_printed(answers):
    paper = answers_paper(answers, datetime(2026, 11, 22, tzinfo=UTC), "http://hyoka.example/")
    document = Document(BytesIO(word_paper(paper)))
    printed = [one.text for one in document.paragraphs if one.style.name == "Source"]
    cited = [citation for _, answer in answers for citation in answer.citations]
    assert len(cited) > 10
    rows = list(openpyxl.load_workbook(BytesIO(excel_paper(paper)))["出典"].iter_rows(min_row=2))
    assert len(rows) == len(cited)
    for citation, row in zip(cited, rows, strict=True):
        assert any(f"「{flat(citation.quote)}」" in line and citation.sheet in line for line in printed)
        values = [cell.value for cell in row]
        assert (values[1], values[4], values[8]) == (citation.n, citation.sheet, flat(citation.quote))
        assert "".join(flat(citation.quote).split()) == "".join(citation.quote.split()), "only white space differs"
        assert row[10].hyperlink.target.endswith(f"start={citation.source.start}&end={citation.source.end}#quote")


def test_amounts_of_the_sheets_are_numbers_in_excel(answers):
    book = openpyxl.load_workbook(BytesIO(excel_paper(answers_paper(answers, datetime(2026, 11, 22, tzinfo=UTC)))))
    tables = [sheet for sheet in book if sheet.title.endswith("の表")]
    amounts = [
        cell.value
        for sheet in tables
        for column in sheet.iter_cols(min_row=1)
        if "（円）" in str(column[0].value)
        for cell in column[1:]
        if cell.value is not None
    ]
    assert amounts and all(isinstance(amount, int) for amount in amounts)
