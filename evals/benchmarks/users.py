"""Users for locust: each asks three questions for one search, at random from a file, with a pause between.

``evals.benchmarks.load`` starts it; the questions and the pause come through the environment.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from urllib.parse import quote

from locust import FastHttpUser, between, task

QUESTIONS: list[str] = json.loads(Path(os.environ["HYOKA_LOAD_QUESTIONS"]).read_text("utf-8"))
SHORTEST, LONGEST = (float(part) for part in os.environ["HYOKA_LOAD_PAUSE"].split(","))


class Reader(FastHttpUser):  # type: ignore[misc]
    """One person at one browser; a failure is whatever is not a 200, a 503 too."""

    wait_time = between(SHORTEST, LONGEST)

    @task(3)  # type: ignore[untyped-decorator]
    def ask(self) -> None:
        """One question, with its answer."""
        self.client.post("/api/v1/ask", json={"question": random.choice(QUESTIONS)}, name="ask")

    @task(1)  # type: ignore[untyped-decorator]
    def search(self) -> None:
        """The first ten passages for the words of a question."""
        self.client.get(f"/api/v1/search?q={quote(random.choice(QUESTIONS))}&k=10", name="search")
