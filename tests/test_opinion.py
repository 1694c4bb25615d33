"""The trained second opinion: what it knows of rows it never saw, and when it is asked."""

import pytest

from assistant.opinion import BLANK, SURE, grams, read_model, second_opinion
from assistant.question import understand
from assistant.training import intents as training
from tests.test_understanding import catalogue

ROWS = training.read_rows(training.FOLDER / "questions.tsv")
HELD_OUT = [row for row in ROWS if row.held_out]


def test_a_blanked_stretch_counts_once_however_long():
    assert grams(BLANK * 5 + "は") == grams(BLANK + "は")


def test_it_is_right_more_often_than_cues_alone_on_rows_held_out():
    model = read_model(training.MODEL.read_text("utf-8"))
    cues = training.agreement(HELD_OUT, training.by_cues)
    assert cues >= 0.68
    assert training.agreement(HELD_OUT, training.with_opinion(model)) >= cues + 0.05


def test_no_row_held_out_is_trained_on():
    trained = {row.key for row in ROWS if not row.held_out}
    assert len(HELD_OUT) > 200 and not trained & {row.key for row in HELD_OUT}


def test_a_stored_model_says_what_the_trained_one_said():
    rows = [row for row in ROWS if not row.held_out][:60]
    model = training.train(rows)
    again = read_model(training.stored(model))
    assert [again.opinion(row.key) for row in rows] == [model.opinion(row.key) for row in rows]


@pytest.mark.parametrize(
    ("question", "intent", "told_by"),
    [("住民記録システムの決算額はいくら", "number", "cue"), ("住民記録システムの利用者数", "number", "model")],
)
def test_the_query_says_how_its_intent_was_told(question: str, intent: str, told_by: str):
    query = understand(question, [], catalogue())
    assert (query.intent, query.told_by) == (intent, told_by)
    assert (query.opinion is None) == (told_by == "cue")


def test_what_it_is_unsure_of_stays_with_the_cues():
    assert second_opinion("ぬるぽ").sure < SURE
