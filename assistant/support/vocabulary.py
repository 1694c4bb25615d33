"""The words of ``words.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from corpus.documents import FactKind
from index.tokens import normalize, tagger


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words the check knows; ``sides`` gives for a lemma its pairs of (which comparison, +1 or -1)."""

    generic: frozenset[str]
    katakana: frozenset[str]
    name_ends: tuple[str, ...]
    before_ends: tuple[str, ...]
    superlatives: tuple[str, ...]
    sides: dict[str, tuple[tuple[str, int], ...]]
    hedges: frozenset[str]
    to_come: frozenset[str]
    paraphrases: dict[str, frozenset[str]]
    kinds: tuple[tuple[str, FactKind], ...]


@cache
def vocabulary() -> Vocabulary:
    """The words as the file has them."""
    rows = tomllib.loads(resources.files(__package__).joinpath("words.toml").read_text("utf-8"))
    sides: dict[str, list[tuple[str, int]]] = {}
    for name, pair in rows["sides"].items():
        for sign, words in ((1, pair["up"]), (-1, pair["down"])):
            for word in _with_lemmas(words):
                sides.setdefault(word, []).append((name, sign))
    paraphrases: dict[str, frozenset[str]] = {}
    for line in rows["paraphrases"].splitlines():
        group = frozenset(_with_lemmas(line))
        paraphrases |= {word: paraphrases.get(word, frozenset()) | group for word in group}
    plan, actual = rows["kinds"]["plan"].split(), rows["kinds"]["actual"].split()
    kinds: list[tuple[str, FactKind]] = [*((word, "plan") for word in plan), *((word, "actual") for word in actual)]
    return Vocabulary(
        generic=frozenset(rows["generic"].split()),
        katakana=frozenset(rows["plain_katakana"].split()),
        name_ends=tuple(sorted(rows["name_ends"].split(), key=len, reverse=True)),
        before_ends=tuple(sorted(rows["before_ends"].split(), key=len, reverse=True)),
        superlatives=tuple(rows["superlatives"].split()),
        sides={word: tuple(found) for word, found in sides.items()},
        hedges=frozenset(_with_lemmas(rows["hedges"])),
        to_come=frozenset(_with_lemmas(rows["to_come"])),
        paraphrases=paraphrases,
        kinds=tuple(kinds),
    )


def _with_lemmas(words: str) -> list[str]:
    """The words as the file writes them and, of those that are one word, as the dictionary does (超える is 越える there)."""
    found = []
    with tagger() as mecab:
        for word in words.split():
            nodes = mecab(word)
            lemma = nodes[0].feature.lemma if len(nodes) == 1 else None
            found += [word, normalize(lemma.split("-", 1)[0]).lower()] if lemma else [word]
    return list(dict.fromkeys(found))
