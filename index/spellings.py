"""Words of a question that stand nowhere in the corpus, and the words of the corpus that were probably meant.

The keyboard writes the wrong word for a reading (付表 for 附票) and keeps the sound; fingers slip in long katakana words
(セキリュティ). Both are looked for beside the word itself, with less weight.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache

from rapidfuzz.distance import OSA

from index.readings import reading, readings
from index.synonyms import Alternative, QueryWords
from index.tokens import tokenize
from index.wordlists import WordLists

SAME_SOUND = 0.5  # weight of a word that sounds like the one that was asked for
MISTYPED = 0.5  # of a katakana word one or two letters away from it
_MOST = 3  # words for one; more would be guessing
_KANJI = re.compile(r"(?<![一-鿿㐀-䶿々])[一-鿿㐀-䶿々]{2,}+\Z")
_KATAKANA = re.compile(r"(?<![ァ-ヺー])[ァ-ヺー]{4,}+\Z")
_PAIR = re.compile(r"[一-鿿㐀-䶿々]{2}\Z")
_TWO_SLIPS = 8  # letters from which a katakana word may have two


class Spellings:
    """The words of one index by their sound and by their letters."""

    def __init__(self, lists: WordLists) -> None:
        self._lists = lists
        self._meant = lru_cache(maxsize=1024)(self._find)

    def corrected(self, query: str, looked_for: QueryWords) -> QueryWords:
        """``looked_for`` with alternatives for the words that stand nowhere, unless a synonym of theirs does."""
        place = {word: i for i, word in enumerate(looked_for.words)}
        covered = {
            i for a in looked_for.alternatives if all(self._count(w) for w in a.words) for i in range(a.first, a.last)
        }
        meant: list[Alternative] = []
        for unknown, words in self._unknown(query, looked_for):
            at = [place[w] for w in words if w in place]
            if at and covered.isdisjoint(at):
                meant += [Alternative(min(at), max(at) + 1, (word,), weight) for word, weight in self._meant(unknown)]
        return replace(looked_for, alternatives=(*looked_for.alternatives, *meant)) if meant else looked_for

    def respelled(self, query: str, looked_for: QueryWords) -> list[str]:
        """The query with words of the corpus in place of those that stand nowhere; nothing where none was meant.

        A word that a synonym finds is no slip and stays, unless that synonym is the very word that was meant.
        """
        place = {word: i for i, word in enumerate(looked_for.words)}
        meant: dict[str, str] = {}
        for unknown, words in self._unknown(query, looked_for):
            at = {place[w] for w in words if w in place}
            other = {
                w
                for a in looked_for.alternatives
                if not at.isdisjoint(range(a.first, a.last)) and all(map(self._count, a.words))
                for w in a.words
            }
            for word, _ in self._meant(unknown):
                if not other or word in other:
                    meant.setdefault(unknown, word)
        text = query
        for token in sorted(tokenize(query, parts=True), key=lambda token: -token.start):
            if token.norm in meant:
                text = text[: token.start] + meant.pop(token.norm) + text[token.end :]
        return [text] if text != query else []

    def lacks(self, looked_for: QueryWords) -> bool:
        """Whether some word of a question stands nowhere in the corpus."""
        return any(not self._count(word) for word in looked_for.words)

    def _unknown(self, query: str, looked_for: QueryWords) -> Iterator[tuple[str, Sequence[str]]]:
        """Words that stand nowhere, each with the words of the question that it is made of.

        What MeCab cut small is taken whole: ネットワク, which it reads as ネット and 枠, and 保観 for 保管, which is no word to it.
        """
        alone = [w for w in looked_for.words if not self._count(w)]
        if len(alone) == len(looked_for.words):
            # 昆虫採集 is no slip for 最終 where nobody speaks of insects; a slip of the fingers shows in the word itself.
            alone = [w for w in alone if _KATAKANA.match(w)]
        runs = {p for p in looked_for.parts if (_KATAKANA.match(p) or _PAIR.match(p)) and not self._count(p)}
        if runs:
            tokens = tokenize(query, parts=True)
            small = sorted((t for t in tokens if not t.part), key=lambda t: t.start)
            starts = [t.start for t in small]
            for run in (t for t in tokens if t.part and t.norm in runs):
                # Only those that begin within it: a question of 2,000 characters has as many of both.
                held = small[bisect_left(starts, run.start) : bisect_left(starts, run.end)]
                inside = [t.norm for t in held if t.end <= run.end]
                alone = [w for w in alone if w not in inside]
                yield run.norm, inside
        yield from ((w, (w,)) for w in alone)

    def _count(self, word: str) -> int:
        """In how many chunks and headings the word stands."""
        number = self._lists.number(word)
        return sum(int(self._lists.counts(kind)[number]) for kind in ("body", "head")) if number >= 0 else 0

    def _known(self, form: re.Pattern[str]) -> list[str]:
        counts = self._lists.counts("body") + self._lists.counts("head")
        return [w for w, n in zip(self._lists.vocabulary, counts.tolist(), strict=True) if n and form.match(w)]

    def _find(self, word: str) -> tuple[tuple[str, float], ...]:
        """The words of the corpus that were meant by one that it lacks, the frequent ones first."""
        if self._count(word):
            return ()
        if _KANJI.match(word):
            near, weight = self._by_sound.get(reading(word), []), SAME_SOUND
        elif _KATAKANA.match(word):
            slips = 2 if len(word) >= _TWO_SLIPS else 1
            near = [w for w in self._katakana if OSA.distance(word, w, score_cutoff=slips) <= slips]
            weight = MISTYPED
        else:
            return ()
        best = sorted((w for w in near if w != word), key=lambda w: (-self._count(w), w))[:_MOST]
        return tuple((w, weight) for w in best)

    @cached_property
    def _by_sound(self) -> dict[str, list[str]]:
        """Made when the first unknown word is asked for: MeCab read 8,592 words in 0.05 s."""
        found: dict[str, list[str]] = {}
        known = self._known(_KANJI)
        for word, sound in zip(known, readings(known), strict=True):
            found.setdefault(sound, []).append(word)
        return found

    @cached_property
    def _katakana(self) -> list[str]:
        return self._known(_KATAKANA)
