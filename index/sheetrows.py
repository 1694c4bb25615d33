"""Rows of a records table sheet by sheet, kept in memory for the sheets asked about lately."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Row = TypeVar("Row")


class SheetRows(Generic[Row]):
    """Reads what is missing in one go; the sheets not asked for longest make room once there are ``limit`` rows.

    ``read`` takes sheet numbers and gives (sheet number, row) in the order of the documents. Rows are shared between
    callers, so they must not be changed.
    """

    def __init__(self, read: Callable[[Sequence[int]], list[tuple[int, Row]]], limit: int) -> None:
        self._read = read
        self._limit = limit
        self._count = 0
        self._sheets: OrderedDict[int, list[Row]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, sheets: Sequence[int]) -> list[Row]:
        """The rows of some sheets, each sheet once, in the order of the documents."""
        wanted = sorted(set(sheets))
        found: list[Row] = []
        with self._lock:
            missing = [number for number in wanted if number not in self._sheets]
            held = {number: self._sheets[number] for number in wanted if number in self._sheets}
        read: dict[int, list[Row]] = {number: [] for number in missing}
        # Outside the lock: who finds everything in memory does not wait for another's query.
        for number, row in self._read(missing) if missing else ():
            read[number].append(row)
        with self._lock:
            for number in wanted:
                rows = held[number] if number in held else read[number]
                if number not in self._sheets:  # new, or given up meanwhile
                    self._sheets[number] = rows
                    self._count += len(rows)
                self._sheets.move_to_end(number)
                found.extend(rows)
            while self._count > self._limit:
                _, oldest = self._sheets.popitem(last=False)
                self._count -= len(oldest)
        return found
