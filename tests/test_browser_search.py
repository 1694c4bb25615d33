"""検索 in a real browser: results while typing, facets, help, links and files."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import openpyxl
import pytest
from browser_pages import WIDE, Watched, ask, sheet_frame
from browser_pages import address as address
from browser_pages import browser as browser
from browser_pages import pytestmark as pytestmark
from browser_pages import store as store
from browser_pages import watched as watched
from browser_pages import wide as wide

CARDS = "#hy-found a.hy-card"
COUNTED = "text => document.querySelector('#hy-found .hy-count')?.textContent.startsWith(text)"


def open_search(watched: Watched, query: str = ""):
    page = watched.open(f"/?tab=search{query}")
    page.wait_for_selector("#hy-words:visible")
    page.wait_for_function("document.querySelector('.hy-indexed').textContent.includes('4シート')")
    return page


def open_facets(page) -> None:
    if page.viewport_size["width"] < 640:  # folded on a telephone
        page.click("#hy-facets > button:not(.open)")


def titles(page) -> list[str]:
    return page.locator("#hy-found a.hy-card .hy-title").all_inner_texts()


def asked(page) -> list[str]:
    """The words of every search the page makes from now on, as they come in."""
    words: list[str] = []

    def note(request) -> None:
        if "/search/results" in request.url:
            words.append(parse_qs(urlparse(request.url).query).get("q", [""])[0])

    page.on("request", note)
    return words


def test_results_come_while_typing_pauses_and_a_facet_narrows_them(watched, tmp_path):
    page = open_search(watched)
    page.locator("#hy-words").press_sequentially("図書館")
    page.wait_for_function(COUNTED, arg="2件中 1〜2件")
    assert page.locator("#hy-found mark").first.inner_text() == "図書館"
    assert "事業名・本文に一致" in page.locator(CARDS).first.inner_text()
    assert watched.fits()
    page.screenshot(path=tmp_path / "search.png", full_page=True)
    open_facets(page)
    page.get_by_label("ひので市（1）").check()
    page.wait_for_function(COUNTED, arg="1件中")
    assert titles(page) == ["図書館システム更新"]
    page.get_by_label("あおば市（1）").wait_for()  # the other city can still be picked
    assert page.get_by_label("ひので市（1）").is_checked()
    page.get_by_role("link", name="条件「ひので市」を外す", exact=True).click()
    page.wait_for_function(COUNTED, arg="2件中")
    page.get_by_label("総合評価：C（1）").check()
    page.wait_for_function(COUNTED, arg="1件中")
    page.locator(CARDS).first.click()
    assert sheet_frame(page).locator("h1").inner_text() == "図書館システム更新"


def test_a_slower_older_search_never_overwrites_a_newer_one(wide):
    page = open_search(wide)
    held = []
    page.route(
        "**/search/results?q=%E9%81%93*", lambda route: held.append(route)
    )  # 道…, which never comes back in time
    page.fill("#hy-words", "道路台帳")
    with page.expect_event("requestfailed", lambda request: "/search/results" in request.url):
        page.press("#hy-words", "Enter")
        page.wait_for_function("document.querySelector('#hy-found').ariaBusy === 'true'")
        page.fill("#hy-words", "図書館")
        page.press("#hy-words", "Enter")
    page.wait_for_function(COUNTED, arg="2件中")
    assert len(held) == 1 and titles(page) == ["図書館システム運用", "図書館システム更新"]
    assert page.get_attribute("#hy-found", "aria-busy") == "false"


COMPOSING = """box => {
  const key = {key: "Enter", code: "Enter", bubbles: true, cancelable: true, keyCode: 229};
  box.focus();
  box.dispatchEvent(new CompositionEvent("compositionstart", {bubbles: true}));
  box.value = "図書館";
  box.dispatchEvent(new InputEvent("input", {bubbles: true, isComposing: true}));
  box.dispatchEvent(new KeyboardEvent("keydown", {...key, isComposing: true}));
}"""
COMPOSED = """(box, safari) => {
  const key = {key: "Enter", code: "Enter", bubbles: true, cancelable: true, keyCode: 229};
  if (!safari) box.dispatchEvent(new KeyboardEvent("keydown", {...key, isComposing: true}));
  box.dispatchEvent(new CompositionEvent("compositionend", {bubbles: true}));
  if (safari) box.dispatchEvent(new KeyboardEvent("keydown", key));
}"""


@pytest.mark.parametrize("safari", [False, True], ids=["chrome", "safari"])
def test_a_conversion_is_searched_once_it_is_over(wide, safari):
    page = open_search(wide)
    box = page.locator("#hy-words")
    words = asked(page)
    box.evaluate(COMPOSING)
    page.wait_for_timeout(700)  # more than the pause after the last key
    assert words == [], "nothing is searched while a conversion is open"
    box.evaluate(COMPOSED, safari)
    page.wait_for_function(COUNTED, arg="2件中")
    assert words == ["図書館"], "Enter that closed the conversion did not search a second time"
    with page.expect_request("**/search/results*"):
        box.press("Enter")  # the next Enter is a real one
    assert words == ["図書館", "図書館"]


def test_a_link_shows_a_colleague_the_same(watched, browser, address):
    page = open_search(watched, "&q=図書館")
    page.wait_for_function(COUNTED, arg="2件中")
    page.select_option("#hy-sort", "amount")
    page.wait_for_function("document.querySelector('#hy-found .hy-title').textContent === '図書館システム更新'")
    open_facets(page)
    page.get_by_label("100万〜1,000万円（2）").check()
    page.get_by_role("link", name="条件「100万〜1,000万円」を外す", exact=True).wait_for()
    page.get_by_label("今後の計画（2）").check()
    page.get_by_role("link", name="条件「今後の計画」を外す", exact=True).wait_for()
    page.click(".hy-copy-link")
    page.get_by_role("button", name="コピーしました").wait_for()
    seen = titles(page)
    other = Watched(browser, address, WIDE)
    colleague = other.open(page.url.removeprefix(address))
    colleague.wait_for_selector(CARDS)
    assert titles(colleague) == seen == ["図書館システム更新", "図書館システム運用"]
    assert colleague.input_value("#hy-words") == "図書館" and colleague.input_value("#hy-sort") == "amount"
    assert colleague.get_by_label("100万〜1,000万円（2）").is_checked()
    assert colleague.get_by_label("今後の計画（2）").is_checked()
    assert other.complaints == []
    other.context.close()


def test_where_nothing_is_found_one_click_finds_something(watched):
    page = open_search(watched, "&q=図書館&municipality=ひので市&fiscal_year=２０２３")
    page.get_by_text("当てはまる記載がありません").wait_for()
    page.get_by_role("link", name="令和4年度（1件）").click()
    page.wait_for_function(COUNTED, arg="1件中")
    page.get_by_text("絞り込み中：ひので市・令和4年度").wait_for()  # the filters that all screens share follow
    page.fill("#hy-words", "図書官")
    page.press("#hy-words", "Enter")
    page.get_by_role("link", name="図書館（1件）").click()
    page.wait_for_function(COUNTED, arg="1件中")
    assert page.input_value("#hy-words") == "図書館"


def test_a_filter_of_the_search_holds_for_the_chat_and_one_above_for_the_search(wide):
    page = open_search(wide, "&q=図書館")
    page.get_by_label("ひので市（1）").check()
    page.get_by_text("絞り込み中：ひので市").wait_for()
    page.get_by_role("tab", name="質問").click()
    page.wait_for_selector("button.hy-example:visible")
    assert "tab=" not in page.url and "municipality=" in page.url
    ask(page, "決算額が大きい事業は？")
    assert "全2件中2件" in page.inner_text("#hy-chat .hy-body")
    page.get_by_role("tab", name="検索").click()
    page.wait_for_function(COUNTED, arg="1件中")
    page.click("#hy-scope > button")
    box = page.locator("#hy-scope-fiscal_year input")
    for typed in ("２０２２", "Ｒ４"):
        box.click()
        box.fill(typed)
        page.wait_for_function("document.querySelectorAll('#hy-scope-fiscal_year [role=option]').length === 1")
    page.get_by_role("option", name="令和4年度・2022").click()
    page.get_by_role("link", name="条件「令和4年度」を外す", exact=True).wait_for()
    assert page.get_by_label("令和4年度（1）").is_checked()


def test_the_whole_list_is_saved(wide):
    page = open_search(wide, "&q=図書館")
    page.wait_for_selector(CARDS)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV", exact=True).click()
    saved = Path(download.value.path()).read_bytes()
    rows = list(csv.reader(io.StringIO(saved.decode("utf-8-sig"))))
    assert saved.startswith(b"\xef\xbb\xbf") and len(rows) == 5 and rows[1][2] == "図書館システム運用"
    with page.expect_download() as download:
        page.get_by_role("link", name="Excel", exact=True).click()
    copy = Path(download.value.path()).rename(Path(download.value.path()).with_suffix(".xlsx"))
    assert openpyxl.load_workbook(copy).active["H2"].value == 1_500_000


def test_keyboard_alone_searches_narrows_and_opens_a_sheet(wide):
    page = open_search(wide)
    page.focus("#hy-words")
    page.keyboard.type("図書館")
    page.keyboard.press("Enter")
    page.wait_for_function(COUNTED, arg="2件中")
    box = page.get_by_label("ひので市（1）")
    box.focus()
    page.keyboard.press("Space")
    page.wait_for_function(COUNTED, arg="1件中")
    assert page.evaluate("document.activeElement.value") == "ひので市", "the box just used keeps the focus"
    page.locator(".hy-others summary").first.focus()
    page.keyboard.press("Enter")
    page.locator("a.hy-other").first.focus()
    page.keyboard.press("Enter")
    sheet_frame(page)
