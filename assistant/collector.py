"""Python's collector of cycles, kept from looking again and again at what a server needs as long as it runs."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def starting_up() -> Iterator[None]:
    """Inside, a program is loaded: hundreds of thousands of objects are made and next to none goes, so nothing is collected.

    A quarter of the start went into it. On leaving, what there is counts as settled.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        settle()


def settle() -> None:
    """Collects now, and leaves what is there now out of every later look, each of which would hold up an answer."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def changed(old_gone: bool) -> None:
    """Something large was replaced: its cycles are collected. ``old_gone``: nobody uses it any more.

    Else nothing counts as settled until the next change, so that it is found when its last user has gone.
    """
    settled = gc.get_freeze_count() > 0
    gc.unfreeze()
    gc.collect()
    if settled and old_gone:
        gc.freeze()
    _give_back()


def _give_back() -> None:
    """Memory that was freed goes back to the system: glibc keeps what lies between what is still in use, and a little more
    of it after each change. Where the C library is another one, nothing happens."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
