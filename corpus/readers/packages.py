"""Office files are ZIP packages: what they unpack to is bounded before anything is made of it."""

from __future__ import annotations

import io
import zipfile

from corpus.errors import DocumentTooLarge

MAX_UNPACKED = 2 * 1024**3
# A part of XML takes ten times its size once it is parsed.
MAX_PART = 256 * 1024**2


def open_package(data: bytes, file: str) -> zipfile.ZipFile:
    """The package, if its parts together are within bounds; raises DocumentTooLarge, or BadZipFile and the like."""
    package = zipfile.ZipFile(io.BytesIO(data))
    unpacked = sum(info.file_size for info in package.infolist())
    if unpacked > MAX_UNPACKED:
        raise too_large(file, unpacked)
    return package


def too_large(file: str, unpacked: int) -> DocumentTooLarge:
    """The refusal of a package or part that would take too much memory."""
    return DocumentTooLarge(
        f"{file}: 展開すると大きすぎます（{unpacked / 1024**3:.1f}GB）。シートやページを分けて保存し直してください。",
        file,
    )
