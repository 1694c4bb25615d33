"""txtai's BM25 over hyoka's words: txtai takes a class by its name where its own tokenizers do not do."""

from __future__ import annotations

from collections.abc import Callable

from txtai.scoring.bm25 import BM25

from index.tokens import words


class JapaneseBM25(BM25):  # type: ignore[misc, unused-ignore]
    """BM25 as txtai has it."""

    def loadtokenizer(self) -> Callable[[str], list[str]]:
        """What cuts a text into words."""
        return lambda text: words(text, parts=True)
