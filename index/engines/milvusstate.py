"""What was sent of an index to Milvus, written down beside it: ``milvus/`` in the index folder.

A snapshot that is all there has ``<id>.json``; one that is on its way has ``<id>.part.json``, which says how far it got.
Each is written in one step, so whoever reads finds the old or the new. The counts of words stand by themselves, one file
for each piece of a collection.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from corpus.errors import IndexNotSent
from index.engines.bm25 import Statistics

FOLDER = "milvus"
_WHOLE, _PART, _COUNTS = ".json", ".part.json", ".npz"
SEND = "hyoka milvus で索引を送ってください。"


@dataclass(frozen=True, slots=True)
class Piece:
    """Chunks that were written together: of a build, or of one addition to it.

    In the snapshot they are ``chunks`` chunks from number ``first`` on; in the collection they have the ``serial`` number,
    and are ``rows`` rows. ``key`` is a checksum of what they are made from: the same key is the same piece.
    """

    key: str
    serial: int
    first: int
    chunks: int
    rows: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A snapshot in Milvus: the pieces of a ``collection`` that it is made of, in order.

    The collection was made for ``made_for`` rows; ``words`` says whether it holds sparse vectors.
    """

    collection: str
    pieces: tuple[Piece, ...]
    made_for: int
    words: bool

    @property
    def chunks(self) -> int:
        """All its chunks, those that were not sent included."""
        return sum(piece.chunks for piece in self.pieces)

    @property
    def rows(self) -> int:
        """The chunks that were sent."""
        return sum(piece.rows for piece in self.pieces)

    @property
    def serials(self) -> list[int]:
        """The numbers of its pieces."""
        return [piece.serial for piece in self.pieces]


@dataclass(frozen=True, slots=True)
class Part:
    """A snapshot on its way: of the pieces that are ``new``, all chunks before number ``next`` are there."""

    sent: Sent
    new: tuple[int, ...]
    next: int


class SentSnapshots:
    """The account of one index folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER

    def sent(self, name: str) -> Sent | None:
        """What there is of a snapshot; None where it was never sent to its end."""
        found = self._read(name + _WHOLE)
        return None if found is None else _sent(found)

    def part(self, name: str) -> Part | None:
        """How far a snapshot got."""
        found = self._read(name + _PART)
        return None if found is None else Part(_sent(found["sent"]), tuple(found["new"]), found["next"])

    def statistics(self, sent: Sent) -> Statistics:
        """The counts of a snapshot's words; raises IndexNotSent where they cannot be read."""
        try:
            return Statistics.joined([Statistics.read(self._counts(sent.collection, one)) for one in sent.serials])
        except (OSError, ValueError, KeyError) as error:
            raise IndexNotSent(f"Milvus に送った索引の記録を読めません（{error}）。{SEND}") from error

    def count(self, collection: str, serial: int, statistics: Statistics) -> None:
        """Writes down the counts of a piece."""
        self._folder.mkdir(parents=True, exist_ok=True)
        statistics.write(self._counts(collection, serial))

    def go_on(self, name: str, part: Part) -> None:
        """Writes down how far a snapshot got."""
        self._write(name + _PART, asdict(part))

    def finish(self, name: str, sent: Sent) -> None:
        """Writes down that a snapshot is all there, or what of it is there now."""
        self._write(name + _WHOLE, asdict(sent))
        (self._folder / (name + _PART)).unlink(missing_ok=True)

    def all(self) -> dict[str, Sent]:
        """The snapshots that are there, or on their way."""
        found: dict[str, Sent] = {}
        for file in sorted(self._folder.glob("*.json")) if self._folder.is_dir() else ():
            name = file.name.removesuffix(_PART).removesuffix(_WHOLE)
            one = self.sent(name)
            if one is None and (part := self.part(name)) is not None:
                one = part.sent
            if one is not None:
                found[name] = one
        return found

    def forget(self, name: str, collection: str, serials: Collection[int]) -> None:
        """Forgets a snapshot, and the counts of pieces that are nobody's any more."""
        for file in (self._folder / (name + _WHOLE), self._folder / (name + _PART)):
            file.unlink(missing_ok=True)
        for serial in serials:
            self._counts(collection, serial).unlink(missing_ok=True)

    def _counts(self, collection: str, serial: int) -> Path:
        return self._folder / f"{collection}.{serial}{_COUNTS}"

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


def _sent(table: dict[str, Any]) -> Sent:
    pieces: Sequence[dict[str, Any]] = table["pieces"]
    return Sent(table["collection"], tuple(Piece(**one) for one in pieces), table["made_for"], table["words"])
