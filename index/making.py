"""Which state of the writing code made an index: an update by another would put unlike words beside each other."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

MAKING = 1  # raised for a change that stands in no file below
_ROOT = Path(__file__).parent.parent
_FILES = (
    "index/tokens.py",
    "index/chunks.py",
    "index/lexical.py",
    "corpus/normalize.py",
    "corpus/sentences.py",
    "corpus/variants.txt",
)
_LIBRARIES = ("fugashi", "unidic-lite", "tantivy")


@cache
def making_version() -> str:
    """A short hash of what decides how texts are cut into chunks and words, and how these are stored."""
    seen = hashlib.sha256(str(MAKING).encode())
    for name in _LIBRARIES:
        seen.update(f"{name} {version(name)}\n".encode())
    for name in _FILES:
        seen.update(hashlib.sha256((_ROOT / name).read_bytes()).digest())
    return seen.hexdigest()[:16]
