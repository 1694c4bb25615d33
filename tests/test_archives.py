"""ZIP archives: every file in one is a file of its own, and nothing an archive says of itself is believed."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest

import corpus.archives
from corpus.archives import Limits, list_members, member_name, read_member
from corpus.errors import DocumentTooLarge, UnreadableDocument
from corpus.sources import digest, find_files, read_source

TEXT = "事務事業名\t火葬場運営\n所管課\t生活環境課\n".encode()
MB = 1024 * 1024


def zipped(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    path.write_bytes(packed(members, method))
    return path


def packed(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def without_flag(data: bytes, placeholders: dict[bytes, bytes]) -> bytes:
    """The archive as old programs write it: names in another encoding of the same length, no UTF-8 flag."""
    for placeholder, name in placeholders.items():
        assert len(placeholder) == len(name)
        data = data.replace(placeholder, name)
    return data


def listed(path: Path, max_bytes: int = 10 * MB) -> list[tuple[str, str]]:
    return [(file.name, file.skipped) for file in find_files([path], max_bytes)]


def test_each_file_of_an_archive_is_a_file_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "資料"
    folder.mkdir()
    zipped(folder / "まとめ.zip", {"所管課/評価.txt": TEXT, "一覧.csv": "事業,決算額\n".encode()})
    (folder / "あと.txt").write_bytes(TEXT)
    files = find_files([folder])
    assert [file.name for file in files] == ["あと.txt", "まとめ.zip/所管課/評価.txt", "まとめ.zip/一覧.csv"]
    document = read_source(files[1])
    assert (document.file, document.text) == ("まとめ.zip/所管課/評価.txt", TEXT.decode())
    assert document.sha256 == digest(files[1]) == digest(files[0])
    assert read_source(files[2]).text == "事業\t決算額\n"
    assert [file.name for file in find_files([folder / "まとめ.zip"])] == [
        "まとめ.zip/所管課/評価.txt",
        "まとめ.zip/一覧.csv",
    ]


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("予算表.txt".encode("cp932"), "予算表.txt"),  # 予 and 表 end in a backslash
        ("資料\\評価.txt".encode("cp932"), "資料/評価.txt"),
        ("資料/評価.txt".encode(), "資料/評価.txt"),
        ("評価か\u3099.txt".encode(), "評価が.txt"),  # macOS takes characters apart
        (b"plain.txt", "plain.txt"),
    ],
)
def test_names_without_the_utf8_flag_are_utf8_or_cp932(tmp_path: Path, raw: bytes, name: str) -> None:
    placeholder = b"x" * len(raw)
    data = without_flag(packed({placeholder.decode(): TEXT}), {placeholder: raw})
    (tmp_path / "a.zip").write_bytes(data)
    assert listed(tmp_path / "a.zip") == [(f"a.zip/{name}", "")]
    assert read_source(find_files([tmp_path / "a.zip"])[0]).text == TEXT.decode()


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("../../etc/評価.txt", "etc/評価.txt"),
        ("/外/評価.txt", "外/評価.txt"),
        ("C:\\Users\\評価.txt", "Users/評価.txt"),
        ("..\\..\\評価.txt", "評価.txt"),
        ("./a//b/./評価.txt", "a/b/評価.txt"),
        ("a/.. /評価.txt", "a/評価.txt"),
        ("..", ""),
    ],
)
def test_no_name_leads_out_of_the_archive(written: str, name: str) -> None:
    assert member_name(zipfile.ZipInfo(written)) == name


def test_nothing_is_written_beside_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    zipped(tmp_path / "a.zip", {"../外.txt": TEXT, "/絶対.txt": TEXT, "内.zip": packed({"../../外.txt": TEXT})})
    files = find_files(["a.zip"])
    assert [file.name for file in files] == ["a.zip/外.txt", "a.zip/絶対.txt", "a.zip/内.zip/外.txt"]
    assert all(read_source(file).text == TEXT.decode() for file in files)
    assert [path.name for path in tmp_path.rglob("*")] == ["a.zip"]
    assert not (tmp_path.parent / "外.txt").exists()


def test_what_systems_leave_behind_is_left_out_in_silence(tmp_path: Path) -> None:
    members = ["__MACOSX/._評価.txt", "~$集計.xlsx", ".hidden/a.txt", "Thumbs.db", "評価.txt", "__MACOSX/内.zip"]
    zipped(tmp_path / "a.zip", dict.fromkeys(members, TEXT))
    assert listed(tmp_path / "a.zip") == [("a.zip/評価.txt", "")]


def test_kinds_that_are_not_read_come_with_advice(tmp_path: Path) -> None:
    zipped(tmp_path / "a.zip", {"旧.xls": b"x", "写真.gif": b"x", "評価.txt": TEXT})
    old, picture, good = listed(tmp_path / "a.zip")
    assert old[1].startswith("a.zip/旧.xls: 旧形式のExcel（.xls）です。Excelで開いて")
    assert picture[1].startswith("a.zip/写真.gif: 画像です。OCR")
    assert good == ("a.zip/評価.txt", "")


def test_an_archive_in_an_archive_is_read_and_a_third_one_is_named(tmp_path: Path) -> None:
    third = packed({"深い.txt": TEXT})
    second = packed({"中.txt": TEXT, "三.zip": third})
    zipped(tmp_path / "a.zip", {"二.zip": second, "外.txt": TEXT})
    files = find_files([tmp_path / "a.zip"])
    assert [file.name for file in files] == ["a.zip/二.zip/中.txt", "a.zip/二.zip/三.zip", "a.zip/外.txt"]
    assert [bool(file.skipped) for file in files] == [False, True, False]
    assert "一段だけ" in files[1].skipped and "展開してから" in files[1].skipped
    assert read_source(files[0]).text == TEXT.decode()


def test_two_members_of_one_name_keep_apart(tmp_path: Path) -> None:
    zipped(tmp_path / "a.zip", {"評価.txt": TEXT, "./評価.txt": b"other"})
    files = find_files([tmp_path / "a.zip"])
    assert [file.name for file in files] == ["a.zip/評価.txt", "a.zip/評価 (2).txt"]
    assert [read_source(file).text for file in files] == [TEXT.decode(), "other"]


def test_an_encrypted_member_says_what_to_do(tmp_path: Path) -> None:
    data = bytearray(packed({"秘.txt": TEXT, "評価.txt": TEXT}))
    # The flag of encryption in both records of the first member.
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    found = listed(tmp_path / "a.zip")
    assert found[0][1].startswith("a.zip/秘.txt: パスワードがかかっています。") and "展開してから" in found[0][1]
    assert found[1] == ("a.zip/評価.txt", "")


def test_a_compression_we_cannot_read_is_named(tmp_path: Path) -> None:
    data = bytearray(packed({"評価.txt": TEXT}))
    for at in (8, data.index(b"PK\x01\x02") + 10):
        data[at : at + 2] = struct.pack("<H", 9)  # Deflate64, which Windows uses for large files
    (tmp_path / "a.zip").write_bytes(data)
    assert "この圧縮方式（9）は読めません" in listed(tmp_path / "a.zip")[0][1]


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("評価.txt")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    assert "リンクです" in listed(tmp_path / "a.zip")[0][1]


def test_a_flat_bomb_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    zipped(tmp_path / "a.zip", {"爆弾.txt": bytes(5 * MB), "大.txt": bytes(11 * MB), "評価.txt": TEXT})
    bomb, large, good = listed(tmp_path / "a.zip")
    assert "圧縮率が異常です" in bomb[1] and "展開してから" in bomb[1]
    assert "大きすぎます（11.0MB、上限10.0MB）" in large[1] and "HYOKA_MAX_FILE_MB" in large[1]
    assert good == ("a.zip/評価.txt", "")


def test_a_nested_bomb_harms_only_itself(tmp_path: Path) -> None:
    # 30 members of 900 kB each pass one by one; together they are over 20 MB, which is what 1 MB a file allows.
    inner = packed({f"{n}.txt": bytes(900_000) for n in range(30)})
    zipped(tmp_path / "a.zip", {"爆弾.zip": inner, "評価.txt": TEXT})
    bomb, good = listed(tmp_path / "a.zip", MB)
    assert bomb[0] == "a.zip/爆弾.zip" and "展開すると大きすぎます" in bomb[1]
    assert good == ("a.zip/評価.txt", "")


def test_an_archive_over_its_total_is_refused_as_a_whole(tmp_path: Path) -> None:
    zipped(tmp_path / "a.zip", {f"{n}.txt": bytes(900_000) for n in range(30)})
    ((name, problem),) = listed(tmp_path / "a.zip", MB)
    assert name == "a.zip" and "展開すると大きすぎます（上限" in problem and problem.endswith("上がります。")


def test_pictures_do_not_count_towards_the_total(tmp_path: Path) -> None:
    zipped(tmp_path / "a.zip", {**{f"{n}.gif": bytes(900_000) for n in range(30)}, "評価.txt": TEXT})
    assert listed(tmp_path / "a.zip", MB)[-1] == ("a.zip/評価.txt", "")


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    zipped(tmp_path / "a.zip", {f"{n}.txt": TEXT for n in range(10_001)}, zipfile.ZIP_STORED)
    ((_, problem),) = listed(tmp_path / "a.zip")
    assert "中のファイルが多すぎます（10,001件、上限10,000件）" in problem


def test_a_directory_made_to_fill_the_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus.archives, "_DIRECTORY_BYTES", 1000)
    zipped(tmp_path / "a.zip", {f"{n}.txt": TEXT for n in range(100)})
    ((_, problem),) = listed(tmp_path / "a.zip")
    assert "中のファイルが多すぎます。" in problem


def test_a_size_that_lies_is_found_out_while_reading(tmp_path: Path) -> None:
    data = bytearray(packed({"評価.txt": TEXT * 100}))
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = struct.pack("<I", 10)
    (tmp_path / "a.zip").write_bytes(data)
    (file,) = find_files([tmp_path / "a.zip"])
    with pytest.raises(UnreadableDocument, match=r"評価\.txt: 圧縮ファイルから取り出せません.*展開してから"):
        read_source(file)
    assert digest(file) == ""


def test_a_member_larger_than_the_limit_is_not_unpacked(tmp_path: Path) -> None:
    zipped(tmp_path / "a.zip", {"評価.txt": TEXT * 100})
    with pytest.raises(DocumentTooLarge, match="HYOKA_MAX_FILE_MB"):
        read_member(tmp_path / "a.zip", (0,), "a.zip/評価.txt", 10)


@pytest.mark.parametrize("data", [b"", b"no archive", packed({"a.txt": TEXT})[:-30]])
def test_a_broken_archive_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(data)
    zipped(tmp_path / "b.zip", {"中.zip": data, "評価.txt": TEXT})
    ((name, problem),) = listed(tmp_path / "a.zip")
    assert name == "a.zip" and "ZIP）として開けません" in problem and problem.endswith("入手し直してください。")
    assert [(name, bool(problem)) for name, problem in listed(tmp_path / "b.zip")] == [
        ("b.zip/中.zip", True),
        ("b.zip/評価.txt", False),
    ]


def test_an_empty_archive_is_named(tmp_path: Path) -> None:
    zipped(tmp_path / "a.zip", {})
    assert "中にファイルがありません" in listed(tmp_path / "a.zip")[0][1]


def test_an_archive_that_changes_during_the_run(tmp_path: Path) -> None:
    zipped(tmp_path / "a.zip", {"評価.txt": TEXT, "次.txt": TEXT})
    files = find_files([tmp_path / "a.zip"])
    assert read_source(files[0]).text == TEXT.decode()
    zipped(tmp_path / "a.zip", {"評価.txt": TEXT})
    with pytest.raises(UnreadableDocument, match="取り出せません"):
        read_source(files[1])
    (tmp_path / "a.zip").unlink()
    with pytest.raises(UnreadableDocument, match="見つかりません"):
        read_source(files[0])


def test_limits_follow_the_limit_of_a_file() -> None:
    assert Limits.of(10) == Limits(member=10, total=200, members=10_000, ratio=200)


def test_listing_names_what_it_was_given(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDocument, match=r"まとめ\.zip: "):
        list_members(tmp_path / "なし.zip", "まとめ.zip", Limits.of(10), lambda name: True)
