"""What was sent of an index to Milvus, written down beside it: ``milvus/`` in the index folder.

A snapshot that is all there has ``<id>.json`` (and ``<id>.npz``, the counts of its words); one that is on its way has
``<id>.part.json``, which says how far it got. Each is written in one step, so whoever reads finds the old or the new.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from corpus.errors import IndexNotSent
from index.engines.bm25 import Statistics

FOLDER = "milvus"
_WHOLE, _PART, _COUNTS = ".json", ".part.json", ".npz"
SEND = "hyoka milvus で索引を送ってください。"


@dataclass(frozen=True, slots=True)
class Sent:
    """A snapshot in Milvus: its chunks are the first ``chunks`` of a ``collection``, in ``rows`` rows.

    The collection was made for ``made_for`` rows; ``words`` says whether it holds sparse vectors.
    """

    collection: str
    chunks: int
    rows: int
    made_for: int
    words: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A snapshot on its way: all chunks before number ``next`` are in the ``collection``."""

    collection: str
    next: int


class SentSnapshots:
    """The account of one index folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER

    def sent(self, name: str) -> Sent | None:
        """What there is of a snapshot; None where it was never sent to its end."""
        found = self._read(name + _WHOLE)
        return None if found is None else Sent(**found)

    def part(self, name: str) -> Part | None:
        """How far a snapshot got."""
        found = self._read(name + _PART)
        return None if found is None else Part(**found)

    def statistics(self, name: str) -> Statistics:
        """The counts of a snapshot's words; raises IndexNotSent where they cannot be read."""
        try:
            return Statistics.read(self._folder / (name + _COUNTS))
        except (OSError, ValueError, KeyError) as error:
            raise IndexNotSent(f"Milvus に送った索引の記録を読めません（{error}）。{SEND}") from error

    def go_on(self, name: str, part: Part) -> None:
        """Writes down how far a snapshot got."""
        self._write(name + _PART, asdict(part))

    def finish(self, name: str, sent: Sent, statistics: Statistics | None) -> None:
        """Writes down that a snapshot is all there."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if statistics is not None:
            statistics.write(self._folder / (name + _COUNTS))
        self._write(name + _WHOLE, asdict(sent))
        (self._folder / (name + _PART)).unlink(missing_ok=True)

    def recounted(self, name: str, rows: int) -> None:
        """Writes down another number of rows."""
        if (sent := self.sent(name)) is not None:
            self._write(name + _WHOLE, asdict(replace(sent, rows=rows)))

    def names(self) -> dict[str, str]:
        """The snapshots that are there, whole or in part, and their collections."""
        found = {}
        for file in sorted(self._folder.glob("*.json")) if self._folder.is_dir() else ():
            if (read := self._read(file.name)) is not None:
                found[file.name.removesuffix(_PART).removesuffix(_WHOLE)] = str(read["collection"])
        return found

    def forget(self, names: Collection[str]) -> None:
        """Forgets snapshots."""
        for name in names:
            for ending in (_WHOLE, _PART, _COUNTS):
                (self._folder / (name + ending)).unlink(missing_ok=True)

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads((self._folder / name).read_text("utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise IndexNotSent(f"Milvus に送った索引の記録を読めません（{error}）。{SEND}") from error
        return found

    def _write(self, name: str, values: dict[str, Any]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        fresh = self._folder / f".{name}.new"
        fresh.write_text(json.dumps(values) + "\n", encoding="utf-8")
        fresh.replace(self._folder / name)
