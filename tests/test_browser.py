"""質問 in a real browser.

Screenshots go to pytest's temporary folder (``--basetemp`` keeps them in a place of your choice).
"""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from browser_pages import WIDE, Watched, ask, sheet_frame
from browser_pages import address as address
from browser_pages import browser as browser
from browser_pages import pytestmark as pytestmark
from browser_pages import store as store
from browser_pages import watched as watched
from browser_pages import wide as wide


def test_the_first_screen_says_what_it_is_and_what_it_holds(watched, tmp_path):
    page = watched.start()
    assert "評価シート" in page.inner_text("h1")
    page.wait_for_function("document.querySelector('.hy-indexed').textContent.includes('2自治体・4シート')")
    assert "AI生成文ではありません" in page.inner_text("body")
    assert page.evaluate("document.documentElement.lang") == "ja"
    page.screenshot(path=tmp_path / "start.png")


def test_the_question_box_stays_in_sight(watched):
    page = watched.open()
    page.locator(".hy-example").first.wait_for()
    seen = """() => { const box = document.querySelector("#hy-question").getBoundingClientRect();
      return box.top >= 0 && box.bottom <= window.innerHeight; }"""
    page.wait_for_function(seen)
    for question in ("財務会計システムの予算額は？", "予算額が大きいシステムは？"):
        ask(page, question)
    page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_function(seen)


def test_a_question_sent_while_an_answer_still_grows_is_asked_after_it(wide, monkeypatch):
    page = wide.start()
    whole = threading.Event()  # the answer waits until both questions are sent
    monkeypatch.setattr("ui.exchanges.clean_question", lambda question: (whole.wait(120), question)[1])
    box = page.locator("#hy-question textarea")
    questions = ["図書館の今後の計画は", "財務会計システムの予算額は？"]
    for at, question in enumerate(questions):
        box.fill(question)
        box.press("Enter")
        if at == 0:
            page.wait_for_selector("#hy-chat .hy-answer")
            assert page.locator("#hy-chat .hy-tools").count() == 0, "the first answer still grows"
    whole.set()
    done = "document.querySelectorAll('#hy-chat .hy-tools, #hy-chat .hy-abstained').length === 2"
    page.wait_for_function(done)
    assert page.locator("#hy-chat .hy-question").all_inner_texts() == questions
    assert box.input_value() == ""


def test_a_question_is_answered_and_its_citation_opens_the_marked_source(watched, tmp_path):
    page = watched.start()
    ask(page, "図書館の今後の計画は")
    assert "クラウド型" in page.inner_text("#hy-chat .hy-body")
    page.screenshot(path=tmp_path / "answer.png")
    page.click("#hy-chat a.hy-card")
    mark = sheet_frame(page).locator("mark#quote")
    assert mark.text_content() == "令和7年度にクラウド型の図書館システムへ移行する。"
    box, window = mark.bounding_box(), page.viewport_size
    assert box is not None and 0 <= box["y"] < window["height"], "the mark is scrolled into view"
    page.screenshot(path=tmp_path / "source.png")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.hy-drawer", state="hidden")
    assert "クラウド型" in page.inner_text("#hy-chat .hy-body"), "the conversation is still there"


def test_an_example_is_asked_with_one_click(watched):
    page = watched.start()
    example = page.locator("button.hy-example:visible").first
    question = example.inner_text()
    example.click()
    page.wait_for_selector("#hy-chat .hy-tools")
    assert page.inner_text("#hy-chat .hy-question") == question
    assert page.locator("button.hy-example:visible").count() == 0
    page.get_by_role("button", name="新しい会話").click()
    page.wait_for_selector("button.hy-example:visible")
    assert page.locator("#hy-chat .hy-question").count() == 0


def test_a_list_has_a_table_a_chart_and_files(wide):
    page = wide.start()
    ask(page, "決算額が大きい事業は？")
    rows = page.locator("#hy-chat .hy-table tbody tr")
    assert rows.count() == 4 and "3,000,000" in rows.first.inner_text()
    widths = page.eval_on_selector_all("#hy-chat .hy-bar", "bars => bars.map(bar => bar.getBoundingClientRect().width)")
    assert len(widths) == 4 and widths == sorted(widths, reverse=True)
    assert abs(widths[1] / widths[0] - 2.5 / 3.0) < 0.02  # 2,500,000 円 beside 3,000,000 円
    with page.expect_download() as download:
        page.click("button.hy-csv")
    csv = Path(download.value.path()).read_bytes().decode("utf-8")
    assert csv.startswith('\ufeff"自治体","事業","決算額（円）","引用"\r\n"ひので市","図書館システム更新","3000000"')
    with page.expect_download() as download:
        page.click("button.hy-xlsx")
    import openpyxl

    copy = Path(download.value.path()).rename(Path(download.value.path()).with_suffix(".xlsx"))
    assert openpyxl.load_workbook(copy).active["C2"].value == 3_000_000


def test_a_line_chart_fills_its_width(watched):
    page = watched.start()
    ask(page, "決算額の推移は？")
    dots = page.eval_on_selector_all("#hy-chat .hy-dot", "all => all.map(one => one.getBoundingClientRect().x)")
    figure = page.locator("#hy-chat .hy-chart").bounding_box()
    assert len(dots) == 2 and figure is not None
    assert figure["x"] < dots[0] < dots[1] < figure["x"] + figure["width"]


def test_a_follow_up_by_a_suggestion_keeps_the_conversation(wide):
    page = wide.start()
    ask(page, "図書館の今後の計画は")
    page.get_by_role("button", name="決算額が大きい事業は？").click()
    page.wait_for_selector("#hy-chat .hy-table")
    assert page.locator("#hy-chat .hy-question").all_inner_texts() == ["図書館の今後の計画は", "決算額が大きい事業は？"]


def test_an_abstention_shows_what_is_near(wide):
    page = wide.start()
    ask(page, "図書館 月面 基地 建設")
    assert "見つかりませんでした" in page.inner_text("#hy-chat .hy-body")
    assert page.locator("#hy-chat .hy-cites a.hy-card").count() > 0


@pytest.mark.parametrize("question", ["爆発", "拒否してください"])
def test_a_broken_question_is_told_politely(wide, question):
    page = wide.start()
    ask(page, question)
    shown = page.inner_text("#hy-chat .hy-answer")
    assert shown and "secret" not in shown and "Traceback" not in shown


def test_what_a_person_types_never_becomes_html(wide):
    page = wide.start()
    ask(page, "<img src=x onerror=\"document.title='broken'\"><b>図書館</b>")
    assert "<b>図書館</b>" in page.inner_text("#hy-chat .hy-question")
    assert page.locator("#hy-chat img").count() == 0 and page.title() != "broken"


COMPOSE = """(element, ended) => {
  element.dispatchEvent(new CompositionEvent("compositionstart", {bubbles: true}));
  const key = {key: "Enter", code: "Enter", bubbles: true, cancelable: true};
  if (ended) {  // Safari: the conversion ends first, then Enter arrives with the code 229
    element.dispatchEvent(new CompositionEvent("compositionend", {bubbles: true}));
    element.dispatchEvent(new KeyboardEvent("keydown", {...key, keyCode: 229}));
  } else {  // Chrome and Firefox
    element.dispatchEvent(new KeyboardEvent("keydown", {...key, keyCode: 229, isComposing: true}));
    element.dispatchEvent(new KeyboardEvent("keypress", {...key, keyCode: 13, isComposing: true}));
    element.dispatchEvent(new CompositionEvent("compositionend", {bubbles: true}));
  }
}"""


@pytest.mark.parametrize("ended", [False, True], ids=["chrome", "safari"])
def test_enter_that_closes_a_conversion_does_not_send(wide, ended):
    page = wide.start()
    box = page.locator("#hy-question textarea")
    box.fill("図書館の今後の計画は")
    box.evaluate(COMPOSE, ended)
    page.wait_for_timeout(800)
    assert page.locator("#hy-chat .hy-question").count() == 0
    assert box.input_value() == "図書館の今後の計画は"
    box.press("Enter")  # the next Enter is a real one
    page.wait_for_selector("#hy-chat .hy-tools")


def test_dark_mode_is_readable(browser, address, tmp_path):
    watched = Watched(browser, address, WIDE, color_scheme="dark")
    page = watched.start()
    ask(page, "図書館の今後の計画は")
    light = "c => { const [r, g, b] = getComputedStyle(c).%s.match(/\\d+/g).map(Number); return r + g + b > 384; }"
    card = page.locator("#hy-chat a.hy-card")
    assert card.evaluate(light % "color") and not card.evaluate(light % "backgroundColor")
    page.screenshot(path=tmp_path / "dark.png")
    watched.context.close()


def test_keyboard_alone_asks_and_opens_a_citation(wide):
    page = wide.start()
    page.locator("button.hy-example:visible").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#hy-chat a.hy-card")
    page.locator("#hy-chat a.hy-card").first.focus()
    page.keyboard.press("Enter")
    sheet_frame(page)
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.hy-drawer", state="hidden")


def test_every_control_has_a_name(watched):
    page = watched.start()
    ask(page, "決算額が大きい事業は？")
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, input, textarea, a[href], iframe, svg[role='img']")]
        .filter(one => one.offsetParent && one.type !== "hidden")
        .filter(one => !(one.innerText || one.ariaLabel || one.title || one.placeholder || one.labels?.length))
        .map(one => one.outerHTML.slice(0, 200))"""
    )
    assert nameless == []
    labels = page.eval_on_selector_all("#hy-chat [aria-label]", "all => all.map(one => one.ariaLabel)")
    assert not any("<" in label for label in labels), "no tags are read aloud"
