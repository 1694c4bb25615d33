"""ZIP archives: what can be read in them, and the bytes of one member at a time.

Nothing is written under a name an archive gives: a member goes from the archive into memory, and an archive inside it
into a nameless temporary file.
"""

from __future__ import annotations

import re
import stat
import tempfile
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from corpus.errors import DocumentTooLarge, UnreadableDocument

ENDING = ".zip"
_UTF8, _ENCRYPTED = 0x800, 0x1  # bits of a member's flags
_UNPACK = "展開してからフォルダを指定してください。"
# A directory of file names takes some 150 bytes a member; many times that is a directory made to fill the memory.
_DIRECTORY_BYTES = 16 * 1024 * 1024
_SMALL = 1024 * 1024
_BLOCK = 1024 * 1024
_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may unpack to, in bytes: each member, all that are read together; and how many it may list.

    ``ratio`` is how many times its packed size a member may grow; up to a megabyte is harmless whatever its ratio.
    """

    member: int
    total: int
    members: int = 10_000
    ratio: int = 200

    @classmethod
    def of(cls, max_bytes: int) -> Limits:
        """The limits that go with a limit for one file: an archive holds at most twenty of the largest."""
        return cls(member=max_bytes, total=20 * max_bytes)


@dataclass(frozen=True, slots=True)
class Member:
    """One file in an archive.

    ``name`` is its path in there, cleaned, with forward slashes; ``at`` is where it stands in the archive's directory
    (two numbers for a file of an archive inside); ``problem`` is why it is not read ("" for the rest).
    """

    name: str
    at: tuple[int, ...]
    problem: str = ""


def list_members(path: Path, file: str, limits: Limits, wanted: Callable[[str], bool]) -> list[Member]:
    """The files of an archive in its own order, those of archives inside it after the archive's name.

    ``wanted`` says of a cleaned name whether it will be read: only such files count towards the total, the others come
    back like the rest. Raises DocumentTooLarge for an archive over its limits, UnreadableDocument for a broken one.
    """
    try:
        with path.open("rb") as stream:
            return list(_Listing(limits, wanted).members(stream, ()))
    except PermissionError as error:
        raise UnreadableDocument(
            f"{file}: 読む権限がありません。ファイルの権限を確かめて、もう一度実行してください。", file
        ) from error
    except _TooMuch as error:
        raise DocumentTooLarge(f"{file}: {error}", file) from error
    except Exception as error:  # a broken archive fails in zipfile, zlib, lzma or struct, each in its own way
        raise UnreadableDocument(
            f"{file}: 圧縮ファイル（ZIP）として開けません。壊れていないか確かめて、入手し直してください。", file
        ) from error


def read_member(path: Path, at: tuple[int, ...], file: str, max_bytes: int) -> bytes:
    """The bytes of one member; raises a DocumentError naming ``file`` with the next step."""
    try:
        status = path.stat()
        archive = _opened(path, status.st_mtime_ns, status.st_size, at[:-1], max_bytes)
        info = archive.infolist()[at[-1]]
        with archive.open(info) as stream:
            data = stream.read(max_bytes + 1)
    except FileNotFoundError as error:
        raise UnreadableDocument(
            f"{file}: ファイルが見つかりません。移動や削除がなかったか確かめて、もう一度実行してください。", file
        ) from error
    except Exception as error:  # as in list_members
        raise UnreadableDocument(
            f"{file}: 圧縮ファイルから取り出せません。壊れていないか確かめて、{_UNPACK}", file
        ) from error
    if len(data) > max_bytes:
        raise DocumentTooLarge(f"{file}: {_too_large(len(data), max_bytes)}", file)
    return data


class _TooMuch(Exception):
    """An archive is over a limit; the text is a sentence for people."""


class _Listing:
    """The account of one archive while its members are listed, with those of archives inside it."""

    def __init__(self, limits: Limits, wanted: Callable[[str], bool]) -> None:
        self.limits = limits
        self.wanted = wanted
        self.total = 0
        self.count = 0

    def members(self, stream: IO[bytes], at: tuple[int, ...]) -> Iterator[Member]:
        _check_directory(stream)
        with zipfile.ZipFile(stream) as archive:
            self.count += len(archive.filelist)
            if self.count > self.limits.members:
                raise _TooMuch(
                    f"中のファイルが多すぎます（{self.count:,}件、上限{self.limits.members:,}件）。{_UNPACK}"
                )
            for number, info in enumerate(archive.filelist):
                name = member_name(info)
                if name and not info.is_dir():
                    yield from self._member(archive, info, name, (*at, number))

    def _member(
        self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, at: tuple[int, ...]
    ) -> Iterator[Member]:
        if not self.wanted(name):
            yield Member(name, at)
            return
        nested = name.lower().endswith(ENDING)
        problem = _problem(info, self.limits)
        if nested and len(at) > 1:
            problem = f"圧縮ファイルの中の圧縮ファイルは、一段だけ読みます。{_UNPACK}"
        if problem:
            yield Member(name, at, problem)
            return
        self.total += info.file_size
        if self.total > self.limits.total:
            raise _TooMuch(
                f"展開すると大きすぎます（上限{self.limits.total / 1024**3:,.1f}GB）。{_UNPACK}"
                "設定 max_file_mb（HYOKA_MAX_FILE_MB）を上げると、上限も上がります。"
            )
        if nested:
            yield from self._nested(archive, info, name, at)
        else:
            yield Member(name, at)

    def _nested(
        self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, at: tuple[int, ...]
    ) -> Iterator[Member]:
        """What is in an archive inside this one; what is wrong with it harms no other member."""
        before = self.total
        try:
            with _unpacked(archive, info, self.limits.member) as inner:
                found = list(self.members(inner, at))
        except _TooMuch as error:
            self.total = before
            yield Member(name, at, str(error))
        except Exception:  # as in list_members
            self.total = before
            yield Member(name, at, f"圧縮ファイル（ZIP）として開けません。壊れていないか確かめて、{_UNPACK}")
        else:
            for member in found:
                yield Member(f"{name}/{member.name}", member.at, member.problem)


def member_name(info: zipfile.ZipInfo) -> str:
    """A member's path with forward slashes, without what could lead out of the archive; "" if nothing is left.

    Names without the UTF-8 flag are UTF-8 all the same (macOS) or cp932 (Windows); zipfile reads them as cp437. In cp932
    a backslash may be half a character (表), so it is a separator only once the name is decoded.
    """
    name = info.orig_filename
    if not info.flag_bits & _UTF8:
        name = _decoded(name)
    name = _CONTROL.sub("", unicodedata.normalize("NFC", name)).replace("\\", "/")
    return "/".join(part for part in _DRIVE.sub("", name, count=1).split("/") if part.strip(" .") and part != "..")


def _decoded(name: str) -> str:
    try:
        data = name.encode("cp437")
    except UnicodeEncodeError:
        return name  # from the Unicode extra field, so already right
    for encoding in ("utf-8", "cp932"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return name


def _problem(info: zipfile.ZipInfo, limits: Limits) -> str:
    if stat.S_ISLNK(info.external_attr >> 16):
        return f"ほかのファイルへのリンクです。リンク先のファイルを入れて圧縮し直すか、{_UNPACK}"
    if info.flag_bits & _ENCRYPTED:
        return f"パスワードがかかっています。パスワードを入れて{_UNPACK}"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        return f"この圧縮方式（{info.compress_type}）は読めません。{_UNPACK}"
    if info.file_size > limits.member:
        return _too_large(info.file_size, limits.member)
    if info.file_size > max(_SMALL, limits.ratio * info.compress_size):
        return f"圧縮率が異常です（{info.file_size // max(info.compress_size, 1):,}倍）。安全なファイルか確かめて、{_UNPACK}"
    return ""


@lru_cache(maxsize=2)
def _opened(path: Path, changed: int, size: int, at: tuple[int, ...], max_bytes: int) -> zipfile.ZipFile:
    """The archive with its directory read, kept for the next member; ``at`` leads to an archive inside it."""
    if not at:
        return zipfile.ZipFile(path)
    outer = _opened(path, changed, size, at[:-1], max_bytes)
    return zipfile.ZipFile(_unpacked(outer, outer.infolist()[at[-1]], max_bytes))


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> IO[bytes]:
    """An archive inside another, in a temporary file."""
    target: Any = tempfile.TemporaryFile()  # noqa: SIM115 (the caller closes it)
    left = limit
    with archive.open(info) as stream:
        while block := stream.read(_BLOCK):
            left -= len(block)
            if left < 0:
                raise zipfile.BadZipFile("longer than its directory says")
            target.write(block)
    target.seek(0)
    result: IO[bytes] = target
    return result


def _check_directory(stream: IO[bytes]) -> None:
    """Refuses an archive whose list of members alone is a bomb: zipfile would make an object of each entry."""
    find: Any = getattr(zipfile, "_EndRecData", None)
    try:
        end = find(stream) if find else None
    except Exception:  # broken: zipfile.ZipFile says so
        end = None
    if end and end[5] > _DIRECTORY_BYTES:  # 5: the size of the central directory
        raise _TooMuch(f"中のファイルが多すぎます。{_UNPACK}")
    stream.seek(0)


def _too_large(size: int, limit: int) -> str:
    return (
        f"大きすぎます（{size / 1024**2:,.1f}MB、上限{limit / 1024**2:,.1f}MB）。"
        "ファイルを分けるか、設定 max_file_mb（HYOKA_MAX_FILE_MB）を上げてください。"
    )
