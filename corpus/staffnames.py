"""Where a document names its staff: the stretches that are masked wherever the text is shown.

A name is told by its place, never by a list: the sections whose field is 担当者, the values beside such labels inside
other text (担当者：…), what follows a title (課長　…), and the same name again elsewhere in the document.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from corpus.documents import SheetReading, Span
from corpus.forms.loader import canonical, fields
from corpus.normalize import normalize, squeeze

PERSON_FIELD = "担当者"
"""The canonical field of values that name staff, or say how somebody is reached: stored, but never found by a search."""

MASK = "＊"
_HAN = "\u3400-\u9fff\uf900-\ufaff々〆"
_LETTERS = f"{_HAN}ぁ-ゖァ-ヺー"
_NAME = re.compile(f"[{_LETTERS}]{{1,8}}|[A-Z][a-z]+")
_PARTICLES = re.compile("[のをはがにで]")
_PARTS = re.compile(r"[^\s、,，・･/／()（）\[\]【】「」:;|]+")
_NUMBER = re.compile(r"[+\d][\d\-~ー()]*")
_SHORTEST = 3  # characters from which on a name is looked for in the whole document without a title beside it
_LONGEST = 8
_VALUE = 16  # words of a value; more are a sentence
_MOST = 200  # different names of one document that are looked for again: a document with more is a list


@dataclass(frozen=True, slots=True)
class _Words:
    titles: tuple[str, ...]
    honorifics: tuple[str, ...]
    offices: tuple[str, ...]
    words: frozenset[str]
    numbers: frozenset[str]


@cache
def _words() -> _Words:
    told = tomllib.loads(resources.files("corpus").joinpath("staff.toml").read_text("utf-8"))
    longest = {name: tuple(sorted(told[name], key=len, reverse=True)) for name in ("titles", "honorifics", "offices")}
    return _Words(**longest, words=frozenset(told["words"]), numbers=frozenset(told["numbers"]))


@cache
def _numbers() -> frozenset[str]:
    return frozenset(squeeze(label) for label in _words().numbers)


class _Plain(dict[int, int]):
    """Characters in the form used for matching, one for one, so that every offset stays; filled as characters come up."""

    def __missing__(self, code: int) -> int:
        folded = normalize(chr(code)).text
        self[code] = plain = ord(folded) if len(folded) == 1 else code
        return plain


_PLAIN = _Plain()


@dataclass(slots=True)
class _Found:
    """Stretches of the text, and the names that stand in them without their spaces."""

    spans: list[tuple[int, int]] = field(default_factory=list)
    names: dict[str, None] = field(default_factory=dict)
    surnames: dict[str, None] = field(default_factory=dict)


def staff_spans(text: str, found: Sequence[SheetReading]) -> tuple[Span, ...]:
    """The stretches of a document's text that name staff or say how one is reached, in order and apart.

    >>> staff_spans("担当者：見本　太郎（内線 2345）", ())
    (Span(start=4, end=6), Span(start=7, end=9), Span(start=13, end=17))
    """
    own = [(s.span.start, s.span.end) for r in found for s in r.sections if s.field == PERSON_FIELD]
    plain = text.translate(_PLAIN)
    told = _Found([(start, _own_end(plain, start, end)) for start, end in dict.fromkeys(own)])
    for value in dict.fromkeys(plain[start:end] for start, end in told.spans):
        _note(value, told)
    for label in _labels().finditer(plain):
        if label["divider"]:
            _beside_label(plain, label, told)
        if ":" not in label["divider"]:
            _under_label(plain, label, told)
    for title in _titled().finditer(plain):
        if all(_is_name(word) for word in title["name"].split()):
            told.spans.append(title.span("name"))
            _note(title["name"], told)
    told.spans += _again(plain, told, _heads(found))
    return tuple(_inked(text, _united(told.spans)))


def masked(text: str, spans: Iterable[Span]) -> str:
    """The text with every character of these stretches replaced by ＊, none more and none less.

    >>> masked("担当者：見本　太郎", [Span(4, 6), Span(7, 9)])
    '担当者：＊＊　＊＊'
    """
    out: list[str] = []
    at = 0
    for span in spans:
        out += (text[at : span.start], MASK * (span.end - span.start))
        at = span.end
    return "".join(out) + text[at:] if out else text


def _spaced(word: str) -> str:
    """A pattern for a word that may be printed with spaces between its characters."""
    return "[ ]{0,3}".join(re.escape(character) for character in word)


def _labels() -> re.Pattern[str]:
    """A label of the field at the beginning of a cell or word, with what divides it from its value."""
    known = fields().get(PERSON_FIELD)
    return _labels_of(tuple(known.labels) if known is not None else ())


@cache
def _labels_of(labels: tuple[str, ...]) -> re.Pattern[str]:
    words = {normalize(label, squeeze=True).text for label in labels} | _words().numbers
    either = "|".join(_spaced(word) for word in sorted(words, key=len, reverse=True))
    return re.compile(
        rf"(?<!\w)(?P<label>{either})(?:[ ]?\((?:氏名|名|職・?氏名)\)|名)?[ ]{{0,3}}[)\]】》]?"
        r"(?P<divider>(?:[ ]{0,3}:[ \t]*|[ ]{0,3}\t[ \t]*|[ ]+)(?=\S)|(?=[ \t]*\n))"
    )


@cache
def _titled() -> re.Pattern[str]:
    either = "|".join(_words().titles)
    return re.compile(
        rf"(?:(?<!\w)|(?<=[課部係室局所]))(?:{either})(?:[ ]{{1,3}}|[ ]?:[ ]?|\t)"
        rf"(?P<name>[{_HAN}]{{1,4}}(?:[ ]{{1,2}}[{_LETTERS}]{{1,4}})?)(?=[\t\n,、。)】(]|[ ]*(?:\n|$))"
    )


def _own_end(text: str, start: int, end: int) -> int:
    """Where the value of a section ends that took the next label for a part of it: 見本 太郎 開始年度 平成30年度."""
    named = False
    for part in _PARTS.finditer(text, start, end):
        if named and canonical(part[0]) not in (None, PERSON_FIELD):
            return part.start()
        named = named or _is_name(part[0])
    return end


def _under_label(text: str, label: re.Match[str], told: _Found) -> None:
    """The names under a label at the head of a column: in the same cell, or the same word, of the next line."""
    begin, end = text.rfind("\n", 0, label.start()) + 1, text.find("\n", label.end())
    after = text[label.end() : end] if end >= 0 else ""
    following = after.split()
    if end < 0 or (following and canonical(following[0]) is None and canonical("".join(following)) is None):
        return  # what follows is no label: this is no head
    below = re.compile(r"\s*([^\n]+)").match(text, end)
    if below is None or canonical(below[1].split()[0]) is not None:
        return  # the next line has labels of its own
    line, at = below[1], below.start(1)
    if "\t" in text[begin:end]:
        cells = line.split("\t")
        column = text.count("\t", begin, label.start())
        words = [(at + sum(map(len, cells[:column])) + column, cells[column])] if column < len(cells) else []
    else:
        first = len(text[begin : label.start()].split())
        every = [(at + word.start(), word[0]) for word in re.finditer(r"\S+", line)]
        more = len(every) - (first + 1 + len(following))  # a name may be two words
        words = every[first : first + 1 + more] if more >= 0 else []
    taken = []
    for start, word in words:
        for part in _PARTS.finditer(word):
            if _is_name(part[0]):
                told.spans.append((start + part.start(), start + part.end()))
                taken.append(part[0])
    _note(" ".join(taken), told)


def _beside_label(text: str, label: re.Match[str], told: _Found) -> None:
    """The names and numbers of the cell behind a label: as many words as can be such, all of them without a divider."""
    start = label.end()
    ends = [at for at in (text.find(mark, start) for mark in "\t\n|") if at >= 0]
    cell = text[start : min([*ends, start + 60])]
    sure = ":" in label["divider"]
    named: list[tuple[int, int]] = []
    taken: list[str] = []
    for part in _PARTS.finditer(cell):
        word = part[0]
        if _NUMBER.fullmatch(word):
            named.append(part.span())
        elif _is_name(word) and (sure or not _PARTICLES.search(word)):
            named.append(part.span())
            taken.append(word)
        elif not _is_beside(word):
            if not sure:
                return  # a sentence
            break
    digits = squeeze(label["label"]) in _numbers()
    if digits and not any(_NUMBER.fullmatch(cell[a:b]) for a, b in named):
        return
    told.spans += ((start + a, start + b) for a, b in named)
    _note(" ".join(taken), told)


def _is_name(word: str) -> bool:
    """Whether a word can be a name: letters alone, and neither an office, nor a post, nor a label of the form."""
    if not _NAME.fullmatch(word) or len(word) > _LONGEST or word in _words().words:
        return False
    return not _is_office(word) and canonical(word) is None


def _is_beside(word: str) -> bool:
    """Whether a word may stand beside a name: an office, a number, a label of the field, a word like ほか."""
    known = word in _words().words or _NUMBER.fullmatch(word) is not None
    return known or _is_office(word) or canonical(word) == PERSON_FIELD


def _is_office(word: str) -> bool:
    for ending in _words().offices:
        if word.endswith(ending) and len(word) >= max(3, len(ending)):
            return True
    return word.endswith(_words().titles)


def _note(text: str, told: _Found) -> None:
    """Remembers the names of a value: whole words, and a surname with the given name behind it; of a sentence none."""
    words = _PARTS.findall(text)
    if len(words) > _VALUE or not all(_is_name(word) or _is_beside(word) for word in words):
        return
    for line in re.split(r"[\t\n、,，・･/／()（）:]+", text):
        parts = [part for part in _PARTS.findall(line) if _is_name(part) and not part.isascii()]
        for part in parts:
            told.names[part] = None
            if 3 <= len(part) <= 5:
                told.surnames[part[:2]] = None
        for surname, given in zip(parts, parts[1:], strict=False):
            if len(surname) <= 4 and len(given) <= 4:
                told.names[surname + given] = None
                told.surnames[surname] = None


def _again(text: str, told: _Found, heads: str) -> Iterator[tuple[int, int]]:
    """The same names elsewhere: long ones anywhere, short ones alone between spaces, any before a title."""
    calls = "|".join((*_words().titles, *_words().honorifics))
    for name in list(told.names)[:_MOST]:
        if len(name) >= _SHORTEST and name not in heads:
            yield from (found.span() for found in re.finditer(_again_pattern(name), text))
        elif len(name) == 2 and name not in heads:
            yield from (found.span() for found in re.finditer(rf"(?<![^\s、,・(]){name}(?![^\s、,・)])", text))
    for name in list({**told.surnames, **told.names})[:_MOST]:
        if len(name) >= 2:
            yield from (
                found.span() for found in re.finditer(rf"(?<![{_HAN}]){re.escape(name)}(?=[ ]?(?:{calls}))", text)
            )


def _again_pattern(name: str) -> str:
    return "[ ]{0,2}".join(re.escape(character) for character in name)


def _heads(found: Sequence[SheetReading]) -> str:
    """What a document calls its sheets, offices and sections: none of it is a name, whatever stands beside a label."""
    told: dict[str, None] = {}
    for reading in found:
        told |= dict.fromkeys((reading.sheet.name, reading.sheet.department, reading.sheet.municipality))
        told |= dict.fromkeys(section.label for section in reading.sections)
    return "\n".join(told).translate(_PLAIN)


def _united(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The stretches in order, those that touch or overlap as one."""
    begin = stop = -1
    for start, end in sorted(spans):
        if start > stop:
            if stop > begin:
                yield begin, stop
            begin, stop = start, end
        stop = max(stop, end)
    if stop > begin:
        yield begin, stop


def _inked(text: str, spans: Iterable[tuple[int, int]]) -> Iterator[Span]:
    """The same without white space, which shows nothing and holds lines and cells apart."""
    for start, end in spans:
        yield from (Span(start + word.start(), start + word.end()) for word in re.finditer(r"\S+", text[start:end]))
