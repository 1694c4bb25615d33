"""Cases, a reply and a target small enough to score by hand, for the tests of the harness."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evals.target import Target

GOOD = {
    "id": "a",
    "type": "lookup-text",
    "question": "戸籍システムの課題は？",
    "sheets": ["戸籍システム"],
    "answer": {"must": [["法務省"]], "must_not": []},
}


VOID = {"id": "v", "type": "unanswerable", "question": "人口は？", "unanswerable": True}


LATER = {
    "id": "f",
    "type": "follow-up",
    "question": "理由は？",
    "history": ["戸籍システムの評価は？", "いつ？"],
    "sheets": ["戸籍システム"],
    "answer": {"must": [["法務省"]]},
}


TEXT = "法務省の日程がずれた"


def lines(path: Path, *rows: object) -> Path:
    path.write_text(
        "\n".join(row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows),
        encoding="utf-8",
    )
    return path


def reply(answer: str, *, abstained: bool = False, sheet: str = "戸籍システム") -> dict[str, Any]:
    citation = {
        "n": 1,
        "sheet": sheet,
        "sheet_id": sheet,
        "department": "市民課",
        "municipality": "みほん市",
        "section": "評価理由",
        "quote": TEXT[:3],
        "source": {"file": "a.txt", "page": None, "start": 0, "end": 3},
    }
    return {"answer": answer, "abstained": abstained, "citations": [] if abstained else [citation], "table": None}


class Fake:
    """Knows one thing: whatever is asked about 戸籍 or 理由 is answered with 法務省, the rest is refused."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[dict[str, str]]]] = []

    def __call__(self, question: str, history: list[dict[str, str]], filters: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append((question, list(history)))
        if "壊" in question:
            raise RuntimeError("壊れた")
        known = "戸籍" in question or "理由" in question
        return reply("法務省の日程[1]") if known else reply("該当なし", abstained=True)

    def target(self) -> Target:
        return Target(self, lambda citation: TEXT, {"index_version": "fake"})
