"""What the tree of a regular expression says of the time it takes: an unbounded repetition inside another that can read the
same characters, what repeats and can be cut in two ways ((?:a|ab|b)*: 2^n ways), two repetitions one after the other that can
read the same stretch, and one at the beginning that a search starts anew at every place of a run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import permutations, product
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

MANY = 400  # a repetition of at most so many is a constant

# Characters that stand for the kinds there are; the literals of a pattern are added to them.
SAMPLE = frozenset(
    {chr(n) for n in range(128)}
    | set(
        "\x85\xa0　。、・「」（）［］：；％＋－＝＠０５９ＡＺａｚあんアンー一二三十百千万億兆年月日令和円件人漢額率∞①⑳△▲▼○●■□◆※〜～→\u2028😀é"
    )
)
Chars = frozenset[str]
Word = tuple[Chars, ...]
MOST_TIMES = 12  # a repetition of at most so many is not cut in 2^n ways that matter
MOST_WORDS, MOST_RESTS = 60, 4_000


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a pattern: one set of characters (empty for what reads nothing), whether it may be left out, whether it
    repeats without end, and whether it keeps what it read (possessive)."""

    chars: Chars
    optional: bool
    endless: bool
    keeps: bool = False


@cache
def _category(name: Any, alphabet: Chars) -> Chars:
    letter = {
        sre.CATEGORY_DIGIT: r"\d", sre.CATEGORY_NOT_DIGIT: r"\D", sre.CATEGORY_SPACE: r"\s", sre.CATEGORY_NOT_SPACE: r"\S",
        sre.CATEGORY_WORD: r"\w", sre.CATEGORY_NOT_WORD: r"\W",
    }[name]  # fmt: skip
    found = re.compile(letter)
    return frozenset(one for one in alphabet if found.match(one))


def _members(items: Any, alphabet: Chars) -> Chars:
    chosen: set[str] = set()
    negated = False
    for op, value in items:
        if op is sre.NEGATE:
            negated = True
        elif op is sre.LITERAL:
            chosen.add(chr(value))
        elif op is sre.RANGE:
            chosen |= {one for one in alphabet if value[0] <= ord(one) <= value[1]} | {chr(value[0]), chr(value[1])}
        elif op is sre.CATEGORY:
            chosen |= _category(value, alphabet)
    return alphabet - chosen if negated else frozenset(chosen)


def in_two_ways(words: list[Word]) -> bool:
    """Whether a text of such words can be cut into them in two ways (Sardinas and Patterson): then n of them can be in 2^n.

    >>> one, dot = frozenset("1"), frozenset(".")
    >>> in_two_ways([(one, dot), (one, one, dot)]), in_two_ways([(one, dot), (one, dot, one), (one, one, dot)])
    (False, True)
    """
    words = [word for word in words if word]
    rests = [rest for a, b in permutations(words, 2) if (rest := _rest(a, b)) is not None]
    seen: set[Word] = set()
    while rests:
        rest = rests.pop()
        if not rest or len(seen) > MOST_RESTS:
            return True
        if rest not in seen:
            seen.add(rest)
            rests += [r for word in words for r in (_rest(rest, word), _rest(word, rest)) if r is not None]
    return False


def _rest(word: Word, longer: Word) -> Word | None:
    """What is left of the longer word where the other can stand at its beginning."""
    if len(word) > len(longer) or not all(a & b for a, b in zip(word, longer, strict=False)):
        return None
    return longer[len(word) :]


class Tree:
    """A pattern's tree with what is wrong about it."""

    def __init__(self, pattern: str, flags: int = 0, anchored: bool = False) -> None:
        self.problems: list[str] = []
        tree = parser.parse(pattern, flags & ~re.DEBUG)
        literals = frozenset(chr(value) for op, value in parts(tree) if op in (sre.LITERAL, sre.NOT_LITERAL))
        self.alphabet = SAMPLE | literals
        ways = self._ways(tree, 0)
        for way in ways:
            self._adjacent(way)
            if not anchored:
                self._leading(way)
        self.problems = list(dict.fromkeys(self.problems))

    def _ways(self, tree: Any, depth: int) -> list[list[Piece]]:
        """The ways through a tree as lists of pieces; where there are too many, branches become one set."""
        ways: list[list[Piece]] = [[]]
        for op, value in tree:
            more = self._ways_of(op, value, depth)
            if len(ways) * len(more) > 200:
                more = [[_merged(more)]]
            ways = [[*way, *one] for way in ways for one in more]
        return ways

    def _ways_of(self, op: Any, value: Any, depth: int) -> list[list[Piece]]:
        if op is sre.LITERAL:
            return [[Piece(frozenset(chr(value)), False, False)]]
        if op is sre.NOT_LITERAL:
            return [[Piece(self.alphabet - {chr(value)}, False, False)]]
        if op is sre.ANY:
            return [[Piece(self.alphabet - {"\n"}, False, False)]]
        if op is sre.IN:
            return [[Piece(_members(value, self.alphabet), False, False)]]
        if op is sre.BRANCH:
            return [way for branch in value[1] for way in self._ways(branch, depth)]
        if op is sre.SUBPATTERN:
            return self._ways(value[3], depth)
        if op is sre.ATOMIC_GROUP:
            return [[Piece(_merged(self._ways(value, depth)).chars, False, False)]]
        if op is sre.ASSERT_NOT and value[0] < 0:
            # A search that may not begin within a run begins once.
            return [[Piece(_merged(self._ways(value[1], depth)).chars, True, False), _GUARD]]
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            return self._repeated(value, depth)
        if op is sre.POSSESSIVE_REPEAT:
            low, high, body = value
            endless = high is sre.MAXREPEAT or high > MANY
            return [[Piece(_merged(self._ways(body, depth)).chars, low == 0, endless, keeps=True)]]
        if op is sre.AT and value in (sre.AT_END, sre.AT_END_STRING):
            return [[_END]]
        return [[]]  # other places, look-arounds, references: they read nothing

    def _repeated(self, value: Any, depth: int) -> list[list[Piece]]:
        low, high, body = value
        if high > MOST_TIMES and (len(body) > 1 or body[0][0] in (sre.BRANCH, sre.SUBPATTERN)):
            words = self._words(body)
            if words is None:
                self.problems.append("a repetition of too many ways to compare")
            elif in_two_ways(words):
                self.problems.append("nested: what repeats can be cut in two ways")
        ways = self._ways(body, depth + 1)
        if high is not sre.MAXREPEAT and high <= MANY:
            return (
                ways
                if (low, high) == (1, 1)
                else [[], *ways]
                if high == 1
                else [[Piece(p.chars, p.optional or low == 0, p.endless) for p in way] for way in ways]
            )
        for way in ways:
            self._nested(way)
        return [[Piece(_merged(ways).chars, low == 0 or any(all(p.optional for p in way) for way in ways), True)]]

    def _words(self, tree: Any) -> list[Word] | None:
        """What a tree reads, as words of sets of characters, a repetition as up to three times; None for too many."""
        words: list[Word] = [()]
        for op, value in tree:
            more: list[Word] | None = [()]
            if op is sre.BRANCH:
                told = [self._words(branch) for branch in value[1]]
                more = [word for one in told if one is not None for word in one] if None not in told else None
            elif op is sre.SUBPATTERN:
                more = self._words(value[3])
            elif op is sre.ATOMIC_GROUP:
                more = self._words(value)
                more = more[:1] if more else more  # it is read in the first way that fits, and kept
            elif op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
                more = self._times(op, value)
            elif op in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN):
                more = [(self._ways_of(op, value, 0)[0][0].chars,)]
            if more is None or len(words) * len(more) > MOST_WORDS:
                return None
            words = [first + second for first in words for second in more]
        return words

    def _times(self, op: Any, value: Any) -> list[Word] | None:
        low, high, body = value
        once = self._words(body)
        if once is None:
            return None
        most = min(high, max(low, 2), 3)
        words: list[Word] = []
        for count in (most,) if op is sre.POSSESSIVE_REPEAT else range(min(low, 3), most + 1):
            words += [sum(some, ()) for some in product(once, repeat=count)]
            if len(words) > MOST_WORDS:
                return None
        return words

    def _nested(self, way: list[Piece]) -> None:
        """(a+)+, (a*b?)*: the inner one, left and entered again, reads the same characters in many ways."""
        for at, piece in enumerate(way):
            if not piece.endless or piece.keeps:
                continue
            rest = [one for one in way[:at] + way[at + 1 :] if one is not _GUARD and one is not _END]
            if all(one.optional or one.chars & piece.chars for one in rest):
                self.problems.append(f"nested repetitions of {_shown(piece.chars)}")

    def _adjacent(self, way: list[Piece]) -> None:
        """a*b?a*: both can read the same stretch, and where one ends can be anywhere in it."""
        for at, piece in enumerate(way):
            if not piece.endless or piece.keeps:
                continue
            common = piece.chars
            for after in way[at + 1 :]:
                if after is _GUARD or after is _END:
                    continue
                if after.endless and common & after.chars:
                    self.problems.append(f"two repetitions of {_shown(common & after.chars)}")
                    break
                if not after.optional:
                    common = common & after.chars
                    if not common:
                        break

    def _leading(self, way: list[Piece]) -> None:
        """a+b searched in aaaa: read to the end from every place. What always matches is read once."""
        guarded = False
        common: Chars | None = None
        kept: Chars = frozenset()
        for at, piece in enumerate(way):
            if piece is _GUARD:
                guarded = True
                continue
            if piece is _END:
                continue
            if at + 1 < len(way) and way[at + 1] is _GUARD:
                kept = kept | piece.chars  # what may not stand before the beginning
                continue
            if piece.endless:
                over = piece.chars if common is None else common & piece.chars
                over = over - kept if guarded else over
                if over and not all(one.optional for one in way[at + 1 :] if one is not _GUARD):
                    self.problems.append(f"a search begins anew in every run of {_shown(over)}")
                return
            if not piece.optional:
                common = piece.chars if common is None else common & piece.chars
                if not common:
                    return


_GUARD = Piece(frozenset(), True, False)
_END = Piece(frozenset(), False, False)  # reads nothing, and may fail


def _merged(ways: list[list[Piece]]) -> Piece:
    pieces = [piece for way in ways for piece in way]
    chars: Chars = frozenset().union(*(piece.chars for piece in pieces))
    return Piece(chars, any(all(p.optional for p in way) for way in ways), any(piece.endless for piece in pieces))


def parts(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every operation of a parsed pattern, at any depth, with its operands."""
    for op, value in tree:
        yield op, value
        for part in value if isinstance(value, tuple | list) else (value,):
            if isinstance(part, parser.SubPattern):
                yield from parts(part)
            elif op is sre.IN:
                yield part
            elif isinstance(part, list):
                for one in part:
                    if isinstance(one, parser.SubPattern):
                        yield from parts(one)
                    elif isinstance(one, tuple):
                        yield one


def _shown(chars: Chars) -> str:
    return repr("".join(sorted(chars))[:12])


def problems(pattern: str, flags: int = 0, anchored: bool = False) -> list[str]:
    """What of a pattern is not linear, in words; nothing where it is. ``anchored``: it is only tried at one place."""
    return Tree(pattern, flags, anchored).problems
