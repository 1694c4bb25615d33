"""管理 in a real browser on a real index: rebuilt, filtered, its questions asked again, its synonyms tried and saved."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from browser_pages import NARROW, WIDE, Watched, ask, serving
from browser_pages import browser as browser
from browser_pages import pytestmark as pytestmark

from assistant.intake import Intake
from assistant.settings import load_settings
from assistant.store import FeedbackStore
from assistant.upkeep import Upkeep, open_upkeep
from corpus.sources import find_files
from index.build import build
from index.encoder import load_encoder

SHEET = "事務事業評価シート（令和5年度）\nみなと野市\n事業名 {name}\n担当課 企画課\n事業の目的\n{name}を続ける。\n今後の計画\n{plan}\n"


@dataclass(frozen=True)
class Office:
    """A server with everything that can be kept up, on invented sheets."""

    address: str
    sheets: Path
    upkeep: Upkeep
    store: FeedbackStore


def write(folder: Path, name: str, plan: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.txt").write_text(SHEET.format(name=name, plan=plan), "utf-8")


@pytest.fixture
def office(tmp_path) -> Iterator[Office]:
    sheets = tmp_path / "資料"
    write(sheets, "花火大会", "令和6年度は会場を港に移す。")
    write(sheets, "循環バス", "令和6年度は路線を二つ増やす。")
    encoder = load_encoder()
    snapshot = build(Intake(find_files([sheets]), 2**20, jobs=0), encoder, tmp_path / "index", sources=[str(sheets)])
    upkeep = open_upkeep(load_settings(index_dir=tmp_path / "index", watch_seconds=0.1), snapshot)
    store = FeedbackStore()
    with serving(upkeep.live, store, upkeep) as address:
        upkeep.live.start()
        yield Office(address, sheets, upkeep, store)
    upkeep.live.stop()
    upkeep.rebuild.cancel()


@pytest.fixture(params=[WIDE, NARROW], ids=["1280", "390"])
def watched(request, browser, office) -> Iterator[Watched]:
    watched = Watched(browser, office.address, request.param)
    yield watched
    assert watched.outside == [] and watched.complaints == []
    assert watched.fits()
    watched.context.close()


@pytest.fixture
def wide(browser, office) -> Iterator[Watched]:
    watched = Watched(browser, office.address, WIDE)
    yield watched
    assert watched.outside == [] and watched.complaints == [] and watched.fits()
    watched.context.close()


def status(watched: Watched):
    page = watched.open("/?tab=status")
    page.wait_for_selector("#hy-files .hy-file")
    return page


def test_the_index_is_rebuilt_from_the_screen_and_answers_from_it_at_once(watched, office, tmp_path):
    page = status(watched)
    assert "文書 2" in page.inner_text("#hy-status") and str(office.sheets) in page.inner_text("#hy-status")
    write(office.sheets, "朝市", "令和6年度は毎週開く。")
    (office.sheets / "壊れた.pdf").write_bytes(b"%PDF-1.4 nothing")
    page.click("#hy-rebuild")
    page.wait_for_selector("#hy-rebuild-stop")
    page.wait_for_selector("#hy-rebuild-progress :text('新しい索引で答えています')", timeout=120_000)
    page.wait_for_selector("#hy-status dd:has-text('文書 3')")
    page.wait_for_selector("#hy-files .hy-file-name:has-text('朝市.txt')")
    page.locator("#hy-rebuild-stop").wait_for(state="hidden")
    assert "読めなかったファイル 1件" in page.inner_text("#hy-rebuild-progress")
    page.screenshot(path=tmp_path / "rebuilt.png", full_page=True)
    page.locator("#hy-files-kind input").click()
    page.get_by_role("option", name="読めなかった（1）").click()
    page.wait_for_selector("#hy-files .hy-count:has-text('4件中 1件')")
    page.locator("#hy-files .hy-file > summary").click()
    assert "壊れた.pdf" in page.inner_text("#hy-files .hy-file ul")
    page.get_by_role("tab", name="質問", exact=True).click()
    page.wait_for_selector("#hy-question textarea")
    ask(page, "朝市の今後の計画は？")
    assert "毎週開く" in page.inner_text("#hy-chat .hy-body")


def test_a_look_at_the_tab_that_answers_late_does_not_stop_the_clock(wide, office, monkeypatch):
    state, late, looks = office.upkeep.rebuild.state, threading.Event(), []

    def looked():
        seen = state()
        looks.append(seen)
        if len(looks) == 1:  # what was seen before the rebuild arrives after it has begun
            late.wait(120)
        return seen

    monkeypatch.setattr(office.upkeep.rebuild, "state", looked)
    page = wide.start()
    page.get_by_role("tab", name="管理").click()
    page.click("#hy-rebuild")
    page.wait_for_selector("#hy-rebuild-stop")
    late.set()
    page.wait_for_selector("#hy-rebuild-progress :text('新しい索引で答えています')", timeout=120_000)
    page.locator("#hy-rebuild:enabled").wait_for()


def test_a_rebuild_is_stopped_and_the_index_stays(wide, office):
    page = status(wide)
    before = office.upkeep.live.index.version
    page.click("#hy-rebuild")
    page.click("#hy-rebuild-stop")
    page.wait_for_selector("#hy-rebuild-progress :text('作り直しをやめました')", timeout=60_000)
    page.locator("#hy-rebuild:enabled").wait_for()
    assert office.upkeep.live.index.version == before


def test_a_frequent_question_is_asked_again_and_written_up_with_one_press(watched, office, tmp_path):
    for _ in range(3):
        office.store.asked.count("花火大会の今後の計画は?", True)
    office.store.asked.count("あおば号の路線は?", False)
    page = status(watched)
    page.get_by_role("tab", name="利用状況").click()
    rows = page.locator("#hy-usage tbody tr")
    rows.first.wait_for()
    assert "花火大会" in rows.first.inner_text() and watched.fits()
    page.get_by_role("button", name="答えられた割合").click()
    page.get_by_role("button", name="答えられた割合").click()
    page.wait_for_function("document.querySelector('#hy-usage tbody tr').textContent.includes('あおば号')")
    page.screenshot(path=tmp_path / "usage.png", full_page=True)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSVで保存").first.click()
    assert "花火大会の今後の計画は?,3,3,1.00" in Path(download.value.path()).read_bytes().decode("utf-8-sig")

    page.get_by_role("button", name="数えた質問を消す").click()
    page.get_by_role("button", name="消さない").click()
    page.get_by_role("button", name="数えた質問を消す").wait_for()
    assert rows.count() == 2

    rows.first.get_by_role("button", name="質問をつくる").click()
    page.wait_for_function("document.querySelector('#hy-case-question textarea')?.value === 'あおば号の路線は?'")
    page.get_by_role("tab", name="利用状況").click()
    rows.filter(has_text="花火大会").get_by_role("button", name="聞く").click()
    page.wait_for_selector("#hy-chat .hy-tools")
    assert "会場を港に移す" in page.inner_text("#hy-chat .hy-body")
    page.get_by_role("tab", name="管理").click()
    page.get_by_role("button", name="数えた質問を消す").click()
    page.get_by_role("button", name="すべて消す").click()
    page.wait_for_selector("#hy-cleared :text('消しました')")
    assert office.store.asked.most() == []


def known(office: Office) -> bool:
    """Whether the server that is running takes the new word for the other one."""
    return ("さくら号", "循環バス") in office.upkeep.live.index.synonyms.rewrites()


def test_a_group_is_tried_saved_used_at_once_and_taken_out_again(watched, office, tmp_path):
    page = status(watched)
    page.get_by_role("tab", name="言いかえ").click()
    page.wait_for_selector("#hy-syn-table [role=gridcell]")
    page.fill("#hy-syn-words textarea, #hy-syn-words input", "リプレース")
    page.wait_for_function("!/先頭の/.test(document.querySelector('#hy-syn-count').textContent)")
    page.locator("#hy-syn-table [role=gridcell]", has_text="リプレース").first.click()
    page.wait_for_selector("#hy-syn-heading :text('同梱の組を開いています')")
    assert "更改" in page.input_value("#hy-syn-terms textarea") and page.locator("#hy-syn-drop").is_disabled()

    page.get_by_role("button", name="新しい組を書く").click()
    page.wait_for_function("document.querySelector('#hy-syn-terms textarea').value === ''")
    page.fill("#hy-syn-terms textarea", "さくら号")
    page.click("#hy-syn-save")
    page.wait_for_selector("#hy-syn-told :text('2つ以上')")
    page.fill("#hy-syn-terms textarea", "さくら号\n循環バス")
    page.locator("#hy-syn-try textarea, #hy-syn-try input").fill("さくら号")
    page.click("#hy-syn-try .submit-button")
    page.wait_for_selector("#hy-syn-result section[aria-label='保存した場合の結果'] a:has-text('循環バス')")
    assert page.locator("#hy-syn-result .hy-new:has-text('循環')").count() and watched.fits()
    page.screenshot(path=tmp_path / "trial.png", full_page=True)
    assert not office.upkeep.synonyms.exists() and not known(office)

    page.click("#hy-syn-save")
    page.wait_for_selector("#hy-syn-told :text('もう検索に使われています')")
    assert known(office) and office.upkeep.live.index.search("さくら号", 1).hits[0].sheet.name == "循環バス"
    assert '["さくら号", "循環バス"],' in office.upkeep.synonyms.read_text("utf-8")
    page.click("#hy-syn-drop")
    page.wait_for_selector("#hy-syn-told :text('消しました')")
    assert not known(office)


def test_who_is_not_at_the_server_may_look_but_not_change(browser, office):
    """The caller's address as a proxy on this machine hands it on."""
    stranger = Watched(browser, office.address, WIDE, extra_http_headers={"X-Forwarded-For": "192.0.2.7"})
    page = status(stranger)
    page.click("#hy-rebuild")
    page.wait_for_selector("#hy-rebuild-progress :text('サーバーを動かしているパソコンから')")
    assert office.upkeep.rebuild.state().phase == "idle"
    stranger.context.close()
