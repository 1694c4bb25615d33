"""Files and folders as the list of files to read, in an order that is the same every time."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from corpus.readers import READERS, advice

# What systems and programs leave beside people's files, and what describes a folder.
_LEFTOVERS = {"thumbs.db", "desktop.ini", "__macosx", "readme.md", "readme.txt"}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file that was found. ``name`` is its path relative to the given folder, with forward slashes.

    ``skipped`` is the reason why it is not read (a Japanese sentence with the next step), empty for a file to read.
    """

    path: Path
    name: str
    skipped: str = ""


def find_files(sources: Iterable[str | Path]) -> list[SourceFile]:
    """Every file under the sources, sorted within each folder; the same file is listed once.

    Hidden files, temporary files of Office (``~$集計.xlsx``) and what systems leave behind are left out in silence;
    kinds that are not read and sources that do not exist come back as skipped. Two files of the same name from
    different sources keep apart: the later one gets its source's folder name in front.
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
            if not problem and path.suffix.lower() not in READERS:
                problem = advice(path.suffix)
            found.append(SourceFile(path, name, f"{name}: {problem}" if problem else ""))
    return found


def _apart(name: str, names: set[str]) -> str:
    candidate, number = name, 2
    while candidate in names:
        candidate, number = f"{name} ({number})", number + 1
    return candidate


def _walk(root: Path) -> Iterable[tuple[Path, str]]:
    """Files in sorted order, each with the reason it cannot be listed ("" for the rest)."""
    if not root.is_dir():
        return [(root, "")]
    listed: list[tuple[Path, str]] = []

    def unreadable(error: OSError) -> None:
        listed.append((Path(error.filename), "フォルダを開けません。権限を確かめて、もう一度実行してください。"))

    for folder, folders, files in os.walk(root, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not _left_out(name))
        listed += [(Path(folder) / name, "") for name in sorted(files) if not _left_out(name)]
    return listed


def _left_out(name: str) -> bool:
    return name.startswith((".", "~$", "~")) or name.endswith("~") or name.lower() in _LEFTOVERS
