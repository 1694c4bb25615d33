"""Which sheets somebody may see: those of some municipalities, of some folders, or all."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath

from corpus.normalize import squeeze


@dataclass(frozen=True, slots=True)
class Visibility:
    """``municipalities`` by their names and ``folders`` as they stand before the names of the indexed files; None: all.

    A sheet has to pass both. It is enforced where sheets are found and counted, never where answers are shown. Names of
    municipalities are compared as filters compare them, folders part by part in one form of characters; a name of a
    file that climbs out of its folder (``..``) is in none.

    >>> Visibility(("みなと野市",), ("市民部",)).sees("みなと野市", "市民部/図書館.pdf")
    True
    >>> Visibility(folders=("市民部",)).sees("みなと野市", "市民部門/図書館.pdf")
    False
    >>> Visibility(folders=("市民部",)).sees("みなと野市", "市民部/../総務部/人事.pdf")
    False
    """

    municipalities: tuple[str, ...] | None = None
    folders: tuple[str, ...] | None = None

    def includes(self, other: Visibility) -> bool:
        """Whether everything that the other sees may be seen, whatever sheets there are."""
        if self.municipalities is not None and (
            other.municipalities is None or not all(map(self.sees_municipality, other.municipalities))
        ):
            return False
        return self.folders is None or (other.folders is not None and all(map(self.sees_file, other.folders)))

    def sees(self, municipality: str, file: str) -> bool:
        """Whether a sheet of a municipality in a file may be seen."""
        return self.sees_municipality(municipality) and self.sees_file(file)

    def sees_municipality(self, municipality: str) -> bool:
        """Whether sheets of a municipality may be seen, by where they are from."""
        return self.municipalities is None or squeeze(municipality) in _keys(self.municipalities)

    def sees_file(self, file: str) -> bool:
        """Whether sheets of a file may be seen, by where it stands."""
        if self.folders is None:
            return True
        parts = _parts(file)
        places = _places(self.folders)
        return ".." not in parts and any(parts[:end] in places for end in range(len(parts) + 1))


@lru_cache(maxsize=64)
def _keys(municipalities: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(squeeze, municipalities))


@lru_cache(maxsize=64)
def _places(folders: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    """Folders as what stands between their slashes, prepared once for the thousands of files of an index."""
    return frozenset(parts for parts in map(_parts, folders) if ".." not in parts)


def _parts(path: str) -> tuple[str, ...]:
    """What stands between the slashes. The same letters may be written in two ways (か゛ on a Mac, が elsewhere)."""
    return PurePosixPath(unicodedata.normalize("NFC", path)).parts


EVERYTHING = Visibility()
