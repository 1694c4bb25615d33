"""Everyday wording: a clause of a sheet said with other words, fewer words and slips of the keyboard."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from random import Random

import numpy as np

from corpus.normalize import squeeze
from index.encoder import BUNDLED, WordVectors
from index.readings import reading
from index.synonyms import Synonyms
from index.tokens import tagger, tokenize, words
from index.types import Encoder, Vectors

# The vocabulary is in the order of frequency; past this come names and rarities that nobody asks with.
_COMMON = 30_000
# A neighbour nearer than that is a form of the same word, one farther says something else.
_NEAREST, _FARTHEST = 0.75, 0.38
_NEIGHBOURS = 12
# Of the words that are replaced: the share that answers to a word of the sheet, and the share near the whole clause.
_ALIGNED, _OF_WHOLE = 0.35, 0.40
_ALIGNED_AMONG, _AROUND, _EVERYDAY = 6, 20, 4000


class Everyday:
    """Other ways to say the words of a sheet: synonyms, and words near in meaning that the sheet does not print."""

    def __init__(self, encoder: Encoder, synonyms: Synonyms, vocabulary: Iterable[str]) -> None:
        """Looks up, once, the neighbours of every word of ``vocabulary`` (the words of the clauses)."""
        self._synonyms: dict[str, list[str]] = {}
        known = bundled_vocabulary()
        for term, other in synonyms.rewrites():
            # The synonyms also list slips of the keyboard (シスムテ): those are no words.
            if all(word in known for word in words(other)):
                self._synonyms.setdefault(squeeze(term), []).append(other)
        self._encoder = encoder
        self._rows = encoder.word_vectors(list(common_words())) if isinstance(encoder, WordVectors) else None
        # A whole text is compared in the space of texts, which may have more dimensions than that of words.
        self._texts = encoder.encode(list(common_words()), "passage") if self._rows is not None else None
        self._near = _neighbours(encoder, self._rows, sorted(set(vocabulary)))

    def others(self, word: str, avoid: set[str]) -> list[str]:
        """What may stand for a word (its ``norm``), the likeliest first: nothing that holds the word or one to avoid."""
        near = dict.fromkeys([*self._synonyms.get(squeeze(word), ()), *self._near.get(word, ())])
        return [o for o in near if word not in o and o not in word and avoid.isdisjoint(words(o, parts=True))]

    def around(self, text: str, avoid: set[str]) -> list[str]:
        """Common words near to what a text says as a whole, nearest first: nothing that holds a word to avoid."""
        vector = self._encoder.encode([text], "query")[0]
        if self._texts is None or not vector.any():
            return []
        best = np.argsort(-(self._texts @ vector), kind="stable")[: 3 * _AROUND]
        return [word for word in (common_words()[i] for i in best) if avoid.isdisjoint(words(word, parts=True))][
            :_AROUND
        ]

    def said(self, text: str, avoid: set[str], sharing: float, random: Random) -> str:
        """The text said otherwise: a word of it stays with the probability ``sharing``, in place of another comes one
        of near meaning (:data:`_ALIGNED`), one near to the whole (:data:`_OF_WHOLE`), or one that says nothing of it.

        People do not translate word by word, so only a part of the words may answer to a word of the sheet. ``avoid``
        are the words of the right sheets: with ``sharing`` 0 nothing of the question stands there. "" where less than
        two words are left.
        """
        tokens = tokenize(text)
        tokens = random.sample(tokens, min(len(tokens), random.randint(3, 6)))
        around = self.around(text, avoid)
        said: list[str] = []
        for token in sorted(tokens, key=lambda token: token.start):
            others = self.others(token.norm, avoid)[:_ALIGNED_AMONG]
            drawn = random.random()
            if drawn < sharing:
                said.append(token.surface)
                continue
            drawn = (drawn - sharing) / (1 - sharing)
            if drawn < _ALIGNED and others:
                said.append(random.choice(others))
            elif drawn < _ALIGNED + _OF_WHOLE and around:
                said.append(random.choice(around))
            else:
                noise = random.choice(common_words()[:_EVERYDAY])
                said += [noise] if avoid.isdisjoint(words(noise, parts=True)) else []
        return random.choice(("", " ", "の")).join(dict.fromkeys(said)) if len(said) >= 2 else ""


def slipped(text: str, random: Random) -> str:
    """The text with one slip of the keyboard: a word left in kana, a letter lost, two letters swapped; or as it was."""
    tokens = [token for token in tokenize(text) if len(token.surface) >= 2]
    if not tokens:
        return text
    token = random.choice(tokens)
    word = text[token.start : token.end]
    at = random.randrange(len(word) - 1) if len(word) > 1 else 0
    ways = [_kana(word)]
    if len(word) >= 4:
        ways += [word[: at + 1] + word[at + 2 :], word[:at] + word[at + 1] + word[at] + word[at + 2 :]]
    return text[: token.start] + random.choice(ways) + text[token.end :]


def _kana(word: str) -> str:
    """A word as typed and not converted: 育成 -> いくせい."""
    return "".join(chr(ord(c) - 0x60) if "ァ" <= c <= "ヶ" else c for c in reading(word))


def _neighbours(encoder: Encoder, rows: Vectors | None, vocabulary: Sequence[str]) -> dict[str, list[str]]:
    """For each word the common words near it in meaning, nearest first; none with an encoder that has no word vectors."""
    if rows is None or not isinstance(encoder, WordVectors):
        return {}
    common = common_words()
    out: dict[str, list[str]] = {}
    for at in range(0, len(vocabulary), 256):
        batch = list(vocabulary[at : at + 256])
        cosines = encoder.word_vectors(batch) @ rows.T
        cosines[(cosines > _NEAREST) | (cosines < _FARTHEST)] = 0
        best = np.argsort(-cosines, axis=1, kind="stable")[:, :_NEIGHBOURS]
        for word, row, near in zip(batch, cosines, best, strict=True):
            out[word] = [common[i] for i in near if row[i] > 0]
    return out


@cache
def bundled_vocabulary() -> dict[str, int]:
    """The words that the bundled encoder knows, the frequent ones first."""
    file = next(BUNDLED.rglob("tokenizer.json"))
    return dict(json.loads(file.read_text("utf-8"))["model"]["vocab"])


@cache
def common_words() -> tuple[str, ...]:
    """The common words of the language, without names: those at the head of the bundled encoder's vocabulary."""
    head = list(bundled_vocabulary())[:_COMMON]
    found = [word for word in head if len(word) >= 2 and not any(c.isascii() for c in word)]
    with tagger() as mecab:
        return tuple(word for word in found if not any(node.feature.pos2 == "固有名詞" for node in mecab(word)))
