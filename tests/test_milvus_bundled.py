"""The bundled questions on the bundled sheets, found and answered through Milvus Lite as through the files of the index."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.payload import answer_json
from assistant.session import Assistant
from corpus.readers import read_document
from corpus.reading import read_sheets
from index.build import build
from index.encoder import load_encoder
from index.engines.milvusengine import MilvusEngine
from index.engines.milvusserver import MilvusServer
from index.firststage import Allowed
from index.ranked import terms
from index.snapshot import Snapshot
from index.types import Filters
from index.visibility import Visibility

pytest.importorskip("pymilvus", reason="needs the extra milvus, as .ci/run installs it")
pytest.importorskip("milvus_lite", reason="needs the extra milvus, as .ci/run installs it")

ROOT = Path(__file__).resolve().parents[1]
SCORE = 1e-5  # relative, of a BM25 score; cosines and shares of a score may differ by as much in all


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Snapshot, Snapshot]]:
    """The bundled sheets opened with their files, and with Milvus."""
    from milvus_lite.server_manager import server_manager_instance

    folder = tmp_path_factory.mktemp("milvus")
    files = sorted(file for file in (ROOT / "corpus" / "samples" / "files").iterdir() if file.suffix != ".md")
    readings = [(document, read_sheets(document)) for document in (read_document(file, file.name) for file in files)]
    engine = MilvusEngine(MilvusServer(str(folder / "m.db"), ask_seconds=30))
    remote = build(readings, load_encoder(), folder / "index", engine=engine)
    yield Snapshot.open(folder / "index", remote.encoder), remote
    engine.server.close()
    server_manager_instance.release_server(str(folder / "m.db"))


@pytest.fixture(scope="module")
def questions() -> list[str]:
    lines = (ROOT / "evals" / "cases" / "bundled.jsonl").read_text("utf-8").splitlines()
    return list(dict.fromkeys(json.loads(line)["question"] for line in lines))


def test_every_word_search_finds_the_same_chunks_with_the_same_scores(
    both: tuple[Snapshot, Snapshot], questions: list[str]
) -> None:
    local, remote = both
    everything: Allowed = local._search._scope(Filters())[0]
    compared = 0
    for question in questions:
        asked = terms(local._search.looked_for(question))
        expected = {c: s for c, s in local._first.by_words(asked, 2000, everything) if everything.chunks[c]}
        scores = dict(remote._first.by_words(asked, 2000, everything))
        assert scores.keys() == expected.keys(), question
        for chunk, score in expected.items():
            assert scores[chunk] == pytest.approx(score, rel=SCORE), question
        compared += len(expected)
    assert compared > 10_000


def test_every_search_by_meaning_finds_the_same_chunks_with_the_same_cosines(
    both: tuple[Snapshot, Snapshot], questions: list[str]
) -> None:
    local, remote = both
    everything = local._search._scope(Filters())[0]
    for question in questions[::4]:
        vector = local.encoder.encode([question], "query")
        expected = dict(local._first.by_meaning(vector, 300, everything))
        scores = dict(remote._first.by_meaning(vector, 300, everything))
        assert sorted(scores.values(), reverse=True) == pytest.approx(
            sorted(expected.values(), reverse=True), abs=SCORE
        )
        least = min(expected.values()) + SCORE
        assert {c for c, s in scores.items() if s > least} == {c for c, s in expected.items() if s > least}, question


def test_every_bundled_question_is_answered_the_same(both: tuple[Snapshot, Snapshot], questions: list[str]) -> None:
    local, remote = (Assistant(index) for index in both)
    other = []
    for question in questions:
        mine, theirs = (answer_json(one.ask(question), one.index).model_dump(mode="json") for one in (local, remote))
        same = all(mine[key] == theirs[key] for key in ("answer", "abstained", "citations", "table", "chart"))
        near = [passage["section"] for passage in mine["related"]] == [p["section"] for p in theirs["related"]]
        if not (same and near):
            other.append(question)
    assert len(questions) > 150
    assert other == []


def test_filtered_searches_find_the_same(both: tuple[Snapshot, Snapshot], questions: list[str]) -> None:
    local, remote = both
    facets = local.search(questions[0], 1).facets
    values = [
        *(Filters(municipality=(value,)) for value in facets["municipality"]),
        *(Filters(fiscal_year=(int(value),)) for value in facets["fiscal_year"]),
        *(Filters(department=(value,)) for value in list(facets["department"])[:6]),
        *(Filters(department=(value.split()[0],)) for value in list(facets["department"])[:3]),
        *(Filters(section=(value,)) for value in list(facets["section"])[:6]),
        *(Filters(rating=(value,)) for value in list(facets["rating"])[:3]),
        *(Filters(budget=(value,)) for value in facets["budget"]),
        Filters(
            municipality=tuple(facets["municipality"])[:2], section=("今後の方向性", "評価理由"), rating=("A", "B")
        ),
    ]
    found = 0
    for number, question in enumerate(questions[::3]):
        filters = values[number % len(values)]
        mine, theirs = (index.search(question, 10, filters) for index in (local, remote))
        assert [(h.section_id, h.span) for h in mine.hits] == [(h.section_id, h.span) for h in theirs.hits], filters
        assert [h.score for h in mine.hits] == pytest.approx([h.score for h in theirs.hits], abs=SCORE)
        assert mine.total == theirs.total and mine.facets == theirs.facets
        found += len(mine.hits)
    assert found > 100


def test_a_view_finds_the_same_and_nothing_that_is_hidden(
    both: tuple[Snapshot, Snapshot], questions: list[str]
) -> None:
    files = both[0].files()
    seen = (
        Visibility(("湊見市",)),
        Visibility(("湊見市", "桜坂町"), tuple(files[::2])),
        Visibility(folders=tuple(files[1::2])),
        Visibility(()),
    )
    for visibility in seen:
        local, remote = (index.seen_by(visibility) for index in both)
        may = {sheet.sheet_id for sheet in local.sheets()}
        for question in questions[::8]:
            mine, theirs = (index.search(question, 200) for index in (local, remote))
            # What stands at the edge of being shown may be shown by one alone.
            assert {hit.sheet.sheet_id for hit in theirs.hits} <= may and len(theirs.hits) == min(theirs.total, 200)
            first, other = ([(h.section_id, h.span) for h in found.hits[:10]] for found in (mine, theirs))
            assert first == other
        assert bool(theirs.total) == bool(may)
        local.close(), remote.close()
