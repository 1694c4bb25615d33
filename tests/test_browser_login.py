"""Logging in and out in a real browser."""

from __future__ import annotations

import pytest

from assistant.store import FeedbackStore
from tests.browser_pages import NARROW, WIDE, Watched, ask, browser, pytestmark, serving
from tests.doors import ADMIN, USER, access_file, policy_of
from tests.fakes import FakeAssistant

__all__ = ["browser", "pytestmark"]


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    store = FeedbackStore()
    file, _ = access_file(tmp_path_factory.mktemp("access"))
    policy = policy_of(file, store, auth="users")
    with serving(FakeAssistant(), store, policy=policy) as address:
        yield address, store


def entered(watched, name: str, password: str):
    page = watched.open("/?tab=ask")
    assert page.get_by_role("heading", name="評価シートに聞く").is_visible()
    page.get_by_label("名前").fill(name)
    page.get_by_label("パスワード").fill(password)
    page.get_by_role("button", name="ログイン").click()
    return page


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1280", "390"])
def test_people_log_in_ask_and_log_out(browser, door, size):
    watched = Watched(browser, door[0], size)
    page = entered(watched, "田中", "まちがえた言葉です")
    assert page.get_by_role("alert").inner_text().startswith("名前かパスワードが違います")
    assert watched.fits() and page.get_by_label("名前").input_value() == "田中"
    watched.complaints.clear()  # a browser notes the 401
    page = entered(watched, "田中", USER)
    page.wait_for_selector("button.hy-example:visible")
    page.wait_for_function("document.querySelector('.hy-me span')?.textContent === '田中'")
    ask(page, "図書館の今後の計画は")
    assert page.get_by_role("tab", name="管理").count() == 0 and watched.fits()
    assert (
        watched.complaints == []
    )  # what the page that is left was just sending cannot arrive, and the browser says so
    page.get_by_role("button", name="ログアウト").click()
    page.get_by_label("パスワード").wait_for()
    assert watched.outside == []
    watched.context.close()


def test_the_administrator_has_the_screen_for_it(browser, door):
    watched = Watched(browser, door[0], WIDE)
    page = entered(watched, "鈴木", ADMIN)
    page.get_by_role("tab", name="管理").click()
    page.wait_for_function("document.querySelector('#hy-status')?.innerText.includes('fake-1')")
    assert watched.outside == [] and watched.complaints == []
    watched.context.close()


def test_who_is_logged_out_meanwhile_is_led_to_the_login_and_back(browser, door):
    watched = Watched(browser, door[0], WIDE)
    page = entered(watched, "田中", USER)
    page.wait_for_selector("button.hy-example:visible")
    watched.context.clear_cookies(name="hyoka_session")
    box = page.locator("#hy-question textarea")
    box.fill("図書館の今後の計画は")
    box.press("Enter")
    page.get_by_label("パスワード").wait_for()
    page.get_by_label("名前").fill("田中")
    page.get_by_label("パスワード").fill(USER)
    page.get_by_role("button", name="ログイン").click()
    page.wait_for_selector("button.hy-example:visible")
    assert watched.outside == []
    watched.context.close()
