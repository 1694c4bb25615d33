"""The SHA-256 of files that have been read before, so that a folder of many gigabytes is not read to find what changed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from corpus.sources import SourceFile, digest

# A file written again within the same tick of the clock looks the same: what changed just now is not remembered.
_SETTLED = 2.0  # seconds
Stamp = list[int]


class Digests:
    """What :func:`corpus.sources.digest` says of a file, from the memory of earlier runs where the file is as it was.

    As it was is a file whose size, times of change (of its content and of its entry, which no program sets at will) and
    number on the disk are the same. ``memory`` is a JSON file; what cannot be read or written of it costs time, no more.
    """

    def __init__(self, memory: Path, clock: Callable[[], float] = time.time) -> None:
        self._memory = memory
        self._clock = clock
        self._known: dict[str, tuple[Stamp, str]] = {}
        self._seen: dict[str, tuple[Stamp, str]] = {}
        with suppress(OSError, ValueError, TypeError, AttributeError):
            told = json.loads(memory.read_text("utf-8"))
            self._known = {str(key): (list(stamp), str(sha256)) for key, (stamp, sha256) in told.items()}

    def __call__(self, file: SourceFile, max_bytes: int) -> str:
        """The SHA-256 in hexadecimal digits; "" for a file that is empty, too large or cannot be read."""
        try:
            stat = file.path.stat()
        except OSError:
            return ""
        # What a file may measure decides whether there is a digest at all.
        stamp = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, max_bytes]
        key = "\0".join((str(file.path.resolve()), *map(str, file.member)))
        known = self._seen.get(key) or self._known.get(key)
        if known is not None and known[0] == stamp:
            self._seen[key] = known
            return known[1]
        sha256 = digest(file, max_bytes)
        newest = max(stat.st_mtime_ns, stat.st_ctime_ns) / 1e9
        if sha256 and newest + _SETTLED < self._clock():
            self._seen[key] = (stamp, sha256)
        return sha256

    def save(self, others: bool = False) -> None:
        """Remembers the files that were asked for; with ``others`` also those that were not."""
        kept = {**self._known, **self._seen} if others else self._seen
        if kept == self._known:
            return
        beside = self._memory.with_name(f".{self._memory.name}.new")
        with suppress(OSError):
            beside.write_text(json.dumps(kept, ensure_ascii=False), "utf-8")
            beside.replace(self._memory)
