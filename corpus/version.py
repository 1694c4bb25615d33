"""Which state of the reading code made a reading: one that another state made is not used again."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from corpus.forms.loader import own_files, own_folder

READING = 1  # raised for a change that stands in no file below, such as a new library's other behaviour
_FOLDER = Path(__file__).parent
# pytesseract counts too: with it, pages are read that were left out before.
_LIBRARIES = ("pypdfium2", "openpyxl", "python-docx", "selectolax", "pytesseract")


def reading_version() -> str:
    """The version as a short hash: of READING, the code and word lists of this package, and the libraries below it.

    Any change of a form file or of a parser changes it, so that nothing is kept that would be read differently now.
    The form files of one's own count as they stand at the first call for their folder.
    """
    return _with_own(own_folder())


@cache
def _with_own(folder: Path | None) -> str:
    package = version_of(_FOLDER)
    if folder is None:
        return package
    own = hashlib.sha256(package.encode())
    for file in own_files(folder):
        own.update(file.raw)
    return own.hexdigest()[:16]


def version_of(folder: Path) -> str:
    """The version with ``folder`` for the package; the bundled sheets in it do not count."""
    seen = hashlib.sha256(str(READING).encode())
    for name in _LIBRARIES:
        try:
            seen.update(f"{name} {version(name)}\n".encode())
        except PackageNotFoundError:
            continue
    for file in sorted(path for path in folder.rglob("*") if path.suffix in (".py", ".toml")):
        inside = file.relative_to(folder)
        if inside.parts[0] != "samples":
            seen.update(f"{inside.as_posix()}\0".encode())
            seen.update(hashlib.sha256(file.read_bytes()).digest())
    return seen.hexdigest()[:16]
