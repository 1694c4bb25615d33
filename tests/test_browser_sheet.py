"""The sheet page, the list of sheets and the comparison in a real browser."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import openpyxl
from browser_pages import WIDE, Watched
from browser_pages import address as address
from browser_pages import browser as browser
from browser_pages import pytestmark as pytestmark
from browser_pages import store as store
from browser_pages import watched as watched
from browser_pages import wide as wide

from tests.fakes import TEXTS


def test_a_sheet_shows_its_figures_as_columns_and_leads_to_the_like_of_it(watched, tmp_path):
    page = watched.open("/sheet/aoba-1")
    assert page.locator("#charts svg rect.hy-actual").count() == 2
    page.screenshot(path=tmp_path / "sheet.png", full_page=True)
    page.click("#charts tbody a >> nth=1")
    assert page.locator("mark#quote").text_content() == "R5 1,500千円"
    page.click("#similar li > a >> nth=0")
    page.wait_for_url("**/sheet/hinode-1")
    assert page.inner_text("h1") == "図書館システム更新"


def test_on_paper_the_mark_stays_and_what_leads_on_is_left_out(wide):
    start = TEXTS["aoba.txt"].index("令和7年度に")
    page = wide.open(f"/sheet/aoba-1?start={start}&end={start + 6}")
    page.emulate_media(media="print")
    assert not any(page.locator(name).is_visible() for name in (".hy-home", ".hy-jump", ".hy-ways"))
    line = page.locator("mark#quote").evaluate("element => getComputedStyle(element).textDecorationLine")
    assert line == "underline" and page.locator("#charts svg").is_visible()
    page.emulate_media(media="screen")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="印刷用に表示").click()
    paper = opened.value
    paper.wait_for_selector(".hy-paper mark#quote")
    paper.get_by_role("link", name="原文を付けない").click()
    paper.wait_for_selector(".hy-paper-note >> text=原文も付ける")
    assert paper.locator("#source").count() == 0 and paper.locator(".hy-paper #charts svg").count() == 1


def test_a_comparison_is_found_from_the_sheet_and_saved(watched, tmp_path):
    page = watched.open("/sheet/aoba-1")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="比較に追加").click()
    compared = opened.value
    compared.get_by_role("link", name="図書館システム更新").click()
    compared.wait_for_selector("#figures table")
    assert "差 +1,800,000・比 250.0%" in compared.inner_text("#figures")
    assert "記載なし" in compared.inner_text("#figures tr:has-text('令和5年度')")
    assert compared.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    compared.screenshot(path=tmp_path / "compare.png", full_page=True)
    with compared.expect_download() as download:
        compared.get_by_role("link", name="Excelで保存").click()
    sheet = openpyxl.load_workbook(BytesIO(Path(download.value.path()).read_bytes())).active
    assert sheet.title == "比較" and sheet["D1"].value == "① 図書館システム運用"


def test_municipalities_are_picked_without_a_script(browser, address):
    watched = Watched(browser, address, WIDE, java_script_enabled=False)
    page = watched.open("/compare")
    page.get_by_label("あおば市").check()
    page.get_by_label("ひので市").check()
    page.get_by_label("年度").select_option("2023")
    page.get_by_role("button", name="比べる").click()
    page.wait_for_selector("#sums")
    assert "2,200,000円" in page.inner_text("#sums") and "記載なし" in page.inner_text("#sums tr:has-text('シート数')")
    assert watched.outside == [] and watched.complaints == []
    watched.context.close()


def test_sheets_picked_from_the_list_stay_picked_while_it_changes(watched):
    page = watched.open("/?tab=sheets")
    page.wait_for_selector(".hy-to-compare:visible")
    page.get_by_label("図書館システム運用を比較に追加").check()
    page.locator("#hy-sheets textarea, #hy-sheets input").first.fill("図書館　ひので")
    page.wait_for_function("document.querySelectorAll('.hy-to-compare').length === 1")
    page.get_by_label("図書館システム更新を比較に追加").check()
    page.get_by_text("比較に2件を選びました。").wait_for()
    page.locator("#hy-sheets textarea, #hy-sheets input").first.fill("")
    page.wait_for_function("document.querySelectorAll('.hy-to-compare').length === 4")
    page.wait_for_function("document.querySelectorAll('.hy-to-compare:checked').length === 2")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="並べて比較").click()
    opened.value.wait_for_selector("#figures table")
    assert opened.value.url.endswith("/compare?sheet=aoba-1&sheet=hinode-1")


def test_the_screen_of_comparisons_shows_what_is_picked(watched, tmp_path):
    page = watched.open("/?tab=compare")
    page.wait_for_selector("#hy-compare-sheets input:visible")
    for name in ("図書館システム運用", "図書館システム更新"):
        page.click("#hy-compare-sheets input")
        page.get_by_role("option", name=name).click()
    page.wait_for_selector("#hy-compared #fields")
    assert "老朽化した機器を更新する" in page.inner_text("#hy-compared #fields")
    page.screenshot(path=tmp_path / "tab.png")
    assert watched.fits()
