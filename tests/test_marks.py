"""Marks: for every citation of every answer to the question files, the page at its address marks exactly the quote.

Over HTTP and without a browser: the question is asked like any client asks it, and the page is parsed as a browser would.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from readings import needs_corpus
from selectolax.lexbor import LexborHTMLParser

from assistant.session import Assistant
from assistant.store import FeedbackStore
from corpus.documents import Span
from corpus.readers import read_document
from corpus.reading import read_sheets
from index.build import build
from index.encoder import load_encoder
from ui.app import create_app
from ui.location import MAX_PAGES
from ui.render import sheet_url

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
BUNDLED = sorted((ROOT / "evals" / "cases").glob("*.jsonl"))


@dataclass(frozen=True)
class Checked:
    """How many pages of citations were opened, how many of them draw boxes or cells, and what was wrong."""

    pages: int
    boxes: int
    cells: int
    wrong: tuple[str, ...]


def application(folder: Path, into: Path) -> TestClient:
    files = sorted(path for path in folder.iterdir() if path.suffix != ".md")
    documents = [read_document(path, path.name) for path in files]
    snapshot = build(((one, read_sheets(one)) for one in documents), load_encoder(), into)
    return TestClient(create_app(Assistant(snapshot), FeedbackStore()))


def citations(client: TestClient, files: list[Path]) -> dict[str, dict[str, Any]]:
    """Every citation of the answers, by the address of its page, as the screens make it."""
    found: dict[str, dict[str, Any]] = {}
    for file in files:
        for line in file.read_text("utf-8").splitlines():
            case = json.loads(line)
            history = [{"role": "user", "content": text} for text in case.get("history", [])]
            answer = client.post("/api/v1/ask", json={"question": case["question"], "history": history})
            assert answer.status_code == 200, (case["id"], answer.text)
            for citation in answer.json()["citations"]:
                source = citation["source"]
                found[sheet_url(citation["sheet_id"], Span(source["start"], source["end"]))] = citation
    return found


@cache
def texts(client: TestClient, sheet_id: str) -> str:
    """The document of a sheet, as the API gives it."""
    return client.get(f"/api/v1/sheets/{quote(sheet_id, safe='')}/source").text


def bare(text: str) -> str:
    return "".join(text.split())


def problems(client: TestClient, address: str, citation: dict[str, Any]) -> list[str]:
    """What is wrong with the page of a citation; nothing where its mark is the quote and its place is drawn."""
    path, _, fragment = address.partition("#")
    response = client.get(path)
    if response.status_code != 200 or fragment != "quote":
        return [f"{address}: {response.status_code}"]
    page = LexborHTMLParser(response.text)
    marks = page.css("mark#quote")
    wrong = []
    if len(marks) != 1 or marks[0].text() != citation["quote"]:
        wrong.append(f"{address}: {[mark.text()[:60] for mark in marks]} is not {citation['quote'][:60]!r}")
    else:
        before, after = (beside.text() if beside is not None else "" for beside in (marks[0].prev, marks[0].next))
        text, place = texts(client, citation["sheet_id"]), citation["source"]
        if not (text[: place["start"]].endswith(before) and text[place["end"] :].startswith(after)):
            wrong.append(f"{address}: the same words are marked in another place")
    told = page.css_first("#where blockquote")
    if told is None or bare(told.text()) != bare(citation["quote"]):
        wrong.append(f"{address}: the quote above is {told.text()[:60] if told else None!r}")
    source = citation["source"]
    if source["boxes"]:
        pages = sorted({box["page"] for box in source["boxes"]})[:MAX_PAGES]
        wanted = sum(box["page"] in pages for box in source["boxes"])
        if len(page.css("#where rect.hy-map-here")) != wanted:
            wrong.append(f"{address}: {len(page.css('#where rect.hy-map-here'))} of {wanted} boxes are drawn")
    if source["cells"]:
        caption = page.css_first("#where caption")
        left = re.search(r"引用のほか(\d+)セルは省略", caption.text() if caption else "")
        drawn = len(page.css("#where td mark")) + (int(left[1]) if left else 0)
        if drawn != len(source["cells"]):
            wrong.append(f"{address}: {drawn} of {len(source['cells'])} cells are drawn")
    return wrong


def checked(client: TestClient, files: list[Path]) -> Checked:
    with client:
        assert client.app.state.readiness.wait(120)
        found = citations(client, files)
        first, citation = next(iter(found.items()))
        shifted = re.sub(r"start=(\d+)", lambda number: f"start={int(number[1]) + 1}", first)
        assert problems(client, shifted, citation), "a mark that begins a character too late is seen"
        wrong = [line for address, citation in found.items() for line in problems(client, address, citation)]
    sources = [citation["source"] for citation in found.values()]
    return Checked(
        len(found), sum(bool(one["boxes"]) for one in sources), sum(bool(one["cells"]) for one in sources), tuple(wrong)
    )


def test_every_quote_of_the_bundled_questions_is_marked_on_its_page(tmp_path, capsys):
    result = checked(application(ROOT / "corpus" / "samples" / "files", tmp_path / "index"), BUNDLED)
    with capsys.disabled():
        print(f" {result.pages} pages, {result.boxes} with boxes, {result.cells} with cells", end=" ")
    assert result.wrong == ()
    assert result.pages > 200 and result.boxes > 20 and result.cells > 20


@needs_corpus
@pytest.mark.corpus
def test_every_quote_of_the_questions_on_the_real_sheets_is_marked_on_its_page(tmp_path, capsys):
    result = checked(application(SHARED / "corpus", tmp_path / "index"), [SHARED / "evals" / "dev.jsonl"])
    with capsys.disabled():
        print(f" {result.pages} pages", end=" ")
    assert result.wrong == ()
    assert result.pages > 200
