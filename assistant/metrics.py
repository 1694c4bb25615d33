"""Request counts and latencies in the format of Prometheus, kept by a middleware."""

from __future__ import annotations

from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = {"GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"}
# Answers take milliseconds and a cold start seconds: the buckets cover both.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


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

    def text(self) -> bytes:
        """The counters as ``GET /metrics`` prints them."""
        return generate_latest(self.registry)


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
