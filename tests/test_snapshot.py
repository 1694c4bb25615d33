"""A snapshot opens as it was saved, or says what is wrong with it."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from fake_encoder import FakeEncoder

from corpus.documents import Document, Event, Fact, PageSize, Place, Section, Sheet, SheetReading, Span
from corpus.errors import IndexDamaged, IndexFolderError, IndexMissing, IndexOutdated, NothingToIndex
from corpus.periods import Period
from index.build import build
from index.manifest import FORMAT, current
from index.namepolicy import use_staff_names
from index.snapshot import Snapshot
from index.types import Filters

YEAR = Period(date(2021, 4, 1), date(2022, 4, 1), "R3年度", "fiscal_year")


def reading(
    file: str, name: str, city: str, year: int | None, department: str, parts: dict[str, str]
) -> tuple[Document, SheetReading]:
    """A document that prints a name and then a label and a text a line, read as one sheet."""
    text, sections = f"{name}\n", []
    for label, body in parts.items():
        start = len(text) + len(label) + 1
        text += f"{label}\t{body}\n"
        sections.append(Section(label, label, Span(start, start + len(body)), body))
    sheet = Sheet(f"{file}-1", file, "programme", name, city, year, department, (Span(0, len(text)),), "test")
    fact = Fact("決算額", "決算額", 12155000.0, "12,155", "円", YEAR, "actual", Span(0, 1), Span(0, 2), True)
    rating = Fact("評価", "評価", None, "A", "", None, None, Span(0, 1), Span(0, 2))
    event = Event(YEAR, Span(0, 2), Span(0, 3), "更改")
    sha = hashlib.sha256(text.encode()).hexdigest()
    place = Place(0, 3, 1, (0.0, 1.0, 2.0, 3.5), "集計!B3")
    read_by_ocr = Place(4, 6, 2, (0.0, 1.0, 2.0, 3.5), None, 0.875)
    sizes = (PageSize(595.0, 842.0), PageSize(842.0, 595.0))
    document = Document(file, text, sha, "text", (place, read_by_ocr), (f"{file} の注意",), sizes)
    return document, SheetReading(sheet, tuple(sections), (fact, rating), (event,), ("シートの注意",))


SHEETS = [
    reading(
        "a.txt",
        "戸籍システム",
        "甲市",
        2021,
        "市民部 市民課",
        {"事業の目的": "戸籍の事務を正しく行う。", "今後の計画": "サーバーの更改を\n令和4年度に行う。"},
    ),
    reading(
        "b.txt",
        "斎場管理",
        "乙市",
        2021,
        "環境課",
        {"事業の目的": "斎場の炉を保つ。", "評価理由": "利用の件数が伸びた。"},
    ),
    reading(
        "c.txt",
        "窓口支援",
        "甲市",
        2022,
        "DX推進課",
        {"今後の計画": "窓口の端末を増やし、ｻｰﾊﾞも見直す。" + "記録を残す文。" * 60},
    ),
]


def build_in(folder: Path, sheets: list[tuple[Document, SheetReading]] = SHEETS) -> Snapshot:
    return build(((d, [r]) for d, r in sheets), FakeEncoder(), folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("index")
    build_in(path).close()
    return path


@pytest.fixture(scope="module")
def snapshot(folder: Path) -> Snapshot:
    return Snapshot.open(folder, FakeEncoder())


def test_what_is_saved_opens_identically(snapshot: Snapshot) -> None:
    assert [(d, r) for d, (r,) in snapshot.readings()] == SHEETS
    assert snapshot.document("a.txt") == SHEETS[0][0]
    assert snapshot.sheets() == [r.sheet for _, r in SHEETS]
    assert [s.section for s in snapshot.sections()] == [s for _, r in SHEETS for s in r.sections]
    with pytest.raises(KeyError):
        snapshot.document("none.txt")


def test_a_built_and_an_opened_snapshot_answer_alike(tmp_path: Path) -> None:
    built = build_in(tmp_path)
    opened = Snapshot.open(tmp_path, FakeEncoder())
    for query in ("サーバの更改", "火葬", "今後の計画"):
        assert built.search(query, 5) == opened.search(query, 5)
        assert opened.search(query, 5).hits


def test_report_counts_and_warns_by_file(snapshot: Snapshot) -> None:
    report = snapshot.report()
    assert (report.documents, report.sheets, report.sections, report.facts) == (3, 3, 5, 6)
    assert report.warnings["b.txt"] == ("b.txt の注意", "シートの注意")


def test_records_are_chosen_by_sheet_and_field(snapshot: Snapshot) -> None:
    assert [f.fact.text for f in snapshot.facts(["b.txt-1"], ["評価"])] == ["A"]
    assert snapshot.facts(["b.txt-1"])[0].fact.period == YEAR
    assert [s.section.text for s in snapshot.sections(None, ["評価理由"])] == ["利用の件数が伸びた。"]
    assert snapshot.sections([]) == [] and snapshot.sections(["unknown"]) == []
    assert [e.sheet.sheet_id for e in snapshot.events(["c.txt-1"])] == ["c.txt-1"]


def test_sheets_pass_filters(snapshot: Snapshot) -> None:
    def names(**filters: tuple[object, ...]) -> list[str]:
        return [s.name for s in snapshot.sheets(Filters(**filters))]  # type: ignore[arg-type]

    assert names(municipality=("甲市",)) == ["戸籍システム", "窓口支援"]
    assert names(municipality=("甲市",), fiscal_year=(2022,)) == ["窓口支援"]
    assert names(department=("市民課",)) == names(department=("市民部 市民課",)) == ["戸籍システム"]
    assert names(section=("評価理由",)) == ["斎場管理"]
    assert names(municipality=("丙市",)) == []


def test_the_folder_is_laid_out_as_promised(folder: Path, snapshot: Snapshot) -> None:
    name = (folder / "CURRENT").read_text().strip()
    assert name == current(folder) == snapshot.version
    manifest = json.loads((folder / "snapshots" / name / "manifest.json").read_text())
    assert manifest["encoder"]["digest"] == FakeEncoder().digest
    assert manifest["counts"]["sheets"] == 3
    on_disk = {
        p.relative_to(folder / "snapshots" / name).as_posix()
        for p in (folder / "snapshots" / name).rglob("*")
        if p.is_file()
    }
    assert set(manifest["files"]) == {f for f in on_disk if f != "manifest.json" and not f.endswith(".lock")}


def test_no_index_yet_is_said(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="hyoka index"):
        Snapshot.open(tmp_path, FakeEncoder())
    with pytest.raises(IndexMissing):
        Snapshot.open(tmp_path / "nowhere", FakeEncoder())


def test_a_flipped_bit_in_any_file_is_found(tmp_path: Path) -> None:
    build_in(tmp_path).close()
    files = [
        f
        for f in (tmp_path / "snapshots" / current(tmp_path)).rglob("*")
        if f.is_file() and not f.name.endswith(".lock")
    ]
    assert len(files) > 8
    for file in files:
        good = file.read_bytes()
        if not good:
            continue
        file.write_bytes(good[:-1] + bytes([good[-1] ^ 0x40]))
        with pytest.raises(IndexDamaged, match="作り直して"):
            Snapshot.open(tmp_path, FakeEncoder())
        file.write_bytes(good)
    Snapshot.open(tmp_path, FakeEncoder())


def test_a_missing_file_and_a_wrong_pointer_are_found(tmp_path: Path) -> None:
    build_in(tmp_path).close()
    (tmp_path / "snapshots" / current(tmp_path) / "vectors.faiss").unlink()
    with pytest.raises(IndexDamaged, match="vectors.faiss"):
        Snapshot.open(tmp_path, FakeEncoder())
    (tmp_path / "CURRENT").write_text("../elsewhere\n")
    with pytest.raises(IndexDamaged):
        Snapshot.open(tmp_path, FakeEncoder())


def test_another_encoder_or_format_asks_for_a_rebuild(tmp_path: Path) -> None:
    build_in(tmp_path).close()
    with pytest.raises(IndexOutdated, match="作り直して"):
        Snapshot.open(tmp_path, FakeEncoder("other"))
    manifest = tmp_path / "snapshots" / current(tmp_path) / "manifest.json"
    manifest.write_text(manifest.read_text().replace(f'"format": {FORMAT}', '"format": 99'))
    with pytest.raises(IndexOutdated, match="99"):
        Snapshot.open(tmp_path, FakeEncoder())


def test_a_rebuild_moves_current_last_and_keeps_two(tmp_path: Path) -> None:
    first = build_in(tmp_path)
    versions = [first.version]
    for n in (1, 2, 3):
        versions.append(build_in(tmp_path, SHEETS[:n]).version)
    assert current(tmp_path) == versions[-1]
    assert sorted(p.name for p in (tmp_path / "snapshots").iterdir()) == versions[-2:]
    # Whoever still has the first one open goes on reading it.
    assert first.search("斎場", 1).hits[0].sheet.name == "斎場管理"
    assert len(list(first.readings())) == 3


def test_a_failed_build_leaves_the_old_index(tmp_path: Path) -> None:
    old = build_in(tmp_path).version
    with pytest.raises(NothingToIndex):
        build([], FakeEncoder(), tmp_path)

    def broken() -> object:
        yield SHEETS[0][0], [SHEETS[0][1]]
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError):
        build(broken(), FakeEncoder(), tmp_path)  # type: ignore[arg-type]
    assert current(tmp_path) == old
    assert [p.name for p in (tmp_path / "snapshots").iterdir()] == [old]
    assert Snapshot.open(tmp_path, FakeEncoder()).search("斎場", 1).total


def test_what_a_killed_build_left_is_swept(tmp_path: Path) -> None:
    left = tmp_path / "snapshots" / ".building-1"
    left.mkdir(parents=True)
    (left / "records.sqlite").write_text("half")
    live = build_in(tmp_path).version
    assert [p.name for p in (tmp_path / "snapshots").iterdir()] == [live]


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(IndexFolderError, match="書き込める"):
        build_in(tmp_path / "file")

    def full() -> object:
        yield SHEETS[0][0], [SHEETS[0][1]]
        raise OSError(28, "No space left on device")

    with pytest.raises(IndexFolderError, match="空き容量"):
        build(full(), FakeEncoder(), tmp_path / "index")  # type: ignore[arg-type]


def test_one_build_at_a_time(tmp_path: Path) -> None:
    def meanwhile() -> object:
        with pytest.raises(IndexFolderError, match="進行中"):
            build_in(tmp_path)
        yield SHEETS[0][0], [SHEETS[0][1]]

    build(meanwhile(), FakeEncoder(), tmp_path)  # type: ignore[arg-type]


def test_the_same_file_is_taken_once_and_the_same_sheet_gets_its_own_id(tmp_path: Path) -> None:
    document, read = SHEETS[0]
    copy = replace(document, file="copy.txt")
    copied = replace(read, sheet=replace(read.sheet, file="copy.txt"))
    index = build([(document, [read]), (document, [read]), (copy, [copied])], FakeEncoder(), tmp_path)
    assert [(s.file, s.sheet_id) for s in index.sheets()] == [("a.txt", "a.txt-1"), ("copy.txt", "a.txt-1-2")]


def test_a_document_without_sheets_is_kept_with_its_warnings(tmp_path: Path) -> None:
    empty = Document("empty.pdf", "目次", "0", "pdf", (), ("文字がありません。",))
    index = build([(empty, []), (SHEETS[0][0], [SHEETS[0][1]])], FakeEncoder(), tmp_path)
    assert index.report().documents == 2
    assert index.report().warnings["empty.pdf"] == ("文字がありません。",)


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    build(((d, [r]) for d, r in SHEETS), FakeEncoder(), tmp_path, lambda *step: told.append(step))
    assert ("読み込み", 3, 0) in told
    assert told[-1][0] == "意味の索引" and told[-1][1] == told[-1][2]


def test_threads_share_a_snapshot(snapshot: Snapshot) -> None:
    alone = snapshot.search("サーバの更改", 5)
    with ThreadPoolExecutor(4) as pool:
        assert all(r == alone for r in pool.map(lambda _: snapshot.search("サーバの更改", 5), range(40)))


def test_encode_is_the_encoders_own(snapshot: Snapshot) -> None:
    assert np.array_equal(snapshot.encode(["火葬"]), snapshot.encode(["斎場"], "passage"))


def test_names_of_staff_are_stored_but_never_found(tmp_path: Path):
    text = "事業名 公園整備\n担当者 見本太郎\n目的 公園を整える。"
    document = Document("p.txt", text, "0" * 64, "text")
    sheet = Sheet("p1", "p.txt", "programme", "公園整備", "あおば市", 2024, "公園課", (Span(0, len(text)),))
    at = text.index("見本太郎")
    sections = (
        Section("担当者", "担当者", Span(at, at + 4), "見本太郎"),
        Section("目的", "目的", Span(text.index("公園を"), len(text)), "公園を整える。"),
    )
    index = build([(document, [SheetReading(sheet, sections)])], FakeEncoder(), tmp_path)
    found = index.search("見本太郎 公園", 10)
    assert [hit.section.field for hit in found.hits] == ["目的"]
    assert found.total == 1 and sum(found.facets["municipality"].values()) == 1
    assert [s.section.text for s in index.sections(fields=["担当者"])] == ["＊＊＊＊"]
    assert index.published("p.txt").text == text and [d.text for d, _ in index.readings()] == [text]
    use_staff_names("show")
    index = Snapshot.open(tmp_path, FakeEncoder())
    assert [s.section.text for s in index.sections(fields=["担当者"])] == ["見本太郎"]
    assert index.document("p.txt").text == text


def test_a_snapshot_knows_the_sheets_of_one_programme_over_the_years(tmp_path: Path) -> None:
    given = [
        reading(f"{name}{year}.txt", name, "みなと野市", year, department, {"今後の計画": f"{name}を続ける。"})
        for year, name, department in (
            (2023, "移動図書館運営", "図書館課"),
            (2021, "移動図書館運営", "図書館課"),
            (2022, "移動図書館運営", "生涯学習課"),
            (2021, "道路台帳整備", "道路課"),
        )
    ]
    for at, (document, found) in enumerate(given):
        given[at] = (document, replace(found, sheet=replace(found.sheet, sheet_id=f"s{at}")))
    index = build(((document, [found]) for document, found in given), FakeEncoder(), tmp_path)
    for sheet_id in ("s0", "s1", "s2"):
        assert [sheet.sheet_id for sheet in index.timeline(sheet_id)] == ["s1", "s2", "s0"]
    assert [sheet.sheet_id for sheet in index.timeline("s3")] == ["s3"] and index.timeline("nothing") == []
    # What is carried over into the next snapshot is linked anew, with what came to it.
    again = build((*index.readings(),), FakeEncoder(), tmp_path)
    assert [sheet.sheet_id for sheet in again.timeline("s2")] == ["s1", "s2", "s0"]
