"""What can be changed about an answer and said about it, in a real browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from browser_pages import CHROMIUM, FLAGS, NARROW, WIDE, Watched, ask
from browser_pages import address as address
from browser_pages import browser as browser
from browser_pages import pytestmark as pytestmark
from browser_pages import store as store
from browser_pages import watched as watched
from browser_pages import wide as wide
from test_browser_real import real as real

from tests.fakes import FakeAssistant
from ui.exchanges import respond_again
from ui.render import plain_answer

PLAIN_HTTP = "hyoka.example"  # a name that is not this machine: without https the browser gives it no clipboard


@pytest.fixture(params=[WIDE, NARROW], ids=["1280", "390"])
def bundled(request, browser, real) -> Iterator[Watched]:
    """The bundled sheets."""
    watched = Watched(browser, real, request.param)
    yield watched
    assert watched.outside == [] and watched.complaints == []
    assert watched.fits()
    watched.context.close()


def chips(page) -> list[str]:
    return page.locator("#hy-chat .hy-answer").last.locator(".hy-drop").evaluate_all("all => all.map(one => one.value)")


def press(page, name: str, value: str) -> None:
    """Presses a button of the last answer that asks again, and waits for the answer that takes its place."""
    answer = page.locator("#hy-chat .hy-answer").last
    button = answer.locator(f".hy-again[name='{name}'][value='{value}']")
    button.scroll_into_view_if_needed()
    top, old = answer.bounding_box()["y"], answer.element_handle()
    button.click()
    page.wait_for_function("answer => !answer.isConnected", arg=old)
    page.wait_for_selector("#hy-chat .hy-answer[aria-busy]", state="detached")
    # The eye stays where it was.
    page.wait_for_function(
        "top => Math.abs([...document.querySelectorAll('#hy-chat .hy-answer')].pop().getBoundingClientRect().top - top) < 3",
        arg=top,
    )


def test_what_was_carried_over_is_taken_away_with_one_click(bundled, tmp_path):
    page = bundled.start()
    ask(page, "湊見市の学校給食運営事業の令和6年度の決算額は？")
    assert chips(page) == [] and "前の質問" not in page.inner_text("#hy-chat .hy-reading")
    ask(page, "目的は？")
    assert chips(page) == ["municipality", "sheet", "period"]
    assert page.get_by_role("button", name="シート 学校給食運営事業 を外す", exact=True).is_visible()
    page.screenshot(path=tmp_path / "carried.png")
    press(page, "without", "sheet")
    assert chips(page)[:1] == ["municipality"] and "sheet" not in chips(page)
    assert "引き継がないもの：シート" in page.locator("#hy-chat .hy-reading").last.inner_text()
    assert page.locator("#hy-chat .hy-question").count() == 2, "the answer was replaced, not asked once more below"
    # What follows does not come back to the sheet that was taken away.
    ask(page, "課題は？")
    assert "sheet" not in chips(page)
    page.locator("#hy-chat .hy-again[name='without'][value='']").click()
    page.wait_for_function("document.querySelectorAll('#hy-chat .hy-drop[value=sheet]').length === 1")


def test_the_way_years_are_counted_is_switched_with_one_click(bundled, tmp_path):
    page = bundled.start()
    ask(page, "2026年に何がある？")
    pressed = "#hy-chat .hy-switch[aria-pressed='true']"
    body = page.inner_text("#hy-chat .hy-body")
    assert page.inner_text(pressed) == "暦年と年度の両方"
    page.locator("#hy-chat .hy-switch[value='fiscal']").focus()
    old = page.locator("#hy-chat .hy-answer").element_handle()
    page.keyboard.press("Enter")
    page.wait_for_function("answer => !answer.isConnected", arg=old)
    page.wait_for_selector(f"{pressed}[value='fiscal']")
    assert page.inner_text("#hy-chat .hy-read").endswith("令和8年度（2026年4月〜2027年3月）")
    assert page.inner_text("#hy-chat .hy-body") != body
    page.wait_for_function("document.activeElement.value === 'fiscal'")  # the keyboard is where it was
    page.screenshot(path=tmp_path / "fiscal.png")
    press(page, "reading", "both")
    assert page.inner_text("#hy-chat .hy-body") == body
    ask(page, "令和8年度に何がある？")
    assert page.locator("#hy-chat .hy-answer").last.locator(".hy-switch").count() == 0, "the words say which"


def test_one_of_two_sheets_of_a_name_is_chosen_with_one_click(bundled):
    page = bundled.start()
    ask(page, "学校給食運営事業の目的は？")
    towns = [text.split(" ›")[0] for text in page.locator("#hy-chat .hy-where").all_inner_texts()]
    assert set(towns) == {"湊見市", "桜坂町"}
    page.get_by_role("button", name="桜坂町 教育委員会 学校教育課").click()
    page.wait_for_selector("#hy-chat .hy-switch.hy-on:has-text('桜坂町')")
    assert all(text.startswith("桜坂町") for text in page.locator("#hy-chat .hy-where").all_inner_texts())
    # Follow-ups by the suggestions stay with it.
    page.locator("#hy-chat button.option").first.click()
    page.wait_for_function("document.querySelectorAll('#hy-chat .hy-opinion').length === 2")
    last = page.locator("#hy-chat .hy-answer").last.locator(".hy-where")
    assert last.count() and all(text.startswith("桜坂町") for text in last.all_inner_texts())


def test_suggestions_are_never_hidden_behind_the_question_box(bundled):
    page = bundled.start()
    ask(page, "水道管路更新事業の令和6年度の決算額は？")
    suggestions = page.locator("#hy-chat button.option")
    assert suggestions.count() == 3
    for suggestion in suggestions.all():
        page.evaluate("window.scrollTo(0, 0)")
        suggestion.focus()
        page.wait_for_function(
            """one => { const box = one.getBoundingClientRect();
            return one.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)); }""",
            arg=suggestion.element_handle(),
        )
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelectorAll('#hy-chat .hy-opinion').length === 2")
    assert "hy-abstained" not in page.locator("#hy-chat .hy-answer").last.get_attribute("class")


def test_a_filter_is_a_chip_beside_the_question(watched, tmp_path):
    page = watched.open("/?municipality=%E3%81%B2%E3%81%AE%E3%81%A7%E5%B8%82&fiscal_year=2022")
    page.wait_for_selector("button.hy-example:visible")
    page.get_by_role("button", name="ひので市 の絞り込みを外す").wait_for()
    ask(page, "決算額が大きい事業は？")
    assert "全2件中2件" in page.inner_text("#hy-chat .hy-body")
    assert page.inner_text("#hy-chat .hy-filtered") == "絞り込み: ひので市・令和4年度"
    page.screenshot(path=tmp_path / "chips.png")
    page.get_by_role("button", name="ひので市 の絞り込みを外す").click()
    page.wait_for_function("!location.search.includes('municipality=')")
    assert "fiscal_year=2022" in page.url
    page.get_by_role("button", name="令和4年度 の絞り込みを外す").click()
    page.wait_for_selector("#hy-chips .hy-filter", state="detached")
    ask(page, "決算額が大きい事業は？")
    assert "全4件中4件" in page.locator("#hy-chat .hy-body").last.inner_text()


KEPT = "#hy-chat .hy-kept:text-is('保存しました。ありがとうございます。')"


def test_opinions_are_given_by_keyboard_and_the_last_one_counts(watched, store, tmp_path):
    page = watched.start()
    before = len(store.latest())
    ask(page, "図書館の今後の計画は")
    page.get_by_role("button", name="役に立った", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(KEPT)
    assert len(store.latest()) == before + 1 and store.latest()[0].rating == "up"
    assert page.get_by_role("button", name="役に立った", exact=True).get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="根拠が違う").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="根拠が違う")
    dialog.get_by_role("checkbox", name="[1] 図書館システム運用").wait_for()
    page.screenshot(path=tmp_path / "evidence.png")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("別の年度の計画")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    dialog.wait_for(state="hidden")
    page.wait_for_selector("#hy-chat .hy-judge[value=evidence][aria-pressed=true]")
    page.wait_for_selector(KEPT)
    kept = store.latest()[0]
    assert len(store.latest()) == before + 1, "the second opinion replaces the first"
    assert (kept.rating, kept.reason, kept.citations, kept.comment) == ("down", "evidence", (1,), "別の年度の計画")
    assert (kept.question, kept.index_version) == ("図書館の今後の計画は", "fake-1")
    draft = next(one for one in store.cases.cases("draft") if one.question == "図書館の今後の計画は")
    assert "根拠が違う（引用 [1]）：別の年度の計画" in draft.comment
    assert draft.cited == ("図書館システム運用 / 今後の計画",)


def test_a_poor_answer_is_kept_at_once_and_the_comment_added(wide, store):
    page = wide.start()
    before = len(store.latest())
    ask(page, "図書館の今後の計画は")
    ask(page, "海底 都市 構想")
    answers = page.locator("#hy-chat .hy-answer")
    assert answers.nth(1).get_by_role("button", name="根拠が違う").count() == 0, "nothing was cited"
    answers.nth(1).get_by_role("button", name="役に立たなかった").click()
    page.wait_for_selector(KEPT)
    kept = store.latest()[0]
    assert len(store.latest()) == before + 1
    assert (kept.rating, kept.question, kept.comment) == ("down", "海底 都市 構想", "")
    dialog = page.get_by_role("dialog", name="どこが違いましたか")
    dialog.get_by_role("textbox").fill("地下の章にある")
    dialog.get_by_role("button", name="送る").click()
    page.wait_for_selector("dialog.hy-tell", state="detached")
    page.wait_for_selector(KEPT)
    assert store.latest()[0].comment == "地下の章にある" and len(store.latest()) == before + 1
    answers.first.get_by_role("button", name="根拠が違う").click()
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.hy-tell", state="detached")
    assert len(store.latest()) == before + 1, "what is not sent is not kept"


def test_a_switch_and_a_new_question_wait_for_each_other(browser, real, monkeypatch):
    watched = Watched(browser, real, WIDE)
    page = watched.start()
    ask(page, "2026年に何がある？")
    monkeypatch.setattr("ui.exchanges.STEP_SECONDS", 0.5)
    box = page.locator("#hy-question textarea")
    box.fill("湊見市の令和6年度の決算額が大きい順に5つ教えて")
    box.press("Enter")
    page.wait_for_selector("#hy-chat .hy-growing")
    page.locator("#hy-chat .hy-switch[value='fiscal']").first.click()
    page.wait_for_selector("#hy-chat .hy-switch.hy-on[value='fiscal']")
    assert page.locator("#hy-chat .hy-opinion").count() == 2, "both answers are whole"
    assert page.locator("#hy-chat .hy-answer").last.locator(".hy-table").count() == 1
    # The other way round: a question sent while a switch is under way is asked after it.
    slowly = threading.Event()
    monkeypatch.setattr("ui.exchanges.STEP_SECONDS", 0.04)
    monkeypatch.setattr("ui.chat.respond_again", lambda *given: (slowly.wait(120), respond_again(*given))[1])
    page.locator("#hy-chat .hy-switch[value='calendar']").first.click()
    page.wait_for_selector("#hy-chat .hy-answer[aria-busy=true]")
    box.fill("湊見市の職員研修事業の目的は？")
    box.press("Enter")
    assert page.locator("#hy-chat .hy-question").count() == 2
    slowly.set()
    page.wait_for_function("document.querySelectorAll('#hy-chat .hy-opinion').length === 3")
    assert page.locator("#hy-chat .hy-switch.hy-on").first.get_attribute("value") == "calendar"
    assert "職員研修事業" in page.locator("#hy-chat .hy-body").last.inner_text() and box.input_value() == ""
    assert watched.complaints == []
    watched.context.close()


def test_an_answer_is_copied_with_its_sources_over_plain_http(browser, address):
    rules = f"--host-resolver-rules=MAP {PLAIN_HTTP} 127.0.0.1"
    away = browser.browser_type.launch(executable_path=str(CHROMIUM), args=[*FLAGS, rules])
    watched = Watched(away, address.replace("127.0.0.1", PLAIN_HTTP), WIDE)
    page = watched.start()
    assert not page.evaluate("window.isSecureContext")
    ask(page, "図書館の今後の計画は")
    page.get_by_role("button", name="回答と出典をコピー").click()
    page.get_by_role("button", name="コピーしました").wait_for()
    box = page.locator("#hy-question textarea")
    box.focus()
    page.keyboard.press("Control+V")
    pasted = box.input_value()
    assert pasted == plain_answer(FakeAssistant().ask("図書館の今後の計画は"))
    assert "【出典】\n[1] あおば市／令和5年度／図書館システム運用／情報政策課（今後の計画）「令和7年度に" in pasted
    assert watched.complaints == [] and watched.outside == []
    away.close()


def test_a_new_question_stands_at_the_top_with_its_answer_under_it(bundled):
    page = bundled.start()
    for question in (
        "湊見市の令和6年度の決算額が大きい順に5つ教えて",
        "湊見市の令和6年度の予算額が大きい順に5つ教えて",
    ):
        ask(page, question)
        page.wait_for_function(
            """() => { const all = document.querySelectorAll("#hy-chat .hy-question");
            const top = all[all.length - 1].getBoundingClientRect().top; return top >= 0 && top < 120; }"""
        )
