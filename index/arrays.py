"""NumPy's files (NEP 1, version 1.0) read without Python's parser, by any number of threads at a time.

``np.load`` has ``ast.literal_eval`` read a header. Up to CPython 3.12 that now and then ends in a SystemError ("AST
constructor recursion depth mismatch") where another thread parses something at the same moment (gh-106905): one index
opened while another is.
"""

from __future__ import annotations

import os
import re
import zipfile
from math import prod
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER = re.compile(rb"\{'descr': '([<>|]\w+)', 'fortran_order': (False|True), 'shape': \(([\d, ]*)\), \} *\n")

_Head = tuple[np.dtype[Any], tuple[int, ...], Literal["C", "F"]]


def mapped(file: Path) -> NDArray[Any]:
    """An array that was saved with NumPy, read page by page as it is looked at; its pages are shared by all processes.

    OSError where it cannot be read, ValueError where it is no such file or a part of one.
    """
    with file.open("rb") as stream:
        dtype, shape, order = _head(stream)
        at, end = stream.tell(), stream.seek(0, os.SEEK_END)
        if at + dtype.itemsize * prod(shape) > end:
            raise ValueError(f"{file.name}: 途中で切れています")
        array = np.memmap(stream, dtype, "r", at, shape, order)
    return array.view(np.ndarray)  # indexing a np.memmap takes twice as long


def loaded(file: Path) -> NDArray[Any]:
    """The same, read into memory."""
    with file.open("rb") as stream:
        return _read(stream)


def loaded_all(file: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an ``.npz`` file by their names. KeyError, OSError or ValueError where it is none."""
    try:
        with zipfile.ZipFile(file) as whole:
            return {name.removesuffix(".npy"): _read(whole.open(name)) for name in whole.namelist()}
    except zipfile.BadZipFile as error:
        raise ValueError(f"{file.name}: {error}") from error


def _read(stream: IO[bytes]) -> NDArray[Any]:
    dtype, shape, order = _head(stream)
    return np.frombuffer(stream.read(), dtype, prod(shape)).reshape(shape, order=order)


def _head(stream: IO[bytes]) -> _Head:
    """What stands in an array's file before its numbers."""
    begin = stream.read(len(_MAGIC) + 2)
    said = stream.read(int.from_bytes(begin[-2:], "little"))
    found = _HEADER.fullmatch(said) if begin[:-2] == _MAGIC else None
    if found is None:
        raise ValueError("NumPy のファイルではありません")
    descr, fortran, shape = found.groups()
    sizes = tuple(int(size) for size in shape.decode().split(",") if size.strip())
    return np.dtype(descr.decode()), sizes, "F" if fortran == b"True" else "C"
