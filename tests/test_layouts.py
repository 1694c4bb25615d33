"""Forms drawn at random from seeds, on invented programmes: what is printed on them is found again."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.layouts.blocks import Line, Press, Table
from evals.layouts.design import design
from evals.layouts.measure import MEDIA, Score, measure
from evals.layouts.truth import invented_sheets
from evals.layouts.writers import write_text

# Seeds that nobody looked at while the reader was made; `python -m evals.layouts --forms 1000:1024` prints the same.
SEEDS = range(1000, 1024)


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Score]:
    return measure(invented_sheets(60, 7), SEEDS, tmp_path_factory.mktemp("forms"))


@pytest.mark.parametrize("medium", MEDIA)
def test_unknown_forms_are_read(scores: dict[str, Score], medium: str) -> None:
    shares = scores[medium].shares()
    assert scores[medium].counts["sheets"] >= 40 and scores[medium].counts["amounts"] >= 150
    floors = {"name": 0.95, "department": 0.90, "year": 0.90, "amount precision": 0.97, "amount recall": 0.85}
    assert {what: share for what, share in shares.items() if share < floors.get(what, 0.0)} == {}


def test_a_form_is_the_same_every_time_and_another_for_another_seed() -> None:
    assert design(5) == design(5) != design(6)


def test_what_is_noted_as_printed_stands_on_the_paper(tmp_path: Path) -> None:
    form = design(3)
    (sheet,) = invented_sheets(1, 1)
    printed = Press(form).print(sheet)
    cells = [c for b in printed.blocks if isinstance(b, Table) for row in b.rows for c in row]
    lines = [b.text for b in printed.blocks if isinstance(b, Line)]
    assert any(sheet.name in text for text in [*cells, *lines])
    for value in printed.amounts.values():
        shown = {f"{value:,}", f"{value // 1000:,}", f"{value / 1_000_000:,.1f}"}
        assert any(any(s in text for s in shown) for text in [*cells, *lines]), value
    write_text(tmp_path / "a.txt", form, [printed])
    assert sheet.name in (tmp_path / "a.txt").read_text("utf-8")


def test_the_score_counts_a_wrong_figure_against_precision() -> None:
    score = Score()
    score.counts.update({"amounts": 4, "amounts found": 5, "amounts right": 3})
    assert score.shares()["amount precision"] == 3 / 5 and score.shares()["amount recall"] == 3 / 4
