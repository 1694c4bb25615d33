"""The file of a backup: a tar with a checksum of everything in it, whole or not there at all.

Its last member, ``hyoka-backup.json``, lists the SHA-256 of all others and carries one of itself, so that an archive that
was cut off or changed anywhere is known for one.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from errno import ENOSPC
from pathlib import Path, PurePosixPath
from typing import IO, Any

from corpus.errors import BackupDamaged, BackupError
from index.manifest import CHECKSUM, summed

TABLE = "hyoka-backup.json"
FORMAT = 1
_PIECE = 1 << 20
_OTHER = "ほかの控えを使うか、写し直してください。"


@dataclass(frozen=True, slots=True)
class Backup:
    """What an archive says of itself: when and from which snapshot it was made, what it holds, each file's SHA-256."""

    created: datetime
    snapshot: str
    holds: dict[str, int]
    files: dict[str, str]

    def dumps(self) -> str:
        """The JSON text."""
        table: dict[str, Any] = {
            "format": FORMAT,
            "created": self.created.isoformat(timespec="seconds"),
            "snapshot": self.snapshot,
            "holds": self.holds,
            "files": self.files,
        }
        return json.dumps({**table, CHECKSUM: summed(table)}, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def loads(cls, text: str) -> Backup:
        """Reads what :meth:`dumps` wrote; ValueError, KeyError or TypeError for anything else."""
        table = json.loads(text)
        if table.pop(CHECKSUM) != summed(table) or table["format"] != FORMAT:
            raise ValueError("not what was written")
        created = datetime.fromisoformat(table["created"])
        return cls(created, str(table["snapshot"]), dict(table["holds"]), dict(table["files"]))


class ArchiveWriter:
    """Adds files to an archive; see :func:`writing_archive`."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._tar = tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115 (closed in finish)
        self.files: dict[str, str] = {}

    def add(self, name: str, content: IO[bytes], size: int) -> str:
        """Adds ``size`` bytes under a name and returns their SHA-256."""
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode, entry.mtime = size, 0o600, int(datetime.now(UTC).timestamp())
        summing = _Summing(content)
        self._tar.addfile(entry, summing)
        self.files[name] = summing.digest.hexdigest()
        return self.files[name]

    def add_bytes(self, name: str, data: bytes) -> None:
        """Adds a small file."""
        self.add(name, io.BytesIO(data), len(data))

    def finish(self, snapshot: str, holds: Mapping[str, int]) -> Backup:
        """Writes the table and the end."""
        told = Backup(datetime.now(UTC), snapshot, dict(holds), self.files)
        data = told.dumps().encode()
        entry = tarfile.TarInfo(TABLE)
        entry.size, entry.mode = len(data), 0o600
        self._tar.addfile(entry, io.BytesIO(data))
        self._tar.close()
        return told


class _Summing:
    """A stream whose bytes are summed as they are read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.digest.update(data)
        return data


@contextmanager
def writing_archive(file: Path) -> Iterator[ArchiveWriter]:
    """An archive that appears under its name when the block has ended well, and of which nothing stays where it has not.

    Only its owner may read it: conversations stand in it, and the passwords of a ``hyoka.toml``.
    """
    half = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            yield ArchiveWriter(stream)
            stream.flush()
            os.fsync(stream.fileno())
        half.replace(file)
        handle = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        why = "ディスクの空きがありません" if error.errno == ENOSPC else error.strerror or str(error)
        raise BackupError(f"控え {file} を書き込めません（{why}）。場所、空き容量、権限を確かめてください。") from error
    finally:
        with suppress(OSError):
            half.unlink()


def unpack(file: Path, folder: Path, wanted: Callable[[str], bool] = lambda name: True) -> Backup:
    """Takes the files of an archive apart into an empty ``folder``, those that are ``wanted``, and compares all of it with
    its checksums. Raises BackupDamaged, where it is not exactly what was written."""
    found: dict[str, str] = {}
    told: Backup | None = None
    try:
        with tarfile.open(file, "r|") as tar:
            for entry in tar:
                if told is not None or not _plain(entry) or entry.name in found:
                    raise BackupDamaged(f"控え {file} は hyoka の控えではないか、壊れています。{_OTHER}")
                stream = tar.extractfile(entry)
                assert stream is not None
                if entry.name == TABLE:
                    told = Backup.loads(stream.read().decode())
                    continue
                found[entry.name] = _copied(stream, folder / entry.name if wanted(entry.name) else None)
    except FileNotFoundError as error:
        raise BackupError(f"控え {file} がありません。ファイルの場所を確かめてください。") from error
    except (tarfile.TarError, ValueError, KeyError, TypeError, AttributeError, EOFError) as error:
        raise BackupDamaged(f"控え {file} は hyoka の控えではないか、壊れています（{error}）。{_OTHER}") from error
    except OSError as error:
        why = "ディスクの空きがありません" if error.errno == ENOSPC else error.strerror or str(error)
        raise BackupError(f"控え {file} を取り出せません（{why}）。空き容量と権限を確かめてください。") from error
    if told is None:
        raise BackupDamaged(f"控え {file} は途中で切れています。{_OTHER}")
    if found != told.files:
        wrong = sorted({*found.items()} ^ {*told.files.items()})[0][0]
        raise BackupDamaged(f"控え {file} の中の {wrong} が壊れています。{_OTHER}")
    return told


def _plain(entry: tarfile.TarInfo) -> bool:
    """A file whose name stays within a folder."""
    name = PurePosixPath(entry.name)
    return entry.isreg() and not name.is_absolute() and ".." not in name.parts and "\\" not in entry.name


def _copied(stream: IO[bytes], place: Path | None) -> str:
    digest = hashlib.sha256()
    if place is not None:
        place.parent.mkdir(parents=True, exist_ok=True)
    with (place or Path(os.devnull)).open("wb") as out:
        while data := stream.read(_PIECE):
            digest.update(data)
            out.write(data)
        if place is not None:
            out.flush()
            os.fsync(out.fileno())
    return digest.hexdigest()
