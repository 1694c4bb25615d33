"""A start that reads ahead, the stages of an answer and what /metrics tells, and the account of a load."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from urllib.parse import quote

import pytest
from crowds import Told, ask, results, sample, serving
from crowds import small_index as small_index
from test_live import wait_for

from assistant.answercache import AnswerCache, cached
from assistant.line import Line
from assistant.live import Live
from assistant.readiness import warm
from assistant.stages import running, stage, stopwatch
from tests.fakes import FakeAssistant

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
            assert self.end.wait(120)
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
