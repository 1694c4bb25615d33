"""hyoka index over an index that is there: only what differs is read and written, and the report says what that was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assistant.cli import run
from index.encoder import load_encoder
from index.manifest import DAMAGED, current, read_manifest
from index.snapshot import Snapshot

SHEET = "事務事業評価シート（令和5年度）\nみなと野市\n事業名 {name}\n担当課 企画課\n事業の目的\n{name}を続ける。\n今後の計画\n{plan}\n"
COUNT = 40


def write(folder: Path, name: str, plan: str = "続ける。") -> None:
    (folder / f"{name}.txt").write_text(SHEET.format(name=name, plan=plan), "utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYOKA_JOBS", "0")
    place = tmp_path / "資料"
    place.mkdir()
    for number in range(COUNT):
        write(place, f"事業{number:02}")
    return place


def indexed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["index", *arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_what_is_added_changed_and_removed_is_told_and_found(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = indexed(capsys, str(folder))
    assert first["update"] is None and first["documents"] == COUNT
    again = indexed(capsys, str(folder))
    assert again["update"] == {"added": 0, "changed": 0, "removed": 0} and again["reused"] == COUNT
    assert again["index_version"] == first["index_version"] and again["files"] == []
    write(folder, "事業03", "港に移す。")
    write(folder, "花火大会", "二日に分けて開く。")
    (folder / "壊れた.pdf").write_bytes(b"%PDF-1.4 nothing")
    changed = indexed(capsys, str(folder))
    assert changed["update"] == {"added": 1, "changed": 1, "removed": 0} and changed["reused"] == COUNT - 1
    assert [one["file"] for one in changed["files"]] == ["事業03.txt", "花火大会.txt"]
    assert [one["file"] for one in changed["failed"]] == ["壊れた.pdf"]
    assert (changed["documents"], changed["sheets"]) == (COUNT + 1, COUNT + 1)
    (folder / "事業05.txt").unlink()
    removed = indexed(capsys, str(folder))
    assert removed["update"] == {"added": 0, "changed": 0, "removed": 1} and removed["documents"] == COUNT
    snapshot = Snapshot.open(Path(".hyoka/index"), load_encoder())
    texts = {row.section.text for row in snapshot.sections()}
    assert "港に移す。" in texts and "二日に分けて開く。" in texts and "事業05を続ける。" not in texts
    assert [file for file, _ in snapshot.refused()] == ["壊れた.pdf"]
    snapshot.close()


def test_an_index_that_is_added_to_keeps_what_the_sources_do_not_have(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    indexed(capsys, str(folder))
    other = tmp_path / "追加"
    other.mkdir()
    write(other, "朝市")
    (other / "写し.txt").write_bytes((folder / "事業01.txt").read_bytes())
    added = indexed(capsys, "--add", str(other))
    assert added["update"] == {"added": 1, "changed": 0, "removed": 0} and added["documents"] == COUNT + 1
    assert added["copies"] == [{"file": "写し.txt", "same_as": "事業01.txt"}]
    manifest = read_manifest(Path(".hyoka/index"), current(Path(".hyoka/index")))
    assert manifest.sources == (str(folder), str(other))


def test_a_file_that_cannot_be_read_any_more_is_no_part_of_the_index(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "表.xlsx").write_bytes(b"")
    indexed(capsys, str(folder))
    (folder / "事業01.txt").write_bytes(b"")
    report = indexed(capsys, str(folder))
    assert [one["file"] for one in report["failed"]] == ["事業01.txt", "表.xlsx"]
    assert report["documents"] == COUNT - 1 and report["update"]["removed"] == 1


def test_much_that_has_changed_another_order_and_damage_are_built_whole(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    indexed(capsys, str(folder))
    for number in range(COUNT // 4):
        write(folder, f"事業{number:02}", "見直す。")
    assert indexed(capsys, str(folder))["update"] is None
    assert indexed(capsys, str(folder), "--whole")["update"] is None
    index = Path(".hyoka/index")
    path = index / "snapshots" / current(index)
    (path / "sheets.npy").write_bytes(b"x")
    assert run(["sheets"]) == 1  # whoever opens it finds it damaged
    assert (path / DAMAGED).exists()
    assert indexed(capsys, str(folder))["update"] is None
    assert run(["sheets"]) == 0


def test_a_compaction_needs_no_source_and_people_are_told_what_was_done(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    indexed(capsys, str(folder))
    write(folder, "花火大会")
    assert run(["index", str(folder)]) == 0
    told = capsys.readouterr()
    assert "変わったところだけを索引に反映しました（追加 1）。" in told.err
    assert f"前回から変わらないファイル {COUNT}" in told.out
    assert run(["index", str(folder)]) == 0
    assert "変わったファイルはありません。" in capsys.readouterr().err
    for file in folder.iterdir():
        file.unlink()
    assert run(["index", "--compact"]) == 0
    assert f"索引を整理しました（文書 {COUNT + 1}" in capsys.readouterr().out
    manifest = read_manifest(Path(".hyoka/index"), current(Path(".hyoka/index")))
    assert not manifest.parts and manifest.sources == (str(folder),)
