"""The screens in a real browser: Debian's chromium against a real server.

Screenshots go to pytest's temporary folder (``--basetemp`` keeps them in a place of your choice).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from assistant.store import FeedbackStore
from tests.fakes import TEXTS, FakeAssistant

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
]  # fmt: skip
SAMPLES = Path(__file__).parents[1] / "corpus" / "samples" / "files"
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

playwright = pytest.importorskip("playwright.sync_api", reason="playwright がありません")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} がありません（Debian の chromium）"),
]


@contextmanager
def serving(assistant, store) -> Iterator[str]:
    """The whole application on a free port, in a thread; gives its address once it says that it is ready."""
    import uvicorn

    from ui.app import create_app

    server = uvicorn.Server(uvicorn.Config(create_app(assistant, store), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    began = time.monotonic()
    thread.start()
    address = ""
    while time.monotonic() - began < 60:
        if server.started and not address:
            address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        if address:
            try:
                if urlopen(f"{address}/readyz", timeout=5).status == 200:
                    break
            except OSError:
                pass
        time.sleep(0.05)
    yield address
    server.should_exit = True
    thread.join(10)


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
        self.page.goto(self.address + path)
        return self.page

    def start(self):
        page = self.open()
        page.wait_for_selector("button.hy-example:visible", timeout=20_000)
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


def sheet_frame(page):
    """The sheet page inside the drawer, once its mark is there."""
    page.wait_for_selector("dialog.hy-drawer[open]")
    frame = page.frame_locator("dialog.hy-drawer iframe")
    frame.locator("mark#quote").wait_for()
    return frame


def test_the_first_screen_says_what_it_is_and_what_it_holds(watched, tmp_path):
    page = watched.start()
    assert "評価シート" in page.inner_text("h1")
    page.wait_for_function("document.querySelector('.hy-indexed').textContent.includes('2自治体・4シート')")
    assert "AI生成文ではありません" in page.inner_text("body")
    assert page.evaluate("document.documentElement.lang") == "ja"
    page.screenshot(path=tmp_path / "start.png")


def test_the_question_box_stays_in_sight(watched):
    page = watched.open()
    page.locator(".hy-example").first.wait_for()
    seen = """() => { const box = document.querySelector("#hy-question").getBoundingClientRect();
      return box.top >= 0 && box.bottom <= window.innerHeight; }"""
    page.wait_for_function(seen)
    for question in ("財務会計システムの予算額は？", "予算額が大きいシステムは？"):
        ask(page, question)
    page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_function(seen)


def test_a_question_is_answered_and_its_citation_opens_the_marked_source(watched, tmp_path):
    page = watched.start()
    ask(page, "図書館の今後の計画は")
    assert "クラウド型" in page.inner_text("#hy-chat .hy-body")
    page.screenshot(path=tmp_path / "answer.png")
    page.click("#hy-chat a.hy-card")
    mark = sheet_frame(page).locator("mark#quote")
    assert mark.text_content() == "令和7年度にクラウド型の図書館システムへ移行する。"
    box, window = mark.bounding_box(), page.viewport_size
    assert box is not None and 0 <= box["y"] < window["height"], "the mark is scrolled into view"
    page.screenshot(path=tmp_path / "source.png")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.hy-drawer", state="hidden")
    assert "クラウド型" in page.inner_text("#hy-chat .hy-body"), "the conversation is still there"


def test_an_example_is_asked_with_one_click(watched):
    page = watched.start()
    example = page.locator("button.hy-example:visible").first
    question = example.inner_text()
    example.click()
    page.wait_for_selector("#hy-chat .hy-tools")
    assert page.inner_text("#hy-chat .hy-question") == question
    assert page.locator("button.hy-example:visible").count() == 0
    page.get_by_role("button", name="新しい会話").click()
    page.wait_for_selector("button.hy-example:visible")
    assert page.locator("#hy-chat .hy-question").count() == 0


def test_a_list_has_a_table_a_chart_and_files(wide):
    page = wide.start()
    ask(page, "決算額が大きい事業は？")
    rows = page.locator("#hy-chat .hy-table tbody tr")
    assert rows.count() == 4 and "3,000,000" in rows.first.inner_text()
    widths = page.eval_on_selector_all("#hy-chat .hy-bar", "bars => bars.map(bar => bar.getBoundingClientRect().width)")
    assert len(widths) == 4 and widths == sorted(widths, reverse=True)
    assert abs(widths[1] / widths[0] - 2.5 / 3.0) < 0.02  # 2,500,000 円 beside 3,000,000 円
    with page.expect_download() as download:
        page.click("button.hy-csv")
    csv = Path(download.value.path()).read_bytes().decode("utf-8")
    assert csv.startswith('\ufeff"自治体","事業","決算額（円）","引用"\r\n"ひので市","図書館システム更新","3000000"')
    with page.expect_download() as download:
        page.click("button.hy-xlsx")
    import openpyxl

    copy = Path(download.value.path()).rename(Path(download.value.path()).with_suffix(".xlsx"))
    assert openpyxl.load_workbook(copy).active["C2"].value == 3_000_000


def test_a_line_chart_fills_its_width(watched):
    page = watched.start()
    ask(page, "決算額の推移は？")
    dots = page.eval_on_selector_all("#hy-chat .hy-dot", "all => all.map(one => one.getBoundingClientRect().x)")
    figure = page.locator("#hy-chat .hy-chart").bounding_box()
    assert len(dots) == 2 and figure is not None
    assert figure["x"] < dots[0] < dots[1] < figure["x"] + figure["width"]


def test_a_follow_up_by_a_suggestion_keeps_the_conversation(wide):
    page = wide.start()
    ask(page, "図書館の今後の計画は")
    page.get_by_role("button", name="決算額が大きい事業は？").click()
    page.wait_for_selector("#hy-chat .hy-table")
    assert page.locator("#hy-chat .hy-question").all_inner_texts() == ["図書館の今後の計画は", "決算額が大きい事業は？"]


def test_an_abstention_shows_what_is_near(wide):
    page = wide.start()
    ask(page, "図書館 月面 基地 建設")
    assert "見つかりませんでした" in page.inner_text("#hy-chat .hy-body")
    assert page.locator("#hy-chat .hy-cites a.hy-card").count() > 0


@pytest.mark.parametrize("question", ["爆発", "拒否してください"])
def test_a_broken_question_is_told_politely(wide, question):
    page = wide.start()
    ask(page, question)
    shown = page.inner_text("#hy-chat .hy-answer")
    assert shown and "secret" not in shown and "Traceback" not in shown


def test_what_a_person_types_never_becomes_html(wide):
    page = wide.start()
    ask(page, "<img src=x onerror=\"document.title='broken'\"><b>図書館</b>")
    assert "<b>図書館</b>" in page.inner_text("#hy-chat .hy-question")
    assert page.locator("#hy-chat img").count() == 0 and page.title() != "broken"


def test_an_opinion_is_kept(wide, store):
    page = wide.start()
    ask(page, "図書館の今後の計画は")
    before = len(store.latest())
    page.get_by_role("button", name="よくないね").click()
    page.wait_for_timeout(1_000)
    kept = store.latest()
    assert len(kept) == before + 1
    assert (kept[0].rating, kept[0].question, kept[0].index_version) == ("down", "図書館の今後の計画は", "fake-1")
    page.fill("#hy-why textarea", "年度が違う")
    page.click("#hy-why .submit-button")
    page.wait_for_selector("#hy-why", state="hidden")
    assert store.latest()[0].comment == "年度が違う"
    draft = next(one for one in store.cases.cases("draft") if one.question == "図書館の今後の計画は")
    assert draft.comment == "年度が違う" and draft.cited == ("図書館システム運用 / 今後の計画",)


COMPOSE = """(element, ended) => {
  element.dispatchEvent(new CompositionEvent("compositionstart", {bubbles: true}));
  const key = {key: "Enter", code: "Enter", bubbles: true, cancelable: true};
  if (ended) {  // Safari: the conversion ends first, then Enter arrives with the code 229
    element.dispatchEvent(new CompositionEvent("compositionend", {bubbles: true}));
    element.dispatchEvent(new KeyboardEvent("keydown", {...key, keyCode: 229}));
  } else {  // Chrome and Firefox
    element.dispatchEvent(new KeyboardEvent("keydown", {...key, keyCode: 229, isComposing: true}));
    element.dispatchEvent(new KeyboardEvent("keypress", {...key, keyCode: 13, isComposing: true}));
    element.dispatchEvent(new CompositionEvent("compositionend", {bubbles: true}));
  }
}"""


@pytest.mark.parametrize("ended", [False, True], ids=["chrome", "safari"])
def test_enter_that_closes_a_conversion_does_not_send(wide, ended):
    page = wide.start()
    box = page.locator("#hy-question textarea")
    box.fill("図書館の今後の計画は")
    box.evaluate(COMPOSE, ended)
    page.wait_for_timeout(800)
    assert page.locator("#hy-chat .hy-question").count() == 0
    assert box.input_value() == "図書館の今後の計画は"
    box.press("Enter")  # the next Enter is a real one
    page.wait_for_selector("#hy-chat .hy-tools")


def test_search_with_a_facet(watched, tmp_path):
    page = watched.start()
    page.get_by_role("tab", name="検索").click()
    box = page.locator("#hy-search textarea, #hy-search input").first
    box.fill("図書館")
    box.press("Enter")
    page.wait_for_selector("#hy-results a.hy-card")
    assert "4件中" in page.inner_text("#hy-results .hy-count")
    assert page.locator("#hy-results mark").first.inner_text() == "図書館"
    page.screenshot(path=tmp_path / "search.png")
    if page.locator("#hy-facets > button:not(.open)").count():  # folded on a telephone
        page.click("#hy-facets > button")
    page.get_by_label("ひので市（2）").check()
    page.wait_for_function("document.querySelector('#hy-results .hy-count').textContent.startsWith('2件中')")
    assert all("ひので市" in text for text in page.locator("#hy-results .hy-where").all_inner_texts())
    page.get_by_label("あおば市（3）").wait_for()  # the other city can still be picked
    page.locator("#hy-results a.hy-card").first.click()
    assert sheet_frame(page).locator("h1").inner_text() == "図書館システム更新"


def test_a_filter_of_the_search_holds_for_the_chat(wide):
    page = wide.start()
    page.get_by_role("tab", name="検索").click()
    page.locator("#hy-search textarea, #hy-search input").first.fill("図書館")
    page.keyboard.press("Enter")
    page.get_by_label("ひので市（2）").check()
    page.wait_for_function("document.querySelector('#hy-results .hy-count').textContent.startsWith('2件中')")
    page.get_by_role("tab", name="質問").click()
    ask(page, "決算額が大きい事業は？")
    assert "全2件中2件" in page.inner_text("#hy-chat .hy-body")


def test_shared_filters_are_shown_and_kept_in_the_address(wide, browser, address):
    page = wide.start()
    page.click("#hy-scope > button")
    page.click("#hy-scope-municipality input")
    page.get_by_role("option", name="ひので市").click()
    page.get_by_text("絞り込み中：ひので市").wait_for()
    page.wait_for_function("location.search.includes('municipality=')")
    ask(page, "決算額が大きい事業は？")
    assert "全2件中2件" in page.inner_text("#hy-chat .hy-body")
    colleague = Watched(browser, address, WIDE).open(page.url.removeprefix(address) + "&tab=search&q=図書館")
    colleague.wait_for_selector("#hy-results a.hy-card")
    assert colleague.inner_text("#hy-results .hy-count").startswith("2件中")
    colleague.get_by_text("絞り込み中：ひので市").wait_for()
    colleague.context.close()


@pytest.mark.parametrize(
    "address_tail", ["?tab=x&fiscal_year=%00&municipality=%3Cb%3E", "?q=%FF&fiscal_year=99999999999999"]
)
def test_an_address_with_nonsense_opens_the_first_screen(wide, address_tail):
    page = wide.open(f"/{address_tail}")
    page.wait_for_selector("button.hy-example", state="attached", timeout=20_000)
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
    page.wait_for_selector("#hy-status .hy-file")
    assert "文書 2・シート 4" in page.inner_text("#hy-status") and "海底 都市 構想" in page.inner_text("#hy-status")


def test_the_parse_report_opens_to_its_sheets_and_hides_what_is_fine(watched, tmp_path):
    page = watched.open("/?tab=status")
    page.wait_for_selector("#hy-status .hy-file", timeout=20_000)
    page.locator(".hy-file > summary").first.click()
    assert page.locator(".hy-file tbody tr:visible").count() == 2 and watched.fits()
    assert "12行目" in page.inner_text(".hy-file") and "見つからない項目: 目的・指標" in page.inner_text(".hy-file")
    page.screenshot(path=tmp_path / "report.png")
    page.get_by_label("要確認のみ（0件）").check()
    assert page.locator(".hy-file:visible").count() == 0
    with page.expect_download() as download:
        page.get_by_role("link", name="CSVで保存").click()
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


def test_dark_mode_is_readable(browser, address, tmp_path):
    watched = Watched(browser, address, WIDE, color_scheme="dark")
    page = watched.start()
    ask(page, "図書館の今後の計画は")
    light = "c => { const [r, g, b] = getComputedStyle(c).%s.match(/\\d+/g).map(Number); return r + g + b > 384; }"
    card = page.locator("#hy-chat a.hy-card")
    assert card.evaluate(light % "color") and not card.evaluate(light % "backgroundColor")
    page.screenshot(path=tmp_path / "dark.png")
    watched.context.close()


def test_keyboard_alone_asks_and_opens_a_citation(wide):
    page = wide.start()
    page.locator("button.hy-example:visible").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#hy-chat a.hy-card")
    page.locator("#hy-chat a.hy-card").first.focus()
    page.keyboard.press("Enter")
    sheet_frame(page)
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.hy-drawer", state="hidden")


def test_every_control_has_a_name(watched):
    page = watched.start()
    ask(page, "決算額が大きい事業は？")
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, input, textarea, a[href], iframe, svg[role='img']")]
        .filter(one => one.offsetParent && one.type !== "hidden")
        .filter(one => !(one.innerText || one.ariaLabel || one.title || one.placeholder || one.labels?.length))
        .map(one => one.outerHTML.slice(0, 200))"""
    )
    assert nameless == []
    labels = page.eval_on_selector_all("#hy-chat [aria-label]", "all => all.map(one => one.ariaLabel)")
    assert not any("<" in label for label in labels), "no tags are read aloud"


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
    page.wait_for_selector("#hy-chat a.hy-card", timeout=20_000)
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
