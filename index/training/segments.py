"""Texts cut into words once, and kept between runs."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterable
from multiprocessing import get_context
from pathlib import Path

from index import tokens
from index.tokens import words

LONGEST = 700  # characters of a text that training looks at


def segment(texts: Iterable[str], cache: Path, processes: int = 2) -> dict[str, list[str]]:
    """Each text's words. ``cache`` is a folder; what it holds is thrown away when ``index/tokens.py`` changes."""
    digest = hashlib.sha256(Path(tokens.__file__).read_bytes()).hexdigest()[:16]
    path = cache / f"segments-{digest}.pickle"
    known: dict[str, list[str]] = pickle.loads(path.read_bytes()) if path.exists() else {}
    missing = [text for text in dict.fromkeys(texts) if text not in known]
    if missing:
        with get_context("fork").Pool(processes) as pool:
            known.update(zip(missing, pool.map(_words, missing, chunksize=500), strict=True))
        cache.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(known, protocol=pickle.HIGHEST_PROTOCOL))
    return known


def _words(text: str) -> list[str]:
    return words(text[:LONGEST])
