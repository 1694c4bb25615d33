"""Cases written as a file that :func:`evals.cases.read_cases` reads back the same: JSON Lines, CSV or Excel."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from assistant.spreadsheets import guarded, put
from corpus.errors import SettingsError
from evals.cases import HEADINGS, Case

_SEPARATORS = re.compile(r"[\n;；|｜]|^\[|^\s|\s$")


def as_json(case: Case) -> dict[str, object]:
    """A case as one line of JSON Lines holds it."""
    return case.model_dump(mode="json", exclude={"line"})


def json_lines(cases: Sequence[Case]) -> bytes:
    """One object a line, UTF-8."""
    return "".join(json.dumps(as_json(case), ensure_ascii=False) + "\n" for case in cases).encode("utf-8")


def comma_separated(cases: Sequence[Case]) -> bytes:
    """CSV with Japanese headings; the mark at its beginning makes Excel read it as UTF-8."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([guarded(text) for text in row] for row in cells(cases))
    return out.getvalue().encode("utf-8-sig")


def workbook(cases: Sequence[Case]) -> bytes:
    """An Excel book with Japanese headings; every cell is text."""
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font

    book = Workbook()
    sheet = book.active
    sheet.title = "質問"
    for at, row in enumerate(cells(cases), start=1):
        for across, text in enumerate(row, start=1):
            cell = sheet.cell(at, across)
            put(cell, text)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            if at == 1:
                cell.font = Font(bold=True)
    for letter, width in zip("ABCDEFGHIJKL", (12, 14, 50, 30, 14, 36, 20, 40, 36, 20, 10, 30), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def cells(cases: Sequence[Case]) -> list[list[str]]:
    """The rows of a table, headings first; values of a list stand between ``;``, forms of one ``must`` between ``|``."""
    return [list(HEADINGS), *(_row(case) for case in cases)]


def _row(case: Case) -> list[str]:
    values = {
        "id": case.id,
        "type": case.type,
        "question": case.question,
        "history": _joined(case.history),
        "municipality": _joined(case.municipality),
        "sheets": _joined(case.sheets),
        "sections": _joined(case.sections),
        "evidence": _joined(case.evidence),
        "must": _forms(case.answer.must),
        "must_not": _joined(case.answer.must_not),
        "unanswerable": "はい" if case.unanswerable else "",
        "note": case.note,
    }
    return [values[name] for name in HEADINGS.values()]


def _joined(values: Sequence[str]) -> str:
    if any(_SEPARATORS.search(value) for value in values):
        return json.dumps(list(values), ensure_ascii=False)
    return "; ".join(values)


def _forms(must: Sequence[Sequence[str]]) -> str:
    if any(_SEPARATORS.search(form) for forms in must for form in forms):
        return json.dumps([list(forms) for forms in must], ensure_ascii=False)
    return "; ".join("|".join(forms) for forms in must)


WRITERS: dict[str, Callable[[Sequence[Case]], bytes]] = {
    ".jsonl": json_lines,
    ".csv": comma_separated,
    ".xlsx": workbook,
}


def write_cases(cases: Sequence[Case], path: Path) -> None:
    """Write ``.jsonl``, ``.csv`` or ``.xlsx``; raises SettingsError for another ending."""
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        known = "、".join(WRITERS)
        raise SettingsError(
            f"質問ファイルの形式が分かりません: {path.name}。{known} のどれかで終わる名前にしてください。"
        )
    path.write_bytes(writer(cases))
