"""Writes what a search needs of the records as columns of numbers, read from the finished records file row by row."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

from index.sheetvalues import values_of, wanted
from index.tables import NO_YEAR
from index.texts import Codes, write_texts

_SHEETS = (
    "SELECT s.sheet_id, s.document, s.kind, s.name, s.municipality, s.fiscal_year, s.department, s.form, s.spans"
    " FROM sheets s ORDER BY s.sheet"
)
_CELLS = "SELECT sheet, field, value, text, period_start, kind FROM facts NOT INDEXED WHERE field IN ({}) ORDER BY fact"


def write_tables(records: Path, folder: Path) -> None:
    """Writes the tables of a finished records file into the new ``folder``; :class:`index.tables.Tables` reads them."""
    folder.mkdir(parents=True)
    db = sqlite3.connect(f"{records.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        _write_sections(db, folder)
        _write_sheets(db, folder)
        _write_values(db, folder)
        _write_timelines(db, folder)
    finally:
        db.close()


def _save(
    folder: Path, name: str, numbers: Sequence[int] | array[int] | array[float], dtype: type[np.generic] = np.int32
) -> None:
    np.save(folder / f"{name}.npy", np.asarray(numbers, dtype=dtype))


def _write_sections(db: sqlite3.Connection, folder: Path) -> None:
    fields, labels = Codes(), Codes()
    sheets, field, label = array("i"), array("i"), array("i")
    for sheet, its_field, its_label in db.execute("SELECT sheet, field, label FROM sections ORDER BY section"):
        sheets.append(sheet)
        field.append(fields.of(its_field))
        label.append(labels.of(its_label))
    for name, column in (("section_sheet", sheets), ("section_field", field), ("section_label", label)):
        _save(folder, name, column)
    write_texts(folder / "fields", fields.texts(), sought=True)
    write_texts(folder / "labels", labels.texts(), sought=True)
    _save(folder, "chunk_section", array("i", (r[0] for r in db.execute("SELECT section FROM chunks ORDER BY chunk"))))


def _write_sheets(db: sqlite3.Connection, folder: Path) -> None:
    codes = {name: Codes() for name in ("kinds", "names", "municipalities", "departments", "forms")}
    columns = {name: array("i") for name in ("document", "kind", "name", "municipality", "year", "department", "form")}
    ids: list[str] = []
    spans, starts = array("q"), array("q", [0])
    for sheet_id, document, kind, name, municipality, year, department, form, where in db.execute(_SHEETS):
        ids.append(sheet_id)
        columns["document"].append(document)
        columns["year"].append(NO_YEAR if year is None else year)
        columns["kind"].append(codes["kinds"].of(kind))
        columns["name"].append(codes["names"].of(name))
        columns["municipality"].append(codes["municipalities"].of(municipality))
        columns["department"].append(codes["departments"].of(department))
        columns["form"].append(codes["forms"].of(form))
        for start, end in json.loads(where):
            spans.extend((start, end))
        starts.append(len(spans) // 2)
    for name, column in columns.items():
        _save(folder, f"sheet_{name}", column)
    for name, texts in codes.items():
        write_texts(folder / name, texts.texts())
    write_texts(folder / "sheet_ids", ids, sought=True)
    write_texts(folder / "files", [r[0] for r in db.execute("SELECT file FROM documents ORDER BY document")])
    np.save(folder / "sheet_spans.npy", np.frombuffer(spans, dtype=np.int64).reshape(-1, 2))
    _save(folder, "sheet_span_starts", starts, np.int64)


def _cells(db: sqlite3.Connection) -> Iterator[tuple[int, list[tuple[str, float | None, str, str | None, str | None]]]]:
    """The facts of each sheet that its values are read from; those of a sheet stand one after the other."""
    fields = sorted(wanted().fields)
    rows = db.execute(_CELLS.format(",".join("?" * len(fields))), fields)
    for sheet, found in groupby(rows, key=lambda row: row[0]):
        yield sheet, [row[1:] for row in found]


def _write_values(db: sqlite3.Connection, folder: Path) -> None:
    sheets = db.execute("SELECT sheet, kind, fiscal_year FROM sheets ORDER BY sheet")
    cells = _cells(db)
    at, found = next(cells, (-1, []))
    ratings = Codes()
    settled, planned, rated, starts = array("d"), array("d"), array("i"), array("i", [0])
    for sheet, kind, year in sheets:
        own = []
        if sheet == at:
            own = found
            at, found = next(cells, (-1, []))
        values = values_of(kind, year, own)
        settled.append(np.nan if values.settled is None else values.settled)
        planned.append(np.nan if values.planned is None else values.planned)
        rated.extend(ratings.all(values.ratings))
        starts.append(len(rated))
    _save(folder, "sheet_settled", settled, np.float64)
    _save(folder, "sheet_planned", planned, np.float64)
    _save(folder, "sheet_ratings", rated)
    _save(folder, "sheet_rating_starts", starts)
    write_texts(folder / "ratings", ratings.texts())


def _write_timelines(db: sqlite3.Connection, folder: Path) -> None:
    """Of each sheet its timeline (-1 for none), and the sheets of the timelines one after the other."""
    (count,) = db.execute("SELECT count(*) FROM sheets").fetchone()
    of = np.full(count, -1, dtype=np.int32)
    for sheet, timeline in db.execute("SELECT sheet, timeline FROM timelines"):
        of[sheet] = timeline
    order = np.argsort(of, kind="stable")[np.count_nonzero(of < 0) :].astype(np.int32)
    sizes = np.bincount(of[of >= 0]) if len(order) else np.zeros(0, dtype=np.int64)
    np.save(folder / "sheet_timeline.npy", of)
    np.save(folder / "timeline_sheets.npy", order)
    np.save(folder / "timeline_starts.npy", np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32))
