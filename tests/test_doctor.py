"""``hyoka doctor``: what it finds wrong with an installation, an index and the store, and what it says to do."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from fake_encoder import FakeEncoder

import assistant.installation
from assistant.cli import run
from assistant.findings import CAREFUL, WELL, WRONG
from assistant.installation import BUNDLED_DIGEST
from assistant.store import FeedbackStore
from evals.benchmarks.kills import write_sheets
from index.encoder import BUNDLED
from index.manifest import CURRENT, MANIFEST, SNAPSHOTS, current, read_manifest
from index.modelfolder import digest


@pytest.fixture
def folder(here: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HYOKA_JOBS", "0")
    write_sheets(Path("資料"), 6)
    assert run(["index", "資料"]) == 0
    store = FeedbackStore(state(tmp_path))
    store.add("up", "図書館は", "こたえ")
    store.close()
    return Path(".hyoka/index")


def state(tmp_path: Path) -> Path:
    file = tmp_path / "state/hyoka/feedback.sqlite"
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def findings(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[tuple[str, str], dict[str, str]]]:
    capsys.readouterr()
    code = run(["doctor", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (code == 1) == (told["state"] == WRONG)
    for one in told["findings"]:
        assert one["state"] in (WELL, CAREFUL, WRONG) and bool(one["step"]) == (one["state"] != WELL), one
        assert not one["step"] or one["step"].endswith(("。", "。）")), one
    return code, {(one["area"], one["name"]): one for one in told["findings"]}


def test_a_sound_installation_is_told_in_one_line_each(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["doctor"]) == 0
    out = capsys.readouterr()
    lines = out.out.splitlines()
    assert all(line.startswith((WELL, CAREFUL)) for line in lines)
    for said in ("Python", "パッケージ", "同梱の埋め込みモデル: SHA-256 が一致します", "メモリー", "への書き込み" if 0 else "空き",
                 "CURRENT", "SHA-256 が一致します（", "SQLite の検査", "件数が合います", "評価 1"):  # fmt: skip
        assert said in out.out, said
    _, found = findings(capsys)
    assert all(one["state"] == WELL for (area, _), one in found.items() if area in ("索引", "保存先"))


def flip(file: Path, at: int = -100) -> None:
    data = bytearray(file.read_bytes())
    data[at] ^= 8
    file.unlink()
    file.write_bytes(data)


def _live(folder: Path) -> Path:
    return folder / SNAPSHOTS / current(folder)


FAULTS: dict[str, tuple[Callable[[Path], object], str, str, str]] = {
    "vectors": (lambda f: flip(_live(f) / "vectors.faiss"), "ファイル vectors.faiss", WRONG, "hyoka restore"),
    "records": (lambda f: flip(_live(f) / "records.sqlite"), "ファイル records.sqlite", WRONG, "hyoka restore"),
    "lost": (lambda f: (_live(f) / "sheets.npy").unlink(), "ファイル sheets.npy", WRONG, "hyoka index"),
    "manifest": (lambda f: flip(_live(f) / MANIFEST, 200), "使う索引", WRONG, "hyoka restore"),
    "current": (lambda f: (f / CURRENT).write_text("no such"), "使う索引", WRONG, "hyoka restore"),
    "empty": (lambda f: (f / CURRENT).unlink(), "使う索引", WRONG, "hyoka index"),
    "half": (lambda f: (f / SNAPSHOTS / ".building-1").mkdir(), "作りかけ", CAREFUL, "hyoka index"),
    "spool": (lambda f: (f / "building").mkdir(), "作りかけ", CAREFUL, "hyoka index"),
    "weights": (lambda f: (f / "tuning.json").write_text("{"), "検索の調整", CAREFUL, "hyoka tune"),
    "synonyms": (lambda f: (f / "synonyms.toml").write_text("synonyms = ["), "言いかえ辞書", CAREFUL, "ください"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_an_index_is_found(folder: Path, capsys: pytest.CaptureFixture[str], fault: str) -> None:
    make, name, state_, step = FAULTS[fault]
    make(folder)
    code, found = findings(capsys)
    assert found["索引", name]["state"] == state_ and step in found["索引", name]["step"]
    assert code == (1 if state_ == WRONG else 0)


def test_a_large_index_that_was_found_right_once_is_read_all_the_same(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.manifest.ALWAYS_READ", 0)
    assert run(["sheets"]) == 0
    file = _live(folder) / "vectors.faiss"
    told = file.stat()
    with file.open("r+b") as stream:  # as a disk forgets: in its place, at the same time
        stream.seek(-5, 2)
        stream.write(b"\0\1")
    os.utime(file, ns=(told.st_atime_ns, told.st_mtime_ns))
    assert run(["sheets"]) == 0  # by its sizes and times it is as it was
    code, found = findings(capsys)
    assert code == 1 and found["索引", "ファイル vectors.faiss"]["state"] == WRONG


def test_counts_that_disagree_are_found(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    live = _live(folder)
    db = sqlite3.connect(live / "records.sqlite")
    db.execute("delete from chunks where chunk = 3")
    db.commit()
    db.close()
    manifest = read_manifest(folder, live.name)
    with (live / "records.sqlite").open("rb") as stream:  # as a fault of ours would write it
        manifest.files["records.sqlite"] = sha256(stream.read()).hexdigest()
    (live / MANIFEST).write_text(manifest.dumps(), "utf-8")
    code, found = findings(capsys)
    assert code == 1 and "区切り（記録とベクトル）" in found["索引", "件数"]["told"]


def test_originals_that_are_not_what_was_read_are_found(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "originals").mkdir()
    data = b"%PDF-1.4"
    (folder / "originals" / f"{sha256(data).hexdigest()}.pdf").write_bytes(data)
    assert findings(capsys)[1]["索引", "元のPDF"]["state"] == WELL
    (folder / "originals" / f"{sha256(data).hexdigest()}.pdf").write_bytes(data[:4])
    code, found = findings(capsys)
    assert code == 1 and "消し" in found["索引", "元のPDF"]["step"]


def test_a_damaged_store_is_found(folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    data = bytearray(state(tmp_path).read_bytes())
    data[:16] = b"not a database!!"
    state(tmp_path).write_bytes(data)
    code, found = findings(capsys)
    assert code == 1 and "hyoka restore" in found["保存先", "ファイル"]["step"]


def test_what_is_missing_of_an_installation_is_found(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assistant.installation.metadata, "requires", lambda name: ["no-such-package>=3", "numpy<1"])
    monkeypatch.setattr(assistant.installation, "BUNDLED_DIGEST", "0" * 64)
    monkeypatch.setattr(assistant.installation, "_writable", lambda folder: False)
    code, found = findings(capsys)
    assert code == 1
    for name in ("パッケージ", "同梱の埋め込みモデル", "索引のフォルダーへの書き込み"):
        assert found["導入", name]["state"] == WRONG


def test_another_model_than_that_of_the_index_is_found(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.encoder.load_encoder", lambda *named: FakeEncoder("ほか"))
    code, found = findings(capsys)
    assert code == 1 and "HYOKA_ENCODER" in found["索引", "埋め込みモデル"]["step"]


def test_the_digest_of_the_bundled_model_is_written_down() -> None:
    assert digest(BUNDLED) == BUNDLED_DIGEST
