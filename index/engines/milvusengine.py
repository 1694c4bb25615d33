"""Snapshots in Milvus: sent before they are live, opened for searching, dropped when they are swept.

A whole build gets a collection of its own. A snapshot that adds to it shares the collection: only the addition is sent, as a
piece with a number of its own, and every reader asks for the pieces of its snapshot and for no others. So a reader sees the
old or the new, never half of either.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from corpus.errors import EngineError, EngineUnavailable, IndexNotSent
from index.engines.milvus import MilvusFirstStage
from index.engines.milvusrows import SnapshotRows, spooled
from index.engines.milvusschema import create, primary_key, within
from index.engines.milvusserver import WRITE_SECONDS, MilvusServer
from index.engines.milvusstate import SEND, Part, Sent, SentSnapshots
from index.firststage import FirstStage, Progress
from index.manifest import SNAPSHOTS

_PARTITIONS = 64  # at most; municipalities share them beyond that


class MilvusEngine:
    """See :class:`index.firststage.Engine`."""

    def __init__(self, server: MilvusServer) -> None:
        self.server = server

    def check(self) -> None:
        """Raises EngineUnavailable where the server does not answer."""
        self.server.collections()

    def publish(self, folder: Path, name: str, tell: Progress) -> None:
        """See :class:`index.firststage.Engine`. Only what no snapshot before it has sent is sent."""
        account = SentSnapshots(folder)
        if self._there(account.sent(name)):
            return
        with SnapshotRows.of(folder / SNAPSHOTS / name) as rows:
            again = account.part(name) is not None  # of the first batch, some may have arrived unnoticed
            part = self._begin(account, name, rows)
            means = None
            if part.sent.words and 0 not in part.new:
                means = account.statistics(replace(part.sent, pieces=part.sent.pieces[:1])).means
            for piece in part.sent.pieces:
                if piece.serial not in part.new:
                    continue
                with spooled() as spool:
                    if part.sent.words:
                        tell("Milvus に送る語の集計", 0, 0)
                        statistics = rows.counted(piece, spool).statistics(means)
                        means = statistics.means
                        account.count(part.sent.collection, piece.serial, statistics)
                    for end, batch in rows.batches(piece, spool, means, part.next):
                        if batch:
                            stored = [row.stored(piece.serial) for row in batch]
                            self.server.write(part.sent.collection, stored, new=not again)
                        again = False
                        part = replace(part, next=end)
                        account.go_on(name, part)
                        tell("Milvus への送信", end, rows.chunks)
        self.server.flush(part.sent.collection)
        self.server.load(part.sent.collection)
        found = self.server.count(part.sent.collection, within(part.sent.serials))
        if found != part.sent.rows:
            self.server.delete_where(part.sent.collection, within(part.new))
            account.go_on(name, replace(part, next=0))
            raise EngineUnavailable(
                f"Milvus に送った{part.sent.rows:,}件のうち{found:,}件しか届いていません。もう一度、{SEND}"
            )
        account.finish(name, part.sent)

    def _begin(self, account: SentSnapshots, name: str, rows: SnapshotRows) -> Part:
        """Where to go on: where an earlier try stopped, in the collection of the build that this adds to, or in a new one."""
        part = account.part(name)
        if part is not None and self.server.has(part.sent.collection):
            return part
        known = account.all()
        whole = [one for other in known if (one := account.sent(other)) is not None and self._there(one)]
        base = next((one for one in whole if one.pieces[0].key == rows.pieces[0].key), None)
        if base is None:
            return self._begin_collection(account, name, rows)
        there = {piece.key: piece for one in whole if one.collection == base.collection for piece in one.pieces}
        serial = 1 + max(max(one.serials) for one in known.values() if one.collection == base.collection)
        pieces, new = [], []
        for piece in rows.pieces:
            if piece.key in there:
                pieces.append(replace(there[piece.key], first=piece.first))
            else:
                pieces.append(replace(piece, serial=serial))
                new.append(serial)
                serial += 1
        part = Part(replace(base, pieces=tuple(pieces)), tuple(new), 0)
        account.go_on(name, part)
        return part

    def _begin_collection(self, account: SentSnapshots, name: str, rows: SnapshotRows) -> Part:
        collection = "hyoka_" + re.sub(r"\W", "_", name)
        if self.server.has(collection):
            self.server.drop(collection)
        pieces = tuple(replace(piece, serial=serial) for serial, piece in enumerate(rows.pieces))
        count = sum(piece.rows for piece in pieces)
        part = Part(Sent(collection, pieces, count, self.server.sparse), tuple(range(len(pieces))), 0)
        with self.server.asking("索引の用意"):
            partitions = max(1, min(_PARTITIONS, rows.municipalities))
            create(self.server.client, collection, rows.dim, count, partitions, part.sent.words, WRITE_SECONDS)
        account.go_on(name, part)
        return part

    def open(self, path: Path, chunks: int, local: FirstStage) -> FirstStage:
        """See :class:`index.firststage.Engine`."""
        account = SentSnapshots(path.parent.parent)
        sent = account.sent(path.name)
        if sent is None or sent.chunks != chunks or not self._there(sent):
            raise IndexNotSent(f"索引 {path.parent.parent} は Milvus（{self.server.shown}）に送られていません。{SEND}")
        return MilvusFirstStage(self.server, sent, account.statistics(sent) if sent.words else None, local)

    def _there(self, sent: Sent | None) -> bool:
        """Whether Milvus has all of a snapshot."""
        if sent is None or not self.server.has(sent.collection):
            return False
        self.server.load(sent.collection)
        return self.server.count(sent.collection, within(sent.serials)) == sent.rows

    def remove(self, folder: Path, name: str, chunks: Sequence[int]) -> None:
        """Removes chunks of snapshot ``name`` that no kept snapshot shows any more. The others keep what they have."""
        account = SentSnapshots(folder)
        sent = account.sent(name)
        if sent is None:
            return
        gone = [
            primary_key(piece.serial, chunk - piece.first)
            for piece in sent.pieces
            for chunk in chunks
            if piece.first <= chunk < piece.first + piece.chunks
        ]
        self.server.delete(sent.collection, gone)
        left = {one: self.server.count(sent.collection, within([one])) for one in sent.serials}
        for other, one in account.all().items():
            if one.collection == sent.collection and account.sent(other) is not None:
                pieces = tuple(replace(piece, rows=left.get(piece.serial, piece.rows)) for piece in one.pieces)
                account.finish(other, replace(one, pieces=pieces))

    def sweep(self, folder: Path, kept: Collection[str]) -> None:
        """See :class:`index.firststage.Engine`. What cannot be dropped now is dropped the next time."""
        account = SentSnapshots(folder)
        known = account.all()
        for name in known.keys() - set(kept):
            collection = known[name].collection
            others = [one for other, one in known.items() if other in kept and one.collection == collection]
            gone = set(known[name].serials) - {serial for one in others for serial in one.serials}
            try:
                if self.server.has(collection):
                    if not others:
                        self.server.drop(collection)
                    elif gone:
                        self.server.delete_where(collection, within(sorted(gone)))
            except EngineError:
                continue
            account.forget(name, collection, gone)
