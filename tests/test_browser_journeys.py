"""The ten journeys of a clerk, from the first screen to the end, against a server started as anybody starts it.

``hyoka index`` over the real sheets where they stand beside the checkout, else over the bundled ones, then ``hyoka serve``
in a process of its own. Every journey is made at 1280 and at 390 px and leaves screenshots in pytest's temporary folder
(``--basetemp`` keeps them). A console error or a request to another host fails it.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from urllib.request import urlopen

import pytest
from browser_pages import NARROW, WIDE, Watched, ask, say_it_is_poor, sheet_frame
from browser_pages import browser as browser
from browser_pages import pytestmark as pytestmark
from office import SOFFICE, rows_of_book, rows_of_csv

from ui.render import year_label

ROOT = Path(__file__).parents[1]
REAL = ROOT.parent / "shared" / "corpus"
SOURCE = REAL if len(list(REAL.glob("*.txt"))) >= 5 else ROOT / "corpus" / "samples" / "files"


@dataclass(frozen=True)
class City:
    """What the journeys need to know of the sheets that are served."""

    address: str
    town: str  # the municipality with the most sheets
    year: int  # the fiscal year of most of them
    programme: str  # one of its programmes, whose settlement is known

    def get(self, path: str) -> Any:
        with urlopen(self.address + path, timeout=30) as response:
            return json.load(response)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("journeys")
    settings = {name: value for name, value in os.environ.items() if not name.startswith("HYOKA_")}
    settings |= {"PYTHONPATH": str(ROOT), "HYOKA_FEEDBACK_FILE": str(folder / "store.sqlite")}
    settings |= {"XDG_STATE_HOME": str(folder), "OMP_NUM_THREADS": "1"}
    hyoka = [sys.executable, "-m", "assistant.cli"]
    place = ["--index-dir", str(folder / "index")]
    subprocess.run([*hyoka, "index", str(SOURCE), *place], cwd=folder, env=settings, check=True, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (folder / "serve.log").open("wb")
    server = subprocess.Popen(
        [*hyoka, "serve", "--port", str(port), *place], cwd=folder, env=settings, stdout=log, stderr=log
    )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until_ready(server, f"{address}/readyz", folder / "serve.log")
        yield described(address)
    finally:
        server.terminate()
        server.wait(120)
        log.close()


def wait_until_ready(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and server.poll() is None:
        try:
            if urlopen(address, timeout=5).status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the server did not start: {log.read_text('utf-8', 'replace')[-2_000:]}")


def described(address: str) -> City:
    served = City(address, "", 0, "")
    sheets = [one for one in served.get("/api/v1/sheets?limit=1000")["sheets"] if one["kind"] == "programme"]
    (town, year), _ = Counter((one["municipality"], one["fiscal_year"]) for one in sheets).most_common(1)[0]
    for one in sheets:
        alone = sum(other["sheet"] == one["sheet"] for other in sheets) == 1
        if alone and (one["municipality"], one["fiscal_year"]) == (town, year):
            facts = served.get(f"/api/v1/sheets/{one['sheet_id']}")["facts"]
            if any(fact["field"] == "決算額" and fact["kind"] == "actual" for fact in facts):
                return City(address, town, year, one["sheet"])
    raise AssertionError("no programme with a settlement")


class Journey(Watched):
    """A watched browser that numbers its screenshots."""

    def __init__(self, browser: Any, city: City, size: dict[str, int], folder: Path) -> None:
        super().__init__(browser, city.address, size)
        self.folder, self.shots = folder, 0

    def shot(self, name: str) -> None:
        self.shots += 1
        self.page.screenshot(path=self.folder / f"{self.shots}-{name}.png")
        assert self.fits(), f"{name}: the page scrolls sideways"

    def tab(self, name: str) -> None:
        self.page.locator("#hy-tabs").get_by_role("tab", name=name, exact=True).click()


@pytest.fixture(params=[WIDE, NARROW], ids=["1280", "390"])
def journey(request, browser, city, tmp_path) -> Iterator[Journey]:
    journey = Journey(browser, city, request.param, tmp_path)
    yield journey
    assert journey.outside == [] and journey.complaints == []
    assert journey.shots >= 2
    journey.context.close()


def ranking(city: City) -> str:
    return f"{city.town}の{year_label(city.year)}の決算額が大きい順に5つ教えて"


def source_text(city: City, href: str) -> str:
    """The stretch of the document that the address of a citation names."""
    parts = urlsplit(href)
    span = dict(part.split("=") for part in parts.query.split("&"))
    with urlopen(f"{city.address}/api/v1/sheets/{quote(parts.path.rpartition('/')[2])}/source") as response:
        return response.read().decode("utf-8")[int(span["start"]) : int(span["end"])]


# --- 1 ask -------------------------------------------------------------------------------------------------------


def test_ask(journey, city):
    page = journey.start()
    journey.shot("start")
    ask(page, ranking(city))
    rows = page.locator("#hy-chat .hy-table tbody tr")
    assert rows.count() == 5
    figures = [
        int("".join(c for c in text if c.isdigit()))
        for text in rows.locator(".hy-num").all_inner_texts()
        if "円" in text
    ]
    assert len(figures) == 5 and figures == sorted(figures, reverse=True)
    assert page.locator("#hy-chat .hy-cites a.hy-card").count() == 5
    journey.shot("answer")


# --- 2 follow up -------------------------------------------------------------------------------------------------


def test_follow_up(journey, city):
    page = journey.start()
    ask(page, f"{city.programme}の決算額は？")
    assert city.programme in page.locator("#hy-chat .hy-card .hy-title").first.inner_text()
    journey.shot("question")
    ask(page, "予算額は？")
    answers = page.locator("#hy-chat .hy-answer")
    assert answers.count() == 2 and city.programme in answers.nth(1).inner_text(), "the programme is carried over"
    assert page.locator("#hy-chat .hy-question").count() == 2
    journey.shot("follow-up")


# --- 3 switch reading --------------------------------------------------------------------------------------------


def test_switch_reading(journey, city):
    page = journey.start()
    ask(page, f"{city.year}年に何がある？")
    page.wait_for_selector("#hy-chat .hy-switch[value='fiscal']")
    before = page.inner_text("#hy-chat .hy-read")
    journey.shot("both")
    page.locator("#hy-chat .hy-switch[value='fiscal']").click()
    page.wait_for_selector("#hy-chat .hy-switch[value='fiscal'][aria-pressed='true']")
    read = page.inner_text("#hy-chat .hy-read")
    assert read != before and year_label(city.year) in read
    assert page.locator("#hy-chat .hy-question").count() == 1, "the answer was replaced, not asked once more below"
    journey.shot("fiscal")


# --- 4 open citation ---------------------------------------------------------------------------------------------


def test_open_citation(journey, city):
    page = journey.start()
    ask(page, ranking(city))
    for at in (0, 1):
        card = page.locator("#hy-chat a.hy-card").nth(at)
        href = card.get_attribute("href")
        card.click()
        mark = sheet_frame(page).locator("mark#quote")
        assert mark.text_content() == source_text(city, href)
        box = mark.bounding_box()
        assert box is not None and 0 <= box["y"] < page.viewport_size["height"], "the mark is in sight"
        journey.shot("sheet")
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog.hy-drawer", state="hidden")


# --- 5 search and filter -----------------------------------------------------------------------------------------


def test_search_and_filter(journey, city):
    page = journey.start()
    journey.tab("検索")
    box = page.locator("#hy-search textarea, #hy-search input").first
    box.fill("システムの更改")
    box.press("Enter")
    page.wait_for_selector("#hy-results a.hy-card")
    journey.shot("found")
    if page.viewport_size == NARROW:
        page.click("#hy-facets > button:not(.open)")  # they start folded there, once the results stand
    facet = page.locator("#hy-facet-municipality label").last
    facet.wait_for()
    town = facet.inner_text().strip().partition("（")[0]
    facet.click()
    page.wait_for_function(
        "town => { const all = [...document.querySelectorAll('#hy-results .hy-where')].map(one => one.textContent);"
        " return all.length > 0 && all.every(text => text.includes(town)); }",
        arg=town,
    )
    page.get_by_text(f"絞り込み中：{town}").wait_for()
    page.wait_for_function("location.search.includes('municipality=')")
    journey.shot("filtered")


# --- 6 export and open the file ----------------------------------------------------------------------------------


def test_export_and_open_the_file(journey, city, tmp_path):
    page = journey.start()
    ask(page, ranking(city))
    shown = [row.split("\t") for row in page.locator("#hy-chat .hy-table tbody tr").all_inner_texts()]
    journey.shot("table")
    for kind, button in (("xlsx", "Excelで保存"), ("csv", "CSVで保存")):
        with page.expect_download() as download:
            page.get_by_role("button", name=button).first.click()
        file = tmp_path / f"saved.{kind}"
        download.value.save_as(file)
        if SOFFICE is None:
            continue  # .ci/run installs it
        (into := tmp_path / f"opened-{kind}").mkdir()
        rows = (rows_of_book if kind == "xlsx" else rows_of_csv)(file, into)
        assert len(rows) == 1 + len(shown)
        for row, cells in zip(rows[1:], shown, strict=True):
            # 1,200円 is a number in the file; the words stay as they are.
            assert [plain(one) for one in row] == [plain(one) for one in cells]
    journey.shot("saved")


def plain(cell: object) -> str:
    return str(cell).strip().replace(",", "").removesuffix("円")


# --- 7 compare ---------------------------------------------------------------------------------------------------


def test_compare(journey, city):
    page = journey.start()
    journey.tab("シート")
    page.wait_for_selector(".hy-to-compare:visible")
    for at in (0, 1):
        page.locator(".hy-to-compare").nth(at).check()
    page.get_by_text("比較に2件を選びました。").wait_for()
    journey.shot("picked")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="並べて比較").click()
    compared = opened.value
    compared.wait_for_selector("#fields table")
    assert compared.locator("#fields thead th").count() >= 3, "a heading for the fields, and one a sheet"
    assert compared.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    compared.screenshot(path=journey.folder / "compared.png")
    journey.shot("still-picked")


# --- 8 feedback --------------------------------------------------------------------------------------------------


def test_feedback(journey, city):
    page = journey.start()
    question = f"{city.programme}の決算額は？"
    ask(page, question)
    box = say_it_is_poor(page)
    box.fill(f"年度が違う {time.time_ns()}")
    journey.shot("comment")
    page.get_by_role("button", name="送る").click()
    box.wait_for(state="hidden")
    journey.tab("管理")
    page.get_by_role("tab", name="利用状況").click()
    page.locator("#hy-usage", has_text=question).wait_for()
    journey.shot("kept")


# --- 9 rebuild ---------------------------------------------------------------------------------------------------


def test_rebuild(journey, city):
    page = journey.start()
    before = city.get("/api/v1/sheets")["total"]
    journey.tab("管理")
    page.wait_for_selector("#hy-rebuild:visible")
    journey.shot("status")
    page.click("#hy-rebuild")
    page.wait_for_selector("#hy-rebuild-progress :text('新しい索引で答えています')", timeout=300_000)
    journey.shot("rebuilt")
    assert city.get("/api/v1/sheets")["total"] == before
    journey.tab("質問")
    ask(page, f"{city.programme}の決算額は？")
    assert city.programme in page.locator("#hy-chat .hy-card .hy-title").first.inner_text()


# --- 10 delete history -------------------------------------------------------------------------------------------


def test_delete_history(journey, city):
    page = journey.start()
    question = f"{city.programme}の決算額は？"
    ask(page, question)
    page.get_by_role("button", name="新しい会話").click()
    page.wait_for_selector("button.hy-example:visible")
    page.locator("#hy-history > button:not(.open)").click()
    page.wait_for_selector("#hy-history-list .hy-talk")
    journey.shot("history")
    page.get_by_role("button", name=f"会話「{question}」を削除").click()
    page.wait_for_selector("dialog.hy-confirm[open]")
    journey.shot("sure")
    page.get_by_role("button", name="削除する").click()
    page.get_by_text("まだ会話はありません").wait_for()
    page = journey.start()
    assert page.locator("#hy-history-list .hy-talk").count() == 0
