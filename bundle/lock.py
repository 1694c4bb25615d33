"""Locks: every wheel of a bundle by its exact version and SHA-256, in the form that ``pip install --require-hashes`` takes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bundle.parts import Part, closure

BLOCK = 1 << 20


def sha256(file: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    summed = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(BLOCK):
            summed.update(block)
    return summed.hexdigest()


def locks(parts: Mapping[str, Part], root: str, extras: Sequence[str]) -> dict[str, list[Part]]:
    """What to install, by the name of the lock: ``base`` for everybody, and for each extra what it adds to that.

    IncompleteError (bundle.parts) if a wheel is missing, so a bundle that does not install is never made.
    """
    base = closure(parts, root)
    known = {part.key for part in base}
    more = {extra: [one for one in closure(parts, root, [extra]) if one.key not in known] for extra in extras}
    return {"base": base, **more}


def written(parts: Iterable[Part]) -> str:
    """A lock as text, one package a line; the wheels of the parts are read."""
    lines = []
    for part in parts:
        if part.wheel is None:
            raise ValueError(f"{part.name} has no wheel to lock")
        lines.append(f"{part.key}=={part.version} --hash=sha256:{sha256(part.wheel)}\n")
    return "".join(lines)


def sums(folder: Path) -> str:
    """``SHA256SUMS`` of everything in a folder but the file of that name, as ``sha256sum --check`` reads it."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != "SHA256SUMS")
    return "".join(f"{sha256(file)}  {file.relative_to(folder).as_posix()}\n" for file in files)
