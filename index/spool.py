"""What a build has prepared so far, kept beside the index until it is live: a build that is started again takes it.

A file of the spool holds entries, each with a key that names its content and a checksum. What is cut off, changed or
not known is not there, and is made anew.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import struct
from contextlib import suppress
from pathlib import Path
from time import monotonic

logger = logging.getLogger(__name__)

FOLDER = "building"
# A file is written when so many bytes or seconds have come together: this much is lost to a kill.
BYTES, SECONDS = 8 << 20, 5.0
_MAGIC = b"hyoka spool 1\n"
_ENTRY = struct.Struct("<32sQ16s")  # key, length, checksum


class Spool:
    """Entries under ``folder`` by their keys of 32 bytes; nothing is read or written before it is asked for.

    It is there to save time: where it cannot be written (a full disk), nothing is kept from then on, and the build goes
    on. ``taken`` counts the entries that were asked for and found, ``damaged`` those whose checksum was wrong.
    """

    def __init__(self, folder: Path) -> None:
        self.taken = self.damaged = 0
        self._folder = folder
        self._found: dict[bytes, tuple[Path, int, int, bytes]] | None = None
        self._waiting: list[bytes] = []
        self._size = 0
        self._since = monotonic()
        self._usable = True

    def get(self, key: bytes) -> bytes | None:
        """The content under a key, whole and unchanged; None where there is none."""
        entry = self._entries().get(key)
        if entry is None:
            return None
        file, at, length, checksum = entry
        try:
            with file.open("rb") as stream:
                stream.seek(at)
                content = stream.read(length)
        except OSError:
            content = b""
        if _checksum(key, content) != checksum:
            self.damaged += 1
            del self._entries()[key]
            return None
        self.taken += 1
        return content

    def put(self, key: bytes, content: bytes) -> None:
        """Keeps content under a key, on disk within the next :data:`BYTES` or :data:`SECONDS`."""
        if not self._usable or key in self._entries():
            return
        self._waiting += [_ENTRY.pack(key, len(content), _checksum(key, content)), content]
        self._size += len(content)
        if self._size >= BYTES or monotonic() - self._since >= SECONDS:
            self.flush()

    def flush(self) -> None:
        """Writes what is waiting, to a file that is there whole or not at all."""
        if self._waiting:
            name = hashlib.sha256(b"".join(self._waiting[::2])).hexdigest()
            half = self._folder / f"{name}.half"
            try:
                self._folder.mkdir(exist_ok=True)
                with half.open("wb") as stream:
                    stream.write(_MAGIC)
                    stream.writelines(self._waiting)
                half.rename(self._folder / name)
            except OSError as error:
                logger.warning("nothing more is kept for a build that is started again: %s", error)
                self._usable = False
                with suppress(OSError):
                    half.unlink()
        self._waiting, self._size, self._since = [], 0, monotonic()

    def remove(self) -> None:
        """Forgets everything: the index is live."""
        self._waiting, self._found = [], None
        shutil.rmtree(self._folder, ignore_errors=True)

    def _entries(self) -> dict[bytes, tuple[Path, int, int, bytes]]:
        if self._found is None:
            self._found = {}
            for file in sorted(self._folder.iterdir()) if self._folder.is_dir() else ():
                if file.suffix == ".half":
                    with suppress(OSError):
                        file.unlink()
                else:
                    self._scan(file, self._found)
        return self._found

    def _scan(self, file: Path, found: dict[bytes, tuple[Path, int, int, bytes]]) -> None:
        """Reads which entries a file has, up to where it is cut off."""
        try:
            size = file.stat().st_size
            with file.open("rb") as stream:
                at = len(_MAGIC)
                if stream.read(at) != _MAGIC:
                    return
                while len(head := stream.read(_ENTRY.size)) == _ENTRY.size:
                    key, length, checksum = _ENTRY.unpack(head)
                    at += _ENTRY.size
                    if at + length > size:
                        self.damaged += 1
                        return
                    found[key] = (file, at, length, checksum)
                    at += length
                    stream.seek(at)
        except OSError as error:
            logger.warning("%s of a build that was stopped cannot be read: %s", file.name, error)


def _checksum(key: bytes, content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16, key=key).digest()
