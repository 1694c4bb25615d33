"""How many of the facts that a person reads in the files were read: ``python -m evals.facts CORPUS GOLD``.

The gold is a table made without this program (``evals/README.md`` says how): a row for each figure row of a sheet, a
column for each year. A field that the gold names for a file is judged whole: a fact of that field which the gold does
not hold is false, a cell of the gold without its fact is missing. What the gold does not name is left alone.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from corpus.amounts import YEN, format_number
from corpus.documents import SheetReading
from corpus.errors import HyokaError, SettingsError
from corpus.normalize import normalize, squeeze
from corpus.periods import find_periods
from corpus.readers import read_document
from corpus.reading import read_sheets
from corpus.sources import find_files

#: The columns of a gold table, in English and as a Japanese sheet may head them.
COLUMNS = {
    "file": "file", "ファイル": "file", "sheet": "sheet", "シート": "sheet", "field": "field", "項目": "field",
    "label": "label", "ラベル": "label", "表記": "label", "kind": "kind", "種別": "kind", "unit": "unit", "単位": "unit",
    "text": "text", "読み": "text",
}  # fmt: skip
KINDS = {
    "plan": "plan", "計画": "plan", "目標": "plan", "予算": "plan", "見込": "plan", "actual": "actual", "実績": "actual",
    "決算": "actual", "": "",
}  # fmt: skip
#: What a sheet's head says, judged like facts without a year.
HEADS = ("シート名", "自治体名", "担当課", "年度")


class Cell(NamedTuple):
    """One fact as it is compared: ``value`` is a number in ``unit`` or the squeezed text of a rating."""

    file: str
    sheet: str
    field: str
    label: str
    year: int | None
    kind: str
    value: float | str
    unit: str


@dataclass(frozen=True, slots=True)
class Judged:
    """The facts of the fields under judgement: found in both, only read, only in the gold."""

    right: tuple[Cell, ...]
    false: tuple[Cell, ...]
    missing: tuple[Cell, ...]

    @property
    def precision(self) -> float:
        """The share of facts that are right; 1 when none was read."""
        read = len(self.right) + len(self.false)
        return len(self.right) / read if read else 1.0

    @property
    def recall(self) -> float:
        """The share of the gold that was read; 1 for an empty gold."""
        gold = len(self.right) + len(self.missing)
        return len(self.right) / gold if gold else 1.0

    def only(self, **said: str) -> Judged:
        """The part of it that has these values: ``judged.only(file="a.pdf")``."""

        def of(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
            return tuple(c for c in cells if all(getattr(c, name) == value for name, value in said.items()))

        return Judged(of(self.right), of(self.false), of(self.missing))


def read_gold(path: Path) -> list[Cell]:
    """The cells of a gold table (CSV, UTF-8 with or without BOM); raises SettingsError with the line that is wrong."""
    try:
        lines = list(csv.reader(path.read_text("utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path.name} を読めませんでした（{error}）。UTF-8のCSVで保存してください。") from error
    rows = [(number, row) for number, row in enumerate(lines, 1) if any(row) and not row[0].startswith("#")]
    if not rows:
        raise SettingsError(f"{path.name} に行がありません。evals/README.md の形で書いてください。")
    heads = [h.strip() for h in rows[0][1]]
    missing = {"file", "sheet", "field"} - {COLUMNS.get(h, "") for h in heads}
    if missing:
        raise SettingsError(f"{path.name} の1行目に列「{'」「'.join(sorted(missing))}」がありません。")
    years = {i: _year(h, path.name) for i, h in enumerate(heads) if h not in COLUMNS and h}
    cells: list[Cell] = []
    for number, row in rows[1:]:
        said = {COLUMNS[h]: v.strip() for h, v in zip(heads, row, strict=False) if h in COLUMNS}
        cells += _gold_row(said, [(year, row[i].strip()) for i, year in years.items() if i < len(row)], path, number)
    return cells


def _year(head: str, name: str) -> int:
    if head.isdigit() and len(head) == 4:
        return int(head)
    found = find_periods(head)
    if len(found) != 1 or found[0].period.kind != "fiscal_year":
        raise SettingsError(
            f"{name} の列「{head}」は年度として読めません。2024、R6、令和6年度のいずれかで書いてください。"
        )
    return found[0].period.fiscal_year


def _gold_row(said: Mapping[str, str], values: list[tuple[int, str]], path: Path, number: int) -> list[Cell]:
    if said.get("kind", "") not in KINDS:
        kinds = "、".join(k for k in KINDS if k)
        raise SettingsError(
            f"{path.name} の{number}行目の種別「{said['kind']}」は使えません（{kinds}のどれか、または空）。"
        )
    kind, unit = KINDS[said.get("kind", "")], normalize(said.get("unit", "")).text
    where = (said["file"], _sheet(said["sheet"]), said["field"], squeeze(said.get("label", "")))
    cells: list[Cell] = []
    if said.get("text"):
        cells.append(Cell(*where, None, kind, squeeze(said["text"]), ""))
    for year, printed in values:
        if printed in ("", "-"):
            continue
        try:
            value = float(normalize(printed).text.replace(",", "").replace("▲", "-"))
        except ValueError:  # a rating of this year
            cells.append(Cell(*where, year, kind, squeeze(printed), ""))
            continue
        money = unit in YEN
        cells.append(Cell(*where, year, kind, value * YEN[unit] if money else value, "円" if money else unit))
    return cells


def _sheet(said: str) -> str:
    return str(int(said)) if said.isdigit() else squeeze(said)


def read_facts_of(file: str, readings: Iterable[SheetReading], gold: Sequence[Cell]) -> list[Cell]:
    """What was read from one file, of the fields and in the terms of its gold: each sheet called as the gold calls it."""
    mine = [c for c in gold if c.file == file]
    fields = {c.field for c in mine}
    # A row without a label is met by any; a field of which some rows name theirs is compared with it.
    labelled = {c.field for c in mine if c.label}
    called = {c.sheet for c in mine}
    cells: list[Cell] = []
    number = 0
    for reading in readings:
        sheet = reading.sheet
        number += sheet.kind == "programme"
        name = squeeze(sheet.name)
        key = name if name in called or sheet.kind != "programme" else str(number)
        if key not in called and sheet.kind != "programme":
            continue
        heads = (sheet.name, sheet.municipality, sheet.department, str(sheet.fiscal_year or ""))
        if sheet.kind == "programme":
            for field, said in zip(HEADS, heads, strict=True):
                if said and field in fields:
                    cells.append(Cell(file, key, field, "", None, "", squeeze(said), ""))
        for fact in reading.facts:
            if fact.field not in fields or fact.field in HEADS:
                continue
            cells.append(
                Cell(
                    file,
                    key,
                    fact.field,
                    squeeze(fact.label) if fact.field in labelled else "",
                    fact.period.fiscal_year if fact.period is not None else None,
                    fact.kind or "",
                    fact.value if fact.value is not None else squeeze(fact.text),
                    normalize(fact.unit).text,
                )
            )
    return cells


def judge(read: Iterable[Cell], gold: Iterable[Cell]) -> Judged:
    """The two compared as sets: a figure that a sheet prints twice under one name counts once.

    A unit or a year that the gold leaves open (ratings of a sheet without a year column) is met by any.
    """
    left = dict.fromkeys(read)
    right: list[Cell] = []
    missing: list[Cell] = []
    for cell in dict.fromkeys(gold):
        met = cell if cell in left else next((c for c in left if _meets(c, cell)), None)
        if met is None:
            missing.append(cell)
        else:
            del left[met]
            right.append(cell)
    return Judged(tuple(right), tuple(left), tuple(missing))


def _meets(read: Cell, gold: Cell) -> bool:
    open_year = gold.year is None and isinstance(gold.value, str)
    return (
        read[:3] == gold[:3]
        and (read.label == gold.label or not gold.label)
        and (read.year == gold.year or open_year)
        and (read.kind == gold.kind or (open_year and not gold.kind))
        and read.value == gold.value
        and (read.unit == gold.unit or not gold.unit)
    )


def measure(corpus: Path, gold: Sequence[Cell]) -> Judged:
    """Reads every file of a folder that the gold names; raises SettingsError for one that is not there."""
    found = {source.name: source.path for source in find_files([str(corpus)])}
    lost = sorted({c.file for c in gold} - set(found))
    if lost:
        raise SettingsError(f"正解の表にあるファイル「{'」「'.join(lost)}」が {corpus} にありません。")
    read: list[Cell] = []
    for file in dict.fromkeys(c.file for c in gold):
        read += read_facts_of(file, read_sheets(read_document(found[file], file)), gold)
    return judge(read, gold)


def report(judged: Judged) -> dict[str, Any]:
    """Counts and shares over all, by file, by field and by kind."""
    cells = [*judged.right, *judged.false, *judged.missing]
    told: dict[str, Any] = {"overall": _figures(judged)}
    for name in ("file", "field", "kind"):
        values = dict.fromkeys(getattr(c, name) for c in cells)
        told[f"by_{name}"] = {value or "-": _figures(judged.only(**{name: value})) for value in values}
    return told


def _figures(judged: Judged) -> dict[str, float | int]:
    return {
        "right": len(judged.right),
        "false": len(judged.false),
        "missing": len(judged.missing),
        "precision": round(judged.precision, 4),
        "recall": round(judged.recall, 4),
    }


def shown(cell: Cell) -> str:
    """One fact on a line: file, sheet, field, label, year, kind, value."""
    value = format_number(cell.value, cell.unit) if isinstance(cell.value, float) else str(cell.value)
    year = str(cell.year) if cell.year is not None else "-"
    return "  ".join(x for x in (cell.file, f"#{cell.sheet}", cell.field, cell.label, year, cell.kind, value) if x)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table, every false and every missing fact; exit status 2 under a floor, 1 when nothing was measured."""
    parser = argparse.ArgumentParser(prog="python -m evals.facts", description=__doc__)
    parser.add_argument("corpus", type=Path, help="folder with the files")
    parser.add_argument("gold", type=Path, nargs="+", help="gold tables (CSV)")
    parser.add_argument("--json", action="store_true", help="print the figures and the lists as JSON")
    parser.add_argument("--precision", type=float, default=0.0, help="floor; below it the exit status is 2")
    parser.add_argument("--recall", type=float, default=0.0, help="floor; below it the exit status is 2")
    args = parser.parse_args(arguments)
    try:
        judged = measure(args.corpus, [cell for path in args.gold for cell in read_gold(path)])
    except HyokaError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    told = report(judged)
    if args.json:
        told["false"], told["missing"] = (list(map(shown, cells)) for cells in (judged.false, judged.missing))
        sys.stdout.write(json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    else:
        sys.stdout.write(_table(told) + "\n")
        for title, cells in (("false", judged.false), ("missing", judged.missing)):
            sys.stdout.write("".join(f"{title}: {shown(cell)}\n" for cell in cells))
    return 2 if judged.precision < args.precision or judged.recall < args.recall else 0


def _table(told: Mapping[str, Any]) -> str:
    lines = [f"{'':<34} right  false  missing  precision  recall"]
    for group, values in told.items():
        for name, figures in {"overall": values}.items() if group == "overall" else values.items():
            counts = f"{figures['right']:>5} {figures['false']:>6} {figures['missing']:>8}"
            lines.append(f"{name:<34} {counts} {figures['precision']:>10.4f} {figures['recall']:>7.4f}")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
