"""Files that are as they were are not read again to find that out."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from zipfile import ZipFile

import pytest

import corpus.digests
from assistant.cli import run
from corpus.digests import Digests
from corpus.sources import SourceFile, find_files

MOST = 2**20


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files whose bytes are read."""
    names: list[str] = []
    real = corpus.digests.digest

    def noted(file: SourceFile, most: int) -> str:
        names.append(file.name)
        return real(file, most)

    monkeypatch.setattr(corpus.digests, "digest", noted)
    return names


def sums(memory: Path, folder: Path, later: float = 3600.0) -> dict[str, str]:
    """The digests of a folder's files, asked for when they have been as they are for ``later`` seconds."""
    digests = Digests(memory, lambda: max(f.stat().st_ctime for f in folder.iterdir()) + later)
    found = {file.name: digests(file, MOST) for file in find_files([folder], MOST)}
    digests.save()
    return found


def test_a_file_is_read_again_only_when_it_was_touched(tmp_path: Path, read: list[str]) -> None:
    folder = tmp_path / "sheets"
    folder.mkdir()
    (folder / "a.txt").write_text("図書館", "utf-8")
    (folder / "b.txt").write_text("道路", "utf-8")
    with ZipFile(folder / "c.zip", "w") as archive:
        archive.writestr("d.txt", "公園")
    first = sums(tmp_path / "memory", folder)
    assert first["a.txt"] == hashlib.sha256("図書館".encode()).hexdigest()
    assert first["c.zip/d.txt"] == hashlib.sha256("公園".encode()).hexdigest()
    assert read == ["a.txt", "b.txt", "c.zip/d.txt"]
    read.clear()
    assert sums(tmp_path / "memory", folder) == first and read == []
    before = (folder / "b.txt").stat()
    (folder / "b.txt").write_text("歩道", "utf-8")  # as long as before
    os.utime(folder / "b.txt", ns=(before.st_atime_ns, before.st_mtime_ns))  # and as old, says who wrote it
    again = sums(tmp_path / "memory", folder)
    assert read == ["b.txt"] and again["b.txt"] != first["b.txt"]
    (folder / "a.txt").unlink()
    sums(tmp_path / "memory", folder)
    assert not any(key.endswith("a.txt") for key in json.loads((tmp_path / "memory").read_text("utf-8")))


def test_what_changed_just_now_is_not_taken_for_settled(tmp_path: Path, read: list[str]) -> None:
    folder = tmp_path / "sheets"
    folder.mkdir()
    (folder / "a.txt").write_text("図書館", "utf-8")
    for _ in range(2):
        sums(tmp_path / "memory", folder, later=1.0)
    assert read == ["a.txt", "a.txt"]


@pytest.mark.parametrize("memory", ["", "{", "[]", '{"a": 1}', '{"a": [[1], 2, 3]}'])
def test_a_broken_memory_costs_time_and_nothing_else(tmp_path: Path, memory: str) -> None:
    folder = tmp_path / "sheets"
    folder.mkdir()
    (folder / "a.txt").write_text("図書館", "utf-8")
    (tmp_path / "memory").write_text(memory, "utf-8")
    assert sums(tmp_path / "memory", folder) == {"a.txt": hashlib.sha256("図書館".encode()).hexdigest()}


def test_an_empty_or_missing_file_has_no_digest(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    digests = Digests(tmp_path / "memory")
    assert digests(SourceFile(tmp_path / "empty.txt", "empty.txt"), MOST) == ""
    assert digests(SourceFile(tmp_path / "gone.txt", "gone.txt"), MOST) == ""


def test_the_command_reads_no_byte_of_a_folder_that_is_as_it_was(
    tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, index = tmp_path / "sheets", tmp_path / "index"
    folder.mkdir()
    sheet = "事務事業評価シート（令和5年度）\nみなと野市\n事業名 {}\n担当課 企画課\n事業の目的\n{}を続ける。\n"
    for name in ("図書館の運営", "花火大会"):
        (folder / f"{name}.txt").write_text(sheet.format(name, name), "utf-8")
    monkeypatch.setattr(corpus.digests, "_SETTLED", -1.0)
    for _ in range(3):
        assert run(["index", str(folder), "--index-dir", str(index)]) == 0
    assert sorted(read) == ["図書館の運営.txt", "花火大会.txt"]
    assert run(["index", "--whole", str(folder), "--index-dir", str(index)]) == 0  # looks at every byte
