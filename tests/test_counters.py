"""What a question counts by, and what may be counted so."""

from __future__ import annotations

import pytest

from assistant.counters import counts
from assistant.statements import Statement
from corpus.documents import Sheet, Span
from corpus.normalize import squeeze


def statement(text: str, label: str) -> Statement:
    sheet = Sheet("a", "a.txt", "programme", "斎場管理", "桜坂町", 2023, "町民課", (Span(0, len(text)),))
    return Statement(sheet, label, "", Span(0, len(text)), text, squeeze(text), frozenset(), frozenset(), 0)


@pytest.mark.parametrize(
    ("question", "text", "label", "may"),
    [
        ("火葬の件数は？", "斎場の稼働率 99.5%以上 99.9%", "目標達成状況", False),  # a table, but of another unit
        ("火葬の件数は？", "火葬 1,204 1,310", "指標の推移", True),  # tables often print no unit
        (
            "参加者は何人？",
            "沿岸8地区で訓練を行った。",
            "取組実績",
            False,
        ),  # a counter that is no known unit is one all the same
        ("マイナンバーカードの交付率は？", "カードを1,204件交付した。", "実施内容", False),
        ("火葬の件数は？", "火葬を1,204件行った。", "実施内容", True),
        ("火葬の件数は？", "火葬場は平成3年に建てられた。", "実施内容", False),
        ("火葬は何回ありましたか", "火葬を1,204件行った。", "実施内容", True),
        ("満足度は何％？", "満足度 90% 84%", "指標の推移", True),
        ("課題は？", "担い手が足りない。", "課題", True),
    ],
)
def test_a_count_is_answered_by_a_figure_of_its_unit(question: str, text: str, label: str, may: bool):
    assert counts(squeeze(question), statement(text, label)) is may
