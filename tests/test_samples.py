"""The bundled sheets: what hyoka reads from them is what they were written from."""

from __future__ import annotations

import importlib.util
import json
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from corpus.documents import Document, Fact, SheetReading
from corpus.facts import extract_facts
from corpus.readers import read_document
from corpus.reading import read_sheets
from corpus.samples.content import load_programmes, load_system_report
from corpus.samples.questions import forms_of, questions
from corpus.samples.truth import collect
from evals.cases import CASE_TYPES, read_cases

SAMPLES = Path(__file__).parent.parent / "corpus" / "samples"
CASES = Path(__file__).parent.parent / "evals" / "cases" / "bundled.jsonl"
FILES = sorted(path.name for path in (SAMPLES / "files").iterdir() if path.suffix != ".md")
TRUTH: list[dict[str, Any]] = collect()["sheets"]


def squash(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


@cache
def document(file: str) -> Document:
    return read_document(SAMPLES / "files" / file)


@cache
def readings(file: str) -> tuple[SheetReading, ...]:
    return tuple(one for one in read_sheets(document(file)) if one.sheet.kind == "programme")


def reading_of(truth: dict[str, Any]) -> SheetReading:
    found = [
        one
        for one in readings(truth["file"])
        if squash(one.sheet.name) == squash(truth["sheet"]) and one.sheet.department == truth["department"]
    ]
    assert len(found) == 1, f"{truth['id']}: {len(found)} sheets of that name and department"
    return found[0]


def test_there_are_enough_sheets_forms_and_years() -> None:
    assert len(TRUTH) == 64
    assert len({sheet["municipality"] for sheet in TRUTH}) == 3
    assert {sheet["fiscal_year"] for sheet in TRUTH} == {2023, 2024}
    assert {Path(file).suffix for file in FILES} == {".pdf", ".xlsx", ".docx", ".html", ".txt"}
    assert sum(path.stat().st_size for path in (SAMPLES / "files").iterdir()) < 3_000_000


def test_truth_file_is_the_one_of_the_content() -> None:
    assert json.loads((SAMPLES / "truth.json").read_text(encoding="utf-8")) == collect()


def test_funds_and_totals_add_up() -> None:
    for name in ("minatomi", "sakurazaka", "hokuto"):
        for programme in load_programmes(name):
            for year in (2022, 2023, 2024, 2025):
                for kind in ("plan", "actual") if year < 2025 else ("plan",):
                    costs = programme.costs(year, kind)  # type: ignore[arg-type]
                    assert sum(costs.funds) == costs.amount, (programme.key, year, kind)
                    assert min(costs.funds) >= 0, (programme.key, year, kind)
                    assert costs.total == costs.amount + costs.staff_cost


def test_an_amount_by_hand() -> None:
    # 放課後児童クラブ 令和6年度: 決算 257,733千円, 81,050 + 81,050 + 56,480 from others, so 39,153 are general funds;
    # 4.0 人 × 7,850千円 = 31,400千円, and 257,733 + 31,400 = 289,133千円.
    club = next(one for one in load_programmes("minatomi") if one.key == "gakudo")
    costs = club.costs(2024, "actual")
    assert (costs.amount, costs.funds[-1], costs.staff_cost, costs.total) == (257_733, 39_153, 31_400, 289_133)


@pytest.mark.skipif(importlib.util.find_spec("reportlab") is None, reason="reportlab (dev extra) makes the PDFs")
def test_making_the_files_again_gives_the_same_texts_and_bytes(tmp_path: Path) -> None:
    from corpus.samples.book import write_book
    from corpus.samples.make import make, repack
    from corpus.samples.ruled import write_system_report

    assert sorted(path.name for path in make(tmp_path)) == FILES
    for file in FILES:
        if (tmp_path / file).read_bytes() != (SAMPLES / "files" / file).read_bytes():
            # The shipped bytes may come from another version of reportlab or openpyxl; what they say may not differ.
            assert read_document(tmp_path / file).text == document(file).text, file
    report, book = tmp_path / "again.pdf", tmp_path / "again.xlsx"
    write_system_report(report, load_system_report())
    write_book(book, load_programmes("sakurazaka"), 2023)
    repack(book)
    assert report.read_bytes() == (tmp_path / "minatomi_system_r5.pdf").read_bytes()
    assert book.read_bytes() == (tmp_path / "sakurazaka_chosho_r5.xlsx").read_bytes()


@pytest.mark.parametrize("file", FILES)
def test_every_sheet_is_found_with_its_name_municipality_year_and_department(file: str) -> None:
    wanted = [
        (squash(one["sheet"]), one["municipality"], one["fiscal_year"], one["department"])
        for one in TRUTH
        if one["file"] == file
    ]
    found = [
        (squash(one.sheet.name), one.sheet.municipality, one.sheet.fiscal_year, one.sheet.department)
        for one in readings(file)
    ]
    assert found == wanted


@pytest.mark.parametrize("file", FILES)
def test_every_text_of_a_sheet_stands_in_a_section_of_that_sheet(file: str) -> None:
    missing = []
    for truth in (one for one in TRUTH if one["file"] == file):
        sections = [squash(one.text) for one in reading_of(truth).sections]
        for label, text in truth["texts"].items():
            # A text of several lines may be cut into several sections.
            for line in (part for part in text.split("\n") if part and part != "－"):
                if label in ("方向性", "事業開始", "実施方法") and truth["file"].endswith(".html"):
                    continue
                if not any(squash(line) in section for section in sections):
                    missing.append((truth["id"], label, line))
    assert missing == []


def test_questions_file_is_the_one_of_the_content() -> None:
    lines = CASES.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == questions()


def test_questions_are_usable_and_of_every_type() -> None:
    cases = read_cases(CASES)
    assert cases.bad == ()
    assert len(cases.cases) >= 150
    for kind in CASE_TYPES:
        assert sum(case.type == kind for case in cases.cases) >= 12, kind
    assert all(case.unanswerable == (case.type == "unanswerable") for case in cases.cases)
    assert all(case.history for case in cases.cases if case.type == "follow-up")


def test_gold_sheets_exist_and_evidence_stands_in_the_documents() -> None:
    texts = [squash(document(file).text) for file in FILES]
    sheets = [one.sheet for file in FILES for one in read_sheets(document(file))]
    for case in read_cases(CASES).cases:
        for gold in case.sheets:
            name, _, place = gold.partition("@")
            same = [one for one in sheets if squash(one.name) == squash(name)]
            if place:
                same = [one for one in same if place in one.department or place == one.municipality]
            assert same, f"{case.id}: {gold}"
        for evidence in case.evidence:
            assert any(squash(evidence) in text for text in texts), f"{case.id}: {evidence}"


def test_forms_of_an_amount() -> None:
    assert forms_of(257_733_000) == ["257733000", "257,733", "25,773万", "2億5,773万"]
    assert forms_of(9_372_000) == ["9372000", "9,372", "937万"]
    assert forms_of(330_000) == ["330000", "33万"]


# What of the printed amounts, indicators and ratings has to be read as typed facts, file by file. What falls short of 1
# is known: HTML prints this year's budget in a heading and その他 as a source of funds, which no label tells apart.
FLOORS = {
    "hokuto_hyoka_r5.txt": (1.0, 1.0, 0.75),
    "hokuto_hyoka_r6.html": (0.7, 0.75, 0.25),
    "minatomi_jimujigyo_r5.pdf": (1.0, 1.0, 1.0),
    "minatomi_jimujigyo_r6.pdf": (1.0, 1.0, 0.98),
    "minatomi_system_r5.pdf": (1.0, 0.0, 0.0),
    "sakurazaka_chosho_r5.xlsx": (0.6, 1.0, 1.0),
    "sakurazaka_chosho_r6.xlsx": (0.6, 0.9, 1.0),
    "sakurazaka_seika_r6.docx": (0.65, 0.9, 1.0),
}
CANONICAL = {
    "その他": "その他特定財源",
    "地方債・その他": "その他特定財源",
    "都支出金": "県支出金",
    "特別区債": "地方債",
}


def facts_of(truth: dict[str, Any]) -> list[Fact]:
    reading = reading_of(truth)
    return extract_facts(document(truth["file"]), reading.sheet, reading.sections)


def year_of(fact: Fact) -> int | None:
    return fact.period.fiscal_year if fact.period is not None else None


def is_amount(fact: Fact, row: dict[str, Any]) -> bool:
    """Whether a fact is a printed amount; a row whose columns do not say 予算 or 決算 has no kind."""
    fields = {row["label"], CANONICAL.get(row["label"], row["label"])}
    if row["label"] in ("予算額", "決算額"):
        fields.add("事業費")
    same = fact.value == row["yen"] and year_of(fact) == row["year"] and fact.kind in (row["kind"], None)
    return same and fact.unit == "円" and fact.field in fields


def numbers_of(truth: dict[str, Any]) -> list[tuple[str, str, int, float]]:
    """(name, plan or actual, year, number) of every indicator cell that holds a number."""
    found = []
    for one in truth["indicators"]:
        for kind, cells in (("plan", one.get("goals", {})), ("actual", one.get("results", {}))):
            for year, printed in cells.items():
                number = printed.replace(",", "")
                if number.replace(".", "", 1).isdigit():
                    scale = 1000 if one["unit"] == "千円" else 1
                    found.append((squash(one["name"]), kind, int(year), float(number) * scale))
    return found


@pytest.mark.parametrize("file", FILES)
def test_facts_agree_with_the_truth(file: str) -> None:
    amounts, indicators, ratings, wrong = [], [], [], []
    for truth in (one for one in TRUTH if one["file"] == file):
        facts = facts_of(truth)
        printed = {(row["year"], row["yen"]) for row in truth["amounts"]}
        printed |= {(year, value) for _, _, year, value in numbers_of(truth)}
        wrong += [
            (truth["id"], fact.label, fact.value, year_of(fact))
            for fact in facts
            if fact.unit == "円" and fact.period is not None and (year_of(fact), fact.value) not in printed
        ]
        amounts += [any(is_amount(fact, row) for fact in facts) for row in truth["amounts"]]
        indicators += [
            any((year_of(f), f.kind, f.value) == (year, kind, value) and name in squash(f.label) for f in facts)
            for name, kind, year, value in numbers_of(truth)
        ]
        ratings += [
            any(
                f.value is None
                and squash(f.text).startswith(squash(value))
                and any(label in form for form in (f.field, f.label))
                for f in facts
            )
            for label, value in truth["ratings"].items()
        ]
    assert wrong == []
    shares = [sum(hits) / len(hits) if hits else 1.0 for hits in (amounts, indicators, ratings)]
    for what, share, floor in zip(("amounts", "indicators", "ratings"), shares, FLOORS[file], strict=True):
        assert share >= floor, f"{file}: {what} {share:.3f} of {floor}"
