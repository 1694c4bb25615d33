"""Files, folders and archives as the list of files to read, in an order that is the same every time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from corpus.archives import ENDING, Limits, list_members, read_member
from corpus.documents import Document
from corpus.errors import DocumentError
from corpus.readers import MAX_BYTES, READERS, advice, document_from, read_document

# What systems and programs leave beside people's files, and what describes a folder.
_PASSING = (".tmp", ".temp", ".part", ".partial", ".crdownload", ".filepart")  # on their way to their own name
_LEFTOVERS = {"thumbs.db", "desktop.ini", "__macosx", "readme.md", "readme.txt"}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file that was found. ``name`` is its path relative to the given folder, with forward slashes.

    ``skipped`` is the reason why it is not read (a Japanese sentence with the next step), empty for a file to read.
    A file in a ZIP archive has the archive's ``path``, and ``member`` is where it stands in there.
    """

    path: Path
    name: str
    skipped: str = ""
    member: tuple[int, ...] = ()

    @property
    def suffix(self) -> str:
        """The kind of file, in small letters with the dot: ``.pdf``."""
        return PurePosixPath(self.name).suffix.lower() if self.member else self.path.suffix.lower()


def find_files(sources: Iterable[str | Path], max_bytes: int = MAX_BYTES) -> list[SourceFile]:
    """Every file under the sources, sorted within each folder; the same file is listed once.

    The files of a ZIP archive stand in its place, each a file of its own (``まとめ.zip/所管課/評価.pdf``); ``max_bytes``
    for one file sets the limits of what an archive may unpack to. Hidden files, temporary files
    (``~$集計.xlsx``, ``集計.tmp``) and what systems leave behind are left out in silence; kinds that are not read and sources that do
    not exist come back as skipped. Two files of the same name from different sources keep apart: the later one gets
    its source's folder name in front.
    """
    found: list[SourceFile] = []
    seen: set[Path] = set()
    names: set[str] = set()
    for source in sources:
        root = Path(source)
        if not root.exists():
            reason = f"{root}: 見つかりません。パスを確かめて、もう一度実行してください。"
            found.append(SourceFile(root, str(root), reason))
            continue
        base = root if root.is_dir() else root.parent
        for path, problem in _walk(root):
            real = path.resolve()
            if real in seen:
                continue
            seen.add(real)
            name = path.relative_to(base).as_posix()
            if name in names:
                name = _apart(f"{base.resolve().name}/{name}", names)
            names.add(name)
            if not problem and path.exists() and not path.is_file():  # reading a pipe would wait for ever
                problem = "ふつうのファイルではありません（パイプや装置）。ファイルを指定してください。"
            if not problem and path.suffix.lower() == ENDING:
                found += _unpacked(path, name, max_bytes, names)
                continue
            if not problem and path.suffix.lower() not in READERS:
                problem = advice(path.suffix)
            found.append(SourceFile(path, name, f"{name}: {problem}" if problem else ""))
    return found


def read_source(file: SourceFile, max_bytes: int = MAX_BYTES) -> Document:
    """A file that was found, as a document; raises a DocumentError like :func:`corpus.readers.read_document`."""
    if not file.member:
        return read_document(file.path, file.name, max_bytes)
    return document_from(read_member(file.path, file.member, file.name, max_bytes), file.name)


def source_bytes(file: SourceFile, max_bytes: int = MAX_BYTES) -> bytes:
    """The bytes of a file that was found; raises a DocumentError or an OSError where it is gone."""
    if file.member:
        return read_member(file.path, file.member, file.name, max_bytes)
    return file.path.read_bytes()


def digest(file: SourceFile, max_bytes: int = MAX_BYTES) -> str:
    """The SHA-256 of a file's bytes; "" for one that is empty or cannot be read, which its reader will explain."""
    try:
        if file.member:
            data = read_member(file.path, file.member, file.name, max_bytes)
            return hashlib.sha256(data).hexdigest() if data else ""
        if not 0 < file.path.stat().st_size <= max_bytes:
            return ""
        with file.path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except (DocumentError, OSError):
        return ""


def _unpacked(path: Path, name: str, max_bytes: int, names: set[str]) -> Iterator[SourceFile]:
    """The files of an archive, or the archive itself with the reason why it is not read."""
    try:
        members = list_members(path, name, Limits.of(max_bytes), _wanted)
    except DocumentError as error:
        yield SourceFile(path, name, error.message)
        return
    empty = True
    for member in members:
        if any(left_out(part) for part in member.name.split("/")):
            continue
        empty = False
        full = _apart(f"{name}/{member.name}", names)
        names.add(full)
        suffix = PurePosixPath(full).suffix.lower()
        problem = member.problem or ("" if suffix in READERS else advice(suffix))
        yield SourceFile(path, full, f"{full}: {problem}" if problem else "", member.at)
    if empty:
        yield SourceFile(path, name, f"{name}: 中にファイルがありません。元の圧縮ファイルを確かめてください。")


def _wanted(name: str) -> bool:
    """Whether a file in an archive is to be read or, as an archive, to be looked into."""
    parts = name.split("/")
    suffix = PurePosixPath(name).suffix.lower()
    return (suffix in READERS or suffix == ENDING) and not any(left_out(part) for part in parts)


def _apart(name: str, names: set[str]) -> str:
    path = PurePosixPath(name)
    candidate, number = name, 2
    while candidate in names:
        candidate, number = path.with_name(f"{path.stem} ({number}){path.suffix}").as_posix(), number + 1
    return candidate


def _walk(root: Path) -> Iterable[tuple[Path, str]]:
    """Files in sorted order, each with the reason it cannot be listed ("" for the rest)."""
    if not root.is_dir():
        return [(root, "")]
    listed: list[tuple[Path, str]] = []

    def unreadable(error: OSError) -> None:
        listed.append((Path(error.filename), "フォルダを開けません。権限を確かめて、もう一度実行してください。"))

    for folder, folders, files in os.walk(root, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not left_out(name))
        listed += [(Path(folder) / name, "") for name in sorted(files) if not left_out(name)]
    return listed


def left_out(name: str) -> bool:
    """Whether a file or folder of that name is none of people's: hidden, temporary (~$集計.xlsx), left by a system."""
    return (
        name.startswith((".", "~$", "~"))
        or name.endswith("~")
        or name.lower() in _LEFTOVERS
        or name.lower().endswith(_PASSING)
    )
