"""The line in front of answers and searches: its order, its end, what who is refused is told over HTTP and on the screen."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from crowds import PLAN, Gate, Told, ask, assert_refused, results, sample, serving
from crowds import small_index as small_index
from hypothesis import given
from hypothesis import strategies as st
from test_live import Shelf, wait_for

from assistant.line import Line
from assistant.live import held
from assistant.readiness import Asker
from corpus.errors import Busy, QuestionError
from index.types import Filters
from tests.fakes import FakeAssistant
from ui.chat import respond, respond_in_turn

# ---- the line over HTTP ---------------------------------------------------------------------------------------------


def test_a_burst_beyond_the_line_is_refused_at_once_and_the_rest_is_answered_right():
    assistant = Gate()
    line = Line(2, 3, 60)
    with serving(assistant, line) as address, ThreadPoolExecutor(20) as pool:
        burst = [pool.submit(ask if n % 2 else results, address) for n in range(20)]
        wait_for(lambda: sum(one.done() for one in burst) == 15)  # refused while nothing at all has been answered
        for one in burst:
            if one.done():
                assert_refused(one.result())
        assert (line.running, line.waiting) == (2, 3)
        assert Told(address, "/healthz").status == 200 and Told(address, "/readyz").status == 200
        text = Told(address, "/metrics").text
        assert (sample(text, "hyoka_running"), sample(text, "hyoka_waiting")) == (2.0, 3.0)
        refused = [sample(text, "hyoka_rejected_total", work=w, reason="full") for w in ("ask", "search-screen")]
        assert sum(refused) == 15
        assistant.open.set()
        told = [one.result() for one in burst]
        answered = [one for one in told if one.status == 200]
        assert len(answered) == 5 and assistant.most == 2
        for one in answered:
            assert "クラウド型" in one.json["answer"] if "answer" in one.json else "図書館" in one.json["results"]
        assert ask(address).status == results(address).status == 200, "the line has recovered"
        assert (line.running, line.waiting) == (0, 0)


def test_who_waits_too_long_is_sent_away_and_leaves_no_gap_in_the_line():
    assistant = Gate()
    line = Line(1, 5, 0.2)
    with serving(assistant, line) as address, ThreadPoolExecutor(4) as pool:
        first = pool.submit(ask, address)
        wait_for(lambda: assistant.inside == 1)
        late = [pool.submit(ask, address) for _ in range(3)]
        for one in late:
            assert_refused(one.result())
        assert (line.running, line.waiting) == (1, 0)
        assert sample(Told(address, "/metrics").text, "hyoka_rejected_total", work="ask", reason="late") == 3.0
        assistant.open.set()
        assert first.result().status == 200 and ask(address).status == 200


def test_the_screen_is_told_in_words_that_too_much_is_asked():
    assistant = Gate()
    with serving(assistant, Line(1, 0, 60)) as address, ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, address)
        wait_for(lambda: assistant.inside == 1)
        refused = results(address)
        assert_refused(refused)
        assert refused.json["error"]["message"] in refused.json["results"] and refused.json["facets"] == ""
        assert Told(address, "/api/v1/ask", {"question": " "}).status == 422, "what is no question need not wait"
        assistant.open.set()
        assert first.result().status == 200


def test_an_error_in_the_work_is_the_error_of_the_request_and_frees_its_place():
    line = Line(1, 0)
    with serving(FakeAssistant(), line) as address:
        for _ in range(3):
            assert ask(address, "爆発").json["error"]["code"] == "internal"
            assert ask(address, "拒否").json["error"]["code"] == "question"
        assert ask(address).status == 200 and line.running == 0


# ---- the line alone -------------------------------------------------------------------------------------------------


def test_first_come_first_served_and_who_leaves_gives_the_place_to_the_next():
    async def story() -> list[int]:
        line, order, gate = Line(1, 10, 60), [], threading.Event()
        first = asyncio.create_task(line.run("ask", lambda: gate.wait(120)))
        await asyncio.sleep(0.01)
        others = []
        for n in range(4):
            others.append(asyncio.create_task(line.run("ask", lambda n=n: order.append(n))))
            await asyncio.sleep(0.01)
        others[1].cancel()
        first.cancel()  # its work goes on to its end, and only then is its place free
        await asyncio.sleep(0.01)
        assert (line.running, line.waiting) == (1, 3)
        gate.set()
        ends = await asyncio.gather(first, *others, return_exceptions=True)
        assert [isinstance(one, asyncio.CancelledError) for one in ends] == [True, False, True, False, False]
        assert (line.running, line.waiting) == (0, 0)
        return order

    assert asyncio.run(story()) == [0, 2, 3]


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.booleans()), max_size=25), st.integers(1, 3))
def test_no_order_of_coming_failing_and_leaving_loses_a_place(people, at_once):
    async def story() -> None:
        line, inside = Line(at_once, 4, 60), []

        def work(fails: bool) -> None:
            inside.append(1)
            assert len(inside) <= at_once
            inside.pop()
            if fails:
                raise QuestionError("x")

        tasks = []
        for pauses, fails, leaves in people:
            task = asyncio.create_task(line.run("ask", lambda fails=fails: work(fails)))
            tasks.append(task)
            for _ in range(pauses):
                await asyncio.sleep(0)
            if leaves:
                task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(one is None or isinstance(one, (QuestionError, Busy, asyncio.CancelledError)) for one in ends)
        assert (line.running, line.waiting) == (0, 0) and await line.run("ask", lambda: 1) == 1

    asyncio.run(story())


# ---- the chat -------------------------------------------------------------------------------------------------------


def chat(assistant: Asker, line: Line) -> list[str]:
    """What the last message of the chat says, step by step."""

    async def steps() -> list[str]:
        grown = respond_in_turn(line, respond(assistant, PLAN, [], [], Filters()))
        return [messages[-1]["content"] async for messages, _ in grown]

    return asyncio.run(steps())


def test_the_chat_says_politely_that_too_much_is_asked_and_answers_when_there_is_room():
    said = chat(FakeAssistant(), Line(1, 0))
    assert "探しています" in said[0] and "クラウド型" in said[-1]
    full = Line(1, 0)
    full._running = 1
    said = chat(FakeAssistant(), full)
    assert len(said) == 2 and "集中している" in said[-1] and "もう一度" in said[-1]


def test_an_asynchronous_event_stays_with_its_index_step_by_step():
    shelf = Shelf()
    old = shelf.live.index

    async def steps() -> Any:
        while True:
            yield shelf.live.index.version

    async def story() -> None:
        running = held(steps)()
        assert await anext(running) == "1"
        shelf.stamp = "2"
        shelf.live.check()
        assert await asyncio.create_task(anext(running)) == "1", "also where another task takes the next step"
        assert shelf.live.index.version == "2" and not old.closed.is_set()
        await running.aclose()
        assert old.closed.is_set()

    asyncio.run(story())
