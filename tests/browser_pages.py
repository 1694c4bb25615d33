"""A real browser on a real server for tests: Debian's chromium, the requests it makes and what it complains about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assistant.store import FeedbackStore
from tests.fakes import FakeAssistant
from tests.on_port import on_port

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
]  # fmt: skip
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
playwright = pytest.importorskip("playwright.sync_api", reason="playwright がありません")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} がありません（Debian の chromium）"),
]


@contextmanager
def serving(assistant, store, upkeep=None, **more) -> Iterator[str]:
    """The address of the whole application."""
    from ui.app import create_app

    with on_port(create_app(assistant, store, upkeep, **more)) as address:
        yield address


@pytest.fixture(scope="module")
def store() -> FeedbackStore:
    return FeedbackStore()


@pytest.fixture(scope="module")
def address(store) -> Iterator[str]:
    with serving(FakeAssistant(), store) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


class Watched:
    """A page, the requests it made to other hosts, and what it complained about."""

    def __init__(self, browser, address: str, size: dict[str, int], **options: object) -> None:
        self.address = address
        self.context = browser.new_context(viewport=size, locale="ja-JP", accept_downloads=True, **options)
        self.context.set_default_timeout(60_000)  # it only ends a test that has failed
        self.page = self.context.new_page()
        self.outside: list[str] = []
        self.complaints: list[str] = []
        self.context.on("request", self._request)
        self.page.on("console", lambda line: self.complaints.append(line.text) if line.type == "error" else None)
        self.page.on("pageerror", lambda problem: self.complaints.append(str(problem)))

    def _request(self, request) -> None:
        if not request.url.startswith((self.address, "data:", "blob:", "about:")):
            self.outside.append(request.url)

    def open(self, path: str = "/"):
        if self.page.url.startswith(self.address):
            # A page that is left complains of the requests it cannot finish; nobody is there to read it.
            before = len(self.complaints)
            self.page.goto("about:blank")
            del self.complaints[before:]
        self.page.goto(self.address + path)
        return self.page

    def start(self):
        page = self.open()
        page.wait_for_selector("button.hy-example:visible")
        # The other load event: until it is through, it may still write into what a test touches.
        page.wait_for_function("document.querySelector('.hy-indexed')?.textContent.trim()")
        return page

    def fits(self) -> bool:
        return self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.fixture(params=[WIDE, NARROW], ids=["1280", "390"])
def watched(request, browser, address) -> Iterator[Watched]:
    watched = Watched(browser, address, request.param)
    yield watched
    assert watched.outside == [] and watched.complaints == []
    assert watched.fits()
    watched.context.close()


@pytest.fixture
def wide(browser, address) -> Iterator[Watched]:
    watched = Watched(browser, address, WIDE)
    yield watched
    assert watched.outside == [] and watched.complaints == []
    watched.context.close()


def ask(page, question: str) -> None:
    before = page.locator("#hy-chat .hy-tools, #hy-chat .hy-abstained").count()
    box = page.locator("#hy-question textarea")
    box.fill(question)
    box.press("Enter")
    page.wait_for_function(
        "n => document.querySelectorAll('#hy-chat .hy-tools, #hy-chat .hy-abstained').length > n", arg=before
    )


def say_it_is_poor(page, number: int = 0):
    """Presses the button that says so under an answer, and gives the box for what was wrong, once it stands there."""
    page.locator("#hy-chat").get_by_role("button", name="役に立たなかった").nth(number).click()
    box = page.locator("dialog.hy-tell[open] textarea")
    box.wait_for()
    return box


def leave_the_box(page) -> None:
    """Says nothing more: a dialog is closed, a box in the page stays."""
    if page.locator("dialog.hy-tell[open]").count():
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog.hy-tell", state="detached")


def sheet_frame(page):
    """The sheet page inside the drawer, once its mark is there."""
    page.wait_for_selector("dialog.hy-drawer[open]")
    frame = page.frame_locator("dialog.hy-drawer iframe")
    frame.locator("mark#quote").wait_for()
    return frame
