"""Files of every kind become text whose offsets hold; what cannot be read says why."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import docx
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from office_files import japanese_font as japanese_font
from office_files import ruled_pdf, workbook

from corpus.errors import DocumentTooLarge, EmptyDocument, UnreadableDocument
from corpus.readers import READERS, read_document
from corpus.readers.decode import NotTextError, decode
from corpus.readers.extract import one_line
from corpus.sources import find_files

SHEET = "事務事業名　火葬場運営事業\r\n目的\t市民の利便性の向上（①待合の改善）を図る。\r\n決算額 12,155千円\n"


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp932", "euc_jis_2004"],
)
def test_text_keeps_every_character_and_line_end(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.txt").write_bytes(SHEET.encode(encoding))
    assert read_document(tmp_path / "a.txt").text == SHEET


def test_iso_2022_jp_with_the_vendors_row_13(tmp_path: Path) -> None:
    plain = "評価シート\n令和5年度 決算\n"
    assert decode(plain.encode("iso2022_jp"))[0] == plain
    # ① is 2D 21 in the row that NEC added; Python's own codec refuses it.
    assert decode(b"\x1b$B\x2d\x21\x30\x21\x1b(B abc")[0] == "①亜 abc"


@pytest.mark.parametrize("encoding", ["cp932", "euc_jp"])
@given(
    text=st.text(
        st.sampled_from("評価市民課事業予算決算額令和年度のはをにしてたるアイシステムー、。・0123456789\n"), min_size=12
    )
)
@settings(max_examples=60, deadline=None)
def test_shift_jis_and_euc_jp_are_told_apart(encoding: str, text: str) -> None:
    found, _, lost = decode(text.encode(encoding))
    # A text without a single kana can look like the other encoding; sheets are not like that.
    if any("ぁ" <= char <= "ん" for char in text[:12]):
        assert found == text
    assert lost == 0


def test_half_width_katakana_in_shift_jis(tmp_path: Path) -> None:
    text = "ｼｽﾃﾑ名 住民記録ｼｽﾃﾑ\n所管 情報ｼｽﾃﾑ課\n"
    (tmp_path / "a.txt").write_bytes(text.encode("cp932"))
    assert read_document(tmp_path / "a.txt").text == text


def test_a_few_damaged_bytes_are_a_warning_not_an_end(tmp_path: Path) -> None:
    data = bytearray(("事業の目的は市民の利便性の向上である。\n" * 40).encode())
    data[901] = 0xFF
    (tmp_path / "a.txt").write_bytes(data)
    document = read_document(tmp_path / "a.txt")
    assert document.text.count("\n") == 40
    assert "文字が壊れています" in document.warnings[0]


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_are_no_text(seed: int) -> None:
    import random

    with pytest.raises(NotTextError):
        decode(random.Random(seed).randbytes(600))


def test_a_workbook_named_txt_says_what_it_is(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.save(tmp_path / "集計.txt")
    with pytest.raises(UnreadableDocument, match=r"集計\.txt: 中身はZIP形式（Excel・Wordなど）です。正しい拡張子に"):
        read_document(tmp_path / "集計.txt")


def test_csv_becomes_rows_and_keeps_commas_in_quotes(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('名称,"説\n明",決算\n火葬場,,"1,234"\n', encoding="cp932")
    assert read_document(tmp_path / "a.csv").text == "名称\t説明\t決算\n火葬場\t\t1,234\n"


def test_long_cells_are_read_and_the_limit_of_others_is_left_alone(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    (tmp_path / "短.csv").write_text("a,b\n", encoding="utf-8")
    assert read_document(tmp_path / "短.csv").text == "a\tb\n"
    assert csv.field_size_limit() == before
    (tmp_path / "長.csv").write_text("名称," + "長" * 200_000 + "\n", encoding="utf-8")
    assert len(read_document(tmp_path / "長.csv").text) == 200_004


def test_one_line_joins_japanese_closely_and_words_apart() -> None:
    assert one_line("市民の\n利便性\n・窓口\n(2)待合\nAI\nOCR") == "市民の利便性 ・窓口 (2)待合AI OCR"
    assert one_line("財\n源\n内\n訳") == "財源内訳"


@pytest.mark.parametrize("suffix", sorted(set(READERS) - {".txt", ".text", ".md", ".markdown", ".csv", ".tsv"}))
@pytest.mark.parametrize("data", [b"\x00\x01\x02junk" * 50, b"%PDF-1.4\n%%EOF", b"PK\x03\x04junk"])
def test_broken_files_of_every_kind_are_named(tmp_path: Path, suffix: str, data: bytes) -> None:
    (tmp_path / f"壊れた{suffix}").write_bytes(data)
    with pytest.raises((UnreadableDocument, EmptyDocument), match=f"^部/壊れた{suffix}: .+ください。$"):
        read_document(tmp_path / f"壊れた{suffix}", f"部/壊れた{suffix}")


@pytest.mark.parametrize("kind", ["pdf", "xlsx", "docx"])
def test_a_file_cut_anywhere_is_read_or_refused(tmp_path: Path, kind: str) -> None:
    whole = tmp_path / f"a.{kind}"
    if kind == "pdf":
        ruled_pdf(whole)
    elif kind == "xlsx":
        workbook(whole)
    else:
        docx.Document().save(str(whole))
    data = whole.read_bytes()
    for part in range(1, 10):
        (tmp_path / f"cut.{kind}").write_bytes(data[: len(data) * part // 10])
        with pytest.raises((UnreadableDocument, EmptyDocument)):
            read_document(tmp_path / f"cut.{kind}")


def test_the_size_is_looked_at_before_the_content(tmp_path: Path) -> None:
    with (tmp_path / "大.txt").open("wb") as file:
        file.truncate(300 * 1024 * 1024)
    with pytest.raises(DocumentTooLarge, match=r"大\.txt: 大きすぎます（300\.0MB、上限200\.0MB）.*max_file_mb"):
        read_document(tmp_path / "大.txt")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied"), "読む権限がありません。ファイルの権限を確かめて"),
        (FileNotFoundError(2, "No such file"), "ファイルが見つかりません。移動や削除がなかったか確かめて"),
        (OSError(5, "Input/output error"), "読み込めません（Input/output error）。ファイルのある場所を確かめて"),
    ],
)
def test_what_the_disk_refuses_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, said: str
) -> None:
    def refuse(path: Path) -> bytes:
        raise error

    (tmp_path / "a.txt").write_text("評価", encoding="utf-8")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(UnreadableDocument, match=f"^a.txt: {re.escape(said)}.*もう一度実行してください。$"):
        read_document(tmp_path / "a.txt")


def test_a_zip_bomb_is_refused_by_its_table_of_contents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpus.readers.packages.MAX_UNPACKED", 1000)
    workbook(tmp_path / "a.xlsx")
    with pytest.raises(DocumentTooLarge, match="展開すると大きすぎます"):
        read_document(tmp_path / "a.xlsx")


def test_old_formats_say_what_to_save_as(tmp_path: Path) -> None:
    (tmp_path / "a.xls").write_bytes(b"x")
    with pytest.raises(UnreadableDocument, match=r"\.xlsx で保存し直して"):
        read_document(tmp_path / "a.xls")
    (tmp_path / "b.xlsx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600)
    with pytest.raises(UnreadableDocument, match="パスワード"):
        read_document(tmp_path / "b.xlsx")


def test_files_are_listed_in_order_with_reasons_for_what_is_skipped(tmp_path: Path) -> None:
    for name in ["b.txt", "a.pdf", "x.xls", "~$a.xlsx", ".hidden.txt", "部/c.html", "部/.git/d.txt", "README.md"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    found = find_files([tmp_path, tmp_path / "b.txt", tmp_path / "なし"])
    assert [(file.name, bool(file.skipped)) for file in found] == [
        ("a.pdf", False),
        ("b.txt", False),
        ("x.xls", True),
        ("部/c.html", False),
        (str(tmp_path / "なし"), True),
    ]
    assert "見つかりません" in found[-1].skipped


def test_files_of_the_same_name_keep_apart(tmp_path: Path) -> None:
    for folder in ["甲", "乙"]:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "r5.txt").write_bytes(b"x")
    found = find_files([tmp_path / "甲", tmp_path / "乙"])
    assert [file.name for file in found] == ["r5.txt", "乙/r5.txt"]


def test_what_is_stored_hashes_the_file_not_the_text(tmp_path: Path) -> None:
    import hashlib

    data = io.BytesIO(SHEET.encode("cp932")).getvalue()
    (tmp_path / "a.txt").write_bytes(data)
    assert read_document(tmp_path / "a.txt").sha256 == hashlib.sha256(data).hexdigest()
