"""What an index holds already, for a build that takes over the readings of files that have not changed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from corpus.documents import Document, SheetReading
from corpus.errors import IndexFolderError
from index.manifest import RECORDS, SNAPSHOTS, TABLES, current, read_manifest
from index.records import Records


class StoredReadings:
    """The readings in the live snapshot of an index folder; of none when there is no index that can be used.

    It needs neither the encoder nor the vectors, so readings outlive a change of the model.
    """

    def __init__(self, folder: Path) -> None:
        self._records = _records(folder)
        self._files = self._records.read_with() if self._records else {}

    def files(self) -> dict[str, str]:
        """The SHA-256 of every file in the index, by its name."""
        return {file: sha256 for file, (sha256, _) in self._files.items()}

    def reading(self, file: str, sha256: str, reader: str) -> tuple[Document, list[SheetReading]] | None:
        """A file's reading, if its bytes and the reading code are those it was made from and with; else None."""
        if self._records is None or self._files.get(file) != (sha256, reader):
            return None
        return self._records.reading(file)

    def close(self) -> None:
        """Closes the records."""
        if self._records is not None:
            self._records.close()


def _records(folder: Path) -> Records | None:
    try:
        manifest = read_manifest(folder, current(folder))
        file = folder / SNAPSHOTS / manifest.id / RECORDS
        with file.open("rb") as stream:
            intact = hashlib.file_digest(stream, "sha256").hexdigest() == manifest.files.get(RECORDS)
    except (IndexFolderError, OSError):
        return None
    return Records(file, file.with_name(TABLES)) if intact else None
