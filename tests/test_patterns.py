"""Regular expressions are read in linear time: the look at a pattern's tree, and that no pattern comes to the known ones."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from assistant.carrying import __file__ as _carrying
from assistant.conditions import find_conditions
from assistant.criteria import MOST_LIMITS, find_criteria
from assistant.llm import said
from assistant.rereading import reading
from assistant.summary import checked
from assistant.support.evidence import Source
from corpus.documents import Document, Span
from corpus.facts import _YEARS
from corpus.forms.loader import compiled, forms
from corpus.labelled import _LABEL_LINE
from corpus.layout import MOST_CELLS, rows, view
from corpus.reading import read_sheets
from evals.benchmarks.patterns import RESULT, Found, growth, pumps
from evals.benchmarks.patterntree import MANY, problems

ROOT = Path(_carrying).parents[1]


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+b", r"(a*)*$", r"(?:a|aa)*$" * 0 + r"(?:\w+\s?)+:", r"(x+x+)+y", r"\d+\d+x", r"a*b?a*c", r"[ ]*\s*x", r".*.*=", r"\d+円",
        r"\s+$", r"[\d,]*x", r"(?:令和)?\s*\d+\s*年", r"\d*+x",
    ],
)  # fmt: skip
def test_what_is_not_linear_is_found(pattern: str) -> None:
    assert problems(pattern)


@pytest.mark.parametrize("pattern", [r"(?:\d{1,2}\.|\d{1,2}\.\d)*x", r"(?:R\d[ ]*(?:/|[ ]+))+x", r"(?:a|ab|b)+x"])
def test_what_repeats_and_can_be_cut_in_two_ways_is_found(pattern: str) -> None:
    assert any(told.startswith("nested") for told in problems(pattern))
    atomic = re.sub(r"^\(\?:", "(?>", pattern)
    assert not any(told.startswith("nested") for told in problems(atomic))


@pytest.mark.parametrize(
    "pattern",
    [
        r"令和\d+年", r"\d{1,4}円", r"(?<!\d)\d++円", r"[^\n]+", r"\*\*", r"\d+", r"「[^「」]*」", r"(?:a|b)c", r"a{0,30}b{0,30}",
        r"名\s*+[:：]\s*+(\S{1,20})", r"(?:年|月){1,3}", r"x(?:ab)*", r"No\.?\s{0,2}\d",
    ],
)  # fmt: skip
def test_what_is_linear_passes(pattern: str) -> None:
    assert problems(pattern) == []


def test_a_bounded_repetition_is_a_constant() -> None:
    assert problems(rf"\d{{0,{MANY}}}円") == [] and problems(rf"\d{{0,{MANY + 1}}}円")


def test_texts_are_made_of_what_a_pattern_reads() -> None:
    assert {"1", "円", ","} <= set(pumps(r"\d[\d,]*円")) and "令和" in pumps(r"令和\d")


def test_growth_tells_quadratic_from_linear() -> None:
    """Processor time of 2n against n: no time is asserted, only that one grows much faster than the other."""
    worst, pump = growth(Found(r"\d+円", 0, "x.py"), 8_000)
    assert worst > 3 and "1" in pump or "0" in pump or "9" in pump
    assert growth(Found(r"(?<!\d)\d++円", 0, "x.py"), 8_000)[0] < worst


def test_no_pattern_comes_to_those_that_are_known(tmp_path: Path) -> None:
    """A pattern that is not linear by its tree stands in results/patterns.json, where it was looked at; a new one is to be written
    otherwise (bounded or possessive repetition, a look-behind before a run), or measured and added by running the benchmark."""
    out = tmp_path / "patterns.json"
    subprocess.run(
        [sys.executable, "-m", "evals.benchmarks.patterns", "--tree", "--out", str(out)],
        cwd=ROOT,
        check=False,
        capture_output=True,
    )
    found = json.loads(out.read_text("utf-8"))
    assert found["patterns"] > 600
    result = json.loads(RESULT.read_text("utf-8"))
    known = {one["pattern"] for one in result["not linear by their tree"]}
    # Of a form file, and so bounded by the length of a sheet: 4 for twice the text is quadratic, 8 would be cubic.
    slow = result["not linear by time"]
    assert {one["file"] for one in slow} <= {"corpus/forms/patterns.py"} and all(one["ratio"] < 6 for one in slow)
    new = [
        (one["file"], one["pattern"], one["tree"])
        for one in found["not linear by their tree"]
        if one["pattern"] not in known
    ]
    assert new == []
    nested = [
        one for one in found["not linear by their tree"] if any(told.startswith("nested") for told in one["tree"])
    ]
    # Patterns of form files are tried on runs of letters when they are read (corpus/forms/patterns.py:runs_away).
    assert {one["file"] for one in nested} <= {"corpus/forms/patterns.py"}


@pytest.mark.parametrize("pump", ["1", "一", "百", "1,", "1円以上", "1から", "1~", "2倍", "1.", "億", "百万"])
def test_conditions_of_a_long_question_are_read_at_once(pump: str) -> None:
    """Such a question took seconds when numbers could give back what they had read; now it ends, and reads what stands at its end."""
    key = (pump * 2_000)[:1_900] + "、決算額が1億円以上の事業"
    assert any(condition.value == 100_000_000 for condition in find_conditions(key)[0])
    assert find_criteria(key).limits


@pytest.mark.parametrize(
    "text, value",
    [
        ("1,234,567円以上", 1_234_567.0),
        ("5百万円以上", 5_000_000.0),
        ("1.5億円以上", 150_000_000.0),
        ("三千万円未満", 30_000_000.0),
    ],
)
def test_numbers_of_questions_are_read_as_before(text: str, value: float) -> None:
    assert [condition.value for condition in find_conditions(f"決算額が{text}の事業")[0]] == [value]


@pytest.mark.parametrize("piece", ["11.", "(1)", "1-1", "1.1", "■", "(("])
def test_a_line_of_numbers_and_marks_is_looked_at_in_few_ways(piece: str) -> None:
    """「11.11.…。」 was cut in 2^n ways: forty pieces would not have ended."""
    assert _LABEL_LINE.match(piece * 2_000 + "。") is None


def test_a_cell_of_figures_with_wide_gaps_is_looked_at_in_few_ways() -> None:
    assert _YEARS.fullmatch("5年度100人  " * 2_000 + "は") is None
    assert _YEARS.fullmatch("5年度100人  6年度 200 人、7年度 300") is not None


def test_the_heads_of_a_form_are_read_in_few_ways() -> None:
    head = next(form.data["summary"]["head"] for form in forms() if "summary" in form.data)
    assert compiled(head).search("R1  " * 2_000) is None and compiled(head).search("R1 / R2  R3 総括") is not None


def _taken(text: str) -> float:
    document = Document("a.txt", text, "", "text")
    began = time.process_time()
    read_sheets(document)
    return time.process_time() - began


@pytest.mark.parametrize("piece", ["課長名 ", "\n", " \n", "令和5年度 ", "令和5年度\t", "1\t"])
@pytest.mark.parametrize("head", ["", "事務事業名\t図書館\n目的\t"])
def test_a_long_document_takes_as_long_as_it_is(piece: str, head: str) -> None:
    """Eight times the text: eight times the processor time is linear, sixty-four quadratic."""
    _taken(head + piece * 100)
    sizes = [10_000 // len(piece), 80_000 // len(piece)]
    brief, long = (_taken(head + piece * size) for size in sizes)
    assert long < 24 * max(brief, 0.01)


def test_a_line_of_more_cells_than_any_form_has_is_a_text() -> None:
    text = "\t".join(str(n) for n in range(MOST_CELLS + 1))
    (row,) = rows(view(Document("a.txt", text, "", "text"), Span(0, len(text))))
    assert not row.tabbed and row.span == Span(0, len(text))
    shorter = text.rpartition("\t")[0]
    (row,) = rows(view(Document("a.txt", shorter, "", "text"), Span(0, len(shorter))))
    assert len(row.cells) == MOST_CELLS


def test_a_limit_said_again_is_one_limit_and_a_question_has_so_many() -> None:
    assert len(find_criteria("決算額1円以上、" * 200).limits) == 1
    assert len(find_criteria("".join(f"決算額{n}円以上、" for n in range(1, 100))).limits) == MOST_LIMITS


@pytest.mark.parametrize("piece", ["<think>", "{", "「", "[1]", "。 ", "、", "図書館は1円、"])
def test_what_a_hostile_model_repeats_is_read_once(piece: str) -> None:
    """A search that began anew at every "<think>" of 256 KiB would hold up everybody: the interpreter waits for it."""
    quoted = "令和7年度にサーバを更新する。決算額は1,500千円である。"
    source = Source(1, "湊見市", "図書館運営", "図書館", "今後の計画", 2024, quoted, ())

    def taken(size: int) -> float:
        text = piece * (size // len(piece)) + "[1]。"
        began = time.process_time()
        checked(said(text), [source], lambda texts: np.ones((len(texts), 4), np.float32), "m", 0.0, 1)
        assert reading(text, None, None, None, None) is None  # nothing of it is JSON
        return time.process_time() - began

    taken(1_000)
    brief, long = taken(10_000), taken(80_000)
    assert long < 24 * max(brief, 0.01)


def test_line_breaks_of_a_long_blank_are_one() -> None:
    from ui.text import marked

    assert marked("あ" + " \n" * 5_000 + "い" + " " * 50_000 + "う").startswith("あ<br>い")
    assert re.sub(r"(?<!\s)\s*\n\s*+", "|", "a  \n b\n\nc d") == "a|b|c d"
