"""The patterns of form files: short forms written out, compiled once, and told apart from those that would never end."""

from __future__ import annotations

import re
from functools import cache
from re import _compiler, _constants, _parser  # type: ignore[attr-defined]
from time import thread_time
from typing import Any

# Shorthands for the patterns of the TOML files: a figure, a blank line, a line's rest, a paragraph.
_SHORT = {
    # No figure is longer, and blank lines are not given back: a page of digits or blanks is read in one go.
    "{N}": r"(?:▲ ?)?-?\d[\d,]{0,24}(?:\.\d{1,12})?",
    "{B}": r"(?<![ \u3000])[ \u3000]*+\n(?:[ \u3000]*+\n)++[ \u3000]*+",
    "{L}": r"[^\n]+",
    "{P}": r"[^\n]+(?:\n[^\n]+)*",
}
FLAGS = re.M | re.S
_ENDLESS_AFTER = 0.02  # seconds of the processor for at most 60 characters; what is only slow takes a thousandth
_LONGEST = 30


def expand(pattern: str) -> str:
    """A TOML pattern with its shorthands ({N} figure, {B} blank lines, {L} line, {P} paragraph) written out."""
    if pattern.startswith("{B}"):
        pattern = rf"(?<!\n){pattern}"  # a search begins at the first of the blank lines, not anew at each of them
    for short, full in _SHORT.items():
        pattern = pattern.replace(short, full)
    return pattern


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """An expanded and compiled TOML pattern; ``^`` and ``$`` match at lines, the dot matches line ends too."""
    return re.compile(expand(pattern), FLAGS)


def runs_away(pattern: str) -> bool:
    """Whether a part of a pattern that repeats a repeat takes twice as long for every character: ``(\\S+ ?)+``.

    Each such part is taken by itself and tried on growing runs of letters it may match, before an end that it cannot
    match. The trial stops at the first run that takes longer than any harmless pattern could.

    >>> runs_away(r"^名称(?:\\S+ ?)+$"), runs_away(r"^名称[^\\n]+(?:\\n[^\\n]+)*")
    (True, False)
    """
    parsed = _parser.parse(expand(pattern), FLAGS)
    words = _words(parsed)
    return any(_grows(part, parsed.state, words) for part in _nested(parsed))


def _nested(parsed: Any) -> list[Any]:
    """The unbounded repeats of a parsed pattern that hold another unbounded repeat."""
    found = []
    for op, value in parsed:
        if op in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
            low, high, body = value
            if high >= _LONGEST and any(h >= _LONGEST for h in _repeats(body)):
                found.append((op, (low, high, body)))
        for inner in _inside(value):
            found += _nested(inner)
    return found


def _repeats(parsed: Any) -> list[int]:
    found: list[int] = []
    for op, value in parsed:
        if op in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
            found.append(int(value[1]))
        for inner in _inside(value):
            found += _repeats(inner)
    return found


def _inside(value: Any) -> list[Any]:
    """The parsed patterns that stand in an operation's value: bodies, branches, groups."""
    if isinstance(value, _parser.SubPattern):
        return [value]
    if isinstance(value, (tuple, list)):
        return [part for one in value for part in _inside(one)]
    return []


def _words(parsed: Any) -> list[str]:
    """What to try: letters of all kinds, the pattern's own ones, and pairs of a letter with each blank."""
    own = sorted({chr(code) for code in _literals(parsed)})[:40]
    letters = list(dict.fromkeys(["a", "0", "字", "ア", " ", "\n", "\t", ",", ".", "。", *own]))
    return [*letters, *(a + b for a in ("a", "0", "字", ",") for b in (" ", "\n", "\t", ",", "0"))]


def _literals(parsed: Any) -> list[int]:
    found: list[int] = []
    for op, value in parsed:
        if op is _constants.LITERAL:
            found.append(value)
        elif op is _constants.IN:
            found += [v for o, v in value if o is _constants.LITERAL]
        for inner in _inside(value):
            found += _literals(inner)
    return found


def _grows(part: Any, state: Any, words: list[str]) -> bool:
    whole = _parser.SubPattern(state, [part, (_constants.LITERAL, 0x10FFFF)])
    try:
        pattern = _compiler.compile(whole, FLAGS)
    except (re.error, AssertionError, IndexError):
        return False  # a part that refers to a group outside it; the whole pattern is compiled elsewhere
    for word in words:
        for count in range(6, _LONGEST, 2):
            text = word * count
            began = thread_time()
            pattern.match(text)
            if thread_time() - began > _ENDLESS_AFTER:
                return True
    return False
