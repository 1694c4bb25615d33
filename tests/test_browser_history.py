"""履歴 and the papers of a conversation in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from browser_pages import WIDE, Watched, ask, serving, sheet_frame
from browser_pages import browser as browser
from browser_pages import pytestmark as pytestmark
from browser_pages import store as store
from browser_pages import watched as watched
from browser_pages import wide as wide
from docx import Document

from assistant.conversations import Keeping
from assistant.store import FeedbackStore
from tests.fakes import FakeAssistant
from ui.visitors import COOKIE, owner_name

QUESTION = "図書館の今後の計画は"


@pytest.fixture(scope="module")
def assistant() -> FakeAssistant:
    return FakeAssistant()


@pytest.fixture(scope="module")
def address(assistant, store) -> Iterator[str]:
    with serving(assistant, store) as address:
        yield address


def owner(page) -> str:
    """Whose browser it is, as the store knows it."""
    return owner_name(next(one["value"] for one in page.context.cookies() if one["name"] == COOKIE))


def new_conversation(page) -> None:
    page.get_by_role("button", name="新しい会話").click()
    page.wait_for_selector("button.hy-example:visible")


def unfold(page) -> None:
    page.locator("#hy-history > button:not(.open)").click()
    page.wait_for_selector("#hy-history-list .hy-talks")


def talks(page, count: int):
    """The titles in the list, once there are so many."""
    page.wait_for_function(
        "count => document.querySelectorAll('#hy-history-list .hy-talk').length === count", arg=count
    )
    return page.locator("#hy-history-list .hy-talk-title").all_inner_texts()


def asked(page) -> list[str]:
    return page.locator("#hy-chat .hy-question").all_inner_texts()


def test_a_conversation_is_found_again_opened_and_continued(watched, assistant, tmp_path):
    page = watched.start()
    ask(page, QUESTION)
    ask(page, "決算額が大きい事業は？")
    answers = page.locator("#hy-chat .hy-answer").all_inner_texts()
    new_conversation(page)
    ask(page, "海底 都市 構想")
    page.get_by_text("履歴（2件）").wait_for()  # nothing is under way that a new page would cut off
    page = watched.start()  # opened again: the browser is still known
    unfold(page)
    page.get_by_text("履歴（2件）").wait_for()
    assert talks(page, 2) == ["海底 都市 構想", QUESTION]
    assert page.locator("#hy-history-list h3").all_inner_texts() == ["今日"] and watched.fits()
    assert "90日" in page.inner_text("#hy-history-list") and "ほかの人の画面には出ません" in page.inner_text(
        "#hy-history-list"
    )
    page.screenshot(path=tmp_path / "history.png")
    page.fill("#hy-history-search textarea, #hy-history-search input", "ｸﾗｳﾄﾞ型")  # a word of the answer
    assert talks(page, 1) == [QUESTION]
    page.locator("#hy-history-list .hy-talk").click()
    page.wait_for_function("document.querySelectorAll('#hy-chat .hy-question').length === 2")
    assert page.locator("#hy-chat .hy-answer").all_inner_texts() == answers, "as they were"
    page.wait_for_selector("#hy-history > button:not(.open)")
    page.locator("#hy-chat a.hy-card").first.click()
    assert sheet_frame(page).locator("mark#quote").text_content() == "令和7年度にクラウド型の図書館システムへ移行する。"
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.hy-drawer", state="hidden")
    page.screenshot(path=tmp_path / "opened.png")
    ask(page, "では目的は")
    _, history, _ = assistant.asked[-1]
    assert [turn.content for turn in history if turn.role == "user"] == [QUESTION, "決算額が大きい事業は？"]
    unfold(page)
    page.get_by_text("質問3件").wait_for()
    assert len(talks(page, 1)) == 1


def test_one_conversation_is_deleted_and_then_all_of_them(watched, store, tmp_path):
    page = watched.start()
    for question in ("道路台帳整備の事業の目的は", "広報紙発行の今後の計画は", QUESTION):
        ask(page, question)
        new_conversation(page)
    ask(page, "決算額の推移は？")
    unfold(page)
    assert talks(page, 4)[-1] == "道路台帳整備の事業の目的は"
    delete = page.get_by_role("button", name="会話「道路台帳整備の事業の目的は」を削除")
    delete.click()
    page.wait_for_selector("dialog.hy-confirm[open]")
    assert "元に戻せません" in page.inner_text("dialog.hy-confirm") and watched.fits()
    page.screenshot(path=tmp_path / "confirm.png")
    page.get_by_role("button", name="やめる").click()
    page.wait_for_selector("dialog.hy-confirm", state="hidden")
    assert len(store.talks.listing(owner(page))) == 4, "nothing is deleted without a yes"
    delete.click()
    page.get_by_role("button", name="削除する").click()
    assert "道路台帳整備の事業の目的は" not in talks(page, 3)
    assert asked(page) == ["決算額の推移は？"], "what is on the screen stays"
    page.get_by_role("button", name="会話「決算額の推移は？」を削除").click()
    page.get_by_role("button", name="削除する").click()
    page.wait_for_selector("button.hy-example:visible")
    assert len(talks(page, 2)) == 2 and asked(page) == [], "the deleted conversation is not on the screen any more"
    page.wait_for_function("document.activeElement.closest('#hy-history') !== null")
    page.get_by_role("button", name="すべて削除").click()
    page.keyboard.press("Escape")  # means no
    page.wait_for_selector("dialog.hy-confirm", state="hidden")
    assert len(store.talks.listing(owner(page))) == 2
    page.get_by_role("button", name="すべて削除").click()
    page.get_by_role("button", name="削除する").click()
    page.get_by_text("まだ会話はありません").wait_for()
    assert store.talks.listing(owner(page)) == []


def test_another_browser_neither_sees_nor_opens_nor_deletes_it(wide, store, browser, address):
    page = wide.start()
    ask(page, QUESTION)
    talk = store.talks.listing(owner(page))[0].id
    stranger = Watched(browser, address, WIDE)
    other = stranger.start()
    assert owner(other) != owner(page)
    unfold(other)
    other.get_by_text("まだ会話はありません").wait_for()
    for what in ("open", "delete", "all"):
        other.evaluate(
            """([what, talk]) => {
              const button = document.createElement("button");
              Object.assign(button.dataset, { do: what, talk });
              document.querySelector("#hy-history-list .hy-talks").append(button);
              button.click();
            }""",
            [what, talk],
        )
        other.get_by_text(
            {"open": "もう履歴にありません", "delete": "会話を削除しました", "all": "すべて削除しました"}[what]
        ).wait_for()
    assert asked(other) == [] and store.talks.length(owner(page), talk) == 1
    refused = other.context.request.get(f"{address}/papers/{talk}.docx")
    assert refused.status == 404 and QUESTION not in refused.text()
    assert page.context.request.get(f"{address}/papers/{talk}.docx").status == 200
    assert stranger.complaints == [] and stranger.outside == []
    stranger.context.close()


def test_an_answer_of_an_earlier_index_says_so_and_is_asked_again(watched, store):
    page = watched.start()
    ask(page, QUESTION)
    with store.talks._db.transaction() as db:  # as if the index had been made again since
        db.execute("update talk_entries set index_version = 'fake-0'")
    new_conversation(page)
    unfold(page)
    talks(page, 1)
    page.locator("#hy-history-list .hy-talk").click()
    note = page.locator("#hy-chat .hy-stale")
    note.wait_for()
    assert "索引が新しくなりました。引用は今の原文にもそのままあります。" in note.inner_text() and watched.fits()
    page.get_by_role("button", name="もう一度質問する").click()
    page.wait_for_function("document.querySelectorAll('#hy-chat .hy-question').length === 2")
    page.wait_for_function("document.querySelectorAll('#hy-chat .hy-tools').length === 2")
    assert asked(page) == [QUESTION, QUESTION] and note.count() == 1
    assert page.input_value("#hy-question textarea") == ""


def saved(page, name: str, at: int = 0) -> Path:
    link = page.get_by_role("link", name=name).nth(at)
    link.wait_for()
    with page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename.startswith("評価シートへの質問と回答_")
    ending = Path(download.value.suggested_filename).suffix
    return Path(download.value.path()).rename(Path(download.value.path()).with_suffix(ending))


def test_a_conversation_and_one_answer_are_saved_as_files(watched, address, tmp_path):
    page = watched.start()
    ask(page, QUESTION)
    ask(page, "決算額が大きい事業は？")
    page.screenshot(path=tmp_path / "papers.png")
    document = Document(str(saved(page, "会話をWordで保存")))
    heads = [paragraph.text for paragraph in document.paragraphs if paragraph.style.name == "Heading 1"]
    assert heads == [f"質問1　{QUESTION}", "質問2　決算額が大きい事業は？"] and len(document.tables) == 1
    book = openpyxl.load_workbook(saved(page, "会話をExcelで保存"))
    assert book.sheetnames == ["質問一覧", "質問2の表", "質問2のグラフ", "出典"]
    assert book["質問2の表"]["C2"].value == 3_000_000
    assert book["出典"]["K2"].hyperlink.target.startswith(f"{address}/sheet/aoba-1?start=")
    document = Document(str(saved(page, "回答をWordで保存", 1)))
    heads = [paragraph.text for paragraph in document.paragraphs if paragraph.style.name == "Heading 1"]
    assert heads == ["質問1　決算額が大きい事業は？"]
    assert openpyxl.load_workbook(saved(page, "回答をExcelで保存"))["質問一覧"]["B6"].value == QUESTION
    assert page.url == f"{address}/" and len(asked(page)) == 2, "the conversation is still there"


def test_switched_off_there_is_no_history_but_there_are_papers(browser, tmp_path):
    store = FeedbackStore(tmp_path / "store.sqlite", Keeping(on=False))
    store.asked.counting = False  # how often a question is asked is another matter
    with serving(FakeAssistant(), store) as address:
        watched = Watched(browser, address, WIDE)
        page = watched.start()
        ask(page, QUESTION)
        assert Document(str(saved(page, "会話をWordで保存"))).paragraphs
        page.get_by_text("この会話はあとから開けません").wait_for()
        assert page.locator("#hy-history:visible").count() == 0
        assert watched.complaints == [] and watched.outside == []
        watched.context.close()
    store.close()
    assert all(QUESTION.encode() not in part.read_bytes() for part in tmp_path.glob("store.sqlite*"))
