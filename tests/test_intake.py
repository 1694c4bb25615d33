"""Reading many files: each at most once, none lost from the account, and one that kills or hangs its process alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_encoder import FakeEncoder
from reportlab.pdfgen import canvas

import assistant.changes
import assistant.intake
import assistant.readwork
import corpus.version
from assistant.cli import run
from assistant.intake import Copy, Intake
from assistant.readwork import Outcome, read_file
from assistant.workers import WorkerDied, Workers
from corpus.sources import SourceFile, find_files
from corpus.version import reading_version, version_of
from index.build import build
from index.spread import in_order
from index.stored import StoredReadings

SAMPLES = Path(__file__).parents[1] / "corpus" / "samples" / "files"
GOOD = "hokuto_hyoka_r5.txt"
LIMIT = 10**6


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one good file."""
    folder = tmp_path / "資料"
    folder.mkdir()
    shutil.copy(SAMPLES / GOOD, folder)
    return folder


def other(path: Path) -> None:
    """Another file with the good one's sheets."""
    path.write_text((SAMPLES / GOOD).read_text("utf-8") + f"\n{path.stem}\n", encoding="utf-8")


def trouble(file: SourceFile, max_bytes: int) -> Outcome:
    """Reads a file, or dies as a fault in a C library would, or hangs, or takes all memory."""
    if "致命的" in file.name:
        os._exit(11)
    if "無限" in file.name:
        time.sleep(600)
    if "大食い" in file.name:
        return bytearray(8 * 2**30)  # type: ignore[return-value]
    return read_file(file, max_bytes)


def accounted(intake: Intake) -> list[str]:
    """Every file the account names, sorted."""
    named = [*intake.read, *intake.refused, *intake.copies]
    return sorted(entry.file for entry in named)


# Processes


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_file_that_kills_its_process_costs_only_itself(
    folder: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    for name in ("a.txt", "b致命的.txt", "c致命的.txt", "d.txt"):
        other(folder / name)
    monkeypatch.setattr(assistant.intake, "read_file", trouble)
    intake = Intake(find_files([folder]), LIMIT, jobs=jobs)
    assert [document.file for document, _ in intake] == ["a.txt", "d.txt", GOOD]
    assert [refused.file for refused in intake.refused] == ["b致命的.txt", "c致命的.txt"]
    assert all("途中で止まりました。" in refused.message for refused in intake.refused)


def test_a_file_that_hangs_is_given_up_and_the_others_go_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.txt", "b無限.txt", "c.txt"):
        other(folder / name)
    monkeypatch.setattr(assistant.intake, "read_file", trouble)
    intake = Intake(find_files([folder]), LIMIT, jobs=1, max_seconds=10)
    assert [document.file for document, _ in intake] == ["a.txt", "c.txt", GOOD]
    (refused,) = intake.refused
    assert refused.message.startswith("b無限.txt: 10秒以内に読み終わらないため、飛ばしました。")
    assert "HYOKA_MAX_FILE_SECONDS" in refused.message


def test_a_file_that_wants_all_memory_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a大食い.txt", "b.txt"):
        other(folder / name)
    monkeypatch.setattr(assistant.intake, "read_file", trouble)
    intake = Intake(find_files([folder]), LIMIT, jobs=1)
    assert [document.file for document, _ in intake] == ["b.txt", GOOD]
    assert [refused.file for refused in intake.refused] == ["a大食い.txt"]


def test_too_little_memory_is_said_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hungry(document: object) -> None:
        raise MemoryError

    monkeypatch.setattr(assistant.readwork, "read_sheets", hungry)
    intake = Intake(find_files([folder]), LIMIT, jobs=0)
    assert list(intake) == []
    assert "メモリーが多すぎます" in intake.refused[0].message


def test_processes_read_what_one_process_reads(folder: Path) -> None:
    shutil.copy(SAMPLES / "sakurazaka_seika_r6.docx", folder)
    (folder / "空.txt").touch()
    with zipfile.ZipFile(folder / "まとめ.zip", "w") as archive:
        archive.write(SAMPLES / "hokuto_hyoka_r6.html", "中/評価.html")
    here, alone, together = (Intake(find_files([folder]), LIMIT, jobs=jobs) for jobs in (0, 1, 2))
    assert list(here) == list(alone) == list(together)
    assert (here.read, here.refused) == (alone.read, alone.refused) == (together.read, together.refused)
    assert accounted(here) == [GOOD, "sakurazaka_seika_r6.docx", "まとめ.zip/中/評価.html", "空.txt"]


def test_leaving_early_stops_the_processes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.txt", "b無限.txt"):
        other(folder / name)
    monkeypatch.setattr(assistant.intake, "read_file", trouble)
    readings = iter(Intake(find_files([folder]), LIMIT, jobs=2))
    assert next(readings)[0].file == "a.txt"
    assert isinstance(readings, Iterator)
    readings.close()  # type: ignore[attr-defined]  # returns although one process sleeps for ten minutes


def test_a_script_without_a_main_guard_can_read(folder: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from assistant.intake import Intake\nfrom corpus.sources import find_files\n"
        f"print([document.file for document, _ in Intake(find_files([{str(folder)!r}]), 10**6)])\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    found = subprocess.run([sys.executable, script], capture_output=True, text=True, env=environment, check=True)
    assert found.stdout == f"['{GOOD}']\n"


def test_results_keep_their_order_and_stay_a_few_ahead() -> None:
    begun: list[int] = []

    def tasks() -> Iterator[int]:
        for number in range(6):
            begun.append(number)
            yield number

    with Workers(abs, 2, 60.0) as workers:
        found = []
        for task, future in in_order(workers.submit, tasks(), 3):
            found.append((task, future.result()))
            assert len(begun) <= len(found) + 2
    assert found == [(number, number) for number in range(6)]


def test_a_closed_pool_gives_no_result() -> None:
    workers = Workers(abs, 1, 60.0)
    with workers:
        assert workers.submit(-1).result() == 1
    with pytest.raises((WorkerDied, RuntimeError)):
        workers.submit(-1).result()


# The same bytes twice


def test_the_same_bytes_are_read_once_and_the_copy_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(folder / GOOD, folder / "写し.txt")
    with zipfile.ZipFile(folder / "まとめ.zip", "w") as archive:
        archive.write(SAMPLES / GOOD, "写し.txt")
    intake = Intake(find_files([folder]), LIMIT, jobs=1)
    assert [document.file for document, _ in intake] == [GOOD]
    assert intake.copies == [Copy("まとめ.zip/写し.txt", GOOD), Copy("写し.txt", GOOD)]
    assert accounted(intake) == sorted([GOOD, "まとめ.zip/写し.txt", "写し.txt"])


def test_the_same_bytes_of_two_kinds_are_two_documents(folder: Path) -> None:
    shutil.copy(folder / GOOD, folder / "表.csv")
    assert [document.media for document, _ in Intake(find_files([folder]), LIMIT, jobs=0)] == ["text", "text"]


def test_a_copy_of_a_file_that_was_refused_is_refused_too(folder: Path) -> None:
    for name in ("一.pdf", "二.pdf"):
        (folder / name).write_bytes(b"no PDF")
    intake = Intake(find_files([folder]), LIMIT, jobs=0)
    assert len(list(intake)) == 1
    assert [refused.file for refused in intake.refused] == ["一.pdf", "二.pdf"]
    assert "二.pdf: 読めなかった 一.pdf と同じ内容です。" in intake.refused[1].message


def test_empty_files_are_each_named_for_themselves(folder: Path) -> None:
    for name in ("一.txt", "二.txt"):
        (folder / name).touch()
    intake = Intake(find_files([folder]), LIMIT, jobs=0)
    assert len(list(intake)) == 1
    assert [refused.message[:13] for refused in intake.refused] == ["一.txt: 空のファイル", "二.txt: 空のファイル"]


@pytest.mark.usefixtures("here")
def test_the_report_names_copies_and_counts_them_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["index", str(folder), "--json"]) == 0
    once = json.loads(capsys.readouterr().out)
    shutil.copy(folder / GOOD, folder / "写し.txt")
    assert run(["index", str(folder), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    for count in ("documents", "sheets", "sections", "facts"):
        assert report[count] == once[count]
    assert report["copies"] == [{"file": "写し.txt", "same_as": GOOD}]
    assert run(["index", str(folder)]) == 0
    assert f"同じ内容: 写し.txt は {GOOD} と同じなので、1件として数えました。" in capsys.readouterr().err


@pytest.mark.usefixtures("here")
def test_a_copy_of_what_is_in_the_index_is_not_added(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["index", str(folder)]) == 0
    (folder.parent / "別").mkdir()
    shutil.copy(folder / GOOD, folder.parent / "別" / "写し.txt")
    capsys.readouterr()
    assert run(["index", "--add", str(folder.parent / "別"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["documents"], report["copies"]) == (1, [{"file": "写し.txt", "same_as": GOOD}])


# Readings of an earlier run


@pytest.fixture
def everything(tmp_path: Path) -> Path:
    """All bundled sheets, with what warnings and places there can be."""
    folder = tmp_path / "全部"
    shutil.copytree(SAMPLES, folder, ignore=shutil.ignore_patterns("*.md"))
    (folder / "外字.txt").write_text("事務事業名\t\ue000の管理\n", encoding="utf-8")
    with zipfile.ZipFile(folder / "まとめ.zip", "w") as archive:
        archive.write(SAMPLES / "sakurazaka_seika_r6.docx", "中/評価.docx")
        archive.writestr("中/別.txt", "別の事業\n予算額\t1,000千円\n")
    return folder


def test_a_reading_that_is_used_again_equals_a_fresh_one(everything: Path, tmp_path: Path) -> None:
    first = Intake(find_files([everything]), LIMIT, jobs=0)
    fresh = list(first)
    build(fresh, FakeEncoder(), tmp_path / "索引")
    stored = StoredReadings(tmp_path / "索引")
    again = Intake(find_files([everything]), LIMIT, jobs=0, stored=stored)
    assert list(again) == fresh
    assert again.reused == len(fresh) == 10
    assert (again.read, again.refused, again.copies) == (first.read, first.refused, first.copies)
    # Not only equal by value: what is written from it is the same to the last byte.
    assert [repr(reading) for reading in stored_all(stored)] == [repr(reading) for reading in fresh]


def stored_all(stored: StoredReadings) -> list[object]:
    return [stored.reading(file, sha256, reading_version()) for file, sha256 in stored.files().items()]


@pytest.mark.usefixtures("here")
def test_only_what_has_changed_is_read_again(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    other(folder / "a.txt")
    other(folder / "b.txt")
    monkeypatch.setenv("HYOKA_JOBS", "0")
    read: list[str] = []

    def noted(file: SourceFile, max_bytes: int) -> Outcome:
        read.append(file.name)
        return read_file(file, max_bytes)

    monkeypatch.setattr(assistant.intake, "read_file", noted)

    def indexed(*arguments: str) -> tuple[list[str], int]:
        read.clear()
        capsys.readouterr()
        assert run(["index", *arguments, "--json"]) == 0
        return list(read), json.loads(capsys.readouterr().out)["reused"]

    assert indexed(str(folder)) == (["a.txt", "b.txt", GOOD], 0)
    assert indexed(str(folder)) == ([], 3)
    (folder / "b.txt").write_text("変わりました\n", encoding="utf-8")
    (folder / "a.txt").rename(folder / "c.txt")  # what a sheet is called by depends on the file's name
    assert indexed(str(folder)) == (["b.txt", "c.txt"], 1)
    assert indexed("--add", str(folder / "c.txt")) == ([], 1)
    monkeypatch.setattr(assistant.intake, "reading_version", lambda: "another")
    monkeypatch.setattr(assistant.changes, "reading_version", lambda: "another")
    assert indexed(str(folder)) == (["b.txt", "c.txt", GOOD], 0)


@pytest.mark.usefixtures("here")
def test_the_report_says_how_many_were_used_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["index", str(folder)]) == 0
    assert "前回から変わらない" not in capsys.readouterr().out
    assert run(["index", str(folder)]) == 0
    assert "、前回から変わらないファイル 1" in capsys.readouterr().out


def test_an_index_that_cannot_be_used_gives_no_readings(folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "索引"
    assert StoredReadings(place).files() == {}
    build(Intake(find_files([folder]), LIMIT, jobs=0), FakeEncoder(), place)
    assert list(StoredReadings(place).files()) == [GOOD]
    (records,) = place.glob("snapshots/*/records.sqlite")
    records.write_bytes(records.read_bytes()[:-1])
    assert StoredReadings(place).files() == {}
    (place / "CURRENT").write_text("../x")
    assert StoredReadings(place).files() == {}


def test_any_change_of_the_reading_code_or_the_forms_changes_the_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "corpus"
    shutil.copytree(Path(corpus.version.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    before = version_of(package)
    assert before == reading_version()
    (package / "samples" / "content.py").write_text("")
    assert version_of(package) == before
    (package / "forms" / "fields.toml").write_bytes((package / "forms" / "fields.toml").read_bytes() + b"\n")
    forms = version_of(package)
    (package / "facts.py").write_bytes((package / "facts.py").read_bytes() + b"\n")
    code = version_of(package)
    monkeypatch.setattr(corpus.version, "READING", 0)
    assert len({before, forms, code, version_of(package)}) == 4


# What is too much for one file


def test_a_pdf_of_5000_pages_is_read_or_given_up_when_its_time_is_over(tmp_path: Path) -> None:
    pages = canvas.Canvas(str(tmp_path / "五千頁.pdf"))
    for number in range(5000):
        for line in range(12):
            pages.drawString(72, 720 - 20 * line, f"page {number} line {line}")
        pages.showPage()
    pages.save()
    shutil.copy(SAMPLES / GOOD, tmp_path)
    intake = Intake(find_files([tmp_path]), 10**8, jobs=1, max_seconds=10)
    read = {document.file: document for document, _ in intake}
    assert accounted(intake) == [GOOD, "五千頁.pdf"]
    assert GOOD in read
    if "五千頁.pdf" in read:
        assert read["五千頁.pdf"].places[-1].page == 5000
    else:
        assert "10秒以内に読み終わらないため、飛ばしました。" in intake.refused[0].message
