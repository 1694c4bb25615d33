"""Sheets full of scripts, links, pictures and formulas in a real browser: everything is text, nothing runs, nothing is fetched."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_pages import WIDE, Watched, ask, serving
from browser_pages import browser as browser
from browser_pages import pytestmark as pytestmark
from hostile_sheets import FRAME, IMAGE, LINK, MATHS, SCRIPT, build_index

from assistant.session import Assistant
from assistant.spreadsheets import is_formula
from assistant.store import FeedbackStore

STORE = FeedbackStore()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Iterator[str]:
    """The screens on an index of such sheets."""
    with serving(Assistant(build_index(tmp_path_factory.mktemp("hostile") / "sheets")), STORE) as address:
        yield address


@pytest.fixture
def watched(browser, hostile) -> Iterator[Watched]:
    watched = Watched(browser, hostile, WIDE)
    dialogs: list[str] = []
    watched.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    yield watched
    unharmed(watched)
    assert dialogs == [] and watched.outside == [] and watched.complaints == []
    watched.context.close()


def unharmed(watched: Watched) -> None:
    """No script of a sheet ran, in no frame, and no element came from its text."""
    for frame in watched.page.frames:
        assert frame.evaluate("window.hit") is None
        handled = """() => [...document.querySelectorAll('*')].filter((one) => [...one.attributes].some((held) =>
            /^(on|srcdoc$)/.test(held.name) && /hit|evil/.test(held.value) ||
            /^(src|href|action|style|xlink:href)$/.test(held.name) && /^\\s*(javascript|data:text|https?:..evil|..evil)/.test(held.value)))
            .map((one) => one.outerHTML.slice(0, 200))"""
        assert frame.evaluate(handled) == []
        assert (
            frame.evaluate("[...document.links].filter((a) => a.origin !== location.origin).map((a) => a.href)") == []
        )
        assert (
            frame.locator(
                "iframe[srcdoc], [onerror], [onload], [onclick], script:not([src]):has-text('window.hit')"
            ).count()
            == 0
        )
        assert frame.locator(".katex, math").count() == 0


@pytest.mark.parametrize(
    "question",
    [
        "図書館管理txtの事業の目的は？",
        f"図書館管理htmlの現状と課題は？{MATHS}",
        "決算額が大きい順に3つ教えて",
        f"{SCRIPT}{IMAGE}{LINK}{FRAME} **太字** # 見出し $$x$$",
    ],
)
def test_an_answer_and_its_question_are_text(watched, question: str) -> None:
    page = watched.start()
    ask(page, question)
    unharmed(watched)
    shown = page.locator("#hy-chat").inner_text()
    if "決算額" not in question:
        assert "<script>window.hit=1</script>" in shown
    assert "$$" in shown or "$$" not in question
    for fold in page.locator("#hy-chat summary:visible").all():
        fold.click()
    cards = page.locator("#hy-chat a.hy-card")
    if cards.count():
        cards.first.click()
        page.wait_for_selector("dialog.hy-drawer[open]")
        page.frame_locator("dialog.hy-drawer iframe").locator("h1").wait_for()
        unharmed(watched)


def test_every_screen_and_page_shows_it_as_text(watched) -> None:
    page = watched.start()
    for tab in page.get_by_role("tab").all():
        if tab.is_visible():
            tab.click()
            page.wait_for_timeout(400)
            unharmed(watched)
    sheets = watched.context.request.get(f"{watched.address}/api/v1/sheets").json()["sheets"]
    ids = [one["sheet_id"] for one in sheets]
    for path in (f"/?tab=search&q={SCRIPT}", "/?tab=search&q=図書館", f"/?q={IMAGE}"):
        watched.open(path)
        page.wait_for_timeout(1000)
        unharmed(watched)
    for path in (*(f"/sheet/{one}" for one in ids), f"/compare?sheet={ids[0]}&sheet={ids[1]}", f"/compare?q={SCRIPT}"):
        watched.open(path)
        unharmed(watched)
        assert "window.hit" in page.inner_text("body") and page.locator("main script, main img").count() == 0
        assert "evil.invalid" in page.inner_text("body") or "q=" in path


def test_what_the_browser_saves_computes_nothing(watched, tmp_path: Path) -> None:
    page = watched.start()
    ask(page, "図書館管理の決算額の一覧")
    saves = page.locator("#hy-chat .hy-csv:visible")
    assert saves.count()
    with page.expect_download() as download:
        saves.first.click()
    saved = tmp_path / "saved.csv"
    download.value.save_as(saved)
    rows = list(csv.reader(io.StringIO(saved.read_text("utf-8-sig"), newline="")))
    assert len(rows) > 1 and not any(is_formula(cell) for row in rows for cell in row)
    assert "/" not in download.value.suggested_filename


def test_the_rule_of_the_browser_is_that_of_the_server(watched) -> None:
    """The table of an answer with every kind of cell, saved by the page's own button."""
    page = watched.start()
    ask(page, "図書館管理の決算額の一覧")
    texts = [
        "=1+1",
        " =1",
        "＝SUM(A1)",
        "+cmd",
        "-2+3",
        "－２＋３",
        "@x",
        "-1,234",
        "-3.5%",
        "－",
        "−４",
        "図書館",
        "'=1",
        "2024-01-01",
    ]
    page.evaluate(
        """(texts) => { const body = document.querySelector('#hy-chat table tbody');
          body.replaceChildren(...texts.map((text) => { const row = document.createElement('tr');
            row.append(document.createElement('td')); row.firstChild.textContent = text; return row; })); }""",
        texts,
    )
    with page.expect_download() as download:
        page.locator("#hy-chat .hy-csv:visible").first.click()
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_text("utf-8-sig"), newline="")))[1:]
    assert [row[0] for row in rows] == [f"'{text.strip()}" if is_formula(text) else text for text in texts]
