"""A server with more to do than it can: the line and its end over real HTTP, what /metrics tells, and answers kept."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_live import Shelf, wait_for

from assistant.answercache import AnswerCache, cached
from assistant.line import Line
from assistant.live import Live, held, holding
from assistant.readiness import Asker, warm
from assistant.stages import running, stage, stopwatch
from assistant.store import FeedbackStore
from assistant.types import NO_CHOICES, Answer, Choices, Turn
from corpus.errors import Busy, QuestionError
from index.types import Filters
from tests.fakes import FakeAssistant, FakeIndex
from ui.chat import respond, respond_in_turn

PLAN = "図書館システム運用の今後の計画は？"


class Gate(FakeAssistant):
    """Answers when it is let; counts how many questions are being answered at once."""

    def __init__(self) -> None:
        super().__init__(GatedIndex())
        self.open = threading.Event()
        self.index.gate = self
        self.inside = self.most = 0
        self._lock = threading.Lock()

    def wait(self) -> None:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        assert self.open.wait(60)
        with self._lock:
            self.inside -= 1

    def ask(self, *given: Any, **named: Any) -> Answer:
        self.wait()
        return super().ask(*given, **named)


class GatedIndex(FakeIndex):
    """Searches when it is let, once the server has warmed up."""

    def search_sheets(self, *given: Any, **named: Any) -> Any:
        self.gate.wait()
        return super().search_sheets(*given, **named)

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)


@contextmanager
def serving(assistant: Asker, line: Line) -> Iterator[str]:
    """The whole application with that line, on a port of its own."""
    import uvicorn

    from ui.app import create_app

    application = create_app(assistant, FeedbackStore(), line=line)
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(lambda: server.started)
    assert application.state.readiness.wait(60)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


class Told:
    """One response: its status, its headers and its body."""

    def __init__(self, address: str, path: str, body: object = None) -> None:
        data = None if body is None else json.dumps(body).encode()
        request = Request(address + path, data, {"Content-Type": "application/json"})
        try:
            with urlopen(request, timeout=60) as response:
                self.status, self.headers, self.text = response.status, response.headers, response.read().decode()
        except HTTPError as problem:
            self.status, self.headers, self.text = problem.code, problem.headers, problem.read().decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def ask(address: str, question: str = PLAN) -> Told:
    return Told(address, "/api/v1/ask", {"question": question})


def results(address: str) -> Told:
    return Told(address, f"/search/results?q={quote('図書館')}")


def assert_refused(told: Told) -> None:
    """A 503 in the shape of the contract, in Japanese, with the seconds to wait."""
    assert told.status == 503 and int(told.headers["Retry-After"]) >= 1
    error = told.json["error"]
    assert set(error) == {"code", "message"} and error["code"] == "busy"
    assert f"{told.headers['Retry-After']}秒" in error["message"] and "もう一度" in error["message"]


def sample(text: str, name: str, **labels: str) -> float:
    """One value of /metrics; its labels in any order."""
    for line in text.splitlines():
        found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
        if found and found[1] == name and dict(re.findall(r'(\w+)="([^"]*)"', found[2] or "")) == labels:
            return float(found[3])
    return 0.0


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
        first = asyncio.create_task(line.run("ask", lambda: gate.wait(60)))
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


# ---- the start ------------------------------------------------------------------------------------------------------


def test_what_a_list_question_needs_is_read_ahead_and_changes_no_answer(small_index):
    from assistant.session import Assistant

    cold, warmed = Assistant(small_index), Assistant(small_index)
    warm(Live(AnswerCache(warmed, 5), lambda: "", lambda old: old))
    assert warmed._statements._kept > 0 == cold._statements._kept
    before = warmed._statements._kept
    question = "会場について書いている事業は？"
    answers = [replace(one.ask(question), took_ms=0.0) for one in (cold, warmed)]
    assert answers[0] == answers[1] and warmed._statements._kept == before


def test_a_server_is_ready_before_it_has_read_ahead_and_whether_or_not_that_works():
    class Slow(FakeAssistant):
        def __init__(self) -> None:
            super().__init__()
            self.warming = threading.Event()
            self.end = threading.Event()

        def warm(self) -> None:
            self.warming.set()
            assert self.end.wait(60)
            raise RuntimeError("secret")

    assistant = Slow()
    with serving(assistant, Line(1)) as address:
        wait_for(assistant.warming.is_set)
        assert Told(address, "/readyz").status == 200 and ask(address).status == 200
        assistant.end.set()
        assert ask(address).status == 200 and Told(address, "/readyz").status == 200


# ---- stages and metrics ---------------------------------------------------------------------------------------------


def test_a_stage_within_a_stage_is_counted_once(monkeypatch):
    clock = iter([0.0, 1.0, 3.0, 7.0, 15.0, 31.0])
    monkeypatch.setattr("assistant.stages.perf_counter", lambda: next(clock))
    with stopwatch() as watch, stage("compose"), stage("search"):  # from 0, from 1, from 3
        pass  # to 31, to 15, to 7
    # 31. other: 0-1 and 15-31; compose: 1-3 and 7-15; search: 3-7
    assert watch.seconds == {"other": 17.0, "compose": 10.0, "search": 4.0} and watch.total == 31.0
    assert running() is None
    with stage("search"):
        pass  # measured by nobody, and looks at no clock


@pytest.fixture
def small_index(tmp_path):
    from assistant.intake import Intake
    from corpus.sources import find_files
    from index.build import build
    from index.encoder import load_encoder

    (tmp_path / "a.txt").write_text(
        "事務事業評価シート（令和5年度）\nみなと野市\n事業名 花火大会\n担当課 企画課\n事業の目的\n花火大会を続ける。\n"
        "今後の計画\n令和6年度は会場を港に移す。\n",
        "utf-8",
    )
    snapshot = build(Intake(find_files([tmp_path / "a.txt"]), 2**20, jobs=0), load_encoder(), tmp_path / "index")
    yield snapshot
    snapshot.close()


def test_metrics_carry_the_stages_the_wait_the_index_and_the_memory(small_index):
    from assistant.session import Assistant

    with serving(Live(cached(Assistant(small_index), 10), lambda: "", lambda old: old), Line(2)) as address:
        for _ in range(2):
            assert "会場を港に移す" in ask(address, "花火大会の今後の計画は？").json["answer"]
        assert Told(address, f"/api/v1/search?q={quote('会場')}").json["total"] >= 1
        assert results(address).status == 200
        text = Told(address, "/metrics").text
    for name in ("understand", "compose", "explain", "render", "other"):
        told = sample(text, "hyoka_stage_seconds_count", work="ask", stage=name)
        assert told == (2.0 if name in ("render", "other") else 1.0), name
    for work in ("search", "search-screen"):
        for name in ("search", "render"):
            assert sample(text, "hyoka_stage_seconds_count", work=work, stage=name) == 1.0
    assert sample(text, "hyoka_work_seconds_count", work="ask") == 2.0
    whole = sample(text, "hyoka_work_seconds_sum", work="ask")
    parts = re.findall(r'^hyoka_stage_seconds_sum\{stage="\w+",work="ask"\} (\S+)$', text, re.M)
    assert whole == pytest.approx(sum(map(float, parts))), "the stages add up"
    assert sample(text, "hyoka_wait_seconds_count", work="ask") == 2.0
    assert sample(text, "hyoka_index_info", version=small_index.version) == 1.0
    assert sample(text, "hyoka_index_age_seconds") > 0
    assert sample(text, "process_resident_memory_bytes") > 2**20
    assert sample(text, "hyoka_answer_cache_total", outcome="miss") == 1.0
    assert sample(text, "hyoka_answer_cache_total", outcome="hit") == 1.0
    assert sample(text, "hyoka_questions_total", outcome="answered") == 2.0, "one that is kept is asked all the same"
    assert sample(text, "hyoka_http_request_seconds_count", route="/api/v1/ask") == 2.0


# ---- the cache ------------------------------------------------------------------------------------------------------


class Echo:
    """Answers with everything that an answer may depend on, and the generation it belongs to."""

    def __init__(self, generation: str) -> None:
        self.index = FakeIndex(generation)
        self.asked = 0

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        filters: Filters = Filters(),
        choices: Choices = NO_CHOICES,
    ) -> Answer:
        self.asked += 1
        answer = FakeAssistant(self.index).ask(PLAN)
        said = repr((self.index.version, question, tuple(history), filters, choices))
        return replace(answer, answer=said, took_ms=123.0)


QUESTIONS = st.sampled_from(["予算は", "予算は？", "計画は"])
CHOICES = st.builds(
    Choices,
    st.sampled_from([(), ("period",), ("period", "sheet")]),
    st.sampled_from([None, "calendar", "fiscal", "both"]),
    st.sampled_from([None, "a", "b"]),
)
FILTERS = st.builds(
    Filters,
    st.sampled_from([(), ("A市",), ("B市",), ("A市", "B市")]),
    st.sampled_from([(), (2021,), (2022,)]),
    st.sampled_from([(), ("A市",)]),
    st.sampled_from([(), ("課題",)]),
    st.sampled_from([(), ("A",)]),
    st.sampled_from([(), ("A",)]),
)
TURNS = st.lists(st.builds(Turn, st.sampled_from(["user", "assistant"]), QUESTIONS, CHOICES), max_size=2)
STEPS = st.lists(st.one_of(st.tuples(QUESTIONS, TURNS, FILTERS, CHOICES), st.just("reload")), min_size=1, max_size=40)


@given(STEPS, st.integers(1, 5))
def test_an_answer_kept_never_crosses_questions_histories_filters_choices_or_generations(steps, most):
    stamp = ["1"]
    opened: list[Echo] = []

    def open_next(_: object = None) -> AnswerCache:
        opened.append(Echo(stamp[0]))
        return AnswerCache(opened[-1], most)

    live = Live(open_next(), lambda: stamp[0], open_next)
    for step in steps:
        if step == "reload":
            stamp[0] = str(int(stamp[0]) + 1)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(
                    "assistant.live.changed", lambda gone: None
                )  # through everything the tests keep: for nothing here
                assert live.check()
            continue
        given_twice = [live.ask(*step).answer, live.ask(*step).answer]
        question, history, filters, choices = step
        assert given_twice == [repr((stamp[0], question, tuple(history), filters, choices))] * 2


def test_the_cache_forgets_the_answer_unused_longest_and_tells_what_this_time_took():
    echo = Echo("1")
    cache = AnswerCache(echo, 2)
    for question in "ababcacb":  # c takes the place of a, a that of b, b that of a
        cache.ask(question)
    assert echo.asked == 5 and len(cache) == 2
    fresh, again = cache.ask("d"), cache.ask("d")
    assert fresh.took_ms == 123.0 and again.took_ms < 123.0 and replace(again, took_ms=123.0) == fresh


def test_a_question_that_fails_is_not_kept_and_the_cache_can_be_switched_off(monkeypatch):
    fails = FakeAssistant()
    cache = cached(fails, 5)
    for _ in range(2):
        with pytest.raises(QuestionError):
            cache.ask("拒否")
    assert len(fails.asked) == 2 and cached(fails, 0) is fails
    reranking = FakeIndex()
    object.__setattr__(reranking, "reranker", object())
    slow = FakeAssistant(reranking)
    assert cached(slow, 5) is slow


def test_a_request_that_holds_the_old_index_gets_the_old_answer():
    stamp = ["1"]
    live = Live(AnswerCache(Echo("1"), 5), lambda: stamp[0], lambda old: AnswerCache(Echo(stamp[0]), 5))
    with holding():
        before = live.ask("予算は").answer
        stamp[0] = "2"
        assert live.check() and live.ask("予算は").answer == before
    assert live.ask("予算は").answer != before


@pytest.mark.parametrize("changed", ["synonyms", "weights"])
def test_new_synonyms_and_new_weights_forget_the_answers(small_index, tmp_path, changed):
    from datetime import UTC, datetime

    from assistant.settings import load_settings
    from assistant.upkeep import open_upkeep
    from index.fusion import Weights
    from index.tuning.store import Tuning, save

    live = open_upkeep(load_settings(index_dir=tmp_path / "index"), small_index).live
    for expected in (False, True):
        with stopwatch() as watch:
            live.ask("花火大会の目的は？")
        assert watch.remembered is expected
    if changed == "synonyms":
        (tmp_path / "index" / "synonyms.toml").write_text('synonyms = [["花火大会", "みなとの夜"]]\n', "utf-8")
    else:
        tuning = Tuning(
            replace(Weights(), head=0.85), small_index.encoder.digest, small_index.version, datetime.now(UTC), {}
        )
        save(tmp_path / "index", tuning)
    assert live.check()
    with stopwatch() as watch:
        live.ask("花火大会の目的は？")
    assert watch.remembered is False
    live.index.close()


# ---- the benchmark's arithmetic -------------------------------------------------------------------------------------


def test_the_account_of_a_load_is_added_up_by_hand():
    from evals.benchmarks.load import percentile, summary

    # 100 requests: the 50th took 10 ms, the 95th 20, the 96th 90
    assert [percentile({10: 50, 20: 45, 90: 5}, share) for share in (0.5, 0.95, 0.96)] == [10, 20, 90]
    stats = [
        {"name": "ask", "response_times": {"10": 3, "30": 1}, "num_failures": 1},
        {"name": "search", "response_times": {"30": 4}, "num_failures": 0},
    ]
    told = summary(stats, 2.0)
    assert told["ask"] == {"requests": 4, "errors": 1, "per_second": 2.0, "p50_ms": 10, "p95_ms": 30, "max_ms": 30}
    assert told["all"] == {"requests": 8, "errors": 1, "per_second": 4.0, "p50_ms": 30, "p95_ms": 30, "max_ms": 30}
    assert summary([], 1.0)["all"]["max_ms"] == 0
