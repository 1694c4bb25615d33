"""Dates under a caption (≪施設予約システム≫) are dates of what it names."""

from __future__ import annotations

import pytest
from test_answers import assistant_over

from assistant.captions import caption_span
from assistant.session import Assistant
from corpus.documents import Span

SHEET = """事務事業評価シート（令和5年度）
みなと野市
事業名 情報系システム運用管理
担当課 情報政策課
事業の目的
庁内の事務を効率よく行う。
経過
≪文書管理システム≫　平成15年4月 運用開始
≪施設予約システム≫　平成13年12月 運用開始　平成19年8月 使用料の振込に対応
　　　　　　　　　　　平成28年3月 システム更改
≪ファイルサーバ≫　　平成22年10月 運用開始
今後の計画
令和8年10月に新しい基盤へ移る。
"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    folder = tmp_path_factory.mktemp("captions")
    (folder / "sheets").mkdir()
    (folder / "sheets" / "a.txt").write_text(SHEET, "utf-8")
    return assistant_over(folder / "sheets", folder / "index")


@pytest.mark.parametrize(
    ("question", "date", "others"),
    [
        (
            "施設予約システムの運用開始はいつ？",
            "平成13年12月（2001年12月、平成13年度）",
            ("平成15年4月", "平成22年10月"),
        ),
        (
            "文書管理システムはいつ運用を始めた？",
            "平成15年4月（2003年4月、平成15年度）",
            ("平成13年12月", "平成22年10月"),
        ),
        (
            "施設予約システムを更改したのはいつ？",
            "平成28年3月（2016年3月、平成27年度）",
            ("平成15年4月", "平成22年10月"),
        ),
        ("ファイルサーバの運用開始はいつ？", "平成22年10月（2010年10月、平成22年度）", ("平成13年12月", "平成15年4月")),
    ],
)
def test_a_date_is_one_of_what_it_stands_under(town: Assistant, question: str, date: str, others: tuple[str, ...]):
    answer = town.ask(question)
    assert date in answer.answer and not any(other in answer.answer for other in others)
    (citation,) = answer.citations[:1]
    assert citation.quote == SHEET[citation.span.start : citation.span.end]


def test_the_quote_shows_the_caption_it_stands_behind_and_the_words_one_further_up(town: Assistant):
    assert (
        town.ask("施設予約システムの運用開始はいつ？").citations[0].quote == "≪施設予約システム≫　平成13年12月 運用開始"
    )
    further = town.ask("施設予約システムを更改したのはいつ？")
    assert further.citations[0].quote == "平成28年3月 システム更改" and "≪施設予約システム≫" in further.answer


def test_the_last_caption_before_a_place_and_none_of_another_section():
    text = "【前】\n≪施設≫ 平成13年\n続き 平成14年\n" + "あ" * 300 + "平成15年"
    assert caption_span(text, 0, text.index("平成13年")) == Span(4, 8)
    assert caption_span(text, 0, text.index("平成14年")) == Span(4, 8)
    assert caption_span(text, 9, text.index("平成14年")) is None  # the section begins behind it
    assert caption_span(text, 0, text.index("平成15年")) is None  # too far
    assert caption_span("文の中の【注】は見出しでない。平成13年", 0, 15) is None
