"""The kinds of vector index: exact where there are few rows, lists of 8-bit codes where there are many."""

from __future__ import annotations

import json
from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.readers import read_document
from corpus.reading import read_sheets
from index import vectors as module
from index.build import build
from index.encoder import load_encoder
from index.snapshot import Snapshot
from index.types import Vectors, unit
from index.vectors import FEW, KINDS, Kind, VectorIndex, kind_for, write_vectors

ROOT = Path(__file__).parent.parent
LISTS = Kind(0, lists=64, probes=24)  # three in eight, as the smallest of KINDS that has lists
ROWS, DIM = 12_000, 48


def clustered(count: int, seed: int) -> Vectors:
    """Unit rows around 300 centres, the same for every seed."""
    centres = np.random.default_rng(0).standard_normal((300, DIM), dtype=np.float32)
    dice = np.random.default_rng(seed)
    return unit(centres[dice.integers(0, 300, count)] + 0.8 * dice.standard_normal((count, DIM), dtype=np.float32))


@pytest.fixture(scope="module")
def rows() -> Vectors:
    return clustered(ROWS, 1)


@pytest.fixture(scope="module")
def questions() -> Vectors:
    return clustered(60, 2)


@pytest.fixture(scope="module")
def file(rows: Vectors, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lists") / "v.faiss"
    write_vectors(path, rows, LISTS)
    return path


@pytest.fixture(scope="module")
def lists(file: Path) -> VectorIndex:
    return VectorIndex(file)


def recall(index: VectorIndex, rows: Vectors, questions: Vectors, k: int, allowed=None) -> float:
    among = np.arange(len(rows)) if allowed is None else np.flatnonzero(allowed)
    shares = []
    for question in questions:
        best = among[np.argsort(-(rows[among] @ question))[:k]]
        found = [chunk for chunk, _ in index.search(question[None], k, allowed)]
        shares.append(len(set(found) & set(best.tolist())) / len(best))
    return float(np.mean(shares))


def test_the_kinds_are_in_order_of_size_and_begin_with_the_exact_one() -> None:
    sizes = [kind.at_least for kind in KINDS]
    assert sizes == sorted(set(sizes)) and KINDS[0] == Kind(0)
    assert all(kind.probes <= kind.lists for kind in KINDS)
    for before, kind in zip(KINDS, KINDS[1:], strict=False):
        assert kind_for(kind.at_least) == kind and kind_for(kind.at_least - 1) == before


def test_the_number_of_rows_chooses_the_kind(rows: Vectors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KINDS", (Kind(0), Kind(1000, lists=16, probes=8)))
    for count, exact in ((999, True), (1000, False)):
        write_vectors(tmp_path / "v.faiss", rows[:count])
        index = VectorIndex(tmp_path / "v.faiss")
        assert (len(index), index.dim, index.exact) == (count, DIM, exact)


def test_a_small_index_is_the_file_it_always_was(rows: Vectors, tmp_path: Path) -> None:
    plain = faiss.IndexFlatIP(DIM)
    plain.add(rows)
    faiss.write_index(plain, str(tmp_path / "before.faiss"))
    write_vectors(tmp_path / "now.faiss", rows)
    assert (tmp_path / "now.faiss").read_bytes() == (tmp_path / "before.faiss").read_bytes()
    index = VectorIndex(tmp_path / "before.faiss")
    found = index.search(rows[5:6], 3)
    assert index.exact and [chunk for chunk, _ in found] == np.argsort(-(rows @ rows[5]))[:3].tolist()


def test_lists_find_nearly_what_an_exact_search_finds(lists: VectorIndex, rows: Vectors, questions: Vectors) -> None:
    assert not lists.exact
    assert recall(lists, rows, questions, 10) >= 0.95
    # About all of a question's cluster; beyond it lies noise in 48 directions, which no lists sort (0.93 of 100).
    assert recall(lists, rows, questions, 40) >= 0.95


@pytest.mark.parametrize("share", [0.8, 0.5, 0.05])
def test_a_filter_costs_lists_no_recall(lists: VectorIndex, rows: Vectors, questions: Vectors, share: float) -> None:
    allowed = np.random.default_rng(3).random(ROWS) < share
    assert recall(lists, rows, questions, 10, allowed) >= 0.95
    for question in questions[:10]:
        assert all(allowed[chunk] for chunk, _ in lists.search(question[None], 300, allowed))


@pytest.mark.parametrize("count", [ROWS // FEW, ROWS // FEW + 1, 200])
def test_what_is_allowed_is_found_though_it_lies_in_no_list_that_is_near(
    lists: VectorIndex, rows: Vectors, questions: Vectors, count: int
) -> None:
    question = questions[:1]
    far = np.argsort(rows @ question[0])[:count]
    allowed = np.zeros(ROWS, dtype=bool)
    allowed[far] = True
    assert sorted(chunk for chunk, _ in lists.search(question, 300, allowed)) == sorted(far.tolist())


def test_a_search_for_more_than_the_near_lists_hold_goes_on_to_the_others(
    lists: VectorIndex, questions: Vectors
) -> None:
    assert {chunk for chunk, _ in lists.search(questions[:1], ROWS)} == set(range(ROWS))
    most = np.arange(ROWS) % 10 > 0
    assert {chunk for chunk, _ in lists.search(questions[:1], ROWS, most)} == set(np.flatnonzero(most).tolist())


@given(st.sets(st.integers(0, ROWS - 1), max_size=40), st.integers(1, 60), st.integers(0, 59))
@settings(max_examples=60, deadline=None)
def test_of_few_allowed_rows_every_one_is_found_in_order(
    lists: VectorIndex, rows: Vectors, questions: Vectors, chosen: set[int], limit: int, at: int
) -> None:
    allowed = np.zeros(ROWS, dtype=bool)
    allowed[list(chosen)] = True
    found = lists.search(questions[at][None], limit, allowed)
    assert len(found) == min(limit, len(chosen)) and {chunk for chunk, _ in found} <= chosen
    cosines = [cosine for _, cosine in found]
    assert cosines == sorted(cosines, reverse=True)
    true = sorted((float(rows[chunk] @ questions[at]) for chunk in chosen), reverse=True)
    # Half a step of 8 bits in each of 48 dimensions: range 0.9 ÷ 255 ÷ 2 × at most √48 ≈ 0.012.
    assert np.allclose(cosines, true[: len(found)], atol=0.015)


def test_cosines_of_given_rows_are_those_of_the_search_and_nearly_exact(
    lists: VectorIndex, rows: Vectors, questions: Vectors
) -> None:
    for question in questions[:10]:
        found = lists.search(question[None], 50)
        chunks = np.array([chunk for chunk, _ in found])
        cosines = lists.scores(question[None], chunks)
        assert np.allclose(cosines, [cosine for _, cosine in found], atol=1e-5)
        assert np.allclose(cosines, rows[chunks] @ question, atol=0.015)


def test_the_same_rows_give_the_same_file_and_opened_again_the_same_hits(
    file: Path, lists: VectorIndex, rows: Vectors, questions: Vectors, tmp_path: Path
) -> None:
    write_vectors(tmp_path / "again.faiss", rows, LISTS)
    assert (tmp_path / "again.faiss").read_bytes() == file.read_bytes()
    again = VectorIndex(file)
    for question in questions:
        assert again.search(question[None], 20) == lists.search(question[None], 20)


def test_rows_added_in_slices_are_the_rows(rows: Vectors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_vectors(tmp_path / "whole.faiss", rows[:1000], LISTS)
    mapped = tmp_path / "rows.npy"
    np.save(mapped, rows[:1000])
    monkeypatch.setattr(module, "_SLICE", 300)
    write_vectors(tmp_path / "slices.faiss", np.load(mapped, mmap_mode="r"), LISTS)
    assert (tmp_path / "slices.faiss").read_bytes() == (tmp_path / "whole.faiss").read_bytes()


def test_fewer_rows_than_lists_and_rows_without_a_word_are_kept_too(tmp_path: Path) -> None:
    few = np.vstack([np.zeros((2, DIM), dtype=np.float32), np.eye(DIM, dtype=np.float32)[:3]])
    write_vectors(tmp_path / "v.faiss", few, LISTS)
    index = VectorIndex(tmp_path / "v.faiss")
    assert index.search(few[3:4], 1)[0][0] == 3
    assert len(index.search(few[3:4], 10)) == 5
    assert index.search(few[3:4], 10, np.zeros(5, dtype=bool)) == []


# The whole search


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Snapshot, Snapshot]:
    """The bundled sheets twice: with an exact index, and with lists of which a search looks at three in eight."""
    files = sorted(file for file in (ROOT / "corpus" / "samples" / "files").iterdir() if file.suffix != ".md")
    readings = [(document, read_sheets(document)) for document in (read_document(file, file.name) for file in files)]
    exact = build(readings, load_encoder(), tmp_path_factory.mktemp("exact"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "KINDS", (Kind(0, lists=32, probes=12),))
        listed = build(readings, load_encoder(), tmp_path_factory.mktemp("lists"))
    return exact, listed


def test_lists_answer_the_bundled_questions_with_the_same_hits(both: tuple[Snapshot, Snapshot]) -> None:
    """Tolerance: another first hit for one question in fifty, three hits in a hundred that are not among the ten."""
    exact, listed = both
    assert [index._vectors.exact for index in both] == [True, False]
    lines = (ROOT / "evals" / "cases" / "bundled.jsonl").read_text("utf-8").splitlines()
    first, shared = [], []
    for question in dict.fromkeys(json.loads(line)["question"] for line in lines):
        right, found = (
            [(hit.sheet.sheet_id, hit.span) for hit in index.search(question, 10).hits] for index in (exact, listed)
        )
        assert bool(right) == bool(found)
        if right:
            first.append(right[0] == found[0])
            shared.append(len(set(right) & set(found)) / len(right))
    assert len(first) > 100
    assert np.mean(first) >= 0.98 and np.mean(shared) >= 0.97
