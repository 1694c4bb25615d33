"""The columns of a snapshot hold what its records hold, and are found without being read whole."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import index.manifest as manifest
from corpus.documents import Document, Fact, Section, Sheet, SheetReading, Span
from corpus.errors import IndexDamaged
from corpus.periods import fiscal_year
from index.build import build
from index.facets import chosen_words, facet_words
from index.manifest import current
from index.sheetcolumns import counted_codes
from index.snapshot import Snapshot
from index.texts import Texts, write_texts
from index.types import Filters

TOWNS, OFFICES, GRADES = ("みなと野市", "碧原 市", ""), ("市民部 文化課", "市民部", "建設 部 道路課", ""), ("A", "B")


def readings() -> list[tuple[Document, list[SheetReading]]]:
    """Three dozen sheets in twelve files, of three towns, four offices and three years, with grades and amounts."""
    found = []
    for file in range(12):
        own = []
        text = f"資料{file}\n図書館の蔵書を増やす。\n"
        for place in range(3):
            number = 3 * file + place
            year = (2021, 2022, None)[number % 3]
            sheet = Sheet(
                f"s{number}", f"{file}.txt", "document" if number == 7 else "programme", f"図書館{number % 5}",
                TOWNS[number % 3], year, OFFICES[number % 4], (Span(0, 3), Span(4, 9))[: 1 + number % 2], "form",
            )  # fmt: skip
            period = fiscal_year(year or 2021)
            facts = (
                Fact("総合評価", "総合評価", None, GRADES[number % 2], "", period, None, Span(0, 1), Span(0, 1)),
                Fact("決算額", "決算額", 10.0**number, "1", "円", period, "actual", Span(0, 1), Span(0, 1)),
            )
            label = ("目的", "担当者")[number % 4 == 3]
            section = Section(label, label, Span(4, len(text) - 1), text[4:-1])
            own.append(SheetReading(sheet, (section,), facts[: number % 3]))
        found.append((Document(f"{file}.txt", text, f"{file:064}", "text"), own))
    return found


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return build(readings(), FakeEncoder(), tmp_path_factory.mktemp("tables"))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    texts=st.lists(st.text(st.characters(codec="utf-8"), max_size=6), unique=True, max_size=30),
    other=st.text(max_size=4),
)
def test_texts_are_read_and_found_as_they_were_written(tmp_path: Path, texts: list[str], other: str) -> None:
    write_texts(tmp_path / "some", texts, sought=True)
    read = Texts(tmp_path / "some")
    assert list(read) == texts == [read[at] for at in range(len(read))]
    assert [read.number(text) for text in texts] == list(range(len(texts)))
    assert read.number(other) == (texts.index(other) if other in texts else -1)
    with pytest.raises(IndexError):
        read[len(texts)]


def test_a_sheet_made_alone_is_the_one_made_with_all_others(tmp_path: Path) -> None:
    build(readings(), FakeEncoder(), tmp_path).close()
    sheets = Snapshot.open(tmp_path, FakeEncoder())._records.sheets
    alone = [sheets[number] for number in range(len(sheets))]
    assert alone == sheets.whole() == [one.sheet for _, own in readings() for one in own]
    for when in ("before", "after"):
        assert [sheets.get(f"s{number}") for number in (0, 35, 36)] == [0, 35, None], when
        sheets.whole()
    assert sheets.numbers([*(f"s{number}" for number in range(40))]) == list(range(36))


FILTERS = [
    Filters(municipality=("碧原市",)), Filters(municipality=("みなと野市", "碧原市"), fiscal_year=(2022,)),
    Filters(department=("文化課",)), Filters(department=("建設部道路課", "市民部")), Filters(rating=("A",)),
    Filters(rating=("総合評価：B",), budget=("100万円未満", "1億円以上")), Filters(municipality=("なし町",)),
]  # fmt: skip


@pytest.mark.parametrize("filters", FILTERS)
def test_words_and_columns_choose_the_same_sheets(snapshot: Snapshot, filters: Filters) -> None:
    every = snapshot.sheets()
    passing = {sheet.sheet_id for sheet in snapshot.sheets(filters)}
    words = {sheet.sheet_id: set(facet_words(sheet, snapshot.values(sheet.sheet_id))) for sheet in every}
    assert passing == {one for one, own in words.items() if all(own & set(chosen) for chosen in chosen_words(filters))}
    # and the lexical index finds them: every sheet says 図書館, those that name staff are left out of the hits
    found = snapshot._lexical.search([("図書館", 1.0)], 100, chosen_words(filters))
    sections = snapshot.sections()
    assert {sections[chunk].sheet.sheet_id for chunk, _ in found} == passing
    hits = snapshot.search("図書館", 100, filters).hits
    assert {hit.sheet.sheet_id for hit in hits} == {
        one.sheet.sheet_id for one in sections if one.sheet.sheet_id in passing and one.section.field != "担当者"
    }


def test_facets_are_counted_by_frequency_and_then_by_what_came_first() -> None:
    codes = np.array([5, 2, 2, 9, 5, 7])
    assert counted_codes(codes) == [(5, 2), (2, 2), (9, 1), (7, 1)]
    assert counted_codes(codes, np.array([1, 1, 1, 4, 1, 0])) == [(9, 4), (5, 2), (2, 2)]


def test_a_large_snapshot_is_read_for_its_checksums_until_it_was_found_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "ALWAYS_READ", 0)
    build(readings(), FakeEncoder(), tmp_path).close()
    folder = tmp_path / "snapshots" / current(tmp_path)
    assert (folder / "verified.json").exists()
    told = manifest.read_manifest(tmp_path, folder.name)
    wrong = replace(told, files={name: "0" * 64 for name in told.files})
    manifest.verify(tmp_path, folder, wrong)  # the checksums are not looked at again
    (folder / "tables" / "names.txt").write_bytes((folder / "tables" / "names.txt").read_bytes())
    with pytest.raises(IndexDamaged):
        manifest.verify(tmp_path, folder, wrong)
    manifest.verify(tmp_path, folder, told)
    stamps = json.loads((folder / "verified.json").read_text("utf-8"))
    assert set(stamps) == set(told.files)
