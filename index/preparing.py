"""Readings to what is written of them, wherever that is made, in their order; what was made before is taken up again."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from index.encoder import small_encoder
from index.parcels import Reading, packed
from index.prepared import Prepared, Preparer
from index.spool import FOLDER as BUILDING
from index.spool import Spool
from index.spread import Spread, in_order
from index.types import Encoder

logger = logging.getLogger(__name__)


def spool_of(folder: Path) -> Spool:
    """Where the builds of an index folder keep what they have prepared."""
    return Spool(folder / BUILDING)


def preparer_of(encoder: Encoder) -> Preparer:
    """What prepares readings for an index of this encoder: with its vectors, or with texts for it and the vectors of
    the bundled one beside a large model."""
    small = small_encoder(encoder)
    return Preparer(small) if small is encoder else Preparer(small, texts=True)


def once(readings: Iterable[Reading | Prepared], files: set[str]) -> Iterator[Reading | Prepared]:
    """The readings without those of a file that was there before; ``files`` are those that were there."""
    for one in readings:
        file = one.file if isinstance(one, Prepared) else one[0].file
        if file not in files:
            files.add(file)
            yield one


def prepared(
    readings: Iterator[Reading | Prepared], preparer: Preparer, spread: Spread, spool: Spool
) -> Iterator[Prepared]:
    """The readings prepared, in order; what a build that was stopped has prepared is taken from the ``spool``."""
    with spread(preparer) as hands:

        def begin(task: Prepared | _Packed) -> Future[Prepared | bytes]:
            done: Future[Prepared | bytes] = Future()
            kept = task if isinstance(task, Prepared) else spool.get(task.key)
            if kept is None:
                assert isinstance(task, _Packed)
                return hands.submit(task.reading)
            done.set_result(kept)
            return done

        tasks = (one if isinstance(one, Prepared) else _Packed.of(one, preparer) for one in readings)
        for task, future in in_order(begin, tasks, hands.ahead):
            if isinstance(task, Prepared):
                yield task
                continue
            try:
                data = future.result()
            except Exception:
                # A process that ran out of memory or was stopped costs time and no document; a fault of ours is met again.
                logger.exception("preparing %s elsewhere failed", task.file)
                data = preparer(task.reading)
            assert isinstance(data, bytes)
            spool.put(task.key, data)
            yield Prepared.loads(data)


@dataclass(frozen=True, slots=True)
class _Packed:
    """A reading as it is sent, and what its prepared form is kept under."""

    file: str
    reading: bytes
    key: bytes

    @classmethod
    def of(cls, reading: Reading, preparer: Preparer) -> _Packed:
        data = packed(reading)
        return cls(reading[0].file, data, preparer.key_of(data))
