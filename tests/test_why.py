"""An answer tells how it came about: the steps, what was weighed, and the same on the screen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import assistant.why
from assistant.payload import answer_json
from assistant.session import Assistant
from assistant.types import Considered, Why, WhyStep
from corpus.readers import read_document
from corpus.reading import read_sheets
from index.build import build
from index.encoder import load_encoder
from tests.test_render import EVIL
from ui.why import render_why

FILES = Path(__file__).parent.parent / "corpus" / "samples" / "files"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    documents = [read_document(path, path.name) for path in sorted(FILES.glob("*.txt"))]
    index = build(((d, read_sheets(d)) for d in documents), load_encoder(), tmp_path_factory.mktemp("why"))
    return Assistant(index)


def steps(why: Why) -> dict[str, str]:
    return {step.what: step.text for step in why.steps}


def test_a_ranking_tells_its_figures_and_searches_nothing(city: Assistant) -> None:
    town = max(
        {s.municipality for s in city.index.sheets()},
        key=lambda m: sum(s.municipality == m for s in city.index.sheets()),
    )
    answer = city.ask(f"{town}の決算額が大きい順に3つ教えて")
    told = steps(answer.why)
    assert told["質問の種類"].startswith("順位（決め手") and told["自治体"] == town
    ids = [s.sheet_id for s in city.index.sheets() if s.municipality == town]
    assert f"全{len(city.index.sheets())}シートのうち" in told["探した範囲"]
    assert told["照らした数値"].startswith("欄 = '決算額'")
    assert f"{len(city.index.facts(ids, ['決算額'])):,}件" in told["照らした数値"]
    assert "本文で探したことば" not in told and answer.why.considered == ()


def test_a_question_in_everyday_words_tells_the_passages_it_weighed(city: Assistant) -> None:
    answer = city.ask("古い機械を取り替えるのはどの仕組み？")
    told = steps(answer.why)
    assert "本文で探したことば" in told
    scores = [one.score for one in answer.why.considered]
    assert scores == sorted(scores, reverse=True) and 0 < scores[0] <= 1
    assert all(0 <= x <= 1 for one in answer.why.considered for x in (one.chance, one.words, one.meaning))
    found = {s.sheet_id for s in city.index.sheets()}
    assert {one.sheet_id for one in answer.why.considered} <= found


def test_a_refusal_says_that_nothing_proves_it(city: Assistant) -> None:
    answer = city.ask("月面基地はいつ着工しますか")
    assert answer.abstained and "答えませんでした" in steps(answer.why)["答え方"]
    assert answer_json(answer, city.index).why.steps[0].what == "質問の種類"


def test_every_way_of_answering_has_its_sentence() -> None:
    sources = "".join(file.read_text("utf-8") for file in sorted(Path(assistant.why.__file__).parent.glob("*.py")))
    ways = set(re.findall(r'how="([a-z-]+)"', sources)) | set(re.findall(r'\blisted\(.*, "([a-z]+)"\)', sources))
    assert ways == set(assistant.why._HOW) and ways >= assistant.why._BY_FIGURES


def test_the_fold_escapes_what_it_shows() -> None:
    why = Why((WhyStep(EVIL, EVIL),), (Considered(EVIL, "a", EVIL, 0.5, 0.25, 1.0, 0.0),))
    shown = render_why(why)
    assert "<script" not in shown and "<img" not in shown and "\n" not in shown
    assert "25%" in shown and shown.startswith('<details class="hy-why">')
    assert render_why(Why()) == ""
    assert "<table" not in render_why(Why(why.steps))
