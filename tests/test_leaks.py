"""Somebody who may see only some of the bundled sheets gets nothing of the others, wherever they look."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from test_answers import SAMPLES

from assistant.access.policy import open_policy
from assistant.answercache import AnswerCache
from assistant.intake import Intake
from assistant.live import Live
from assistant.session import Assistant
from assistant.settings import load_settings
from assistant.store import FeedbackStore
from corpus.sources import find_files
from evals.benchmarks.hidden import Hidden
from evals.benchmarks.leaks import USER_HEADER, Way, access_file, by_municipality, compared
from evals.benchmarks.visitor import ADMIN, EVERYBODY, SOMEBODY, Fetch, Visitor
from evals.cases import read_cases
from index.build import build
from index.encoder import load_encoder
from index.snapshot import Snapshot
from index.visibility import Visibility
from ui.app import create_app

QUESTIONS = 10  # of the bundled ones; all of the real ones are asked by the benchmark


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    files = find_files([SAMPLES / "files"])
    with closing(build(Intake(files, 2**26, jobs=0), load_encoder(), tmp_path_factory.mktemp("bundled"))) as snapshot:
        yield snapshot


def fetching(client: TestClient) -> Fetch:
    def fetch(path: str, body: object = None, who: str = SOMEBODY) -> tuple[int, bytes]:
        headers = {USER_HEADER: who, "Sec-Fetch-Site": "same-origin"}
        told = client.get(path, headers=headers) if body is None else client.post(path, json=body, headers=headers)
        return told.status_code, told.content

    return fetch


def served(snapshot: Snapshot, visibility: Visibility, place: Path, store: FeedbackStore) -> TestClient:
    """Everything behind one port and a proxy that says who asks."""
    access = access_file(place / "access.toml", visibility)
    settings = load_settings(
        auth="proxy", access_file=access, proxies="127.0.0.1", proxy_user_header=USER_HEADER, requests_per_minute=0
    )
    live = Live(AnswerCache(Assistant(snapshot), 100), lambda: "1", lambda old: old, 0)
    return TestClient(create_app(live, store, policy=open_policy(settings)), client=("127.0.0.1", 50_000))


@pytest.mark.parametrize("kind", ["municipality", "file"])
def test_what_is_hidden_is_in_no_answer_list_page_export_or_screen(made: Snapshot, kind: str, tmp_path: Path) -> None:
    encoder = load_encoder()
    if kind == "municipality":  # every second sheet of each file
        way = by_municipality(made, encoder, tmp_path / "moved")
    else:
        seen = tuple(file for file in made.files() if file.startswith("minatomi"))
        way = Way("file", made.path.parent.parent, Visibility(folders=seen))
    every = read_cases(Path("evals/cases/bundled.jsonl")).cases
    cases = random.Random(9).sample(every, QUESTIONS)
    with closing(Snapshot.open(way.folder, encoder)) as whole:
        view = whole.seen_by(way.visibility)
        hidden = Hidden.of(whole, view)
        assert len(hidden.ids) > len(whole.sheets()) // 3 and hidden.names and len(hidden.stretches) > 1000
        store = FeedbackStore(":memory:")
        with served(whole, way.visibility, tmp_path, store) as client:
            fetch = fetching(client)
            whole_answers = []
            for case in cases:
                history = [{"role": "user", "content": one} for one in case.history]
                told = fetch("/api/v1/ask", {"question": case.question, "history": history}, EVERYBODY)
                whole_answers.append(told[1])
            assert any(hidden.leaks(answer) for answer in whole_answers), (
                "who sees everything is answered from everything"
            )
            assert hidden.leaks(fetch("/api/v1/sheets", None, EVERYBODY)[1])
            store.add("down", "隠れたシートの質問", whole_answers[0].decode())
            visitor = Visitor(fetch, hidden)
            answers = [visitor.ask(case) for case in cases]
            visitor.wander(whole, view, most=4)
            visitor.open_screens()
        assert visitor.looked.leaks == [] and visitor.looked.by_kind["screens"] > 15
        with closing(build(view.readings(), encoder, tmp_path / "clean", refused=view.refused)) as clean:
            expected = Assistant(clean)
            told = compared(answers, [answered(expected, one.question, one.history) for one in cases])
        # What differs hangs on BM25, which weighs words by the whole index.
        assert told["same_answer_and_citations"] >= told["questions"] - 1, told
        view.close()


def answered(assistant: Assistant, question: str, history: tuple[str, ...]) -> dict[str, object]:
    from assistant.payload import answer_json
    from assistant.types import Turn

    answer = assistant.ask(question, [Turn("user", one) for one in history])
    found: dict[str, object] = json.loads(answer_json(answer, assistant.index).model_dump_json())
    return found


def test_a_leak_is_found_where_there_is_one(made: Snapshot) -> None:
    """The looking itself: an answer with one quote, one name or one id of a hidden sheet is told."""
    view = made.seen_by(Visibility(folders=tuple(file for file in made.files() if not file.startswith("hokuto"))))
    hidden = Hidden.of(made, view)
    sheet = next(one for one in made.sheets() if one.sheet_id in hidden.ids and one.kind == "programme")
    section = max((row.section.text for row in made.sections([sheet.sheet_id])), key=len)
    assert hidden.leaks(json.dumps({"a": [{"sheet_id": sheet.sheet_id}]}).encode())
    assert hidden.leaks(f"<p>{section[:40]}</p>".encode()) and hidden.leaks(f'<a title="{section[:40]}">'.encode())
    assert hidden.leaks(f"自治体,{sheet.municipality}".encode()) and hidden.leaks(sheet.file.encode())
    assert not hidden.leaks(json.dumps({"a": "図書館の決算額は？"}).encode())
    assert not hidden.leaks(section[:40].encode(), section)  # what was asked is no news
    view.close()


def test_who_has_not_said_who_it_is_hears_that_the_server_is_ready_and_no_more(made: Snapshot, tmp_path: Path) -> None:
    with served(made, Visibility(("湊見市",)), tmp_path, FeedbackStore(":memory:")) as client:
        ready = client.app.state.readiness  # type: ignore[attr-defined]
        assert ready.wait(120)
        told = client.get("/readyz").json()
        assert told == {"status": "ready"}
        some = client.get("/readyz", headers={USER_HEADER: ADMIN}).json()["sheets"]
        assert 0 < some < client.get("/readyz", headers={USER_HEADER: EVERYBODY}).json()["sheets"]
