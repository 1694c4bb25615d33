"""Question files: what a case is and how it is read from JSON Lines, CSV or Excel.

A line that cannot be used is reported with its number and stops nothing else: :func:`read_cases` returns the good cases
and the bad lines side by side.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from assistant.spreadsheets import unguarded
from corpus.errors import SettingsError

CaseType = Literal[
    "lookup-text", "lookup-number", "temporal", "list", "aggregate", "semantic", "unanswerable", "follow-up"
]
CASE_TYPES: tuple[CaseType, ...] = get_args(CaseType)

# The headings a person may use in CSV and Excel beside the JSON keys.
HEADINGS = {
    "番号": "id",
    "種別": "type",
    "質問": "question",
    "前の質問": "history",
    "自治体": "municipality",
    "正解シート": "sheets",
    "項目": "sections",
    "根拠": "evidence",
    "必須": "must",
    "禁止": "must_not",
    "回答不能": "unanswerable",
    "備考": "note",
}
_LISTS = ("history", "municipality", "sheets", "sections", "evidence", "must_not")
_TRUE = {"1", "true", "yes", "y", "はい", "○", "〇", "該当"}
_FALSE = {"", "0", "false", "no", "n", "いいえ", "×"}


def _filled(text: object) -> object:
    if isinstance(text, str) and not text.strip():
        raise ValueError("空の文字列です")
    return text


def _one_or_many(value: object) -> object:
    """A single name where a list may stand: 「"municipality": "湊見市"」."""
    return ((value,) if value.strip() else ()) if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_filled)]


class Expected(BaseModel):
    """What the answer says: one form of each list in ``must``, none of ``must_not``."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    must: tuple[Annotated[tuple[Text, ...], Field(min_length=1)], ...] = ()
    must_not: tuple[Text, ...] = ()


class Case(BaseModel):
    """One question with its gold.

    ``sheets`` holds printed names, ``財務会計システム@財政課`` where two sheets share one; ``history`` the user's earlier
    questions, oldest first; ``line`` where it stood in its file.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: Text
    type: CaseType
    question: Text
    history: tuple[Text, ...] = ()
    municipality: Annotated[tuple[str, ...], BeforeValidator(_one_or_many)] = ()
    sheets: tuple[Text, ...] = ()
    sections: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    answer: Expected = Expected()
    unanswerable: bool = False
    note: str = ""
    line: int = 0

    @model_validator(mode="after")
    def _can_fail(self) -> Case:
        if not self.unanswerable and not self.answer.must and not self.sheets:
            raise ValueError("正解がありません。sheets か answer.must を書くか、unanswerable を true にしてください")
        return self


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line (CSV and Excel: a row) that is no usable case; ``message`` says why, in Japanese."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class CaseFile:
    """The cases of one file in their order, and the lines that are none."""

    name: str
    cases: tuple[Case, ...]
    bad: tuple[BadLine, ...]


def read_cases(path: Path) -> CaseFile:
    """Read ``.jsonl``, ``.csv``, ``.tsv`` or ``.xlsx``; raises SettingsError when the file itself cannot be used."""
    if not path.is_file():
        raise SettingsError(f"質問ファイルがありません: {path}。パスを確かめてください。")
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        known = "、".join(READERS)
        raise SettingsError(f"質問ファイルの形式が分かりません: {path.name}。{known} のどれかで保存してください。")
    return collect(path.name, reader(path))


def collect(name: str, rows: Iterable[tuple[int, object]]) -> CaseFile:
    """Validate numbered rows: ``(3, {"id": …})`` or ``(3, ValueError(…))`` for a row that could not be parsed."""
    cases: list[Case] = []
    bad: list[BadLine] = []
    seen: dict[str, int] = {}
    for line, row in rows:
        if not isinstance(row, dict):
            bad.append(BadLine(line, str(row) if isinstance(row, ValueError) else "JSON のオブジェクトではありません"))
            continue
        try:
            case = Case.model_validate({"id": f"{line}", **row, "line": line})
        except ValidationError as error:
            bad.append(BadLine(line, _explain(error)))
            continue
        if case.id in seen:
            bad.append(BadLine(line, f"id {case.id} は {seen[case.id]} 行目と重なっています"))
            continue
        seen[case.id] = line
        cases.append(case)
    return CaseFile(name, tuple(cases), tuple(bad))


def _explain(error: ValidationError) -> str:
    parts = []
    for item in error.errors()[:3]:
        where = ".".join(str(part) for part in item["loc"])
        what = "ありません" if item["type"] == "missing" else item["msg"].removeprefix("Value error, ")
        parts.append(f"{where}: {what}" if where else what)
    return "、".join(parts)


def _json_lines(path: Path) -> Iterator[tuple[int, object]]:
    # Bytes are split first, so that one line with broken UTF-8 costs one case and not the file.
    for line, raw in enumerate(path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not raw.strip():
            continue
        try:
            yield line, json.loads(raw.decode("utf-8"))
        except UnicodeDecodeError:
            yield line, ValueError("UTF-8 として読めません")
        except (json.JSONDecodeError, RecursionError) as error:
            yield line, ValueError(f"JSON として読めません ({error})")


def _delimited(path: Path) -> Iterator[tuple[int, object]]:
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp932", errors="replace")  # what Japanese Excel writes as plain CSV
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
    rows: list[tuple[int, list[str]]] = []
    start = 1
    for cells in reader:
        rows.append((start, [unguarded(cell) for cell in cells]))
        start = reader.line_num + 1
    yield from _from_rows(rows)


def _excel(path: Path) -> Iterator[tuple[int, object]]:
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # openpyxl raises whatever zipfile and its XML parser raise
        raise SettingsError(
            f"Excel として開けません: {path.name}。ファイルを保存し直してください。({error})"
        ) from error
    sheet = book.worksheets[0]
    rows = enumerate(sheet.iter_rows(values_only=True), start=1)
    yield from _from_rows([(line, [_cell(value) for value in row]) for line, row in rows])
    book.close()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _from_rows(rows: list[tuple[int, list[str]]]) -> Iterator[tuple[int, object]]:
    if not rows:
        return
    names = [HEADINGS.get(cell.strip(), cell.strip()) for cell in rows[0][1]]
    if "question" not in names:
        raise SettingsError("1行目に見出しがありません。id, type, question, sheets, must などの列名を書いてください。")
    for line, cells in rows[1:]:
        if not any(cell.strip() for cell in cells):
            continue
        try:
            yield line, _row(dict(zip(names, cells, strict=False)))
        except ValueError as error:
            yield line, ValueError(f"セルを読めません ({error})")


def _row(cells: dict[str, str]) -> dict[str, object]:
    """A filled-in row as the JSON object it stands for.

    Values of a list stand on lines of their own or between ``;``; the forms of one ``must`` are told apart by ``|``:
    ``自治体クラウド; Gov-Cloud|ガバメントクラウド`` is ``[["自治体クラウド"], ["Gov-Cloud", "ガバメントクラウド"]]``.
    """
    row: dict[str, object] = {key: _parts(cells.get(key, "")) for key in _LISTS if key != "must_not"}
    must = _parts(cells.get("must", ""))
    row["answer"] = {
        "must": [
            [form.strip() for form in re.split(r"[|｜]", part)] if isinstance(part, str) else part for part in must
        ],
        "must_not": _parts(cells.get("must_not", "")),
    }
    flag = cells.get("unanswerable", "").strip().lower()
    if flag not in _TRUE | _FALSE:
        raise ValueError(f"unanswerable は true か false で書いてください: {flag}")
    row["unanswerable"] = flag in _TRUE
    row["type"] = cells.get("type", "").strip() or ("unanswerable" if flag in _TRUE else "lookup-text")
    row["question"] = cells.get("question", "")
    row["note"] = cells.get("note", "")
    if cells.get("id", "").strip():
        row["id"] = cells["id"].strip()
    return row


def _parts(cell: str) -> list[object]:
    cell = cell.strip()
    if cell.startswith("["):
        value = json.loads(cell)
        return value if isinstance(value, list) else [value]
    return [part.strip() for part in re.split(r"[\n;；]", cell) if part.strip()]


READERS = {
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".json": _json_lines,
    ".csv": _delimited,
    ".tsv": _delimited,
    ".xlsx": _excel,
}
