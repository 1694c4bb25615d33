"""NumPy files written row by row, so that a column of any length needs no memory; ``np.load`` reads and maps them."""

from __future__ import annotations

from io import BytesIO
from typing import IO, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class NpyWriter:
    """Appends rows to a ``.npy`` stream that is empty and can be sought in; :meth:`finish` makes it a whole file.

    The bytes are those that ``np.save`` writes for all rows at once: its header keeps room for any number of rows.
    """

    def __init__(self, stream: IO[bytes], dtype: DTypeLike, row: tuple[int, ...] = ()) -> None:
        self._stream = stream
        self._dtype = np.dtype(dtype)
        self._row = row
        self.rows = 0
        self._room = self._header()
        stream.write(self._room)

    def append(self, rows: NDArray[Any]) -> None:
        """The next rows."""
        self._stream.write(np.ascontiguousarray(rows, dtype=self._dtype).data)
        self.rows += len(rows)

    def finish(self) -> None:
        """Writes how many rows there are; the stream stays open."""
        header = self._header()
        if len(header) != len(self._room):
            raise ValueError("the header of a .npy file has grown")
        self._stream.seek(0)
        self._stream.write(header)
        self._stream.seek(0, 2)
        self._stream.flush()

    def _header(self) -> bytes:
        out = BytesIO()
        told = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (self.rows, *self._row),
        }
        np.lib.format.write_array_header_1_0(out, told)
        return out.getvalue()
