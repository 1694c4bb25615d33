"""Tables with one programme a row: read as one sheet a programme, every figure from its own cell."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import openpyxl
import pytest

from corpus.documents import Document, SheetReading
from corpus.readers import read_document
from corpus.reading import read_sheets

TITLE = "みなと野市 2024年度 取組評価一覧（2023年度実施分）"
HEADS = [
    "No.",
    "取組名",
    "担当部署",
    "事業費（百万円）",
    None,
    None,
    "成果指標",
    None,
    None,
    None,
    "評価",
    None,
    "今後の方向性",
    "課題",
]
BELOW = [
    None,
    None,
    None,
    "2022年度決算",
    "2023年度決算",
    "2024年度当初予算",
    "指標名",
    "単位",
    "2023年度目標",
    "2023年度実績",
    "必要性",
    "総合",
]
ROWS = [
    [1, "花火大会", "観光課", 8.4, 12.7, 18.5, "来場者数", "人", 4000, 4630, "A", "A", "拡充", "警備員が足りない。"],
    [2, "朝市", "産業課", 31.2, 34.8, 34.0, "出店数", "店", 30, 21, "A", "C", "見直し", "雨天の日に客が減る。"],
    [3, "港湾清掃", "港湾課", 2.2, None, 4.1, "回収量", "t", 60, 54.5, "B", "B", None, "流木の処分先が決まらない。"],
    [4, "灯台の開放", "観光課", 0.5, 0.6, 0.7, "入場者数", "人", 900, 1204, "B", "B", "継続", "階段が狭い。"],
]  # fmt: skip


def workbook(folder: Path, rows=ROWS, more: dict[str, list[list[object]]] | None = None) -> Path:
    book = openpyxl.Workbook()
    page = book.active
    page.title = "一覧"
    for line in ([TITLE], [], HEADS, BELOW, *rows, ["※2024年度は当初予算です。"]):
        page.append(line)
    for name, lines in (more or {}).items():
        other = book.create_sheet(name)
        for line in lines:
            other.append(line)
    book.save(folder / "list.xlsx")
    return folder / "list.xlsx"


def read(file: Path) -> tuple[Document, list[SheetReading]]:
    document = read_document(file, file.name)
    return document, [one for one in read_sheets(document) if one.sheet.kind == "programme"]


def figures(reading: SheetReading, field: str) -> dict[int, float]:
    return {
        f.period.fiscal_year: f.value for f in reading.facts if f.field == field and f.period and f.value is not None
    }


def test_each_row_of_a_workbook_is_a_sheet_with_its_figures(tmp_path: Path):
    document, readings = read(workbook(tmp_path))
    assert [one.sheet.name for one in readings] == [str(row[1]) for row in ROWS]
    assert [one.sheet.department for one in readings] == [str(row[2]) for row in ROWS]
    assert {one.sheet.fiscal_year for one in readings} == {2023}
    for reading, row in zip(readings, ROWS, strict=True):
        wanted = {
            year: round(cell * 1e6) for year, cell in zip((2022, 2023, 2024), row[3:6], strict=True) if cell is not None
        }
        assert figures(reading, "事業費") == wanted
        told = {(f.kind, f.value, f.unit) for f in reading.facts if f.label == row[6]}
        assert told == {("plan", row[8], row[7]), ("actual", row[9], row[7])}
        grades = {f.field: f.text for f in reading.facts if f.field in ("必要性", "総合評価")}
        assert grades == {"必要性": row[10], "総合評価": row[11]}
        assert row[13] in document.text[reading.sheet.spans[0].start : reading.sheet.spans[-1].end]


def test_every_cell_stands_in_the_text_at_its_place(tmp_path: Path):
    document, readings = read(workbook(tmp_path))
    cells = {(place.cell, document.text[place.start : place.end]) for place in document.places}
    assert ("一覧!B6", "朝市") in cells and ("一覧!D6", "31.2") in cells and ("一覧!A1", TITLE) in cells
    settled = next(f for f in readings[1].facts if f.field == "事業費" and f.value == 31_200_000)
    assert any(p.cell == "一覧!D6" and p.start <= settled.span.start < p.end for p in document.places)
    assert "※2024年度は当初予算です。" in document.text  # what stands around the list is not lost


def test_a_list_in_csv_is_read_alike(tmp_path: Path):
    out = io.StringIO()
    heads = ["事業名", "担当課", "令和4年度決算額（千円）", "令和5年度決算額（千円）", "総合評価", "課題"]
    csv.writer(out).writerows([heads, *([r[1], r[2], "1,200", "3,400", r[11], r[13]] for r in ROWS)])
    (tmp_path / "みなと野市_令和5年度評価.csv").write_text(out.getvalue(), "utf-8-sig")
    _, readings = read(tmp_path / "みなと野市_令和5年度評価.csv")
    assert [one.sheet.name for one in readings] == [row[1] for row in ROWS]
    assert all(figures(one, "決算額") == {2022: 1_200_000, 2023: 3_400_000} for one in readings)


@pytest.mark.parametrize(
    ("rows", "more"),
    [
        (ROWS[:2], {}),  # two rows are no list
        ([*ROWS, ROWS[0]], {}),  # a name that stands twice
        (ROWS, {"花火大会": [["事業名", "花火大会"], ["担当課", "観光課"], ["事業の目的", "夏の夜を楽しむ。"]]}),
    ],
    ids=["too short", "not one a row", "beside the sheets themselves"],
)
def test_what_is_no_list_of_its_own_stays_a_table(tmp_path: Path, rows, more):
    document, readings = read(workbook(tmp_path, rows, more))
    assert "取組名\t担当部署" in document.text
    assert [one.sheet.name for one in readings] in ([], list(more))
