"""The 管理 screen's question set without a browser: what the form means, what a run reads like, what the links give."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fakes import FakeAssistant
from fastapi.testclient import TestClient

from assistant.casebook import DraftCase
from assistant.store import FeedbackStore
from evals.cases import CASE_TYPES, read_cases
from evals.desk import Desk
from ui.app import create_app
from ui.questions import decide, filled, forms, lines, rows, sheet_choices, shown, state_choices
from ui.verdicts import TYPE_LABELS, render_origin, render_run, render_runs


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(FakeAssistant(), FeedbackStore().cases, tmp_path)


RIGHT = ("図書館の今後の計画は", "", "lookup-text", False, "クラウド型|クラウド", "", ["図書館システム運用"], "備考")


def test_what_stands_in_the_form() -> None:
    assert lines(" 一 \n\n二\n") == ("一", "二")
    assert forms("12,155千円|1,215万円\n\n理由｜ \n|") == (("12,155千円", "1,215万円"), ("理由",))
    draft = filled(DraftCase(3, "", "draft", "down", "前の文"), RIGHT)
    assert draft.must == (("クラウド型", "クラウド"),) and draft.sheets == ("図書館システム運用",)
    assert shown(draft)[1:] == list(RIGHT)  # what is saved opens as it was
    assert shown(None)[1] == "" and "新しい質問" in shown(None)[0]


def test_accept_save_reject(desk: Desk) -> None:
    told, number = decide(desk, 0, "accepted", ("問い", "", "lookup-text", False, "", "", [], ""))
    assert "答えなしが正解" in told and number == 0 and desk.book.counts()["accepted"] == 0
    told, number = decide(desk, 0, "accepted", RIGHT)
    assert told == "採用しました。" and desk.book.find(number).origin == "written"
    told, _ = decide(desk, 0, None, RIGHT)
    assert "同じ質問" in told
    told, _ = decide(desk, number, "accepted", (*RIGHT[:4], "みかん", *RIGHT[5:]))
    assert told.startswith("採用しました。念のため") and "みかん" in told
    told, same = decide(desk, number, None, RIGHT)
    assert told == "保存しました。" and same == number and desk.book.find(number).state == "accepted"
    told, _ = decide(desk, number, "rejected", RIGHT)
    assert told == "却下しました。" and [label for label, _ in state_choices(desk)] == [
        "案（未確認） 0",
        "採用 0",
        "却下 1",
    ]
    assert decide(desk, number, None, ("  ", *RIGHT[1:]))[0].startswith("質問が空です")


def test_the_table_says_what_a_follow_up_follows(desk: Desk) -> None:
    desk.book.note("down", "では<b>目的は", ["図書館の計画は"])
    desk.book.note("down", "では<b>目的は", ["図書館の計画は"])
    assert rows(desk, "draft") == [[1, "図書館の計画は → では<b>目的は", "続けて聞く", "役に立たなかった 2回"]]
    assert sheet_choices(desk)[:2] == ["図書館システム運用", "道路台帳整備"]
    html = render_origin(replace(desk.book.find(1), comment="<i>違う", cited=("図書館 / 計画",)))
    assert "&lt;i&gt;違う" in html and "図書館 / 計画" in html and "<i>" not in html


def test_a_run_in_plain_words(desk: Desk) -> None:
    decide(desk, 0, "accepted", RIGHT)
    decide(desk, 0, "accepted", ("道路台帳の<目的>は", "", "lookup-number", False, "みかん", "", ["道路台帳整備"], ""))
    first = desk.run()
    html = render_run(first, None)
    assert "2問のうち 1問が正答" in html and "前回の実行がない" in html and "95%" not in html
    assert "道路台帳の&lt;目的&gt;は" in html and "必須の語がない: みかん" in html and "<目的>" not in html
    decide(desk, 2, None, ("道路台帳の<目的>は", "", "lookup-number", False, "電子化", "", ["道路台帳整備"], ""))
    html = render_run(desk.run(), desk.change())
    assert "前回 50% → 今回 100%。直った質問 1、誤りになった質問 0（偶然でも起こりうる差です）" in html
    told = render_runs(desk.history())
    assert "+50ポイント" in told and told.index("100%") < told.index("50%")
    assert "まだありません" in render_runs([])
    for page in (html, told):
        Balanced().check(page)


def test_every_type_has_its_words() -> None:
    assert tuple(TYPE_LABELS) == CASE_TYPES


class Balanced(HTMLParser):
    """Fails on a tag that is not closed in its turn."""

    def check(self, html: str) -> None:
        self.open: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_links_give_files_that_can_be_run(tmp_path: Path) -> None:
    store = FeedbackStore(tmp_path / "f.sqlite")
    app = create_app(FakeAssistant(), store)
    with TestClient(app) as client:
        assert "まだ実行されていません" in client.get("/evaluation/report.html").json()["error"]["message"]
        desk = Desk(FakeAssistant(), store.cases, tmp_path / "evals")
        decide(desk, 0, "accepted", RIGHT)
        decide(desk, 0, None, ("案のまま", "", "lookup-text", False, "", "", [], ""))
        for ending in ("jsonl", "csv", "xlsx"):
            response = client.get(f"/evaluation/cases.{ending}")
            assert "attachment" in response.headers["content-disposition"]
            path = tmp_path / f"q.{ending}"
            path.write_bytes(response.content)
            [case] = read_cases(path).cases
            assert (case.question, case.answer.must) == (RIGHT[0], (("クラウド型", "クラウド"),))
        assert client.get("/evaluation/cases.exe").status_code == 422
        assert client.get("/evaluation/cases.csv?state=x").status_code == 422
        assert client.get("/evaluation/cases.jsonl?state=draft").content == b""  # no gold yet
        desk.run()
        page = client.get("/evaluation/report.html").text
        assert "accepted.jsonl" in page and "http://" not in page.replace("http://www.w3.org", "")
