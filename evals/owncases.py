"""A city's own question file as questions for ``hyoka tune``: those whose right sheets are named and stand in the index."""

from __future__ import annotations

from pathlib import Path

from evals.cases import read_cases
from evals.metrics import is_gold
from index.snapshot import Snapshot
from index.tuning.questions import OWN, TuningQuestion


def own_questions(file: Path, index: Snapshot) -> tuple[list[TuningQuestion], int]:
    """The questions that search alone can serve, and how many of the file were left out.

    Left out are lines that cannot be read, unanswerable questions, those that continue a talk, and those whose gold
    sheets are not in the index. Every sheet of a gold name is right, in every year; the sections are not used.
    """
    read = read_cases(file)
    sheets = index.sheets()
    found: list[TuningQuestion] = []
    for case in read.cases:
        if case.unanswerable or case.history or not case.sheets:
            continue
        right = tuple(
            sheet.sheet_id
            for sheet in sheets
            if (not case.municipality or sheet.municipality in case.municipality)
            and any(
                is_gold(gold, {"sheet": sheet.name, "department": sheet.department, "municipality": sheet.municipality})
                for gold in case.sheets
            )
        )
        if right:
            found.append(TuningQuestion(OWN, case.question, right, (), case.sheets[0]))
    return found, len(read.cases) + len(read.bad) - len(found)
