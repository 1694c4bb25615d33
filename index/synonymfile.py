"""The file of synonyms as people write it (``synonyms.toml``): reading and checking, every complaint with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.errors import SettingsError

FILE = Path(__file__).with_name("synonyms.toml")

# A synonym found is worth less than the word itself, a mistyped one still less.
GROUPS = {"synonyms": 0.8, "abbreviations": 0.9, "variants": 0.9, "old_names": 0.8}
# The first word also finds the others; they do not find it.
ONE_WAY = {"one_way": 0.7}
# The first word is right, the others find it.
SLIPS = {"slips": 0.6}
_FURNITURE = "furniture"
_KEYS = (_FURNITURE, *GROUPS, *ONE_WAY, *SLIPS)

_GROUP_LINE = re.compile(r'\s*\[(\s*+"(?:[^"\\]|\\.)*+"\s*+,)*+(\s*+"(?:[^"\\]|\\.)*+"\s*+)?\],\s*+(#.*)?$')

Group = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SynonymTable:
    """What a file says: groups that find each other, groups whose first term finds the rest, words that say nothing.

    ``warnings`` are Japanese sentences about what is written twice.
    """

    groups: tuple[tuple[Group, float], ...]
    one_way: tuple[tuple[Group, float], ...]
    furniture: Group
    warnings: tuple[str, ...]


def read_synonyms(file: Path = FILE) -> SynonymTable:
    """Reads a file; raises SettingsError, naming file and line, for what TOML or this file does not allow."""
    try:
        text = file.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise _unusable(file, str(error)) from error
    return parse_synonyms(text, file)


def parse_synonyms(text: str, file: Path) -> SynonymTable:
    """The same for the text of a file, which may not be written yet."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _unusable(file, _broken(text.splitlines(), error)) from error
    except ValueError as error:
        raise _unusable(file, str(error)) from error
    lines = text.splitlines()
    for key in table:
        if key not in _KEYS:
            line = _line(lines, key)
            raise _unusable(
                file, f"{line} 行目の {key} という見出しはありません。使える見出しは {'、'.join(_KEYS)} です"
            )
    furniture = table.get(_FURNITURE, [])
    _words_only(file, lines, _FURNITURE, furniture)
    both = [(g, w) for key, w in GROUPS.items() for g in _groups(file, lines, key, table)]
    one_way = [(g, w) for key, w in ONE_WAY.items() for g in _groups(file, lines, key, table)]
    slips = [
        ((wrong, g[0]), w) for key, w in SLIPS.items() for g in _groups(file, lines, key, table) for wrong in g[1:]
    ]
    told = _twice(lines, [g for g, _ in both])
    return SynonymTable(tuple(both), (*one_way, *slips), tuple(furniture), told)


def joined(first: SynonymTable, second: SynonymTable) -> SynonymTable:
    """Two files as one."""
    return SynonymTable(
        first.groups + second.groups,
        first.one_way + second.one_way,
        first.furniture + second.furniture,
        first.warnings + second.warnings,
    )


def _broken(lines: Sequence[str], error: tomllib.TOMLDecodeError) -> str:
    """Where TOML was left: what people forget is a comma, a bracket or a quotation mark of a group's line.

    The parser notices it lines later, or at the end of the file.
    """
    odd = (i for i, line in enumerate(lines, 1) if line.lstrip().startswith("[") and not _GROUP_LINE.match(line))
    if at := next(odd, None):
        return (
            f'{at} 行目の書き方を確かめてください。["ことば", "言いかえ"], のように、コンマ、引用符、かっこが要ります'
        )
    return str(error)


def _groups(file: Path, lines: Sequence[str], key: str, table: dict[str, Any]) -> list[Group]:
    groups = table.get(key, [])
    if not isinstance(groups, list):
        raise _unusable(file, f"{_line(lines, key)} 行目の {key} は [ ] で囲んだ組の並びにしてください")
    found: list[Group] = []
    for group in groups:
        if not isinstance(group, list):
            at = _line(lines, group)
            raise _unusable(file, f'{at} 行目の {group} は ["ことば", "言いかえ"], のように組にしてください')
        _words_only(file, lines, key, group)
        if len(group) < 2:
            raise _unusable(
                file, f"{_line_of_group(lines, group)} 行目の組 {_shown(group)} には、ことばが2つ以上要ります"
            )
        if len(set(group)) < len(group):
            again = next(word for word in group if group.count(word) > 1)
            at = _line_of_group(lines, group)
            raise _unusable(file, f"{at} 行目の組 {_shown(group)} に「{again}」が2回あります")
        found.append(tuple(group))
    return found


def _words_only(file: Path, lines: Sequence[str], key: str, group: Any) -> None:
    """SettingsError where the group is no list of words."""
    if not isinstance(group, list):
        raise _unusable(file, f"{_line(lines, key)} 行目の {key} は [ ] で囲んだことばの並びにしてください")
    for word in group:
        if not isinstance(word, str) or not word.strip():
            at = _line_of_group(lines, group)
            raise _unusable(file, f"{at} 行目に、ことばでないもの（{_shown([word])}）があります")


def _twice(lines: Sequence[str], groups: Sequence[Group]) -> tuple[str, ...]:
    """A sentence for each group that says nothing new beside another one."""
    sets = [frozenset(g) for g in groups]
    by_word: dict[str, list[int]] = {}
    for i, group in enumerate(sets):
        for word in group:
            by_word.setdefault(word, []).append(i)
    told: list[str] = []
    for i, group in enumerate(sets):
        others = (j for j in by_word[groups[i][0]] if group < sets[j] or (group == sets[j] and j < i))
        if (j := next(others, None)) is not None:
            at, other = _line_of_group(lines, groups[i]), _line_of_group(lines, groups[j])
            told.append(f"言いかえ辞書の {at} 行目の組 {_shown(groups[i])} は、{other} 行目の組に含まれています。")
    return tuple(told)


def _shown(group: Sequence[object]) -> str:
    return "、".join(str(word) for word in group)


def _line(lines: Sequence[str], what: object) -> int:
    """The line (from 1) that starts with ``what`` or names it first, 1 where none does."""
    starts = (i for i, line in enumerate(lines, 1) if line.lstrip(' [\t"').startswith(str(what)))
    names = (i for i, line in enumerate(lines, 1) if str(what) in line.split("#")[0])
    return next(starts, next(names, 1))


def _line_of_group(lines: Sequence[str], group: Sequence[object]) -> int:
    """The line (from 1) on which a group stands; where it goes over several, the line of its first word."""
    quoted = [f'"{word}"' if isinstance(word, str) else str(word) for word in group]
    exact = "[" + ", ".join(quoted) + "]"
    for found in (
        (i for i, line in enumerate(lines, 1) if line.strip().startswith(exact)),
        (i for i, line in enumerate(lines, 1) if quoted and all(word in line for word in quoted)),
        (i for i, line in enumerate(lines, 1) if quoted and quoted[0] in line),
    ):
        if (i := next(found, None)) is not None:
            return i
    return 1


def _unusable(file: Path, why: str) -> SettingsError:
    return SettingsError(f"言いかえ辞書 {file} を読めません（{why}）。書式を直してから、もう一度起動してください。")
