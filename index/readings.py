"""How Japanese text sounds: wrong conversions of the keyboard (公務支援 for 校務支援) keep the reading."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from corpus.normalize import squeeze
from index.tokens import tagger


@lru_cache(maxsize=4096)
def reading(text: str) -> str:
    """The text in katakana as MeCab reads it; what has no reading stays as it is.

    >>> reading("校務支援システム") == reading("公務支援システム")
    True
    """
    return readings([text])[0]


def readings(texts: Iterable[str]) -> list[str]:
    """The :func:`reading` of each of many texts, of which none is kept in memory for the next question."""
    with tagger() as mecab:
        return ["".join(word.feature.kana or word.surface for word in mecab(squeeze(text))) for text in texts]
