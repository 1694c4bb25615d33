"""The end of Gradio's event stream never loses an event that is sent in the same moment (ui/assets/stream.js)."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser_pages import address as address
from browser_pages import browser as browser
from browser_pages import pytestmark as pytestmark
from browser_pages import store as store
from browser_pages import wide as wide

SCRIPT = (Path(__file__).parents[1] / "ui" / "assets" / "stream.js").read_text("utf-8")

# A server of a page's own: `say` puts a message into the newest stream, `accept` answers a join.
SERVER = """
window.streams = [];
window.joins = {};
window.fetch = (input) => {
  const address = String(input.url ?? input);
  if (address.endsWith("/queue/data")) {
    const bytes = new TransformStream();
    const writer = bytes.writable.getWriter();
    streams.push({ say: (message) => writer.write(new TextEncoder().encode(`data: ${JSON.stringify(message)}\\n\\n`)),
                   raw: (text) => writer.write(new TextEncoder().encode(text)), end: () => writer.close() });
    return Promise.resolve(new Response(bytes.readable, { headers: { "content-type": "text/event-stream" } }));
  }
  if (address.endsWith("/refused/queue/join")) return Promise.resolve(new Response("no", { status: 503 }));
  return new Promise((done) => { joins[address] = (event) => done(new Response(JSON.stringify({ event_id: event }))); });
};
"""
READ = """
window.heard = [];
window.over = (async () => {
  const response = await fetch("http://x/queue/data");
  for (const reader = response.body.pipeThrough(new TextDecoderStream()).getReader(); ;) {
    const { value, done } = await reader.read();
    if (done) return;
    for (const part of value.split("\\n\\n").filter(Boolean)) heard.push(JSON.parse(part.slice(5)).msg);
  }
})();
window.turn = () => new Promise((done) => setTimeout(done, 20));
"""


@pytest.fixture
def page(browser):
    page = browser.new_page()
    page.add_script_tag(content=SERVER)
    page.add_script_tag(content=SCRIPT)
    page.add_script_tag(content=READ)
    yield page
    page.close()


def test_an_end_is_told_when_nothing_is_under_way(page):
    heard = page.evaluate("""async () => {
      const join = fetch("http://x/1/queue/join"); joins["http://x/1/queue/join"]("a"); await join; await turn();
      streams[0].say({ msg: "process_completed", event_id: "a" });
      streams[0].say({ msg: "close_stream" }); streams[0].end();
      await over; return [heard, streams.length]; }""")
    assert heard == [["process_completed", "close_stream"], 1]


def test_an_event_accepted_after_the_end_was_said_is_still_heard(page):
    heard = page.evaluate("""async () => {
      const first = fetch("http://x/1/queue/join"); joins["http://x/1/queue/join"]("a"); await first; await turn();
      const second = fetch("http://x/2/queue/join"); // sent before the end is heard, accepted after it
      streams[0].say({ msg: "process_completed", event_id: "a" });
      streams[0].say({ msg: "close_stream" }); streams[0].end();
      await turn();
      joins["http://x/2/queue/join"]("b");
      const event = (await (await second).json()).event_id; await turn();
      streams[1].say({ msg: "process_generating", event_id: "b" });
      streams[1].say({ msg: "process_completed", event_id: "b" });
      streams[1].say({ msg: "close_stream" }); streams[1].end();
      await over; return [heard, event, streams.length]; }""")
    assert heard == [["process_completed", "process_generating", "process_completed", "close_stream"], "b", 2]


def test_a_refused_event_does_not_hold_the_end_back(page):
    heard = page.evaluate("""async () => {
      const refused = fetch("http://x/refused/queue/join");
      streams[0].say({ msg: "close_stream" }); streams[0].end();
      await over; return [heard, streams.length, (await refused).status]; }""")
    assert heard == [["close_stream"], 1, 503]


def test_messages_cut_anywhere_and_ends_before_the_word_of_the_join(page):
    heard = page.evaluate("""async () => {
      const join = fetch("http://x/1/queue/join");
      for (const part of ['data: {"msg": "proc', 'ess_completed", "event_id": "評価"}\\n', '\\ndata: {"msg": "close_', 'stream"}\\n\\n'])
        { streams[0].raw(part); await turn(); }
      joins["http://x/1/queue/join"]("評価"); streams[0].end();
      await join; await over; return [heard, streams.length]; }""")
    assert heard == [["process_completed", "close_stream"], 1]


# A fetch of the page's own that answers at once, or never, and breaks off as a browser's does when its reader ends it.
ENDED = """async (answers) => {{
  const ended = new AbortController();
  const broken = (signal, failed) => signal.addEventListener("abort", () => failed(signal.reason));
  window.fetch = (input, init) => {{
    const {{ signal }} = new Request(input, init);
    return answers
      ? Promise.resolve(new Response(new ReadableStream({{ start: (body) => broken(signal, (why) => body.error(why)) }})))
      : new Promise((_, failed) => broken(signal, failed));
  }};
  {script}
  const read = fetch("http://x/queue/data", {{ signal: ended.signal }})
    .then((response) => response.body.getReader().read()).then(({{ done }}) => (done ? "over" : "more"));
  await new Promise((done) => setTimeout(done, 20));
  ended.abort();
  return await read.catch((problem) => problem.name); }}"""


@pytest.mark.parametrize("answers", [True, False])
def test_a_stream_ended_by_its_reader_ends_without_a_complaint(browser, answers):
    page = browser.new_page()
    assert page.evaluate(ENDED.format(script=""), answers) == "AbortError"  # what the browser itself would say
    assert page.evaluate(ENDED.format(script=SCRIPT), answers) == "over"
    page.close()


def test_a_page_left_in_the_middle_of_an_answer_does_not_say_that_its_stream_broke(wide):
    page = wide.start()
    for number in range(5):
        page.locator("#hy-question textarea").fill(f"{number}番目の質問です")
        page.keyboard.press("Enter")
        page.wait_for_selector("#hy-chat .hy-question")
        page.goto(f"{wide.address}/?left={number}")
        page.wait_for_selector("button.hy-example:visible")
    assert [one for one in wide.complaints if "AbortError" in one] == []
    wide.complaints.clear()  # an event that was just being sent cannot be: that is the browser's to say


def test_questions_sent_the_moment_an_answer_stands_are_all_answered(wide):
    page = wide.start()
    box = page.locator("#hy-question textarea")
    for number in range(1, 9):
        box.fill(f"{number}番目の質問です")
        box.press("Enter")
        page.wait_for_function(f"document.querySelectorAll('#hy-chat .hy-opinion').length === {number}")
        page.wait_for_timeout(5 * number)
    assert page.locator("#hy-chat .hy-question").count() == 8
