"""The screens under a path of their own behind a reverse proxy: every address stays within it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest
from browser_pages import WIDE, Watched, ask, pytestmark, sheet_frame  # noqa: F401  (marks these tests)
from browser_pages import browser as browser
from proxy import proxy
from running import QUESTION, Process
from test_operation import index as index
from test_operation import sources as sources

from ui.prefix import prefixed


@pytest.fixture(scope="module")
def under(index, tmp_path_factory) -> Iterator[Process]:
    own = tmp_path_factory.mktemp("prefixed")
    shutil.copytree(index, own / "index")
    running = Process(own / "index", own, root_path="/hyoka").until_ready()
    yield running
    running.end()


def test_the_screens_work_under_a_prefix(under, browser):
    with proxy(under.port, "/hyoka") as (address, outside):
        watched = Watched(browser, address, WIDE)
        page = watched.start()
        ask(page, QUESTION)
        page.locator("#hy-chat a[href*='/sheet/']").first.click()
        assert "会場を港に移す" in sheet_frame(page).locator("mark#quote").inner_text()
        page.keyboard.press("Escape")
        page.get_by_role("tab", name="検索").click()
        page.locator("#hy-words").fill("花火大会")
        page.locator("#hy-words").press("Enter")
        page.wait_for_selector(".hy-hit, .hy-results a[href*='/sheet/']")
        links = page.locator("a[href^='/']").evaluate_all("all => all.map((one) => one.getAttribute('href'))")
        assert len(links) > 3 and all(link.startswith("/hyoka/") for link in links)
        for path in ("/docs", "/compare"):
            assert page.goto(address + path).ok
        page.goto(f"{address}/sheet/{under.get('/api/v1/sheets').json['sheets'][0]['sheet_id']}")
        page.get_by_role("link", name="質問と検索に戻る").click()
        page.wait_for_selector("#hy-question textarea")
        assert page.url == f"{address}/"
        watched.context.close()
        # What every browser asks of a host whose page names no picture.
        assert outside == [] and watched.outside == []
        complaints = [one for one in watched.complaints if "net::ERR_ABORTED" not in one]
        assert complaints == []


def test_pages_name_no_address_outside_the_prefix_and_data_is_left_as_it_is(under):
    for path in ("/", "/compare", "/docs", "/sheet/nope"):
        page = under.get(path).text
        links = re.findall(r"""(?:href|src|action)=["'](/[^"']*)""", page)
        assert all(link == "/hyoka" or link.startswith("/hyoka/") for link in links), links
    assert under.get("/").headers["Set-Cookie"].count("Path=/hyoka") == 1
    told = under.ask()
    assert told.status == 200 and "/hyoka" not in told.text
    # A proxy that leaves the prefix in place does as well.
    for path in ("/readyz", "/", "/config", "/hyoka-assets/hyoka.js", "/docs-assets/swagger-ui.css", "/api/v1/sheets"):
        assert under.get(f"/hyoka{path}").status == under.get(path).status == 200
    assert under.get("/hyoka/api/v1/nope").status == 404


def test_only_addresses_of_ours_without_a_prefix_get_one():
    assert prefixed(rb'{"v": "<a href=\"/sheet/a\">&quot;/x href=&quot;/y"}', "/a/b") == (
        rb'{"v": "<a href=\"/a/b/sheet/a\">&quot;/x href=&quot;/y"}'
    )
    for kept in (b'href="#x"', b'href="https://x/"', b'href="//x/"', b"data-href=/x", b'src="/a/b/c"', b'href="/a/b"'):
        assert prefixed(kept, "/a/b") == kept
    assert prefixed(b'src="/a/bc" action="/"', "/a/b") == b'src="/a/b/a/bc" action="/a/b/"'
