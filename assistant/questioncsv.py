"""Question lists as CSV: UTF-8 or Shift_JIS in, UTF-8 with a byte order mark out, citations in a file beside it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from assistant.filledrow import CITED_COLUMNS, Filled
from assistant.questionlist import ADDED, CITED_SHEET, MOST_CITED, Layout, Question, layout_of, questions_of
from assistant.spreadsheets import csv_cell, unguarded
from corpus.errors import SettingsError

_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class QuestionCsv:
    """A question list in a CSV or TSV file."""

    def __init__(self, path: Path) -> None:
        """Reads the file; raises SettingsError where it holds no list of questions."""
        self._tab = "\t" if path.suffix.lower() == ".tsv" else ","
        text = _text(path)
        try:
            rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=self._tab))
        except csv.Error as error:
            raise SettingsError(f"CSVとして読めません: {path.name}（{error}）。保存し直してください。") from error
        self._rows = [[unguarded(cell) for cell in row] for row in rows]
        found = layout_of(self._rows)
        if found is None:
            raise SettingsError(f"{path.name} に質問の列が見つかりません。見出しを「質問」にしてください。")
        self.layout: Layout = found
        self.questions: list[Question] = questions_of(self._rows, found)
        self.place = f"{found.question + 1}列目"
        self._cited: list[list[str | int]] = []
        self.left_out = 0
        if found.head >= 0:
            self._write(found.head, ADDED)

    def fill(self, question: Question, row: Filled) -> None:
        """Writes the answer beside its question."""
        self._write(question.row, row.cells)
        kept = row.cited[: MOST_CITED - len(self._cited)]
        self.left_out += len(row.cited) - len(kept)
        self._cited += [[question.row + 1, question.text, *one.cells, one.link] for one in kept]

    def beside(self, out: Path) -> tuple[Path, ...]:
        """The other files that are written with ``out``."""
        return (out.with_name(f"{out.stem}_{CITED_SHEET}{out.suffix}"),)

    def save(self, files: tuple[Path, ...]) -> None:
        """Writes the answers into the first of the files and the citations into the second."""
        head: list[list[str]] = [] if self.layout.head >= 0 else [self._headings()]
        _save(files[0], [*head, *self._rows], self._tab)
        _save(files[1], [list(CITED_COLUMNS), *self._cited], self._tab)

    def _headings(self) -> list[str]:
        named = {self.layout.question: "質問", **dict(zip(self.layout.added, ADDED, strict=True))}
        return [named.get(at, "") for at in range(max(named) + 1)]

    def _write(self, at: int, values: tuple[str, ...]) -> None:
        row = self._rows[at]
        row += [""] * (max(self.layout.added) + 1 - len(row))
        for column, value in zip(self.layout.added, values, strict=True):
            row[column] = value


def _text(path: Path) -> str:
    raw = path.read_bytes()
    marked = next((name for mark, name in _MARKS if raw.startswith(mark)), "")
    for encoding in (marked,) if marked else ("utf-8", "cp932"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SettingsError(f"文字コードが分かりません: {path.name}。UTF-8かShift_JISで保存し直してください。")


def _save(path: Path, rows: Sequence[Sequence[object]], tab: str) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, delimiter=tab)
        writer.writerows([csv_cell(cell) for cell in row] for row in rows)
