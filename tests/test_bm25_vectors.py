"""BM25 as an inner product is what tantivy reckons over the same words."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from index.engines.bm25 import (
    NO_WORDS,
    Counts,
    Sparse,
    Statistics,
    chunk_vector,
    dimension,
    kept_length,
    question_vector,
)
from index.lexical import FIELDS, LexicalDocument, LexicalIndex, write_lexical

TOLERANCE = 1e-5  # relative; tantivy adds in 32 bits

words = st.sampled_from([f"語{n}" for n in range(30)])
chunk = st.fixed_dictionaries(
    {
        "name": st.lists(words, max_size=6),
        "department": st.lists(words, max_size=4),
        "label": st.lists(words, max_size=2),
        "text": st.lists(words, max_size=60),
    }
)
LONG = {"name": ["語1"], "department": [], "label": [], "text": [f"語{n % 30}" for n in range(3000)]}


def inner(one: Sparse, other: Sparse) -> float:
    return sum(weight * other.get(key, 0.0) for key, weight in one.items())


@settings(deadline=None, max_examples=60)
@given(st.lists(chunk, min_size=1, max_size=25), st.dictionaries(words, st.floats(0.05, 1.0), min_size=1, max_size=8))
@example([LONG, {"name": [], "department": [], "label": [], "text": ["語1"] * 41}], {"語1": 1.0, "語2": 0.3})
def test_the_inner_product_of_question_and_chunk_is_the_score_of_tantivy(
    chunks: list[dict[str, list[str]]], terms: dict[str, float]
) -> None:
    counts = Counts()
    for one in chunks:
        counts.add(one)
    statistics = counts.statistics()
    question = question_vector(terms.items(), statistics)
    scores = [inner(question, chunk_vector(one, statistics.means)) for one in chunks]
    with TemporaryDirectory() as folder:
        write_lexical(Path(folder) / "lexical", (LexicalDocument(n, 0, **one) for n, one in enumerate(chunks)))
        expected = dict(LexicalIndex(Path(folder) / "lexical").search(terms.items(), len(chunks)))
    assert {n for n, score in enumerate(scores) if score > 0} == expected.keys()
    for number, score in expected.items():
        assert scores[number] == pytest.approx(score, rel=TOLERANCE)


def test_a_length_is_kept_in_one_byte_as_tantivy_keeps_it() -> None:
    kept = [kept_length(n) for n in range(200_000)]
    assert kept[:41] == list(range(41))
    assert kept == sorted(kept)
    assert all(n - n / 8 <= short <= n for n, short in enumerate(kept))
    # Of every power of two, eight lengths: so 24 exact ones and at most eight for each of the 15 powers up to 200,000.
    assert len(set(kept)) <= 24 + 8 * 16


def test_a_chunk_without_a_word_has_a_vector_that_no_question_meets() -> None:
    empty = chunk_vector(dict.fromkeys(FIELDS, []), dict.fromkeys(FIELDS, 0.0))
    assert empty == {NO_WORDS: 1.0}
    assert all(dimension(field, f"語{n}") != NO_WORDS for field in FIELDS for n in range(1000))


@given(st.lists(chunk, max_size=8))
def test_counts_are_read_back_as_they_were_written(chunks: list[dict[str, list[str]]]) -> None:
    counts = Counts()
    for one in chunks:
        counts.add(one)
    statistics = counts.statistics()
    with TemporaryDirectory() as folder:
        statistics.write(Path(folder) / "counts.npz")
        read = Statistics.read(Path(folder) / "counts.npz")
    assert (read.chunks, dict(read.means)) == (statistics.chunks, dict(statistics.means))
    assert read.keys.tolist() == statistics.keys.tolist()
    assert read.counts.tolist() == statistics.counts.tolist()


def test_counts_of_more_chunks_come_on_top_and_mean_lengths_stay() -> None:
    first, more = Counts(), Counts()
    first.add({"name": ["市"], "department": [], "label": [], "text": ["更改", "更改"]})
    more.add({"name": [], "department": [], "label": [], "text": ["更改", "計画", "計画", "計画"]})
    base = first.statistics()
    both = Statistics.joined([base, more.statistics(base.means)])
    assert both.chunks == 2
    assert both.means == base.means == {"name": 1.0, "department": 0.0, "label": 0.0, "text": 2.0}
    assert [both.having(dimension("text", w)) for w in ("更改", "計画", "予算")] == [2, 1, 0]
