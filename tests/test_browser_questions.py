"""管理 in a real browser: a poor answer becomes a draft, gets its gold, is accepted, run and told about."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser_pages import NARROW, WIDE, Watched, ask, serving
from browser_pages import browser as browser
from browser_pages import pytestmark as pytestmark

from assistant.store import FeedbackStore
from tests.fakes import FakeAssistant


@pytest.fixture(params=[WIDE, NARROW], ids=["1280", "390"])
def watched(request, browser, tmp_path) -> Iterator[tuple[Watched, FeedbackStore]]:
    store = FeedbackStore(tmp_path / "state" / "feedback.sqlite")
    with serving(FakeAssistant(), store) as address:
        watched = Watched(browser, address, request.param)
        yield watched, store
        assert watched.outside == [] and watched.complaints == []
        assert watched.fits()
        watched.context.close()


def row(page, text: str):
    return page.locator("#hy-cases [role=gridcell]", has_text=text).first


def test_from_a_poor_answer_to_a_run(watched, tmp_path):
    seen, store = watched
    page = seen.start()
    ask(page, "海底 都市 構想")
    page.get_by_role("tab", name="管理").click()
    page.get_by_role("tab", name="質問をつくる").click()
    row(page, "海底 都市 構想").click()
    page.wait_for_function("document.querySelector('#hy-case-question textarea').value === '海底 都市 構想'")

    page.get_by_role("button", name="採用する").click()
    page.wait_for_selector("#hy-case-told :text('正解がまだありません')")
    page.get_by_label("答えなしが正解").check()
    page.screenshot(path=tmp_path / "form.png", full_page=True)
    page.get_by_role("button", name="採用する").click()
    page.wait_for_selector("#hy-case-told :text('採用しました')")
    assert store.cases.cases("accepted")[0].unanswerable
    assert page.locator("#hy-case-question textarea").input_value() == ""  # ready for the next one

    page.fill("#hy-case-question textarea", "道路台帳の目的は")
    page.fill("#hy-case-must textarea", "みかん|りんご")
    page.locator("#hy-case-sheets input").fill("道路台帳整備")
    page.locator("#hy-case-sheets input").press("Enter")
    page.get_by_role("button", name="採用する").click()
    page.wait_for_selector("#hy-case-told :text('原文に見当たりません')")
    assert store.cases.cases("accepted")[1].sheets == ("道路台帳整備",)

    page.get_by_role("tab", name="評価を実行").click()
    page.click("#hy-run")
    page.wait_for_selector("#hy-run-result :text('2問のうち 1問が正答')")
    page.locator("#hy-run-result summary").first.click()
    assert "必須の語がない: みかん｜りんご" in page.inner_text("#hy-run-result")
    assert page.locator("#hy-run-history tbody tr").count() == 1
    page.screenshot(path=tmp_path / "run.png", full_page=True)
    with page.expect_popup() as opened:
        page.click("#hy-run-history a.hy-report")
    assert "accepted.jsonl" in opened.value.content()


def test_drafts_are_made_and_rejected(watched):
    seen, store = watched
    page = seen.open("/?tab=status")
    page.get_by_role("tab", name="質問をつくる").click()
    page.get_by_role("button", name="索引から案を").click()
    page.wait_for_selector("#hy-cases [role=gridcell]:has-text('索引から作成')")
    made = store.cases.counts()["draft"]
    assert made > 5
    page.locator("#hy-cases [role=gridcell][data-col='1']").first.click()
    page.wait_for_function("document.querySelector('#hy-case-question textarea').value !== ''")
    page.get_by_role("button", name="却下する").click()
    page.wait_for_selector("#hy-case-told :text('却下しました')")
    assert store.cases.counts() == {"draft": made - 1, "accepted": 0, "rejected": 1}
    page.get_by_label("却下 1").check()
    page.wait_for_function("document.querySelectorAll('#hy-cases [data-row]').length === 4")
