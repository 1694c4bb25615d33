"""A cross-encoder reorders the head of a ranking within its budget, and never makes a search fail."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from random_models import save_transformer, unigram

from corpus.documents import Document, Section, Sheet, SheetReading, Span
from corpus.errors import SettingsError
from index.build import build
from index.reranker import HEAD, CrossEncoderReranker, TimedReranker, load_reranker, work
from index.snapshot import Snapshot
from index.types import Filters


class Clock:
    """Seconds that pass only when somebody says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class ByNumber:
    """Scores a text by the number it ends with, and takes ``seconds`` on the clock for a hundred units of work."""

    name = "by number"

    def __init__(self, clock: Clock, seconds: float = 0.01) -> None:
        self.clock, self.seconds, self.batches = clock, seconds, list[int]()
        self.fails = self.nan = False

    def scores(self, query: str, texts: list[str]) -> NDArray[np.float32]:
        self.clock.now += self.seconds * work(query, texts) / 100
        self.batches.append(len(texts))
        if self.fails:
            raise RuntimeError("out of memory\nand more")
        found = np.array([float(text.split()[-1]) if text[-1].isdigit() else 0.0 for text in texts], np.float32)
        return found * np.float32(np.nan) if self.nan else found


def timed(budget_ms: float = 1000, seconds: float = 0.01) -> tuple[ByNumber, TimedReranker]:
    clock = Clock()
    model = ByNumber(clock, seconds)
    reranker = TimedReranker(model, budget_ms, clock)
    model.batches.clear()  # those of the warm-up
    return model, reranker


def texts(*numbers: int) -> list[str]:
    """Texts of which each costs a hundred units with a question of one character: 1 + 83 + 16."""
    return [f"text {number:>78}" for number in numbers]


def test_the_head_is_ordered_by_the_models_scores() -> None:
    _, reranker = timed()
    found = reranker.order("q", texts(3, 9, 1, 7))
    assert (found.order, found.scored, found.note) == ((1, 3, 0, 2), 4, "")


def test_equal_scores_keep_their_order() -> None:
    _, reranker = timed()
    assert reranker.order("q", texts(5, 5, 8, 5)).order == (2, 0, 1, 3)


def test_as_many_are_scored_as_fit_the_budget_and_the_rest_keep_their_places() -> None:
    model, reranker = timed(budget_ms=205, seconds=0.01)  # 20 of 10 ms each
    began = model.clock.now
    found = reranker.order("q", texts(*range(40)))
    assert found.scored == 20 and model.batches == [8, 8, 4]
    assert found.order == (*range(19, -1, -1), *range(20, 40))
    assert model.clock.now - began == pytest.approx(0.2)


def test_texts_of_like_length_are_scored_together_and_the_long_ones_last() -> None:
    model, reranker = timed(budget_ms=60_000)
    short, long = texts(*range(0, 16, 2)), [text + " " * 200 + "1" for text in texts(*range(1, 17, 2))]
    mixed = [text for pair in zip(long, short, strict=True) for text in pair]
    began = model.clock.now
    assert reranker.order("q", mixed).scored == 16
    assert model.clock.now - began == pytest.approx(8 * 0.01 + 8 * 0.0301)  # not 16 times the price of a long one


def test_what_there_was_no_time_left_for_keeps_its_place() -> None:
    model, reranker = timed(budget_ms=200)
    mixed = texts(*range(10))
    mixed[1] = f"{mixed[1]:>280}"  # long, so among the last to be scored
    assert len(reranker._planned("q", mixed)) == 2
    model.seconds = 0.024  # the machine gets slow after the plan was made: there is time for the first batch only
    found = reranker.order("q", mixed)
    assert found.scored == 8 and found.order[1] == 1 and found.order[9] == 9
    assert [i for i in found.order if i not in (1, 9)] == [8, 7, 6, 5, 4, 3, 2, 0]


def test_no_more_than_the_head_is_scored() -> None:
    model, reranker = timed(budget_ms=60_000)
    found = reranker.order("q", texts(*range(HEAD + 20)))
    assert found.scored == sum(model.batches) == HEAD
    assert found.order[HEAD:] == tuple(range(HEAD, HEAD + 20))


def test_the_rate_follows_what_is_measured() -> None:
    model, reranker = timed(budget_ms=500, seconds=0.01)
    assert reranker.order("a", texts(*range(50))).scored == 50
    model.seconds = 0.05  # the machine has got other work
    model.batches.clear()
    assert reranker.order("b", texts(*range(50))).scored < 20
    assert sum(model.batches[:-1]) * 0.05 < 0.5  # only the batch that found it out may pass the budget


def test_a_model_too_slow_leaves_the_order_and_says_so_and_is_tried_again_later() -> None:
    model, reranker = timed(budget_ms=100, seconds=0.09)
    found = reranker.order("q", texts(1, 2, 3))
    assert (found.order, found.scored) == ((0, 1, 2), 0) and "間に合わない" in found.note
    assert model.batches == []
    model.seconds = 0.01  # the slow moment is over
    results = [reranker.order(f"q{n}", texts(1, 2, 3)) for n in range(12)]
    assert results[-1].scored > 1 and results[-1].note == ""


def test_a_failing_model_leaves_the_order_and_after_three_times_rests() -> None:
    model, reranker = timed()
    model.fails = True
    for n in range(3):
        found = reranker.order(f"q{n}", texts(1, 2))
        assert found.order == (0, 1) and "失敗" in found.note and "and more" not in found.note
    model.fails = False
    assert "使っていません" in reranker.order("q4", texts(1, 2)).note


def test_a_single_failure_is_forgotten() -> None:
    model, reranker = timed()
    for fails in (True, True, False, True, True):
        model.fails = fails
        found = reranker.order(f"q{fails}", texts(1, 2))
        assert bool(found.note) == fails
    model.fails = False
    assert reranker.order("again", texts(1, 2)).order == (1, 0)


def test_scores_that_are_no_numbers_are_a_failure() -> None:
    model, reranker = timed()
    model.nan = True
    found = reranker.order("q", texts(1, 2))
    assert found.order == (0, 1) and "失敗" in found.note


def test_the_same_question_gets_the_same_order_without_asking_again() -> None:
    model, reranker = timed(budget_ms=45)
    first = reranker.order("q", texts(1, 2, 3, 4, 5, 6))
    asked = len(model.batches)
    model.seconds = 5
    assert reranker.order("q", texts(1, 2, 3, 4, 5, 6)) == first and len(model.batches) == asked


def test_while_one_question_is_scored_another_does_not_wait_longer_than_the_budget() -> None:
    started, go_on = threading.Event(), threading.Event()

    class Waiting(ByNumber):
        waits = False

        def scores(self, query: str, texts: list[str]) -> NDArray[np.float32]:
            if self.waits:
                started.set()
                assert go_on.wait(120)
            return super().scores(query, texts)

    clock = Clock()
    model = Waiting(clock)
    reranker = TimedReranker(model, 20, clock)
    model.waits, model.seconds = True, 0
    reranker._seconds = 0
    thread = threading.Thread(target=reranker.order, args=("first", texts(1, 2)))
    thread.start()
    assert started.wait(120)
    found = reranker.order("second", texts(1, 2))
    go_on.set()
    thread.join()
    assert found.order == (0, 1) and "使用中" in found.note


def test_a_model_that_cannot_score_at_all_is_told_at_the_start() -> None:
    model = ByNumber(Clock())
    model.fails = True
    with pytest.raises(SettingsError, match="HYOKA_RERANKER"):
        TimedReranker(model, 300, model.clock)


@given(
    numbers=st.lists(st.integers(0, 9), min_size=0, max_size=70),
    budget=st.floats(1, 2000),
    seconds=st.floats(0, 0.2),
)
def test_an_order_is_a_permutation_that_sorts_what_was_scored(
    numbers: list[int], budget: float, seconds: float
) -> None:
    model, reranker = timed(budget, seconds)
    found = reranker.order("q", texts(*numbers))
    assert sorted(found.order) == list(range(len(numbers)))
    head = [numbers[i] for i in found.order[: found.scored]]
    assert head == sorted(numbers[: found.scored], reverse=True)
    assert list(found.order[found.scored :]) == list(range(found.scored, len(numbers)))
    assert bool(found.note) == (found.scored == 0 and len(numbers) > 1)


# In a search


def reading(name: str, body: str) -> tuple[Document, list[SheetReading]]:
    text = f"{name}\n{body}\n"
    span = Span(len(name) + 1, len(text) - 1)
    sheet = Sheet(name, f"{name}.txt", "programme", name, "碧原市", 2022, "課", (Span(0, len(text)),), "test")
    section = Section("今後の計画", "今後の計画", span, body)
    return Document(f"{name}.txt", text, name, "text"), [SheetReading(sheet, (section,))]


READINGS = [
    reading("戸籍システム", "サーバーの更改を行う 1"),
    reading("斎場管理", "サーバーの更改と炉の修繕を行う 5"),
    reading("窓口支援", "機器の更改を来年度に行う 9"),
    reading("図書館電算", "端末を入れ替える 7"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("index")
    build(READINGS, FakeEncoder(), path).close()
    return path


def opened(folder: Path, **how: float) -> tuple[ByNumber, Snapshot]:
    model, reranker = timed(**how)
    return model, Snapshot.open(folder, FakeEncoder(), reranker=reranker)


def test_a_search_shows_the_head_in_the_new_order_with_the_same_scores(folder: Path) -> None:
    plain = Snapshot.open(folder, FakeEncoder()).search("サーバの更改", 10)
    _, index = opened(folder)
    found = index.search("サーバの更改", 10)
    assert [hit.sheet.name for hit in plain.hits][0] == "戸籍システム"
    assert [hit.sheet.name for hit in found.hits] == ["窓口支援", "図書館電算", "斎場管理", "戸籍システム"]
    # Dealt out anew: the best score, which says whether there is an answer at all, is the one it was.
    assert [(hit.score, hit.chance) for hit in found.hits] == [(hit.score, hit.chance) for hit in plain.hits]
    assert {(h.sheet.name, h.lexical, h.dense, h.text) for h in found.hits} == {
        (h.sheet.name, h.lexical, h.dense, h.text) for h in plain.hits
    }
    assert (found.total, found.facets, found.reranked, found.note) == (plain.total, plain.facets, 4, "")
    assert (plain.reranked, plain.note) == (0, "")


def test_the_model_reads_the_name_the_label_and_the_text(folder: Path) -> None:
    seen: list[str] = []

    class Keeps(ByNumber):
        def scores(self, query: str, texts: list[str]) -> NDArray[np.float32]:
            seen.extend(texts)
            return super().scores(query, texts)

    model = Keeps(Clock())
    index = Snapshot.open(folder, FakeEncoder(), reranker=TimedReranker(model, 1000, model.clock))
    seen.clear()
    index.search("サーバの更改", 5)
    assert "斎場管理\n今後の計画\nサーバーの更改と炉の修繕を行う 5" in seen


def test_what_has_no_evidence_is_not_found_and_filters_hold(folder: Path) -> None:
    model, index = opened(folder)
    assert index.search("天文学", 5).hits == () and model.batches == []
    assert index.search("更改", 5, Filters(municipality=("丙村",))).hits == ()


def test_counting_alone_does_not_cost_the_models_time(folder: Path) -> None:
    model, index = opened(folder)
    found = index.search("サーバの更改", 0)
    assert (found.total, found.hits, model.batches) == (4, (), [])
    assert found.facets == index.search("サーバの更改", 10).facets


def test_pages_follow_each_other_in_the_new_order(folder: Path) -> None:
    _, index = opened(folder)
    everything = index.search("更改", 10).hits
    pages = [index.search("更改", 1, offset=n).hits for n in range(len(everything))]
    assert [hit for page in pages for hit in page] == list(everything)


def test_a_search_survives_a_model_that_fails_or_is_late(folder: Path) -> None:
    plain = Snapshot.open(folder, FakeEncoder()).search("サーバの更改", 10)
    model, index = opened(folder)
    model.fails = True
    found = index.search("サーバの更改", 10)
    assert found.hits == plain.hits and "失敗" in found.note
    _, late = opened(folder, budget_ms=10, seconds=1)
    found = late.search("サーバの更改", 10)
    assert found.hits == plain.hits and "間に合わない" in found.note


# Real cross-encoders


@pytest.fixture(scope="module")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("sentence_transformers")
    return save_transformer(tmp_path_factory.mktemp("models") / "reranker", "classifier-1")


def test_a_cross_encoder_gives_the_logits_of_transformers(cross_encoder: Path) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(str(cross_encoder))
    pairs = [("サーバの更改", "戸籍システムの機器"), ("サーバの更改", "図書館")]
    with torch.no_grad():
        by_hand = [float(model(torch.tensor([unigram().encode(*pair).ids])).logits[0, 0]) for pair in pairs]
    found = CrossEncoderReranker(str(cross_encoder)).scores("サーバの更改", [text for _, text in pairs])
    assert found.tolist() == pytest.approx(by_hand, abs=1e-5)


def test_a_long_pair_is_cut_and_a_long_question_leaves_an_order(cross_encoder: Path) -> None:
    scores = CrossEncoderReranker(str(cross_encoder)).scores("更改" * 400, ["図書館" * 200, "戸籍"])
    assert scores.shape == (2,) and np.isfinite(scores).all()


def test_a_named_reranker_orders_a_search(cross_encoder: Path, folder: Path) -> None:
    reranker = load_reranker(str(cross_encoder), budget_ms=60_000)
    assert reranker is not None and load_reranker(None) is None
    found = Snapshot.open(folder, FakeEncoder(), reranker=reranker).search("サーバの更改", 10)
    assert found.reranked == len(found.hits) == 4 and found.note == ""
    model = CrossEncoderReranker(str(cross_encoder))
    scores = model.scores("サーバの更改", [f"{h.sheet.name}\n今後の計画\n{h.text}" for h in found.hits])
    assert scores.tolist() == sorted(scores.tolist(), reverse=True)


def test_what_is_no_cross_encoder_is_told(cross_encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="HYOKA_ENCODER"):
        load_reranker(str(save_transformer(tmp_path / "encoder", "bert")))
    with pytest.raises(SettingsError, match="3個"):
        load_reranker(str(save_transformer(tmp_path / "classes", "classifier-3")))
    with pytest.raises(SettingsError, match="HYOKA_RERANKER"):
        load_reranker(str(tmp_path / "nowhere"))
    cut = Path(shutil.copytree(cross_encoder, tmp_path / "cut"))
    (cut / "model.safetensors").write_bytes((cut / "model.safetensors").read_bytes()[:-10])
    with pytest.raises(SettingsError, match="途中で切れ"):
        load_reranker(str(cut))
