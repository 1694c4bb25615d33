"""What people really hand over: one bad file is named with the reason and the next step, and the rest is indexed."""

from __future__ import annotations

import json
import os
import random
import shutil
import tempfile
from pathlib import Path

import openpyxl
import pytest
from reportlab.pdfgen import canvas

import assistant.readwork
from assistant.cli import run
from corpus.documents import Document, SheetReading
from corpus.errors import UnreadableDocument
from corpus.readers import read_document

SAMPLES = Path(__file__).parents[1] / "corpus" / "samples" / "files"
pytestmark = pytest.mark.usefixtures("here")
GOOD = "hokuto_hyoka_r5.txt"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one good file."""
    folder = tmp_path / "資料"
    folder.mkdir()
    shutil.copy(SAMPLES / GOOD, folder)
    return folder


def binary(path: Path) -> None:
    path.write_bytes(random.Random(7).randbytes(5000))


def workbook(path: Path) -> None:
    openpyxl.Workbook().save(path.with_suffix(".xlsx"))
    path.with_suffix(".xlsx").rename(path)


def pdf(path: Path, password: str | None = None) -> None:
    page = canvas.Canvas(str(path), encrypt=password)
    page.drawString(72, 700, "evaluation")
    page.save()


def locked(path: Path) -> None:
    pdf(path, "secret")


def broken(path: Path) -> None:
    pdf(path)
    path.write_bytes(path.read_bytes()[:300])


def scanned(path: Path) -> None:
    page = canvas.Canvas(str(path))
    page.rect(50, 50, 400, 600, fill=1)
    page.save()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(201 * 1024 * 1024)


def pipe(path: Path) -> None:
    os.mkfifo(path)


BAD = [
    (pipe, "管.txt", "ふつうのファイルではありません", "ファイルを指定してください"),
    (pipe, "管.zip", "ふつうのファイルではありません", "ファイルを指定してください"),
    (binary, "実行.txt", "文字コードではありません", "保存し直してください"),
    (workbook, "集計.txt", "中身はZIP形式", "正しい拡張子に直すか"),
    (locked, "鍵.pdf", "パスワードがかかったPDF", "パスワードを外して"),
    (broken, "壊れ.pdf", "PDFとして読めません", "入手し直してください"),
    (scanned, "紙.pdf", "スキャンした画像", "OCR"),
    (binary, "壊れ.xlsx", "Excelとして開けません", "保存し直してください"),
    (binary, "壊れ.docx", "Wordとして開けません", "保存し直してください"),
    (binary, "古い.xls", "旧形式のExcel", ".xlsx で保存し直して"),
    (binary, "写真.png", "画像です", "OCR"),
    (binary, "まとめ.zip", "ZIP）として開けません", "入手し直してください"),
    (binary, "まとめ.lzh", "この形式の圧縮ファイルは読めません", "展開してから"),
    (empty, "空.txt", "空のファイルです", "確かめてください"),
    (huge, "巨大.txt", "大きすぎます（201.0MB、上限200.0MB）", "HYOKA_MAX_FILE_MB"),
]


@pytest.mark.parametrize(("make", "name", "reason", "step"), BAD, ids=[case[1] for case in BAD])
def test_one_bad_file_is_named_and_the_rest_is_indexed(
    folder: Path, capsys: pytest.CaptureFixture[str], make, name: str, reason: str, step: str
) -> None:
    make(folder / name)
    assert run(["index", str(folder), "--json"]) == 0
    out = capsys.readouterr()
    report = json.loads(out.out)
    assert [file["file"] for file in report["files"]] == [GOOD]
    assert [refused["file"] for refused in report["failed"]] == [name]
    assert out.err.count("読めませんでした: ") == 1
    for part in (f"{name}: ", reason, step):
        assert part in out.err
    assert "Traceback" not in out.err


@pytest.mark.parametrize("encoding", ["cp932", "utf-16", "euc_jis_2004"])
def test_old_encodings_are_read_like_any_other(folder: Path, capsys: pytest.CaptureFixture[str], encoding: str) -> None:
    # Only what all three can write: ↗ is not in Shift_JIS.
    text = (folder / GOOD).read_text(encoding="utf-8").encode("cp932", errors="replace").decode("cp932")
    (folder / GOOD).write_text(text, encoding="utf-8")
    assert run(["index", str(folder), "--json"]) == 0
    expected = json.loads(capsys.readouterr().out)
    (folder / GOOD).write_bytes(text.encode(encoding))
    assert run(["index", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    for count in ("documents", "sheets", "sections", "facts"):
        assert found[count] == expected[count] > 0


@pytest.mark.parametrize("make", [None, *{case[0]: None for case in BAD if case[0] is not huge}])
def test_nothing_to_read_ends_with_1_and_leaves_no_index(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make
) -> None:
    folder = tmp_path / "空"
    folder.mkdir()
    if make is not None:
        make(folder / "x.pdf")
    if make is workbook:
        (folder / "x.pdf").rename(folder / "x.txt")
    assert run(["index", str(folder)]) == 1
    out = capsys.readouterr()
    assert out.out == "" and "場所を確かめてください。" in out.err and "Traceback" not in out.err
    assert ("x.pdf: " in out.err or "x.txt: " in out.err) == (make is not None)
    assert not Path(".hyoka/index/CURRENT").exists()


def test_a_failed_run_leaves_the_old_index_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["index", str(folder)]) == 0
    before = Path(".hyoka/index/CURRENT").read_text()
    assert run(["index", "ありません"]) == 1
    assert "ありません: 見つかりません。パスを確かめて" in capsys.readouterr().err
    assert Path(".hyoka/index/CURRENT").read_text() == before
    assert run(["sheets"]) == 0


def test_a_file_that_vanishes_during_the_run(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "消える.txt").write_text("あとで消える", encoding="utf-8")
    read = assistant.readwork.read_sheets

    def and_remove(document: Document) -> list[SheetReading]:
        (folder / "消える.txt").unlink(missing_ok=True)
        return read(document)

    monkeypatch.setenv("HYOKA_JOBS", "0")
    monkeypatch.setattr(assistant.readwork, "read_sheets", and_remove)
    assert run(["index", str(folder)]) == 0
    assert "消える.txt: ファイルが見つかりません。移動や削除がなかったか確かめて" in capsys.readouterr().err


def test_trouble_of_our_own_costs_one_file(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "変わった.txt").write_text("ほかの文書", encoding="utf-8")
    monkeypatch.setenv("HYOKA_JOBS", "0")
    read = assistant.readwork.read_sheets

    def or_stumble(document: Document) -> list[SheetReading]:
        if document.file == "変わった.txt":
            raise ZeroDivisionError
        return read(document)

    monkeypatch.setattr(assistant.readwork, "read_sheets", or_stumble)
    assert run(["index", str(folder)]) == 0
    told = capsys.readouterr().err
    assert "変わった.txt: 読み取りの途中で問題が起きました" in told and "Traceback" not in told


def test_a_file_without_permission() -> None:
    root = os.geteuid() == 0  # root may read everything, so it steps back to nobody for the reading
    with tempfile.TemporaryDirectory() as name:
        secret = Path(name) / "秘.txt"
        secret.write_text("秘密", encoding="utf-8")
        secret.chmod(0)
        secret.parent.chmod(0o755)
        try:
            if root:
                os.seteuid(65534)
            with pytest.raises(UnreadableDocument, match="読む権限がありません"):
                read_document(secret, "秘.txt")
        finally:
            if root:
                os.seteuid(0)


def test_a_text_that_is_no_sheet_is_kept_with_a_warning(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "メモ.txt").write_text("買い物: 牛乳、卵\n", encoding="utf-8")
    assert run(["index", str(folder), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["failed"] == []
    assert report["documents"] == 2


def change_manifest(**changes: object) -> None:
    folder = Path(".hyoka/index")
    file = folder / "snapshots" / (folder / "CURRENT").read_text().strip() / "manifest.json"
    file.write_text(json.dumps({**json.loads(file.read_text("utf-8")), **changes}), encoding="utf-8")


def test_an_index_of_another_format_asks_to_be_built_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["index", str(folder)]) == 0
    change_manifest(format=999)
    capsys.readouterr()
    assert run(["ask", "決算額は？"]) == 1
    told = capsys.readouterr().err
    assert "別の版の hyoka で作られています" in told and "hyoka index で索引を作り直してください。" in told
    assert told.count("\n") == 1
    # And building again is enough.
    assert run(["index", str(folder)]) == 0
    assert run(["sheets"]) == 0


def test_an_index_of_another_encoder_asks_to_be_built_again(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["index", str(folder)]) == 0
    capsys.readouterr()
    monkeypatch.setenv("HYOKA_ENCODER", "ほかのモデル")
    assert run(["search", "決算"]) == 1
    told = capsys.readouterr().err
    assert "別の埋め込みモデル（fake）" in told and "ほかのモデル" in told and "hyoka index で索引を作り直して" in told
    assert told.count("\n") == 1


def test_a_damaged_index_asks_to_be_built_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["index", str(folder)]) == 0
    live = Path(".hyoka/index/snapshots") / Path(".hyoka/index/CURRENT").read_text().strip()
    records = live / "records.sqlite"
    records.write_bytes(records.read_bytes()[:-100])
    capsys.readouterr()
    assert run(["sheets"]) == 1
    told = capsys.readouterr().err
    assert "records.sqlite が壊れています" in told and "hyoka index で" in told


def test_an_index_folder_that_cannot_be_made(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("ふさがり").write_text("")
    assert run(["index", str(folder), "--index-dir", "ふさがり/索引"]) == 1
    told = capsys.readouterr().err
    assert "ふさがり/索引 に索引を作れません" in told and "指定してください。" in told
