"""What an index holds already, for a build that takes over the readings of files that have not changed."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection, Mapping
from pathlib import Path

from corpus.documents import Document, SheetReading
from corpus.errors import IndexFolderError
from index.manifest import DAMAGED, RECORDS, SNAPSHOTS, Manifest, current, read_manifest, verify
from index.records import read_reading
from index.recordsfiles import connect, schemas
from index.removed import Removed


class StoredReadings:
    """The readings in the live snapshot of an index folder; of none when there is no index that can be used.

    It needs neither the encoder nor the vectors, so readings outlive a change of the model. ``manifest`` is that of the
    snapshot. The records are compared with their checksums: now, or with ``later`` before the first reading is taken.
    """

    def __init__(self, folder: Path, later: bool = False) -> None:
        self._folder = folder
        self._db: sqlite3.Connection | None = None
        self.manifest: Manifest | None = None
        self.damaged = False
        self._checked = False
        self._files: dict[str, tuple[int, str, str]] = {}
        try:
            manifest = read_manifest(folder, current(folder))
            path = folder / SNAPSHOTS / manifest.id
            self._paths = {file: manifest.files[str(file.relative_to(path))] for file in manifest.places(path, RECORDS)}
            db = connect(list(self._paths))
            gone = Removed.read(path).documents
            parts = schemas(len(self._paths))
            # A part at a time: each has an index of just this, and never reads a text.
            rows = [
                row
                for part in parts
                for row in db.execute(f"SELECT file, document, sha256, reader FROM {part}.documents")
            ]
            self._refused = dict(db.execute(f"SELECT file, message FROM {parts[-1]}.refused ORDER BY rowid").fetchall())
        except (IndexFolderError, OSError, KeyError, ValueError, sqlite3.Error):
            self._refused = {}
            return
        self._db, self.manifest = db, manifest
        self.damaged = (path / DAMAGED).exists()
        found = sorted((row for row in rows if row[1] not in gone), key=lambda row: row[1])
        self._files = {file: (number, sha256, reader) for file, number, sha256, reader in found}
        if not later:
            self._intact()

    def files(self) -> dict[str, str]:
        """The SHA-256 of every file in the index, by its name."""
        return {file: sha256 for file, (_, sha256, _) in self._files.items()}

    def refused(self) -> Mapping[str, str]:
        """Why files could not be read when the index was made, by their names."""
        return self._refused

    def unchanged(self, file: str, sha256: str, reader: str) -> bool:
        """Whether a file's bytes and the reading code are those that its reading was made from and with."""
        return file in self._files and self._files[file][1:] == (sha256, reader)

    def whole(self) -> bool:
        """Whether all files of the snapshot are what was written, as far as opening it would see (:func:`verify`)."""
        if self.manifest is None:
            return False
        try:
            verify(self._folder, self._folder / SNAPSHOTS / self.manifest.id, self.manifest)
        except IndexFolderError:
            self.damaged = True
        return not self.damaged

    def reading(self, file: str, sha256: str, reader: str) -> tuple[Document, list[SheetReading]] | None:
        """A file's reading, where it is :meth:`unchanged`; else None."""
        if self._db is None or not self.unchanged(file, sha256, reader) or not self._intact():
            return None
        db = self._db
        return read_reading(lambda sql, values: db.execute(sql, values).fetchall(), self._files[file][0])

    def forget(self, files: Collection[str]) -> None:
        """From now on as if these files were not in the index."""
        self._files = {file: told for file, told in self._files.items() if file not in files}

    def _intact(self) -> bool:
        if not self._checked and self._db is not None:
            self._checked = True
            try:
                sound = all(_sha256(file) == expected for file, expected in self._paths.items())
            except OSError:
                sound = False
            if not sound:
                self.close()
                self.damaged = True
                self._files = {}
        return self._db is not None

    def close(self) -> None:
        """Closes the records."""
        if self._db is not None:
            self._db.close()
            self._db = None


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
