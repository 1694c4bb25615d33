"""For everyone: what a screen reader hears, what a keyboard reaches, what weak eyes see, on every screen.

axe-core comes with axe-playwright-python. Nothing of Gradio's is left out of the check.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from browser_pages import NARROW, WIDE, Watched, ask, leave_the_box, say_it_is_poor, sheet_frame
from browser_pages import address as address
from browser_pages import browser as browser
from browser_pages import pytestmark as pytestmark
from browser_pages import store as store
from browser_pages import watched as watched
from browser_pages import wide as wide

from tests.fakes import TEXTS

QUOTE = "R5 1,500千円"
MARKED = f"/sheet/aoba-1?start={TEXTS['aoba.txt'].index(QUOTE)}&end={TEXTS['aoba.txt'].index(QUOTE) + len(QUOTE)}#quote"
# Findings that are excluded, each as (rule, a part of the element's HTML) with its reason beside it.
EXCLUDED: list[tuple[str, str]] = []


@pytest.fixture(scope="module")
def axe() -> str:
    package = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python がありません")
    return (Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


def findings(page, axe: str, screen: str) -> list[str]:
    """The serious and critical findings on a page and in its frames."""
    for frame in page.frames:
        if frame.url != "about:blank":
            frame.evaluate(f"{axe};0")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert found["testEngine"]["name"] == "axe-core" and len(found["violations"]) < 50
    return [
        f"{screen}: {rule['id']}: {node['html'][:200]}: {node['failureSummary'][:300]}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
        if not any(rule["id"] == name and part in node["html"] for name, part in EXCLUDED)
    ]


def screens(page, seen: Watched):
    """Opens one screen after the other and names each."""
    page = seen.start()
    yield "質問の前"
    ask(page, "決算額が大きい事業は？")
    page.wait_for_selector("#hy-chat .hy-bar")
    ask(page, "決算額の推移は？")
    page.wait_for_selector("#hy-chat .hy-dot")
    yield "表とグラフのある回答"
    ask(page, "図書館 月面 基地 建設")
    yield "見つからない"
    say_it_is_poor(page)
    if page.locator("#hy-why").count():  # a message slides in as well: half transparent it would be a finding
        page.wait_for_selector(".toast-close")
        assert page.locator(".toast-header[role=button]").count() == 0, "no button inside a button"
        page.click(".toast-close")
        page.wait_for_selector(".toast-body", state="detached")
    yield "意見"
    leave_the_box(page)
    if page.locator("#hy-history > button:not(.open)").count():
        page.locator("#hy-history > button").click()
        page.wait_for_selector("#hy-history-list .hy-talk")
        yield "履歴"
        page.locator("#hy-history > button").click()
    page.locator("#hy-chat a.hy-card").first.click()
    sheet_frame(page)
    yield "引き出し"
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.hy-drawer", state="hidden")
    page.click("#hy-scope > button")
    page.locator("#hy-scope-municipality input").click()
    page.get_by_role("option", name="ひので市").click()
    page.get_by_text("絞り込み中：ひので市").wait_for()
    page.keyboard.press("Escape")
    yield "絞り込み"
    page = seen.open("/?tab=search&q=図書館")
    page.wait_for_selector("#hy-results a.hy-card")
    yield "検索"
    page = seen.open("/?tab=sheets")
    page.wait_for_selector(".hy-catalogue a:visible")
    yield "シート"
    page = seen.open("/?tab=status")
    page.wait_for_selector(".hy-file")
    page.locator(".hy-file > summary").first.click()
    yield "管理"
    for name in tab_names(page, "#hy-status-tabs")[1:]:
        page.locator("#hy-status-tabs").get_by_role("tab", name=name, exact=True).click()
        page.wait_for_function(SHOWN, arg="#hy-status-tabs")
        yield f"管理の{name}"
    seen_already = {"質問", "検索", "シート", "管理", *tab_names(page, "#hy-status-tabs")}
    for name in tab_names(page, "#hy-tabs"):
        if name not in seen_already:
            page.locator("#hy-tabs").get_by_role("tab", name=name, exact=True).click()
            page.wait_for_function(SHOWN, arg="#hy-tabs")
            yield name
    page = seen.open(MARKED)
    yield "シートのページ"
    if seen.context.request.get(f"{seen.address}/compare").headers.get("content-type", "").startswith("text/html"):
        page = seen.open("/compare?sheet=aoba-1&sheet=hinode-1")
        yield "比較のページ"


SHOWN = "name => [...document.querySelectorAll(`${name} [role=tabpanel]`)].some(one => one.offsetParent)"


def tab_names(page, place: str) -> list[str]:
    """The tabs in sight; Gradio keeps a second, hidden set to measure them."""
    return list(dict.fromkeys(page.locator(f"{place} [role=tab]:visible").all_inner_texts()))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1280", "390"])
def test_axe_finds_nothing_serious_on_any_screen(browser, address, axe, size, scheme, tmp_path):
    seen = Watched(browser, address, size, color_scheme=scheme)
    found, names = [], []
    for name in screens(seen.page, seen):
        settled(seen.page)
        names.append(name)
        found += findings(seen.page, axe, name)
        seen.page.screenshot(path=tmp_path / f"{len(names):02d}.png")
        assert seen.fits(), name
    assert len(names) >= 11
    assert found == []
    assert seen.outside == [] and seen.complaints == []
    seen.context.close()


def settled(page) -> None:
    """Waits until nothing fades or slides: a half transparent text has another contrast."""
    page.wait_for_function(
        "() => document.getAnimations().every(one => one.playState !== 'running' || one.effect.getTiming().iterations > 1)"
    )


def test_a_finding_would_be_seen(wide, axe):
    page = wide.start()
    page.evaluate(
        """document.querySelector("#hy-header").insertAdjacentHTML("beforeend", '<p style="color: #ccc">薄い字</p>')"""
    )
    assert [line for line in findings(page, axe, "") if "color-contrast" in line]


def test_an_answer_is_announced_once_when_it_is_whole(wide, monkeypatch):
    page = wide.start()
    page.wait_for_selector(".hy-aloud[role=status]", state="attached")
    page.evaluate(
        """window.heard = []; new MutationObserver(() => heard.push(document.querySelector(".hy-aloud").textContent))
        .observe(document.querySelector(".hy-aloud"), {childList: true, characterData: true, subtree: true})"""
    )
    for times, question in enumerate(("決算額が大きい事業は？", "図書館の今後の計画は"), 1):
        ask(page, question)
        page.wait_for_function("n => heard.length >= n", arg=times)
    page.locator("#hy-chat .hy-copy").last.click()  # what is pressed under an answer is not the answer
    page.get_by_role("button", name="コピーしました").wait_for()
    heard = page.evaluate("heard")
    assert len(heard) == 2
    assert heard[0].startswith("回答：令和4年度の決算額が大きい順に、全4件中4件です。") and "広報紙発行" in heard[0]
    assert heard[1] == "回答：図書館システム運用（あおば市）: 令和7年度にクラウド型の図書館システムへ移行する。"
    live = page.eval_on_selector_all("#hy-chat [aria-live]", "all => all.map(one => one.getAttribute('aria-live'))")
    assert live and set(live) == {"off"}, "the log itself says nothing while it grows"


PIXELS = "name => Math.round(parseFloat(getComputedStyle(document.querySelector(name)).fontSize))"


def test_a_text_size_is_kept_and_holds_for_every_page(watched, tmp_path):
    page = watched.start()
    sizes = page.get_by_role("group", name="文字の大きさ")
    assert sizes.get_by_role("button", name="標準").get_attribute("aria-pressed") == "true"
    usual = page.evaluate(PIXELS, "#hy-question textarea"), page.evaluate(PIXELS, "button.hy-example")
    sizes.get_by_role("button", name="特大").click()
    assert sizes.get_by_role("button", name="特大", exact=True).get_attribute("aria-pressed") == "true"
    settled(page)
    grown = page.evaluate(PIXELS, "#hy-question textarea"), page.evaluate(PIXELS, "button.hy-example")
    assert (usual, grown) == ((16, 15), (22, 21))  # 137.5 %: 16 -> 22, 15 -> 20.6
    page = watched.start()
    assert page.evaluate(PIXELS, "#hy-question textarea") == 22
    page.wait_for_selector("button.hy-size-3[aria-pressed=true]")
    ask(page, "決算額が大きい事業は？")
    assert watched.fits()
    page.screenshot(path=tmp_path / "largest.png")
    page.locator("#hy-chat a.hy-card").first.click()
    assert sheet_frame(page).locator("html.hy-largest").count() == 1
    for path in (MARKED, "/?tab=search&q=図書館", "/?tab=sheets", "/?tab=status"):
        page = watched.open(path)
        page.wait_for_selector("mark#quote, #hy-results a.hy-card, .hy-catalogue a:visible, .hy-file")
        assert page.evaluate(PIXELS, "html") == 22 and watched.fits(), path
    page.click("button.hy-size-1")
    page = watched.open(MARKED)
    assert page.evaluate(PIXELS, "html") == 16


def test_two_hundred_percent_and_a_small_telephone_scroll_only_down(browser, address):
    for size in ({"width": 640, "height": 450}, {"width": 320, "height": 568}):  # 1280 px at 200 % and at 400 %
        seen = Watched(browser, address, size)
        for name in screens(seen.page, seen):
            assert seen.fits(), (size, name)
            if "管理" in name:
                break  # its inner tabs fold into a menu at this width
        seen.open(MARKED)
        assert seen.fits()
        assert seen.outside == [] and seen.complaints == []
        seen.context.close()


FOCUS = """() => {
  const one = document.activeElement;
  const ring = (element) => { const s = getComputedStyle(element); return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2; };
  const box = one.getBoundingClientRect();
  const dock = one.closest(".hy-dock") ? null : document.querySelector(".hy-dock");
  const name = one.ariaLabel || one.innerText || one.labels?.[0]?.innerText || one.placeholder || "";
  return {name: name.split("\\n")[0], tag: one.tagName, top: box.top, bottom: box.bottom,
    hidden: dock?.offsetParent ? box.top > dock.getBoundingClientRect().top - 10 : false,
    ring: ring(one) || ring(one.closest(".block") ?? one)};
}"""


def walk(page, most: int) -> list[dict]:
    """What Tab reaches, one after the other, until the end of the page."""
    stops = []
    for _ in range(most):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUS)
        if stop["tag"] == "BODY":
            break
        stops.append(stop)
    return stops


def test_tab_reaches_everything_in_the_order_of_the_page_and_shows_where_it_is(watched):
    page = watched.start()
    stops = walk(page, 40)
    names = [stop["name"] for stop in stops]
    top = ["本文へ移動", "標準", "大", "特大", "絞り込み（自治体・年度・部課）", *tab_names(page, "#hy-tabs")]
    if page.locator("#hy-tabs [aria-label='ほかの画面']:visible").count():
        top.append("ほかの画面")  # the menu of the tabs that have no room
    assert names[: len(top)] == top and len(top) >= 8
    examples = page.locator("button.hy-example:visible").all_inner_texts()
    place = names.index(examples[0])  # a folded history may stand before them
    assert names[place : place + len(examples)] == examples
    assert any(stop["tag"] == "TEXTAREA" for stop in stops[place + len(examples) :])
    assert [stop for stop in stops if not stop["ring"]] == []


def test_the_answer_is_walked_through_by_keyboard(watched):
    page = watched.start()
    ask(page, "決算額が大きい事業は？")
    page.evaluate("scrollTo(0, 0)")
    page.locator(".hy-skip").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "tabpanel"
    stops = walk(page, 60)
    names = [stop["name"] for stop in stops]
    wanted = [
        "引用1を開く",
        "回答の表",
        "CSVで保存",
        "Excelで保存",
        "[1]図書館システム更新",
        "回答と出典をコピー",
        "役に立たなかった",
        "質問する",
    ]
    places = [names.index(name) for name in wanted]
    assert places == sorted(places)
    assert [stop for stop in stops if not stop["ring"] or stop["hidden"]] == []


def test_escape_closes_the_drawer_and_the_focus_is_where_it_was(watched):
    page = watched.start()
    ask(page, "図書館の今後の計画は")
    for inside in (False, True):
        card = page.locator("#hy-chat a.hy-card").first
        card.focus()
        page.keyboard.press("Enter")
        mark = sheet_frame(page).locator("mark#quote")
        if inside:
            mark.focus()
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog.hy-drawer", state="hidden")
        assert card.evaluate("one => one === document.activeElement")


def test_escape_closes_a_drawer_whose_sheet_is_still_loading(wide):
    page = wide.start()
    ask(page, "図書館の今後の計画は")
    held = []
    page.route("**/hyoka-assets/sheet.css*", lambda route: held.append(route))  # the frame's load event waits for it
    page.route("**/hyoka-assets/hyoka.css*", lambda route: held.append(route))
    page.locator("#hy-chat a.hy-card").first.click()
    sheet_frame(page).locator("mark#quote").wait_for(state="attached")
    assert held, "the sheet's styles are on their way"
    page.wait_for_function(
        "document.querySelector('.hy-drawer iframe').contentDocument.querySelector('.hy-home') === null"
    )
    page.evaluate("document.querySelector('.hy-drawer iframe').contentWindow.focus()")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.hy-drawer", state="hidden")
    for route in held:
        route.abort()
    wide.complaints.clear()  # the styles that were never sent


def test_a_sheet_of_the_list_is_read_by_keyboard_and_escape_leads_back(wide):
    page = wide.start()
    page.get_by_role("tab", name="シート").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".hy-catalogue a:visible")
    link = page.locator(".hy-catalogue a").nth(1)
    link.focus()
    page.keyboard.press("Enter")
    frame = page.frame_locator("iframe.hy-pane")
    frame.locator("h1").wait_for()
    page.wait_for_function("document.activeElement.matches('iframe.hy-pane')")
    page.keyboard.press("Tab")
    assert frame.locator(":focus").count() == 1
    page.keyboard.press("Escape")
    page.wait_for_function("document.activeElement.matches('.hy-catalogue a[aria-current]')")
    assert link.evaluate("one => one === document.activeElement")


ENGLISH = """() => {
  const english = /[A-Za-z]{3,}/, japanese = /[ぁ-んァ-ヶ一-龠]/, found = [];
  for (const one of document.body.querySelectorAll("*")) {
    for (const name of ["aria-label", "title", "alt", "placeholder", "aria-description", "aria-roledescription"]) {
      const text = one.getAttribute(name) ?? "";
      if (english.test(text) && !japanese.test(text)) found.push(`${name}: ${text}`);
    }
    if (one.closest("script, style, noscript")) continue;
    for (const part of one.childNodes) {
      if (part.nodeType === 3 && english.test(part.data) && !japanese.test(part.data)) found.push(`text: ${part.data.trim()}`);
    }
  }
  return found;
}"""
# Words that Japanese offices use as they are, names of files, of invented versions, and what the source says.
AS_IT_IS = re.compile(r"text: (?:Excel|Word|CSV|JSON Lines|(?:aoba|hinode)\.txt|fake-1|<b>図書館</b>)")


def test_no_english_is_left_for_a_screen_reader(browser, address):
    seen = Watched(browser, address, WIDE)
    left = {}
    for name in screens(seen.page, seen):
        for text in seen.page.evaluate(ENGLISH):
            if not AS_IT_IS.fullmatch(text):
                left.setdefault(text, name)
    assert left == {}
    assert seen.open().evaluate("document.documentElement.lang") == "ja"
    seen.context.close()


def test_the_colours_follow_the_system_while_the_page_is_open(browser, address):
    seen = Watched(browser, address, WIDE, color_scheme="light")
    page = seen.start()
    ask(page, "図書館の今後の計画は")
    page.locator("#hy-chat a.hy-card").first.click()
    frame = sheet_frame(page)
    brightness = """one => getComputedStyle(one).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b)"""
    for scheme, light in (("light", True), ("dark", False), ("light", True)):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function("dark => document.body.classList.contains('dark') === dark", arg=not light)
        for place in (page.locator("body"), page.locator("#hy-chat a.hy-card").first, frame.locator("body.hy-page")):
            settled(page)
            assert (place.evaluate(brightness) > 384) is light
    assert seen.complaints == []
    seen.context.close()


def test_who_wants_no_motion_gets_none(browser, address):
    seen = Watched(browser, address, WIDE, reduced_motion="reduce")
    page = seen.start()
    page.click("#hy-scope > button")
    page.wait_for_selector("#hy-scope-municipality input:visible")
    lasting = page.evaluate(
        """() => [...document.querySelectorAll("*")].map(one => getComputedStyle(one))
        .filter(style => [style.transitionDuration, style.animationDuration].join().split(",").some(one => parseFloat(one) > 0.001)).length"""
    )
    assert lasting == 0
    seen.context.close()


def test_a_conversation_is_printed_black_on_white_without_its_buttons(browser, address, tmp_path):
    seen = Watched(browser, address, WIDE, color_scheme="dark")
    page = seen.start()
    ask(page, "決算額が大きい事業は？")
    ask(page, "図書館の今後の計画は")
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    for name in ("button.hy-copy", "button.hy-csv", "#hy-question", "#hy-scope", "[role=tab]", ".hy-size", ".hy-skip"):
        assert not page.locator(name).first.is_visible(), name
    colours = "one => { const s = getComputedStyle(one); return [s.color, s.backgroundColor]; }"
    assert page.locator("#hy-chat .hy-body").first.evaluate(colours)[0] == "rgb(0, 0, 0)"
    assert page.locator("#hy-chat a.hy-card").first.evaluate(colours)[1] == "rgb(255, 255, 255)"
    assert page.locator("#hy-chat .hy-cites details:not([open])").count() == 0
    page.screenshot(path=tmp_path / "print.png", full_page=True)
    paper = page.pdf(path=tmp_path / "conversation.pdf", format="A4", print_background=True)
    import pypdfium2

    document = pypdfium2.PdfDocument(paper)
    text = "".join(one.get_textpage().get_text_range() for one in document)
    for told in (
        "決算額が大きい事業は？",
        "3,000,000",
        "広報紙発行",
        "令和7年度にクラウド型の図書館システムへ移行する。",
    ):
        assert told in "".join(text.split()), told
    assert "CSVで保存" not in text
    seen.context.close()
