"""What an index folder says of itself: which snapshot is live, what it was made with, and the checksums of its files."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from corpus.errors import IndexDamaged, IndexMissing, IndexOutdated
from index.cosines import CosineScale, CosineScales

FORMAT = 4
CURRENT = "CURRENT"
SNAPSHOTS = "snapshots"
MANIFEST = "manifest.json"
RECORDS, TABLES, LEXICAL, WORDS = "records.sqlite", "tables", "lexical", "words"
VECTORS, SHEETS = "vectors.faiss", "sheets.npy"

PARTS = "parts"
DAMAGED = ".damaged"  # stands in a snapshot that was found to be: then nothing of it is taken over

ALWAYS_READ = 256 << 20
_VERIFIED = "verified.json"

MEND = "hyoka restore で控えから戻すか、hyoka index で索引を作り直してください。"
REBUILD = "hyoka index で索引を作り直してください。"
PERMISSION = "hyoka を動かす利用者が読めるように、フォルダーとファイルの権限を確かめてください。"
CHECKSUM = "sha256"  # of the manifest itself, in it
_KEYS = {"format", "id", "created", "encoder", "counts", "files", "sources", "parts", "removed", "made_with", CHECKSUM}


@dataclass(frozen=True, slots=True)
class Part:
    """What an update added: a folder within the snapshot, and how many chunks it has."""

    folder: str
    chunks: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What ``manifest.json`` says of a snapshot; ``files`` maps paths within it to SHA-256.

    ``cosines`` says how to read the cosines of an encoder that is not the bundled one (:mod:`index.cosines`).
    ``sources`` are the files and folders it was made from, as whole paths; none where that was not written down.
    ``parts`` are the additions of updates, oldest first, ``removed`` the chunks of what updates took out
    (:mod:`index.removed`); ``counts`` are of what is left and added. ``made_with`` is the state of the code that wrote it
    (:func:`index.prepared.preparing_version`).
    """

    format: int
    id: str
    created: datetime
    encoder: str
    encoder_digest: str
    dim: int
    counts: dict[str, int]
    files: dict[str, str]
    cosines: CosineScales | None = None
    sources: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    removed: int = 0
    made_with: str = ""

    def places(self, path: Path, name: str) -> list[Path]:
        """Where a file of this name stands in the snapshot's folder ``path``: the base's first, then the additions'."""
        return [path / name, *(path / part.folder / name for part in self.parts)]

    def records(self, kept: int = -1) -> set[str]:
        """The names of the records files, or of those of the additions after the first ``kept``."""
        additions = [f"{part.folder}/{RECORDS}" for part in self.parts]
        return {RECORDS, *additions} if kept < 0 else set(additions[kept:])

    def dumps(self) -> str:
        """The JSON text."""
        encoder: dict[str, Any] = {"name": self.encoder, "digest": self.encoder_digest, "dim": self.dim}
        if self.cosines is not None:
            encoder["cosines"] = [self.cosines.passages.numbers(), self.cosines.sheets.numbers()]
        head = {"format": self.format, "id": self.id, "created": self.created.isoformat(timespec="seconds")}
        table = {**head, "encoder": encoder, "counts": self.counts, "files": self.files}
        if self.sources:
            table["sources"] = list(self.sources)
        if self.parts:
            table["parts"] = [[part.folder, part.chunks] for part in self.parts]
            table["removed"] = self.removed
        if self.made_with:
            table["made_with"] = self.made_with
        return json.dumps({**table, CHECKSUM: summed(table)}, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def loads(cls, text: str) -> Manifest:
        """Reads what :meth:`dumps` wrote; ValueError, KeyError or TypeError for anything else.

        Everything else has its checksum here, so it has one too. Earlier versions wrote none; that an unknown key is refused
        leaves no flipped bit that would make of today's manifest one of those.
        """
        t = json.loads(text)
        if not t.keys() <= _KEYS or t.pop(CHECKSUM, None) not in (None, summed(t)):
            raise ValueError("the manifest is not what was written")
        e = t["encoder"]
        created = datetime.fromisoformat(t["created"])
        cosines = CosineScales(*(CosineScale(*map(float, four)) for four in e["cosines"])) if "cosines" in e else None
        counts, files = dict(t["counts"]), dict(t["files"])
        sources = tuple(map(str, t.get("sources", ())))
        parts = tuple(Part(str(folder), int(chunks)) for folder, chunks in t.get("parts", ()))
        return cls(
            t["format"], t["id"], created, e["name"], e["digest"], e["dim"], counts, files, cosines, sources, parts,
            int(t.get("removed", 0)), str(t.get("made_with", "")),
        )  # fmt: skip


def summed(table: Mapping[str, Any]) -> str:
    """The SHA-256 of a JSON table, in whatever way its text is written."""
    return hashlib.sha256(json.dumps(table, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def current(folder: Path) -> str:
    """The id of the live snapshot of an index folder; it changes when a new build has finished."""
    try:
        name = (folder / CURRENT).read_text("utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        raise IndexMissing(f"{folder} にはまだ索引がありません。hyoka index で資料を読み込んでください。") from None
    except PermissionError as error:
        raise IndexDamaged(f"索引 {folder} の CURRENT を読む権限がありません。{PERMISSION}") from error
    except (OSError, ValueError) as error:
        raise IndexDamaged(f"索引 {folder} の CURRENT を読めません（{error}）。{MEND}") from error
    if not name or name != Path(name).name:
        raise IndexDamaged(f"索引 {folder} の CURRENT が壊れています。{MEND}")
    return name


def read_manifest(folder: Path, name: str) -> Manifest:
    """The manifest of a snapshot; raises IndexOutdated for another format, IndexDamaged where it cannot be read."""
    try:
        text = (folder / SNAPSHOTS / name / MANIFEST).read_text("utf-8")
        version = json.loads(text)["format"]
        if version == FORMAT:
            manifest = Manifest.loads(text)
            if manifest.id != name:
                raise ValueError(f"the manifest of {manifest.id}")
            return manifest
    except PermissionError as error:
        raise IndexDamaged(f"索引 {folder} の目録（{name}/{MANIFEST}）を読む権限がありません。{PERMISSION}") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise IndexDamaged(f"索引 {folder} の目録（{name}/{MANIFEST}）が壊れています。{MEND}") from error
    message = f"索引 {folder} は別の版の hyoka で作られています（形式 {version}、必要な形式 {FORMAT}）。"
    raise IndexOutdated(message + REBUILD)


def verify(folder: Path, path: Path, manifest: Manifest) -> None:
    """A flipped bit is read silently by FAISS, so every file is compared with its checksum before it is used.

    Of a snapshot of more than :data:`ALWAYS_READ` bytes that is done once: what was found right is written down with
    the sizes and times of the files, and as long as these stay, nothing is read again.
    """
    if not verified(path, manifest):
        check(folder, path, manifest)
        mark_verified(path, manifest)


def check(folder: Path, path: Path, manifest: Manifest, names: Collection[str] | None = None) -> None:
    """Reads the files of a snapshot, or those of some ``names``, whatever was read before; raises IndexDamaged.

    For whoever writes anew what stands in them: with a checksum of its own, damage would be damage no longer.
    """
    for name, what in differences(path, manifest, names):
        if what == UNREADABLE:
            raise IndexDamaged(f"索引 {folder} のファイル {name} {what}。{PERMISSION}")
        _mark_damaged(path)
        raise IndexDamaged(f"索引 {folder} のファイル {name} {what}。{MEND}")


UNREADABLE = "を読む権限がありません"


def differences(path: Path, manifest: Manifest, names: Collection[str] | None = None) -> Iterator[tuple[str, str]]:
    """Reads the files of a snapshot, or those of some ``names``; gives those that are not what was written, each with a
    Japanese predicate that says why."""
    for name, expected in manifest.files.items():
        if names is not None and name not in names:
            continue
        try:
            with (path / name).open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
        except PermissionError:
            yield name, UNREADABLE
        except OSError as error:
            yield name, f"を読めません（{error.strerror}）"
        else:
            if found != expected:
                yield name, "が壊れています"


def verified(path: Path, manifest: Manifest) -> bool:
    """Whether a large snapshot was read as a whole and found right, and no file of it has changed since."""
    stamps = _stamps(path, manifest)
    return _large(stamps) and _read_json(path / _VERIFIED) == stamps


def mark_verified(path: Path, manifest: Manifest) -> None:
    """Writes down that all files of a snapshot are right, where it is large."""
    stamps = _stamps(path, manifest)
    if _large(stamps):
        beside = path / f".{_VERIFIED}-{os.getpid()}"
        with suppress(OSError):  # a folder that cannot be written is read anew each time
            beside.write_text(json.dumps(stamps), "utf-8")
            beside.replace(path / _VERIFIED)


def _stamps(path: Path, manifest: Manifest) -> dict[str, list[int]]:
    try:
        return {name: _stamp(path / name) for name in manifest.files}
    except OSError:
        return {}


def _large(stamps: Mapping[str, Sequence[int]]) -> bool:
    return sum(size for size, *_ in stamps.values()) > ALWAYS_READ


def _mark_damaged(path: Path) -> None:
    """So that the next ``hyoka index`` builds anew, where an update would link the damaged file once more."""
    with suppress(OSError):
        (path / DAMAGED).touch()


def _stamp(file: Path) -> list[int]:
    """What changes when a file is written, replaced or copied; not its ctime, which every link of an update moves."""
    told = file.stat()
    return [told.st_size, told.st_mtime_ns, told.st_ino]


def _read_json(file: Path) -> Any:
    try:
        return json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
