"""What a dated statement says that happens."""

from __future__ import annotations

import pytest

from corpus.documents import Document
from corpus.happenings import happenings, what_happens
from corpus.reading import read_sheets

HEAD = "みなと野市 令和7年度 事務事業評価シート(令和6年度実績)\n事務事業名\t窓口改善\n担当課\t窓口課\n"


def told(text: str) -> list[tuple[str, str]]:
    (reading,) = read_sheets(Document("a.txt", HEAD + "今後の計画\t" + text + "\n", "0" * 64, "text"))
    return [(e.period.label, e.what) for e in reading.events]


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("令和8年1月にシステムを更改する。", [("令和8年1月", "更改")]),
        ("次期更改は令和8年1月を予定しており、課題を整理する。", [("令和8年1月", "更改")]),
        ("現行の契約は令和8年3月で満了する。", [("令和8年3月", "契約満了")]),
        ("令和7年10月にOSのサポートが終了するため、更新を行う。", [("令和7年10月", "サポート終了")]),
        ("OSのサポート終了（令和7年10月）までに入れ替える。", [("令和7年10月", "サポート終了")]),
        ("令和5年度に導入し、令和9年度に廃止する。", [("令和5年度", "導入"), ("令和9年度", "廃止")]),
        ("令和7年4月から本稼働している。", [("令和7年4月", "稼働")]),
        ("令和7年4月に利用を開始した。", [("令和7年4月", "稼働")]),
    ],
)
def test_the_word_nearest_to_the_date_tells(text: str, want: list[tuple[str, str]]) -> None:
    assert told(text) == want


@pytest.mark.parametrize(
    "text",
    [
        "令和6年度の目標は達成できた。",
        "令和6年度は安定した稼働ができた。",
        "令和6年度に更新は実施しなかった。",
        "令和9年度の廃止の予定はない。",
        "令和6年度は、令和5年度に比べ、導入の件数が減った。",
        "令和6年度の稼働率は高い。",
    ],
)
def test_what_the_words_do_not_tell_or_deny_is_left_open(text: str) -> None:
    assert all(what == "" for _, what in told(text))


def test_every_name_of_the_vocabulary_can_be_told() -> None:
    said = {
        "導入": "を導入", "稼働": "に運用開始", "更改": "に更改", "移行": "に移行", "改修": "に改修", "契約": "に契約を締結",
        "契約満了": "に契約満了", "サポート終了": "に保守期限", "改正": "に改正", "策定": "に策定", "廃止": "に廃止", "開始": "に開始",
        "完了": "に完了", "終了": "に終了",
    }  # fmt: skip
    assert {name: what_happens("", words) for name, words in said.items()} == {name: name for name in said}
    assert set(said) == set(happenings())


def test_a_long_text_around_a_date_is_looked_at_nearby_only() -> None:
    assert what_happens("更改" + "あ" * 100_000, "い" * 100_000 + "更改") == ""


def test_a_legend_of_a_report_states_nothing() -> None:
    text = "みなと野市 情報化計画 令和6年度報告書\n\nはじめに\n\n令和6年度の\n取組内容\n\n令和6年度に計画を策定した。\n"
    (reading,) = read_sheets(Document("a.txt", text, "0" * 64, "text"))
    assert reading.sheet.kind == "document"
    assert [(e.period.label, e.what) for e in reading.events if e.what] == [("令和6年度", "策定")]
