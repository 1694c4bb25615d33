"""Somebody who may see only some sheets, goes everywhere, and looks at everything that comes back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote

from evals.benchmarks.hidden import Hidden
from evals.cases import Case
from index.snapshot import Snapshot

SOMEBODY, ADMIN, EVERYBODY = "somebody", "admin", "everybody"
LISTED = 200  # leaks at most
SAVED = 5  # of so many searches one is saved as a file: the whole list of it


class Fetch(Protocol):
    """Asks a server as somebody: a status and the bytes of the answer."""

    def __call__(self, path: str, body: object = None, who: str = SOMEBODY) -> tuple[int, bytes]:
        """``body`` is sent as JSON, where there is one."""
        ...


@dataclass
class Looked:
    """What was asked and what came of it; ``leaks`` say where and what, at most so many."""

    requests: int = 0
    by_kind: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    leaking: int = 0
    leaks: list[str] = field(default_factory=list)


class Visitor:
    """Goes everywhere as somebody and looks at everything."""

    def __init__(self, fetch: Fetch, hidden: Hidden) -> None:
        self._fetch, self._hidden = fetch, hidden
        self.looked = Looked()

    def see(
        self,
        kind: str,
        path: str,
        body: object = None,
        asked: str = "",
        who: str = SOMEBODY,
        expected: int | None = 200,
    ) -> bytes:
        """Takes one answer and looks through it; ``expected`` is the status it should have, None for any."""
        status, answer = self._fetch(path, body, who)
        told = self.looked
        told.requests += 1
        told.by_kind[kind] += 1
        told.statuses[status] += 1
        found = self._hidden.leaks(answer, asked + path)
        if expected is not None and status != expected:
            found.append(f"status {status}")
        told.leaking += bool(found)
        told.leaks += [f"{kind} {path} {asked}: {one}" for one in found][: max(0, LISTED - len(told.leaks))]
        return answer

    def ask(self, case: Case, searched: bool = True) -> dict[str, Any]:
        """The answer to a question; ``searched``: and what a search for it finds, on the screen and in a file."""
        history = [{"role": "user", "content": one} for one in case.history]
        asked = "\n".join([*case.history, case.question])
        body = {"question": case.question, "history": history}
        answer: dict[str, Any] = json.loads(self.see("ask", "/api/v1/ask", body, asked))
        if not searched:
            return answer
        words = quote(case.question)
        self.see("search", f"/api/v1/search?q={words}&k=200", None, asked)
        self.see("search screen", f"/search/results?q={words}", None, asked)
        if self.looked.by_kind["search"] % SAVED == 0:
            self.see("search saved", f"/export/search.csv?q={words}", None, asked)
        return answer

    def wander(self, whole: Snapshot, view: Snapshot, most: int | None = None) -> None:
        """Lists, sheets, sources, pages, comparisons, exports, probes: of what is seen, and of what is not; ``most``: of
        so many sheets of each."""
        self.see("list", "/api/v1/sheets?limit=10000")
        listed = json.loads(self._fetch("/api/v1/sheets?limit=10000", None, SOMEBODY)[1])
        if listed["total"] != len(view.sheets()):
            self.looked.leaks.append(f"list: {listed['total']} sheets are counted")
        for town in sorted({sheet.municipality for sheet in whole.sheets()}):
            self.see("list", f"/api/v1/sheets?municipality={quote(town)}")
        ids = [sheet.sheet_id for sheet in view.sheets()]
        every = whole.sheets()
        hidden = [sheet for sheet in every if sheet.sheet_id not in ids][:most]
        for sheet in [*[sheet for sheet in every if sheet.sheet_id in ids][:most], *hidden]:
            one = quote(sheet.sheet_id)
            expected = 200 if sheet.sheet_id in ids else 404
            for kind, path in (
                ("sheet", f"/api/v1/sheets/{one}"),
                ("source", f"/api/v1/sheets/{one}/source"),
                ("page", f"/sheet/{one}"),
            ):
                self.see(kind, path, expected=expected)
            self.see("picture", f"/sheet/{one}/page/1.png", expected=404)
            if expected == 404:
                self.see("compared", f"/compare?sheet={one}&sheet={quote(ids[0])}", expected=None)
                words = f"{sheet.municipality} {sheet.name}"
                self.see("search", f"/api/v1/search?q={quote(words)}&k=200", asked=words)
                self.see("ask", "/api/v1/ask", {"question": f"{sheet.name}の決算額と今後の計画は？"}, words)
        self.see("search saved", f"/export/search.xlsx?q={quote('システム')}")
        ready = json.loads(self.see("probe", "/readyz"))
        if ready["sheets"] != len(ids):
            self.looked.leaks.append(f"probe: {ready['sheets']} sheets are counted")
        self.see("report", "/status/report.csv", who=ADMIN)
        self.see("figures", "/metrics", who=ADMIN)
        for kind in ("asked", "unanswered", "down"):
            self.see("usage", f"/status/questions.csv?kind={kind}", who=ADMIN, expected=403)
        self.see("cases", "/evaluation/cases.jsonl?state=draft", who=ADMIN)
        self.see("evaluation", "/evaluation/report.html", who=ADMIN, expected=404)

    def open_screens(self) -> None:
        """What the page asks for when it is opened, event by event as Gradio's own page does, and the tabs of 管理."""
        config = json.loads(self.see("screens", "/config"))
        values = {one["id"]: one.get("props", {}).get("value") for one in config["components"]}
        for who in (SOMEBODY, ADMIN):
            for event in config["dependencies"]:
                moments = {moment for _, moment in event["targets"]}
                if event["backend_fn"] and moments & {"load", "select", "tick"}:
                    self._run(event, values, who)

    def _run(self, event: Mapping[str, Any], values: Mapping[int, Any], who: str) -> None:
        session = f"leaks{event['id']}{who}"
        told = {
            "data": [values.get(one) for one in event["inputs"]],
            "fn_index": event["id"],
            "session_hash": session,
            "event_data": {"index": [0, 0], "value": "1", "row_value": ["1"], "selected": True},
            "trigger_id": None,
        }
        self._fetch("/gradio_api/queue/join", told, who)
        self.see("screens", f"/gradio_api/queue/data?session_hash={session}", who=who)
