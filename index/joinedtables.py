"""The columns of a base and of its additions as one: rows numbered through, texts that several of them have numbered once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from index.arrays import loaded
from index.removed import Removed
from index.tables import Tables
from index.texts import Texts

RELINKED, LINES = "relinked.npy", "lines.npy"
_COLUMNS = ("section_sheet", "chunk_section", "document", "year", "settled", "planned")
# Columns of codes, with the texts that they number.
_CODED = {
    "section_field": "fields",
    "section_label": "labels",
    "kind": "kinds",
    "name": "names",
    "municipality": "municipalities",
    "department": "departments",
    "form": "forms",
    "rated": "ratings",
}


class JoinedTexts(Sequence[str]):
    """The texts of a base, and ``more`` after them."""

    def __init__(self, base: Texts, more: Sequence[str]) -> None:
        self._base, self._more = base, list(more)
        self._numbers = {text: len(base) + at for at, text in enumerate(more)}

    def __len__(self) -> int:
        return len(self._base) + len(self._more)

    @overload
    def __getitem__(self, number: int) -> str: ...

    @overload
    def __getitem__(self, number: slice) -> list[str]: ...

    def __getitem__(self, number: int | slice) -> str | list[str]:
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(len(self)))]
        number = number + len(self) if number < 0 else number
        return self._base[number] if number < len(self._base) else self._more[number - len(self._base)]

    def __iter__(self) -> Iterator[str]:
        yield from self._base
        yield from self._more

    def number(self, text: str) -> int:
        """The number of a text, the last one where it stands more than once; -1 where it does not."""
        found = self._numbers.get(text)
        return self._base.number(text) if found is None else found


class JoinedTables(Tables):
    """What :class:`Tables` is, of several folders. Columns are put together in memory: 50 bytes a section or so."""

    def __init__(self, folders: Sequence[Path], removed: Removed) -> None:
        parts = [Tables(folder) for folder in folders]
        self.parts = parts
        for name in _COLUMNS:
            setattr(self, name, np.concatenate([getattr(part, name) for part in parts]))
        for column, texts in _CODED.items():
            merged, codes = _merged([getattr(part, texts) for part in parts])
            setattr(self, texts, merged)
            columns = [getattr(part, column) for part in parts]
            setattr(
                self,
                column,
                np.concatenate([columns[0], *(to[own] for to, own in zip(codes, columns[1:], strict=True))]),
            )
        self.files = _appended([part.files for part in parts])
        self.ids = _appended([part.ids for part in parts])
        self._spans = np.concatenate([part._spans for part in parts])
        self._span_starts = _starts([part._span_starts for part in parts])
        self.rating_starts = _starts([part.rating_starts for part in parts])
        self._link(folders[-1])
        self.gone = removed.sheet_flags(len(self.document)) if removed else None
        self.gone_sections = removed.section_flags(len(self.section_sheet)) if removed else None

    def _link(self, newest: Path) -> None:
        """The timelines of the base, but of the sheets that updates have linked anew what the newest addition says."""
        of = np.concatenate([part.timeline for part in self.parts])
        of[loaded(newest / RELINKED)] = -1
        lines = loaded(newest / LINES)
        of[lines[:, 0]] = lines[:, 1]
        self.timeline = of
        order = np.argsort(of, kind="stable")[np.count_nonzero(of < 0) :]
        sizes = np.bincount(of[of >= 0]) if len(order) else np.zeros(0, dtype=np.int64)
        self._timeline_sheets = order.astype(np.int32)
        self._timeline_starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)


def open_tables(folders: Sequence[Path], removed: Removed) -> Tables:
    """The columns of a snapshot: the base's folder first, then those of its additions."""
    return Tables(folders[0]) if len(folders) == 1 else JoinedTables(folders, removed)


def _appended(parts: Sequence[Any]) -> Any:
    return JoinedTexts(parts[0], [text for part in parts[1:] for text in part])


def _merged(parts: Sequence[Any]) -> tuple[Any, list[NDArray[np.int32]]]:
    """Texts of several parts, each with one number, and for each part after the first what its numbers become."""
    base = parts[0]
    known = {text: at for at, text in enumerate(base)}
    count = len(known)
    codes = []
    for part in parts[1:]:
        codes.append(np.array([known.setdefault(text, len(known)) for text in part], dtype=np.int32))
    return JoinedTexts(base, list(known)[count:]), codes


def _starts(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Where the rows of each part start among those of all of them."""
    starts = np.asarray(parts[0])
    for part in parts[1:]:
        starts = np.concatenate([starts, part[1:] + starts[-1]])
    return starts
