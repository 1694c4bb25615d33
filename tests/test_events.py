"""Dated statements: what they quote, and what is left out."""

from __future__ import annotations

import pytest
from readings import HEAD, needs_corpus, sheet_named
from readings import corpus as corpus

from corpus.documents import Document, Event, SheetReading
from corpus.normalize import squeeze
from corpus.reading import read_sheets


def dated(text: str) -> list[tuple[str, str, str]]:
    document = Document("a.txt", text, "0" * 64, "text")
    (reading,) = read_sheets(document)
    return [
        (e.period.label, e.period.start.isoformat(), document.text[e.quote.start : e.quote.end]) for e in reading.events
    ]


def test_an_event_quotes_its_sentence() -> None:
    assert dated(HEAD + "今後の計画\t更改は令和７年１月を予定している。次年度に仕様を固める。\n") == [
        ("令和7年1月", "2025-01-01", "更改は令和７年１月を予定している。"),
        # The sheet was written in 令和7年度, so the next one is 令和8年度.
        ("次年度", "2026-04-01", "次年度に仕様を固める。"),
    ]


def test_an_entry_of_a_chronicle_ends_at_the_next_date() -> None:
    assert dated(HEAD + "経過\t平成21年 2月 認証導入　　平成21年10月 研修開始　　平成23年 4月 交付開始\n") == [
        ("平成21年2月", "2009-02-01", "平成21年 2月 認証導入"),
        ("平成21年10月", "2009-10-01", "平成21年10月 研修開始"),
        ("平成23年4月", "2011-04-01", "平成23年 4月 交付開始"),
    ]


def test_a_month_without_a_year_is_left_out() -> None:
    assert dated(HEAD + "課題\t9月に研修を行う。\n") == []


@needs_corpus
@pytest.mark.parametrize(
    ("file", "name", "start", "quote"),
    [
        ("001", "業務系システム運用管理", "2009-02-01", "平成21年 2月 指静脈認証システム導入"),
        ("001", "システム設置設備管理", "2009-04-01", "（静脈認証）の導入"),
        ("001", "電子自治体推進", "2007-01-01", "電子入札（工事）運用開始"),
        ("002", "統合仮想化基盤システム", "2025-01-01", "次期更改は令和７年１月を予定"),
        ("002", "例規システム", "2022-04-01", "次年度におけるシステムの更新"),
        ("002", "公共施設予約システム", "2024-11-01", "システム契約が満了"),
        ("004", "住民情報系システム運用・維持管理事業", "2025-11-10", "本稼働日を見据えて"),
        ("000", "ICT推進事業経費", "2024-06-01", "次期電話システムの製品を決定する"),
    ],
)
def test_corpus_events(
    corpus: dict[str, tuple[Document, list[SheetReading]]], file: str, name: str, start: str, quote: str
) -> None:
    document, _ = corpus[file]
    events: tuple[Event, ...] = sheet_named(corpus, file, name).events
    found = [document.text[e.quote.start : e.quote.end] for e in events if e.period.start.isoformat() == start]
    assert any(squeeze(quote) in squeeze(text) for text in found), found
