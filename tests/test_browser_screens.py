"""検索, シート and 管理 in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser_pages import WIDE, Watched, ask
from browser_pages import address as address
from browser_pages import browser as browser
from browser_pages import pytestmark as pytestmark
from browser_pages import store as store
from browser_pages import watched as watched
from browser_pages import wide as wide

from tests.fakes import TEXTS


def test_shared_filters_are_shown_and_kept_in_the_address(wide, browser, address):
    page = wide.start()
    page.click("#hy-scope > button")
    page.click("#hy-scope-municipality input")
    page.get_by_role("option", name="ひので市").click()
    page.get_by_text("絞り込み中：ひので市").wait_for()
    page.wait_for_function("location.search.includes('municipality=')")
    ask(page, "決算額が大きい事業は？")
    assert "全2件中2件" in page.inner_text("#hy-chat .hy-body")


@pytest.mark.parametrize(
    "address_tail", ["?tab=x&fiscal_year=%00&municipality=%3Cb%3E", "?q=%FF&fiscal_year=99999999999999"]
)
def test_an_address_with_nonsense_opens_the_first_screen(wide, address_tail):
    page = wide.open(f"/{address_tail}")
    page.wait_for_selector("button.hy-example", state="attached")
    page.get_by_role("tab", name="質問").wait_for()


def test_the_list_of_sheets_opens_a_sheet(watched, tmp_path):
    page = watched.start()
    page.get_by_role("tab", name="シート").click()
    page.wait_for_selector(".hy-catalogue a:visible")
    page.locator("#hy-sheets textarea, #hy-sheets input").first.fill("道路")
    page.wait_for_function("document.querySelectorAll('.hy-catalogue a').length === 1")
    page.click(".hy-catalogue a")
    narrow = page.viewport_size["width"] < 640
    frame = page.frame_locator("dialog.hy-drawer iframe" if narrow else "iframe.hy-pane")
    assert frame.locator("h1").inner_text() == "道路台帳整備"
    assert frame.locator(".hy-home").count() == 0
    page.screenshot(path=tmp_path / "sheets.png")


def test_the_status_screen_shows_the_index_and_what_was_missed(watched):
    page = watched.start()
    ask(page, "海底 都市 構想")
    page.get_by_role("tab", name="管理").click()
    page.wait_for_selector("#hy-files .hy-file")
    assert "文書 2・シート 4" in page.inner_text("#hy-status")
    page.get_by_role("tab", name="利用状況").click()
    page.wait_for_selector("#hy-usage td:has-text('海底 都市 構想')")


def test_the_parse_report_opens_to_its_sheets_and_hides_what_is_fine(watched, tmp_path):
    page = watched.open("/?tab=status")
    page.wait_for_selector("#hy-files .hy-file")
    page.locator(".hy-file > summary").first.click()
    assert page.locator(".hy-file tbody tr:visible").count() == 2 and watched.fits()
    assert "12行目" in page.inner_text(".hy-file") and "見つからない項目: 目的・指標" in page.inner_text(".hy-file")
    page.screenshot(path=tmp_path / "report.png")
    page.locator("#hy-files-kind input").click()
    page.get_by_role("option", name="要確認（0）").click()
    page.wait_for_selector("#hy-files :text('確認の要るファイルはありません')")
    with page.expect_download() as download:
        page.get_by_role("link", name="全部をCSVで保存").click()
    text = Path(download.value.path()).read_bytes().decode("utf-8-sig")
    assert text.startswith("ファイル,シート,") and "道路台帳整備" in text


def test_a_sheet_has_an_address_of_its_own(watched, tmp_path):
    quote = "R5 1,500千円"
    start = TEXTS["aoba.txt"].index(quote)
    page = watched.open(f"/sheet/aoba-1?start={start}&end={start + len(quote)}#quote")
    assert page.locator("mark#quote").text_content() == quote
    assert page.locator("#facts tbody tr").count() == 1 and page.inner_text("#choices dd") == "A"
    page.screenshot(path=tmp_path / "sheet.png")


def test_a_sheet_that_is_not_there_says_so(browser, address):
    watched = Watched(browser, address, WIDE)
    response = watched.page.goto(f"{address}/sheet/nothing")
    assert response is not None and response.status == 404 and "シートがありません" in watched.page.inner_text("h1")
    watched.context.close()


def test_the_documentation_page_works_without_the_internet(wide):
    page = wide.open("/docs")
    page.wait_for_selector(".opblock-tag-section")
    assert "質問する" in page.inner_text("body")
