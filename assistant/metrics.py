"""What the server measures of itself, in the format of Prometheus: requests, stages of the work, the line, the index."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.stages import stopwatch

if TYPE_CHECKING:
    from assistant.line import Line, Refusal, Work
    from assistant.pool import Pool
    from index.types import Index

Result = TypeVar("Result")

METHODS = {"GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"}
# Answers take milliseconds and a cold start seconds: the buckets cover both.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
STAGE_BUCKETS = (0.0005, 0.001, 0.0025, *BUCKETS)


class Metrics:
    """The counters of one application; each application has its own, so tests do not count each other's requests."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "hyoka_http_requests", "HTTP requests.", ["method", "route", "status"], registry=self.registry
        )
        self.latency = Histogram(
            "hyoka_http_request_seconds", "Time to answer.", ["route"], buckets=BUCKETS, registry=self.registry
        )
        self.questions = Counter("hyoka_questions", "Questions by outcome.", ["outcome"], registry=self.registry)
        self.feedback = Counter("hyoka_feedback", "Opinions by rating.", ["rating"], registry=self.registry)
        self.stages = Histogram(
            "hyoka_stage_seconds",
            "Time in one stage of the work; the stages of a work add up to its whole.",
            ["work", "stage"],
            buckets=STAGE_BUCKETS,
            registry=self.registry,
        )
        self.works = Histogram(
            "hyoka_work_seconds",
            "Time of one answer or search, without the wait for its turn.",
            ["work"],
            buckets=STAGE_BUCKETS,
            registry=self.registry,
        )
        self.waits = Histogram(
            "hyoka_wait_seconds",
            "Time in line before an answer or a search was begun.",
            ["work"],
            buckets=STAGE_BUCKETS,
            registry=self.registry,
        )
        self.rejected = Counter(
            "hyoka_rejected",
            "Answers and searches refused: the line was full, or the turn came too late.",
            ["work", "reason"],
            registry=self.registry,
        )
        self.remembered = Counter(
            "hyoka_answer_cache", "Questions looked up among the answers kept.", ["outcome"], registry=self.registry
        )
        ProcessCollector(registry=self.registry)

    def text(self) -> bytes:
        """The counters as ``GET /metrics`` prints them."""
        return generate_latest(self.registry)

    def watch_line(self, line: Line) -> None:
        """Tells how many are being served and how many stand in line."""
        line.clerk = self
        running = Gauge("hyoka_running", "Answers and searches being worked on.", registry=self.registry)
        running.set_function(lambda: line.running)
        waiting = Gauge("hyoka_waiting", "Answers and searches standing in line.", registry=self.registry)
        waiting.set_function(lambda: line.waiting)

    def watch_index(self, index: Callable[[], Index]) -> None:
        """Tells the version and the age of the index that is served; ``index`` returns it."""
        self.registry.register(_IndexCollector(index))

    def watch_pool(self, pool: Pool) -> None:
        """Tells how many answering processes are ready, how many were lost, and what they use."""
        self.registry.register(_PoolCollector(pool))

    def waited(self, work: Work, seconds: float) -> None:
        """See :class:`assistant.line.Clerk`."""
        self.waits.labels(work).observe(seconds)

    def refused(self, work: Work, why: Refusal) -> None:
        """See :class:`assistant.line.Clerk`."""
        self.rejected.labels(work, why).inc()

    def measured(self, work: Work, do: Callable[[], Result]) -> Result:
        """Does the work and keeps what its stages took, also where it fails."""
        with stopwatch() as watch:
            try:
                return do()
            finally:
                watch.stop()
                for name, seconds in watch.seconds.items():
                    self.stages.labels(work, name).observe(seconds)
                self.works.labels(work).observe(watch.total)
                if watch.remembered is not None:
                    self.remembered.labels("hit" if watch.remembered else "miss").inc()


class _IndexCollector:
    """The index as a metric, read when it is asked for: it may have been replaced since."""

    def __init__(self, index: Callable[[], Index]) -> None:
        self._index = index

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Names without values, so that registering looks at no index."""
        yield GaugeMetricFamily("hyoka_index_info", "The version of the index that is served.", labels=["version"])
        yield GaugeMetricFamily("hyoka_index_age_seconds", "Seconds since the index was built.")

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The version as a label; the age only where the index knows when it was made."""
        info, age = self.describe()
        index = self._index()
        info.add_metric([index.version], 1.0)
        yield info
        made = getattr(getattr(index, "manifest", None), "created", None)
        if isinstance(made, datetime):
            age.add_metric([], (datetime.now(UTC) - made).total_seconds())
            yield age


class _PoolCollector:
    """The answering processes as metrics. What they measure of their work is sent back with it and counted with ours."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def describe(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """Names without values."""
        yield GaugeMetricFamily("hyoka_workers", "Answering processes by state.", labels=["state"])
        yield CounterMetricFamily("hyoka_workers_lost", "Answering processes that were replaced.", labels=["reason"])
        yield CounterMetricFamily("hyoka_workers_cpu_seconds", "Processor time of the answering processes.")
        yield GaugeMetricFamily("hyoka_workers_memory_bytes", "Their resident memory, added up.", labels=["kind"])

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """``resident`` counts what the processes share once for each of them, ``own`` leaves it out."""
        count, lost, seconds, memory = self.describe()
        state = self._pool.state()
        count.add_metric(["ready"], state.ready)
        count.add_metric(["starting"], state.wanted - state.ready)
        for why, times in state.lost.items():
            lost.add_metric([why], times)
        seconds.add_metric([], state.seconds)
        memory.add_metric(["resident"], state.resident)
        memory.add_metric(["own"], state.own)
        yield from (count, lost, seconds, memory)


class MetricsMiddleware:
    """Counts every request by its route's template, so that an id in a path never becomes a label."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Measures from the first byte in to the last byte out."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 500
        began = perf_counter()

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            template = getattr(scope.get("route"), "path", None)
            # The screens of Gradio are a mount of many small files: one label for them all.
            label = template if isinstance(template, str) else "(screens)"
            method = scope["method"] if scope["method"] in METHODS else "OTHER"
            self.metrics.requests.labels(method, label, str(status)).inc()
            self.metrics.latency.labels(label).observe(perf_counter() - began)
