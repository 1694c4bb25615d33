"""Answers kept for the very same question: never across questions, filters, indexes or requests that hold another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from crowds import PLAN
from crowds import small_index as small_index
from hypothesis import given
from hypothesis import strategies as st

from assistant.answercache import AnswerCache, cached
from assistant.live import Live, holding
from assistant.stages import stopwatch
from assistant.types import NO_CHOICES, Answer, Choices, Turn
from corpus.errors import QuestionError
from index.types import Filters
from tests.fakes import FakeAssistant, FakeIndex

TOOK = 1e9  # more than any machine needs for a look into the cache


class Echo:
    """Answers with everything that an answer may depend on, and the generation it belongs to."""

    def __init__(self, generation: str) -> None:
        self.index = FakeIndex(generation)
        self.asked = 0

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        filters: Filters = Filters(),
        choices: Choices = NO_CHOICES,
    ) -> Answer:
        self.asked += 1
        answer = FakeAssistant(self.index).ask(PLAN)
        said = repr((self.index.version, question, tuple(history), filters, choices))
        return replace(answer, answer=said, took_ms=TOOK)


QUESTIONS = st.sampled_from(["予算は", "予算は？", "計画は"])
CHOICES = st.builds(
    Choices,
    st.sampled_from([(), ("period",), ("period", "sheet")]),
    st.sampled_from([None, "calendar", "fiscal", "both"]),
    st.sampled_from([None, "a", "b"]),
)
FILTERS = st.builds(
    Filters,
    st.sampled_from([(), ("A市",), ("B市",), ("A市", "B市")]),
    st.sampled_from([(), (2021,), (2022,)]),
    st.sampled_from([(), ("A市",)]),
    st.sampled_from([(), ("課題",)]),
    st.sampled_from([(), ("A",)]),
    st.sampled_from([(), ("A",)]),
)
TURNS = st.lists(st.builds(Turn, st.sampled_from(["user", "assistant"]), QUESTIONS, CHOICES), max_size=2)
STEPS = st.lists(st.one_of(st.tuples(QUESTIONS, TURNS, FILTERS, CHOICES), st.just("reload")), min_size=1, max_size=40)


@given(STEPS, st.integers(1, 5))
def test_an_answer_kept_never_crosses_questions_histories_filters_choices_or_generations(steps, most):
    stamp = ["1"]
    opened: list[Echo] = []

    def open_next(_: object = None) -> AnswerCache:
        opened.append(Echo(stamp[0]))
        return AnswerCache(opened[-1], most)

    live = Live(open_next(), lambda: stamp[0], open_next)
    for step in steps:
        if step == "reload":
            stamp[0] = str(int(stamp[0]) + 1)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(
                    "assistant.live.changed", lambda gone: None
                )  # through everything the tests keep: for nothing here
                assert live.check()
            continue
        given_twice = [live.ask(*step).answer, live.ask(*step).answer]
        question, history, filters, choices = step
        assert given_twice == [repr((stamp[0], question, tuple(history), filters, choices))] * 2


def test_the_cache_forgets_the_answer_unused_longest_and_tells_what_this_time_took():
    echo = Echo("1")
    cache = AnswerCache(echo, 2)
    for question in "ababcacb":  # c takes the place of a, a that of b, b that of a
        cache.ask(question)
    assert echo.asked == 5 and len(cache) == 2
    fresh, again = cache.ask("d"), cache.ask("d")
    assert fresh.took_ms == TOOK and again.took_ms < TOOK and replace(again, took_ms=TOOK) == fresh


def test_a_question_that_fails_is_not_kept_and_the_cache_can_be_switched_off(monkeypatch):
    fails = FakeAssistant()
    cache = cached(fails, 5)
    for _ in range(2):
        with pytest.raises(QuestionError):
            cache.ask("拒否")
    assert len(fails.asked) == 2 and cached(fails, 0) is fails
    reranking = FakeIndex()
    object.__setattr__(reranking, "reranker", object())
    slow = FakeAssistant(reranking)
    assert cached(slow, 5) is slow


def test_a_request_that_holds_the_old_index_gets_the_old_answer():
    stamp = ["1"]
    live = Live(AnswerCache(Echo("1"), 5), lambda: stamp[0], lambda old: AnswerCache(Echo(stamp[0]), 5))
    with holding():
        before = live.ask("予算は").answer
        stamp[0] = "2"
        assert live.check() and live.ask("予算は").answer == before
    assert live.ask("予算は").answer != before


@pytest.mark.parametrize("changed", ["synonyms", "weights"])
def test_new_synonyms_and_new_weights_forget_the_answers(small_index, tmp_path, changed):
    from datetime import UTC, datetime

    from assistant.settings import load_settings
    from assistant.upkeep import open_upkeep
    from index.fusion import Weights
    from index.tuning.store import Tuning, save

    live = open_upkeep(load_settings(index_dir=tmp_path / "index"), small_index).live
    for expected in (False, True):
        with stopwatch() as watch:
            live.ask("花火大会の目的は？")
        assert watch.remembered is expected
    if changed == "synonyms":
        (tmp_path / "index" / "synonyms.toml").write_text('synonyms = [["花火大会", "みなとの夜"]]\n', "utf-8")
    else:
        tuning = Tuning(
            replace(Weights(), head=0.85), small_index.encoder.digest, small_index.version, datetime.now(UTC), {}
        )
        save(tmp_path / "index", tuning)
    assert live.check()
    with stopwatch() as watch:
        live.ask("花火大会の目的は？")
    assert watch.remembered is False
    live.index.close()
