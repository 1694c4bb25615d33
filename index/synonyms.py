"""What a question looks for: its words with their weights and other ways to say them (``synonyms.toml``)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from corpus.errors import SettingsError
from index.tokens import tokenize, words

# A synonym found is worth less than the word itself, a mistyped one still less.
_WEIGHTS = {"synonyms": 0.8, "abbreviations": 0.9, "variants": 0.9, "old_names": 0.8, "slips": 0.6}
_OTHER_FORM = 0.95  # the noun of a verb
_MOST_WORDS = 64  # a pasted page is searched by its beginning; every word costs a row over the vocabulary
_FILE = Path(__file__).with_name("synonyms.toml")

Term = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alternative:
    """Other words for the query words ``first:last``; found all together they count ``weight`` of the original."""

    first: int
    last: int
    words: Term
    weight: float


@dataclass(frozen=True, slots=True)
class QueryWords:
    """The words of a query that carry meaning, their overlapping parts, and what else to look for."""

    words: Term
    parts: Term
    alternatives: tuple[Alternative, ...]


class Synonyms:
    """The groups of a synonyms file, found by their first word."""

    def __init__(self, groups: Iterable[tuple[list[str], float]], furniture: Iterable[str] = ()) -> None:
        self.furniture = frozenset(w for phrase in furniture for w in [phrase, *words(phrase)[:1]])
        self._others: dict[Term, dict[Term, float]] = {}
        self._longest = 1
        self._expanded = lru_cache(maxsize=512)(self._expand)
        for group, weight in groups:
            terms = [t for t in (tuple(words(w)) for w in group) if t]
            for term in terms:
                self._longest = max(self._longest, len(term))
                others = self._others.setdefault(term, {})
                for other in terms:
                    if other != term:
                        others[other] = max(weight, others.get(other, 0.0))

    def rewrites(self) -> list[tuple[str, str]]:
        """Every (term, other way to say it) as text, for names that people shorten (スマホ, NW)."""
        return [("".join(term), "".join(other)) for term, others in self._others.items() for other in others]

    def expand(self, query: str) -> QueryWords:
        """The words of ``query`` without question furniture, and the groups they belong to.

        The longest run of words that stands in a group is taken, so 住民基本台帳 is not read as 住民 and 台帳.
        """
        return self._expanded(query)

    def _expand(self, query: str) -> QueryWords:
        tokens = tokenize(query, parts=True)
        main = [t for t in tokens if not t.part]
        # A word asked for twice is looked for once.
        once = {t.norm: t for t in reversed(main)}
        unique = [t for t in main if once[t.norm] is t]
        chosen = ([t for t in unique if t.norm not in self.furniture] or unique)[:_MOST_WORDS]
        kept = [t.norm for t in chosen]
        places = {(t.start, t.end): i for i, t in enumerate(chosen)}
        alternatives = [
            Alternative(i, i + 1, (t.norm,), _OTHER_FORM)
            for t in tokens
            if t.part and (i := places.get((t.start, t.end))) is not None
        ]
        at = 0
        while at < len(kept):
            for length in range(min(self._longest, len(kept) - at), 0, -1):
                others = self._others.get(tuple(kept[at : at + length]))
                if others:
                    alternatives += [Alternative(at, at + length, other, w) for other, w in others.items()]
                    at += length - 1
                    break
            at += 1
        left_out = {i for t in main if (t.start, t.end) not in places for i in range(t.start, t.end)}
        parts = dict.fromkeys(t.norm for t in tokens if t.part and t.start not in left_out)
        return QueryWords(tuple(kept), tuple(parts), tuple(alternatives))


@lru_cache(maxsize=4)
def load_synonyms(file: Path = _FILE) -> Synonyms:
    """Reads a synonyms file (default: the bundled one); a mistake in it raises SettingsError with the line."""
    try:
        table = tomllib.loads(file.read_text("utf-8"))
        groups = [(group, weight) for key, weight in _WEIGHTS.items() for group in table.get(key, [])]
        return Synonyms(groups, table.get("furniture", []))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        message = f"言いかえ辞書 {file} を読めません（{error}）。書式を直してから、もう一度起動してください。"
        raise SettingsError(message) from error
