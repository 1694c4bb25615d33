"""What a question is looked for by, and what it finds, with one set of synonyms or another: for the test box of 管理."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.payload import visible
from index.snapshot import Snapshot
from index.synonyms import Synonyms
from index.tokens import tokenize
from index.types import Index, Passage


@dataclass(frozen=True, slots=True)
class Way:
    """Other words that are looked for in place of ``asked``, at ``weight`` of the word itself."""

    asked: str
    other: str
    weight: float


@dataclass(frozen=True, slots=True)
class WordTrial:
    """A question cut into words, each with whether it is looked for; what else is; and the first hits of ``total``."""

    pieces: tuple[tuple[str, bool], ...]
    ways: tuple[Way, ...]
    hits: tuple[Passage, ...]
    total: int


def try_words(index: Index, synonyms: Synonyms, question: str, k: int = 5) -> WordTrial:
    """The first ``k`` hits and how the question was read. An index that is no local one searches with its own synonyms."""
    looked_for = synonyms.expand(question)
    tokens = [token for token in tokenize(question, parts=True) if not token.part]
    pieces = tuple((question[token.start : token.end], token.norm in looked_for.words) for token in tokens)
    printed = {token.norm: question[token.start : token.end] for token in reversed(tokens)}
    ways: dict[tuple[str, str], Way] = {}
    for one in sorted(looked_for.alternatives, key=lambda one: (one.first, -one.weight, len(one.words))):
        asked = "".join(printed.get(word, word) for word in looked_for.words[one.first : one.last])
        # A word is looked for in every way it may be cut (再構築, 再+構築): for people that is one.
        if (joined := "".join(one.words)) != asked:
            ways.setdefault((asked, joined), Way(asked, "＋".join(one.words), one.weight))
    other = index.with_synonyms(synonyms) if isinstance(index, Snapshot) else None
    try:
        found = (other or index).search(question, k)
    finally:
        if other is not None:
            other.close()
    return WordTrial(pieces, tuple(ways.values()), tuple(visible(found.hits)), found.total)
