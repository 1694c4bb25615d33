"""Which sheets somebody may see: those of some municipalities, of some folders, or all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True)
class Visibility:
    """``municipalities`` by their names and ``folders`` as they stand before the names of the indexed files; None: all.

    A sheet has to pass both. It is enforced where sheets are found and counted, never where answers are shown.

    >>> Visibility(("みなと野市",), ("市民部",)).sees("みなと野市", "市民部/図書館.pdf")
    True
    >>> Visibility(folders=("市民部",)).sees("みなと野市", "市民部門/図書館.pdf")
    False
    """

    municipalities: tuple[str, ...] | None = None
    folders: tuple[str, ...] | None = None

    def sees(self, municipality: str, file: str) -> bool:
        """Whether a sheet of a municipality in a file may be seen."""
        if self.municipalities is not None and municipality not in self.municipalities:
            return False
        if self.folders is None:
            return True
        place = PurePosixPath(file)
        return any(place.is_relative_to(PurePosixPath(folder)) for folder in self.folders)


EVERYTHING = Visibility()
