"""The bundled sheets in a real browser, from the question to the source."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_pages import NARROW, WIDE, Watched, serving, sheet_frame
from browser_pages import address as address
from browser_pages import browser as browser
from browser_pages import pytestmark as pytestmark
from browser_pages import watched as watched

from assistant.store import FeedbackStore

SAMPLES = Path(__file__).parents[1] / "corpus" / "samples" / "files"


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> Iterator[str]:
    """The real assistant on an index of the bundled sheets, with the bundled encoder where it is installed."""
    from assistant.intake import Intake
    from assistant.session import Assistant
    from corpus.errors import HyokaError
    from corpus.sources import find_files
    from index.build import build
    from index.encoder import load_encoder
    from tests.fake_encoder import FakeEncoder

    try:
        encoder = load_encoder(None)
    except HyokaError:
        encoder = FakeEncoder()
    intake = Intake(find_files([str(SAMPLES)]), 50 * 2**20, lambda name, done: None)
    snapshot = build(intake, encoder, tmp_path_factory.mktemp("index"))
    with serving(Assistant(snapshot), FeedbackStore()) as address:
        yield address


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1280", "390"])
@pytest.mark.parametrize("suffix", [".pdf", ".xlsx"])
def test_the_place_of_a_quote_is_drawn(real, browser, size, suffix, tmp_path):
    watched = Watched(browser, real, size)
    sheets = watched.context.request.get(f"{real}/api/v1/sheets").json()["sheets"]
    sheet_id = next(one["sheet_id"] for one in sheets if one["file"].endswith(suffix) and one["kind"] == "programme")
    facts = watched.context.request.get(f"{real}/api/v1/sheets/{sheet_id}").json()["facts"]
    fact = next(one for one in facts if one["unit"] == "円")
    source = fact["source"]
    page = watched.open(f"/sheet/{sheet_id}?start={source['start']}&end={source['end']}#quote")
    # The words stay in sight beside the marked text and lead up to the drawing.
    page.locator(".hy-reminder a").click()
    drawing = page.locator("#where svg, #where table")
    assert drawing.first.is_visible() and drawing.first.bounding_box()["width"] <= size["width"]
    if suffix == ".pdf":
        paper, *_ = page.locator(".hy-map-page").evaluate_all(
            "all => all.map(one => one.getBoundingClientRect().toJSON())"
        )
        marks = page.locator(".hy-map-here").evaluate_all("all => all.map(one => one.getBoundingClientRect().toJSON())")
        assert len(marks) == len(source["boxes"]) and paper["height"] > paper["width"]
        for mark in marks:
            assert paper["left"] <= mark["left"] < mark["right"] <= paper["right"]
            assert paper["top"] <= mark["top"] < mark["bottom"] <= paper["bottom"]
        assert f"{source['page']}ページ" in page.inner_text("#where")
    else:
        marked = page.locator("#where td mark").all_inner_texts()
        assert marked == fact["quote"].split() and len(source["cells"]) == len(marked)
        assert source["cells"][0].split("!")[0] in page.inner_text("#where caption")
    assert page.locator("#where svg[role=img][aria-label], #where [role=region][aria-label]").count() == 1
    page.screenshot(path=tmp_path / "place.png")
    assert watched.outside == [] and watched.complaints == [] and watched.fits()
    watched.context.close()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1280", "390"])
def test_the_bundled_sheets_from_question_to_source(real, browser, size, tmp_path):
    watched = Watched(browser, real, size)
    page = watched.start()
    page.screenshot(path=tmp_path / "real-start.png")
    page.locator("button.hy-example:visible").first.click()
    page.wait_for_selector("#hy-chat a.hy-card")
    page.wait_for_timeout(500)
    page.screenshot(path=tmp_path / "real-answer.png")
    card = page.locator("#hy-chat a.hy-card").first
    href = card.get_attribute("href")
    card.click()
    quoted = sheet_frame(page).locator("mark#quote").text_content()
    sheet_id, start, end = href.split("/sheet/")[1].split("?")[0], *(
        int(part.split("=")[1]) for part in href.split("?")[1].split("#")[0].split("&")
    )  # fmt: skip
    source = watched.context.request.get(f"{real}/api/v1/sheets/{sheet_id}/source").text()
    assert quoted == source[start:end]
    page.screenshot(path=tmp_path / "real-source.png")
    assert watched.outside == [] and watched.complaints == [] and watched.fits()
    watched.context.close()
