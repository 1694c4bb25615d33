"""Japanese input in every box: Enter that closes a kana-kanji conversion never acts, and 全角 means what 半角 means."""

from __future__ import annotations

import pytest
from browser_pages import address as address
from browser_pages import ask, leave_the_box, say_it_is_poor
from browser_pages import browser as browser
from browser_pages import pytestmark as pytestmark
from browser_pages import store as store
from browser_pages import wide as wide

# Every key event of Enter that reaches a box, for each way in which browsers end a conversion, and of a plain Enter.
REACHED = """(box, way) => {
  let reached = 0;
  const count = (event) => { if (event.key === "Enter") { reached += 1; event.stopPropagation(); } };
  for (const kind of ["keydown", "keypress"]) box.addEventListener(kind, count);
  const key = (kind, more) => {
    const event = new KeyboardEvent(kind, {key: "Enter", code: "Enter", bubbles: true, cancelable: true, ...more});
    box.dispatchEvent(event);
    if (event.defaultPrevented && way !== "plain") reached += 100;  // the conversion itself must go on
  };
  const conversion = (kind) => box.dispatchEvent(new CompositionEvent(kind, {bubbles: true, data: "変換"}));
  if (way === "chrome") {  // the key is told inside the conversion, with the code 229
    conversion("compositionstart");
    key("keydown", {keyCode: 229, isComposing: true});
    conversion("compositionend");
  } else if (way === "firefox") {  // the key is told with its own code, and only isComposing says it
    conversion("compositionstart");
    key("keydown", {keyCode: 13, isComposing: true});
    key("keypress", {keyCode: 13, isComposing: true});
    conversion("compositionend");
  } else if (way === "safari") {  // the conversion ends before the key, and only the code 229 says it
    conversion("compositionstart");
    conversion("compositionend");
    key("keydown", {keyCode: 229, isComposing: false});
  } else if (way === "silent") {  // neither is told: the conversion has begun and not ended
    conversion("compositionstart");
    key("keydown", {keyCode: 13, isComposing: false});
    conversion("compositionend");
  } else key("keydown", {keyCode: 13, isComposing: false});
  for (const kind of ["keydown", "keypress"]) box.removeEventListener(kind, count);
  return reached;
}"""
BOXES = "textarea:visible, input[type=text]:visible, input[type=search]:visible, input:not([type]):visible"

# The tab is chosen, and its panel stands there with what belongs into it.
FILLED = """name => [...document.querySelectorAll("#hy-status-tabs [role=tab][aria-selected=true]")].some(
  one => one.textContent.trim() === name)
  && [...document.querySelectorAll("#hy-status-tabs [role=tabpanel]")].some(one => one.offsetParent
  && [...one.querySelectorAll("textarea, button, .hy-file")].some(part => part.offsetParent))"""

# Gradio makes what stands behind a fold when it is opened.
OPENED = """() => [...document.querySelectorAll(".label-wrap")].filter(one => one.offsetParent).every(
  one => [...one.parentElement.querySelectorAll("input, textarea")].some(box => box.getBoundingClientRect().height > 0))"""


def every_box(page):
    """Opens every screen and gives the boxes that stand on it."""
    page.click("#hy-scope > button")
    page.wait_for_selector("#hy-scope-department input:visible")
    ask(page, "図書館の今後の計画は")
    yield say_it_is_poor(page)
    leave_the_box(page)
    for name in page.locator("#hy-tabs > .tab-wrapper [role=tab]:visible").all_inner_texts():
        page.locator("#hy-tabs").get_by_role("tab", name=name, exact=True).click()
        inner = page.locator("#hy-status-tabs > .tab-wrapper [role=tab]:visible").all_inner_texts()
        for part in inner or [""]:
            if part:
                page.locator("#hy-status-tabs").get_by_role("tab", name=part, exact=True).click()
                page.wait_for_function(FILLED, arg=part)
            while (folds := page.locator(".label-wrap:visible:not(.open)")).count():
                folds.first.click()
            page.wait_for_function(OPENED)
            yield from page.locator(BOXES).all()


def test_enter_that_closes_a_conversion_reaches_no_box(wide):
    page = wide.start()
    boxes = set()
    for box in every_box(page):
        place = box.evaluate(
            "one => (one.closest('dialog') ? 'dialog' : one.closest('[id^=hy-]')?.id) + ' ' + (one.ariaLabel || one.labels?.[0]?.innerText || one.placeholder || '')"
        )
        boxes.add(place)
        for way in ("chrome", "firefox", "safari", "silent"):
            assert box.evaluate(REACHED, way) == 0, (place, way)
        assert box.evaluate(REACHED, "plain") == 1, place
    ids = {place.split()[0] for place in boxes}
    for screen in (
        "hy-question",
        ("hy-search", "hy-words"),
        "hy-sheets",
        "hy-case-question",
        "hy-case-must",
        "hy-case-sheets",
    ):
        assert any(one.startswith(screen) for one in ids), screen
    assert ids & {"hy-why", "dialog"} and len(boxes) >= 14


def test_a_conversion_of_the_browser_itself_sends_nothing_until_it_is_over(wide):
    page = wide.start()
    keyboard = wide.context.new_cdp_session(page)
    page.locator("#hy-question textarea").focus()
    for read in ("と", "としょ", "としょかんの", "図書館の"):
        keyboard.send("Input.imeSetComposition", {"text": read, "selectionStart": len(read), "selectionEnd": len(read)})
    enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}
    keyboard.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **enter})
    keyboard.send("Input.insertText", {"text": "図書館の"})
    keyboard.send("Input.dispatchKeyEvent", {"type": "keyUp", **enter})
    page.keyboard.insert_text("今後の計画は")
    box = page.locator("#hy-question textarea")
    assert box.input_value() == "図書館の今後の計画は"
    box.press("Enter")
    page.wait_for_selector("#hy-chat .hy-tools")
    assert page.locator("#hy-chat .hy-question").all_inner_texts() == ["図書館の今後の計画は"], "sent once, and whole"


def test_full_width_digits_and_spaces_find_what_the_others_find(wide):
    page = wide.start()
    page.click("#hy-scope > button")
    years = page.locator("#hy-scope-fiscal_year input")
    years.fill("令和５")
    page.get_by_role("option", name="令和5年度").wait_for()
    assert page.get_by_role("option").count() == 1
    years.press("Enter")
    page.get_by_text("絞り込み中：令和5年度").wait_for()
    page.get_by_role("tab", name="シート").click()
    page.locator("#hy-sheets textarea, #hy-sheets input").first.fill("道路　整備")
    page.wait_for_function("document.querySelectorAll('.hy-catalogue a').length === 1")
    page.get_by_role("tab", name="検索").click()
    page.locator("#hy-search textarea, #hy-search input").first.fill("図書館　クラウド")
    page.keyboard.press("Enter")
    page.wait_for_selector("#hy-results a.hy-card")
    assert page.locator("#hy-results .hy-title").first.inner_text() == "図書館システム運用"


@pytest.mark.parametrize("written", ["２０２３", "令和　５"])
def test_an_unfinished_conversion_is_not_touched(wide, written):
    page = wide.start()
    page.click("#hy-scope > button")
    keyboard = wide.context.new_cdp_session(page)
    years = page.locator("#hy-scope-fiscal_year input")
    years.click()
    keyboard.send("Input.imeSetComposition", {"text": written, "selectionStart": 0, "selectionEnd": len(written)})
    assert years.input_value() == written
