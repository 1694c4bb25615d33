"""Snapshots in Milvus: sent before they are live, opened for searching, dropped when they are swept.

Every whole build gets a collection of its own, which is complete before ``CURRENT`` names the snapshot. A snapshot that
adds to another one shares its collection: chunk numbers go on after those of the other, and who reads the other one asks
for its numbers only. So a reader sees the old or the new, never half of either.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from pathlib import Path

from corpus.errors import EngineError, EngineUnavailable, IndexNotSent
from index.engines.bm25 import Statistics
from index.engines.milvus import MilvusFirstStage
from index.engines.milvusrows import SnapshotRows, spooled
from index.engines.milvusschema import create
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

    def publish(self, folder: Path, name: str, tell: Progress, base: str | None = None) -> None:
        """See :class:`index.firststage.Engine`.

        ``base`` is the snapshot whose chunks come first in this one; where Milvus has it, only the others are sent.
        """
        account = SentSnapshots(folder)
        before = self._there(account, base) if base is not None else None
        if self._there(account, name) is not None:
            return
        with ExitStack() as open_files:
            rows = open_files.enter_context(
                SnapshotRows.of(folder / SNAPSHOTS / name, 0 if before is None else before.chunks)
            )
            part = self._begin(account, name, rows, before)
            words = self.server.sparse if before is None else before.words
            spool = open_files.enter_context(spooled()) if words else None
            statistics: Statistics | None = None
            if spool is not None:
                tell("Milvus に送る語の集計", 0, 0)
                statistics = rows.counted(spool).statistics(
                    None if base is None or before is None else account.statistics(base)
                )
            fresh = before is None and part.next == rows.first
            for end, batch in rows.batches(spool, statistics, part.next):
                if batch:
                    self.server.write(part.collection, [row.stored() for row in batch], fresh)
                fresh = before is None  # what was written when an earlier try stopped is written over, once
                part = Part(part.collection, end)
                account.go_on(name, part)
                tell("Milvus への送信", end - rows.first, rows.chunks - rows.first)
            self.server.flush(part.collection)
            self.server.load(part.collection)
            found = self.server.count(part.collection, f"chunk >= {rows.first} and chunk < {rows.chunks}")
            if found != rows.count:
                raise EngineUnavailable(f"Milvus に送った{rows.count:,}件のうち{found:,}件しか届いていません。{SEND}")
            made_for = rows.count if before is None else before.made_for
            whole = rows.count + (0 if before is None else before.rows)
            account.finish(name, Sent(part.collection, rows.chunks, whole, made_for, words), statistics)

    def _begin(self, account: SentSnapshots, name: str, rows: SnapshotRows, before: Sent | None) -> Part:
        """Where to go on: in the collection of ``before``, in one that was begun, or in a new one."""
        part = account.part(name)
        goes_on = part is not None and (before is None or before.collection == part.collection)
        if part is not None and goes_on and self.server.has(part.collection):
            return Part(part.collection, max(part.next, rows.first))
        if before is not None:
            return Part(before.collection, rows.first)
        collection = "hyoka_" + re.sub(r"\W", "_", name)
        if self.server.has(collection):
            self.server.drop(collection)
        with self.server.asking("索引の用意"):
            partitions = max(1, min(_PARTITIONS, rows.municipalities))
            client, words = self.server.client, self.server.sparse
            create(client, collection, rows.dim, rows.count, partitions, words, WRITE_SECONDS)
        account.go_on(name, Part(collection, 0))
        return Part(collection, 0)

    def open(self, path: Path, chunks: int, local: FirstStage) -> FirstStage:
        """See :class:`index.firststage.Engine`."""
        account = SentSnapshots(path.parent.parent)
        sent = self._there(account, path.name)
        if sent is None or sent.chunks != chunks:
            raise IndexNotSent(f"索引 {path.parent.parent} は Milvus（{self.server.shown}）に送られていません。{SEND}")
        statistics = account.statistics(path.name) if sent.words else None
        return MilvusFirstStage(self.server, sent.collection, sent.chunks, sent.made_for, statistics, local)

    def _there(self, account: SentSnapshots, name: str) -> Sent | None:
        """What Milvus has of a snapshot, if that is all of it."""
        sent = account.sent(name)
        if sent is None or not self.server.has(sent.collection):
            return None
        self.server.load(sent.collection)
        return sent if self.server.count(sent.collection, f"chunk < {sent.chunks}") == sent.rows else None

    def remove(self, folder: Path, name: str, chunks: Sequence[int]) -> None:
        """Removes chunks that no kept snapshot shows any more from the collection of snapshot ``name``."""
        account = SentSnapshots(folder)
        sent = account.sent(name)
        if sent is None or not chunks:
            return
        self.server.delete(sent.collection, chunks)
        for other, collection in account.names().items():
            one = account.sent(other) if collection == sent.collection else None
            if one is not None:
                account.recounted(other, self.server.count(collection, f"chunk < {one.chunks}"))

    def sweep(self, folder: Path, kept: Collection[str]) -> None:
        """See :class:`index.firststage.Engine`. What cannot be dropped now is dropped the next time."""
        account = SentSnapshots(folder)
        known = account.names()
        used = {collection for name, collection in known.items() if name in kept}
        for name in known.keys() - set(kept):
            try:
                if known[name] not in used and self.server.has(known[name]):
                    self.server.drop(known[name])
            except EngineError:
                continue
            account.forget([name])
